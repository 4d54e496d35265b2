// PAT: one message per rank and round, far ones first and small; the mirror for reduce-scatter; bounded messages.
#include "collective/step.h"
#include "support/schedule_expect.h"

#define BOUND 16
static const char *const names[] = {"pat", "pat-16"};

static uint32_t copy_rounds(uint32_t n) {
  return (n + RS_ROUND_STEPS_MAX - 1) / RS_ROUND_STEPS_MAX;
}

// The one message that a rank sends in a round of messages, or the one it receives.
static struct rs_step message_of(const struct trace *trace, uint32_t rank, uint32_t k, bool sent) {
  struct rs_step steps[RS_ROUND_STEPS_MAX], found = {0};
  uint32_t messages = 0;
  for (uint32_t i = 0, count = trace->algorithm->round(&trace->params, rank, k, steps); i < count; i++) {
    if (steps[i].kind != RS_STEP_COPY && (steps[i].kind == RS_STEP_SEND) == sent) {
      found = steps[i];
      messages++;
    }
  }
  assert_int_equal(messages, 1);
  return found;
}

// Fully aggregated: round i of an allgather goes over edges of length 2^(L-1-i), which lead to the odd multiples of it.
static void test_aggregated_fully(void **state) {
  (void)state;
  for (uint32_t n = 2; n <= 70; n++) {
    const struct trace allgather = trace_of(RS_ALLGATHER, "pat", n, 0);
    const struct rs_proof proof = expect_proof(&allgather);
    const uint32_t rounds = rs_log2_up(n);
    assert_int_equal(proof.rounds, rounds + copy_rounds(n));
    assert_int_equal(proof.messages, n * rounds);
    assert_int_equal(proof.parts_sent_max, n - 1);
    for (uint32_t i = 0; i < rounds; i++) {
      const uint32_t distance = UINT32_C(1) << (rounds - 1 - i);
      const struct rs_step sent = message_of(&allgather, n / 2, i, true);
      assert_int_equal(sent.peer, (n / 2 + distance) % n);
      assert_int_equal(sent.source.count, ((n - 1) / distance + 1) / 2);
    }
  }
}

// Of messages that go at least halfway round, Bruck's hold half of the result, and these one block.
static void test_far_messages_are_small(void **state) {
  (void)state;
  const struct trace pat = trace_of(RS_ALLGATHER, "pat", 64, 0), bruck = trace_of(RS_ALLGATHER, "bruck", 64, 0);
  assert_int_equal(message_of(&pat, 0, 0, true).source.count, 1);
  assert_int_equal(message_of(&pat, 0, 0, true).peer, 32);
  assert_int_equal(message_of(&bruck, 0, 6, true).source.count, 32);
  assert_int_equal(message_of(&bruck, 0, 6, true).peer, 32);
}

// A reduce-scatter runs the allgather backwards: what was received is sent back, and added to what was sent.
static void test_mirror(void **state) {
  (void)state;
  for (size_t name = 0; name < RS_ARRAY_LENGTH(names); name++) {
    for (uint32_t n = 2; n <= 70; n++) {
      const struct trace allgather = trace_of(RS_ALLGATHER, names[name], n, 0);
      const struct trace reduce_scatter = trace_of(RS_REDUCE_SCATTER, names[name], n, 0);
      expect_proof(&reduce_scatter);
      const uint32_t rounds = allgather.rounds;
      assert_int_equal(reduce_scatter.rounds, rounds);
      for (uint32_t k = 0; k < rounds - copy_rounds(n); k++) {
        const struct rs_step sent = message_of(&allgather, 1, k, true);
        const struct rs_step received = message_of(&allgather, 1, k, false);
        const struct rs_step returned = message_of(&reduce_scatter, 1, rounds - 1 - k, true);
        const struct rs_step added = message_of(&reduce_scatter, 1, rounds - 1 - k, false);
        assert_int_equal(returned.peer, received.peer);
        assert_memory_equal(&returned.source, &received.target, sizeof returned.source);
        assert_int_equal(added.peer, sent.peer);
        assert_int_equal(added.kind, RS_STEP_RECV_REDUCE);
        assert_int_equal(added.source.count, sent.source.count);
        assert_int_equal(added.final, k == 0);
      }
    }
  }
}

static void test_bounded(void **state) {
  (void)state;
  static const uint32_t counts[] = {1, 2, 15, 16, 17, 18, 31, 32, 33, 48, 63, 64, 65, 100, 127, 128, 129, 300};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(counts); i++) {
    const uint32_t n = counts[i];
    const struct trace allgather = trace_of(RS_ALLGATHER, "pat-16", n, 0);
    const struct trace reduce_scatter = trace_of(RS_REDUCE_SCATTER, "pat-16", n, 0);
    expect_proof(&allgather);
    expect_proof(&reduce_scatter);
    uint32_t stride = 1;
    while (stride * BOUND < n) {
      stride *= 2;
    }
    const uint32_t rounds = allgather.rounds - copy_rounds(n);
    assert_int_equal(rounds, stride == 1 ? rs_log2_up(n) : 4 + stride - 1);
    for (uint32_t k = 0; k < rounds; k++) {
      const struct rs_step sent = message_of(&allgather, 0, k, true);
      assert_in_range(sent.source.count, 1, BOUND);
      if (k >= 4) { // one by one: as many as there are, over edges as long as the lowest bit
        const uint32_t j = k - 3;
        assert_int_equal(sent.source.count, (n - 1 - j) / stride + 1);
        assert_int_equal(sent.peer, j & (~j + 1));
      }
    }
  }
}

// A place of scratch for each block, in an order that makes messages runs. Six ranks: the head comment of pat.c.
static void test_order_of_scratch(void **state) {
  (void)state;
  for (size_t name = 0; name < RS_ARRAY_LENGTH(names); name++) {
    for (uint32_t n = 1; n <= 100; n++) {
      const struct trace pat = trace_of(RS_ALLGATHER, names[name], n, 0);
      bool seen[100] = {false};
      for (uint32_t place = 0; place < n; place++) {
        const uint32_t part = rs_place_part(pat.algorithm, &pat.params, n - 1, RS_BUFFER_SCRATCH, place);
        assert_in_range(part, 0, n - 1);
        assert_false(seen[part]);
        seen[part] = true;
      }
    }
  }
  static const uint32_t distances[] = {2, 0, 4, 3, 1, 5};
  const struct trace six = trace_of(RS_REDUCE_SCATTER, "pat", 6, 0);
  for (uint32_t place = 0; place < 6; place++) {
    assert_int_equal(rs_place_part(six.algorithm, &six.params, 5, RS_BUFFER_SCRATCH, place), 5 - distances[place]);
  }
}

static void test_text(void **state) {
  (void)state;
  const struct trace allgather = trace_of(RS_ALLGATHER, "pat", 2, 0);
  expect_export(&allgather, "# pat allgather, ranks 2, parts 2, scratch places 2, rounds 2\n"
                            "rank 0  round 0  send input[0] -> 1\n"
                            "rank 0  round 0  recv scratch[1] <- 1\n"
                            "rank 0  round 1  copy output[0] = input[0]\n"
                            "rank 0  round 1  copy output[1] = scratch[1]\n"
                            "rank 1  round 0  send input[1] -> 0\n"
                            "rank 1  round 0  recv scratch[1] <- 0\n"
                            "rank 1  round 1  copy output[1] = input[1]\n"
                            "rank 1  round 1  copy output[0] = scratch[1]\n");
  const struct trace alone = trace_of(RS_REDUCE_SCATTER, "pat-16", 1, 0);
  expect_export(&alone, "# pat-16 reduce_scatter, ranks 1, parts 1, scratch places 1, rounds 1\n"
                        "rank 0  round 0  copy output[0] = input[0]\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_aggregated_fully), cmocka_unit_test(test_far_messages_are_small),
      cmocka_unit_test(test_mirror),           cmocka_unit_test(test_bounded),
      cmocka_unit_test(test_order_of_scratch), cmocka_unit_test(test_text)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
