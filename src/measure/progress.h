// progress: rank 0's view of a case while it is measured: the rows so far, and what to do next.
#ifndef RINGSIDE_MEASURE_PROGRESS_H
#define RINGSIDE_MEASURE_PROGRESS_H

#include "measure/sampler.h"
#include "measure/start.h"
#include "ringside/stats.h"

enum stop_reason { STOP_NOT, STOP_INTERVAL, STOP_TIME, STOP_MAX_ITERATIONS };

// What rank 0 tells everybody before a batch.
struct announcement {
  uint64_t iterations;     // 0: the case is over
  uint32_t flags;          // of every row of the batch
  uint32_t repeat;         // operations per iteration
  uint32_t congest_repeat; // operations of the background traffic per iteration; 0: there is none
  uint32_t start;          // enum rs_start: TIME or BARRIER
  uint32_t check;          // fresh input before, every element after
  int64_t first_ns, period_ns;
};

struct progress {
  const struct rs_case *point;
  bool checks;               // results are checked
  struct announcement batch; // the last one that was planned
  struct rs_random random;
  struct start_pace pace;
  enum rs_start start;
  int64_t started_ns, time_ns;
  size_t rows, valid, warm_up;
  bool level_shift, check_due, finished;
  enum stop_reason stop;
  struct rs_summary summary;
  uint32_t repeat, congest_repeat;
};

void progress_init(struct progress *progress, const struct sampler *sampler, const struct rs_case *point, bool checks,
                   int64_t time_ns);
// Fills progress->batch for every rank; iterations 0 ends the case.
void progress_plan(struct progress *progress, struct sampler *sampler);
// Takes in the batch that was gathered: appends its rows and adapts the pace.
void progress_take(struct progress *progress, struct sampler *sampler);
// At the end, with the final lines of all clocks: the case's rows and figures.
void progress_settle(struct progress *progress, struct sampler *sampler, enum rs_verified verified,
                     struct rs_case_result *result);

// progress_rows.c: what the rows say.
void progress_convert_row(struct sampler *sampler, size_t row);
int64_t progress_row_span(const struct sampler *sampler, size_t row); // first entry to last exit of those measured
int64_t progress_row_busy(const struct sampler *sampler, size_t row); // of all ranks
bool progress_row_covered(const struct sampler *sampler, size_t row); // by background traffic, or there is none
void progress_summarise(struct progress *progress, struct sampler *sampler);

#endif
