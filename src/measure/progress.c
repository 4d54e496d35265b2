// What comes next in a case, batch by batch.
#include "measure/progress.h"

#include <math.h>
#include <string.h>

// A streaming sample lasts about this long, so that start and clock weigh nothing.
#define STREAMING_SAMPLE_NS 5e6
#define STREAMING_BATCH_MAX 1000
// Starts that can be waited for without a batch growing too long to decide in between.
#define BATCH_MAX 1000

void progress_init(struct progress *progress, const struct sampler *sampler, const struct rs_case *point, bool checks,
                   int64_t time_ns) {
  *progress = (struct progress){
      .point = point,
      .checks = checks,
      .random = {rs_hash64(sampler->config->seed) + point->id},
      .start = sampler->config->start == RS_START_BARRIER ? RS_START_BARRIER : RS_START_TIME,
      .time_ns = time_ns,
      .repeat = 1,
      .congest_repeat = point->congestor != RS_CONGESTOR_NONE,
  };
  start_pace_init(&progress->pace, sampler->yields);
}

// Puts the gathered batch behind the rows so far and flags them; returns how many came too late.
static size_t append(struct sampler *sampler, struct progress *progress, bool *first_late) {
  size_t size = sampler->world->size, late_rows = 0;
  const struct announcement *batch = &progress->batch;
  for (size_t i = 0; i < batch->iterations; i++) {
    int64_t late = 0;
    for (size_t r = 0; r < size; r++) {
      const struct own_sample *sample = &sampler->gathered[r * batch->iterations + i];
      sampler->raw[progress->rows * size + r] = *sample;
      late |= sample->late;
    }
    progress_convert_row(sampler, progress->rows);
    uint32_t flags = batch->flags | (batch->check ? RS_ITERATION_VERIFIED : 0u) |
                     (late ? RS_ITERATION_INVALID_START : 0u) |
                     (progress_row_covered(sampler, progress->rows) ? 0u : RS_ITERATION_UNCOVERED);
    sampler->iterations[progress->rows++] = (struct rs_iteration_row){.case_id = progress->point->id, .flags = flags};
    late_rows += late != 0;
    if (i == 0)
      *first_late = late != 0;
  }
  return late_rows;
}

// As much traffic as covers nearly all iterations, from what the last batch says; twice that while many are uncovered.
static void adapt_congestors(struct sampler *sampler, struct progress *progress) {
  size_t count = progress->batch.iterations, size = sampler->world->size, uncovered = 0;
  int64_t fastest = INT64_MAX;
  if (sampler->other_count == 0)
    return;
  for (size_t i = 0; i < count; i++) {
    size_t row = progress->rows - count + i;
    sampler->scratch[i] = (double)progress_row_span(sampler, row);
    uncovered += !progress_row_covered(sampler, row);
    for (size_t o = 0; o < sampler->other_count; o++) {
      const struct rs_sample *sample = &sampler->samples[row * size + sampler->others[o]];
      int64_t took = sample->exit_ns - sample->entry_ns;
      fastest = took < fastest ? took : fastest;
    }
  }
  rs_stats_sort(sampler->scratch, count);
  int64_t needed = (int64_t)rs_stats_quantile(sampler->scratch, count, 0.95) + CONGESTOR_LEAD_NS;
  bool short_of_it = uncovered > count / 10;
  progress->congest_repeat = congestor_repeat(progress->batch.congest_repeat, fastest, needed * (short_of_it ? 2 : 1));
}

// ---- what comes next --------------------------------------------------------------------------------------

// How long nearly all iterations of the last batch took.
static int64_t busy_time(struct sampler *sampler, const struct progress *progress) {
  size_t count = progress->batch.iterations;
  for (size_t i = 0; i < count; i++)
    sampler->scratch[i] = (double)progress_row_busy(sampler, progress->rows - count + i);
  rs_stats_sort(sampler->scratch, count);
  return (int64_t)rs_stats_quantile(sampler->scratch, count, 0.95);
}

static enum stop_reason decide(const struct sampler *sampler, const struct progress *progress) {
  const struct rs_config *config = sampler->config;
  const struct rs_summary *summary = &progress->summary;
  // Two rows stay free: another batch of one, and the last check.
  if (progress->rows + 3 > sampler->max_iterations)
    return STOP_MAX_ITERATIONS;
  if (progress->valid >= config->min_iterations) {
    if (summary->ci_high - summary->ci_low <= config->interval_width * summary->median)
      return STOP_INTERVAL;
    if (rs_clock_ns() - progress->started_ns >= progress->time_ns)
      return STOP_TIME;
  }
  // Ranks may be late for ever: then there is no value, but an end.
  bool hopeless = progress->valid < config->min_iterations &&
                  rs_clock_ns() - progress->started_ns >= progress->time_ns + sampler->config->timeout_ns;
  return hopeless ? STOP_TIME : STOP_NOT;
}

// How many iterations to run before looking again: about half as many as there are, within time and room.
static uint64_t next_iterations(const struct sampler *sampler, struct progress *progress) {
  const struct rs_config *config = sampler->config;
  size_t room = sampler->max_iterations - progress->rows - 2;
  size_t wanted = config->min_iterations + 1;
  if (progress->valid >= config->min_iterations) {
    double left = (double)(progress->time_ns - (rs_clock_ns() - progress->started_ns));
    double each = fmax((double)progress->pace.period_ns, progress->summary.median * progress->repeat);
    wanted = progress->valid / 2;
    wanted = rs_min_size(wanted, (size_t)fmin(fmax(left, 0) / fmax(each, 1), BATCH_MAX) + 1);
    wanted = wanted / 2 + rs_random_below(&progress->random, wanted / 2 + 1) + 1;
  } else if (progress->valid > 0) {
    wanted -= progress->valid;
  }
  return rs_min_size(rs_min_size(wanted, BATCH_MAX), rs_max_size(room, 1));
}

static void announce(const struct sampler *sampler, struct progress *progress) {
  struct announcement *batch = &progress->batch;
  bool by_time = progress->start == RS_START_TIME && progress->pace.period_ns > 0 && !batch->check;
  batch->start = by_time ? RS_START_TIME : RS_START_BARRIER;
  batch->congest_repeat = progress->congest_repeat;
  batch->period_ns = progress->pace.period_ns;
  batch->first_ns = clock_to_common(&sampler->line, clock_now(sampler->clock)) + progress->pace.lead_ns;
}

void progress_plan(struct progress *progress, struct sampler *sampler) {
  const struct rs_case *point = progress->point;
  struct announcement *batch = &progress->batch;
  if (progress->rows == 0) {
    *batch =
        (struct announcement){.iterations = 1, .flags = RS_ITERATION_WARM_UP, .repeat = 1, .check = progress->checks};
  } else if (progress->rows == 1) {
    *batch = (struct announcement){
        .iterations = sampler->config->warm_up, .flags = RS_ITERATION_WARM_UP, .repeat = 1, .check = 0};
  } else {
    if (progress->started_ns == 0) {
      progress->started_ns = rs_clock_ns();
      double once = fmax((double)progress_row_span(sampler, progress->rows - 1), 1);
      if (point->mode == RS_MODE_STREAMING)
        progress->repeat = (uint32_t)fmin(fmax(STREAMING_SAMPLE_NS / once, 1), STREAMING_BATCH_MAX);
      start_pace_adapt(&progress->pace, 1, 0, false, (int64_t)once * progress->repeat);
    } else if (!progress->check_due) {
      progress_summarise(progress, sampler);
      progress->stop = decide(sampler, progress);
    }
    if (progress->check_due)
      *batch = (struct announcement){.iterations = 1, .repeat = point->in_place ? 1 : progress->repeat, .check = 1};
    else if (progress->stop == STOP_NOT)
      *batch = (struct announcement){.iterations = next_iterations(sampler, progress), .repeat = progress->repeat};
    else
      *batch = (struct announcement){.iterations = 0};
    progress->check_due = progress->checks && !batch->check && batch->iterations > 0;
  }
  announce(sampler, progress);
}

void progress_take(struct progress *progress, struct sampler *sampler) {
  bool first_late = false;
  const struct announcement *batch = &progress->batch;
  size_t late = append(sampler, progress, &first_late);
  adapt_congestors(sampler, progress);
  if (batch->start != RS_START_TIME)
    return;
  start_pace_adapt(&progress->pace, batch->iterations, late, first_late, busy_time(sampler, progress));
  if (sampler->config->start == RS_START_AUTO && start_pace_failed(&progress->pace))
    progress->start = RS_START_BARRIER;
}
