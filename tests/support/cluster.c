#include "support/cluster.h"

#include <stdlib.h>
#include <string.h>

#define IDLE_STEPS_MAX 2000000

enum rs_status cluster_open(struct cluster *cluster, const struct rs_transport *transport, const void *options,
                            size_t rank_count, size_t lanes, struct rs_error *error) {
  *cluster = (struct cluster){.transport = transport, .rank_count = rank_count, .lanes = lanes};
  if (rs_loop_hub_open(rank_count, &cluster->hub, error) < 0)
    return error->status;
  static uint8_t addresses[CLUSTER_RANKS_MAX][RS_ADDRESS_BYTES_MAX];
  memset(addresses, 0, sizeof addresses);
  bool peers[CLUSTER_RANKS_MAX];
  memset(peers, 1, sizeof peers);
  for (size_t r = 0; r < rank_count; r++) {
    struct rs_transport_params params = {.rank = r,
                                         .rank_count = rank_count,
                                         .lanes = lanes,
                                         .token = "token of this cluster",
                                         .one_host = true,
                                         .timeout_ns = 10000000000,
                                         .options = options,
                                         .hub = cluster->hub};
    if (transport->open(&params, &cluster->devices[r], error) < 0)
      return error->status;
    transport->address(cluster->devices[r], addresses[r]);
    cluster->routes[r] =
        (struct rs_route){.rank_count = rank_count, .lanes = lanes, .devices = &cluster->devices[r], .device_count = 1};
  }
  bool connected[CLUSTER_RANKS_MAX] = {false};
  for (size_t left = rank_count; left > 0;)
    for (size_t r = 0; r < rank_count; r++) {
      if (connected[r])
        continue;
      enum rs_status status = transport->connect(cluster->devices[r], addresses[0], peers, error);
      if (status < 0)
        return status;
      connected[r] = status == RS_OK;
      left -= connected[r];
    }
  return RS_OK;
}

void cluster_close(struct cluster *cluster) {
  for (size_t r = 0; r < cluster->rank_count; r++)
    if (cluster->devices[r])
      cluster->transport->close(cluster->devices[r]);
  for (size_t r = 0; r < cluster->rank_count; r++)
    for (size_t d = 0; d < RS_DATATYPE_COUNT; d++)
      for (size_t o = 0; o < RS_OPERATION_COUNT; o++)
        rs_pattern_close(cluster->patterns[r][d][o]);
  rs_loop_hub_close(cluster->hub);
}

struct rank_state {
  struct rs_buffer input, output;
  const struct rs_pattern *pattern;
  struct rs_executor *executor;
};

static enum rs_status open_rank(struct cluster *cluster, const struct trial *trial, size_t rank,
                                struct rank_state *state, struct rs_error *error) {
  size_t bytes = trial->count * rs_datatype_bytes(trial->datatype);
  if (rs_buffer_open(RS_MEMORY_HOST, bytes, &state->input, error) < 0 ||
      rs_buffer_open(RS_MEMORY_HOST, bytes, &state->output, error) < 0)
    return error->status;
  struct rs_pattern **pattern = &cluster->patterns[rank][trial->datatype][trial->operation];
  if (*pattern == NULL &&
      rs_pattern_open(trial->datatype, trial->operation, rank, cluster->rank_count, pattern, error) < 0)
    return error->status;
  state->pattern = *pattern;
  struct rs_executor_params params = {
      .algorithm = trial->algorithm,
      .schedule = {.collective = trial->algorithm->collective, .rank_count = (uint32_t)cluster->rank_count},
      .rank = (uint32_t)rank,
      .route = &cluster->routes[rank],
      .datatype = trial->datatype,
      .operation = trial->operation,
      .count = trial->count,
      .chunk_bytes = trial->chunk_bytes,
      .lanes = trial->lanes,
      .window = trial->window,
      .input = trial->in_place ? &state->output : &state->input,
      .output = &state->output,
      .wait = RS_WAIT_SLEEP,
      .timeout_ns = 10000000000,
  };
  return rs_executor_open(&params, &state->executor, error);
}

// Floats of very different magnitude, the same for every launch of a seed.
static void fill_rough(const struct trial *trial, size_t rank, void *data) {
  struct rs_random random = {rank + 1};
  uint16_t *values = data; // finite float16 or bfloat16, of both signs
  for (uint64_t i = 0; i < trial->count; i++)
    values[i] = (uint16_t)(0x3000 + rs_random_below(&random, 0x0fff) + (rs_random_below(&random, 2) << 15));
}

static void start_rank(const struct trial *trial, size_t rank, struct rank_state *state) {
  void *input = trial->in_place ? state->output.address : state->input.address;
  if (trial->rough) {
    fill_rough(trial, rank, input);
    rs_executor_start(state->executor);
    return;
  }
  if (!trial->in_place)
    rs_pattern_poison(state->pattern, state->output.address, trial->count);
  rs_pattern_fill(state->pattern, input, trial->count);
  rs_executor_start(state->executor);
}

// All ranks to the end, in random order.
static enum rs_status advance_all(struct cluster *cluster, struct rank_state *states, struct rs_random *random,
                                  struct rs_error *error) {
  bool done[CLUSTER_RANKS_MAX] = {false};
  size_t left = cluster->rank_count;
  for (size_t step = 0; left > 0; step++) {
    size_t r = rs_random_below(random, cluster->rank_count);
    if (done[r])
      continue;
    enum rs_status status = rs_executor_advance(states[r].executor, error);
    if (status < 0)
      return status;
    done[r] = status == RS_OK;
    left -= done[r];
    if (step > IDLE_STEPS_MAX)
      return rs_error_set(error, RS_ERROR_TIMEOUT, "no end after %zu steps, %zu ranks unfinished", step, left);
  }
  return RS_OK;
}

enum rs_status cluster_run(struct cluster *cluster, const struct trial *trial, size_t times, uint64_t seed,
                           uint64_t *digest, struct rs_error *error) {
  struct rank_state states[CLUSTER_RANKS_MAX] = {0};
  struct rs_random random = {seed};
  enum rs_status status = RS_OK;
  for (size_t r = 0; r < cluster->rank_count && status == RS_OK; r++)
    status = open_rank(cluster, trial, r, &states[r], error);
  for (size_t i = 0; i < times && status == RS_OK; i++) {
    for (size_t r = 0; r < cluster->rank_count; r++)
      start_rank(trial, r, &states[r]);
    status = advance_all(cluster, states, &random, error);
    for (size_t r = 0; r < cluster->rank_count && status == RS_OK && !trial->rough; r++) {
      status = rs_pattern_check(states[r].pattern, states[r].output.address, trial->count, error);
      if (status < 0)
        rs_error_prefix(error, "run %zu: rank %zu", i, r);
    }
  }
  if (status == RS_OK && digest) {
    *digest = 0;
    const uint8_t *bytes = states[0].output.address;
    for (size_t i = 0; i < trial->count * rs_datatype_bytes(trial->datatype); i++)
      *digest = rs_hash64(*digest ^ bytes[i]);
  }
  for (size_t r = 0; r < cluster->rank_count; r++) {
    rs_executor_close(states[r].executor);
    rs_buffer_close(&states[r].input);
    rs_buffer_close(&states[r].output);
  }
  return status;
}
