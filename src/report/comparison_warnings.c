// What one should know before believing a comparison. Each is a line; none changes a verdict.
#include "report/comparison_sets.h"
#include "report/report_grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Fewer counted iterations than these make a median of little worth.
#define FEW_ITERATIONS 5

RS_PRINTF(3, 4)
static void warn(struct rs_comparison *comparison, struct rs_error *error, const char *format, ...) {
  size_t count = comparison->warning_count + 1;
  char **larger = realloc(comparison->warnings, count * sizeof *larger), *line = NULL;
  if (larger != NULL)
    comparison->warnings = larger;
  va_list arguments;
  va_start(arguments, format);
  if (larger != NULL && vasprintf(&line, format, arguments) < 0)
    line = NULL;
  va_end(arguments);
  if (line == NULL)
    rs_error_set_memory(error, count * sizeof *larger, "warnings");
  else
    comparison->warnings[comparison->warning_count++] = line;
}

static void warn_of_counts(struct rs_comparison *comparison, struct rs_error *error) {
  const struct rs_comparison_set *sets = comparison->sets;
  for (size_t s = 0; s < 2; s++)
    if (sets[s].copies > 0)
      warn(comparison, error, "%zu file%s of %s %s a launch that is there already, and not counted", sets[s].copies,
           sets[s].copies == 1 ? "" : "s", sets[s].name, sets[s].copies == 1 ? "is a copy of" : "are copies of");
  if (sets[0].count == 1 && sets[1].count == 1)
    warn(comparison, error,
         "one launch on each side: how much one launch differs from the next is not known, so neither is whether this "
         "difference is more than that");
  else if (sets[0].count == 1 || sets[1].count == 1)
    warn(comparison, error, "%s is one launch: what it has by chance cannot be told from what its set has",
         sets[sets[1].count == 1].name);
}

static void warn_of_launches(struct rs_comparison *comparison, struct rs_error *error) {
  for (size_t s = 0; s < 2; s++) {
    const struct rs_comparison_set *set = &comparison->sets[s];
    size_t partial = 0, emulated = 0;
    for (size_t l = 0; l < set->count; l++) {
      partial += strcmp(set->launches[l]->status, "complete") != 0;
      bool any = false;
      for (size_t c = 0; c < set->launches[l]->case_count; c++)
        any = any || (set->launches[l]->cases[c].finished && set->launches[l]->cases[c].emulated);
      emulated += any;
    }
    if (partial > 0)
      warn(comparison, error, "%zu of %zu launches of %s did not end, or are still going on", partial, set->count,
           set->name);
    if (emulated > 0)
      warn(comparison, error, "the network was EMULATED in %zu of %zu launches of %s: this says nothing of a real one",
           emulated, set->count, set->name);
  }
}

// The launch that lacks the most cases, if any lacks some.
static void warn_of_lacking(struct rs_comparison *comparison, struct rs_error *error) {
  size_t left_out = 0, most = 0, fewest = SIZE_MAX;
  const struct rs_result *poorest = NULL;
  for (size_t c = 0; c < comparison->class_count; c++)
    if (comparison->classes[c].metric != RS_METRIC_P99)
      left_out += comparison->classes[c].left_out;
  for (size_t s = 0; s < 2; s++) {
    for (size_t l = 0; l < comparison->sets[s].count; l++) {
      size_t usable = rs_report_count(comparison->sets[s].launches[l], rs_report_usable);
      most = rs_max_size(most, usable);
      if (usable < fewest) {
        fewest = usable;
        poorest = comparison->sets[s].launches[l];
      }
    }
  }
  if (left_out > 0)
    warn(comparison, error, "%zu case%s not every launch has %s in no verdict; the poorest launch, %s, has %zu of %zu",
         left_out, left_out == 1 ? " that" : "s that", left_out == 1 ? "is" : "are",
         poorest->path != NULL ? poorest->path : "unnamed", fewest, most);
}

static void warn_of_samples(struct rs_comparison *comparison, struct rs_error *error) {
  size_t few = 0, shifted = 0;
  for (size_t s = 0; s < 2; s++) {
    for (size_t l = 0; l < comparison->sets[s].count; l++) {
      const struct rs_result *launch = comparison->sets[s].launches[l];
      for (size_t c = 0; c < launch->case_count; c++) {
        const struct rs_case_row *row = &launch->cases[c];
        if (!rs_report_usable(row))
          continue;
        few += row->iterations < FEW_ITERATIONS + row->warm_up + row->invalid;
        shifted += row->level_shift;
      }
    }
  }
  if (few > 0)
    warn(comparison, error, "%zu of the medians %s of fewer than %d iterations", few, few == 1 ? "is" : "are",
         FEW_ITERATIONS);
  if (shifted > 0)
    warn(comparison, error, "in %zu case%s of single launches the times changed their level half-way", shifted,
         shifted == 1 ? "" : "s");
}

// Beside six other classes point to point has none; see default_metrics in comparison_classes.c.
static void warn_of_pairs(struct rs_comparison *comparison, struct rs_error *error) {
  size_t rows = 0, classes = 0;
  for (size_t i = 0; i < comparison->row_count; i++)
    rows += rs_report_paired(comparison->rows[i].baseline);
  for (size_t c = 0; c < comparison->class_count; c++)
    classes += comparison->classes[c].metric == RS_METRIC_PAIR_TIME;
  if (rows > 0 && classes == 0)
    warn(comparison, error, "%zu point to point case%s in no verdict; --where benchmark=p2p asks for them alone", rows,
         rows == 1 ? " is" : "s are");
}

// ---- order in time ----------------------------------------------------------------------------------------

// When a launch began, in s; NaN when it does not say. ("created" has a resolution of 1 s.)
static double launch_time(const struct rs_result *launch) {
  struct tm time = {0};
  const char *end = strptime(launch->created, "%Y-%m-%dT%H:%M:%SZ", &time);
  return end != NULL && *end == '\0' ? (double)timegm(&time) : NAN;
}

static bool fill_times(const struct rs_comparison *comparison, double *times) {
  bool known = true;
  for (size_t s = 0, i = 0; s < 2; s++)
    for (size_t l = 0; l < comparison->sets[s].count; l++, i++) {
      times[i] = launch_time(comparison->sets[s].launches[l]);
      known = known && !isnan(times[i]);
    }
  return known;
}

// Classes are asked one by one, so each has its share of the chance of a false alarm.
static void warn_of_order(struct rs_comparison *comparison, const double *times, double *scratch,
                          struct rs_error *error) {
  const struct rs_comparison_set *sets = comparison->sets;
  struct rs_set_pair when = {times, times + sets[0].count, sets[0].count, sets[1].count};
  bool apart = false;
  const struct rs_comparison_class *drifting = NULL;
  double least = 0.05 / (double)rs_max_size(comparison->class_count, 1);
  for (size_t c = 0; c < comparison->class_count; c++) {
    const struct rs_comparison_class *class = &comparison->classes[c];
    if (class->decision.doubt == RS_DOUBT_VALUES)
      continue;
    struct rs_set_pair pair = {class->values[0], class->values[1], sets[0].count, sets[1].count};
    struct rs_launch_order order = rs_stats_launch_order(&pair, &when, scratch);
    apart = order.came_apart;
    if (order.p_drift <= least) {
      least = order.p_drift;
      drifting = class;
    }
  }
  if (drifting != NULL) {
    struct rs_text name = {0};
    rs_comparison_name_class(drifting, &name);
    warn(
        comparison, error,
        "times drift from launch to launch within the sets (most for %s): what changed meanwhile is not in these files",
        name.data != NULL ? name.data : "a class");
    rs_text_fini(&name);
  }
  if (apart)
    warn(comparison, error,
         "the sets were measured one after the other: a change of the machine or its neighbours in between looks like "
         "a difference; interleave them (A B B A), as bench/regress does");
}

enum rs_status rs_comparison_warnings(struct rs_comparison *comparison, struct rs_error *error) {
  size_t launches = comparison->sets[0].count + comparison->sets[1].count;
  double *times = rs_allocate(2 * launches, sizeof *times, "times of launches", error);
  if (times == NULL)
    return error->status;
  warn_of_counts(comparison, error);
  warn_of_launches(comparison, error);
  if (comparison->sets[0].count > 1 && comparison->sets[1].count > 1 && fill_times(comparison, times))
    warn_of_order(comparison, times, times + launches, error);
  warn_of_lacking(comparison, error);
  warn_of_pairs(comparison, error);
  warn_of_samples(comparison, error);
  free(times);
  return error->status;
}
