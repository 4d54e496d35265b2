// operation: what one rank runs in one case: a collective of ours, a baseline, a kernel, background traffic, or
// nothing.
#ifndef RINGSIDE_MEASURE_OPERATION_H
#define RINGSIDE_MEASURE_OPERATION_H

#include "measure/case_setup.h"

struct operation {
  enum rs_status (*run)(void *state, struct rs_error *error);
  void (*close)(void *state);
  void *state;
  enum case_role role;
  bool checks; // results are checked, on the ranks that are measured
  bool in_place;
  bool is_baseline;
  struct rs_pattern *pattern; // of a measured rank, when it checks
  struct rs_shape shape;      // of what it checks
  struct rs_buffer *input, *output;
};

// What every case of a run shares.
struct operation_params {
  struct rs_world *world;
  const struct rs_config *config;
  const struct rs_case *point;
  const struct case_setup *setup; // taken for `point`
  const struct rs_route *route;   // of the case's transport, or NULL
  enum rs_wait wait;
  struct rs_buffer *input, *output, *other;
};
enum rs_status operation_open(const struct operation_params *params, struct operation *operation,
                              struct rs_error *error);
void operation_close(struct operation *operation); // {0} is fine

// The executor's parameters for the present case of a set-up with an algorithm, without route, buffers and wait.
struct rs_executor_params operation_executor_params(const struct rs_config *config, const struct rs_case *point,
                                                    const struct case_setup *setup);

#endif
