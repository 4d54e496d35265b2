// The shm transport: ranks of one host pass messages through memory that each two of them share.
#include "transport/shm_device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#define LINE 64

static const struct rs_option shm_option_table[] = {
    {.name = "ring",
     .type = RS_OPTION_SIZE,
     .offset = offsetof(struct rs_shm_options, ring_bytes),
     .default_text = "1MiB",
     .help = "shared memory per peer, lane and direction: what a sender may be ahead of its receiver",
     .minimum = 128,
     .maximum = UINT64_C(1) << 30},
    {.name = "piece",
     .type = RS_OPTION_SIZE,
     .offset = offsetof(struct rs_shm_options, piece_bytes),
     .default_text = "128KiB",
     .help = "longer messages are handed over piece by piece, of which at least two fit in the ring",
     .minimum = 64,
     .maximum = UINT64_C(1) << 30},
    {.name = "direct",
     .type = RS_OPTION_SIZE,
     .offset = offsetof(struct rs_shm_options, direct_bytes),
     .default_text = "128KiB",
     .help = "messages from this length on are read from the sender's memory where run.memory=host_shared (0: none)",
     .maximum = UINT64_C(1) << 40},
    {.name = NULL},
};

// The sizes of what two ranks share, equal on both.
static enum rs_status shape_device(const struct rs_shm_options *options, struct rs_shm_device *shm,
                                   struct rs_error *error) {
  size_t wires, bytes;
  shm->ring_bytes = rs_round_up(options->ring_bytes, LINE);
  shm->piece_bytes = rs_min_size(rs_round_up(options->piece_bytes, LINE), shm->ring_bytes / 2 / LINE * LINE);
  shm->direct_bytes = options->direct_bytes ? options->direct_bytes : SIZE_MAX;
  shm->wire_bytes = sizeof(struct rs_shm_wire) + shm->ring_bytes;
  if (shm->piece_bytes == 0)
    return rs_error_set(error, RS_ERROR_USAGE, "shm.ring=%llu: two pieces of %d bytes are the least",
                        (unsigned long long)options->ring_bytes, LINE);
  if (!rs_multiply_size(shm->lanes, 2, &wires) || !rs_multiply_size(wires, shm->wire_bytes, &bytes) ||
      !rs_add_size(bytes, 2 * sizeof(struct rs_shm_side), &shm->shared_bytes) || shm->shared_bytes > PTRDIFF_MAX)
    return rs_error_set_memory(error, SIZE_MAX, "shared memory");
  return RS_OK;
}

static enum rs_status shm_open_device(const struct rs_transport_params *params, struct rs_device **device,
                                      struct rs_error *error) {
  struct rs_shm_device *shm = rs_allocate(1, sizeof *shm, "shm device", error);
  if (shm == NULL)
    return error->status;
  shm->base.transport = &rs_transport_shm;
  shm->rank = params->rank;
  shm->rank_count = params->rank_count;
  shm->lanes = params->lanes;
  shm->timeout_ns = params->timeout_ns;
  shm->log = params->log;
  memcpy(shm->token, params->token, sizeof shm->token);
  if (shape_device(params->options, shm, error) < 0 || rs_shm_address_make(&shm->address, error) < 0)
    goto free_device;
  shm->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (shm->epoll_fd < 0) {
    rs_error_set_errno(error, RS_ERROR_IO, errno, "shm: epoll_create1");
    goto free_device;
  }
  if (rs_shm_door_open(&shm->address, &shm->door, error) < 0)
    goto close_epoll;
  *device = &shm->base;
  return RS_OK;
close_epoll:
  close(shm->epoll_fd);
free_device:
  free(shm);
  return error->status;
}

static void shm_close(struct rs_device *device) {
  struct rs_shm_device *shm = rs_shm_device_of(device);
  if (shm == NULL)
    return;
  for (size_t r = 0; shm->peers && r < shm->rank_count; r++) {
    struct rs_shm_peer *peer = &shm->peers[r];
    const int fds[] = {peer->socket, peer->offer[0], peer->offer[1]};
    for (size_t i = 0; i < RS_ARRAY_LENGTH(fds); i++)
      if (fds[i] >= 0)
        close(fds[i]);
    if (peer->shared)
      munmap(peer->shared, shm->shared_bytes);
    rs_shm_views_close(peer);
  }
  if (shm->door >= 0)
    close(shm->door);
  close(shm->epoll_fd);
  free(shm->active);
  free(shm->channels);
  free(shm->peers);
  free(shm);
}

static void shm_limits(const struct rs_device *device, struct rs_limits *limits) {
  (void)device;
  *limits = (struct rs_limits){
      .message_bytes_max = PTRDIFF_MAX,
      .posts_max = RS_SHM_POSTS_MAX,
      .moves_data = true,
      .can_sleep = true,
      .slowdown = 1,
  };
}

static void shm_facts(const struct rs_device *device, struct rs_device_facts *facts) {
  *facts = (struct rs_device_facts){.interface = "memory", .numa_node = -1};
  snprintf(facts->address, sizeof facts->address, "process %u",
           ((const struct rs_shm_device *)device)->address.process);
}

static size_t shm_counters(const struct rs_device *device, struct rs_device_counter *counters, size_t max) {
  const struct rs_shm_device *shm = (const struct rs_shm_device *)device;
  const struct rs_device_counter all[] = {{"staged_bytes", (int64_t)shm->staged_bytes},
                                          {"direct_bytes", (int64_t)shm->direct_sent_bytes}};
  size_t count = rs_min_size(max, RS_ARRAY_LENGTH(all));
  memcpy(counters, all, count * sizeof *all);
  return count;
}

static void shm_address(const struct rs_device *device, uint8_t blob[RS_ADDRESS_BYTES_MAX]) {
  memset(blob, 0, RS_ADDRESS_BYTES_MAX);
  memcpy(blob, &((const struct rs_shm_device *)device)->address, sizeof(struct rs_shm_address));
}

static int shm_event_fd(const struct rs_device *device) {
  return ((const struct rs_shm_device *)device)->epoll_fd;
}

const struct rs_transport rs_transport_shm = {
    .name = "shm",
    .summary = "ranks of one host, through memory that each two of them share",
    .span = RS_SPAN_HOST,
    .options = shm_option_table,
    .option_bytes = sizeof(struct rs_shm_options),
    .preference = 1,
    .open = shm_open_device,
    .close = shm_close,
    .limits = shm_limits,
    .facts = shm_facts,
    .counters = shm_counters,
    .address = shm_address,
    .connect = rs_shm_connect,
    .register_memory = rs_shm_register,
    .deregister_memory = rs_shm_deregister,
    .post_send = rs_shm_post_send,
    .post_recv = rs_shm_post_recv,
    .post_take = rs_shm_post_take,
    .progress = rs_shm_progress,
    .arm = rs_shm_arm,
    .event_fd = shm_event_fd,
};
