// The runner: opens what a plan needs, then measures its cases in random order.
#include "measure/links.h"
#include "measure/operation.h"
#include "measure/pair_rows.h"
#include "measure/sampler.h"

#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)256 << 20)
#define ITERATIONS_DEFAULT 10000
#define DEVICE_COUNTERS_MAX 64

struct rs_runner {
  struct rs_runner_params params;
  enum rs_wait wait;
  struct links links;
  struct case_setup setup;
  struct rs_buffer input, output, other; // other: the second operand of a kernel
  struct rs_pair_row *pair_rows;
  struct sampler sampler;
  uint32_t *order; // the cases as they are run
};

// ---- what a plan needs ------------------------------------------------------------------------------------

size_t rs_runner_max_iterations(const struct rs_config *config, const struct rs_plan *plan, size_t rank_count) {
  // The first check, warm-up, two batches at the least with a check after each.
  size_t least = config->warm_up + 2 * config->min_iterations + 8;
  if (config->max_iterations)
    return rs_max_size(config->max_iterations, least);
  size_t row = sizeof(struct rs_iteration_row) + rank_count * sizeof(struct rs_sample);
  return rs_max_size(rs_min_size(FILE_BYTES_MAX / row / plan->case_count, ITERATIONS_DEFAULT), least);
}

static bool has_benchmark(const struct rs_plan *plan, enum rs_benchmark benchmark) {
  for (size_t i = 0; i < plan->case_count; i++)
    if (plan->cases[i].benchmark == benchmark)
      return true;
  return false;
}

static bool has_baseline(const struct rs_plan *plan) {
  for (size_t i = 0; i < plan->case_count; i++)
    if (plan->cases[i].baseline)
      return true;
  return false;
}

static uint64_t other_bytes(const struct rs_plan *plan) {
  return has_benchmark(plan, RS_BENCHMARK_REDUCE) ? plan->input_max : 0;
}

enum rs_status rs_runner_memory(const struct rs_config *config, const struct rs_plan *plan, size_t rank,
                                uint64_t *bytes, struct rs_error *error) {
  struct case_setup setup;
  if (case_setup_init(&setup, config, plan, error) < 0) {
    case_setup_fini(&setup);
    return error->status;
  }
  uint64_t executor_most = 0;
  for (size_t i = 0; i < plan->case_count; i++) {
    case_setup_take(&setup, &plan->cases[i], (uint32_t)rank);
    if (setup.algorithm == NULL)
      continue;
    struct rs_executor_params params = operation_executor_params(config, &plan->cases[i], &setup);
    executor_most = rs_max_size(executor_most, rs_executor_memory(&params));
  }
  case_setup_fini(&setup);
  uint64_t samples = sampler_memory(rs_runner_max_iterations(config, plan, plan->rank_count), rank, plan->rank_count);
  *bytes = plan->input_max + plan->output_max + other_bytes(plan) + executor_most + samples;
  return RS_OK;
}

// ---- opening ----------------------------------------------------------------------------------------------

static void shuffle(uint32_t *order, size_t count, uint64_t seed) {
  struct rs_random random = {seed};
  for (size_t i = 0; i < count; i++)
    order[i] = (uint32_t)i;
  for (size_t i = count; i > 1; i--) {
    size_t j = rs_random_below(&random, i);
    uint32_t swap = order[i - 1];
    order[i - 1] = order[j];
    order[j] = swap;
  }
}

static enum rs_status open_local(struct rs_runner *runner, struct rs_error *error) {
  const struct rs_runner_params *params = &runner->params;
  enum rs_memory_kind kind = (enum rs_memory_kind)params->config->memory_kind;
  runner->order = rs_allocate(params->plan->case_count, sizeof *runner->order, "the order of cases", error);
  runner->pair_rows = rs_allocate(params->world->size, sizeof *runner->pair_rows, "pairs", error);
  if (error->status < 0)
    return error->status;
  shuffle(runner->order, params->plan->case_count, params->config->seed);
  if (case_setup_init(&runner->setup, params->config, params->plan, error) < 0 ||
      links_init(&runner->links, params, &runner->setup, error) < 0 ||
      rs_buffer_open(kind, params->plan->input_max, &runner->input, error) < 0 ||
      rs_buffer_open(kind, params->plan->output_max, &runner->output, error) < 0 ||
      rs_buffer_open(kind, other_bytes(params->plan), &runner->other, error) < 0)
    return error->status;
  return RS_OK;
}

const struct rs_link_row *rs_runner_links(const struct rs_runner *runner, size_t *count) {
  *count = runner->links.row_count;
  return runner->links.rows;
}

static enum rs_status open_all(struct rs_runner *runner, struct rs_error *error) {
  const struct rs_runner_params *params = &runner->params;
  if (rs_world_agree(params->world, open_local(runner, error), error) < 0 || links_open(&runner->links, error) < 0)
    return error->status;
  size_t rows = rs_runner_max_iterations(params->config, params->plan, params->world->size);
  if (sampler_open(&runner->sampler, params->world, params->config, params->placement, &clock_source_monotonic, rows,
                   error) < 0)
    return error->status;
  const struct sampler *sampler = &runner->sampler;
  return params->config->probe ? links_probe(&runner->links, sampler->clock, &sampler->line, error) : RS_OK;
}

enum rs_status rs_runner_open(const struct rs_runner_params *params, struct rs_runner **runner,
                              struct rs_error *error) {
  struct rs_runner *opened = rs_allocate(1, sizeof *opened, "the runner", error);
  if (rs_world_agree(params->world, opened ? RS_OK : error->status, error) < 0) {
    free(opened);
    return error->status;
  }
  opened->params = *params;
  opened->wait = (enum rs_wait)params->config->wait;
  if (opened->wait == RS_WAIT_AUTO)
    opened->wait = rs_placement_oversubscribed(params->placement, params->world->rank) ? RS_WAIT_SLEEP : RS_WAIT_SPIN;
  if (open_all(opened, error) < 0) {
    rs_runner_close(opened);
    return error->status;
  }
  *runner = opened;
  return RS_OK;
}

void rs_runner_close(struct rs_runner *runner) {
  if (runner == NULL)
    return;
  links_fini(&runner->links);
  sampler_close(&runner->sampler);
  rs_buffer_close(&runner->input);
  rs_buffer_close(&runner->output);
  rs_buffer_close(&runner->other);
  case_setup_fini(&runner->setup);
  free(runner->pair_rows);
  free(runner->order);
  free(runner);
}

size_t rs_runner_devices(const struct rs_runner *runner, struct rs_device_row *rows, size_t max) {
  size_t count = 0;
  for (size_t i = 0; i < runner->links.count && count < max; i++) {
    const struct rs_device *device = runner->links.items[i].device;
    if (device == NULL)
      continue;
    struct rs_device_facts facts = {.numa_node = -1};
    device->transport->facts(device, &facts);
    struct rs_device_row *row = &rows[count++];
    *row = (struct rs_device_row){.rank = (uint32_t)runner->params.world->rank,
                                  .speed_mbit = facts.speed_mbit,
                                  .mtu = facts.mtu,
                                  .port = facts.port,
                                  .numa_node = facts.numa_node};
    snprintf(row->transport, sizeof row->transport, "%s", device->transport->name);
    snprintf(row->interface, sizeof row->interface, "%s", facts.interface);
    snprintf(row->address, sizeof row->address, "%s", facts.address);
    snprintf(row->driver, sizeof row->driver, "%s", facts.driver);
    snprintf(row->congestion, sizeof row->congestion, "%s", facts.congestion);
    snprintf(row->firmware, sizeof row->firmware, "%s", facts.firmware);
    snprintf(row->gid, sizeof row->gid, "%s", facts.gid);
    snprintf(row->pci, sizeof row->pci, "%s", facts.pci);
  }
  return count;
}

// Of all devices of a transport together; they count the same.
static size_t count_all(const struct links *links, size_t transport, struct rs_device_counter *counters, size_t max) {
  struct rs_device_counter rail[DEVICE_COUNTERS_MAX];
  size_t count = 0;
  for (size_t i = 0; i < links->count; i++) {
    const struct rs_device *device = links->items[i].device;
    if (links->items[i].transport != transport || device == NULL || device->transport->counters == NULL)
      continue;
    size_t counted = device->transport->counters(device, rail, rs_min_size(max, RS_ARRAY_LENGTH(rail)));
    for (size_t c = 0; c < counted; c++) {
      int64_t before = c < count ? counters[c].value : 0;
      counters[c] = rail[c];
      counters[c].value += before;
    }
    count = counted;
  }
  return count;
}

enum rs_status rs_runner_counters(const struct rs_runner *runner, struct rs_counters *counters,
                                  struct rs_error *error) {
  struct rs_device_counter counted[DEVICE_COUNTERS_MAX];
  for (size_t i = 0; i < rs_transport_count; i++) {
    size_t count = count_all(&runner->links, i, counted, RS_ARRAY_LENGTH(counted));
    for (size_t c = 0; c < count; c++) {
      char name[sizeof counters->items->name];
      snprintf(name, sizeof name, "%.14s.%.47s", rs_transports[i]->name, counted[c].name);
      if (rs_counters_add(counters, RS_COUNTER_RANK, name, counted[c].value, error) < 0)
        return error->status;
    }
  }
  return RS_OK;
}

// ---- running ----------------------------------------------------------------------------------------------

// An emulated device's ranks mostly wait for its clock, and it spins by itself for the last bit of that: ranks that
// spin all the time would take the cores from those whose time has come.
static enum rs_wait wait_for(const struct rs_runner *runner, const struct rs_route *route) {
  struct rs_limits limits = {0};
  if (runner->params.config->wait == RS_WAIT_AUTO && route)
    rs_route_limits(route, &limits);
  return limits.emulated ? RS_WAIT_SLEEP : runner->wait;
}

static enum rs_status run_case(struct rs_runner *runner, const struct rs_case *point, int64_t time_ns,
                               const struct rs_sink *sink, struct rs_error *mismatch, struct rs_error *error) {
  struct rs_world *world = runner->params.world;
  const struct rs_plan *plan = runner->params.plan;
  struct operation operation = {0};
  struct rs_case_result result;
  case_setup_take(&runner->setup, point, (uint32_t)world->rank);
  const struct rs_route *route = links_route(&runner->links, point);
  struct operation_params params = {
      .world = world,
      .config = runner->params.config,
      .point = point,
      .setup = &runner->setup,
      .route = route,
      .wait = wait_for(runner, route),
      .input = &runner->input,
      .output = &runner->output,
      .other = &runner->other,
  };
  enum rs_status status = rs_world_agree(world, operation_open(&params, &operation, error), error);
  if (status == RS_OK)
    status = sampler_measure(&runner->sampler, plan, point, &operation, time_ns, &result, mismatch, error);
  if (status == RS_OK && world->rank == 0) {
    result.figures.slowdown = 1;
    if (route) {
      struct rs_limits limits;
      rs_route_limits(route, &limits);
      result.figures.emulated = limits.emulated;
      result.figures.slowdown = limits.slowdown;
    }
    result.pairs = runner->pair_rows;
    result.pair_count = rs_case_pairs(runner->params.config, plan, point, runner->pair_rows);
    pair_rows_measure(&runner->sampler, &result, runner->pair_rows);
    status = sink->case_finished(sink->state, &result, error);
  }
  operation_close(&operation);
  return status;
}

double rs_runner_clock_cost(const struct rs_runner *runner) {
  return runner->sampler.clock_cost_ns;
}

// Rank 0's sampling time for the next case: an even share of what is left of the budget, so that cases that are known
// well enough early leave their time to those that are not.
static int64_t share_of(const struct rs_config *config, int64_t since_ns, size_t cases_left) {
  if (config->budget_ns == 0)
    return config->case_time_ns;
  int64_t left = config->budget_ns - (rs_clock_ns() - since_ns);
  return left > 0 ? left / (int64_t)cases_left : 0;
}

static double seconds_left(const struct rs_config *config, int64_t since_ns, size_t done, size_t total) {
  double spent = (double)(rs_clock_ns() - since_ns) / 1e9;
  if (config->budget_ns > 0 && spent * 1e9 < (double)config->budget_ns)
    return (double)config->budget_ns / 1e9 - spent;
  return done ? spent / (double)done * (double)(total - done) : -1;
}

enum rs_status rs_runner_run(struct rs_runner *runner, const struct rs_sink *sink, struct rs_error *error) {
  const struct rs_plan *plan = runner->params.plan;
  const struct rs_config *config = runner->params.config;
  struct rs_error mismatch = {0};
  int64_t since = rs_clock_ns();
  struct watchdog *watchdog = &runner->sampler.watchdog;
  watchdog->timeout_ns = 2 * config->timeout_ns; // as long as the world waits for ranks
  watchdog->stuck = sink->stuck;
  watchdog->state = sink->state;
  if (has_baseline(plan) && watchdog_open(watchdog, error) < 0)
    return error->status;
  for (size_t i = 0; i < plan->case_count; i++) {
    const struct rs_case *point = &plan->cases[runner->order[i]];
    if (runner->params.world->rank == 0)
      sink->progress(sink->state, i, plan->case_count, seconds_left(config, since, i, plan->case_count), point);
    enum rs_status status =
        run_case(runner, point, share_of(config, since, plan->case_count - i), sink, &mismatch, error);
    if (status < 0) {
      watchdog_close(watchdog);
      return status;
    }
  }
  watchdog_close(watchdog);
  if (mismatch.status < 0)
    *error = mismatch;
  return mismatch.status;
}
