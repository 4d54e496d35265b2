// Choosing and opening RDMA devices. What verbs do not tell (NUMA node, rate, kind of a GID, its network interface)
// stands in /sys/class/infiniband.
#include "transport/verbs_nic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CANDIDATES_MAX 64

// ---- /sys -------------------------------------------------------------------------------------------------

// The first line of /sys/class/infiniband/DEVICE/..., empty where there is none.
RS_PRINTF(4, 5)
static const char *read_sys(const char *device, char *line, size_t bytes, const char *format, ...) {
  char name[64], path[192];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(name, sizeof name, format, arguments);
  va_end(arguments);
  snprintf(path, sizeof path, "/sys/class/infiniband/%.64s/%s", device, name);
  line[0] = '\0';
  FILE *file = fopen(path, "re");
  if (file != NULL) {
    if (fgets(line, (int)bytes, file) == NULL)
      line[0] = '\0';
    fclose(file);
  }
  line[strcspn(line, "\n")] = '\0';
  return line;
}

static int32_t numa_node_of(const char *device) {
  char line[32];
  return read_sys(device, line, sizeof line, "device/numa_node")[0] ? (int32_t)strtol(line, NULL, 10) : -1;
}

// The last part of what a link under the device's folder points to: "0000:00:1f.6", "mlx5_core".
static void read_link(const char *device, const char *name, char *text, size_t bytes) {
  char path[192], target[4096];
  snprintf(path, sizeof path, "/sys/class/infiniband/%.64s/%s", device, name);
  ssize_t length = readlink(path, target, sizeof target - 1);
  if (length <= 0)
    return;
  target[length] = '\0';
  snprintf(text, bytes, "%.*s", (int)bytes - 1, basename(target));
}

// ---- GID --------------------------------------------------------------------------------------------------

static bool is_zero(const union ibv_gid *gid) {
  static const union ibv_gid zero;
  return memcmp(gid, &zero, sizeof zero) == 0;
}

static bool is_ipv4(const union ibv_gid *gid) {
  static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
  return memcmp(gid->raw, mapped, sizeof mapped) == 0;
}

// How well a GID serves: RoCE v2 travels in UDP and can be routed, and IPv4 is what clouds route; link-local addresses
// reach one link only.
static int rank_gid(const char *device, uint8_t port, int index, const union ibv_gid *gid) {
  char type[32];
  bool v2 = strcmp(read_sys(device, type, sizeof type, "ports/%u/gid_attrs/types/%d", port, index), "RoCE v2") == 0;
  bool link_local = gid->raw[0] == 0xfe && (gid->raw[1] & 0xc0) == 0x80;
  return 1 + 4 * v2 + 2 * is_ipv4(gid) + !link_local;
}

static enum rs_status choose_gid(const struct rs_verbs *verbs, const struct rs_verbs_choice *choice,
                                 struct rs_verbs_nic *nic, const char *name, struct rs_error *error) {
  bool ethernet = nic->attributes.link_layer == IBV_LINK_LAYER_ETHERNET && !nic->efa;
  int best = -1;
  for (int index = 0; index < nic->attributes.gid_tbl_len && index < RS_VERBS_GID_AUTO; index++) {
    union ibv_gid gid;
    if (choice->gid_index != RS_VERBS_GID_AUTO && (uint64_t)index != choice->gid_index)
      continue;
    if (verbs->query_gid(nic->context, nic->port, index, &gid) != 0 || is_zero(&gid))
      continue;
    int rank = ethernet ? rank_gid(name, nic->port, index, &gid) : 1;
    if (rank <= best)
      continue;
    best = rank;
    nic->gid = gid;
    nic->gid_index = index;
  }
  if (best >= 0)
    return RS_OK;
  if (choice->gid_index != RS_VERBS_GID_AUTO)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "RDMA device %s port %u has no GID %" PRIu64
                        "; see 'ls /sys/class/infiniband/%s/ports/%u/gids'",
                        name, nic->port, choice->gid_index, name, nic->port);
  return rs_error_set(error, RS_ERROR_USAGE,
                      "RDMA device %s port %u has no address (GID); give its network interface an IP address", name,
                      nic->port);
}

// ---- one device -------------------------------------------------------------------------------------------

// The port asked for, or the first that is up.
static enum rs_status choose_port(const struct rs_verbs *verbs, const struct rs_verbs_choice *choice,
                                  struct rs_verbs_nic *nic, const char *name, struct rs_error *error) {
  uint64_t ports = nic->device.phys_port_cnt;
  for (uint64_t port = 1; port <= ports; port++) {
    if (choice->port != 0 && port != choice->port)
      continue;
    nic->port = (uint8_t)port;
    if (rs_verbs_query_port(verbs, nic->context, nic->port, &nic->attributes) == 0 &&
        nic->attributes.state == IBV_PORT_ACTIVE)
      return RS_OK;
  }
  if (choice->port > ports)
    return rs_error_set(error, RS_ERROR_USAGE, "RDMA device %s has ports 1 to %" PRIu64 ", not %" PRIu64, name, ports,
                        choice->port);
  return rs_error_set(error, RS_ERROR_USAGE,
                      "RDMA device %s: no port is up; see 'rdma link' and the cable or NIC behind", name);
}

static void fill_facts(struct rs_verbs_nic *nic, const char *name) {
  struct rs_device_facts *facts = &nic->facts;
  char line[64];
  *facts = (struct rs_device_facts){.numa_node = numa_node_of(name), .port = nic->port};
  snprintf(facts->interface, sizeof facts->interface, "%.31s", name);
  snprintf(facts->firmware, sizeof facts->firmware, "%.63s", nic->device.fw_ver);
  inet_ntop(AF_INET6, nic->gid.raw, facts->gid, sizeof facts->gid);
  snprintf(facts->address, sizeof facts->address, "%s", facts->gid);
  read_link(name, "device", facts->pci, sizeof facts->pci);
  read_link(name, "device/driver", facts->driver, sizeof facts->driver);
  if (facts->driver[0] == '\0') // a software device has a parent interface instead
    read_sys(name, facts->driver, sizeof facts->driver, "parent");
  // "100 Gb/sec (4X EDR)"
  facts->speed_mbit = (uint64_t)(1000 * strtod(read_sys(name, line, sizeof line, "ports/%u/rate", nic->port), NULL));
  facts->mtu = nic->efa ? nic->attributes.max_msg_sz : UINT64_C(128) << nic->attributes.active_mtu;
}

static enum rs_status open_nic(const struct rs_verbs *verbs, struct ibv_device *device,
                               const struct rs_verbs_choice *choice, struct rs_verbs_nic *nic, struct rs_error *error) {
  const char *name = verbs->get_device_name(device);
  struct rs_verbs_nic opened = {.context = verbs->open_device(device)};
  if (opened.context == NULL)
    return rs_error_set_errno(error, RS_ERROR_IO, errno,
                              "RDMA device %s cannot be opened; in a container, give it /dev/infiniband", name);
  int code = verbs->query_device(opened.context, &opened.device);
  if (code != 0) {
    rs_error_set_errno(error, RS_ERROR_IO, code, "RDMA device %s does not say what it can", name);
    goto close_nic;
  }
  opened.efa = opened.device.vendor_id == RS_VERBS_VENDOR_AMAZON;
  if (choose_port(verbs, choice, &opened, name, error) < 0 || choose_gid(verbs, choice, &opened, name, error) < 0)
    goto close_nic;
  opened.pd = verbs->alloc_pd(opened.context);
  if (opened.pd == NULL) {
    rs_error_set_errno(error, RS_ERROR_IO, errno, "RDMA device %s gives no protection domain", name);
    goto close_nic;
  }
  fill_facts(&opened, name);
  *nic = opened;
  return RS_OK;
close_nic:
  rs_verbs_nic_close(verbs, &opened);
  return error->status;
}

void rs_verbs_nic_close(const struct rs_verbs *verbs, struct rs_verbs_nic *nic) {
  if (nic->pd != NULL)
    verbs->dealloc_pd(nic->pd);
  if (nic->context != NULL)
    verbs->close_device(nic->context);
  *nic = (struct rs_verbs_nic){0};
}

// ---- choice -----------------------------------------------------------------------------------------------

static void list_names(const struct rs_verbs *verbs, struct ibv_device *const *devices, size_t count,
                       struct rs_text *names) {
  for (size_t d = 0; d < count; d++)
    rs_text_append(names, "%s%s", d ? ", " : "", verbs->get_device_name(devices[d]));
}

static enum rs_status open_named(const struct rs_verbs *verbs, struct ibv_device *const *devices, size_t device_count,
                                 const struct rs_verbs_choice *choice, struct rs_verbs_nic *nics, size_t *count,
                                 struct rs_error *error) {
  if (choice->devices.count > RS_VERBS_NICS_MAX)
    return rs_error_set(error, RS_ERROR_USAGE, "%zu RDMA devices are too many for one rank; name at most %d",
                        choice->devices.count, RS_VERBS_NICS_MAX);
  for (size_t w = 0; w < choice->devices.count; w++) {
    size_t d = 0;
    while (d < device_count && strcmp(verbs->get_device_name(devices[d]), choice->devices.words[w]) != 0)
      d++;
    if (d == device_count) {
      struct rs_text names = {0};
      list_names(verbs, devices, device_count, &names);
      rs_error_set(error, RS_ERROR_USAGE, "there is no RDMA device '%s'; this host has %s", choice->devices.words[w],
                   names.data ? names.data : "");
      rs_text_fini(&names);
      return error->status;
    }
    if (open_nic(verbs, devices[d], choice, &nics[*count], error) < 0)
      return error->status;
    ++*count;
  }
  return RS_OK;
}

// The devices that can be opened and are up, those on the rank's node first; ranks of a host take turns among the best.
static enum rs_status open_nearest(const struct rs_verbs *verbs, struct ibv_device *const *devices, size_t device_count,
                                   const struct rs_verbs_choice *choice, const struct rs_transport_params *params,
                                   struct rs_verbs_nic *nics, size_t *count, struct rs_error *error) {
  size_t near[CANDIDATES_MAX], near_count = 0;
  struct rs_error first = {0};
  for (int pass = 0; pass < 2 && near_count == 0; pass++) {
    for (size_t d = 0; d < device_count && near_count < CANDIDATES_MAX; d++) {
      struct rs_verbs_nic nic = {0};
      struct rs_error reason = {0};
      bool here = numa_node_of(verbs->get_device_name(devices[d])) == params->numa_node;
      if (pass == 0 && !here)
        continue;
      if (open_nic(verbs, devices[d], choice, &nic, &reason) == RS_OK) {
        rs_verbs_nic_close(verbs, &nic);
        near[near_count++] = d;
      } else if (first.status == RS_OK) {
        first = reason;
      }
    }
  }
  if (near_count == 0) {
    *error = first;
    return error->status;
  }
  enum rs_status status = open_nic(verbs, devices[near[params->local_rank % near_count]], choice, &nics[0], error);
  *count = status == RS_OK;
  return status;
}

enum rs_status rs_verbs_nics_open(const struct rs_verbs *verbs, const struct rs_verbs_choice *choice,
                                  const struct rs_transport_params *params, struct rs_verbs_nic *nics, size_t *count,
                                  struct rs_error *error) {
  int found = 0;
  *count = 0;
  struct ibv_device **devices = (verbs->get_device_list)(&found);
  enum rs_status status;
  if (devices == NULL || found <= 0)
    status = rs_error_set(error, RS_ERROR_UNSUPPORTED,
                          "no RDMA device found; see 'rdma link' or 'ibv_devices': on EC2 the instance needs an EFA "
                          "interface and its driver, in a container /dev/infiniband; or use transport tcp");
  else if (choice->devices.count > 0)
    status = open_named(verbs, devices, (size_t)found, choice, nics, count, error);
  else
    status = open_nearest(verbs, devices, (size_t)found, choice, params, nics, count, error);
  if (devices != NULL)
    verbs->free_device_list(devices);
  while (status < 0 && *count > 0)
    rs_verbs_nic_close(verbs, &nics[--*count]);
  return status;
}
