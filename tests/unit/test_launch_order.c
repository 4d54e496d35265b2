#include "ringside/stats.h"
#include "unit/test_stats_series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define SEED UINT64_C(0x6f726465)
#define COUNT_MAX 40

static void assert_near(double value, double expected, double tolerance) {
  if (!(fabs(value - expected) <= tolerance))
    fail_msg("%.17g is not within %g of %.17g", value, tolerance, expected);
}

static struct rs_launch_order order_of(const double *a, const double *a_times, size_t n, const double *b,
                                       const double *b_times, size_t m) {
  double scratch[2 * COUNT_MAX];
  return rs_stats_launch_order(&(struct rs_set_pair){a, b, n, m}, &(struct rs_set_pair){a_times, b_times, n, m},
                               scratch);
}

static const double counting[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
                                  20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39};

// The one-sided tail of Kendall's S as printed in tables of the Mann-Kendall test (Hollander & Wolfe 1973, table A.21;
// Gilbert, "Statistical Methods for Environmental Pollution Monitoring", 1987, table A18). The second set has one
// value, which has no order.
static void p_is_that_of_the_tables(void **state) {
  (void)state;
  static const struct {
    size_t count, s;
    double tail;
  } table[] = {{4, 6, 0.042},  {5, 8, 0.042},  {5, 10, 0.0083}, {6, 11, 0.028}, {7, 13, 0.035},
               {8, 16, 0.031}, {9, 18, 0.038}, {10, 21, 0.036}, {10, 23, 0.023}};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(table); i++) {
    size_t n = table[i].count, discordant = (n * (n - 1) / 2 - table[i].s) / 2;
    double values[COUNT_MAX];
    for (size_t k = 0; k < n; k++)
      values[k] = (double)k;
    // One exchange of neighbours is one discordant pair: moving the largest value forward by that many, then the next.
    for (size_t end = n - 1; discordant > 0; end--) {
      for (size_t k = end; k > 0 && discordant > 0; k--, discordant--) {
        double value = values[k];
        values[k] = values[k - 1];
        values[k - 1] = value;
      }
    }
    struct rs_launch_order order = order_of(values, counting, n, counting, counting, 1);
    assert_near(order.drift, (double)table[i].s / (double)(n * (n - 1) / 2), 1e-12);
    assert_near(order.p_drift / 2, table[i].tail, 6e-4);
    assert_true(order.drifts == (2 * table[i].tail <= 0.05));
  }
}

// A difference between the sets, however large, is no drift; a drift that both share is.
static void sets_may_differ(void **state) {
  (void)state;
  const double a[] = {1.02, 1.00, 1.03, 1.01}, b[] = {9.01, 9.03, 9.00, 9.02};
  const double a_times[] = {0, 3, 4, 7}, b_times[] = {1, 2, 5, 6};
  struct rs_launch_order order = order_of(a, a_times, 4, b, b_times, 4);
  assert_false(order.drifts || order.came_apart);
  const double a_up[] = {1, 4, 5, 8}, b_up[] = {92, 93, 96, 97};
  order = order_of(a_up, a_times, 4, b_up, b_times, 4);
  assert_near(order.drift, 1, 0);
  assert_near(order.p_drift, 2 / (24.0 * 24), 1e-15);
  assert_true(order.drifts && !order.came_apart);
}

static void one_set_first_is_told(void **state) {
  (void)state;
  struct rs_launch_order order = order_of(counting, counting, 4, counting, counting + 4, 4);
  assert_near(order.p_apart, 2.0 / 70, 1e-15);
  assert_true(order.came_apart);
}

// Independent launches are warned of in at most one of twenty; exactly, with ties and where the normal approximation
// stands in.
static void chance_is_no_drift(void **state) {
  (void)state;
  static const size_t counts[][2] = {{10, 10}, {4, 6}, {30, 30}};
  for (size_t c = 0; c < RS_ARRAY_LENGTH(counts); c++) {
    for (size_t ties = 0; ties < 2; ties++) {
      struct rs_random random = {SEED};
      size_t warned = 0, n = counts[c][0], m = counts[c][1];
      const size_t repeats = 2000;
      for (size_t i = 0; i < repeats; i++) {
        double a[COUNT_MAX], b[COUNT_MAX];
        for (size_t k = 0; k < n; k++)
          a[k] = ties ? (double)rs_random_below(&random, 5) : draw_normal(&random);
        for (size_t k = 0; k < m; k++)
          b[k] = ties ? (double)rs_random_below(&random, 5) : draw_normal(&random);
        warned += order_of(a, counting, n, b, counting, m).drifts;
      }
      struct rs_interval limits = rs_stats_binomial_limits(repeats, warned, 0.999);
      if (limits.low > 0.05 || limits.high < 0.03)
        fail_msg("%zu and %zu launches, ties %zu, seed %#llx: %zu of %zu warned", n, m, ties, (unsigned long long)SEED,
                 warned, repeats);
    }
  }
}

static void single_and_equal_launches_say_nothing(void **state) {
  (void)state;
  struct rs_launch_order order = order_of(counting, counting, 1, counting, counting, 1);
  assert_true(isnan(order.drift) && !order.drifts && !order.came_apart);
  assert_near(order.p_drift, 1, 0);
  const double ones[] = {1, 1, 1, 1, 1, 1};
  order = order_of(ones, counting, 6, ones, ones, 6);
  assert_near(order.p_drift, 1, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(p_is_that_of_the_tables),
      cmocka_unit_test(sets_may_differ),
      cmocka_unit_test(one_set_first_is_told),
      cmocka_unit_test(chance_is_no_drift),
      cmocka_unit_test(single_and_equal_launches_say_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
