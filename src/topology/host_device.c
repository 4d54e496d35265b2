#include "topology/host_device.h"
#include "topology/cpu_list.h"
#include "topology/device_facts.h"
#include "topology/machine.h"
#include "topology/machine_xml.h"

#include <stdlib.h>
#include <string.h>

const char *const rs_host_device_kind_names[] = {"nic", "rdma", "gpu", NULL};

// ---- what there is ----------------------------------------------------------------------------------------

// One reader serves the live machine and result files, so that both say the same. It takes what hwloc has just written;
// it can only lack memory, and then there is nothing to tell.
static struct rs_machine_view view_of(const struct rs_topology *topology, struct rs_host_device *devices, size_t max) {
  struct rs_machine_view view = {.devices = devices, .device_max = max};
  struct rs_error error = {0};
  (void)rs_machine_xml_read(topology->xml, &view, &error);
  return view;
}

size_t rs_topology_devices(const struct rs_topology *topology, struct rs_host_device *devices, size_t max) {
  return view_of(topology, devices, max).device_count;
}

void rs_topology_summary(const struct rs_topology *topology, struct rs_machine_summary *summary) {
  *summary = view_of(topology, NULL, 0).summary;
}

enum rs_status rs_topology_xml_devices(const char *xml, struct rs_host_device *devices, size_t max, size_t *count,
                                       struct rs_error *error) {
  struct rs_machine_view view = {0};
  enum rs_status status = rs_machine_xml_read(xml, &view, error); // all of it is sound, or nothing is written
  if (status == RS_OK && max > 0) {
    view = (struct rs_machine_view){.devices = devices, .device_max = max};
    status = rs_machine_xml_read(xml, &view, error);
  }
  if (status == RS_OK)
    *count = view.device_count;
  return status;
}

enum rs_status rs_topology_xml_summary(const char *xml, struct rs_machine_summary *summary, struct rs_error *error) {
  struct rs_machine_view view = {0};
  enum rs_status status = rs_machine_xml_read(xml, &view, error);
  if (status == RS_OK)
    *summary = view.summary;
  return status;
}

// ---- what is near -----------------------------------------------------------------------------------------

// In a network namespace, the veth "eth0" must not be taken for the machine's own eth0.
hwloc_obj_t rs_host_device_place(hwloc_topology_t machine, const char *name) {
  if (rs_device_facts_virtual(machine, name))
    return NULL;
  hwloc_obj_t object = hwloc_get_next_osdev(machine, NULL);
  while (object && strcmp(object->name, name) != 0)
    object = hwloc_get_next_osdev(machine, object);
  if (!object && strchr(name, ':')) // a GPU without a name; the check keeps hwloc from guessing at others
    object = hwloc_get_pcidev_by_busidstring(machine, name);
  return object ? hwloc_get_non_io_ancestor_obj(machine, object) : NULL;
}

// Whether some object of this type has CPUs of both.
static bool share_object(hwloc_topology_t machine, hwloc_obj_type_t type, hwloc_const_cpuset_t a,
                         hwloc_const_cpuset_t b) {
  for (hwloc_obj_t object = hwloc_get_next_obj_by_type(machine, type, NULL); object;
       object = hwloc_get_next_obj_by_type(machine, type, object))
    if (hwloc_bitmap_intersects(object->cpuset, a) && hwloc_bitmap_intersects(object->cpuset, b))
      return true;
  return false;
}

// On a machine of several NUMA nodes, a bus that hangs on the whole of it is near none of them in particular.
enum rs_nearness rs_host_device_nearness(hwloc_topology_t machine, hwloc_obj_t place, hwloc_const_cpuset_t cpus) {
  if (!place || hwloc_bitmap_iszero(place->cpuset) ||
      (place == hwloc_get_root_obj(machine) && hwloc_get_nbobjs_by_type(machine, HWLOC_OBJ_NUMANODE) > 1))
    return RS_NEAR_UNKNOWN;
  if (share_object(machine, HWLOC_OBJ_NUMANODE, place->cpuset, cpus))
    return RS_NEAR_NUMA;
  return share_object(machine, HWLOC_OBJ_PACKAGE, place->cpuset, cpus) ? RS_NEAR_PACKAGE : RS_NEAR_MACHINE;
}

static int compare_near(const void *a, const void *b) {
  const struct rs_near_device *x = a, *y = b;
  if (x->nearness != y->nearness)
    return x->nearness < y->nearness ? -1 : 1;
  if (x->device.up != y->device.up)
    return x->device.up ? -1 : 1;
  if (x->device.speed_mbit != y->device.speed_mbit)
    return x->device.speed_mbit > y->device.speed_mbit ? -1 : 1;
  return strcmp(x->device.name, y->device.name);
}

size_t rs_topology_near(const struct rs_topology *topology, const char *cpus, struct rs_near_device *near, size_t max) {
  struct rs_error error = {0};
  size_t count = rs_topology_devices(topology, NULL, 0);
  struct rs_host_device *devices = count ? rs_allocate(count, sizeof(*devices), "devices", &error) : NULL;
  struct rs_near_device *all = count ? rs_allocate(count, sizeof(*all), "devices", &error) : NULL;
  hwloc_bitmap_t set = hwloc_bitmap_alloc();
  size_t written = 0;
  if (!devices || !all || !set)
    goto free_all;
  rs_cpu_list_read(cpus, set);
  rs_topology_devices(topology, devices, count);
  for (size_t d = 0; d < count; d++) {
    const char *name = devices[d].pci[0] && devices[d].kind == RS_HOST_DEVICE_GPU ? devices[d].pci : devices[d].name;
    hwloc_obj_t place = devices[d].is_virtual ? NULL : rs_host_device_place(topology->machine, name);
    all[d] = (struct rs_near_device){devices[d], rs_host_device_nearness(topology->machine, place, set)};
  }
  qsort(all, count, sizeof(*all), compare_near);
  written = rs_min_size(count, max);
  if (written > 0)
    memcpy(near, all, written * sizeof(*near));

free_all:
  hwloc_bitmap_free(set); // NULL is fine
  free(all);
  free(devices);
  return written;
}

bool rs_host_device_warn(const struct rs_host_device *device, size_t rank, const struct rs_rank_facts *facts,
                         char *text, size_t text_bytes) {
  static const char *const words[] = {"NIC", "RDMA device", "GPU"};
  text[0] = '\0';
  if (facts->numa_node < 0 || device->numa_node < 0 || facts->numa_node == device->numa_node)
    return false;
  snprintf(text, text_bytes, "rank %zu runs on NUMA node %d but its %s %s is on node %d", rank, facts->numa_node,
           words[device->kind], device->name, device->numa_node);
  return true;
}
