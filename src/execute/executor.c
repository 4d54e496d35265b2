#include "execute/window.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>

#define WINDOW_DEFAULT 32
// Staging for messages that are to be reduced: enough of them to keep a pipeline busy, within what caches hold.
#define STAGING_BYTES ((size_t)4 << 20)
// How long a rank yields before it sleeps; docs/performance.md has the measurement. Waits that are far longer than that
// make it less, since what they cost is the time of other ranks; a wait that is not makes it as long again.
#define YIELD_NS INT64_C(50000)
#define YIELD_NS_MIN INT64_C(2000)
#define LONG_WAIT_NS (4 * YIELD_NS)
#define SLEEP_MS_MAX 100
// A spinning rank looks at the clock once in so many empty polls: where the kernel must ask a timer chip (hpet in a
// virtual machine: 6 us), it would otherwise spend its time there, and see a message late.
#define POLLS_PER_LOOK 64

const char *const rs_wait_names[] = {"auto", "spin", "sleep", NULL};

void rs_route_limits(const struct rs_route *route, struct rs_limits *limits) {
  struct rs_limits all = {
      .message_bytes_max = SIZE_MAX, .posts_max = SIZE_MAX, .moves_data = true, .can_sleep = true, .slowdown = 1};
  for (size_t i = 0; i < route->device_count; i++) {
    struct rs_limits one;
    route->devices[i]->transport->limits(route->devices[i], &one);
    all.message_bytes_max = rs_min_size(all.message_bytes_max, one.message_bytes_max);
    all.posts_max = rs_min_size(all.posts_max, one.posts_max);
    all.moves_data &= one.moves_data;
    all.can_sleep &= one.can_sleep;
    all.in_process |= one.in_process;
    all.emulated |= one.emulated;
    all.slowdown = one.slowdown > all.slowdown ? one.slowdown : all.slowdown;
  }
  *limits = all;
}

// ---- plan -------------------------------------------------------------------------------------------------

// The shape of an execution: what open allocates and memory reports.
struct shape {
  struct rs_partition partition;
  uint32_t rounds, scratch_places, window_slots, staging_slots;
  uint64_t staging_bytes, scratch_bytes;
};

static uint64_t part_elements(const struct rs_executor_params *params, const struct rs_partition *partition,
                              enum rs_buffer_id buffer, uint32_t place) {
  uint32_t part = rs_place_part(params->algorithm, &params->schedule, params->rank, buffer, place);
  return rs_partition_parts(partition, part, 1).count;
}

// The elements of the longest message that a slice makes.
static uint64_t message_elements(const struct rs_executor_params *params, const struct rs_partition *partition,
                                 const struct rs_slice *slice) {
  uint64_t run = 0, most = 0;
  for (uint32_t i = 0; i < slice->count; i++) {
    uint64_t place = part_elements(params, partition, slice->buffer, slice->place + i);
    run += place;
    // The first chunk is among the longer ones, the last one has the tail.
    most = rs_max_size(most, rs_partition_cut(partition, place, 0).count);
    most = rs_max_size(most, rs_partition_cut(partition, place, partition->chunks - 1).count);
  }
  return partition->chunks == 1 ? run : most;
}

// Room for the messages that are to be reduced: at least for all of one round.
static void plan_staging(const struct rs_executor_params *params, struct shape *shape) {
  uint64_t message_max = 0;
  uint32_t reductions_max = 0; // per round
  for (uint32_t k = 0; k < shape->rounds; k++) {
    struct rs_step steps[RS_ROUND_STEPS_MAX];
    uint32_t count = params->algorithm->round(&params->schedule, params->rank, k, steps), reductions = 0;
    for (uint32_t i = 0; i < count; i++) {
      if (steps[i].kind != RS_STEP_RECV_REDUCE)
        continue;
      reductions++;
      message_max = rs_max_size(message_max, message_elements(params, &shape->partition, &steps[i].target));
    }
    reductions_max = reductions > reductions_max ? reductions : reductions_max;
  }
  if (reductions_max == 0)
    return;
  shape->staging_bytes = rs_round_up(rs_max_size(message_max * shape->partition.element_bytes, 64), 64);
  size_t slots = rs_max_size(STAGING_BYTES / shape->staging_bytes, reductions_max);
  shape->staging_slots = (uint32_t)rs_min_size(slots, shape->window_slots);
}

static struct shape shape_of(const struct rs_executor_params *params) {
  const struct rs_algorithm *algorithm = params->algorithm;
  uint32_t element_bytes = (uint32_t)rs_datatype_bytes(params->datatype);
  uint32_t parts = algorithm->parts(&params->schedule);
  struct shape shape = {
      .partition = params->bounds ? rs_partition_make_uneven(params->bounds, element_bytes, parts, params->chunk_bytes)
                                  : rs_partition_make(params->count, element_bytes, parts, params->chunk_bytes),
      .rounds = algorithm->rounds(&params->schedule),
      .scratch_places = algorithm->scratch_places ? algorithm->scratch_places(&params->schedule) : 0,
      .window_slots = params->window ? (uint32_t)params->window : WINDOW_DEFAULT,
  };
  for (uint32_t place = 0; place < shape.scratch_places; place++)
    shape.scratch_bytes += part_elements(params, &shape.partition, RS_BUFFER_SCRATCH, place) * element_bytes;
  plan_staging(params, &shape);
  return shape;
}

uint64_t rs_executor_memory(const struct rs_executor_params *params) {
  struct shape shape = shape_of(params);
  return shape.scratch_bytes + shape.staging_bytes * shape.staging_slots;
}

static enum rs_status place_buffer(struct rs_executor *executor, enum rs_buffer_id buffer, uint32_t count,
                                   struct rs_error *error) {
  uint64_t *starts = rs_allocate((size_t)count + 1, sizeof *starts, "the executor's places", error);
  if (starts == NULL)
    return error->status;
  for (uint32_t place = 0; place < count; place++)
    starts[place + 1] = starts[place] + part_elements(&executor->params, &executor->partition, buffer, place);
  executor->places[buffer] = starts;
  return RS_OK;
}

// ---- open and close ---------------------------------------------------------------------------------------

static enum rs_status check_params(const struct rs_executor_params *params, struct rs_error *error) {
  if (params->window && (params->window < RS_ROUND_STEPS_MAX || params->window > WINDOW_SLOTS_MAX))
    return rs_error_set(error, RS_ERROR_USAGE, "a window of %zu steps is outside %d..%d; change run.window",
                        params->window, RS_ROUND_STEPS_MAX, WINDOW_SLOTS_MAX);
  if (params->lanes < 1 || params->lanes > params->route->lanes)
    return rs_error_set(error, RS_ERROR_INTERNAL, "%zu lanes asked for on a route of %zu", params->lanes,
                        params->route->lanes);
  if (params->route->device_count > RS_ROUTE_DEVICES_MAX)
    return rs_error_set(error, RS_ERROR_USAGE, "a route of %zu devices; the most is %d", params->route->device_count,
                        RS_ROUTE_DEVICES_MAX);
  return RS_OK;
}

static enum rs_status check_buffers(const struct rs_executor *executor, struct rs_error *error) {
  uint64_t input = executor->places[RS_BUFFER_INPUT][executor->partition.parts];
  uint64_t output = executor->places[RS_BUFFER_OUTPUT][executor->partition.parts];
  if (input > executor->params.input->bytes / executor->element_bytes ||
      output > executor->params.output->bytes / executor->element_bytes)
    return rs_error_set(error, RS_ERROR_INTERNAL, "%llu and %llu elements do not fit the buffers given to the executor",
                        (unsigned long long)input, (unsigned long long)output);
  return RS_OK;
}

static void free_executor(struct rs_executor *executor) {
  for (size_t i = 0; i < RS_BUFFER_ID_COUNT; i++)
    free(executor->places[i]);
  free(executor);
}

static void deregister_all(struct rs_executor *executor) {
  const struct rs_route *route = executor->params.route;
  for (size_t i = 0; i < MEMORY_COUNT * route->device_count; i++) {
    struct rs_device *device = route->devices[i % route->device_count];
    if (executor->regions[i])
      device->transport->deregister_memory(device, executor->regions[i]);
  }
}

static enum rs_status register_all(struct rs_executor *executor, struct rs_error *error) {
  const struct rs_route *route = executor->params.route;
  for (size_t i = 0; i < MEMORY_COUNT * route->device_count; i++) {
    const struct rs_buffer *buffer = &executor->memory[i / route->device_count];
    struct rs_device *device = route->devices[i % route->device_count];
    if (buffer->bytes == 0)
      continue;
    enum rs_status status = device->transport->register_memory(device, buffer, &executor->regions[i], error);
    if (status < 0)
      return status;
  }
  return RS_OK;
}

enum rs_status rs_executor_open(const struct rs_executor_params *params, struct rs_executor **executor,
                                struct rs_error *error) {
  if (check_params(params, error) < 0)
    return error->status;
  struct rs_executor *opened = rs_allocate(1, sizeof *opened, "executor", error);
  if (opened == NULL)
    return error->status;
  struct shape shape = shape_of(params);
  opened->params = *params;
  opened->partition = shape.partition;
  opened->rounds = shape.rounds;
  opened->element_bytes = (uint32_t)rs_datatype_bytes(params->datatype);
  opened->yield_ns = YIELD_NS;
  opened->window_slots = shape.window_slots;
  opened->staging_slots = shape.staging_slots;
  opened->staging_bytes = shape.staging_bytes;
  opened->memory[MEMORY_INPUT] = *params->input;
  opened->memory[MEMORY_OUTPUT] = *params->output;
  if (place_buffer(opened, RS_BUFFER_INPUT, shape.partition.parts, error) < 0 ||
      place_buffer(opened, RS_BUFFER_OUTPUT, shape.partition.parts, error) < 0 ||
      place_buffer(opened, RS_BUFFER_SCRATCH, shape.scratch_places, error) < 0 || check_buffers(opened, error) < 0)
    goto free_opened;
  enum rs_memory_kind kind = params->output->kind;
  if (rs_buffer_open(kind, shape.scratch_bytes, &opened->memory[MEMORY_SCRATCH], error) < 0)
    goto free_opened;
  if (rs_buffer_open(kind, shape.staging_bytes * shape.staging_slots, &opened->memory[MEMORY_STAGING], error) < 0)
    goto close_scratch;
  opened->regions =
      rs_allocate(MEMORY_COUNT * params->route->device_count, sizeof(struct rs_region *), "memory regions", error);
  if (opened->regions == NULL)
    goto close_staging;
  if (register_all(opened, error) < 0)
    goto deregister;
  *executor = opened;
  return RS_OK;
deregister:
  deregister_all(opened);
  free(opened->regions);
close_staging:
  rs_buffer_close(&opened->memory[MEMORY_STAGING]);
close_scratch:
  rs_buffer_close(&opened->memory[MEMORY_SCRATCH]);
free_opened:
  free_executor(opened);
  return error->status;
}

void rs_executor_close(struct rs_executor *executor) {
  if (executor == NULL)
    return;
  deregister_all(executor);
  free(executor->regions);
  rs_buffer_close(&executor->memory[MEMORY_STAGING]);
  rs_buffer_close(&executor->memory[MEMORY_SCRATCH]);
  free_executor(executor);
}

// ---- run --------------------------------------------------------------------------------------------------

void rs_executor_start(struct rs_executor *executor) {
  window_start(executor);
}

enum rs_status rs_executor_advance(struct rs_executor *executor, struct rs_error *error) {
  bool changed;
  return window_advance(executor, &changed, error);
}

void rs_executor_counts(const struct rs_executor *executor, struct rs_executor_counts *counts) {
  *counts = executor->counts;
}

static enum rs_status out_of_time(const struct rs_executor *executor, struct rs_error *error) {
  char where[160];
  window_describe(executor, where, sizeof where);
  return rs_error_set(error, RS_ERROR_TIMEOUT,
                      "%s: nothing moved for %.3g s in %s; is that rank alive, and does the network between the two "
                      "drop packets? (run.timeout sets the limit)",
                      executor->params.algorithm->name, (double)executor->params.timeout_ns / 1e9, where);
}

static enum rs_status interrupted(const struct rs_executor *executor, const char *interrupt, int64_t idle_ns,
                                  struct rs_error *error) {
  char where[160];
  window_describe(executor, where, sizeof where);
  return rs_error_set(error, RS_ERROR_IO, "%s: %s came when nothing had moved for %.3g s in %s",
                      executor->params.algorithm->name, interrupt, (double)idle_ns / 1e9, where);
}

// Sleeps until a device has something to do, or for SLEEP_MS_MAX. A device that cannot sleep makes this a yield.
static enum rs_status sleep_on_devices(const struct rs_route *route, struct rs_error *error) {
  struct pollfd sleepers[RS_ROUTE_DEVICES_MAX];
  for (size_t i = 0; i < route->device_count; i++) {
    struct rs_device *device = route->devices[i];
    if (device->transport->arm == NULL) {
      sched_yield();
      return RS_OK;
    }
    enum rs_status status = device->transport->arm(device, error);
    if (status != RS_OK)
      return status < 0 ? status : RS_OK;
    sleepers[i] = (struct pollfd){.fd = device->transport->event_fd(device), .events = POLLIN};
  }
  if (poll(sleepers, route->device_count, SLEEP_MS_MAX) < 0 && errno != EINTR)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "sleeping until a device wakes this rank");
  return RS_OK;
}

// How long to yield next time, after a wait with a sleep in it.
static int64_t adapt(int64_t yield_ns, int64_t waited_ns) {
  if (waited_ns < LONG_WAIT_NS)
    return YIELD_NS;
  return yield_ns / 2 > YIELD_NS_MIN ? yield_ns / 2 : YIELD_NS_MIN;
}

enum rs_status rs_executor_run(struct rs_executor *executor, struct rs_error *error) {
  const struct rs_executor_params *params = &executor->params;
  int64_t idle_since = 0; // 0: not idle, or for less than POLLS_PER_LOOK
  bool slept = false;
  uint32_t empty_polls = 0;
  window_start(executor);
  for (;;) {
    bool changed;
    enum rs_status status = window_advance(executor, &changed, error);
    if (status != RS_IN_PROGRESS)
      return status;
    if (changed) {
      if (slept)
        executor->yield_ns = adapt(executor->yield_ns, rs_clock_ns() - idle_since);
      idle_since = empty_polls = 0;
      slept = false;
      continue;
    }
    bool spins = params->wait == RS_WAIT_SPIN;
    if (spins && ++empty_polls % POLLS_PER_LOOK != 0)
      continue;
    int64_t now = rs_clock_ns();
    if (idle_since == 0)
      idle_since = now;
    if (now - idle_since > params->timeout_ns)
      return out_of_time(executor, error);
    const char *interrupt = now - idle_since > RS_INTERRUPT_PATIENCE_NS ? rs_interrupt_take() : NULL;
    if (interrupt)
      return interrupted(executor, interrupt, now - idle_since, error);
    if (spins)
      continue;
    if (now - idle_since < executor->yield_ns) {
      sched_yield();
      continue;
    }
    slept = true;
    if ((status = sleep_on_devices(params->route, error)) < 0)
      return status;
  }
}
