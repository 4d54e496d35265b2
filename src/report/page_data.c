#include "report/page_data.h"

#include "ringside/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_US 1000

json_t *rs_page_data_parse(rs_page_print *print, const void *subject, struct rs_error *error) {
  char *text = NULL;
  size_t length = 0;
  json_t *value = NULL;
  FILE *file = open_memstream(&text, &length);
  if (file == NULL) {
    rs_error_set_memory(error, BUFSIZ, "the report's data");
    return NULL;
  }
  enum rs_status status = print(subject, file, error);
  if (fclose(file) != 0 && status == RS_OK)
    status = rs_error_set_memory(error, length, "the report's data");
  if (status == RS_OK) {
    json_error_t wrong;
    value = json_loadb(text, length, 0, &wrong);
    if (value == NULL)
      rs_error_set(error, RS_ERROR_INTERNAL, "writing the report: its own JSON does not parse: %s", wrong.text);
  }
  free(text);
  return value;
}

// ---- samples ----------------------------------------------------------------------------------------------

struct duration {
  int64_t ns;
  size_t rank;
};

static int compare_durations(const void *left, const void *right) {
  int64_t a = ((const struct duration *)left)->ns, b = ((const struct duration *)right)->ns;
  return (a > b) - (a < b);
}

// When the measured ranks began and ended one iteration. Who is measured is not in the file, but it shows: an idle rank
// leaves at once, and one that congests enters before all others and leaves after them. `durations` has room for all.
//
//   measured        ├──────────┤
//   congests     ├────────────────┤      the longest ones are left out
//   idles           ├┤                   the shortest ones are left out
static struct rs_sample measured_span(const struct rs_case_row *row, const struct rs_sample *samples,
                                      struct duration *durations) {
  size_t ranks = row->rank_count, measured = rs_min_size(row->measured_ranks, ranks);
  bool loaded = row->congestor[0] != '\0' && strcmp(row->congestor, "none") != 0;
  if (measured == 0)
    measured = ranks;
  for (size_t r = 0; r < ranks; r++)
    durations[r] = (struct duration){samples[r].exit_ns - samples[r].entry_ns, r};
  if (measured < ranks || row->sync_error_ns < 0)
    qsort(durations, ranks, sizeof *durations, compare_durations);
  const struct duration *first = durations + (loaded ? 0 : ranks - measured);
  if (row->sync_error_ns < 0) // no common clock: the longest duration of any one rank
    return samples[first[measured - 1].rank];
  struct rs_sample span = samples[first[0].rank];
  for (size_t i = 1; i < measured; i++) {
    const struct rs_sample *sample = &samples[first[i].rank];
    span.entry_ns = sample->entry_ns < span.entry_ns ? sample->entry_ns : span.entry_ns;
    span.exit_ns = sample->exit_ns > span.exit_ns ? sample->exit_ns : span.exit_ns;
  }
  return span;
}

// {"case_id": 3, "ns": [times of the iterations], "after_us": [from the previous entry to this one], "flags": "11000"}
static json_t *make_case_samples(const struct rs_case_row *row, const struct rs_iteration_row *iterations,
                                 const struct rs_sample *samples, size_t stride, struct rs_error *error) {
  static const char digits[] = "0123456789abcdef";
  struct duration *durations = rs_allocate(row->rank_count, sizeof *durations, "the report's samples", error);
  size_t kept = rs_divide_up(row->iterations, stride);
  char *flags = rs_allocate(kept + 1, 1, "the report's samples", error);
  json_t *object = NULL, *ns = json_array(), *after = json_array();
  if (durations == NULL || flags == NULL)
    goto free_flags;
  int64_t previous_us = 0;
  for (size_t k = 0; k < kept; k++) {
    size_t i = k * stride;
    struct rs_sample span = measured_span(row, &samples[i * row->rank_count], durations);
    int64_t entry_us = span.entry_ns / NS_PER_US;
    rs_json_append(&ns, json_integer(span.exit_ns - span.entry_ns));
    rs_json_append(&after, json_integer(k == 0 ? 0 : entry_us - previous_us));
    previous_us = entry_us;
    flags[k] = digits[iterations[i].flags & 15U];
  }
  object = json_object();
  rs_json_set(&object, "case_id", json_integer(row->case_id));
  rs_json_set(&object, "ns", json_incref(ns));
  rs_json_set(&object, "after_us", json_incref(after));
  rs_json_set(&object, "flags", rs_json_text(flags, kept));

free_flags:
  json_decref(ns);
  json_decref(after);
  free(flags);
  free(durations);
  return object;
}

static json_t *make_samples(const struct rs_result *result, size_t stride, uint64_t *kept, struct rs_error *error) {
  json_t *cases = json_array();
  for (size_t c = 0; c < result->case_count; c++) {
    const struct rs_case_row *row = &result->cases[c];
    struct rs_iteration_row *iterations;
    struct rs_sample *samples;
    if (!row->finished || row->iterations == 0 || row->rank_count == 0)
      continue;
    if (rs_result_samples(result, row, &iterations, &samples, error) < 0)
      break;
    rs_json_append(&cases, make_case_samples(row, iterations, samples, stride, error));
    *kept += rs_divide_up(row->iterations, stride);
    free(iterations);
    free(samples);
    if (error->status != RS_OK)
      break;
  }
  return cases;
}

// ---- tables, by column ------------------------------------------------------------------------------------

static json_t *make_pairs(const struct rs_result *result) {
  json_t *object = json_object(), *cases = json_array(), *a = json_array(), *b = json_array(), *median = json_array(),
         *low = json_array(), *high = json_array(), *p99 = json_array();
  for (size_t i = 0; i < result->pair_count; i++) {
    const struct rs_pair_row *row = &result->pairs[i];
    rs_json_append(&cases, json_integer(row->case_id));
    rs_json_append(&a, json_integer(row->rank_a));
    rs_json_append(&b, json_integer(row->rank_b));
    rs_json_append(&median, rs_json_real(row->median_ns));
    rs_json_append(&low, rs_json_real(row->ci_low_ns));
    rs_json_append(&high, rs_json_real(row->ci_high_ns));
    rs_json_append(&p99, rs_json_real(row->p99_ns));
  }
  rs_json_set(&object, "case_id", cases);
  rs_json_set(&object, "rank_a", a);
  rs_json_set(&object, "rank_b", b);
  rs_json_set(&object, "median_ns", median);
  rs_json_set(&object, "ci_low_ns", low);
  rs_json_set(&object, "ci_high_ns", high);
  rs_json_set(&object, "p99_ns", p99);
  return object;
}

static json_t *make_links(const struct rs_result *result) {
  json_t *object = json_object(), *source = json_array(), *target = json_array(), *transport = json_array(),
         *delay = json_array(), *least = json_array();
  for (size_t i = 0; i < result->link_count; i++) {
    const struct rs_link_row *row = &result->links[i];
    rs_json_append(&source, json_integer(row->source));
    rs_json_append(&target, json_integer(row->target));
    rs_json_append(&transport, rs_json_text(row->transport, strnlen(row->transport, sizeof row->transport)));
    rs_json_append(&delay, rs_json_real(row->delay_ns));
    rs_json_append(&least, rs_json_real(row->min_ns));
  }
  rs_json_set(&object, "source", source);
  rs_json_set(&object, "target", target);
  rs_json_set(&object, "transport", transport);
  rs_json_set(&object, "delay_ns", delay);
  rs_json_set(&object, "min_ns", least);
  return object;
}

// [[host, key, value], ...]
static json_t *make_environment(const struct rs_result *result) {
  json_t *facts = json_array();
  for (size_t i = 0; i < result->environment_count; i++) {
    const struct rs_environment_row *row = &result->environment[i];
    json_t *fact = json_array();
    rs_json_append(&fact, json_integer(row->host));
    rs_json_append(&fact, rs_json_text(row->key, strnlen(row->key, sizeof row->key)));
    rs_json_append(&fact, rs_json_text(row->value, strnlen(row->value, sizeof row->value)));
    rs_json_append(&facts, fact);
  }
  return facts;
}

struct result_print {
  const struct rs_result *result;
  const struct rs_stragglers *stragglers;
};

static enum rs_status print_result(const void *subject, FILE *file, struct rs_error *error) {
  const struct result_print *print = subject;
  return rs_report_json(print->result, print->stragglers, file, error);
}

json_t *rs_page_data_make(const struct rs_result *result, size_t stride, uint64_t *kept, struct rs_error *error) {
  struct rs_stragglers stragglers;
  if (rs_stragglers_find(result, &stragglers, error) < 0)
    return NULL;
  struct result_print print = {result, &stragglers};
  json_t *object = rs_page_data_parse(print_result, &print, error);
  rs_stragglers_fini(&stragglers);
  if (object == NULL)
    return NULL;
  rs_json_set(&object, "pairs", make_pairs(result));
  rs_json_set(&object, "links", make_links(result));
  rs_json_set(&object, "environment", make_environment(result));
  rs_json_set(&object, "samples", make_samples(result, stride, kept, error));
  if (object == NULL && error->status == RS_OK)
    rs_error_set_memory(error, result->case_count, "the report's data");
  if (error->status != RS_OK) {
    json_decref(object);
    return NULL;
  }
  return object;
}
