// From addresses to connected queue pairs: make them, tell each peer how it finds its own, connect, and tell that it is
// done. Only then may a peer send: what reaches a queue pair before that is lost, and comes again after a timeout.
#include "transport/verbs_rc_device.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0x31637273u // "src1" on a little-endian host, something else on another
#define READY 1

struct rs_verbs_rc_joining {
  bool told; // and connected: the second round of the exchange
  size_t bytes;
  struct rs_verbs_rc_end *mine, *theirs; // [rank x pairs of a peer + pair]
  uint8_t *ready, *peers_ready;
};

// What must be the same on all ranks; behind the exchange's part of the address.
struct shape {
  uint32_t magic, lanes, queue_pairs, rendezvous, header_bytes, target_bytes;
  uint64_t eager_bytes, stripe_bytes;
};

static struct shape shape_of(const struct rs_verbs_rc_device *device) {
  return (struct shape){
      .magic = MAGIC,
      .lanes = (uint32_t)device->lanes,
      .queue_pairs = (uint32_t)device->options.queue_pairs,
      .rendezvous = (uint32_t)device->options.rendezvous,
      .header_bytes = sizeof(struct rs_verbs_rc_header),
      .target_bytes = sizeof(struct rs_verbs_rc_target),
      .eager_bytes = device->options.eager_bytes,
      .stripe_bytes = device->options.stripe_bytes,
  };
}

void rs_verbs_rc_address(const struct rs_device *base, uint8_t blob[RS_ADDRESS_BYTES_MAX]) {
  const struct rs_verbs_rc_device *device = (const struct rs_verbs_rc_device *)base;
  struct shape shape = shape_of(device);
  rs_verbs_exchange_address(device->exchange, blob);
  memcpy(blob + RS_VERBS_EXCHANGE_BLOB_BYTES, &shape, sizeof shape);
}

static enum rs_status check_shape(const struct rs_verbs_rc_device *device, size_t peer, const uint8_t *blob,
                                  struct rs_error *error) {
  struct shape mine = shape_of(device), theirs;
  memcpy(&theirs, blob + RS_VERBS_EXCHANGE_BLOB_BYTES, sizeof theirs);
  if (memcmp(&mine, &theirs, sizeof mine) == 0)
    return RS_OK;
  if (theirs.magic != mine.magic || theirs.header_bytes != mine.header_bytes ||
      theirs.target_bytes != mine.target_bytes)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "verbs_rc: rank %zu has another version of ringside, another transport or a host of another "
                        "byte order; start the same ringside on hosts of one kind",
                        peer);
  return rs_error_set(error, RS_ERROR_USAGE,
                      "verbs_rc: rank %zu has lanes=%u, verbs_rc.queue_pairs=%u, eager=%" PRIu64 ", stripe=%" PRIu64
                      " and rendezvous=%u, and rank %zu has %u, %u, %" PRIu64 ", %" PRIu64
                      " and %u; give all ranks the same configuration",
                      peer, theirs.lanes, theirs.queue_pairs, theirs.eager_bytes, theirs.stripe_bytes,
                      theirs.rendezvous, device->rank, mine.lanes, mine.queue_pairs, mine.eager_bytes,
                      mine.stripe_bytes, mine.rendezvous);
}

// ---- making -----------------------------------------------------------------------------------------------

static size_t wanted_peers(const struct rs_verbs_rc_device *device, const bool *peers) {
  size_t wanted = 0;
  for (size_t peer = 0; peer < device->rank_count; peer++)
    wanted += peers[peer] && peer != device->rank;
  return wanted;
}

// The queue pairs of a rank take turns among its devices.
static void lay_out(struct rs_verbs_rc_device *device, const bool *peers, char *buffers) {
  struct rs_verbs_rc_channel *channel = device->channels;
  struct rs_verbs_rc_pair *pair = device->pairs;
  for (size_t peer = 0; peer < device->rank_count; peer++) {
    if (!peers[peer] || peer == device->rank)
      continue;
    device->peers[peer] = channel;
    for (size_t lane = 0; lane < device->lanes; lane++, channel++) {
      channel->device = device;
      channel->peer = peer;
      channel->lane = lane;
      channel->pairs = pair;
      channel->sends = buffers;
      channel->receives = buffers + RS_VERBS_RC_SENDS * device->slot_bytes;
      buffers = channel->receives + RS_VERBS_RC_RECEIVES * device->slot_bytes;
      for (size_t index = 0; index < device->options.queue_pairs; index++, pair++) {
        pair->channel = channel;
        pair->index = index;
        pair->nic = (lane * device->options.queue_pairs + index) % device->port_count;
      }
    }
  }
}

static enum rs_status allocate(struct rs_verbs_rc_device *device, const bool *peers, struct rs_error *error) {
  size_t channels = wanted_peers(device, peers) * device->lanes;
  size_t channel_bytes = (RS_VERBS_RC_SENDS + RS_VERBS_RC_RECEIVES) * device->slot_bytes, bytes;
  if (!rs_multiply_size(channels, channel_bytes, &bytes))
    return rs_error_set_memory(error, SIZE_MAX, "verbs_rc buffers");
  device->peers = rs_allocate(device->rank_count, sizeof(struct rs_verbs_rc_channel *), "verbs_rc peers", error);
  device->gids = device->peers ? rs_allocate(device->rank_count, sizeof *device->gids, "verbs_rc peers", error) : NULL;
  device->channels = device->gids ? rs_allocate(channels, sizeof *device->channels, "verbs_rc channels", error) : NULL;
  device->pairs = device->channels ? rs_allocate(channels * device->options.queue_pairs, sizeof *device->pairs,
                                                 "verbs_rc queue pairs", error)
                                   : NULL;
  if (device->pairs == NULL || rs_buffer_open(RS_MEMORY_HOST, bytes, &device->buffers, error) < 0)
    return error->status;
  device->channel_count = channels;
  device->pair_count = channels * device->options.queue_pairs;
  lay_out(device, peers, device->buffers.address);
  return RS_OK;
}

// One completion queue per device, with room for everything that can be outstanding there.
static enum rs_status open_port(struct rs_verbs_rc_device *device, size_t index, struct rs_error *error) {
  struct rs_verbs_rc_port *port = &device->ports[index];
  const char *name = port->nic.facts.interface;
  size_t entries = 1;
  for (size_t p = 0; p < device->pair_count; p++)
    if (device->pairs[p].nic == index)
      entries +=
          RS_VERBS_RC_SENDS + (size_t)(device->pairs[p].index == 0 ? RS_VERBS_RC_RECEIVES : RS_VERBS_RC_POSTS_MAX);
  if (entries > (size_t)port->nic.device.max_cqe)
    return rs_error_set(
        error, RS_ERROR_USAGE,
        "verbs_rc: %zu queue pairs on %s need a completion queue of %zu entries, and it has at most %d; "
        "use fewer lanes, verbs_rc.queue_pairs=1, or algorithms with fewer peers",
        device->pair_count, name, entries, port->nic.device.max_cqe);
  port->cq = device->verbs.create_cq(port->nic.context, (int)entries, NULL, port->events, 0);
  if (port->cq == NULL)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "verbs_rc: making a completion queue of %zu entries on %s",
                              entries, name);
  if (device->channel_count == 0)
    return RS_OK;
  port->buffers = rs_verbs_rc_register(device, index, device->buffers.address, device->buffers.bytes, error);
  return port->buffers != NULL ? RS_OK : error->status;
}

static enum rs_status open_joining(struct rs_verbs_rc_device *device, struct rs_error *error) {
  struct rs_verbs_rc_joining *joining = rs_allocate(1, sizeof *joining, "verbs_rc connecting", error);
  if (joining == NULL)
    return error->status;
  device->joining = joining; // from here on closed with the device
  size_t ends = device->lanes * device->options.queue_pairs;
  joining->bytes = ends * sizeof *joining->mine;
  joining->mine = rs_allocate(device->rank_count, joining->bytes, "verbs_rc connecting", error);
  joining->theirs =
      joining->mine ? rs_allocate(device->rank_count, joining->bytes, "verbs_rc connecting", error) : NULL;
  joining->ready = joining->theirs ? rs_allocate(device->rank_count, 1, "verbs_rc connecting", error) : NULL;
  joining->peers_ready = joining->ready ? rs_allocate(device->rank_count, 1, "verbs_rc connecting", error) : NULL;
  if (joining->peers_ready == NULL)
    return error->status;
  memset(joining->ready, READY, device->rank_count);
  for (size_t p = 0; p < device->pair_count; p++) {
    struct rs_verbs_rc_pair *pair = &device->pairs[p];
    if (rs_verbs_rc_pair_open(pair, &joining->mine[pair->channel->peer * ends + p % ends], error) < 0)
      return error->status;
  }
  return RS_OK;
}

void rs_verbs_rc_joining_close(struct rs_verbs_rc_joining *joining) {
  if (joining == NULL)
    return;
  free(joining->mine);
  free(joining->theirs);
  free(joining->ready);
  free(joining->peers_ready);
  free(joining);
}

static enum rs_status begin(struct rs_verbs_rc_device *device, const uint8_t *addresses, const bool *peers,
                            struct rs_error *error) {
  for (size_t peer = 0; peer < device->rank_count; peer++)
    if (peers[peer] && peer != device->rank &&
        check_shape(device, peer, addresses + peer * RS_ADDRESS_BYTES_MAX, error) < 0)
      return error->status;
  if (allocate(device, peers, error) < 0)
    return error->status;
  for (size_t port = 0; port < device->port_count; port++)
    if (open_port(device, port, error) < 0)
      return error->status;
  return open_joining(device, error);
}

// ---- connecting -------------------------------------------------------------------------------------------

static enum rs_status connect_pairs(struct rs_verbs_rc_device *device, struct rs_error *error) {
  size_t ends = device->lanes * device->options.queue_pairs;
  for (size_t p = 0; p < device->pair_count; p++) {
    struct rs_verbs_rc_pair *pair = &device->pairs[p];
    const struct rs_verbs_rc_end *end = &device->joining->theirs[pair->channel->peer * ends + p % ends];
    device->gids[pair->channel->peer] = end->gid;
    if (rs_verbs_rc_pair_connect(pair, end, error) < 0)
      return error->status;
  }
  return RS_OK;
}

enum rs_status rs_verbs_rc_connect(struct rs_device *base, const uint8_t *addresses, const bool *peers,
                                   struct rs_error *error) {
  struct rs_verbs_rc_device *device = rs_verbs_rc_device_of(base);
  if (device->connected)
    return RS_OK;
  if (device->joining == NULL && begin(device, addresses, peers, error) < 0)
    return error->status;
  struct rs_verbs_rc_joining *joining = device->joining;
  enum rs_status status;
  if (!joining->told) {
    status = rs_verbs_exchange_run(device->exchange, addresses, peers, joining->mine, joining->theirs, joining->bytes,
                                   error);
    if (status != RS_OK)
      return status;
    if (connect_pairs(device, error) < 0)
      return error->status;
    joining->told = true;
  }
  status = rs_verbs_exchange_run(device->exchange, addresses, peers, joining->ready, joining->peers_ready, 1, error);
  if (status != RS_OK)
    return status;
  rs_verbs_rc_joining_close(joining);
  device->joining = NULL;
  rs_verbs_exchange_close(device->exchange);
  device->exchange = NULL;
  device->connected = true;
  return RS_OK;
}

struct rs_verbs_rc_peer_text rs_verbs_rc_peer_format(const struct rs_verbs_rc_channel *channel) {
  const struct rs_verbs_rc_device *device = channel->device;
  struct rs_verbs_rc_peer_text result;
  char gid[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, device->gids[channel->peer].raw, gid, sizeof gid);
  snprintf(result.text, sizeof result.text, "rank %zu at %s (from rank %zu, device %s), lane %zu", channel->peer, gid,
           device->rank, device->ports[channel->pairs->nic].nic.facts.interface, channel->lane);
  return result;
}
