// bind_plan: which CPUs and which memory a rank should use, from a topology alone; nothing is bound here.
#ifndef TOPOLOGY_BIND_PLAN_H
#define TOPOLOGY_BIND_PLAN_H

#include "ringside/topology.h"

#include <hwloc.h>

struct rs_bind_plan {
  hwloc_bitmap_t cpus;  // empty: do not bind
  hwloc_bitmap_t nodes; // for memory, by NUMA node; empty: do not place it
  char words[128];      // what it is, or why not
};
// `current`: the CPUs that the thread is bound to now. Start `plan` as {0}. Fails for lack of memory only.
enum rs_status rs_bind_plan_make(hwloc_topology_t machine, hwloc_const_cpuset_t current,
                                 const struct rs_bind_params *params, struct rs_bind_plan *plan,
                                 struct rs_error *error);
void rs_bind_plan_fini(struct rs_bind_plan *plan);

#endif
