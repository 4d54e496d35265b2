// How much slower than its model an emulation runs: so much that this machine's clocks and its loopback are good enough
// to show it.
#ifndef RINGSIDE_TRANSPORT_EMULATED_SCALE_H
#define RINGSIDE_TRANSPORT_EMULATED_SCALE_H

#include "ringside/fabric.h"

// What a machine can do.
struct rs_emulated_machine {
  int64_t lateness_ns;    // by which a sleep ends too late, the median
  double loopback_byte_s; // of one process that sends to itself
};
// Takes some 40 ms.
enum rs_status rs_emulated_machine_measure(struct rs_emulated_machine *machine, struct rs_error *error);

// What a fabric asks for: the least latency between hosts (between any ranks if there is one host only), and the rate
// of all hosts together; 0: none.
struct rs_emulated_demand {
  int64_t latency_ns;
  double byte_s;
};
void rs_emulated_demand_of(const struct rs_fabric_map *map, struct rs_emulated_demand *demand);

// The least of 1, 1.5, 2, 3, 5, 7, 10, 15, ... with which the latency is 50 times the lateness and the rate a quarter
// of the loopback's. Such steps, so that launches on one machine mostly agree.
double rs_emulated_slowdown(const struct rs_emulated_machine *machine, const struct rs_emulated_demand *demand);

#endif
