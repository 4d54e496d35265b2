// What the order of values changes: effective counts, intervals and summaries of a series.
#include "ringside/stats.h"
#include "unit/test_stats_series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define SEED UINT64_C(0x44455045)

static double width(const double *in_time_order, size_t count) {
  double scratch[2 * SERIES_MAX];
  struct rs_interval interval = rs_stats_median_interval_series(in_time_order, scratch, count, 0.95);
  return interval.high - interval.low;
}

static void shuffle(struct rs_random *random, double *values, size_t count) {
  for (size_t i = count; i > 1; i--) {
    size_t other = rs_random_below(random, i);
    double value = values[i - 1];
    values[i - 1] = values[other];
    values[other] = value;
  }
}

// The ranks that independence asks for at 95%, interpolated: the least that any series may get.
static double independent_width(const double *values, size_t count) {
  double sorted[SERIES_MAX];
  for (size_t i = 0; i < count; i++)
    sorted[i] = values[i];
  rs_stats_sort(sorted, count);
  double n = (double)count, depth = fmax((n - 1) / 2 - 1.959963 / 2 * sqrt(n), 0) / (n - 1);
  return rs_stats_quantile(sorted, count, 1 - depth) - rs_stats_quantile(sorted, count, depth);
}

static void dependence_widens_and_nothing_narrows(void **state) {
  (void)state;
  static const double phis[] = {-0.5, 0, 0.5, 0.9};
  double values[SERIES_MAX];
  for (size_t p = 0; p < RS_ARRAY_LENGTH(phis); p++) {
    for (size_t count = 2; count <= SERIES_MAX; count += 83) {
      struct rs_random random = {SEED + count};
      draw_autoregressive(&random, phis[p], 0.3, values, count);
      if (width(values, count) < independent_width(values, count) * (1 - 1e-6))
        fail_msg("phi %g, n = %zu, seed %#llx: narrower than for independent values", phis[p], count,
                 (unsigned long long)SEED + count);
    }
  }
  struct rs_random random = {SEED};
  draw_autoregressive(&random, 0.8, 0.3, values, SERIES_MAX);
  double in_order = width(values, SERIES_MAX);
  shuffle(&random, values, SERIES_MAX);
  double factor = in_order / width(values, SERIES_MAX); // about sqrt(6.3): the signs' correlations are 2/pi asin(0.8^k)
  if (!(factor > 2 && factor < 3.2))
    fail_msg("widened by %g", factor);
}

// The mean of an AR(1) is worth n (1 - phi) / (1 + phi) independent values.
static void effective_counts_are_those_of_theory(void **state) {
  (void)state;
  static const double phis[] = {0, 0.5, 0.8};
  for (size_t p = 0; p < RS_ARRAY_LENGTH(phis); p++) {
    struct rs_random random = {SEED};
    double values[SERIES_MAX], scratch[2 * SERIES_MAX], sum = 0;
    for (size_t s = 0; s < 100; s++) {
      draw_autoregressive(&random, phis[p], 0.01, values, SERIES_MAX);
      sum += rs_stats_effective_count(values, scratch, SERIES_MAX) / 100;
    }
    double expected = SERIES_MAX * (1 - phis[p]) / (1 + phis[p]);
    if (fabs(sum / expected - 1) > 0.15)
      fail_msg("phi %g, seed %#llx: worth %.0f values, expected %.0f", phis[p], (unsigned long long)SEED, sum,
               expected);
  }
}

// A drift has no level: its interval is the full range, and says that it covers little.
static void a_drift_gives_the_full_range(void **state) {
  (void)state;
  double values[400], scratch[800];
  for (size_t i = 0; i < 400; i++)
    values[i] = (double)i;
  struct rs_interval interval = rs_stats_median_interval_series(values, scratch, 400, 0.95);
  assert_true(interval.low == 0 && interval.high == 399);
  assert_true(interval.reached >= 0 && interval.reached < 0.95);
}

static void few_or_equal_values_are_no_trouble(void **state) {
  (void)state;
  const double values[] = {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5};
  double scratch[24];
  for (size_t n = 1; n <= 12; n++) {
    struct rs_interval interval = rs_stats_median_interval_series(values, scratch, n, 0.95);
    assert_true(interval.low == 5 && interval.high == 5);
    assert_true(interval.reached <= 0.95 && (n < 6) == (interval.reached < 0.95));
  }
}

static void summary_differs_in_the_interval_only(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  double values[SERIES_MAX], scratch[2 * SERIES_MAX];
  draw_autoregressive(&random, 0.8, 0.3, values, SERIES_MAX);
  struct rs_interval interval = rs_stats_median_interval_series(values, scratch, SERIES_MAX, RS_STATS_LEVEL);
  struct rs_summary series = rs_stats_summarise_series(values, scratch, SERIES_MAX);
  struct rs_summary plain = rs_stats_summarise(values, SERIES_MAX); // sorts
  assert_memory_equal(scratch, values, sizeof values);
  assert_true(series.ci_low == interval.low && series.ci_high == interval.high);
  assert_true(series.ci_low < plain.ci_low && series.ci_high > plain.ci_high);
  series.ci_low = plain.ci_low;
  series.ci_high = plain.ci_high;
  assert_memory_equal(&series, &plain, sizeof plain);
  assert_true(isnan(rs_stats_summarise_series(NULL, NULL, 0).median));
}

// Called after each batch, with up to 10,000 values; a drift is the worst case, as dependence never ends.
static void ten_thousand_values_take_no_time(void **state) {
  (void)state;
  enum { COUNT = 10000 };
  double *values = malloc(COUNT * sizeof(*values)), *scratch = malloc(2 * COUNT * sizeof(*scratch));
  assert_true(values != NULL && scratch != NULL);
  for (size_t i = 0; i < COUNT; i++)
    values[i] = (double)i;
  int64_t start = rs_clock_ns();
  rs_stats_summarise_series(values, scratch, COUNT);
  assert_in_range(rs_clock_ns() - start, 0, 1000000000); // 20 ms alone on a core of 2020
  free(values);
  free(scratch);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dependence_widens_and_nothing_narrows), cmocka_unit_test(effective_counts_are_those_of_theory),
      cmocka_unit_test(a_drift_gives_the_full_range),          cmocka_unit_test(few_or_equal_values_are_no_trouble),
      cmocka_unit_test(summary_differs_in_the_interval_only),  cmocka_unit_test(ten_thousand_values_take_no_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
