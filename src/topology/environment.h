// What rs_environment_read reads, from a tree that tests may bring, and how a fact is added.
#ifndef TOPOLOGY_ENVIRONMENT_H
#define TOPOLOGY_ENVIRONMENT_H

#include "ringside/topology.h"

void rs_environment_read_from(const char *root, struct rs_environment *environment);
// An empty value is a fact that is not known, and is left out; so is one for which there is no room.
void rs_environment_add(struct rs_environment *environment, const char *key, const char *format, ...) RS_PRINTF(3, 4);

#endif
