// Messages between two ranks: cut into segments that may arrive in any order, placed by offset, counted.
//
// A receiver grants two things on each lane, by counters that only grow: how many receives are posted, so that any
// segment of those messages may come; and how many eager segments have been placed, so that at most `bounce` of them
// are on their way or in bounce buffers. Short messages go eagerly and need no word from the receiver; of a long one
// the first segments do, and the rest follows the grant that post_recv sends.
//
// Nobody waits for ever: a sender that is out of eager credit has `bounce` segments out, all for its oldest messages.
// Once their receives are posted they are placed, and the receiver tells of placed ones when half of the credit is due;
// a receive longer than that half is told when it is posted.
#include "transport/srd_device.h"

#include <string.h>

static struct rs_srd_post *post_at(struct rs_srd_queue *queue, uint64_t position) {
  return &queue->posts[position % RS_SRD_POSTS_MAX];
}

static void advance(struct rs_srd_device *srd, struct rs_srd_queue *queue, struct rs_srd_post *post, size_t *open,
                    size_t bytes) {
  post->done += bytes;
  if (post->done < post->bytes)
    return;
  --*open;
  rs_srd_complete(srd, post->cookie);
  while (queue->tail < queue->head && post_at(queue, queue->tail)->done == post_at(queue, queue->tail)->bytes)
    queue->tail++;
}

// ---- sending ----------------------------------------------------------------------------------------------

static enum rs_status send_credit(struct rs_srd_device *srd, struct rs_srd_peer *peer, size_t lane) {
  struct rs_srd_channel *channel = &peer->channels[lane];
  struct rs_srd_header header = {.kind = RS_SRD_CREDIT,
                                 .lane = (uint16_t)lane,
                                 .message = (uint16_t)channel->recv.head,
                                 .offset = channel->placed};
  if (rs_srd_link_send(srd, peer, &header, &(struct rs_srd_segment){0}) == RS_BUSY)
    return RS_BUSY;
  channel->placed_told = channel->placed;
  channel->credit_due = false;
  return RS_OK;
}

// The next segment of a lane. OK: sent. IN_PROGRESS: there is none, or no credit for it.
static enum rs_status send_data(struct rs_srd_device *srd, struct rs_srd_peer *peer, size_t lane) {
  struct rs_srd_channel *channel = &peer->channels[lane];
  bool granted = channel->current < channel->granted;
  if (channel->current == channel->send.head)
    return RS_IN_PROGRESS;
  if (!granted && channel->eager_sent - channel->eager_placed >= peer->bounce)
    return RS_IN_PROGRESS;
  struct rs_srd_post *post = post_at(&channel->send, channel->current);
  const struct rs_srd_segment segment = {
      .post = post,
      .payload = post->data + post->begun,
      .bytes = (uint32_t)rs_min_size(peer->payload_bytes, post->bytes - post->begun),
      .lkey = post->lkey,
      .lane = (uint16_t)lane,
  };
  struct rs_srd_header header = {
      .kind = granted ? RS_SRD_DATA : RS_SRD_EAGER,
      .lane = (uint16_t)lane,
      .message = (uint16_t)channel->current,
      .offset = (uint32_t)post->begun,
      .length = (uint32_t)post->bytes,
  };
  if (rs_srd_link_send(srd, peer, &header, &segment) == RS_BUSY)
    return RS_BUSY;
  channel->eager_sent += !granted;
  post->begun += segment.bytes;
  channel->current += post->begun == post->bytes;
  return RS_OK;
}

// Lanes take turns, segment by segment.
void rs_srd_message_pump(struct rs_srd_device *srd, struct rs_srd_peer *peer) {
  enum rs_status status = rs_srd_link_resend(srd, peer);
  for (size_t lane = 0; lane < srd->lanes && status != RS_BUSY; lane++)
    if (peer->channels[lane].credit_due)
      status = send_credit(srd, peer, lane);
  for (size_t idle = 0; idle < srd->lanes && status != RS_BUSY;) {
    status = send_data(srd, peer, peer->turn);
    idle = status == RS_OK ? 0 : idle + 1;
    peer->turn = peer->turn + 1 < srd->lanes ? peer->turn + 1 : 0;
  }
  rs_srd_wire_flush(&srd->wire);
  if (rs_srd_wire_full(&srd->wire)) // room may come by the end of what others sent
    rs_srd_make_ready(srd, peer);
}

void rs_srd_message_delivered(struct rs_srd_device *srd, struct rs_srd_peer *peer,
                              const struct rs_srd_segment *segment) {
  advance(srd, &peer->channels[segment->lane].send, segment->post, &peer->sends, segment->bytes);
}

enum rs_status rs_srd_message_credit(struct rs_srd_device *srd, struct rs_srd_peer *peer,
                                     const struct rs_srd_header *header, struct rs_error *error) {
  if (header->lane >= srd->lanes)
    return rs_error_set(error, RS_ERROR_PEER, "srd: %s grants credit on lane %u of %zu: a bug in ringside",
                        rs_srd_peer_format(srd, peer).text, header->lane, srd->lanes);
  struct rs_srd_channel *channel = &peer->channels[header->lane];
  int16_t more = (int16_t)(header->message - (uint16_t)channel->granted);
  if (more > 0) // grants may overtake each other
    channel->granted += (uint64_t)more;
  if (rs_srd_before(channel->eager_placed, header->offset))
    channel->eager_placed = header->offset;
  rs_srd_make_ready(srd, peer);
  return RS_OK;
}

// ---- receiving --------------------------------------------------------------------------------------------

static enum rs_status place(struct rs_srd_device *srd, struct rs_srd_peer *peer, const struct rs_srd_header *header,
                            uint64_t message, const uint8_t *payload, size_t bytes, struct rs_error *error) {
  struct rs_srd_channel *channel = &peer->channels[header->lane];
  struct rs_srd_post *post = post_at(&channel->recv, message);
  if (header->length != post->bytes)
    return rs_error_set(error, RS_ERROR_PEER,
                        "srd: receiving on lane %u: message %llu is %u bytes long at its sender, and %zu are expected: "
                        "the two ranks do not run the same schedule; the sender is %s",
                        header->lane, (unsigned long long)message, header->length, post->bytes,
                        rs_srd_peer_format(srd, peer).text);
  // Every segment is taken once, so one too many was sent under two numbers; its buffer may be the caller's again.
  if (bytes > post->bytes - post->done)
    return rs_error_set(error, RS_ERROR_PEER,
                        "srd: receiving on lane %u: more than the %zu bytes of message %llu came from %s: a bug in "
                        "ringside",
                        header->lane, post->bytes, (unsigned long long)message, rs_srd_peer_format(srd, peer).text);
  memcpy(post->data + header->offset, payload, bytes);
  if (header->kind == RS_SRD_EAGER) {
    channel->placed++;
    if (channel->placed - channel->placed_told >= rs_max_size(srd->bounce / 2, 1)) {
      channel->credit_due = true;
      rs_srd_make_ready(srd, peer);
    }
  }
  if (post->done + bytes == post->bytes && !srd->reliable)
    peer->ack_now = true; // its sender waits for it
  advance(srd, &channel->recv, post, &peer->receives, bytes);
  return RS_OK;
}

// The full number of a message, of which the wire carries 16 bits: fewer than 2^15 are under way.
static uint64_t message_number(const struct rs_srd_channel *channel, uint16_t low) {
  return channel->recv.tail + (uint64_t)(int64_t)(int16_t)(low - (uint16_t)channel->recv.tail);
}

enum rs_status rs_srd_message_take(struct rs_srd_device *srd, struct rs_srd_peer *peer,
                                   const struct rs_srd_header *header, const uint8_t *payload, size_t bytes,
                                   uint32_t buffer, bool *hold, struct rs_error *error) {
  *hold = false;
  bool fits =
      header->lane < srd->lanes && bytes > 0 && bytes <= header->length && header->offset <= header->length - bytes;
  struct rs_srd_channel *channel = fits ? &peer->channels[header->lane] : NULL;
  uint64_t message = fits ? message_number(channel, header->message) : 0;
  if (fits && message >= channel->recv.tail && message < channel->recv.head)
    return place(srd, peer, header, message, payload, bytes, error);
  if (!fits || message < channel->recv.tail || header->kind != RS_SRD_EAGER || channel->held_count >= srd->bounce)
    return rs_error_set(error, RS_ERROR_PEER,
                        "srd: a segment of %zu bytes at %u of %u, message %u, lane %u, that nobody granted, came from "
                        "%s: a bug in ringside",
                        bytes, header->offset, header->length, header->message, header->lane,
                        rs_srd_peer_format(srd, peer).text);
  srd->held[buffer] =
      (struct rs_srd_held){.header = *header, .payload = payload, .bytes = bytes, .next = channel->held};
  channel->held = buffer;
  channel->held_count++;
  *hold = true;
  return RS_OK;
}

enum rs_status rs_srd_message_posted(struct rs_srd_device *srd, struct rs_srd_peer *peer,
                                     struct rs_srd_channel *channel, struct rs_error *error) {
  uint64_t message = channel->recv.head - 1;
  size_t bytes = post_at(&channel->recv, message)->bytes;
  if (bytes > srd->bounce / 2 * peer->payload_bytes) {
    channel->credit_due = true;
    rs_srd_make_ready(srd, peer);
  }
  for (uint32_t *link = &channel->held; *link != RS_SRD_NO_BUFFER;) {
    uint32_t buffer = *link;
    const struct rs_srd_held *held = &srd->held[buffer];
    if (held->header.message != (uint16_t)message) {
      link = &srd->held[buffer].next;
      continue;
    }
    *link = held->next;
    channel->held_count--;
    if (place(srd, peer, &held->header, message, held->payload, held->bytes, error) < 0 ||
        rs_srd_wire_release(&srd->wire, buffer, error) < 0)
      return error->status;
  }
  return RS_OK;
}
