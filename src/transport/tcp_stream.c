// Posted messages over proven streams.
//
// A message is cut into pieces, one per stream, in a way that both ends compute from its length, and each piece is
// preceded by a header with the message's number and length: when the ends disagree, that is an error and not a hang
// or wrong data. A stream works through its pieces in the order of the posts.
//
// Epoll tells once when a socket may have become readable or writable (edge-triggered), and the flag stands until a
// call comes back short. So the ready list holds exactly the streams that have both something to do and a reason to
// believe that it can be done: progress costs one epoll_wait and the calls that move data, whatever the number of
// sockets, and an event that has not been fetched keeps the epoll descriptor readable for a sleeper. Where few streams
// are awaited they are asked without being told: what arrives is read by the call that finds it.
#include "transport/tcp_device.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#define EVENTS_MAX 64
// What one stream may move in one direction before it is the next one's turn.
#define TURN_BYTES ((size_t)512 << 10)
// So many awaited streams are asked by themselves: a call per stream costs as much as asking epoll.
#define ASKED_MAX 2
// Events are fetched at least once in so many calls of progress, for the streams that are not asked.
#define UNFETCHED_MAX 8
#define HEADER_MAGIC 0x64737231u // "1rsd"

// Completions on their way to the caller.
struct sink {
  struct rs_completion *items;
  size_t max, count;
};

// ---- pieces and headers -----------------------------------------------------------------------------------

static size_t piece_count(const struct rs_tcp_device *tcp, size_t bytes) {
  size_t pieces = bytes / tcp->stripe_bytes;
  return pieces < 1 ? 1 : rs_min_size(pieces, tcp->streams);
}

// Piece i of a post starts at i steps; the last one takes the rest. No piece is shorter than the stripe, which is a
// multiple of 64, and each starts on a multiple of 64.
static size_t piece_step(const struct rs_tcp_post *post) {
  return post->pieces > 1 ? post->bytes / post->pieces / 64 * 64 : post->bytes;
}

// Header: 0 magic, 4 number of the message, 8 its length; little-endian.
static void header_encode(uint8_t header[RS_TCP_HEADER_BYTES], uint64_t number, size_t bytes) {
  uint32_t magic = htole32(HEADER_MAGIC), low = htole32((uint32_t)number);
  uint64_t length = htole64(bytes);
  memcpy(header, &magic, 4);
  memcpy(header + 4, &low, 4);
  memcpy(header + 8, &length, 8);
}

static enum rs_status header_check(const struct rs_tcp_device *tcp, const struct rs_tcp_stream *stream,
                                   struct rs_error *error) {
  const struct rs_tcp_cursor *cursor = &stream->recv;
  uint8_t expected[RS_TCP_HEADER_BYTES];
  header_encode(expected, cursor->position, cursor->post->bytes);
  if (memcmp(cursor->header, expected, sizeof expected) == 0)
    return RS_OK;
  uint32_t magic, number;
  uint64_t length;
  memcpy(&magic, cursor->header, 4);
  memcpy(&number, cursor->header + 4, 4);
  memcpy(&length, cursor->header + 8, 8);
  struct rs_tcp_peer_text name = rs_tcp_peer_format(tcp, stream->channel->peer);
  if (le32toh(magic) != HEADER_MAGIC)
    return rs_error_set(error, RS_ERROR_PEER,
                        "tcp: receiving from %s, lane %zu, stream %zu: expected the header of message %u, found bytes "
                        "%08x: the stream is out of step: something on the way changes data, or a bug in ringside",
                        name.text, stream->channel->lane, stream->index, (unsigned)cursor->position, le32toh(magic));
  return rs_error_set(
      error, RS_ERROR_PEER,
      "tcp: receiving from %s, lane %zu, stream %zu: expected message %u of %zu bytes, found message %u "
      "of %llu bytes: the two ranks do not run the same schedule",
      name.text, stream->channel->lane, stream->index, (unsigned)cursor->position, cursor->post->bytes, le32toh(number),
      (unsigned long long)le64toh(length));
}

// Takes up the stream's next piece; false when nothing is posted for it.
static bool cursor_load(struct rs_tcp_queue *queue, struct rs_tcp_cursor *cursor, size_t stream) {
  if (cursor->pending == 0)
    return false;
  if (cursor->position < queue->tail)
    cursor->position = queue->tail;
  struct rs_tcp_post *post = &queue->posts[cursor->position % RS_TCP_POSTS_MAX];
  while (post->pieces <= stream) // a short message that does not use this stream
    post = &queue->posts[++cursor->position % RS_TCP_POSTS_MAX];
  size_t step = piece_step(post);
  cursor->post = post;
  cursor->data = post->data + stream * step;
  cursor->left = stream + 1 == post->pieces ? post->bytes - stream * step : step;
  return true;
}

// The last piece of a post completes it.
static void piece_finish(struct rs_tcp_queue *queue, struct rs_tcp_post *post, struct sink *sink) {
  if (--post->pieces_left > 0)
    return;
  sink->items[sink->count++].cookie = post->cookie;
  while (queue->tail < queue->head && queue->posts[queue->tail % RS_TCP_POSTS_MAX].pieces_left == 0)
    queue->tail++;
}

// The piece is through; returns its post.
static struct rs_tcp_post *cursor_leave(struct rs_tcp_cursor *cursor) {
  struct rs_tcp_post *post = cursor->post;
  cursor->post = NULL;
  cursor->position++;
  cursor->pending--;
  return post;
}

// ---- failures ---------------------------------------------------------------------------------------------

// code 0: the peer has closed the connection.
static enum rs_status stream_failure(const struct rs_tcp_device *tcp, const struct rs_tcp_stream *stream,
                                     const char *doing, int code, struct rs_error *error) {
  const struct rs_tcp_channel *channel = stream->channel;
  unsigned long long receives = channel->recv.head - channel->recv.tail;
  unsigned long long sends = channel->send.head - channel->send.tail;
  bool gone = code == 0 || code == ECONNRESET || code == EPIPE;
  return rs_error_set(error, RS_ERROR_PEER,
                      "tcp: %s %s, lane %zu: %s while %llu receive%s and %llu send%s were outstanding; %s", doing,
                      rs_tcp_peer_format(tcp, channel->peer).text, channel->lane,
                      code == 0 ? "the peer closed the connection" : strerror(code), receives, receives == 1 ? "" : "s",
                      sends, sends == 1 ? "" : "s",
                      gone ? "its process has probably died or given up: look at its own message"
                           : "its host or the network in between is probably down");
}

// ---- moving data ------------------------------------------------------------------------------------------

// A short message in one run of bytes: copying it costs less than telling the kernel of its parts.
#define FLAT_BYTES 2048

static size_t parts_bytes(const struct iovec *parts, size_t count) {
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++)
    bytes += parts[i].iov_len;
  return bytes;
}

// As sendmsg and recvmsg.
static ssize_t send_parts(int fd, struct iovec *parts, size_t count, int flags) {
  uint8_t flat[FLAT_BYTES];
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
  if (parts_bytes(parts, count) > sizeof flat)
    return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT | flags);
  size_t bytes = 0;
  for (size_t i = 0; i < count; bytes += parts[i++].iov_len)
    memcpy(flat + bytes, parts[i].iov_base, parts[i].iov_len);
  return send(fd, flat, bytes, MSG_NOSIGNAL | MSG_DONTWAIT | flags);
}

static ssize_t receive_parts(int fd, struct iovec *parts, size_t count) {
  uint8_t flat[FLAT_BYTES];
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
  size_t bytes = parts_bytes(parts, count);
  if (bytes > sizeof flat)
    return recvmsg(fd, &message, MSG_DONTWAIT);
  ssize_t result = recv(fd, flat, bytes, MSG_DONTWAIT);
  size_t left = result > 0 ? (size_t)result : 0;
  for (size_t i = 0, done = 0; left > 0; done += parts[i++].iov_len) {
    size_t piece = rs_min_size(left, parts[i].iov_len);
    memcpy(parts[i].iov_base, flat + done, piece);
    left -= piece;
  }
  return result;
}

// A piece that the kernel still reads is finished later.
static void piece_sent(struct rs_tcp_stream *stream, struct rs_tcp_post *post, struct sink *sink) {
  struct rs_tcp_unconfirmed *unconfirmed = stream->unconfirmed;
  if (unconfirmed == NULL || unconfirmed->issued == unconfirmed->confirmed) {
    piece_finish(&stream->channel->send, post, sink);
    return;
  }
  size_t place = unconfirmed->head++ % RS_TCP_POSTS_MAX;
  unconfirmed->pieces[place].issued = unconfirmed->issued;
  unconfirmed->pieces[place].post = post;
}

// Whether the oldest piece that was sent is the caller's again.
static bool is_confirmed(const struct rs_tcp_unconfirmed *unconfirmed) {
  return unconfirmed->tail < unconfirmed->head &&
         (int32_t)(unconfirmed->confirmed - unconfirmed->pieces[unconfirmed->tail % RS_TCP_POSTS_MAX].issued) >= 0;
}

static void stream_confirm(struct rs_tcp_stream *stream, struct sink *sink) {
  struct rs_tcp_unconfirmed *unconfirmed = stream->unconfirmed;
  if (unconfirmed == NULL)
    return;
  if (unconfirmed->news)
    rs_tcp_zerocopy_confirm(stream);
  while (sink->count < sink->max && is_confirmed(unconfirmed))
    piece_finish(&stream->channel->send, unconfirmed->pieces[unconfirmed->tail++ % RS_TCP_POSTS_MAX].post, sink);
}

static enum rs_status stream_send(struct rs_tcp_device *tcp, struct rs_tcp_stream *stream, struct sink *sink,
                                  struct rs_error *error) {
  struct rs_tcp_queue *queue = &stream->channel->send;
  struct rs_tcp_cursor *cursor = &stream->send;
  size_t budget = TURN_BYTES;
  while (stream->writable && budget > 0 && sink->count < sink->max) {
    if (cursor->post == NULL) {
      if (!cursor_load(queue, cursor, stream->index))
        break;
      header_encode(cursor->header, cursor->position, cursor->post->bytes);
      cursor->header_done = 0;
    }
    size_t header_left = RS_TCP_HEADER_BYTES - cursor->header_done;
    // The header's place is soon the next one's, so that a header is always copied.
    bool pinned = stream->unconfirmed && cursor->post->bytes >= tcp->zerocopy_bytes;
    size_t payload = pinned && header_left ? 0 : rs_min_size(cursor->left, budget);
    struct iovec parts[2] = {{cursor->header + cursor->header_done, header_left}, {cursor->data, payload}};
    ssize_t result = pinned && payload ? rs_tcp_zerocopy_send(stream, cursor->data, payload)
                                       : send_parts(stream->fd, parts, 2, pinned ? MSG_MORE : 0);
    if (result < 0 && errno == EINTR)
      continue;
    if (result < 0 && errno != EAGAIN)
      return stream_failure(tcp, stream, "sending to", errno, error);
    size_t sent = result < 0 ? 0 : (size_t)result;
    if (sent < header_left + payload)
      stream->writable = false;
    size_t of_header = rs_min_size(sent, header_left);
    cursor->header_done += of_header;
    sent -= of_header;
    cursor->data += sent;
    cursor->left -= sent;
    budget -= sent;
    if (cursor->left == 0)
      piece_sent(stream, cursor_leave(cursor), sink);
  }
  return RS_OK;
}

// Reads the rest of the header, the payload, and the next message's header if it is there already: a call that comes
// back short has then emptied the socket, and no second call is needed to learn that.
static enum rs_status stream_receive(struct rs_tcp_device *tcp, struct rs_tcp_stream *stream, struct sink *sink,
                                     struct rs_error *error) {
  struct rs_tcp_queue *queue = &stream->channel->recv;
  struct rs_tcp_cursor *cursor = &stream->recv;
  size_t budget = TURN_BYTES;
  while (stream->readable && budget > 0 && sink->count < sink->max) {
    if (cursor->post == NULL) {
      if (!cursor_load(queue, cursor, stream->index))
        break;
      if (cursor->header_done == RS_TCP_HEADER_BYTES && header_check(tcp, stream, error) < 0)
        return error->status;
    }
    uint8_t next_header[RS_TCP_HEADER_BYTES];
    size_t header_left = RS_TCP_HEADER_BYTES - cursor->header_done;
    size_t payload = rs_min_size(cursor->left, budget);
    size_t ahead = payload == cursor->left ? sizeof next_header : 0;
    struct iovec parts[3] = {
        {cursor->header + cursor->header_done, header_left}, {cursor->data, payload}, {next_header, ahead}};
    ssize_t result = receive_parts(stream->fd, parts, 3);
    if (result < 0 && errno == EINTR)
      continue;
    if (result == 0 || (result < 0 && errno != EAGAIN))
      return stream_failure(tcp, stream, "receiving from", result == 0 ? 0 : errno, error);
    size_t got = result < 0 ? 0 : (size_t)result;
    if (got < header_left + payload + ahead)
      stream->readable = stream->ended;
    size_t of_header = rs_min_size(got, header_left);
    cursor->header_done += of_header;
    got -= of_header;
    if (of_header && cursor->header_done == RS_TCP_HEADER_BYTES && header_check(tcp, stream, error) < 0)
      return error->status;
    size_t of_payload = rs_min_size(got, payload);
    cursor->data += of_payload;
    cursor->left -= of_payload;
    budget -= of_payload;
    got -= of_payload;
    if (cursor->left == 0) {
      memcpy(cursor->header, next_header, got);
      cursor->header_done = got;
      piece_finish(queue, cursor_leave(cursor), sink);
    }
  }
  return RS_OK;
}

// ---- the ready list ---------------------------------------------------------------------------------------

// Puts the stream at the end of the list when there may be something to move.
static void make_ready(struct rs_tcp_device *tcp, struct rs_tcp_stream *stream) {
  const struct rs_tcp_unconfirmed *unconfirmed = stream->unconfirmed;
  bool ready = (stream->send.pending && stream->writable) || (stream->recv.pending && stream->readable) ||
               (unconfirmed && (unconfirmed->news || is_confirmed(unconfirmed)));
  if (stream->queued || !ready)
    return;
  size_t last = tcp->ready_first + tcp->ready_count++;
  tcp->ready[last < tcp->stream_count ? last : last - tcp->stream_count] = stream;
  stream->queued = true;
}

static struct rs_tcp_stream *take_ready(struct rs_tcp_device *tcp) {
  struct rs_tcp_stream *stream = tcp->ready[tcp->ready_first];
  tcp->ready_first = tcp->ready_first + 1 < tcp->stream_count ? tcp->ready_first + 1 : 0;
  tcp->ready_count--;
  stream->queued = false;
  return stream;
}

static enum rs_status fetch_events(struct rs_tcp_device *tcp, struct rs_error *error) {
  struct epoll_event events[EVENTS_MAX];
  int count = epoll_wait(tcp->epoll_fd, events, EVENTS_MAX, 0);
  if (count < 0 && errno != EINTR)
    return rs_error_set_errno(error, RS_ERROR_INTERNAL, errno, "tcp: epoll_wait");
  for (int i = 0; i < count; i++) {
    struct rs_tcp_stream *stream = events[i].data.ptr;
    uint32_t mask = events[i].events;
    // Reports of sends are shown as an error, too; a real one is then met by the next call.
    if (stream->unconfirmed && mask & EPOLLERR)
      stream->unconfirmed->news = true;
    if (mask & (EPOLLRDHUP | EPOLLHUP) || (mask & EPOLLERR && stream->unconfirmed == NULL))
      stream->ended = true;
    if (mask & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
      stream->readable = true;
    if (mask & (EPOLLOUT | EPOLLHUP | EPOLLERR))
      stream->writable = true;
    make_ready(tcp, stream);
  }
  return RS_OK;
}

// ---- awaited streams --------------------------------------------------------------------------------------

static void await(struct rs_tcp_device *tcp, struct rs_tcp_stream *stream) {
  if (stream->recv.pending++ > 0)
    return;
  stream->awaited = tcp->awaited_count;
  tcp->awaited[tcp->awaited_count++] = stream;
}

static void forget(struct rs_tcp_device *tcp, struct rs_tcp_stream *stream) {
  struct rs_tcp_stream *last = tcp->awaited[--tcp->awaited_count];
  tcp->awaited[last->awaited = stream->awaited] = last;
}

// Fills the ready list.
static enum rs_status find_ready(struct rs_tcp_device *tcp, struct rs_error *error) {
  if (tcp->ready_count == 0 && tcp->awaited_count <= ASKED_MAX)
    for (size_t i = 0; i < tcp->awaited_count; i++) {
      tcp->awaited[i]->readable = true;
      make_ready(tcp, tcp->awaited[i]);
    }
  if (tcp->ready_count > 0 && ++tcp->unfetched < UNFETCHED_MAX)
    return RS_OK;
  tcp->unfetched = 0;
  return fetch_events(tcp, error);
}

// ---- progress ---------------------------------------------------------------------------------------------

enum rs_status rs_tcp_progress(struct rs_device *device, struct rs_completion *completions, size_t max, size_t *count,
                               struct rs_error *error) {
  struct rs_tcp_device *tcp = rs_tcp_device_of(device);
  struct sink sink = {.items = completions, .max = max};
  *count = 0;
  if (find_ready(tcp, error) < 0)
    return error->status;
  for (size_t turns = tcp->ready_count; turns > 0 && sink.count < max; turns--) {
    struct rs_tcp_stream *stream = take_ready(tcp);
    bool awaited = stream->recv.pending > 0;
    stream_confirm(stream, &sink);
    if (stream_receive(tcp, stream, &sink, error) < 0 || stream_send(tcp, stream, &sink, error) < 0)
      return error->status;
    if (awaited && stream->recv.pending == 0)
      forget(tcp, stream);
    make_ready(tcp, stream);
  }
  *count = sink.count;
  return RS_OK;
}

// A message that arrives after the last fetch leaves its event in epoll, and so wakes the sleeper; what was fetched
// and not used up yet is in the ready list.
enum rs_status rs_tcp_arm(struct rs_device *device, struct rs_error *error) {
  (void)error;
  struct rs_tcp_device *tcp = rs_tcp_device_of(device);
  tcp->unfetched = UNFETCHED_MAX;
  return tcp->ready_count ? RS_BUSY : RS_OK;
}

int rs_tcp_event_fd(const struct rs_device *device) {
  return ((const struct rs_tcp_device *)device)->epoll_fd;
}

// ---- posting ----------------------------------------------------------------------------------------------

static enum rs_status find_channel(const struct rs_tcp_device *tcp, size_t peer, size_t lane,
                                   struct rs_tcp_channel **channel, struct rs_error *error) {
  if (!tcp->connected || peer >= tcp->rank_count || lane >= tcp->lanes || tcp->peers[peer].channels == NULL)
    return rs_error_set(error, RS_ERROR_INTERNAL, "tcp: rank %zu has no connection with rank %zu, lane %zu", tcp->rank,
                        peer, lane);
  *channel = &tcp->peers[peer].channels[lane];
  return RS_OK;
}

static struct rs_tcp_post *queue_add(const struct rs_tcp_device *tcp, struct rs_tcp_queue *queue,
                                     const struct rs_region *region, size_t offset, size_t bytes, uint64_t cookie) {
  assert(bytes > 0 && offset <= region->bytes && bytes <= region->bytes - offset);
  struct rs_tcp_post *post = &queue->posts[queue->head++ % RS_TCP_POSTS_MAX];
  size_t pieces = piece_count(tcp, bytes);
  *post = (struct rs_tcp_post){region->address + offset, bytes, cookie, pieces, pieces};
  return post;
}

// What need not wait goes out at once: for a short message on an idle lane this is the whole of the work.
enum rs_status rs_tcp_post_send(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error) {
  struct rs_tcp_device *tcp = rs_tcp_device_of(device);
  struct rs_tcp_channel *channel = NULL;
  if (find_channel(tcp, peer, lane, &channel, error) < 0)
    return error->status;
  struct rs_tcp_queue *queue = &channel->send;
  if (queue->head - queue->tail == RS_TCP_POSTS_MAX)
    return RS_BUSY;
  size_t pieces = queue_add(tcp, queue, region, offset, bytes, cookie)->pieces;
  struct rs_completion completion;
  struct sink sink = {.items = &completion, .max = 1};
  for (size_t i = 0; i < pieces; i++) {
    struct rs_tcp_stream *stream = &channel->streams[i];
    // Only the new post can complete here, since a stream with older pieces is left alone.
    if (stream->send.pending++ == 0 && stream_send(tcp, stream, &sink, error) < 0)
      return error->status;
    make_ready(tcp, stream);
  }
  return sink.count ? RS_OK : RS_IN_PROGRESS;
}

enum rs_status rs_tcp_post_recv(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error) {
  struct rs_tcp_device *tcp = rs_tcp_device_of(device);
  struct rs_tcp_channel *channel = NULL;
  if (find_channel(tcp, peer, lane, &channel, error) < 0)
    return error->status;
  struct rs_tcp_queue *queue = &channel->recv;
  if (queue->head - queue->tail == RS_TCP_POSTS_MAX)
    return RS_BUSY;
  size_t pieces = queue_add(tcp, queue, region, offset, bytes, cookie)->pieces;
  for (size_t i = 0; i < pieces; i++) {
    await(tcp, &channel->streams[i]);
    make_ready(tcp, &channel->streams[i]);
  }
  return RS_IN_PROGRESS;
}
