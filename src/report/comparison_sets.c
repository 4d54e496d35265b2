#include "report/comparison_sets.h"

#include "report/launch_facts.h"

#include <stdlib.h>
#include <string.h>

// ---- launches ---------------------------------------------------------------------------------------------

struct launch {
  const struct rs_result *result;
  size_t index; // in the caller's order
  bool copy;
};

// Launches are told apart by run_uuid; files without one by their path.
static const char *identity(const struct rs_result *launch) {
  return launch->run_uuid[0] != '\0' ? launch->run_uuid : launch->path != NULL ? launch->path : "";
}

static int compare_identities(const void *left, const void *right) {
  const struct launch *a = left, *b = right;
  int difference = strcmp(identity(a->result), identity(b->result));
  return difference != 0 ? difference : (a->index > b->index) - (a->index < b->index);
}

static int compare_indices(const void *left, const void *right) {
  const struct launch *a = left, *b = right;
  return (a->index > b->index) - (a->index < b->index);
}

// Sorts by identity and marks all but the first of each as copies.
static void mark_copies(struct launch *launches, size_t count) {
  if (count > 1)
    qsort(launches, count, sizeof *launches, compare_identities);
  for (size_t i = 1; i < count; i++)
    launches[i].copy = strcmp(identity(launches[i - 1].result), identity(launches[i].result)) == 0;
}

enum rs_status rs_comparison_set_make(const struct rs_result *const *results, size_t count, const char *name,
                                      struct rs_comparison_set *set, struct rs_error *error) {
  if (count == 0)
    return rs_error_set(error, RS_ERROR_USAGE, "comparing: the %s is empty", name);
  struct rs_comparison_set made = {0};
  struct launch *launches = rs_allocate(count, sizeof *launches, "launches", error);
  made.launches = rs_allocate(count, sizeof(const struct rs_result *), "launches", error);
  if (launches == NULL || made.launches == NULL) {
    free(launches);
    free(made.launches);
    return error->status;
  }
  for (size_t i = 0; i < count; i++)
    launches[i] = (struct launch){.result = results[i], .index = i};
  mark_copies(launches, count);
  if (count > 1)
    qsort(launches, count, sizeof *launches, compare_indices);
  for (size_t i = 0; i < count; i++) {
    if (launches[i].copy)
      made.copies++;
    else
      made.launches[made.count++] = launches[i].result;
  }
  free(launches);
  snprintf(made.name, sizeof made.name, "%s", name);
  *set = made;
  return RS_OK;
}

enum rs_status rs_comparison_sets_check(const struct rs_comparison_set sets[2], struct rs_error *error) {
  size_t count = sets[0].count + sets[1].count;
  struct launch *launches = rs_allocate(count, sizeof *launches, "launches", error);
  if (launches == NULL)
    return error->status;
  for (size_t i = 0; i < count; i++) {
    bool second = i >= sets[0].count;
    launches[i] = (struct launch){.result = sets[second].launches[second ? i - sets[0].count : i], .index = i};
  }
  mark_copies(launches, count);
  for (size_t i = 1; i < count; i++)
    if (launches[i].copy)
      rs_error_set(error, RS_ERROR_USAGE,
                   "comparing: %s and %s are one launch, which cannot stand on both sides; leave it out of one",
                   launches[i - 1].result->path, launches[i].result->path);
  free(launches);
  return error->status;
}

// ---- differences between the sets -------------------------------------------------------------------------

// A fact of one launch of set 0 or 1.
struct finding {
  struct rs_launch_fact fact;
  size_t set;
};

static int compare_findings(const void *left, const void *right) {
  const struct finding *a = left, *b = right;
  if (a->fact.suspicion != b->fact.suspicion)
    return a->fact.suspicion < b->fact.suspicion ? -1 : 1;
  int difference = strcmp(a->fact.name, b->fact.name);
  if (difference == 0)
    difference = (a->set > b->set) - (a->set < b->set);
  return difference != 0 ? difference : strcmp(a->fact.value, b->fact.value);
}

static enum rs_status add_findings(const struct rs_comparison_set *set, size_t index, struct finding **findings,
                                   size_t *count, size_t *capacity, struct rs_error *error) {
  for (size_t l = 0; l < set->count; l++) {
    struct rs_launch_facts facts = {0};
    if (rs_launch_facts_read(set->launches[l], &facts, error) < 0)
      return error->status;
    if (*count + facts.count > *capacity) {
      size_t larger = 2 * *capacity + facts.count;
      struct finding *moved = realloc(*findings, larger * sizeof *moved);
      if (moved == NULL) {
        rs_launch_facts_fini(&facts);
        return rs_error_set_memory(error, larger * sizeof *moved, "facts of launches");
      }
      *findings = moved;
      *capacity = larger;
    }
    for (size_t f = 0; f < facts.count; f++)
      (*findings)[(*count)++] = (struct finding){facts.items[f], index};
    free(facts.items); // its texts are the findings' now
  }
  return RS_OK;
}

#define VALUES_NAMED_MAX 4

// What the launches of one set say of a field: "6.1.0", or "6.1.0 (9 of 10), 6.5.0 (1 of 10)". Launches that do not say
// count as "not known".
static char *describe(const struct finding *findings, size_t count, size_t launches) {
  struct rs_text text = {0};
  size_t named = 0;
  for (size_t i = 0, end; i < count; i = end) {
    for (end = i + 1; end < count && strcmp(findings[i].fact.value, findings[end].fact.value) == 0;)
      end++;
    if (named++ == VALUES_NAMED_MAX) {
      rs_text_append(&text, ", ...");
      break;
    }
    rs_text_append(&text, "%s%s", named == 1 ? "" : ", ", findings[i].fact.value);
    if (end - i < launches)
      rs_text_append(&text, " (%zu of %zu)", end - i, launches);
  }
  if (count < launches)
    rs_text_append(&text, "%snot known", count == 0 ? "" : ", ");
  return text.failed ? NULL : text.data;
}

// Whether both sorted runs hold the same values, as often for their number of launches.
static bool same_values(const struct finding *findings, size_t first_count, size_t second_count,
                        const struct rs_comparison_set sets[2]) {
  const struct finding *first = findings, *second = findings + first_count;
  size_t i = 0, j = 0;
  while (i < first_count || j < second_count) {
    const char *value = i < first_count ? first[i].fact.value : second[j].fact.value;
    size_t in_first = 0, in_second = 0;
    for (; i < first_count && strcmp(first[i].fact.value, value) == 0; i++)
      in_first++;
    for (; j < second_count && strcmp(second[j].fact.value, value) == 0; j++)
      in_second++;
    if (in_first * sets[1].count != in_second * sets[0].count)
      return false;
  }
  return true;
}

static enum rs_status add_difference(struct rs_comparison *comparison, const struct finding *findings,
                                     const size_t counts[2], struct rs_error *error) {
  struct rs_comparison_difference *item = &comparison->differences[comparison->difference_count++];
  item->field = strdup(findings->fact.name);
  item->values[0] = describe(findings, counts[0], comparison->sets[0].count);
  item->values[1] = describe(findings + counts[0], counts[1], comparison->sets[1].count);
  if (item->field == NULL || item->values[0] == NULL || item->values[1] == NULL)
    return rs_error_set_memory(error, 1, "differences of launches");
  return RS_OK;
}

// The meant fact may be named without its kind: "placement" for "label.placement".
static bool is_meant(const char *name, const char *meant) {
  const char *dot = strchr(name, '.');
  return meant != NULL && (strcmp(name, meant) == 0 || (dot != NULL && strcmp(dot + 1, meant) == 0));
}

static enum rs_status collect_differences(struct rs_comparison *comparison, const struct finding *findings,
                                          size_t count, const char *meant, struct rs_error *error) {
  enum rs_status status = RS_OK;
  size_t names = 0;
  for (size_t i = 0; i < count; i++)
    names += i == 0 || strcmp(findings[i - 1].fact.name, findings[i].fact.name) != 0;
  comparison->differences = rs_allocate(rs_max_size(names, 1), sizeof *comparison->differences, "differences", error);
  if (comparison->differences == NULL)
    return error->status;
  for (size_t i = 0, end; status == RS_OK && i < count; i = end) {
    size_t counts[2] = {0, 0};
    for (end = i; end < count && strcmp(findings[i].fact.name, findings[end].fact.name) == 0; end++)
      counts[findings[end].set]++;
    if (!is_meant(findings[i].fact.name, meant) && !same_values(findings + i, counts[0], counts[1], comparison->sets))
      status = add_difference(comparison, findings + i, counts, error);
  }
  return status;
}

enum rs_status rs_comparison_differences(struct rs_comparison *comparison, const char *meant, struct rs_error *error) {
  struct finding *findings = NULL;
  size_t count = 0, capacity = 0;
  enum rs_status status = RS_OK;
  for (size_t s = 0; status == RS_OK && s < 2; s++)
    status = add_findings(&comparison->sets[s], s, &findings, &count, &capacity, error);
  if (count > 1)
    qsort(findings, count, sizeof *findings, compare_findings);
  if (status == RS_OK)
    status = collect_differences(comparison, findings, count, meant, error);
  for (size_t i = 0; i < count; i++) {
    free(findings[i].fact.name);
    free(findings[i].fact.value);
  }
  free(findings);
  return status;
}
