// A decorator over another transport that makes one machine behave like a fabric; docs/emulation.md says how.
#include "transport/emulated_device.h"
#include "transport/tcp.h"

#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOWDOWN_MAX 1e6

const char *const rs_emulated_over_names[] = {"tcp", NULL};
static const struct rs_transport *const over_transports[] = {&rs_transport_tcp};

static const struct rs_option emulated_option_table[] = {
    {.name = "fabric",
     .type = RS_OPTION_STRING,
     .offset = offsetof(struct rs_emulated_options, fabric),
     .default_text = "",
     .help = "the file that describes the network, such as those in configs/fabrics; required"},
    {.name = "over",
     .type = RS_OPTION_CHOICE,
     .offset = offsetof(struct rs_emulated_options, over),
     .default_text = "tcp",
     .choices = rs_emulated_over_names,
     .help = "the transport that moves the bytes, with its default options"},
    {.name = "slowdown",
     .type = RS_OPTION_STRING,
     .offset = offsetof(struct rs_emulated_options, slowdown),
     .default_text = "auto",
     .help =
         "how many times slower than the fabric: a number from 1 on, or auto: as much as this machine's clocks need"},
    {.name = NULL},
};

// ---- open -------------------------------------------------------------------------------------------------

static enum rs_status parse_slowdown(const char *text, double *slowdown, struct rs_error *error) {
  char *end;
  double value = strtod(text, &end);
  if (strcmp(text, "auto") == 0)
    value = 0;
  else if (end == text || *end != '\0' || !(value >= 1 && value <= SLOWDOWN_MAX))
    return rs_error_set(error, RS_ERROR_USAGE, "emulated.slowdown=%s: auto, or a number from 1 to %g", text,
                        SLOWDOWN_MAX);
  *slowdown = value;
  return RS_OK;
}

static enum rs_status read_fabric(struct rs_emulated_device *emulated, const struct rs_emulated_options *options,
                                  struct rs_error *error) {
  if (options->model)
    emulated->fabric = *options->model;
  else if (options->fabric.text[0] == '\0')
    return rs_error_set(error, RS_ERROR_USAGE,
                        "transport emulated: emulated.fabric is not given; it names the file that describes the "
                        "network, such as those in configs/fabrics");
  else if (rs_fabric_load(options->fabric.text, &emulated->fabric, error) < 0)
    return error->status;
  if (rs_fabric_place(&emulated->fabric, emulated->rank_count, NULL, &emulated->placement, error) < 0 ||
      rs_fabric_map_open(&emulated->fabric, &emulated->placement, &emulated->map, error) < 0)
    return error->status;
  return RS_OK;
}

static enum rs_status open_inner(struct rs_emulated_device *emulated, const struct rs_transport_params *params,
                                 uint64_t over, struct rs_error *error) {
  const struct rs_transport *transport = over_transports[over];
  emulated->inner_transport = transport;
  emulated->inner_options = rs_allocate(1, transport->option_bytes, "options", error);
  if (emulated->inner_options == NULL)
    return error->status;
  const struct rs_option_group group = {transport->name, transport->options, emulated->inner_options};
  const struct rs_options defaults = {&group, 1};
  if (rs_options_set_defaults(&defaults, error) < 0)
    return error->status;
  struct rs_transport_params inner = *params;
  inner.one_host = true;
  inner.options = emulated->inner_options;
  return transport->open(&inner, &emulated->inner, error);
}

static void emulated_close(struct rs_device *device) {
  struct rs_emulated_device *emulated = rs_emulated_device_of(device);
  if (emulated == NULL)
    return;
  if (emulated->sleeper) {
    rs_emulated_stop_spinning(emulated);
    atomic_store(&emulated->sleeper->closed, 1);
  }
  // Closing the inner device wakes its peers, who then find that this one is closed.
  if (emulated->inner)
    emulated->inner_transport->close(emulated->inner);
  rs_emulated_bell_close(&emulated->bell);
  rs_emulated_channels_close(emulated);
  rs_emulated_segment_close(&emulated->segment);
  free(emulated->inner_options);
  rs_fabric_map_fini(&emulated->map);
  rs_placement_fini(&emulated->placement);
  free(emulated);
}

static enum rs_status emulated_open(const struct rs_transport_params *params, struct rs_device **device,
                                    struct rs_error *error) {
  const struct rs_emulated_options *options = params->options;
  struct rs_emulated_shape shape;
  struct rs_emulated_device *emulated = rs_allocate(1, sizeof *emulated, "emulated device", error);
  if (emulated == NULL)
    return error->status;
  emulated->base.transport = &rs_transport_emulated;
  emulated->rank = params->rank;
  emulated->rank_count = params->rank_count;
  emulated->lanes = params->lanes;
  emulated->timeout_ns = params->timeout_ns;
  emulated->log = params->log;
  memcpy(emulated->token, params->token, sizeof emulated->token);
  emulated->bell = (struct rs_emulated_bell){-1, -1, -1, {0}};
  emulated->exact_ps = emulated->lazy_ps = INT64_MAX;
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  emulated->spinners_max = cores > 0 ? (uint32_t)cores : 1;
  if (parse_slowdown(options->slowdown.text, &emulated->slowdown, error) < 0 ||
      read_fabric(emulated, options, error) < 0 ||
      rs_emulated_shape_init(&shape, params->rank_count, params->lanes, emulated->map.queue_count, error) < 0 ||
      open_inner(emulated, params, options->over, error) < 0) {
    emulated_close(&emulated->base);
    return error->status;
  }
  rs_emulated_segment_init(&emulated->segment, &shape, params->token);
  *device = &emulated->base;
  return RS_OK;
}

// ---- what is true of it -----------------------------------------------------------------------------------

static void emulated_limits(const struct rs_device *device, struct rs_limits *limits) {
  const struct rs_emulated_device *emulated = (const struct rs_emulated_device *)device;
  emulated->inner_transport->limits(emulated->inner, limits);
  limits->posts_max = rs_min_size(limits->posts_max, RS_EMULATED_POSTS_MAX);
  limits->emulated = true;
  limits->slowdown = emulated->slowdown > 0 ? emulated->slowdown : 1;
}

static void emulated_facts(const struct rs_device *device, struct rs_device_facts *facts) {
  const struct rs_emulated_device *emulated = (const struct rs_emulated_device *)device;
  emulated->inner_transport->facts(emulated->inner, facts);
  snprintf(facts->driver, sizeof facts->driver, "emulated over %s", emulated->inner_transport->name);
  facts->speed_mbit = emulated->fabric.egress_bit_s / 1000000;
  facts->mtu = emulated->fabric.mtu;
}

static size_t emulated_counters(const struct rs_device *device, struct rs_device_counter *counters, size_t max) {
  static const char *const late_names[RS_EMULATED_LATE_CLASSES] = {
      "le_1us", "le_4us", "le_16us", "le_64us", "le_256us", "le_1024us", "le_4096us", "le_16384us", "more"};
  const struct rs_emulated_device *emulated = (const struct rs_emulated_device *)device;
  struct rs_device_counter all[2 + RS_EMULATED_LATE_CLASSES] = {{"emulated.messages", emulated->messages},
                                                                {"emulated.quanta", emulated->quanta}};
  for (size_t i = 0; i < RS_EMULATED_LATE_CLASSES; i++) {
    snprintf(all[2 + i].name, sizeof all[2 + i].name, "emulated.late.%s", late_names[i]);
    all[2 + i].value = emulated->late[i];
  }
  size_t count = rs_min_size(max, RS_ARRAY_LENGTH(all));
  memcpy(counters, all, count * sizeof all[0]);
  return count;
}

static uint64_t boot_hash(void) {
  char text[40] = {0};
  int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    (void)!read(fd, text, sizeof text - 1);
    close(fd);
  }
  uint64_t hash = 0;
  for (size_t i = 0; i < sizeof text; i++)
    hash = rs_hash64(hash ^ (uint8_t)text[i]);
  return hash;
}

static void emulated_address(const struct rs_device *device, uint8_t blob[RS_ADDRESS_BYTES_MAX]) {
  const struct rs_emulated_device *emulated = (const struct rs_emulated_device *)device;
  struct rs_emulated_machine_name machine = {.boot = boot_hash()};
  char hostname[HOST_NAME_MAX + 1] = {0};
  gethostname(hostname, sizeof hostname - 1);
  snprintf(machine.hostname, sizeof machine.hostname, "%.63s", hostname);
  emulated->inner_transport->address(emulated->inner, blob);
  memcpy(blob + RS_EMULATED_MACHINE_AT, &machine, sizeof machine);
}

// ---- memory -----------------------------------------------------------------------------------------------

static enum rs_status emulated_register(struct rs_device *device, const struct rs_buffer *buffer,
                                        struct rs_region **region, struct rs_error *error) {
  struct rs_emulated_device *emulated = rs_emulated_device_of(device);
  return emulated->inner_transport->register_memory(emulated->inner, buffer, region, error);
}

static void emulated_deregister(struct rs_device *device, struct rs_region *region) {
  struct rs_emulated_device *emulated = rs_emulated_device_of(device);
  if (region)
    emulated->inner_transport->deregister_memory(emulated->inner, region);
}

const struct rs_transport rs_transport_emulated = {
    .name = "emulated",
    .summary = "a fabric on one machine: latency, rates and shared queues of a model, over tcp",
    .options = emulated_option_table,
    .option_bytes = sizeof(struct rs_emulated_options),
    .open = emulated_open,
    .close = emulated_close,
    .limits = emulated_limits,
    .facts = emulated_facts,
    .counters = emulated_counters,
    .address = emulated_address,
    .connect = rs_emulated_connect,
    .register_memory = emulated_register,
    .deregister_memory = emulated_deregister,
    .post_send = rs_emulated_post_send,
    .post_recv = rs_emulated_post_recv,
    .progress = rs_emulated_progress,
    .arm = rs_emulated_arm,
    .event_fd = rs_emulated_event_fd,
};
