// The verbs_rc transport: reliable connections between the ranks that talk to each other, on one or several RDMA
// devices.
#include "transport/verbs_rc_device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define REQUEST_BYTES_MAX ((size_t)1 << 30)

static const char *const rendezvous_names[] = {"write", "read", NULL};

static const struct rs_option verbs_rc_option_table[] = {
    RS_VERBS_CHOICE_OPTIONS(struct rs_verbs_rc_options, choice),
    RS_VERBS_EXCHANGE_OPTIONS(struct rs_verbs_rc_options, exchange),
    {.name = "eager",
     .type = RS_OPTION_SIZE,
     .offset = offsetof(struct rs_verbs_rc_options, eager_bytes),
     .default_text = "4KiB",
     .help = "longer messages go straight from and into the caller's buffers",
     .maximum = UINT64_C(1) << 20},
    {.name = "rendezvous",
     .type = RS_OPTION_CHOICE,
     .offset = offsetof(struct rs_verbs_rc_options, rendezvous),
     .default_text = "write",
     .help = "how they go: the sender writes where the receiver wants them, or the receiver reads",
     .choices = rendezvous_names},
    {.name = "queue_pairs",
     .type = RS_OPTION_UINT,
     .offset = offsetof(struct rs_verbs_rc_options, queue_pairs),
     .default_text = "1",
     .help = "per peer and lane; long messages are divided between them",
     .minimum = 1,
     .maximum = RS_VERBS_RC_PAIRS_MAX},
    {.name = "stripe",
     .type = RS_OPTION_SIZE,
     .offset = offsetof(struct rs_verbs_rc_options, stripe_bytes),
     .default_text = "64KiB",
     .help = "the shortest piece of a message that gets a queue pair of its own",
     .minimum = 64,
     .maximum = UINT64_C(1) << 30},
    {.name = "ack_timeout",
     .type = RS_OPTION_DURATION,
     .offset = offsetof(struct rs_verbs_rc_options, ack_timeout_ns),
     .default_text = "67ms",
     .help = "after which a packet is sent again; after seven of them the peer is given up",
     .minimum = 4096,
     .maximum = UINT64_C(60000000000)},
    {.name = NULL},
};

// ---- memory -----------------------------------------------------------------------------------------------

struct ibv_mr *rs_verbs_rc_register(const struct rs_verbs_rc_device *device, size_t port, void *address, size_t bytes,
                                    struct rs_error *error) {
  const struct rs_verbs_nic *nic = &device->ports[port].nic;
  struct ibv_mr *region = device->verbs.reg_mr(
      nic->pd, address, bytes, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ);
  if (region != NULL)
    return region;
  int code = errno;
  struct rlimit limit = {0};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  char size[32], locked[32];
  rs_format_size(bytes, size, sizeof size);
  snprintf(locked, sizeof locked, "unlimited");
  if (limit.rlim_cur != RLIM_INFINITY)
    rs_format_size(limit.rlim_cur, locked, sizeof locked);
  rs_error_set_errno(
      error, RS_ERROR_IO, code,
      "verbs_rc: registering %s of memory with %s; this process may lock %s: raise it on all hosts with "
      "'ulimit -l unlimited' (/etc/security/limits.conf, LimitMEMLOCK= of the service that starts ranks, "
      "--ulimit memlock=-1 of a container)",
      size, nic->facts.interface, locked);
  return NULL;
}

static void verbs_rc_deregister(struct rs_device *base, struct rs_region *region) {
  if (region == NULL)
    return;
  const struct rs_verbs_rc_device *device = rs_verbs_rc_device_of(base);
  for (size_t p = 0; p < device->port_count; p++)
    if (region->keys[p] != NULL)
      device->verbs.dereg_mr(region->keys[p]);
  free(region);
}

static enum rs_status verbs_rc_register(struct rs_device *base, const struct rs_buffer *buffer,
                                        struct rs_region **region, struct rs_error *error) {
  const struct rs_verbs_rc_device *device = rs_verbs_rc_device_of(base);
  if (!rs_buffer_is_host(buffer))
    return rs_error_set(error, RS_ERROR_UNSUPPORTED, "verbs_rc: only host memory can be registered");
  struct rs_region *opened = rs_allocate(1, sizeof *opened, "verbs_rc region", error);
  if (opened == NULL)
    return error->status;
  opened->address = buffer->address;
  opened->bytes = buffer->bytes;
  for (size_t p = 0; p < device->port_count && buffer->bytes > 0; p++) {
    opened->keys[p] = rs_verbs_rc_register(device, p, buffer->address, buffer->bytes, error);
    if (opened->keys[p] == NULL) {
      verbs_rc_deregister(base, opened);
      return error->status;
    }
  }
  *region = opened;
  return RS_OK;
}

// ---- open and close ---------------------------------------------------------------------------------------

// Reads of `fd` never wait, and news there wake whoever sleeps on the device.
static enum rs_status watch(const struct rs_verbs_rc_device *device, int fd, struct rs_error *error) {
  struct epoll_event event = {.events = EPOLLIN};
  if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || epoll_ctl(device->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "verbs_rc: watching for events");
  return RS_OK;
}

static enum rs_status open_events(struct rs_verbs_rc_device *device, struct rs_error *error) {
  device->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (device->epoll_fd < 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "verbs_rc: epoll_create1");
  for (size_t p = 0; p < device->port_count; p++) {
    struct rs_verbs_rc_port *port = &device->ports[p];
    port->events = device->verbs.create_comp_channel(port->nic.context);
    if (port->events == NULL)
      return rs_error_set_errno(error, RS_ERROR_IO, errno, "verbs_rc: making a completion channel on %s",
                                port->nic.facts.interface);
    if (watch(device, port->events->fd, error) < 0 || watch(device, port->nic.context->async_fd, error) < 0)
      return error->status;
  }
  return RS_OK;
}

static enum rs_status open_nics(struct rs_verbs_rc_device *device, const struct rs_transport_params *params,
                                struct rs_error *error) {
  struct rs_verbs_nic nics[RS_VERBS_NICS_MAX];
  size_t count;
  if (rs_verbs_open(&device->verbs, error) < 0 ||
      rs_verbs_nics_open(&device->verbs, &device->options.choice, params, nics, &count, error) < 0) {
    rs_error_prefix(error, "transport verbs_rc");
    return error->status;
  }
  for (size_t p = 0; p < count; p++)
    device->ports[p].nic = nics[p];
  device->port_count = count;
  device->facts = nics[0].facts;
  device->request_bytes = REQUEST_BYTES_MAX;
  for (size_t p = 0; p < count; p++) {
    if (nics[p].efa)
      return rs_error_set(
          error, RS_ERROR_UNSUPPORTED,
          "transport verbs_rc: %s is an EFA device, which has no reliable connections; use transport srd "
          "or tcp, or name another with verbs_rc.device",
          nics[p].facts.interface);
    device->request_bytes = rs_min_size(device->request_bytes, nics[p].attributes.max_msg_sz);
    size_t used = strlen(device->facts.interface);
    if (p > 0)
      snprintf(device->facts.interface + used, sizeof device->facts.interface - used, ",%.30s",
               nics[p].facts.interface);
  }
  return RS_OK;
}

// What connecting will need for each peer, tried now: too low a limit for locked memory shows before anybody waits.
static enum rs_status try_memory(const struct rs_verbs_rc_device *device, struct rs_error *error) {
  struct rs_buffer buffer;
  size_t bytes = device->lanes * (RS_VERBS_RC_SENDS + RS_VERBS_RC_RECEIVES) * device->slot_bytes;
  if (rs_buffer_open(RS_MEMORY_HOST, bytes, &buffer, error) < 0)
    return error->status;
  struct ibv_mr *region = rs_verbs_rc_register(device, 0, buffer.address, buffer.bytes, error);
  if (region != NULL)
    device->verbs.dereg_mr(region);
  rs_buffer_close(&buffer);
  return region != NULL ? RS_OK : error->status;
}

static void verbs_rc_close(struct rs_device *base) {
  struct rs_verbs_rc_device *device = rs_verbs_rc_device_of(base);
  if (device == NULL)
    return;
  for (size_t p = 0; p < device->pair_count; p++)
    if (device->pairs[p].qp != NULL)
      device->verbs.destroy_qp(device->pairs[p].qp);
  for (size_t p = 0; p < device->port_count; p++) {
    struct rs_verbs_rc_port *port = &device->ports[p];
    if (port->buffers != NULL)
      device->verbs.dereg_mr(port->buffers);
    if (port->cq != NULL)
      device->verbs.destroy_cq(port->cq);
    if (port->events != NULL)
      device->verbs.destroy_comp_channel(port->events);
    rs_verbs_nic_close(&device->verbs, &port->nic);
  }
  if (device->epoll_fd >= 0)
    close(device->epoll_fd);
  rs_verbs_rc_joining_close(device->joining);
  rs_verbs_exchange_close(device->exchange);
  rs_buffer_close(&device->buffers);
  free(device->pairs);
  free(device->channels);
  free(device->gids);
  free(device->peers);
  rs_verbs_close(&device->verbs);
  free(device);
}

static enum rs_status verbs_rc_open(const struct rs_transport_params *params, struct rs_device **opened,
                                    struct rs_error *error) {
  struct rs_verbs_rc_device *device = rs_allocate(1, sizeof *device, "verbs_rc device", error);
  if (device == NULL)
    return error->status;
  device->base.transport = &rs_transport_verbs_rc;
  device->options = *(const struct rs_verbs_rc_options *)params->options;
  device->rank = params->rank;
  device->rank_count = params->rank_count;
  device->lanes = params->lanes;
  device->timeout_ns = params->timeout_ns;
  device->epoll_fd = -1;
  device->last_done = &device->first_done;
  size_t control_bytes = RS_VERBS_RC_BATCH * sizeof(struct rs_verbs_rc_target);
  device->slot_bytes =
      rs_round_up(sizeof(struct rs_verbs_rc_header) + rs_max_size(device->options.eager_bytes, control_bytes), 64);
  if (open_nics(device, params, error) < 0 || open_events(device, error) < 0 || try_memory(device, error) < 0 ||
      rs_verbs_exchange_open("verbs_rc", params, &device->options.exchange, &device->exchange, error) < 0) {
    verbs_rc_close(&device->base);
    return error->status;
  }
  *opened = &device->base;
  return RS_OK;
}

// ---- facts ------------------------------------------------------------------------------------------------

static void verbs_rc_limits(const struct rs_device *base, struct rs_limits *limits) {
  (void)base;
  *limits = (struct rs_limits){
      .message_bytes_max = PTRDIFF_MAX,
      .posts_max = RS_VERBS_RC_POSTS_MAX,
      .moves_data = true,
      .can_sleep = true,
      .slowdown = 1,
  };
}

static void verbs_rc_facts(const struct rs_device *base, struct rs_device_facts *facts) {
  *facts = ((const struct rs_verbs_rc_device *)base)->facts;
}

static size_t verbs_rc_counters(const struct rs_device *base, struct rs_device_counter *counters, size_t max) {
  static const char *const names[RS_VERBS_RC_COUNTS] = {
      [RS_VERBS_RC_COUNT_EAGER] = "eager",
      [RS_VERBS_RC_COUNT_RENDEZVOUS] = "rendezvous",
      [RS_VERBS_RC_COUNT_ANNOUNCED] = "announced",
      [RS_VERBS_RC_COUNT_UNEXPECTED] = "unexpected",
      [RS_VERBS_RC_COUNT_UPDATES] = "updates",
      [RS_VERBS_RC_COUNT_WAITED_CREDIT] = "waited_for_credit",
      [RS_VERBS_RC_COUNT_WAITED_QUEUE] = "waited_for_queue",
  };
  size_t count = rs_min_size(max, RS_VERBS_RC_COUNTS);
  for (size_t c = 0; c < count; c++) {
    snprintf(counters[c].name, sizeof counters[c].name, "%s", names[c]);
    counters[c].value = ((const struct rs_verbs_rc_device *)base)->counts[c];
  }
  return count;
}

const struct rs_transport rs_transport_verbs_rc = {
    .name = "verbs_rc",
    .summary = "RDMA reliable connections (InfiniBand, RoCE): eager sends, and long messages written into place",
    .span = RS_SPAN_NETWORK,
    .options = verbs_rc_option_table,
    .option_bytes = sizeof(struct rs_verbs_rc_options),
    .preference = 3,
    .open = verbs_rc_open,
    .close = verbs_rc_close,
    .limits = verbs_rc_limits,
    .facts = verbs_rc_facts,
    .counters = verbs_rc_counters,
    .address = rs_verbs_rc_address,
    .connect = rs_verbs_rc_connect,
    .register_memory = verbs_rc_register,
    .deregister_memory = verbs_rc_deregister,
    .post_send = rs_verbs_rc_post_send,
    .post_recv = rs_verbs_rc_post_recv,
    .progress = rs_verbs_rc_progress,
    .arm = rs_verbs_rc_arm,
    .event_fd = rs_verbs_rc_event_fd,
};
