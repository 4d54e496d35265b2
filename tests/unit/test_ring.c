// Rings: neighbours only, the load is even, and nothing is sent twice.
#include "support/schedule_expect.h"

static const struct {
  enum rs_collective collective;
  uint32_t turns; // how many times n - 1 messages a rank sends
  bool copies;    // ends with a round that copies the rank's own block
} rows[] = {{RS_ALLREDUCE, 2, false}, {RS_REDUCE_SCATTER, 1, false}, {RS_ALLGATHER, 1, true}};

static void test_counts(void **state) {
  (void)state;
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    for (uint32_t n = 1; n <= 40; n++) {
      const struct trace ring = trace_of(rows[i].collective, "ring", n, 0);
      const struct rs_proof proof = expect_proof(&ring);
      const uint64_t each = rows[i].turns * (n - 1);
      assert_int_equal(proof.messages, n * each);
      assert_int_equal(proof.parts_sent_max, each);
      assert_int_equal(proof.parts_sent_sum, n * each); // so every message is one part, and every rank sends as much
      assert_int_equal(proof.rounds, n == 1 ? 1 : each + rows[i].copies);
    }
  }
}

// In every round that is not the copy, each rank sends to the right and receives from the left, once.
static void test_neighbours(void **state) {
  (void)state;
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    for (uint32_t n = 2; n <= 9; n++) {
      const struct trace ring = trace_of(rows[i].collective, "ring", n, 0);
      for (uint32_t rank = 0; rank < n; rank++) {
        for (uint32_t k = 0; k < rows[i].turns * (n - 1); k++) {
          struct rs_step steps[RS_ROUND_STEPS_MAX];
          assert_int_equal(ring.algorithm->round(&ring.params, rank, k, steps), 2);
          assert_int_equal(steps[0].kind, RS_STEP_SEND);
          assert_int_equal(steps[0].peer, (rank + 1) % n);
          assert_int_equal(steps[1].peer, (rank + n - 1) % n);
        }
      }
    }
  }
}

// What comes in goes out in the next round.
static void test_pipeline(void **state) {
  (void)state;
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    const struct trace ring = trace_of(rows[i].collective, "ring", 7, 0);
    for (uint32_t k = 0; k + 1 < rows[i].turns * 6; k++) {
      struct rs_step now[RS_ROUND_STEPS_MAX], next[RS_ROUND_STEPS_MAX];
      ring.algorithm->round(&ring.params, 3, k, now);
      ring.algorithm->round(&ring.params, 3, k + 1, next);
      assert_int_equal(now[1].target.buffer, next[0].source.buffer);
      assert_int_equal(now[1].target.place, next[0].source.place);
    }
  }
}

static void test_text(void **state) {
  (void)state;
  const struct trace reduce_scatter = trace_of(RS_REDUCE_SCATTER, "ring", 3, 0);
  expect_export(&reduce_scatter, "# ring reduce_scatter, ranks 3, parts 3, scratch places 3, rounds 2\n"
                                 "rank 0  round 0  send input[2] -> 1\n"
                                 "rank 0  round 0  recv_reduce scratch[1] = input[1] (+) <- 2\n"
                                 "rank 0  round 1  send scratch[1] -> 1\n"
                                 "rank 0  round 1  recv_reduce output[0] = input[0] (+) <- 2, final\n"
                                 "rank 1  round 0  send input[0] -> 2\n"
                                 "rank 1  round 0  recv_reduce scratch[2] = input[2] (+) <- 0\n"
                                 "rank 1  round 1  send scratch[2] -> 2\n"
                                 "rank 1  round 1  recv_reduce output[1] = input[1] (+) <- 0, final\n"
                                 "rank 2  round 0  send input[1] -> 0\n"
                                 "rank 2  round 0  recv_reduce scratch[0] = input[0] (+) <- 1\n"
                                 "rank 2  round 1  send scratch[0] -> 0\n"
                                 "rank 2  round 1  recv_reduce output[2] = input[2] (+) <- 1, final\n");
  const struct trace allgather = trace_of(RS_ALLGATHER, "ring", 3, 0);
  expect_export(&allgather, "# ring allgather, ranks 3, parts 3, scratch places 0, rounds 3\n"
                            "rank 0  round 0  send input[0] -> 1\n"
                            "rank 0  round 0  recv output[2] <- 2\n"
                            "rank 0  round 1  send output[2] -> 1\n"
                            "rank 0  round 1  recv output[1] <- 2\n"
                            "rank 0  round 2  copy output[0] = input[0]\n"
                            "rank 1  round 0  send input[1] -> 2\n"
                            "rank 1  round 0  recv output[0] <- 0\n"
                            "rank 1  round 1  send output[0] -> 2\n"
                            "rank 1  round 1  recv output[2] <- 0\n"
                            "rank 1  round 2  copy output[1] = input[1]\n"
                            "rank 2  round 0  send input[2] -> 0\n"
                            "rank 2  round 0  recv output[1] <- 1\n"
                            "rank 2  round 1  send output[1] -> 0\n"
                            "rank 2  round 1  recv output[0] <- 1\n"
                            "rank 2  round 2  copy output[2] = input[2]\n");
}

static void test_sendrecv(void **state) {
  (void)state;
  for (uint32_t n = 1; n <= 40; n++) {
    const struct trace ring = trace_of(RS_SENDRECV, "ring", n, 0);
    const struct rs_proof proof = expect_proof(&ring);
    assert_int_equal(proof.rounds, 1);
    assert_int_equal(proof.messages, n == 1 ? 0 : n);
  }
  const struct trace alone = trace_of(RS_SENDRECV, "ring", 1, 0), pair = trace_of(RS_SENDRECV, "ring", 2, 0);
  expect_export(&alone, "# ring sendrecv, ranks 1, parts 1, scratch places 0, rounds 1\n"
                        "rank 0  round 0  copy output[0] = input[0]\n");
  expect_export(&pair, "# ring sendrecv, ranks 2, parts 1, scratch places 0, rounds 1\n"
                       "rank 0  round 0  send input[0] -> 1\n"
                       "rank 0  round 0  recv output[0] <- 1\n"
                       "rank 1  round 0  send input[0] -> 0\n"
                       "rank 1  round 0  recv output[0] <- 0\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts), cmocka_unit_test(test_neighbours),
                                     cmocka_unit_test(test_pipeline), cmocka_unit_test(test_text),
                                     cmocka_unit_test(test_sendrecv)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
