// links: the devices that a plan needs on this rank, and the route over them that each case takes.
//
// A transport has one device, or one per NIC that its options name (its rails). A case says what carries between ranks
// of one host and what between hosts; on each of them, lane l goes over rail l mod rails. Two hosts with ranks 0, 1 and
// 2, 3, transport=shm+tcp, tcp.interface=eth0,eth1, lanes=2, as rank 1 sees it:
//
//   peer    0     2     3
//   lane 0  shm   eth0  eth0
//   lane 1  shm   eth1  eth1
#ifndef RINGSIDE_MEASURE_LINKS_H
#define RINGSIDE_MEASURE_LINKS_H

#include "measure/case_setup.h"
#include "measure/clock_sync.h"
#include "ringside/measure.h"

struct link {
  size_t transport; // row of rs_transports
  size_t rail;
  struct rs_device *device; // NULL: not open
};

struct links {
  const struct rs_runner_params *params;
  struct case_setup *setup;
  struct link *items; // by transport, then by rail; the same on all ranks
  size_t count;
  struct rs_link_row *rows; // what probes found
  size_t row_count;
  // The route of the present case.
  struct rs_route route;
  struct rs_device *devices[RS_ROUTE_DEVICES_MAX];
  uint8_t *device_of;
  // Here, since a rank that finds no memory between collective calls would fail alone.
  uint8_t *addresses; // of all ranks
  bool *peers, *case_peers;
};

// Finds what the plan needs; opens nothing. `params` and `setup` live as long as the links.
enum rs_status links_init(struct links *links, const struct rs_runner_params *params, struct case_setup *setup,
                          struct rs_error *error);
void links_fini(struct links *links); // closes the devices; {0} is fine
// Collective: opens and connects. Takes cases of the set-up.
enum rs_status links_open(struct links *links, struct rs_error *error);
// Collective: the delay of every link in use.
enum rs_status links_probe(struct links *links, const struct clock_source *clock, const struct clock_line *line,
                           struct rs_error *error);
// The route of the case that the set-up has taken last; until the next call. NULL: it has no transport.
const struct rs_route *links_route(struct links *links, const struct rs_case *point);

#endif
