// How far an address leads, by the ranges that the standards set aside.
#include "ringside/topology.h"

#include <arpa/inet.h>
#include <string.h>

static enum rs_reach reach_v4(uint32_t address) {
  static const struct {
    uint32_t network, mask;
  } private[] = {
      {0x0a000000, 0xff000000}, // 10/8, 172.16/12, 192.168/16: RFC 1918
      {0xac100000, 0xfff00000}, {0xc0a80000, 0xffff0000}, {0x64400000, 0xffc00000}, // 100.64/10: RFC 6598
      {0xa9fe0000, 0xffff0000},                                                     // 169.254/16: link-local
  };
  if (address >> 24 == 127)
    return RS_REACH_LOOPBACK;
  for (size_t p = 0; p < RS_ARRAY_LENGTH(private); p++)
    if ((address & private[p].mask) == private[p].network)
      return RS_REACH_PRIVATE;
  return RS_REACH_PUBLIC;
}

enum rs_reach rs_address_reach(const char *interface, const char *address) {
  struct in_addr v4;
  struct in6_addr v6;
  if (strcmp(interface, "lo") == 0)
    return RS_REACH_LOOPBACK;
  if (inet_pton(AF_INET, address, &v4) == 1)
    return reach_v4(ntohl(v4.s_addr));
  if (inet_pton(AF_INET6, address, &v6) != 1)
    return RS_REACH_UNKNOWN;
  if (IN6_IS_ADDR_LOOPBACK(&v6))
    return RS_REACH_LOOPBACK;
  bool unique_local = (v6.s6_addr[0] & 0xfe) == 0xfc; // fc00::/7, RFC 4193
  return unique_local || IN6_IS_ADDR_LINKLOCAL(&v6) ? RS_REACH_PRIVATE : RS_REACH_PUBLIC;
}
