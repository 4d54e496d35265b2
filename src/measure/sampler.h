// sampler: one case, from warm-up to the last check.
#ifndef RINGSIDE_MEASURE_SAMPLER_H
#define RINGSIDE_MEASURE_SAMPLER_H

#include "ringside/measure.h"

// What all cases of a run share. Nothing is owned.
struct sampler {
  struct rs_world *world;
  const struct rs_config *config;
  size_t max_iterations; // rows of one case
  bool common_clock;     // ranks share one clock; else times are local durations
  int64_t origin_ns;     // launch start on this rank's clock
  // Rank 0 only: room for max_iterations rows, max_iterations x size samples, and as many gathered ones.
  struct rs_iteration_row *iterations;
  struct rs_sample *samples, *gathered;
  double *times; // room for max_iterations values
  // Every rank: room for max_iterations own samples.
  struct rs_sample *mine;
};

// One collective as the sampler sees it: ours by an executor, or a baseline.
struct operation {
  enum rs_status (*run)(void *state, struct rs_error *error);
  void *state;
  struct rs_pattern *pattern; // NULL: results are not checked
  struct rs_buffer *input, *output;
  uint64_t count;
};

// Collective. Measures one case; `result` is filled on rank 0 (its arrays are the sampler's). A wrong result is no
// error here: figures.verified says so, and *mismatch (same on all ranks) gets the first one's words.
enum rs_status sampler_measure(struct sampler *sampler, const struct rs_case *point, const struct operation *operation,
                               struct rs_case_result *result, struct rs_error *mismatch, struct rs_error *error);

#endif
