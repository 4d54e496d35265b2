#include "ringside/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

// cmocka's assert_float_equal compares as float.
static void assert_near(double value, double expected, double tolerance) {
  if (!(fabs(value - expected) <= tolerance))
    fail_msg("%.17g is not within %g of %.17g", value, tolerance, expected);
}

static double *count_up(size_t count) {
  double *values = malloc(count * sizeof(*values));
  assert_non_null(values);
  for (size_t i = 0; i < count; i++)
    values[i] = (double)(i + 1);
  return values;
}

// R: quantile(c(1, 2, 4, 8, 16), p, type = 7); numpy.quantile's default is the same.
static void quantiles_are_type_7(void **state) {
  (void)state;
  const double values[] = {1, 2, 4, 8, 16};
  const double expected[][2] = {{0, 1}, {0.1, 1.4}, {0.25, 2}, {0.5, 4}, {0.6, 5.6}, {0.95, 14.4}, {1, 16}};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(expected); i++)
    assert_near(rs_stats_quantile(values, 5, expected[i][0]), expected[i][1], 1e-12);
  assert_near(rs_stats_quantile(values, 4, 0.5), 3, 0); // the middle of an even count
  assert_near(rs_stats_quantile(values, 1, 0.99), 1, 0);
}

// The lower rank of the 95% interval: one more than the critical value of the two-sided sign test at 5%, as printed in
// statistical tables (for example Conover, Practical Nonparametric Statistics; Altman, Statistics with Confidence).
static void ranks_are_those_of_the_tables(void **state) {
  (void)state;
  static const size_t lower[] = {1,  1,  1,  2,  2,  2,  3,  3,  3,  4,  4,  5,  5,  5,  6,
                                 6,  6,  7,  7,  8,  8,  8,  9,  9,  10, 10, 10, 11, 11, 12,
                                 12, 13, 13, 13, 14, 14, 15, 15, 16, 16, 16, 17, 17, 18, 18};
  double *values = count_up(50);
  for (size_t n = 6; n <= 50; n++) {
    struct rs_interval interval = rs_stats_median_interval(values, n, 0.95);
    assert_near(interval.low, (double)lower[n - 6], 0);
    assert_near(interval.high, (double)(n + 1 - lower[n - 6]), 0);
    assert_true(interval.reached >= 0.95 && interval.reached < 1);
  }
  free(values);
}

// 1 - 2 P(B < l) in exact rational arithmetic (Python's fractions; for 10^6, 50-digit decimals).
static void coverage_is_exact(void **state) {
  (void)state;
  static const struct {
    size_t count;
    double low, reached;
  } expected[] = {{15, 4, 0.96484375},
                  {30, 10, 0.9572260547429323},
                  {100, 40, 0.9647997997822951},
                  {1000, 469, 0.9537088026395019},
                  {1000000, 499020, 0.95012103134763187}};
  double *values = count_up(1000000);
  for (size_t i = 0; i < RS_ARRAY_LENGTH(expected); i++) {
    struct rs_interval interval = rs_stats_median_interval(values, expected[i].count, 0.95);
    assert_near(interval.low, expected[i].low, 0);
    assert_near(interval.reached, expected[i].reached, 1e-10);
  }
  free(values);
}

// With n values even the full range covers only 1 - 2^(1-n).
static void too_few_values_give_the_full_range(void **state) {
  (void)state;
  const double values[] = {3, 5, 8, 13, 21};
  for (size_t n = 1; n <= 5; n++) {
    struct rs_interval interval = rs_stats_median_interval(values, n, 0.95);
    assert_near(interval.low, values[0], 0);
    assert_near(interval.high, values[n - 1], 0);
    assert_near(interval.reached, 1 - ldexp(1, 1 - (int)n), 1e-15);
  }
}

static void a_higher_level_never_narrows(void **state) {
  (void)state;
  double *values = count_up(200);
  for (size_t n = 1; n <= 200; n++) {
    struct rs_interval narrow = rs_stats_median_interval(values, n, 0.5);
    struct rs_interval wide = rs_stats_median_interval(values, n, 0.99);
    double median = rs_stats_quantile(values, n, 0.5);
    assert_true(wide.low <= narrow.low && wide.high >= narrow.high && wide.reached >= narrow.reached);
    assert_true(narrow.low <= median && median <= narrow.high);
  }
  free(values);
}

static void summary_sorts_and_summarises(void **state) {
  (void)state;
  double values[100];
  for (size_t i = 0; i < 100; i++)
    values[i] = (double)((i * 37) % 100 + 1); // 1 .. 100 in another order
  struct rs_summary summary = rs_stats_summarise(values, 100);
  assert_int_equal(summary.count, 100);
  assert_near(values[0], 1, 0);
  assert_near(summary.minimum, 1, 0);
  assert_near(summary.maximum, 100, 0);
  assert_near(summary.median, 50.5, 1e-12);
  assert_near(summary.ci_low, 40, 0);
  assert_near(summary.ci_high, 61, 0);
  assert_near(summary.p95, 95.05, 1e-12);
  assert_near(summary.p99, 99.01, 1e-12);
}

static void percentiles_are_refused_below_their_counts(void **state) {
  (void)state;
  double *values = count_up(100);
  assert_true(isnan(rs_stats_summarise(values, 19).p95));
  assert_near(rs_stats_summarise(values, 20).p95, 19.05, 1e-12);
  assert_true(isnan(rs_stats_summarise(values, 99).p99));
  assert_true(rs_stats_summarise(values, 99).p95 > 94);
  free(values);
}

static void nothing_gives_nan(void **state) {
  (void)state;
  struct rs_summary summary = rs_stats_summarise(NULL, 0);
  assert_int_equal(summary.count, 0);
  assert_true(isnan(summary.median) && isnan(summary.ci_low) && isnan(summary.ci_high) && isnan(summary.minimum) &&
              isnan(summary.maximum) && isnan(summary.p95) && isnan(summary.p99));
  assert_true(isnan(rs_stats_geometric_mean(NULL, 0)));
}

static void geometric_mean_of_opposites_is_one(void **state) {
  (void)state;
  const double values[] = {2, 0.5, 8, 0.125};
  assert_near(rs_stats_geometric_mean(values, 4), 1, 1e-15);
  const double huge[] = {1e300, 1e300, 1e300};
  assert_near(rs_stats_geometric_mean(huge, 3) / 1e300, 1, 1e-10);
}

// Exact rational arithmetic (Python's fractions).
static void binomial_tails_are_exact(void **state) {
  (void)state;
  static const struct {
    size_t count, at_least;
    double probability, tail;
  } expected[] = {{10, 10, 0.25, 9.5367431640625e-07},  {10, 3, 0.25, 0.4744071960449219},
                  {10, 1, 0.25, 0.9436864852905273},    {100, 40, 0.25, 0.0006865922079629911},
                  {1000, 500, 0.5, 0.5126125090891804}, {1000, 250, 0.125, 4.542952596854934e-27},
                  {30, 5, 0.5, 0.99997026193887}};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(expected); i++) {
    double tail = rs_stats_binomial_tail(expected[i].count, expected[i].at_least, expected[i].probability);
    assert_near(tail / expected[i].tail, 1, 1e-9);
  }
  assert_near(rs_stats_binomial_tail(5, 0, 0.3), 1, 0);
  assert_near(rs_stats_binomial_tail(5, 6, 0.3), 0, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quantiles_are_type_7),
      cmocka_unit_test(ranks_are_those_of_the_tables),
      cmocka_unit_test(coverage_is_exact),
      cmocka_unit_test(too_few_values_give_the_full_range),
      cmocka_unit_test(a_higher_level_never_narrows),
      cmocka_unit_test(summary_sorts_and_summarises),
      cmocka_unit_test(percentiles_are_refused_below_their_counts),
      cmocka_unit_test(nothing_gives_nan),
      cmocka_unit_test(geometric_mean_of_opposites_is_one),
      cmocka_unit_test(binomial_tails_are_exact),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
