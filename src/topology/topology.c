// This process's view of its machine, by hwloc.
#include "ringside/topology.h"

#include "topology/cpu_list.h"
#include "topology/device_facts.h"
#include "topology/host.h"
#include "topology/machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

// hwloc's parts that are kept away: those that would start a GPU's driver, which a measuring program does not do
// unasked; libpciaccess, which leaks (hwloc then finds the PCI devices in /sys by itself); and the serial numbers of
// memory modules, which come with Misc objects.
static const char *const unwanted_components[] = {"cuda",   "nvml", "rsmi", "levelzero",
                                                  "opencl", "gl",   "pci",  "linux:misc"};

// Loads the machine that this process is allowed to use, whatever it is bound to, with its network devices, so that the
// XML tells which NIC is near which cores. Misc objects are for the devices that hwloc does not know.
static int load_machine(hwloc_topology_t machine) {
  for (size_t c = 0; c < RS_ARRAY_LENGTH(unwanted_components); c++)
    (void)hwloc_topology_set_components(machine, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, unwanted_components[c]);
  (void)hwloc_topology_set_io_types_filter(machine, HWLOC_TYPE_FILTER_KEEP_IMPORTANT);
  (void)hwloc_topology_set_type_filter(machine, HWLOC_OBJ_MISC, HWLOC_TYPE_FILTER_KEEP_ALL);
  return hwloc_topology_load(machine);
}

// 0 where hwloc does not know the type (none, or at several depths).
static uint32_t count_objects(hwloc_topology_t machine, hwloc_obj_type_t type) {
  int count = hwloc_get_nbobjs_by_type(machine, type);
  return count > 0 ? (uint32_t)count : 0;
}

// x86 has a model name; arm64 has numbers only, which lscpu's tables turn into one.
static void read_cpu(hwloc_topology_t machine, char *cpu, size_t cpu_bytes) {
  hwloc_obj_t package = hwloc_get_obj_by_type(machine, HWLOC_OBJ_PACKAGE, 0);
  hwloc_obj_t holder = package ? package : hwloc_get_root_obj(machine);
  const char *model = hwloc_obj_get_info_by_name(holder, "CPUModel");
  const char *implementer = hwloc_obj_get_info_by_name(holder, "CPUImplementer");
  const char *part = hwloc_obj_get_info_by_name(holder, "CPUPart");
  struct utsname system;
  const char *architecture = uname(&system) == 0 ? system.machine : "";
  char text[256];
  if (model)
    snprintf(text, sizeof(text), "%s", model);
  else if (implementer && part)
    snprintf(text, sizeof(text), "%s implementer %s part %s", architecture, implementer, part);
  else
    snprintf(text, sizeof(text), "%s", architecture);
  rs_host_copy_text(cpu, cpu_bytes, text);
}

enum rs_status rs_topology_open(struct rs_topology **topology, struct rs_error *error) {
  struct rs_topology *made = rs_allocate(1, sizeof(*made), "the topology", error);
  if (!made)
    return error->status;
  int xml_bytes;
  if (hwloc_topology_init(&made->machine) != 0) {
    rs_error_set_errno(error, RS_ERROR_MEMORY, errno, "hwloc cannot start");
    goto free_topology;
  }
  if (load_machine(made->machine) != 0) {
    rs_error_set_errno(error, RS_ERROR_IO, errno,
                       "hwloc cannot read this machine's topology; see what lstopo says, and unset HWLOC_* variables");
    goto destroy_machine;
  }
  rs_device_facts_add(made->machine);
  if (hwloc_topology_export_xmlbuffer(made->machine, &made->xml, &xml_bytes, 0) != 0) {
    rs_error_set_errno(error, RS_ERROR_IO, errno, "hwloc cannot write this machine's topology as XML");
    goto destroy_machine;
  }

  struct rs_host_facts *host = &made->host;
  rs_host_read("", host);
  host->partition = -1;
  read_cpu(made->machine, host->cpu, sizeof(host->cpu));
  host->cores = count_objects(made->machine, HWLOC_OBJ_CORE);
  host->processing_units = count_objects(made->machine, HWLOC_OBJ_PU);
  host->numa_nodes = count_objects(made->machine, HWLOC_OBJ_NUMANODE);
  if (host->memory_bytes == 0) // else /proc/meminfo's: nodes may not show memory that was added while running
    host->memory_bytes = hwloc_get_root_obj(made->machine)->total_memory;
  *topology = made;
  return RS_OK;

destroy_machine:
  hwloc_topology_destroy(made->machine);
free_topology:
  free(made);
  return error->status;
}

void rs_topology_close(struct rs_topology *topology) {
  if (!topology)
    return;
  hwloc_free_xmlbuffer(topology->machine, topology->xml);
  hwloc_topology_destroy(topology->machine);
  free(topology);
}

const struct rs_host_facts *rs_topology_host(const struct rs_topology *topology) {
  return &topology->host;
}

void rs_topology_set_host(struct rs_topology *topology, const struct rs_host_facts *facts) {
  topology->host = *facts;
}

void rs_topology_rank(const struct rs_topology *topology, struct rs_rank_facts *facts) {
  memset(facts, 0, sizeof(*facts)); // the padding too, since it travels as bytes
  facts->numa_node = -1;
  facts->pid = (int32_t)getpid();
  hwloc_const_bitmap_t allowed = hwloc_topology_get_allowed_cpuset(topology->machine);
  hwloc_bitmap_t bound = hwloc_bitmap_alloc(), nodes = hwloc_bitmap_alloc();
  if (!bound || !nodes)
    goto free_bitmaps;

  // Of this thread, since ranks may be threads of one process. A system that cannot tell does not bind.
  if (hwloc_get_cpubind(topology->machine, bound, HWLOC_CPUBIND_THREAD) != 0)
    hwloc_bitmap_copy(bound, allowed);
  hwloc_bitmap_and(bound, bound, allowed);
  facts->bound = !hwloc_bitmap_isequal(bound, allowed);
  rs_cpu_list_write(bound, facts->cpus, sizeof(facts->cpus));
  hwloc_cpuset_to_nodeset(topology->machine, bound, nodes);
  if (hwloc_bitmap_weight(nodes) == 1)
    facts->numa_node = hwloc_bitmap_first(nodes);

free_bitmaps:
  hwloc_bitmap_free(nodes); // NULL is fine
  hwloc_bitmap_free(bound);
}

const char *rs_topology_xml(const struct rs_topology *topology) {
  return topology->xml;
}

void rs_topology_library(char *text, size_t bytes) {
  snprintf(text, bytes, "hwloc %s", HWLOC_VERSION);
}
