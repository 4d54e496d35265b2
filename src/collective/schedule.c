// Readers of a whole schedule: what a place holds, who talks to whom and how much, and the schedule as text.
#include "collective/step.h"

uint32_t rs_place_part(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params, uint32_t rank,
                       enum rs_buffer_id buffer, uint32_t place) {
  switch (buffer) {
  case RS_BUFFER_OUTPUT:
    return rs_output_part(params, rank, place);
  case RS_BUFFER_SCRATCH:
    return algorithm->scratch_part ? algorithm->scratch_part(params, rank, place) : place % algorithm->parts(params);
  default:
    return place;
  }
}

void rs_schedule_peers(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params, uint32_t rank,
                       const uint32_t *members, bool *peers) {
  struct rs_step steps[RS_ROUND_STEPS_MAX];
  const uint32_t rounds = algorithm->rounds(params);
  for (uint32_t k = 0; k < rounds; k++) {
    const uint32_t count = algorithm->round(params, rank, k, steps);
    for (uint32_t i = 0; i < count; i++) {
      const struct rs_step_traits *traits = &rs_step_traits[steps[i].kind];
      if (traits->sends || traits->receives) {
        peers[members ? members[steps[i].peer] : steps[i].peer] = true;
      }
    }
  }
}

void rs_schedule_traffic(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params, uint64_t *parts,
                         uint64_t *messages) {
  struct rs_step steps[RS_ROUND_STEPS_MAX];
  const uint32_t n = params->rank_count, rounds = algorithm->rounds(params);
  for (uint32_t rank = 0; rank < n; rank++) {
    for (uint32_t k = 0; k < rounds; k++) {
      const uint32_t count = algorithm->round(params, rank, k, steps);
      for (uint32_t i = 0; i < count; i++) {
        const size_t link = (size_t)rank * n + steps[i].peer;
        if (!rs_step_traits[steps[i].kind].sends) {
          continue;
        }
        if (parts) {
          parts[link] += steps[i].source.count;
        }
        if (messages) {
          messages[link]++;
        }
      }
    }
  }
}

static int digits(uint32_t largest) {
  return snprintf(NULL, 0, "%u", largest);
}

void rs_schedule_export(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params,
                        struct rs_text *text) {
  const uint32_t n = params->rank_count, rounds = algorithm->rounds(params);
  const uint32_t scratch_places = algorithm->scratch_places ? algorithm->scratch_places(params) : 0;
  const int rank_width = digits(n - 1), round_width = digits(rounds > 0 ? rounds - 1 : 0);
  rs_text_append(text, "# %s %s, ranks %u, parts %u, scratch places %u, rounds %u\n", algorithm->name,
                 rs_collective_names[algorithm->collective], n, algorithm->parts(params), scratch_places, rounds);
  for (uint32_t rank = 0; rank < n; rank++) {
    for (uint32_t k = 0; k < rounds; k++) {
      struct rs_step steps[RS_ROUND_STEPS_MAX];
      const uint32_t count = algorithm->round(params, rank, k, steps);
      for (uint32_t i = 0; i < count; i++) {
        char line[RS_STEP_FORMAT_BYTES];
        rs_text_append(text, "rank %*u  round %*u  %s\n", rank_width, rank, round_width, k,
                       rs_step_format(&steps[i], line, sizeof line));
      }
    }
  }
}
