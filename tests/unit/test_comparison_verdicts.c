// Verdicts, words and warnings of comparisons, and what a gate makes of them, on made-up launches.
#include "ringside/report.h"
#include "support/result_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LAUNCHES 10

// [0 .. 9] baseline, [10 .. 19] candidate.
struct sets {
  struct rs_result_fixture fixtures[2 * LAUNCHES];
  const struct rs_result *results[2 * LAUNCHES];
  struct rs_comparison comparison;
};

static int make_sets(void **state) {
  struct sets *sets = calloc(1, sizeof(*sets));
  assert_non_null(sets);
  for (size_t i = 0; i < 2 * LAUNCHES; i++) {
    struct rs_result *result = &sets->fixtures[i].result;
    rs_result_fixture_init(&sets->fixtures[i]);
    snprintf(result->run_uuid, sizeof result->run_uuid, "launch-%zu", i);
    // Interleaved: A B A B ...
    snprintf(result->created, sizeof result->created, "2026-11-23T10:%02zu:00Z", 2 * (i % LAUNCHES) + i / LAUNCHES);
    sets->results[i] = result;
  }
  *state = sets;
  return 0;
}

static int free_sets(void **state) {
  struct sets *sets = *state;
  rs_comparison_fini(&sets->comparison);
  free(sets);
  return 0;
}

static enum rs_status compare(struct sets *sets, size_t baseline, size_t candidate,
                              const struct rs_comparison_options *options, struct rs_error *error) {
  rs_comparison_fini(&sets->comparison);
  return rs_comparison_make(sets->results, baseline, sets->results + LAUNCHES, candidate, options, &sets->comparison,
                            error);
}

// A few percent of noise, in no order of time: +-1.8%.
static double noise(size_t launch) {
  static const double steps[LAUNCHES] = {3, -7, 9, -1, 5, -9, 1, 7, -3, -5};
  return 1 + 0.002 * steps[launch % LAUNCHES];
}

// A small, a middle and two large cases; the candidate's of each class times a factor.
static void fill(struct sets *sets, double small, double middle, double large) {
  for (size_t i = 0; i < 2 * LAUNCHES; i++) {
    bool candidate = i >= LAUNCHES;
    struct rs_result_fixture *fixture = &sets->fixtures[i];
    fixture->result.case_count = 0;
    rs_result_fixture_add(fixture, "ring", "tcp", 64, 1e4 * noise(i) * (candidate ? small : 1), 0.02);
    rs_result_fixture_add(fixture, "ring", "tcp", 65536, 1e5 * noise(i) * (candidate ? middle : 1), 0.02);
    rs_result_fixture_add(fixture, "ring", "tcp", 1 << 20, 1e6 * noise(i) * (candidate ? large : 1), 0.02);
    rs_result_fixture_add(fixture, "ring", "tcp", 1 << 24, 9e6 * noise(i) * (candidate ? large : 1), 0.02);
  }
}

static void assert_says(void (*say)(const struct rs_comparison *, struct rs_text *), const struct sets *sets,
                        const char *expected) {
  struct rs_text text = {0};
  say(&sets->comparison, &text);
  assert_non_null(text.data);
  if (strstr(text.data, expected) == NULL)
    fail_msg("'%s' does not say '%s'", text.data, expected);
  rs_text_fini(&text);
}

static bool warns(const struct sets *sets, const char *expected) {
  for (size_t w = 0; w < sets->comparison.warning_count; w++)
    if (strstr(sets->comparison.warnings[w], expected) != NULL)
      return true;
  return false;
}

static void classes_have_their_verdicts(void **state) {
  struct sets *sets = *state;
  struct rs_error error = {0};
  fill(sets, 0.8, 1, 1.5);
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, NULL, &error), RS_OK);
  const struct rs_comparison *comparison = &sets->comparison;
  assert_int_equal(comparison->class_count, 3);
  assert_int_equal(comparison->classes[RS_SIZE_SMALL].decision.verdict, RS_FASTER);
  assert_int_equal(comparison->classes[RS_SIZE_MIDDLE].decision.verdict, RS_UNDECIDED);
  assert_int_equal(comparison->classes[RS_SIZE_LARGE].decision.verdict, RS_SLOWER);
  assert_int_equal(comparison->classes[RS_SIZE_LARGE].case_count, 2);
  // The geometric mean over both large cases of the first launch.
  assert_true(fabs(comparison->classes[RS_SIZE_LARGE].values[0][0] / (3e6 * noise(0)) - 1) < 1e-9);
  assert_true(fabs(comparison->p_smallest - 2.0 / 184756) < 1e-9);
  assert_says(rs_comparison_sentence, sets, "candidate is slower than baseline by 50% (");
  assert_says(rs_comparison_sentence, sets, "it is faster than baseline by 20% (");
  assert_says(rs_comparison_sentence, sets, "undecided for middle (64 KiB)");
  assert_int_equal(comparison->warning_count, 0);
  assert_int_equal(comparison->difference_count, 0);

  const struct rs_comparison_options wide = {.threshold = 0.05};
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, &wide, &error), RS_OK);
  assert_int_equal(sets->comparison.classes[RS_SIZE_MIDDLE].decision.verdict, RS_NO_DIFFERENCE);
  assert_says(rs_comparison_sentence, sets, "it takes as long as baseline within 5% for middle (64 KiB)");
}

static void few_launches_say_what_they_cannot_show(void **state) {
  struct sets *sets = *state;
  struct rs_error error = {0};
  fill(sets, 3, 3, 3);
  for (size_t launches = 1; launches <= 4; launches++) {
    assert_int_equal(compare(sets, launches, launches, NULL, &error), RS_OK);
    const struct rs_comparison_class *class = &sets->comparison.classes[0];
    // 2 / C(8, 4) = 0.029 is above 0.05 / 3.
    assert_int_equal(class->decision.verdict, RS_UNDECIDED);
    assert_int_equal(class->decision.doubt, RS_DOUBT_COUNT);
    assert_int_equal(class->decision.launches_needed, 5 - launches);
    assert_says(rs_comparison_sentence, sets, "do not decide whether candidate is faster or slower than baseline");
    assert_int_equal(warns(sets, "one launch on each side"), launches == 1);
  }
  assert_int_equal(compare(sets, 5, 5, NULL, &error), RS_OK);
  assert_int_equal(sets->comparison.classes[0].decision.verdict, RS_SLOWER);
  assert_says(rs_comparison_sentence, sets, "slower than baseline: 3x the time (");

  assert_int_equal(compare(sets, 1, 1, NULL, &error), RS_OK);
  const struct rs_comparison_row *row = &sets->comparison.rows[0];
  assert_true(row->level_reached == 0); // of the two launches' own intervals, +-2% each
  assert_true(fabs(row->ratio_low / row->ratio - 0.98 / 1.02) < 1e-9);
}

// Equal values everywhere, NaN, a single iteration, infinity: no crash and no verdict that is not so.
static void odd_values_give_no_false_verdict(void **state) {
  struct sets *sets = *state;
  struct rs_error error = {0};
  for (size_t i = 0; i < 2 * LAUNCHES; i++) {
    struct rs_result_fixture *fixture = &sets->fixtures[i];
    rs_result_fixture_add(fixture, "ring", "tcp", 64, 1000, 0);
    struct rs_case_row *odd = rs_result_fixture_add(fixture, "ring", "tcp", 65536, 1000, 0);
    odd->median_ns = i == 3 ? NAN : i == 4 ? INFINITY : i == 5 ? -1 : i == 6 ? 0 : 1000;
    rs_result_fixture_add(fixture, "ring", "tcp", 1 << 20, 1000, 0)->iterations = 1;
  }
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, NULL, &error), RS_OK);
  const struct rs_comparison *comparison = &sets->comparison;
  assert_int_equal(comparison->class_count, 3);
  assert_int_equal(comparison->classes[0].decision.verdict, RS_NO_DIFFERENCE);
  assert_int_equal(comparison->classes[1].decision.verdict, RS_UNDECIDED);
  assert_int_equal(comparison->classes[1].case_count, 0);
  assert_int_equal(comparison->classes[1].left_out, 1);
  assert_int_equal(comparison->rows[1].baseline_launches, LAUNCHES - 4);
  assert_true(warns(sets, "20 of the medians are of fewer than 5 iterations"));
  assert_true(warns(sets, "1 case that not every launch has is in no verdict"));
  assert_says(rs_comparison_sentence, sets, "undecided for middle");

  // Every launch lacks it: then nothing is left to speak of.
  for (size_t i = 0; i < 2 * LAUNCHES; i++) {
    sets->fixtures[i].result.case_count = 1;
    sets->fixtures[i].cases[0].median_ns = NAN;
  }
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, NULL, &error), RS_ERROR_USAGE);
}

static void streaming_is_a_class_of_its_own(void **state) {
  struct sets *sets = *state;
  struct rs_error error = {0};
  fill(sets, 1, 1, 1);
  for (size_t i = 0; i < 2 * LAUNCHES; i++) {
    struct rs_case_row *row = rs_result_fixture_add(&sets->fixtures[i], "ring", "tcp", 64, 500 * noise(i), 0.02);
    snprintf(row->mode, sizeof row->mode, "streaming");
    row = rs_result_fixture_add(&sets->fixtures[i], "ring", "tcp", 64, 700 * noise(i), 0.02);
    snprintf(row->congestor, sizeof row->congestor, "incast");
  }
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, NULL, &error), RS_OK);
  assert_int_equal(sets->comparison.row_count, 6);
  assert_int_equal(sets->comparison.class_count, 4);
  assert_int_equal(sets->comparison.classes[3].metric, RS_METRIC_STREAMING);
  assert_int_equal(sets->comparison.classes[0].case_count, 1); // without the one beside an incast
}

static void a_family_has_at_most_six(void **state) {
  struct sets *sets = *state;
  struct rs_error error = {0};
  static const uint64_t sizes[] = {64, 65536, 1 << 20};
  for (size_t i = 0; i < 2 * LAUNCHES; i++) {
    for (size_t s = 0; s < RS_ARRAY_LENGTH(sizes); s++) {
      rs_result_fixture_add(&sets->fixtures[i], "ring", "tcp", sizes[s], 1000 * noise(i), 0.02);
      struct rs_case_row *row =
          rs_result_fixture_add(&sets->fixtures[i], "ring", "tcp", sizes[s], 900 * noise(i), 0.02);
      snprintf(row->mode, sizeof row->mode, "streaming");
    }
    struct rs_case_row *row = rs_result_fixture_add(&sets->fixtures[i], "pingpong", "tcp", 64, 300 * noise(i), 0.02);
    snprintf(row->benchmark, sizeof row->benchmark, "p2p");
  }
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, NULL, &error), RS_OK);
  assert_int_equal(sets->comparison.class_count, 6);
  assert_int_equal(sets->comparison.row_count, 7);
  assert_true(warns(sets, "1 point to point case is in no verdict; --where benchmark=p2p asks for them alone"));
  static const char *const where[] = {"benchmark=p2p"};
  const struct rs_comparison_options options = {.where = where, .where_count = 1};
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, &options, &error), RS_OK);
  assert_int_equal(sets->comparison.class_count, 1);
  assert_int_equal(sets->comparison.classes[0].metric, RS_METRIC_PAIR_TIME);
}

static void copies_count_once_and_never_on_both_sides(void **state) {
  struct sets *sets = *state;
  struct rs_error error = {0};
  fill(sets, 1, 1, 1);
  for (size_t i = 1; i < 4; i++)
    strcpy(sets->fixtures[i].result.run_uuid, "launch-0");
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, NULL, &error), RS_OK);
  assert_int_equal(sets->comparison.sets[0].count, LAUNCHES - 3);
  assert_int_equal(sets->comparison.sets[0].copies, 3);
  assert_true(warns(sets, "3 files of baseline are copies of a launch"));
  strcpy(sets->fixtures[LAUNCHES].result.run_uuid, "launch-0");
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, NULL, &error), RS_ERROR_USAGE);
  assert_non_null(strstr(error.text, "are one launch"));
}

static void order_in_time_is_watched(void **state) {
  struct sets *sets = *state;
  struct rs_error error = {0};
  fill(sets, 1, 1, 1);
  for (size_t i = 0; i < 2 * LAUNCHES; i++)
    snprintf(sets->fixtures[i].result.created, sizeof sets->fixtures[i].result.created, "2026-11-23T10:%02zu:00Z", i);
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, NULL, &error), RS_OK);
  assert_true(warns(sets, "one after the other"));
  assert_false(warns(sets, "drift"));
  for (size_t i = 0; i < 2 * LAUNCHES; i++)
    for (size_t c = 0; c < 4; c++)
      sets->fixtures[i].cases[c].median_ns = 1e4 * (1 + 0.01 * (double)i);
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, NULL, &error), RS_OK);
  assert_true(warns(sets, "times drift from launch to launch"));
}

static void differences_come_by_suspicion(void **state) {
  struct sets *sets = *state;
  struct rs_error error = {0};
  fill(sets, 1, 1, 1);
  for (size_t i = 0; i < 2 * LAUNCHES; i++) { // mpirun's name for a launch explains nothing
    struct rs_attribute *attribute = &sets->fixtures[i].attributes[1];
    snprintf(attribute->key, sizeof attribute->key, "environment.OMPI_MCA_ess_base_jobid");
    attribute->value = i < LAUNCHES ? "1915158529" : "1912930305";
  }
  for (size_t i = LAUNCHES; i < 2 * LAUNCHES; i++) {
    struct rs_result_fixture *fixture = &sets->fixtures[i];
    fixture->attributes[0].value = "spread";
    for (size_t r = 0; r < 4; r++)
      fixture->devices[r].mtu = i == LAUNCHES ? 9001 : 1500;
    for (size_t h = 0; h < 2; h++)
      strcpy(fixture->hosts[h].kernel, "6.5.0");
    fixture->result.config = "tcp.streams: 2\nsizes: [8, 64KiB]\n";
  }
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, NULL, &error), RS_OK);
  static const char *const fields[] = {"kernel", "mtu", "config.tcp.streams", "label.placement"};
  assert_int_equal(sets->comparison.difference_count, RS_ARRAY_LENGTH(fields));
  for (size_t f = 0; f < RS_ARRAY_LENGTH(fields); f++)
    assert_string_equal(sets->comparison.differences[f].field, fields[f]);
  assert_string_equal(sets->comparison.differences[1].values[0], "9001");
  assert_string_equal(sets->comparison.differences[1].values[1], "1500 (9 of 10), 9001 (1 of 10)");
  assert_string_equal(sets->comparison.differences[2].values[0], "not known");

  struct rs_result_groups groups = {0};
  assert_int_equal(rs_result_groups_make(sets->results, 2 * LAUNCHES, "placement", &groups, &error), RS_OK);
  assert_int_equal(groups.count, 2);
  assert_string_equal(groups.items[1].value, "spread");
  assert_int_equal(groups.items[1].count, LAUNCHES);
  rs_result_groups_fini(&groups);
  assert_int_equal(rs_result_groups_make(sets->results, 2 * LAUNCHES, "kernl", &groups, &error), RS_ERROR_USAGE);
  assert_non_null(strstr(error.text, "did you mean 'kernel'"));
  error = (struct rs_error){0};
  assert_int_equal(rs_result_groups_make(sets->results, 2 * LAUNCHES, "nonsense", &groups, &error), RS_ERROR_USAGE);
  assert_non_null(strstr(error.text, "label.placement"));
  assert_null(strstr(error.text, "config."));
}

static void cases_can_be_chosen(void **state) {
  struct sets *sets = *state;
  fill(sets, 1, 1, 1);
  static const char *const where[] = {"size_bytes=64", "implementation=ring", "size_bytes=65536"};
  static const struct {
    const char *condition, *text;
  } wrong[] = {{"ring", "FIELD=VALUE"},
               {"implmentation=ring", "did you mean 'implementation'"},
               {"median_ns=3", "no field"},
               {"size_bytes=64KiB", "whole number"}};
  struct rs_comparison_options options = {.where = where, .where_count = RS_ARRAY_LENGTH(where)};
  struct rs_error error = {0};
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, &options, &error), RS_OK);
  assert_int_equal(sets->comparison.row_count, 2);
  for (size_t w = 0; w < RS_ARRAY_LENGTH(wrong); w++) {
    struct rs_error refused = {0};
    options = (struct rs_comparison_options){.where = &wrong[w].condition, .where_count = 1};
    assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, &options, &refused), RS_ERROR_USAGE);
    if (strstr(refused.text, wrong[w].text) == NULL)
      fail_msg("'%s' does not say '%s'", refused.text, wrong[w].text);
  }
}

// ---- gate -------------------------------------------------------------------------------------------------

static struct rs_gate_outcome judge(const struct sets *sets, double tolerance, bool allow_missing) {
  struct rs_gate_options options = {.allow_missing = allow_missing};
  struct rs_gate_outcome outcome;
  for (size_t m = 0; m < RS_CLASS_METRICS; m++)
    for (size_t c = 0; c < RS_SIZE_CLASSES; c++)
      options.tolerances[m][c] = tolerance;
  rs_gate_judge(&sets->comparison, &options, &outcome);
  return outcome;
}

static void the_gate_passes_and_fails(void **state) {
  struct sets *sets = *state;
  struct rs_error error = {0};
  fill(sets, 0.5, 1, 1.2);
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, NULL, &error), RS_OK);
  assert_int_equal(judge(sets, 0.3, false).result, RS_GATE_PASS);
  struct rs_gate_outcome outcome = judge(sets, 0.05, false);
  assert_int_equal(outcome.result, RS_GATE_FAIL);
  assert_int_equal(outcome.checks[0].result, RS_GATE_PASS);
  assert_int_equal(outcome.checks[2].result, RS_GATE_FAIL);
  assert_non_null(strstr(outcome.checks[2].reason, "beyond the 5% that are tolerated"));
  outcome = judge(sets, 0.2, false); // just there: nobody can tell
  assert_int_equal(outcome.result, RS_GATE_UNDECIDED);
  assert_non_null(strstr(outcome.checks[2].reason, "more launch"));
}

static void the_gate_never_passes_with_too_few_launches(void **state) {
  struct sets *sets = *state;
  struct rs_error error = {0};
  fill(sets, 0.1, 0.1, 0.1);
  for (size_t baseline = 1; baseline <= 4; baseline++)
    for (size_t candidate = 1; candidate <= 4; candidate++) {
      assert_int_equal(compare(sets, baseline, candidate, NULL, &error), RS_OK);
      assert_int_equal(judge(sets, 10, false).result, RS_GATE_UNDECIDED);
    }
}

static void the_gate_sees_what_is_missing_or_wrong(void **state) {
  struct sets *sets = *state;
  struct rs_error error = {0};
  fill(sets, 0.5, 0.5, 0.5);
  sets->fixtures[LAUNCHES + 2].result.case_count--; // one launch did not get to the largest case
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, NULL, &error), RS_OK);
  assert_int_equal(judge(sets, 0.05, false).result, RS_GATE_UNDECIDED);
  assert_int_equal(judge(sets, 0.05, true).result, RS_GATE_PASS);
  sets->fixtures[LAUNCHES + 1].cases[0].verified = RS_VERIFY_FAILED;
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, NULL, &error), RS_OK);
  assert_int_equal(judge(sets, 0.05, true).result, RS_GATE_FAIL);
  sets->fixtures[LAUNCHES + 1].cases[0].verified = RS_VERIFIED;
  sets->fixtures[1].cases[0].verified = RS_VERIFY_FAILED; // the baseline's: then it is no measure
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, NULL, &error), RS_OK);
  assert_int_equal(judge(sets, 0.05, false).result, RS_GATE_UNDECIDED);
}

static void the_gate_wants_p99_in_every_launch(void **state) {
  struct sets *sets = *state;
  struct rs_error error = {0};
  const struct rs_comparison_options options = {.metrics =
                                                    RS_METRIC_MASK(RS_METRIC_TIME) | RS_METRIC_MASK(RS_METRIC_P99)};
  fill(sets, 0.5, 0.5, 0.5);
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, &options, &error), RS_OK);
  assert_int_equal(sets->comparison.class_count, 6);
  assert_int_equal(judge(sets, 0.05, false).result, RS_GATE_UNDECIDED);
  for (size_t i = 0; i < 2 * LAUNCHES; i++)
    for (size_t c = 0; c < 4; c++)
      sets->fixtures[i].cases[c].p99_ns = 3e6 * noise(i) * (i < LAUNCHES ? 1 : 1.5);
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, &options, &error), RS_OK);
  assert_int_equal(judge(sets, 0.05, false).result, RS_GATE_FAIL);
}

static void print_gate(const void *subject, FILE *file) {
  rs_gate_print(subject, file);
  rs_gate_github(subject, file);
  rs_gate_junit_begin(file);
  rs_gate_junit(subject, file);
  rs_gate_junit_end(file);
}

static void the_gate_is_printed_as_agreed(void **state) {
  struct sets *sets = *state;
  struct rs_error error = {0};
  const struct rs_comparison_options options = {.names = {"image <1>", "image \"2\""}};
  fill(sets, 0.5, 1.05, 1.2);
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, &options, &error), RS_OK);
  struct rs_gate_outcome outcome = judge(sets, 0.05, false);
  char *text = rs_fixture_print(print_gate, &outcome);
  rs_golden_check("gate.txt", text);
  free(text);
}

static void print_comparison(const void *subject, FILE *file) {
  rs_comparison_print(subject, file);
}

static void the_decided_table_is_as_agreed(void **state) {
  struct sets *sets = *state;
  struct rs_error error = {0};
  const struct rs_comparison_options options = {
      .names = {"spread", "cluster"}, .threshold = 0.05, .explained_by = "placement"};
  fill(sets, 0.8, 1, 2.5);
  for (size_t i = LAUNCHES; i < 2 * LAUNCHES; i++) {
    sets->fixtures[i].attributes[0].value = "spread";
    strcpy(sets->fixtures[i].hosts[0].instance_type, "c7gn.16xlarge");
  }
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, &options, &error), RS_OK);
  char *text = rs_fixture_print(print_comparison, &sets->comparison);
  for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
    assert_true(strcspn(line, "\n") <= 120);
  rs_golden_check("compare_decided.txt", text);
  free(text);
}

// An emulated network's description has many lines, of which the table shows one; how slowly it was played is a fact.
static void other_fabrics_are_a_difference(void **state) {
  struct sets *sets = *state;
  struct rs_error error = {0};
  fill(sets, 1, 1, 1);
  for (size_t i = 0; i < 2 * LAUNCHES; i++) {
    struct rs_result_fixture *fixture = &sets->fixtures[i];
    snprintf(fixture->attributes[1].key, sizeof fixture->attributes[1].key, "fabric.yaml");
    fixture->attributes[1].value = i < LAUNCHES ? "name: a\nmtu: 1500\n" : "name: b\nmtu: 1500\n";
    for (size_t c = 0; c < fixture->result.case_count; c++) {
      fixture->cases[c].emulated = 1;
      fixture->cases[c].slowdown = i < LAUNCHES ? 30 : 70;
    }
  }
  assert_int_equal(compare(sets, LAUNCHES, LAUNCHES, NULL, &error), RS_OK);
  assert_int_equal(sets->comparison.difference_count, 2);
  assert_string_equal(sets->comparison.differences[0].field, "emulated_slowdown");
  assert_string_equal(sets->comparison.differences[0].values[1], "70");
  char *text = rs_fixture_print(print_comparison, &sets->comparison);
  assert_non_null(strstr(text, "name: a mtu: 1500 "));
  free(text);
}

#define SETS_TEST(test) cmocka_unit_test_setup_teardown(test, make_sets, free_sets)

int main(void) {
  const struct CMUnitTest tests[] = {
      SETS_TEST(classes_have_their_verdicts),
      SETS_TEST(few_launches_say_what_they_cannot_show),
      SETS_TEST(odd_values_give_no_false_verdict),
      SETS_TEST(streaming_is_a_class_of_its_own),
      SETS_TEST(a_family_has_at_most_six),
      SETS_TEST(copies_count_once_and_never_on_both_sides),
      SETS_TEST(order_in_time_is_watched),
      SETS_TEST(differences_come_by_suspicion),
      SETS_TEST(other_fabrics_are_a_difference),
      SETS_TEST(cases_can_be_chosen),
      SETS_TEST(the_gate_passes_and_fails),
      SETS_TEST(the_gate_never_passes_with_too_few_launches),
      SETS_TEST(the_gate_sees_what_is_missing_or_wrong),
      SETS_TEST(the_gate_wants_p99_in_every_launch),
      SETS_TEST(the_gate_is_printed_as_agreed),
      SETS_TEST(the_decided_table_is_as_agreed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
