// A file keeps the clock's times of an emulated fabric; who reads it gets the fabric's own.
#include "store/sample_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

// Every case over tcp, at this slowdown; the sample run's values are even enough to be halved.
static struct rs_result *read_slowed(struct sample_place *place, double slowdown) {
  struct sample_run run;
  struct rs_error error = {0};
  struct rs_result *result = NULL;
  sample_run_init(&run);
  for (size_t c = 0; c < SAMPLE_CASES; c++) {
    run.cases[c].slowdown = slowdown;
    run.cases[c].emulated = 1;
    run.cases[c].algbw_gb_s = 3;
  }
  if (sample_write_run(place->path, true, &run, &error) != RS_OK ||
      rs_result_open(place->path, &result, &error) != RS_OK)
    fail_msg("%s", error.text);
  return result;
}

static void test_times_are_divided(void **state) {
  struct rs_result *result = read_slowed(*state, 4);
  for (size_t c = 0; c < SAMPLE_CASES; c++) {
    const struct rs_case_row *row = &result->cases[c];
    assert_true(row->slowdown == 4);
    assert_true(row->median_ns == (100.5 + (double)c) / 4);
    assert_true(row->min_ns == 25);
    assert_true(row->algbw_gb_s == 12);
    assert_int_equal(row->sync_error_ns, 75);
    assert_int_equal(row->sync_bound_ns, 1000);
    assert_true(isnan(row->p99_ns));
  }
  assert_true(result->pairs[2].median_ns == 102.0 / 4);
  assert_true(result->pairs[2].algbw_gb_s == 2);
  assert_true(result->links[1].delay_ns == 20001.0 / 4);
  rs_result_close(result);
}

static void test_samples_are_divided(void **state) {
  struct rs_error error = {0};
  struct rs_iteration_row *iterations;
  struct rs_sample *samples;
  struct rs_result *result = read_slowed(*state, 10);
  if (rs_result_samples(result, &result->cases[2], &iterations, &samples, &error) != RS_OK)
    fail_msg("%s", error.text);
  for (size_t s = 0; s < sample_iterations(2) * (size_t)SAMPLE_RANKS; s++) {
    struct rs_sample raw = sample_at(2, s / SAMPLE_RANKS, s % SAMPLE_RANKS);
    assert_int_equal(samples[s].entry_ns, llround((double)raw.entry_ns / 10));
    assert_int_equal(samples[s].exit_ns, llround((double)raw.exit_ns / 10));
  }
  free(samples);
  free(iterations);
  rs_result_close(result);
}

// Files of before there was a slowdown, and damaged ones.
static void test_no_slowdown_is_one(void **state) {
  const double nothing[] = {0, 1, -3, NAN, INFINITY};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(nothing); i++) {
    struct rs_result *result = read_slowed(*state, nothing[i]);
    assert_true(result->cases[1].median_ns == 101.5);
    assert_true(result->cases[1].algbw_gb_s == 3);
    rs_result_close(result);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_times_are_divided, sample_place_make, sample_place_remove),
      cmocka_unit_test_setup_teardown(test_samples_are_divided, sample_place_make, sample_place_remove),
      cmocka_unit_test_setup_teardown(test_no_slowdown_is_one, sample_place_make, sample_place_remove),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
