#include "support/cluster.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_NS INT64_C(30000000000)

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
                                         .timeout_ns = PATIENCE_NS,
                                         .options = options,
                                         .hub = cluster->hub};
    if (transport->open(&params, &cluster->devices[r], error) < 0)
      return error->status;
    transport->address(cluster->devices[r], addresses[r]);
    cluster->routes[r] =
        (struct rs_route){.rank_count = rank_count, .lanes = lanes, .devices = &cluster->devices[r], .device_count = 1};
  }
  bool connected[CLUSTER_RANKS_MAX] = {false};
  for (size_t left = rank_count; left > 0; sched_yield())
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

// ---- verifiable input -------------------------------------------------------------------------------------

struct cluster_pattern {
  enum rs_collective collective;
  enum rs_datatype datatype;
  enum rs_operation operation;
  size_t rank, rank_count;
  struct rs_pattern *pattern;
};

static enum rs_status find_pattern(struct cluster *cluster, const struct trial *trial, size_t rank, size_t rank_count,
                                   const struct rs_pattern **pattern, struct rs_error *error) {
  struct cluster_pattern wanted = {
      .collective = trial->algorithm->collective,
      .datatype = trial->datatype,
      .operation = trial->operation,
      .rank = rank,
      .rank_count = rank_count,
  };
  for (size_t i = 0; i < cluster->pattern_count; i++) {
    const struct cluster_pattern *known = &cluster->patterns[i];
    if (known->collective == wanted.collective && known->datatype == wanted.datatype &&
        known->operation == wanted.operation && known->rank == rank && known->rank_count == rank_count) {
      *pattern = known->pattern;
      return RS_OK;
    }
  }
  if (rs_pattern_open(wanted.collective, wanted.datatype, wanted.operation, rank, rank_count, &wanted.pattern, error) <
      0)
    return error->status;
  struct cluster_pattern *grown = realloc(cluster->patterns, (cluster->pattern_count + 1) * sizeof *grown);
  if (grown == NULL)
    return rs_error_set_memory(error, sizeof *grown, "the patterns of a cluster");
  cluster->patterns = grown;
  cluster->patterns[cluster->pattern_count++] = wanted;
  *pattern = wanted.pattern;
  return RS_OK;
}

void cluster_close(struct cluster *cluster) {
  for (size_t r = 0; r < cluster->rank_count; r++)
    if (cluster->devices[r])
      cluster->transport->close(cluster->devices[r]);
  for (size_t i = 0; i < cluster->pattern_count; i++)
    rs_pattern_close(cluster->patterns[i].pattern);
  free(cluster->patterns);
  rs_loop_hub_close(cluster->hub);
}

// ---- trials -----------------------------------------------------------------------------------------------

struct trial trial_draw(const struct rs_algorithm *algorithm, size_t rank_count, size_t lanes, size_t type,
                        struct rs_random *random) {
  const struct rs_collective_traits *traits = &rs_collective_traits[algorithm->collective];
  struct trial trial = {
      .algorithm = algorithm,
      .variant = (uint32_t)rs_random_below(random, rs_variant_count(algorithm, (uint32_t)rank_count)),
      .datatype = (enum rs_datatype)(type % RS_DATATYPE_COUNT),
      .operation = traits->reduces ? (enum rs_operation)(type % RS_OPERATION_COUNT) : RS_SUM,
      .chunk_bytes = rs_random_below(random, 3) * (64 + rs_random_below(random, 1024)),
      .uneven = rs_random_below(random, 3) == 0 ? rs_random_next(random) | 1 : 0,
      .lanes = 1 + rs_random_below(random, lanes),
      .window = RS_ROUND_STEPS_MAX + rs_random_below(random, 57),
      .in_place = traits->in_place && rs_random_below(random, 2) == 0,
  };
  if (trial.datatype == RS_UINT8 && trial.operation == RS_AVG)
    trial.operation = RS_MAX; // too few values to tell an average
  return trial;
}

void trial_describe(const struct trial *trial, size_t rank_count, struct rs_text *text) {
  uint32_t array[CLUSTER_RANKS_MAX];
  char description[RS_VARIANT_BYTES];
  size_t n = trial->members ? trial->member_count : rank_count;
  rs_variant(trial->algorithm, (uint32_t)n, trial->variant, array, description);
  rs_text_append(text, "%s/%s on %zu ranks%s%s, %s %s, count %llu, uneven %llu, chunk %llu, lanes %zu, window %zu%s",
                 rs_collective_names[trial->algorithm->collective], trial->algorithm->name, n, description,
                 trial->members ? " of a larger cluster" : "", rs_datatype_names[trial->datatype],
                 rs_operation_names[trial->operation], (unsigned long long)trial->count,
                 (unsigned long long)trial->uneven, (unsigned long long)trial->chunk_bytes, trial->lanes, trial->window,
                 trial->in_place ? ", in place" : "");
}

// ---- a run ------------------------------------------------------------------------------------------------

struct rank_state {
  struct rs_buffer input, output;
  const struct rs_pattern *pattern;
  struct rs_shape shape;
  struct rs_executor *executor;
};

// What all ranks of a run share.
struct run {
  const struct trial *trial;
  size_t rank_count;
  struct rs_schedule_params schedule;
  uint32_t array[CLUSTER_RANKS_MAX]; // of the schedule
  uint64_t *bounds;                  // of uneven parts
  struct rs_partition partition;     // in the algorithm's parts
  struct rank_state ranks[CLUSTER_RANKS_MAX];
};

static enum rs_status open_run(const struct cluster *cluster, const struct trial *trial, struct run *run,
                               struct rs_error *error) {
  char description[RS_VARIANT_BYTES];
  *run = (struct run){.trial = trial, .rank_count = trial->members ? trial->member_count : cluster->rank_count};
  run->schedule = rs_variant(trial->algorithm, (uint32_t)run->rank_count, trial->variant, run->array, description);
  uint32_t parts = trial->algorithm->parts(&run->schedule), bytes = (uint32_t)rs_datatype_bytes(trial->datatype);
  if (trial->uneven == 0) {
    run->partition = rs_partition_make(trial->count, bytes, parts, 0);
    return RS_OK;
  }
  struct rs_random random = {trial->uneven};
  run->bounds = rs_allocate((size_t)parts + 1, sizeof *run->bounds, "the bounds of parts", error);
  if (run->bounds == NULL)
    return error->status;
  for (uint32_t p = 0; p < parts; p++)
    run->bounds[p + 1] =
        run->bounds[p] +
        (rs_random_below(&random, 3) == 0 ? 0 : rs_random_below(&random, 3 * trial->count / parts + 1));
  run->partition = rs_partition_make_uneven(run->bounds, bytes, parts, 0);
  return RS_OK;
}

static enum rs_status open_rank(struct cluster *cluster, struct run *run, size_t rank, struct rs_error *error) {
  const struct trial *trial = run->trial;
  struct rank_state *state = &run->ranks[rank];
  uint64_t elements = run->partition.elements;
  bool blocks = rs_collective_traits[run->schedule.collective].blocks;
  state->shape = (struct rs_shape){
      .schedule = run->schedule,
      .rank = (uint32_t)rank,
      .blocks = blocks ? run->partition
                       : rs_partition_make(elements, run->partition.element_bytes, (uint32_t)run->rank_count, 0),
  };
  size_t input_bytes = elements * run->partition.element_bytes;
  size_t output_bytes =
      rs_output_elements(&run->schedule, &run->partition, (uint32_t)rank) * run->partition.element_bytes;
  if (rs_buffer_open(RS_MEMORY_HOST, input_bytes, &state->input, error) < 0 ||
      rs_buffer_open(RS_MEMORY_HOST, output_bytes, &state->output, error) < 0 ||
      find_pattern(cluster, trial, rank, run->rank_count, &state->pattern, error) < 0)
    return error->status;
  struct rs_executor_params params = {
      .algorithm = trial->algorithm,
      .schedule = run->schedule,
      .rank = (uint32_t)rank,
      .members = trial->members,
      .route = &cluster->routes[trial->members ? trial->members[rank] : rank],
      .datatype = trial->datatype,
      .operation = trial->operation,
      .count = elements,
      .bounds = run->bounds,
      .chunk_bytes = trial->chunk_bytes,
      .lanes = trial->lanes,
      .window = trial->window,
      .input = trial->in_place ? &state->output : &state->input,
      .output = &state->output,
      .wait = RS_WAIT_SLEEP,
      .timeout_ns = PATIENCE_NS,
  };
  return rs_executor_open(&params, &state->executor, error);
}

// Finite float16 of very different magnitude and both signs, the same for every run.
static void fill_rough(size_t rank, uint64_t count, uint16_t *values) {
  struct rs_random random = {rank + 1};
  for (uint64_t i = 0; i < count; i++)
    values[i] = (uint16_t)(0x3000 + rs_random_below(&random, 0x0fff) + (rs_random_below(&random, 2) << 15));
}

static void start_rank(struct run *run, size_t rank) {
  struct rank_state *state = &run->ranks[rank];
  void *input = run->trial->in_place ? state->output.address : state->input.address;
  if (run->trial->rough) {
    fill_rough(rank, run->partition.elements, input);
  } else {
    rs_pattern_poison(state->pattern, &state->shape, state->output.address);
    rs_pattern_fill(state->pattern, &state->shape, input);
  }
  rs_executor_start(state->executor);
}

// All ranks to the end, in random order.
static enum rs_status advance_all(struct run *run, struct rs_random *random, struct rs_error *error) {
  bool done[CLUSTER_RANKS_MAX] = {false};
  int64_t deadline_ns = rs_clock_ns() + PATIENCE_NS;
  for (size_t left = run->rank_count; left > 0;) {
    size_t r = rs_random_below(random, run->rank_count);
    if (done[r])
      continue;
    enum rs_status status = rs_executor_advance(run->ranks[r].executor, error);
    if (status < 0)
      return status;
    done[r] = status == RS_OK;
    left -= done[r];
    if (rs_clock_ns() > deadline_ns)
      return rs_error_set(error, RS_ERROR_TIMEOUT, "no end, and %zu ranks unfinished", left);
  }
  return RS_OK;
}

static enum rs_status check_all(const struct run *run, struct rs_error *error) {
  for (size_t r = 0; r < run->rank_count && !run->trial->rough; r++) {
    const struct rank_state *state = &run->ranks[r];
    if (rs_pattern_check(state->pattern, &state->shape, run->trial->in_place, state->output.address, error) < 0) {
      rs_error_prefix(error, "rank %zu", r);
      return error->status;
    }
  }
  return RS_OK;
}

static uint64_t digest_of(const struct run *run, size_t rank) {
  const uint8_t *bytes = run->ranks[rank].output.address;
  uint64_t digest = 0;
  for (uint32_t place = 0; place < run->partition.parts; place++) {
    struct rs_extent extent = rs_output_extent(&run->schedule, &run->partition, (uint32_t)rank, place);
    bool result = rs_output_source(&run->schedule, (uint32_t)rank, place) != RS_NOBODY;
    uint64_t first = extent.first * run->partition.element_bytes;
    uint64_t end = first + extent.count * run->partition.element_bytes;
    for (uint64_t i = first; result && i < end; i++)
      digest = rs_hash64(digest ^ bytes[i]);
  }
  return digest;
}

enum rs_status cluster_run(struct cluster *cluster, const struct trial *trial, size_t times, uint64_t seed,
                           uint64_t *digests, struct rs_error *error) {
  struct rs_random random = {seed};
  struct run run;
  enum rs_status status = open_run(cluster, trial, &run, error);
  for (size_t r = 0; r < run.rank_count && status == RS_OK; r++)
    status = open_rank(cluster, &run, r, error);
  for (size_t i = 0; i < times && status == RS_OK; i++) {
    for (size_t r = 0; r < run.rank_count; r++)
      start_rank(&run, r);
    status = advance_all(&run, &random, error);
    if (status == RS_OK)
      status = check_all(&run, error);
    if (status < 0)
      rs_error_prefix(error, "run %zu", i);
  }
  for (size_t r = 0; r < run.rank_count && status == RS_OK && digests; r++)
    digests[r] = digest_of(&run, r);
  for (size_t r = 0; r < run.rank_count; r++) {
    rs_executor_close(run.ranks[r].executor);
    rs_buffer_close(&run.ranks[r].input);
    rs_buffer_close(&run.ranks[r].output);
  }
  free(run.bounds);
  return status;
}
