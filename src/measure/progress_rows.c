// What the rows of a case say: spans, counted times, figures.
#include "measure/progress.h"

#include <math.h>

static const char *const stop_reason_names[] = {"", "interval", "time", "max_iterations"};

void progress_convert_row(struct sampler *sampler, size_t row) {
  for (size_t r = 0; r < sampler->world->size; r++) {
    const struct own_sample *raw = &sampler->raw[row * sampler->world->size + r];
    sampler->samples[row * sampler->world->size + r] =
        (struct rs_sample){clock_to_common(&sampler->lines[r], raw->entry_ns) - sampler->origin_ns,
                           clock_to_common(&sampler->lines[r], raw->exit_ns) - sampler->origin_ns};
  }
}

static void extend(struct rs_sample *span, const struct rs_sample *sample) {
  span->entry_ns = sample->entry_ns < span->entry_ns ? sample->entry_ns : span->entry_ns;
  span->exit_ns = sample->exit_ns > span->exit_ns ? sample->exit_ns : span->exit_ns;
}

static struct rs_sample measured_span(const struct sampler *sampler, size_t row) {
  const struct rs_sample *samples = &sampler->samples[row * sampler->world->size];
  struct rs_sample span = samples[sampler->measured[0]];
  for (size_t i = 1; i < sampler->measured_count; i++)
    extend(&span, &samples[sampler->measured[i]]);
  return span;
}

int64_t progress_row_span(const struct sampler *sampler, size_t row) {
  struct rs_sample span = measured_span(sampler, row);
  return span.exit_ns - span.entry_ns;
}

int64_t progress_row_busy(const struct sampler *sampler, size_t row) {
  const struct rs_sample *samples = &sampler->samples[row * sampler->world->size];
  struct rs_sample span = measured_span(sampler, row);
  for (size_t i = 0; i < sampler->other_count; i++)
    extend(&span, &samples[sampler->others[i]]);
  return span.exit_ns - span.entry_ns;
}

bool progress_row_covered(const struct sampler *sampler, size_t row) {
  const struct rs_sample *samples = &sampler->samples[row * sampler->world->size];
  struct rs_sample span = measured_span(sampler, row);
  for (size_t i = 0; i < sampler->other_count; i++) {
    const struct rs_sample *other = &samples[sampler->others[i]];
    if (other->entry_ns > span.entry_ns || other->exit_ns < span.exit_ns)
      return false;
  }
  return true;
}

// The counted times in order, without those before they had settled.
void progress_summarise(struct progress *progress, struct sampler *sampler) {
  size_t count = 0;
  for (size_t i = 0; i < progress->rows; i++)
    if (sampler->iterations[i].flags == 0)
      sampler->times[count++] = (double)progress_row_span(sampler, i) / progress->repeat;
  progress->warm_up = rs_stats_warm_up(sampler->times, sampler->scratch, count);
  progress->valid = count - progress->warm_up;
  const double *settled = sampler->times + progress->warm_up;
  size_t where;
  progress->level_shift = rs_stats_level_shift(settled, sampler->scratch, progress->valid, &where);
  progress->summary = rs_stats_summarise_series(settled, sampler->scratch, progress->valid);
}

// ---- the end ----------------------------------------------------------------------------------------------

// The median of values picked from the rows: `pick` returns NAN for a row that does not count.
static double median_of_rows(struct sampler *sampler, size_t rows,
                             double (*pick)(const struct sampler *sampler, size_t row)) {
  size_t count = 0;
  for (size_t i = 1; i < rows; i++) {
    double value = pick(sampler, i);
    if (!isnan(value))
      sampler->scratch[count++] = value;
  }
  rs_stats_sort(sampler->scratch, count);
  return count ? rs_stats_quantile(sampler->scratch, count, 0.5) : NAN;
}

// From the exit of one counted iteration to the entry of the next, on rank 0.
static double gap_before(const struct sampler *sampler, size_t row) {
  const struct rs_iteration_row *rows = sampler->iterations;
  size_t size = sampler->world->size;
  if (rows[row].flags != 0 || rows[row - 1].flags != 0)
    return NAN;
  return (double)(sampler->raw[row * size].entry_ns - sampler->raw[(row - 1) * size].exit_ns);
}

// The span of a counted iteration that follows a check.
static double span_after_check(const struct sampler *sampler, size_t row) {
  const struct rs_iteration_row *rows = sampler->iterations;
  bool counts = rows[row].flags == 0 && (rows[row - 1].flags & RS_ITERATION_VERIFIED);
  return counts ? (double)progress_row_span(sampler, row) : NAN;
}

// The leading iterations that rs_stats_warm_up found are flagged like the others.
static void flag_warm_up(struct sampler *sampler, const struct progress *progress) {
  size_t left = progress->warm_up;
  for (size_t i = 0; i < progress->rows && left > 0; i++)
    if (sampler->iterations[i].flags == 0) {
      sampler->iterations[i].flags = RS_ITERATION_WARM_UP;
      left--;
    }
}

static void count_flags(const struct sampler *sampler, const struct progress *progress, struct rs_case_row *figures) {
  for (size_t i = 0; i < progress->rows; i++) {
    uint32_t flags = sampler->iterations[i].flags;
    figures->warm_up += (flags & RS_ITERATION_WARM_UP) != 0;
    figures->invalid += flags != 0 && (flags & (RS_ITERATION_WARM_UP | RS_ITERATION_VERIFIED)) == 0;
  }
}

static void fill_figures(struct sampler *sampler, const struct rs_case *point, const struct progress *progress,
                         enum rs_verified verified, struct rs_case_row *figures) {
  const struct rs_summary *summary = &progress->summary;
  *figures = (struct rs_case_row){
      .iterations = (uint32_t)progress->rows,
      .batch = progress->repeat,
      .verified = (int8_t)verified,
      .level_shift = progress->level_shift,
      .median_ns = summary->median,
      .ci_low_ns = summary->ci_low,
      .ci_high_ns = summary->ci_high,
      .min_ns = summary->minimum,
      .max_ns = summary->maximum,
      .p95_ns = summary->p95,
      .p99_ns = summary->p99,
      .algbw_gb_s = (double)point->size_bytes / summary->median,
      .gap_ns = median_of_rows(sampler, progress->rows, gap_before),
      .after_check_ns = median_of_rows(sampler, progress->rows, span_after_check) / progress->repeat,
  };
  bool network = point->benchmark != RS_BENCHMARK_REDUCE;
  figures->busbw_gb_s =
      figures->algbw_gb_s * (network ? rs_busbw_factor(point->collective, sampler->measured_count) : 1);
  snprintf(figures->stop_reason, sizeof figures->stop_reason, "%s", stop_reason_names[progress->stop]);
  snprintf(figures->start, sizeof figures->start, "%s", rs_start_names[progress->start]);
  for (size_t r = 0; r < sampler->world->size; r++) {
    const struct clock_line *line = &sampler->lines[r];
    int64_t bound = line->first.bound_ns > line->last.bound_ns ? line->first.bound_ns : line->last.bound_ns;
    figures->sync_bound_ns = bound > figures->sync_bound_ns ? bound : figures->sync_bound_ns;
    figures->sync_error_ns =
        sampler->residuals[r] > figures->sync_error_ns ? sampler->residuals[r] : figures->sync_error_ns;
  }
  count_flags(sampler, progress, figures);
}

// The samples were converted by a guess of how the clocks would run on; now it is known.
void progress_settle(struct progress *progress, struct sampler *sampler, enum rs_verified verified,
                     struct rs_case_result *result) {
  const struct rs_case *point = progress->point;
  for (size_t i = 0; i < progress->rows; i++)
    progress_convert_row(sampler, i);
  progress_summarise(progress, sampler);
  flag_warm_up(sampler, progress);
  *result = (struct rs_case_result){.plan = point, .iterations = sampler->iterations, .samples = sampler->samples};
  fill_figures(sampler, point, progress, verified, &result->figures);
}
