// What two sets of launches allow to say. Two questions are kept apart: is there a difference (the rank test, corrected
// over the family), and how large may it be (the interval). With the threshold X around 1:
//
//              1/(1+X)   1   1+X
//     ------------|------|----|------------
//                 [------]                     no difference beyond X: the whole interval is inside
//                        | [---*---]           slower: significant, and the estimate * is beyond X
//               [-----*------]                 undecided: the interval reaches out, and the test says nothing
//
// That no difference was found is never an answer: it is what too few launches always give (Altman & Bland, "Absence of
// evidence is not evidence of absence", BMJ 311, 1995). Equivalence is shown by the interval (Schuirmann 1987).
#include "ringside/stats.h"
#include "stats/normal.h"

#include <math.h>

// launches_needed are decided with this probability, as far as the launches so far can tell.
#define CHANCE_WANTED (2.0 / 3)
// Room for the rounding of levels.
#define ROUNDING (1 + 1e-9)

static bool all_positive(const double *values, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (!(values[i] > 0) || isinf(values[i]))
      return false;
  }
  return count > 0;
}

// 2 / C(n + m, n): what complete separation of n and m values reaches.
static double smallest_p(double n, double m) {
  return fmin(1, 2 * exp(lgamma(n + 1) + lgamma(m + 1) - lgamma(n + m + 1)));
}

static bool level_is_reached(const struct rs_decision *decision) {
  return 1 - decision->level_reached <= (1 - decision->level) * ROUNDING;
}

// The spread of one launch with which a normal estimate would have an interval as wide as this one. NaN where the
// interval covers nothing.
static double noise_of(const struct rs_decision *decision, double n, double m) {
  if (!(decision->level_reached > 0))
    return NAN;
  double width = log(decision->ratio_high / decision->ratio_low);
  return width / (2 * rs_normal_quantile(decision->level_reached) * sqrt(1 / n + 1 / m));
}

// Where an estimate decides, given the half-width that its interval will have: at most `inner` from the centre, or at
// least `outer`.
struct region {
  double inner, outer;
};
typedef struct region region_at(double half_width, double limit);

// NO_DIFFERENCE and FASTER or SLOWER, around a ratio of 1.
static struct region verdict_region(double half_width, double limit) {
  return (struct region){limit - half_width, fmax(limit, half_width)};
}

// PASS and FAIL, around the tolerance.
static struct region gate_region(double half_width, double limit) {
  (void)limit;
  return (struct region){-1, half_width};
}

// P(an estimate, normal around `expected`, decides).
static double chance(double expected, double deviation, struct region region) {
  deviation = fmax(deviation, 1e-12);
  double probability =
      rs_normal_tail((region.outer - expected) / deviation) + rs_normal_tail((region.outer + expected) / deviation);
  if (region.inner >= 0)
    probability += 1 - rs_normal_tail((region.inner - expected) / deviation) -
                   rs_normal_tail((region.inner + expected) / deviation);
  return probability;
}

// The fewest launches more per set that reach the level at all, and probably decide: the predictive power of
// Spiegelhalter, Freedman & Blackburn ("Monitoring clinical trials: conditional or predictive power?", Controlled
// Clinical Trials 7, 1986). What is known of the truth is a normal around the estimate with its variance s0^2; once all
// launches have the variance s1^2, their estimate is a normal around today's with variance s0^2 - s1^2.
static size_t launches_for(const struct rs_decision *decision, double expected, double limit, region_at *region) {
  double z = rs_normal_quantile(decision->level), noise = decision->noise;
  double n = (double)decision->baseline_count, m = (double)decision->candidate_count;
  for (size_t more = 1; more < RS_LAUNCHES_MANY; more++) {
    double k = (double)more, now = 1 / n + 1 / m, then = 1 / (n + k) + 1 / (m + k);
    if (smallest_p(n + k, m + k) > (1 - decision->level) * ROUNDING)
      continue;
    if (isnan(noise) ||
        chance(expected, noise * sqrt(now - then), region(z * noise * sqrt(then), limit)) >= CHANCE_WANTED)
      return more;
  }
  return RS_LAUNCHES_MANY;
}

// Everything that one hypothesis can say without the others.
static struct rs_decision measure(const struct rs_set_pair *pair, double level, double *scratch) {
  struct rs_decision decision = {
      .doubt = RS_DOUBT_VALUES,
      .ratio = NAN,
      .ratio_low = NAN,
      .ratio_high = NAN,
      .level = level,
      .p = 1,
      .p_adjusted = 1,
      .p_smallest = 1,
      .noise = NAN,
      .baseline_count = pair->baseline_count,
      .candidate_count = pair->candidate_count,
  };
  if (!all_positive(pair->baseline, pair->baseline_count) || !all_positive(pair->candidate, pair->candidate_count))
    return decision;
  struct rs_rank_test test = rs_stats_rank_test(pair, scratch);
  struct rs_shift ratio = rs_stats_ratio(pair, level, scratch);
  decision.doubt = RS_DOUBT_NONE;
  decision.ratio = ratio.estimate;
  decision.ratio_low = ratio.interval.low;
  decision.ratio_high = ratio.interval.high;
  decision.level_reached = ratio.interval.reached;
  decision.p = test.p;
  decision.p_smallest = test.p_smallest;
  decision.noise = noise_of(&decision, (double)pair->baseline_count, (double)pair->candidate_count);
  return decision;
}

static enum rs_verdict verdict_of(const struct rs_decision *decision, double threshold, double level) {
  double above = 1 + threshold, below = 1 / above;
  if (decision->p_adjusted <= (1 - level) * ROUNDING) {
    if (decision->ratio > 1 && decision->ratio >= above)
      return RS_SLOWER;
    if (decision->ratio < 1 && decision->ratio <= below)
      return RS_FASTER;
  }
  bool inside = decision->ratio_low >= below && decision->ratio_high <= above;
  return inside && level_is_reached(decision) ? RS_NO_DIFFERENCE : RS_UNDECIDED;
}

static void conclude(double threshold, double level, struct rs_decision *decision) {
  decision->verdict = verdict_of(decision, threshold, level);
  if (decision->verdict != RS_UNDECIDED)
    return;
  decision->doubt = level_is_reached(decision) ? RS_DOUBT_INTERVAL : RS_DOUBT_COUNT;
  decision->launches_needed = launches_for(decision, log(decision->ratio), log1p(threshold), verdict_region);
}

void rs_stats_decide(const struct rs_set_pair *family, size_t count, double threshold, double level, double *scratch,
                     struct rs_decision *decisions) {
  for (size_t i = 0; i < count; i++)
    decisions[i] = measure(&family[i], 1 - (1 - level) / (double)count, scratch);
  for (size_t i = 0; i < count; i++)
    scratch[i] = decisions[i].p;
  rs_stats_holm(scratch, scratch, scratch + count, count);
  for (size_t i = 0; i < count; i++) {
    decisions[i].p_adjusted = scratch[i];
    if (decisions[i].doubt != RS_DOUBT_VALUES)
      conclude(threshold, level, &decisions[i]);
  }
}

enum rs_gate rs_decision_gate(const struct rs_decision *decision, double tolerance, size_t *launches_needed) {
  *launches_needed = 0;
  if (decision->doubt == RS_DOUBT_VALUES)
    return RS_GATE_UNDECIDED;
  if (level_is_reached(decision)) {
    if (decision->ratio_high <= 1 + tolerance)
      return RS_GATE_PASS;
    if (decision->ratio_low > 1 + tolerance)
      return RS_GATE_FAIL;
  }
  *launches_needed = launches_for(decision, log(decision->ratio) - log1p(tolerance), 0, gate_region);
  return RS_GATE_UNDECIDED;
}
