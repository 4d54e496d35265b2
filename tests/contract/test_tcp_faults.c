// A proven peer that breaks off or talks nonsense in the middle of its messages, played by the test: the rank says who
// it was, what it waited for, and why.
#include "support/contract_cmocka.h"
#include "support/contract_tcp.h"

#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport/tcp.h"
#include "transport/tcp_hello.h"

#define TIMEOUT_NS INT64_C(10000000000)
#define MESSAGE_BYTES ((size_t)4096)
#define HEADER_BYTES 16

static const struct rs_tcp_options options = {.interface = {"127.0.0.1"}, .streams = 1, .stripe_bytes = 65536};

// Rank 0, and the socket on which the test is rank 1.
struct pair {
  struct contract_tcp tcp;
  struct contract_memory memory;
  int fd;
};

static void pair_open(struct pair *pair) {
  struct rs_error error = {0};
  uint8_t bytes[RS_TCP_HELLO_BYTES], reply[RS_TCP_REPLY_BYTES];
  const struct rs_tcp_hello hello = {
      .protocol = RS_TCP_PROTOCOL, .rank = 1, .lanes = 1, .streams = 1, .stripe_bytes = options.stripe_bytes};
  contract_tcp_init(&pair->tcp, 2);
  assert_rs_ok(contract_tcp_add(&pair->tcp, 0, 1, &options, TIMEOUT_NS, &error), &error);
  contract_tcp_play(&pair->tcp, 1);
  rs_tcp_hello_encode(&hello, pair->tcp.token, bytes);
  pair->fd = contract_tcp_dial(&pair->tcp, 0);
  assert_int_equal(send(pair->fd, bytes, sizeof bytes, MSG_NOSIGNAL), sizeof bytes);
  contract_tcp_connect(&pair->tcp, TIMEOUT_NS);
  assert_rs_ok(pair->tcp.statuses[0], &pair->tcp.errors[0]);
  assert_int_equal(recv(pair->fd, reply, sizeof reply, MSG_WAITALL), sizeof reply);
  assert_rs_ok(contract_memory_open(pair->tcp.devices[0], MESSAGE_BYTES, &pair->memory, &error), &error);
}

static void pair_close(struct pair *pair) {
  contract_memory_close(&pair->memory);
  if (pair->fd >= 0)
    close(pair->fd);
  contract_tcp_fini(&pair->tcp);
}

static void post(struct pair *pair, bool receive) {
  struct rs_error error = {0};
  enum rs_status status = (receive ? rs_transport_tcp.post_recv : rs_transport_tcp.post_send)(
      pair->tcp.devices[0], 1, 0, pair->memory.region, 0, MESSAGE_BYTES, 1, &error);
  assert_true(status >= 0);
}

// Until an error, or a completion.
static enum rs_status drive(struct pair *pair, struct rs_error *error) {
  struct rs_completion completion;
  size_t count = 0;
  enum rs_status status = RS_OK;
  int64_t deadline_ns = rs_clock_ns() + TIMEOUT_NS;
  while (status == RS_OK && count == 0 && rs_clock_ns() < deadline_ns)
    status = rs_transport_tcp.progress(pair->tcp.devices[0], &completion, 1, &count, error);
  return status;
}

static void header(uint32_t number, uint64_t bytes, uint8_t header[HEADER_BYTES]) {
  uint32_t low = htole32(number);
  uint64_t length = htole64(bytes);
  memcpy(header, "1rsd", 4);
  memcpy(header + 4, &low, sizeof low);
  memcpy(header + 8, &length, sizeof length);
}

static void say(const struct pair *pair, const void *bytes, size_t count) {
  assert_int_equal(send(pair->fd, bytes, count, MSG_NOSIGNAL), count);
}

// In the header, behind it, in the payload, one byte before its end, and before anything.
static void reset_in_a_message(void **state) {
  (void)state;
  static const size_t cuts[] = {0, 7, HEADER_BYTES, HEADER_BYTES + 1000, HEADER_BYTES + MESSAGE_BYTES - 1};
  const struct linger reset = {.l_onoff = 1};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(cuts); i++) {
    struct pair pair;
    struct rs_error error = {0};
    uint8_t message[HEADER_BYTES + MESSAGE_BYTES] = {0};
    header(0, MESSAGE_BYTES, message);
    pair_open(&pair);
    post(&pair, true);
    if (cuts[i] > 0)
      say(&pair, message, cuts[i]);
    setsockopt(pair.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(pair.fd);
    pair.fd = -1;
    assert_rs_error(drive(&pair, &error), &error, RS_ERROR_PEER, "rank 1 at", "lane 0", "Connection reset by peer",
                    "1 receive and 0 sends were outstanding", "look at its own message");
    pair_close(&pair);
  }
}

// The peer's host has lost the connection without a word, as after a power failure: its kernel knows nothing of it.
// What is sent to it tells; who only receives is told by the keepalive after 15 s, or ended by run.timeout.
static void half_open(void **state) {
  (void)state;
  struct pair pair;
  struct rs_error error = {0};
  int repair = 1;
  pair_open(&pair);
  if (setsockopt(pair.fd, IPPROTO_TCP, TCP_REPAIR, &repair, sizeof repair) != 0) {
    print_message("TCP_REPAIR, which ends a connection without a word: %s: skipped\n", strerror(errno));
    pair_close(&pair);
    skip();
  }
  close(pair.fd);
  pair.fd = -1;
  post(&pair, true);
  post(&pair, false);
  assert_rs_error(drive(&pair, &error), &error, RS_ERROR_PEER, "rank 1 at", "Connection reset by peer",
                  "1 receive and 0 sends were outstanding");
  pair_close(&pair);
}

// A right message, and then what is none.
static void garbage_after_a_message(void **state) {
  (void)state;
  struct pair pair;
  struct rs_error error = {0};
  uint8_t message[HEADER_BYTES + MESSAGE_BYTES] = {0}, garbage[500];
  contract_fill(garbage, sizeof garbage, contract_seed());
  header(0, MESSAGE_BYTES, message);
  pair_open(&pair);
  post(&pair, true);
  say(&pair, message, sizeof message);
  assert_rs_ok(drive(&pair, &error), &error);
  post(&pair, true);
  say(&pair, garbage, sizeof garbage);
  assert_rs_error(drive(&pair, &error), &error, RS_ERROR_PEER, "rank 1 at", "header of message 1", "out of step");
  pair_close(&pair);
}

// Headers that are well formed and wrong: another number, and lengths that would write beyond the buffer.
static void wrong_headers(void **state) {
  (void)state;
  static const struct {
    uint32_t number;
    uint64_t bytes;
  } headers[] = {{1, MESSAGE_BYTES},     {0, 0},          {0, MESSAGE_BYTES - 1},
                 {0, MESSAGE_BYTES + 1}, {0, UINT64_MAX}, {UINT32_MAX, MESSAGE_BYTES}};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(headers); i++) {
    struct pair pair;
    struct rs_error error = {0};
    uint8_t message[HEADER_BYTES];
    header(headers[i].number, headers[i].bytes, message);
    pair_open(&pair);
    post(&pair, true);
    say(&pair, message, sizeof message);
    assert_rs_error(drive(&pair, &error), &error, RS_ERROR_PEER, "rank 1 at", "expected message 0 of 4096 bytes",
                    "do not run the same schedule");
    pair_close(&pair);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reset_in_a_message),
      cmocka_unit_test(half_open),
      cmocka_unit_test(garbage_after_a_message),
      cmocka_unit_test(wrong_headers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
