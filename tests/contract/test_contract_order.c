// The i-th send meets the i-th receive, whatever the lengths, and however early or late either is posted; every cookie
// comes back once. All ranks are driven from one thread.
#include "support/contract_variants.h"

static void traffic(size_t rank_count, size_t lanes, size_t messages, size_t bytes_max) {
  CONTRACT_EACH_VARIANT(v) {
    struct contract_group group;
    struct rs_error error = {0};
    assert_rs_ok(contract_group_open(&contract_variants[v], rank_count, lanes, &group, &error), &error);
    const struct contract_traffic parameters = {
        .seed = contract_seed() + v, .messages = messages, .bytes_max = bytes_max};
    assert_rs_ok(contract_traffic_run(&group, &parameters, &error), &error);
    contract_group_close(&group);
  }
}

static void two_ranks_long_messages(void **state) {
  (void)state;
  traffic(2, 1, 40, 1 << 20);
}

static void two_ranks_several_lanes(void **state) {
  (void)state;
  traffic(2, 4, 20, 1 << 18);
}

static void three_ranks_all_pairs(void **state) {
  (void)state;
  traffic(3, 2, 20, 1 << 18);
}

static void five_ranks_all_pairs(void **state) {
  (void)state;
  traffic(5, 2, 8, 1 << 17);
}

// Twice as many messages as may be posted at once, all short: slots are used again and again.
static void many_short_messages(void **state) {
  (void)state;
  traffic(2, 1, 500, 64);
}

// Messages of one length after another, all receives of a round posted before the sends.
static void round_of(struct contract_group *group, const struct contract_memory memory[2], const size_t *lengths,
                     size_t count) {
  struct rs_error error = {0};
  const struct rs_transport *transport = group->variant->transport;
  size_t left = 0;
  for (size_t r = 2; r-- > 0;)
    for (size_t i = 0, offset = 0; i < count; offset += lengths[i++]) {
      enum rs_status status = (r == 0 ? transport->post_send : transport->post_recv)(
          group->devices[r], 1 - r, 0, memory[r].region, offset, lengths[i], i, &error);
      assert_true(status == RS_OK || status == RS_IN_PROGRESS);
      left += status == RS_IN_PROGRESS;
    }
  assert_rs_ok(contract_group_drive(group, &left, CONTRACT_PATIENCE_NS, &error), &error);
}

// What only long messages use (further streams, segments) has been idle for a long time when two of them come close
// together, around the end of a ring of posts.
static void long_after_many_short(void **state) {
  (void)state;
  enum { COUNT = 60, LONG = 1 << 18 };
  CONTRACT_EACH_VARIANT(v) {
    struct contract_group group;
    struct contract_memory memory[2];
    struct rs_error error = {0};
    assert_rs_ok(contract_group_open(&contract_variants[v], 2, 1, &group, &error), &error);
    for (size_t r = 0; r < 2; r++)
      assert_rs_ok(contract_memory_open(group.devices[r], 3 * LONG, &memory[r], &error), &error);
    size_t lengths[COUNT], total = 0;
    for (size_t i = 0; i < COUNT; i++)
      lengths[i] = 8;
    for (size_t i = 0; i < 4; i++)
      round_of(&group, memory, lengths, COUNT);
    lengths[10] = lengths[30] = LONG;
    for (size_t i = 0; i < COUNT; i++)
      total += lengths[i];
    contract_fill(memory[0].buffer.address, total, contract_seed());
    round_of(&group, memory, lengths, COUNT);
    assert_int_equal(contract_check(memory[1].buffer.address, total, contract_seed()), total);
    for (size_t r = 0; r < 2; r++)
      contract_memory_close(&memory[r]);
    contract_group_close(&group);
  }
}

// A sender that posts for as long as it is let, and looks for its completions only then, one by one: none is lost or
// doubled, however many have piled up.
static void completions_wait_for_a_late_caller(void **state) {
  (void)state;
  enum { MESSAGES = 1000 };
  CONTRACT_EACH_VARIANT(v) {
    struct contract_group group;
    struct contract_memory memory[2];
    struct rs_error error = {0};
    assert_rs_ok(contract_group_open(&contract_variants[v], 2, 1, &group, &error), &error);
    const struct rs_transport *transport = group.variant->transport;
    for (size_t r = 0; r < 2; r++)
      assert_rs_ok(contract_memory_open(group.devices[r], 8, &memory[r], &error), &error);
    bool outstanding[MESSAGES] = {false};
    size_t sends = 0, left = 0;
    for (size_t i = 0; i < MESSAGES; i++) {
      enum rs_status status = transport->post_send(group.devices[0], 1, 0, memory[0].region, 0, 8, i, &error);
      if (status == RS_BUSY)
        break;
      assert_true(status >= 0);
      outstanding[i] = status == RS_IN_PROGRESS;
      sends += outstanding[i];
      assert_int_equal(transport->post_recv(group.devices[1], 0, 0, memory[1].region, 0, 8, i, &error), RS_IN_PROGRESS);
      left = 1;
      int64_t deadline_ns = rs_clock_ns() + CONTRACT_PATIENCE_NS;
      while (left > 0 && rs_clock_ns() < deadline_ns) {
        struct rs_completion completion;
        size_t count;
        assert_rs_ok(transport->progress(group.devices[1], &completion, 1, &count, &error), &error);
        left -= count;
      }
      assert_int_equal(left, 0);
    }
    int64_t deadline_ns = rs_clock_ns() + CONTRACT_PATIENCE_NS;
    while (sends > 0 && rs_clock_ns() < deadline_ns) {
      struct rs_completion completion;
      size_t count;
      assert_rs_ok(transport->progress(group.devices[0], &completion, 1, &count, &error), &error);
      if (count == 0)
        continue;
      assert_true(completion.cookie < MESSAGES && outstanding[completion.cookie]);
      outstanding[completion.cookie] = false;
      sends--;
    }
    assert_int_equal(sends, 0);
    for (size_t r = 0; r < 2; r++)
      contract_memory_close(&memory[r]);
    contract_group_close(&group);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_ranks_long_messages),
      cmocka_unit_test(two_ranks_several_lanes),
      cmocka_unit_test(three_ranks_all_pairs),
      cmocka_unit_test(five_ranks_all_pairs),
      cmocka_unit_test(many_short_messages),
      cmocka_unit_test(long_after_many_short),
      cmocka_unit_test(completions_wait_for_a_late_caller),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
