#include "ringside/stats.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

// Below these counts the quantile would be little more than the largest value.
#define P95_COUNT_MIN 20
#define P99_COUNT_MIN 100

static int compare_doubles(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

void rs_stats_sort(double *values, size_t count) {
  if (count > 1)
    qsort(values, count, sizeof(*values), compare_doubles);
}

double rs_stats_quantile(const double *sorted, size_t count, double q) {
  assert(count >= 1 && q >= 0 && q <= 1);
  double position = (double)(count - 1) * q;
  size_t below = (size_t)position;
  if (below >= count - 1)
    return sorted[count - 1];
  return sorted[below] + (position - (double)below) * (sorted[below + 1] - sorted[below]);
}

// P(B = floor(n/2)) for B ~ Binomial(n, 1/2). For n = 2m it is C(2m,m)/4^m = 1/2 * 3/4 * ... * (2m-1)/2m; for n = 2m-1
// it is the same number, since C(2m-1,m-1) is half of C(2m,m). Each factor is below 1, so nothing under- or overflows,
// and the error is that of n/2 roundings.
static double binomial_centre(size_t n) {
  double probability = 1;
  for (size_t i = 1; i <= n / 2 + n % 2; i++)
    probability *= (double)(2 * i - 1) / (double)(2 * i);
  return probability;
}

// The median lies between the l-th smallest and the l-th largest of n values exactly when l <= B <= n-l, where B counts
// the values below the median. Starting from the middle and adding the two terms l and n-l at each step, the first l
// whose mass reaches the level gives the narrowest symmetric interval. It takes about sqrt(n) steps, and the terms far
// out, which would underflow, are never needed.
struct rs_interval rs_stats_median_interval(const double *sorted, size_t count, double level) {
  assert(count >= 1);
  size_t rank = count / 2;
  double term = binomial_centre(count), mass = 0;
  while (rank >= 1) {
    mass += 2 * rank == count ? term : 2 * term;
    if (mass >= level || rank == 1)
      break;
    term *= (double)rank / (double)(count - rank + 1);
    rank--;
  }
  if (rank == 0) // a single value covers nothing
    rank = 1;
  return (struct rs_interval){.low = sorted[rank - 1], .high = sorted[count - rank], .reached = mass};
}

struct rs_summary rs_stats_summarise(double *values, size_t count) {
  if (count == 0)
    return (struct rs_summary){0, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
  rs_stats_sort(values, count);
  struct rs_interval interval = rs_stats_median_interval(values, count, RS_STATS_LEVEL);
  return (struct rs_summary){
      .count = count,
      .median = rs_stats_quantile(values, count, 0.5),
      .ci_low = interval.low,
      .ci_high = interval.high,
      .minimum = values[0],
      .maximum = values[count - 1],
      .p95 = count >= P95_COUNT_MIN ? rs_stats_quantile(values, count, 0.95) : NAN,
      .p99 = count >= P99_COUNT_MIN ? rs_stats_quantile(values, count, 0.99) : NAN,
  };
}

double rs_stats_geometric_mean(const double *values, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += log(values[i]);
  return count == 0 ? NAN : exp(sum / (double)count);
}

// Term by term from the first one, each from the one before, until what is left cannot matter any more. Below the mean
// the other tail is the shorter one.
double rs_stats_binomial_tail(size_t count, size_t at_least, double probability) {
  if (at_least == 0)
    return 1;
  if (at_least > count)
    return 0;
  double n = (double)count, k = (double)at_least;
  if (k < n * probability)
    return 1 - rs_stats_binomial_tail(count, count - at_least + 1, 1 - probability);
  double term =
      exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(probability) + (n - k) * log1p(-probability));
  double tail = term, odds = probability / (1 - probability);
  for (; k < n && term > tail * 1e-16; k++) {
    term *= (n - k) / (k + 1) * odds;
    tail += term;
  }
  return fmin(tail, 1);
}

// The lower limit is where P(B >= successes) = (1 - level) / 2; the upper one is 1 minus that of the failures.
static double binomial_lower(size_t count, size_t successes, double level) {
  double low = 0, high = successes == 0 ? 0 : 1;
  for (int i = 0; i < 60; i++) {
    double middle = (low + high) / 2;
    *(rs_stats_binomial_tail(count, successes, middle) < (1 - level) / 2 ? &low : &high) = middle;
  }
  return low;
}

struct rs_interval rs_stats_binomial_limits(size_t count, size_t successes, double level) {
  assert(count >= 1 && successes <= count);
  return (struct rs_interval){.low = binomial_lower(count, successes, level),
                              .high = 1 - binomial_lower(count, count - successes, level),
                              .reached = level};
}
