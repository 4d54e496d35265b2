// Outline: every finished row of both sets becomes an entry; entries are sorted so that those of one case stand
// together, baseline first, launch by launch; then each such run gives one row of the comparison or is counted as left
// out.
#include "report/comparison_mismatch.h"
#include "report/report_grid.h"
#include "ringside/report.h"
#include "ringside/stats.h"

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

static size_t count_rows(const struct rs_case_set *set) {
  size_t count = 0;
  for (size_t r = 0; r < set->count; r++)
    count += set->results[r]->case_count;
  return count;
}

static size_t collect_entries(const struct rs_case_set *set, bool candidate, struct entry *entries) {
  size_t count = 0;
  for (size_t r = 0; r < set->count; r++) {
    for (size_t i = 0; i < set->results[r]->case_count; i++) {
      const struct rs_case_row *row = &set->results[r]->cases[i];
      if (row->finished)
        entries[count++] = (struct entry){.row = row, .candidate = candidate, .launch = r};
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

// The median over one set's launches of their medians. Should a launch hold a case twice, its first row counts.
static double set_median(const struct run *run, bool candidate, double *medians, size_t *launches) {
  size_t count = 0;
  for (size_t i = 0; i < run->count; i++) {
    const struct entry *entry = &run->entries[i];
    bool repeated = i > 0 && entry[-1].candidate == candidate && entry[-1].launch == entry->launch;
    if (entry->candidate == candidate && !repeated && rs_report_usable(entry->row))
      medians[count++] = entry->row->median_ns;
  }
  *launches = count;
  return rs_stats_summarise(medians, count).median;
}

static bool any_row(const struct run *run, enum rs_verified verified) {
  for (size_t i = 0; i < run->count; i++) {
    if (run->entries[i].row->verified == verified)
      return true;
  }
  return false;
}

static void add_run(const struct run *run, double *medians, struct rs_comparison *comparison) {
  if (any_row(run, RS_VERIFY_FAILED)) {
    comparison->unverified++;
    return;
  }
  struct rs_comparison_row row = {.baseline = run->entries[0].row, .candidate = run->entries[run->count - 1].row};
  row.baseline_ns = set_median(run, false, medians, &row.baseline_launches);
  row.candidate_ns = set_median(run, true, medians, &row.candidate_launches);
  comparison->baseline_only += row.candidate_launches == 0 && row.baseline_launches > 0;
  comparison->candidate_only += row.baseline_launches == 0 && row.candidate_launches > 0;
  if (row.baseline_launches == 0 || row.candidate_launches == 0)
    return;
  row.ratio = row.candidate_ns / row.baseline_ns;
  comparison->rows[comparison->row_count++] = row;
  comparison->unchecked += any_row(run, RS_NOT_VERIFIED);
}

enum rs_status rs_comparison_make(const struct rs_result *const *baseline, size_t baseline_count,
                                  const struct rs_result *const *candidate, size_t candidate_count,
                                  struct rs_comparison *comparison, struct rs_error *error) {
  struct rs_case_set sets[2] = {{baseline, baseline_count}, {candidate, candidate_count}};
  size_t capacity = count_rows(&sets[0]) + count_rows(&sets[1]);
  struct rs_comparison made = {0};
  struct entry *entries = rs_allocate(rs_max_size(capacity, 1), sizeof(*entries), "cases to compare", error);
  double *medians = rs_allocate(rs_max_size(capacity, 1), sizeof(*medians), "medians to compare", error);
  made.rows = rs_allocate(rs_max_size(capacity, 1), sizeof(*made.rows), "compared cases", error);
  enum rs_status status = RS_OK;
  if (entries == NULL || medians == NULL || made.rows == NULL) {
    status = error->status;
    goto free_entries;
  }
  size_t count = collect_entries(&sets[0], false, entries);
  count += collect_entries(&sets[1], true, entries + count);
  if (count > 1)
    qsort(entries, count, sizeof(*entries), compare_entries);
  for (size_t i = 0; i < count;) {
    struct run run = find_run(entries + i, count - i);
    add_run(&run, medians, &made);
    i += run.count;
  }
  if (made.row_count == 0)
    status = rs_comparison_mismatch(&sets[0], &sets[1], made.unverified, error);
  if (status == RS_OK)
    *comparison = made;

free_entries:
  if (status != RS_OK)
    free(made.rows);
  free(medians);
  free(entries);
  return status;
}

void rs_comparison_fini(struct rs_comparison *comparison) {
  free(comparison->rows);
  *comparison = (struct rs_comparison){0};
}
