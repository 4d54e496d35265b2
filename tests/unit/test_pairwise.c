// Pairwise exchange: every round is one rotation of the ranks, and every block is one message, straight to where it
// belongs.
#include "ringside/collective.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct rs_algorithm *find(enum rs_collective collective) {
  const struct rs_algorithm *algorithm = rs_algorithm_find(collective, "pairwise");
  assert_non_null(algorithm);
  return algorithm;
}

static void test_rotations(void **state) {
  (void)state;
  const struct rs_algorithm *algorithm = find(RS_ALLTOALL);
  for (uint32_t n = 2; n <= 33; n++) {
    const struct rs_schedule_params params = {.collective = RS_ALLTOALL, .rank_count = n};
    assert_int_equal(algorithm->rounds(&params), n);
    assert_int_equal(algorithm->parts(&params), n);
    for (uint32_t k = 1; k < n; k++) {
      for (uint32_t rank = 0; rank < n; rank++) {
        struct rs_step steps[RS_ROUND_STEPS_MAX];
        assert_int_equal(algorithm->round(&params, rank, k, steps), 2);
        assert_int_equal(steps[0].kind, RS_STEP_SEND);
        assert_int_equal(steps[0].peer, (rank + k) % n);
        assert_int_equal(steps[0].source.buffer, RS_BUFFER_INPUT);
        assert_int_equal(steps[0].source.place, (rank + k) % n);
        assert_int_equal(steps[1].kind, RS_STEP_RECV);
        assert_int_equal(steps[1].peer, (rank + n - k) % n);
        assert_int_equal(steps[1].target.place, (rank + n - k) % n);
      }
    }
  }
}

// One message for each ordered pair of ranks, and nothing twice: the least bytes.
static void test_proof(void **state) {
  (void)state;
  static const enum rs_collective collectives[] = {RS_ALLTOALL, RS_ALLTOALLV};
  for (size_t c = 0; c < RS_ARRAY_LENGTH(collectives); c++) {
    for (uint32_t n = 1; n <= 64; n++) {
      const struct rs_schedule_params params = {.collective = collectives[c], .rank_count = n};
      struct rs_proof proof;
      struct rs_error error = {0};
      if (rs_verify(find(collectives[c]), &params, &proof, &error) != RS_OK) {
        fail_msg("%s", error.text);
      }
      assert_int_equal(proof.messages, n * (n - 1));
      assert_int_equal(proof.parts_sent_sum, n * (n - 1));
      assert_int_equal(proof.parts_sent_max, n - 1);
    }
  }
}

static void test_export(void **state) {
  (void)state;
  const struct rs_schedule_params params = {.collective = RS_ALLTOALLV, .rank_count = 3};
  struct rs_text text = {0};
  rs_schedule_export(find(RS_ALLTOALLV), &params, &text);
  assert_string_equal(text.data, "# pairwise alltoallv, ranks 3, parts 3, scratch places 0, rounds 3\n"
                                 "rank 0  round 0  copy output[0] = input[0]\n"
                                 "rank 0  round 1  send input[1] -> 1\n"
                                 "rank 0  round 1  recv output[2] <- 2\n"
                                 "rank 0  round 2  send input[2] -> 2\n"
                                 "rank 0  round 2  recv output[1] <- 1\n"
                                 "rank 1  round 0  copy output[1] = input[1]\n"
                                 "rank 1  round 1  send input[2] -> 2\n"
                                 "rank 1  round 1  recv output[0] <- 0\n"
                                 "rank 1  round 2  send input[0] -> 0\n"
                                 "rank 1  round 2  recv output[2] <- 2\n"
                                 "rank 2  round 0  copy output[2] = input[2]\n"
                                 "rank 2  round 1  send input[0] -> 0\n"
                                 "rank 2  round 1  recv output[1] <- 1\n"
                                 "rank 2  round 2  send input[1] -> 1\n"
                                 "rank 2  round 2  recv output[0] <- 0\n");
  rs_text_fini(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rotations), cmocka_unit_test(test_proof),
                                     cmocka_unit_test(test_export)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
