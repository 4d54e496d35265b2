// From a configuration to cases: names are resolved, and the sweep is the product of its axes.
#include "measure/auto_choice.h"
#include "measure/plan_ranks.h"

#include <stdlib.h>
#include <string.h>

double rs_busbw_factor(enum rs_collective collective, size_t rank_count) {
  const struct rs_collective_traits *traits = &rs_collective_traits[collective];
  if (rank_count < 2)
    return 1.0;
  return traits->per_size * (traits->shared ? (double)(rank_count - 1) / (double)rank_count : 1.0);
}

const char *rs_case_implementation(const struct rs_case *point) {
  if (point->algorithm_auto)
    return RS_ALGORITHM_AUTO;
  if (point->algorithm)
    return point->algorithm->name;
  if (point->baseline)
    return point->baseline->name;
  return point->kernel < rs_kernel_set_count() ? rs_kernel_set_name(point->kernel) : "memcpy";
}

const char *rs_case_transport(const struct rs_case *point, char *text, size_t bytes) {
  snprintf(text, bytes, "%s%s%s", point->inside ? point->inside->name : "", point->inside ? "+" : "",
           point->transport ? point->transport->name : "");
  return text;
}

const char *rs_case_program(const struct rs_case *point, char *text, size_t bytes) {
  char transport[RS_TRANSPORT_BYTES];
  snprintf(text, bytes, "%s%s%s%s%s", rs_case_implementation(point), point->algorithm_auto ? ":" : "",
           point->algorithm_auto ? point->algorithm->name : "", point->transport ? "/" : "",
           rs_case_transport(point, transport, sizeof transport));
  return text;
}

const char *rs_case_pairing(const struct rs_case *point, enum rs_pairs pairs, char *text, size_t bytes) {
  if (point->benchmark != RS_BENCHMARK_P2P)
    snprintf(text, bytes, "%s", "");
  else if (pairs == RS_PAIRS_ALL)
    snprintf(text, bytes, "round %u", point->round);
  else
    snprintf(text, bytes, "%s", rs_pairs_names[pairs]);
  return text;
}

bool rs_case_ordered(const struct rs_case *point) {
  return point->benchmark == RS_BENCHMARK_COLLECTIVE && point->algorithm != NULL;
}

// ---- names to implementations -----------------------------------------------------------------------------

static enum rs_status unknown(const char *kind, const char *word, const char *const *names, size_t count,
                              struct rs_error *error) {
  struct rs_text list = {0};
  for (size_t i = 0; i < count; i++)
    rs_text_append(&list, "%s%s", i ? ", " : "", names[i]);
  const char *nearest = rs_text_nearest(word, names, count);
  rs_error_set(error, RS_ERROR_USAGE, "there is no %s '%s'%s%s%s; there are: %s", kind, word,
               nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "",
               list.data ? list.data : "(none)");
  rs_text_fini(&list);
  return RS_ERROR_USAGE;
}

static bool is_auto(const char *word) {
  return strcmp(word, RS_ALGORITHM_AUTO) == 0;
}

static bool only_word(const struct rs_word_list *words, const char *word) {
  return words->count == 1 && strcmp(words->words[0], word) == 0;
}

// "none" as the only word is an empty list.
static size_t word_count(const struct rs_word_list *words) {
  return only_word(words, "none") ? 0 : words->count;
}

#define NAMES_MAX 64

// "tcp, verbs_rc, srd"
static void list_transports(enum rs_span span, struct rs_text *list) {
  for (size_t i = 0; i < rs_transport_count; i++)
    if (rs_transports[i]->span == span)
      rs_text_append(list, "%s%s", list->length ? ", " : "", rs_transports[i]->name);
}

static enum rs_status no_route(const char *word, struct rs_error *error) {
  struct rs_text first = {0}, last = {0};
  list_transports(RS_SPAN_HOST, &first);
  list_transports(RS_SPAN_NETWORK, &last);
  rs_error_set(error, RS_ERROR_USAGE,
               "transport=%s: A+B is A between ranks of one host and B between hosts; A can be %s; B can be %s", word,
               first.data ? first.data : "", last.data ? last.data : "");
  rs_text_fini(&first);
  rs_text_fini(&last);
  return RS_ERROR_USAGE;
}

static enum rs_status check_transport(const char *word, struct rs_error *error) {
  const struct rs_transport *inside, *between;
  const char *names[NAMES_MAX];
  size_t count = rs_min_size(rs_transport_count, NAMES_MAX);
  for (size_t i = 0; i < count; i++)
    names[i] = rs_transports[i]->name;
  if (rs_transport_route(word, &inside, &between))
    return RS_OK;
  return strchr(word, '+') ? no_route(word, error) : unknown("transport", word, names, count, error);
}

static enum rs_status check_baseline(const char *word, struct rs_error *error) {
  const char *names[NAMES_MAX];
  size_t count = rs_min_size(rs_baseline_count, NAMES_MAX);
  for (size_t i = 0; i < count; i++)
    names[i] = rs_baselines[i]->name;
  return rs_baseline_find(word) ? RS_OK : unknown("baseline", word, names, count, error);
}

// The collectives of a benchmark that has any: `index` counts them.
static enum rs_collective collective_at(const struct rs_config *config, enum rs_benchmark benchmark, size_t index) {
  if (benchmark == RS_BENCHMARK_P2P)
    return (enum rs_collective)(RS_PINGPONG + config->point_to_points.values[index]);
  return benchmark == RS_BENCHMARK_COLLECTIVE ? (enum rs_collective)config->collectives.values[index] : RS_ALLREDUCE;
}

static size_t collective_count(const struct rs_config *config, enum rs_benchmark benchmark) {
  return benchmark == RS_BENCHMARK_COLLECTIVE ? config->collectives.count
         : benchmark == RS_BENCHMARK_P2P      ? config->point_to_points.count
                                              : 1;
}

// An algorithm must exist for some collective of the sweep.
static enum rs_status check_algorithm(const struct rs_config *config, const char *word, struct rs_error *error) {
  const char *names[NAMES_MAX] = {RS_ALGORITHM_AUTO};
  size_t count = 1;
  if (is_auto(word))
    return RS_OK;
  for (size_t b = 0; b < config->benchmarks.count; b++) {
    enum rs_benchmark benchmark = (enum rs_benchmark)config->benchmarks.values[b];
    for (size_t c = 0; c < collective_count(config, benchmark); c++) {
      enum rs_collective collective = collective_at(config, benchmark, c);
      if (rs_algorithm_find(collective, word))
        return RS_OK;
      for (size_t i = 0; i < rs_algorithm_count && count < NAMES_MAX; i++)
        if (rs_algorithms[i]->collective == collective)
          names[count++] = rs_algorithms[i]->name;
    }
  }
  return unknown("algorithm", word, names, count, error);
}

static enum rs_status check_names(const struct rs_config *config, struct rs_error *error) {
  for (size_t i = 0; !only_word(&config->algorithms, "all") && i < word_count(&config->algorithms); i++)
    if (check_algorithm(config, config->algorithms.words[i], error) < 0)
      return error->status;
  for (size_t i = 0; i < word_count(&config->baselines); i++)
    if (check_baseline(config->baselines.words[i], error) < 0)
      return error->status;
  for (size_t i = 0; i < word_count(&config->transports); i++)
    if (check_transport(config->transports.words[i], error) < 0)
      return error->status;
  return RS_OK;
}

static enum rs_status check_sizes(const struct rs_config *config, struct rs_error *error) {
  for (size_t d = 0; d < config->datatypes.count; d++)
    for (size_t s = 0; s < config->sizes.count; s++) {
      size_t bytes = rs_datatype_bytes((enum rs_datatype)config->datatypes.values[d]);
      if (config->sizes.values[s] % bytes != 0)
        return rs_error_set(
            error, RS_ERROR_USAGE, "size %llu is no multiple of the %zu bytes of a %s; change size or datatype",
            (unsigned long long)config->sizes.values[s], bytes, rs_datatype_names[config->datatypes.values[d]]);
    }
  return RS_OK;
}

static enum rs_status check_roots(const struct rs_config *config, const struct rs_plan *plan, struct rs_error *error) {
  for (size_t i = 0; i < config->roots.count; i++)
    if (config->roots.values[i] >= plan->measured_count)
      return rs_error_set(error, RS_ERROR_USAGE, "root %llu is none of the ranks 0..%u",
                          (unsigned long long)config->roots.values[i], plan->measured_count - 1);
  return RS_OK;
}

// ---- carriers ---------------------------------------------------------------------------------------------

// What carries one collective: a baseline, one of our algorithms over a transport with its own settings, or a kernel.
struct carrier {
  bool algorithm_auto;
  const struct rs_algorithm *algorithm;
  const struct rs_baseline *baseline;
  size_t kernel;
  const struct rs_transport *transport, *inside;
  uint64_t chunk_bytes;
  uint32_t lanes;
};
struct carriers {
  struct carrier *items;
  size_t count;
};

// algorithm NULL: it is to be chosen.
static void add_algorithm(const struct rs_config *config, const struct rs_algorithm *algorithm,
                          struct carriers *carriers) {
  for (size_t t = 0; t < word_count(&config->transports); t++) {
    struct carrier carrier = {.algorithm_auto = algorithm == NULL, .algorithm = algorithm};
    rs_transport_route(config->transports.words[t], &carrier.inside, &carrier.transport);
    for (size_t c = 0; c < config->chunks.count; c++)
      for (size_t l = 0; l < config->lanes.count; l++) {
        carrier.chunk_bytes = config->chunks.values[c];
        carrier.lanes = (uint32_t)config->lanes.values[l];
        carriers->items[carriers->count++] = carrier;
      }
  }
}

static void add_algorithms(const struct rs_config *config, enum rs_collective collective, struct carriers *carriers) {
  if (only_word(&config->algorithms, "all")) {
    for (size_t a = 0; a < rs_algorithm_count; a++)
      if (rs_algorithms[a]->collective == collective)
        add_algorithm(config, rs_algorithms[a], carriers);
    return;
  }
  for (size_t a = 0; a < word_count(&config->algorithms); a++) {
    const char *word = config->algorithms.words[a];
    const struct rs_algorithm *algorithm = rs_algorithm_find(collective, word);
    if (algorithm || is_auto(word))
      add_algorithm(config, algorithm, carriers);
  }
}

static void find_carriers(const struct rs_config *config, enum rs_benchmark benchmark, enum rs_collective collective,
                          struct carriers *carriers) {
  carriers->count = 0;
  if (benchmark == RS_BENCHMARK_REDUCE) {
    for (size_t k = 0; k <= rs_kernel_set_count(); k++)
      if (k == rs_kernel_set_count() || rs_kernel_set_runs(k))
        carriers->items[carriers->count++] = (struct carrier){.kernel = k, .lanes = 1};
    return;
  }
  add_algorithms(config, collective, carriers);
  for (size_t b = 0; b < word_count(&config->baselines); b++)
    carriers->items[carriers->count++] =
        (struct carrier){.baseline = rs_baseline_find(config->baselines.words[b]), .lanes = 1};
}

static size_t carriers_max(const struct rs_config *config) {
  size_t algorithms = rs_algorithm_count + config->algorithms.count;
  return algorithms * config->transports.count * config->chunks.count * config->lanes.count + config->baselines.count +
         rs_kernel_set_count() + 1;
}

// ---- the product ------------------------------------------------------------------------------------------

// The axes of one collective, the slowest first: neighbouring cases have the same schedule as long as may be.
enum axis {
  AXIS_CONGESTOR,
  AXIS_ROOT,
  AXIS_ROUND,
  AXIS_CARRIER,
  AXIS_MODE,
  AXIS_DATATYPE,
  AXIS_OPERATION,
  AXIS_PLACE,
  AXIS_SIZE,
  AXIS_COUNT
};

struct sweep {
  const struct rs_config *config;
  struct rs_plan *plan;
  enum rs_benchmark benchmark;
  enum rs_collective collective;
  bool one_host; // all ranks share one
  struct carriers carriers;
  size_t lengths[AXIS_COUNT];
};

static void measure_axes(struct sweep *sweep) {
  const struct rs_config *config = sweep->config;
  const struct rs_collective_traits *traits = &rs_collective_traits[sweep->collective];
  bool network = sweep->benchmark != RS_BENCHMARK_REDUCE;
  uint32_t rounds = rs_tournament_rounds(sweep->plan->measured_count);
  find_carriers(config, sweep->benchmark, sweep->collective, &sweep->carriers);
  sweep->lengths[AXIS_CONGESTOR] = network ? config->congestors.count : 1;
  sweep->lengths[AXIS_ROOT] = traits->rooted ? config->roots.count : 1;
  sweep->lengths[AXIS_ROUND] = traits->paired && config->pairs == RS_PAIRS_ALL && rounds > 0 ? rounds : 1;
  sweep->lengths[AXIS_CARRIER] = sweep->carriers.count;
  sweep->lengths[AXIS_MODE] = network ? config->modes.count : 1;
  sweep->lengths[AXIS_DATATYPE] = config->datatypes.count;
  sweep->lengths[AXIS_OPERATION] = traits->reduces ? config->operations.count : 1;
  sweep->lengths[AXIS_PLACE] = config->in_place.count;
  sweep->lengths[AXIS_SIZE] = config->sizes.count;
}

static size_t product(const struct sweep *sweep) {
  size_t total = 1;
  for (size_t a = 0; a < AXIS_COUNT; a++)
    total *= sweep->lengths[a];
  return total;
}

// Puts in what the table says of a case that leaves the algorithm, the chunk or both to it.
static void choose(const struct sweep *sweep, struct rs_case *point) {
  if (!point->algorithm_auto && !point->chunk_auto)
    return;
  const struct rs_transport *transport = point->inside ? point->inside : point->transport;
  const struct auto_row *row = auto_choice_find(sweep->one_host ? transport->name : NULL, point->collective,
                                                sweep->plan->measured_count, point->size_bytes);
  if (point->algorithm_auto)
    point->algorithm = rs_algorithm_find(point->collective, row->algorithm);
  if (point->chunk_auto)
    point->chunk_bytes = row->chunk_bytes;
}

static struct rs_case point_at(const struct sweep *sweep, size_t index) {
  const struct rs_config *config = sweep->config;
  const struct rs_collective_traits *traits = &rs_collective_traits[sweep->collective];
  size_t at[AXIS_COUNT];
  for (size_t a = AXIS_COUNT; a-- > 0; index /= sweep->lengths[a])
    at[a] = index % sweep->lengths[a];
  const struct carrier *carrier = &sweep->carriers.items[at[AXIS_CARRIER]];
  enum rs_datatype datatype = (enum rs_datatype)config->datatypes.values[at[AXIS_DATATYPE]];
  bool network = sweep->benchmark != RS_BENCHMARK_REDUCE;
  return (struct rs_case){
      .benchmark = sweep->benchmark,
      .collective = sweep->collective,
      .algorithm = carrier->algorithm,
      .baseline = carrier->baseline,
      .kernel = carrier->kernel,
      .transport = carrier->transport,
      .algorithm_auto = carrier->algorithm_auto,
      .chunk_auto = carrier->transport && carrier->chunk_bytes == RS_CHUNK_AUTO,
      .inside = carrier->inside,
      .mode = network ? (enum rs_mode)config->modes.values[at[AXIS_MODE]] : RS_MODE_ISOLATED,
      .datatype = datatype,
      .operation = traits->reduces ? (enum rs_operation)config->operations.values[at[AXIS_OPERATION]] : RS_SUM,
      .in_place = config->in_place.values[at[AXIS_PLACE]] != 0,
      .size_bytes = config->sizes.values[at[AXIS_SIZE]],
      .count = config->sizes.values[at[AXIS_SIZE]] / rs_datatype_bytes(datatype),
      .chunk_bytes = carrier->chunk_bytes,
      .lanes = carrier->lanes,
      .root = traits->rooted ? (uint32_t)config->roots.values[at[AXIS_ROOT]] : 0,
      .round = (uint32_t)at[AXIS_ROUND],
      .congestor = network ? (enum rs_congestor)config->congestors.values[at[AXIS_CONGESTOR]] : RS_CONGESTOR_NONE,
  };
}

// Why a case cannot be measured; NULL: it can.
static const char *obstacle(const struct rs_plan *plan, const struct rs_case *point) {
  if (point->in_place && !rs_collective_traits[point->collective].in_place)
    return "is not done in place";
  if (point->benchmark == RS_BENCHMARK_REDUCE && point->in_place && point->kernel == rs_kernel_set_count())
    return "has nothing to copy";
  if (point->operation == RS_AVG && point->datatype == RS_UINT8)
    return "is not averaged in bytes, which hold too few values to tell a right result";
  if (point->baseline && plan->congested)
    return "is not run beside background traffic";
  if (point->baseline &&
      !point->baseline->supports(point->collective, point->datatype, point->operation, point->in_place))
    return "is not offered so by this baseline";
  return NULL;
}

static uint64_t output_bytes(const struct sweep *sweep, const struct rs_case *point, uint64_t *bounds) {
  uint32_t n = sweep->plan->measured_count, element_bytes = (uint32_t)rs_datatype_bytes(point->datatype);
  if (!rs_collective_traits[point->collective].exchanges)
    return point->size_bytes;
  struct rs_partition blocks = rs_partition_make(point->count, element_bytes, n, 0);
  if (point->collective == RS_ALLTOALLV) {
    rs_expert_bounds(point->count, n, sweep->config->skew, bounds);
    blocks = rs_partition_make_uneven(bounds, element_bytes, n, 0);
  }
  uint64_t most = 0;
  for (uint32_t part = 0; part < n; part++)
    most = rs_max_size(most, rs_partition_parts(&blocks, part, 1).count);
  return most * n * element_bytes;
}

#define LINE_BYTES 64

// The background traffic uses the same buffers. Its widest output is alltoall's: as many times the longest block.
static void make_room_for_congestors(const struct rs_config *config, struct rs_plan *plan) {
  struct rs_partition blocks = rs_partition_make(config->congestor_size, 1, plan->other_count, 0);
  uint64_t output = rs_partition_parts(&blocks, 0, 1).count + LINE_BYTES;
  plan->input_max = rs_max_size(plan->input_max, config->congestor_size);
  plan->output_max = rs_max_size(plan->output_max, output * plan->other_count);
}

static void add_case(const struct sweep *sweep, size_t index, uint64_t *bounds) {
  struct rs_plan *plan = sweep->plan;
  struct rs_case point = point_at(sweep, index);
  choose(sweep, &point);
  const char *reason = obstacle(plan, &point);
  if (reason) {
    if (plan->left_out++ == 0)
      snprintf(plan->reason, sizeof plan->reason, "%s of %s%s by %s %s", rs_collective_names[point.collective],
               rs_datatype_names[point.datatype], point.in_place ? " in place" : "", rs_case_implementation(&point),
               reason);
    return;
  }
  point.id = (uint32_t)plan->case_count;
  plan->cases[plan->case_count++] = point;
  plan->input_max = rs_max_size(plan->input_max, point.size_bytes);
  plan->output_max = rs_max_size(plan->output_max, output_bytes(sweep, &point, bounds));
  plan->lanes_max = rs_max_size(plan->lanes_max, point.lanes);
}

#define CASES_MAX 100000u

// Walks all collectives of all benchmarks: counts their points, or adds them as cases.
static size_t walk(struct sweep *sweep, bool add, uint64_t *bounds) {
  const struct rs_config *config = sweep->config;
  size_t total = 0;
  for (size_t b = 0; b < config->benchmarks.count; b++) {
    sweep->benchmark = (enum rs_benchmark)config->benchmarks.values[b];
    for (size_t c = 0; c < collective_count(config, sweep->benchmark); c++) {
      sweep->collective = collective_at(config, sweep->benchmark, c);
      measure_axes(sweep);
      total += product(sweep);
      for (size_t i = 0; add && i < product(sweep); i++)
        add_case(sweep, i, bounds);
    }
  }
  return total;
}

static enum rs_status make_cases(const struct rs_config *config, bool one_host, struct rs_plan *plan,
                                 struct rs_error *error) {
  struct sweep sweep = {.config = config, .plan = plan, .one_host = one_host};
  uint64_t *bounds = rs_allocate((size_t)plan->rank_count + 1, sizeof *bounds, "the plan", error);
  sweep.carriers.items = rs_allocate(carriers_max(config), sizeof *sweep.carriers.items, "the plan", error);
  if (bounds == NULL || sweep.carriers.items == NULL)
    goto free_carriers;
  size_t total = walk(&sweep, false, NULL);
  if (total > CASES_MAX) {
    rs_error_set(error, RS_ERROR_USAGE, "the sweep has %zu cases, the most is %u; split it into several runs", total,
                 CASES_MAX);
    goto free_carriers;
  }
  plan->cases = rs_allocate(total, sizeof *plan->cases, "the plan", error);
  if (plan->cases == NULL)
    goto free_carriers;
  walk(&sweep, true, bounds);
  if (plan->congested)
    make_room_for_congestors(config, plan);
  if (plan->case_count == 0 && plan->left_out > 0)
    rs_error_set(error, RS_ERROR_USAGE, "the sweep is empty: %s", plan->reason);
  else if (plan->case_count == 0)
    rs_error_set(error, RS_ERROR_USAGE,
                 "the sweep is empty: give at least one algorithm with a transport, or a baseline");
free_carriers:
  free(sweep.carriers.items);
  free(bounds);
  return error->status;
}

enum rs_status rs_plan_make(const struct rs_config *config, const struct rs_placement *placement, struct rs_plan *plan,
                            struct rs_error *error) {
  struct rs_plan made = {0};
  if (!(config->interval_width > 0))
    return rs_error_set(error, RS_ERROR_USAGE, "samples.interval_width must be above 0, such as 2%%");
  if (check_names(config, error) < 0 || check_sizes(config, error) < 0)
    return error->status;
  if (plan_ranks_make(config, placement, &made, error) < 0 || check_roots(config, &made, error) < 0 ||
      make_cases(config, placement->host_count == 1, &made, error) < 0) {
    rs_plan_fini(&made);
    return error->status;
  }
  *plan = made;
  return RS_OK;
}

void rs_plan_fini(struct rs_plan *plan) {
  plan_ranks_fini(plan);
  free(plan->cases);
  *plan = (struct rs_plan){0};
}
