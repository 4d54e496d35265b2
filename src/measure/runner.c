// The runner: opens what a plan needs, then measures its cases in random order.
#include "measure/sampler.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES_MAX ((size_t)256 << 20)
#define ITERATIONS_DEFAULT 10000
#define CONNECT_PAUSE_US 200

// One opened transport and the route over it.
struct link {
  struct rs_device *device;
  struct rs_route route;
};

struct rs_runner {
  struct rs_runner_params params;
  enum rs_wait wait;
  struct link *links; // per rs_transports row; device NULL: not in the plan
  struct rs_buffer input, output;
  struct sampler sampler;
  uint32_t *order; // the cases as they are run
};

// ---- what a plan needs --------------------------------------------------------------------------------------------

size_t rs_runner_max_iterations(const struct rs_config *config, const struct rs_plan *plan, size_t rank_count) {
  // Warm-up, samples, one checked iteration in the middle and one at the end.
  size_t least = config->warm_up + config->min_iterations + 2;
  if (config->max_iterations)
    return rs_max_size(config->max_iterations, least);
  size_t row = sizeof(struct rs_iteration_row) + rank_count * sizeof(struct rs_sample);
  return rs_max_size(rs_min_size(FILE_BYTES_MAX / row / plan->case_count, ITERATIONS_DEFAULT), least);
}

static struct rs_schedule_params schedule_of(const struct rs_case *point, size_t rank_count) {
  return (struct rs_schedule_params){.collective = point->collective, .rank_count = (uint32_t)rank_count};
}

static struct rs_executor_params executor_params(const struct rs_config *config, const struct rs_case *point,
                                                 size_t rank, size_t rank_count) {
  return (struct rs_executor_params){
      .algorithm = point->algorithm,
      .schedule = schedule_of(point, rank_count),
      .rank = (uint32_t)rank,
      .datatype = point->datatype,
      .operation = point->operation,
      .count = point->count,
      .chunk_bytes = point->chunk_bytes,
      .lanes = point->lanes,
      .window = config->window,
      .timeout_ns = config->timeout_ns,
  };
}

uint64_t rs_runner_memory(const struct rs_config *config, const struct rs_plan *plan, size_t rank, size_t rank_count) {
  uint64_t executor_most = 0;
  for (size_t i = 0; i < plan->case_count; i++) {
    if (plan->cases[i].algorithm == NULL)
      continue;
    struct rs_executor_params params = executor_params(config, &plan->cases[i], rank, rank_count);
    executor_most = rs_max_size(executor_most, rs_executor_memory(&params));
  }
  size_t samples = rs_runner_max_iterations(config, plan, rank_count) * sizeof(struct rs_sample);
  if (rank == 0)
    samples *= 1 + 2 * rank_count;
  return 2 * plan->size_max + executor_most + samples;
}

// ---- opening
// ------------------------------------------------------------------------------------------------------------

// The peers of this rank in every case that uses a transport.
static void find_peers(const struct rs_runner *runner, const struct rs_transport *transport, bool *peers) {
  const struct rs_runner_params *params = &runner->params;
  const struct rs_algorithm *last = NULL;
  for (size_t i = 0; i < params->plan->case_count; i++) {
    const struct rs_case *point = &params->plan->cases[i];
    if (point->transport != transport || point->algorithm == last)
      continue;
    struct rs_schedule_params schedule = schedule_of(point, params->world->size);
    rs_schedule_peers(point->algorithm, &schedule, (uint32_t)params->world->rank, peers);
    last = point->algorithm;
  }
}

static enum rs_status connect_all(struct rs_runner *runner, struct rs_device *device, struct rs_error *error) {
  struct rs_world *world = runner->params.world;
  uint8_t mine[RS_ADDRESS_BYTES_MAX] = {0};
  bool *peers = NULL;
  uint8_t *addresses = rs_allocate(world->size, RS_ADDRESS_BYTES_MAX, "addresses of all ranks", error);
  if (addresses == NULL)
    return error->status;
  enum rs_status status = RS_ERROR_MEMORY;
  peers = rs_allocate(world->size, sizeof *peers, "peers", error);
  if (peers == NULL)
    goto free_addresses;
  find_peers(runner, device->transport, peers);
  device->transport->address(device, mine);
  status = rs_world_allgather(world, mine, sizeof mine, addresses, error);
  if (status < 0)
    goto free_peers;
  while ((status = device->transport->connect(device, addresses, peers, error)) == RS_IN_PROGRESS)
    usleep(CONNECT_PAUSE_US);
free_peers:
  free(peers);
free_addresses:
  free(addresses);
  return status;
}

static enum rs_status open_device(struct rs_runner *runner, size_t index, const uint8_t *token,
                                  struct rs_error *error) {
  const struct rs_runner_params *params = &runner->params;
  struct link *link = &runner->links[index];
  struct rs_transport_params open = {
      .rank = params->world->rank,
      .rank_count = params->world->size,
      .lanes = params->plan->lanes_max,
      .one_host = params->placement->host_count == 1,
      .timeout_ns = params->config->timeout_ns,
      .options = params->transport_options[index],
      .hub = params->hub,
      .log = params->log,
  };
  memcpy(open.token, token, sizeof open.token);
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

static enum rs_status open_sampler(struct rs_runner *runner, struct rs_error *error) {
  const struct rs_runner_params *params = &runner->params;
  struct sampler *sampler = &runner->sampler;
  struct rs_world *world = params->world;
  *sampler = (struct sampler){
      .world = world,
      .config = params->config,
      .max_iterations = rs_runner_max_iterations(params->config, params->plan, world->size),
      .common_clock = true,
  };
  for (size_t i = 1; i < params->placement->host_count; i++)
    sampler->common_clock &= strcmp(params->placement->hosts[i].boot_id, params->placement->hosts[0].boot_id) == 0;
  sampler->mine = rs_allocate(sampler->max_iterations, sizeof *sampler->mine, "samples", error);
  if (sampler->mine == NULL || world->rank != 0)
    return error->status;
  size_t samples;
  if (!rs_multiply_size(sampler->max_iterations, world->size, &samples))
    return rs_error_set_memory(error, SIZE_MAX, "samples");
  sampler->iterations = rs_allocate(sampler->max_iterations, sizeof *sampler->iterations, "iterations", error);
  sampler->samples = rs_allocate(samples, sizeof *sampler->samples, "samples of all ranks", error);
  sampler->gathered = rs_allocate(samples, sizeof *sampler->gathered, "samples of all ranks", error);
  sampler->times = rs_allocate(sampler->max_iterations, sizeof *sampler->times, "times", error);
  return error->status;
}

// Times count from here: rank 0's clock where all ranks share it, else each rank's own after a barrier.
static enum rs_status set_origin(struct rs_runner *runner, struct rs_error *error) {
  struct sampler *sampler = &runner->sampler;
  enum rs_status status = rs_world_barrier(sampler->world, error);
  sampler->origin_ns = rs_clock_ns();
  if (status < 0 || !sampler->common_clock)
    return status;
  return rs_world_broadcast(sampler->world, &sampler->origin_ns, sizeof sampler->origin_ns, 0, error);
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
  if (runner->links == NULL || runner->order == NULL)
    return error->status;
  shuffle(runner->order, params->plan->case_count, params->config->seed);
  if (rs_buffer_open(kind, params->plan->size_max, &runner->input, error) < 0 ||
      rs_buffer_open(kind, params->plan->size_max, &runner->output, error) < 0)
    return error->status;
  return open_sampler(runner, error);
}

enum rs_status rs_runner_open(const struct rs_runner_params *params, struct rs_runner **runner,
                              struct rs_error *error) {
  struct rs_runner *opened = rs_allocate(1, sizeof *opened, "the runner", error);
  if (opened == NULL)
    return error->status;
  opened->params = *params;
  opened->wait = (enum rs_wait)params->config->wait;
  if (opened->wait == RS_WAIT_AUTO)
    opened->wait = rs_placement_oversubscribed(params->placement, params->world->rank) ? RS_WAIT_SLEEP : RS_WAIT_SPIN;
  if (rs_world_agree(params->world, open_local(opened, error), error) < 0 || open_links(opened, error) < 0 ||
      set_origin(opened, error) < 0) {
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
  free(runner->sampler.mine);
  free(runner->sampler.iterations);
  free(runner->sampler.samples);
  free(runner->sampler.gathered);
  free(runner->sampler.times);
  rs_buffer_close(&runner->input);
  rs_buffer_close(&runner->output);
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
    struct rs_device_facts facts = {0};
    device->transport->facts(device, &facts);
    struct rs_device_row *row = &rows[count++];
    *row = (struct rs_device_row){
        .rank = (uint32_t)runner->params.world->rank, .speed_mbit = facts.speed_mbit, .mtu = facts.mtu};
    snprintf(row->transport, sizeof row->transport, "%s", device->transport->name);
    snprintf(row->interface, sizeof row->interface, "%s", facts.interface);
    snprintf(row->address, sizeof row->address, "%s", facts.address);
    snprintf(row->driver, sizeof row->driver, "%s", facts.driver);
    snprintf(row->congestion, sizeof row->congestion, "%s", facts.congestion);
  }
  return count;
}

// ---- running
// --------------------------------------------------------------------------------------------------------------

static enum rs_status run_executor(void *state, struct rs_error *error) {
  return rs_executor_run(state, error);
}

static size_t transport_index(const struct rs_transport *transport) {
  size_t i = 0;
  while (rs_transports[i] != transport)
    i++;
  return i;
}

static enum rs_status open_executor(struct rs_runner *runner, const struct rs_case *point, struct operation *operation,
                                    struct rs_error *error) {
  struct rs_world *world = runner->params.world;
  const struct link *link = &runner->links[transport_index(point->transport)];
  struct rs_executor_params params = executor_params(runner->params.config, point, world->rank, world->size);
  params.route = &link->route;
  params.input = operation->input;
  params.output = operation->output;
  params.wait = runner->wait;
  struct rs_executor *executor;
  enum rs_status status = rs_executor_open(&params, &executor, error);
  if (status == RS_OK)
    operation->state = executor;
  operation->run = run_executor;
  return status;
}

static enum rs_status open_baseline(struct rs_runner *runner, const struct rs_case *point, struct operation *operation,
                                    struct rs_error *error) {
  struct rs_baseline_params params = {
      .world = runner->params.world,
      .collective = point->collective,
      .datatype = point->datatype,
      .operation = point->operation,
      .count = point->count,
      .input = operation->input,
      .output = operation->output,
  };
  operation->run = point->baseline->run;
  return point->baseline->open(&params, &operation->state, error);
}

static bool can_check(const struct rs_runner *runner, const struct rs_case *point) {
  struct rs_limits limits = {.moves_data = true};
  if (point->transport) {
    const struct rs_device *device = runner->links[transport_index(point->transport)].device;
    device->transport->limits(device, &limits);
  }
  // Alone, even null has nothing to move.
  return runner->params.config->check && (limits.moves_data || runner->params.world->size == 1);
}

static enum rs_status open_operation(struct rs_runner *runner, const struct rs_case *point, struct operation *operation,
                                     struct rs_error *error) {
  struct rs_world *world = runner->params.world;
  operation->count = point->count;
  operation->output = &runner->output;
  operation->input = point->in_place ? &runner->output : &runner->input;
  if (can_check(runner, point) &&
      rs_pattern_open(point->datatype, point->operation, world->rank, world->size, &operation->pattern, error) < 0)
    return error->status;
  return point->baseline ? open_baseline(runner, point, operation, error)
                         : open_executor(runner, point, operation, error);
}

static void close_operation(const struct rs_case *point, struct operation *operation) {
  if (point->baseline && operation->state)
    point->baseline->close(operation->state);
  else if (point->algorithm)
    rs_executor_close(operation->state);
  rs_pattern_close(operation->pattern);
}

static enum rs_status run_case(struct rs_runner *runner, const struct rs_case *point, const struct rs_sink *sink,
                               struct rs_error *mismatch, struct rs_error *error) {
  struct rs_world *world = runner->params.world;
  struct operation operation = {0};
  struct rs_case_result result;
  enum rs_status status = rs_world_agree(world, open_operation(runner, point, &operation, error), error);
  if (status == RS_OK)
    status = sampler_measure(&runner->sampler, point, &operation, &result, mismatch, error);
  if (status == RS_OK && world->rank == 0)
    status = sink->case_finished(sink->state, &result, error);
  close_operation(point, &operation);
  return status;
}

enum rs_status rs_runner_run(struct rs_runner *runner, const struct rs_sink *sink, struct rs_error *error) {
  const struct rs_plan *plan = runner->params.plan;
  struct rs_error mismatch = {0};
  for (size_t i = 0; i < plan->case_count; i++) {
    const struct rs_case *point = &plan->cases[runner->order[i]];
    if (runner->params.world->rank == 0)
      sink->progress(sink->state, i, plan->case_count, point);
    enum rs_status status = run_case(runner, point, sink, &mismatch, error);
    if (status < 0)
      return status;
  }
  if (mismatch.status < 0)
    *error = mismatch;
  return mismatch.status;
}
