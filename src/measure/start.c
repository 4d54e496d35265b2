#include "measure/start.h"

#define LEAD_NS 300000
#define LEAD_YIELDING_NS 2000000
#define LEAD_MAX_NS 100000000
#define SLACK_NS 5000
#define SLACK_YIELDING_NS 100000
#define HOPELESS_BATCHES 4

enum rs_status start_barrier(struct rs_world *world, struct rs_error *error) {
  for (size_t distance = 1; distance < world->size; distance *= 2) {
    uint8_t byte = 0;
    size_t next = (world->rank + distance) % world->size;
    size_t before = (world->rank + world->size - distance) % world->size;
    // A send may wait for its receiver, so someone must receive first: in every cycle of ranks at this distance, ranks
    // with an odd quotient do, and the first of the cycle always sends.
    bool sends_first = world->rank / distance % 2 == 0;
    enum rs_status status =
        sends_first ? rs_world_send(world, &byte, 1, next, error) : rs_world_receive(world, &byte, 1, before, error);
    if (status == RS_OK)
      status =
          sends_first ? rs_world_receive(world, &byte, 1, before, error) : rs_world_send(world, &byte, 1, next, error);
    if (status < 0)
      return status;
  }
  return RS_OK;
}

void start_pace_init(struct start_pace *pace, bool yields) {
  *pace = (struct start_pace){.lead_ns = yields ? LEAD_YIELDING_NS : LEAD_NS,
                              .slack_ns = yields ? SLACK_YIELDING_NS : SLACK_NS};
}

void start_pace_adapt(struct start_pace *pace, size_t count, size_t late, bool first_late, int64_t busy_ns) {
  int64_t fitting = busy_ns + busy_ns / 8 + pace->slack_ns;
  if (pace->period_ns == 0)
    pace->period_ns = fitting;
  else if (late * 10 > count)
    pace->period_ns += pace->period_ns / 2;
  else if (late == 0)
    pace->period_ns -= (pace->period_ns - fitting) / 4;
  if (first_late && pace->lead_ns < LEAD_MAX_NS)
    pace->lead_ns *= 2;
  pace->hopeless = late * 2 > count ? pace->hopeless + 1 : 0;
}

bool start_pace_failed(const struct start_pace *pace) {
  return pace->hopeless >= HOPELESS_BATCHES;
}
