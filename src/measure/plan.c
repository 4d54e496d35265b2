#include "ringside/measure.h"

#include <stdlib.h>
#include <string.h>

double rs_busbw_factor(enum rs_collective collective, size_t rank_count) {
  const struct rs_collective_traits *traits = &rs_collective_traits[collective];
  if (rank_count < 2)
    return 1.0;
  return traits->per_size * (traits->shared ? (double)(rank_count - 1) / (double)rank_count : 1.0);
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

// "none" as the only word is an empty list.
static size_t word_count(const struct rs_word_list *words) {
  return words->count == 1 && strcmp(words->words[0], "none") == 0 ? 0 : words->count;
}

#define NAMES_MAX 64

static enum rs_status check_transport(const char *word, struct rs_error *error) {
  const char *names[NAMES_MAX];
  size_t count = rs_min_size(rs_transport_count, NAMES_MAX);
  for (size_t i = 0; i < count; i++)
    names[i] = rs_transports[i]->name;
  return rs_transport_find(word) ? RS_OK : unknown("transport", word, names, count, error);
}

static enum rs_status check_baseline(const char *word, struct rs_error *error) {
  const char *names[NAMES_MAX];
  size_t count = rs_min_size(rs_baseline_count, NAMES_MAX);
  for (size_t i = 0; i < count; i++)
    names[i] = rs_baselines[i]->name;
  return rs_baseline_find(word) ? RS_OK : unknown("baseline", word, names, count, error);
}

// An algorithm must exist for some collective of the sweep.
static enum rs_status check_algorithm(const struct rs_config *config, const char *word, struct rs_error *error) {
  const char *names[NAMES_MAX];
  size_t count = 0;
  for (size_t c = 0; c < config->collectives.count; c++) {
    enum rs_collective collective = (enum rs_collective)config->collectives.values[c];
    if (rs_algorithm_find(collective, word))
      return RS_OK;
    for (size_t i = 0; i < rs_algorithm_count && count < NAMES_MAX; i++)
      if (rs_algorithms[i]->collective == collective)
        names[count++] = rs_algorithms[i]->name;
  }
  return unknown("algorithm", word, names, count, error);
}

static enum rs_status check_names(const struct rs_config *config, struct rs_error *error) {
  for (size_t i = 0; i < word_count(&config->algorithms); i++)
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

// ---- expansion --------------------------------------------------------------------------------------------

// What carries one collective: a baseline, or one of our algorithms over a transport with its own settings.
struct carrier {
  const struct rs_algorithm *algorithm;
  const struct rs_baseline *baseline;
  const struct rs_transport *transport;
  uint64_t chunk_bytes;
  uint32_t lanes;
};

static size_t carriers_of(const struct rs_config *config, enum rs_collective collective, struct carrier *carriers) {
  size_t count = 0;
  for (size_t a = 0; a < word_count(&config->algorithms); a++)
    for (size_t t = 0; t < word_count(&config->transports); t++)
      for (size_t c = 0; c < config->chunks.count; c++)
        for (size_t l = 0; l < config->lanes.count; l++) {
          const struct rs_algorithm *algorithm = rs_algorithm_find(collective, config->algorithms.words[a]);
          if (algorithm == NULL)
            continue;
          carriers[count++] = (struct carrier){.algorithm = algorithm,
                                               .transport = rs_transport_find(config->transports.words[t]),
                                               .chunk_bytes = config->chunks.values[c],
                                               .lanes = (uint32_t)config->lanes.values[l]};
        }
  for (size_t b = 0; b < word_count(&config->baselines); b++)
    carriers[count++] = (struct carrier){.baseline = rs_baseline_find(config->baselines.words[b]), .lanes = 1};
  return count;
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

// All points of one collective that differ in mode, datatype, operation, place and size, for each carrier.
static void expand(const struct rs_config *config, enum rs_collective collective, const struct carrier *carriers,
                   size_t carrier_count, struct rs_plan *plan) {
  for (size_t m = 0; m < config->modes.count; m++)
    for (size_t d = 0; d < config->datatypes.count; d++)
      for (size_t o = 0; o < config->operations.count; o++)
        for (size_t p = 0; p < config->in_place.count; p++)
          for (size_t s = 0; s < config->sizes.count; s++)
            for (size_t c = 0; c < carrier_count; c++) {
              struct rs_case *point = &plan->cases[plan->case_count];
              *point = (struct rs_case){
                  .id = (uint32_t)plan->case_count++,
                  .collective = collective,
                  .algorithm = carriers[c].algorithm,
                  .baseline = carriers[c].baseline,
                  .transport = carriers[c].transport,
                  .mode = (enum rs_mode)config->modes.values[m],
                  .datatype = (enum rs_datatype)config->datatypes.values[d],
                  .operation = (enum rs_operation)config->operations.values[o],
                  .in_place = config->in_place.values[p] != 0,
                  .size_bytes = config->sizes.values[s],
                  .count = config->sizes.values[s] / rs_datatype_bytes((enum rs_datatype)config->datatypes.values[d]),
                  .chunk_bytes = carriers[c].chunk_bytes,
                  .lanes = carriers[c].lanes,
              };
              plan->size_max = rs_max_size(plan->size_max, point->size_bytes);
              plan->lanes_max = rs_max_size(plan->lanes_max, point->lanes);
            }
}

#define CASES_MAX 100000u

enum rs_status rs_plan_make(const struct rs_config *config, struct rs_plan *plan, struct rs_error *error) {
  if (!(config->interval_width > 0))
    return rs_error_set(error, RS_ERROR_USAGE, "samples.interval_width must be above 0, such as 2%%");
  if (check_names(config, error) < 0 || check_sizes(config, error) < 0)
    return error->status;
  size_t carriers_max =
      config->algorithms.count * config->transports.count * config->chunks.count * config->lanes.count +
      config->baselines.count;
  struct carrier *carriers = rs_allocate(carriers_max, sizeof *carriers, "the plan", error);
  if (carriers == NULL)
    return error->status;
  struct rs_plan made = {0};
  size_t points = config->modes.count * config->datatypes.count * config->operations.count * config->in_place.count *
                  config->sizes.count,
         total = 0;
  for (size_t i = 0; i < config->collectives.count; i++)
    total += points * carriers_of(config, (enum rs_collective)config->collectives.values[i], carriers);
  if (total == 0) {
    rs_error_set(error, RS_ERROR_USAGE,
                 "the sweep is empty: give at least one algorithm with a transport, or a baseline");
    goto free_carriers;
  }
  if (total > CASES_MAX) {
    rs_error_set(error, RS_ERROR_USAGE, "the sweep has %zu cases, the most is %u; split it into several runs", total,
                 CASES_MAX);
    goto free_carriers;
  }
  made.cases = rs_allocate(total, sizeof *made.cases, "the plan", error);
  if (made.cases == NULL)
    goto free_carriers;
  for (size_t i = 0; i < config->collectives.count; i++) {
    enum rs_collective collective = (enum rs_collective)config->collectives.values[i];
    size_t count = carriers_of(config, collective, carriers);
    expand(config, collective, carriers, count, &made);
  }
  *plan = made;
free_carriers:
  free(carriers);
  return error->status;
}

void rs_plan_fini(struct rs_plan *plan) {
  free(plan->cases);
  *plan = (struct rs_plan){0};
}
