// The cheapest ring through all ranks, where the way back may cost something else than the way there.
//
// Up to EXACT_MAX ranks it is found exactly (Held, Karp 1962; Bellman 1962): the cheapest path that starts at rank 0,
// visits a set of ranks and ends at one of them follows from the sets with one rank less. Above, some rings are made by
// going to the nearest rank that is left, and by Prim's order, which keeps clusters together. Each is improved until
// neither of two moves helps, and the cheapest is taken:
//
//   reverse a run (2-opt, Croes 1958)            a [b c d] e  ─►  a d c b e
//   move one to three ranks elsewhere (Or 1976)  a [b c] d e  ─►  a d b c e
//
// Sums along the ring in both directions tell the cost of a reversed run at once.
#include "topology/rank_order.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_MAX 16
#define RUN_MAX 3
#define STARTS_MAX 16  // rings made from the nearest ranks, where ranks are few,
#define MANY 256       // and one where they are more than this
#define SWEEPS_MAX 200 // a bound on the time, far above what is needed

// ---- exact ------------------------------------------------------------------------------------------------

// Ranks 1 .. n-1 are bits 0 .. n-2 of a set; paths[set * m + last], m = n - 1.
static void extend_paths(size_t n, const double *cost, double *paths) {
  size_t m = n - 1;
  for (size_t set = 1; set < (size_t)1 << m; set++)
    for (size_t last = 0; last < m; last++) {
      size_t before = set & ~((size_t)1 << last);
      double least = before == 0 ? cost[last + 1] : DBL_MAX;
      if (before == set)
        continue;
      for (size_t k = 0; k < m; k++)
        if (before >> k & 1) {
          double sum = paths[before * m + k] + cost[(k + 1) * n + last + 1];
          least = sum < least ? sum : least;
        }
      paths[set * m + last] = least;
    }
}

// From the end of the ring back to rank 0: at each step the rank that ends the cheapest path.
static void walk_back(size_t n, const double *cost, const double *paths, uint32_t *ranks) {
  size_t m = n - 1, set = ((size_t)1 << m) - 1, after = 0;
  ranks[0] = 0;
  for (size_t i = m; i > 0; i--) {
    size_t best = m;
    double least = DBL_MAX;
    for (size_t k = 0; k < m; k++)
      if (set >> k & 1) {
        double sum = paths[set * m + k] + cost[(k + 1) * n + after];
        if (best == m || sum < least) {
          best = k;
          least = sum;
        }
      }
    ranks[i] = (uint32_t)(best + 1);
    after = best + 1;
    set &= ~((size_t)1 << best);
  }
}

static enum rs_status find_exact(size_t n, const double *cost, uint32_t *ranks, struct rs_error *error) {
  double *paths = rs_allocate(((size_t)1 << (n - 1)) * (n - 1), sizeof *paths, "the order of ranks", error);
  if (paths == NULL)
    return error->status;
  extend_paths(n, cost, paths);
  walk_back(n, cost, paths, ranks);
  free(paths);
  return RS_OK;
}

// ---- moves ------------------------------------------------------------------------------------------------

// A ring under improvement. ahead[i] is the cost of ranks[0] .. ranks[i], back[i] of the same ranks the other way.
struct ring {
  size_t n;
  const double *cost;
  uint32_t *ranks;
  double *ahead, *back;
};

static double between(const struct ring *ring, size_t from, size_t to) {
  return ring->cost[ring->ranks[from % ring->n] * ring->n + ring->ranks[to % ring->n]];
}

static void sum_up(struct ring *ring) {
  for (size_t i = 1; i < ring->n; i++) {
    ring->ahead[i] = ring->ahead[i - 1] + between(ring, i - 1, i);
    ring->back[i] = ring->back[i - 1] + between(ring, i, i - 1);
  }
}

static double total(const struct ring *ring) {
  return ring->ahead[ring->n - 1] + between(ring, ring->n - 1, 0);
}

static void reverse(uint32_t *ranks, size_t first, size_t last) {
  for (; first < last; first++, last--) {
    uint32_t rank = ranks[first];
    ranks[first] = ranks[last];
    ranks[last] = rank;
  }
}

// Reverses first .. last if that gains more than rounding.
static bool try_reverse(struct ring *ring, size_t first, size_t last, double least_gain) {
  double run = ring->ahead[last] - ring->ahead[first], turned = ring->back[last] - ring->back[first];
  double old = between(ring, first - 1, first) + run + between(ring, last, last + 1);
  double new = between(ring, first - 1, last) + turned + between(ring, first, last + 1);
  if (!(new < old - least_gain))
    return false;
  reverse(ring->ranks, first, last);
  sum_up(ring);
  return true;
}

// Moves first .. last behind position `behind`, which is not among them nor just before them.
static bool try_move(struct ring *ring, size_t first, size_t last, size_t behind, double least_gain) {
  double old = between(ring, first - 1, first) + between(ring, last, last + 1) + between(ring, behind, behind + 1);
  double new = between(ring, first - 1, last + 1) + between(ring, behind, first) + between(ring, last, behind + 1);
  if (!(new < old - least_gain))
    return false;
  uint32_t run[RUN_MAX];
  size_t count = last - first + 1;
  memcpy(run, ring->ranks + first, count * sizeof *run);
  if (behind > last) {
    memmove(ring->ranks + first, ring->ranks + last + 1, (behind - last) * sizeof *run);
    memcpy(ring->ranks + behind + 1 - count, run, count * sizeof *run);
  } else {
    memmove(ring->ranks + behind + 1 + count, ring->ranks + behind + 1, (first - behind - 1) * sizeof *run);
    memcpy(ring->ranks + behind + 1, run, count * sizeof *run);
  }
  sum_up(ring);
  return true;
}

// Position 0 stays where it is, which loses nothing: a ring has no beginning.
static bool sweep(struct ring *ring, double least_gain) {
  size_t n = ring->n;
  bool better = false;
  for (size_t first = 1; first < n; first++)
    for (size_t last = first + 1; last < n; last++)
      better |= try_reverse(ring, first, last, least_gain);
  for (size_t count = 1; count <= RUN_MAX; count++)
    for (size_t first = 1; first + count <= n; first++)
      for (size_t behind = 0; behind < n; behind++)
        if (behind + 1 < first || behind >= first + count)
          better |= try_move(ring, first, first + count - 1, behind, least_gain);
  return better;
}

static double improve(struct ring *ring) {
  sum_up(ring);
  double least_gain = total(ring) * RANK_ORDER_ROUNDING;
  for (size_t i = 0; i < SWEEPS_MAX && sweep(ring, least_gain); i++)
    ;
  return total(ring);
}

// ---- starts -----------------------------------------------------------------------------------------------

// From `start` on always to the nearest rank that is left, the lowest of equals.
static void go_nearest(size_t n, const double *cost, uint32_t start, uint32_t *ranks) {
  for (uint32_t i = 0; i < n; i++)
    ranks[i] = i;
  ranks[0] = start;
  ranks[start] = 0;
  for (size_t i = 1; i < n; i++) {
    const double *row = cost + ranks[i - 1] * n;
    size_t next = i;
    for (size_t k = i + 1; k < n; k++)
      if (row[ranks[k]] < row[ranks[next]] || (row[ranks[k]] == row[ranks[next]] && ranks[k] < ranks[next]))
        next = k;
    uint32_t rank = ranks[next];
    ranks[next] = ranks[i];
    ranks[i] = rank;
  }
}

// The start after the given order and Prim's: number 0, 1, ...
static size_t nearest_starts(size_t n) {
  return n > MANY ? 1 : rs_min_size(n, STARTS_MAX);
}

static enum rs_status find_good(size_t n, const double *cost, double bound, uint32_t *ranks, bool *exact,
                                struct rs_error *error) {
  uint32_t *tried = rs_allocate(n, sizeof *tried, "the order of ranks", error);
  double *sums = rs_allocate(n, 2 * sizeof *sums, "the order of ranks", error);
  size_t starts = nearest_starts(n);
  if (tried == NULL || sums == NULL || rank_order_cluster(n, cost, tried, NULL, error) < 0)
    goto free_arrays;
  struct ring ring = {.n = n, .cost = cost, .ranks = ranks, .ahead = sums, .back = sums + n};
  sum_up(&ring);
  double enough = bound * (1 + RANK_ORDER_ROUNDING), best = total(&ring);
  ring.ranks = tried;
  for (size_t s = 0; s <= starts && best > enough; s++) {
    if (s > 0)
      go_nearest(n, cost, (uint32_t)((s - 1) * n / starts), tried);
    double sum = improve(&ring);
    if (sum < best * (1 - RANK_ORDER_ROUNDING)) {
      best = sum;
      memcpy(ranks, tried, n * sizeof *ranks);
    }
  }
  *exact = best <= enough;
free_arrays:
  free(tried);
  free(sums);
  return error->status;
}

enum rs_status rank_order_ring(size_t n, const double *cost, double bound, uint32_t *ranks, bool *exact,
                               struct rs_error *error) {
  *exact = true;
  if (n < 3) // all rings of two ranks are one
    return RS_OK;
  return n <= EXACT_MAX ? find_exact(n, cost, ranks, error) : find_good(n, cost, bound, ranks, exact, error);
}
