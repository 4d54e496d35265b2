// The intervals of the median promise their coverage: count, over many drawn samples, how often they hold the true
// median. Seeds are fixed and printed on failure.
#include "ringside/stats.h"
#include "unit/test_stats_series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define SEED UINT64_C(0x52494e47)
#define INDEPENDENT_SAMPLES 4000
#define SERIES_SAMPLES 2000

// For independent values the coverage is known exactly, whatever the distribution.
static void independent_coverage_is_what_it_says(void **state) {
  (void)state;
  static const size_t counts[] = {15, 30, 100, 1000};
  for (size_t c = 0; c < RS_ARRAY_LENGTH(counts); c++) {
    uint64_t seed = SEED + counts[c];
    struct rs_random random = {seed};
    double values[SERIES_MAX], reached = 0;
    size_t covered = 0;
    for (size_t sample = 0; sample < INDEPENDENT_SAMPLES; sample++) {
      draw_autoregressive(&random, 0, 1, values, counts[c]);
      rs_stats_sort(values, counts[c]);
      struct rs_interval interval = rs_stats_median_interval(values, counts[c], 0.95);
      covered += interval.low <= 1 && 1 <= interval.high;
      reached = interval.reached;
    }
    // Four standard deviations: a right implementation fails once in 16,000 seeds.
    double expected = INDEPENDENT_SAMPLES * reached, margin = 4 * sqrt(expected * (1 - reached));
    if (fabs((double)covered - expected) > margin)
      fail_msg("n = %zu, seed %#llx: covered %zu of %d samples, expected %.0f +- %.0f", counts[c],
               (unsigned long long)seed, covered, INDEPENDENT_SAMPLES, expected, margin);
  }
}

struct process {
  const char *name;
  double phi, low, median; // low > 0: bimodal
};

static void draw(const struct process *process, struct rs_random *random, double *values, size_t count) {
  if (process->low > 0)
    draw_bimodal(random, process->low, values, count);
  else
    draw_autoregressive(random, process->phi, 1, values, count);
}

// At least 93% for every process and count; at most 97% from 100 values on, where a wider interval would be waste.
static void check_series(const struct process *process) {
  static const size_t counts[] = {30, 100, 300, 1000};
  for (size_t c = 0; c < RS_ARRAY_LENGTH(counts); c++) {
    uint64_t seed = SEED + counts[c];
    struct rs_random random = {seed};
    double values[SERIES_MAX], scratch[2 * SERIES_MAX];
    size_t covered = 0;
    for (size_t sample = 0; sample < SERIES_SAMPLES; sample++) {
      draw(process, &random, values, counts[c]);
      struct rs_interval interval = rs_stats_median_interval_series(values, scratch, counts[c], 0.95);
      covered += interval.low <= process->median && process->median <= interval.high;
    }
    double part = (double)covered / SERIES_SAMPLES;
    print_message("%s, n = %zu, seed %#llx: covered in %.1f%%\n", process->name, counts[c], (unsigned long long)seed,
                  100 * part);
    if (part < 0.93 || (counts[c] >= 100 && part > 0.97))
      fail_msg("outside 93%% .. 97%%");
  }
}

static void log_normal_series_are_covered(void **state) {
  (void)state;
  check_series(&(struct process){"log-normal", .median = 1});
}

static void bimodal_series_are_covered(void **state) {
  (void)state;
  // 0.5 of all values are below the 5/6 quantile of the mode that holds 0.6 of them.
  check_series(&(struct process){"bimodal 60:40", .low = 0.6, .median = 1 + 0.05 * 0.9674215661});
  check_series(&(struct process){"bimodal 50:50", .low = 0.5, .median = 1.4});
}

static void autoregressive_series_are_covered(void **state) {
  (void)state;
  check_series(&(struct process){"AR(1) 0.5", .phi = 0.5, .median = 1});
  check_series(&(struct process){"AR(1) 0.8", .phi = 0.8, .median = 1});
}

// What the widening is for: the interval for independent values holds the median of an AR(1) far too seldom.
static void independence_would_be_too_narrow(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  double values[300];
  size_t covered = 0;
  for (size_t sample = 0; sample < SERIES_SAMPLES; sample++) {
    draw_autoregressive(&random, 0.8, 1, values, 300);
    rs_stats_sort(values, 300);
    struct rs_interval interval = rs_stats_median_interval(values, 300, 0.95);
    covered += interval.low <= 1 && 1 <= interval.high;
  }
  assert_in_range(covered, SERIES_SAMPLES / 2, SERIES_SAMPLES * 7 / 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(independent_coverage_is_what_it_says), cmocka_unit_test(log_normal_series_are_covered),
      cmocka_unit_test(bimodal_series_are_covered),           cmocka_unit_test(autoregressive_series_are_covered),
      cmocka_unit_test(independence_would_be_too_narrow),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
