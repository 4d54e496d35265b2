// report: turns results into tables, JSON and CSV. Depends on store's plain structs and on stats; prints only to the
// FILE it is given.
#ifndef RINGSIDE_REPORT_H
#define RINGSIDE_REPORT_H

#include "ringside/base.h"
#include "ringside/stats.h"
#include "ringside/store.h"
#include "ringside/topology.h"

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
// A result's placement with what its labels claim (placement, hosts), into *view; the caller frees *devices, to which
// the view points.
enum rs_status rs_report_placement(const struct rs_result *result, struct rs_rank_device **devices,
                                   struct rs_placement_view *view, struct rs_error *error);
// A JSON object of a placement: hosts, ranks, what they talk through, distances and warnings. `result` is the path of
// what it is of; NULL: it is of this launch.
enum rs_status rs_report_topology(const char *result, const struct rs_placement_view *view, FILE *file,
                                  struct rs_error *error);
// Tidy CSV: one row per finished case; the columns are `file` and then the fields of /cases by name. NaN is an empty
// cell. `heading` writes the line of names, so that several results can follow one another under one of them.
void rs_report_csv(const struct rs_result *result, bool heading, FILE *file);
// A JSON object per line and finished case: its fields, the file's name, and the labels.
enum rs_status rs_report_jsonl(const struct rs_result *result, FILE *file, struct rs_error *error);
// Prometheus' text format, for the textfile collector: a gauge per figure, a label per field that says what was
// measured. Copies of a launch would stand twice, which Prometheus refuses: give each once.
void rs_report_prometheus(const struct rs_result *const *results, size_t count, FILE *file);
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

// Two sets of launches, matched by case. A launch's median of a case is one value, and a set has one per launch: what
// iterations of one launch say of another is nothing. ratio = candidate / baseline: below 1 the candidate is faster.
//
// Verdicts are spoken on a small family of classes only (what was measured x size class), each launch's value there
// being the geometric mean over the class's cases; the rows of single cases are for looking around.

enum rs_size_class { RS_SIZE_SMALL, RS_SIZE_MIDDLE, RS_SIZE_LARGE }; // up to 4 KiB, between, from 1 MiB on
#define RS_SIZE_CLASSES 3
// The median of collectives, isolated and streaming, which are two different numbers; of point to point; the p99 of
// isolated collectives.
enum rs_class_metric { RS_METRIC_TIME, RS_METRIC_STREAMING, RS_METRIC_PAIR_TIME, RS_METRIC_P99 };
#define RS_CLASS_METRICS 4
#define RS_METRIC_MASK(metric) (1U << (metric))
extern const char *const rs_size_class_names[RS_SIZE_CLASSES];    // "small", ...
extern const char *const rs_class_metric_names[RS_CLASS_METRICS]; // "time", "streaming_time", "p2p_time", "p99"

// Zero means the default everywhere.
struct rs_comparison_options {
  const char *names[2];     // of baseline and candidate, in words
  const char *explained_by; // a fact that is meant to differ: not named among the differences
  double threshold, level;  // RS_DECISION_THRESHOLD, RS_STATS_LEVEL
  const char *const *where; // "FIELD=VALUE", of /cases: only such cases; of one field, any of its values
  size_t where_count;
  // The metrics of the family, by RS_METRIC_MASK. By default all but p99, and point to point only where it does not
  // make the family larger than six.
  unsigned metrics;
};

struct rs_comparison_set {
  char name[64];
  const struct rs_result **launches; // a file that stands twice, or a copy of it (run_uuid), counts once
  size_t count, copies;
};

struct rs_comparison_class {
  enum rs_class_metric metric;
  enum rs_size_class size_class;
  uint64_t smallest, largest;  // sizes of the cases of both sets
  size_t case_count, left_out; // cases that every launch of both sets has; that some launch lacks
  double *values[2];           // one per launch, in ns, in the order of the launches; NULL when no case is left
  struct rs_decision decision; // without cases: undecided for its values
};

struct rs_comparison_row {
  const struct rs_case_row *baseline, *candidate; // a representative row of each set; for its identity only
  size_t baseline_launches, candidate_launches;
  double baseline_ns, candidate_ns;    // the median over launches
  double ratio, ratio_low, ratio_high; // of two sets: Hodges & Lehmann; of two launches: of both medians
  double level_reached;                // of the interval; 0: of two launches, and within these two only
};

// What one launch says of itself and the other set does not: the values of a set, and how many launches have each.
struct rs_comparison_difference {
  char *field, *values[2];
};

struct rs_comparison {
  struct rs_comparison_set sets[2]; // baseline, candidate
  double threshold, level;
  struct rs_comparison_class classes[RS_CLASS_METRICS * RS_SIZE_CLASSES]; // with cases in both sets
  size_t class_count;
  double p_smallest; // that these launches can reach, whatever they measure
  struct rs_comparison_row *rows;
  size_t row_count;
  struct rs_comparison_difference *differences; // the most suspicious first
  size_t difference_count;
  char **warnings;
  size_t warning_count;
  size_t baseline_only, candidate_only; // finished cases without a partner
  size_t unverified;                    // cases left out because a launch of either set got wrong data
  size_t unverified_candidate;          // of these, a launch of the candidate
  size_t unchecked;                     // rows that stand although a launch did not check its data
};
// Cases match when every field that says what was measured is equal (not times, ids, iterations). USAGE when the sets
// have no case in common, with what differs, when they share a launch, and for a filter that is none. The results must
// outlive the comparison. `options` may be NULL.
enum rs_status rs_comparison_make(const struct rs_result *const *baseline, size_t baseline_count,
                                  const struct rs_result *const *candidate, size_t candidate_count,
                                  const struct rs_comparison_options *options, struct rs_comparison *comparison,
                                  struct rs_error *error);
void rs_comparison_fini(struct rs_comparison *comparison); // {0} is fine
// "small messages (8 B..4 KiB)", "faster by 12% (9.1% .. 15%)", and the answer to the whole question in one sentence.
void rs_comparison_name_class(const struct rs_comparison_class *class, struct rs_text *text);
void rs_comparison_word(const struct rs_comparison *comparison, const struct rs_comparison_class *class,
                        struct rs_text *text);
void rs_comparison_sentence(const struct rs_comparison *comparison, struct rs_text *text);
// For people, at most 120 columns: differences, verdicts, cases, warnings, the answer.
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
void rs_report_library(char *text, size_t bytes);      // "jansson 2.14"
bool rs_report_page_library(char *text, size_t bytes); // "Apache ECharts 6.1.0"; false: "built without the page"

// Results by what they say of `field`: a label, a fact of hosts, ranks and devices, of the environment, of the
// configuration. Groups stand in the order of their first results.
struct rs_result_group {
  char *value;
  const struct rs_result **results;
  size_t count;
};
struct rs_result_groups {
  struct rs_result_group *items;
  size_t count;
};
// USAGE when a result does not say it, with what they do say.
enum rs_status rs_result_groups_make(const struct rs_result *const *results, size_t count, const char *field,
                                     struct rs_result_groups *groups, struct rs_error *error);
void rs_result_groups_fini(struct rs_result_groups *groups); // {0} is fine

// ---- choice: which of several settings is best ------------------------------------------------------------

// Groups of launches that differ in one thing (the placement, the image), each at its best: at every size a group is
// represented by its fastest implementation. Two groups are compared size by size, from the largest down until a size
// does not tell, and from the smallest up: sequences fixed beforehand, so that what they say holds together without a
// correction for the number of sizes (Maurer, Hothorn & Lehmacher 1995; Westfall & Krishen, J. Stat. Plan. Inf. 99,
// 2001). The level is shared among the pairs and the two directions.
struct rs_choice_cell {
  const struct rs_case_row *best; // of the group's first launch; NULL: no implementation is in all of its launches
  double time_ns;                 // the median over launches
  double *values;                 // one per launch, in ns
};
struct rs_choice_point { // one size
  uint64_t size_bytes;
  struct rs_choice_cell *cells;  // one per group
  struct rs_decision *decisions; // one per pair, see rs_choice_pair_index: second / first
};
// Sizes at which one of two groups is surely faster: an unbroken run from one end.
struct rs_choice_run {
  size_t first, count;     // points; count 0: none
  enum rs_verdict verdict; // FASTER: the pair's second group
};
struct rs_choice_family { // cases that may be held against one another at all
  const struct rs_case_row *identity;
  struct rs_choice_point *points; // rising
  size_t point_count;
  struct rs_choice_run *largest, *smallest; // per pair: from the largest size down, from the smallest up
  size_t best;                              // the group with the least geometric mean over the points that all have
  size_t common;                            // of those points; 0: best is not known
};
struct rs_choice {
  const struct rs_result_groups *groups;
  const char *field;
  size_t pair_count;
  double threshold, level;
  struct rs_choice_family *families;
  size_t family_count;
  size_t fewest_launches, launches_wanted; // of a group; that could decide at all
};
// The pair of two groups, first < second, among count groups: (0,1), (0,2), ..., (1,2), ...
size_t rs_choice_pair_index(size_t first, size_t second, size_t count);
// USAGE when the groups have no collective in common. `groups` must outlive the choice.
enum rs_status rs_choice_make(const struct rs_result_groups *groups, const char *field,
                              const struct rs_comparison_options *options, struct rs_choice *choice,
                              struct rs_error *error);
void rs_choice_fini(struct rs_choice *choice); // {0} is fine
// A table per family, then the answer in words.
void rs_choice_print(const struct rs_choice *choice, FILE *file);
enum rs_status rs_choice_json(const struct rs_choice *choice, FILE *file, struct rs_error *error);

// ---- gate -------------------------------------------------------------------------------------------------

// May the candidate ship? PASS: in every class it is surely not slower than tolerated, and nothing is missing. FAIL: in
// a class it surely is, or its data was wrong. Else UNDECIDED, as always where launches are too few.
struct rs_gate_options {
  double tolerances[RS_CLASS_METRICS][RS_SIZE_CLASSES]; // shares: 0.05
  bool allow_missing;                                   // cases of the baseline that not every launch has do not matter
};
struct rs_gate_check {
  char metric[24], name[96], reason[320];
  enum rs_gate result;
  const struct rs_comparison_class *class; // NULL: a check of the sets as a whole
  double tolerance;
  size_t launches_needed;
};
struct rs_gate_outcome {
  const struct rs_comparison *comparison;
  struct rs_gate_check checks[RS_CLASS_METRICS * RS_SIZE_CLASSES + 3];
  size_t check_count;
  enum rs_gate result;
};
extern const char *const rs_gate_names[]; // "undecided", "pass", "fail"
void rs_gate_judge(const struct rs_comparison *comparison, const struct rs_gate_options *options,
                   struct rs_gate_outcome *outcome);
// A line per check and the answer, for people.
void rs_gate_print(const struct rs_gate_outcome *outcome, FILE *file);
// GitHub's workflow commands: an ::error:: per failed check, a ::warning:: per undecided one.
void rs_gate_github(const struct rs_gate_outcome *outcome, FILE *file);
// A <testsuite>; begin and end write what stands around several.
void rs_gate_junit_begin(FILE *file);
void rs_gate_junit(const struct rs_gate_outcome *outcome, FILE *file);
void rs_gate_junit_end(FILE *file);
// The checks and the comparison.
enum rs_status rs_gate_json(const struct rs_gate_outcome *outcome, FILE *file, struct rs_error *error);

#endif
