// host_device: where devices stand in a loaded topology.
#ifndef TOPOLOGY_HOST_DEVICE_H
#define TOPOLOGY_HOST_DEVICE_H

#include "ringside/topology.h"

#include <hwloc.h>

// The object that the bus of a device hangs on, which has the CPUs near it; NULL when there is no such device on a bus.
hwloc_obj_t rs_host_device_place(hwloc_topology_t machine, const char *name);
// How near to these CPUs a device is that hangs on `place` (NULL: on none).
enum rs_nearness rs_host_device_nearness(hwloc_topology_t machine, hwloc_obj_t place, hwloc_const_cpuset_t cpus);

#endif
