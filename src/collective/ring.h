// One round of a ring over positions (step.h): what every algorithm on a ring is made of.
#ifndef RINGSIDE_COLLECTIVE_RING_H
#define RINGSIDE_COLLECTIVE_RING_H

#include "ringside/collective.h"

// For n ranks and n parts. The part that is `back` (0 .. 2n - 1) places before the rank's position leaves buffer `from`
// for the right neighbour, and the part before that one comes from the left neighbour into buffer `into`. steps[0] is
// the SEND, steps[1] the RECV; returns 2.
uint32_t rs_ring_pass(const struct rs_schedule_params *params, uint32_t rank, uint32_t back, enum rs_buffer_id from,
                      enum rs_buffer_id into, struct rs_step *steps);

// The same, but the rank's own input is added to what comes: steps[1] is a RECV_REDUCE.
uint32_t rs_ring_pass_and_add(const struct rs_schedule_params *params, uint32_t rank, uint32_t back,
                              enum rs_buffer_id from, enum rs_buffer_id into, bool final, struct rs_step *steps);

#endif
