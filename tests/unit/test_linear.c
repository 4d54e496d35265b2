// Linear reduce: one message from everybody to the root, taken in the order of the ring from the root on.
#include "ringside/collective.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct rs_algorithm *linear(void) {
  const struct rs_algorithm *algorithm = rs_algorithm_find(RS_REDUCE, "linear");
  assert_non_null(algorithm);
  return algorithm;
}

static void test_worked_example(void **state) {
  (void)state;
  const struct rs_schedule_params params = {.collective = RS_REDUCE, .rank_count = 3, .root = 1};
  struct rs_text text = {0};
  rs_schedule_export(linear(), &params, &text);
  assert_string_equal(text.data, "# linear reduce, ranks 3, parts 1, scratch places 0, rounds 1\n"
                                 "rank 0  round 0  send input[0] -> 1\n"
                                 "rank 1  round 0  recv_reduce output[0] = input[0] (+) <- 2\n"
                                 "rank 1  round 0  recv_reduce output[0] = output[0] (+) <- 0, final\n"
                                 "rank 2  round 0  send input[0] -> 1\n");
  rs_text_fini(&text);
}

// The root hears from everybody once, in ring order, and nobody else hears anything.
static void test_root_hears_everybody(void **state) {
  (void)state;
  for (uint32_t n = 2; n <= 40; n++) {
    const struct rs_schedule_params params = {.collective = RS_REDUCE, .rank_count = n, .root = n / 3};
    uint32_t heard = 0;
    for (uint32_t k = 0; k < linear()->rounds(&params); k++) {
      struct rs_step steps[RS_ROUND_STEPS_MAX];
      const uint32_t count = linear()->round(&params, params.root, k, steps);
      for (uint32_t i = 0; i < count; i++) {
        heard++;
        assert_int_equal(steps[i].peer, (params.root + heard) % n);
      }
    }
    assert_int_equal(heard, n - 1);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_worked_example),
                                     cmocka_unit_test(test_root_hears_everybody)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
