// The shift of Hodges & Lehmann ("Estimates of location based on rank tests", Ann. Math. Stat. 34, 1963). With n and m
// values there are nm differences; the rank test rejects a shift d exactly when too few of them lie on one side of d,
// so the d that it keeps are those between the k-th smallest and the k-th largest difference:
//
//     P(U <= k - 1) <= (1 - level) / 2,  k as large as can be       n = m = 4, 95%:  P(U = 0) = 1/70,  k = 1 of 16
//
// The differences are never written down: with both sets sorted, those at most d are counted in one pass, and bisection
// over the representable numbers finds the k-th smallest in at most 64 passes.
#include "stats/normal.h"
#include "stats/rank_distribution.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct sorted_pair {
  const double *a, *b;
  size_t n, m;
};

// How many differences b - a are at most `limit`. As a grows they fall, so the end among b only moves up; rounding
// keeps that order.
static size_t count_at_most(const struct sorted_pair *pair, double limit) {
  size_t count = 0;
  for (size_t i = 0, j = 0; i < pair->n; i++) {
    while (j < pair->m && pair->b[j] - pair->a[i] <= limit)
      j++;
    count += j;
  }
  return count;
}

// Finite doubles in their order, as integers: IEEE 754 has them in that order but for the sign.
static int64_t order_of(double value) {
  int64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits >= 0 ? bits : INT64_MIN - bits;
}

static double at_order(int64_t order) {
  double value;
  int64_t bits = order >= 0 ? order : INT64_MIN - order;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

// The k-th smallest difference, 1 <= k <= nm: the first number that k differences do not exceed.
static double select_difference(const struct sorted_pair *pair, size_t k) {
  int64_t low = order_of(pair->b[0] - pair->a[pair->n - 1]), high = order_of(pair->b[pair->m - 1] - pair->a[0]);
  while (low < high) {
    // Half of the distance, which itself may pass INT64_MAX.
    int64_t middle = low + (int64_t)(((uint64_t)high - (uint64_t)low) / 2);
    if (count_at_most(pair, at_order(middle)) >= k)
      high = middle;
    else
      low = middle + 1;
  }
  return at_order(low);
}

// How many differences the interval leaves out at either end, and what it then covers. The bound has room for the
// rounding of 1 - level.
static size_t exact_depth(size_t n, size_t m, double level, double *reached) {
  size_t ranks[RS_RANK_TOTAL_MAX], depth = 0;
  struct rs_rank_distribution distribution;
  for (size_t i = 0; i < n + m; i++)
    ranks[i] = 2 * (i + 1);
  rs_rank_distribution_count(ranks, n + m, rs_min_size(n, m), &distribution);
  uint64_t below = distribution.ways[0];
  double bound = (1 - level) / 2 * (1 + 1e-9) * (double)distribution.all;
  while (2 * (depth + 1) < n * m && (double)(below + distribution.ways[2 * (depth + 1)]) <= bound)
    below += distribution.ways[2 * ++depth];
  *reached = 1 - 2 * (double)below / (double)distribution.all;
  return depth;
}

static size_t normal_depth(size_t n, size_t m, double level, double *reached) {
  double pairs = (double)n * (double)m, deviation = sqrt(pairs * (double)(n + m + 1) / 12);
  double depth = floor((pairs - 1) / 2 - rs_normal_quantile(level) * deviation);
  depth = fmax(depth, 0);
  *reached = 1 - 2 * rs_normal_tail(((pairs - 1) / 2 - depth) / deviation);
  return (size_t)depth;
}

static struct rs_shift shift_of_sorted(const struct sorted_pair *pair, double level) {
  size_t pairs = pair->n * pair->m;
  struct rs_shift shift;
  size_t depth = rs_rank_is_exact(pair->n, pair->m) ? exact_depth(pair->n, pair->m, level, &shift.interval.reached)
                                                    : normal_depth(pair->n, pair->m, level, &shift.interval.reached);
  double lower = select_difference(pair, (pairs + 1) / 2);
  shift.estimate = pairs % 2 == 1 ? lower : (lower + select_difference(pair, pairs / 2 + 1)) / 2;
  shift.interval.low = select_difference(pair, depth + 1);
  shift.interval.high = select_difference(pair, pairs - depth);
  return shift;
}

static struct rs_shift shift_of_mapped(const struct rs_set_pair *pair, double level, bool logarithms, double *scratch) {
  size_t n = pair->baseline_count, m = pair->candidate_count;
  assert(n >= 1 && m >= 1);
  double *a = scratch, *b = scratch + n;
  for (size_t i = 0; i < n; i++)
    a[i] = logarithms ? log(pair->baseline[i]) : pair->baseline[i];
  for (size_t i = 0; i < m; i++)
    b[i] = logarithms ? log(pair->candidate[i]) : pair->candidate[i];
  rs_stats_sort(a, n);
  rs_stats_sort(b, m);
  return shift_of_sorted(&(struct sorted_pair){a, b, n, m}, level);
}

struct rs_shift rs_stats_shift(const struct rs_set_pair *pair, double level, double *scratch) {
  return shift_of_mapped(pair, level, false, scratch);
}

struct rs_shift rs_stats_ratio(const struct rs_set_pair *pair, double level, double *scratch) {
  struct rs_shift shift = shift_of_mapped(pair, level, true, scratch);
  return (struct rs_shift){
      .estimate = exp(shift.estimate),
      .interval = {exp(shift.interval.low), exp(shift.interval.high), shift.interval.reached},
  };
}
