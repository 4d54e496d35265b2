// The network check between ranks, which are threads here, and against whatever else may stand at a peer's address.
#include "support/contract_cmocka.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ringside/launch.h"

#define RANKS 8
#define SECOND_NS INT64_C(1000000000)
#define STRANGERS 300

// ---- among ranks ------------------------------------------------------------------------------------------

struct trial {
  size_t at_once;
  size_t absent;   // this rank listens no more; RANKS: none
  size_t imposter; // this rank has another token; RANKS: none
  bool strangers;  // call at rank 0's listener, and stay
  struct rs_network_link links[RANKS][RANKS];
};

static void call_as_strangers(const struct rs_network_end *end, int fds[STRANGERS]) {
  static const char http[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)end->port)};
  inet_pton(AF_INET, end->address, &address.sin_addr);
  for (size_t i = 0; i < STRANGERS; i++) {
    fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)connect(fds[i], (const struct sockaddr *)&address, sizeof address);
    if (i % 2)
      (void)!send(fds[i], http, sizeof http - 1, MSG_NOSIGNAL);
  }
}

static enum rs_status run_rank(struct rs_world *world, void *argument, struct rs_error *error) {
  struct trial *trial = argument;
  bool full_size[RANKS];
  for (size_t r = 0; r < RANKS; r++)
    full_size[r] = r % 2 == world->rank % 2;
  struct rs_network_check_params params = {.rank = world->rank,
                                           .rank_count = world->size,
                                           .one_host = true,
                                           .interface = "auto",
                                           .full_size = full_size,
                                           .timeout_ns = SECOND_NS,
                                           .at_once = trial->at_once};
  params.token[0] = world->rank == trial->imposter;
  struct rs_network_check *check;
  struct rs_network_end mine, ends[RANKS];
  int fds[STRANGERS];
  enum rs_status status = rs_network_check_open(&params, &check, error);
  if (status < 0)
    return status;
  rs_network_check_end(check, &mine);
  bool noisy = trial->strangers && world->rank == 0, gone = world->rank == trial->absent;
  if (noisy)
    call_as_strangers(&mine, fds);
  if (gone)
    rs_network_check_close(check);
  status = rs_world_allgather(world, &mine, sizeof mine, ends, error);
  if (status == RS_OK && !gone)
    status = rs_network_check_run(check, ends, trial->links[world->rank], error);
  for (size_t i = 0; noisy && i < STRANGERS; i++)
    close(fds[i]);
  if (!gone)
    rs_network_check_close(check);
  return status;
}

static void run(struct trial *trial) {
  struct rs_error error = {0};
  assert_rs_ok(rs_launch_threads(RANKS, run_rank, trial, &error), &error);
}

static void expect_links(const struct trial *trial, size_t odd, enum rs_network_link_state to_odd,
                         enum rs_network_link_state from_odd) {
  for (size_t from = 0; from < RANKS; from++)
    for (size_t to = 0; to < RANKS; to++) {
      enum rs_network_link_state expected = from == to    ? RS_LINK_FINE
                                            : from == odd ? from_odd
                                            : to == odd   ? to_odd
                                                          : RS_LINK_FINE;
      if (trial->links[from][to].state != expected)
        fail_msg("from %zu to %zu: %u instead of %d", from, to, trial->links[from][to].state, (int)expected);
    }
}

static void all_with_all(void **state) {
  (void)state;
  static const size_t at_once[] = {1, 3, 64};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(at_once); i++) {
    struct trial trial = {.at_once = at_once[i], .absent = RANKS, .imposter = RANKS};
    run(&trial);
    expect_links(&trial, RANKS, RS_LINK_FINE, RS_LINK_FINE);
    for (size_t from = 0; from < RANKS; from++)
      for (size_t to = 0; to < RANKS; to++)
        assert_int_equal(trial.links[from][to].mtu > 0, from != to && from % 2 == to % 2);
  }
}

static void one_is_absent(void **state) {
  (void)state;
  struct trial trial = {.at_once = 64, .absent = 5, .imposter = RANKS};
  run(&trial);
  expect_links(&trial, 5, RS_LINK_REFUSED, RS_LINK_FINE);
}

// It cannot tell that it is the odd one: nobody else is of its launch.
static void one_is_of_another_launch(void **state) {
  (void)state;
  struct trial trial = {.at_once = 64, .absent = RANKS, .imposter = 3};
  run(&trial);
  expect_links(&trial, 3, RS_LINK_CLOSED, RS_LINK_CLOSED);
}

static void strangers_call(void **state) {
  (void)state;
  struct trial trial = {.at_once = 64, .absent = RANKS, .imposter = RANKS, .strangers = true};
  run(&trial);
  expect_links(&trial, RANKS, RS_LINK_FINE, RS_LINK_FINE);
}

// ---- against something else -------------------------------------------------------------------------------

struct other {
  int listener;
  const char *says; // NULL: nothing
  bool hangs_up;
};

static void *play_other(void *argument) {
  const struct other *other = argument;
  int fd = accept(other->listener, NULL, NULL);
  char bytes[256];
  if (other->says) {
    (void)!recv(fd, bytes, 64, MSG_WAITALL);
    (void)!send(fd, other->says, strlen(other->says), MSG_NOSIGNAL);
  }
  if (!other->hangs_up)
    while (recv(fd, bytes, sizeof bytes, 0) > 0)
      ;
  close(fd);
  return NULL;
}

// Rank 0 of two, alone, with this listener in rank 1's place.
static void expect_of_listener(int listener, enum rs_network_link_state expected) {
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  struct rs_error error = {0};
  const bool full_size[2] = {false};
  assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
  const struct rs_network_check_params params = {.rank_count = 2,
                                                 .one_host = true,
                                                 .interface = "auto",
                                                 .full_size = full_size,
                                                 .timeout_ns = SECOND_NS / 4,
                                                 .at_once = 4};
  struct rs_network_check *check;
  struct rs_network_end ends[2];
  struct rs_network_link links[2];
  assert_rs_ok(rs_network_check_open(&params, &check, &error), &error);
  rs_network_check_end(check, &ends[0]);
  ends[1] = ends[0];
  ends[1].port = ntohs(address.sin_port);
  int64_t since_ns = rs_clock_ns();
  assert_rs_ok(rs_network_check_run(check, ends, links, &error), &error);
  assert_true(rs_clock_ns() - since_ns < rs_network_check_limit(&params) + SECOND_NS);
  assert_int_equal(links[1].state, expected);
  assert_int_equal(links[0].state, RS_LINK_FINE);
  rs_network_check_close(check);
}

static int listen_anywhere(int backlog) {
  const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(listen(fd, backlog), 0);
  return fd;
}

static void something_else_answers(void **state) {
  (void)state;
  static const struct {
    struct other other;
    enum rs_network_link_state expected;
  } cases[] = {
      {{.says = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"}, RS_LINK_STRANGER},
      {{.says = "220 mail", .hangs_up = true}, RS_LINK_CLOSED},
      {{.hangs_up = true}, RS_LINK_CLOSED},
      {{0}, RS_LINK_SILENT},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(cases); i++) {
    struct other other = cases[i].other;
    other.listener = listen_anywhere(1);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, play_other, &other), 0);
    expect_of_listener(other.listener, cases[i].expected);
    pthread_join(thread, NULL);
    close(other.listener);
  }
}

// A listener with a full backlog drops what comes, like a firewall.
static void nothing_answers(void **state) {
  (void)state;
  int listener = listen_anywhere(0), fill[8];
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
  for (size_t i = 0; i < RS_ARRAY_LENGTH(fill); i++) {
    fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)connect(fill[i], (const struct sockaddr *)&address, length);
  }
  expect_of_listener(listener, RS_LINK_NO_ANSWER);
  for (size_t i = 0; i < RS_ARRAY_LENGTH(fill); i++)
    close(fill[i]);
  close(listener);
}

static void unknown_interface(void **state) {
  (void)state;
  const bool full_size[1] = {false};
  struct rs_error error = {0};
  struct rs_network_check *check;
  const struct rs_network_check_params params = {
      .rank_count = 1, .interface = "eth99", .full_size = full_size, .timeout_ns = SECOND_NS, .at_once = 1};
  assert_rs_error(rs_network_check_open(&params, &check, &error), &error, RS_ERROR_USAGE, "eth99", "lo 127.0.0.1");
  rs_network_check_close(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_with_all),
      cmocka_unit_test(one_is_absent),
      cmocka_unit_test(one_is_of_another_launch),
      cmocka_unit_test(strangers_call),
      cmocka_unit_test(something_else_answers),
      cmocka_unit_test(nothing_answers),
      cmocka_unit_test(unknown_interface),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
