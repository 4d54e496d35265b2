// Chains: who hands on to whom from any root, that rounds follow each other along the chain, and the order of
// summation.
#include "support/schedule_expect.h"

#define RANKS_MAX 20

static struct trace reduce(uint32_t rank_count, uint32_t root) {
  return trace_of(RS_REDUCE, "chain", rank_count, root);
}
static struct trace broadcast(uint32_t rank_count, uint32_t root) {
  return trace_of(RS_BROADCAST, "chain", rank_count, root);
}
static struct trace allreduce(uint32_t rank_count) {
  return trace_of(RS_ALLREDUCE, "chain", rank_count, 0);
}

// The pictures in chain.c, and a root in the middle.
static void test_pictures(void **state) {
  (void)state;
  const struct trace rows[] = {reduce(4, 0), broadcast(4, 0), allreduce(4), reduce(4, 2), broadcast(4, 2)};
  expect_picture(&rows[0], "3+>2 | 2+>1 | 1+>0");
  expect_picture(&rows[1], "0->1 | 1->2 | 2->3 |");
  expect_picture(&rows[2], "3+>2 | 2+>1 | 1+>0 | 0->1 | 1->2 | 2->3");
  expect_picture(&rows[3], "1+>0 | 0+>3 | 3+>2");
  expect_picture(&rows[4], "2->3 | 3->0 | 0->1 |");
}

// One message in a round, of the one part, from the rank that the round before has reached: chunks can follow each
// other.
static void expect_relay(const struct trace *trace, uint32_t hops) {
  struct trace_message messages[RANKS_MAX * RS_ROUND_STEPS_MAX];
  uint32_t reached = 0;
  assert_int_equal(trace->parts, 1);
  for (uint32_t k = 0; k < hops; k++) {
    assert_int_equal(trace_messages(trace, k, messages), 1);
    assert_true(k == 0 || messages[0].from == reached);
    reached = messages[0].to;
  }
}

// For every root: n-1 hops, after which a reduction has reached the root, and which a broadcast begins at it. An
// allreduce is both.
static void test_relays(void **state) {
  (void)state;
  struct trace_message messages[RANKS_MAX * RS_ROUND_STEPS_MAX];
  for (uint32_t n = 2; n <= RANKS_MAX; n++) {
    for (uint32_t root = 0; root < n; root++) {
      const struct trace in = reduce(n, root), out = broadcast(n, root);
      assert_int_equal(in.rounds, n - 1);
      assert_int_equal(out.rounds, n); // the last one is the root's copy
      expect_relay(&in, n - 1);
      expect_relay(&out, n - 1);
      assert_int_equal(expect_proof(&in).messages, n - 1);
      assert_int_equal(expect_proof(&out).messages, n - 1);
      assert_true(trace_messages(&in, n - 2, messages) == 1 && messages[0].to == root);
      assert_true(trace_messages(&out, 0, messages) == 1 && messages[0].from == root);
    }
    const struct trace both = allreduce(n);
    assert_int_equal(both.rounds, 2 * (n - 1));
    expect_relay(&both, 2 * (n - 1));
  }
}

// A rank talks to its two neighbours only, and the two ends of the chain do not know each other.
static void test_neighbours(void **state) {
  (void)state;
  for (uint32_t rank = 0; rank < RANKS_MAX; rank++) {
    const struct trace traces[] = {reduce(RANKS_MAX, 5), broadcast(RANKS_MAX, 5), allreduce(RANKS_MAX)};
    for (size_t t = 0; t < RS_ARRAY_LENGTH(traces); t++) {
      const uint32_t head = traces[t].params.root;
      bool peers[RANKS_MAX] = {false};
      rs_schedule_peers(traces[t].algorithm, &traces[t].params, rank, NULL, peers);
      for (uint32_t peer = 0; peer < RANKS_MAX; peer++) {
        const bool next = peer == (rank + 1) % RANKS_MAX && peer != head;
        const bool before = rank == (peer + 1) % RANKS_MAX && rank != head;
        assert_int_equal(peers[peer], next || before);
      }
    }
  }
}

// Each rank adds its own to what comes along the chain. What is broadcast is the root's, untouched.
static void test_values(void **state) {
  (void)state;
  for (uint32_t n = 1; n <= RANKS_MAX; n++) {
    for (uint32_t root = 0; root < n; root++) {
      const struct trace in = reduce(n, root), out = broadcast(n, root);
      uint64_t sum = trace_input((root + n - 1) % n, 0);
      for (uint32_t hop = 2; hop <= n; hop++) {
        sum = trace_sum(sum, trace_input((root + n - hop) % n, 0));
      }
      uint64_t *reduced = trace_run(&in), *received = trace_run(&out);
      for (uint32_t rank = 0; rank < n; rank++) {
        assert_true(reduced[rank] == (rank == root ? sum : 0)); // no one else's output is written
        assert_true(received[rank] == trace_input(root, 0));
      }
      free(reduced);
      free(received);
    }
    const struct trace both = allreduce(n);
    expect_same_sums(&both);
  }
}

static void test_export(void **state) {
  (void)state;
  const struct trace in = reduce(3, 1), out = broadcast(3, 1);
  expect_export(&in, "# chain reduce, ranks 3, parts 1, scratch places 1, rounds 2\n"
                     "rank 0  round 0  send input[0] -> 2\n"
                     "rank 1  round 1  recv_reduce output[0] = input[0] (+) <- 2, final\n"
                     "rank 2  round 0  recv_reduce scratch[0] = input[0] (+) <- 0\n"
                     "rank 2  round 1  send scratch[0] -> 1\n");
  expect_export(&out, "# chain broadcast, ranks 3, parts 1, scratch places 0, rounds 3\n"
                      "rank 0  round 1  recv output[0] <- 2\n"
                      "rank 1  round 0  send input[0] -> 2\n"
                      "rank 1  round 2  copy output[0] = input[0]\n"
                      "rank 2  round 0  recv output[0] <- 1\n"
                      "rank 2  round 1  send output[0] -> 0\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_pictures), cmocka_unit_test(test_relays),
                                     cmocka_unit_test(test_neighbours), cmocka_unit_test(test_values),
                                     cmocka_unit_test(test_export)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
