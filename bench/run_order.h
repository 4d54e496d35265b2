// run_order: which order of ranks `ringside run --order` asks for.
#ifndef RINGSIDE_BENCH_RUN_ORDER_H
#define RINGSIDE_BENCH_RUN_ORDER_H

#include "ringside/topology.h"

// Collective. `asked` is a file, or "auto": the ring that crosses far distances least. Rank 0 reads or finds it, and
// every rank gets it; the caller frees it. NULL stays NULL.
enum rs_status run_order_make(struct rs_world *world, const char *asked, const struct rs_placement *placement,
                              uint32_t **order, struct rs_error *error);
// What /cases says: "default", "file", "auto".
const char *run_order_word(const char *asked);

#endif
