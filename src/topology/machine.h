// machine: what rs_topology_open has loaded, for the files of this module that ask hwloc.
#ifndef TOPOLOGY_MACHINE_H
#define TOPOLOGY_MACHINE_H

#include "ringside/topology.h"

#include <hwloc.h>

struct rs_topology {
  hwloc_topology_t machine;
  struct rs_host_facts host;
  char *xml; // of the machine, with what device_facts.h adds to it
};

#endif
