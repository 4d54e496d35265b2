// subnet: an IPv4 network such as 10.77.0.0/24.
#ifndef RINGSIDE_LAB_SUBNET_H
#define RINGSIDE_LAB_SUBNET_H

#include "ringside/base.h"

struct rs_subnet {
  uint32_t first; // the network's own address, host byte order
  unsigned bits;  // of the prefix
};

// USAGE unless it is A.B.C.D/BITS with nothing right of the prefix and room for two addresses or more.
enum rs_status rs_subnet_parse(const char *text, struct rs_subnet *subnet, struct rs_error *error);
// How many hosts can have one.
uint32_t rs_subnet_addresses(const struct rs_subnet *subnet);
// The address of host `index`, from 0: "10.77.0.1".
void rs_subnet_address(const struct rs_subnet *subnet, uint32_t index, char *text, size_t bytes);
bool rs_subnet_overlaps(const struct rs_subnet *a, const struct rs_subnet *b);

#endif
