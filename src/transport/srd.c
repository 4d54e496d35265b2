// srd: messages as reliable datagrams, as EFA's SRD carries them, over EFA itself or over unreliable datagrams of any
// RDMA device.
#include "transport/srd_device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

// The memory that bounce buffers may take, and the receives that a peer gets at least.
#define BOUNCE_BYTES_MAX ((size_t)32 << 20)
#define BOUNCE_MAX 16u
#define WINDOW_MIN 4u

static const char *const flavour_names[] = {"auto", "efa", "ud", NULL};

static const struct rs_option srd_option_table[] = {
    {.name = "flavour",
     .type = RS_OPTION_CHOICE,
     .offset = offsetof(struct rs_srd_options, flavour),
     .default_text = "auto",
     .choices = flavour_names,
     .help = "efa: scalable reliable datagrams of an EFA; ud: unreliable datagrams made reliable; auto: what is there"},
    RS_VERBS_CHOICE_OPTIONS(struct rs_srd_options, choice),
    {.name = "checksum",
     .type = RS_OPTION_BOOL,
     .offset = offsetof(struct rs_srd_options, checksum),
     .default_text = "true",
     .help = "ud: a CRC32C over every segment, beyond the device's own"},
    {.name = "receives",
     .type = RS_OPTION_UINT,
     .offset = offsetof(struct rs_srd_options, receives),
     .default_text = "1024",
     .help = "receive buffers of one segment each that are posted at once, for all peers together",
     .minimum = 16,
     .maximum = 32768},
    {.name = "bounce",
     .type = RS_OPTION_UINT,
     .offset = offsetof(struct rs_srd_options, bounce),
     .default_text = "0",
     .help = "segments per peer and lane that may come before their receive is posted (0: 16, or what 32 MiB hold)",
     .maximum = 1024},
    {.name = NULL},
};

// ---- open -------------------------------------------------------------------------------------------------

static enum rs_status choose_flavour(struct rs_srd_device *srd, uint64_t flavour, struct rs_error *error) {
#if RS_HAVE_EFADV
  bool possible = srd->nic.efa && srd->verbs.efadv_create_qp_ex != NULL;
  const char *reason = srd->nic.efa ? "there is no libefa.so.1: install AWS's EFA installer or rdma-core"
                                    : "it is no EFA; use srd.flavour=ud";
#else
  bool possible = false;
  const char *reason = "this build of ringside has no infiniband/efadv.h; build it with libibverbs-dev";
#endif
  if (flavour == RS_SRD_EFA && !possible)
    return rs_error_set(error, RS_ERROR_UNSUPPORTED, "srd.flavour=efa: device %s: %s", srd->nic.facts.interface,
                        reason);
  srd->reliable = possible && flavour != RS_SRD_UD;
  return RS_OK;
}

// Each peer may have `window` segments under way, so that all together do not overrun the posted receives; greetings
// and acknowledgements get a quarter.
static enum rs_status open_wire(struct rs_srd_device *srd, const struct rs_srd_options *options,
                                struct rs_error *error) {
  size_t peers = rs_max_size(srd->rank_count - 1, 1), channels = peers * srd->lanes;
  size_t receives = rs_max_size(options->receives, peers * (WINDOW_MIN + 2));
  size_t limit = srd->nic.device.max_qp_wr > 0 ? (size_t)srd->nic.device.max_qp_wr : receives;
  receives = rs_min_size(receives, limit);
  size_t bounce = BOUNCE_BYTES_MAX / rs_srd_wire_segment_bytes(&srd->nic) / channels;
  bounce = options->bounce != 0 ? options->bounce : rs_min_size(rs_max_size(bounce, 2), BOUNCE_MAX);
  srd->bounce = (uint32_t)bounce;
  srd->window = (uint32_t)rs_min_size(rs_max_size(receives * 3 / 4 / peers, WINDOW_MIN), RS_SRD_WINDOW);
  if (rs_srd_wire_open(&srd->verbs, &srd->nic, srd->reliable, (uint32_t)receives, channels * bounce, &srd->wire,
                       error) < 0)
    return error->status;
  srd->held = rs_allocate(srd->wire.buffer_count, sizeof *srd->held, "srd receive buffers", error);
  return srd->held != NULL ? RS_OK : error->status;
}

static enum rs_status open_tables(struct rs_srd_device *srd, struct rs_error *error) {
  size_t headers =
      srd->rank_count * RS_SRD_WINDOW * RS_SRD_HEADER_BYTES + (size_t)RS_SRD_CONTROLS * RS_SRD_CONTROL_BYTES;
  srd->completed_capacity = 2 * srd->rank_count * srd->lanes * RS_SRD_POSTS_MAX;
  srd->peers = rs_allocate(srd->rank_count, sizeof *srd->peers, "srd peers", error);
  srd->ready = rs_allocate(srd->rank_count, sizeof *srd->ready, "srd peers", error);
  srd->ackers = rs_allocate(srd->rank_count, sizeof *srd->ackers, "srd peers", error);
  srd->completed = rs_allocate(srd->completed_capacity, sizeof *srd->completed, "srd completions", error);
  srd->headers = rs_allocate(headers, 1, "srd headers", error);
  if (srd->peers == NULL || srd->ready == NULL || srd->ackers == NULL || srd->completed == NULL || srd->headers == NULL)
    return error->status;
  for (size_t r = 0; r < srd->rank_count; r++)
    srd->peers[r].rank = r;
  srd->headers_memory = (srd->verbs.reg_mr)(srd->nic.pd, srd->headers, headers, IBV_ACCESS_LOCAL_WRITE);
  if (srd->headers_memory == NULL)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "srd: %zu bytes cannot be registered with %s; see 'ulimit -l'",
                              headers, srd->nic.facts.interface);
  return RS_OK;
}

static enum rs_status open_events(struct rs_srd_device *srd, struct rs_error *error) {
  struct epoll_event readable = {.events = EPOLLIN};
  srd->failure_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  srd->event_fd = epoll_create1(EPOLL_CLOEXEC);
  if (srd->failure_fd < 0 || srd->event_fd < 0 ||
      epoll_ctl(srd->event_fd, EPOLL_CTL_ADD, srd->failure_fd, &readable) < 0 ||
      (srd->wire.channel != NULL && epoll_ctl(srd->event_fd, EPOLL_CTL_ADD, srd->wire.channel->fd, &readable) < 0))
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "srd: epoll or eventfd");
  return RS_OK;
}

static void srd_close(struct rs_device *device) {
  struct rs_srd_device *srd = rs_srd_device_of(device);
  if (srd == NULL)
    return;
  rs_srd_keeper_stop(srd);
  if (srd->event_fd >= 0)
    close(srd->event_fd);
  if (srd->failure_fd >= 0)
    close(srd->failure_fd);
  rs_srd_wire_close(&srd->wire);
  rs_srd_peers_close(srd);
  if (srd->headers_memory != NULL)
    srd->verbs.dereg_mr(srd->headers_memory);
  rs_verbs_nic_close(&srd->verbs, &srd->nic);
  rs_verbs_close(&srd->verbs);
  free(srd->held);
  free(srd->headers);
  free(srd->completed);
  free(srd->ackers);
  free(srd->ready);
  free(srd);
}

static size_t srd_rails(const void *options) {
  return rs_max_size(((const struct rs_srd_options *)options)->choice.devices.count, 1);
}

// One device of those that are named.
static struct rs_verbs_choice choice_of_rail(const struct rs_srd_options *options, size_t rail) {
  struct rs_verbs_choice choice = options->choice;
  if (choice.devices.count > 1) {
    memcpy(choice.devices.words[0], options->choice.devices.words[rail], sizeof choice.devices.words[0]);
    choice.devices.count = 1;
  }
  return choice;
}

static enum rs_status srd_open(const struct rs_transport_params *params, struct rs_device **device,
                               struct rs_error *error) {
  const struct rs_srd_options *options = params->options;
  const struct rs_verbs_choice choice = choice_of_rail(options, params->rail);
  size_t nics = 0;
  if (params->rank_count >= RS_SRD_RANKS_MAX || params->lanes > UINT16_MAX)
    return rs_error_set(error, RS_ERROR_USAGE, "srd: %zu ranks with %zu lanes are too many", params->rank_count,
                        params->lanes);
  struct rs_srd_device *srd = rs_allocate(1, sizeof *srd, "srd device", error);
  if (srd == NULL)
    return error->status;
  srd->base.transport = &rs_transport_srd;
  srd->rank = params->rank;
  srd->rank_count = params->rank_count;
  srd->lanes = params->lanes;
  srd->timeout_ns = params->timeout_ns;
  srd->traffic_class = options->choice.traffic_class;
  srd->event_fd = srd->failure_fd = -1;
  for (size_t i = 0; i < RS_TOKEN_BYTES; i++)
    srd->token_hash = rs_hash64(srd->token_hash ^ params->token[i]);
  rs_srd_checksum_init(&srd->checksum, RS_SRD_CHECKSUM_FASTEST);
  if (rs_verbs_open(&srd->verbs, error) < 0 ||
      rs_verbs_nics_open(&srd->verbs, &choice, params, &srd->nic, &nics, error) < 0) {
    rs_error_prefix(error, "transport srd");
    srd_close(&srd->base);
    return error->status;
  }
  if (rs_random_bytes(&srd->id, sizeof srd->id, error) < 0 || choose_flavour(srd, options->flavour, error) < 0 ||
      open_tables(srd, error) < 0 || open_wire(srd, options, error) < 0 || open_events(srd, error) < 0 ||
      rs_srd_keeper_start(srd, error) < 0) {
    srd_close(&srd->base);
    return error->status;
  }
  srd->checked = options->checksum && !srd->reliable;
  srd->random.state = srd->id;
  *device = &srd->base;
  return RS_OK;
}

// ---- what is true of it -----------------------------------------------------------------------------------

static void srd_limits(const struct rs_device *device, struct rs_limits *limits) {
  *limits = (struct rs_limits){
      .message_bytes_max = RS_SRD_MESSAGE_BYTES_MAX,
      .posts_max = RS_SRD_POSTS_MAX,
      .moves_data = true,
      .can_sleep = ((const struct rs_srd_device *)device)->wire.channel != NULL,
      .slowdown = 1,
  };
}

static void srd_facts(const struct rs_device *device, struct rs_device_facts *facts) {
  const struct rs_srd_device *srd = (const struct rs_srd_device *)device;
  *facts = srd->nic.facts;
  snprintf(facts->congestion, sizeof facts->congestion, "%s", srd->reliable ? "SRD" : "AIMD over UD");
}

static size_t srd_counters(const struct rs_device *device, struct rs_device_counter *counters, size_t max) {
  static const char *const names[] = {"segments",     "retransmitted", "duplicates", "corrupted",
                                      "out_of_order", "rnr",           "strangers"};
  _Static_assert(RS_ARRAY_LENGTH(names) == RS_SRD_COUNTER_COUNT, "a name for each");
  struct rs_srd_device *srd = rs_srd_device_of((struct rs_device *)device);
  size_t count = rs_min_size(max, RS_ARRAY_LENGTH(names));
  pthread_mutex_lock(&srd->lock);
  for (size_t i = 0; i < count; i++) {
    snprintf(counters[i].name, sizeof counters[i].name, "%s", names[i]);
    counters[i].value = srd->counters[i];
  }
  pthread_mutex_unlock(&srd->lock);
  return count;
}

// ---- memory -----------------------------------------------------------------------------------------------

static enum rs_status srd_register(struct rs_device *device, const struct rs_buffer *buffer, struct rs_region **region,
                                   struct rs_error *error) {
  struct rs_srd_device *srd = rs_srd_device_of(device);
  if (!rs_buffer_is_host(buffer))
    return rs_error_set(error, RS_ERROR_UNSUPPORTED,
                        "srd: segments are copied by the processor, from host memory only");
  struct rs_region *opened = rs_allocate(1, sizeof *opened, "srd region", error);
  if (opened == NULL)
    return error->status;
  *opened = (struct rs_region){.address = buffer->address, .bytes = buffer->bytes};
  // Nothing can be posted of an empty buffer, and no device registers one.
  if (buffer->bytes > 0) {
    opened->memory = (srd->verbs.reg_mr)(srd->nic.pd, buffer->address, buffer->bytes, IBV_ACCESS_LOCAL_WRITE);
    if (opened->memory == NULL) {
      free(opened);
      return rs_error_set_errno(error, RS_ERROR_IO, errno,
                                "srd: %zu bytes cannot be registered with %s; see 'ulimit -l'", buffer->bytes,
                                srd->nic.facts.interface);
    }
  }
  *region = opened;
  return RS_OK;
}

static void srd_deregister(struct rs_device *device, struct rs_region *region) {
  if (region == NULL)
    return;
  rs_srd_memory_gone(rs_srd_device_of(device), region);
  if (region->memory != NULL)
    rs_srd_device_of(device)->verbs.dereg_mr(region->memory);
  free(region);
}

const struct rs_transport rs_transport_srd = {
    .name = "srd",
    .summary =
        "RDMA reliable datagrams: EFA's SRD, or UD of any device made reliable; one queue pair reaches all peers",
    .span = RS_SPAN_NETWORK,
    .options = srd_option_table,
    .option_bytes = sizeof(struct rs_srd_options),
    .preference = 2,
    .rails = srd_rails,
    .open = srd_open,
    .close = srd_close,
    .limits = srd_limits,
    .facts = srd_facts,
    .counters = srd_counters,
    .address = rs_srd_address,
    .connect = rs_srd_connect,
    .register_memory = srd_register,
    .deregister_memory = srd_deregister,
    .post_send = rs_srd_post_send,
    .post_recv = rs_srd_post_recv,
    .progress = rs_srd_progress,
    .arm = rs_srd_arm,
    .event_fd = rs_srd_event_fd,
};
