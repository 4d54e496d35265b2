// Posted messages through shared memory.
//
// The sender places a message piece by piece: it fills a cell, with a short piece in it or with where a longer one lies
// in the ring, and then sets its turn. The receiver copies each piece to where its post wants it, or gives it to the
// post's taker, and tells how many cells it is done with, which gives the sender its cells and its ring back. Whoever
// writes what the other may wait for looks then whether the other sleeps. That, and the sleeper's last look before it
// does, are ordered by seq_cst: one of the two sees the other.
//
//   sender    cell.turn = p + 1   ; theirs.asleep?
//   sleeper   mine.asleep = 1     ; cell.turn == p + 1?
#include "transport/shm_device.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>

// What a channel may do before it is the next one's turn.
#define TURN_PIECES 8
// How much of a message that lies in the sender's memory is read at a time.
#define DIRECT_PIECE_BYTES ((size_t)256 << 10)
// Short pieces that are taken may remain untold, so that a stream of them leaves the sender's line alone.
#define UNTOLD_MAX (RS_SHM_CELLS / 4)
// Calls of progress without news, after which a peer may be gone.
#define IDLE_LOOK 1024

// Completions on their way to the caller.
struct sink {
  struct rs_completion *items;
  size_t max, count;
};

// ---- queues -----------------------------------------------------------------------------------------------

static bool queue_full(const struct rs_shm_queue *queue) {
  return queue->head - queue->tail == RS_SHM_POSTS_MAX;
}

static bool queue_empty(const struct rs_shm_queue *queue) {
  return queue->head == queue->tail;
}

static struct rs_shm_post *queue_first(struct rs_shm_queue *queue) {
  return &queue->posts[queue->tail % RS_SHM_POSTS_MAX];
}

static void queue_push(struct rs_shm_queue *queue, const struct rs_shm_post *post) {
  queue->posts[queue->head++ % RS_SHM_POSTS_MAX] = *post;
}

// The oldest post is complete.
static void queue_pop(struct rs_shm_queue *queue, struct sink *sink) {
  sink->items[sink->count++].cookie = queue_first(queue)->cookie;
  queue->tail++;
}

static void activate(struct rs_shm_device *shm, struct rs_shm_channel *channel) {
  if (channel->active)
    return;
  channel->active = true;
  shm->active[shm->active_count++] = channel;
}

static void wake(const struct rs_shm_peer *peer) {
  if (atomic_load(&peer->theirs->asleep) != 0 && atomic_exchange(&peer->theirs->asleep, 0) != 0)
    // A full socket holds enough of these, and a closed one needs none.
    (void)!send(peer->socket, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// ---- sending ----------------------------------------------------------------------------------------------

// Gives back what the receiver has taken since the last time.
static void reclaim(struct rs_shm_channel *channel) {
  uint64_t taken = atomic_load_explicit(&channel->out->taken, memory_order_acquire);
  if (taken == channel->taken)
    return;
  channel->taken = taken;
  channel->ring_tail = channel->ring_ends[(taken - 1) % RS_SHM_CELLS];
  // An empty ring is used from its beginning again, as that is in cache.
  if (taken == channel->placed)
    channel->ring_head = channel->ring_tail = 0;
}

// A piece lies in the ring as a whole: what is left before the ring's end is passed over if it is too short.
static bool find_room(const struct rs_shm_device *shm, const struct rs_shm_channel *channel, size_t bytes,
                      uint64_t *begin) {
  size_t at = channel->ring_head % shm->ring_bytes;
  *begin = at + bytes > shm->ring_bytes ? channel->ring_head + (shm->ring_bytes - at) : channel->ring_head;
  return channel->placed - channel->taken < RS_SHM_CELLS && *begin + bytes - channel->ring_tail <= shm->ring_bytes;
}

static bool has_room(const struct rs_shm_device *shm, struct rs_shm_channel *channel, size_t bytes, uint64_t *begin) {
  if (find_room(shm, channel, bytes, begin))
    return true;
  reclaim(channel);
  return find_room(shm, channel, bytes, begin);
}

// How much of a message the next piece is, and what that needs of the ring.
static size_t next_piece(const struct rs_shm_device *shm, const struct rs_shm_post *post, size_t done,
                         size_t *ring_bytes) {
  *ring_bytes = 0;
  if (post->direct)
    return post->bytes;
  size_t piece = rs_min_size(post->bytes - done, shm->piece_bytes);
  *ring_bytes = piece > RS_SHM_INLINE_BYTES ? rs_round_up(piece, sizeof(struct rs_shm_cell)) : 0;
  return piece;
}

// Hands over the next piece of a post of which `done` bytes are handed over; 0: there is no room.
static size_t place(struct rs_shm_device *shm, struct rs_shm_channel *channel, const struct rs_shm_post *post,
                    size_t done) {
  size_t ring_bytes, piece = next_piece(shm, post, done, &ring_bytes);
  uint64_t begin;
  if (!has_room(shm, channel, ring_bytes, &begin))
    return 0;
  struct rs_shm_cell *cell = &channel->out->cells[channel->placed % RS_SHM_CELLS];
  cell->message_bytes = post->bytes;
  cell->bytes = post->direct ? 0 : (uint32_t)piece;
  if (post->direct) {
    cell->kind = RS_SHM_DIRECT;
    cell->at = (uint64_t)(post->data - post->direct->address);
    cell->region = post->direct->id;
    shm->direct_sent_bytes += piece;
  } else if (ring_bytes == 0) {
    cell->kind = RS_SHM_INLINE;
    memcpy(cell->data, post->data + done, piece);
  } else {
    cell->kind = RS_SHM_STAGED;
    cell->at = begin % shm->ring_bytes;
    rs_kernel_copy(channel->out->ring + cell->at, post->data + done, piece);
    channel->ring_head = begin + ring_bytes;
    shm->staged_bytes += piece;
  }
  channel->ring_ends[channel->placed % RS_SHM_CELLS] = channel->ring_head;
  atomic_store(&cell->turn, ++channel->placed);
  wake(channel->peer);
  return piece;
}

// Whether the oldest send is complete: placed, and read if the receiver reads it where it lies.
static bool first_is_sent(struct rs_shm_channel *channel) {
  struct rs_shm_queue *queue = &channel->send;
  if (queue->tail == queue->turn)
    return false;
  const struct rs_shm_post *post = queue_first(queue);
  if (post->direct && channel->taken < post->until)
    reclaim(channel);
  return post->direct == NULL || channel->taken >= post->until;
}

static bool send_piece(struct rs_shm_device *shm, struct rs_shm_channel *channel, struct sink *sink) {
  struct rs_shm_queue *queue = &channel->send;
  size_t piece = 0;
  if (queue->turn != queue->head) {
    struct rs_shm_post *post = &queue->posts[queue->turn % RS_SHM_POSTS_MAX];
    piece = place(shm, channel, post, queue->done);
    queue->done += piece;
    if (queue->done == post->bytes) {
      post->until = channel->placed;
      queue->done = 0;
      queue->turn++;
    }
  }
  bool sent = sink->count < sink->max && first_is_sent(channel);
  if (sent)
    queue_pop(queue, sink);
  return sent || piece > 0;
}

// ---- receiving --------------------------------------------------------------------------------------------

static bool has_arrived(const struct rs_shm_channel *channel) {
  const struct rs_shm_cell *cell = &channel->in->cells[channel->received % RS_SHM_CELLS];
  return atomic_load(&cell->turn) == channel->received + 1;
}

// What a peer wrote is not believed before it is looked at.
static enum rs_status check_length(const struct rs_shm_device *shm, const struct rs_shm_channel *channel,
                                   const struct rs_shm_cell *cell, const struct rs_shm_post *post,
                                   struct rs_error *error) {
  if (cell->message_bytes != post->bytes)
    return rs_error_set(error, RS_ERROR_PEER,
                        "shm: rank %zu sent %llu bytes where rank %zu expected %zu (lane %zu, message %llu): the two "
                        "ranks do not run the same schedule",
                        channel->peer->rank, (unsigned long long)cell->message_bytes, shm->rank, post->bytes,
                        channel->lane, (unsigned long long)channel->receive.tail);
  return RS_OK;
}

// Where the next piece lies, and *bytes of it, of which `left` are still to come of the message; NULL: nowhere.
static const uint8_t *find_piece(const struct rs_shm_device *shm, const struct rs_shm_channel *channel,
                                 const struct rs_shm_cell *cell, size_t left, size_t *bytes) {
  *bytes = cell->bytes;
  if (cell->kind == RS_SHM_INLINE)
    return *bytes <= rs_min_size(left, RS_SHM_INLINE_BYTES) ? cell->data : NULL;
  if (cell->kind == RS_SHM_STAGED) {
    bool fits = *bytes <= rs_min_size(left, shm->ring_bytes) && cell->at <= shm->ring_bytes - *bytes;
    return fits ? channel->in->ring + cell->at : NULL;
  }
  const struct rs_shm_view *view = rs_shm_view_find(channel->peer, cell->region);
  *bytes = rs_min_size(left, DIRECT_PIECE_BYTES);
  if (view == NULL || cell->message_bytes > view->bytes || cell->at > view->bytes - cell->message_bytes)
    return NULL;
  return view->address + cell->at + (cell->message_bytes - left);
}

static void tell(struct rs_shm_channel *channel, bool now) {
  if (!now && channel->received - channel->told < UNTOLD_MAX)
    return;
  channel->told = channel->received;
  atomic_store(&channel->in->taken, channel->received);
  wake(channel->peer);
}

static enum rs_status receive_piece(const struct rs_shm_device *shm, struct rs_shm_channel *channel, struct sink *sink,
                                    bool *moved, struct rs_error *error) {
  struct rs_shm_queue *queue = &channel->receive;
  *moved = false;
  if (queue_empty(queue) || sink->count == sink->max || !has_arrived(channel))
    return RS_OK;
  const struct rs_shm_cell *cell = &channel->in->cells[channel->received % RS_SHM_CELLS];
  const struct rs_shm_post *post = queue_first(queue);
  if (check_length(shm, channel, cell, post, error) < 0)
    return error->status;
  size_t bytes, left = post->bytes - queue->done;
  const uint8_t *piece = find_piece(shm, channel, cell, left, &bytes);
  if (piece == NULL || bytes == 0)
    return rs_error_set(error, RS_ERROR_PEER,
                        "shm: a piece of kind %u from rank %zu on lane %zu, with %zu bytes left of a message, is not "
                        "within the memory that the two share; this is a bug in ringside, or no memory was left to map",
                        cell->kind, channel->peer->rank, channel->lane, left);
  if (post->taker)
    post->taker->take(post->taker->state, post->cookie, queue->done, piece, bytes);
  else
    rs_kernel_copy(post->data + queue->done, piece, bytes);
  queue->done += bytes;
  if (cell->kind != RS_SHM_DIRECT || bytes == left) {
    channel->received++;
    tell(channel, cell->kind != RS_SHM_INLINE);
  }
  if (bytes == left) {
    queue->done = 0;
    queue_pop(queue, sink);
  }
  *moved = true;
  return RS_OK;
}

// ---- posts ------------------------------------------------------------------------------------------------

static struct rs_shm_channel *find_channel(const struct rs_shm_device *shm, size_t peer, size_t lane,
                                           struct rs_error *error) {
  if (peer < shm->rank_count && lane < shm->lanes && shm->peers && shm->peers[peer].stage == RS_SHM_JOINED)
    return &shm->peers[peer].channels[lane];
  rs_error_set(error, RS_ERROR_INTERNAL, "shm: no connection with rank %zu on lane %zu", peer, lane);
  return NULL;
}

enum rs_status rs_shm_post_send(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error) {
  struct rs_shm_device *shm = rs_shm_device_of(device);
  struct rs_shm_channel *channel = find_channel(shm, peer, lane, error);
  if (channel == NULL)
    return error->status;
  assert(bytes > 0 && offset <= region->bytes && bytes <= region->bytes - offset);
  struct rs_shm_queue *queue = &channel->send;
  struct rs_shm_post post = {.data = region->address + offset, .bytes = bytes, .cookie = cookie};
  if (queue_full(queue))
    return RS_BUSY;
  if (bytes >= shm->direct_bytes && rs_shm_region_tell(region, channel->peer))
    post.direct = region;
  size_t placed = queue->turn == queue->head ? place(shm, channel, &post, 0) : 0;
  if (placed == bytes && post.direct == NULL)
    return RS_OK;
  post.until = channel->placed;
  queue_push(queue, &post);
  if (placed == bytes)
    queue->turn++;
  else if (placed > 0)
    queue->done = placed;
  activate(shm, channel);
  return RS_IN_PROGRESS;
}

static enum rs_status expect(struct rs_shm_device *shm, size_t peer, size_t lane, const struct rs_shm_post *post,
                             struct rs_error *error) {
  struct rs_shm_channel *channel = find_channel(shm, peer, lane, error);
  if (channel == NULL)
    return error->status;
  if (queue_full(&channel->receive))
    return RS_BUSY;
  queue_push(&channel->receive, post);
  activate(shm, channel);
  return RS_IN_PROGRESS;
}

enum rs_status rs_shm_post_recv(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error) {
  assert(bytes > 0 && offset <= region->bytes && bytes <= region->bytes - offset);
  const struct rs_shm_post post = {.data = region->address + offset, .bytes = bytes, .cookie = cookie};
  return expect(rs_shm_device_of(device), peer, lane, &post, error);
}

enum rs_status rs_shm_post_take(struct rs_device *device, size_t peer, size_t lane, const struct rs_taker *taker,
                                size_t bytes, uint64_t cookie, struct rs_error *error) {
  assert(bytes > 0);
  const struct rs_shm_post post = {.taker = taker, .bytes = bytes, .cookie = cookie};
  return expect(rs_shm_device_of(device), peer, lane, &post, error);
}

// ---- progress ---------------------------------------------------------------------------------------------

static bool is_owed(const struct rs_shm_channel *channel) {
  return !queue_empty(&channel->receive) || !queue_empty(&channel->send);
}

static enum rs_status lost(const struct rs_shm_channel *channel, struct rs_error *error) {
  unsigned long long receives = channel->receive.head - channel->receive.tail;
  unsigned long long sends = channel->send.head - channel->send.tail;
  return rs_error_set(error, RS_ERROR_PEER,
                      "shm: rank %zu (process %u) has closed its device, or died, while %llu receive%s and %llu send%s "
                      "were outstanding on lane %zu; look at its own message",
                      channel->peer->rank, channel->peer->process, receives, receives == 1 ? "" : "s", sends,
                      sends == 1 ? "" : "s", channel->lane);
}

// Moves what can be moved on one channel, within its turn.
static enum rs_status advance(struct rs_shm_device *shm, struct rs_shm_channel *channel, struct sink *sink, bool *moved,
                              struct rs_error *error) {
  bool gone = channel->peer->gone;
  for (size_t i = 0; i < TURN_PIECES; i++) {
    bool received;
    if (receive_piece(shm, channel, sink, &received, error) < 0)
      return error->status;
    bool sent = send_piece(shm, channel, sink);
    if (!received && !sent)
      return gone && is_owed(channel) && sink->count < sink->max ? lost(channel, error) : RS_OK;
    *moved = true;
  }
  return RS_OK;
}

static void set_asleep(struct rs_shm_device *shm, bool asleep) {
  for (size_t i = 0; i < shm->active_count; i++)
    atomic_store(&shm->active[i]->peer->mine->asleep, asleep);
  shm->armed = asleep;
}

enum rs_status rs_shm_progress(struct rs_device *device, struct rs_completion *completions, size_t max, size_t *count,
                               struct rs_error *error) {
  struct rs_shm_device *shm = rs_shm_device_of(device);
  struct sink sink = {completions, max, 0};
  bool moved = false;
  if (shm->armed)
    set_asleep(shm, false);
  for (size_t left = shm->active_count; left > 0 && sink.count < max; left--) {
    if (shm->next >= shm->active_count)
      shm->next = 0;
    struct rs_shm_channel *channel = shm->active[shm->next];
    if (advance(shm, channel, &sink, &moved, error) < 0)
      return error->status;
    if (is_owed(channel)) {
      shm->next++;
      continue;
    }
    channel->active = false;
    shm->active[shm->next] = shm->active[--shm->active_count];
  }
  *count = sink.count;
  shm->idle = moved ? 0 : shm->idle + 1;
  if (shm->idle == IDLE_LOOK) {
    shm->idle = 0;
    rs_shm_look(shm);
  }
  return RS_OK;
}

// Whether progress would do anything.
static bool has_work(const struct rs_shm_device *shm, struct rs_shm_channel *channel) {
  size_t ring_bytes;
  uint64_t begin;
  if (channel->peer->gone || (!queue_empty(&channel->receive) && has_arrived(channel)))
    return true;
  struct rs_shm_queue *queue = &channel->send;
  if (first_is_sent(channel))
    return true;
  if (queue->turn == queue->head)
    return false;
  (void)next_piece(shm, &queue->posts[queue->turn % RS_SHM_POSTS_MAX], queue->done, &ring_bytes);
  return has_room(shm, channel, ring_bytes, &begin);
}

enum rs_status rs_shm_arm(struct rs_device *device, struct rs_error *error) {
  (void)error;
  struct rs_shm_device *shm = rs_shm_device_of(device);
  rs_shm_look(shm);
  set_asleep(shm, true);
  for (size_t i = 0; i < shm->active_count; i++)
    if (has_work(shm, shm->active[i])) {
      set_asleep(shm, false);
      return RS_BUSY;
    }
  return RS_OK;
}
