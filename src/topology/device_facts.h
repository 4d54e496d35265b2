// device_facts: what the system knows of devices and hwloc does not. It is written into the hwloc topology as infos,
// "ringside.speed_mbit" = "100000", so that the XML of a result file carries it; machine_xml.c reads it again.
//
//   key           of                      value
//   devices       the machine             "1": the network devices without infos of ours are not this process's
//   kind          Misc objects            "nic" or "rdma": the device has no PCI address, so hwloc left it out
//   up            NIC, RDMA               "1" or "0"
//   loopback      NIC                     "1"
//   speed_mbit    NIC, RDMA               a number
//   mtu           NIC                     a number
//   driver        NIC, RDMA, GPU          text
//   address       NIC                     text
//   rdma_of       NIC, RDMA               the name of the other
//   model         GPU                     text
#ifndef TOPOLOGY_DEVICE_FACTS_H
#define TOPOLOGY_DEVICE_FACTS_H

#include "topology/ethtool.h"

#include <hwloc.h>
#include <ifaddrs.h>

#define RS_DEVICE_FACT_PREFIX "ringside."

// Where to look; tests bring files, interfaces and drivers of their own.
struct rs_device_source {
  const char *root; // of /sys and /proc, "" for the real ones
  const struct ifaddrs *interfaces;
  const struct rs_ethtool *tool;
};
void rs_device_facts_add_from(hwloc_topology_t machine, const struct rs_device_source *source);
// The Misc object of a device that hwloc left out; NULL when there is none of this name.
hwloc_obj_t rs_device_facts_virtual(hwloc_topology_t machine, const char *name);
// From this system. Does nothing when the topology is of another machine (HWLOC_SYNTHETIC, HWLOC_XMLFILE).
void rs_device_facts_add(hwloc_topology_t machine);

#endif
