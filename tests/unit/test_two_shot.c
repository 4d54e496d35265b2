// Two-shot allreduce: rotations that bring every part to its owner, and then every sum to all.
#include "support/schedule_expect.h"

#define RANKS_MAX 40

static struct trace two_shot(uint32_t rank_count) {
  return trace_of(RS_ALLREDUCE, "two-shot", rank_count, 0);
}

// The picture in two_shot.c.
static void test_pictures(void **state) {
  (void)state;
  const struct trace two = two_shot(2), three = two_shot(3);
  expect_picture(&two, "1+>0 0+>1 | 1->0 0->1");
  expect_picture(&three, "2+>0 0+>1 1+>2 | 1+>0 2+>1 0+>2 | 2->0 0->1 1->2 | 1->0 2->1 0->2");
}

// In every round each rank sends one part and is sent one. In the first shot that is the receiver's own part, in the
// second the sender's, and each two ranks meet once in either.
static void test_rotations(void **state) {
  (void)state;
  struct trace_message messages[RANKS_MAX * RS_ROUND_STEPS_MAX];
  for (uint32_t n = 2; n <= RANKS_MAX; n++) {
    const struct trace trace = two_shot(n);
    bool met[2][RANKS_MAX][RANKS_MAX] = {0};
    assert_int_equal(trace.rounds, 2 * (n - 1));
    for (uint32_t k = 0; k < trace.rounds; k++) {
      const uint32_t shot = k >= n - 1;
      bool taken[RANKS_MAX] = {false};
      assert_int_equal(trace_messages(&trace, k, messages), n);
      for (uint32_t i = 0; i < n; i++) {
        const struct trace_message *message = &messages[i];
        assert_int_equal(message->target.count, 1);
        assert_int_equal(message->target.place, shot == 0 ? message->to : message->from);
        assert_false(taken[message->to]);
        assert_false(met[shot][message->from][message->to]);
        taken[message->to] = met[shot][message->from][message->to] = true;
      }
    }
  }
}

// Two messages deep: the first shot sends nothing but inputs, the second nothing but whole sums.
static void test_depth(void **state) {
  (void)state;
  const uint32_t n = 7;
  const struct trace trace = two_shot(n);
  for (uint32_t rank = 0; rank < n; rank++) {
    for (uint32_t k = 0; k < trace.rounds; k++) {
      struct rs_step steps[RS_ROUND_STEPS_MAX];
      assert_int_equal(trace.algorithm->round(&trace.params, rank, k, steps), 2);
      assert_int_equal(steps[0].kind, RS_STEP_SEND);
      assert_int_equal(steps[0].source.buffer, k < n - 1 ? RS_BUFFER_INPUT : RS_BUFFER_OUTPUT);
      assert_int_equal(steps[0].source.place, k < n - 1 ? steps[0].peer : rank);
      assert_int_equal(steps[1].final, k == n - 2);
    }
  }
}

static void test_same_bits(void **state) {
  (void)state;
  for (uint32_t n = 2; n <= RANKS_MAX; n++) {
    const struct trace trace = two_shot(n);
    expect_same_sums(&trace);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_pictures), cmocka_unit_test(test_rotations),
                                     cmocka_unit_test(test_depth), cmocka_unit_test(test_same_bits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
