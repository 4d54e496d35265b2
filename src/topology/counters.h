// What rs_counters_read reads, from a tree and from drivers that tests may bring.
#ifndef TOPOLOGY_COUNTERS_H
#define TOPOLOGY_COUNTERS_H

#include "ringside/topology.h"
#include "topology/ethtool.h"

enum rs_status rs_counters_read_from(const char *root, const struct rs_ethtool *tool, unsigned scopes,
                                     struct rs_counters *counters, struct rs_error *error);

#endif
