// order_costs: what a message costs between every two ranks, for `ringside order`.
#ifndef RINGSIDE_BENCH_ORDER_COSTS_H
#define RINGSIDE_BENCH_ORDER_COSTS_H

#include "ringside/fabric.h"
#include "ringside/store.h"

enum order_costs_kind {
  ORDER_COSTS_AUTO,
  ORDER_COSTS_FABRIC,
  ORDER_COSTS_PAIRS,
  ORDER_COSTS_LINKS,
  ORDER_COSTS_DISTANCE
};
extern const char *const order_costs_names[]; // NULL-terminated

struct order_costs {
  enum order_costs_kind kind; // never AUTO
  bool time;                  // costs are ns, and not only ranks of distance
  double *cost;               // rank_count x rank_count, row = sender
  uint64_t pair_bytes;        // of the ping-pongs taken
  size_t filled;              // directions not measured, which cost what their distance class costs on average
};

// Costs of a message of `bytes` between the ranks placed. AUTO: by the fabric if there is one, else by the ping-pongs
// of the result whose size is nearest, else by the delays of its links, else by distance. `map` and `result` may be
// NULL. USAGE where the kind asked for is not there, or a pair was not measured nor any other at its distance.
enum rs_status order_costs_make(enum order_costs_kind kind, const struct rs_placement *placement,
                                const struct rs_fabric_map *map, const struct rs_result *result, uint64_t bytes,
                                struct order_costs *costs, struct rs_error *error);
void order_costs_fini(struct order_costs *costs); // {0} is fine

#endif
