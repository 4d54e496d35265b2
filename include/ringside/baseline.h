// baseline: whole collectives of others, run under the same runner as ours.
#ifndef RINGSIDE_BASELINE_H
#define RINGSIDE_BASELINE_H

#include "ringside/base.h"
#include "ringside/collective.h"
#include "ringside/memory.h"

// Input and output are laid out as for our algorithms: in a collective of blocks each block stands at its place in the
// whole, so that what is given and what results are parts of buffers of one length. See rs_input_given and
// rs_output_extent.
struct rs_baseline_params {
  struct rs_world *world;
  struct rs_shape shape; // its arrays live as long as the baseline
  enum rs_datatype datatype;
  enum rs_operation operation;
  struct rs_buffer *input, *output; // the same buffer: in place. Not owned
};

// One baseline. `state` is its own.
struct rs_baseline {
  const char *name;
  const char *summary;
  // Whether it can run such a case at all, with any number of ranks and elements.
  bool (*supports)(enum rs_collective collective, enum rs_datatype datatype, enum rs_operation operation,
                   bool in_place);
  // UNSUPPORTED with the reason where it cannot run this case.
  enum rs_status (*open)(const struct rs_baseline_params *params, void **state, struct rs_error *error);
  enum rs_status (*run)(void *state, struct rs_error *error); // one collective, blocking
  // When every rank has left its last run: a peer may close connections. NULL is fine.
  void (*close)(void *state);
};

// All baselines, one row each.
extern const struct rs_baseline *const rs_baselines[];
extern const size_t rs_baseline_count;
const struct rs_baseline *rs_baseline_find(const char *name); // NULL: none

#endif
