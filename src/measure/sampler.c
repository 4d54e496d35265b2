// One case: warm-up, then batches of iterations until the median is known well enough or the time is spent. Rank 0
// decides between batches; inside a batch nothing is exchanged but the collective itself.
//
//   case:       sync clocks | warm-up, checked | batch | check | batch | check | ... | processor time | sync clocks
//   batch:      rank 0 announces starts by time: iteration i begins at first + i x period on the common clock
//   iteration:  wait for the start, entry time, collective (x repeat in streaming mode), exit time
//
// A rank that is already past a start marks the iteration, and it is not counted. Where that cannot be helped the case
// falls back to a barrier of our own before each iteration; the file says which was used.
//
// A check is an iteration of its own, with fresh input and poisoned output, whose every element is compared after its
// exit time. It meets other caches than its neighbours, so it is flagged and not counted. Batches have random lengths,
// so checks fall on random iterations.
#include "measure/sampler.h"

#include "measure/processor_time.h"
#include "measure/progress.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLOCK_READINGS 1000
#define INTERRUPT_LOOK_NS 10000000

const char *const rs_start_names[] = {"auto", "time", "barrier", NULL};

// ---- every rank -------------------------------------------------------------------------------------------

static void prepare_check(const struct operation *operation) {
  if (operation->pattern == NULL)
    return;
  rs_pattern_poison(operation->pattern, &operation->shape, operation->output->address);
  rs_pattern_fill(operation->pattern, &operation->shape, operation->input->address);
}

// Waits until the local clock shows `start`; false if it already did.
static bool wait_until(const struct sampler *sampler, int64_t start) {
  if (clock_now(sampler->clock) > start)
    return false;
  while (clock_now(sampler->clock) < start)
    if (sampler->yields)
      sched_yield();
  return true;
}

// The fault that run.late_by asks for.
static void be_late(const struct sampler *sampler) {
  const struct rs_config *config = sampler->config;
  if (config->late_ns > 0 && config->late_rank == sampler->world->rank)
    wait_until(sampler, clock_now(sampler->clock) + config->late_ns);
}

// Operations per iteration, and how much earlier than the others this rank begins.
struct part {
  uint32_t repeat;
  int64_t lead_ns;
};

static struct part part_of(const struct operation *operation, const struct announcement *batch) {
  switch (operation->role) {
  case CASE_CONGESTS:
    return (struct part){batch->congest_repeat, CONGESTOR_LEAD_NS};
  case CASE_IDLE:
    return (struct part){0, 0};
  case CASE_MEASURED:
    break;
  }
  return (struct part){batch->repeat, 0};
}

// Between two iterations, a while after the last look: an interrupt ends the run here. A launcher interrupts all ranks,
// and then rank 0 is to speak: the others give it the time to.
static enum rs_status heed_interrupt(struct sampler *sampler, int64_t now_ns, struct rs_error *error) {
  if (now_ns - sampler->heeded_ns < INTERRUPT_LOOK_NS)
    return RS_OK;
  sampler->heeded_ns = now_ns;
  const char *interrupt = rs_interrupt_take();
  if (interrupt == NULL)
    return RS_OK;
  if (sampler->world->rank != 0)
    usleep(RS_INTERRUPT_PATIENCE_NS / 1000);
  return rs_error_set(error, RS_ERROR_IO, "stopped by %s", interrupt);
}

static enum rs_status run_batch(struct sampler *sampler, const struct operation *operation,
                                const struct announcement *batch, struct rs_error *error) {
  struct part part = part_of(operation, batch);
  for (uint64_t i = 0; i < batch->iterations; i++) {
    struct own_sample *sample = &sampler->mine[i];
    if (operation->is_baseline)
      watchdog_watch(&sampler->watchdog, rs_clock_ns());
    sample->late = 0;
    if (batch->start == RS_START_TIME) {
      int64_t common = batch->first_ns + (int64_t)i * batch->period_ns - part.lead_ns;
      sample->late = !wait_until(sampler, clock_to_local(&sampler->line, common));
    } else if (start_barrier(sampler->world, error) < 0) {
      return error->status;
    } else if (batch->congest_repeat > 0) {
      wait_until(sampler, clock_now(sampler->clock) + CONGESTOR_LEAD_NS - part.lead_ns);
    }
    be_late(sampler);
    enum rs_status status = RS_OK;
    sample->entry_ns = clock_now(sampler->clock);
    for (uint32_t k = 0; k < part.repeat && status == RS_OK; k++)
      status = operation->run(operation->state, error);
    sample->exit_ns = clock_now(sampler->clock);
    if (status < 0 || heed_interrupt(sampler, sample->exit_ns, error) < 0)
      return error->status;
  }
  watchdog_watch(&sampler->watchdog, 0);
  return RS_OK;
}

static enum rs_status do_batch(struct sampler *sampler, const struct operation *operation,
                               const struct announcement *batch, struct rs_error *wrong, struct rs_error *error) {
  if (batch->check)
    prepare_check(operation);
  if (run_batch(sampler, operation, batch, error) < 0)
    return error->status;
  if (batch->check && operation->pattern && wrong->status == RS_OK)
    rs_pattern_check(operation->pattern, &operation->shape, operation->in_place, operation->output->address, wrong);
  return rs_world_gather(sampler->world, sampler->mine, batch->iterations * sizeof *sampler->mine, sampler->gathered, 0,
                         error);
}

// A new point on every rank's line; rank 0 gets all lines. The residual is by how far the old line missed it.
static enum rs_status sync_clocks(struct sampler *sampler, struct rs_error *error) {
  struct clock_point point;
  if (clock_sync(sampler->world, sampler->clock, sampler->machines, &point, error) < 0)
    return error->status;
  int64_t residual = llabs(clock_to_common(&sampler->line, point.local_ns) - (point.local_ns + point.offset_ns));
  sampler->line = (struct clock_line){sampler->line.last, point};
  if (rs_world_gather(sampler->world, &residual, sizeof residual, sampler->residuals, 0, error) < 0)
    return error->status;
  return rs_world_gather(sampler->world, &sampler->line, sizeof sampler->line, sampler->lines, 0, error);
}

static void name_case(const struct rs_case *point, struct rs_error *error) {
  char program[64];
  rs_error_prefix(error, "wrong result of case %u (%s by %s, %llu bytes of %s)", point->id,
                  point->benchmark == RS_BENCHMARK_REDUCE ? "reduction" : rs_collective_names[point->collective],
                  rs_case_program(point, program, sizeof program), (unsigned long long)point->size_bytes,
                  rs_datatype_names[point->datatype]);
}

enum rs_status sampler_measure(struct sampler *sampler, const struct rs_plan *plan, const struct rs_case *point,
                               const struct operation *operation, int64_t time_ns, struct rs_case_result *result,
                               struct rs_error *mismatch, struct rs_error *error) {
  struct rs_world *world = sampler->world;
  bool checks = operation->checks;
  sampler->measured = plan->measured;
  sampler->measured_count = plan->measured_count;
  sampler->others = plan->others;
  sampler->other_count = point->congestor == RS_CONGESTOR_NONE ? 0 : plan->other_count;
  struct rs_error wrong = {0}; // this rank's first wrong result
  struct progress progress;    // rank 0's, but for the batch that all ranks hear of
  progress_init(&progress, sampler, point, checks, time_ns);
  for (;;) {
    if (world->rank == 0)
      progress_plan(&progress, sampler);
    if (rs_world_broadcast(world, &progress.batch, sizeof progress.batch, 0, error) < 0)
      return error->status;
    if (progress.batch.iterations == 0)
      break;
    if (do_batch(sampler, operation, &progress.batch, &wrong, error) < 0)
      return error->status;
    if (world->rank == 0)
      progress_take(&progress, sampler);
  }
  double cpu_ns;
  if (operation->is_baseline) // it runs there too
    watchdog_watch(&sampler->watchdog, rs_clock_ns());
  if (processor_time_measure(world, point, operation, time_ns, &cpu_ns, error) < 0)
    return error->status;
  watchdog_watch(&sampler->watchdog, 0);
  bool failed = rs_world_agree(world, wrong.status, &wrong) < 0;
  if (failed && wrong.status != RS_ERROR_MISMATCH) {
    *error = wrong;
    return error->status;
  }
  if (failed && mismatch->status == RS_OK) {
    *mismatch = wrong;
    name_case(point, mismatch);
  }
  if (sync_clocks(sampler, error) < 0)
    return error->status;
  if (world->rank == 0) {
    progress_settle(&progress, sampler, failed ? RS_VERIFY_FAILED : checks ? RS_VERIFIED : RS_NOT_VERIFIED, result);
    result->figures.cpu_ns = cpu_ns;
  }
  return RS_OK;
}

// ---- opening ----------------------------------------------------------------------------------------------

// Bytes per row and rank on rank 0, without what belongs to the row alone.
#define ROW_RANK_BYTES (2 * sizeof(struct own_sample) + sizeof(struct rs_sample))
#define ROW_BYTES (sizeof(struct rs_iteration_row) + 3 * sizeof(double))

uint64_t sampler_memory(size_t max_iterations, size_t rank, size_t rank_count) {
  uint64_t own = max_iterations * sizeof(struct own_sample);
  return rank == 0 ? own + max_iterations * (rank_count * ROW_RANK_BYTES + ROW_BYTES) : own;
}

// Numbers machines in order of their lowest rank. Hosts that are namespaces of one machine share its kernel.
static void number_machines(const struct rs_placement *placement, uint32_t *machines) {
  uint32_t count = 0;
  for (size_t r = 0; r < placement->rank_count; r++) {
    const char *boot_id = placement->hosts[placement->ranks[r].host].boot_id;
    size_t same = 0;
    while (strcmp(placement->hosts[placement->ranks[same].host].boot_id, boot_id) != 0)
      same++;
    machines[r] = same < r ? machines[same] : count++;
  }
}

static double clock_cost(const struct clock_source *clock) {
  int64_t begin = clock_now(clock), end = begin;
  for (int i = 0; i < CLOCK_READINGS; i++)
    end = clock_now(clock);
  return (double)(end - begin) / CLOCK_READINGS;
}

static void *allocate_rows(struct sampler *sampler, size_t columns, size_t bytes, struct rs_error *error) {
  size_t count;
  if (!rs_multiply_size(sampler->max_iterations, columns, &count))
    count = SIZE_MAX;
  return rs_allocate(count, bytes, "samples", error);
}

static enum rs_status allocate(struct sampler *sampler, struct rs_error *error) {
  size_t size = sampler->world->size;
  sampler->machines = rs_allocate(size, sizeof *sampler->machines, "machines", error);
  sampler->mine = allocate_rows(sampler, 1, sizeof *sampler->mine, error);
  if (sampler->world->rank != 0)
    return error->status;
  sampler->lines = rs_allocate(size, sizeof *sampler->lines, "clocks of all ranks", error);
  sampler->residuals = rs_allocate(size, sizeof *sampler->residuals, "clocks of all ranks", error);
  sampler->iterations = allocate_rows(sampler, 1, sizeof *sampler->iterations, error);
  sampler->times = allocate_rows(sampler, 1, sizeof *sampler->times, error);
  sampler->scratch = allocate_rows(sampler, 2, sizeof *sampler->scratch, error);
  sampler->raw = allocate_rows(sampler, size, sizeof *sampler->raw, error);
  sampler->gathered = allocate_rows(sampler, size, sizeof *sampler->gathered, error);
  sampler->samples = allocate_rows(sampler, size, sizeof *sampler->samples, error);
  return error->status;
}

enum rs_status sampler_open(struct sampler *sampler, struct rs_world *world, const struct rs_config *config,
                            const struct rs_placement *placement, const struct clock_source *clock,
                            size_t max_iterations, struct rs_error *error) {
  *sampler = (struct sampler){.world = world,
                              .config = config,
                              .clock = clock,
                              .max_iterations = max_iterations,
                              .yields = rs_placement_oversubscribed(placement, world->rank),
                              .clock_cost_ns = clock_cost(clock)};
  if (rs_world_agree(world, allocate(sampler, error), error) < 0)
    return error->status;
  number_machines(placement, sampler->machines);
  if (sync_clocks(sampler, error) < 0)
    return error->status;
  sampler->line.first = sampler->line.last;
  sampler->origin_ns = clock_to_common(&sampler->line, clock_now(clock));
  return rs_world_broadcast(world, &sampler->origin_ns, sizeof sampler->origin_ns, 0, error);
}

void sampler_close(struct sampler *sampler) {
  free(sampler->machines);
  free(sampler->mine);
  free(sampler->lines);
  free(sampler->residuals);
  free(sampler->iterations);
  free(sampler->times);
  free(sampler->scratch);
  free(sampler->raw);
  free(sampler->gathered);
  free(sampler->samples);
}
