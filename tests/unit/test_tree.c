// Binomial trees: least rounds, one message per edge and direction, any root.
#include "collective/step.h"
#include "support/schedule_expect.h"

static void test_counts(void **state) {
  (void)state;
  for (uint32_t n = 1; n <= 40; n++) {
    const struct trace allreduce = trace_of(RS_ALLREDUCE, "tree", n, 0);
    const struct rs_proof both = expect_proof(&allreduce);
    assert_int_equal(both.rounds, n == 1 ? 1 : 2 * rs_log2_up(n));
    assert_int_equal(both.messages, 2 * (n - 1));
    for (uint32_t root = 0; root < n; root++) {
      const struct trace broadcast = trace_of(RS_BROADCAST, "tree", n, root);
      const struct rs_proof down = expect_proof(&broadcast);
      assert_int_equal(down.rounds, rs_log2_up(n) + 1); // one to copy the root's input
      assert_int_equal(down.messages, n - 1);
      assert_int_equal(down.parts_sent_max, rs_log2_up(n)); // by the root
      const struct trace reduce = trace_of(RS_REDUCE, "tree", n, root);
      const struct rs_proof up = expect_proof(&reduce);
      assert_int_equal(up.rounds, n == 1 ? 1 : rs_log2_up(n));
      assert_int_equal(up.messages, n - 1);
      assert_int_equal(up.parts_sent_max, n > 1);
    }
  }
}

// The kind of the only step of a round, and its peer; NO_STEP: there is none.
#define NO_STEP (-1)
static int step_of(const struct trace *trace, uint32_t rank, uint32_t k, uint32_t *peer) {
  struct rs_step steps[RS_ROUND_STEPS_MAX];
  const uint32_t count = trace->algorithm->round(&trace->params, rank, k, steps);
  assert_in_range(count, 0, 1);
  *peer = count == 0 ? rank : steps[0].peer;
  return count == 0 ? NO_STEP : (int)steps[0].kind;
}

// A broadcast's messages are those of the reduce to the same root, backwards; and an allreduce is first the reduce to
// rank 0, then the broadcast from it.
static void test_mirror(void **state) {
  (void)state;
  for (uint32_t n = 2; n <= 20; n++) {
    for (uint32_t root = 0; root < n; root++) {
      const struct trace broadcast = trace_of(RS_BROADCAST, "tree", n, root);
      const struct trace reduce = trace_of(RS_REDUCE, "tree", n, root);
      const struct trace allreduce = trace_of(RS_ALLREDUCE, "tree", n, 0);
      const uint32_t depth = reduce.rounds;
      for (uint32_t rank = 0; rank < n; rank++) {
        for (uint32_t k = 0; k < depth; k++) {
          uint32_t above, below, peer;
          const int up = step_of(&reduce, rank, k, &above);
          const int down = step_of(&broadcast, rank, depth - 1 - k, &below);
          assert_int_equal(above, below);
          assert_int_equal(down, up == RS_STEP_SEND          ? RS_STEP_RECV
                                 : up == RS_STEP_RECV_REDUCE ? RS_STEP_SEND
                                                             : NO_STEP);
          if (root == 0) {
            assert_int_equal(step_of(&allreduce, rank, k, &peer), up);
            assert_int_equal(peer, above);
            assert_int_equal(step_of(&allreduce, rank, 2 * depth - 1 - k, &peer), down);
            assert_int_equal(peer, below);
          }
        }
      }
    }
  }
}

// With 2^m ranks on each host, one rank of a host alone talks to other hosts, wherever the root's host is.
static void test_locality(void **state) {
  (void)state;
  const uint32_t per_host = 4, n = 24;
  for (uint32_t root = 0; root < n; root += per_host) {
    const struct trace reduce = trace_of(RS_REDUCE, "tree", n, root);
    for (uint32_t rank = 0; rank < n; rank++) {
      bool peers[24] = {false};
      rs_schedule_peers(reduce.algorithm, &reduce.params, rank, NULL, peers);
      for (uint32_t peer = 0; peer < n; peer++) {
        assert_true(!peers[peer] || peer / per_host == rank / per_host || rank % per_host == 0);
      }
    }
  }
}

static void test_text(void **state) {
  (void)state;
  const struct trace broadcast = trace_of(RS_BROADCAST, "tree", 4, 2);
  expect_export(&broadcast, "# tree broadcast, ranks 4, parts 1, scratch places 0, rounds 3\n"
                            "rank 0  round 0  recv output[0] <- 2\n"
                            "rank 0  round 1  send output[0] -> 1\n"
                            "rank 1  round 1  recv output[0] <- 0\n"
                            "rank 2  round 0  send input[0] -> 0\n"
                            "rank 2  round 1  send input[0] -> 3\n"
                            "rank 2  round 2  copy output[0] = input[0]\n"
                            "rank 3  round 1  recv output[0] <- 2\n");
  const struct trace reduce = trace_of(RS_REDUCE, "tree", 4, 2);
  expect_export(&reduce, "# tree reduce, ranks 4, parts 1, scratch places 1, rounds 2\n"
                         "rank 0  round 0  recv_reduce scratch[0] = input[0] (+) <- 1\n"
                         "rank 0  round 1  send scratch[0] -> 2\n"
                         "rank 1  round 0  send input[0] -> 0\n"
                         "rank 2  round 0  recv_reduce output[0] = input[0] (+) <- 3\n"
                         "rank 2  round 1  recv_reduce output[0] = output[0] (+) <- 0, final\n"
                         "rank 3  round 0  send input[0] -> 2\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts), cmocka_unit_test(test_mirror),
                                     cmocka_unit_test(test_locality), cmocka_unit_test(test_text)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
