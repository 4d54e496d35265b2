// stats: quantiles and intervals of samples. Pure functions; inputs are not changed unless the name says sort.
#ifndef RINGSIDE_STATS_H
#define RINGSIDE_STATS_H

#include "ringside/base.h"

// Sorts rising, in place. NaN is not allowed.
void rs_stats_sort(double *values, size_t count);
// Quantile q in 0..1 of sorted values, linear between order statistics (Hyndman & Fan type 7). count >= 1.
double rs_stats_quantile(const double *sorted, size_t count, double q);

// A confidence interval of the median by order statistics (binomial, no assumption on the distribution; Hahn & Meeker,
// "Statistical Intervals", ch. 5). The coverage reached is at least `level` when count allows it; below that the
// interval is the full range and `reached` says what it covers. count >= 1.
struct rs_interval {
  double low, high, reached;
};
struct rs_interval rs_stats_median_interval(const double *sorted, size_t count, double level);

struct rs_summary {
  size_t count;
  double median, ci_low, ci_high, minimum, maximum, p95, p99; // p99 is NaN below 100 values, p95 below 20
};
// Sorts `values` in place and summarises; level of the interval 0.95. count 0 gives all NaN.
struct rs_summary rs_stats_summarise(double *values, size_t count);

// Geometric mean of positive values; NaN when count is 0.
double rs_stats_geometric_mean(const double *values, size_t count);

#endif
