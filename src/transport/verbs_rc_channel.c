// The protocol between two ranks on one lane, as verbs_rc_device.h draws it: what is posted and sent.
#include "transport/verbs_rc_device.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

// ---- lists ------------------------------------------------------------------------------------------------

void rs_verbs_rc_stir(struct rs_verbs_rc_channel *channel) {
  if (channel->stirred)
    return;
  channel->stirred = true;
  channel->next_stirred = channel->device->stirred;
  channel->device->stirred = channel;
}

void rs_verbs_rc_done(struct rs_verbs_rc_device *device, struct rs_verbs_rc_post *post) {
  post->state = RS_VERBS_RC_DONE;
  post->next_done = NULL;
  *device->last_done = post;
  device->last_done = &post->next_done;
}

void rs_verbs_rc_piece_done(struct rs_verbs_rc_channel *channel, struct rs_verbs_rc_post *post) {
  if (--post->pieces_left > 0)
    return;
  rs_verbs_rc_done(channel->device, post);
  // Pieces come in any order; what counts for the other side is the first that is still to come.
  struct rs_verbs_rc_queue *recv = &channel->recv;
  while (recv->through < recv->head && rs_verbs_rc_post_at(recv, recv->through)->pieces_left == 0)
    recv->through++;
}

// ---- credits ----------------------------------------------------------------------------------------------

static uint16_t data_credits(const struct rs_verbs_rc_channel *channel) {
  uint16_t used = (uint16_t)(channel->data_used - channel->data_returned);
  return (uint16_t)(RS_VERBS_RC_DATA_CREDITS - used);
}

static uint16_t control_credits(const struct rs_verbs_rc_channel *channel) {
  uint16_t used = (uint16_t)(channel->control_used - channel->control_returned);
  return (uint16_t)(RS_VERBS_RC_CONTROL_CREDITS - used);
}

// Whether so much is owed to the peer that it should not have to wait for the next message.
static bool owes_credits(const struct rs_verbs_rc_channel *channel) {
  uint16_t data = (uint16_t)(channel->data_freed - channel->data_told);
  uint16_t control = (uint16_t)(channel->control_freed - channel->control_told);
  return data >= RS_VERBS_RC_DATA_OWED || control >= RS_VERBS_RC_CONTROL_CREDITS / 2;
}

// ---- sending ----------------------------------------------------------------------------------------------

// Sends a header and what follows it from a bounce buffer; the caller has seen to room and credit.
static enum rs_status send_message(struct rs_verbs_rc_channel *channel, enum rs_verbs_rc_kind kind, uint16_t number,
                                   uint64_t header_bytes, const void *body, size_t body_bytes, struct rs_error *error) {
  const struct rs_verbs_rc_device *device = channel->device;
  struct rs_verbs_rc_pair *pair = channel->pairs;
  const struct rs_verbs_rc_header header = {
      .kind = (uint8_t)kind,
      .number = number,
      .data_freed = channel->data_freed,
      .control_freed = channel->control_freed,
      .bytes = header_bytes,
  };
  char *slot = channel->sends + pair->posted % RS_VERBS_RC_SENDS * device->slot_bytes;
  memcpy(slot, &header, sizeof header);
  if (body_bytes > 0)
    memcpy(slot + sizeof header, body, body_bytes);
  struct ibv_sge place = {.addr = (uintptr_t)slot,
                          .length = (uint32_t)(sizeof header + body_bytes),
                          .lkey = device->ports[pair->nic].buffers->lkey};
  struct ibv_send_wr request = {
      .sg_list = &place,
      .num_sge = 1,
      .opcode = IBV_WR_SEND,
      .send_flags = place.length <= pair->inline_bytes ? IBV_SEND_INLINE : 0,
  };
  channel->data_told = channel->data_freed;
  channel->control_told = channel->control_freed;
  if (kind == RS_VERBS_RC_EAGER)
    channel->data_used++;
  else
    channel->control_used++;
  return rs_verbs_rc_pair_post(pair, &request, NULL, error);
}

static enum rs_status send_eager(struct rs_verbs_rc_channel *channel, uint64_t number, const char *data, size_t bytes,
                                 struct rs_error *error) {
  if (data_credits(channel) == 0) {
    channel->device->counts[RS_VERBS_RC_COUNT_WAITED_CREDIT]++;
    return RS_BUSY;
  }
  if (!rs_verbs_rc_pair_has_room(channel->pairs)) {
    channel->device->counts[RS_VERBS_RC_COUNT_WAITED_QUEUE]++;
    return RS_BUSY;
  }
  channel->device->counts[RS_VERBS_RC_COUNT_EAGER]++;
  return send_message(channel, RS_VERBS_RC_EAGER, (uint16_t)number, bytes, data, bytes, error);
}

// Sends the places of posts; BUSY without room or credit. The last credit is left to updates.
static enum rs_status send_targets(struct rs_verbs_rc_channel *channel, enum rs_verbs_rc_kind kind,
                                   const struct rs_verbs_rc_target *targets, size_t count, struct rs_error *error) {
  if (control_credits(channel) < 2 || !rs_verbs_rc_pair_has_room(channel->pairs))
    return RS_BUSY;
  return send_message(channel, kind, 0, count, targets, count * sizeof *targets, error);
}

static enum rs_status send_update(struct rs_verbs_rc_channel *channel, struct rs_error *error) {
  uint16_t through = (uint16_t)channel->recv.through;
  bool reads = channel->device->options.rendezvous == RS_VERBS_RC_READ && through != channel->through_told;
  bool owes = owes_credits(channel);
  if ((!owes && !reads) || control_credits(channel) < (owes ? 1 : 2) || !rs_verbs_rc_pair_has_room(channel->pairs))
    return RS_OK; // what gives room or credit stirs the channel
  channel->through_told = through;
  channel->device->counts[RS_VERBS_RC_COUNT_UPDATES]++;
  return send_message(channel, RS_VERBS_RC_UPDATE, through, 0, NULL, 0, error);
}

// ---- long messages ----------------------------------------------------------------------------------------

// Piece i of a message goes over queue pair i and starts at i steps; the last one takes the rest.
static size_t piece_count(const struct rs_verbs_rc_device *device, size_t bytes) {
  if (bytes <= device->options.eager_bytes)
    return 1;
  return rs_max_size(rs_min_size(bytes / device->options.stripe_bytes, device->options.queue_pairs), 1);
}

static size_t piece_step(size_t bytes, size_t pieces) {
  return pieces > 1 ? bytes / pieces / 64 * 64 : bytes;
}

static struct rs_verbs_rc_target target_of(const struct rs_verbs_rc_channel *channel,
                                           const struct rs_verbs_rc_post *post, uint64_t number) {
  struct rs_verbs_rc_target target = {
      .address = (uintptr_t)post->data, .bytes = post->bytes, .number = (uint32_t)number};
  for (size_t p = 0; p < channel->device->options.queue_pairs; p++)
    target.keys[p] = post->region->keys[channel->pairs[p].nic]->rkey;
  return target;
}

// Posts the RDMA requests of the queue's next post, as far as there is room: writes to `target`, or reads from it.
// BUSY: some are left for later.
static enum rs_status transfer(struct rs_verbs_rc_channel *channel, struct rs_verbs_rc_queue *queue,
                               const struct rs_verbs_rc_target *target, bool writes, struct rs_error *error) {
  struct rs_verbs_rc_device *device = channel->device;
  struct rs_verbs_rc_post *post = rs_verbs_rc_post_at(queue, queue->next);
  size_t pieces = piece_count(device, post->bytes), step = piece_step(post->bytes, pieces);
  for (; queue->piece < pieces; queue->piece++, queue->moved = 0) {
    struct rs_verbs_rc_pair *pair = &channel->pairs[queue->piece];
    size_t start = queue->piece * step, length = queue->piece + 1 == pieces ? post->bytes - start : step;
    while (queue->moved < length) {
      size_t bytes = rs_min_size(length - queue->moved, device->request_bytes);
      bool last = queue->moved + bytes == length, notifies = writes && last;
      bool takes_credit = notifies && pair->index == 0;
      if (!rs_verbs_rc_pair_has_room(pair) || (takes_credit && control_credits(channel) < 2)) {
        device->counts[RS_VERBS_RC_COUNT_WAITED_QUEUE]++;
        return RS_BUSY;
      }
      struct ibv_sge local = {.addr = (uintptr_t)post->data + start + queue->moved,
                              .length = (uint32_t)bytes,
                              .lkey = post->region->keys[pair->nic]->lkey};
      struct ibv_send_wr request = {
          .sg_list = &local,
          .num_sge = 1,
          .opcode = !writes    ? IBV_WR_RDMA_READ
                    : notifies ? IBV_WR_RDMA_WRITE_WITH_IMM
                               : IBV_WR_RDMA_WRITE,
          .wr.rdma = {.remote_addr = target->address + start + queue->moved, .rkey = target->keys[pair->index]},
      };
      if (notifies)
        request.imm_data = htonl((uint32_t)(queue->next & 0xffff) << 16 | channel->control_freed);
      if (notifies)
        channel->control_told = channel->control_freed;
      channel->control_used = (uint16_t)(channel->control_used + takes_credit);
      if (rs_verbs_rc_pair_post(pair, &request, last ? post : NULL, error) < 0)
        return error->status;
      queue->moved += bytes;
    }
  }
  queue->piece = 0;
  return RS_OK;
}

static enum rs_status announce(struct rs_verbs_rc_channel *channel, struct rs_verbs_rc_post *post, uint64_t number,
                               struct rs_error *error) {
  if (post->announced)
    return RS_OK;
  const struct rs_verbs_rc_target target = target_of(channel, post, number);
  enum rs_status status = send_targets(channel, RS_VERBS_RC_ANNOUNCE, &target, 1, error);
  post->announced = status == RS_OK;
  channel->device->counts[RS_VERBS_RC_COUNT_ANNOUNCED] += post->announced;
  return status;
}

// OK: it is under way, or announced where the receiver reads. BUSY: it waits for a grant, room or credit.
static enum rs_status start_long(struct rs_verbs_rc_channel *channel, struct rs_verbs_rc_post *post,
                                 struct rs_error *error) {
  struct rs_verbs_rc_device *device = channel->device;
  uint64_t number = channel->send.next;
  enum rs_status status;
  if (device->options.rendezvous == RS_VERBS_RC_READ) {
    status = announce(channel, post, number, error);
  } else {
    struct rs_verbs_rc_target *grant = &channel->grants[number % RS_VERBS_RC_POSTS_MAX];
    if (grant->address == 0) {
      // Grants come while others are under way. When none is, perhaps the two disagree about the length.
      bool under_way = rs_verbs_rc_post_at(&channel->send, number - 1)->state == RS_VERBS_RC_POSTED;
      status = under_way ? RS_BUSY : announce(channel, post, number, error);
      return status < 0 ? status : RS_BUSY;
    }
    if (grant->bytes != post->bytes)
      return rs_error_set(
          error, RS_ERROR_PEER,
          "verbs_rc: rank %zu sends %zu bytes as message %u to %s, which expects %llu: the two ranks do "
          "not run the same schedule",
          device->rank, post->bytes, (unsigned)number, rs_verbs_rc_peer_format(channel).text,
          (unsigned long long)grant->bytes);
    status = transfer(channel, &channel->send, grant, true, error);
    if (status == RS_OK)
      grant->address = 0;
  }
  device->counts[RS_VERBS_RC_COUNT_RENDEZVOUS] += status == RS_OK;
  return status;
}

// ---- push -------------------------------------------------------------------------------------------------

// Messages start in the order of their posts.
static enum rs_status push_sends(struct rs_verbs_rc_channel *channel, struct rs_error *error) {
  struct rs_verbs_rc_queue *send = &channel->send;
  for (; send->next < send->head; send->next++) {
    struct rs_verbs_rc_post *post = rs_verbs_rc_post_at(send, send->next);
    bool eager = post->bytes <= channel->device->options.eager_bytes;
    enum rs_status status =
        eager ? send_eager(channel, send->next, post->data, post->bytes, error) : start_long(channel, post, error);
    if (status != RS_OK)
      return status;
    if (eager)
      rs_verbs_rc_done(channel->device, post);
  }
  return RS_OK;
}

// A sender that has enough to write gets the next grants several at a time: each message costs it a packet's time.
static bool grants_can_wait(const struct rs_verbs_rc_queue *recv) {
  return recv->next >= recv->through + RS_VERBS_RC_POSTS_MAX / 4 && recv->head - recv->next < RS_VERBS_RC_BATCH;
}

static enum rs_status push_grants(struct rs_verbs_rc_channel *channel, struct rs_error *error) {
  struct rs_verbs_rc_queue *recv = &channel->recv;
  while (recv->next < recv->head && !grants_can_wait(recv)) {
    struct rs_verbs_rc_target targets[RS_VERBS_RC_BATCH];
    size_t count = 0;
    uint64_t next = recv->next;
    for (; next < recv->head && count < RS_VERBS_RC_BATCH; next++) {
      const struct rs_verbs_rc_post *post = rs_verbs_rc_post_at(recv, next);
      if (post->bytes > channel->device->options.eager_bytes)
        targets[count++] = target_of(channel, post, next);
    }
    enum rs_status status = count ? send_targets(channel, RS_VERBS_RC_GRANT, targets, count, error) : RS_OK;
    if (status != RS_OK)
      return status;
    recv->next = next;
  }
  return RS_OK;
}

static enum rs_status push_reads(struct rs_verbs_rc_channel *channel, struct rs_error *error) {
  struct rs_verbs_rc_queue *recv = &channel->recv;
  for (; recv->next < recv->head; recv->next++) {
    if (rs_verbs_rc_post_at(recv, recv->next)->bytes <= channel->device->options.eager_bytes)
      continue;
    struct rs_verbs_rc_arrival *arrival = &channel->arrivals[recv->next % RS_VERBS_RC_ARRIVALS];
    if (arrival->state != RS_VERBS_RC_ANNOUNCED)
      return RS_BUSY;
    enum rs_status status = transfer(channel, recv, &arrival->target, false, error);
    if (status != RS_OK)
      return status;
    arrival->state = RS_VERBS_RC_NOTHING;
  }
  return RS_OK;
}

enum rs_status rs_verbs_rc_push(struct rs_verbs_rc_channel *channel, struct rs_error *error) {
  bool reads = channel->device->options.rendezvous == RS_VERBS_RC_READ;
  enum rs_status status = reads ? push_reads(channel, error) : push_grants(channel, error);
  if (status >= 0)
    status = push_sends(channel, error);
  if (status >= 0)
    status = send_update(channel, error);
  return status;
}

// ---- posting ----------------------------------------------------------------------------------------------

static enum rs_status find_channel(const struct rs_verbs_rc_device *device, size_t peer, size_t lane,
                                   struct rs_verbs_rc_channel **channel, struct rs_error *error) {
  if (!device->connected || peer >= device->rank_count || lane >= device->lanes || device->peers[peer] == NULL)
    return rs_error_set(error, RS_ERROR_INTERNAL, "verbs_rc: rank %zu has no connection with rank %zu, lane %zu",
                        device->rank, peer, lane);
  *channel = &device->peers[peer][lane];
  return RS_OK;
}

static struct rs_verbs_rc_post *queue_add(const struct rs_verbs_rc_device *device, struct rs_verbs_rc_queue *queue,
                                          struct rs_region *region, size_t offset, size_t bytes, uint64_t cookie) {
  assert(bytes > 0 && offset <= region->bytes && bytes <= region->bytes - offset);
  struct rs_verbs_rc_post *post = rs_verbs_rc_post_at(queue, queue->head++);
  *post = (struct rs_verbs_rc_post){
      .queue = queue,
      .region = region,
      .data = region->address + offset,
      .bytes = bytes,
      .cookie = cookie,
      .pieces_left = piece_count(device, bytes),
      .state = RS_VERBS_RC_POSTED,
  };
  return post;
}

// A short message with nothing before it is gone when this returns. Without room or credit this looks once for what was
// given back; then the message is not taken.
enum rs_status rs_verbs_rc_post_send(struct rs_device *base, size_t peer, size_t lane, struct rs_region *region,
                                     size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error) {
  struct rs_verbs_rc_device *device = rs_verbs_rc_device_of(base);
  struct rs_verbs_rc_channel *channel = NULL;
  if (find_channel(device, peer, lane, &channel, error) < 0)
    return error->status;
  struct rs_verbs_rc_queue *send = &channel->send;
  if (send->head - send->tail == RS_VERBS_RC_POSTS_MAX)
    return RS_BUSY;
  if (send->next < send->head || bytes > device->options.eager_bytes) {
    queue_add(device, send, region, offset, bytes, cookie);
    enum rs_status status = push_sends(channel, error);
    return status < 0 ? status : RS_IN_PROGRESS;
  }
  enum rs_status status = send_eager(channel, send->next, region->address + offset, bytes, error);
  size_t handled;
  if (status == RS_BUSY && (status = rs_verbs_rc_poll(device, &handled, error)) == RS_OK)
    status = send_eager(channel, send->next, region->address + offset, bytes, error);
  if (status != RS_OK)
    return status;
  rs_verbs_rc_post_at(send, send->next)->state = RS_VERBS_RC_FREE;
  send->tail += send->tail == send->head;
  send->next = ++send->head;
  return RS_OK;
}

// A grant leaves with the next progress at the earliest, together with those of its neighbours.
enum rs_status rs_verbs_rc_post_recv(struct rs_device *base, size_t peer, size_t lane, struct rs_region *region,
                                     size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error) {
  struct rs_verbs_rc_device *device = rs_verbs_rc_device_of(base);
  struct rs_verbs_rc_channel *channel = NULL;
  if (find_channel(device, peer, lane, &channel, error) < 0)
    return error->status;
  struct rs_verbs_rc_queue *recv = &channel->recv;
  if (recv->head - recv->tail == RS_VERBS_RC_POSTS_MAX)
    return RS_BUSY;
  uint64_t number = recv->head;
  struct rs_verbs_rc_post *post = queue_add(device, recv, region, offset, bytes, cookie);
  rs_verbs_rc_stir(channel);
  return rs_verbs_rc_claim(channel, post, number, error) < 0 ? error->status : RS_IN_PROGRESS;
}
