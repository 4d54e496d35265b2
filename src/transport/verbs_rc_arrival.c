// What arrives on a channel: messages in receive buffers, and the immediates of writes.
#include "transport/verbs_rc_device.h"

#include <arpa/inet.h>
#include <string.h>

static char *slot_at(const struct rs_verbs_rc_channel *channel, uint32_t slot) {
  return channel->receives + slot * channel->device->slot_bytes;
}

static enum rs_status nonsense(const struct rs_verbs_rc_channel *channel, const char *what, struct rs_error *error) {
  return rs_error_set(error, RS_ERROR_PEER,
                      "verbs_rc: receiving from %s: %s: the ranks are out of step, which is a bug "
                      "in ringside",
                      rs_verbs_rc_peer_format(channel).text, what);
}

static enum rs_status check_length(const struct rs_verbs_rc_channel *channel, uint64_t number, uint64_t sent,
                                   uint64_t expected, struct rs_error *error) {
  if (sent == expected)
    return RS_OK;
  return rs_error_set(
      error, RS_ERROR_PEER,
      "verbs_rc: receiving from %s: message %u has %llu bytes where %llu are expected: the two ranks do "
      "not run the same schedule",
      rs_verbs_rc_peer_format(channel).text, (unsigned)number, (unsigned long long)sent, (unsigned long long)expected);
}

// ---- eager ------------------------------------------------------------------------------------------------

// Copies a message from its receive buffer, which is free then.
static enum rs_status take(struct rs_verbs_rc_channel *channel, struct rs_verbs_rc_post *post, uint64_t number,
                           uint32_t slot, uint64_t bytes, struct rs_error *error) {
  if (check_length(channel, number, bytes, post->bytes, error) < 0)
    return error->status;
  memcpy(post->data, slot_at(channel, slot) + sizeof(struct rs_verbs_rc_header), post->bytes);
  channel->data_freed++;
  rs_verbs_rc_piece_done(channel, post);
  return rs_verbs_rc_pair_receive(channel->pairs, slot, error);
}

enum rs_status rs_verbs_rc_claim(struct rs_verbs_rc_channel *channel, struct rs_verbs_rc_post *post, uint64_t number,
                                 struct rs_error *error) {
  struct rs_verbs_rc_arrival *arrival = &channel->arrivals[number % RS_VERBS_RC_ARRIVALS];
  if (arrival->state == RS_VERBS_RC_NOTHING)
    return RS_OK;
  bool held = arrival->state == RS_VERBS_RC_HELD;
  if (held || channel->device->options.rendezvous == RS_VERBS_RC_WRITE) // a read still needs what was announced
    arrival->state = RS_VERBS_RC_NOTHING;
  if (!held)
    return check_length(channel, number, arrival->target.bytes, post->bytes, error);
  return take(channel, post, number, arrival->slot, arrival->target.bytes, error);
}

// The message's receive if it is posted, or else *post is NULL and *arrival the place to remember it.
static enum rs_status find_receive(struct rs_verbs_rc_channel *channel, uint16_t low, uint64_t *number,
                                   struct rs_verbs_rc_post **post, struct rs_verbs_rc_arrival **arrival,
                                   struct rs_error *error) {
  struct rs_verbs_rc_queue *recv = &channel->recv;
  *number = rs_verbs_rc_position(recv->head, low);
  *post = *number < recv->head ? rs_verbs_rc_post_at(recv, *number) : NULL;
  *arrival = &channel->arrivals[*number % RS_VERBS_RC_ARRIVALS];
  bool possible = *post != NULL
                      ? *number >= recv->tail && (*post)->state == RS_VERBS_RC_POSTED
                      : *number < recv->head + RS_VERBS_RC_ARRIVALS && (*arrival)->state == RS_VERBS_RC_NOTHING;
  return possible ? RS_OK : nonsense(channel, "a message has the number of another", error);
}

static enum rs_status arrive_eager(struct rs_verbs_rc_channel *channel, const struct rs_verbs_rc_header *header,
                                   uint32_t slot, struct rs_error *error) {
  uint64_t number;
  struct rs_verbs_rc_post *post;
  struct rs_verbs_rc_arrival *arrival;
  if (find_receive(channel, header->number, &number, &post, &arrival, error) < 0)
    return error->status;
  if (post != NULL)
    return take(channel, post, number, slot, header->bytes, error);
  channel->device->counts[RS_VERBS_RC_COUNT_UNEXPECTED]++;
  *arrival = (struct rs_verbs_rc_arrival){.state = RS_VERBS_RC_HELD, .slot = slot, .target = {.bytes = header->bytes}};
  return RS_OK;
}

// ---- control ----------------------------------------------------------------------------------------------

static enum rs_status take_grant(struct rs_verbs_rc_channel *channel, const struct rs_verbs_rc_target *target,
                                 struct rs_error *error) {
  struct rs_verbs_rc_target *grant = &channel->grants[target->number % RS_VERBS_RC_POSTS_MAX];
  if (grant->address != 0 || target->address == 0)
    return nonsense(channel, "a grant that was not to come", error);
  *grant = *target;
  return RS_OK;
}

static enum rs_status take_announcement(struct rs_verbs_rc_channel *channel, const struct rs_verbs_rc_target *target,
                                        struct rs_error *error) {
  uint64_t number;
  struct rs_verbs_rc_post *post;
  struct rs_verbs_rc_arrival *arrival;
  if (find_receive(channel, (uint16_t)target->number, &number, &post, &arrival, error) < 0)
    return error->status;
  if (post != NULL && check_length(channel, number, target->bytes, post->bytes, error) < 0)
    return error->status;
  // A posted receive that is to be written has sent its grant, and needs no more.
  if (post == NULL || channel->device->options.rendezvous == RS_VERBS_RC_READ)
    *arrival = (struct rs_verbs_rc_arrival){.state = RS_VERBS_RC_ANNOUNCED, .target = *target};
  return RS_OK;
}

static enum rs_status take_update(struct rs_verbs_rc_channel *channel, uint16_t low, struct rs_error *error) {
  struct rs_verbs_rc_queue *send = &channel->send;
  if (channel->device->options.rendezvous != RS_VERBS_RC_READ)
    return RS_OK;
  uint64_t through = rs_verbs_rc_position(send->through, low);
  if (through < send->through || through > send->next)
    return nonsense(channel, "a message is read that was not announced", error);
  for (uint64_t p = rs_max_size(send->through, send->tail); p < through; p++) {
    struct rs_verbs_rc_post *post = rs_verbs_rc_post_at(send, p);
    if (post->state == RS_VERBS_RC_POSTED)
      rs_verbs_rc_done(channel->device, post);
  }
  send->through = through;
  return RS_OK;
}

static enum rs_status take_targets(struct rs_verbs_rc_channel *channel, const struct rs_verbs_rc_header *header,
                                   const char *body, struct rs_error *error) {
  for (size_t t = 0; t < header->bytes; t++) {
    struct rs_verbs_rc_target target;
    memcpy(&target, body + t * sizeof target, sizeof target);
    enum rs_status status = header->kind == RS_VERBS_RC_GRANT ? take_grant(channel, &target, error)
                                                              : take_announcement(channel, &target, error);
    if (status < 0)
      return status;
  }
  return RS_OK;
}

// ---- arrival ----------------------------------------------------------------------------------------------

static bool is_sound(const struct rs_verbs_rc_device *device, const struct rs_verbs_rc_header *header, size_t bytes) {
  if (bytes < sizeof *header)
    return false;
  size_t body = bytes - sizeof *header;
  switch (header->kind) {
  case RS_VERBS_RC_EAGER:
    return header->bytes == body && body <= device->options.eager_bytes;
  case RS_VERBS_RC_GRANT:
  case RS_VERBS_RC_ANNOUNCE:
    return header->bytes <= RS_VERBS_RC_BATCH && body == header->bytes * sizeof(struct rs_verbs_rc_target);
  default:
    return header->kind == RS_VERBS_RC_UPDATE && body == 0;
  }
}

enum rs_status rs_verbs_rc_arrive(struct rs_verbs_rc_pair *pair, uint32_t slot, size_t bytes, struct rs_error *error) {
  struct rs_verbs_rc_channel *channel = pair->channel;
  const char *data = slot_at(channel, slot);
  struct rs_verbs_rc_header header;
  memcpy(&header, data, sizeof header);
  if (pair->index != 0 || !is_sound(channel->device, &header, bytes))
    return nonsense(channel, "a message that no version of ringside sends", error);
  channel->data_returned = header.data_freed;
  channel->control_returned = header.control_freed;
  rs_verbs_rc_stir(channel);
  if (header.kind == RS_VERBS_RC_EAGER)
    return arrive_eager(channel, &header, slot, error);
  enum rs_status status = header.kind == RS_VERBS_RC_UPDATE
                              ? take_update(channel, header.number, error)
                              : take_targets(channel, &header, data + sizeof header, error);
  channel->control_freed++;
  return status < 0 ? status : rs_verbs_rc_pair_receive(pair, slot, error);
}

enum rs_status rs_verbs_rc_written(struct rs_verbs_rc_pair *pair, uint32_t slot, uint32_t immediate,
                                   struct rs_error *error) {
  struct rs_verbs_rc_channel *channel = pair->channel;
  uint32_t value = ntohl(immediate);
  uint64_t number;
  struct rs_verbs_rc_post *post;
  struct rs_verbs_rc_arrival *arrival;
  if (find_receive(channel, (uint16_t)(value >> 16), &number, &post, &arrival, error) < 0)
    return error->status;
  if (post == NULL)
    return nonsense(channel, "a message was written that has no receive", error);
  rs_verbs_rc_piece_done(channel, post);
  rs_verbs_rc_stir(channel);
  if (pair->index == 0) {
    channel->control_returned = (uint16_t)value;
    channel->control_freed++;
  }
  return rs_verbs_rc_pair_receive(pair, slot, error);
}
