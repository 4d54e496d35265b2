// The interval of the median of a series. Iterations of one case are no independent draws: a busy neighbour or a queue
// that drains outlasts an iteration, and then an interval for independent values is too narrow.
//
// How far the sample median is off depends on how often values fall below the true median, hence on the signs
// s_t = sign(x_t - median). In a stationary series the variance of their sum is n (g_0 + 2 g_1 + 2 g_2 + ...), where
// g_k is the autocovariance at lag k; independent values have n g_0. The ratio of both is the inflation v, and the
// interval takes the ranks (n + 1)/2 -+ z/2 sqrt(n v), interpolating between order statistics (Hettmansperger &
// Sheather 1986; Nyblom 1992).
//
//   - Where to end the sum over lags: Geyer's initial monotone sequence (Geyer, "Practical Markov chain Monte Carlo",
//     Statistical Science 7, 1992): sums of neighbouring pairs of autocorrelations fall and stay positive in theory, so
//     the estimate ends at the first pair that is not, and no pair counts for more than the one before.
//   - The median is estimated from the same values, which takes about v/n from every autocorrelation; with the lags
//     -m..m summed, L = 2m + 1 of them, dividing by 1 - L/n gives it back.
//   - A sum over so many lags is about as good as n/L - 1 squares of independent values, so z becomes Student's
//     quantile of that freedom (as in Lazarus, Lewis, Stock & Watson, "HAR inference: recommendations for practice",
//     JBES 36, 2018).
//   - For independent values v is not exactly 1: 2 sqrt(m/n) is its standard error (Bartlett 1946). An excess below
//     that is taken for noise, or else every interval would be too wide.
// tests/unit/test_stats_coverage.c counts how often the result holds the true median.
#include "stats/series.h"
#include "ringside/stats.h"
#include "stats/normal.h"

#include <assert.h>
#include <math.h>
#include <string.h>

double rs_series_autocovariance(const double *centred, size_t count, size_t lag) {
  double sum = 0;
  for (size_t t = lag; t < count; t++)
    sum += centred[t] * centred[t - lag];
  return sum;
}

struct rs_dependence rs_series_dependence(const double *centred, size_t count, size_t means) {
  const struct rs_dependence none = {.inflation = 1, .freedom = INFINITY};
  double variance = rs_series_autocovariance(centred, count, 0), pairs = 0, smallest = INFINITY;
  if (variance <= 0)
    return none;
  size_t lag = 0;
  for (; lag + 1 < count / 4; lag += 2) {
    double pair =
        (rs_series_autocovariance(centred, count, lag) + rs_series_autocovariance(centred, count, lag + 1)) / variance;
    if (pair <= 0)
      break;
    smallest = fmin(smallest, pair);
    pairs += smallest;
  }
  if (lag == 0)
    return none;
  double n = (double)count, last = (double)(lag - 1), lags = 2 * last + 1;
  double inflation = (2 * pairs - 1) / fmax(1 - (double)means * lags / n, 1 / n);
  if (inflation - 1 < 2 * sqrt(last / n))
    return none;
  return (struct rs_dependence){.inflation = inflation, .freedom = fmax(n / lags - (double)means, 1)};
}

// Wallace, "Bounds on normal approximations to Student's and the chi-square distributions", Ann. Math. Stat. 30, 1959,
// solved for t: at 95% within 1% from 4 degrees of freedom on, and too large below.
double rs_series_student(double z, double freedom) {
  if (isinf(freedom))
    return z;
  double u = z * (8 * freedom + 3) / (8 * freedom + 1);
  return sqrt(freedom * expm1(u * u / freedom));
}

double rs_stats_effective_count(const double *in_time_order, double *scratch, size_t count) {
  double sum = 0;
  for (size_t t = 0; t < count; t++)
    sum += in_time_order[t];
  for (size_t t = 0; t < count; t++)
    scratch[t] = in_time_order[t] - sum / (double)count;
  return fmax((double)count / rs_series_dependence(scratch, count, 1).inflation, 1);
}

// Their sum is 0 up to ties before the mean is taken off.
void rs_series_signs(const double *values, size_t count, double median, double *signs) {
  double sum = 0;
  for (size_t t = 0; t < count; t++) {
    signs[t] = (values[t] > median) - (values[t] < median);
    sum += signs[t];
  }
  for (size_t t = 0; t < count; t++)
    signs[t] -= sum / (double)count;
}

// With the sorted values in the first half of scratch.
static struct rs_interval interval_of_sorted(const double *in_time_order, double *scratch, size_t count, double level) {
  double *sorted = scratch, *signs = scratch + count, n = (double)count;
  rs_series_signs(in_time_order, count, rs_stats_quantile(sorted, count, 0.5), signs);
  struct rs_dependence dependence = rs_series_dependence(signs, count, 1);
  double z = rs_series_student(rs_normal_quantile(level), dependence.freedom);
  double depth = (n - 1) / 2 - z / 2 * sqrt(n * dependence.inflation); // counted from the ends, 0 is the outermost
  if (depth > 0)
    return (struct rs_interval){.low = rs_stats_quantile(sorted, count, depth / (n - 1)),
                                .high = rs_stats_quantile(sorted, count, 1 - depth / (n - 1)),
                                .reached = level};
  // The full range misses the median when all of the n/v values that it is worth are on one side.
  double reached = 1 - exp2(1 - n / dependence.inflation);
  return (struct rs_interval){sorted[0], sorted[count - 1], fmax(0, fmin(reached, level))};
}

struct rs_interval rs_stats_median_interval_series(const double *in_time_order, double *scratch, size_t count,
                                                   double level) {
  assert(count >= 1);
  memcpy(scratch, in_time_order, count * sizeof(*scratch));
  rs_stats_sort(scratch, count);
  return interval_of_sorted(in_time_order, scratch, count, level);
}

struct rs_summary rs_stats_summarise_series(const double *in_time_order, double *scratch, size_t count) {
  if (count > 0)
    memcpy(scratch, in_time_order, count * sizeof(*scratch));
  struct rs_summary summary = rs_stats_summarise(scratch, count);
  if (count > 0) {
    struct rs_interval interval = interval_of_sorted(in_time_order, scratch, count, RS_STATS_LEVEL);
    summary.ci_low = interval.low;
    summary.ci_high = interval.high;
  }
  return summary;
}
