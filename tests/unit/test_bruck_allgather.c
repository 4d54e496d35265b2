// Bruck's allgather: least rounds for every n, runs that double, and a second message only where a run wraps.
#include "collective/step.h"
#include "support/schedule_expect.h"

static void test_rounds(void **state) {
  (void)state;
  for (uint32_t n = 1; n <= 70; n++) {
    const struct trace bruck = trace_of(RS_ALLGATHER, "bruck", n, 0);
    const struct rs_proof proof = expect_proof(&bruck);
    assert_int_equal(proof.rounds, 1 + rs_log2_up(n)); // one to copy
    assert_int_equal(proof.parts_sent_max, n - 1);
    assert_int_equal(proof.parts_sent_sum, (uint64_t)n * (n - 1)); // as few as can be
    // Of a run of c blocks there are c - 1 places to be cut in.
    assert_int_equal(proof.messages, (uint64_t)n * rs_log2_up(n) + (n - 1) - rs_log2_up(n));
  }
}

static void test_runs(void **state) {
  (void)state;
  for (uint32_t n = 2; n <= 40; n++) {
    const struct trace bruck = trace_of(RS_ALLGATHER, "bruck", n, 0);
    for (uint32_t rank = 0; rank < n; rank++) {
      uint32_t held = 1;
      for (uint32_t k = 1; k < bruck.rounds; k++) {
        struct rs_step steps[RS_ROUND_STEPS_MAX];
        const uint32_t count = bruck.algorithm->round(&bruck.params, rank, k, steps),
                       run = held < n - held ? held : n - held;
        uint32_t messages = 0, blocks = 0;
        for (uint32_t i = 0; i < count; i++) {
          if (steps[i].kind == RS_STEP_SEND) {
            assert_int_equal(steps[i].peer, (rank + n - held) % n);
            assert_int_equal(steps[i].source.place, (rank + blocks) % n); // own block first, and on from there
            blocks += steps[i].source.count;
            messages++;
          }
        }
        assert_int_equal(blocks, run);
        assert_int_equal(messages, rank + run > n ? 2 : 1);
        held += run;
      }
      assert_int_equal(held, n);
    }
  }
}

static void test_text(void **state) {
  (void)state;
  const struct trace bruck = trace_of(RS_ALLGATHER, "bruck", 3, 0);
  expect_export(&bruck, "# bruck allgather, ranks 3, parts 3, scratch places 0, rounds 3\n"
                        "rank 0  round 0  copy output[0] = input[0]\n"
                        "rank 0  round 1  send output[0] -> 2\n"
                        "rank 0  round 1  recv output[1] <- 1\n"
                        "rank 0  round 2  send output[0] -> 1\n"
                        "rank 0  round 2  recv output[2] <- 2\n"
                        "rank 1  round 0  copy output[1] = input[1]\n"
                        "rank 1  round 1  send output[1] -> 0\n"
                        "rank 1  round 1  recv output[2] <- 2\n"
                        "rank 1  round 2  send output[1] -> 2\n"
                        "rank 1  round 2  recv output[0] <- 0\n"
                        "rank 2  round 0  copy output[2] = input[2]\n"
                        "rank 2  round 1  send output[2] -> 1\n"
                        "rank 2  round 1  recv output[0] <- 0\n"
                        "rank 2  round 2  send output[2] -> 0\n"
                        "rank 2  round 2  recv output[1] <- 1\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rounds), cmocka_unit_test(test_runs),
                                     cmocka_unit_test(test_text)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
