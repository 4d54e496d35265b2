// Which of several settings is best, on made-up launches of three placements.
#include "ringside/report.h"
#include "ringside/stats.h"
#include "support/result_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LAUNCHES = 5, GROUPS = 3, SIZES = 4 };
static const uint64_t sizes[SIZES] = {8, 65536, 1 << 20, 4 << 20};

struct launches {
  struct rs_result_fixture fixtures[GROUPS][LAUNCHES];
  const struct rs_result *results[GROUPS][LAUNCHES];
  struct rs_result_group items[GROUPS];
  struct rs_result_groups groups;
  struct rs_choice choice;
};

static int make_launches(void **state) {
  static char *const names[GROUPS] = {"cluster", "spread", "two-zones"};
  struct launches *made = calloc(1, sizeof(*made));
  assert_non_null(made);
  for (size_t g = 0; g < GROUPS; g++) {
    for (size_t l = 0; l < LAUNCHES; l++) {
      struct rs_result *result = &made->fixtures[g][l].result;
      rs_result_fixture_init(&made->fixtures[g][l]);
      snprintf(result->run_uuid, sizeof result->run_uuid, "launch-%zu-%zu", g, l);
      made->results[g][l] = result;
    }
    made->items[g] = (struct rs_result_group){.value = names[g], .results = made->results[g], .count = LAUNCHES};
  }
  made->groups = (struct rs_result_groups){made->items, GROUPS};
  *state = made;
  return 0;
}

static int free_launches(void **state) {
  struct launches *made = *state;
  rs_choice_fini(&made->choice);
  free(made);
  return 0;
}

// One percent of noise between launches, in no order.
static double noise(size_t g, size_t l) {
  static const double steps[LAUNCHES] = {3, -7, 9, -1, -5};
  return 1 + 0.001 * steps[(l + 2 * g) % LAUNCHES];
}

// In microseconds: tree is best for short messages, ring for long ones.
static void fill(struct launches *made, const double factors[GROUPS][SIZES]) {
  static const double ring[SIZES] = {90, 200, 900, 3000}, tree[SIZES] = {40, 250, 1400, 5000};
  for (size_t g = 0; g < GROUPS; g++)
    for (size_t l = 0; l < LAUNCHES; l++)
      for (size_t s = 0; s < SIZES; s++) {
        double factor = 1000 * factors[g][s] * noise(g, l);
        rs_result_fixture_add(&made->fixtures[g][l], "ring", "tcp", sizes[s], ring[s] * factor, 0.01);
        rs_result_fixture_add(&made->fixtures[g][l], "tree", "tcp", sizes[s], tree[s] * factor, 0.01);
      }
}

static enum rs_status make(struct launches *made, struct rs_error *error) {
  const struct rs_comparison_options options = {0};
  rs_choice_fini(&made->choice);
  return rs_choice_make(&made->groups, "placement", &options, &made->choice, error);
}

// Spread matters from 1 MiB on, two zones everywhere.
static const double usual[GROUPS][SIZES] = {{1, 1, 1, 1}, {1, 1, 1.5, 2}, {8, 5, 4, 3}};

static void print(const void *subject, FILE *file) {
  rs_choice_print(subject, file);
}

static void test_the_answer(void **state) {
  struct launches *made = *state;
  struct rs_error error = {0};
  fill(made, usual);
  assert_int_equal(make(made, &error), RS_OK);
  const struct rs_choice_family *family = &made->choice.families[0];
  assert_int_equal(made->choice.family_count, 1);
  assert_int_equal(family->best, 0);
  assert_string_equal(family->points[0].cells[0].best->implementation, "tree");
  assert_string_equal(family->points[3].cells[0].best->implementation, "ring");

  const struct rs_choice_run *spread = &family->largest[rs_choice_pair_index(0, 1, GROUPS)];
  assert_int_equal(spread->verdict, RS_SLOWER);
  assert_int_equal(spread->first, 2);
  assert_int_equal(spread->count, 2);
  assert_int_equal(family->smallest[rs_choice_pair_index(0, 1, GROUPS)].count, 0);
  assert_int_equal(family->largest[rs_choice_pair_index(0, 2, GROUPS)].count, SIZES);
  assert_int_equal(family->largest[rs_choice_pair_index(1, 2, GROUPS)].count, SIZES);

  char *text = rs_fixture_print(print, &made->choice);
  rs_golden_check("choice.txt", text);
  free(text);
}

// Where the winner changes with the size, both ends are told.
static void test_two_winners(void **state) {
  static const double crossing[GROUPS][SIZES] = {{1, 1, 1, 1}, {2, 1, 0.7, 0.6}, {1, 1, 1, 1}};
  struct launches *made = *state;
  struct rs_error error = {0};
  fill(made, crossing);
  assert_int_equal(make(made, &error), RS_OK);
  const struct rs_choice_family *family = &made->choice.families[0];
  size_t pair = rs_choice_pair_index(0, 1, GROUPS);
  assert_int_equal(family->largest[pair].verdict, RS_FASTER);
  assert_int_equal(family->largest[pair].first, 2);
  assert_int_equal(family->smallest[pair].verdict, RS_SLOWER);
  assert_int_equal(family->smallest[pair].count, 1);
}

// Four launches of three groups reach 2 / 70 each, and six questions at 5% ask for 0.0083.
static void test_too_few_launches_decide_nothing(void **state) {
  struct launches *made = *state;
  struct rs_error error = {0};
  fill(made, usual);
  for (size_t g = 0; g < GROUPS; g++)
    made->items[g].count = LAUNCHES - 1;
  assert_int_equal(make(made, &error), RS_OK);
  assert_int_equal(made->choice.launches_wanted, LAUNCHES);
  for (size_t pair = 0; pair < made->choice.pair_count; pair++) {
    assert_int_equal(made->choice.families[0].largest[pair].count, 0);
    assert_int_equal(made->choice.families[0].smallest[pair].count, 0);
  }
  char *text = rs_fixture_print(print, &made->choice);
  assert_non_null(strstr(text, "are too few, 5 of each could decide"));
  free(text);
}

// A size that one launch of a group lacks is not compared for that implementation.
static void test_missing_cases(void **state) {
  struct launches *made = *state;
  struct rs_error error = {0};
  fill(made, usual);
  made->fixtures[2][3].cases[6].finished = 0;                // ring at 4 MiB
  made->fixtures[2][3].cases[7].finished = 0;                // tree at 4 MiB
  made->fixtures[0][1].cases[1].verified = RS_VERIFY_FAILED; // tree at 8 B
  assert_int_equal(make(made, &error), RS_OK);
  const struct rs_choice_family *family = &made->choice.families[0];
  assert_null(family->points[3].cells[2].best);
  assert_string_equal(family->points[0].cells[0].best->implementation, "ring");
  assert_int_equal(family->common, SIZES - 1);
  assert_int_equal(family->largest[rs_choice_pair_index(0, 2, GROUPS)].count, 0);
  assert_int_equal(family->smallest[rs_choice_pair_index(0, 2, GROUPS)].count, SIZES - 1);
}

// A launch that did not end is told; a network that is not real is called so in every form.
static void print_json(const void *subject, FILE *file) {
  struct rs_error error = {0};
  assert_int_equal(rs_choice_json(subject, file, &error), RS_OK);
}

static void test_what_is_to_be_known(void **state) {
  struct launches *made = *state;
  struct rs_error error = {0};
  fill(made, usual);
  for (size_t g = 0; g < GROUPS; g++)
    for (size_t l = 0; l < LAUNCHES; l++)
      for (size_t c = 0; c < 2 * SIZES; c++)
        made->fixtures[g][l].cases[c].emulated = 1;
  snprintf(made->fixtures[1][0].result.status, sizeof made->fixtures[1][0].result.status, "partial");
  assert_int_equal(make(made, &error), RS_OK);
  char *text = rs_fixture_print(print, &made->choice), *json = rs_fixture_print(print_json, &made->choice);
  assert_non_null(strstr(text, "EMULATED network"));
  assert_non_null(strstr(text, "1 of 15 launches did not end"));
  assert_non_null(strstr(json, "\"emulated\": true"));
  free(json);
  free(text);
}

static void test_refusals(void **state) {
  struct launches *made = *state;
  struct rs_error error = {0};
  assert_int_equal(make(made, &error), RS_ERROR_USAGE); // no case at all
  assert_non_null(strstr(error.text, "in common"));
  fill(made, usual);
  memcpy(made->fixtures[1][2].result.run_uuid, made->fixtures[1][4].result.run_uuid, 12);
  error = (struct rs_error){0};
  assert_int_equal(make(made, &error), RS_ERROR_USAGE);
  assert_non_null(strstr(error.text, "the same launch"));
  made->groups.count = 1;
  error = (struct rs_error){0};
  assert_int_equal(make(made, &error), RS_ERROR_USAGE);
}

static double normal(struct rs_random *random) {
  double a = ((double)(rs_random_next(random) >> 11) + 1) / 0x1p53, b = (double)(rs_random_next(random) >> 11) / 0x1p53;
  return sqrt(-2 * log(a)) * cos(2 * M_PI * b);
}

// Three placements that are one: something is called faster in at most 5% of choices, over all pairs and sizes.
static void test_false_answers_are_rare(void **state) {
  enum { REPEATS = 600 };
  struct launches *made = *state;
  struct rs_random random = {7};
  static const double same[GROUPS][SIZES] = {{1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}};
  fill(made, same);
  size_t wrong = 0;
  for (size_t repeat = 0; repeat < REPEATS; repeat++) {
    struct rs_error error = {0};
    for (size_t g = 0; g < GROUPS; g++)
      for (size_t l = 0; l < LAUNCHES; l++) {
        double launch = exp(0.05 * normal(&random)); // sizes of one launch depend on one another
        for (size_t c = 0; c < 2 * SIZES; c++)
          made->fixtures[g][l].cases[c].median_ns = 1e5 * (c % 2 ? 2 : 1) * launch * exp(0.05 * normal(&random));
      }
    assert_int_equal(make(made, &error), RS_OK);
    bool any = false;
    for (size_t pair = 0; pair < made->choice.pair_count; pair++)
      any =
          any || made->choice.families[0].largest[pair].count > 0 || made->choice.families[0].smallest[pair].count > 0;
    wrong += any;
  }
  struct rs_interval limits = rs_stats_binomial_limits(REPEATS, wrong, 0.999);
  if (limits.low > 0.05)
    fail_msg("%zu of %d choices among equals called one faster", wrong, REPEATS);
  if (wrong == 0)
    fail_msg("nothing was ever called faster: the test tests nothing");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_the_answer, make_launches, free_launches),
      cmocka_unit_test_setup_teardown(test_two_winners, make_launches, free_launches),
      cmocka_unit_test_setup_teardown(test_too_few_launches_decide_nothing, make_launches, free_launches),
      cmocka_unit_test_setup_teardown(test_missing_cases, make_launches, free_launches),
      cmocka_unit_test_setup_teardown(test_what_is_to_be_known, make_launches, free_launches),
      cmocka_unit_test_setup_teardown(test_refusals, make_launches, free_launches),
      cmocka_unit_test_setup_teardown(test_false_answers_are_rare, make_launches, free_launches),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
