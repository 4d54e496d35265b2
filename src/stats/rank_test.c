// Mann & Whitney, "On a test of whether one of two random variables is stochastically larger than the other", Ann.
// Math. Stat. 18, 1947. Both sets are sorted and merged, so that values that are equal stand together and share their
// midrank.
#include "stats/normal.h"
#include "stats/rank_distribution.h"

#include <assert.h>
#include <math.h>
#include <string.h>

// What the test needs to know of the pooled values. u is doubled, so that ties keep it whole.
struct pool {
  size_t twice_u, twice_u_min, twice_u_max; // of the candidate: as it is, and at most apart
  double ties;                              // the sum of t^3 - t over groups of t equal values
  size_t ranks[RS_RANK_TOTAL_MAX];          // doubled midranks, where the test is exact
};

// Pairs of equal values, one on each side of the division after the `below` smallest of the pool, for the group that
// begins at `start`.
static size_t pairs_across(size_t start, size_t ties, size_t below) {
  return start < below && below < start + ties ? (below - start) * (start + ties - below) : 0;
}

static void merge(const double *a, size_t n, const double *b, size_t m, struct pool *pool) {
  size_t i = 0, j = 0, rank_sum = 0;
  bool exact = rs_rank_is_exact(n, m);
  pool->ties = 0;
  pool->twice_u_min = 0;
  pool->twice_u_max = 2 * n * m;
  while (i < n || j < m) {
    size_t start = i + j, first_b = j;
    double value = j == m || (i < n && a[i] < b[j]) ? a[i] : b[j];
    while (i < n && a[i] == value)
      i++;
    while (j < m && b[j] == value)
      j++;
    size_t ties = i + j - start, rank = 2 * start + ties + 1;
    rank_sum += (j - first_b) * rank;
    pool->ties += (double)ties * ((double)ties * (double)ties - 1);
    pool->twice_u_min += pairs_across(start, ties, m);
    pool->twice_u_max -= pairs_across(start, ties, n);
    for (size_t t = start; exact && t < start + ties; t++)
      pool->ranks[t] = rank;
  }
  pool->twice_u = rank_sum - m * (m + 1);
}

struct tails {
  double below, above; // P(2u <= v), P(2u >= v)
};

static struct tails exact_tails(const struct rs_rank_distribution *distribution, size_t v) {
  double less = v > 0 ? rs_rank_distribution_below(distribution, v - 1) : 0;
  return (struct tails){.below = rs_rank_distribution_below(distribution, v), .above = 1 - less};
}

// Continuity: half a step of u towards the mean.
static struct tails normal_tails(double n, double m, double ties, size_t v) {
  double total = n + m, deviation = sqrt(n * m / 12 * (total + 1 - ties / (total * (total - 1))));
  if (!(deviation > 0)) // all values are equal
    return (struct tails){1, 1};
  double distance = (double)v / 2 - n * m / 2;
  return (struct tails){.below = rs_normal_tail((-distance - 0.5) / deviation),
                        .above = rs_normal_tail((distance - 0.5) / deviation)};
}

static double two_sided(struct tails tails) {
  return fmin(1, 2 * fmin(tails.below, tails.above));
}

struct rs_rank_test rs_stats_rank_test(const struct rs_set_pair *pair, double *scratch) {
  size_t n = pair->baseline_count, m = pair->candidate_count;
  assert(n >= 1 && m >= 1);
  double *a = scratch, *b = scratch + n;
  memcpy(a, pair->baseline, n * sizeof(*a));
  memcpy(b, pair->candidate, m * sizeof(*b));
  rs_stats_sort(a, n);
  rs_stats_sort(b, m);
  struct pool pool;
  merge(a, n, b, m, &pool);

  bool exact = rs_rank_is_exact(n, m);
  const size_t at[] = {pool.twice_u, pool.twice_u_min, pool.twice_u_max};
  struct tails tails[RS_ARRAY_LENGTH(at)];
  struct rs_rank_distribution distribution;
  if (exact)
    rs_rank_distribution_count(pool.ranks, n + m, rs_min_size(n, m), &distribution);
  for (size_t i = 0; i < RS_ARRAY_LENGTH(at); i++) {
    // The distribution is that of the smaller set; the candidate's is its mirror image when it is the larger one.
    if (exact && m <= n)
      tails[i] = exact_tails(&distribution, at[i]);
    else if (exact) {
      struct tails mirrored = exact_tails(&distribution, distribution.top - at[i]);
      tails[i] = (struct tails){.below = mirrored.above, .above = mirrored.below};
    } else
      tails[i] = normal_tails((double)n, (double)m, pool.ties, at[i]);
  }
  return (struct rs_rank_test){.u = (double)pool.twice_u / 2,
                               .p_larger = tails[0].above,
                               .p_smaller = tails[0].below,
                               .p = two_sided(tails[0]),
                               .p_smallest = fmin(two_sided(tails[1]), two_sided(tails[2])),
                               .exact = exact};
}
