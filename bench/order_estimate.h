// order_estimate: how long a collective takes on a fabric when ranks stand in some order, near enough to tell orders
// apart.
#ifndef RINGSIDE_BENCH_ORDER_ESTIMATE_H
#define RINGSIDE_BENCH_ORDER_ESTIMATE_H

#include "ringside/collective.h"
#include "ringside/fabric.h"

// Rounds follow one another, and a round takes as long as its slowest message, or as the busiest queue that its
// messages share. For a ring of n ranks without shared queues that is 2(n-1) times the slowest link for size / n bytes.
enum rs_status order_estimate(const struct rs_fabric_map *map, const struct rs_algorithm *algorithm,
                              const struct rs_schedule_params *params, uint64_t part_bytes, const uint32_t *ranks,
                              double *ns, struct rs_error *error);

#endif
