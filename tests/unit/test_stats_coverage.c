// The interval of the median promises its coverage for any distribution: count, over many drawn samples, how often it
// holds the true median, and compare with what it says it reaches.
#include "ringside/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define SEED UINT64_C(0x52494e47)
#define SAMPLES 4000
#define COUNT_MAX 1000
#define TRUE_MEDIAN 1.0

// In (0, 1).
static double draw_uniform(struct rs_random *random) {
  return ((double)(rs_random_next(random) >> 11) + 0.5) * 0x1p-53;
}

// exp of a standard normal (Box & Muller 1958): skewed to the right like real times.
static double draw_lognormal(struct rs_random *random) {
  double radius = sqrt(-2 * log(draw_uniform(random))), angle = 2 * M_PI * draw_uniform(random);
  return TRUE_MEDIAN * exp(radius * cos(angle));
}

static void check_coverage(size_t count) {
  struct rs_random random = {.state = SEED + count};
  double values[COUNT_MAX], reached = 0;
  size_t covered = 0;
  for (size_t sample = 0; sample < SAMPLES; sample++) {
    for (size_t i = 0; i < count; i++)
      values[i] = draw_lognormal(&random);
    rs_stats_sort(values, count);
    struct rs_interval interval = rs_stats_median_interval(values, count, 0.95);
    covered += interval.low <= TRUE_MEDIAN && TRUE_MEDIAN <= interval.high;
    reached = interval.reached;
  }
  // Four standard deviations: a right implementation fails once in 16,000 seeds, and the seed is fixed.
  double expected = SAMPLES * reached, margin = 4 * sqrt(SAMPLES * reached * (1 - reached));
  if (fabs((double)covered - expected) > margin)
    fail_msg("n = %zu, seed %#llx: covered %zu of %d samples, expected %.0f +- %.0f", count,
             (unsigned long long)random.state, covered, SAMPLES, expected, margin);
}

static void coverage_holds_for_15(void **state) {
  (void)state;
  check_coverage(15);
}

static void coverage_holds_for_30(void **state) {
  (void)state;
  check_coverage(30);
}

static void coverage_holds_for_100(void **state) {
  (void)state;
  check_coverage(100);
}

static void coverage_holds_for_1000(void **state) {
  (void)state;
  check_coverage(1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(coverage_holds_for_15),
      cmocka_unit_test(coverage_holds_for_30),
      cmocka_unit_test(coverage_holds_for_100),
      cmocka_unit_test(coverage_holds_for_1000),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
