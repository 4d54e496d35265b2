// LogGP's parameters of each distance from measured times.
//
//   1. The median of each (launch, size), over the pairs of ranks at this distance: observations.
//   2. A line, time = a + b x bytes, which makes the sum of |time - line| / time least. Relative, as 2% of 10 us and 2%
//      of 10 ms are as likely; absolute and not squared, so that a bad launch or size does not carry the line off.
//   3. How far the line may be off: the deviation of lines through resampled observations, widened by Student's t for
//   as
//      many launches. Whole launches are resampled, as only they replicate; of a single launch the relative residuals
//      are, which says nothing of what another launch would have measured.
//
// Of times there and back a is the latency and b the time per byte of a message alone; of streams a is the gap.
#include "ringside/fabric.h"
#include "ringside/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define REPEATS 400

struct observation {
  uint32_t launch;
  double bytes, time_ns;
};
struct line {
  double intercept, slope, loss; // NaN: fewer than two sizes
};
// The slope to another observation, and what it weighs.
struct turn {
  double slope, weight;
  size_t to;
};

// Room for one class.
struct work {
  struct observation *observations, *resampled;
  double *residuals, *launches, *drawn; // launches: where each begins in `observations`
  struct turn *turns;
  double *intercepts, *slopes; // REPEATS of each
};

// ---- line -------------------------------------------------------------------------------------------------

static int compare_turns(const void *left, const void *right) {
  const struct turn *a = left, *b = right;
  return (a->slope > b->slope) - (a->slope < b->slope);
}

static double loss_of(const struct observation *observations, size_t count, double intercept, double slope) {
  double loss = 0;
  for (size_t i = 0; i < count; i++)
    loss += fabs(observations[i].time_ns - intercept - slope * observations[i].bytes) / observations[i].time_ns;
  return loss;
}

// The best line through one observation; *to is the other one that it goes through. The loss along its slope is a sum
// of weighted distances, so the best slope is a weighted median.
static struct line turn_around(const struct observation *observations, size_t count, size_t pivot, struct turn *turns,
                               size_t *to) {
  const struct observation *at = &observations[pivot];
  size_t turn_count = 0;
  double weight = 0, passed = 0;
  for (size_t i = 0; i < count; i++) {
    const double away = observations[i].bytes - at->bytes;
    if (away == 0)
      continue;
    turns[turn_count++] =
        (struct turn){(observations[i].time_ns - at->time_ns) / away, fabs(away) / observations[i].time_ns, i};
    weight += fabs(away) / observations[i].time_ns;
  }
  if (turn_count == 0)
    return (struct line){NAN, NAN, NAN};
  qsort(turns, turn_count, sizeof(*turns), compare_turns);
  size_t best = 0;
  for (; best + 1 < turn_count && passed + turns[best].weight < weight / 2; best++)
    passed += turns[best].weight;
  *to = turns[best].to;
  const double slope = turns[best].slope, intercept = at->time_ns - slope * at->bytes;
  return (struct line){intercept, slope, loss_of(observations, count, intercept, slope)};
}

// Wesolowsky (1981): the best line goes through two observations. Turn around one of them, then around the one that was
// met, and so on while that helps; the loss is convex, so the end is the minimum. Ties could stop it early, so it sets
// out from three observations.
static struct line fit_line(const struct observation *observations, size_t count, struct turn *turns) {
  const size_t starts[] = {0, count / 2, count - 1};
  struct line best = {NAN, NAN, NAN};
  for (size_t s = 0; s < RS_ARRAY_LENGTH(starts); s++) {
    size_t pivot = starts[s], next = pivot;
    struct line line = turn_around(observations, count, pivot, turns, &next);
    for (size_t turned = 0; turned < count && isfinite(line.loss); turned++) {
      pivot = next;
      const struct line other = turn_around(observations, count, pivot, turns, &next);
      if (!(other.loss < line.loss))
        break;
      line = other;
    }
    if (isnan(best.loss) || line.loss < best.loss)
      best = line;
  }
  return best;
}

// ---- intervals --------------------------------------------------------------------------------------------

// The t that |T| stays below with 95%, by degrees of freedom.
static double student_t(size_t freedom) {
  static const double quantiles[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                                     2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086};
  return freedom <= RS_ARRAY_LENGTH(quantiles) ? quantiles[freedom - 1] : 1.96 + 2.6 / (double)freedom;
}

static double deviation(const double *values, size_t count) {
  double sum = 0, squares = 0;
  for (size_t i = 0; i < count; i++)
    sum += values[i];
  for (size_t i = 0; i < count; i++)
    squares += (values[i] - sum / (double)count) * (values[i] - sum / (double)count);
  return sqrt(squares / (double)(count - 1));
}

// Observations of as many launches, drawn anew.
static size_t resample_launches(const struct work *work, size_t count, size_t launch_count, struct rs_random *random) {
  size_t drawn = 0;
  rs_stats_resample(work->launches, launch_count, 1, random, work->drawn);
  for (size_t l = 0; l < launch_count; l++)
    for (size_t i = (size_t)work->drawn[l];
         i < count && work->observations[i].launch == work->observations[(size_t)work->drawn[l]].launch; i++)
      work->resampled[drawn++] = work->observations[i];
  return drawn;
}

// Observations on the line, off it by residuals that are drawn anew. The line has fitted two of them away.
static size_t resample_residuals(const struct work *work, size_t count, const struct line *line,
                                 struct rs_random *random) {
  const double widened = sqrt((double)count / (double)(count - 2));
  rs_stats_resample(work->residuals, count, 1, random, work->drawn);
  for (size_t i = 0; i < count; i++) {
    const double on_line = line->intercept + line->slope * work->observations[i].bytes;
    work->resampled[i] = work->observations[i];
    work->resampled[i].time_ns = fmax(on_line * (1 + widened * work->drawn[i]), on_line / 1000);
  }
  return count;
}

// A parameter below 0 is one that the times do not tell.
static struct rs_fabric_estimate estimate(double value, double arm) {
  if (!(value > 0))
    return (struct rs_fabric_estimate){NAN, NAN, NAN};
  return (struct rs_fabric_estimate){value, value < arm ? 0 : value - arm, value + arm}; // an arm of NaN stays
}

// How far both parameters may be off; NaN where nothing can be said.
static void find_arms(const struct work *work, size_t count, const struct line *line, struct rs_random *random,
                      double arms[2]) {
  size_t launch_count = 0, repeats = 0;
  for (size_t i = 0; i < count; i++) {
    work->residuals[i] =
        work->observations[i].time_ns / (line->intercept + line->slope * work->observations[i].bytes) - 1;
    if (i == 0 || work->observations[i].launch != work->observations[i - 1].launch)
      work->launches[launch_count++] = (double)i;
  }
  arms[0] = arms[1] = NAN;
  if (launch_count < 2 && count < 3)
    return;
  for (size_t r = 0; r < REPEATS; r++) {
    const size_t drawn = launch_count >= 2 ? resample_launches(work, count, launch_count, random)
                                           : resample_residuals(work, count, line, random);
    const struct line again = fit_line(work->resampled, drawn, work->turns);
    if (isnan(again.loss))
      continue;
    work->intercepts[repeats] = again.intercept;
    work->slopes[repeats++] = again.slope;
  }
  if (repeats < REPEATS / 2)
    return;
  const double launches = (double)launch_count; // the deviation of n resampled values lacks n - 1 over n
  const double wide =
      launch_count >= 2 ? student_t(launch_count - 1) * sqrt(launches / (launches - 1)) : student_t(count - 2);
  arms[0] = wide * deviation(work->intercepts, repeats);
  arms[1] = wide * deviation(work->slopes, repeats);
}

// ---- classes ----------------------------------------------------------------------------------------------

static int compare_points(const void *left, const void *right) {
  const struct rs_fabric_point *a = left, *b = right;
  if (a->distance != b->distance)
    return a->distance < b->distance ? -1 : 1;
  if (a->streaming != b->streaming)
    return a->streaming ? 1 : -1;
  if (a->launch != b->launch)
    return a->launch < b->launch ? -1 : 1;
  if (a->bytes != b->bytes)
    return a->bytes < b->bytes ? -1 : 1;
  return (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
}

// Sorted points of one class become observations; returns how many.
static size_t observe(const struct rs_fabric_point *points, size_t count, struct observation *observations) {
  size_t observed = 0;
  for (size_t first = 0, end; first < count; first = end) {
    for (end = first;
         end < count && points[end].launch == points[first].launch && points[end].bytes == points[first].bytes;)
      end++;
    const size_t low = first + (end - first - 1) / 2, high = first + (end - first) / 2;
    observations[observed++] = (struct observation){points[first].launch, (double)points[first].bytes,
                                                    (points[low].time_ns + points[high].time_ns) / 2};
  }
  return observed;
}

static void fit_class(const struct rs_fabric_point *points, size_t count, const struct work *work,
                      struct rs_random *random, struct rs_fabric_fitted *fitted) {
  const size_t observed = observe(points, count, work->observations);
  const struct line line = fit_line(work->observations, observed, work->turns);
  size_t launches = 1;
  double arms[2] = {NAN, NAN};
  for (size_t i = 1; i < count; i++)
    launches += points[i].launch != points[i - 1].launch;
  if (!isnan(line.loss))
    find_arms(work, observed, &line, random, arms);
  const struct rs_fabric_estimate intercept = estimate(line.intercept, arms[0]);
  const struct rs_fabric_estimate slope = estimate(line.slope * 1000, arms[1] * 1000);
  fitted->points += count;
  fitted->launches = rs_max_size(fitted->launches, launches);
  *(points->streaming ? &fitted->gap_ns : &fitted->latency_ns) = intercept;
  *(points->streaming ? &fitted->stream_byte_ps : &fitted->byte_ps) = slope;
}

static void work_fini(struct work *work) {
  free(work->observations);
  free(work->resampled);
  free(work->residuals);
  free(work->launches);
  free(work->drawn);
  free(work->turns);
  free(work->intercepts);
  free(work->slopes);
}

// Launches drawn anew may all be the one with the most observations, so these can be more than there were.
static enum rs_status work_init(size_t count, size_t resampled, struct work *work, struct rs_error *error) {
  static const char what[] = "the fit of a fabric";
  *work = (struct work){
      .observations = rs_allocate(count, sizeof(*work->observations), what, error),
      .resampled = rs_allocate(resampled, sizeof(*work->resampled), what, error),
      .residuals = rs_allocate(count, sizeof(*work->residuals), what, error),
      .launches = rs_allocate(count, sizeof(*work->launches), what, error),
      .drawn = rs_allocate(count, sizeof(*work->drawn), what, error),
      .turns = rs_allocate(resampled, sizeof(*work->turns), what, error),
      .intercepts = rs_allocate(REPEATS, sizeof(*work->intercepts), what, error),
      .slopes = rs_allocate(REPEATS, sizeof(*work->slopes), what, error),
  };
  return error->status < 0 ? error->status : RS_OK;
}

// The most observations that launches drawn anew can have: launches x the most of one.
static size_t most_resampled(const struct rs_fabric_point *points, size_t count) {
  size_t launches = 0, most = 0, run = 0;
  for (size_t i = 0; i < count; i++) {
    const bool same = i > 0 && points[i].launch == points[i - 1].launch && points[i].distance == points[i - 1].distance;
    run = same ? run + 1 : 1;
    launches += !same;
    most = rs_max_size(most, run);
  }
  return launches * most;
}

enum rs_status rs_fabric_fit(const struct rs_fabric_point *points, size_t count, uint64_t seed,
                             struct rs_fabric_fitted fitted[RS_DISTANCE_COUNT], struct rs_error *error) {
  const struct rs_fabric_estimate unknown = {NAN, NAN, NAN};
  for (size_t d = 0; d < RS_DISTANCE_COUNT; d++)
    fitted[d] = (struct rs_fabric_fitted){(enum rs_distance)d, 0, 0, unknown, unknown, unknown, unknown};
  for (size_t i = 0; i < count; i++)
    if (!(isfinite(points[i].time_ns) && points[i].time_ns > 0))
      return rs_error_set(error, RS_ERROR_USAGE, "fitting a fabric: time %zu of %zu is %g ns, not a positive time", i,
                          count, points[i].time_ns);
  if (count == 0)
    return RS_OK;
  struct work work = {0};
  struct rs_random random = {seed};
  struct rs_fabric_point *sorted = rs_allocate(count, sizeof(*sorted), "the fit of a fabric", error);
  if (!sorted)
    return error->status;
  memcpy(sorted, points, count * sizeof(*sorted));
  qsort(sorted, count, sizeof(*sorted), compare_points);
  enum rs_status status = work_init(count, most_resampled(sorted, count), &work, error);
  for (size_t first = 0, end; first < count && status == RS_OK; first = end) {
    for (end = first; end < count && sorted[end].distance == sorted[first].distance &&
                      sorted[end].streaming == sorted[first].streaming;)
      end++;
    fit_class(&sorted[first], end - first, &work, &random, &fitted[sorted[first].distance]);
  }
  work_fini(&work);
  free(sorted);
  return status;
}
