// Published examples and tables; what must hold for any values. tests/unit/test_stats_reference.c has brute force.
#include "ringside/stats.h"
#include "unit/test_stats_series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define SEED UINT64_C(0x72616e6b)
#define COUNT_MAX 60

static void assert_near(double value, double expected, double tolerance) {
  if (!(fabs(value - expected) <= tolerance))
    fail_msg("%.17g is not within %g of %.17g", value, tolerance, expected);
}

static struct rs_rank_test test_of(const double *a, size_t n, const double *b, size_t m) {
  double scratch[2 * COUNT_MAX];
  return rs_stats_rank_test(&(struct rs_set_pair){a, b, n, m}, scratch);
}

// Permeability of the human chorioamnion: Hollander & Wolfe, "Nonparametric Statistical Methods", 1973, example 4.1.
// R's wilcox.test prints W = 35, p = 0.1272 (one-sided); coin's wilcox_test 0.2544 (two-sided).
static void hollander_and_wolfe(void **state) {
  (void)state;
  const double at_term[] = {0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
  const double earlier[] = {1.15, 0.88, 0.90, 0.74, 1.21};
  struct rs_rank_test test = test_of(earlier, 5, at_term, 10);
  assert_near(test.u, 35, 0);
  assert_near(test.p_larger, 0.1272, 5e-5);
  assert_near(test.p, 0.2544, 5e-5);
  assert_near(test.p_smallest, 2.0 / 3003, 1e-15);
  assert_true(test.exact);
}

// Rats on a rotating rod, with which Bergmann, Ludbrook & Spooren ("Different outcomes of the Wilcoxon-Mann-Whitney
// test from different statistics packages", The American Statistician 54, 2000) found eleven packages to disagree: most
// values are ties. Exact: 0.0373 two-sided, 0.0186 one-sided.
static void ties_are_exact(void **state) {
  (void)state;
  double control[12], treated[12] = {22, 300, 75, 271, 300, 18, 300, 300, 163, 300, 300, 300};
  for (size_t i = 0; i < 12; i++)
    control[i] = 300;
  struct rs_rank_test test = test_of(control, 12, treated, 12);
  assert_near(test.p, 0.0373, 5e-5);
  assert_near(test.p_smaller, 0.0186, 5e-5);
  assert_near(test.p_smallest, test.p, 1e-15);
}

// The critical values of U as printed in tables (Mann & Whitney 1947; Siegel 1956, table K): the largest u that is
// significant two-sided.
static void critical_values_are_those_of_the_tables(void **state) {
  (void)state;
  static const struct {
    size_t n, m, at_5_percent, at_1_percent;
  } table[] = {{5, 5, 2, 0},     {6, 6, 5, 2},    {7, 7, 8, 4},     {8, 8, 13, 7},    {9, 9, 17, 11},
               {10, 10, 23, 16}, {5, 10, 8, 4},   {12, 12, 37, 27}, {15, 15, 64, 51}, {20, 20, 127, 105},
               {10, 20, 55, 42}, {8, 15, 29, 20}, {13, 17, 63, 49}};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(table); i++) {
    size_t n = table[i].n, m = table[i].m;
    const double levels[] = {0.05, 0.01};
    const size_t critical[] = {table[i].at_5_percent, table[i].at_1_percent};
    for (size_t l = 0; l < 2; l++) {
      // Values of b are put above all of a, above some, above none, until their pairs make u.
      double a[COUNT_MAX], b[COUNT_MAX], p[2];
      for (size_t extra = 0; extra < 2; extra++) {
        size_t u = critical[l] + extra;
        for (size_t k = 0; k < n; k++)
          a[k] = (double)(10 * k + 10);
        for (size_t k = 0; k < m; k++) {
          size_t above = rs_min_size(n, u);
          u -= above;
          b[k] = (double)(10 * above + 5);
        }
        for (size_t k = 0; k < m; k++)
          b[k] += (double)k * 0.1; // no ties
        struct rs_rank_test test = test_of(a, n, b, m);
        assert_near(test.u, (double)(critical[l] + extra), 0);
        p[extra] = test.p;
      }
      if (!(p[0] <= levels[l] && levels[l] < p[1]))
        fail_msg("n = %zu, m = %zu: %zu is not the critical value at %g: p is %g, and %g for the next", n, m,
                 critical[l], levels[l], p[0], p[1]);
    }
  }
}

static void draw(struct rs_random *random, double *values, size_t count) {
  for (size_t i = 0; i < count; i++)
    values[i] = (double)rs_random_below(random, 30);
}

// Exchanging the sets exchanges the tails; so does changing all signs. Order and any rising map change nothing.
static void symmetries_hold(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  for (size_t i = 0; i < 300; i++) {
    size_t n = 1 + rs_random_below(&random, 30), m = 1 + rs_random_below(&random, 30);
    double a[COUNT_MAX], b[COUNT_MAX], a2[COUNT_MAX], b2[COUNT_MAX];
    draw(&random, a, n);
    draw(&random, b, m);
    struct rs_rank_test test = test_of(a, n, b, m), exchanged = test_of(b, m, a, n);
    for (size_t k = 0; k < n; k++)
      a2[n - 1 - k] = -exp(a[k] / 10);
    for (size_t k = 0; k < m; k++)
      b2[k] = -exp(b[k] / 10);
    struct rs_rank_test mapped = test_of(a2, n, b2, m);
    assert_near(test.u + exchanged.u, (double)(n * m), 0);
    assert_near(test.p, exchanged.p, 1e-12);
    assert_near(test.p_larger, exchanged.p_smaller, 1e-12);
    assert_near(test.p_smallest, exchanged.p_smallest, 1e-12);
    assert_near(test.p_larger, mapped.p_smaller, 1e-12);
    assert_near(test.p_smallest, mapped.p_smallest, 1e-12);
    assert_true(test.p >= test.p_smallest - 1e-12 && test.p <= 1 && test.exact == (n * m <= RS_RANK_TEST_EXACT));
    assert_true(test.p_larger + test.p_smaller >= 1);
  }
}

// With one value more the normal approximation begins; there it is near the exact p of the 20 and 20 before. The value
// added to each set is far out on the same side, so that u moves by 20 and its mean by 20.5.
static void the_approximation_takes_over_smoothly(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  for (size_t i = 0; i < 200; i++) {
    double a[21], b[21];
    for (size_t k = 0; k < 20; k++) {
      a[k] = draw_normal(&random);
      b[k] = draw_normal(&random) + 0.5;
    }
    a[20] = 100;
    b[20] = 101;
    struct rs_rank_test exact = test_of(a, 20, b, 20), normal = test_of(a, 21, b, 21);
    assert_true(exact.exact && !normal.exact);
    assert_near(exact.p, normal.p, 0.05);
    assert_near(exact.p_larger, normal.p_larger, 0.025);
  }
}

static void equal_values_say_nothing(void **state) {
  (void)state;
  double ones[COUNT_MAX];
  for (size_t i = 0; i < COUNT_MAX; i++)
    ones[i] = 1;
  static const size_t counts[] = {1, 10, COUNT_MAX};
  for (size_t c = 0; c < RS_ARRAY_LENGTH(counts); c++) {
    struct rs_rank_test test = test_of(ones, counts[c], ones, counts[c]);
    assert_near(test.p, 1, 0);
    assert_near(test.p_larger, 1, 0);
    assert_near(test.p_smallest, 1, 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hollander_and_wolfe),
      cmocka_unit_test(ties_are_exact),
      cmocka_unit_test(critical_values_are_those_of_the_tables),
      cmocka_unit_test(symmetries_hold),
      cmocka_unit_test(the_approximation_takes_over_smoothly),
      cmocka_unit_test(equal_values_say_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
