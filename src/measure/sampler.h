// sampler: one case, from warm-up to the last check.
#ifndef RINGSIDE_MEASURE_SAMPLER_H
#define RINGSIDE_MEASURE_SAMPLER_H

#include "measure/clock_sync.h"
#include "measure/operation.h"
#include "measure/watchdog.h"
#include "ringside/measure.h"

// One iteration of one rank on its own clock, and whether it came too late for its start.
struct own_sample {
  int64_t entry_ns, exit_ns, late;
};

// What all cases of a run share. Pointers below `world` are owned by sampler_open and sampler_close.
struct sampler {
  struct rs_world *world;
  const struct rs_config *config;
  const struct clock_source *clock;
  size_t max_iterations;             // rows of one case
  bool yields;                       // while waiting for a start: more ranks than cores
  int64_t origin_ns;                 // launch start on the common clock
  double clock_cost_ns;              // of reading the clock once
  uint32_t *machines;                // of every rank, see clock_sync.h
  const uint32_t *measured, *others; // ranks whose time counts in the present case, and the others; the plan's
  size_t measured_count, other_count;
  struct clock_line line;   // this rank's, through the last two syncs
  struct own_sample *mine;  // one batch
  int64_t heeded_ns;        // when this rank last looked for an interrupt
  struct watchdog watchdog; // of baselines; the runner's to open and close
  // Rank 0 only: max_iterations rows of iterations, of own samples of all ranks (iteration-major; `gathered`: one
  // batch, rank-major), of converted samples and of times; a line per rank.
  struct rs_iteration_row *iterations;
  struct own_sample *raw, *gathered;
  struct rs_sample *samples;
  double *times, *scratch; // scratch: two per row, as stats asks
  struct clock_line *lines;
  int64_t *residuals;
};

// Bytes that sampler_open allocates on `rank`.
uint64_t sampler_memory(size_t max_iterations, size_t rank, size_t rank_count);
// Collective: synchronises clocks and sets the origin. placement tells which ranks share a machine.
enum rs_status sampler_open(struct sampler *sampler, struct rs_world *world, const struct rs_config *config,
                            const struct rs_placement *placement, const struct clock_source *clock,
                            size_t max_iterations, struct rs_error *error);
void sampler_close(struct sampler *sampler); // {0} is fine

// Collective. Measures one case for about time_ns; `result` is filled on rank 0 (its arrays are the sampler's). A wrong
// result is no error here: figures.verified says so, and *mismatch (same on all ranks) gets the first one's words.
enum rs_status sampler_measure(struct sampler *sampler, const struct rs_plan *plan, const struct rs_case *point,
                               const struct operation *operation, int64_t time_ns, struct rs_case_result *result,
                               struct rs_error *mismatch, struct rs_error *error);

#endif
