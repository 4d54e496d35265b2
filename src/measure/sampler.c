// One case: warm-up, then batches of iterations until the median is known well enough or the time is spent. Rank 0
// decides between batches; inside a batch nothing is exchanged but the start signal and the collective itself.
//
//   batch:     | check | iteration | iteration | ... |   gather, decide   | next batch
//   iteration: start signal, entry time, collective (x batch in streaming mode), exit time
//
// In every batch one iteration, drawn from the seed, is checked: fresh input, poisoned output, and every element
// compared after its exit time. Such an iteration starts with other caches than its neighbours, so it is flagged and
// not counted. The very first and the very last iteration of a case are checked as well.
#include "measure/sampler.h"

#include "ringside/stats.h"

#include <math.h>
#include <string.h>

// A streaming sample lasts about this long, so that the start signal and the clock weigh nothing.
#define STREAMING_SAMPLE_NS 5e6
#define STREAMING_BATCH_MAX 1000

enum stop_reason { STOP_NOT, STOP_INTERVAL, STOP_TIME, STOP_MAX_ITERATIONS };
static const char *const stop_reason_names[] = {"", "interval", "time", "max_iterations"};

// What rank 0 tells everybody before a batch.
struct order_of_batch {
  uint64_t iterations; // 0: the case is over
  uint64_t checked;    // index of the checked iteration within the batch; UINT64_MAX: none
  uint32_t flags;      // of every row of the batch
  uint32_t repeat;     // operations per iteration
};

struct progress {
  struct order_of_batch order;
  struct rs_random random; // rank 0
  int64_t started_ns;
  size_t rows, valid;
  enum stop_reason stop;
  struct rs_summary summary;
  bool warm, last;
  uint32_t repeat;
  struct rs_error wrong; // this rank's first wrong result
};

static void prepare_check(const struct operation *operation) {
  if (operation->output != operation->input)
    rs_pattern_poison(operation->pattern, operation->output->address, operation->count);
  rs_pattern_fill(operation->pattern, operation->input->address, operation->count);
}

static enum rs_status iterate(struct sampler *sampler, const struct operation *operation, uint32_t repeat,
                              struct rs_sample *sample, struct rs_error *error) {
  enum rs_status status = rs_world_barrier(sampler->world, error);
  if (status < 0)
    return status;
  int64_t entry = rs_clock_ns();
  for (uint32_t i = 0; i < repeat && status == RS_OK; i++)
    status = operation->run(operation->state, error);
  int64_t exit = rs_clock_ns();
  *sample = (struct rs_sample){entry - sampler->origin_ns, exit - sampler->origin_ns};
  return status;
}

static enum rs_status run_batch(struct sampler *sampler, const struct operation *operation, struct progress *progress,
                                struct rs_error *error) {
  for (uint64_t i = 0; i < progress->order.iterations; i++) {
    bool checked = operation->pattern != NULL && i == progress->order.checked;
    // In place, a result can only be checked after one operation.
    uint32_t repeat = checked && operation->input == operation->output ? 1 : progress->order.repeat;
    if (checked)
      prepare_check(operation);
    enum rs_status status = iterate(sampler, operation, repeat, &sampler->mine[i], error);
    if (status < 0)
      return status;
    if (checked && progress->wrong.status == RS_OK)
      rs_pattern_check(operation->pattern, operation->output->address, operation->count, &progress->wrong);
  }
  return RS_OK;
}

// The time of one operation in a row: last exit - first entry on a common clock, else the longest local duration.
static double row_time(const struct sampler *sampler, const struct rs_sample *row, uint32_t repeat) {
  int64_t entry = row[0].entry_ns, exit = row[0].exit_ns, longest = 0;
  for (size_t r = 0; r < sampler->world->size; r++) {
    int64_t duration = row[r].exit_ns - row[r].entry_ns;
    entry = row[r].entry_ns < entry ? row[r].entry_ns : entry;
    exit = row[r].exit_ns > exit ? row[r].exit_ns : exit;
    longest = duration > longest ? duration : longest;
  }
  return (double)(sampler->common_clock ? exit - entry : longest) / repeat;
}

// Rank 0: puts a gathered batch (rank-major) behind the rows so far (iteration-major) and flags them.
static void append(struct sampler *sampler, const struct rs_case *point, struct progress *progress) {
  size_t size = sampler->world->size;
  const struct order_of_batch *order = &progress->order;
  for (size_t i = 0; i < order->iterations; i++) {
    struct rs_sample *row = &sampler->samples[progress->rows * size];
    for (size_t r = 0; r < size; r++)
      row[r] = sampler->gathered[r * order->iterations + i];
    uint32_t flags = order->flags | (i == order->checked ? RS_ITERATION_VERIFIED : 0u);
    sampler->iterations[progress->rows++] = (struct rs_iteration_row){.case_id = point->id, .flags = flags};
  }
}

static void summarise(struct sampler *sampler, struct progress *progress) {
  progress->valid = 0;
  for (size_t i = 0; i < progress->rows; i++)
    if (sampler->iterations[i].flags == 0)
      sampler->times[progress->valid++] =
          row_time(sampler, &sampler->samples[i * sampler->world->size], progress->repeat);
  progress->summary = rs_stats_summarise(sampler->times, progress->valid);
}

// Rank 0: how many operations make one streaming sample, from the last warm-up row.
static uint32_t streaming_repeat(const struct sampler *sampler, const struct progress *progress) {
  double ns = row_time(sampler, &sampler->samples[(progress->rows - 1) * sampler->world->size], 1);
  return (uint32_t)fmin(fmax(STREAMING_SAMPLE_NS / fmax(ns, 1), 1), STREAMING_BATCH_MAX);
}

static enum stop_reason decide(const struct sampler *sampler, const struct progress *progress) {
  const struct rs_config *config = sampler->config;
  const struct rs_summary *summary = &progress->summary;
  if (progress->valid < config->min_iterations)
    return STOP_NOT;
  if (summary->ci_high - summary->ci_low <= config->interval_width * summary->median)
    return STOP_INTERVAL;
  if (rs_clock_ns() - progress->started_ns >= config->case_time_ns)
    return STOP_TIME;
  // One row stays free for the last check.
  if (progress->rows + 2 > sampler->max_iterations)
    return STOP_MAX_ITERATIONS;
  return STOP_NOT;
}

// Rank 0: how many iterations to run before looking again: half as many as there are, within time and room.
static uint64_t next_iterations(const struct sampler *sampler, const struct progress *progress) {
  const struct rs_config *config = sampler->config;
  size_t room = sampler->max_iterations - progress->rows - 1;
  size_t wanted = config->min_iterations + 1 - rs_min_size(progress->valid, config->min_iterations);
  if (progress->valid >= config->min_iterations) {
    double left = (double)(config->case_time_ns - (rs_clock_ns() - progress->started_ns));
    double fits = fmax(left, 0) / fmax(progress->summary.median * progress->repeat, 1);
    wanted = rs_min_size(rs_max_size(progress->valid / 2, 1), (size_t)fmin(fits, 1e9) + 1);
  }
  return rs_min_size(rs_max_size(wanted, 1), rs_max_size(room, 1));
}

// Rank 0: what comes next.
static void plan_batch(struct sampler *sampler, const struct rs_case *point, bool checks, struct progress *progress) {
  struct order_of_batch *order = &progress->order;
  if (progress->rows == 0) {
    *order = (struct order_of_batch){
        .iterations = rs_max_size(sampler->config->warm_up, 1), .flags = RS_ITERATION_WARM_UP, .repeat = 1};
    return;
  }
  if (!progress->warm) {
    progress->warm = true;
    progress->started_ns = rs_clock_ns();
    progress->repeat = point->mode == RS_MODE_STREAMING ? streaming_repeat(sampler, progress) : 1;
  } else {
    summarise(sampler, progress);
    progress->stop = decide(sampler, progress);
  }
  if (progress->stop == STOP_NOT) {
    *order = (struct order_of_batch){.iterations = next_iterations(sampler, progress), .repeat = progress->repeat};
    order->checked = checks ? rs_random_below(&progress->random, order->iterations) : UINT64_MAX;
  } else {
    *order = (struct order_of_batch){.iterations = checks && !progress->last, .repeat = progress->repeat};
    progress->last = true;
  }
}

static void fill_figures(const struct sampler *sampler, const struct rs_case *point, const struct progress *progress,
                         bool checks, bool wrong, struct rs_case_row *figures) {
  const struct rs_summary *summary = &progress->summary;
  *figures = (struct rs_case_row){
      .iterations = (uint32_t)progress->rows,
      .batch = progress->repeat,
      .verified = (int8_t)(wrong    ? RS_VERIFY_FAILED
                           : checks ? RS_VERIFIED
                                    : RS_NOT_VERIFIED),
      .sync_error_ns = sampler->common_clock ? 0 : -1,
      .median_ns = summary->median,
      .ci_low_ns = summary->ci_low,
      .ci_high_ns = summary->ci_high,
      .min_ns = summary->minimum,
      .max_ns = summary->maximum,
      .p95_ns = summary->p95,
      .p99_ns = summary->p99,
      .algbw_gb_s = (double)point->size_bytes / summary->median,
  };
  figures->busbw_gb_s = figures->algbw_gb_s * rs_busbw_factor(point->collective, sampler->world->size);
  snprintf(figures->stop_reason, sizeof figures->stop_reason, "%s", stop_reason_names[progress->stop]);
}

enum rs_status sampler_measure(struct sampler *sampler, const struct rs_case *point, const struct operation *operation,
                               struct rs_case_result *result, struct rs_error *mismatch, struct rs_error *error) {
  struct rs_world *world = sampler->world;
  bool checks = operation->pattern != NULL;
  struct progress progress = {.random = {rs_hash64(sampler->config->seed) + point->id}, .repeat = 1};
  for (;;) {
    if (world->rank == 0)
      plan_batch(sampler, point, checks, &progress);
    if (rs_world_broadcast(world, &progress.order, sizeof progress.order, 0, error) < 0)
      return error->status;
    if (progress.order.iterations == 0)
      break;
    if (run_batch(sampler, operation, &progress, error) < 0)
      return error->status;
    size_t bytes = progress.order.iterations * sizeof *sampler->mine;
    if (rs_world_gather(world, sampler->mine, bytes, sampler->gathered, 0, error) < 0)
      return error->status;
    if (world->rank == 0)
      append(sampler, point, &progress);
  }
  bool wrong = rs_world_agree(world, progress.wrong.status, &progress.wrong) < 0;
  if (wrong && progress.wrong.status != RS_ERROR_MISMATCH) {
    *error = progress.wrong;
    return error->status;
  }
  if (wrong && mismatch->status == RS_OK) {
    *mismatch = progress.wrong;
    rs_error_prefix(mismatch, "wrong result of case %u (%s%s%s, %llu bytes of %s)", point->id,
                    point->algorithm ? point->algorithm->name : point->baseline->name, point->transport ? "/" : "",
                    point->transport ? point->transport->name : "", (unsigned long long)point->size_bytes,
                    rs_datatype_names[point->datatype]);
  }
  if (world->rank == 0) {
    *result = (struct rs_case_result){.plan = point, .iterations = sampler->iterations, .samples = sampler->samples};
    fill_figures(sampler, point, &progress, checks, wrong, &result->figures);
  }
  return RS_OK;
}
