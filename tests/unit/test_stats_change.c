// Change points: seldom found where there is none, and found where there is one. Seeds are fixed and printed.
#include "ringside/stats.h"
#include "unit/test_stats_series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define SEED UINT64_C(0x43484750)
#define SERIES 2000
#define NOISE 0.05 // of a time
#define SPIKE_PART 0.02

static void check_stationary(const char *name, double phi, double low) {
  static const size_t counts[] = {50, 100, 200, 500, 1000};
  for (size_t c = 0; c < RS_ARRAY_LENGTH(counts); c++) {
    uint64_t seed = SEED + counts[c];
    struct rs_random random = {seed};
    double values[SERIES_MAX], scratch[2 * SERIES_MAX];
    size_t warm_ups = 0, shifts = 0, where;
    for (size_t s = 0; s < SERIES; s++) {
      if (low > 0)
        draw_bimodal(&random, low, values, counts[c]);
      else
        draw_autoregressive(&random, phi, 0.5, values, counts[c]);
      warm_ups += rs_stats_warm_up(values, scratch, counts[c]) > 0;
      shifts += rs_stats_level_shift(values, scratch, counts[c], &where);
    }
    print_message("%s, n = %zu, seed %#llx: warm-up in %.1f%%, shift in %.1f%%\n", name, counts[c],
                  (unsigned long long)seed, 100.0 * (double)warm_ups / SERIES, 100.0 * (double)shifts / SERIES);
    assert_in_range(warm_ups, 0, SERIES / 20);
    assert_in_range(shifts, 0, SERIES / 20);
  }
}

static void stationary_series_have_no_change(void **state) {
  (void)state;
  check_stationary("independent", 0, 0);
  check_stationary("bimodal", 0, 0.6);
  check_stationary("AR(1) 0.5", 0.5, 0);
}

// Noise of 5%, and one value in fifty up to three times as long.
static void draw_times(struct rs_random *random, double phi, double *values, size_t count) {
  draw_autoregressive(random, phi, NOISE, values, count);
  for (size_t i = 0; i < count; i++)
    if (draw_uniform(random) < SPIKE_PART)
      values[i] *= 1 + 2 * draw_uniform(random);
}

// The first 5 to 50 values (a third of the series at most) are slower: at first by 1.3 to 3, then falling to 1.3, or as
// slow until the end.
static void check_warm_up(double phi, size_t count, bool decays) {
  uint64_t seed = SEED ^ (count + decays);
  struct rs_random random = {seed};
  double values[SERIES_MAX], scratch[2 * SERIES_MAX];
  size_t near = 0;
  for (size_t s = 0; s < SERIES; s++) {
    size_t slow = 5 + rs_random_below(&random, rs_min_size(count / 3, 50) - 4);
    double factor = 1.3 + 1.7 * draw_uniform(&random);
    draw_times(&random, phi, values, count);
    for (size_t i = 0; i < slow; i++)
      values[i] *= decays ? factor - (factor - 1.3) * (double)i / (double)slow : factor;
    size_t cut = rs_stats_warm_up(values, scratch, count);
    near += cut + 3 >= slow && cut <= slow + 3;
  }
  print_message("%s start, AR(1) %.1f, n = %zu, seed %#llx: cut within 3 of the truth in %.1f%%\n",
                decays ? "decaying" : "slow", phi, count, (unsigned long long)seed, 100.0 * (double)near / SERIES);
  assert_in_range(near, SERIES * 9 / 10, SERIES);
}

static void a_slow_start_is_cut_off(void **state) {
  (void)state;
  static const size_t counts[] = {100, 200, 500, 1000};
  for (size_t c = 0; c < RS_ARRAY_LENGTH(counts); c++) {
    check_warm_up(0, counts[c], false);
    check_warm_up(0, counts[c], true);
  }
  check_warm_up(0.5, 1000, false);
  check_warm_up(0.5, 1000, true);
}

static void a_fast_start_is_cut_off_too(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  double values[300], scratch[600];
  draw_times(&random, 0, values, 300);
  for (size_t i = 0; i < 30; i++) // a network allowance that runs out
    values[i] /= 2;
  assert_in_range(rs_stats_warm_up(values, scratch, 300), 27, 33);
}

static void never_more_than_half_is_cut_off(void **state) {
  (void)state;
  double values[SERIES_MAX], scratch[2 * SERIES_MAX];
  for (size_t count = 1; count <= SERIES_MAX; count += 37) {
    for (size_t i = 0; i < count; i++)
      values[i] = (double)(2 * count - i);
    assert_in_range(rs_stats_warm_up(values, scratch, count), 0, count / 2);
  }
}

// One value in fifty is a spike, and so may be the first.
static void one_spike_is_no_warm_up(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  double values[200], scratch[400];
  draw_autoregressive(&random, 0, NOISE, values, 200);
  size_t before = rs_stats_warm_up(values, scratch, 200);
  values[0] = 100;
  assert_int_equal(before, 0);
  assert_in_range(rs_stats_warm_up(values, scratch, 200), 0, 1);
}

// 10% more at some place in the middle three fifths.
static void a_shift_is_found_and_placed(void **state) {
  (void)state;
  static const size_t counts[] = {100, 300, 1000};
  for (size_t c = 0; c < RS_ARRAY_LENGTH(counts); c++) {
    uint64_t seed = SEED + counts[c];
    struct rs_random random = {seed};
    double values[SERIES_MAX], scratch[2 * SERIES_MAX];
    size_t found = 0, near = 0, count = counts[c], where;
    for (size_t s = 0; s < SERIES; s++) {
      size_t truth = count / 5 + rs_random_below(&random, count * 3 / 5);
      draw_times(&random, 0, values, count);
      for (size_t i = truth; i < count; i++)
        values[i] *= 1.1;
      if (rs_stats_level_shift(values, scratch, count, &where)) {
        found++;
        near += where + 10 >= truth && where <= truth + 10;
      }
    }
    print_message("shift by 10%%, n = %zu, seed %#llx: found in %.1f%%, within 10 in %.1f%%\n", count,
                  (unsigned long long)seed, 100.0 * (double)found / SERIES, 100.0 * (double)near / SERIES);
    assert_in_range(found, SERIES * 9 / 10, SERIES);
    assert_in_range(near, SERIES * 9 / 10, SERIES);
  }
}

static void equal_values_have_no_change(void **state) {
  (void)state;
  double values[200], scratch[400];
  size_t where = 7;
  for (size_t i = 0; i < 200; i++)
    values[i] = 42;
  assert_int_equal(rs_stats_warm_up(values, scratch, 200), 0);
  assert_false(rs_stats_level_shift(values, scratch, 200, &where));
  assert_int_equal(where, 7);
  for (size_t i = 0; i < 10; i++)
    values[i] = 50; // a clock of few steps
  assert_int_equal(rs_stats_warm_up(values, scratch, 200), 10);
}

static void few_values_tell_nothing(void **state) {
  (void)state;
  const double values[] = {9, 9, 9, 1, 1, 1, 1, 1};
  double scratch[16];
  size_t where;
  for (size_t n = 0; n <= RS_ARRAY_LENGTH(values); n++) {
    assert_int_equal(rs_stats_warm_up(values, scratch, n), 0);
    assert_false(rs_stats_level_shift(values, scratch, n, &where));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(stationary_series_have_no_change), cmocka_unit_test(a_slow_start_is_cut_off),
      cmocka_unit_test(a_fast_start_is_cut_off_too),      cmocka_unit_test(never_more_than_half_is_cut_off),
      cmocka_unit_test(one_spike_is_no_warm_up),          cmocka_unit_test(a_shift_is_found_and_placed),
      cmocka_unit_test(equal_values_have_no_change),      cmocka_unit_test(few_values_tell_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
