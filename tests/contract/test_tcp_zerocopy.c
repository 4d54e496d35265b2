// Which messages go out without a copy, and that the kernel's word is waited for; contract_variants.h has the rest. On
// loopback the kernel copies after all and says so: that every send is reported so shows that the reports are read.
#include "support/contract_cmocka.h"

#include "transport/tcp.h"

#include <inttypes.h>

#define LONG_BYTES ((size_t)1 << 20)
#define SHORT_BYTES ((size_t)4096)

static const struct rs_tcp_options options = {
    .interface = {"127.0.0.1"}, .streams = 1, .stripe_bytes = 65536, .zerocopy_bytes = 65536};
static const struct contract_variant variant = {"tcp, long ones without a copy", &rs_transport_tcp, &options};

// From device 0 to device 1, until both have completed.
static void send_over(struct contract_group *group, struct contract_memory memory[2], size_t bytes) {
  struct rs_error error = {0};
  size_t left = 2;
  memset(memory[0].buffer.address, (int)(bytes % 251), bytes);
  memset(memory[1].buffer.address, 0, bytes);
  enum rs_status posted = rs_transport_tcp.post_recv(group->devices[1], 0, 0, memory[1].region, 0, bytes, 1, &error);
  assert_int_equal(posted, RS_IN_PROGRESS);
  enum rs_status sent = rs_transport_tcp.post_send(group->devices[0], 1, 0, memory[0].region, 0, bytes, 2, &error);
  assert_true(sent == RS_OK || sent == RS_IN_PROGRESS);
  if (sent == RS_OK)
    left--;
  assert_rs_ok(contract_group_drive(group, &left, INT64_C(20000000000), &error), &error);
  assert_memory_equal(memory[0].buffer.address, memory[1].buffer.address, bytes);
}

static void long_messages_are_not_copied(void **state) {
  (void)state;
  struct contract_group group;
  struct contract_memory memory[2];
  struct rs_error error = {0};
  assert_rs_ok(contract_group_open(&variant, 2, 1, &group, &error), &error);
  for (size_t r = 0; r < 2; r++)
    assert_rs_ok(contract_memory_open(group.devices[r], LONG_BYTES, &memory[r], &error), &error);
  send_over(&group, memory, SHORT_BYTES);
  assert_int_equal(contract_counted(group.devices[0], "zerocopy_sends"), 0);
  for (int turn = 0; turn < 100; turn++) {
    send_over(&group, memory, LONG_BYTES);
    send_over(&group, memory, SHORT_BYTES);
  }
  int64_t sends = contract_counted(group.devices[0], "zerocopy_sends"),
          copied = contract_counted(group.devices[0], "zerocopy_copied");
  // Where memory may not be pinned the kernel is not asked a second time.
  if (sends == 0)
    skip();
  if (copied != sends)
    fail_msg("%" PRId64 " of %" PRId64 " sends were reported", copied, sends);
  assert_int_equal(contract_counted(group.devices[1], "zerocopy_sends"), 0);
  for (size_t r = 0; r < 2; r++)
    contract_memory_close(&memory[r]);
  contract_group_close(&group);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(long_messages_are_not_copied)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
