// rank_distribution: how the Mann-Whitney statistic falls when both sets come from one distribution.
#ifndef RINGSIDE_STATS_RANK_DISTRIBUTION_H
#define RINGSIDE_STATS_RANK_DISTRIBUTION_H

#include "ringside/stats.h"

// A product of counts has at most this sum: 1 + 400.
#define RS_RANK_TOTAL_MAX (RS_RANK_TEST_EXACT + 1)

// ways[v] of the `all` ways to draw a set have 2u = v.
struct rs_rank_distribution {
  uint64_t ways[2 * RS_RANK_TEST_EXACT + 1], all;
  size_t top; // the largest v that may occur: 2 x drawn x left
};
// `ranks` are the doubled midranks of `total` pooled values (2, 4, 6 .. without ties), of which `drawn` make the set;
// drawn <= total - drawn, drawn x (total - drawn) <= RS_RANK_TEST_EXACT.
void rs_rank_distribution_count(const size_t *ranks, size_t total, size_t drawn,
                                struct rs_rank_distribution *distribution);

// P(2u <= v).
double rs_rank_distribution_below(const struct rs_rank_distribution *distribution, size_t v);

bool rs_rank_is_exact(size_t baseline_count, size_t candidate_count);

#endif
