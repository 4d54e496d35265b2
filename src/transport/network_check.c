// Every rank connects to every other, at once and without blocking:
//
//   rank a, for each b                          rank b, for each a
//   connect                      ──────►        accept: a stranger, until it proves itself
//   hello: who, to whom, half of the token,
//          how long the full-size packet is ──► check
//   "it connects"                ◄──────        reply: the other half of the token
//   one full-size segment        ──────►        read to its end
//   "full size gets through"     ◄──────        reply
//
// Both directions of a pair have a connection of their own, since a rule may let one side begin and not the other, and
// a wrong MTU can lose what goes one way only.
//
// The segment is sent alone and is exactly as long as the connection's largest, so that it is one packet of the path's
// size, with "don't fragment" set, as on all TCP of Linux: several would be handed to the interface as one block,
// which bridges of one machine pass on whole, whatever their MTU. On a path that is narrower without saying so it is
// lost each time it is repeated; where a router says so, the kernel learns the path's MTU, and the segment passes in
// pieces.
//
// A rank is done when all its calls have an outcome and all others have called it; who has not called by the time at
// which its own attempt must have ended is waited for no longer.
#include "transport/tcp_device.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define PROTOCOL 0x6b636863u // "chck": in place of RS_TCP_PROTOCOL, which no other listener takes
#define EVENTS_MAX 64
#define TICK_MS 20
#define SLACK_NS INT64_C(1000000000)

enum stage { STAGE_WAITING, STAGE_CONNECTING, STAGE_GREETED, STAGE_FULL_SIZE, STAGE_DONE };

// From this rank to a peer.
struct call {
  struct rs_tcp_attempt attempt;
  struct rs_tcp_address address;
  enum stage stage;
  size_t segment; // bytes; 0: none
};
// From a peer that has proven itself to this rank.
struct visit {
  int fd; // -1: none
  int64_t since_ns;
  size_t left;
  bool done;
};

struct rs_network_check {
  struct rs_network_check_params params;
  struct rs_tcp_device *tcp;
  int epoll_fd;
  struct call *calls;
  struct visit *visits;
  size_t begun, calling, calls_left, visiting, visits_left;
  size_t turned_away;
  struct rs_network_link *links;
  struct rs_tcp_attempt strangers[RS_TCP_STRANGERS_MAX];
};

// What an event is about.
enum source { SOURCE_LISTENER, SOURCE_STRANGER, SOURCE_CALL, SOURCE_VISIT };

static enum rs_status watch(const struct rs_network_check *check, int operation, int fd, uint32_t events,
                            enum source source, size_t index, struct rs_error *error) {
  struct epoll_event event = {.events = events, .data.u64 = (uint64_t)source << 32 | index};
  if (epoll_ctl(check->epoll_fd, operation, fd, &event) != 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "network check: epoll_ctl");
  return RS_OK;
}

// ---- calls ------------------------------------------------------------------------------------------------

static void end_call(struct rs_network_check *check, size_t peer, enum rs_network_link_state state, int code) {
  struct call *call = &check->calls[peer];
  rs_tcp_attempt_close(&call->attempt);
  call->stage = STAGE_DONE;
  check->links[peer].state = state;
  check->links[peer].code = code;
  check->calling--;
  check->calls_left--;
}

static void end_failed(struct rs_network_check *check, size_t peer, int code) {
  bool unreachable = code == ENETUNREACH || code == EHOSTUNREACH || code == EACCES || code == EPERM;
  enum rs_network_link_state state = code == ECONNREFUSED ? RS_LINK_REFUSED
                                     : code == ETIMEDOUT  ? RS_LINK_NO_ANSWER
                                     : unreachable        ? RS_LINK_UNREACHABLE
                                                          : RS_LINK_CLOSED;
  end_call(check, peer, state, code);
}

static enum rs_status begin_call(struct rs_network_check *check, size_t peer, struct rs_error *error) {
  struct call *call = &check->calls[peer];
  int code;
  check->calling++;
  call->stage = STAGE_CONNECTING;
  call->attempt.since_ns = rs_clock_ns();
  if (rs_tcp_dial(&check->tcp->address, &call->address, &check->tcp->socket_options, &call->attempt.fd, &code, error) <
      0)
    return error->status;
  if (code != 0) {
    end_failed(check, peer, code);
    return RS_OK;
  }
  return watch(check, EPOLL_CTL_ADD, call->attempt.fd, EPOLLOUT, SOURCE_CALL, peer, error);
}

// Ranks begin with their right neighbours, so that no one is called by all at once.
static enum rs_status begin_calls(struct rs_network_check *check, struct rs_error *error) {
  size_t count = check->params.rank_count;
  while (check->begun < count - 1 && check->calling < check->params.at_once) {
    size_t peer = (check->params.rank + ++check->begun) % count;
    if (begin_call(check, peer, error) < 0)
      return error->status;
  }
  return RS_OK;
}

static size_t largest_segment(int fd) {
  int bytes = 0;
  socklen_t length = sizeof bytes;
  getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &bytes, &length);
  return bytes > 0 ? (size_t)bytes : 0;
}

static uint32_t path_mtu(const struct call *call) {
  int mtu = 0;
  socklen_t length = sizeof mtu;
  if (call->address.any.sa_family == AF_INET6)
    getsockopt(call->attempt.fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &length);
  else
    getsockopt(call->attempt.fd, IPPROTO_IP, IP_MTU, &mtu, &length);
  return mtu > 0 ? (uint32_t)mtu : 0;
}

static enum rs_status greet(struct rs_network_check *check, size_t peer, struct rs_error *error) {
  struct call *call = &check->calls[peer];
  int code = 0, one = 1;
  socklen_t length = sizeof code;
  getsockopt(call->attempt.fd, SOL_SOCKET, SO_ERROR, &code, &length);
  if (code != 0) {
    end_failed(check, peer, code);
    return RS_OK;
  }
  setsockopt(call->attempt.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  call->segment = check->params.full_size[peer] ? largest_segment(call->attempt.fd) : 0;
  const struct rs_tcp_hello hello = {.protocol = PROTOCOL,
                                     .rank = (uint32_t)check->params.rank,
                                     .peer = (uint32_t)peer,
                                     .stripe_bytes = call->segment};
  uint8_t bytes[RS_TCP_HELLO_BYTES];
  rs_tcp_hello_encode(&hello, check->params.token, bytes);
  if (send(call->attempt.fd, bytes, sizeof bytes, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof bytes) {
    end_failed(check, peer, errno);
    return RS_OK;
  }
  call->stage = STAGE_GREETED;
  return watch(check, EPOLL_CTL_MOD, call->attempt.fd, EPOLLIN, SOURCE_CALL, peer, error);
}

static void send_full_size(struct rs_network_check *check, size_t peer) {
  struct call *call = &check->calls[peer];
  static const uint8_t zeros[UINT16_MAX];
  call->stage = STAGE_FULL_SIZE;
  call->attempt.received = 0;
  call->attempt.since_ns = rs_clock_ns();
  // A new socket has room for more than one segment.
  if (send(call->attempt.fd, zeros, call->segment, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)call->segment)
    end_failed(check, peer, errno);
}

// A kernel that probes for black holes (net.ipv4.tcp_mtu_probing) gets the data through in shorter segments: those of
// before did not.
static void take_full_size(struct rs_network_check *check, size_t peer) {
  struct call *call = &check->calls[peer];
  uint32_t mtu = path_mtu(call);
  bool learnt = mtu < check->tcp->facts.mtu;
  bool shortened = largest_segment(call->attempt.fd) < call->segment;
  check->links[peer].mtu = mtu;
  end_call(check, peer, shortened && !learnt ? RS_LINK_SHORT_ONLY : RS_LINK_FINE, 0);
}

static void hear_reply(struct rs_network_check *check, size_t peer) {
  struct call *call = &check->calls[peer];
  enum rs_tcp_verdict verdict;
  if (!rs_tcp_attempt_read(&call->attempt, RS_TCP_REPLY_BYTES))
    end_call(check, peer, RS_LINK_CLOSED, errno);
  else if (call->attempt.received < RS_TCP_REPLY_BYTES)
    return;
  else if (!rs_tcp_reply_decode(call->attempt.bytes, check->params.token, &verdict))
    end_call(check, peer, RS_LINK_STRANGER, 0);
  else if (call->stage == STAGE_FULL_SIZE)
    take_full_size(check, peer);
  else if (call->segment > 0)
    send_full_size(check, peer);
  else
    end_call(check, peer, RS_LINK_FINE, 0);
}

static void expire_calls(struct rs_network_check *check) {
  static const enum rs_network_link_state states[] = {
      [STAGE_CONNECTING] = RS_LINK_NO_ANSWER, [STAGE_GREETED] = RS_LINK_SILENT, [STAGE_FULL_SIZE] = RS_LINK_SHORT_ONLY};
  int64_t now_ns = rs_clock_ns();
  for (size_t peer = 0; peer < check->params.rank_count && check->calling > 0; peer++) {
    const struct call *call = &check->calls[peer];
    if (call->attempt.fd >= 0 && now_ns - call->attempt.since_ns > check->params.timeout_ns)
      end_call(check, peer, states[call->stage], 0);
  }
}

// ---- visits -----------------------------------------------------------------------------------------------

static void end_visit(struct rs_network_check *check, size_t peer) {
  struct visit *visit = &check->visits[peer];
  close(visit->fd);
  visit->fd = -1;
  visit->done = true;
  check->visiting--;
  check->visits_left--;
}

static bool reply(const struct rs_network_check *check, int fd) {
  uint8_t bytes[RS_TCP_REPLY_BYTES];
  rs_tcp_reply_encode(RS_TCP_WELCOME, check->params.token, bytes);
  return send(fd, bytes, sizeof bytes, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof bytes;
}

static void hear_visit(struct rs_network_check *check, size_t peer) {
  struct visit *visit = &check->visits[peer];
  uint8_t waste[4096];
  while (visit->left > 0) {
    ssize_t got = recv(visit->fd, waste, rs_min_size(visit->left, sizeof waste), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0 && errno == EAGAIN)
      return;
    if (got <= 0) // it gave up, and says so itself
      break;
    visit->left -= (size_t)got;
  }
  if (visit->left == 0)
    (void)reply(check, visit->fd);
  end_visit(check, peer);
}

// Turns a stranger into the visit of the rank it proves to be; others are turned away.
static enum rs_status hear_stranger(struct rs_network_check *check, size_t index, struct rs_error *error) {
  struct rs_tcp_attempt *attempt = &check->strangers[index];
  struct rs_tcp_hello hello = {0};
  bool plausible =
      rs_tcp_attempt_read(attempt, RS_TCP_HELLO_BYTES) && rs_tcp_hello_plausible(attempt->bytes, attempt->received);
  if (plausible && attempt->received < RS_TCP_HELLO_BYTES)
    return RS_OK;
  bool proven = plausible && rs_tcp_hello_decode(attempt->bytes, check->params.token, &hello) &&
                hello.protocol == PROTOCOL && hello.peer == check->params.rank && hello.rank != check->params.rank &&
                hello.rank < check->params.rank_count && hello.stripe_bytes <= UINT16_MAX;
  struct visit *visit = proven ? &check->visits[hello.rank] : NULL;
  if (visit == NULL || visit->done || visit->fd >= 0 || !reply(check, attempt->fd)) {
    rs_tcp_attempt_close(attempt);
    check->turned_away++;
    return RS_OK;
  }
  visit->fd = attempt->fd;
  visit->since_ns = rs_clock_ns();
  visit->left = hello.stripe_bytes;
  check->visiting++;
  attempt->fd = -1;
  if (visit->left > 0)
    return watch(check, EPOLL_CTL_MOD, visit->fd, EPOLLIN, SOURCE_VISIT, hello.rank, error);
  end_visit(check, hello.rank);
  return RS_OK;
}

static enum rs_status accept_strangers(struct rs_network_check *check, struct rs_error *error) {
  for (int i = 0; i < EVENTS_MAX; i++) {
    struct rs_tcp_attempt *attempt;
    if (rs_tcp_accept_one(check->tcp, check->strangers, &check->turned_away, &attempt, error) < 0)
      return error->status;
    if (attempt == NULL)
      return RS_OK;
    size_t index = (size_t)(attempt - check->strangers);
    if (watch(check, EPOLL_CTL_ADD, attempt->fd, EPOLLIN, SOURCE_STRANGER, index, error) < 0 ||
        hear_stranger(check, index, error) < 0)
      return error->status;
  }
  return RS_OK;
}

// A visitor gives up by itself; this is for one that has died.
static void expire_visits(struct rs_network_check *check) {
  int64_t now_ns = rs_clock_ns();
  for (size_t peer = 0; peer < check->params.rank_count && check->visiting > 0; peer++)
    if (check->visits[peer].fd >= 0 && now_ns - check->visits[peer].since_ns > check->params.timeout_ns + SLACK_NS)
      end_visit(check, peer);
}

// ---- all of it --------------------------------------------------------------------------------------------

// Sockets that an earlier event of the same batch has closed are left alone.
static enum rs_status handle(struct rs_network_check *check, uint64_t data, struct rs_error *error) {
  size_t index = (uint32_t)data;
  switch ((enum source)(data >> 32)) {
  case SOURCE_LISTENER:
    return accept_strangers(check, error);
  case SOURCE_STRANGER:
    return check->strangers[index].fd >= 0 ? hear_stranger(check, index, error) : RS_OK;
  case SOURCE_VISIT:
    if (check->visits[index].fd >= 0)
      hear_visit(check, index);
    return RS_OK;
  case SOURCE_CALL:
    break;
  }
  if (check->calls[index].attempt.fd < 0)
    return RS_OK;
  if (check->calls[index].stage == STAGE_CONNECTING)
    return greet(check, index, error);
  hear_reply(check, index);
  return RS_OK;
}

// The last call begins when all batches of at_once before it have connected, greeted and sent their segment, with a
// time for each.
static int64_t last_visit_ns(const struct rs_network_check_params *params) {
  size_t before = (params->rank_count - 1) / params->at_once;
  return ((int64_t)before * 3 + 1) * params->timeout_ns + SLACK_NS;
}

int64_t rs_network_check_limit(const struct rs_network_check_params *params) {
  return last_visit_ns(params) + 2 * params->timeout_ns + SLACK_NS;
}

// False when it is no address of the listener's family.
static bool find_address(const struct rs_network_end *end, const struct rs_tcp_address *local,
                         struct rs_tcp_address *address) {
  *address = *local; // with the scope of a link-local address, which only this host knows
  rs_tcp_address_set_port(address, (uint16_t)end->port);
  void *bytes = local->any.sa_family == AF_INET6 ? (void *)&address->v6.sin6_addr : (void *)&address->v4.sin_addr;
  return inet_pton(local->any.sa_family, end->address, bytes) == 1;
}

static enum rs_status read_ends(struct rs_network_check *check, const struct rs_network_end *ends,
                                struct rs_error *error) {
  const struct rs_tcp_address *local = &check->tcp->address;
  for (size_t peer = 0; peer < check->params.rank_count; peer++)
    if (!find_address(&ends[peer], local, &check->calls[peer].address))
      return rs_error_set(error, RS_ERROR_USAGE,
                          "network check: rank %zu listens on %s and rank %zu on %s: IPv4 and IPv6 do not meet; choose "
                          "one for all with tcp.interface",
                          peer, ends[peer].address, check->params.rank, rs_tcp_address_format(local).text);
  return RS_OK;
}

enum rs_status rs_network_check_run(struct rs_network_check *check, const struct rs_network_end *ends,
                                    struct rs_network_link *links, struct rs_error *error) {
  memset(links, 0, check->params.rank_count * sizeof *links);
  check->links = links;
  check->calls_left = check->visits_left = check->params.rank_count - 1;
  if (read_ends(check, ends, error) < 0)
    return error->status;
  int64_t ticked_ns = rs_clock_ns(), last_ns = ticked_ns + last_visit_ns(&check->params);
  while (check->calls_left > 0 || check->visiting > 0 || (check->visits_left > 0 && rs_clock_ns() < last_ns)) {
    struct epoll_event events[EVENTS_MAX];
    if (begin_calls(check, error) < 0)
      return error->status;
    int count = epoll_wait(check->epoll_fd, events, EVENTS_MAX, TICK_MS);
    for (int i = 0; i < count; i++)
      if (handle(check, events[i].data.u64, error) < 0)
        return error->status;
    if (rs_clock_ns() - ticked_ns < TICK_MS * INT64_C(1000000))
      continue;
    ticked_ns = rs_clock_ns();
    expire_calls(check);
    expire_visits(check);
    check->turned_away += rs_tcp_accept_expire(check->strangers);
  }
  return RS_OK;
}

size_t rs_network_check_strangers(const struct rs_network_check *check) {
  return check->turned_away;
}

void rs_network_check_end(const struct rs_network_check *check, struct rs_network_end *end) {
  struct rs_tcp_address address = check->tcp->address;
  memset(end, 0, sizeof *end);
  end->port = rs_tcp_address_port(&address);
  rs_tcp_address_set_port(&address, 0);
  snprintf(end->interface, sizeof end->interface, "%s", check->tcp->interface.name);
  snprintf(end->address, sizeof end->address, "%.47s", rs_tcp_address_format(&address).text);
  end->prefix_bits = check->tcp->interface.prefix_bits;
  end->mtu = check->tcp->facts.mtu;
}

enum rs_status rs_network_check_open(const struct rs_network_check_params *params, struct rs_network_check **check,
                                     struct rs_error *error) {
  struct rs_network_check *opened = rs_allocate(1, sizeof *opened, "network check", error);
  if (opened == NULL)
    return error->status;
  opened->params = *params;
  opened->epoll_fd = -1;
  for (size_t i = 0; i < RS_TCP_STRANGERS_MAX; i++)
    opened->strangers[i].fd = -1;
  opened->calls = rs_allocate(params->rank_count, sizeof *opened->calls, "network check", error);
  opened->visits =
      opened->calls ? rs_allocate(params->rank_count, sizeof *opened->visits, "network check", error) : NULL;
  if (opened->visits == NULL)
    goto close_check;
  for (size_t peer = 0; peer < params->rank_count; peer++)
    opened->calls[peer].attempt.fd = opened->visits[peer].fd = -1;
  struct rs_tcp_options options = {.ports = params->ports, .streams = 1, .stripe_bytes = UINT16_MAX};
  snprintf(options.interface.text, sizeof options.interface.text, "%s", params->interface);
  struct rs_transport_params tcp = {.rank = params->rank,
                                    .rank_count = params->rank_count,
                                    .lanes = 1,
                                    .one_host = params->one_host,
                                    .timeout_ns = params->timeout_ns,
                                    .options = &options};
  memcpy(tcp.token, params->token, sizeof tcp.token);
  struct rs_device *device;
  if (rs_transport_tcp.open(&tcp, &device, error) < 0)
    goto close_check;
  opened->tcp = rs_tcp_device_of(device);
  opened->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (opened->epoll_fd < 0) {
    rs_error_set_errno(error, RS_ERROR_IO, errno, "network check: epoll_create1");
    goto close_check;
  }
  if (watch(opened, EPOLL_CTL_ADD, opened->tcp->listen_fd, EPOLLIN, SOURCE_LISTENER, 0, error) < 0)
    goto close_check;
  *check = opened;
  return RS_OK;
close_check:
  rs_network_check_close(opened);
  return error->status;
}

void rs_network_check_close(struct rs_network_check *check) {
  if (check == NULL)
    return;
  for (size_t peer = 0; check->calls && check->visits && peer < check->params.rank_count; peer++) {
    rs_tcp_attempt_close(&check->calls[peer].attempt);
    if (check->visits[peer].fd >= 0)
      close(check->visits[peer].fd);
  }
  for (size_t i = 0; i < RS_TCP_STRANGERS_MAX; i++)
    rs_tcp_attempt_close(&check->strangers[i]);
  if (check->tcp)
    rs_transport_tcp.close(&check->tcp->base);
  if (check->epoll_fd >= 0)
    close(check->epoll_fd);
  free(check->visits);
  free(check->calls);
  free(check);
}
