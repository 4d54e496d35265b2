// What no order can beat.
//
// Moats (Juenger and Pulleyblank 1993, "Geometric duality and combinatorial optimization"). Ranks form clusters within
// clusters: at height h all that are linked by costs up to h are one. Lay a moat around every cluster, half as wide as
// the height grows before the cluster joins others. Two ranks that first meet at height h have moats of h together
// between them, and h is at most their cost. Every order must cross the moat of a cluster with at least as much traffic
// as the least cut of the traffic, and that of a single rank with all that its position sends and receives. So the
// crossings add up to a bound. Two zones of three ranks, cost 1 within and 10 between:
//
//   height  1 |  a──b──c           d──e──f    moats: 1/2 around each rank, (10 - 1)/2 around each zone.
//          10 |  └──────────┬─────────┘       A ring crosses each twice: 6 x 1 + 2 x 9 = 24 = 4 x 1 + 2 x 10.
//
// Where costs are classes of distance, rings reach it. For rings, a second bound first takes from every row, then from
// every column, its least cost, which every ring has to pay, and lays the moats into what is left; it is the better
// one where every measured link is a little different. For other traffic the second one is that of Gilmore (1962) and
// Lawler (1963): what position a must pay at rank r if it had the cheapest links of r to itself; every position has
// some rank, so the least of each row, and then of each column of what is left, is a bound.
#include "topology/rank_order.h"

#include <float.h>
#include <stdlib.h>

// A bound must hold in spite of rounding.
#define SAFE (1 - 1e-12)

static double nearer(size_t n, const double *cost, size_t r, size_t s) {
  return cost[r * n + s] < cost[s * n + r] ? cost[r * n + s] : cost[s * n + r];
}

// ---- clusters ---------------------------------------------------------------------------------------------

// Once Prim's order enters a cluster it stays until the end, as every way out is longer than those within. So the
// clusters at height h are the runs between joins above h.
enum rs_status rank_order_cluster(size_t n, const double *cost, uint32_t *ranks, double *join, struct rs_error *error) {
  double *near = rs_allocate(n, sizeof *near, "the order of ranks", error);
  if (near == NULL)
    return error->status;
  for (size_t i = 0; i < n; i++) {
    ranks[i] = (uint32_t)i;
    near[i] = i == 0 ? 0 : DBL_MAX;
  }
  for (size_t i = 0; i < n; i++) {
    size_t next = i;
    for (size_t k = i + 1; k < n; k++)
      if (near[ranks[k]] < near[ranks[next]] || (near[ranks[k]] == near[ranks[next]] && ranks[k] < ranks[next]))
        next = k;
    uint32_t rank = ranks[next];
    ranks[next] = ranks[i];
    ranks[i] = rank;
    if (join)
      join[i] = near[rank];
    for (size_t k = i + 1; k < n; k++) {
      double between = nearer(n, cost, rank, ranks[k]);
      near[ranks[k]] = between < near[ranks[k]] ? between : near[ranks[k]];
    }
  }
  free(near);
  return RS_OK;
}

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// How far the cluster that is joined at join[k] grows in height before it is part of a larger one; 0 for the whole, and
// for all but the first of several equal joins of one cluster.
static double growth(size_t n, const double *join, size_t k) {
  size_t before = k - 1, after = k + 1;
  while (before > 0 && join[before] < join[k])
    before--;
  while (after < n && join[after] <= join[k])
    after++;
  double left = before > 0 ? join[before] : DBL_MAX, right = after < n ? join[after] : DBL_MAX;
  double parent = left < right ? left : right;
  return parent == DBL_MAX ? 0 : parent - join[k];
}

// degree: of all positions, ascending; the widest moats of single ranks are crossed by the least traffic.
static enum rs_status moats(size_t n, const double *cost, const double *degree, double cut, double *bound,
                            struct rs_error *error) {
  double *join = rs_allocate(n, 2 * sizeof *join, "the order of ranks", error);
  uint32_t *ranks = rs_allocate(n, sizeof *ranks, "the order of ranks", error);
  if (join == NULL || ranks == NULL || rank_order_cluster(n, cost, ranks, join, error) < 0)
    goto free_arrays;
  double *single = join + n, sum = 0;
  for (size_t i = 0; i < n; i++) {
    double before = i > 0 ? join[i] : DBL_MAX, after = i + 1 < n ? join[i + 1] : DBL_MAX;
    single[i] = before < after ? before : after;
  }
  qsort(single, n, sizeof *single, compare_doubles);
  for (size_t i = 0; i < n; i++)
    sum += single[n - 1 - i] / 2 * degree[i];
  for (size_t k = 1; k < n; k++)
    sum += growth(n, join, k) / 2 * cut;
  *bound = sum * SAFE;
free_arrays:
  free(join);
  free(ranks);
  return error->status;
}

// Takes from every row, then from every column, its least entry, with or without the diagonal; returns their sum.
static double reduce(size_t n, double *matrix, bool diagonal) {
  double sum = 0;
  for (int columns = 0; columns < 2; columns++)
    for (size_t i = 0; i < n; i++) {
      size_t first = columns ? i : i * n, step = columns ? n : 1;
      double least = DBL_MAX;
      for (size_t k = 0; k < n; k++)
        if ((diagonal || k != i) && matrix[first + k * step] < least)
          least = matrix[first + k * step];
      for (size_t k = 0; k < n; k++)
        matrix[first + k * step] -= least;
      sum += least;
    }
  return sum;
}

static double larger(double a, double b) {
  return a > b ? a : b;
}

// ---- rings ------------------------------------------------------------------------------------------------

enum rs_status rank_order_bound_ring(size_t n, const double *cost, double *bound, struct rs_error *error) {
  *bound = 0;
  if (n < 2)
    return RS_OK;
  double *degree = rs_allocate(n, sizeof *degree, "the order of ranks", error);
  double *left = rs_allocate(n * n, sizeof *left, "the order of ranks", error);
  if (degree == NULL || left == NULL)
    goto free_arrays;
  for (size_t i = 0; i < n; i++)
    degree[i] = 2;
  for (size_t i = 0; i < n * n; i++)
    left[i] = cost[i];
  double plain = 0, rest = 0, taken = reduce(n, left, false);
  for (size_t i = 0; i < n * n; i++)
    left[i] = larger(left[i], 0);
  if (moats(n, cost, degree, 2, &plain, error) == RS_OK && moats(n, left, degree, 2, &rest, error) == RS_OK)
    *bound = larger(plain, (taken + rest) * SAFE);
free_arrays:
  free(degree);
  free(left);
  return error->status;
}

// ---- any traffic ------------------------------------------------------------------------------------------

// The least cut of the traffic, both directions together (Stoer and Wagner 1997): the position that is most tightly
// tied to those before comes next; what ties the last one to all others is a cut, and then it is merged into the one
// before it.
static double least_cut(size_t n, double *tie, double *tied, uint32_t *left) {
  double least = DBL_MAX;
  for (size_t i = 0; i < n; i++)
    left[i] = (uint32_t)i;
  for (size_t count = n; count > 1; count--) {
    for (size_t i = 0; i < count; i++)
      tied[left[i]] = 0;
    // left[0 .. i-1] are in order.
    for (size_t i = 0; i < count; i++) {
      size_t next = i;
      for (size_t k = i + 1; k < count; k++)
        if (tied[left[k]] > tied[left[next]])
          next = k;
      uint32_t position = left[next];
      left[next] = left[i];
      left[i] = position;
      for (size_t k = i + 1; k < count; k++)
        tied[left[k]] += tie[position * n + left[k]];
    }
    uint32_t last = left[count - 1], into = left[count - 2];
    least = tied[last] < least ? tied[last] : least;
    for (size_t i = 0; i < n; i++) {
      tie[into * n + i] += tie[last * n + i];
      tie[i * n + into] = tie[into * n + i];
    }
  }
  return least;
}

static enum rs_status moats_of_traffic(const struct rank_order_problem *problem, double *bound,
                                       struct rs_error *error) {
  size_t n = problem->n;
  double *tie = rs_allocate(n * n, sizeof *tie, "the order of ranks", error);
  double *degree = rs_allocate(n, 2 * sizeof *degree, "the order of ranks", error);
  uint32_t *left = rs_allocate(n, sizeof *left, "the order of ranks", error);
  if (tie == NULL || degree == NULL || left == NULL)
    goto free_arrays;
  for (size_t a = 0; a < n; a++)
    for (size_t b = 0; b < n; b++)
      if (a != b) {
        tie[a * n + b] = problem->weight[a * n + b] + problem->weight[b * n + a];
        degree[a] += tie[a * n + b];
      }
  double cut = least_cut(n, tie, degree + n, left);
  qsort(degree, n, sizeof *degree, compare_doubles);
  moats(n, problem->cost, degree, cut, bound, error);
free_arrays:
  free(tie);
  free(degree);
  free(left);
  return error->status;
}

// Off-diagonal entries of row (or column) i, ascending; returns how many of them are not 0.
static size_t sort_line(size_t n, const double *matrix, size_t i, bool column, double *line) {
  size_t count = 0, some = 0;
  for (size_t k = 0; k < n; k++)
    if (k != i) {
      line[count] = column ? matrix[k * n + i] : matrix[i * n + k];
      some += line[count++] != 0;
    }
  qsort(line, count, sizeof *line, compare_doubles);
  return some;
}

// needed[a][r] += half of what position a pays at rank r in one direction, with the dearest traffic on the cheapest
// links. Both halves together count every message once.
static void add_cheapest(const struct rank_order_problem *problem, bool column, double *lines, double *weights,
                         double *needed) {
  size_t n = problem->n;
  for (size_t r = 0; r < n; r++)
    sort_line(n, problem->cost, r, column, lines + r * n);
  for (size_t a = 0; a < n; a++) {
    size_t some = sort_line(n, problem->weight, a, column, weights);
    for (size_t r = 0; r < n; r++)
      for (size_t k = 0; k < some; k++)
        needed[a * n + r] += lines[r * n + k] * weights[n - 2 - k] / 2;
  }
}

static enum rs_status cheapest_links(const struct rank_order_problem *problem, double *bound, struct rs_error *error) {
  size_t n = problem->n;
  double *needed = rs_allocate(n * n, 2 * sizeof *needed, "the order of ranks", error);
  double *weights = rs_allocate(n, sizeof *weights, "the order of ranks", error);
  if (needed && weights) {
    add_cheapest(problem, false, needed + n * n, weights, needed);
    add_cheapest(problem, true, needed + n * n, weights, needed);
    *bound = reduce(n, needed, true) * SAFE;
  }
  free(needed);
  free(weights);
  return error->status;
}

enum rs_status rank_order_bound_any(const struct rank_order_problem *problem, double *bound, struct rs_error *error) {
  double by_moats = 0, by_links = 0;
  *bound = 0;
  if (problem->n < 2)
    return RS_OK;
  if (moats_of_traffic(problem, &by_moats, error) < 0 || cheapest_links(problem, &by_links, error) < 0)
    return error->status;
  *bound = larger(by_moats, by_links);
  return RS_OK;
}
