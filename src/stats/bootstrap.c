// The stationary bootstrap: resamples of a series that keep the dependence between neighbours, since they are made of
// stretches of the series as it stands.
//
//     series 0 1 2 3 4 5 6 7, mean block 3:  | 5 6 7 0 | 2 3 | 6 7 |  is a resample
#include "ringside/stats.h"
#include "stats/series.h"

#include <assert.h>
#include <math.h>

// In [0, 1).
static double uniform(struct rs_random *random) {
  return (double)(rs_random_next(random) >> 11) * 0x1p-53;
}

// The last lag before a stretch of lags, five or more, whose autocorrelations all look like those of independent
// values.
static size_t last_lag(const double *centred, size_t count, double variance, size_t *stretch) {
  double n = (double)count, bound = 2 * sqrt(log10(n) / n);
  size_t lag_max = (size_t)ceil(sqrt(n)), last = 0;
  *stretch = (size_t)fmax(5, ceil(sqrt(log10(n))));
  for (size_t lag = 1; lag < count && lag <= rs_min_size(last, lag_max) + *stretch; lag++) {
    if (fabs(rs_series_autocovariance(centred, count, lag)) >= bound * variance)
      last = lag;
  }
  return last;
}

// `centred` has mean 0. With autocovariances R(k) and weights w(k) that are 1 up to the last lag that matters and fall
// to 0 at twice that, G = sum w |k| R and g = sum w R, both over positive and negative lags, the best mean block length
// is (2 G^2 / D)^(1/3) n^(1/3), where D = 2 g^2. For an AR(1) it is (2 phi / (1 - phi^2))^(2/3) n^(1/3).
static double block_length(const double *centred, size_t count) {
  double variance = rs_series_autocovariance(centred, count, 0), n = (double)count;
  if (count < 2 || !(variance > 0))
    return 1;
  size_t stretch, last = rs_max_size(last_lag(centred, count, variance, &stretch), 1);
  size_t end = rs_min_size(rs_min_size(2 * last, (size_t)ceil(sqrt(n)) + stretch), count - 1);
  double weighted = 0, sum = variance;
  for (size_t k = 1; k <= end; k++) {
    double weight = fmin(1, 2 * (1 - (double)k / (double)end));
    double covariance = weight * rs_series_autocovariance(centred, count, k);
    weighted += 2 * (double)k * covariance;
    sum += 2 * covariance;
  }
  double most = ceil(fmin(3 * sqrt(n), n / 3));
  double best = cbrt(weighted * weighted / (sum * sum) * n);
  return isnan(best) ? 1 : fmax(1, fmin(best, most));
}

double rs_stats_block_length(const double *in_time_order, double *scratch, size_t count) {
  assert(count >= 1);
  double sum = 0;
  for (size_t t = 0; t < count; t++)
    sum += in_time_order[t];
  for (size_t t = 0; t < count; t++)
    scratch[t] = in_time_order[t] - sum / (double)count;
  return block_length(scratch, count);
}

void rs_stats_resample(const double *in_time_order, size_t count, double block, struct rs_random *random,
                       double *resample) {
  assert(count >= 1 && block >= 1);
  size_t from = 0;
  for (size_t t = 0; t < count; t++) {
    bool begin = t == 0 || uniform(random) * block < 1;
    from = begin ? (size_t)rs_random_below(random, count) : from + 1 == count ? 0 : from + 1;
    resample[t] = in_time_order[from];
  }
}

// Hoare's FIND (Algorithm 65, Comm. ACM 4, 1961): afterwards values[k] is where sorting would put it, with nothing
// larger before it and nothing smaller behind.
static double select_value(double *values, size_t count, size_t k) {
  size_t begin = 0, end = count;
  while (begin + 1 < end) {
    double pivot = values[k];
    size_t i = begin, j = end; // nothing larger before i, nothing smaller from j on
    do {
      while (values[i] < pivot)
        i++;
      while (pivot < values[j - 1])
        j--;
      if (i < j) {
        double swap = values[i];
        values[i++] = values[--j];
        values[j] = swap;
      }
    } while (i < j);
    if (j <= k)
      begin = i;
    if (k < i)
      end = j;
  }
  return values[k];
}

// Reorders the values.
static double median_of(double *values, size_t count) {
  double upper = select_value(values, count, count / 2);
  if (count % 2 == 1)
    return upper;
  double lower = values[0];
  for (size_t i = 1; i < count / 2; i++)
    lower = fmax(lower, values[i]);
  return (lower + upper) / 2;
}

// The sample median errs as the share of values below the true one does, so its block length is that of the signs.
static double median_block(const double *in_time_order, size_t count, double *scratch) {
  double *signs = scratch + count;
  for (size_t t = 0; t < count; t++)
    scratch[t] = in_time_order[t];
  rs_series_signs(in_time_order, count, median_of(scratch, count), signs);
  return block_length(signs, count);
}

struct rs_interval rs_stats_median_ratio_interval(const struct rs_series_pair *pair, size_t repeats, double level,
                                                  struct rs_random *random, double *scratch) {
  assert(pair->first_count >= 1 && pair->second_count >= 1 && repeats >= 1);
  double *ratios = scratch + 2 * rs_max_size(pair->first_count, pair->second_count);
  double first_block = median_block(pair->first, pair->first_count, scratch);
  double second_block = median_block(pair->second, pair->second_count, scratch);
  for (size_t r = 0; r < repeats; r++) {
    rs_stats_resample(pair->first, pair->first_count, first_block, random, scratch);
    double first = median_of(scratch, pair->first_count);
    rs_stats_resample(pair->second, pair->second_count, second_block, random, scratch);
    ratios[r] = median_of(scratch, pair->second_count) / first;
  }
  rs_stats_sort(ratios, repeats);
  return (struct rs_interval){.low = rs_stats_quantile(ratios, repeats, (1 - level) / 2),
                              .high = rs_stats_quantile(ratios, repeats, (1 + level) / 2),
                              .reached = level};
}
