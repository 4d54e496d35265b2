// stats: quantiles, intervals and change points of samples. Pure functions; inputs are not changed unless the name says
// sort.
#ifndef RINGSIDE_STATS_H
#define RINGSIDE_STATS_H

#include "ringside/base.h"

// The level of every interval in a summary.
#define RS_STATS_LEVEL 0.95

// ---- values without an order ------------------------------------------------------------------------------

// Sorts rising, in place. NaN is not allowed.
void rs_stats_sort(double *values, size_t count);
// Quantile q in 0..1 of sorted values, linear between order statistics (Hyndman & Fan type 7). count >= 1.
double rs_stats_quantile(const double *sorted, size_t count, double q);

// A confidence interval of the median by order statistics (binomial, no assumption on the distribution; Hahn & Meeker,
// "Statistical Intervals", ch. 5). The coverage reached is at least `level` when count allows it; below that the
// interval is the full range and `reached` says what it covers. The values must be independent. count >= 1.
struct rs_interval {
  double low, high, reached;
};
struct rs_interval rs_stats_median_interval(const double *sorted, size_t count, double level);

struct rs_summary {
  size_t count;
  double median, ci_low, ci_high, minimum, maximum, p95, p99; // p99 is NaN below 100 values, p95 below 20
};
// Sorts `values` in place and summarises. count 0 gives all NaN. The values must be
// independent.
struct rs_summary rs_stats_summarise(double *values, size_t count);

// Geometric mean of positive values; NaN when count is 0.
double rs_stats_geometric_mean(const double *values, size_t count);

// P(B >= at_least) for B ~ Binomial(count, probability), 0 < probability < 1.
double rs_stats_binomial_tail(size_t count, size_t at_least, double probability);

// ---- values in the order of time, which may depend on their neighbours ------------------------------------
// `scratch` is room for 2 x count values; what it holds afterwards means nothing unless it says so.

// An interval of the median that holds for dependent values too: the ranks of the interval for independent ones, moved
// apart as far as the dependence seen between neighbours asks for (src/stats/series.c has the method and its sources).
// Never narrower than the interval of as many independent values at that level, the ends being interpolated between
// order statistics. Where the values tell too little it is the full range, and `reached` says what that covers.
// count >= 1. O(n log n + n x lags), the lags ending where the dependence does.
struct rs_interval rs_stats_median_interval_series(const double *in_time_order, double *scratch, size_t count,
                                                   double level);
// Like rs_stats_summarise, with that interval. The first `count` values of scratch are then the sorted ones.
struct rs_summary rs_stats_summarise_series(const double *in_time_order, double *scratch, size_t count);

// How many independent values the mean of these is worth: between 1 and count.
double rs_stats_effective_count(const double *in_time_order, double *scratch, size_t count);

// How many leading values belong to another level than the rest, in either direction: 0 when there are none, never more
// than half of them. At most one stationary series in twenty gives more than 0.
size_t rs_stats_warm_up(const double *in_time_order, double *scratch, size_t count);
// True when the level changes once within the series; *where is the first value of the new level (written only then).
// At most one stationary series in twenty gives true. Says nothing on the size of the change: compare the medians.
bool rs_stats_level_shift(const double *in_time_order, double *scratch, size_t count, size_t *where);

#endif
