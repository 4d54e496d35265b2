// normal: the standard normal distribution.
#ifndef RINGSIDE_STATS_NORMAL_H
#define RINGSIDE_STATS_NORMAL_H

// P(Z > z).
double rs_normal_tail(double z);
// The z with P(|Z| <= z) = level, 0 <= level < 1.
double rs_normal_quantile(double level);

#endif
