// What the decision says of sets that leave no choice. tests/unit/test_decision_simulation.c counts how often it is
// right.
#include "ringside/stats.h"
#include "unit/test_stats_series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define SEED UINT64_C(0x64656369)
#define COUNT_MAX 40
#define FAMILY_MAX 6

static void assert_near(double value, double expected, double tolerance) {
  if (!(fabs(value - expected) <= tolerance))
    fail_msg("%.17g is not within %g of %.17g", value, tolerance, expected);
}

static struct rs_decision decide(const double *a, size_t n, const double *b, size_t m, double threshold) {
  double scratch[2 * COUNT_MAX + 3];
  struct rs_decision decision;
  rs_stats_decide(&(struct rs_set_pair){a, b, n, m}, 1, threshold, 0.95, scratch, &decision);
  return decision;
}

// 1, 1.001, 1.002 ..: a spread of 0.1% a step.
static void fill(double *values, size_t count, double scale) {
  for (size_t i = 0; i < count; i++)
    values[i] = scale * (1 + 0.001 * (double)i);
}

static void verdicts_are_as_drawn(void **state) {
  (void)state;
  double a[10], b[10];
  fill(a, 10, 1);
  fill(b, 10, 1.05);
  struct rs_decision decision = decide(a, 10, b, 10, 0.02);
  assert_int_equal(decision.verdict, RS_SLOWER);
  assert_int_equal(decision.doubt, RS_DOUBT_NONE);
  assert_int_equal(decision.launches_needed, 0);
  assert_near(decision.ratio, 1.05, 1e-9);
  assert_near(decision.p, 2.0 / 184756, 1e-15);
  assert_near(decision.p_smallest, decision.p, 1e-15);
  assert_int_equal(decide(b, 10, a, 10, 0.02).verdict, RS_FASTER);
  fill(b, 10, 1.001);
  assert_int_equal(decide(a, 10, b, 10, 0.02).verdict, RS_NO_DIFFERENCE);
  // Significant, and smaller than the threshold: no difference beyond it.
  fill(b, 10, 1.012);
  decision = decide(a, 10, b, 10, 0.02);
  assert_true(decision.p < 0.001);
  assert_int_equal(decision.verdict, RS_NO_DIFFERENCE);
  // Around the threshold nobody can tell.
  fill(b, 10, 1.018);
  decision = decide(a, 10, b, 10, 0.02);
  assert_int_equal(decision.verdict, RS_UNDECIDED);
  assert_int_equal(decision.doubt, RS_DOUBT_INTERVAL);
  assert_true(decision.launches_needed > 0);
}

// Whatever they measure, too few launches decide nothing, and the launches they need are those that could.
static void too_few_launches_are_undecided(void **state) {
  (void)state;
  static const double scales[] = {0.1, 0.9, 1, 1.000001, 1.1, 50};
  for (size_t n = 1; n <= 3; n++) {
    for (size_t s = 0; s < RS_ARRAY_LENGTH(scales); s++) {
      double a[3], b[3];
      fill(a, n, 1);
      fill(b, n, scales[s]);
      struct rs_decision decision = decide(a, n, b, n, 0.01);
      size_t needed;
      assert_int_equal(decision.verdict, RS_UNDECIDED);
      assert_int_equal(decision.doubt, RS_DOUBT_COUNT);
      assert_true(decision.p_smallest > 0.05 && decision.launches_needed >= 4 - n);
      assert_int_equal(rs_decision_gate(&decision, 0.05, &needed), RS_GATE_UNDECIDED);
      assert_true(needed >= 4 - n);
    }
  }
  const double one[] = {1}, two[] = {2};
  struct rs_decision decision = decide(one, 1, two, 1, 0.01);
  assert_near(decision.ratio, 2, 1e-15);
  assert_true(isnan(decision.noise));
  assert_int_equal(decision.launches_needed, 3); // 2 / C(8, 4) = 0.029
}

static void the_gate_is_where_the_interval_lies(void **state) {
  (void)state;
  static const struct {
    double scale;
    enum rs_gate gate;
  } expected[] = {{0.5, RS_GATE_PASS},       {1, RS_GATE_PASS},    {1.045, RS_GATE_PASS},
                  {1.05, RS_GATE_UNDECIDED}, {1.06, RS_GATE_FAIL}, {3, RS_GATE_FAIL}};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(expected); i++) {
    double a[10], b[10];
    fill(a, 10, 1);
    fill(b, 10, expected[i].scale);
    struct rs_decision decision = decide(a, 10, b, 10, 0.01);
    size_t needed;
    assert_int_equal(rs_decision_gate(&decision, 0.05, &needed), expected[i].gate);
    assert_int_equal(needed > 0, expected[i].gate == RS_GATE_UNDECIDED);
  }
}

// A gate with many classes needs more launches for each: 5 against 5 reach 2/252 < 5%/6.
static void families_ask_for_more(void **state) {
  (void)state;
  for (size_t n = 4; n <= 5; n++) {
    double a[5], b[5], scratch[10 + 3 * FAMILY_MAX];
    struct rs_set_pair family[FAMILY_MAX];
    struct rs_decision decisions[FAMILY_MAX];
    fill(a, n, 1);
    fill(b, n, 1.0001);
    for (size_t c = 0; c < FAMILY_MAX; c++)
      family[c] = (struct rs_set_pair){a, b, n, n};
    rs_stats_decide(family, FAMILY_MAX, 0.02, 0.95, scratch, decisions);
    for (size_t c = 0; c < FAMILY_MAX; c++) {
      assert_int_equal(decisions[c].verdict, n == 5 ? RS_NO_DIFFERENCE : RS_UNDECIDED);
      assert_near(decisions[c].level, 1 - 0.05 / 6, 1e-15);
      assert_near(decisions[c].p_adjusted, fmin(1, 6 * decisions[c].p), 1e-15);
    }
  }
}

static void bad_values_are_undecided(void **state) {
  (void)state;
  static const double bad[] = {NAN, INFINITY, -INFINITY, 0, -1};
  for (size_t i = 0; i <= RS_ARRAY_LENGTH(bad); i++) {
    double good[10], broken[10], scratch[20 + 6];
    fill(good, 10, 1);
    fill(broken, 10, 2);
    if (i < RS_ARRAY_LENGTH(bad))
      broken[3] = bad[i];
    double slow[10];
    fill(slow, 10, 1.2);
    // The others of the family are decided all the same. The last round has an empty set.
    const struct rs_set_pair family[] = {{good, broken, 10, i < RS_ARRAY_LENGTH(bad) ? 10 : 0}, {good, slow, 10, 10}};
    struct rs_decision decisions[2];
    rs_stats_decide(family, 2, 0.01, 0.95, scratch, decisions);
    assert_int_equal(decisions[0].verdict, RS_UNDECIDED);
    assert_int_equal(decisions[0].doubt, RS_DOUBT_VALUES);
    assert_true(isnan(decisions[0].ratio) && isnan(decisions[0].ratio_low) && isnan(decisions[0].noise));
    size_t needed;
    assert_int_equal(rs_decision_gate(&decisions[0], 0.05, &needed), RS_GATE_UNDECIDED);
    assert_int_equal(decisions[1].verdict, RS_SLOWER);
  }
}

static void equal_values_are_equal(void **state) {
  (void)state;
  double ones[10];
  for (size_t i = 0; i < 10; i++)
    ones[i] = 1;
  struct rs_decision decision = decide(ones, 10, ones, 10, 0.01);
  assert_int_equal(decision.verdict, RS_NO_DIFFERENCE);
  assert_near(decision.p, 1, 0);
  assert_int_equal(decide(ones, 3, ones, 3, 0.01).verdict, RS_UNDECIDED);
}

// Exchanging the sets turns the verdict around; the unit of time does not matter.
static void verdicts_are_antisymmetric(void **state) {
  (void)state;
  static const enum rs_verdict opposite[] = {RS_UNDECIDED, RS_SLOWER, RS_FASTER, RS_NO_DIFFERENCE};
  struct rs_random random = {SEED};
  size_t seen[4] = {0};
  for (size_t i = 0; i < 1000; i++) {
    double a[COUNT_MAX], b[COUNT_MAX], a_ns[COUNT_MAX], b_ns[COUNT_MAX], truth = 0.03 * draw_normal(&random);
    size_t n = 3 + rs_random_below(&random, 18), m = 3 + rs_random_below(&random, 18);
    for (size_t k = 0; k < n; k++)
      a[k] = exp(0.01 * draw_normal(&random));
    for (size_t k = 0; k < m; k++)
      b[k] = exp(0.01 * draw_normal(&random) + truth);
    for (size_t k = 0; k < n; k++)
      a_ns[k] = 1e9 * a[k];
    for (size_t k = 0; k < m; k++)
      b_ns[k] = 1e9 * b[k];
    struct rs_decision decision = decide(a, n, b, m, 0.02), back = decide(b, m, a, n, 0.02);
    struct rs_decision in_ns = decide(a_ns, n, b_ns, m, 0.02);
    seen[decision.verdict]++;
    assert_int_equal(back.verdict, opposite[decision.verdict]);
    assert_int_equal(in_ns.verdict, decision.verdict);
    assert_near(decision.ratio * back.ratio, 1, 1e-12);
    assert_near(decision.ratio_low * back.ratio_high, 1, 1e-12);
    assert_int_equal(back.launches_needed, decision.launches_needed);
    assert_int_equal(decision.launches_needed > 0, decision.verdict == RS_UNDECIDED);
  }
  for (size_t v = 0; v < 4; v++)
    assert_true(seen[v] >= 50);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(verdicts_are_as_drawn),
      cmocka_unit_test(too_few_launches_are_undecided),
      cmocka_unit_test(the_gate_is_where_the_interval_lies),
      cmocka_unit_test(families_ask_for_more),
      cmocka_unit_test(bad_values_are_undecided),
      cmocka_unit_test(equal_values_are_equal),
      cmocka_unit_test(verdicts_are_antisymmetric),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
