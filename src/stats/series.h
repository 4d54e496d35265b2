// series: how much a series of dependent values tells about its level, compared with one of independent values.
#ifndef RINGSIDE_STATS_SERIES_H
#define RINGSIDE_STATS_SERIES_H

#include <stddef.h>

// The variance of the mean is `inflation` times what independence would give; 1 when no dependence is seen, never less.
// It was estimated as if from `freedom` independent squares; INFINITY when nothing was estimated.
struct rs_dependence {
  double inflation, freedom;
};
// `centred` has mean 0; `means` says how many means were taken off to get there, each from a stretch of its own.
struct rs_dependence rs_series_dependence(const double *centred, size_t count, size_t means);

// The sum over t of x_t x_(t - lag).
double rs_series_autocovariance(const double *centred, size_t count, size_t lag);
// Signs against the median, ties counting for neither side, with their mean taken off.
void rs_series_signs(const double *values, size_t count, double median, double *signs);

// What a standard normal quantile z becomes when it is scaled by an estimate with that freedom: Student's quantile.
double rs_series_student(double z, double freedom);

#endif
