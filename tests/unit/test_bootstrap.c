#include "ringside/stats.h"
#include "unit/test_stats_series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define SEED UINT64_C(0x626f6f74)
#define REPEATS 1000

// For an AR(1) the best mean block length is known: (2 phi / (1 - phi^2))^(2/3) n^(1/3), and 1 for independent values.
// The rule leaves out the lags whose correlation is lost in the noise, so it comes out a little short.
static void block_length_is_that_of_the_process(void **state) {
  (void)state;
  static const double phis[] = {0, 0.3, 0.5, 0.8};
  for (size_t p = 0; p < RS_ARRAY_LENGTH(phis); p++) {
    struct rs_random random = {SEED};
    double lengths[101], values[SERIES_MAX], scratch[SERIES_MAX], phi = phis[p];
    for (size_t i = 0; i < RS_ARRAY_LENGTH(lengths); i++) {
      draw_autoregressive(&random, phi, 1, values, SERIES_MAX);
      for (size_t t = 0; t < SERIES_MAX; t++)
        values[t] = log(values[t]);
      lengths[i] = rs_stats_block_length(values, scratch, SERIES_MAX);
    }
    rs_stats_sort(lengths, RS_ARRAY_LENGTH(lengths));
    double median = lengths[RS_ARRAY_LENGTH(lengths) / 2];
    double best = fmax(1, pow(2 * phi / (1 - phi * phi), 2.0 / 3) * 10);
    print_message("AR(%g): block length %.1f, best %.1f\n", phi, median, best);
    if (!(median >= 0.65 * best && median <= fmax(1.25 * best, 2)))
      fail_msg("seed %#llx: a block length of %g is not near %g", (unsigned long long)SEED, median, best);
  }
}

static void degenerate_series_have_blocks_too(void **state) {
  (void)state;
  double scratch[50], ones[50], sawtooth[50];
  for (size_t i = 0; i < 50; i++) {
    ones[i] = 1;
    sawtooth[i] = (double)(i % 2);
  }
  for (size_t n = 1; n <= 50; n++) {
    assert_true(rs_stats_block_length(ones, scratch, n) == 1); // exactly
    double block = rs_stats_block_length(sawtooth, scratch, n);
    assert_true(block >= 1 && block <= fmax((double)n, 1));
  }
}

// Steps from one value to its neighbour, around the end too, are broken once in `block` values.
static void resamples_are_made_of_blocks(void **state) {
  (void)state;
  double values[100], resample[100];
  for (size_t i = 0; i < 100; i++)
    values[i] = (double)i;
  static const double blocks[] = {1, 4, 25};
  for (size_t b = 0; b < RS_ARRAY_LENGTH(blocks); b++) {
    struct rs_random random = {SEED};
    size_t breaks = 0, seen[100] = {0};
    for (size_t r = 0; r < REPEATS; r++) {
      rs_stats_resample(values, 100, blocks[b], &random, resample);
      for (size_t t = 0; t < 100; t++) {
        seen[(size_t)resample[t]]++;
        breaks += t > 0 && (size_t)resample[t] != ((size_t)resample[t - 1] + 1) % 100;
      }
    }
    // A new block goes on where the old one would have in one of 100 cases.
    double expected = 99.0 * REPEATS / blocks[b] * 0.99;
    assert_true(fabs((double)breaks - expected) <= 5 * sqrt(expected));
    for (size_t i = 0; i < 100; i++) // each value as often as any other: no edge is left out
      assert_true(fabs((double)seen[i] - REPEATS) <= 6 * sqrt(REPEATS * blocks[b]));
  }
}

static void the_seed_is_the_result(void **state) {
  (void)state;
  struct rs_random draw = {SEED}, first = {1}, second = {1}, other = {2};
  double a[100], b[75], scratch[200 + REPEATS];
  draw_autoregressive(&draw, 0.5, 0.1, a, 100);
  draw_autoregressive(&draw, 0.5, 0.1, b, 75);
  struct rs_series_pair pair = {a, b, 100, 75};
  struct rs_interval x = rs_stats_median_ratio_interval(&pair, REPEATS, 0.95, &first, scratch);
  struct rs_interval y = rs_stats_median_ratio_interval(&pair, REPEATS, 0.95, &second, scratch);
  struct rs_interval z = rs_stats_median_ratio_interval(&pair, REPEATS, 0.95, &other, scratch);
  assert_true(x.low >= y.low && x.low <= y.low && x.high >= y.high && x.high <= y.high);
  assert_true(z.low < x.low || z.low > x.low);
  struct rs_interval wider = rs_stats_median_ratio_interval(&pair, REPEATS, 0.99, &first, scratch);
  assert_true(wider.low < x.low && wider.high > x.high);
}

static void constant_series_have_one_ratio(void **state) {
  (void)state;
  const double a[] = {2, 2, 2, 2}, b[] = {3};
  double scratch[8 + REPEATS];
  struct rs_random random = {SEED};
  struct rs_interval interval =
      rs_stats_median_ratio_interval(&(struct rs_series_pair){a, b, 4, 1}, REPEATS, 0.95, &random, scratch);
  assert_true(interval.low >= 1.5 && interval.high <= 1.5);
}

// A percentile interval is a little narrow, the more so the fewer independent values a series is worth: 300 values of
// AR(0.8) are worth 33. The shares are what 400 pairs of series must reach.
static void the_true_ratio_is_covered(void **state) {
  (void)state;
  static const double phis[] = {0, 0.5, 0.8}, shares[] = {0.93, 0.89, 0.86};
  for (size_t p = 0; p < RS_ARRAY_LENGTH(phis); p++) {
    struct rs_random random = {SEED + p};
    const size_t pairs = 400, count = 300;
    size_t covered = 0;
    for (size_t i = 0; i < pairs; i++) {
      double a[SERIES_MAX], b[SERIES_MAX], scratch[2 * SERIES_MAX + REPEATS];
      draw_autoregressive(&random, phis[p], 0.3, a, count);
      draw_autoregressive(&random, phis[p], 0.3, b, count);
      for (size_t t = 0; t < count; t++)
        b[t] *= 1.2;
      struct rs_interval interval =
          rs_stats_median_ratio_interval(&(struct rs_series_pair){a, b, count, count}, 300, 0.95, &random, scratch);
      covered += interval.low <= 1.2 && 1.2 <= interval.high;
    }
    struct rs_interval limits = rs_stats_binomial_limits(pairs, covered, 0.99);
    print_message("AR(%g), n = %zu: covered in %zu of %zu (%.1f%% .. %.1f%%)\n", phis[p], count, covered, pairs,
                  100 * limits.low, 100 * limits.high);
    assert_true((double)covered >= shares[p] * (double)pairs);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(block_length_is_that_of_the_process), cmocka_unit_test(degenerate_series_have_blocks_too),
      cmocka_unit_test(resamples_are_made_of_blocks),        cmocka_unit_test(the_seed_is_the_result),
      cmocka_unit_test(constant_series_have_one_ratio),      cmocka_unit_test(the_true_ratio_is_covered),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
