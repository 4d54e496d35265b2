// Facts of network interfaces from getifaddrs(3) and /sys/class/net, of RDMA devices from /sys/class/infiniband, of
// GPUs from /sys/bus/pci and their driver.
#include "topology/device_facts.h"
#include "topology/host.h"
#include "topology/system_file.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PCI_BASE_CLASS_DISPLAY 0x03
#define PCI_BASE_CLASS_ACCELERATOR 0x12

static void add(hwloc_obj_t object, const char *key, const char *value) {
  char name[64];
  snprintf(name, sizeof(name), RS_DEVICE_FACT_PREFIX "%s", key);
  if (value[0] != '\0')
    (void)hwloc_obj_add_info(object, name, value); // a fact less when memory is short
}

static void add_number(hwloc_obj_t object, const char *key, int64_t number) {
  char text[24];
  snprintf(text, sizeof(text), "%" PRId64, number);
  if (number > 0)
    add(object, key, text);
}

// The last name of the path that a link points to: .../device/driver -> ../../../bus/pci/drivers/mlx5_core.
RS_PRINTF(4, 5)
static void read_link_name(const char *root, char *name, size_t name_bytes, const char *path, ...) {
  char link[PATH_MAX], target[PATH_MAX];
  va_list arguments;
  name[0] = '\0';
  int length = snprintf(link, sizeof(link), "%s", root);
  va_start(arguments, path);
  int more = length < (int)sizeof(link) ? vsnprintf(link + length, sizeof(link) - (size_t)length, path, arguments) : -1;
  va_end(arguments);
  if (more < 0 || more >= (int)sizeof(link) - length)
    return;
  ssize_t bytes = readlink(link, target, sizeof(target) - 1);
  if (bytes <= 0)
    return;
  target[bytes] = '\0';
  const char *slash = strrchr(target, '/');
  rs_host_copy_text(name, name_bytes, slash ? slash + 1 : target);
}

// ---- the objects ------------------------------------------------------------------------------------------

static hwloc_obj_t find_os_device(hwloc_topology_t machine, hwloc_obj_osdev_type_t type, const char *name) {
  hwloc_obj_t object = hwloc_get_next_osdev(machine, NULL);
  while (object && (object->attr->osdev.type != type || strcmp(object->name, name) != 0))
    object = hwloc_get_next_osdev(machine, object);
  return object;
}

hwloc_obj_t rs_device_facts_virtual(hwloc_topology_t machine, const char *name) {
  hwloc_obj_t object = hwloc_get_next_obj_by_depth(machine, HWLOC_TYPE_DEPTH_MISC, NULL);
  while (object && strcmp(object->name, name) != 0)
    object = hwloc_get_next_obj_by_depth(machine, HWLOC_TYPE_DEPTH_MISC, object);
  return object;
}

// hwloc leaves out devices that are not on a bus; as Misc objects they stand beside the others. NULL: no memory.
static hwloc_obj_t insert_device(hwloc_topology_t machine, const char *kind, const char *name) {
  hwloc_obj_t object = hwloc_topology_insert_misc_object(machine, hwloc_get_root_obj(machine), name);
  if (object)
    add(object, "kind", kind);
  return object;
}

// ---- network interfaces -----------------------------------------------------------------------------------

// /sys shows the network namespace that it was mounted in, which need not be this process's: believed when number and
// hardware address are those of the interface that we mean.
static bool is_in_sysfs(const struct rs_device_source *source, const char *name, const struct sockaddr_ll *link) {
  int64_t index;
  char mac[128] = "", line[128];
  for (size_t b = 0; b < link->sll_halen && b < sizeof(link->sll_addr); b++)
    snprintf(mac + strlen(mac), sizeof(mac) - strlen(mac), "%s%02x", b ? ":" : "", link->sll_addr[b]);
  bool same_index =
      rs_system_file_number(source->root, &index, "/sys/class/net/%s/ifindex", name) && index == link->sll_ifindex;
  rs_system_file_line(source->root, line, sizeof(line), "/sys/class/net/%s/address", name);
  // InfiniBand's addresses of 20 bytes are longer than the room in a sockaddr_ll.
  return same_index && strncmp(line, mac, strlen(mac)) == 0;
}

// The first IPv4 address, as it is the one that the tcp transport takes; else the first IPv6 address that works beyond
// the link.
static void read_address(const struct ifaddrs *interfaces, const char *name, char *address, size_t address_bytes) {
  address[0] = '\0';
  for (const struct ifaddrs *entry = interfaces; entry; entry = entry->ifa_next) {
    if (!entry->ifa_addr || strcmp(entry->ifa_name, name) != 0)
      continue;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)entry->ifa_addr;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)entry->ifa_addr;
    if (entry->ifa_addr->sa_family == AF_INET) {
      (void)inet_ntop(AF_INET, &v4->sin_addr, address, (socklen_t)address_bytes);
      return;
    }
    if (entry->ifa_addr->sa_family == AF_INET6 && address[0] == '\0' && !IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
      (void)inet_ntop(AF_INET6, &v6->sin6_addr, address, (socklen_t)address_bytes);
  }
}

static void add_interface(hwloc_topology_t machine, const struct rs_device_source *source,
                          const struct ifaddrs *entry) {
  const char *name = entry->ifa_name;
  char driver[64] = "", address[INET6_ADDRSTRLEN];
  bool in_sysfs = is_in_sysfs(source, name, (const struct sockaddr_ll *)(const void *)entry->ifa_addr);
  bool up = (entry->ifa_flags & IFF_UP) && (entry->ifa_flags & IFF_RUNNING);
  hwloc_obj_t object = in_sysfs ? find_os_device(machine, HWLOC_OBJ_OSDEV_NETWORK, name) : NULL;
  if (!object && up)
    object = insert_device(machine, "nic", name);
  if (!object)
    return;

  add(object, "up", up ? "1" : "0");
  add(object, "loopback", entry->ifa_flags & IFF_LOOPBACK ? "1" : "");
  read_address(source->interfaces, name, address, sizeof(address));
  add(object, "address", address);
  int64_t number;
  if (in_sysfs) {
    read_link_name(source->root, driver, sizeof(driver), "/sys/class/net/%s/device/driver", name);
    if (rs_system_file_number(source->root, &number, "/sys/class/net/%s/speed", name)) // -1: unknown
      add_number(object, "speed_mbit", number);
    if (rs_system_file_number(source->root, &number, "/sys/class/net/%s/mtu", name))
      add_number(object, "mtu", number);
  }
  if (driver[0] == '\0') // virtual interfaces have no device
    rs_ethtool_driver(source->tool, name, driver, sizeof(driver));
  add(object, "driver", driver);
}

// ---- RDMA devices -----------------------------------------------------------------------------------------

static int is_visible(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

// The port that is up, else the first.
static int64_t choose_port(const char *root, const char *name, bool *up) {
  enum { PORTS_MAX = 8 };
  char state[64];
  for (int64_t port = 1; port <= PORTS_MAX; port++) {
    *up = rs_system_file_line(root, state, sizeof(state), "/sys/class/infiniband/%s/ports/%" PRId64 "/state", name,
                              port) &&
          strstr(state, "ACTIVE") != NULL; // "4: ACTIVE"
    if (*up)
      return port;
  }
  return 1;
}

// RoCE tells the interface of each address, Soft-RoCE its parent; an InfiniBand interface stands below the same device.
static void read_interface(const char *root, const char *name, int64_t port, char *interface, size_t bytes) {
  if (rs_system_file_line(root, interface, bytes, "/sys/class/infiniband/%s/ports/%" PRId64 "/gid_attrs/ndevs/0", name,
                          port) ||
      rs_system_file_line(root, interface, bytes, "/sys/class/infiniband/%s/parent", name))
    return;
  char path[PATH_MAX];
  struct dirent **entries = NULL;
  snprintf(path, sizeof(path), "%s/sys/class/infiniband/%s/device/net", root, name);
  int count = scandir(path, &entries, is_visible, alphasort);
  if (count > 0)
    rs_host_copy_text(interface, bytes, entries[0]->d_name);
  for (int e = 0; e < count; e++)
    free(entries[e]);
  free(entries);
}

static void add_rdma_device(hwloc_topology_t machine, const char *root, const char *name) {
  bool up;
  char text[64], interface[64];
  hwloc_obj_t object = find_os_device(machine, HWLOC_OBJ_OSDEV_OPENFABRICS, name);
  if (!object)
    object = insert_device(machine, "rdma", name);
  if (!object)
    return;
  int64_t port = choose_port(root, name, &up);
  add(object, "up", up ? "1" : "0");
  // "100 Gb/sec (4X EDR)", "2.5 Gb/sec (1X SDR)"
  if (rs_system_file_line(root, text, sizeof(text), "/sys/class/infiniband/%s/ports/%" PRId64 "/rate", name, port)) {
    char *unit;
    double rate_gbit = strtod(text, &unit);
    if (strncmp(unit, " Gb/sec", strlen(" Gb/sec")) == 0 && rate_gbit > 0 && rate_gbit < 1e6)
      add_number(object, "speed_mbit", (int64_t)(rate_gbit * 1000 + 0.5));
  }
  read_link_name(root, text, sizeof(text), "/sys/class/infiniband/%s/device/driver", name);
  add(object, "driver", text);

  read_interface(root, name, port, interface, sizeof(interface));
  add(object, "rdma_of", interface);
  hwloc_obj_t nic = interface[0] ? find_os_device(machine, HWLOC_OBJ_OSDEV_NETWORK, interface) : NULL;
  if (!nic && interface[0])
    nic = rs_device_facts_virtual(machine, interface);
  if (nic && !hwloc_obj_get_info_by_name(nic, RS_DEVICE_FACT_PREFIX "rdma_of"))
    add(nic, "rdma_of", name);
}

static void add_rdma_devices(hwloc_topology_t machine, const char *root) {
  char path[PATH_MAX];
  struct dirent **entries = NULL;
  snprintf(path, sizeof(path), "%s/sys/class/infiniband", root);
  int count = scandir(path, &entries, is_visible, alphasort);
  for (int e = 0; e < count; e++) {
    add_rdma_device(machine, root, entries[e]->d_name);
    free(entries[e]);
  }
  free(entries);
}

// ---- GPUs -------------------------------------------------------------------------------------------------

// NVIDIA's driver tells the product's name, which hwloc would ask the driver's library for.
static void add_gpu(hwloc_obj_t object, const char *root) {
  char address[32], text[256];
  const struct hwloc_pcidev_attr_s *pci = &object->attr->pcidev;
  snprintf(address, sizeof(address), "%04x:%02x:%02x.%01x", (unsigned)pci->domain, (unsigned)pci->bus,
           (unsigned)pci->dev, (unsigned)pci->func);
  read_link_name(root, text, sizeof(text), "/sys/bus/pci/devices/%s/driver", address);
  add(object, "driver", text);
  if (!rs_system_file_text(root, text, sizeof(text), "/proc/driver/nvidia/gpus/%s/information", address))
    return;
  const char *model = rs_system_file_find(text, "Model:");
  if (!model)
    return;
  model += strspn(model, " \t");
  char line[128];
  snprintf(line, sizeof(line), "%.*s", (int)rs_min_size(strcspn(model, "\n"), sizeof(line) - 1), model);
  add(object, "model", line);
}

// ---- all of it --------------------------------------------------------------------------------------------

void rs_device_facts_add_from(hwloc_topology_t machine, const struct rs_device_source *source) {
  add(hwloc_get_root_obj(machine), "devices", "1");
  for (const struct ifaddrs *entry = source->interfaces; entry; entry = entry->ifa_next)
    if (entry->ifa_addr && entry->ifa_addr->sa_family == AF_PACKET) // one for each interface
      add_interface(machine, source, entry);
  add_rdma_devices(machine, source->root);
  for (hwloc_obj_t object = hwloc_get_next_pcidev(machine, NULL); object;
       object = hwloc_get_next_pcidev(machine, object)) {
    unsigned base_class = object->attr->pcidev.class_id >> 8;
    if (base_class == PCI_BASE_CLASS_DISPLAY || base_class == PCI_BASE_CLASS_ACCELERATOR)
      add_gpu(object, source->root);
  }
}

void rs_device_facts_add(hwloc_topology_t machine) {
  const char *done = hwloc_obj_get_info_by_name(hwloc_get_root_obj(machine), RS_DEVICE_FACT_PREFIX "devices");
  struct ifaddrs *interfaces;
  if (!hwloc_topology_is_thissystem(machine) || done || getifaddrs(&interfaces) != 0)
    return;
  struct rs_ethtool tool = rs_ethtool_open();
  rs_device_facts_add_from(machine, &(struct rs_device_source){.root = "", .interfaces = interfaces, .tool = &tool});
  rs_ethtool_close(&tool);
  freeifaddrs(interfaces);
}
