// Every baseline in every collective, datatype, operation, in place and not, with every root or round of pairs: its
// result is right by the verifiable input. Started by baseline.sh under mpirun; a rank that finds a fault says which.
#include "ringside/launch.h"
#include "support/pattern_ranks.h"

#include <stdlib.h>
#include <string.h>

// What stays the same while counts, places and roots change.
struct cases {
  struct rs_world *world;
  const struct rs_baseline *baseline;
  enum rs_collective collective;
  enum rs_datatype datatype;
  enum rs_operation operation;
  struct rs_pattern *pattern;
  struct rs_buffer input, output;
  uint32_t *partners;
  uint64_t *bounds;
  size_t done;
};

#define COUNT_MAX 100003

// Parts of 0 to twice the even length, the same on all ranks.
static void draw_bounds(struct cases *cases, uint64_t count) {
  size_t n = cases->world->size;
  struct rs_random random = {count};
  for (size_t r = 0; r + 1 < n; r++)
    cases->bounds[r + 1] = rs_min_size(cases->bounds[r] + rs_random_below(&random, 2 * count / n + 1), count);
  cases->bounds[n] = count;
}

static struct rs_shape shape_of(struct cases *cases, uint64_t count, uint32_t variant) {
  size_t n = cases->world->size;
  struct rs_shape shape = pattern_shape(cases->collective, cases->datatype, cases->world->rank, n, count);
  const struct rs_collective_traits *traits = &rs_collective_traits[cases->collective];
  if (traits->rooted)
    shape.schedule.root = variant;
  if (traits->paired)
    for (uint32_t r = 0; r < n; r++)
      cases->partners[r] = rs_tournament_partner((uint32_t)n, variant, r);
  shape.schedule.partners = cases->partners;
  if (cases->collective == RS_ALLTOALLV) {
    draw_bounds(cases, count);
    shape.blocks = rs_partition_make_uneven(cases->bounds, shape.blocks.element_bytes, shape.blocks.parts, 0);
  }
  return shape;
}

// One case, run twice, so that what the first leaves behind does not matter.
static enum rs_status run_case(struct cases *cases, const struct rs_shape *shape, bool in_place,
                               struct rs_error *error) {
  struct rs_baseline_params params = {.world = cases->world,
                                      .shape = *shape,
                                      .datatype = cases->datatype,
                                      .operation = cases->operation,
                                      .input = in_place ? &cases->output : &cases->input,
                                      .output = &cases->output};
  void *state = NULL;
  enum rs_status status = cases->baseline->open(&params, &state, error);
  for (int i = 0; i < 2 && status == RS_OK; i++) {
    rs_pattern_poison(cases->pattern, shape, params.output->address);
    rs_pattern_fill(cases->pattern, shape, params.input->address);
    status = cases->baseline->run(state, error);
    if (status == RS_OK)
      status = rs_pattern_check(cases->pattern, shape, in_place, params.output->address, error);
  }
  status = rs_world_agree(cases->world, status, error);
  cases->baseline->close(state);
  return status;
}

static enum rs_status try_case(struct cases *cases, uint64_t count, uint32_t variant, bool in_place,
                               struct rs_error *error) {
  struct rs_shape shape = shape_of(cases, count, variant);
  bool supported = cases->baseline->supports(cases->collective, cases->datatype, cases->operation, in_place);
  enum rs_status status = run_case(cases, &shape, in_place, error);
  if (!supported && status == RS_ERROR_UNSUPPORTED) {
    *error = (struct rs_error){0};
    return RS_OK;
  }
  if (!supported && status == RS_OK)
    rs_error_set(error, RS_ERROR_INTERNAL, "it runs what it does not support");
  if (error->status < 0)
    rs_error_prefix(error, "rank %zu of %zu, %s %s, %s %s, %llu elements, variant %u%s", cases->world->rank,
                    cases->world->size, cases->baseline->name, rs_collective_names[cases->collective],
                    rs_datatype_names[cases->datatype], rs_operation_names[cases->operation], (unsigned long long)count,
                    variant, in_place ? ", in place" : "");
  cases->done++;
  return rs_world_agree(cases->world, error->status, error);
}

// Gloo makes new connections for every case, which takes tens of milliseconds: it gets all counts with float32 sum
// alone.
static bool wants_count(const struct cases *cases, uint64_t count) {
  return strncmp(cases->baseline->name, "gloo", 4) != 0 || count == 4099 ||
         (cases->datatype == RS_FLOAT32 && cases->operation == RS_SUM);
}

static enum rs_status try_counts(struct cases *cases, struct rs_error *error) {
  uint32_t n = (uint32_t)cases->world->size;
  const struct rs_collective_traits *traits = &rs_collective_traits[cases->collective];
  const uint64_t counts[] = {0, 1, n - 1, n + 1, 64 * n, 1000, 4099, COUNT_MAX};
  uint32_t variants = traits->rooted ? n : traits->paired ? rs_tournament_rounds(n) : 1;
  cases->pattern =
      pattern_open(cases->collective, cases->datatype, cases->operation, cases->world->rank, cases->world->size);
  for (size_t c = 0; c < RS_ARRAY_LENGTH(counts); c++)
    for (uint32_t variant = 0; variant < (variants ? variants : 1); variant++)
      for (int in_place = 0; wants_count(cases, counts[c]) && in_place <= traits->in_place && error->status == RS_OK;
           in_place++)
        try_case(cases, counts[c], variant, in_place, error);
  rs_pattern_close(cases->pattern);
  return error->status;
}

// only: the name of a baseline; NULL: all.
static enum rs_status try_all(struct cases *cases, const char *only, struct rs_error *error) {
  size_t n = cases->world->size, bytes = (2 * COUNT_MAX + 64 * n) * sizeof(double);
  cases->partners = rs_allocate(n, sizeof(*cases->partners), "partners", error);
  cases->bounds = rs_allocate(n + 1, sizeof(*cases->bounds), "bounds", error);
  if (!cases->partners || !cases->bounds || rs_buffer_open(RS_MEMORY_HOST, bytes, &cases->input, error) < 0 ||
      rs_buffer_open(RS_MEMORY_HOST, n * bytes, &cases->output, error) < 0)
    return error->status;
  for (size_t b = 0; b < rs_baseline_count; b++)
    for (enum rs_collective c = 0; c < RS_COLLECTIVE_COUNT; c++)
      for (enum rs_datatype d = 0; d < RS_DATATYPE_COUNT; d++)
        for (enum rs_operation o = 0; o < (rs_collective_traits[c].reduces ? RS_OPERATION_COUNT : 1); o++) {
          cases->baseline = rs_baselines[b];
          cases->collective = c;
          cases->datatype = d;
          cases->operation = o;
          bool wanted = only == NULL || strcmp(only, rs_baselines[b]->name) == 0;
          if (wanted && pattern_verifiable(d, o) && try_counts(cases, error) < 0)
            return error->status;
        }
  return RS_OK;
}

int main(int argc, char **argv) {
  struct cases cases = {0};
  struct rs_error error = {0};
  if (rs_launch_init(0, &cases.world, &error) == RS_OK)
    try_all(&cases, argc > 1 ? argv[1] : NULL, &error);
  if (error.status < 0)
    fprintf(stderr, "%s\n", error.text);
  else if (cases.world->rank == 0)
    printf("%zu cases right\n", cases.done);
  rs_buffer_close(&cases.input);
  rs_buffer_close(&cases.output);
  free(cases.partners);
  free(cases.bounds);
  if (cases.world)
    rs_launch_fini(cases.world);
  return error.status < 0;
}
