// Strangers at the listener. Whoever can reach the port may connect: port scanners, health checks, ranks of another
// launch. Such a one costs a place for a moment and nothing else. When all places are taken, the one that has been
// silent longest gives way, but not before it had the time that an honest rank needs (its hello is right behind its
// connection); until then, newcomers wait in the kernel's backlog.
//
// That time counts from when the kernel last heard of a connection, and not from when it is accepted: of thousands that
// are opened and held, those in the backlog have been silent long enough when their turn comes. Each of them is dropped
// for the next one, as fast as accept(2) goes, and an honest rank behind them waits for milliseconds. Counted from
// their acceptance, 64 at a time would be given their time in turn: 13 s for a backlog of 4,096.
#include "transport/tcp_device.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

#define ACCEPTS_MAX 64 // per call, so that a flood cannot hold up the rest
#define STRANGER_DEADLINE_NS INT64_C(5000000000)
#define STRANGER_GRACE_NS INT64_C(200000000)

size_t rs_tcp_accept_expire(struct rs_tcp_attempt strangers[RS_TCP_STRANGERS_MAX]) {
  int64_t now_ns = rs_clock_ns();
  size_t dropped = 0;
  for (size_t i = 0; i < RS_TCP_STRANGERS_MAX; i++) {
    if (strangers[i].fd < 0 || now_ns - strangers[i].since_ns <= STRANGER_DEADLINE_NS)
      continue;
    rs_tcp_attempt_close(&strangers[i]);
    dropped++;
  }
  return dropped;
}

// A free place, or that of the one silent longest if it may be dropped, or NULL.
static struct rs_tcp_attempt *find_place(struct rs_tcp_attempt strangers[RS_TCP_STRANGERS_MAX], int64_t now_ns) {
  struct rs_tcp_attempt *oldest = &strangers[0];
  for (size_t i = 0; i < RS_TCP_STRANGERS_MAX; i++) {
    struct rs_tcp_attempt *attempt = &strangers[i];
    if (attempt->fd < 0)
      return attempt;
    if (attempt->since_ns < oldest->since_ns)
      oldest = attempt;
  }
  return now_ns - oldest->since_ns > STRANGER_GRACE_NS ? oldest : NULL;
}

// When the connection was made, or its last data came.
static int64_t silent_since(int fd, int64_t now_ns) {
  struct tcp_info info = {0};
  socklen_t length = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
    return now_ns;
  return now_ns - (int64_t)info.tcpi_last_data_recv * 1000000;
}

enum rs_status rs_tcp_accept_one(const struct rs_tcp_device *tcp, struct rs_tcp_attempt strangers[RS_TCP_STRANGERS_MAX],
                                 size_t *turned_away, struct rs_tcp_attempt **attempt, struct rs_error *error) {
  int64_t now_ns = rs_clock_ns();
  struct rs_tcp_attempt *place = find_place(strangers, now_ns);
  *attempt = NULL;
  if (place == NULL)
    return RS_OK;
  int fd = accept4(tcp->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
    return rs_error_set_errno(error, RS_ERROR_IO, errno,
                              "tcp: accepting at %s (too many open files? raise the limit with ulimit -n, or use "
                              "fewer ranks, lanes or tcp.streams)",
                              rs_tcp_address_format(&tcp->address).text);
  if (fd < 0) // nobody waits, or a connection failed before it was accepted, which is its own trouble: accept(2)
    return RS_OK;
  *turned_away += place->fd >= 0;
  rs_tcp_attempt_close(place);
  *place = (struct rs_tcp_attempt){.fd = fd, .since_ns = silent_since(fd, now_ns)};
  *attempt = place;
  return RS_OK;
}

enum rs_status rs_tcp_accept(struct rs_tcp_device *tcp, struct rs_error *error) {
  struct rs_tcp_joining *joining = tcp->joining;
  for (int i = 0; i < ACCEPTS_MAX; i++) {
    struct rs_tcp_attempt *attempt;
    if (rs_tcp_accept_one(tcp, joining->strangers, &joining->turned_away, &attempt, error) < 0)
      return error->status;
    if (attempt == NULL)
      return RS_OK;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = attempt};
    if (epoll_ctl(joining->epoll_fd, EPOLL_CTL_ADD, attempt->fd, &event) != 0)
      return rs_error_set_errno(error, RS_ERROR_IO, errno, "tcp: epoll_ctl");
    // Most often the hello is there already, and the place is free again.
    if (rs_tcp_accept_hear(tcp, attempt, error) < 0)
      return error->status;
  }
  return RS_OK;
}

static void turn_away(struct rs_tcp_device *tcp, struct rs_tcp_attempt *attempt) {
  rs_tcp_attempt_close(attempt);
  tcp->joining->turned_away++;
}

static enum rs_tcp_verdict judge(const struct rs_tcp_device *tcp, const struct rs_tcp_hello *hello,
                                 struct rs_tcp_stream **stream) {
  if (hello->protocol != RS_TCP_PROTOCOL)
    return RS_TCP_WRONG_PROTOCOL;
  if (hello->lanes != tcp->lanes || hello->streams != tcp->streams || hello->stripe_bytes != tcp->stripe_bytes)
    return RS_TCP_WRONG_SHAPE;
  if (hello->peer != tcp->rank || hello->rank <= tcp->rank || hello->rank >= tcp->rank_count ||
      hello->lane >= tcp->lanes || hello->stream >= tcp->streams || tcp->peers[hello->rank].channels == NULL)
    return RS_TCP_WRONG_PLACE;
  *stream = &tcp->peers[hello->rank].channels[hello->lane].streams[hello->stream];
  return (*stream)->fd < 0 ? RS_TCP_WELCOME : RS_TCP_DUPLICATE;
}

// For a rank of this launch that can never be connected: better now than at the deadline.
static enum rs_status explain(const struct rs_tcp_device *tcp, const struct rs_tcp_hello *hello,
                              enum rs_tcp_verdict verdict, struct rs_error *error) {
  if (verdict == RS_TCP_WRONG_PROTOCOL)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "tcp: rank %u connected to rank %zu with version %u of the protocol instead of %u; install "
                        "the same ringside on all hosts",
                        hello->rank, tcp->rank, hello->protocol, RS_TCP_PROTOCOL);
  if (verdict == RS_TCP_WRONG_SHAPE)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "tcp: rank %u has lanes=%u, tcp.streams=%u, tcp.stripe=%llu and rank %zu has %zu, %zu, %zu; "
                        "give all ranks the same configuration",
                        hello->rank, hello->lanes, hello->streams, (unsigned long long)hello->stripe_bytes, tcp->rank,
                        tcp->lanes, tcp->streams, tcp->stripe_bytes);
  return RS_OK;
}

enum rs_status rs_tcp_accept_hear(struct rs_tcp_device *tcp, struct rs_tcp_attempt *attempt, struct rs_error *error) {
  if (!rs_tcp_attempt_read(attempt, RS_TCP_HELLO_BYTES) || !rs_tcp_hello_plausible(attempt->bytes, attempt->received)) {
    turn_away(tcp, attempt);
    return RS_OK;
  }
  if (attempt->received < RS_TCP_HELLO_BYTES)
    return RS_OK;
  struct rs_tcp_hello hello;
  if (!rs_tcp_hello_decode(attempt->bytes, tcp->token, &hello)) {
    turn_away(tcp, attempt);
    return RS_OK;
  }
  struct rs_tcp_stream *stream = NULL;
  enum rs_tcp_verdict verdict = judge(tcp, &hello, &stream);
  uint8_t reply[RS_TCP_REPLY_BYTES];
  rs_tcp_reply_encode(verdict, tcp->token, reply);
  // A new socket always has room for so little; a failure means that the other side has gone again.
  bool sent = send(attempt->fd, reply, sizeof reply, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof reply;
  if (sent && verdict == RS_TCP_WELCOME)
    return rs_tcp_attempt_adopt(tcp, attempt, stream, error);
  rs_tcp_attempt_close(attempt);
  return explain(tcp, &hello, verdict, error);
}
