// Segments between two ranks. Over EFA the device delivers each one, and an acknowledgement only says that its receive
// buffer is free again; over unreliable datagrams it is all there is.
//
// A segment counts as lost when one that was sent clearly later has been acknowledged (RACK, RFC 8985), or when a
// timeout passes in silence (RFC 6298). "Clearly later" grows when the peer reports duplicates: then it was only
// overtaken.
#include "transport/srd_device.h"

#include <inttypes.h>
#include <string.h>

#define CONTROL_ID (UINT64_C(1) << 62)
#define PATIENCE_MAX 16u
// An acknowledgement waits for so many segments, or so long, for others that it can cover and for data to ride on.
#define ACK_SEGMENTS 16
#define ACK_DELAY_NS 100000
// The keeper looks every few milliseconds, unless nothing here runs.
#define ABSENT_NS 500000000
#define EFA_RECEIVER_NOT_READY 10

// ---- sending ----------------------------------------------------------------------------------------------

static uint8_t *header_of(const struct rs_srd_device *srd, const struct rs_srd_peer *peer, uint32_t sequence) {
  return srd->headers + (peer->rank * RS_SRD_WINDOW + sequence % RS_SRD_WINDOW) * RS_SRD_HEADER_BYTES;
}

static enum rs_status hand_over(struct rs_srd_device *srd, struct rs_srd_peer *peer, uint32_t sequence,
                                struct rs_srd_segment *segment) {
  const struct rs_srd_request request = {
      .address = peer->handle,
      .number = peer->number,
      .key = peer->key,
      .header = header_of(srd, peer, sequence),
      .header_bytes = RS_SRD_HEADER_BYTES,
      .header_lkey = srd->headers_memory->lkey,
      .payload = segment->payload,
      .payload_bytes = segment->bytes,
      .payload_lkey = segment->lkey,
      .id = (uint64_t)peer->rank << 8 | sequence % RS_SRD_WINDOW,
  };
  if (!rs_srd_wire_send(&srd->wire, &request))
    return RS_BUSY;
  segment->with_device = true;
  segment->sent_ns = srd->now_ns;
  segment->tries++;
  peer->under_way++;
  srd->counters[RS_SRD_SEGMENTS]++;
  return RS_OK;
}

static bool may_send(const struct rs_srd_device *srd, const struct rs_srd_peer *peer) {
  if (srd->now_ns < peer->resume_ns)
    return false;
  return srd->reliable || peer->under_way < (uint32_t)peer->congestion.window;
}

enum rs_status rs_srd_link_send(struct rs_srd_device *srd, struct rs_srd_peer *peer, struct rs_srd_header *header,
                                const struct rs_srd_segment *segment) {
  struct rs_srd_segment *slot = &peer->segments[peer->next % RS_SRD_WINDOW];
  if (!may_send(srd, peer) || peer->next - peer->first >= peer->window || slot->with_device)
    return RS_BUSY;
  header->connection = peer->connection_out;
  header->source = (uint32_t)srd->rank;
  header->sequence = peer->next;
  header->ack = peer->arrivals.next;
  uint8_t *bytes = header_of(srd, peer, peer->next);
  rs_srd_header_encode(header, bytes);
  if (srd->checked)
    rs_srd_header_seal(&srd->checksum, bytes, segment->payload, segment->bytes);
  *slot = *segment;
  if (hand_over(srd, peer, peer->next, slot) == RS_BUSY)
    return RS_BUSY;
  if (peer->next++ == peer->first)
    peer->advance_ns = peer->timer_ns = srd->now_ns;
  peer->told = peer->arrivals.next;
  if (peer->arrivals.bits[0] == 0 && peer->arrivals.bits[1] == 0) { // the header says it all
    peer->owed = 0;
    peer->ack_now = false;
  }
  return RS_OK;
}

enum rs_status rs_srd_link_resend(struct rs_srd_device *srd, struct rs_srd_peer *peer) {
  for (uint32_t sequence = peer->first; peer->lost > 0 && rs_srd_before(sequence, peer->next); sequence++) {
    struct rs_srd_segment *segment = &peer->segments[sequence % RS_SRD_WINDOW];
    if (!segment->lost || segment->with_device)
      continue;
    if (!may_send(srd, peer) || hand_over(srd, peer, sequence, segment) == RS_BUSY)
      return RS_BUSY;
    segment->lost = false;
    peer->lost--;
    srd->counters[RS_SRD_RETRANSMITTED]++;
  }
  return RS_OK;
}

bool rs_srd_link_control(struct rs_srd_device *srd, struct rs_srd_peer *peer, struct rs_srd_header *header,
                         const void *payload, size_t payload_bytes) {
  size_t free = 0;
  while (free < RS_SRD_CONTROLS && srd->controls[free].with_device)
    free++;
  if (free == RS_SRD_CONTROLS || srd->now_ns < peer->resume_ns)
    return false;
  uint8_t *bytes = srd->headers + srd->rank_count * RS_SRD_WINDOW * RS_SRD_HEADER_BYTES + free * RS_SRD_CONTROL_BYTES;
  header->connection = peer->connection_out;
  header->source = (uint32_t)srd->rank;
  header->ack = peer->arrivals.next;
  rs_srd_header_encode(header, bytes);
  if (payload_bytes > 0)
    memcpy(bytes + RS_SRD_HEADER_BYTES, payload, payload_bytes);
  if (srd->checked)
    rs_srd_header_seal(&srd->checksum, bytes, bytes + RS_SRD_HEADER_BYTES, payload_bytes);
  const struct rs_srd_request request = {
      .address = peer->handle,
      .number = peer->number,
      .key = peer->key,
      .header = bytes,
      .header_bytes = RS_SRD_HEADER_BYTES + (uint32_t)payload_bytes,
      .header_lkey = srd->headers_memory->lkey,
      .id = CONTROL_ID | free,
  };
  if (!rs_srd_wire_send(&srd->wire, &request))
    return false;
  srd->controls[free] =
      (struct rs_srd_control){.with_device = true, .kind = header->kind, .peer = (uint32_t)peer->rank};
  srd->controls_with_device++;
  return true;
}

// ---- what became of a send --------------------------------------------------------------------------------

// The buffer is free once the peer has the data and the device is done with it.
static void finish_if_done(struct rs_srd_device *srd, struct rs_srd_peer *peer, struct rs_srd_segment *segment) {
  if (segment->with_device || !segment->delivered || segment->post == NULL)
    return;
  rs_srd_message_delivered(srd, peer, segment);
  segment->post = NULL;
}

static void deliver(struct rs_srd_device *srd, struct rs_srd_peer *peer, struct rs_srd_segment *segment) {
  if (!segment->delivered) {
    segment->delivered = true;
    if (segment->lost)
      peer->lost--;
    else
      peer->under_way--;
    segment->lost = false;
    peer->advance_ns = peer->timer_ns = srd->now_ns;
  }
  finish_if_done(srd, peer, segment);
}

static void lose(struct rs_srd_device *srd, struct rs_srd_peer *peer, struct rs_srd_segment *segment) {
  segment->lost = true;
  peer->lost++;
  peer->under_way--;
  rs_srd_make_ready(srd, peer);
}

static bool is_not_ready(const struct rs_srd_device *srd, const struct rs_srd_event *event) {
  return event->status == IBV_WC_RNR_RETRY_EXC_ERR || (srd->reliable && event->vendor_error == EFA_RECEIVER_NOT_READY);
}

static void back_off(struct rs_srd_device *srd, struct rs_srd_peer *peer) {
  srd->counters[RS_SRD_RNR]++;
  if (srd->now_ns < peer->resume_ns) // one of several that met the same refusal
    return;
  if (peer->refusals++ == 0)
    peer->refused_ns = srd->now_ns;
  peer->resume_ns = srd->now_ns + rs_srd_backoff_ns(peer->refusals, &srd->random);
}

static void accepted(struct rs_srd_device *srd, struct rs_srd_peer *peer) {
  peer->refusals = 0;
  if (srd->reliable) // the answer of its NIC
    peer->heard_ns = srd->now_ns;
}

static bool is_waited_for(const struct rs_srd_peer *peer) {
  return peer->sends + peer->receives > 0;
}

static enum rs_status send_failed(const struct rs_srd_device *srd, const struct rs_srd_peer *peer,
                                  const struct rs_srd_event *event, struct rs_error *error) {
  char words[400];
  // What RoCE says of datagrams for which the kernel knows no way any more.
  if (!srd->reliable && event->status == IBV_WC_LOC_QP_OP_ERR)
    return rs_error_set(
        error, RS_ERROR_PEER,
        "srd: sending to %s: the device knows no way to it any more: the link or the network interface is "
        "down here; see 'rdma link' and 'ip link'",
        rs_srd_peer_format(srd, peer).text);
  return rs_error_set(error, RS_ERROR_PEER,
                      "srd: sending to %s: %s; %zu sends and %zu receives were outstanding: look at its own message",
                      rs_srd_peer_format(srd, peer).text,
                      rs_verbs_words(event->status, event->vendor_error, srd->nic.efa, words, sizeof words),
                      peer->sends, peer->receives);
}

static void owe(struct rs_srd_device *srd, struct rs_srd_peer *peer) {
  if (!peer->acking)
    srd->ackers[srd->acker_count++] = peer->rank;
  peer->acking = true;
}

// A greeting may fail for as long as the peer has no address handle for this rank; what it would have told is told
// again. A lost acknowledgement is owed again.
static enum rs_status control_ended(struct rs_srd_device *srd, const struct rs_srd_event *event,
                                    struct rs_error *error) {
  struct rs_srd_control *control = &srd->controls[event->id & ~CONTROL_ID];
  struct rs_srd_peer *peer = &srd->peers[control->peer];
  control->with_device = false;
  srd->controls_with_device--;
  if (event->status == IBV_WC_SUCCESS) {
    accepted(srd, peer);
    return RS_OK;
  }
  if (is_not_ready(srd, event))
    back_off(srd, peer);
  if (control->kind == RS_SRD_HELLO) {
    peer->hello_due |= is_not_ready(srd, event);
    srd->greet_due = true;
    rs_verbs_words(event->status, event->vendor_error, srd->nic.efa, srd->last_refusal, sizeof srd->last_refusal);
    return RS_OK;
  }
  if (!is_not_ready(srd, event))
    return is_waited_for(peer) ? send_failed(srd, peer, event, error) : RS_OK;
  peer->ack_now = true;
  owe(srd, peer);
  return RS_OK;
}

enum rs_status rs_srd_link_ended(struct rs_srd_device *srd, const struct rs_srd_event *event, struct rs_error *error) {
  if (event->id & CONTROL_ID)
    return control_ended(srd, event, error);
  struct rs_srd_peer *peer = &srd->peers[event->id >> 8];
  struct rs_srd_segment *segment = &peer->segments[event->id & 0xff];
  segment->with_device = false;
  if (event->status == IBV_WC_SUCCESS) {
    accepted(srd, peer);
    if (srd->reliable)
      deliver(srd, peer, segment);
    else
      finish_if_done(srd, peer, segment);
  } else if (is_not_ready(srd, event)) {
    back_off(srd, peer);
    if (!segment->delivered && !segment->lost)
      lose(srd, peer, segment);
    finish_if_done(srd, peer, segment);
  } else if (is_waited_for(peer)) {
    return send_failed(srd, peer, event, error);
  }
  rs_srd_make_ready(srd, peer); // a slot, or room in the queue
  return RS_OK;
}

// ---- acknowledgements -------------------------------------------------------------------------------------

// Those that were sent clearly before `newest_ns` and are not there yet, while what was sent then is, are lost.
static void find_overtaken(struct rs_srd_device *srd, struct rs_srd_peer *peer, int64_t newest_ns) {
  int64_t reorder_ns = peer->rtt.smooth_ns * peer->patience / 8;
  for (uint32_t sequence = peer->first; rs_srd_before(sequence, peer->next); sequence++) {
    struct rs_srd_segment *segment = &peer->segments[sequence % RS_SRD_WINDOW];
    if (segment->delivered || segment->lost || segment->sent_ns + reorder_ns >= newest_ns)
      continue;
    lose(srd, peer, segment);
    rs_srd_congestion_lost(&peer->congestion, sequence, peer->next);
  }
}

void rs_srd_link_acknowledged(struct rs_srd_device *srd, struct rs_srd_peer *peer, uint32_t ack, const uint64_t *bits) {
  static const uint64_t none[RS_SRD_WINDOW_WORDS];
  if (rs_srd_before(peer->next, ack) || (bits == NULL && !rs_srd_before(peer->first, ack)))
    return;
  size_t fresh = 0;
  int64_t newest_ns = 0, sample_ns = 0;
  for (uint32_t sequence = peer->first; rs_srd_before(sequence, peer->next); sequence++) {
    struct rs_srd_segment *segment = &peer->segments[sequence % RS_SRD_WINDOW];
    if (segment->delivered || !rs_srd_acknowledged(ack, bits ? bits : none, sequence))
      continue;
    int64_t since_ns = srd->now_ns - segment->sent_ns;
    // Of a segment that was sent twice it is not known which one came; too soon an answer means the first.
    if (segment->tries == 1)
      sample_ns = since_ns;
    if ((segment->tries == 1 || since_ns > peer->rtt.smooth_ns / 2) && segment->sent_ns > newest_ns)
      newest_ns = segment->sent_ns;
    fresh++;
    deliver(srd, peer, segment);
  }
  while (rs_srd_before(peer->first, ack))
    peer->first++;
  if (!srd->reliable) {
    if (sample_ns > 0)
      rs_srd_rtt_sample(&peer->rtt, sample_ns);
    if (fresh > 0)
      rs_srd_congestion_acknowledged(&peer->congestion, fresh, peer->first);
    if (newest_ns > 0)
      find_overtaken(srd, peer, newest_ns);
  }
  rs_srd_make_ready(srd, peer);
}

void rs_srd_link_duplicates(struct rs_srd_peer *peer, uint32_t duplicates) {
  if (rs_srd_before(peer->duplicates_told, duplicates)) {
    peer->duplicates_told = duplicates;
    if (peer->patience < PATIENCE_MAX)
      peer->patience++;
  }
}

bool rs_srd_link_arrived(struct rs_srd_device *srd, struct rs_srd_peer *peer, uint32_t sequence) {
  enum rs_srd_arrival arrival = rs_srd_arrivals_note(&peer->arrivals, sequence);
  srd->counters[RS_SRD_OUT_OF_ORDER] += arrival == RS_SRD_AHEAD;
  srd->counters[RS_SRD_DUPLICATES] += arrival == RS_SRD_DUPLICATE;
  peer->duplicates += arrival == RS_SRD_DUPLICATE;
  if (peer->owed++ == 0)
    peer->owed_ns = srd->now_ns;
  // The peer must learn of gaps, and that what it repeats has come. EFA needs neither.
  if (!srd->reliable && arrival != RS_SRD_IN_ORDER)
    peer->ack_now = true;
  owe(srd, peer);
  return arrival == RS_SRD_IN_ORDER || arrival == RS_SRD_AHEAD;
}

// Over EFA the sender needs to know only that its window moves on.
static bool is_ack_due(const struct rs_srd_device *srd, const struct rs_srd_peer *peer, bool all) {
  if (srd->reliable)
    return peer->ack_now || peer->arrivals.next - peer->told >= rs_max_size(srd->window / 4, 1);
  return peer->ack_now || peer->owed >= ACK_SEGMENTS ||
         (peer->owed > 0 && (all || srd->now_ns - peer->owed_ns > ACK_DELAY_NS));
}

void rs_srd_link_acknowledge(struct rs_srd_device *srd, bool all) {
  size_t kept = 0;
  for (size_t a = 0; a < srd->acker_count; a++) {
    struct rs_srd_peer *peer = &srd->peers[srd->ackers[a]];
    bool due = is_ack_due(srd, peer, all);
    struct rs_srd_header header = {.kind = RS_SRD_ACK, .offset = peer->duplicates};
    if (due && rs_srd_link_control(srd, peer, &header, peer->arrivals.bits, sizeof peer->arrivals.bits)) {
      peer->owed = 0;
      peer->told = peer->arrivals.next;
      peer->ack_now = due = false;
    }
    peer->acking = due || peer->owed > 0;
    if (peer->acking)
      srd->ackers[kept++] = peer->rank;
  }
  srd->acker_count = kept;
}

// ---- time -------------------------------------------------------------------------------------------------

static enum rs_status silent(const struct rs_srd_device *srd, const struct rs_srd_peer *peer, bool refuses,
                             struct rs_error *error) {
  char waited[32];
  int64_t since_ns = refuses ? peer->refused_ns : peer->advance_ns;
  return rs_error_set(
      error, RS_ERROR_PEER,
      "srd: %s has %s for %s, while %zu sends and %zu receives were outstanding; its process has ended "
      "or is stopped, or nothing gets through: see its own message, its link, and on EC2 the security "
      "group",
      rs_srd_peer_format(srd, peer).text, refuses ? "not been ready to receive" : "acknowledged nothing",
      rs_format_ns((double)(srd->now_ns - since_ns), waited, sizeof waited), peer->sends, peer->receives);
}

static void retransmit_in_time(struct rs_srd_device *srd, struct rs_srd_peer *peer) {
  int64_t timeout_ns = rs_srd_rtt_timeout_ns(&peer->rtt);
  uint32_t lost = peer->lost;
  if (peer->under_way == 0 || srd->now_ns < peer->timer_ns + timeout_ns)
    return;
  for (uint32_t sequence = peer->first; rs_srd_before(sequence, peer->next); sequence++) {
    struct rs_srd_segment *segment = &peer->segments[sequence % RS_SRD_WINDOW];
    if (segment->delivered || segment->lost || srd->now_ns < segment->sent_ns + timeout_ns)
      continue;
    lose(srd, peer, segment);
    rs_srd_congestion_lost(&peer->congestion, sequence, peer->next);
  }
  if (peer->lost == lost)
    return;
  peer->timer_ns = srd->now_ns;
  peer->rtt.backoff++;
  peer->patience = RS_SRD_PATIENCE_MIN;
}

// Who only waits to receive learns of the peer's end by asking now and then.
static void probe(struct rs_srd_device *srd, struct rs_srd_peer *peer) {
  struct rs_srd_header header = {.kind = RS_SRD_PROBE};
  if (peer->receives > 0 && peer->next == peer->first && srd->now_ns - peer->heard_ns > srd->timeout_ns / 2)
    rs_srd_link_send(srd, peer, &header, &(struct rs_srd_segment){0});
}

// Whoever was itself stopped (by a signal, or with its whole machine) cannot say how long others were silent.
static void forgive(struct rs_srd_device *srd, int64_t absent_ns) {
  for (size_t r = 0; r < srd->rank_count; r++) {
    srd->peers[r].advance_ns += absent_ns;
    srd->peers[r].refused_ns += absent_ns;
    srd->peers[r].heard_ns += absent_ns;
  }
}

enum rs_status rs_srd_link_timers(struct rs_srd_device *srd, struct rs_error *error) {
  int64_t absent_ns = srd->now_ns - srd->timers_ns;
  if (srd->timers_ns != 0 && absent_ns > ABSENT_NS)
    forgive(srd, absent_ns);
  srd->timers_ns = srd->now_ns;
  for (size_t r = 0; r < srd->rank_count; r++) {
    struct rs_srd_peer *peer = &srd->peers[r];
    if (peer->segments == NULL)
      continue;
    if (peer->resume_ns != 0 && srd->now_ns >= peer->resume_ns) {
      peer->resume_ns = 0;
      rs_srd_make_ready(srd, peer);
    }
    if (!srd->reliable)
      retransmit_in_time(srd, peer);
    bool stuck = peer->under_way + peer->lost > 0 && srd->now_ns - peer->advance_ns > srd->timeout_ns;
    bool refused = peer->refusals > 0 && srd->now_ns - peer->refused_ns > srd->timeout_ns;
    if ((stuck || refused) && is_waited_for(peer))
      return silent(srd, peer, refused, error);
    if (srd->connected)
      probe(srd, peer);
  }
  return RS_OK;
}
