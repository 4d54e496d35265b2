// loop: ranks of one process. Messages are copied by the receiver from the sender's buffer into its own, at once, or in
// segments that land in random order and late, with faults when asked for. A message is taken only when its receive is
// posted, so the credit for what arrives unposted is zero: the strictest case of the contract.
#include "transport/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LOOP_POSTS_MAX 64u

// The i-th send of a channel and the i-th receive share a slot. A slot is retired when it has landed and every earlier
// one is retired.
struct loop_slot {
  const uint8_t *source;
  uint8_t *target;
  size_t source_bytes, target_bytes, landed;
  uint64_t send_cookie, recv_cookie;
  uint64_t first_segment; // with reordering: where the walk over all segments starts, see segment_at
  int64_t due_ns;         // on a slow link: not before; 0: not known yet
  bool complete;
};

// One direction of one lane between two ranks. Counters only grow; the slot of message i is i mod LOOP_POSTS_MAX.
struct loop_channel {
  uint64_t sends, recvs, retired;
  bool withdrawn; // the sender has given up memory from which a message was still to be taken
  struct loop_slot slots[LOOP_POSTS_MAX];
};

// Completions that the other side produced for this device.
struct loop_device {
  struct rs_device base;
  struct rs_loop_hub *hub;
  struct rs_loop_options options;
  size_t rank, lanes;
  struct loop_channel **in; // [peer * lanes + lane]: what peers send here; NULL until connected
  struct rs_random random;
  struct loop_fault fault;
  uint64_t landings; // counted for corrupt_at
  int event;
  int64_t timeout_ns, connect_by_ns; // 0: not begun
  // Guarded by the hub's lock.
  bool broken;      // could not connect
  size_t lost_peer; // 1 + a rank that has closed its device and not taken what was sent; 0: none
  bool armed;
  struct rs_completion *completed;
  size_t completed_first, completed_count, completed_capacity;
  size_t owed; // posts whose completion was not fetched yet: at most completed_capacity
};

struct rs_loop_hub {
  pthread_mutex_t lock;
  size_t rank_count;
  struct loop_device **devices; // per rank; NULL: not open
};

struct rs_region {
  uint8_t *address;
  size_t bytes;
};

enum rs_status rs_loop_hub_open(size_t rank_count, struct rs_loop_hub **hub, struct rs_error *error) {
  struct rs_loop_hub *opened = rs_allocate(1, sizeof *opened, "loop hub", error);
  if (opened == NULL)
    return error->status;
  opened->devices = rs_allocate(rank_count, sizeof(struct loop_device *), "loop hub", error);
  if (opened->devices == NULL) {
    free(opened);
    return error->status;
  }
  opened->rank_count = rank_count;
  pthread_mutex_init(&opened->lock, NULL);
  *hub = opened;
  return RS_OK;
}

void rs_loop_hub_close(struct rs_loop_hub *hub) {
  if (hub == NULL)
    return;
  pthread_mutex_destroy(&hub->lock);
  free(hub->devices);
  free(hub);
}

static enum rs_status loop_open(const struct rs_transport_params *params, struct rs_device **device,
                                struct rs_error *error) {
  if (params->hub == NULL && params->rank_count > 1)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "transport loop reaches only ranks of one process, and this launch has %zu processes; use "
                        "transport=tcp, or run without mpirun and with --set run.threads=%zu",
                        params->rank_count, params->rank_count);
  struct loop_fault fault;
  loop_fault_init(&fault, params->options, params->rank);
  if (loop_fault_call(&fault, LOOP_FAIL_OPEN, SIZE_MAX, error) < 0)
    return error->status;
  struct loop_device *opened = rs_allocate(1, sizeof *opened, "loop device", error);
  if (opened == NULL)
    return error->status;
  opened->fault = fault;
  opened->base.transport = &rs_transport_loop;
  opened->hub = params->hub;
  opened->options = *(const struct rs_loop_options *)params->options;
  opened->rank = params->rank;
  opened->lanes = params->lanes;
  opened->timeout_ns = params->timeout_ns;
  opened->random.state = rs_hash64(opened->options.seed) + params->rank;
  opened->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (opened->event < 0) {
    rs_error_set_errno(error, RS_ERROR_IO, errno, "loop: eventfd");
    goto free_device;
  }
  size_t channels = params->rank_count * params->lanes;
  opened->in = rs_allocate(channels, sizeof(struct loop_channel *), "loop channels", error);
  if (opened->in == NULL)
    goto close_event;
  // Every slot of every channel in both directions can wait for its completion to be fetched.
  opened->completed_capacity = 2 * channels * LOOP_POSTS_MAX;
  opened->completed = rs_allocate(opened->completed_capacity, sizeof *opened->completed, "loop completions", error);
  if (opened->completed == NULL)
    goto free_channels;
  if (opened->hub) {
    pthread_mutex_lock(&opened->hub->lock);
    opened->hub->devices[params->rank] = opened;
    pthread_mutex_unlock(&opened->hub->lock);
  }
  *device = &opened->base;
  return RS_OK;
free_channels:
  free(opened->in);
close_event:
  close(opened->event);
free_device:
  free(opened);
  return error->status;
}

// Needs the hub's lock.
static void wake(struct loop_device *device) {
  if (!device->armed)
    return;
  device->armed = false;
  uint64_t one = 1;
  // A full counter means that the sleeper is awake already.
  (void)!write(device->event, &one, sizeof one);
}

// Who waits for this device hears that it is gone; needs the hub's lock.
static void take_leave(const struct loop_device *loop) {
  struct rs_loop_hub *hub = loop->hub;
  hub->devices[loop->rank] = NULL;
  for (size_t i = 0; i < hub->rank_count * loop->lanes; i++) {
    struct loop_device *sender = hub->devices[i / loop->lanes];
    if (sender && loop->in[i] && loop->in[i]->sends > loop->in[i]->retired)
      sender->lost_peer = loop->rank + 1;
    if (sender)
      wake(sender);
  }
}

static void loop_close(struct rs_device *device) {
  struct loop_device *loop = (struct loop_device *)device;
  if (loop == NULL)
    return;
  size_t channels = 0;
  if (loop->hub) {
    pthread_mutex_lock(&loop->hub->lock);
    take_leave(loop);
    pthread_mutex_unlock(&loop->hub->lock);
    channels = loop->hub->rank_count * loop->lanes;
  }
  for (size_t i = 0; i < channels; i++)
    free(loop->in[i]);
  free(loop->in);
  free(loop->completed);
  close(loop->event);
  free(loop);
}

static void loop_limits(const struct rs_device *device, struct rs_limits *limits) {
  (void)device;
  *limits = (struct rs_limits){.message_bytes_max = SIZE_MAX,
                               .posts_max = LOOP_POSTS_MAX,
                               .moves_data = true,
                               .can_sleep = true,
                               .in_process = true,
                               .slowdown = 1};
}

static void loop_facts(const struct rs_device *device, struct rs_device_facts *facts) {
  (void)device;
  *facts = (struct rs_device_facts){.interface = "memory", .numa_node = -1};
}

static void loop_address(const struct rs_device *device, uint8_t blob[RS_ADDRESS_BYTES_MAX]) {
  (void)device, (void)blob;
}

// Makes this side's channels with a peer and looks for the other's; needs the hub's lock.
static enum rs_status connect_peer(struct loop_device *loop, size_t peer, struct rs_error *error) {
  for (size_t i = peer * loop->lanes; i < (peer + 1) * loop->lanes; i++) {
    if (loop->in[i] == NULL)
      loop->in[i] = rs_allocate(1, sizeof(struct loop_channel), "loop channel", error);
    if (loop->in[i] == NULL)
      return error->status;
  }
  const struct loop_device *other = loop->hub->devices[peer];
  if (other && other->in[loop->rank * loop->lanes + loop->lanes - 1])
    return RS_OK;
  if (other && other->broken)
    return rs_error_set(error, RS_ERROR_LEFT, "loop: rank %zu could not connect; look for its own message", peer);
  if (loop->timeout_ns > 0 && rs_clock_ns() > loop->connect_by_ns)
    return rs_error_set(error, RS_ERROR_TIMEOUT, "loop: rank %zu did not connect within %.3g s; is it alive?", peer,
                        (double)loop->timeout_ns / 1e9);
  return RS_IN_PROGRESS;
}

static enum rs_status loop_connect(struct rs_device *device, const uint8_t *addresses, const bool *peers,
                                   struct rs_error *error) {
  (void)addresses;
  struct loop_device *loop = (struct loop_device *)device;
  if (loop->hub == NULL)
    return RS_OK;
  struct rs_loop_hub *hub = loop->hub;
  if (loop->connect_by_ns == 0)
    loop->connect_by_ns = rs_clock_ns() + loop->timeout_ns;
  enum rs_status status = loop_fault_call(&loop->fault, LOOP_FAIL_CONNECT, SIZE_MAX, error);
  pthread_mutex_lock(&hub->lock);
  for (size_t peer = 0; peer < hub->rank_count && status >= 0; peer++) {
    enum rs_status one = peers[peer] && peer != loop->rank ? connect_peer(loop, peer, error) : RS_OK;
    status = one == RS_OK ? status : one;
  }
  loop->broken = status < 0;
  pthread_mutex_unlock(&hub->lock);
  return status;
}

static enum rs_status loop_register(struct rs_device *device, const struct rs_buffer *buffer, struct rs_region **region,
                                    struct rs_error *error) {
  struct loop_device *loop = (struct loop_device *)device;
  if (loop_fault_call(&loop->fault, LOOP_FAIL_REGISTER, SIZE_MAX, error) < 0)
    return error->status;
  struct rs_region *opened = rs_allocate(1, sizeof *opened, "loop region", error);
  if (opened == NULL)
    return error->status;
  *opened = (struct rs_region){buffer->address, buffer->bytes};
  *region = opened;
  return RS_OK;
}

static void withdraw(struct loop_channel *channel, const struct rs_region *region) {
  for (uint64_t i = channel->retired; i < channel->sends; i++) {
    const struct loop_slot *slot = &channel->slots[i % LOOP_POSTS_MAX];
    channel->withdrawn |=
        !slot->complete && slot->source >= region->address && slot->source < region->address + region->bytes;
  }
}

// A rank that has failed gives up its memory with sends outstanding, which peers may not touch from then on.
static void loop_deregister(struct rs_device *device, struct rs_region *region) {
  struct loop_device *loop = (struct loop_device *)device;
  struct rs_loop_hub *hub = region ? loop->hub : NULL;
  if (hub)
    pthread_mutex_lock(&hub->lock);
  for (size_t i = 0; hub && i < hub->rank_count * loop->lanes; i++) {
    const struct loop_device *other = hub->devices[i / loop->lanes];
    struct loop_channel *channel = other ? other->in[loop->rank * loop->lanes + i % loop->lanes] : NULL;
    if (channel)
      withdraw(channel, region);
  }
  if (hub)
    pthread_mutex_unlock(&hub->lock);
  free(region);
}

// Needs the hub's lock.
static void complete(struct loop_device *device, uint64_t cookie) {
  size_t last = (device->completed_first + device->completed_count) % device->completed_capacity;
  device->completed[last].cookie = cookie;
  device->completed_count++;
  wake(device);
}

static enum rs_status gone(size_t peer, struct rs_error *error) {
  return rs_error_set(error, RS_ERROR_LEFT,
                      "loop: rank %zu has closed its device or given up its memory; look for its own message", peer);
}

static enum rs_status loop_post_send(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                     size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error) {
  struct loop_device *loop = (struct loop_device *)device;
  if (loop_fault_call(&loop->fault, LOOP_FAIL_SEND, peer, error) < 0)
    return error->status;
  if (loop_fault_refuses(&loop->fault))
    return RS_BUSY;
  enum rs_status status = RS_IN_PROGRESS;
  pthread_mutex_lock(&loop->hub->lock);
  struct loop_device *other = loop->hub->devices[peer];
  if (other == NULL) {
    status = gone(peer, error);
    goto unlock;
  }
  struct loop_channel *channel = other->in[loop->rank * loop->lanes + lane];
  if (channel->sends - channel->retired == LOOP_POSTS_MAX || loop->owed == loop->completed_capacity) {
    status = RS_BUSY;
    goto unlock;
  }
  struct loop_slot *slot = &channel->slots[channel->sends++ % LOOP_POSTS_MAX];
  slot->source = region->address + offset;
  slot->source_bytes = bytes;
  slot->send_cookie = cookie;
  loop->owed++;
  wake(other);
unlock:
  pthread_mutex_unlock(&loop->hub->lock);
  return status;
}

static enum rs_status loop_post_recv(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                     size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error) {
  struct loop_device *loop = (struct loop_device *)device;
  if (loop_fault_call(&loop->fault, LOOP_FAIL_RECV, peer, error) < 0)
    return error->status;
  if (loop_fault_refuses(&loop->fault))
    return RS_BUSY;
  struct loop_channel *channel = loop->in[peer * loop->lanes + lane];
  enum rs_status status = RS_BUSY;
  pthread_mutex_lock(&loop->hub->lock);
  if (channel->recvs - channel->retired < LOOP_POSTS_MAX && loop->owed < loop->completed_capacity) {
    struct loop_slot *slot = &channel->slots[channel->recvs++ % LOOP_POSTS_MAX];
    slot->target = region->address + offset;
    slot->target_bytes = bytes;
    slot->recv_cookie = cookie;
    loop->owed++;
    status = RS_IN_PROGRESS;
  }
  pthread_mutex_unlock(&loop->hub->lock);
  return status;
}

// Segments of a message in an order that looks random: the k-th is (start + k * stride) mod segments, with a stride
// that has no factor in common with their number.
static size_t segment_at(const struct loop_slot *slot, size_t segments, size_t k) {
  size_t stride = segments > 2 ? segments / 2 + 1 : 1;
  while (segments > 2) {
    size_t a = stride, b = segments;
    while (b != 0) {
      size_t rest = a % b;
      a = b;
      b = rest;
    }
    if (a == 1)
      break;
    stride++;
  }
  return (slot->first_segment + k * stride) % segments;
}

// Lands one piece of a message whose send and receive are both there; needs the hub's lock.
static enum rs_status land(struct loop_device *loop, size_t peer, struct loop_slot *slot, struct rs_error *error) {
  if (slot->source_bytes != slot->target_bytes)
    return rs_error_set(error, RS_ERROR_PEER, "loop: rank %zu sent %zu bytes where rank %zu expected %zu", peer,
                        slot->source_bytes, loop->rank, slot->target_bytes);
  loop->landings++;
  if (loop_fault_call(&loop->fault, LOOP_FAIL_LANDING, peer, error) < 0)
    return error->status;
  size_t piece = loop->options.reorder ? loop->options.segment : slot->source_bytes;
  size_t segments = rs_divide_up(slot->source_bytes, piece);
  if (slot->landed == 0)
    slot->first_segment = loop->options.reorder ? rs_random_below(&loop->random, segments) : 0;
  size_t first = segment_at(slot, segments, slot->landed++) * piece;
  size_t bytes = rs_min_size(piece, slot->source_bytes - first);
  memcpy(slot->target + first, slot->source + first, bytes);
  if (loop->landings ==
      loop->options.corrupt_at) // the highest byte of an element: what is flipped below may round away
    slot->target[first + rs_min_size(bytes / 2 | 7, bytes - 1)] ^= 0x10;
  slot->complete = slot->landed == segments;
  return RS_OK;
}

// Whether a message may land yet.
static bool is_due(const struct loop_device *loop, size_t peer, struct loop_slot *slot) {
  const struct rs_loop_options *options = &loop->options;
  if (options->slow_ns == 0 || options->slow_from != peer || options->slow_to != loop->rank)
    return true;
  if (slot->due_ns == 0)
    slot->due_ns = rs_clock_ns() + options->slow_ns;
  return rs_clock_ns() >= slot->due_ns;
}

// Lands what can be landed on one channel; needs the hub's lock.
static enum rs_status progress_channel(struct loop_device *loop, size_t peer, struct loop_channel *channel,
                                       struct rs_error *error) {
  uint64_t paired = channel->sends < channel->recvs ? channel->sends : channel->recvs;
  if (channel->withdrawn || (channel->recvs > channel->sends && loop->hub->devices[peer] == NULL))
    return gone(peer, error);
  for (uint64_t i = channel->retired; i < paired; i++) {
    struct loop_slot *slot = &channel->slots[i % LOOP_POSTS_MAX];
    while (!slot->complete && is_due(loop, peer, slot)) {
      if (loop->options.delay && rs_random_below(&loop->random, loop->options.delay + 1) != 0)
        break;
      // With reordering the next landing may well be one of another message.
      if (loop->options.reorder && i + 1 < paired && rs_random_below(&loop->random, 2) == 0)
        break;
      enum rs_status status = land(loop, peer, slot, error);
      if (status < 0)
        return status;
      if (slot->complete) {
        complete(loop, slot->recv_cookie);
        if (loop->hub->devices[peer])
          complete(loop->hub->devices[peer], slot->send_cookie);
      }
    }
  }
  while (channel->retired < paired && channel->slots[channel->retired % LOOP_POSTS_MAX].complete) {
    channel->slots[channel->retired % LOOP_POSTS_MAX] = (struct loop_slot){0};
    channel->retired++;
  }
  return RS_OK;
}

static enum rs_status loop_progress(struct rs_device *device, struct rs_completion *completions, size_t max,
                                    size_t *count, struct rs_error *error) {
  struct loop_device *loop = (struct loop_device *)device;
  *count = 0;
  if (loop->hub == NULL || loop->fault.silent)
    return RS_OK;
  pthread_mutex_lock(&loop->hub->lock);
  enum rs_status status = loop->lost_peer ? gone(loop->lost_peer - 1, error) : RS_OK;
  loop->armed = false;
  for (size_t i = 0; i < loop->hub->rank_count * loop->lanes && status == RS_OK; i++)
    if (loop->in[i])
      status = progress_channel(loop, i / loop->lanes, loop->in[i], error);
  while (*count < max && loop->completed_count > 0) {
    completions[(*count)++] = loop->completed[loop->completed_first];
    loop->completed_first = (loop->completed_first + 1) % loop->completed_capacity;
    loop->completed_count--;
    loop->owed--;
  }
  pthread_mutex_unlock(&loop->hub->lock);
  return status;
}

static bool anything_to_do(const struct loop_device *loop) {
  if (loop->completed_count > 0)
    return true;
  for (size_t i = 0; i < loop->hub->rank_count * loop->lanes; i++) {
    const struct loop_channel *channel = loop->in[i];
    if (channel && channel->sends > channel->retired && channel->recvs > channel->retired)
      return true;
  }
  return false;
}

static enum rs_status loop_arm(struct rs_device *device, struct rs_error *error) {
  (void)error;
  struct loop_device *loop = (struct loop_device *)device;
  if (loop->hub == NULL)
    return RS_OK;
  uint64_t old;
  (void)!read(loop->event, &old, sizeof old); // what woke us before
  // Nothing else would wake who was refused for no reason.
  if (loop->fault.refused) {
    loop->fault.refused = false;
    return RS_BUSY;
  }
  pthread_mutex_lock(&loop->hub->lock);
  loop->armed = !anything_to_do(loop);
  enum rs_status status = loop->armed ? RS_OK : RS_BUSY;
  pthread_mutex_unlock(&loop->hub->lock);
  return status;
}

static int loop_event_fd(const struct rs_device *device) {
  return ((const struct loop_device *)device)->event;
}

const struct rs_transport rs_transport_loop = {
    .name = "loop",
    .summary = "ranks of one process, by memory copy; can reorder, delay and fail by seed",
    .options = loop_option_table,
    .option_bytes = sizeof(struct rs_loop_options),
    .open = loop_open,
    .close = loop_close,
    .limits = loop_limits,
    .facts = loop_facts,
    .address = loop_address,
    .connect = loop_connect,
    .register_memory = loop_register,
    .deregister_memory = loop_deregister,
    .post_send = loop_post_send,
    .post_recv = loop_post_recv,
    .progress = loop_progress,
    .arm = loop_arm,
    .event_fd = loop_event_fd,
};
