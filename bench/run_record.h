// From what a run knows to what the result file holds. Rank 0 writes; the gathering is collective.
#ifndef RINGSIDE_BENCH_RUN_RECORD_H
#define RINGSIDE_BENCH_RUN_RECORD_H

#include "run_counters.h"
#include "run_placement.h"
#include "run_setup.h"

struct run_record {
  struct rs_world *world;
  const struct run_setup *setup;
  const struct rs_config *config; // with the seed that was drawn
  const struct rs_plan *plan;
  const struct rs_topology *topology;
  const struct run_placement *where;
  const char *path;
  const char *config_text; // the resolved YAML
  double clock_cost_ns;    // of one reading of the clock, on this rank
  struct run_counters counters;
  struct rs_writer *writer; // rank 0
};

// Collective: gathers devices and topologies, and opens the file on rank 0.
enum rs_status run_record_open(struct run_record *record, const struct rs_runner *runner, struct rs_error *error);
// A sink's case_finished; state is the record.
enum rs_status run_record_case(void *state, const struct rs_case_result *result, struct rs_error *error);
// Collective: gathers the counters once more, and completes the file on rank 0.
enum rs_status run_record_finish(struct run_record *record, struct rs_error *error);
// Frees what the record gathered; {0} is fine.
void run_record_fini(struct run_record *record);

#endif
