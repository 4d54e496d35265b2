// Whoever can reach the port may connect: they are turned away, and the launch goes on as if they were not there.
#include "support/contract_cmocka.h"
#include "support/contract_tcp.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport/tcp.h"
#include "transport/tcp_hello.h"
#include "transport/tcp_socket.h"

#define SECOND_NS INT64_C(1000000000)
#define TIMEOUT_NS (10 * SECOND_NS)
#define STRANGERS 200
#define CROWD 10000

static const struct rs_tcp_options options = {.interface = {"127.0.0.1"}, .streams = 1, .stripe_bytes = 65536};

static void launch(struct contract_tcp *tcp, size_t rank_count, size_t opened, size_t lanes) {
  struct rs_error error = {0};
  contract_tcp_init(tcp, rank_count);
  for (size_t r = 0; r < opened; r++)
    assert_rs_ok(contract_tcp_add(tcp, r, lanes, &options, TIMEOUT_NS, &error), &error);
  for (size_t r = opened; r < rank_count; r++)
    contract_tcp_play(tcp, r);
}

static int dial(const struct contract_tcp *tcp, const void *bytes, size_t count) {
  int fd = contract_tcp_dial(tcp, 0);
  assert_true(fd >= 0);
  if (count)
    assert_int_equal(send(fd, bytes, count, MSG_NOSIGNAL), count);
  return fd;
}

// What rank 1 says to rank 0 on this lane.
static void hello_of(const struct contract_tcp *tcp, uint32_t lane, uint32_t lanes, uint8_t bytes[RS_TCP_HELLO_BYTES]) {
  const struct rs_tcp_hello hello = {.protocol = RS_TCP_PROTOCOL,
                                     .rank = 1,
                                     .lane = lane,
                                     .lanes = lanes,
                                     .streams = 1,
                                     .stripe_bytes = options.stripe_bytes};
  rs_tcp_hello_encode(&hello, tcp->token, bytes);
}

static enum rs_tcp_verdict verdict_of(const struct contract_tcp *tcp, int fd) {
  uint8_t reply[RS_TCP_REPLY_BYTES];
  enum rs_tcp_verdict verdict;
  assert_int_equal(recv(fd, reply, sizeof reply, MSG_WAITALL), sizeof reply);
  assert_true(rs_tcp_reply_decode(reply, tcp->token, &verdict));
  return verdict;
}

static void all_connected(const struct contract_tcp *tcp) {
  for (size_t r = 0; r < tcp->rank_count; r++)
    assert_rs_ok(tcp->statuses[r], &tcp->errors[r]);
}

static void noisy_strangers(void **state) {
  (void)state;
  static const char http[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  struct contract_tcp tcp;
  launch(&tcp, 3, 3, 2);
  uint8_t garbage[100], forged[RS_TCP_HELLO_BYTES];
  contract_fill(garbage, sizeof garbage, contract_seed());
  hello_of(&tcp, 0, 2, forged);
  forged[RS_TCP_HELLO_BYTES - 1] ^= 1; // the token's first half ends here
  int fds[STRANGERS];
  for (size_t i = 0; i < STRANGERS; i++) {
    const void *bytes = i % 3 == 0 ? (const void *)garbage : i % 3 == 1 ? (const void *)http : forged;
    const size_t counts[] = {sizeof garbage, sizeof http - 1, sizeof forged};
    fds[i] = dial(&tcp, bytes, counts[i % 3]);
  }
  contract_tcp_connect(&tcp, TIMEOUT_NS);
  all_connected(&tcp);
  for (size_t i = 0; i < STRANGERS; i++) {
    assert_true(contract_tcp_closed(fds[i]));
    close(fds[i]);
  }
  contract_tcp_fini(&tcp);
}

// They say nothing, or stop in the middle of a right hello, so only time tells; there are more of them than places.
static void silent_strangers(void **state) {
  (void)state;
  struct contract_tcp tcp;
  launch(&tcp, 3, 3, 2);
  uint8_t half[RS_TCP_HELLO_BYTES];
  hello_of(&tcp, 0, 2, half);
  int fds[STRANGERS];
  for (size_t i = 0; i < STRANGERS; i++)
    fds[i] = dial(&tcp, half, i % 2 ? sizeof half - 1 : 0);
  int64_t start_ns = rs_clock_ns();
  contract_tcp_connect(&tcp, TIMEOUT_NS);
  all_connected(&tcp);
  assert_true(rs_clock_ns() - start_ns < 4 * SECOND_NS); // before the strangers' own deadline
  for (size_t i = 0; i < STRANGERS; i++)
    close(fds[i]);
  contract_tcp_fini(&tcp);
}

static void silence_ends_after_five_seconds(void **state) {
  (void)state;
  struct contract_tcp tcp;
  launch(&tcp, 2, 1, 1);
  int fd = dial(&tcp, NULL, 0);
  char byte;
  int64_t start_ns = rs_clock_ns();
  while (recv(fd, &byte, 1, MSG_DONTWAIT) != 0 && rs_clock_ns() - start_ns < TIMEOUT_NS) {
    contract_tcp_connect(&tcp, 0);
    usleep(5000);
  }
  int64_t took_ns = rs_clock_ns() - start_ns;
  assert_in_range(took_ns / (SECOND_NS / 10), 48, 70);
  assert_int_equal(tcp.statuses[0], RS_IN_PROGRESS);
  close(fd);
  contract_tcp_fini(&tcp);
}

static void nobody_joins_later(void **state) {
  (void)state;
  struct contract_tcp tcp;
  launch(&tcp, 2, 2, 1);
  contract_tcp_connect(&tcp, TIMEOUT_NS);
  all_connected(&tcp);
  assert_int_equal(contract_tcp_dial(&tcp, 0), -1);
  assert_int_equal(errno, ECONNREFUSED);
  contract_tcp_fini(&tcp);
}

// A rank whose hello comes in two parts is slow, not strange.
static void slow_rank_is_welcome(void **state) {
  (void)state;
  struct contract_tcp tcp;
  launch(&tcp, 2, 1, 1);
  uint8_t hello[RS_TCP_HELLO_BYTES];
  hello_of(&tcp, 0, 1, hello);
  int fd = dial(&tcp, hello, 5);
  contract_tcp_connect(&tcp, SECOND_NS / 50);
  assert_int_equal(tcp.statuses[0], RS_IN_PROGRESS);
  assert_int_equal(send(fd, hello + 5, sizeof hello - 5, MSG_NOSIGNAL), sizeof hello - 5);
  contract_tcp_connect(&tcp, TIMEOUT_NS);
  assert_rs_ok(tcp.statuses[0], &tcp.errors[0]);
  assert_int_equal(verdict_of(&tcp, fd), RS_TCP_WELCOME);
  close(fd);
  contract_tcp_fini(&tcp);
}

// The right token is not enough: each (rank, lane, stream) connects once, and only what is wanted.
static void duplicates_and_wrong_places(void **state) {
  (void)state;
  struct contract_tcp tcp;
  launch(&tcp, 2, 1, 2);
  uint8_t hello[RS_TCP_HELLO_BYTES];
  static const struct {
    uint32_t lane;
    enum rs_tcp_verdict verdict;
  } calls[] = {{0, RS_TCP_WELCOME}, {0, RS_TCP_DUPLICATE}, {9, RS_TCP_WRONG_PLACE}, {1, RS_TCP_WELCOME}};
  int fds[RS_ARRAY_LENGTH(calls)];
  for (size_t i = 0; i < RS_ARRAY_LENGTH(calls); i++) {
    assert_int_equal(tcp.statuses[0], RS_IN_PROGRESS);
    hello_of(&tcp, calls[i].lane, 2, hello);
    fds[i] = dial(&tcp, hello, sizeof hello);
    contract_tcp_connect(&tcp, SECOND_NS / 20);
    assert_int_equal(verdict_of(&tcp, fds[i]), calls[i].verdict);
  }
  assert_rs_ok(tcp.statuses[0], &tcp.errors[0]);
  for (size_t i = 0; i < RS_ARRAY_LENGTH(calls); i++)
    close(fds[i]);
  contract_tcp_fini(&tcp);
}

// They connect and are gone, half of them with a reset, as scanners of ports do.
static void port_scanners(void **state) {
  (void)state;
  struct contract_tcp tcp;
  launch(&tcp, 3, 3, 2);
  for (size_t i = 0; i < STRANGERS; i++) {
    const struct linger reset = {.l_onoff = 1};
    int fd = dial(&tcp, NULL, 0);
    if (i % 2)
      setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
  }
  contract_tcp_connect(&tcp, TIMEOUT_NS);
  all_connected(&tcp);
  contract_tcp_fini(&tcp);
}

// ---- a crowd ----------------------------------------------------------------------------------------------

static bool allow_files(rlim_t wanted) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted)
    return true;
  limit.rlim_cur = rs_min_size(wanted, limit.rlim_max);
  return setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted;
}

// 10,000 connections that are held open, every third with the beginning of a hello. They fill the kernel's backlog
// before a rank of the launch has called, and go on calling as it empties.
static void a_crowd_that_stays(void **state) {
  (void)state;
  if (!allow_files(CROWD + 200)) {
    print_message("this process may not have %d open files: skipped\n", CROWD + 200);
    skip();
  }
  struct contract_tcp tcp;
  launch(&tcp, 3, 3, 2);
  struct rs_tcp_address address;
  assert_true(rs_tcp_address_decode(tcp.addresses, &(struct rs_tcp_address){0}, &address));
  uint8_t half[RS_TCP_HELLO_BYTES];
  hello_of(&tcp, 0, 2, half);
  int *fds = test_malloc(CROWD * sizeof *fds);
  for (size_t i = 0; i < CROWD; i++) {
    fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fds[i] >= 0);
    (void)connect(fds[i], &address.any, rs_tcp_address_bytes(&address));
    if (i % 3 == 0)
      (void)!send(fds[i], half, sizeof half / 2, MSG_NOSIGNAL);
  }
  contract_tcp_connect(&tcp, TIMEOUT_NS);
  all_connected(&tcp);
  for (size_t i = 0; i < CROWD; i++)
    close(fds[i]);
  test_free(fds);
  contract_tcp_fini(&tcp);
}

// ---- replay -----------------------------------------------------------------------------------------------

// Between rank 1 and rank 0, as somebody on the path is: a listener that rank 1 takes for rank 0's.
static int stand_between(struct contract_tcp *tcp, uint8_t own_address[RS_ADDRESS_BYTES_MAX]) {
  struct rs_tcp_address address = {.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address.v4;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(fd, &address.any, length), 0);
  assert_int_equal(listen(fd, 8), 0);
  assert_int_equal(getsockname(fd, &address.any, &length), 0);
  memcpy(own_address, tcp->addresses, RS_ADDRESS_BYTES_MAX);
  rs_tcp_address_encode(&address, tcp->addresses);
  return fd;
}

// The hello of rank 1's next lane, as it came over the wire.
static int record(int listener, uint8_t hello[RS_TCP_HELLO_BYTES]) {
  int fd = accept(listener, NULL, NULL);
  assert_true(fd >= 0);
  assert_int_equal(recv(fd, hello, RS_TCP_HELLO_BYTES, MSG_WAITALL), RS_TCP_HELLO_BYTES);
  return fd;
}

// What a rank of another launch said, byte for byte: its token is not ours.
static void replay_from_another_launch(void **state) {
  (void)state;
  struct contract_tcp other, tcp;
  uint8_t hello[RS_TCP_HELLO_BYTES], address[RS_ADDRESS_BYTES_MAX];
  launch(&other, 2, 2, 1);
  int listener = stand_between(&other, address);
  contract_tcp_connect(&other, SECOND_NS / 20);
  int fd = record(listener, hello);
  close(fd);
  close(listener);
  contract_tcp_fini(&other);

  launch(&tcp, 2, 2, 1);
  fd = dial(&tcp, hello, sizeof hello);
  contract_tcp_connect(&tcp, TIMEOUT_NS);
  all_connected(&tcp);
  assert_true(contract_tcp_closed(fd));
  close(fd);
  contract_tcp_fini(&tcp);
}

// What a rank of this launch said is good once: while others are still awaited it is a duplicate, and after them
// nobody listens. (Whoever comes first with it is taken for that rank: the token is on the wire, see docs.)
static void replay_from_this_launch(void **state) {
  (void)state;
  struct contract_tcp tcp;
  uint8_t hello[2][RS_TCP_HELLO_BYTES], address[RS_ADDRESS_BYTES_MAX];
  launch(&tcp, 2, 2, 2);
  int listener = stand_between(&tcp, address), from[2], to[2];
  contract_tcp_connect(&tcp, SECOND_NS / 20);
  for (size_t lane = 0; lane < 2; lane++)
    from[lane] = record(listener, hello[lane]);

  to[0] = dial(&tcp, hello[0], sizeof hello[0]);
  int again = dial(&tcp, hello[0], sizeof hello[0]);
  contract_tcp_connect(&tcp, SECOND_NS / 20);
  assert_int_equal(verdict_of(&tcp, to[0]), RS_TCP_WELCOME);
  assert_int_equal(verdict_of(&tcp, again), RS_TCP_DUPLICATE);
  assert_true(contract_tcp_closed(again));
  assert_int_equal(tcp.statuses[0], RS_IN_PROGRESS);

  to[1] = dial(&tcp, hello[1], sizeof hello[1]);
  contract_tcp_connect(&tcp, SECOND_NS / 20);
  assert_rs_ok(tcp.statuses[0], &tcp.errors[0]);
  assert_int_equal(verdict_of(&tcp, to[1]), RS_TCP_WELCOME);
  assert_int_equal(contract_tcp_dial(&tcp, 0), -1);
  assert_int_equal(errno, ECONNREFUSED);
  close(again);
  close(listener);
  for (size_t lane = 0; lane < 2; lane++) {
    close(from[lane]);
    close(to[lane]);
  }
  contract_tcp_fini(&tcp);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(noisy_strangers),
      cmocka_unit_test(silent_strangers),
      cmocka_unit_test(silence_ends_after_five_seconds),
      cmocka_unit_test(nobody_joins_later),
      cmocka_unit_test(slow_rank_is_welcome),
      cmocka_unit_test(duplicates_and_wrong_places),
      cmocka_unit_test(port_scanners),
      cmocka_unit_test(a_crowd_that_stays),
      cmocka_unit_test(replay_from_another_launch),
      cmocka_unit_test(replay_from_this_launch),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
