// Which of this host's addresses the tcp transport uses, and what is true of the interface that has it.
#ifndef RINGSIDE_TRANSPORT_TCP_INTERFACE_H
#define RINGSIDE_TRANSPORT_TCP_INTERFACE_H

#include <net/if.h>

#include "ringside/transport.h"
#include "transport/tcp_socket.h"

struct rs_tcp_interface {
  char name[IF_NAMESIZE];
  struct rs_tcp_address address; // port 0
  uint32_t prefix_bits;          // of its subnet
};

// wanted: "auto" (or ""), an interface's name, an address, or ADDRESS/BITS. auto is loopback when all ranks share the
// host, otherwise the interface of the IPv4 default route, otherwise the first that is up and not loopback. A name
// stands for its first IPv4 address, or if it has none its first IPv6 address that is not link-local, or the
// link-local one. USAGE with the list of what exists when nothing fits.
enum rs_status rs_tcp_interface_choose(const char *wanted, bool one_host, struct rs_tcp_interface *interface,
                                       struct rs_error *error);

// Fills interface, driver, speed_mbit and mtu, as far as the kernel tells.
void rs_tcp_interface_facts(const struct rs_tcp_interface *interface, struct rs_device_facts *facts);

#endif
