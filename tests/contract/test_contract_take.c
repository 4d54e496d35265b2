// Messages that are taken piece by piece and not stored: they stand in one order with those that are stored, their
// pieces come in order and in whole lines, and together they are what was sent. Over every transport that offers it.
#include "support/contract_variants.h"

#define MESSAGES 40
#define BYTES_MAX ((size_t)200000)

struct taken {
  uint8_t *data;   // what has come, by message
  size_t *offsets; // where each message begins, and the end
  size_t done[MESSAGES];
  const char *fault;
};

static void take(void *state, uint64_t cookie, size_t offset, const void *data, size_t bytes) {
  struct taken *taken = state;
  size_t length = taken->offsets[cookie + 1] - taken->offsets[cookie];
  if (offset != taken->done[cookie])
    taken->fault = "pieces came out of order";
  else if (bytes == 0 || bytes > length - offset)
    taken->fault = "more came than was sent";
  else if (bytes % 64 != 0 && offset + bytes != length)
    taken->fault = "a piece ends within a line";
  else if ((uintptr_t)data % 8 != 0)
    taken->fault = "a piece is not aligned";
  else
    memcpy(taken->data + taken->offsets[cookie] + offset, data, bytes);
  taken->done[cookie] += bytes;
}

static enum rs_status receive(const struct contract_memory *to, const struct rs_taker *taker, const struct taken *taken,
                              size_t i, struct rs_error *error) {
  const struct rs_transport *transport = to->device->transport;
  size_t bytes = taken->offsets[i + 1] - taken->offsets[i];
  if (i % 3 == 0)
    return transport->post_recv(to->device, 0, 0, to->region, taken->offsets[i], bytes, i, error);
  return transport->post_take(to->device, 0, 0, taker, bytes, i, error);
}

// Posts sends until `until` of them are posted; *left grows by the completions to come.
static void send_until(const struct contract_memory *from, const size_t *offsets, size_t until, size_t *sent,
                       size_t *left) {
  struct rs_error error = {0};
  for (; *sent < until; ++*sent) {
    enum rs_status status = from->device->transport->post_send(from->device, 1, 0, from->region, offsets[*sent],
                                                               offsets[*sent + 1] - offsets[*sent], *sent, &error);
    assert_true(status == RS_OK || status == RS_IN_PROGRESS);
    *left += status == RS_IN_PROGRESS;
  }
}

static void exchange(const struct contract_variant *variant, uint64_t seed) {
  struct contract_group group;
  struct contract_memory from, to;
  struct rs_error error = {0};
  struct rs_random random = {seed};
  // Each message begins on a multiple of 8, as the elements of a reduction do; the last is of any length.
  size_t offsets[MESSAGES + 1] = {0}, left = 0, sent = 0;
  for (size_t i = 0; i < MESSAGES; i++)
    offsets[i + 1] = offsets[i] + 8 + rs_random_below(&random, BYTES_MAX >> rs_random_below(&random, 16)) / 8 * 8;
  offsets[MESSAGES] += 5;
  assert_rs_ok(contract_group_open(variant, 2, 1, &group, &error), &error);
  assert_rs_ok(contract_memory_open(group.devices[0], offsets[MESSAGES], &from, &error), &error);
  assert_rs_ok(contract_memory_open(group.devices[1], offsets[MESSAGES], &to, &error), &error);
  contract_fill(from.buffer.address, offsets[MESSAGES], seed);
  struct taken taken = {.data = to.buffer.address, .offsets = offsets};
  const struct rs_taker taker = {take, &taken};
  for (size_t i = 0; i < MESSAGES; i++) {
    // Some sends are ahead of their receives, and some behind.
    send_until(&from, offsets, rs_min_size(MESSAGES, i + rs_random_below(&random, 6)), &sent, &left);
    assert_int_equal(receive(&to, &taker, &taken, i, &error), RS_IN_PROGRESS);
    left++;
  }
  send_until(&from, offsets, MESSAGES, &sent, &left);
  assert_rs_ok(contract_group_drive(&group, &left, CONTRACT_PATIENCE_NS, &error), &error);
  if (taken.fault)
    fail_msg("%s, seed %llu: %s", variant->name, (unsigned long long)seed, taken.fault);
  assert_int_equal(contract_check(to.buffer.address, offsets[MESSAGES], seed), offsets[MESSAGES]);
  contract_memory_close(&from);
  contract_memory_close(&to);
  contract_group_close(&group);
}

static void taken_and_stored(void **state) {
  (void)state;
  CONTRACT_EACH_VARIANT(v)
  for (uint64_t seed = 0; contract_variants[v].transport->post_take && seed < 4; seed++)
    exchange(&contract_variants[v], contract_seed() + seed);
}

static void lengths_disagree(void **state) {
  (void)state;
  CONTRACT_EACH_VARIANT(v) {
    struct contract_group group;
    struct contract_memory from;
    struct rs_error error = {0};
    if (contract_variants[v].transport->post_take == NULL)
      continue;
    assert_rs_ok(contract_group_open(&contract_variants[v], 2, 1, &group, &error), &error);
    assert_rs_ok(contract_memory_open(group.devices[0], 200, &from, &error), &error);
    const struct rs_transport *transport = contract_variants[v].transport;
    size_t offsets[] = {0, 100}, left = 2;
    struct taken taken = {.offsets = offsets};
    const struct rs_taker taker = {take, &taken};
    assert_int_equal(transport->post_take(group.devices[1], 0, 0, &taker, 100, 0, &error), RS_IN_PROGRESS);
    assert_true(transport->post_send(group.devices[0], 1, 0, from.region, 0, 200, 1, &error) >= 0);
    enum rs_status status = contract_group_drive(&group, &left, CONTRACT_PATIENCE_NS, &error);
    assert_rs_error(status, &error, RS_ERROR_PEER, "rank 0", "200 bytes", "100");
    assert_int_equal(taken.done[0], 0);
    contract_memory_close(&from);
    contract_group_close(&group);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(taken_and_stored),
      cmocka_unit_test(lengths_disagree),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
