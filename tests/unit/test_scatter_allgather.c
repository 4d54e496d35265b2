// Scatter-allgather broadcast and reduce-scatter-gather reduce: two buffers per rank at most, nothing received twice.
#include "collective/step.h"
#include "support/schedule_expect.h"

static void test_counts(void **state) {
  (void)state;
  for (uint32_t n = 1; n <= 24; n++) {
    for (uint32_t root = 0; root < n; root++) {
      const struct trace broadcast = trace_of(RS_BROADCAST, "scatter-allgather", n, root);
      const struct rs_proof down = expect_proof(&broadcast);
      assert_int_equal(down.rounds, rs_log2_up(n) + n - 1 + 1); // one to copy the root's input
      assert_int_equal(down.parts_sent_max, 2 * (n - 1));
      const struct trace reduce = trace_of(RS_REDUCE, "reduce-scatter-gather", n, root);
      const struct rs_proof up = expect_proof(&reduce);
      assert_int_equal(up.rounds, n == 1 ? 1 : rs_log2_up(n) + n - 1);
      assert_int_equal(up.messages, (uint64_t)n * (n - 1) + n - 1); // the ring's, and one for each edge of the tree
      assert_in_range(up.parts_sent_max, 0, 2 * (n - 1));
    }
  }
}

// The ring leaves out what the scatter has brought, and the root gets nothing.
static void test_nothing_comes_twice(void **state) {
  (void)state;
  for (uint32_t n = 1; n <= 24; n++) {
    for (uint32_t root = 0; root < n; root++) {
      const struct trace broadcast = trace_of(RS_BROADCAST, "scatter-allgather", n, root);
      for (uint32_t rank = 0; rank < n; rank++) {
        uint32_t times[24] = {0};
        for (uint32_t k = 0; k < broadcast.rounds; k++) {
          struct rs_step steps[RS_ROUND_STEPS_MAX];
          for (uint32_t i = 0, count = broadcast.algorithm->round(&broadcast.params, rank, k, steps); i < count; i++) {
            for (uint32_t p = 0; steps[i].kind == RS_STEP_RECV && p < steps[i].target.count; p++) {
              times[steps[i].target.place + p]++;
            }
          }
        }
        for (uint32_t part = 0; part < n; part++) {
          assert_int_equal(times[part], rank != root);
        }
      }
    }
  }
}

// The tree halves what it carries: its longest edge takes the root's far half in one message.
static void test_tree(void **state) {
  (void)state;
  const struct trace broadcast = trace_of(RS_BROADCAST, "scatter-allgather", 6, 5);
  const struct trace reduce = trace_of(RS_REDUCE, "reduce-scatter-gather", 6, 5);
  struct rs_step down[RS_ROUND_STEPS_MAX], up[RS_ROUND_STEPS_MAX];
  assert_int_equal(broadcast.algorithm->round(&broadcast.params, 5, 0, down), 1);
  assert_int_equal(down[0].peer, 3); // position 4
  assert_int_equal(down[0].source.place, 4);
  assert_int_equal(down[0].source.count, 2);
  assert_int_equal(reduce.algorithm->round(&reduce.params, 5, reduce.rounds - 1, up), 1);
  assert_int_equal(up[0].peer, 3);
  assert_memory_equal(&up[0].target, (&(struct rs_slice){RS_BUFFER_OUTPUT, 4, 2}), sizeof up[0].target);
}

static void test_text(void **state) {
  (void)state;
  const struct trace broadcast = trace_of(RS_BROADCAST, "scatter-allgather", 3, 1);
  expect_export(&broadcast, "# scatter-allgather broadcast, ranks 3, parts 3, scratch places 0, rounds 5\n"
                            "rank 0  round 0  recv output[2] <- 1\n"
                            "rank 0  round 2  recv output[1] <- 2\n"
                            "rank 0  round 3  recv output[0] <- 2\n"
                            "rank 1  round 0  send input[2] -> 0\n"
                            "rank 1  round 1  send input[1] -> 2\n"
                            "rank 1  round 2  send input[0] -> 2\n"
                            "rank 1  round 3  send input[2] -> 2\n"
                            "rank 1  round 4  copy output[0..2] = input[0..2]\n"
                            "rank 2  round 1  recv output[1] <- 1\n"
                            "rank 2  round 2  send output[1] -> 0\n"
                            "rank 2  round 2  recv output[0] <- 1\n"
                            "rank 2  round 3  send output[0] -> 0\n"
                            "rank 2  round 3  recv output[2] <- 1\n");
  const struct trace reduce = trace_of(RS_REDUCE, "reduce-scatter-gather", 3, 1);
  expect_export(&reduce, "# reduce-scatter-gather reduce, ranks 3, parts 3, scratch places 3, rounds 4\n"
                         "rank 0  round 0  send input[1] -> 1\n"
                         "rank 0  round 0  recv_reduce scratch[0] = input[0] (+) <- 2\n"
                         "rank 0  round 1  send scratch[0] -> 1\n"
                         "rank 0  round 1  recv_reduce scratch[2] = input[2] (+) <- 2, final\n"
                         "rank 0  round 3  send scratch[2] -> 1\n"
                         "rank 1  round 0  send input[2] -> 2\n"
                         "rank 1  round 0  recv_reduce output[1] = input[1] (+) <- 0\n"
                         "rank 1  round 1  send output[1] -> 2\n"
                         "rank 1  round 1  recv_reduce output[0] = input[0] (+) <- 0, final\n"
                         "rank 1  round 2  recv output[1] <- 2\n"
                         "rank 1  round 3  recv output[2] <- 0\n"
                         "rank 2  round 0  send input[0] -> 0\n"
                         "rank 2  round 0  recv_reduce scratch[2] = input[2] (+) <- 1\n"
                         "rank 2  round 1  send scratch[2] -> 0\n"
                         "rank 2  round 1  recv_reduce scratch[1] = input[1] (+) <- 1, final\n"
                         "rank 2  round 2  send scratch[1] -> 1\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts), cmocka_unit_test(test_nothing_comes_twice),
                                     cmocka_unit_test(test_tree), cmocka_unit_test(test_text)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
