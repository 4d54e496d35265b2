#include "measure/pair_rows.h"

#include "ringside/stats.h"

static int64_t span(const struct rs_sample *a, const struct rs_sample *b) {
  int64_t entry = a->entry_ns < b->entry_ns ? a->entry_ns : b->entry_ns;
  int64_t exit = a->exit_ns > b->exit_ns ? a->exit_ns : b->exit_ns;
  return exit - entry;
}

void pair_rows_measure(struct sampler *sampler, const struct rs_case_result *result, struct rs_pair_row *rows) {
  size_t ranks = sampler->world->size;
  for (size_t p = 0; p < result->pair_count; p++) {
    struct rs_pair_row *row = &rows[p];
    size_t count = 0;
    for (size_t i = 0; i < result->figures.iterations; i++) {
      const struct rs_sample *samples = &result->samples[i * ranks];
      if (result->iterations[i].flags == 0)
        sampler->times[count++] = (double)span(&samples[row->rank_a], &samples[row->rank_b]) / result->figures.batch;
    }
    struct rs_summary summary = rs_stats_summarise_series(sampler->times, sampler->scratch, count);
    row->median_ns = summary.median;
    row->ci_low_ns = summary.ci_low;
    row->ci_high_ns = summary.ci_high;
    row->p99_ns = summary.p99;
    row->algbw_gb_s = (double)result->plan->size_bytes / summary.median;
  }
}
