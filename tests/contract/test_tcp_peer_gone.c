// A peer that goes away in the middle is an error that names it and says what was owed; one that goes when nothing is
// owed is none.
#include "support/contract_cmocka.h"
#include "support/contract_tcp.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport/tcp.h"
#include "transport/tcp_hello.h"

#define LONG_BYTES ((size_t)32 << 20)
#define TIMEOUT_NS INT64_C(10000000000)

static const struct rs_tcp_options options = {.interface = {"127.0.0.1"}, .streams = 2, .stripe_bytes = 65536};
static const struct contract_variant variant = {"tcp", &rs_transport_tcp, &options};

struct pair {
  struct contract_group group;
  struct contract_memory memory[2];
};

static void pair_open(struct pair *pair, size_t bytes) {
  struct rs_error error = {0};
  assert_rs_ok(contract_group_open(&variant, 2, 2, &pair->group, &error), &error);
  for (size_t r = 0; r < 2; r++)
    assert_rs_ok(contract_memory_open(pair->group.devices[r], bytes, &pair->memory[r], &error), &error);
}

static void pair_leave(struct pair *pair, size_t rank) {
  contract_memory_close(&pair->memory[rank]);
  rs_transport_tcp.close(pair->group.devices[rank]);
  pair->group.devices[rank] = NULL;
}

static void pair_close(struct pair *pair) {
  for (size_t r = 0; r < 2; r++)
    contract_memory_close(&pair->memory[r]);
  contract_group_close(&pair->group);
}

static enum rs_status send_to(struct pair *pair, size_t rank, size_t lane, size_t bytes) {
  struct rs_error error = {0};
  return rs_transport_tcp.post_send(pair->group.devices[rank], 1 - rank, lane, pair->memory[rank].region, 0, bytes, 1,
                                    &error);
}

static enum rs_status receive_from(struct pair *pair, size_t rank, size_t lane, size_t bytes) {
  struct rs_error error = {0};
  return rs_transport_tcp.post_recv(pair->group.devices[rank], 1 - rank, lane, pair->memory[rank].region, 0, bytes, 2,
                                    &error);
}

// A message that is too long for all the buffers is on its way in both directions when one side leaves.
static void in_the_middle_of_a_message(void **state) {
  (void)state;
  for (size_t leaver = 0; leaver < 2; leaver++)
    for (size_t sender = 0; sender < 2; sender++) {
      struct pair pair;
      struct rs_error error = {0};
      pair_open(&pair, LONG_BYTES);
      assert_int_equal(receive_from(&pair, 1 - sender, 1, LONG_BYTES), RS_IN_PROGRESS);
      assert_int_equal(send_to(&pair, sender, 1, LONG_BYTES), RS_IN_PROGRESS);
      struct rs_completion completion;
      size_t count;
      for (size_t i = 0; i < 4; i++)
        assert_rs_ok(rs_transport_tcp.progress(pair.group.devices[i % 2], &completion, 1, &count, &error), &error);
      pair_leave(&pair, leaver);
      size_t left = 1;
      char who[64];
      snprintf(who, sizeof who, "rank %zu at 127.0.0.1:", leaver);
      assert_rs_error(
          contract_group_drive(&pair.group, &left, TIMEOUT_NS, &error), &error, RS_ERROR_PEER, who, "lane 1",
          sender == leaver ? "1 receive and 0 sends were outstanding" : "0 receives and 1 send were outstanding",
          "look at its own message");
      pair_close(&pair);
    }
}

// The end of the stream is seen before anything is posted, and its only event is used up.
static void before_the_receive_is_posted(void **state) {
  (void)state;
  struct pair pair;
  struct rs_error error = {0};
  pair_open(&pair, 64);
  contract_fill(pair.memory[0].buffer.address, 8, 3);
  assert_int_equal(send_to(&pair, 0, 0, 8), RS_OK);
  pair_leave(&pair, 0);
  struct rs_device *device = pair.group.devices[1];
  struct rs_completion completion;
  size_t count;
  for (size_t i = 0; i < 10; i++) {
    assert_rs_ok(rs_transport_tcp.progress(device, &completion, 1, &count, &error), &error);
    assert_int_equal(count, 0);
  }
  // A peer that is done may leave: that wakes nobody up for ever.
  assert_rs_ok(rs_transport_tcp.arm(device, &error), &error);
  struct pollfd event = {.fd = rs_transport_tcp.event_fd(device), .events = POLLIN};
  assert_int_equal(poll(&event, 1, 10), 0);

  // What it had sent is still there; what it had not is an error.
  size_t left = 1;
  assert_int_equal(receive_from(&pair, 1, 0, 8), RS_IN_PROGRESS);
  assert_rs_ok(contract_group_drive(&pair.group, &left, TIMEOUT_NS, &error), &error);
  assert_int_equal(contract_check(pair.memory[1].buffer.address, 8, 3), 8);
  left = 1;
  assert_int_equal(receive_from(&pair, 1, 0, 8), RS_IN_PROGRESS);
  assert_int_equal(rs_transport_tcp.arm(device, &error), RS_BUSY);
  assert_rs_error(contract_group_drive(&pair.group, &left, TIMEOUT_NS, &error), &error, RS_ERROR_PEER, "rank 0",
                  "the peer closed the connection", "1 receive");
  pair_close(&pair);
}

// Sleeping, too, ends with the error and not with the deadline.
static void while_asleep(void **state) {
  (void)state;
  struct pair pair;
  struct rs_error error = {0};
  pair_open(&pair, 64);
  assert_int_equal(receive_from(&pair, 1, 0, 8), RS_IN_PROGRESS);
  struct rs_completion completion;
  size_t count;
  struct rs_device *device = pair.group.devices[1];
  do
    assert_rs_ok(rs_transport_tcp.progress(device, &completion, 1, &count, &error), &error);
  while (rs_transport_tcp.arm(device, &error) == RS_BUSY);
  pair_leave(&pair, 0);
  struct pollfd event = {.fd = rs_transport_tcp.event_fd(device), .events = POLLIN};
  assert_int_equal(poll(&event, 1, 5000), 1);
  size_t left = 1;
  assert_rs_error(contract_group_drive(&pair.group, &left, TIMEOUT_NS, &error), &error, RS_ERROR_PEER, "rank 0");
  pair_close(&pair);
}

// A proven rank that sends bytes which are no message: the test plays rank 1.
static void out_of_step(void **state) {
  (void)state;
  struct contract_tcp tcp;
  struct contract_memory memory;
  struct rs_error error = {0};
  struct rs_tcp_options single = options;
  single.streams = 1;
  contract_tcp_init(&tcp, 2);
  assert_rs_ok(contract_tcp_add(&tcp, 0, 1, &single, TIMEOUT_NS, &error), &error);
  contract_tcp_play(&tcp, 1);
  const struct rs_tcp_hello hello = {
      .protocol = RS_TCP_PROTOCOL, .rank = 1, .lanes = 1, .streams = 1, .stripe_bytes = options.stripe_bytes};
  uint8_t bytes[RS_TCP_HELLO_BYTES + 64];
  rs_tcp_hello_encode(&hello, tcp.token, bytes);
  contract_fill(bytes + RS_TCP_HELLO_BYTES, 64, contract_seed());
  int fd = contract_tcp_dial(&tcp, 0);
  assert_int_equal(send(fd, bytes, sizeof bytes, MSG_NOSIGNAL), sizeof bytes);
  contract_tcp_connect(&tcp, TIMEOUT_NS);
  assert_rs_ok(tcp.statuses[0], &tcp.errors[0]);
  assert_rs_ok(contract_memory_open(tcp.devices[0], 64, &memory, &error), &error);
  assert_int_equal(rs_transport_tcp.post_recv(tcp.devices[0], 1, 0, memory.region, 0, 8, 1, &error), RS_IN_PROGRESS);
  enum rs_status status;
  struct rs_completion completion;
  size_t count;
  int64_t deadline_ns = rs_clock_ns() + TIMEOUT_NS;
  do
    status = rs_transport_tcp.progress(tcp.devices[0], &completion, 1, &count, &error);
  while (status == RS_OK && rs_clock_ns() < deadline_ns);
  assert_rs_error(status, &error, RS_ERROR_PEER, "rank 1 at", "out of step", "message 0");
  contract_memory_close(&memory);
  close(fd);
  contract_tcp_fini(&tcp);
}

static void unwanted_peer(void **state) {
  (void)state;
  struct pair pair;
  struct rs_error error = {0};
  pair_open(&pair, 64);
  enum rs_status status =
      rs_transport_tcp.post_send(pair.group.devices[0], 0, 0, pair.memory[0].region, 0, 8, 1, &error);
  assert_rs_error(status, &error, RS_ERROR_INTERNAL, "no connection with rank 0");
  pair_close(&pair);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(in_the_middle_of_a_message),
      cmocka_unit_test(before_the_receive_is_posted),
      cmocka_unit_test(while_asleep),
      cmocka_unit_test(out_of_step),
      cmocka_unit_test(unwanted_peer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
