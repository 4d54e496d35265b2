// The order of launches in time. A slow drift, a machine that warms up or a neighbour that comes and goes, is a
// difference between the sets when one was measured after the other; interleaved (A B B A) it is noise in both.
//
// Drift: Kendall's S within each set, concordant minus discordant pairs of value and time, summed over both (Hirsch,
// Slack & Smith, "Techniques of trend analysis for monthly water quality data", Water Resources Research 18, 1982,
// whose seasons are our sets), so that a difference between the sets is no drift.
#include "ringside/stats.h"
#include "stats/normal.h"

#include <math.h>

// Beyond it, and with ties, S is taken as normal.
#define EXACT_COUNT_MAX 20
#define WARNING_LEVEL 0.05

struct kendall {
  double s, pairs, variance;
  bool ties;
};

static int sign(double difference) {
  return (difference > 0) - (difference < 0);
}

// Sums over groups of t equal values: of t(t-1)(2t+5), t(t-1)(t-2) and t(t-1), each value bringing its share.
struct tie_sums {
  double variance, triples, pairs;
};
static struct tie_sums sum_ties(const double *values, size_t count) {
  struct tie_sums sums = {0, 0, 0};
  for (size_t i = 0; i < count; i++) {
    double t = 0;
    for (size_t j = 0; j < count; j++)
      t += values[j] == values[i];
    sums.variance += (t - 1) * (2 * t + 5);
    sums.triples += (t - 1) * (t - 2);
    sums.pairs += t - 1;
  }
  return sums;
}

// The variance with ties in both: Kendall, "Rank correlation methods", 1970, ch. 4.
static void add_set(const double *times, const double *values, size_t count, struct kendall *kendall) {
  for (size_t i = 0; i < count; i++) {
    for (size_t j = 0; j < i; j++)
      kendall->s += sign(times[i] - times[j]) * sign(values[i] - values[j]);
  }
  double n = (double)count;
  struct tie_sums t = sum_ties(times, count), v = sum_ties(values, count);
  kendall->pairs += n * (n - 1) / 2;
  kendall->variance += (n * (n - 1) * (2 * n + 5) - t.variance - v.variance) / 18;
  if (count >= 2)
    kendall->variance += t.pairs * v.pairs / (2 * n * (n - 1));
  if (count >= 3)
    kendall->variance += t.triples * v.triples / (9 * n * (n - 1) * (n - 2));
  kendall->ties = kendall->ties || t.pairs > 0 || v.pairs > 0;
}

// P(at least `discordant` discordant pairs) in sets of n and m values without ties. The i-th value of a set is
// discordant with 0 .. i - 1 of those before it, each as likely, whatever the others are.
static double exact_tail(size_t n, size_t m, size_t discordant) {
  double probability[EXACT_COUNT_MAX * (EXACT_COUNT_MAX - 1) + 1] = {1};
  size_t top = 0;
  for (size_t i = 2; i <= rs_max_size(n, m); i++) {
    for (size_t set = 0; set < 2; set++) {
      if (i > (set == 0 ? n : m))
        continue;
      top += i - 1;
      for (size_t s = top + 1; s-- > 0;) {
        double sum = 0;
        for (size_t j = 0; j < i && j <= s; j++)
          sum += probability[s - j];
        probability[s] = sum / (double)i;
      }
    }
  }
  double tail = 0;
  for (size_t s = discordant; s <= top; s++)
    tail += probability[s];
  return tail;
}

static double p_of_drift(const struct kendall *kendall, size_t n, size_t m) {
  double size = fabs(kendall->s); // S is symmetric about 0
  if (!(kendall->variance > 0) || size == 0)
    return 1;
  if (!kendall->ties && n <= EXACT_COUNT_MAX && m <= EXACT_COUNT_MAX)
    return fmin(1, 2 * exact_tail(n, m, (size_t)((kendall->pairs + size) / 2)));
  return fmin(1, 2 * rs_normal_tail((size - 1) / sqrt(kendall->variance)));
}

struct rs_launch_order rs_stats_launch_order(const struct rs_set_pair *pair, const struct rs_set_pair *times,
                                             double *scratch) {
  size_t n = pair->baseline_count, m = pair->candidate_count;
  struct kendall kendall = {0};
  add_set(times->baseline, pair->baseline, n, &kendall);
  add_set(times->candidate, pair->candidate, m, &kendall);
  double p_drift = p_of_drift(&kendall, n, m), p_apart = rs_stats_rank_test(times, scratch).p;
  return (struct rs_launch_order){.drift = kendall.pairs > 0 ? kendall.s / kendall.pairs : NAN,
                                  .p_drift = p_drift,
                                  .p_apart = p_apart,
                                  .drifts = p_drift <= WARNING_LEVEL,
                                  .came_apart = p_apart <= WARNING_LEVEL};
}
