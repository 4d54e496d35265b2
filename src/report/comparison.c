// Outline: every finished row of both sets becomes an entry; entries are sorted so that those of one case stand
// together, baseline first, launch by launch; then each such run gives one row of the comparison or is counted as left
// out, and adds to the sums of its classes. A class is judged once all cases are in.
#include "report/case_filter.h"
#include "report/comparison_classes.h"
#include "report/comparison_mismatch.h"
#include "report/comparison_sets.h"
#include "report/report_grid.h"
#include "ringside/report.h"

#include <math.h>
#include <stdlib.h>

struct entry {
  const struct rs_case_row *row;
  bool candidate;
  size_t launch; // index in its set
};

// A sorted run of entries of one case.
struct run {
  const struct entry *entries;
  size_t count;
};

// What is needed while runs are walked.
struct work {
  struct rs_comparison *comparison;
  struct rs_class_sums *sums;
  const struct rs_case_row **rows; // per launch, baseline's first: its row of the case, or NULL
  double *values, *scratch;        // per launch
};

static int compare_entries(const void *left, const void *right) {
  const struct entry *a = left, *b = right;
  int difference = rs_report_compare_rows(a->row, b->row, RS_FIELD_IDENTITY);
  if (difference != 0)
    return difference;
  if (a->candidate != b->candidate)
    return a->candidate ? 1 : -1;
  if (a->launch != b->launch)
    return a->launch < b->launch ? -1 : 1;
  return (a->row->case_id > b->row->case_id) - (a->row->case_id < b->row->case_id);
}

static size_t count_rows(const struct rs_comparison_set *set) {
  size_t count = 0;
  for (size_t l = 0; l < set->count; l++)
    count += set->launches[l]->case_count;
  return count;
}

static size_t collect_entries(const struct rs_comparison_set *set, bool candidate,
                              const struct rs_comparison_options *options, struct entry *entries) {
  size_t count = 0;
  for (size_t l = 0; l < set->count; l++) {
    for (size_t i = 0; i < set->launches[l]->case_count; i++) {
      const struct rs_case_row *row = &set->launches[l]->cases[i];
      if (row->finished && rs_case_filter_takes(options->where, options->where_count, row))
        entries[count++] = (struct entry){.row = row, .candidate = candidate, .launch = l};
    }
  }
  return count;
}

// The entries from `entries` on that belong to the same case.
static struct run find_run(const struct entry *entries, size_t count) {
  size_t end = 1;
  while (end < count && rs_report_compare_rows(entries[0].row, entries[end].row, RS_FIELD_IDENTITY) == 0)
    end++;
  return (struct run){.entries = entries, .count = end};
}

static bool is_usable(const struct rs_case_row *row) {
  return rs_report_usable(row) && isfinite(row->median_ns);
}

// Fills work->rows. Should a launch hold a case twice, its first row counts.
static void spread_run(const struct run *run, struct work *work) {
  const struct rs_comparison_set *sets = work->comparison->sets;
  for (size_t l = 0; l < sets[0].count + sets[1].count; l++)
    work->rows[l] = NULL;
  for (size_t i = 0; i < run->count; i++) {
    const struct entry *entry = &run->entries[i];
    size_t launch = entry->launch + (entry->candidate ? sets[0].count : 0);
    bool repeated = i > 0 && entry[-1].candidate == entry->candidate && entry[-1].launch == entry->launch;
    if (!repeated && is_usable(entry->row))
      work->rows[launch] = entry->row;
  }
}

static size_t collect_medians(const struct rs_case_row *const *rows, size_t count, double *medians) {
  size_t found = 0;
  for (size_t l = 0; l < count; l++)
    if (rows[l] != NULL)
      medians[found++] = rows[l]->median_ns;
  return found;
}

static double median_of(const double *values, size_t count, double *scratch) {
  for (size_t i = 0; i < count; i++)
    scratch[i] = values[i];
  return rs_stats_summarise(scratch, count).median;
}

// Two launches: the interval of each median is of its own iterations, so that of the ratio holds within these two only.
// Both hold at once with at least 1 - 2 x 5% (Bonferroni).
static void bound_ratio(const struct rs_case_row *baseline, const struct rs_case_row *candidate,
                        struct rs_comparison_row *row) {
  row->ratio = row->candidate_ns / row->baseline_ns;
  row->ratio_low = candidate->ci_low_ns / baseline->ci_high_ns;
  row->ratio_high = candidate->ci_high_ns / baseline->ci_low_ns;
  row->level_reached = 0;
  if (!(row->ratio_low > 0 && row->ratio_low <= row->ratio && row->ratio <= row->ratio_high) || isinf(row->ratio_high))
    row->ratio_low = row->ratio_high = NAN;
}

static const struct rs_case_row *first_row(const struct rs_case_row *const *rows, size_t count) {
  size_t l = 0;
  while (l + 1 < count && rows[l] == NULL)
    l++;
  return rows[l];
}

static void fill_row(struct work *work, struct rs_comparison_row *row) {
  const struct rs_comparison_set *sets = work->comparison->sets;
  row->baseline_launches = collect_medians(work->rows, sets[0].count, work->values);
  double *candidate = work->values + row->baseline_launches;
  row->candidate_launches = collect_medians(work->rows + sets[0].count, sets[1].count, candidate);
  if (row->baseline_launches == 0 || row->candidate_launches == 0)
    return;
  row->baseline = first_row(work->rows, sets[0].count);
  row->candidate = first_row(work->rows + sets[0].count, sets[1].count);
  row->baseline_ns = median_of(work->values, row->baseline_launches, work->scratch);
  row->candidate_ns = median_of(candidate, row->candidate_launches, work->scratch);
  if (row->baseline_launches == 1 && row->candidate_launches == 1) {
    bound_ratio(row->baseline, row->candidate, row);
    return;
  }
  struct rs_set_pair pair = {work->values, candidate, row->baseline_launches, row->candidate_launches};
  struct rs_shift ratio = rs_stats_ratio(&pair, work->comparison->level, work->scratch);
  row->ratio = ratio.estimate;
  row->ratio_low = ratio.interval.low;
  row->ratio_high = ratio.interval.high;
  row->level_reached = ratio.interval.reached;
}

static bool any_row(const struct run *run, enum rs_verified verified, bool candidate_only) {
  for (size_t i = 0; i < run->count; i++) {
    if (run->entries[i].row->verified == verified && (run->entries[i].candidate || !candidate_only))
      return true;
  }
  return false;
}

static void add_run(const struct run *run, struct work *work) {
  struct rs_comparison *comparison = work->comparison;
  if (any_row(run, RS_VERIFY_FAILED, false)) {
    comparison->unverified++;
    comparison->unverified_candidate += any_row(run, RS_VERIFY_FAILED, true);
    return;
  }
  struct rs_comparison_row row = {0};
  spread_run(run, work);
  fill_row(work, &row);
  comparison->baseline_only += row.candidate_launches == 0 && row.baseline_launches > 0;
  comparison->candidate_only += row.baseline_launches == 0 && row.candidate_launches > 0;
  if (row.baseline_launches == 0 || row.candidate_launches == 0)
    return;
  comparison->rows[comparison->row_count++] = row;
  comparison->unchecked += any_row(run, RS_NOT_VERIFIED, false);
  rs_class_sums_add(work->sums, row.baseline, work->rows);
}

// Why the sorted entries gave no row. Each set is shown its different cases.
static enum rs_status explain_mismatch(const struct entry *entries, size_t count, size_t cases,
                                       const struct rs_comparison *comparison, struct rs_error *error) {
  struct rs_case_set found[2] = {{.launches = comparison->sets[0].count}, {.launches = comparison->sets[1].count}};
  for (size_t s = 0; s < 2; s++)
    found[s].rows = rs_allocate(rs_max_size(cases, 1), sizeof(const struct rs_case_row *), "different cases", error);
  if (error->status != RS_OK)
    goto free_rows;
  for (size_t i = 0; i < count;) {
    struct run run = find_run(entries + i, count - i);
    const struct entry *last = &run.entries[run.count - 1];
    if (!run.entries->candidate)
      found[0].rows[found[0].count++] = run.entries->row;
    if (last->candidate)
      found[1].rows[found[1].count++] = last->row;
    i += run.count;
  }
  rs_comparison_mismatch(&found[0], &found[1], comparison->unverified, error);
free_rows:
  free(found[0].rows);
  free(found[1].rows);
  return error->status;
}

// Walks the cases of both sets.
static enum rs_status match_cases(const struct rs_comparison_options *options, struct work *work,
                                  struct rs_error *error) {
  struct rs_comparison *comparison = work->comparison;
  const struct rs_comparison_set *sets = comparison->sets;
  size_t capacity = rs_max_size(count_rows(&sets[0]) + count_rows(&sets[1]), 1);
  struct entry *entries = rs_allocate(capacity, sizeof *entries, "cases to compare", error);
  if (entries == NULL)
    return error->status;
  size_t count = collect_entries(&sets[0], false, options, entries);
  count += collect_entries(&sets[1], true, options, entries + count);
  if (count > 1)
    qsort(entries, count, sizeof *entries, compare_entries);
  size_t cases = 0;
  for (size_t i = 0; i < count; cases++)
    i += find_run(entries + i, count - i).count;
  comparison->rows = rs_allocate(rs_max_size(cases, 1), sizeof *comparison->rows, "compared cases", error);
  for (size_t i = 0; comparison->rows != NULL && i < count;) {
    struct run run = find_run(entries + i, count - i);
    add_run(&run, work);
    i += run.count;
  }
  if (error->status == RS_OK && comparison->row_count == 0)
    explain_mismatch(entries, count, cases, comparison, error);
  free(entries);
  return error->status;
}

static enum rs_status compare_sets(const struct rs_comparison_options *options, struct rs_comparison *comparison,
                                   struct rs_error *error) {
  size_t launches = comparison->sets[0].count + comparison->sets[1].count;
  struct rs_class_sums sums = {0};
  struct work work = {.comparison = comparison, .sums = &sums};
  work.rows = rs_allocate(launches, sizeof(const struct rs_case_row *), "rows of a case", error);
  work.values = rs_allocate(launches, sizeof *work.values, "values to compare", error);
  work.scratch = rs_allocate(launches, sizeof *work.scratch, "values to compare", error);
  enum rs_status status = error->status;
  if (status == RS_OK)
    status = rs_class_sums_init(&sums, comparison->sets[0].count, comparison->sets[1].count, error);
  if (status == RS_OK)
    status = match_cases(options, &work, error);
  if (status == RS_OK)
    status = rs_class_sums_judge(&sums, options->metrics, comparison, error);
  rs_class_sums_fini(&sums);
  free(work.scratch);
  free(work.values);
  free(work.rows);
  return status;
}

enum rs_status rs_comparison_make(const struct rs_result *const *baseline, size_t baseline_count,
                                  const struct rs_result *const *candidate, size_t candidate_count,
                                  const struct rs_comparison_options *options, struct rs_comparison *comparison,
                                  struct rs_error *error) {
  static const struct rs_comparison_options defaults = {0};
  if (options == NULL)
    options = &defaults;
  struct rs_comparison made = {
      .threshold = options->threshold > 0 ? options->threshold : RS_DECISION_THRESHOLD,
      .level = options->level > 0 ? options->level : RS_STATS_LEVEL,
  };
  const char *names[2] = {options->names[0] != NULL ? options->names[0] : "baseline",
                          options->names[1] != NULL ? options->names[1] : "candidate"};
  enum rs_status status = rs_case_filter_check(options->where, options->where_count, error);
  if (status == RS_OK)
    status = rs_comparison_set_make(baseline, baseline_count, names[0], &made.sets[0], error);
  if (status == RS_OK)
    status = rs_comparison_set_make(candidate, candidate_count, names[1], &made.sets[1], error);
  if (status == RS_OK)
    status = rs_comparison_sets_check(made.sets, error);
  if (status == RS_OK)
    status = compare_sets(options, &made, error);
  if (status == RS_OK)
    status = rs_comparison_differences(&made, options->explained_by, error);
  if (status == RS_OK)
    status = rs_comparison_warnings(&made, error);
  if (status == RS_OK)
    *comparison = made;
  else
    rs_comparison_fini(&made);
  return status;
}

void rs_comparison_fini(struct rs_comparison *comparison) {
  for (size_t s = 0; s < 2; s++)
    free(comparison->sets[s].launches);
  for (size_t c = 0; c < comparison->class_count; c++)
    for (size_t s = 0; s < 2; s++)
      free(comparison->classes[c].values[s]);
  for (size_t d = 0; d < comparison->difference_count; d++) {
    free(comparison->differences[d].field);
    free(comparison->differences[d].values[0]);
    free(comparison->differences[d].values[1]);
  }
  for (size_t w = 0; w < comparison->warning_count; w++)
    free(comparison->warnings[w]);
  free(comparison->differences);
  free(comparison->warnings);
  free(comparison->rows);
  *comparison = (struct rs_comparison){0};
}
