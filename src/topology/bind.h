// bind: doing what a plan says.
#ifndef TOPOLOGY_BIND_H
#define TOPOLOGY_BIND_H

#include "topology/bind_plan.h"

// Binds the calling thread, and says in `result` what the kernel let happen.
void rs_bind_apply(hwloc_topology_t machine, const struct rs_bind_plan *plan, struct rs_bind_result *result);

#endif
