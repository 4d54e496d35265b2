// Series with a known level, for the tests of stats: independent, bimodal, autoregressive. All times are positive and
// have the median 1 unless it says otherwise.
#ifndef RINGSIDE_TEST_STATS_SERIES_H
#define RINGSIDE_TEST_STATS_SERIES_H

#include "ringside/base.h"

#include <math.h>

#define SERIES_MAX 1000

// In (0, 1).
static inline double draw_uniform(struct rs_random *random) {
  return ((double)(rs_random_next(random) >> 11) + 0.5) * 0x1p-53;
}

// Box & Muller 1958.
static inline double draw_normal(struct rs_random *random) {
  double radius = sqrt(-2 * log(draw_uniform(random)));
  return radius * cos(2 * M_PI * draw_uniform(random));
}

// exp(sigma y) with y a stationary Gaussian AR(1) of variance 1; phi = 0 is independent. Skewed to the right like
// times.
static inline void draw_autoregressive(struct rs_random *random, double phi, double sigma, double *values,
                                       size_t count) {
  double y = draw_normal(random), shock = sqrt(1 - phi * phi);
  for (size_t i = 0; i < count; i++) {
    values[i] = exp(sigma * y);
    y = phi * y + shock * draw_normal(random);
  }
}

// Around 1 with the probability given, else around 2. At 0.5 the median is anything between the modes.
static inline void draw_bimodal(struct rs_random *random, double low, double *values, size_t count) {
  for (size_t i = 0; i < count; i++)
    values[i] = draw_uniform(random) < low ? 1 + 0.05 * draw_normal(random) : 2 + 0.1 * draw_normal(random);
}

#endif
