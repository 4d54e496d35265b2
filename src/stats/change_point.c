// Change points: where a series leaves its level. Both tests see values by their rank, so that neither a heavy tail nor
// a second mode passes for a change, and both widen their threshold by the dependence between neighbours (series.h), as
// one slow moment lasts several iterations and is no change of level.
#include "ringside/stats.h"
#include "stats/series.h"

#include <math.h>
#include <string.h>

// Fewer values tell no level from a slow moment.
#define WARM_UP_COUNT_MIN 30
#define SHIFT_COUNT_MIN 50
// What chance exceeds in 4% of all independent series of 1000 values (less in shorter ones; it grows with the root of
// log log n): the largest |S_w| / sd(S_w) of a prefix of up to half the series, found by simulation.
#define PREFIX_POINT 3.0
// The 2% point of the largest |Brownian bridge| (Kolmogorov 1933), which leaves room for what short series tell badly.
#define BRIDGE_POINT 1.517

// How many of the sorted values are below, plus half of those equal, in 0 .. count.
static double rank_among(const double *sorted, size_t count, double value) {
  size_t bounds[2]; // the first not below, the first above
  for (size_t b = 0; b < 2; b++) {
    size_t low = 0, high = count;
    while (low < high) {
      size_t middle = low + (high - low) / 2;
      if (sorted[middle] < value || (b == 1 && sorted[middle] == value))
        low = middle + 1;
      else
        high = middle;
    }
    bounds[b] = low;
  }
  return (double)(bounds[0] + bounds[1]) / 2;
}

// About the normal quantile of the rank, by Tukey's lambda distribution (Joiner & Rosenblatt, JASA 66, 1971).
static double normal_score(double rank, size_t count) {
  double u = (rank + 0.5) / ((double)count + 1);
  return 4.91 * (pow(u, 0.14) - pow(1 - u, 0.14));
}

// Takes the mean off; returns the sum of squares that is left.
static double centre(double *values, size_t count) {
  double sum = 0, squares = 0;
  for (size_t i = 0; i < count; i++)
    sum += values[i];
  for (size_t i = 0; i < count; i++) {
    values[i] -= sum / (double)count;
    squares += values[i] * values[i];
  }
  return squares;
}

// The prefix of up to `half` scores that stands out most: |S_w| over its standard deviation, for independent scores of
// variance 1 that were ranked among `reference` values. *cut is its length.
static double furthest_prefix(const double *scores, size_t half, double reference, size_t *cut) {
  double sum = 0, furthest = 0;
  for (size_t i = 0; i < half; i++) {
    sum += scores[i];
    double w = (double)(i + 1), distance = fabs(sum) / sqrt(w + w * w / reference);
    if (distance > furthest) {
      furthest = distance;
      *cut = i + 1;
    }
  }
  return furthest;
}

// What such a prefix must pass, given how much the scores behind it vary and depend on one another.
static double prefix_threshold(const double *rest, size_t count, double *scratch) {
  memcpy(scratch, rest, count * sizeof(*scratch));
  double variance = centre(scratch, count) / (double)count;
  struct rs_dependence dependence = rs_series_dependence(scratch, count, 1);
  return rs_series_student(PREFIX_POINT, dependence.freedom) * sqrt(variance * dependence.inflation);
}

// The second half is taken for steady, and every value gets the normal score of its rank among those. The prefix whose
// scores stand out most, by a cumulated sum weighted for early changes, is cut off if chance does not explain it; then
// the next one, so that a start that decays goes step by step. The half as a bound is that of MSER truncation (White,
// "An effective truncation heuristic for bias reduction in simulation output", Simulation 69, 1997); its rule, the
// smallest standard error of what is left, cuts something off every series, so here a test decides.
size_t rs_stats_warm_up(const double *in_time_order, double *scratch, size_t count) {
  if (count < WARM_UP_COUNT_MIN)
    return 0;
  size_t half = count / 2, reference = count - half, cut = 0, more = 0;
  double *sorted = scratch, *scores = scratch + count;
  memcpy(sorted, in_time_order + half, reference * sizeof(*sorted));
  rs_stats_sort(sorted, reference);
  for (size_t i = 0; i < count; i++)
    scores[i] = normal_score(rank_among(sorted, reference, in_time_order[i]), reference);
  while (cut < half) {
    double distance = furthest_prefix(scores + cut, half - cut, (double)reference, &more);
    size_t end = cut + more;
    if (!(distance > prefix_threshold(scores + end, count - end, scratch)))
      break;
    cut = end;
  }
  return cut;
}

// Pettitt's test ("A non-parametric approach to the change-point problem", Applied Statistics 28, 1979): the cumulated
// centred ranks run as a Brownian bridge without a change, and turn where there is one. Variance and dependence are
// those within each side, or else the change itself would count as dependence and hide; two means and the place of the
// change are taken from the data.
bool rs_stats_level_shift(const double *in_time_order, double *scratch, size_t count, size_t *where) {
  if (count < SHIFT_COUNT_MIN)
    return false;
  double *sorted = scratch, *ranks = scratch + count, sum = 0, furthest = 0;
  size_t turn = 0;
  memcpy(sorted, in_time_order, count * sizeof(*sorted));
  rs_stats_sort(sorted, count);
  for (size_t i = 0; i < count; i++)
    ranks[i] = rank_among(sorted, count, in_time_order[i]);
  centre(ranks, count);
  for (size_t i = 0; i + 1 < count; i++) {
    sum += ranks[i];
    if (fabs(sum) > furthest) {
      furthest = fabs(sum);
      turn = i + 1;
    }
  }
  if (turn == 0) // all values are equal
    return false;
  double squares = centre(ranks, turn) + centre(ranks + turn, count - turn);
  struct rs_dependence dependence = rs_series_dependence(ranks, count, 3);
  if (furthest <= rs_series_student(BRIDGE_POINT, dependence.freedom) * sqrt(squares * dependence.inflation))
    return false;
  *where = turn;
  return true;
}
