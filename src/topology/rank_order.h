// rank_order: the parts of the search for an order of ranks. Matrices are n x n, row by row, and row = sender.
#ifndef RINGSIDE_TOPOLOGY_RANK_ORDER_H
#define RINGSIDE_TOPOLOGY_RANK_ORDER_H

#include "ringside/topology.h"

// Differences of costs below this share are rounding.
#define RANK_ORDER_ROUNDING 1e-9

struct rank_order_problem {
  size_t n;
  const double *weight, *cost;
};

// rank_order.c: the sum that is made small.
double rank_order_cost(const struct rank_order_problem *problem, const uint32_t *ranks);

// rank_order_bound.c: what no order can beat.
// In Prim's order each rank comes when it is the nearest to those before; `join` (NULL: not wanted) gets how near it
// was, join[0] is 0. Clusters stand together in it: see the source.
enum rs_status rank_order_cluster(size_t n, const double *cost, uint32_t *ranks, double *join, struct rs_error *error);
enum rs_status rank_order_bound_ring(size_t n, const double *cost, double *bound, struct rs_error *error);
enum rs_status rank_order_bound_any(const struct rank_order_problem *problem, double *bound, struct rs_error *error);

// rank_order_ring.c: `ranks` holds an order, and then a better one or the same; *exact: the best.
enum rs_status rank_order_ring(size_t n, const double *cost, double bound, uint32_t *ranks, bool *exact,
                               struct rs_error *error);

// rank_order_any.c: the same for any weights; rank_order_branch.c: looks at all orders, as far as its budget goes.
enum rs_status rank_order_any(const struct rank_order_problem *problem, double bound, uint32_t *ranks, bool *exact,
                              struct rs_error *error);
#define RANK_ORDER_BRANCH_MAX 64
enum rs_status rank_order_branch(const struct rank_order_problem *problem, uint32_t *ranks, bool *exact,
                                 struct rs_error *error);

#endif
