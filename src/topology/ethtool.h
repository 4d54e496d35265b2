// ethtool: a network driver's own counters, as `ethtool -S` shows them, and its name (Linux: linux/ethtool.h,
// SIOCETHTOOL).
#ifndef TOPOLOGY_ETHTOOL_H
#define TOPOLOGY_ETHTOOL_H

#include "ringside/base.h"

#include <net/if.h>

// How to ask the drivers; tests bring drivers of their own. `ask` is ioctl(socket, SIOCETHTOOL, request).
struct rs_ethtool {
  int (*ask)(int socket, struct ifreq *request);
  int socket;
};
struct rs_ethtool rs_ethtool_open(void);
void rs_ethtool_close(struct rs_ethtool *tool);

// Calls `visit` with each counter of an interface, in the driver's order; with none if the driver tells nothing.
void rs_ethtool_visit(const struct rs_ethtool *tool, const char *interface,
                      void (*visit)(void *state, const char *name, uint64_t value), void *state);
// The name of an interface's driver, "veth"; empty if the kernel does not tell.
void rs_ethtool_driver(const struct rs_ethtool *tool, const char *interface, char *driver, size_t driver_bytes);

#endif
