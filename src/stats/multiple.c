#include "ringside/stats.h"

#include <math.h>
#include <string.h>

static size_t first_not_below(const double *sorted, size_t count, double value) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (sorted[middle] < value)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

// The i-th smallest of m p values is multiplied by m - i + 1, and never falls below the one before. Equal p values
// share the first one's place.
//
//     p         0.005  0.01   0.03  0.04
//     times         4     3      2     1
//     adjusted  0.020  0.03   0.06  0.06
void rs_stats_holm(const double *p, double *adjusted, double *scratch, size_t count) {
  double *sorted = scratch, *steps = scratch + count, largest = 0;
  if (count > 0)
    memcpy(sorted, p, count * sizeof(*sorted));
  rs_stats_sort(sorted, count);
  for (size_t i = 0; i < count; i++) {
    largest = fmax(largest, fmin(1, sorted[i] * (double)(count - i)));
    steps[i] = largest;
  }
  for (size_t i = 0; i < count; i++)
    adjusted[i] = steps[first_not_below(sorted, count, p[i])];
}
