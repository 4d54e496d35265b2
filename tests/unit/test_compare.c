#include "ringside/report.h"
#include "support/result_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define LAUNCHES 3

// Two sets of three launches: [0 .. 2] baseline, [3 .. 5] candidate.
struct sets {
  struct rs_result_fixture fixtures[2 * LAUNCHES];
  const struct rs_result *results[2 * LAUNCHES];
};

static int make_sets(void **state) {
  struct sets *sets = calloc(1, sizeof(*sets));
  assert_non_null(sets);
  for (size_t i = 0; i < 2 * LAUNCHES; i++) {
    rs_result_fixture_init(&sets->fixtures[i]);
    snprintf(sets->fixtures[i].result.run_uuid, sizeof(sets->fixtures[i].result.run_uuid), "launch-%zu", i);
    sets->results[i] = &sets->fixtures[i].result;
  }
  *state = sets;
  return 0;
}

static int free_sets(void **state) {
  free(*state);
  return 0;
}

static enum rs_status make(struct sets *sets, size_t baseline, size_t candidate, struct rs_comparison *comparison,
                           struct rs_error *error) {
  return rs_comparison_make(sets->results, baseline, sets->results + LAUNCHES, candidate, NULL, comparison, error);
}

static struct rs_case_row *add(struct sets *sets, size_t launch, const char *implementation, uint64_t size,
                               double median_ns) {
  return rs_result_fixture_add(&sets->fixtures[launch], implementation, "tcp", size, median_ns, 0.02);
}

static bool is_near(double value, double expected) {
  return fabs(value - expected) <= 1e-12 * fabs(expected);
}

static void a_set_is_the_median_of_its_launches(void **state) {
  struct sets *sets = *state;
  const double medians[2 * LAUNCHES] = {1000, 9000, 2000, 1000, 1500, 50};
  for (size_t i = 0; i < 2 * LAUNCHES; i++)
    add(sets, i, "ring", 64, medians[i]);
  struct rs_error error = {0};
  struct rs_comparison comparison;
  assert_int_equal(make(sets, 3, 3, &comparison, &error), RS_OK);
  assert_int_equal(comparison.row_count, 1);
  assert_int_equal(comparison.rows[0].baseline_launches, 3);
  assert_int_equal(comparison.rows[0].candidate_launches, 3);
  assert_true(is_near(comparison.rows[0].baseline_ns, 2000));
  assert_true(is_near(comparison.rows[0].candidate_ns, 1000));
  // Of the nine pairs 0.0056 0.025 0.05 0.11 (1/6) 0.5 0.75 1 1.5 the one in the middle, not 1000 / 2000.
  assert_true(is_near(comparison.rows[0].ratio, 1.0 / 6));
  assert_true(comparison.rows[0].ratio_low < 0.006 && comparison.rows[0].ratio_high > 1.49);
  assert_true(is_near(comparison.rows[0].level_reached, 0.9)); // 1 - 2 / C(6, 3): all that three launches reach
  rs_comparison_fini(&comparison);
}

// Rows come by family, then implementation, then size, whatever the order in the files.
static void rows_are_sorted(void **state) {
  struct sets *sets = *state;
  for (size_t i = 0; i < 2 * LAUNCHES; i += LAUNCHES) {
    add(sets, i, "tree", 1024, 5000);
    add(sets, i, "ring", 1024, 4000);
    add(sets, i, "tree", 64, 3000);
    struct rs_case_row *row = add(sets, i, "ring", 64, 2000);
    snprintf(row->datatype, sizeof(row->datatype), "bfloat16");
  }
  struct rs_error error = {0};
  struct rs_comparison comparison;
  assert_int_equal(make(sets, 1, 1, &comparison, &error), RS_OK);
  assert_int_equal(comparison.row_count, 4);
  const double expected[] = {2000, 4000, 3000, 5000};
  for (size_t i = 0; i < 4; i++)
    assert_true(is_near(comparison.rows[i].baseline_ns, expected[i]));
  rs_comparison_fini(&comparison);
}

// Every change to the candidate's copy of a case that says what was measured must keep it from matching.
static void change_transport(struct rs_case_row *row) {
  snprintf(row->transport, sizeof(row->transport), "loop");
}
static void change_mode(struct rs_case_row *row) {
  snprintf(row->mode, sizeof(row->mode), "streaming");
}
static void change_place(struct rs_case_row *row) {
  row->in_place = 1;
}
static void change_ranks(struct rs_case_row *row) {
  row->rank_count = 8;
}
static void change_emulated(struct rs_case_row *row) {
  row->emulated = 1;
}
static void change_chunk(struct rs_case_row *row) {
  row->chunk_bytes = 4096;
}
static void change_chunk_auto(struct rs_case_row *row) {
  row->chunk_auto = 1;
}
static void change_lanes(struct rs_case_row *row) {
  row->lanes = 2;
}
static void change_peer(struct rs_case_row *row) {
  row->peer_b = 1;
}
static void change_root(struct rs_case_row *row) {
  row->root = 3;
}
static void change_pairing(struct rs_case_row *row) {
  snprintf(row->pairing, sizeof(row->pairing), "halves");
}
static void change_congestor(struct rs_case_row *row) {
  snprintf(row->congestor, sizeof(row->congestor), "incast");
}
static void change_measured(struct rs_case_row *row) {
  row->measured_ranks = 2;
}

// Two launches of one case, between which the table of `auto` changed.
static void what_was_chosen_may_differ(void **state) {
  struct sets *sets = *state;
  static const char *const chosen[] = {"ring", "tree"};
  static const uint64_t chunks[] = {65536, 262144};
  for (size_t s = 0; s < 2; s++) {
    sets->fixtures[s * LAUNCHES].result.case_count = 0;
    struct rs_case_row *row = add(sets, s * LAUNCHES, "auto", 64, 1000);
    snprintf(row->algorithm, sizeof(row->algorithm), "%s", chosen[s]);
    row->chunk_bytes = chunks[s];
    row->chunk_auto = 1;
  }
  struct rs_error error = {0};
  struct rs_comparison comparison;
  if (make(sets, 1, 1, &comparison, &error) != RS_OK)
    fail_msg("%s", error.text);
  assert_int_equal(comparison.row_count, 1);
  rs_comparison_fini(&comparison);
}

static void different_cases_do_not_match(void **state) {
  struct sets *sets = *state;
  static const struct {
    void (*change)(struct rs_case_row *row);
    const char *text;
  } changes[] = {
      {change_transport, "transport is tcp against loop"},
      {change_mode, "mode is isolated against streaming"},
      {change_place, "in_place is 0 against 1"},
      {change_ranks, "rank_count is 4 against 8"},
      {change_emulated, "emulated is 0 against 1"},
      {change_chunk, "chunk_bytes is 0 against 4096"},
      {change_chunk_auto, "chunk_auto is 0 against 1"},
      {change_lanes, "lanes is 1 against 2"},
      {change_peer, "peer_b is -1 against 1"},
      {change_root, "root is -1 against 3"},
      {change_pairing, "pairing is '' against halves"},
      {change_congestor, "congestor is '' against incast"},
      {change_measured, "measured_ranks is 4 against 2"},
  };
  add(sets, 0, "ring", 64, 1000);
  for (size_t i = 0; i < RS_ARRAY_LENGTH(changes); i++) {
    sets->fixtures[LAUNCHES].result.case_count = 0;
    changes[i].change(add(sets, LAUNCHES, "ring", 64, 1000));
    struct rs_error error = {0};
    struct rs_comparison comparison;
    assert_int_equal(make(sets, 1, 1, &comparison, &error), RS_ERROR_USAGE);
    if (strstr(error.text, changes[i].text) == NULL)
      fail_msg("'%s' does not say '%s'", error.text, changes[i].text);
  }
}

static void results_do_not_keep_cases_apart(void **state) {
  struct sets *sets = *state;
  add(sets, 0, "ring", 64, 1000);
  struct rs_case_row *row = add(sets, LAUNCHES, "ring", 64, 4000);
  row->case_id = 17;
  row->iterations = 999;
  row->batch = 7;
  row->sample_offset = 12345;
  row->sync_error_ns = -1;
  snprintf(row->stop_reason, sizeof(row->stop_reason), "time");
  struct rs_error error = {0};
  struct rs_comparison comparison;
  assert_int_equal(make(sets, 1, 1, &comparison, &error), RS_OK);
  assert_true(is_near(comparison.rows[0].ratio, 4));
  rs_comparison_fini(&comparison);
}

static void what_has_no_partner_is_counted(void **state) {
  struct sets *sets = *state;
  for (size_t i = 0; i < 2 * LAUNCHES; i++)
    add(sets, i, "ring", 64, 1000);
  add(sets, 0, "tree", 64, 1000);
  add(sets, 1, "tree", 64, 1000); // the same case in a second launch: still one
  add(sets, 0, "tree", 128, 1000);
  add(sets, 3, "mpi", 64, 1000);
  add(sets, 4, "mpi", 128, 1000)->finished = 0;
  struct rs_error error = {0};
  struct rs_comparison comparison;
  assert_int_equal(make(sets, 3, 3, &comparison, &error), RS_OK);
  assert_int_equal(comparison.row_count, 1);
  assert_int_equal(comparison.baseline_only, 2);
  assert_int_equal(comparison.candidate_only, 1);
  assert_int_equal(comparison.unverified, 0);
  rs_comparison_fini(&comparison);
}

// One launch with wrong data casts doubt on the case in all of them. Unchecked data is used, and said.
static void wrong_data_leaves_a_case_out(void **state) {
  struct sets *sets = *state;
  for (size_t i = 0; i < 2 * LAUNCHES; i++) {
    add(sets, i, "ring", 64, 1000);
    add(sets, i, "tree", 64, 1000);
  }
  sets->fixtures[4].cases[1].verified = RS_VERIFY_FAILED;
  sets->fixtures[0].cases[0].verified = RS_NOT_VERIFIED;
  struct rs_error error = {0};
  struct rs_comparison comparison;
  assert_int_equal(make(sets, 3, 3, &comparison, &error), RS_OK);
  assert_int_equal(comparison.row_count, 1);
  assert_string_equal(comparison.rows[0].baseline->implementation, "ring");
  assert_int_equal(comparison.unverified, 1);
  assert_int_equal(comparison.unchecked, 1);
  assert_int_equal(comparison.baseline_only + comparison.candidate_only, 0);
  rs_comparison_fini(&comparison);
}

static void nothing_in_common_says_why(void **state) {
  struct sets *sets = *state;
  struct rs_error empty = {0}, wrong = {0}, mixed = {0};
  struct rs_comparison comparison;
  struct rs_case_row *row = add(sets, 0, "ring", 64, 1000);
  assert_int_equal(make(sets, 1, 2, &comparison, &empty), RS_ERROR_USAGE);
  assert_non_null(strstr(empty.text, "the candidate (2 files) holds no finished case"));

  add(sets, LAUNCHES, "ring", 64, 1000);
  row->verified = RS_VERIFY_FAILED;
  assert_int_equal(make(sets, 1, 1, &comparison, &wrong), RS_ERROR_USAGE);
  assert_non_null(strstr(wrong.text, "failed verification"));

  row->verified = RS_VERIFIED;
  add(sets, 0, "tree", 128, 1000);
  sets->fixtures[LAUNCHES].result.case_count = 0;
  add(sets, LAUNCHES, "ring", 128, 1000);
  add(sets, LAUNCHES, "tree", 64, 1000);
  assert_int_equal(make(sets, 1, 1, &comparison, &mixed), RS_ERROR_USAGE);
  assert_non_null(strstr(mixed.text, "never in the same combination"));
}

static void fill_for_print(struct sets *sets) {
  static const double speed_up[] = {1.0, 0.997, 0.8, 1.08, 2.5};
  for (size_t i = 0; i < 2 * LAUNCHES; i++) {
    bool candidate = i >= LAUNCHES;
    double launch = 1 + 0.01 * (double)(i % LAUNCHES);
    uint64_t size = 8;
    for (size_t s = 0; s < RS_ARRAY_LENGTH(speed_up); s++, size *= 32) {
      add(sets, i, "ring", size, (90000 + 1.5 * (double)size) * launch * (candidate ? speed_up[s] : 1))->chunk_bytes =
          262144;
      struct rs_case_row *row = add(sets, i, "tree", size, (41000 + 3.0 * (double)size) * launch);
      snprintf(row->mode, sizeof(row->mode), "streaming");
    }
  }
  sets->fixtures[2].result.case_count -= 1;
  sets->fixtures[1].cases[1].verified = RS_VERIFY_FAILED;
  sets->fixtures[5].cases[3].verified = RS_NOT_VERIFIED;
  add(sets, 4, "mpi", 64, 40000);
}

static void print_comparison(const void *subject, FILE *file) {
  rs_comparison_print(subject, file);
}

// The rounds of a tournament are lines of one block, in the order of their numbers.
static void rounds_are_one_block(void **state) {
  struct sets *sets = *state;
  static const unsigned rounds[] = {10, 2, 0};
  for (size_t i = 0; i < 2 * LAUNCHES; i += LAUNCHES)
    for (size_t r = 0; r < RS_ARRAY_LENGTH(rounds); r++) {
      struct rs_case_row *row = add(sets, i, "pingpong", 64, 1000 * (1 + rounds[r]));
      snprintf(row->benchmark, sizeof(row->benchmark), "p2p");
      snprintf(row->collective, sizeof(row->collective), "pingpong");
      snprintf(row->pairing, sizeof(row->pairing), "round %u", rounds[r]);
      row->operation[0] = '\0';
    }
  struct rs_error error = {0};
  struct rs_comparison comparison;
  assert_int_equal(make(sets, 1, 1, &comparison, &error), RS_OK);
  char *text = rs_fixture_print(print_comparison, &comparison);
  const char *first = strstr(text, "64 B round 0 "), *second = strstr(text, "64 B round 2 "),
             *third = strstr(text, "64 B round 10 ");
  assert_true(first != NULL && first < second && second < third);
  assert_non_null(strstr(text, "\npingpong, float32, isolated, 4 ranks\n\n  pingpong/tcp\n"));
  assert_non_null(strstr(text, "point to point, small (64 B), 3 cases"));
  free(text);
  rs_comparison_fini(&comparison);
}

static void print_comparison_json(const void *subject, FILE *file) {
  struct rs_error error = {0};
  assert_int_equal(rs_comparison_json(subject, file, &error), RS_OK);
}

static void the_table_is_as_agreed(void **state) {
  struct sets *sets = *state;
  struct rs_error error = {0};
  struct rs_comparison comparison;
  fill_for_print(sets);
  assert_int_equal(make(sets, 3, 3, &comparison, &error), RS_OK);
  char *text = rs_fixture_print(print_comparison, &comparison);
  rs_golden_check("compare.txt", text);
  free(text);
  rs_comparison_fini(&comparison);
}

static void the_json_has_every_row(void **state) {
  struct sets *sets = *state;
  struct rs_error error = {0};
  struct rs_comparison comparison;
  fill_for_print(sets);
  assert_int_equal(make(sets, 3, 3, &comparison, &error), RS_OK);
  char *text = rs_fixture_print(print_comparison_json, &comparison);
  json_t *root = json_loads(text, 0, NULL), *cases = json_object_get(root, "cases");
  assert_int_equal(json_array_size(cases), comparison.row_count);
  json_t *first = json_array_get(cases, 0);
  assert_string_equal(json_string_value(json_object_get(first, "implementation")), "ring");
  assert_int_equal(json_integer_value(json_object_get(first, "chunk_bytes")), 262144);
  assert_true(is_near(json_number_value(json_object_get(first, "ratio")), 1));
  assert_null(json_object_get(first, "median_ns")); // a launch's own figures stay out
  assert_int_equal(json_integer_value(json_object_get(root, "unverified")), 1);
  assert_int_equal(json_integer_value(json_object_get(json_object_get(root, "candidate"), "launches")), 3);
  assert_true(json_string_length(json_object_get(root, "sentence")) > 0);
  assert_true(is_near(json_number_value(json_object_get(root, "smallest_p")), 0.1)); // 2 / C(6, 3)
  json_t *class = json_array_get(json_object_get(root, "families"), 0), *empty;
  assert_string_equal(json_string_value(json_object_get(class, "metric")), "time");
  assert_string_equal(json_string_value(json_object_get(class, "class")), "8 B..256 B");
  assert_string_equal(json_string_value(json_object_get(class, "verdict")), "undecided");
  assert_int_equal(json_array_size(json_object_get(class, "candidate_values")), 3);
  // A class without cases: what is not known is null.
  empty = json_array_get(json_object_get(root, "families"), comparison.class_count - 1);
  assert_int_equal(json_integer_value(json_object_get(empty, "cases")), 0);
  assert_true(json_is_null(json_object_get(empty, "ratio")) && json_is_null(json_object_get(empty, "p")));
  json_decref(root);
  free(text);
  rs_comparison_fini(&comparison);
}

#define SETS_TEST(test) cmocka_unit_test_setup_teardown(test, make_sets, free_sets)

int main(void) {
  const struct CMUnitTest tests[] = {
      SETS_TEST(a_set_is_the_median_of_its_launches),
      SETS_TEST(rows_are_sorted),
      SETS_TEST(what_was_chosen_may_differ),
      SETS_TEST(different_cases_do_not_match),
      SETS_TEST(results_do_not_keep_cases_apart),
      SETS_TEST(what_has_no_partner_is_counted),
      SETS_TEST(wrong_data_leaves_a_case_out),
      SETS_TEST(nothing_in_common_says_why),
      SETS_TEST(rounds_are_one_block),
      SETS_TEST(the_table_is_as_agreed),
      SETS_TEST(the_json_has_every_row),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
