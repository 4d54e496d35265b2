// The order of ranks: tells rings from other traffic, and never hands back what is worse than what was given.
#include "topology/rank_order.h"

#include <stdlib.h>
#include <string.h>

double rank_order_cost(const struct rank_order_problem *problem, const uint32_t *ranks) {
  size_t n = problem->n;
  double sum = 0;
  for (size_t a = 0; a < n; a++)
    for (size_t b = 0; b < n; b++)
      if (a != b)
        sum += problem->weight[a * n + b] * problem->cost[ranks[a] * n + ranks[b]];
  return sum;
}

static double ring_cost(size_t n, const double *cost, const uint32_t *ranks) {
  double sum = 0;
  for (size_t a = 0; n > 1 && a < n; a++)
    sum += cost[ranks[a] * n + ranks[(a + 1) % n]];
  return sum;
}

// What every position sends to the next one, if that is all that is sent and equal everywhere; 0: not a ring.
static double ring_weight(size_t n, const double *weight) {
  if (weight == NULL)
    return 1;
  for (size_t a = 0; a < n; a++)
    for (size_t b = 0; b < n; b++)
      if (a != b && weight[a * n + b] != ((a + 1) % n == b ? weight[1] : 0))
        return 0;
  return n > 1 ? weight[1] : 0;
}

static enum rs_status check_matrix(const char *what, size_t n, const double *values, struct rs_error *error) {
  for (size_t a = 0; a < n; a++)
    for (size_t b = 0; b < n; b++)
      if (a != b && !(values[a * n + b] >= 0 && values[a * n + b] < (double)UINT64_MAX))
        return rs_error_set(error, RS_ERROR_USAGE, "ordering ranks: the %s from %zu to %zu is %g; give none below 0",
                            what, a, b, values[a * n + b]);
  return RS_OK;
}

// ---- rings ------------------------------------------------------------------------------------------------

// A ring has no beginning: the rank that stood first stays first.
static enum rs_status turn(size_t n, uint32_t first, uint32_t *ranks, struct rs_error *error) {
  size_t start = 0;
  while (ranks[start] != first)
    start++;
  uint32_t *turned = rs_allocate(n, sizeof *turned, "the order of ranks", error);
  if (turned == NULL)
    return error->status;
  for (size_t i = 0; i < n; i++)
    turned[i] = ranks[(start + i) % n];
  memcpy(ranks, turned, n * sizeof *ranks);
  free(turned);
  return RS_OK;
}

static enum rs_status find_ring(const struct rs_rank_order_request *request, double weight, struct rs_rank_order *order,
                                struct rs_error *error) {
  size_t n = request->rank_count;
  uint32_t first = order->ranks[0];
  order->given_cost = weight * ring_cost(n, request->cost, order->ranks);
  if (rank_order_bound_ring(n, request->cost, &order->bound, error) < 0 ||
      rank_order_ring(n, request->cost, order->bound, order->ranks, &order->exact, error) < 0 ||
      turn(n, first, order->ranks, error) < 0)
    return error->status;
  order->bound *= weight;
  order->cost = weight * ring_cost(n, request->cost, order->ranks);
  return RS_OK;
}

static enum rs_status find_any(const struct rs_rank_order_request *request, struct rs_rank_order *order,
                               struct rs_error *error) {
  struct rank_order_problem problem = {request->rank_count, request->weight, request->cost};
  order->given_cost = rank_order_cost(&problem, order->ranks);
  if (rank_order_bound_any(&problem, &order->bound, error) < 0 ||
      rank_order_any(&problem, order->bound, order->ranks, &order->exact, error) < 0)
    return error->status;
  order->cost = rank_order_cost(&problem, order->ranks);
  return RS_OK;
}

// ---- any --------------------------------------------------------------------------------------------------

static void take_given(const struct rs_rank_order_request *request, uint32_t *ranks) {
  for (uint32_t i = 0; i < request->rank_count; i++)
    ranks[i] = request->given ? request->given[i] : i;
}

enum rs_status rs_rank_order_find(const struct rs_rank_order_request *request, struct rs_rank_order *order,
                                  struct rs_error *error) {
  size_t n = request->rank_count;
  if (check_matrix("cost", n, request->cost, error) < 0 ||
      (request->weight && check_matrix("weight", n, request->weight, error) < 0))
    return error->status;
  struct rs_rank_order found = {.rank_count = request->rank_count};
  found.ranks = rs_allocate(n, sizeof *found.ranks, "the order of ranks", error);
  if (found.ranks == NULL)
    return error->status;
  take_given(request, found.ranks);
  double weight = ring_weight(n, request->weight);
  enum rs_status status = weight > 0 ? find_ring(request, weight, &found, error) : find_any(request, &found, error);
  if (status < 0) {
    rs_rank_order_fini(&found);
    return status;
  }
  if (!(found.cost < found.given_cost * (1 - RANK_ORDER_ROUNDING))) {
    take_given(request, found.ranks);
    found.cost = found.given_cost;
  }
  if (found.exact || found.bound > found.cost)
    found.bound = found.cost;
  *order = found;
  return RS_OK;
}

void rs_rank_order_fini(struct rs_rank_order *order) {
  free(order->ranks);
  *order = (struct rs_rank_order){0};
}

void rs_rank_order_distance_costs(const struct rs_placement *placement, double *cost) {
  size_t n = placement->rank_count;
  for (size_t r = 0; r < n; r++)
    for (size_t s = 0; s < n; s++) {
      double dear = 1;
      for (int d = RS_DISTANCE_NUMA; d < (int)rs_placement_distance(placement, r, s); d++)
        dear *= 10;
      cost[r * n + s] = r == s ? 0 : dear;
    }
}
