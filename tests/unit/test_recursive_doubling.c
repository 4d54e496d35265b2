// Recursive doubling: who meets whom, that partners stay alike, and how other numbers of ranks are folded.
#include "support/schedule_expect.h"

static struct trace doubling(uint32_t rank_count) {
  return trace_of(RS_ALLREDUCE, "recursive-doubling", rank_count, 0);
}

// The picture in recursive_doubling.c.
static void test_picture(void **state) {
  (void)state;
  const struct trace six = doubling(6), two = doubling(2);
  expect_picture(&six, "1+>0 3+>2 | 2+>0 0+>2 5+>4 4+>5 | 4+>0 5+>2 0+>4 2+>5 | 0->1 2->3");
  expect_picture(&two, "1+>0 0+>1 |");
}

// In exchange j rank r meets r XOR 2^j, and both send and add the whole buffer.
static void test_hypercube(void **state) {
  (void)state;
  struct trace_message messages[64 * RS_ROUND_STEPS_MAX];
  for (uint32_t exchanges = 2; exchanges <= 6; exchanges++) {
    const struct trace trace = doubling(UINT32_C(1) << exchanges);
    assert_int_equal(trace.rounds, exchanges);
    for (uint32_t j = 0; j < exchanges; j++) {
      const size_t count = trace_messages(&trace, j, messages);
      assert_int_equal(count, trace.params.rank_count);
      for (uint32_t rank = 0; rank < count; rank++) {
        assert_int_equal(messages[rank].to, rank);
        assert_int_equal(messages[rank].from, rank ^ 1U << j);
        assert_true(messages[rank].adds);
      }
    }
  }
}

// One part; floor(log2 n) rounds, one more to fold and one more to unfold, or to copy when there are two ranks.
static void test_counts(void **state) {
  (void)state;
  static const struct {
    uint32_t n, rounds, messages;
  } rows[] = {{1, 1, 0},
              {2, 2, 2},
              {3, 3, 4},
              {4, 2, 8},
              {5, 4, 10},
              {6, 4, 12},
              {7, 4, 14},
              {8, 3, 24},
              {9, 5, 26},
              {63, 7, 2 * 31 + 32 * 5},
              {64, 6, 64 * 6},
              {65, 8, 2 + 64 * 6},
              {127, 8, 2 * 63 + 64 * 6},
              {128, 7, 128 * 7}};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    const struct trace trace = doubling(rows[i].n);
    const struct rs_proof proof = expect_proof(&trace);
    assert_int_equal(trace.parts, 1);
    assert_int_equal(proof.rounds, rows[i].rounds);
    assert_int_equal(proof.messages, rows[i].messages);
  }
}

// A folded rank sends once and is sent to once, by its neighbour; the others send once per exchange, and once more to
// a folded one.
static void test_folded_ranks(void **state) {
  (void)state;
  const struct trace trace = doubling(11); // 8 cores; 0-1 2-3 4-5 are pairs
  static const uint64_t sent[] = {4, 1, 4, 1, 4, 1, 3, 3, 3, 3, 3};
  for (uint32_t rank = 0; rank < 11; rank++) {
    bool peers[11] = {false};
    uint32_t peer_count = 0;
    rs_schedule_peers(trace.algorithm, &trace.params, rank, NULL, peers);
    for (uint32_t peer = 0; peer < 11; peer++) {
      peer_count += peers[peer];
    }
    assert_int_equal(trace.algorithm->sent_parts(&trace.params, rank), sent[rank]);
    assert_int_equal(peer_count, sent[rank]);
    assert_true(rank > 5 || peers[rank ^ 1]);
  }
}

// Partners add the same sums the other way round, so everyone ends with the same binary tree: ((0 1)(2 3))((4)(5)).
static void test_order_of_summation(void **state) {
  (void)state;
  for (uint32_t n = 1; n <= 40; n++) {
    const struct trace trace = doubling(n);
    expect_same_sums(&trace);
  }
  const struct trace six = doubling(6);
  uint64_t x[6], *outputs = trace_run(&six);
  for (uint32_t rank = 0; rank < 6; rank++) {
    x[rank] = trace_input(rank, 0);
  }
  assert_true(outputs[0] == trace_sum(trace_sum(trace_sum(x[0], x[1]), trace_sum(x[2], x[3])), trace_sum(x[4], x[5])));
  free(outputs);
}

// Three ranks show a fold, sums in scratch, the copy and the unfolding.
static void test_export(void **state) {
  (void)state;
  const struct trace trace = doubling(3);
  expect_export(&trace, "# recursive-doubling allreduce, ranks 3, parts 1, scratch places 2, rounds 3\n"
                        "rank 0  round 0  recv_reduce scratch[0] = input[0] (+) <- 1\n"
                        "rank 0  round 1  send scratch[0] -> 2\n"
                        "rank 0  round 1  recv_reduce scratch[1] = scratch[0] (+) <- 2, final\n"
                        "rank 0  round 2  copy output[0] = scratch[1]\n"
                        "rank 0  round 2  send scratch[1] -> 1\n"
                        "rank 1  round 0  send input[0] -> 0\n"
                        "rank 1  round 2  recv output[0] <- 0\n"
                        "rank 2  round 1  send input[0] -> 0\n"
                        "rank 2  round 1  recv_reduce scratch[1] = input[0] (+) <- 0, final\n"
                        "rank 2  round 2  copy output[0] = scratch[1]\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_picture),      cmocka_unit_test(test_hypercube),          cmocka_unit_test(test_counts),
      cmocka_unit_test(test_folded_ranks), cmocka_unit_test(test_order_of_summation), cmocka_unit_test(test_export)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
