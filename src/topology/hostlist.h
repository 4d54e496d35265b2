// hostlist: names of hosts as Slurm writes them: "n[01-16,20],gpu3" is n01 ... n16, n20 and gpu3.
#ifndef TOPOLOGY_HOSTLIST_H
#define TOPOLOGY_HOSTLIST_H

#include "ringside/base.h"

#define RS_HOST_NAME_BYTES 64

// Calls `visit` with every name, in order, until one fails. USAGE for what is no host list. After an error *offset says
// where in `list` it is; for one of `visit`, where the expression of the name starts.
typedef enum rs_status (*rs_hostlist_visit)(void *state, const char *name, struct rs_error *error);
enum rs_status rs_hostlist_expand(const char *list, rs_hostlist_visit visit, void *state, size_t *offset,
                                  struct rs_error *error);

#endif
