// What rs_scheduler_read reads, from an environment and a tree that tests may bring.
#ifndef TOPOLOGY_SCHEDULER_H
#define TOPOLOGY_SCHEDULER_H

#include "ringside/topology.h"

// `get` is getenv, or stands for it.
void rs_scheduler_read_from(char *(*get)(const char *name), const char *root, struct rs_host_facts *facts,
                            struct rs_environment *environment);

#endif
