#include "lab/subnet.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static uint32_t mask(unsigned bits) {
  return bits == 0 ? 0 : UINT32_MAX << (32 - bits);
}

enum rs_status rs_subnet_parse(const char *text, struct rs_subnet *subnet, struct rs_error *error) {
  const char *slash = strchr(text, '/');
  char address[INET_ADDRSTRLEN] = "";
  struct in_addr parsed;
  if (slash != NULL && (size_t)(slash - text) < sizeof address)
    memcpy(address, text, (size_t)(slash - text));
  size_t digits = slash == NULL ? 0 : strspn(slash + 1, "0123456789");
  unsigned long bits = digits == 0 || digits > 2 || slash[1 + digits] != '\0' ? 0 : strtoul(slash + 1, NULL, 10);
  if (bits < 8 || bits > 30 || inet_pton(AF_INET, address, &parsed) != 1)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "subnet: '%s' is no IPv4 network; write one like 10.77.0.0/24, with 8 to 30 bits", text);
  uint32_t first = ntohl(parsed.s_addr);
  if ((first & ~mask((unsigned)bits)) != 0)
    return rs_error_set(error, RS_ERROR_USAGE, "subnet: '%s' has bits right of its prefix of %lu bits", text, bits);
  *subnet = (struct rs_subnet){first, (unsigned)bits};
  return RS_OK;
}

uint32_t rs_subnet_addresses(const struct rs_subnet *subnet) {
  return ~mask(subnet->bits) - 1; // without the network's own and the broadcast address
}

void rs_subnet_address(const struct rs_subnet *subnet, uint32_t index, char *text, size_t bytes) {
  struct in_addr address = {htonl(subnet->first + 1 + index)};
  inet_ntop(AF_INET, &address, text, (socklen_t)bytes);
}

bool rs_subnet_overlaps(const struct rs_subnet *a, const struct rs_subnet *b) {
  uint32_t common = mask(a->bits < b->bits ? a->bits : b->bits);
  return (a->first & common) == (b->first & common);
}
