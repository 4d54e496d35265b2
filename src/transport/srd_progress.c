#include "transport/srd_device.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

// What one step takes from the device before its caller gets the completions.
#define STEP_BATCHES 4
#define TIMERS_NS 100000
// So long after its receives were flushed, a queue pair has said why, or will not.
#define FLUSH_NS 200000000
// The keeper acts when the caller has been silent for this long. A reliable device needs it for little.
#define KEEPER_UD_NS 2000000
#define KEEPER_EFA_NS 5000000

void rs_srd_make_ready(struct rs_srd_device *srd, struct rs_srd_peer *peer) {
  if (peer->ready)
    return;
  size_t last = srd->ready_first + srd->ready_count++;
  srd->ready[last < srd->rank_count ? last : last - srd->rank_count] = peer->rank;
  peer->ready = true;
}

static struct rs_srd_peer *take_ready(struct rs_srd_device *srd) {
  struct rs_srd_peer *peer = &srd->peers[srd->ready[srd->ready_first]];
  srd->ready_first = srd->ready_first + 1 < srd->rank_count ? srd->ready_first + 1 : 0;
  srd->ready_count--;
  peer->ready = false;
  return peer;
}

void rs_srd_complete(struct rs_srd_device *srd, uint64_t cookie) {
  size_t last = (srd->completed_first + srd->completed_count++) % srd->completed_capacity;
  srd->completed[last].cookie = cookie;
}

// ---- one step ---------------------------------------------------------------------------------------------

// The peer that a segment is from; NULL: it is damaged, or from no peer of this launch.
static struct rs_srd_peer *sender_of(struct rs_srd_device *srd, const struct rs_srd_event *event,
                                     struct rs_srd_header *header) {
  if (event->bytes < RS_SRD_HEADER_BYTES ||
      (srd->checked && !rs_srd_header_intact(&srd->checksum, event->segment, event->bytes))) {
    srd->counters[RS_SRD_CORRUPTED]++;
    return NULL;
  }
  if (rs_srd_header_decode(event->segment, header) && header->source < srd->rank_count) {
    struct rs_srd_peer *peer = &srd->peers[header->source];
    if (peer->wanted && peer->connection_in == header->connection)
      return peer;
  }
  srd->counters[RS_SRD_STRANGERS]++;
  return NULL;
}

static enum rs_status hear(struct rs_srd_device *srd, struct rs_srd_peer *peer, const struct rs_srd_header *header,
                           const struct rs_srd_event *event, bool *hold, struct rs_error *error) {
  const uint8_t *payload = event->segment + RS_SRD_HEADER_BYTES;
  size_t bytes = event->bytes - RS_SRD_HEADER_BYTES;
  uint64_t bits[RS_SRD_WINDOW_WORDS] = {0};
  peer->heard_ns = srd->now_ns;
  switch (header->kind) {
  case RS_SRD_HELLO:
    rs_srd_greeting(srd, peer, header);
    return RS_OK;
  case RS_SRD_ACK:
    memcpy(bits, payload, rs_min_size(bytes, sizeof bits));
    rs_srd_link_duplicates(peer, header->offset);
    rs_srd_link_acknowledged(srd, peer, header->ack, bits);
    return RS_OK;
  case RS_SRD_DATA:
  case RS_SRD_EAGER:
  case RS_SRD_CREDIT:
  case RS_SRD_PROBE:
  case RS_SRD_KIND_COUNT:
    break;
  }
  rs_srd_link_acknowledged(srd, peer, header->ack, NULL);
  if (!rs_srd_link_arrived(srd, peer, header->sequence))
    return RS_OK;
  if (header->kind == RS_SRD_CREDIT)
    return rs_srd_message_credit(srd, peer, header, error);
  if (header->kind != RS_SRD_PROBE)
    return rs_srd_message_take(srd, peer, header, payload, bytes, event->buffer, hold, error);
  peer->ack_now = true;
  return RS_OK;
}

// A queue pair that fails gives all its receives back; the send that says why may come after them.
static enum rs_status received(struct rs_srd_device *srd, const struct rs_srd_event *event, struct rs_error *error) {
  char words[400];
  if (event->status == IBV_WC_WR_FLUSH_ERR && srd->flushed_ns == 0)
    srd->flushed_ns = srd->now_ns;
  if (event->status == IBV_WC_WR_FLUSH_ERR && srd->now_ns - srd->flushed_ns < FLUSH_NS)
    return RS_OK;
  if (event->status != IBV_WC_SUCCESS)
    return rs_error_set(error, RS_ERROR_IO, "srd: rank %zu, receiving by %s: %s", srd->rank, srd->nic.facts.interface,
                        rs_verbs_words(event->status, event->vendor_error, srd->nic.efa, words, sizeof words));
  struct rs_srd_header header;
  struct rs_srd_peer *peer = sender_of(srd, event, &header);
  bool hold = false;
  if (peer != NULL && hear(srd, peer, &header, event, &hold, error) < 0)
    return error->status;
  return hold ? RS_OK : rs_srd_wire_release(&srd->wire, event->buffer, error);
}

static enum rs_status take_events(struct rs_srd_device *srd, bool *more, struct rs_error *error) {
  size_t count = RS_SRD_BATCH;
  for (int batch = 0; batch < STEP_BATCHES && count == RS_SRD_BATCH; batch++) {
    struct rs_srd_event events[RS_SRD_BATCH];
    if (rs_srd_wire_poll(&srd->wire, events, &count, error) < 0)
      return error->status;
    for (size_t i = 0; i < count; i++)
      if ((events[i].received ? received : rs_srd_link_ended)(srd, &events[i], error) < 0)
        return error->status;
  }
  *more = count == RS_SRD_BATCH;
  return RS_OK;
}

enum rs_status rs_srd_step(struct rs_srd_device *srd, bool *more, struct rs_error *error) {
  static const struct rs_srd_event flushed = {.received = true, .status = IBV_WC_WR_FLUSH_ERR};
  if (take_events(srd, more, error) < 0)
    return error->status;
  if (srd->flushed_ns != 0 && srd->now_ns - srd->flushed_ns >= FLUSH_NS)
    return received(srd, &flushed, error);
  if (srd->now_ns - srd->timers_ns >= TIMERS_NS && rs_srd_link_timers(srd, error) < 0)
    return error->status;
  if (srd->greet_due)
    rs_srd_greet(srd);
  for (size_t turns = srd->ready_count; turns > 0; turns--)
    rs_srd_message_pump(srd, take_ready(srd));
  rs_srd_link_acknowledge(srd, false);
  rs_srd_wire_flush(&srd->wire);
  return RS_OK;
}

// ---- the keeper -------------------------------------------------------------------------------------------

// A failure is final; whoever sleeps learns of it.
static enum rs_status fail(struct rs_srd_device *srd, const struct rs_error *error) {
  uint64_t one = 1;
  srd->failure = *error;
  // The counter cannot be full.
  (void)!write(srd->failure_fd, &one, sizeof one);
  return error->status;
}

static void *keep(void *argument) {
  struct rs_srd_device *srd = argument;
  int64_t tick_ns = srd->reliable ? KEEPER_EFA_NS : KEEPER_UD_NS;
  pthread_mutex_lock(&srd->lock);
  while (!srd->stop && srd->failure.status == RS_OK) {
    int64_t due_ns = rs_clock_ns() + tick_ns;
    const struct timespec due = {.tv_sec = due_ns / 1000000000, .tv_nsec = due_ns % 1000000000};
    pthread_cond_timedwait(&srd->stop_signal, &srd->lock, &due);
    int64_t now_ns = rs_clock_ns();
    struct rs_error error = {0};
    bool more;
    if (srd->stop || srd->failure.status != RS_OK || !srd->connected || now_ns - srd->called_ns < tick_ns)
      continue;
    srd->now_ns = now_ns;
    rs_srd_link_acknowledge(srd, true);
    if (rs_srd_step(srd, &more, &error) < 0)
      fail(srd, &error);
  }
  pthread_mutex_unlock(&srd->lock);
  return NULL;
}

enum rs_status rs_srd_keeper_start(struct rs_srd_device *srd, struct rs_error *error) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_mutex_init(&srd->lock, NULL);
  pthread_cond_init(&srd->stop_signal, &attributes);
  pthread_condattr_destroy(&attributes);
  int code = pthread_create(&srd->keeper, NULL, keep, srd);
  srd->keeping = code == 0;
  if (code == 0)
    return RS_OK;
  pthread_cond_destroy(&srd->stop_signal);
  pthread_mutex_destroy(&srd->lock);
  return rs_error_set_errno(error, RS_ERROR_IO, code, "srd: no thread to be had");
}

void rs_srd_keeper_stop(struct rs_srd_device *srd) {
  if (!srd->keeping)
    return;
  pthread_mutex_lock(&srd->lock);
  srd->stop = true;
  pthread_cond_signal(&srd->stop_signal);
  pthread_mutex_unlock(&srd->lock);
  pthread_join(srd->keeper, NULL);
  pthread_cond_destroy(&srd->stop_signal);
  pthread_mutex_destroy(&srd->lock);
}

static bool queue_uses(const struct rs_srd_queue *queue, const struct rs_region *region) {
  for (uint64_t p = queue->tail; p < queue->head; p++) {
    const struct rs_srd_post *post = &queue->posts[p % RS_SRD_POSTS_MAX];
    if (post->done < post->bytes && post->data >= region->address && post->data < region->address + region->bytes)
      return true;
  }
  return false;
}

void rs_srd_memory_gone(struct rs_srd_device *srd, const struct rs_region *region) {
  bool used = false;
  struct rs_error error = {0};
  pthread_mutex_lock(&srd->lock);
  for (size_t r = 0; r < srd->rank_count; r++)
    for (size_t lane = 0; srd->peers[r].channels != NULL && lane < srd->lanes; lane++)
      used |= queue_uses(&srd->peers[r].channels[lane].send, region) ||
              queue_uses(&srd->peers[r].channels[lane].recv, region);
  if (used && srd->failure.status == RS_OK) {
    rs_error_set(&error, RS_ERROR_INTERNAL, "srd: rank %zu gave memory back while messages of it were outstanding",
                 srd->rank);
    fail(srd, &error);
  }
  pthread_mutex_unlock(&srd->lock);
}

// ---- the calls of the contract ----------------------------------------------------------------------------

// Between enter and leave the device is the caller's.
static enum rs_status enter(struct rs_srd_device *srd, struct rs_error *error) {
  pthread_mutex_lock(&srd->lock);
  if (srd->failure.status == RS_OK) {
    srd->now_ns = srd->called_ns = rs_clock_ns();
    return RS_OK;
  }
  return rs_error_set(error, srd->failure.status, "%s", srd->failure.text);
}

static enum rs_status leave(struct rs_srd_device *srd, enum rs_status status, const struct rs_error *error) {
  if (status < 0 && srd->failure.status == RS_OK)
    fail(srd, error);
  pthread_mutex_unlock(&srd->lock);
  return status;
}

static enum rs_status add_post(struct rs_srd_device *srd, size_t rank, size_t lane, bool sends,
                               const struct rs_srd_post *post, struct rs_error *error) {
  struct rs_srd_peer *peer = &srd->peers[rank];
  if (!srd->connected || rank >= srd->rank_count || lane >= srd->lanes || !peer->wanted)
    return rs_error_set(error, RS_ERROR_INTERNAL, "srd: rank %zu has no connection with rank %zu, lane %zu", srd->rank,
                        rank, lane);
  if (post->bytes > RS_SRD_MESSAGE_BYTES_MAX)
    return rs_error_set(error, RS_ERROR_USAGE, "srd: a message of %zu bytes is too long, the longest has %u",
                        post->bytes, RS_SRD_MESSAGE_BYTES_MAX);
  struct rs_srd_channel *channel = &peer->channels[lane];
  struct rs_srd_queue *queue = sends ? &channel->send : &channel->recv;
  if (queue->head - queue->tail == RS_SRD_POSTS_MAX || srd->owed == srd->completed_capacity)
    return RS_BUSY;
  queue->posts[queue->head++ % RS_SRD_POSTS_MAX] = *post;
  srd->owed++;
  if (sends) {
    peer->sends++;
    rs_srd_message_pump(srd, peer);
    return RS_IN_PROGRESS;
  }
  peer->receives++;
  if (rs_srd_message_posted(srd, peer, channel, error) < 0)
    return error->status;
  if (peer->ready) // long: the grant goes out at once
    rs_srd_message_pump(srd, peer);
  return RS_IN_PROGRESS;
}

enum rs_status rs_srd_post_send(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error) {
  struct rs_srd_device *srd = rs_srd_device_of(device);
  const struct rs_srd_post post = {
      .data = region->address + offset, .bytes = bytes, .cookie = cookie, .lkey = region->memory->lkey};
  enum rs_status status = enter(srd, error);
  return leave(srd, status < 0 ? status : add_post(srd, peer, lane, true, &post, error), error);
}

enum rs_status rs_srd_post_recv(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error) {
  struct rs_srd_device *srd = rs_srd_device_of(device);
  const struct rs_srd_post post = {.data = region->address + offset, .bytes = bytes, .cookie = cookie};
  enum rs_status status = enter(srd, error);
  return leave(srd, status < 0 ? status : add_post(srd, peer, lane, false, &post, error), error);
}

enum rs_status rs_srd_progress(struct rs_device *device, struct rs_completion *completions, size_t max, size_t *count,
                               struct rs_error *error) {
  struct rs_srd_device *srd = rs_srd_device_of(device);
  bool more;
  *count = 0;
  enum rs_status status = enter(srd, error);
  if (status == RS_OK)
    status = rs_srd_step(srd, &more, error);
  for (; status == RS_OK && *count < max && srd->completed_count > 0; srd->completed_count--) {
    completions[(*count)++] = srd->completed[srd->completed_first];
    srd->completed_first = (srd->completed_first + 1) % srd->completed_capacity;
    srd->owed--;
  }
  return leave(srd, status, error);
}

// What came before the notice was asked for is taken by the step after it; what comes later wakes the sleeper.
enum rs_status rs_srd_arm(struct rs_device *device, struct rs_error *error) {
  struct rs_srd_device *srd = rs_srd_device_of(device);
  bool more = false;
  enum rs_status status = enter(srd, error);
  if (status == RS_OK) {
    rs_srd_link_acknowledge(srd, true);
    status = rs_srd_wire_arm(&srd->wire, error);
  }
  if (status == RS_OK)
    status = rs_srd_step(srd, &more, error);
  if (status == RS_OK && (more || srd->completed_count > 0 || srd->ready_count > 0))
    status = RS_BUSY;
  return leave(srd, status, error);
}

int rs_srd_event_fd(const struct rs_device *device) {
  return ((const struct rs_srd_device *)device)->event_fd;
}
