// Under the hypothesis every choice of `drawn` of the pooled values is as likely as any other, so the distribution of U
// is a count of subsets by the sum of their midranks, ties or not (the shift algorithm: Streitberg & Roehmel, "Exact
// distributions for permutation and rank tests", Statistical Software Newsletter 12, 1986). ways[k][v] counts the
// subsets of k values seen so far; one more value of doubled midrank r takes a subset of k - 1 values to k:
//
//     2u = (doubled rank sum) - k (k + 1),  so  ways[k][v + r - 2k] += ways[k - 1][v]
//
//     values 1 2 2, doubled midranks 2 5 5, draw 1:  u = 0, 1.5, 1.5  ->  1 way with 2u = 0, 2 ways with 2u = 3
//
// No count is above C(40, 20) = 1.4e11, so integers hold them exactly.
#include "stats/rank_distribution.h"

#include <assert.h>
#include <string.h>

// The smaller set has at most 20 of 40.
#define DRAWN_MAX 20

bool rs_rank_is_exact(size_t baseline_count, size_t candidate_count) {
  return baseline_count <= RS_RANK_TEST_EXACT / candidate_count;
}

void rs_rank_distribution_count(const size_t *ranks, size_t total, size_t drawn,
                                struct rs_rank_distribution *distribution) {
  assert(drawn <= DRAWN_MAX && drawn <= total - drawn && rs_rank_is_exact(drawn, total - drawn));
  uint64_t ways[DRAWN_MAX + 1][2 * RS_RANK_TEST_EXACT + 1];
  size_t top = 2 * drawn * (total - drawn);
  for (size_t k = 0; k <= drawn; k++)
    memset(ways[k], 0, (top + 1) * sizeof(ways[k][0]));
  ways[0][0] = 1;
  for (size_t i = 0; i < total; i++) {
    for (size_t k = rs_min_size(drawn, i + 1); k >= 1; k--) {
      // Among tied values r may be below 2k; u of a subset never is negative, so the sum is not either.
      for (size_t v = 0; v <= 2 * (k - 1) * (total - k + 1); v++) {
        if (ways[k - 1][v] > 0)
          ways[k][v + ranks[i] - 2 * k] += ways[k - 1][v];
      }
    }
  }
  distribution->top = top;
  distribution->all = 0;
  for (size_t v = 0; v <= top; v++) {
    distribution->ways[v] = ways[drawn][v];
    distribution->all += ways[drawn][v];
  }
}

double rs_rank_distribution_below(const struct rs_rank_distribution *distribution, size_t v) {
  uint64_t sum = 0;
  for (size_t i = 0; i <= v && i <= distribution->top; i++)
    sum += distribution->ways[i];
  return (double)sum / (double)distribution->all;
}
