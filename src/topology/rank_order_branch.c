// All orders of few ranks, by branch and bound. Positions get their ranks one after the other, those first that talk
// most with those before. A branch is left when what is placed already, the cheapest that every other position can pay
// towards it, and the cheapest for the traffic among the others, together are no better than the best order known.
// Ranks that cost the same to and from everybody are interchangeable (those of one host): only the lowest of each such
// class that is left is tried, so two hosts of eight ranks take not 16! orders but 16! / (8! 8!) = 12,870.
#include "topology/rank_order.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#define WORK_MAX 100000000u // entries of matrices looked at, some tenths of a second

struct branch {
  const struct rank_order_problem *problem;
  size_t sequence[RANK_ORDER_BRANCH_MAX];  // of positions
  size_t class[RANK_ORDER_BRANCH_MAX];     // the lowest rank that a rank is interchangeable with
  double inner[RANK_ORDER_BRANCH_MAX + 1]; // at least paid among the positions from sequence[depth] on
  // Level `depth`: [position][rank] = what it pays towards those placed.
  double *towards;
  uint32_t ranks[RANK_ORDER_BRANCH_MAX], best[RANK_ORDER_BRANCH_MAX];
  bool used[RANK_ORDER_BRANCH_MAX];
  double least;
  size_t work;
};

// ---- preparation ------------------------------------------------------------------------------------------

static bool interchangeable(const struct rank_order_problem *problem, size_t r, size_t s) {
  size_t n = problem->n;
  const double *cost = problem->cost;
  if (cost[r * n + s] != cost[s * n + r])
    return false;
  for (size_t t = 0; t < n; t++)
    if (t != r && t != s && (cost[r * n + t] != cost[s * n + t] || cost[t * n + r] != cost[t * n + s]))
      return false;
  return true;
}

static void find_classes(struct branch *branch) {
  for (size_t r = 0; r < branch->problem->n; r++) {
    branch->class[r] = r;
    for (size_t s = 0; s < r; s++)
      if (branch->class[s] == s && interchangeable(branch->problem, r, s))
        branch->class[r] = s;
  }
}

static double tie(const struct rank_order_problem *problem, size_t a, size_t b) {
  return problem->weight[a * problem->n + b] + problem->weight[b * problem->n + a];
}

static void find_sequence(struct branch *branch) {
  size_t n = branch->problem->n;
  double tied[RANK_ORDER_BRANCH_MAX];
  for (size_t a = 0; a < n; a++) {
    branch->sequence[a] = a;
    tied[a] = 0;
    for (size_t b = 0; b < n; b++)
      tied[a] += a == b ? 0 : tie(branch->problem, a, b) * RANK_ORDER_ROUNDING; // decides among equals
  }
  for (size_t i = 0; i < n; i++) {
    size_t next = i;
    for (size_t k = i + 1; k < n; k++)
      if (tied[branch->sequence[k]] > tied[branch->sequence[next]])
        next = k;
    size_t position = branch->sequence[next];
    branch->sequence[next] = branch->sequence[i];
    branch->sequence[i] = position;
    for (size_t k = i + 1; k < n; k++)
      tied[branch->sequence[k]] += tie(branch->problem, position, branch->sequence[k]);
  }
}

static int compare_ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// The heaviest traffic among the last positions of the sequence on the cheapest links of all.
static enum rs_status find_inner(struct branch *branch, struct rs_error *error) {
  size_t n = branch->problem->n, links = 0;
  double *costs = rs_allocate(n * n, 2 * sizeof *costs, "the order of ranks", error);
  if (costs == NULL)
    return error->status;
  double *weights = costs + n * n;
  for (size_t r = 0; r < n; r++)
    for (size_t s = 0; s < n; s++)
      if (r != s)
        costs[links++] = branch->problem->cost[r * n + s];
  qsort(costs, links, sizeof *costs, compare_ascending);
  for (size_t depth = 0; depth <= n; depth++) {
    size_t count = 0;
    for (size_t i = depth; i < n; i++)
      for (size_t k = depth; k < n; k++)
        if (i != k)
          weights[count++] = branch->problem->weight[branch->sequence[i] * n + branch->sequence[k]];
    qsort(weights, count, sizeof *weights, compare_ascending);
    branch->inner[depth] = 0;
    for (size_t k = 0; k < count; k++)
      branch->inner[depth] += weights[count - 1 - k] * costs[k];
  }
  free(costs);
  return RS_OK;
}

// ---- search -----------------------------------------------------------------------------------------------

// The next level, after `position` got rank r; returns the least that the positions left must pay towards those placed.
static double step_down(struct branch *branch, size_t depth, size_t position, uint32_t r) {
  size_t n = branch->problem->n;
  const double *weight = branch->problem->weight, *cost = branch->problem->cost;
  const double *above = branch->towards + depth * n * n;
  double *below = branch->towards + (depth + 1) * n * n, sum = 0;
  for (size_t i = depth + 1; i < n; i++) {
    size_t a = branch->sequence[i];
    double out = weight[a * n + position], in = weight[position * n + a], least = DBL_MAX;
    for (size_t s = 0; s < n; s++) {
      if (branch->used[s])
        continue;
      double pays = above[a * n + s] + out * cost[s * n + r] + in * cost[r * n + s];
      below[a * n + s] = pays;
      least = pays < least ? pays : least;
    }
    sum += least;
  }
  branch->work += n * (n - depth);
  return sum;
}

// Cheapest first, the lowest of equals; one rank of each class. Returns how many.
static size_t list_candidates(const struct branch *branch, const double *pays, uint32_t *candidates) {
  size_t count = 0;
  bool listed[RANK_ORDER_BRANCH_MAX] = {false};
  for (uint32_t r = 0; r < branch->problem->n; r++) {
    if (branch->used[r] || listed[branch->class[r]])
      continue;
    listed[branch->class[r]] = true;
    size_t at = count++;
    for (; at > 0 && pays[candidates[at - 1]] > pays[r]; at--)
      candidates[at] = candidates[at - 1];
    candidates[at] = r;
  }
  return count;
}

static void search(struct branch *branch, size_t depth, double paid) {
  size_t n = branch->problem->n;
  if (depth == n) {
    branch->least = paid;
    memcpy(branch->best, branch->ranks, n * sizeof *branch->best);
    return;
  }
  uint32_t candidates[RANK_ORDER_BRANCH_MAX];
  size_t position = branch->sequence[depth];
  const double *pays = branch->towards + (depth * n + position) * n;
  size_t count = list_candidates(branch, pays, candidates);
  for (size_t i = 0; i < count && branch->work < WORK_MAX; i++) {
    uint32_t r = candidates[i];
    branch->used[r] = true;
    branch->ranks[position] = r;
    double owed = step_down(branch, depth, position, r);
    if (paid + pays[r] + owed + branch->inner[depth + 1] < branch->least * (1 - RANK_ORDER_ROUNDING))
      search(branch, depth + 1, paid + pays[r]);
    branch->used[r] = false;
  }
}

enum rs_status rank_order_branch(const struct rank_order_problem *problem, uint32_t *ranks, bool *exact,
                                 struct rs_error *error) {
  size_t n = problem->n;
  struct branch *branch = rs_allocate(1, sizeof *branch, "the order of ranks", error);
  if (branch == NULL)
    return error->status;
  branch->problem = problem;
  branch->least = rank_order_cost(problem, ranks);
  memcpy(branch->best, ranks, n * sizeof *ranks);
  branch->towards = rs_allocate((n + 1) * n, n * sizeof *branch->towards, "the order of ranks", error);
  if (branch->towards == NULL)
    goto free_branch;
  find_classes(branch);
  find_sequence(branch);
  if (find_inner(branch, error) < 0)
    goto free_branch;
  search(branch, 0, 0);
  *exact = branch->work < WORK_MAX;
  memcpy(ranks, branch->best, n * sizeof *ranks);
free_branch:
  free(branch->towards);
  free(branch);
  return error->status;
}
