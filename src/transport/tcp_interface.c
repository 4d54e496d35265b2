// Choosing an address among getifaddrs(3), and asking the kernel about the interface. ioctl is used rather than
// /sys/class/net: sysfs shows the network namespace it was mounted in, which need not be ours.
#include "transport/tcp_interface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

// The address of one entry; family 0 when it has none that TCP can use.
static struct rs_tcp_address entry_address(const struct ifaddrs *entry) {
  struct rs_tcp_address address = {0};
  if (entry->ifa_addr == NULL)
    return address;
  if (entry->ifa_addr->sa_family == AF_INET)
    memcpy(&address.v4, entry->ifa_addr, sizeof address.v4);
  else if (entry->ifa_addr->sa_family == AF_INET6)
    memcpy(&address.v6, entry->ifa_addr, sizeof address.v6);
  return address;
}

// How many bits of the address name its subnet.
static uint32_t prefix_bits(const struct ifaddrs *entry) {
  const uint8_t *mask = NULL;
  if (entry->ifa_netmask && entry->ifa_addr->sa_family == AF_INET)
    mask = (const uint8_t *)&((const struct sockaddr_in *)(const void *)entry->ifa_netmask)->sin_addr;
  else if (entry->ifa_netmask)
    mask = ((const struct sockaddr_in6 *)(const void *)entry->ifa_netmask)->sin6_addr.s6_addr;
  size_t bytes = mask == NULL ? 0 : entry->ifa_addr->sa_family == AF_INET ? 4 : 16;
  uint32_t bits = 0;
  for (size_t i = 0; i < bytes; i++)
    bits += (uint32_t)__builtin_popcount(mask[i]);
  return bits;
}

static bool usable(const struct ifaddrs *entry) {
  return entry_address(entry).any.sa_family != 0 && (entry->ifa_flags & IFF_UP) != 0;
}

// ---- what the user may ask for ----------------------------------------------------------------------------

// ADDRESS or ADDRESS/BITS.
struct network {
  int family;
  uint8_t bytes[16];
  size_t bits;
};

static bool network_parse(const char *text, struct network *network) {
  char host[INET6_ADDRSTRLEN];
  size_t length = strcspn(text, "/");
  if (length >= sizeof host)
    return false;
  memcpy(host, text, length);
  host[length] = '\0';
  *network = (struct network){.family = strchr(host, ':') ? AF_INET6 : AF_INET};
  if (inet_pton(network->family, host, network->bytes) != 1)
    return false;
  size_t bits_max = network->family == AF_INET6 ? 128 : 32;
  network->bits = bits_max;
  if (text[length] == '\0')
    return true;
  char *end;
  const char *bits = text + length + 1;
  unsigned long value = strtoul(bits, &end, 10);
  network->bits = value;
  return *bits >= '0' && *bits <= '9' && *end == '\0' && value <= bits_max;
}

static bool network_holds(const struct network *network, const struct rs_tcp_address *address) {
  if (address->any.sa_family != network->family)
    return false;
  const uint8_t *bytes =
      network->family == AF_INET6 ? address->v6.sin6_addr.s6_addr : (const uint8_t *)&address->v4.sin_addr.s_addr;
  size_t whole = network->bits / 8;
  if (memcmp(bytes, network->bytes, whole) != 0)
    return false;
  unsigned rest = network->bits % 8;
  return rest == 0 || ((unsigned)(bytes[whole] ^ network->bytes[whole]) >> (8 - rest)) == 0;
}

// The lower the better; 0 is none.
static int address_rank(const struct rs_tcp_address *address) {
  if (address->any.sa_family == AF_INET)
    return 1;
  return IN6_IS_ADDR_LINKLOCAL(&address->v6.sin6_addr) ? 3 : 2;
}

static const struct ifaddrs *find_by_name(const struct ifaddrs *list, const char *name) {
  const struct ifaddrs *best = NULL;
  int best_rank = 0;
  for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
    if (!usable(entry) || strcmp(entry->ifa_name, name) != 0)
      continue;
    struct rs_tcp_address address = entry_address(entry);
    int rank = address_rank(&address);
    if (best == NULL || rank < best_rank) {
      best = entry;
      best_rank = rank;
    }
  }
  return best;
}

static const struct ifaddrs *find_by_network(const struct ifaddrs *list, const struct network *network) {
  for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
    struct rs_tcp_address address = entry_address(entry);
    if (usable(entry) && network_holds(network, &address))
      return entry;
  }
  return NULL;
}

// ---- auto -------------------------------------------------------------------------------------------------

// The interface of the IPv4 default route with the lowest metric, "" when there is none.
static void default_route_interface(char name[IF_NAMESIZE]) {
  name[0] = '\0';
  FILE *file = fopen("/proc/net/route", "re");
  if (file == NULL)
    return;
  char line[256];
  unsigned best_metric = 0;
  while (fgets(line, sizeof line, file)) {
    char interface[IF_NAMESIZE];
    unsigned destination, flags, metric, mask;
    int fields = sscanf(line, "%15s %x %*x %x %*d %*d %u %x", interface, &destination, &flags, &metric, &mask);
    if (fields != 5 || destination != 0 || mask != 0 || (flags & 1) == 0) // 1: the route is up
      continue;
    if (name[0] == '\0' || metric < best_metric) {
      memcpy(name, interface, sizeof interface);
      best_metric = metric;
    }
  }
  fclose(file);
}

static const struct ifaddrs *find_auto(const struct ifaddrs *list, bool one_host) {
  if (one_host) {
    const struct network loopback = {.family = AF_INET, .bytes = {127, 0, 0, 1}, .bits = 32};
    return find_by_network(list, &loopback);
  }
  char name[IF_NAMESIZE];
  default_route_interface(name);
  const struct ifaddrs *entry = name[0] ? find_by_name(list, name) : NULL;
  if (entry && entry->ifa_addr->sa_family == AF_INET)
    return entry;
  for (entry = list; entry; entry = entry->ifa_next)
    if (usable(entry) && (entry->ifa_flags & IFF_LOOPBACK) == 0 && entry->ifa_addr->sa_family == AF_INET)
      return entry;
  return NULL;
}

// ---- choice -----------------------------------------------------------------------------------------------

static enum rs_status nothing_fits(const char *wanted, const struct ifaddrs *list, struct rs_error *error) {
  struct rs_text known = {0};
  for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
    struct rs_tcp_address address = entry_address(entry);
    if (address.any.sa_family == 0)
      continue;
    rs_tcp_address_set_port(&address, 0);
    rs_text_append(&known, "%s%s %s%s", known.length ? ", " : "", entry->ifa_name, rs_tcp_address_format(&address).text,
                   entry->ifa_flags & IFF_UP ? "" : " (down)");
  }
  rs_error_set(error, RS_ERROR_USAGE, "tcp.interface=%s: no interface of this host fits; it has: %s", wanted,
               known.length ? known.data : "none with an address");
  rs_text_fini(&known);
  return error->status;
}

enum rs_status rs_tcp_interface_choose(const char *wanted, bool one_host, struct rs_tcp_interface *interface,
                                       struct rs_error *error) {
  struct ifaddrs *list;
  if (getifaddrs(&list) != 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "tcp: listing the network interfaces");
  bool automatic = wanted[0] == '\0' || strcmp(wanted, "auto") == 0;
  struct network network;
  const struct ifaddrs *entry = automatic                         ? find_auto(list, one_host)
                                : network_parse(wanted, &network) ? find_by_network(list, &network)
                                                                  : find_by_name(list, wanted);
  enum rs_status status = RS_OK;
  if (entry) {
    *interface = (struct rs_tcp_interface){.address = entry_address(entry), .prefix_bits = prefix_bits(entry)};
    snprintf(interface->name, sizeof interface->name, "%s", entry->ifa_name);
    rs_tcp_address_set_port(&interface->address, 0);
  } else {
    status = nothing_fits(automatic ? "auto" : wanted, list, error);
  }
  freeifaddrs(list);
  return status;
}

// ---- facts ------------------------------------------------------------------------------------------------

void rs_tcp_interface_facts(const struct rs_tcp_interface *interface, struct rs_device_facts *facts) {
  snprintf(facts->interface, sizeof facts->interface, "%s", interface->name);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return;
  struct ifreq request = {0};
  memcpy(request.ifr_name, interface->name, sizeof request.ifr_name);
  if (ioctl(fd, SIOCGIFMTU, &request) == 0)
    facts->mtu = (uint64_t)request.ifr_mtu;

  struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
  request.ifr_data = (char *)&driver;
  if (ioctl(fd, SIOCETHTOOL, &request) == 0)
    snprintf(facts->driver, sizeof facts->driver, "%.31s", driver.driver);

  struct ethtool_cmd link = {.cmd = ETHTOOL_GSET};
  request.ifr_data = (char *)&link;
  if (ioctl(fd, SIOCETHTOOL, &request) == 0) {
    // Not ethtool_cmd_speed, which shifts the unknown speed out of an int.
    uint32_t speed_mbit = (uint32_t)link.speed_hi << 16 | link.speed;
    if (speed_mbit != (uint32_t)SPEED_UNKNOWN)
      facts->speed_mbit = speed_mbit;
  }
  close(fd);
}
