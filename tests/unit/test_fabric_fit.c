// Truth: times made from known parameters give them back, intervals cover them, and what times do not tell is NaN.
#include "ringside/fabric.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZES 12
#define LAUNCHES_MAX 9
#define POINTS_MAX (2 * SIZES * LAUNCHES_MAX)

static const double latency_ns = 25000, byte_ps = 800, gap_ns = 900, stream_byte_ps = 640;

// Normal by the sum of twelve uniform values.
static double noise(struct rs_random *random, double deviation) {
  double sum = -6;
  for (int i = 0; i < 12; i++)
    sum += (double)(rs_random_next(random) >> 11) * 0x1p-53;
  return 1 + deviation * sum;
}

// Sizes 8 B to 32 MiB in steps of x4, once there and back and once as a stream. Each launch is off by 1%, each time by
// 2%.
static size_t make_points(size_t launches, struct rs_random *random, struct rs_fabric_point *points) {
  size_t count = 0;
  for (uint32_t launch = 0; launch < launches; launch++) {
    const double launch_noise = noise(random, 0.01);
    for (size_t s = 0; s < SIZES; s++) {
      const uint64_t bytes = (uint64_t)8 << 2 * s;
      const double alone = latency_ns + (double)bytes * byte_ps / 1000;
      const double streamed = gap_ns + (double)bytes * stream_byte_ps / 1000;
      points[count++] =
          (struct rs_fabric_point){RS_DISTANCE_LEAF, launch, bytes, false, alone * launch_noise * noise(random, 0.02)};
      points[count++] = (struct rs_fabric_point){RS_DISTANCE_LEAF, launch, bytes, true,
                                                 streamed * launch_noise * noise(random, 0.02)};
    }
  }
  return count;
}

static struct rs_fabric_fitted fit(const struct rs_fabric_point *points, size_t count) {
  struct rs_fabric_fitted fitted[RS_DISTANCE_COUNT];
  struct rs_error error = {0};
  assert_int_equal(rs_fabric_fit(points, count, 1, fitted, &error), RS_OK);
  return fitted[RS_DISTANCE_LEAF];
}

static void expect_within(double value, double truth, double share, uint64_t seed, const char *what) {
  if (!(fabs(value / truth - 1) <= share))
    fail_msg("seed %" PRIu64 ": %s is %g, not %g within %g%%", seed, what, value, truth, share * 100);
}

static void parameters_come_back_within_three_percent(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    struct rs_random random = {seed};
    struct rs_fabric_point points[POINTS_MAX];
    const size_t count = make_points(LAUNCHES_MAX, &random, points);
    const struct rs_fabric_fitted found = fit(points, count);
    assert_int_equal(found.points, count);
    assert_int_equal(found.launches, LAUNCHES_MAX);
    expect_within(found.latency_ns.value, latency_ns, 0.03, seed, "the latency");
    expect_within(found.byte_ps.value, byte_ps, 0.03, seed, "the time per byte");
    expect_within(found.gap_ns.value, gap_ns, 0.03, seed, "the gap");
    expect_within(found.stream_byte_ps.value, stream_byte_ps, 0.03, seed, "the time per byte of a stream");
  }
}

// Without noise all observations lie on one line, which is found to the last digits.
static void exact_times_give_exact_parameters(void **state) {
  (void)state;
  struct rs_fabric_point points[SIZES];
  for (size_t s = 0; s < SIZES; s++)
    points[s] = (struct rs_fabric_point){RS_DISTANCE_LEAF, 0, (uint64_t)8 << 2 * s, false,
                                         latency_ns + (double)((uint64_t)8 << 2 * s) * byte_ps / 1000};
  const struct rs_fabric_fitted found = fit(points, SIZES);
  expect_within(found.latency_ns.value, latency_ns, 1e-9, 0, "the latency");
  expect_within(found.byte_ps.value, byte_ps, 1e-9, 0, "the time per byte");
  assert_true(isnan(found.gap_ns.value) && isnan(found.stream_byte_ps.value));
}

// Of 100 made sets; 95% are asked for, and with 88 or more the intervals are not far from it.
static void intervals_cover(void **state) {
  (void)state;
  static const size_t launches[] = {1, 2, 5};
  for (size_t l = 0; l < RS_ARRAY_LENGTH(launches); l++) {
    size_t latency = 0, byte = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
      struct rs_random random = {seed * 7919};
      struct rs_fabric_point points[POINTS_MAX];
      const size_t count = make_points(launches[l], &random, points);
      // A single launch cannot know how far launches are apart: it answers for its own parameters.
      struct rs_random again = {seed * 7919};
      const double own = launches[l] == 1 ? noise(&again, 0.01) : 1;
      const struct rs_fabric_fitted found = fit(points, count);
      latency += found.latency_ns.low <= latency_ns * own && latency_ns * own <= found.latency_ns.high;
      byte += found.byte_ps.low <= byte_ps * own && byte_ps * own <= found.byte_ps.high;
    }
    if (latency < 88 || byte < 88)
      fail_msg("%zu launches: of 100 intervals %zu cover the latency and %zu the time per byte", launches[l], latency,
               byte);
  }
}

static void a_bad_launch_does_not_carry_the_line_off(void **state) {
  (void)state;
  const uint64_t seed = 3;
  struct rs_random random = {seed};
  struct rs_fabric_point points[POINTS_MAX];
  const size_t count = make_points(LAUNCHES_MAX, &random, points);
  for (size_t i = 0; i < count; i++)
    if (points[i].launch == 4)
      points[i].time_ns *= 2;
  const struct rs_fabric_fitted found = fit(points, count);
  expect_within(found.latency_ns.value, latency_ns, 0.03, seed, "the latency");
  expect_within(found.byte_ps.value, byte_ps, 0.03, seed, "the time per byte");
}

static void what_times_do_not_tell_is_not_a_number(void **state) {
  (void)state;
  struct rs_fabric_point points[] = {{RS_DISTANCE_LEAF, 0, 64, false, 10000}, {RS_DISTANCE_LEAF, 1, 64, false, 10100}};
  struct rs_fabric_fitted found = fit(points, 2);
  assert_true(isnan(found.latency_ns.value) && isnan(found.byte_ps.value) && isnan(found.latency_ns.low));
  assert_int_equal(found.launches, 2);
  points[1].launch = 0;
  points[1].bytes = 1064; // two points of one launch: a line, but nothing on how sure it is
  found = fit(points, 2);
  assert_true(fabs(found.byte_ps.value - 100) < 1e-6 && isnan(found.byte_ps.low));
  points[1].time_ns = 9000; // larger is faster
  found = fit(points, 2);
  assert_true(isnan(found.byte_ps.value) && found.latency_ns.value > 10000);

  struct rs_fabric_fitted fitted[RS_DISTANCE_COUNT];
  struct rs_error error = {0};
  assert_int_equal(rs_fabric_fit(points, 0, 1, fitted, &error), RS_OK);
  assert_int_equal(fitted[RS_DISTANCE_LEAF].points, 0);
  points[1].time_ns = 0;
  assert_int_equal(rs_fabric_fit(points, 2, 1, fitted, &error), RS_ERROR_USAGE);
  assert_non_null(strstr(error.text, "time 1 of 2 is 0 ns"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parameters_come_back_within_three_percent),
      cmocka_unit_test(exact_times_give_exact_parameters),
      cmocka_unit_test(intervals_cover),
      cmocka_unit_test(a_bad_launch_does_not_carry_the_line_off),
      cmocka_unit_test(what_times_do_not_tell_is_not_a_number),
  };
  return cmocka_run_group_tests_name("fabric fit", tests, NULL, NULL);
}
