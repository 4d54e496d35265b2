// stats: quantiles, intervals and change points of samples; comparisons of sets of launches, and what they decide. Pure
// functions; inputs are not changed unless the name says sort.
#ifndef RINGSIDE_STATS_H
#define RINGSIDE_STATS_H

#include "ringside/base.h"

// The level of every interval in a summary.
#define RS_STATS_LEVEL 0.95

// ---- values without an order ------------------------------------------------------------------------------

// Sorts rising, in place. NaN is not allowed.
void rs_stats_sort(double *values, size_t count);
// Quantile q in 0..1 of sorted values, linear between order statistics (Hyndman & Fan type 7). count >= 1.
double rs_stats_quantile(const double *sorted, size_t count, double q);

// A confidence interval of the median by order statistics (binomial, no assumption on the distribution; Hahn & Meeker,
// "Statistical Intervals", ch. 5). The coverage reached is at least `level` when count allows it; below that the
// interval is the full range and `reached` says what it covers. The values must be independent. count >= 1.
struct rs_interval {
  double low, high, reached;
};
struct rs_interval rs_stats_median_interval(const double *sorted, size_t count, double level);

struct rs_summary {
  size_t count;
  double median, ci_low, ci_high, minimum, maximum, p95, p99; // p99 is NaN below 100 values, p95 below 20
};
// Sorts `values` in place and summarises. count 0 gives all NaN. The values must be
// independent.
struct rs_summary rs_stats_summarise(double *values, size_t count);

// Geometric mean of positive values; NaN when count is 0.
double rs_stats_geometric_mean(const double *values, size_t count);

// P(B >= at_least) for B ~ Binomial(count, probability), 0 < probability < 1.
double rs_stats_binomial_tail(size_t count, size_t at_least, double probability);
// Exact limits of the probability behind `successes` among `count` trials (Clopper & Pearson, Biometrika 26, 1934).
// count >= 1.
struct rs_interval rs_stats_binomial_limits(size_t count, size_t successes, double level);

// ---- values in the order of time, which may depend on their neighbours ------------------------------------
// `scratch` is room for 2 x count values; what it holds afterwards means nothing unless it says so.

// An interval of the median that holds for dependent values too: the ranks of the interval for independent ones, moved
// apart as far as the dependence seen between neighbours asks for (src/stats/series.c has the method and its sources).
// Never narrower than the interval of as many independent values at that level, the ends being interpolated between
// order statistics. Where the values tell too little it is the full range, and `reached` says what that covers.
// count >= 1. O(n log n + n x lags), the lags ending where the dependence does.
struct rs_interval rs_stats_median_interval_series(const double *in_time_order, double *scratch, size_t count,
                                                   double level);
// Like rs_stats_summarise, with that interval. The first `count` values of scratch are then the sorted ones.
struct rs_summary rs_stats_summarise_series(const double *in_time_order, double *scratch, size_t count);

// How many independent values the mean of these is worth: between 1 and count.
double rs_stats_effective_count(const double *in_time_order, double *scratch, size_t count);

// How many leading values belong to another level than the rest, in either direction: 0 when there are none, never more
// than half of them. At most one stationary series in twenty gives more than 0.
size_t rs_stats_warm_up(const double *in_time_order, double *scratch, size_t count);
// True when the level changes once within the series; *where is the first value of the new level (written only then).
// At most one stationary series in twenty gives true. Says nothing on the size of the change: compare the medians.
bool rs_stats_level_shift(const double *in_time_order, double *scratch, size_t count, size_t *where);

// The mean block length that serves the stationary bootstrap of the mean best, by an automatic rule (Politis & White,
// Econometric Reviews 23, 2004; corrected by Patton, Politis & White, 28, 2009). At least 1. count >= 1.
double rs_stats_block_length(const double *in_time_order, double *scratch, size_t count);
// One resample of the stationary bootstrap (Politis & Romano, JASA 89, 1994): blocks of geometric length, `block` on
// average, from anywhere in the series, which is taken as a circle. Any statistic may be computed of it. count >= 1.
void rs_stats_resample(const double *in_time_order, size_t count, double block, struct rs_random *random,
                       double *resample);

// Two stretches of time, or of two launches: values that depend on their neighbours within each.
struct rs_series_pair {
  const double *first, *second;
  size_t first_count, second_count;
};
// The percentile interval of median(second) / median(first) over `repeats` pairs of resamples; the same seed gives the
// same interval. It speaks about these two stretches only: two launches differ anyway, so it never decides between
// sets. Values positive, counts >= 1, repeats >= 1000 for 95%. `scratch` is room for 2 x the larger count + repeats.
struct rs_interval rs_stats_median_ratio_interval(const struct rs_series_pair *pair, size_t repeats, double level,
                                                  struct rs_random *random, double *scratch);

// ---- two sets of independent values, one value per launch -------------------------------------------------
// `scratch` is room for as many values as both sets have; NaN and infinities are not allowed.

struct rs_set_pair {
  const double *baseline, *candidate;
  size_t baseline_count, candidate_count; // >= 1
};

// Mann & Whitney (1947). `u` counts the pairs in which the candidate's value is larger, ties for a half. The p values
// are exact, ties included, while baseline_count x candidate_count <= RS_RANK_TEST_EXACT: shares of all ways to divide
// the pooled midranks. Above it is the normal approximation, corrected for ties and continuity.
#define RS_RANK_TEST_EXACT 400
struct rs_rank_test {
  double u;
  double p_larger, p_smaller; // one-sided: the candidate's values are the larger, the smaller ones
  double p;                   // two-sided: twice the smaller of both, at most 1
  double p_smallest;          // the smallest p that other divisions of the same values would have reached
  bool exact;
};
struct rs_rank_test rs_stats_rank_test(const struct rs_set_pair *pair, double *scratch);

// How far the candidate's values lie above the baseline's: the median of all differences (Hodges & Lehmann 1963), and
// the differences that the rank test at 1 - level does not reject (Lehmann, "Nonparametrics", 1975, ch. 2.6). With ties
// the interval covers more than it says. Where the counts do not allow the level it is the full range, and `reached`
// says what that covers: 1 - 2 / C(n + m, n), and 0 with one value each.
struct rs_shift {
  double estimate;
  struct rs_interval interval;
};
struct rs_shift rs_stats_shift(const struct rs_set_pair *pair, double level, double *scratch);
// The same of the logarithms of positive values: the candidate's as a multiple of the baseline's.
struct rs_shift rs_stats_ratio(const struct rs_set_pair *pair, double level, double *scratch);

// Holm's step-down (Scand. J. Statist. 6, 1979): rejecting what has an adjusted p of at most a keeps the probability of
// any false rejection in the family below a, however the tests depend on one another. `scratch` is room for
// 2 x count values; `adjusted` may be `p`.
void rs_stats_holm(const double *p, double *adjusted, double *scratch, size_t count);

// The order in time of the launches of both sets.
struct rs_launch_order {
  double drift;            // Kendall's tau of value and time within the sets, in -1 .. 1; NaN when nothing can be said
  double p_drift;          // the p of no drift, two-sided; exact without ties while both sets have at most 20
  double p_apart;          // the p of sets that are mixed in time as chance would: small when one set came first
  bool drifts, came_apart; // at 5%: a warning, no verdict
};
// `times` goes with the values of `pair`, in any unit that grows. O(n^2).
struct rs_launch_order rs_stats_launch_order(const struct rs_set_pair *pair, const struct rs_set_pair *times,
                                             double *scratch);

// ---- decisions between two sets of launches ---------------------------------------------------------------
// A family is all hypotheses that one sentence will speak of (metric x size class, say); its verdicts hold together.
// The values are times, one per launch, for example the geometric mean over a class of cases: larger is slower.

// What `compare` takes by default. With ten launches of 1% noise it tells a slowdown of 2%, and often that there is no
// difference; with less noise a smaller one does (docs/method.md has the rates).
#define RS_DECISION_THRESHOLD 0.015
// What launches_needed says when it is this many or more.
#define RS_LAUNCHES_MANY 1000

enum rs_verdict { RS_UNDECIDED, RS_FASTER, RS_SLOWER, RS_NO_DIFFERENCE };
enum rs_doubt {
  RS_DOUBT_NONE,
  RS_DOUBT_VALUES,  // a set is empty, or a value is not a positive number
  RS_DOUBT_COUNT,   // so few launches reach no p small enough, whatever they measure
  RS_DOUBT_INTERVAL // the interval is too wide
};
struct rs_decision {
  enum rs_verdict verdict;
  enum rs_doubt doubt;                 // why the verdict is not decided
  double ratio, ratio_low, ratio_high; // candidate / baseline, with its simultaneous interval; NaN for bad values
  double level, level_reached;         // of the interval: that which the family asks for, that which the counts allow
  double p, p_adjusted;                // of no difference, two-sided; by Holm over the family. 1 for bad values
  double p_smallest;                   // the smallest p that so many launches, with the ties that they have, can reach
  double noise;                        // what the width of the interval says of the spread of one launch, in log units
  size_t baseline_count, candidate_count;
  size_t launches_needed; // about how many more per set would decide; 0: decided, or nobody can tell
};

// SLOWER when p_adjusted is at most 1 - level and the ratio is at least 1 + threshold; FASTER the same with both sets
// exchanged. NO_DIFFERENCE (beyond the threshold) when the whole interval lies within 1 / (1 + threshold) ..
// 1 + threshold. Else UNDECIDED. Intervals are Bonferroni's, of level 1 - (1 - level) / count: simultaneous, and a
// little wider than Holm's tests, so that SLOWER may stand beside an interval that just holds 1. `scratch` is room for
// the values of the largest pair, and for 3 x count. 0 < level < 1, threshold >= 0.
void rs_stats_decide(const struct rs_set_pair *family, size_t count, double threshold, double level, double *scratch,
                     struct rs_decision *decisions);

// For a gate: PASS when the whole interval lies at or below 1 + tolerance, FAIL when it lies above, else UNDECIDED, as
// always where the counts do not allow the level. *launches_needed is as above.
enum rs_gate { RS_GATE_UNDECIDED, RS_GATE_PASS, RS_GATE_FAIL };
enum rs_gate rs_decision_gate(const struct rs_decision *decision, double tolerance, size_t *launches_needed);

#endif
