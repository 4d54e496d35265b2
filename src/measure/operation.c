#include "measure/operation.h"

#include <stdlib.h>

static enum rs_status do_nothing(void *state, struct rs_error *error) {
  (void)state;
  (void)error;
  return RS_OK;
}

// ---- executor ---------------------------------------------------------------------------------------------

static enum rs_status run_executor(void *state, struct rs_error *error) {
  return rs_executor_run(state, error);
}

static void close_executor(void *state) {
  rs_executor_close(state);
}

struct rs_executor_params operation_executor_params(const struct rs_config *config, const struct rs_case *point,
                                                    const struct case_setup *setup) {
  return (struct rs_executor_params){
      .algorithm = setup->algorithm,
      .schedule = setup->shape.schedule,
      .rank = setup->shape.rank,
      .members = setup->role_members,
      .datatype = point->datatype,
      .operation = point->operation,
      .count = setup->count,
      .bounds = setup->shape.blocks.bounds,
      .chunk_bytes = point->chunk_bytes,
      .lanes = point->lanes,
      .window = config->window,
      .timeout_ns = config->timeout_ns,
  };
}

static enum rs_status open_executor(const struct operation_params *params, struct operation *operation,
                                    struct rs_error *error) {
  struct rs_executor_params executor_params = operation_executor_params(params->config, params->point, params->setup);
  executor_params.route = params->route;
  executor_params.input = operation->input;
  executor_params.output = operation->output;
  executor_params.wait = params->wait;
  struct rs_executor *executor;
  if (rs_executor_open(&executor_params, &executor, error) < 0)
    return error->status;
  operation->run = run_executor;
  operation->close = close_executor;
  operation->state = executor;
  return RS_OK;
}

// ---- baseline ---------------------------------------------------------------------------------------------

static enum rs_status open_baseline(const struct operation_params *params, struct operation *operation,
                                    struct rs_error *error) {
  const struct rs_case *point = params->point;
  struct rs_baseline_params baseline_params = {
      .world = params->world,
      .shape = params->setup->shape,
      .datatype = point->datatype,
      .operation = point->operation,
      .input = operation->input,
      .output = operation->output,
  };
  if (point->baseline->open(&baseline_params, &operation->state, error) < 0)
    return error->status;
  operation->is_baseline = true;
  operation->run = point->baseline->run;
  operation->close = point->baseline->close;
  return RS_OK;
}

// ---- kernel -----------------------------------------------------------------------------------------------

// output = input (+) other, by one kernel set; or output = input.
struct kernel_state {
  size_t kernel;
  enum rs_datatype datatype;
  enum rs_operation operation;
  void *output;
  const void *input, *other;
  size_t count, bytes;
};

static enum rs_status run_kernel(void *state, struct rs_error *error) {
  (void)error;
  const struct kernel_state *kernel = state;
  rs_kernel_set_reduce(kernel->kernel, kernel->datatype, kernel->operation, kernel->output, kernel->input,
                       kernel->other, kernel->count);
  rs_kernel_set_finish(kernel->kernel, kernel->datatype, kernel->operation, kernel->output, kernel->count, 2);
  return RS_OK;
}

static enum rs_status run_copy(void *state, struct rs_error *error) {
  (void)error;
  const struct kernel_state *kernel = state;
  rs_kernel_copy(kernel->output, kernel->input, kernel->bytes);
  return RS_OK;
}

// A reduction is checked as an allreduce of two ranks, of which this is the first and `other` is the second's input; a
// copy as one of a single rank.
static enum rs_status check_kernel(const struct rs_case *point, const struct operation_params *params,
                                   struct operation *operation, bool copies, struct rs_error *error) {
  uint32_t n = copies ? 1 : 2;
  struct rs_pattern *second;
  operation->shape = (struct rs_shape){
      .schedule = {.collective = RS_ALLREDUCE, .rank_count = n},
      .blocks = rs_partition_make(point->count, (uint32_t)rs_datatype_bytes(point->datatype), n, 0),
  };
  if (rs_pattern_open(RS_ALLREDUCE, point->datatype, point->operation, 0, n, &operation->pattern, error) < 0 ||
      rs_pattern_open(RS_ALLREDUCE, point->datatype, point->operation, n - 1, n, &second, error) < 0)
    return error->status;
  rs_pattern_fill(second, &operation->shape, params->other->address);
  rs_pattern_close(second);
  return RS_OK;
}

static enum rs_status open_kernel(const struct operation_params *params, struct operation *operation,
                                  struct rs_error *error) {
  const struct rs_case *point = params->point;
  bool copies = point->kernel == rs_kernel_set_count();
  if (operation->checks && check_kernel(point, params, operation, copies, error) < 0)
    return error->status;
  struct kernel_state *state = rs_allocate(1, sizeof *state, "a kernel's case", error);
  if (state == NULL)
    return error->status;
  *state = (struct kernel_state){
      .kernel = point->kernel,
      .datatype = point->datatype,
      .operation = point->operation,
      .output = operation->output->address,
      .input = operation->input->address,
      .other = params->other->address,
      .count = point->count,
      .bytes = point->size_bytes,
  };
  operation->run = copies ? run_copy : run_kernel;
  operation->close = free;
  operation->state = state;
  return RS_OK;
}

// ---- any --------------------------------------------------------------------------------------------------

static bool can_check(const struct operation_params *params) {
  struct rs_limits limits = {.moves_data = true};
  if (params->route)
    rs_route_limits(params->route, &limits);
  // Alone, even null has nothing to move.
  return params->config->check && (limits.moves_data || params->world->size == 1);
}

enum rs_status operation_open(const struct operation_params *params, struct operation *operation,
                              struct rs_error *error) {
  const struct rs_case *point = params->point;
  const struct case_setup *setup = params->setup;
  *operation = (struct operation){
      .run = do_nothing,
      .role = setup->role,
      .checks = can_check(params),
      .in_place = point->in_place,
      .shape = setup->shape,
      .input = point->in_place ? params->output : params->input,
      .output = params->output,
  };
  if (setup->role == CASE_IDLE)
    return RS_OK;
  if (setup->role == CASE_CONGESTS) {
    operation->input = params->input; // some traffic is not made in place
    return open_executor(params, operation, error);
  }
  if (point->benchmark == RS_BENCHMARK_REDUCE)
    return open_kernel(params, operation, error);
  if (operation->checks && rs_pattern_open(point->collective, point->datatype, point->operation, setup->shape.rank,
                                           setup->shape.schedule.rank_count, &operation->pattern, error) < 0)
    return error->status;
  return point->baseline ? open_baseline(params, operation, error) : open_executor(params, operation, error);
}

void operation_close(struct operation *operation) {
  if (operation->close && operation->state)
    operation->close(operation->state);
  rs_pattern_close(operation->pattern);
  *operation = (struct operation){0};
}
