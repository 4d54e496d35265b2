#include "order_estimate.h"

#include <stdlib.h>
#include <string.h>

struct round {
  const struct rs_fabric_map *map;
  uint64_t *queued; // bytes, by queue
  int64_t slowest_ps;
};

static void add_message(struct round *round, size_t source, size_t target, uint64_t bytes) {
  struct rs_fabric_way way;
  int64_t ps = rs_fabric_message_ps(round->map, source, target, bytes);
  round->slowest_ps = ps > round->slowest_ps ? ps : round->slowest_ps;
  rs_fabric_way(round->map, source, target, &way);
  for (size_t q = 0; q < way.queue_count; q++)
    round->queued[way.queues[q]] += bytes;
}

static int64_t round_ps(const struct round *round) {
  int64_t ps = round->slowest_ps;
  for (size_t q = 0; q < round->map->queue_count; q++) {
    int64_t busy = rs_fabric_serial_ps(round->queued[q], round->map->queue_bit_s[q]);
    ps = busy > ps ? busy : ps;
  }
  return ps;
}

enum rs_status order_estimate(const struct rs_fabric_map *map, const struct rs_algorithm *algorithm,
                              const struct rs_schedule_params *params, uint64_t part_bytes, const uint32_t *ranks,
                              double *ns, struct rs_error *error) {
  struct rs_step steps[RS_ROUND_STEPS_MAX];
  struct round round = {.map = map};
  round.queued = rs_allocate(map->queue_count + 1, sizeof *round.queued, "the queues of a fabric", error);
  if (round.queued == NULL)
    return error->status;
  double sum = 0;
  for (uint32_t k = 0; k < algorithm->rounds(params); k++) {
    round.slowest_ps = 0;
    memset(round.queued, 0, map->queue_count * sizeof *round.queued);
    for (uint32_t position = 0; position < params->rank_count; position++) {
      uint32_t count = algorithm->round(params, position, k, steps);
      for (uint32_t i = 0; i < count; i++)
        if (steps[i].kind == RS_STEP_SEND)
          add_message(&round, ranks[position], ranks[steps[i].peer], part_bytes * steps[i].source.count);
    }
    sum += (double)round_ps(&round) / 1e3;
  }
  free(round.queued);
  *ns = sum;
  return RS_OK;
}
