// From addresses to proven streams. For each pair the higher rank connects to the lower, lanes x streams times, all at
// once and without blocking:
//
//   higher rank                              lower rank
//   connect                    ──────►       accept: a stranger, one of at most 64, for at most 5 s
//   hello: who I am, half of the token ──►   check, adopt as the stream it claims to be
//   check, adopt               ◄──────       reply: verdict, the other half of the token
//
// When every wanted stream is proven, the listener closes: nobody can join later. Addresses are exchanged only after
// every rank listens, so a refusal is never a matter of waiting, and ends the attempt at once.
#include "transport/tcp_device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_MAX 64

// ---- attempts ---------------------------------------------------------------------------------------------

bool rs_tcp_attempt_read(struct rs_tcp_attempt *attempt, size_t wanted) {
  while (attempt->received < wanted) {
    ssize_t got = recv(attempt->fd, attempt->bytes + attempt->received, wanted - attempt->received, MSG_DONTWAIT);
    if (got == 0) {
      errno = 0;
      return false;
    }
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return errno == EAGAIN;
    attempt->received += (size_t)got;
  }
  return true;
}

void rs_tcp_attempt_close(struct rs_tcp_attempt *attempt) {
  if (attempt->fd >= 0)
    close(attempt->fd); // which also takes it out of epoll
  attempt->fd = -1;
}

enum rs_status rs_tcp_attempt_adopt(struct rs_tcp_device *tcp, struct rs_tcp_attempt *attempt,
                                    struct rs_tcp_stream *stream, struct rs_error *error) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = stream};
  if (rs_tcp_socket_tune(attempt->fd, error) < 0 ||
      (tcp->zerocopy_bytes && rs_tcp_zerocopy_enable(attempt->fd, error) < 0))
    return error->status;
  if (epoll_ctl(tcp->joining->epoll_fd, EPOLL_CTL_DEL, attempt->fd, NULL) != 0 ||
      epoll_ctl(tcp->epoll_fd, EPOLL_CTL_ADD, attempt->fd, &event) != 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "tcp: epoll_ctl");
  stream->fd = attempt->fd;
  stream->writable = true;
  attempt->fd = -1;
  tcp->joining->missing--;
  return RS_OK;
}

// ---- the connecting side ----------------------------------------------------------------------------------

static enum rs_status no_answer(const struct rs_tcp_device *tcp, size_t peer, struct rs_error *error) {
  char ports[64] = "all ports (or set tcp.ports=LOW-HIGH and open those)";
  if (tcp->ports.high)
    snprintf(ports, sizeof ports, "ports %llu-%llu", (unsigned long long)tcp->ports.low,
             (unsigned long long)tcp->ports.high);
  return rs_error_set(error, RS_ERROR_PEER,
                      "tcp: connecting to rank %zu (from rank %zu, interface %s): no answer from %s in %.3g s: a "
                      "security group or network ACL that drops? Both directions and %s must be open between all hosts",
                      peer, tcp->rank, tcp->interface.name, rs_tcp_address_format(&tcp->peers[peer].address).text,
                      (double)tcp->timeout_ns / 1e9, ports);
}

static enum rs_status connect_failure(const struct rs_tcp_device *tcp, size_t peer, int code, struct rs_error *error) {
  struct rs_tcp_peer_text name = rs_tcp_peer_format(tcp, peer);
  switch (code) {
  case ECONNREFUSED:
    return rs_error_set(error, RS_ERROR_PEER,
                        "tcp: connecting to %s: connection refused. No ringside rank listens there: it has died (look "
                        "at its own message), or another host answers at this address (choose with tcp.interface)",
                        name.text);
  case ENETUNREACH:
  case EHOSTUNREACH:
    return rs_error_set_errno(error, RS_ERROR_PEER, code,
                              "tcp: connecting to %s: unreachable. Are both interfaces on one network, and is there a "
                              "route (ip route get)? Choose others with tcp.interface",
                              name.text);
  case ETIMEDOUT:
    return no_answer(tcp, peer, error);
  default:
    return rs_error_set_errno(error, RS_ERROR_PEER, code, "tcp: connecting to %s", name.text);
  }
}

static enum rs_status begin_attempt(struct rs_tcp_device *tcp, struct rs_tcp_attempt *attempt, struct rs_error *error) {
  size_t peer = attempt->stream->channel->peer;
  int code;
  if (rs_tcp_dial(&tcp->address, &tcp->peers[peer].address, &tcp->socket_options, &attempt->fd, &code, error) < 0)
    return error->status;
  if (code != 0)
    return connect_failure(tcp, peer, code, error);
  struct epoll_event event = {.events = EPOLLOUT, .data.ptr = attempt};
  if (epoll_ctl(tcp->joining->epoll_fd, EPOLL_CTL_ADD, attempt->fd, &event) != 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "tcp: epoll_ctl");
  return RS_OK;
}

static enum rs_status greet(struct rs_tcp_device *tcp, struct rs_tcp_attempt *attempt, struct rs_error *error) {
  const struct rs_tcp_stream *stream = attempt->stream;
  size_t peer = stream->channel->peer;
  int code = 0;
  socklen_t length = sizeof code;
  getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &code, &length);
  if (code != 0)
    return connect_failure(tcp, peer, code, error);
  const struct rs_tcp_hello hello = {
      .protocol = RS_TCP_PROTOCOL,
      .rank = (uint32_t)tcp->rank,
      .peer = (uint32_t)peer,
      .lane = (uint32_t)stream->channel->lane,
      .stream = (uint32_t)stream->index,
      .lanes = (uint32_t)tcp->lanes,
      .streams = (uint32_t)tcp->streams,
      .stripe_bytes = tcp->stripe_bytes,
  };
  uint8_t bytes[RS_TCP_HELLO_BYTES];
  rs_tcp_hello_encode(&hello, tcp->token, bytes);
  // A new socket always has room for so little.
  if (send(attempt->fd, bytes, sizeof bytes, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof bytes)
    return connect_failure(tcp, peer, errno, error);
  attempt->greeted = true;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = attempt};
  if (epoll_ctl(tcp->joining->epoll_fd, EPOLL_CTL_MOD, attempt->fd, &event) != 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "tcp: epoll_ctl");
  return RS_OK;
}

static enum rs_status refused_by(const struct rs_tcp_device *tcp, size_t peer, enum rs_tcp_verdict verdict,
                                 struct rs_error *error) {
  struct rs_tcp_peer_text name = rs_tcp_peer_format(tcp, peer);
  switch (verdict) {
  case RS_TCP_WRONG_PROTOCOL:
    return rs_error_set(error, RS_ERROR_USAGE,
                        "tcp: connecting to %s: it speaks another version of the protocol; install the same ringside "
                        "on all hosts",
                        name.text);
  case RS_TCP_WRONG_SHAPE:
    return rs_error_set(error, RS_ERROR_USAGE,
                        "tcp: connecting to %s: it has other lanes, tcp.streams or tcp.stripe than this rank's %zu, "
                        "%zu and %zu; give all ranks the same configuration",
                        name.text, tcp->lanes, tcp->streams, tcp->stripe_bytes);
  default:
    return rs_error_set(error, RS_ERROR_PEER,
                        "tcp: connecting to %s: it wants no such connection, or has it already (verdict %d); ranks "
                        "disagree about who talks to whom",
                        name.text, (int)verdict);
  }
}

static enum rs_status hear_reply(struct rs_tcp_device *tcp, struct rs_tcp_attempt *attempt, struct rs_error *error) {
  size_t peer = attempt->stream->channel->peer;
  if (!rs_tcp_attempt_read(attempt, RS_TCP_REPLY_BYTES)) {
    struct rs_tcp_peer_text name = rs_tcp_peer_format(tcp, peer);
    return rs_error_set_errno(error, RS_ERROR_PEER, errno ? errno : ECONNRESET,
                              "tcp: connecting to %s: it closed the connection during the handshake. It has died (look "
                              "at its own message), or it belongs to another launch",
                              name.text);
  }
  if (attempt->received < RS_TCP_REPLY_BYTES)
    return RS_OK;
  enum rs_tcp_verdict verdict;
  if (!rs_tcp_reply_decode(attempt->bytes, tcp->token, &verdict))
    return rs_error_set(error, RS_ERROR_PEER,
                        "tcp: connecting to %s: what answers there does not belong to this launch (wrong token); "
                        "another host may have this address (choose with tcp.interface)",
                        rs_tcp_peer_format(tcp, peer).text);
  if (verdict != RS_TCP_WELCOME)
    return refused_by(tcp, peer, verdict, error);
  return rs_tcp_attempt_adopt(tcp, attempt, attempt->stream, error);
}

// ---- the first call ---------------------------------------------------------------------------------------

static enum rs_status read_addresses(struct rs_tcp_device *tcp, const uint8_t *addresses, const bool *peers,
                                     size_t *wanted, struct rs_error *error) {
  *wanted = 0;
  for (size_t peer = 0; peer < tcp->rank_count; peer++) {
    if (!peers[peer] || peer == tcp->rank)
      continue;
    struct rs_tcp_address *address = &tcp->peers[peer].address;
    if (!rs_tcp_address_decode(addresses + peer * RS_ADDRESS_BYTES_MAX, &tcp->address, address))
      return rs_error_set(error, RS_ERROR_PEER,
                          "tcp: rank %zu published no TCP address; does it use another transport?", peer);
    if (address->any.sa_family != tcp->address.any.sa_family)
      return rs_error_set(error, RS_ERROR_USAGE,
                          "tcp: rank %zu listens on %s and rank %zu on %s: IPv4 and IPv6 do not meet; choose one for "
                          "all with tcp.interface",
                          peer, rs_tcp_address_format(address).text, tcp->rank,
                          rs_tcp_address_format(&tcp->address).text);
    ++*wanted;
  }
  return RS_OK;
}

static enum rs_status allocate_streams(struct rs_tcp_device *tcp, const bool *peers, size_t wanted,
                                       struct rs_error *error) {
  size_t channel_count, stream_count;
  if (!rs_multiply_size(wanted, tcp->lanes, &channel_count) ||
      !rs_multiply_size(channel_count, tcp->streams, &stream_count))
    return rs_error_set_memory(error, SIZE_MAX, "tcp streams");
  tcp->channels = rs_allocate(channel_count, sizeof *tcp->channels, "tcp channels", error);
  tcp->all_streams = tcp->channels ? rs_allocate(stream_count, sizeof *tcp->all_streams, "tcp streams", error) : NULL;
  tcp->ready =
      tcp->all_streams ? rs_allocate(stream_count, sizeof(struct rs_tcp_stream *), "tcp ready list", error) : NULL;
  tcp->awaited =
      tcp->ready ? rs_allocate(stream_count, sizeof(struct rs_tcp_stream *), "tcp awaited list", error) : NULL;
  if (tcp->awaited && tcp->zerocopy_bytes)
    tcp->unconfirmed = rs_allocate(stream_count, sizeof *tcp->unconfirmed, "tcp unconfirmed sends", error);
  if (error->status < 0)
    return error->status;
  tcp->stream_count = stream_count;
  struct rs_tcp_channel *channel = tcp->channels;
  struct rs_tcp_stream *stream = tcp->all_streams;
  for (size_t peer = 0; peer < tcp->rank_count; peer++) {
    if (!peers[peer] || peer == tcp->rank)
      continue;
    tcp->peers[peer].channels = channel;
    for (size_t lane = 0; lane < tcp->lanes; lane++, channel++) {
      channel->peer = peer;
      channel->lane = lane;
      channel->streams = stream;
      for (size_t index = 0; index < tcp->streams; index++, stream++) {
        stream->channel = channel;
        stream->index = index;
        stream->fd = -1;
        stream->unconfirmed = tcp->unconfirmed ? tcp->unconfirmed + (stream - tcp->all_streams) : NULL;
      }
    }
  }
  return RS_OK;
}

static enum rs_status open_joining(struct rs_tcp_device *tcp, struct rs_error *error) {
  struct rs_tcp_joining *joining = rs_allocate(1, sizeof *joining, "tcp connecting", error);
  if (joining == NULL)
    return error->status;
  tcp->joining = joining; // from here on closed with the device
  for (size_t i = 0; i < RS_TCP_STRANGERS_MAX; i++)
    joining->strangers[i].fd = -1;
  joining->deadline_ns = rs_clock_ns() + tcp->timeout_ns;
  joining->missing = tcp->stream_count;
  joining->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN};
  if (joining->epoll_fd < 0 || epoll_ctl(joining->epoll_fd, EPOLL_CTL_ADD, tcp->listen_fd, &event) != 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "tcp: epoll for connecting");
  joining->outgoing = rs_allocate(tcp->stream_count, sizeof *joining->outgoing, "tcp connecting", error);
  if (joining->outgoing == NULL)
    return error->status;
  for (size_t i = 0; i < tcp->stream_count; i++) {
    struct rs_tcp_stream *stream = &tcp->all_streams[i];
    if (stream->channel->peer > tcp->rank)
      continue;
    struct rs_tcp_attempt *attempt = &joining->outgoing[joining->outgoing_count++];
    *attempt = (struct rs_tcp_attempt){.fd = -1, .stream = stream, .since_ns = rs_clock_ns()};
    if (begin_attempt(tcp, attempt, error) < 0)
      return error->status;
  }
  return RS_OK;
}

static enum rs_status begin(struct rs_tcp_device *tcp, const uint8_t *addresses, const bool *peers,
                            struct rs_error *error) {
  size_t wanted;
  tcp->peers = rs_allocate(tcp->rank_count, sizeof *tcp->peers, "tcp peers", error);
  if (tcp->peers == NULL || read_addresses(tcp, addresses, peers, &wanted, error) < 0 ||
      allocate_streams(tcp, peers, wanted, error) < 0)
    return error->status;
  return open_joining(tcp, error);
}

// ---- the end ----------------------------------------------------------------------------------------------

void rs_tcp_joining_close(struct rs_tcp_joining *joining) {
  if (joining == NULL)
    return;
  for (size_t i = 0; i < joining->outgoing_count; i++)
    rs_tcp_attempt_close(&joining->outgoing[i]);
  for (size_t i = 0; i < RS_TCP_STRANGERS_MAX; i++)
    rs_tcp_attempt_close(&joining->strangers[i]);
  if (joining->epoll_fd >= 0)
    close(joining->epoll_fd);
  free(joining->outgoing);
  free(joining);
}

static void finish(struct rs_tcp_device *tcp) {
  if (tcp->joining->turned_away)
    rs_log(tcp->log, RS_LOG_WARNING, "tcp: turned away %zu connections at %s that did not prove to be of this launch",
           tcp->joining->turned_away, rs_tcp_address_format(&tcp->address).text);
  rs_tcp_joining_close(tcp->joining);
  tcp->joining = NULL;
  close(tcp->listen_fd);
  tcp->listen_fd = -1;
  // The route may have had a say in it, so a connected socket knows better than the listener did.
  if (tcp->stream_count)
    rs_tcp_socket_congestion(tcp->all_streams[0].fd, tcp->facts.congestion, sizeof tcp->facts.congestion);
  tcp->connected = true;
}

static enum rs_status timed_out(const struct rs_tcp_device *tcp, struct rs_error *error) {
  const struct rs_tcp_joining *joining = tcp->joining;
  for (size_t i = 0; i < joining->outgoing_count; i++) {
    const struct rs_tcp_attempt *attempt = &joining->outgoing[i];
    if (attempt->fd < 0)
      continue;
    size_t peer = attempt->stream->channel->peer;
    if (!attempt->greeted)
      return no_answer(tcp, peer, error);
    return rs_error_set(error, RS_ERROR_TIMEOUT,
                        "tcp: connecting to %s: connected, but no answer to the handshake in %.3g s; that process "
                        "hangs, or it is not ringside",
                        rs_tcp_peer_format(tcp, peer).text, (double)tcp->timeout_ns / 1e9);
  }
  const struct rs_tcp_stream *stream = tcp->all_streams;
  while (stream->fd >= 0)
    stream++;
  return rs_error_set(error, RS_ERROR_TIMEOUT,
                      "tcp: waiting at %s (interface %s) for %s: it did not connect within %.3g s. Look at its own "
                      "message; a security group or network ACL may drop what it sends here",
                      rs_tcp_address_format(&tcp->address).text, tcp->interface.name,
                      rs_tcp_peer_format(tcp, stream->channel->peer).text, (double)tcp->timeout_ns / 1e9);
}

static enum rs_status handle_event(struct rs_tcp_device *tcp, struct rs_tcp_attempt *attempt, struct rs_error *error) {
  if (attempt == NULL)
    return rs_tcp_accept(tcp, error);
  if (attempt->fd < 0) // closed by an event before this one
    return RS_OK;
  if (attempt->stream == NULL)
    return rs_tcp_accept_hear(tcp, attempt, error);
  return attempt->greeted ? hear_reply(tcp, attempt, error) : greet(tcp, attempt, error);
}

enum rs_status rs_tcp_connect(struct rs_device *device, const uint8_t *addresses, const bool *peers,
                              struct rs_error *error) {
  struct rs_tcp_device *tcp = rs_tcp_device_of(device);
  if (tcp->connected)
    return RS_OK;
  if (tcp->joining == NULL && begin(tcp, addresses, peers, error) < 0)
    return error->status;
  struct rs_tcp_joining *joining = tcp->joining;
  struct epoll_event events[EVENTS_MAX];
  int count = epoll_wait(joining->epoll_fd, events, EVENTS_MAX, 0);
  for (int i = 0; i < count; i++)
    if (handle_event(tcp, events[i].data.ptr, error) < 0)
      return error->status;
  if (joining->missing == 0) {
    finish(tcp);
    return RS_OK;
  }
  joining->turned_away += rs_tcp_accept_expire(joining->strangers);
  if (rs_clock_ns() > joining->deadline_ns)
    return timed_out(tcp, error);
  return RS_IN_PROGRESS;
}
