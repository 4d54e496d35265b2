// A cheap order for any traffic: the quadratic assignment problem (Koopmans and Beckmann 1957), for which nothing quick
// is known to be exact. Three starts, each improved by swapping two ranks as long as that helps:
//   - the given order;
//   - Prim's order, which keeps clusters of ranks together: the positions of trees and rings that talk most have
//     neighbouring numbers;
//   - growth: the position that talks most with those placed gets the rank that is then the cheapest.
// Where ranks are few, a search through all orders follows, which the best of these cuts short.
#include "topology/rank_order.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#define WORK_MAX 400000000u // links looked at by swaps, about a second

// Whom every position talks to: partners[first[a] .. first[a + 1] - 1].
struct talk {
  const struct rank_order_problem *problem;
  uint32_t *partners;
  size_t *first;
  size_t work;
};

static enum rs_status find_partners(struct talk *talk, struct rs_error *error) {
  size_t n = talk->problem->n, count = 0;
  const double *weight = talk->problem->weight;
  talk->partners = rs_allocate(n * n, sizeof *talk->partners, "the order of ranks", error);
  talk->first = rs_allocate(n + 1, sizeof *talk->first, "the order of ranks", error);
  if (talk->partners == NULL || talk->first == NULL)
    return error->status;
  for (size_t a = 0; a < n; a++) {
    for (size_t b = 0; b < n; b++)
      if (a != b && (weight[a * n + b] > 0 || weight[b * n + a] > 0))
        talk->partners[count++] = (uint32_t)b;
    talk->first[a + 1] = count;
  }
  return RS_OK;
}

// What position a and its partners send one another if a has rank r; positions without a rank are UINT32_MAX.
static double cost_at(struct talk *talk, const uint32_t *ranks, size_t a, uint32_t r) {
  size_t n = talk->problem->n;
  const double *weight = talk->problem->weight, *cost = talk->problem->cost;
  double sum = 0;
  for (size_t i = talk->first[a]; i < talk->first[a + 1]; i++) {
    size_t b = talk->partners[i];
    uint32_t s = ranks[b];
    if (s != UINT32_MAX)
      sum += weight[a * n + b] * cost[r * n + s] + weight[b * n + a] * cost[s * n + r];
  }
  talk->work += talk->first[a + 1] - talk->first[a];
  return sum;
}

// ---- swaps ------------------------------------------------------------------------------------------------

// The traffic between a and b themselves, which cost_at of a and of b both count.
static double between(const struct talk *talk, size_t a, size_t b, uint32_t r, uint32_t s) {
  size_t n = talk->problem->n;
  const double *weight = talk->problem->weight, *cost = talk->problem->cost;
  return weight[a * n + b] * cost[r * n + s] + weight[b * n + a] * cost[s * n + r];
}

static bool try_swap(struct talk *talk, uint32_t *ranks, size_t a, size_t b, double least_gain) {
  uint32_t r = ranks[a], s = ranks[b];
  double old = cost_at(talk, ranks, a, r) + cost_at(talk, ranks, b, s) - between(talk, a, b, r, s);
  ranks[a] = s;
  ranks[b] = r;
  double new = cost_at(talk, ranks, a, s) + cost_at(talk, ranks, b, r) - between(talk, a, b, s, r);
  if (new < old - least_gain)
    return true;
  ranks[a] = r;
  ranks[b] = s;
  return false;
}

static double improve(struct talk *talk, uint32_t *ranks) {
  size_t n = talk->problem->n;
  double least_gain = rank_order_cost(talk->problem, ranks) * RANK_ORDER_ROUNDING;
  talk->work = 0;
  for (bool better = true; better;) {
    better = false;
    for (size_t a = 0; a < n; a++)
      for (size_t b = a + 1; b < n && talk->work < WORK_MAX; b++)
        better |= try_swap(talk, ranks, a, b, least_gain);
    better = better && talk->work < WORK_MAX;
  }
  return rank_order_cost(talk->problem, ranks);
}

// ---- growth -----------------------------------------------------------------------------------------------

// How much each position that has no rank yet talks with position a.
static void tie_to(const struct talk *talk, size_t a, double *tied) {
  size_t n = talk->problem->n;
  const double *weight = talk->problem->weight;
  for (size_t i = talk->first[a]; i < talk->first[a + 1]; i++) {
    size_t b = talk->partners[i];
    tied[b] += weight[a * n + b] + weight[b * n + a];
  }
}

static enum rs_status grow(struct talk *talk, uint32_t *ranks, struct rs_error *error) {
  size_t n = talk->problem->n;
  double *tied = rs_allocate(n, sizeof *tied, "the order of ranks", error);
  bool *used = rs_allocate(n, sizeof *used, "the order of ranks", error);
  if (tied == NULL || used == NULL)
    goto free_arrays;
  for (size_t a = 0; a < n; a++)
    ranks[a] = UINT32_MAX;
  for (size_t placed = 0; placed < n; placed++) {
    size_t a = n;
    for (size_t b = 0; b < n; b++)
      if (ranks[b] == UINT32_MAX && (a == n || tied[b] > tied[a]))
        a = b;
    uint32_t best = UINT32_MAX;
    double least = DBL_MAX;
    for (uint32_t r = 0; r < n; r++) {
      double sum = used[r] ? DBL_MAX : cost_at(talk, ranks, a, r);
      if (!used[r] && (best == UINT32_MAX || sum < least)) {
        best = r;
        least = sum;
      }
    }
    ranks[a] = best;
    used[best] = true;
    tie_to(talk, a, tied);
  }
free_arrays:
  free(tied);
  free(used);
  return error->status;
}

// ---- any --------------------------------------------------------------------------------------------------

enum start { START_GIVEN, START_CLUSTERS, START_GROWTH, START_COUNT };

static enum rs_status begin(enum start start, struct talk *talk, const uint32_t *given, uint32_t *ranks,
                            struct rs_error *error) {
  size_t n = talk->problem->n;
  if (start == START_CLUSTERS)
    return rank_order_cluster(n, talk->problem->cost, ranks, NULL, error);
  if (start == START_GROWTH)
    return grow(talk, ranks, error);
  memcpy(ranks, given, n * sizeof *ranks);
  return RS_OK;
}

enum rs_status rank_order_any(const struct rank_order_problem *problem, double bound, uint32_t *ranks, bool *exact,
                              struct rs_error *error) {
  size_t n = problem->n;
  struct talk talk = {.problem = problem};
  double best = rank_order_cost(problem, ranks), enough = bound * (1 + RANK_ORDER_ROUNDING);
  uint32_t *given = rs_allocate(n, 2 * sizeof *given, "the order of ranks", error), *tried = given ? given + n : NULL;
  if (given == NULL || find_partners(&talk, error) < 0)
    goto free_arrays;
  memcpy(given, ranks, n * sizeof *ranks);
  for (int start = 0; start < START_COUNT && best > enough; start++) {
    if (begin((enum start)start, &talk, given, tried, error) < 0)
      goto free_arrays;
    double sum = improve(&talk, tried);
    if (sum < best * (1 - RANK_ORDER_ROUNDING)) {
      best = sum;
      memcpy(ranks, tried, n * sizeof *ranks);
    }
  }
  *exact = best <= enough;
  if (!*exact && n <= RANK_ORDER_BRANCH_MAX)
    rank_order_branch(problem, ranks, exact, error);
free_arrays:
  free(given);
  free(talk.partners);
  free(talk.first);
  return error->status;
}
