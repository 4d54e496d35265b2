// Every way in which connecting fails has its own message: who, from where to where, what happened, what to do.
#include "support/contract_cmocka.h"
#include "support/contract_tcp.h"

#include <sys/socket.h>
#include <unistd.h>

#include "transport/tcp.h"
#include "transport/tcp_hello.h"
#include "transport/tcp_socket.h"

#define SHORT_NS INT64_C(200000000)
#define LONG_NS INT64_C(10000000000)

static const struct rs_tcp_options options = {.interface = {"127.0.0.1"}, .streams = 1, .stripe_bytes = 65536};

// Rank 1, to whom the test plays rank 0.
static void open_rank_1(struct contract_tcp *tcp, int64_t timeout_ns) {
  struct rs_error error = {0};
  contract_tcp_init(tcp, 2);
  assert_rs_ok(contract_tcp_add(tcp, 1, 1, &options, timeout_ns, &error), &error);
}

// Listens in rank 0's place.
static int listen_as_rank_0(struct contract_tcp *tcp, int backlog) {
  struct rs_tcp_address address = {.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address.v4;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(fd, &address.any, length), 0);
  assert_int_equal(listen(fd, backlog), 0);
  assert_int_equal(getsockname(fd, &address.any, &length), 0);
  rs_tcp_address_encode(&address, tcp->addresses);
  return fd;
}

static void refused(void **state) {
  (void)state;
  struct contract_tcp tcp;
  open_rank_1(&tcp, LONG_NS);
  close(listen_as_rank_0(&tcp, 1));
  contract_tcp_connect(&tcp, LONG_NS);
  assert_rs_error(tcp.statuses[1], &tcp.errors[1], RS_ERROR_PEER, "rank 0 at 127.0.0.1:", "from rank 1, interface lo",
                  "connection refused", "No ringside rank listens there");
  contract_tcp_fini(&tcp);
}

static void impostor(void **state) {
  (void)state;
  struct contract_tcp tcp;
  open_rank_1(&tcp, LONG_NS);
  int listener = listen_as_rank_0(&tcp, 1);
  contract_tcp_connect(&tcp, SHORT_NS / 10);
  int fd = accept(listener, NULL, NULL);
  // It got the hello, but only the token's first half with it: sending that back proves nothing.
  uint8_t hello[RS_TCP_HELLO_BYTES], token[RS_TOKEN_BYTES], reply[RS_TCP_REPLY_BYTES];
  contract_tcp_connect(&tcp, SHORT_NS / 10);
  assert_int_equal(recv(fd, hello, sizeof hello, MSG_WAITALL), sizeof hello);
  memcpy(token, hello + 48, 16);
  memcpy(token + 16, hello + 48, 16);
  rs_tcp_reply_encode(RS_TCP_WELCOME, token, reply);
  assert_int_equal(send(fd, reply, sizeof reply, MSG_NOSIGNAL), sizeof reply);
  contract_tcp_connect(&tcp, LONG_NS);
  assert_rs_error(tcp.statuses[1], &tcp.errors[1], RS_ERROR_PEER,
                  "rank 0 at 127.0.0.1:", "does not belong to this launch");
  close(fd);
  close(listener);
  contract_tcp_fini(&tcp);
}

static void hung_up(void **state) {
  (void)state;
  struct contract_tcp tcp;
  open_rank_1(&tcp, LONG_NS);
  int listener = listen_as_rank_0(&tcp, 1);
  contract_tcp_connect(&tcp, SHORT_NS / 10);
  close(accept(listener, NULL, NULL));
  contract_tcp_connect(&tcp, LONG_NS);
  assert_rs_error(tcp.statuses[1], &tcp.errors[1], RS_ERROR_PEER,
                  "rank 0 at 127.0.0.1:", "closed the connection during the handshake", "another launch");
  close(listener);
  contract_tcp_fini(&tcp);
}

static void silent_listener(void **state) {
  (void)state;
  struct contract_tcp tcp;
  open_rank_1(&tcp, SHORT_NS);
  int listener = listen_as_rank_0(&tcp, 1);
  contract_tcp_connect(&tcp, LONG_NS);
  assert_rs_error(tcp.statuses[1], &tcp.errors[1], RS_ERROR_TIMEOUT,
                  "rank 0 at 127.0.0.1:", "no answer to the handshake in 0.2 s");
  close(listener);
  contract_tcp_fini(&tcp);
}

// A listener with a full backlog drops what comes, like a firewall.
static void dropped(void **state) {
  (void)state;
  struct rs_tcp_options within = options;
  within.ports = (struct rs_uint_range){42000, 42999};
  struct contract_tcp tcp;
  struct rs_error error = {0};
  contract_tcp_init(&tcp, 2);
  assert_rs_ok(contract_tcp_add(&tcp, 1, 1, &within, SHORT_NS, &error), &error);
  int listener = listen_as_rank_0(&tcp, 0);
  struct rs_tcp_address address;
  socklen_t length = sizeof address;
  assert_int_equal(getsockname(listener, &address.any, &length), 0);
  int fill[8];
  for (size_t i = 0; i < RS_ARRAY_LENGTH(fill); i++) {
    fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)connect(fill[i], &address.any, length);
  }
  contract_tcp_connect(&tcp, LONG_NS);
  assert_rs_error(tcp.statuses[1], &tcp.errors[1], RS_ERROR_PEER, "rank 0 (from rank 1, interface lo)",
                  "no answer from 127.0.0.1:", " in 0.2 s: a security group or network ACL that drops?",
                  "Both directions and ports 42000-42999 must be open");
  for (size_t i = 0; i < RS_ARRAY_LENGTH(fill); i++)
    close(fill[i]);
  close(listener);
  contract_tcp_fini(&tcp);
}

static void absent_rank(void **state) {
  (void)state;
  struct contract_tcp tcp;
  struct rs_error error = {0};
  contract_tcp_init(&tcp, 2);
  for (size_t r = 0; r < 2; r++)
    assert_rs_ok(contract_tcp_add(&tcp, r, 2, &options, SHORT_NS, &error), &error);
  contract_tcp_close(&tcp, 1);
  contract_tcp_connect(&tcp, LONG_NS);
  assert_rs_error(tcp.statuses[0], &tcp.errors[0], RS_ERROR_TIMEOUT,
                  "waiting at 127.0.0.1:", "rank 1 at 127.0.0.1:", "did not connect within 0.2 s");
  contract_tcp_fini(&tcp);
}

static void configurations_differ(void **state) {
  (void)state;
  struct rs_tcp_options other = options;
  other.streams = 2;
  struct contract_tcp tcp;
  struct rs_error error = {0};
  contract_tcp_init(&tcp, 2);
  assert_rs_ok(contract_tcp_add(&tcp, 0, 1, &options, LONG_NS, &error), &error);
  assert_rs_ok(contract_tcp_add(&tcp, 1, 1, &other, LONG_NS, &error), &error);
  contract_tcp_connect(&tcp, LONG_NS);
  assert_rs_error(tcp.statuses[0], &tcp.errors[0], RS_ERROR_USAGE, "rank 1 has lanes=1, tcp.streams=2",
                  "same configuration");
  assert_rs_error(tcp.statuses[1], &tcp.errors[1], RS_ERROR_USAGE, "rank 0 at 127.0.0.1:", "same configuration");
  contract_tcp_fini(&tcp);
}

static void no_address(void **state) {
  (void)state;
  struct contract_tcp tcp;
  open_rank_1(&tcp, LONG_NS); // rank 0's blob stays zero
  contract_tcp_connect(&tcp, LONG_NS);
  assert_rs_error(tcp.statuses[1], &tcp.errors[1], RS_ERROR_PEER, "rank 0 published no TCP address");
  contract_tcp_fini(&tcp);
}

static void families_differ(void **state) {
  (void)state;
  struct contract_tcp tcp;
  open_rank_1(&tcp, LONG_NS);
  struct rs_tcp_address address = {.v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}};
  rs_tcp_address_set_port(&address, 4000);
  rs_tcp_address_encode(&address, tcp.addresses);
  contract_tcp_connect(&tcp, LONG_NS);
  assert_rs_error(tcp.statuses[1], &tcp.errors[1], RS_ERROR_USAGE, "rank 0 listens on [::1]:4000",
                  "rank 1 on 127.0.0.1:", "tcp.interface");
  contract_tcp_fini(&tcp);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(refused),         cmocka_unit_test(impostor),
      cmocka_unit_test(hung_up),         cmocka_unit_test(silent_listener),
      cmocka_unit_test(dropped),         cmocka_unit_test(absent_rank),
      cmocka_unit_test(no_address),      cmocka_unit_test(configurations_differ),
      cmocka_unit_test(families_differ),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
