// Steps: what each kind does, and how it is written.
#ifndef RINGSIDE_COLLECTIVE_STEP_H
#define RINGSIDE_COLLECTIVE_STEP_H

#include "ringside/collective.h"

// What a kind of step does, indexed by enum rs_step_kind.
struct rs_step_traits {
  const char *name;
  bool sends, receives; // at most one; neither: the step is local
  bool source, target;  // which slices it uses
  bool reduces;
};
#define RS_STEP_KIND_COUNT 5
extern const struct rs_step_traits rs_step_traits[RS_STEP_KIND_COUNT];
extern const char *const rs_buffer_id_names[RS_BUFFER_ID_COUNT];

// "output[3]", "scratch[4..7]". Returns `buffer`.
const char *rs_slice_format(const struct rs_slice *slice, char *buffer, size_t buffer_bytes);
// "send output[3] -> 1", "recv_reduce output[2] = input[2] (+) <- 3, final". Returns `buffer`; RS_STEP_FORMAT_BYTES is
// always enough. Kind and buffers must be valid.
#define RS_STEP_FORMAT_BYTES 160
const char *rs_step_format(const struct rs_step *step, char *buffer, size_t buffer_bytes);

// ---- what builders share ----------------------------------------------------------------------------------

// The input's only part is the output's: all there is to do for one rank alone, or for itself. Returns 1.
uint32_t rs_step_keep_input(struct rs_step *steps);

// ceil(log2 n), for n >= 1: the doublings that lead from 1 to n or more.
uint32_t rs_log2_up(uint32_t n);

// Ranks are often counted from the root on, so that the root is 0: the position of a rank, and the rank at a position.
// Collectives without a root have root 0, and a position is the rank itself.
uint32_t rs_position_of(const struct rs_schedule_params *params, uint32_t rank);
uint32_t rs_rank_at(const struct rs_schedule_params *params, uint32_t position);

#endif
