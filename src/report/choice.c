// Which of several settings is best: every group of launches at its best, compared pair by pair and size by size.
#include "report/case_filter.h"
#include "report/report_grid.h"
#include "ringside/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FAMILY_ROLES (RS_FIELD_FAMILY | RS_FIELD_ELEMENT | RS_FIELD_PLACE | RS_FIELD_TRAFFIC | RS_FIELD_PAIRING)
#define SIZES_MAX 256
#define FAMILIES_MAX 64
// From the largest size down, and from the smallest up.
#define DIRECTIONS 2

size_t rs_choice_pair_index(size_t first, size_t second, size_t count) {
  return first * count - first * (first + 1) / 2 + second - first - 1;
}

// ---- what there is ----------------------------------------------------------------------------------------

static bool counts(const struct rs_comparison_options *options, const struct rs_case_row *row) {
  return rs_report_collective(row) && rs_report_usable(row) && (row->congestor[0] == '\0' || rs_report_quiet(row)) &&
         rs_case_filter_takes(options->where, options->where_count, row);
}

static struct rs_choice_family *family_of(struct rs_choice *choice, const struct rs_case_row *row) {
  for (size_t f = 0; f < choice->family_count; f++)
    if (rs_report_compare_rows(choice->families[f].identity, row, FAMILY_ROLES) == 0)
      return &choice->families[f];
  if (choice->family_count == FAMILIES_MAX)
    return NULL;
  struct rs_choice_family *family = &choice->families[choice->family_count++];
  family->identity = row;
  return family;
}

// Keeps the points rising.
static void add_size(struct rs_choice_family *family, uint64_t size_bytes) {
  size_t p = family->point_count;
  while (p > 0 && family->points[p - 1].size_bytes > size_bytes)
    p--;
  if (family->point_count == SIZES_MAX || (p > 0 && family->points[p - 1].size_bytes == size_bytes))
    return;
  for (size_t last = family->point_count++; last > p; last--)
    family->points[last] = family->points[last - 1];
  family->points[p] = (struct rs_choice_point){.size_bytes = size_bytes};
}

// Families and sizes, as the first launch of every group has them.
static enum rs_status find_points(const struct rs_comparison_options *options, struct rs_choice *choice,
                                  struct rs_error *error) {
  for (size_t g = 0; g < choice->groups->count; g++) {
    const struct rs_result *result = choice->groups->items[g].results[0];
    for (size_t c = 0; c < result->case_count; c++) {
      const struct rs_case_row *row = &result->cases[c];
      struct rs_choice_family *family = counts(options, row) ? family_of(choice, row) : NULL;
      if (family == NULL)
        continue;
      if (family->points == NULL)
        family->points = rs_allocate(SIZES_MAX, sizeof *family->points, "sizes to compare", error);
      if (family->points == NULL)
        return error->status;
      add_size(family, row->size_bytes);
    }
  }
  return RS_OK;
}

// ---- a group at its best ----------------------------------------------------------------------------------

static const struct rs_case_row *find_same(const struct rs_comparison_options *options, const struct rs_result *result,
                                           const struct rs_case_row *wanted) {
  for (size_t c = 0; c < result->case_count; c++) {
    const struct rs_case_row *row = &result->cases[c];
    if (row->size_bytes == wanted->size_bytes && rs_report_compare_rows(row, wanted, RS_FIELD_IDENTITY) == 0)
      return counts(options, row) ? row : NULL;
  }
  return NULL;
}

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median_of(const double *values, size_t count, double *scratch) {
  for (size_t i = 0; i < count; i++)
    scratch[i] = values[i];
  qsort(scratch, count, sizeof *scratch, compare_doubles);
  return (scratch[(count - 1) / 2] + scratch[count / 2]) / 2;
}

// The times of one implementation in all launches of the group; false when a launch lacks it.
static bool take_values(const struct rs_comparison_options *options, const struct rs_result_group *group,
                        const struct rs_case_row *row, double *values) {
  for (size_t l = 0; l < group->count; l++) {
    const struct rs_case_row *same = find_same(options, group->results[l], row);
    if (same == NULL)
      return false;
    values[l] = same->median_ns;
  }
  return true;
}

static enum rs_status fill_cell(const struct rs_comparison_options *options, const struct rs_choice_family *family,
                                uint64_t size_bytes, const struct rs_result_group *group, struct rs_choice_cell *cell,
                                struct rs_error *error) {
  const struct rs_result *first = group->results[0];
  double *values = rs_allocate(2 * group->count, sizeof *values, "values of launches", error);
  cell->values = rs_allocate(group->count, sizeof *values, "values of launches", error);
  for (size_t c = 0; values != NULL && cell->values != NULL && c < first->case_count; c++) {
    const struct rs_case_row *row = &first->cases[c];
    if (row->size_bytes != size_bytes || !counts(options, row) ||
        rs_report_compare_rows(row, family->identity, FAMILY_ROLES) != 0 || !take_values(options, group, row, values))
      continue;
    double time_ns = median_of(values, group->count, values + group->count);
    if (cell->best != NULL && time_ns >= cell->time_ns)
      continue;
    cell->best = row;
    cell->time_ns = time_ns;
    for (size_t l = 0; l < group->count; l++)
      cell->values[l] = values[l];
  }
  free(values);
  return error->status;
}

// ---- comparing --------------------------------------------------------------------------------------------

static void decide(const struct rs_choice *choice, const struct rs_choice_point *point, size_t first, size_t second,
                   double *scratch, struct rs_decision *decision) {
  const struct rs_result_group *groups = choice->groups->items;
  struct rs_set_pair pair = {point->cells[first].values, point->cells[second].values, groups[first].count,
                             groups[second].count};
  double level = 1 - (1 - choice->level) / (double)(DIRECTIONS * choice->pair_count);
  *decision = (struct rs_decision){.doubt = RS_DOUBT_VALUES, .ratio = NAN, .ratio_low = NAN, .ratio_high = NAN};
  if (point->cells[first].best != NULL && point->cells[second].best != NULL)
    rs_stats_decide(&pair, 1, choice->threshold, level, scratch, decision);
}

static enum rs_status fill_point(const struct rs_comparison_options *options, const struct rs_choice *choice,
                                 const struct rs_choice_family *family, double *scratch, struct rs_choice_point *point,
                                 struct rs_error *error) {
  size_t count = choice->groups->count;
  point->cells = rs_allocate(count, sizeof *point->cells, "groups at a size", error);
  point->decisions = rs_allocate(choice->pair_count, sizeof *point->decisions, "pairs at a size", error);
  if (point->cells == NULL || point->decisions == NULL)
    return error->status;
  for (size_t g = 0; g < count; g++)
    if (fill_cell(options, family, point->size_bytes, &choice->groups->items[g], &point->cells[g], error) < 0)
      return error->status;
  for (size_t a = 0; a < count; a++)
    for (size_t b = a + 1; b < count; b++)
      decide(choice, point, a, b, scratch, &point->decisions[rs_choice_pair_index(a, b, count)]);
  return RS_OK;
}

// The unbroken run of one decided verdict that begins at an end of the sizes.
static struct rs_choice_run find_run(const struct rs_choice_family *family, size_t pair, bool from_largest) {
  struct rs_choice_run run = {0};
  for (size_t i = 0; i < family->point_count; i++) {
    size_t p = from_largest ? family->point_count - 1 - i : i;
    enum rs_verdict verdict = family->points[p].decisions[pair].verdict;
    if ((verdict != RS_FASTER && verdict != RS_SLOWER) || (run.count > 0 && verdict != run.verdict))
      break;
    run.verdict = verdict;
    run.first = from_largest ? p : 0;
    run.count++;
  }
  return run;
}

static void find_best(const struct rs_choice *choice, struct rs_choice_family *family) {
  size_t count = choice->groups->count;
  double least = INFINITY;
  for (size_t g = 0; g < count; g++) {
    double sum = 0;
    size_t common = 0;
    for (size_t p = 0; p < family->point_count; p++) {
      bool all = true;
      for (size_t h = 0; h < count; h++)
        all = all && family->points[p].cells[h].best != NULL;
      sum += all ? log(family->points[p].cells[g].time_ns) : 0;
      common += all;
    }
    family->common = common;
    if (common > 0 && sum < least) {
      least = sum;
      family->best = g;
    }
  }
}

static enum rs_status fill_family(const struct rs_comparison_options *options, const struct rs_choice *choice,
                                  double *scratch, struct rs_choice_family *family, struct rs_error *error) {
  family->largest = rs_allocate(choice->pair_count, sizeof *family->largest, "pairs", error);
  family->smallest = rs_allocate(choice->pair_count, sizeof *family->smallest, "pairs", error);
  if (family->largest == NULL || family->smallest == NULL)
    return error->status;
  for (size_t p = 0; p < family->point_count; p++)
    if (fill_point(options, choice, family, scratch, &family->points[p], error) < 0)
      return error->status;
  for (size_t pair = 0; pair < choice->pair_count; pair++) {
    family->largest[pair] = find_run(family, pair, true);
    family->smallest[pair] = find_run(family, pair, false);
  }
  find_best(choice, family);
  return RS_OK;
}

static void free_family(const struct rs_choice *choice, struct rs_choice_family *family) {
  for (size_t p = 0; p < family->point_count; p++) {
    struct rs_choice_point *point = &family->points[p];
    for (size_t g = 0; point->cells != NULL && g < choice->groups->count; g++)
      free(point->cells[g].values);
    free(point->cells);
    free(point->decisions);
  }
  free(family->points);
  free(family->largest);
  free(family->smallest);
}

// Families that only some groups have say nothing.
static void drop_lonely(struct rs_choice *choice) {
  size_t kept = 0;
  for (size_t f = 0; f < choice->family_count; f++) {
    if (choice->families[f].common > 0)
      choice->families[kept++] = choice->families[f];
    else
      free_family(choice, &choice->families[f]);
  }
  choice->family_count = kept;
}

// The fewest launches of each of two groups that reach the level: 2 / C(2 n, n).
static size_t launches_wanted(const struct rs_choice *choice) {
  double alpha = (1 - choice->level) / (double)(DIRECTIONS * choice->pair_count), ways = 1;
  size_t n = 0;
  while (n < RS_LAUNCHES_MANY && 2 / ways > alpha) {
    n++;
    ways *= (4 * (double)n - 2) / (double)n;
  }
  return n;
}

// A launch that counts twice would pass for more than is known.
static enum rs_status refuse_copies(const struct rs_result_groups *groups, struct rs_error *error) {
  for (size_t g = 0; g < groups->count; g++)
    for (size_t l = 0; l < groups->items[g].count; l++)
      for (size_t k = l + 1; k < groups->items[g].count; k++) {
        const struct rs_result *a = groups->items[g].results[l], *b = groups->items[g].results[k];
        if (a->run_uuid[0] != '\0' && strcmp(a->run_uuid, b->run_uuid) == 0)
          return rs_error_set(error, RS_ERROR_USAGE, "%s and %s are the same launch; name one of them", a->path,
                              b->path);
      }
  return RS_OK;
}

enum rs_status rs_choice_make(const struct rs_result_groups *groups, const char *field,
                              const struct rs_comparison_options *options, struct rs_choice *choice,
                              struct rs_error *error) {
  struct rs_choice made = {
      .groups = groups,
      .field = field,
      .pair_count = groups->count * (groups->count - 1) / 2,
      .threshold = options->threshold > 0 ? options->threshold : RS_DECISION_THRESHOLD,
      .level = options->level > 0 ? options->level : RS_STATS_LEVEL,
  };
  if (groups->count < 2)
    return rs_error_set(error, RS_ERROR_USAGE, "all files say the same of '%s': there is nothing to choose", field);
  if (rs_case_filter_check(options->where, options->where_count, error) < 0 || refuse_copies(groups, error) < 0)
    return error->status;
  size_t most = 0;
  made.fewest_launches = SIZE_MAX;
  for (size_t g = 0; g < groups->count; g++) {
    most = rs_max_size(most, groups->items[g].count);
    made.fewest_launches = rs_min_size(made.fewest_launches, groups->items[g].count);
  }
  made.launches_wanted = launches_wanted(&made);
  made.families = rs_allocate(FAMILIES_MAX, sizeof *made.families, "families of cases", error);
  double *scratch = rs_allocate(2 * most + 3, sizeof *scratch, "values of launches", error);
  if (made.families != NULL && scratch != NULL && find_points(options, &made, error) == RS_OK)
    for (size_t f = 0; f < made.family_count && error->status == RS_OK; f++)
      fill_family(options, &made, scratch, &made.families[f], error);
  free(scratch);
  if (error->status == RS_OK)
    drop_lonely(&made);
  if (error->status == RS_OK && made.family_count == 0)
    rs_error_set(error, RS_ERROR_USAGE,
                 "the launches have no finished collective of one size in common%s; measure all with one configuration",
                 options->where_count > 0 ? " that --where takes" : "");
  if (error->status == RS_OK)
    *choice = made;
  else
    rs_choice_fini(&made);
  return error->status;
}

void rs_choice_fini(struct rs_choice *choice) {
  for (size_t f = 0; f < choice->family_count; f++)
    free_family(choice, &choice->families[f]);
  free(choice->families);
  *choice = (struct rs_choice){0};
}
