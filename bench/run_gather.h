// Rows of a table, as many as each rank has, brought together on rank 0.
#ifndef RINGSIDE_BENCH_RUN_GATHER_H
#define RINGSIDE_BENCH_RUN_GATHER_H

#include "ringside/base.h"

struct run_rows {
  void *items;
  size_t count;
};

// Collective. Every rank brings `count` rows at `mine` (NULL: it could not make them, and `error` says why); rank 0
// gets all of them, rank by rank, to free.
enum rs_status run_gather(struct rs_world *world, size_t row_bytes, const void *mine, size_t count,
                          struct run_rows *all, struct rs_error *error);

#endif
