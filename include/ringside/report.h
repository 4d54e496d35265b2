// report: turns results into tables, JSON and CSV. Depends on store's plain structs and on stats; prints only to the
// FILE it is given.
#ifndef RINGSIDE_REPORT_H
#define RINGSIDE_REPORT_H

#include "ringside/base.h"
#include "ringside/store.h"

// One result as a table for people: a header (when, where, how many ranks on how many hosts, transports), then one
// block per (collective, transport, datatype, operation, mode, in place, ...) with a row per size and a column group
// per implementation: median with interval, busbw, the fastest per size marked. Point to point: a line per size over
// all pairs, the slow ones by name, a heat map. Reduction kernels: GB/s beside memcpy. Background traffic: slowdown
// factors. Unfinished and failed cases are named.
void rs_report_table(const struct rs_result *result, FILE *file);
// A JSON object with attributes, hosts, ranks, cases and pairs (jansson), and with the stragglers unless they are NULL.
struct rs_stragglers;
enum rs_status rs_report_json(const struct rs_result *result, const struct rs_stragglers *stragglers, FILE *file,
                              struct rs_error *error);
// Tidy CSV: one row per finished case; the columns are `file` and then the fields of /cases by name. NaN is an empty
// cell. `heading` writes the line of names, so that several results can follow one another under one of them.
void rs_report_csv(const struct rs_result *result, bool heading, FILE *file);
// The columns of nccl-tests' text output, for scripts that read it; times in us, one block per case family. What is no
// collective is left out, and said so.
void rs_report_nccl_tests(const struct rs_result *result, FILE *file);

// ---- stragglers: which ranks keep the others waiting, how often and by how much ---------------------------

enum rs_straggler_kind {
  RS_STRAGGLER_ENTERED, // was the last to enter
  RS_STRAGGLER_LEFT,    // was the last to leave
  RS_STRAGGLER_TOOK,    // took longest by its own clock: all that can be said without a common one
};
// A rank that was last more often than chance explains (binomial test on as many iterations as they are worth, being
// dependent; Holm over all ranks and kinds of the case) and by an amount that matters: over 1% of the case's median and
// over three times what the clocks missed their prediction by.
struct rs_straggler {
  size_t index; // of the case in the result
  uint32_t rank;
  enum rs_straggler_kind kind;
  double share;   // of the counted iterations: how often it was last
  double late_ns; // how much later than the median of the other ranks; the median over counted iterations
  bool doubtful;  // no more than what the clocks may be wrong by (sync_bound_ns), so an error of theirs explains it too
};
// Such a rank over the whole run.
struct rs_straggler_rank {
  uint32_t rank;
  enum rs_straggler_kind kind;
  size_t cases;          // in which it was found, not counting doubtful ones
  double share, late_ns; // the medians over those cases
  // NULL, or the one implementation of several that showed it: then it may be the algorithm that lets this rank go
  // last.
  const char *only;
  bool run_wide; // in a quarter of the cases at least, and not of one implementation only
};
struct rs_stragglers {
  struct rs_straggler *findings; // case by case; in a case by kind, then the latest first
  size_t finding_count;
  struct rs_straggler_rank *ranks; // in most cases first
  size_t rank_count;
  size_t judged; // cases with several ranks and enough counted iterations
  size_t local;  // of these, cases without a common clock
};

// Over the counted iterations (flags == 0) of one case (in which a root, if any, excuses who leaves last or takes
// longest): writes at most `ranks` findings for each of two kinds, and their number to *count; `index` is left 0.
enum rs_status rs_stragglers_case(const struct rs_case_row *row, const struct rs_iteration_row *iterations,
                                  const struct rs_sample *samples, struct rs_straggler *findings, size_t *count,
                                  struct rs_error *error);
// Reads the samples of every finished collective that all ranks take part in. The result must outlive what is found.
enum rs_status rs_stragglers_find(const struct rs_result *result, struct rs_stragglers *stragglers,
                                  struct rs_error *error);
void rs_stragglers_fini(struct rs_stragglers *stragglers); // {0} is fine
// A table per case with findings, the run as a whole, and how to read them.
void rs_stragglers_print(const struct rs_result *result, const struct rs_stragglers *stragglers, FILE *file);
// One line for the end of another table, on the run-wide findings; nothing when there are none.
void rs_stragglers_note(const struct rs_result *result, const struct rs_stragglers *stragglers, FILE *file);

// ---- comparison -------------------------------------------------------------------------------------------

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

// ---- web page ---------------------------------------------------------------------------------------------

struct rs_result_list {
  const struct rs_result *const *results;
  size_t count;
};
// What a page shows: results, or with a candidate both sets and how they compare. Nothing is owned.
struct rs_report_page {
  struct rs_result_list results, candidate; // candidate: {0} when nothing is compared
  const struct rs_comparison *comparison;   // or NULL
};
// One HTML file that needs nothing else: charts, tables and data. Of more than a million iterations only every
// second, third, ... one is embedded, and the page says so; its figures are of all.
enum rs_status rs_report_html(const struct rs_report_page *page, FILE *file, struct rs_error *error);
// UNSUPPORTED, with the reason and what to do, when ringside was built without the page (docs/report.md).
enum rs_status rs_report_html_ready(struct rs_error *error);

#endif
