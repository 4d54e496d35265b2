// Halving and doubling: the cuts, what they carry for every number of ranks, and that doubling mirrors halving.
#include "support/schedule_expect.h"

#define RANKS_MAX 64

static struct trace halving(uint32_t rank_count) {
  return trace_of(RS_REDUCE_SCATTER, "halving", rank_count, 0);
}
static struct trace doubling(uint32_t rank_count) {
  return trace_of(RS_ALLGATHER, "doubling", rank_count, 0);
}
static struct trace halving_doubling(uint32_t rank_count) {
  return trace_of(RS_ALLREDUCE, "halving-doubling", rank_count, 0);
}

static uint32_t ceil_log2(uint32_t n) {
  uint32_t log = 0;
  while (UINT32_C(1) << log < n) {
    log++;
  }
  return log;
}

// The pictures in halving_doubling.c.
static void test_pictures(void **state) {
  (void)state;
  const struct trace far = halving(5), mirror = doubling(5), near = halving_doubling(5);
  expect_picture(&far, "3+>0 4+>1 0+>3 1+>4 2+>4 | 2+>0 0+>2 1+>2 4+>3 3+>4 | 1+>0 0+>1");
  expect_picture(&mirror, " | 1->0 0->1 | 2->0 2->1 0->2 4->3 3->4 | 3->0 4->1 4->2 0->3 1->4");
  expect_picture(&near, "1+>0 0+>1 3+>2 2+>3 4+>3 | 2+>0 3+>1 0+>2 4+>2 1+>3 | 4+>0 0+>4"
                        " | 4->0 0->4 | 2->0 3->1 0->2 1->3 2->4 | 1->0 0->1 3->2 2->3 3->4");
}

// With 2^L ranks every rank sends one message per cut, of n/2, n/4, ... 1 blocks: to the farthest partner first when
// scattering, to the nearest when all reduce.
static void test_powers_of_two(void **state) {
  (void)state;
  struct trace_message messages[RANKS_MAX * RS_ROUND_STEPS_MAX];
  for (uint32_t levels = 1; levels <= 6; levels++) {
    const uint32_t n = UINT32_C(1) << levels;
    const struct trace far = halving(n), near = halving_doubling(n);
    assert_int_equal(far.rounds, levels);
    assert_int_equal(near.rounds, 2 * levels);
    for (uint32_t k = 0; k < levels; k++) {
      assert_int_equal(trace_messages(&far, k, messages), n);
      for (uint32_t rank = 0; rank < n; rank++) {
        assert_int_equal(messages[rank].from, rank ^ n >> (k + 1));
        assert_int_equal(messages[rank].target.count, n >> (k + 1));
      }
      assert_int_equal(trace_messages(&near, k, messages), n);
      for (uint32_t rank = 0; rank < n; rank++) {
        assert_int_equal(messages[rank].from, rank ^ 1U << k);
        assert_int_equal(messages[rank].target.count, n >> (k + 1));
      }
    }
  }
}

// For every n: ceil(log2 n) cuts; every rank sends n-1 blocks, one message per cut it has a part in; and the busiest
// ranks of all cuts together take in less than 2n blocks, n-1 when n is a power of two.
static void test_load(void **state) {
  (void)state;
  struct trace_message messages[RANKS_MAX * RS_ROUND_STEPS_MAX];
  for (uint32_t n = 2; n <= RANKS_MAX; n++) {
    const struct trace trace = halving(n);
    uint64_t sent[RANKS_MAX] = {0}, busiest_sum = 0;
    assert_int_equal(trace.rounds, ceil_log2(n));
    for (uint32_t k = 0; k < trace.rounds; k++) {
      const size_t count = trace_messages(&trace, k, messages);
      uint64_t taken[RANKS_MAX] = {0}, busiest = 0;
      bool sends[RANKS_MAX] = {false};
      for (size_t i = 0; i < count; i++) {
        const struct trace_message *message = &messages[i];
        assert_false(sends[message->from]);
        sends[message->from] = true;
        sent[message->from] += message->target.count;
        taken[message->to] += message->target.count;
        busiest = taken[message->to] > busiest ? taken[message->to] : busiest;
      }
      busiest_sum += busiest;
    }
    for (uint32_t rank = 0; rank < n; rank++) {
      assert_int_equal(sent[rank], n - 1);
    }
    assert_in_range(busiest_sum, n - 1, (n & (n - 1)) == 0 ? n - 1 : 2 * n - 1);
  }
}

static bool is_mirrored(const struct trace_message *message, const struct trace_message *others, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (others[i].from == message->to && others[i].to == message->from) {
      return others[i].target.place == message->target.place && others[i].target.count == message->target.count;
    }
  }
  return false;
}

// Round k of the gathering has the messages of cut L-1-k the other way: what a rank was given to add, it gives back
// whole.
static void expect_mirror(const struct trace *halves, const struct trace *joins, uint32_t first) {
  struct trace_message cut[RANKS_MAX * RS_ROUND_STEPS_MAX], join[RANKS_MAX * RS_ROUND_STEPS_MAX];
  const uint32_t levels = ceil_log2(halves->params.rank_count);
  assert_int_equal(joins->rounds, first + levels);
  for (uint32_t level = 0; level < levels; level++) {
    const size_t count = trace_messages(halves, level, cut);
    assert_int_equal(trace_messages(joins, first + levels - 1 - level, join), count);
    for (size_t i = 0; i < count; i++) {
      assert_true(cut[i].adds && !join[i].adds);
      assert_true(is_mirrored(&cut[i], join, count));
    }
  }
}

static void test_mirror(void **state) {
  (void)state;
  for (uint32_t n = 2; n <= RANKS_MAX; n++) {
    const struct trace far = halving(n), gather = doubling(n), near = halving_doubling(n);
    expect_mirror(&far, &gather, 1); // after the copy
    expect_mirror(&near, &near, ceil_log2(n));
  }
}

// 16 ranks on hosts of 4: only the last two of the four cuts of an allreduce cross hosts, with 3 of its 15 blocks.
static void test_near_cuts_stay_inside_hosts(void **state) {
  (void)state;
  struct trace_message messages[16 * RS_ROUND_STEPS_MAX];
  const struct trace trace = halving_doubling(16);
  uint32_t crossing = 0;
  for (uint32_t k = 0; k < 4; k++) {
    const size_t count = trace_messages(&trace, k, messages);
    for (size_t i = 0; i < count; i++) {
      crossing += messages[i].from / 4 != messages[i].to / 4 ? messages[i].target.count : 0;
    }
  }
  assert_int_equal(crossing, 16 * 3);
}

// A block is summed once, in the order of cuts, and everyone is given that sum.
static void test_order_of_summation(void **state) {
  (void)state;
  for (uint32_t n = 1; n <= 40; n++) {
    const struct trace trace = halving_doubling(n);
    expect_same_sums(&trace);
  }
  const struct trace five = halving(5);
  uint64_t x[5], y[5], *outputs = trace_run(&five);
  for (uint32_t rank = 0; rank < 5; rank++) {
    x[rank] = trace_input(rank, 0);
    y[rank] = trace_input(rank, 4);
  }
  // Block 0 on rank 0: 3 in cut 0, 2 in cut 1, and in cut 2 what rank 1 had from 4.
  assert_true(outputs[0] == trace_sum(trace_sum(trace_sum(x[0], x[3]), x[2]), trace_sum(x[1], x[4])));
  // Block 4 on rank 4: 1 and then 2, which has no partner, in cut 0, and in cut 1 what rank 3 had from 0.
  assert_true(outputs[4 * 5 + 4] == trace_sum(trace_sum(trace_sum(y[4], y[1]), y[2]), trace_sum(y[3], y[0])));
  free(outputs);
}

static void test_export(void **state) {
  (void)state;
  const struct trace scatter = halving(3), gather = doubling(3), alone = doubling(1);
  expect_export(&scatter, "# halving reduce_scatter, ranks 3, parts 3, scratch places 3, rounds 2\n"
                          "rank 0  round 0  send input[2] -> 2\n"
                          "rank 0  round 0  recv_reduce scratch[0..1] = input[0..1] (+) <- 2\n"
                          "rank 0  round 1  send scratch[1] -> 1\n"
                          "rank 0  round 1  recv_reduce output[0] = scratch[0] (+) <- 1, final\n"
                          "rank 1  round 0  send input[2] -> 2\n"
                          "rank 1  round 1  send input[0] -> 0\n"
                          "rank 1  round 1  recv_reduce output[1] = input[1] (+) <- 0, final\n"
                          "rank 2  round 0  send input[0..1] -> 0\n"
                          "rank 2  round 0  recv_reduce output[2] = input[2] (+) <- 0\n"
                          "rank 2  round 0  recv_reduce output[2] = output[2] (+) <- 1, final\n");
  expect_export(&gather, "# doubling allgather, ranks 3, parts 3, scratch places 0, rounds 3\n"
                         "rank 0  round 0  copy output[0] = input[0]\n"
                         "rank 0  round 1  recv output[1] <- 1\n"
                         "rank 0  round 1  send output[0] -> 1\n"
                         "rank 0  round 2  recv output[2] <- 2\n"
                         "rank 0  round 2  send output[0..1] -> 2\n"
                         "rank 1  round 0  copy output[1] = input[1]\n"
                         "rank 1  round 1  recv output[0] <- 0\n"
                         "rank 1  round 1  send output[1] -> 0\n"
                         "rank 1  round 2  recv output[2] <- 2\n"
                         "rank 2  round 0  copy output[2] = input[2]\n"
                         "rank 2  round 2  recv output[0..1] <- 0\n"
                         "rank 2  round 2  send output[2] -> 0\n"
                         "rank 2  round 2  send output[2] -> 1\n");
  expect_export(&alone, "# doubling allgather, ranks 1, parts 1, scratch places 0, rounds 1\n"
                        "rank 0  round 0  copy output[0] = input[0]\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_pictures),
                                     cmocka_unit_test(test_powers_of_two),
                                     cmocka_unit_test(test_load),
                                     cmocka_unit_test(test_mirror),
                                     cmocka_unit_test(test_near_cuts_stay_inside_hosts),
                                     cmocka_unit_test(test_order_of_summation),
                                     cmocka_unit_test(test_export)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
