// report: turns results into tables, JSON and CSV. Depends on store's plain structs and on stats; prints only to the
// FILE it is given.
#ifndef RINGSIDE_REPORT_H
#define RINGSIDE_REPORT_H

#include "ringside/base.h"
#include "ringside/store.h"

// One result as a table for people: a header (when, where, how many ranks on how many hosts, transports), then one
// block per (collective, transport, datatype, operation, mode, in place, ...) with a row per size and a column group
// per implementation: median with interval, busbw, the fastest per size marked. Unfinished and failed cases are named.
void rs_report_table(const struct rs_result *result, FILE *file);
// A JSON object with attributes, hosts, ranks and cases (jansson).
enum rs_status rs_report_json(const struct rs_result *result, FILE *file, struct rs_error *error);
// Tidy CSV: one row per finished case; the columns are `file` and then the fields of /cases by name. NaN is an empty
// cell. `heading` writes the line of names, so that several results can follow one another under one of them.
void rs_report_csv(const struct rs_result *result, bool heading, FILE *file);
// The columns of nccl-tests' text output, for scripts that read it; times in us, one block per case family.
void rs_report_nccl_tests(const struct rs_result *result, FILE *file);

// Sets against each other, matched by case. Each launch's median of a case is one value; a set's figure is the median
// over its launches; ratio = candidate / baseline (below 1: the candidate is faster).
struct rs_comparison_row {
  const struct rs_case_row *baseline, *candidate; // a representative row of each set; for its identity only
  size_t baseline_launches, candidate_launches;
  double baseline_ns, candidate_ns, ratio;
};
struct rs_comparison {
  struct rs_comparison_row *rows;
  size_t row_count;
  size_t baseline_only, candidate_only; // finished cases without a partner
  size_t unverified;                    // cases left out because a launch of either set got wrong data
  size_t unchecked;                     // rows that stand although a launch did not check its data
};
// Cases match when every field that says what was measured is equal (not times, ids, iterations). USAGE when the sets
// have no case in common, with what differs.
enum rs_status rs_comparison_make(const struct rs_result *const *baseline, size_t baseline_count,
                                  const struct rs_result *const *candidate, size_t candidate_count,
                                  struct rs_comparison *comparison, struct rs_error *error);
void rs_comparison_fini(struct rs_comparison *comparison);
void rs_comparison_print(const struct rs_comparison *comparison, FILE *file);
enum rs_status rs_comparison_json(const struct rs_comparison *comparison, FILE *file, struct rs_error *error);

#endif
