// What is sent before its receive is posted: the sender gets bounded credit and then waits, other lanes and peers are
// not held up, and a late receiver still gets everything.
#include "support/contract_variants.h"

#define PIECE ((size_t)64 << 10)
#define PIECES 64 // 4 MiB in all
#define SETTLE_NS 20000000
#define CREDIT_MAX ((size_t)256 << 20)

struct bench {
  struct contract_group group;
  struct contract_memory from, to; // of ranks 0 and 1, PIECES x PIECE bytes each
};

static void bench_open(struct bench *bench, const struct contract_variant *variant, size_t rank_count, size_t lanes) {
  struct rs_error error = {0};
  assert_rs_ok(contract_group_open(variant, rank_count, lanes, &bench->group, &error), &error);
  assert_rs_ok(contract_memory_open(bench->group.devices[0], PIECES * PIECE, &bench->from, &error), &error);
  assert_rs_ok(contract_memory_open(bench->group.devices[1], PIECES * PIECE, &bench->to, &error), &error);
  contract_fill(bench->from.buffer.address, PIECES * PIECE, 7);
}

static void bench_close(struct bench *bench) {
  contract_memory_close(&bench->from);
  contract_memory_close(&bench->to);
  contract_group_close(&bench->group);
}

static enum rs_status try_post(const struct contract_memory *memory, bool sends, size_t peer, size_t lane,
                               size_t offset, size_t bytes) {
  struct rs_error error = {0};
  const struct rs_transport *transport = memory->device->transport;
  enum rs_status status = (sends ? transport->post_send : transport->post_recv)(
      memory->device, peer, lane, memory->region, offset, bytes, 0, &error);
  if (status < 0)
    fail_msg("post: %s", error.text);
  return status;
}

// Returns how many completions are to come: 1 or 0.
static size_t post(const struct contract_memory *memory, bool sends, size_t peer, size_t lane, size_t offset,
                   size_t bytes) {
  enum rs_status status = try_post(memory, sends, peer, lane, offset, bytes);
  assert_int_not_equal(status, RS_BUSY);
  return status == RS_IN_PROGRESS;
}

// Drives for a while; *left falls by what completed.
static void settle(struct contract_group *group, size_t *left, int64_t patience_ns) {
  struct rs_error error = {0};
  size_t never = *left + 1;
  assert_int_equal(contract_group_drive(group, &never, patience_ns, &error), RS_ERROR_TIMEOUT);
  *left = never - 1;
}

// Posts a receive of rank 1, and drives for as long as all posts are taken: what has landed may complete only later.
static void receive_when_free(struct bench *bench, size_t *left, size_t offset, size_t bytes) {
  enum rs_status status;
  int64_t deadline_ns = rs_clock_ns() + CONTRACT_PATIENCE_NS;
  while ((status = try_post(&bench->to, false, 0, 0, offset, bytes)) == RS_BUSY && rs_clock_ns() < deadline_ns)
    settle(&bench->group, left, 1000000);
  assert_int_not_equal(status, RS_BUSY);
  *left += status == RS_IN_PROGRESS;
}

// Drives until `memory` begins with these bytes, whatever completes meanwhile.
static void await_content(struct contract_group *group, size_t *left, const struct contract_memory *memory,
                          size_t bytes, uint64_t seed) {
  int64_t deadline_ns = rs_clock_ns() + CONTRACT_PATIENCE_NS;
  while (contract_check(memory->buffer.address, bytes, seed) < bytes && rs_clock_ns() < deadline_ns)
    settle(group, left, 1000000);
  assert_int_equal(contract_check(memory->buffer.address, bytes, seed), bytes);
}

static void stalled_lane_stalls_no_other(void **state) {
  (void)state;
  CONTRACT_EACH_VARIANT(v) {
    struct bench bench;
    struct rs_error error = {0};
    bench_open(&bench, &contract_variants[v], 2, 2);
    size_t left = 0;
    for (size_t i = 0; i < PIECES; i++)
      left += post(&bench.from, true, 1, 0, i * PIECE, PIECE);
    settle(&bench.group, &left, SETTLE_NS);

    // A short message on the other lane, and then its answer, pass the stalled 4 MiB.
    struct contract_memory extra[2]; // 8 bytes to receive into, and 8 to send from
    for (size_t r = 0; r < 2; r++) {
      assert_rs_ok(contract_memory_open(bench.group.devices[r], 16, &extra[r], &error), &error);
      left += post(&extra[r], false, 1 - r, 1, 0, 8);
    }
    contract_fill((char *)extra[0].buffer.address + 8, 8, 5);
    left += post(&extra[0], true, 1, 1, 8, 8);
    await_content(&bench.group, &left, &extra[1], 8, 5);
    left += post(&extra[1], true, 0, 1, 0, 8);
    await_content(&bench.group, &left, &extra[0], 8, 5);

    // And the late receiver gets all of it.
    for (size_t i = 0; i < PIECES; i++)
      left += post(&bench.to, false, 0, 0, i * PIECE, PIECE);
    assert_rs_ok(contract_group_drive(&bench.group, &left, CONTRACT_PATIENCE_NS, &error), &error);
    assert_int_equal(contract_check(bench.to.buffer.address, PIECES * PIECE, 7), PIECES * PIECE);
    for (size_t r = 0; r < 2; r++)
      contract_memory_close(&extra[r]);
    bench_close(&bench);
  }
}

static void stalled_peer_stalls_no_other(void **state) {
  (void)state;
  CONTRACT_EACH_VARIANT(v) {
    struct bench bench;
    bench_open(&bench, &contract_variants[v], 3, 1);
    size_t left = 0;
    for (size_t i = 0; i < PIECES; i++)
      left += post(&bench.from, true, 2, 0, i * PIECE, PIECE);
    settle(&bench.group, &left, SETTLE_NS);
    left += post(&bench.to, false, 0, 0, 0, PIECE);
    left += post(&bench.from, true, 1, 0, 0, PIECE);
    await_content(&bench.group, &left, &bench.to, PIECE, 7);
    bench_close(&bench);
  }
}

static void credit_is_bounded(void **state) {
  (void)state;
  CONTRACT_EACH_VARIANT(v) {
    struct bench bench;
    struct rs_error error = {0};
    bench_open(&bench, &contract_variants[v], 2, 1);
    // The sender goes on for as long as it is let.
    size_t sent = 0, left = 0, refused_in_a_row = 0;
    while (refused_in_a_row < 2) {
      enum rs_status status = try_post(&bench.from, true, 1, 0, sent % PIECES * PIECE, PIECE);
      if (status == RS_BUSY) {
        refused_in_a_row++;
        settle(&bench.group, &left, SETTLE_NS);
        continue;
      }
      refused_in_a_row = 0;
      left += status == RS_IN_PROGRESS;
      sent++;
      assert_true(sent * PIECE <= CREDIT_MAX);
    }
    for (size_t received = 0; received < sent;) {
      size_t round = rs_min_size(PIECES, sent - received);
      memset(bench.to.buffer.address, 0, PIECES * PIECE);
      for (size_t i = 0; i < round; i++, received++)
        receive_when_free(&bench, &left, i * PIECE, PIECE);
      await_content(&bench.group, &left, &bench.to, round * PIECE, 7);
    }
    assert_rs_ok(contract_group_drive(&bench.group, &left, CONTRACT_PATIENCE_NS, &error), &error);
    bench_close(&bench);
  }
}

// A full queue answers BUSY and takes nothing; what it took before arrives in order.
static void busy_when_full(void **state) {
  (void)state;
  CONTRACT_EACH_VARIANT(v) {
    struct bench bench;
    struct rs_error error = {0};
    struct rs_limits limits;
    bench_open(&bench, &contract_variants[v], 2, 1);
    bench.to.device->transport->limits(bench.to.device, &limits);
    size_t left = 0;
    for (size_t i = 0; i < limits.posts_max; i++) {
      assert_int_equal(post(&bench.to, false, 0, 0, i * 8, 8), 1);
      left++;
    }
    size_t beyond = limits.posts_max * 8;
    assert_int_equal(try_post(&bench.to, false, 0, 0, beyond, 8), RS_BUSY);
    assert_int_equal(try_post(&bench.to, false, 0, 0, beyond, 8), RS_BUSY);
    for (size_t i = 0; i < limits.posts_max; i++)
      left += post(&bench.from, true, 1, 0, i * 8, 8);
    assert_rs_ok(contract_group_drive(&bench.group, &left, CONTRACT_PATIENCE_NS, &error), &error);
    left = post(&bench.to, false, 0, 0, beyond, 8);
    left += post(&bench.from, true, 1, 0, beyond, 8);
    assert_rs_ok(contract_group_drive(&bench.group, &left, CONTRACT_PATIENCE_NS, &error), &error);
    assert_int_equal(contract_check(bench.to.buffer.address, beyond + 8, 7), beyond + 8);
    bench_close(&bench);
  }
}

// A send that completed before its receive was posted has left its buffer for good.
static void completed_send_frees_its_buffer(void **state) {
  (void)state;
  CONTRACT_EACH_VARIANT(v) {
    struct bench bench;
    struct rs_error error = {0};
    bench_open(&bench, &contract_variants[v], 2, 1);
    size_t left = post(&bench.from, true, 1, 0, 0, PIECE);
    settle(&bench.group, &left, SETTLE_NS);
    if (left == 0)
      memset(bench.from.buffer.address, 0xee, PIECE);
    left += post(&bench.to, false, 0, 0, 0, PIECE);
    assert_rs_ok(contract_group_drive(&bench.group, &left, CONTRACT_PATIENCE_NS, &error), &error);
    assert_int_equal(contract_check(bench.to.buffer.address, PIECE, 7), PIECE);
    bench_close(&bench);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(stalled_lane_stalls_no_other),
      cmocka_unit_test(stalled_peer_stalls_no_other),
      cmocka_unit_test(credit_is_bounded),
      cmocka_unit_test(busy_when_full),
      cmocka_unit_test(completed_send_frees_its_buffer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
