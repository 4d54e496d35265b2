// The runner: opens what a plan needs, then measures its cases in random order.
#include "measure/link_probe.h"
#include "measure/operation.h"
#include "measure/pair_rows.h"
#include "measure/sampler.h"
#include "measure/transport_choice.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES_MAX ((size_t)256 << 20)
#define ITERATIONS_DEFAULT 10000
#define CONNECT_PAUSE_US 200
#define DEVICE_COUNTERS_MAX 64

// One opened transport and the route over it.
struct link {
  struct rs_device *device;
  struct rs_route route;
};

struct rs_runner {
  struct rs_runner_params params;
  enum rs_wait wait;
  struct link *links; // per rs_transports row; device NULL: not in the plan
  struct case_setup setup;
  struct rs_buffer input, output, other; // other: the second operand of a kernel
  struct rs_pair_row *pair_rows;
  struct sampler sampler;
  uint32_t *order; // the cases as they are run
  struct rs_link_row *link_rows;
  size_t link_row_count;
  // For connecting: of all ranks. Here, since a rank that finds no memory between collective calls would fail alone.
  uint8_t *addresses;
  bool *peers;
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

static bool same_schedule(const struct rs_case *a, const struct rs_case *b) {
  return a->algorithm == b->algorithm && a->root == b->root && a->round == b->round && a->congestor == b->congestor;
}

// The peers of this rank in every case that uses a transport.
static void find_peers(struct rs_runner *runner, const struct rs_transport *transport, bool *peers) {
  memset(peers, 0, runner->params.world->size * sizeof *peers);
  const struct rs_plan *plan = runner->params.plan;
  struct case_setup *setup = &runner->setup;
  const struct rs_case *last = NULL;
  for (size_t i = 0; i < plan->case_count; i++) {
    const struct rs_case *point = &plan->cases[i];
    if (point->transport != transport || (last && same_schedule(point, last)))
      continue;
    last = point;
    case_setup_take(setup, point, (uint32_t)runner->params.world->rank);
    if (setup->algorithm)
      rs_schedule_peers(setup->algorithm, &setup->shape.schedule, setup->shape.rank, setup->role_members, peers);
  }
}

static enum rs_status connect_all(struct rs_runner *runner, struct rs_device *device, struct rs_error *error) {
  struct rs_world *world = runner->params.world;
  uint8_t mine[RS_ADDRESS_BYTES_MAX] = {0};
  find_peers(runner, device->transport, runner->peers);
  device->transport->address(device, mine);
  enum rs_status status = rs_world_allgather(world, mine, sizeof mine, runner->addresses, error);
  if (status < 0)
    return status;
  const char *interrupt = NULL;
  while ((status = device->transport->connect(device, runner->addresses, runner->peers, error)) == RS_IN_PROGRESS &&
         (interrupt = rs_interrupt_take()) == NULL)
    usleep(CONNECT_PAUSE_US);
  if (interrupt)
    status = rs_error_set(error, RS_ERROR_IO, "%s came while ranks were connecting by %s", interrupt,
                          device->transport->name);
  return status;
}

static enum rs_status open_device(struct rs_runner *runner, size_t index, const uint8_t *token,
                                  struct rs_error *error) {
  const struct rs_runner_params *params = &runner->params;
  struct link *link = &runner->links[index];
  struct rs_transport_params open = transport_params_of(params, index, params->plan->lanes_max, token);
  enum rs_status status = rs_transports[index]->open(&open, &link->device, error);
  link->route = (struct rs_route){
      .rank_count = open.rank_count, .lanes = open.lanes, .devices = &link->device, .device_count = 1};
  return status;
}

static bool planned(const struct rs_plan *plan, const struct rs_transport *transport) {
  for (size_t i = 0; i < plan->case_count; i++)
    if (plan->cases[i].transport == transport)
      return true;
  return false;
}

static enum rs_status open_links(struct rs_runner *runner, struct rs_error *error) {
  struct rs_world *world = runner->params.world;
  uint8_t token[RS_TOKEN_BYTES] = {0};
  enum rs_status status = world->rank == 0 ? rs_random_bytes(token, sizeof token, error) : RS_OK;
  if (status < 0 || (status = rs_world_broadcast(world, token, sizeof token, 0, error)) < 0)
    return status;
  for (size_t i = 0; i < rs_transport_count; i++) {
    if (!planned(runner->params.plan, rs_transports[i]))
      continue;
    if ((status = rs_world_agree(world, open_device(runner, i, token, error), error)) < 0)
      return status;
    if ((status = rs_world_agree(world, connect_all(runner, runner->links[i].device, error), error)) < 0)
      return status;
  }
  return RS_OK;
}

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
  runner->links = rs_allocate(rs_transport_count, sizeof *runner->links, "links", error);
  runner->order = rs_allocate(params->plan->case_count, sizeof *runner->order, "the order of cases", error);
  runner->pair_rows = rs_allocate(params->world->size, sizeof *runner->pair_rows, "pairs", error);
  runner->link_rows = rs_allocate(rs_transport_count * params->world->size, sizeof *runner->link_rows, "links", error);
  runner->addresses = rs_allocate(params->world->size, RS_ADDRESS_BYTES_MAX, "addresses of all ranks", error);
  runner->peers = rs_allocate(params->world->size, sizeof *runner->peers, "peers", error);
  if (error->status < 0)
    return error->status;
  shuffle(runner->order, params->plan->case_count, params->config->seed);
  if (case_setup_init(&runner->setup, params->config, params->plan, error) < 0 ||
      rs_buffer_open(kind, params->plan->input_max, &runner->input, error) < 0 ||
      rs_buffer_open(kind, params->plan->output_max, &runner->output, error) < 0 ||
      rs_buffer_open(kind, other_bytes(params->plan), &runner->other, error) < 0)
    return error->status;
  return RS_OK;
}

static enum rs_status probe_link(struct rs_runner *runner, struct rs_device *device, struct rs_error *error) {
  const struct rs_runner_params *params = &runner->params;
  struct rs_limits limits;
  device->transport->limits(device, &limits);
  if (!limits.moves_data)
    return RS_OK;
  find_peers(runner, device->transport, runner->peers);
  struct link_probe_params probe = {
      .world = params->world,
      .device = device,
      .peers = runner->peers,
      .clock = runner->sampler.clock,
      .line = &runner->sampler.line,
      .timeout_ns = params->config->timeout_ns,
  };
  size_t count = 0;
  enum rs_status status = link_probe(&probe, runner->link_rows + runner->link_row_count, &count, error);
  runner->link_row_count += count;
  return status;
}

// A device that has failed is closed at once, so that peers that wait for it notice.
static enum rs_status probe_links(struct rs_runner *runner, struct rs_error *error) {
  enum rs_status status = RS_OK;
  for (size_t i = 0; i < rs_transport_count && status == RS_OK; i++) {
    struct link *link = &runner->links[i];
    if (link->device == NULL)
      continue;
    status = probe_link(runner, link->device, error);
    if (status < 0) {
      rs_transports[i]->close(link->device);
      link->device = NULL;
    }
    status = rs_world_agree(runner->params.world, status, error);
  }
  return status;
}

const struct rs_link_row *rs_runner_links(const struct rs_runner *runner, size_t *count) {
  *count = runner->link_row_count;
  return runner->link_rows;
}

static enum rs_status open_all(struct rs_runner *runner, struct rs_error *error) {
  const struct rs_runner_params *params = &runner->params;
  if (rs_world_agree(params->world, open_local(runner, error), error) < 0 || open_links(runner, error) < 0)
    return error->status;
  size_t rows = rs_runner_max_iterations(params->config, params->plan, params->world->size);
  if (sampler_open(&runner->sampler, params->world, params->config, params->placement, &clock_source_monotonic, rows,
                   error) < 0)
    return error->status;
  return params->config->probe ? probe_links(runner, error) : RS_OK;
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
  for (size_t i = 0; runner->links && i < rs_transport_count; i++)
    if (runner->links[i].device)
      rs_transports[i]->close(runner->links[i].device);
  sampler_close(&runner->sampler);
  rs_buffer_close(&runner->input);
  rs_buffer_close(&runner->output);
  rs_buffer_close(&runner->other);
  case_setup_fini(&runner->setup);
  free(runner->pair_rows);
  free(runner->link_rows);
  free(runner->addresses);
  free(runner->peers);
  free(runner->order);
  free(runner->links);
  free(runner);
}

size_t rs_runner_devices(const struct rs_runner *runner, struct rs_device_row *rows, size_t max) {
  size_t count = 0;
  for (size_t i = 0; i < rs_transport_count && count < max; i++) {
    const struct rs_device *device = runner->links[i].device;
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

enum rs_status rs_runner_counters(const struct rs_runner *runner, struct rs_counters *counters,
                                  struct rs_error *error) {
  struct rs_device_counter counted[DEVICE_COUNTERS_MAX];
  for (size_t i = 0; i < rs_transport_count; i++) {
    const struct rs_device *device = runner->links[i].device;
    if (device == NULL || device->transport->counters == NULL)
      continue;
    size_t count = device->transport->counters(device, counted, RS_ARRAY_LENGTH(counted));
    for (size_t c = 0; c < count; c++) {
      char name[sizeof counters->items->name];
      snprintf(name, sizeof name, "%.14s.%.47s", device->transport->name, counted[c].name);
      if (rs_counters_add(counters, RS_COUNTER_RANK, name, counted[c].value, error) < 0)
        return error->status;
    }
  }
  return RS_OK;
}

// ---- running ----------------------------------------------------------------------------------------------

static size_t transport_index(const struct rs_transport *transport) {
  size_t i = 0;
  while (rs_transports[i] != transport)
    i++;
  return i;
}

// An emulated device's ranks mostly wait for its clock, and it spins by itself for the last bit of that: ranks that
// spin all the time would take the cores from those whose time has come.
static enum rs_wait wait_for(const struct rs_runner *runner, const struct rs_case *point) {
  struct rs_limits limits = {0};
  if (runner->params.config->wait == RS_WAIT_AUTO && point->transport)
    point->transport->limits(runner->links[transport_index(point->transport)].device, &limits);
  return limits.emulated ? RS_WAIT_SLEEP : runner->wait;
}

static enum rs_status run_case(struct rs_runner *runner, const struct rs_case *point, int64_t time_ns,
                               const struct rs_sink *sink, struct rs_error *mismatch, struct rs_error *error) {
  struct rs_world *world = runner->params.world;
  const struct rs_plan *plan = runner->params.plan;
  struct operation operation = {0};
  struct rs_case_result result;
  case_setup_take(&runner->setup, point, (uint32_t)world->rank);
  struct operation_params params = {
      .world = world,
      .config = runner->params.config,
      .point = point,
      .setup = &runner->setup,
      .route = point->transport ? &runner->links[transport_index(point->transport)].route : NULL,
      .wait = wait_for(runner, point),
      .input = &runner->input,
      .output = &runner->output,
      .other = &runner->other,
  };
  enum rs_status status = rs_world_agree(world, operation_open(&params, &operation, error), error);
  if (status == RS_OK)
    status = sampler_measure(&runner->sampler, plan, point, &operation, time_ns, &result, mismatch, error);
  if (status == RS_OK && world->rank == 0) {
    result.figures.slowdown = 1;
    if (point->transport) {
      struct rs_limits limits;
      point->transport->limits(runner->links[transport_index(point->transport)].device, &limits);
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
