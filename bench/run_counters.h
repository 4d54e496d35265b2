// What could explain the times of a run, from all ranks on rank 0: how the hosts are set up, and what they and the
// ranks had counted before the first case and after the last. A host's are read by its first rank.
#ifndef RINGSIDE_BENCH_RUN_COUNTERS_H
#define RINGSIDE_BENCH_RUN_COUNTERS_H

#include "ringside/measure.h"

struct run_counters {
  // From the caller:
  struct rs_world *world;
  const struct rs_placement *placement;
  const struct rs_runner *runner;         // its devices count too
  const struct rs_environment *scheduler; // what it says to this rank
  bool one_machine;                       // rank 0's host stands in for all
  // From run_counters_init and run_counters_finish:
  struct rs_counters before; // this rank's
  // Rank 0, all ranks':
  struct rs_environment_row *environment;
  size_t environment_count;
  struct rs_counter_row *rows; // rank by rank
  size_t row_count;
};

// Collective: reads and gathers everything; rows[].after is unknown.
enum rs_status run_counters_init(struct run_counters *counters, struct rs_error *error);
// Collective: reads the counters again; rank 0's rows get their `after`.
enum rs_status run_counters_finish(struct run_counters *counters, struct rs_error *error);
void run_counters_fini(struct run_counters *counters); // {0} is fine

#endif
