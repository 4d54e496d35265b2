// What rs_environment_read reads, from a tree that tests may bring.
#ifndef TOPOLOGY_ENVIRONMENT_H
#define TOPOLOGY_ENVIRONMENT_H

#include "ringside/topology.h"

void rs_environment_read_from(const char *root, struct rs_environment *environment);

#endif
