// ringside run --check-network: whether the ranks of a run could meet, before anything is measured.
#ifndef RINGSIDE_BENCH_RUN_NETWORK_H
#define RINGSIDE_BENCH_RUN_NETWORK_H

#include "run_setup.h"

// Collective, and the first that is: it needs nothing but the ranks. Prints on rank 0 one line for each transport that
// needs the network, or a table of what is wrong; every rank learns in *fine whether anything is.
enum rs_status run_network(struct rs_world *world, const struct run_setup *setup, bool *fine, struct rs_error *error);

#endif
