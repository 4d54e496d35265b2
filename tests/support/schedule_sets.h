// What every rank holds at the start of each round of a schedule that is right, out of place: for each place the ranks
// whose contributions are in it. For a few ranks, and simpler than the verifier's own (src/collective/holdings.c), of
// which it knows nothing.
#ifndef RINGSIDE_TESTS_SCHEDULE_SETS_H
#define RINGSIDE_TESTS_SCHEDULE_SETS_H

#include "ringside/collective.h"

#define SCHEDULE_SETS_RANKS_MAX 16

struct schedule_sets {
  const struct rs_algorithm *algorithm;
  const struct rs_schedule_params *params;
  uint32_t places[RS_BUFFER_ID_COUNT];
  uint32_t row;   // places of one rank
  uint16_t *sets; // [round][rank][place], a bit per rank; no bit: undefined
};

// Aborts where there is no memory. The parameters must live as long.
void schedule_sets_init(struct schedule_sets *sets, const struct rs_algorithm *algorithm,
                        const struct rs_schedule_params *params);
void schedule_sets_fini(struct schedule_sets *sets);
uint16_t schedule_sets_at(const struct schedule_sets *sets, uint32_t round, uint32_t rank, enum rs_buffer_id buffer,
                          uint32_t place);

// The step of the peer that a message step meets: its index, and *theirs. RS_ROUND_STEPS_MAX: there is none.
uint32_t schedule_other_end(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params,
                            uint32_t rank, uint32_t round, uint32_t index, struct rs_step *theirs);

#endif
