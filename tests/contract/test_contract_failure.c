// What goes wrong is an error that names the peer, and never a hang: ranks that disagree about a length, injected
// faults, a device of one rank only, close with everything outstanding.
#include "support/contract_variants.h"

#include "transport/loop.h"

#include <unistd.h>

// For all of closing, with room for an emulated processor: whoever waited for a peer would take longer.
#define CLOSE_NS INT64_C(3000000000)
// Within which a transport's own thread would touch memory that is gone; a sanitizer sees it.
#define KEEPER_US 20000

static enum rs_status send_where_another_length_is_expected(const struct contract_variant *variant, size_t sent,
                                                            size_t expected, struct rs_error *error) {
  struct contract_group group;
  struct contract_memory from, to;
  assert_rs_ok(contract_group_open(variant, 2, 1, &group, error), error);
  assert_rs_ok(contract_memory_open(group.devices[0], sent, &from, error), error);
  assert_rs_ok(contract_memory_open(group.devices[1], expected, &to, error), error);
  const struct rs_transport *transport = variant->transport;
  assert_int_equal(transport->post_recv(group.devices[1], 0, 0, to.region, 0, expected, 1, error), RS_IN_PROGRESS);
  assert_true(transport->post_send(group.devices[0], 1, 0, from.region, 0, sent, 2, error) >= 0);
  size_t left = 2;
  enum rs_status status = contract_group_drive(&group, &left, CONTRACT_PATIENCE_NS, error);
  contract_memory_close(&from);
  contract_memory_close(&to);
  contract_group_close(&group);
  return status;
}

static void lengths_disagree(void **state) {
  (void)state;
  // The last two pairs begin with a piece of equal length where there are several streams.
  static const size_t lengths[][2] = {{100, 200},   {200, 100},      {1, 1 << 20},
                                      {1 << 20, 1}, {65536, 131072}, {8192, 4096}};
  CONTRACT_EACH_VARIANT(v)
  for (size_t i = 0; i < RS_ARRAY_LENGTH(lengths); i++) {
    struct rs_error error = {0};
    char sent[32], expected[32];
    snprintf(sent, sizeof sent, "%zu bytes", lengths[i][0]);
    snprintf(expected, sizeof expected, "%zu", lengths[i][1]);
    enum rs_status status =
        send_where_another_length_is_expected(&contract_variants[v], lengths[i][0], lengths[i][1], &error);
    assert_rs_error(status, &error, RS_ERROR_PEER, "rank 0", sent, expected);
  }
}

static void injected_failure(void **state) {
  (void)state;
  const struct rs_loop_options options = {.seed = contract_seed(), .segment = 8192, .fail_at = 5};
  const struct contract_variant variant = {"loop, failing", &rs_transport_loop, &options};
  struct contract_group group;
  struct rs_error error = {0};
  assert_rs_ok(contract_group_open(&variant, 2, 1, &group, &error), &error);
  const struct contract_traffic traffic = {.seed = contract_seed(), .messages = 20, .bytes_max = 4096};
  enum rs_status status = contract_traffic_run(&group, &traffic, &error);
  assert_rs_error(status, &error, RS_ERROR_PEER, "injected failure", "rank");
  contract_group_close(&group);
}

// The harness itself must notice wrong data, or none of its other verdicts means anything.
static void injected_corruption(void **state) {
  (void)state;
  const struct rs_loop_options options = {.seed = contract_seed(), .segment = 8192, .corrupt_at = 5};
  const struct contract_variant variant = {"loop, corrupting", &rs_transport_loop, &options};
  struct contract_group group;
  struct rs_error error = {0};
  assert_rs_ok(contract_group_open(&variant, 2, 1, &group, &error), &error);
  const struct contract_traffic traffic = {.seed = contract_seed(), .messages = 20, .bytes_max = 4096};
  enum rs_status status = contract_traffic_run(&group, &traffic, &error);
  assert_rs_error(status, &error, RS_ERROR_MISMATCH, "is wrong at byte", "seed");
  contract_group_close(&group);
}

// close waits for nobody, and takes what is outstanding with it.
static void close_with_everything_outstanding(void **state) {
  (void)state;
  CONTRACT_EACH_VARIANT(v) {
    struct contract_group group;
    struct contract_memory memory[2];
    struct rs_error error = {0};
    assert_rs_ok(contract_group_open(&contract_variants[v], 2, 1, &group, &error), &error);
    const struct rs_transport *transport = group.variant->transport;
    for (size_t r = 0; r < 2; r++) {
      assert_rs_ok(contract_memory_open(group.devices[r], 2 << 20, &memory[r], &error), &error);
      for (size_t i = 0; i < 16; i++)
        assert_true(transport->post_send(group.devices[r], 1 - r, 0, memory[r].region, 0, 1 << 20, i, &error) >= 0);
      assert_true(transport->post_recv(group.devices[r], 1 - r, 0, memory[r].region, 1 << 20, 1 << 20, 0, &error) >= 0);
    }
    for (size_t r = 0; r < 2; r++)
      contract_memory_close(&memory[r]);
    usleep(KEEPER_US);
    int64_t start_ns = rs_clock_ns();
    contract_group_close(&group);
    assert_true(rs_clock_ns() - start_ns < CLOSE_NS);
  }
}

static void close_of_nothing(void **state) {
  (void)state;
  CONTRACT_EACH_VARIANT(v) {
    contract_variants[v].transport->close(NULL);
    contract_variants[v].transport->deregister_memory(NULL, NULL);
  }
}

static void one_rank_alone(void **state) {
  (void)state;
  CONTRACT_EACH_VARIANT(v) {
    struct contract_group group;
    struct rs_error error = {0};
    assert_rs_ok(contract_group_open(&contract_variants[v], 1, 2, &group, &error), &error);
    struct rs_completion completion;
    size_t count = 1;
    assert_rs_ok(group.variant->transport->progress(group.devices[0], &completion, 1, &count, &error), &error);
    assert_int_equal(count, 0);
    contract_group_close(&group);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lengths_disagree),    cmocka_unit_test(injected_failure),
      cmocka_unit_test(injected_corruption), cmocka_unit_test(close_with_everything_outstanding),
      cmocka_unit_test(close_of_nothing),    cmocka_unit_test(one_rank_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
