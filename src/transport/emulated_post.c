// Posted messages. The inner transport moves the bytes at once; the queues say when that may be seen.
//
//   post_send ─► inner send, and quantum by quantum into the queues and the ring ─► done when the last one has left
//   post_recv ─► inner receive, and quantum by quantum out of the ring ───────────► done when the last one is there
//
// The i-th message of a flow is the i-th receive, so nothing but lengths and times is in the ring.
#include "transport/emulated_device.h"

#include <sched.h>

#define PS_PER_NS 1000
#define SPIN_PS INT64_C(60000000)     // what a timer may be late is waited for awake
#define BLOCKED_PS INT64_C(100000000) // how often a sender looks at a full ring
#define NEVER_PS INT64_MAX
#define INNER_COMPLETIONS 32

static int64_t later(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static void at_most(int64_t *time_ps, int64_t value_ps) {
  if (value_ps < *time_ps)
    *time_ps = value_ps;
}

static int64_t now_ps(const struct rs_emulated_device *emulated) {
  return (rs_clock_ns() - emulated->segment.head->epoch_ns) * PS_PER_NS;
}

// ---- lists ------------------------------------------------------------------------------------------------

static void list_add(struct rs_emulated_list *list, struct rs_emulated_channel *channel, bool *listed) {
  if (!*listed)
    list->items[list->count++] = channel;
  *listed = true;
}

// The last one takes its place.
static void list_remove(struct rs_emulated_list *list, size_t i, bool *listed) {
  list->items[i] = list->items[--list->count];
  *listed = false;
}

// ---- sending ----------------------------------------------------------------------------------------------

// When a receiver needs to look at a quantum.
static int64_t attention_ps(const struct rs_emulated_quantum *quantum) {
  return quantum->last ? quantum->tail_ps - SPIN_PS : quantum->head_ps;
}

// The order matters: the quantum, the news of it, and only then a look at who sleeps. A receiver writes that it sleeps,
// and only then looks for news; so one of the two sees the other.
static void announce(const struct rs_emulated_device *emulated, struct rs_emulated_channel *channel,
                     const struct rs_emulated_quantum *quantum) {
  rs_emulated_ring_push(&emulated->segment, channel->ring_out, quantum);
  size_t bit = emulated->rank * emulated->lanes + channel->lane;
  atomic_fetch_or(&rs_emulated_segment_news(&emulated->segment, channel->peer)[bit / 64], UINT64_C(1) << bit % 64);
  struct rs_emulated_sleeper *sleeper = rs_emulated_segment_sleeper(&emulated->segment, channel->peer);
  if (attention_ps(quantum) < atomic_load(&sleeper->wake_ps) &&
      atomic_exchange(&sleeper->wake_ps, RS_EMULATED_AWAKE) != RS_EMULATED_AWAKE)
    rs_emulated_bell_ring(&emulated->bell, channel->peer);
}

// Sends the flow's next quantum, if it has one and may send now.
static bool send_quantum(const struct rs_emulated_device *emulated, struct rs_emulated_channel *channel, int64_t now) {
  if (channel->send_begun == channel->send_posted || rs_emulated_flow_next(&channel->flow, &channel->path_out) > now)
    return false;
  struct rs_emulated_outgoing *post = &channel->sends[channel->send_begun % RS_EMULATED_POSTS_MAX];
  bool was_blocked = channel->blocked;
  channel->blocked = rs_emulated_ring_full(&emulated->segment, channel->ring_out);
  if (channel->blocked)
    return false;
  if (was_blocked) // the receiver has held it up, and that time is not to be made good
    post->ready_ps = later(post->ready_ps, now);
  if (post->unsent == post->bytes)
    rs_emulated_flow_begin(&channel->flow, &channel->path_out);
  size_t bytes = rs_min_size(post->unsent, channel->path_out.quantum_bytes);
  struct rs_emulated_quantum quantum;
  post->left_ps = rs_emulated_send(&channel->flow, &channel->path_out, post->ready_ps, bytes, &quantum);
  post->unsent -= bytes;
  quantum.last = post->unsent == 0;
  channel->send_begun += quantum.last;
  announce(emulated, channel, &quantum);
  return true;
}

// All flows in turn, a quantum each, for as long as one may.
static void send_all(struct rs_emulated_device *emulated, int64_t now) {
  bool moved;
  do {
    moved = false;
    for (size_t i = 0; i < emulated->sending.count; i++)
      moved |= send_quantum(emulated, emulated->sending.items[i], now);
  } while (moved);
}

// ---- arriving ---------------------------------------------------------------------------------------------

static bool any_news(const struct rs_emulated_device *emulated) {
  for (size_t w = 0; w < emulated->segment.shape.news_words; w++)
    if (atomic_load(&emulated->news[w]) != 0)
      return true;
  return false;
}

static void take_news(struct rs_emulated_device *emulated) {
  for (size_t w = 0; w < emulated->segment.shape.news_words; w++) {
    if (atomic_load_explicit(&emulated->news[w], memory_order_relaxed) == 0)
      continue;
    for (uint64_t bits = atomic_exchange(&emulated->news[w], 0); bits != 0; bits &= bits - 1) {
      struct rs_emulated_channel *channel = emulated->channels[w * 64 + (size_t)__builtin_ctzll(bits)];
      list_add(&emulated->arriving, channel, &channel->in_arriving);
    }
  }
}

// The quantum at the front of a channel; NULL where there is none, or no more room for messages that nobody expects.
static const struct rs_emulated_quantum *front(const struct rs_emulated_device *emulated,
                                               const struct rs_emulated_channel *channel) {
  if (channel->arrived - channel->recv_done >= RS_EMULATED_ARRIVALS_MAX)
    return NULL;
  return rs_emulated_ring_peek(&emulated->segment, channel->ring_in);
}

static void receive_quantum(struct rs_emulated_device *emulated, struct rs_emulated_channel *channel,
                            const struct rs_emulated_quantum *quantum) {
  channel->last_due_ps = later(channel->last_due_ps, rs_emulated_receive(&channel->path_in, quantum));
  if (quantum->last)
    channel->due_ps[channel->arrived++ % RS_EMULATED_ARRIVALS_MAX] = channel->last_due_ps;
  rs_emulated_ring_pop(channel->ring_in);
  emulated->quanta++;
}

// Takes what has come so far in the order in which it came, whoever sent it: the order in which it claims the ingress.
static void receive_all(struct rs_emulated_device *emulated, int64_t now) {
  for (;;) {
    struct rs_emulated_channel *first = NULL;
    const struct rs_emulated_quantum *quantum = NULL;
    for (size_t i = 0; i < emulated->arriving.count; i++) {
      const struct rs_emulated_quantum *other = front(emulated, emulated->arriving.items[i]);
      if (other && other->head_ps <= now && (quantum == NULL || other->head_ps < quantum->head_ps)) {
        first = emulated->arriving.items[i];
        quantum = other;
      }
    }
    if (quantum == NULL)
      break;
    receive_quantum(emulated, first, quantum);
  }
  for (size_t i = emulated->arriving.count; i-- > 0;) {
    struct rs_emulated_channel *channel = emulated->arriving.items[i];
    if (rs_emulated_ring_peek(&emulated->segment, channel->ring_in) == NULL)
      list_remove(&emulated->arriving, i, &channel->in_arriving);
  }
}

// ---- completing -------------------------------------------------------------------------------------------

// Completions on their way to the caller, and the next one's time.
struct sink {
  struct rs_completion *items;
  size_t max, count;
  int64_t now, next_ps;
};

static void count_lateness(struct rs_emulated_device *emulated, int64_t late_ps) {
  size_t row = 0;
  for (int64_t bound_ps = INT64_C(1000) * PS_PER_NS; row + 1 < RS_EMULATED_LATE_CLASSES && late_ps > bound_ps;
       bound_ps *= 4)
    row++;
  emulated->late[row]++;
  emulated->messages++;
}

// Everything that the peer sent is there, its bytes are there, and still its last quantum is not.
static enum rs_status check_peer(const struct rs_emulated_device *emulated, const struct rs_emulated_channel *channel,
                                 struct rs_error *error) {
  const struct rs_emulated_sleeper *peer = rs_emulated_segment_sleeper(&emulated->segment, channel->peer);
  if (atomic_load(&peer->closed) == 0 || rs_emulated_ring_peek(&emulated->segment, channel->ring_in) != NULL)
    return RS_OK;
  return rs_error_set(error, RS_ERROR_PEER,
                      "emulated: rank %zu has closed its device in the middle of a message to rank %zu, lane %zu; look "
                      "at its own message",
                      channel->peer, emulated->rank, channel->lane);
}

static enum rs_status complete_receives(struct rs_emulated_device *emulated, struct rs_emulated_channel *channel,
                                        struct sink *sink, struct rs_error *error) {
  while (channel->recv_done < channel->recv_posted && sink->count < sink->max) {
    const struct rs_emulated_expected *post = &channel->recvs[channel->recv_done % RS_EMULATED_POSTS_MAX];
    if (!post->moved)
      return RS_OK;
    if (channel->recv_done == channel->arrived)
      return check_peer(emulated, channel, error);
    int64_t due_ps = channel->due_ps[channel->recv_done % RS_EMULATED_ARRIVALS_MAX];
    if (due_ps > sink->now) {
      at_most(&sink->next_ps, due_ps);
      return RS_OK;
    }
    count_lateness(emulated, sink->now - later(due_ps, post->posted_ps));
    sink->items[sink->count++].cookie = post->cookie;
    channel->recv_done++;
  }
  return RS_OK;
}

static void complete_sends(struct rs_emulated_channel *channel, struct sink *sink) {
  while (channel->send_done < channel->send_begun && sink->count < sink->max) {
    const struct rs_emulated_outgoing *post = &channel->sends[channel->send_done % RS_EMULATED_POSTS_MAX];
    if (!post->moved)
      return;
    if (post->left_ps > sink->now) {
      at_most(&sink->next_ps, post->left_ps);
      return;
    }
    sink->items[sink->count++].cookie = post->cookie;
    channel->send_done++;
  }
}

static enum rs_status complete_all(struct rs_emulated_device *emulated, struct sink *sink, struct rs_error *error) {
  for (size_t i = emulated->receiving.count; i-- > 0;) {
    struct rs_emulated_channel *channel = emulated->receiving.items[i];
    if (complete_receives(emulated, channel, sink, error) < 0)
      return error->status;
    if (channel->recv_done == channel->recv_posted)
      list_remove(&emulated->receiving, i, &channel->in_receiving);
  }
  for (size_t i = emulated->sending.count; i-- > 0;) {
    struct rs_emulated_channel *channel = emulated->sending.items[i];
    complete_sends(channel, sink);
    if (channel->send_done == channel->send_posted)
      list_remove(&emulated->sending, i, &channel->in_sending);
  }
  if (sink->count == sink->max) // there may be more
    sink->next_ps = sink->now;
  return RS_OK;
}

// ---- progress ---------------------------------------------------------------------------------------------

// A cookie of the inner transport: channel, slot, direction.
static uint64_t cookie_of(const struct rs_emulated_device *emulated, const struct rs_emulated_channel *channel,
                          uint64_t position, bool sends) {
  uint64_t index = channel->peer * emulated->lanes + channel->lane;
  return (index * RS_EMULATED_POSTS_MAX + position % RS_EMULATED_POSTS_MAX) * 2 + sends;
}

static enum rs_status progress_inner(struct rs_emulated_device *emulated, bool *moved, struct rs_error *error) {
  struct rs_completion completions[INNER_COMPLETIONS];
  size_t count;
  do {
    if (emulated->inner_transport->progress(emulated->inner, completions, INNER_COMPLETIONS, &count, error) < 0)
      return error->status;
    for (size_t i = 0; i < count; i++) {
      uint64_t cookie = completions[i].cookie, slot = cookie / 2 % RS_EMULATED_POSTS_MAX;
      struct rs_emulated_channel *channel = emulated->channels[cookie / 2 / RS_EMULATED_POSTS_MAX];
      *(cookie % 2 ? &channel->sends[slot].moved : &channel->recvs[slot].moved) = true;
    }
    *moved |= count > 0;
  } while (count == INNER_COMPLETIONS);
  return RS_OK;
}

static void plan_next(struct rs_emulated_device *emulated, const struct sink *sink) {
  emulated->exact_ps = sink->next_ps;
  emulated->lazy_ps = NEVER_PS;
  for (size_t i = 0; i < emulated->sending.count; i++) {
    const struct rs_emulated_channel *channel = emulated->sending.items[i];
    if (channel->send_begun < channel->send_posted)
      at_most(&emulated->lazy_ps,
              channel->blocked ? sink->now + BLOCKED_PS : rs_emulated_flow_latest(&channel->flow, &channel->path_out));
  }
  for (size_t i = 0; i < emulated->arriving.count; i++) {
    const struct rs_emulated_quantum *quantum = front(emulated, emulated->arriving.items[i]);
    if (quantum)
      at_most(quantum->last ? &emulated->exact_ps : &emulated->lazy_ps,
              quantum->last ? quantum->tail_ps : quantum->head_ps);
  }
}

static void wake_up(struct rs_emulated_device *emulated) {
  atomic_store(&emulated->sleeper->wake_ps, RS_EMULATED_AWAKE);
  rs_emulated_bell_clear(&emulated->bell);
  emulated->asleep = false;
}

void rs_emulated_stop_spinning(struct rs_emulated_device *emulated) {
  if (emulated->spinning)
    atomic_fetch_sub(&emulated->segment.head->spinners, 1);
  emulated->spinning = false;
}

enum rs_status rs_emulated_progress(struct rs_device *device, struct rs_completion *completions, size_t max,
                                    size_t *count, struct rs_error *error) {
  struct rs_emulated_device *emulated = rs_emulated_device_of(device);
  bool moved = emulated->asleep;
  *count = 0;
  if (emulated->asleep)
    wake_up(emulated);
  if (progress_inner(emulated, &moved, error) < 0)
    return error->status;
  struct sink sink = {.items = completions, .max = max, .now = now_ps(emulated), .next_ps = NEVER_PS};
  if (!moved && sink.now < emulated->exact_ps && sink.now < emulated->lazy_ps && !any_news(emulated))
    return RS_OK;
  send_all(emulated, sink.now);
  take_news(emulated);
  receive_all(emulated, sink.now);
  if (complete_all(emulated, &sink, error) < 0)
    return error->status;
  plan_next(emulated, &sink);
  if (emulated->exact_ps > sink.now + SPIN_PS)
    rs_emulated_stop_spinning(emulated);
  *count = sink.count;
  return RS_OK;
}

// ---- sleeping ---------------------------------------------------------------------------------------------

// Takes one of the places of those who may spin, of which there are as many as cores.
static bool may_spin(struct rs_emulated_device *emulated) {
  if (emulated->spinning)
    return true;
  _Atomic uint32_t *spinners = &emulated->segment.head->spinners;
  emulated->spinning = atomic_fetch_add(spinners, 1) < emulated->spinners_max;
  if (!emulated->spinning)
    atomic_fetch_sub(spinners, 1);
  return emulated->spinning;
}

enum rs_status rs_emulated_arm(struct rs_device *device, struct rs_error *error) {
  struct rs_emulated_device *emulated = rs_emulated_device_of(device);
  int64_t now = now_ps(emulated), wake_ps = emulated->exact_ps;
  if (emulated->lazy_ps <= now || emulated->exact_ps <= now)
    return RS_BUSY;
  if (wake_ps != NEVER_PS && wake_ps - SPIN_PS > now) {
    wake_ps -= SPIN_PS;
  } else if (wake_ps != NEVER_PS && may_spin(emulated)) {
    sched_yield(); // others may need this core for what is awaited
    return RS_BUSY;
  }
  at_most(&wake_ps, emulated->lazy_ps);
  rs_emulated_stop_spinning(emulated);
  emulated->asleep = true;
  enum rs_status status = emulated->inner_transport->arm(emulated->inner, error);
  if (status != RS_OK)
    return status;
  rs_emulated_bell_set(&emulated->bell, wake_ps == NEVER_PS
                                            ? INT64_MAX
                                            : emulated->segment.head->epoch_ns + (wake_ps + PS_PER_NS - 1) / PS_PER_NS);
  atomic_store(&emulated->sleeper->wake_ps, wake_ps);
  return any_news(emulated) ? RS_BUSY : RS_OK; // see announce
}

int rs_emulated_event_fd(const struct rs_device *device) {
  return ((const struct rs_emulated_device *)device)->bell.epoll_fd;
}

// ---- posting ----------------------------------------------------------------------------------------------

static enum rs_status find_channel(const struct rs_emulated_device *emulated, size_t peer, size_t lane,
                                   struct rs_emulated_channel **channel, struct rs_error *error) {
  if (emulated->phase != RS_EMULATED_UP || peer >= emulated->rank_count || lane >= emulated->lanes ||
      emulated->channels[peer * emulated->lanes + lane] == NULL)
    return rs_error_set(error, RS_ERROR_INTERNAL, "emulated: rank %zu has no connection with rank %zu, lane %zu",
                        emulated->rank, peer, lane);
  *channel = emulated->channels[peer * emulated->lanes + lane];
  return RS_OK;
}

// What was posted is looked at by the next progress.
static void note_post(struct rs_emulated_device *emulated) {
  emulated->lazy_ps = INT64_MIN;
}

enum rs_status rs_emulated_post_send(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                     size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error) {
  struct rs_emulated_device *emulated = rs_emulated_device_of(device);
  struct rs_emulated_channel *channel = NULL;
  if (find_channel(emulated, peer, lane, &channel, error) < 0)
    return error->status;
  if (channel->send_posted - channel->send_done == RS_EMULATED_POSTS_MAX)
    return RS_BUSY;
  int64_t now = now_ps(emulated);
  enum rs_status status =
      emulated->inner_transport->post_send(emulated->inner, peer, lane, region, offset, bytes,
                                           cookie_of(emulated, channel, channel->send_posted, true), error);
  if (status < 0 || status == RS_BUSY)
    return status;
  channel->sends[channel->send_posted++ % RS_EMULATED_POSTS_MAX] = (struct rs_emulated_outgoing){
      .cookie = cookie, .bytes = bytes, .unsent = bytes, .ready_ps = now, .moved = status == RS_OK};
  list_add(&emulated->sending, channel, &channel->in_sending);
  note_post(emulated);
  send_quantum(emulated, channel, now); // for a short message on an idle flow this is all
  return RS_IN_PROGRESS;
}

enum rs_status rs_emulated_post_recv(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                     size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error) {
  struct rs_emulated_device *emulated = rs_emulated_device_of(device);
  struct rs_emulated_channel *channel = NULL;
  if (find_channel(emulated, peer, lane, &channel, error) < 0)
    return error->status;
  if (channel->recv_posted - channel->recv_done == RS_EMULATED_POSTS_MAX)
    return RS_BUSY;
  enum rs_status status =
      emulated->inner_transport->post_recv(emulated->inner, peer, lane, region, offset, bytes,
                                           cookie_of(emulated, channel, channel->recv_posted, false), error);
  if (status < 0 || status == RS_BUSY)
    return status;
  channel->recvs[channel->recv_posted++ % RS_EMULATED_POSTS_MAX] =
      (struct rs_emulated_expected){.cookie = cookie, .posted_ps = now_ps(emulated), .moved = status == RS_OK};
  list_add(&emulated->receiving, channel, &channel->in_receiving);
  note_post(emulated);
  return RS_IN_PROGRESS;
}
