// From addresses to peers that answer. What is needed travels in the addresses; the handshake proves that segments get
// through and that both sides have an address handle for the other, without which EFA refuses what comes (status 14).
//
//   rank 0: hello ──────► rank 1        "heard: no"
//           ◄─ hello ────               "heard: yes"; rank 0 is now sure of both directions
//           ── hello ───►               "heard: yes, no answer needed"; so is rank 1
//
// A greeting is repeated until it is answered, and answered whenever it wants to be: after connect, by the keeper.
#include "transport/srd_device.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HELLO_FIRST_NS 2000000
#define HELLO_LAST_NS 100000000
// A device is connected when for so long nothing more came to be said.
#define SETTLE_NS 2000000
#define HEARD 1u
#define NO_ANSWER 2u

struct address {
  char magic[8];
  uint64_t token_hash, id;
  uint8_t gid[16];
  uint32_t number, key;
  uint32_t segment_bytes, window, bounce, lanes;
  uint8_t reliable, checked;
};
_Static_assert(sizeof(struct address) <= RS_ADDRESS_BYTES_MAX, "an address has to fit");
static const char magic[8] = "rs-srd1";

void rs_srd_address(const struct rs_device *device, uint8_t blob[RS_ADDRESS_BYTES_MAX]) {
  const struct rs_srd_device *srd = (const struct rs_srd_device *)device;
  struct address address = {
      .token_hash = srd->token_hash,
      .id = srd->id,
      .number = srd->wire.pair->qp_num,
      .key = srd->wire.key,
      .segment_bytes = (uint32_t)srd->wire.segment_bytes,
      .window = srd->window,
      .bounce = srd->bounce,
      .lanes = (uint32_t)srd->lanes,
      .reliable = srd->reliable,
      .checked = srd->checked,
  };
  memcpy(address.magic, magic, sizeof magic);
  memcpy(address.gid, srd->nic.gid.raw, sizeof address.gid);
  memcpy(blob, &address, sizeof address);
}

struct rs_srd_peer_text rs_srd_peer_format(const struct rs_srd_device *srd, const struct rs_srd_peer *peer) {
  struct rs_srd_peer_text result;
  char gid[INET6_ADDRSTRLEN] = "";
  inet_ntop(AF_INET6, peer->gid.raw, gid, sizeof gid);
  snprintf(result.text, sizeof result.text, "rank %zu (queue pair %u at %s, from rank %zu, device %s)", peer->rank,
           peer->number, gid, srd->rank, srd->nic.facts.interface);
  return result;
}

// ---- peers ------------------------------------------------------------------------------------------------

static enum rs_status check_address(const struct rs_srd_device *srd, size_t rank, const struct address *address,
                                    struct rs_error *error) {
  if (memcmp(address->magic, magic, sizeof magic) != 0 || address->token_hash != srd->token_hash)
    return rs_error_set(error, RS_ERROR_PEER,
                        "srd: the address of rank %zu is of another launch or of another version of ringside", rank);
  if (address->reliable != srd->reliable || address->checked != srd->checked || address->lanes != srd->lanes)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "srd: rank %zu runs flavour %s, %schecked, %u lanes, and rank %zu flavour %s, %schecked, %zu "
                        "lanes; set srd.flavour so that all ranks have the same (auto depends on the device)",
                        rank, address->reliable ? "efa" : "ud", address->checked ? "" : "un", address->lanes, srd->rank,
                        srd->reliable ? "efa" : "ud", srd->checked ? "" : "un", srd->lanes);
  if (address->segment_bytes <= RS_SRD_HEADER_BYTES || address->window == 0 || address->window > RS_SRD_WINDOW ||
      address->bounce == 0)
    return rs_error_set(error, RS_ERROR_PEER, "srd: the address of rank %zu makes no sense: a bug in ringside", rank);
  return RS_OK;
}

// Of one direction between two devices of one launch.
static uint32_t connection_of(uint64_t token_hash, uint64_t from, uint64_t to) {
  return (uint32_t)rs_hash64(token_hash ^ rs_hash64(from ^ rs_hash64(to)));
}

static enum rs_status open_handle(struct rs_srd_device *srd, struct rs_srd_peer *peer, uint64_t traffic_class,
                                  struct rs_error *error) {
  struct ibv_ah_attr attributes = {
      .is_global = 1,
      .port_num = srd->nic.port,
      .grh = {.dgid = peer->gid,
              .sgid_index = (uint8_t)srd->nic.gid_index,
              .hop_limit = 64,
              .traffic_class = (uint8_t)traffic_class},
  };
  peer->handle = srd->verbs.create_ah(srd->nic.pd, &attributes);
  if (peer->handle == NULL)
    return rs_error_set_errno(error, RS_ERROR_PEER, errno, "srd: there is no way to %s: no address handle",
                              rs_srd_peer_format(srd, peer).text);
  return RS_OK;
}

static enum rs_status open_peer(struct rs_srd_device *srd, struct rs_srd_peer *peer, const uint8_t *blob,
                                struct rs_error *error) {
  struct address address;
  memcpy(&address, blob, sizeof address);
  if (check_address(srd, peer->rank, &address, error) < 0)
    return error->status;
  memcpy(peer->gid.raw, address.gid, sizeof address.gid);
  peer->number = address.number;
  peer->key = address.key;
  peer->window = address.window;
  peer->bounce = address.bounce;
  peer->connection_in = connection_of(srd->token_hash, address.id, srd->id);
  peer->connection_out = connection_of(srd->token_hash, srd->id, address.id);
  // Eight bytes at a time are easy to copy.
  size_t segment_bytes = rs_min_size(srd->wire.segment_bytes, address.segment_bytes);
  peer->payload_bytes = rs_max_size((segment_bytes - RS_SRD_HEADER_BYTES) / 8 * 8, 1);
  peer->heard_ns = peer->advance_ns = srd->now_ns;
  peer->patience = RS_SRD_PATIENCE_MIN;
  rs_srd_congestion_init(&peer->congestion);
  peer->segments = rs_allocate(RS_SRD_WINDOW, sizeof *peer->segments, "srd segments", error);
  peer->channels = rs_allocate(srd->lanes, sizeof *peer->channels, "srd lanes", error);
  if (peer->segments == NULL || peer->channels == NULL)
    return error->status;
  for (size_t lane = 0; lane < srd->lanes; lane++)
    peer->channels[lane].held = RS_SRD_NO_BUFFER;
  return open_handle(srd, peer, srd->traffic_class, error);
}

static enum rs_status join(struct rs_srd_device *srd, const uint8_t *addresses, const bool *peers,
                           struct rs_error *error) {
  srd->joining = true;
  srd->join_ns = srd->now_ns;
  for (size_t r = 0; r < srd->rank_count; r++) {
    if (!peers[r] || r == srd->rank)
      continue;
    if (open_peer(srd, &srd->peers[r], addresses + r * RS_ADDRESS_BYTES_MAX, error) < 0)
      return error->status;
    srd->peers[r].wanted = srd->peers[r].hello_due = srd->greet_due = true;
  }
  return RS_OK;
}

void rs_srd_peers_close(struct rs_srd_device *srd) {
  for (size_t r = 0; srd->peers != NULL && r < srd->rank_count; r++) {
    if (srd->peers[r].handle != NULL)
      srd->verbs.destroy_ah(srd->peers[r].handle);
    free(srd->peers[r].segments);
    free(srd->peers[r].channels);
  }
  free(srd->peers);
}

// ---- the handshake ----------------------------------------------------------------------------------------

static bool is_met(const struct rs_srd_peer *peer) {
  return peer->heard && peer->known;
}

void rs_srd_greeting(struct rs_srd_device *srd, struct rs_srd_peer *peer, const struct rs_srd_header *header) {
  peer->heard = true;
  peer->known |= (header->length & HEARD) != 0;
  if (!(header->length & NO_ANSWER))
    peer->hello_due = srd->greet_due = true;
}

void rs_srd_greet(struct rs_srd_device *srd) {
  srd->greet_due = false;
  for (size_t r = 0; r < srd->rank_count; r++) {
    struct rs_srd_peer *peer = &srd->peers[r];
    bool repeat = peer->wanted && !is_met(peer) && srd->now_ns - peer->hello_ns >= peer->hello_wait_ns;
    struct rs_srd_header header = {.kind = RS_SRD_HELLO,
                                   .length = (peer->heard ? HEARD : 0) | (is_met(peer) ? NO_ANSWER : 0)};
    if ((peer->hello_due || repeat) && rs_srd_link_control(srd, peer, &header, NULL, 0)) {
      peer->hello_due = false;
      peer->hello_ns = srd->now_ns;
      peer->hello_wait_ns = peer->hello_wait_ns == 0
                                ? HELLO_FIRST_NS
                                : (int64_t)rs_min_size(2 * (size_t)peer->hello_wait_ns, HELLO_LAST_NS);
    }
    srd->greet_due |= peer->hello_due || (peer->wanted && !is_met(peer));
  }
}

static enum rs_status nobody_there(const struct rs_srd_device *srd, struct rs_error *error) {
  size_t missing = 0;
  const struct rs_srd_peer *first = NULL;
  for (size_t r = 0; r < srd->rank_count; r++) {
    if (!srd->peers[r].wanted || is_met(&srd->peers[r]))
      continue;
    first = first ? first : &srd->peers[r];
    missing++;
  }
  bool refused = srd->last_refusal[0] != '\0';
  return rs_error_set(
      error, RS_ERROR_TIMEOUT,
      "srd: connecting: no answer from %s%s%s%s; see whether it has started and whether RDMA packets get "
      "through: ibv_ud_pingpong; on EC2 the security group has to allow all traffic to and from itself",
      rs_srd_peer_format(srd, first).text, missing > 1 ? " and from others" : "", refused ? "; the device says: " : "",
      srd->last_refusal);
}

static bool all_met(const struct rs_srd_device *srd) {
  for (size_t r = 0; r < srd->rank_count; r++)
    if (srd->peers[r].wanted && !is_met(&srd->peers[r]))
      return false;
  return true;
}

static enum rs_status connect_on(struct rs_srd_device *srd, const uint8_t *addresses, const bool *peers,
                                 struct rs_error *error) {
  bool more;
  srd->now_ns = srd->called_ns = rs_clock_ns();
  if (!srd->joining && join(srd, addresses, peers, error) < 0)
    return error->status;
  if (rs_srd_step(srd, &more, error) < 0)
    return error->status;
  if (!all_met(srd)) {
    srd->settled_ns = 0;
    return srd->now_ns - srd->join_ns > srd->timeout_ns ? nobody_there(srd, error) : RS_IN_PROGRESS;
  }
  if (srd->greet_due || srd->controls_with_device > 0)
    srd->settled_ns = 0;
  else if (srd->settled_ns == 0)
    srd->settled_ns = srd->now_ns;
  srd->connected = srd->settled_ns != 0 && srd->now_ns - srd->settled_ns >= SETTLE_NS;
  return srd->connected ? RS_OK : RS_IN_PROGRESS;
}

enum rs_status rs_srd_connect(struct rs_device *device, const uint8_t *addresses, const bool *peers,
                              struct rs_error *error) {
  struct rs_srd_device *srd = rs_srd_device_of(device);
  pthread_mutex_lock(&srd->lock);
  enum rs_status status = connect_on(srd, addresses, peers, error);
  pthread_mutex_unlock(&srd->lock);
  return status;
}
