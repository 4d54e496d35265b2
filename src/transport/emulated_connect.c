// From a launch's token to ranks that share a segment and a slowdown:
//
//   attach ─► gather: all have attached ─► rank 0 decides how slow ─► inner connect ─► up
#include "transport/emulated_device.h"
#include "transport/emulated_scale.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- one machine ------------------------------------------------------------------------------------------

static struct rs_emulated_machine_name machine_at(const uint8_t *addresses, size_t rank) {
  struct rs_emulated_machine_name machine;
  memcpy(&machine, addresses + rank * RS_ADDRESS_BYTES_MAX + RS_EMULATED_MACHINE_AT, sizeof machine);
  machine.hostname[sizeof machine.hostname - 1] = '\0';
  return machine;
}

static enum rs_status check_machines(const struct rs_emulated_device *emulated, const uint8_t *addresses,
                                     struct rs_error *error) {
  struct rs_emulated_machine_name first = machine_at(addresses, 0);
  for (size_t r = 1; r < emulated->rank_count; r++) {
    struct rs_emulated_machine_name other = machine_at(addresses, r);
    if (other.boot != first.boot)
      return rs_error_set(
          error, RS_ERROR_USAGE,
          "emulated: works on one machine only, and these ranks are on several: rank 0 on '%s', rank %zu "
          "on '%s'; use transport=tcp there",
          first.hostname, r, other.hostname);
  }
  return RS_OK;
}

// ---- channels ---------------------------------------------------------------------------------------------

static uint64_t seed_of(const struct rs_emulated_device *emulated, size_t peer, size_t lane) {
  uint64_t words[RS_TOKEN_BYTES / sizeof(uint64_t)], seed = 0;
  memcpy(words, emulated->token, sizeof words);
  for (size_t i = 0; i < RS_ARRAY_LENGTH(words); i++)
    seed = rs_hash64(seed ^ words[i]);
  return rs_hash64(seed + (emulated->rank * emulated->rank_count + peer) * emulated->lanes + lane);
}

static void init_channel(struct rs_emulated_device *emulated, struct rs_emulated_channel *channel) {
  const struct rs_emulated_segment *segment = &emulated->segment;
  struct rs_emulated_queue *queues = rs_emulated_segment_queues(segment);
  size_t in_flight = segment->shape.ring_quanta, self = emulated->rank, peer = channel->peer;
  rs_emulated_path_init(&channel->path_out, &emulated->map, self, peer, emulated->slowdown, queues, in_flight);
  rs_emulated_path_init(&channel->path_in, &emulated->map, peer, self, emulated->slowdown, queues, in_flight);
  rs_emulated_flow_init(&channel->flow, &channel->path_out, seed_of(emulated, peer, channel->lane));
  channel->ring_out = rs_emulated_segment_ring(segment, self, peer, channel->lane);
  channel->ring_in = rs_emulated_segment_ring(segment, peer, self, channel->lane);
}

static enum rs_status open_channels(struct rs_emulated_device *emulated, const bool *peers, struct rs_error *error) {
  struct rs_emulated_list *lists[] = {&emulated->sending, &emulated->receiving, &emulated->arriving};
  size_t count = emulated->rank_count * emulated->lanes;
  for (size_t i = 0; i < RS_ARRAY_LENGTH(lists); i++)
    if ((lists[i]->items = rs_allocate(count, sizeof(void *), "emulated channels", error)) == NULL)
      return error->status;
  emulated->channels = rs_allocate(count, sizeof(void *), "emulated channels", error);
  if (emulated->channels == NULL)
    return error->status;
  for (size_t i = 0; i < count; i++) {
    size_t peer = i / emulated->lanes;
    if (!peers[peer] || peer == emulated->rank)
      continue;
    struct rs_emulated_channel *channel = rs_allocate(1, sizeof *channel, "emulated channel", error);
    if (channel == NULL)
      return error->status;
    channel->peer = peer;
    channel->lane = i % emulated->lanes;
    init_channel(emulated, channel);
    emulated->channels[i] = channel;
  }
  return RS_OK;
}

void rs_emulated_channels_close(struct rs_emulated_device *emulated) {
  for (size_t i = 0; emulated->channels && i < emulated->rank_count * emulated->lanes; i++)
    free(emulated->channels[i]);
  free(emulated->channels);
  free(emulated->sending.items);
  free(emulated->receiving.items);
  free(emulated->arriving.items);
}

// ---- phases -----------------------------------------------------------------------------------------------

static enum rs_status check_deadline(const struct rs_emulated_device *emulated, struct rs_error *error) {
  if (rs_clock_ns() < emulated->deadline_ns)
    return RS_IN_PROGRESS;
  double seconds = (double)emulated->timeout_ns / 1e9;
  if (emulated->phase != RS_EMULATED_GATHER)
    return rs_error_set(error, RS_ERROR_TIMEOUT, "emulated: shared memory %s was not made ready within %.3g s",
                        emulated->segment.name, seconds);
  unsigned attached = atomic_load(&emulated->segment.head->attached);
  if (attached < emulated->rank_count)
    return rs_error_set(
        error, RS_ERROR_TIMEOUT,
        "emulated: only %u of %zu ranks have attached to shared memory within %.3g s; emulated works on "
        "one machine only, where all ranks see one /dev/shm (containers have their own)",
        attached, emulated->rank_count, seconds);
  return rs_error_set(error, RS_ERROR_TIMEOUT, "emulated: rank 0 has not decided on the slowdown within %.3g s",
                      seconds);
}

static enum rs_status decide(struct rs_emulated_device *emulated, struct rs_error *error) {
  struct rs_emulated_head *head = emulated->segment.head;
  struct rs_emulated_machine machine = {0};
  struct rs_emulated_demand demand;
  head->slowdown = emulated->slowdown;
  if (emulated->slowdown == 0) {
    if (rs_emulated_machine_measure(&machine, error) < 0) {
      atomic_store(&head->decision, RS_EMULATED_FAILED);
      return error->status;
    }
    rs_emulated_demand_of(&emulated->map, &demand);
    head->slowdown = rs_emulated_slowdown(&machine, &demand);
    rs_log(emulated->log, RS_LOG_INFO,
           "emulated: slower than the model by %g, as sleeps end %.3g us late and loopback moves %.3g GB/s",
           head->slowdown, (double)machine.lateness_ns / 1e3, machine.loopback_byte_s / 1e9);
  }
  atomic_store(&head->decision, RS_EMULATED_DECIDED);
  return RS_OK;
}

// All have attached, and rank 0 has decided. Rank 0 measures only then, as others may be busy before.
static enum rs_status gather(struct rs_emulated_device *emulated, struct rs_error *error) {
  struct rs_emulated_head *head = emulated->segment.head;
  if (atomic_load(&head->attached) < emulated->rank_count)
    return RS_IN_PROGRESS;
  if (emulated->rank == 0 && decide(emulated, error) < 0)
    return error->status;
  switch (atomic_load(&head->decision)) {
  case RS_EMULATED_DECIDED:
    emulated->slowdown = head->slowdown;
    return RS_OK;
  case RS_EMULATED_FAILED:
    return rs_error_set(error, RS_ERROR_PEER, "emulated: rank 0 could not decide on the slowdown; look at its message");
  default:
    return RS_IN_PROGRESS;
  }
}

static enum rs_status share(struct rs_emulated_device *emulated, struct rs_error *error) {
  int inner_fd = emulated->inner_transport->event_fd(emulated->inner);
  emulated->news = rs_emulated_segment_news(&emulated->segment, emulated->rank);
  emulated->sleeper = rs_emulated_segment_sleeper(&emulated->segment, emulated->rank);
  // The name without its slash.
  return rs_emulated_bell_open(&emulated->bell, emulated->segment.name + 1, emulated->rank, inner_fd, error);
}

// One step of the way up; OK: that phase is done.
static enum rs_status step(struct rs_emulated_device *emulated, const uint8_t *addresses, const bool *peers,
                           struct rs_error *error) {
  enum rs_status status;
  switch (emulated->phase) {
  case RS_EMULATED_START:
    emulated->deadline_ns = rs_clock_ns() + emulated->timeout_ns;
    return check_machines(emulated, addresses, error);
  case RS_EMULATED_ATTACH:
    status = rs_emulated_segment_attach(&emulated->segment, error);
    return status == RS_OK ? share(emulated, error) : status;
  case RS_EMULATED_GATHER:
    status = gather(emulated, error);
    return status == RS_OK ? open_channels(emulated, peers, error) : status;
  case RS_EMULATED_INNER:
    return emulated->inner_transport->connect(emulated->inner, addresses, peers, error);
  case RS_EMULATED_UP:
    break;
  }
  return RS_OK;
}

enum rs_status rs_emulated_connect(struct rs_device *device, const uint8_t *addresses, const bool *peers,
                                   struct rs_error *error) {
  struct rs_emulated_device *emulated = rs_emulated_device_of(device);
  while (emulated->phase != RS_EMULATED_UP) {
    enum rs_status status = step(emulated, addresses, peers, error);
    if (status == RS_IN_PROGRESS && emulated->phase < RS_EMULATED_INNER)
      return check_deadline(emulated, error);
    if (status != RS_OK)
      return status;
    emulated->phase++;
  }
  return RS_OK;
}
