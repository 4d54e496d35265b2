#include "report/comparison_classes.h"

#include "report/report_grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Below, latency is all that counts; above, bandwidth.
#define SMALL_MAX (UINT64_C(4) << 10)
#define LARGE_MIN (UINT64_C(1) << 20)
#define FAMILY_MAX 6

const char *const rs_size_class_names[RS_SIZE_CLASSES] = {"small", "middle", "large"};
const char *const rs_class_metric_names[RS_CLASS_METRICS] = {"time", "streaming_time", "p2p_time", "p99"};

enum rs_status rs_class_sums_init(struct rs_class_sums *sums, size_t baseline, size_t candidate,
                                  struct rs_error *error) {
  *sums = (struct rs_class_sums){.counts = {baseline, candidate}};
  for (size_t m = 0; m < RS_CLASS_METRICS; m++) {
    for (size_t c = 0; c < RS_SIZE_CLASSES; c++) {
      sums->classes[m][c].logs = rs_allocate(baseline + candidate, sizeof(double), "sums over cases", error);
      if (sums->classes[m][c].logs == NULL)
        return error->status;
    }
  }
  return RS_OK;
}

void rs_class_sums_fini(struct rs_class_sums *sums) {
  for (size_t m = 0; m < RS_CLASS_METRICS; m++)
    for (size_t c = 0; c < RS_SIZE_CLASSES; c++)
      free(sums->classes[m][c].logs);
}

static double value_of(const struct rs_case_row *row, enum rs_class_metric metric) {
  return row == NULL ? NAN : metric == RS_METRIC_P99 ? row->p99_ns : row->median_ns;
}

static void add_case(struct rs_class_sums *sums, enum rs_class_metric metric, uint64_t size,
                     const struct rs_case_row *const *rows) {
  enum rs_size_class size_class = size <= SMALL_MAX ? RS_SIZE_SMALL : size < LARGE_MIN ? RS_SIZE_MIDDLE : RS_SIZE_LARGE;
  struct rs_class_sum *sum = &sums->classes[metric][size_class];
  size_t launches = sums->counts[0] + sums->counts[1];
  bool first = sum->case_count + sum->left_out == 0;
  sum->smallest = first || size < sum->smallest ? size : sum->smallest;
  sum->largest = first || size > sum->largest ? size : sum->largest;
  for (size_t l = 0; l < launches; l++) {
    double value = value_of(rows[l], metric);
    if (!(value > 0) || isinf(value)) {
      sum->left_out++;
      return;
    }
  }
  for (size_t l = 0; l < launches; l++)
    sum->logs[l] += log(value_of(rows[l], metric));
  sum->case_count++;
}

void rs_class_sums_add(struct rs_class_sums *sums, const struct rs_case_row *identity,
                       const struct rs_case_row *const *rows) {
  // Beside traffic of others, and in kernels, something else is measured than the network's own time.
  if (identity->congestor[0] != '\0' && strcmp(identity->congestor, "none") != 0)
    return;
  if (rs_report_collective(identity)) {
    bool streaming = strcmp(identity->mode, "streaming") == 0;
    add_case(sums, streaming ? RS_METRIC_STREAMING : RS_METRIC_TIME, identity->size_bytes, rows);
    if (!streaming)
      add_case(sums, RS_METRIC_P99, identity->size_bytes, rows);
  } else if (rs_report_paired(identity)) {
    add_case(sums, RS_METRIC_PAIR_TIME, identity->size_bytes, rows);
  }
}

// A class without cases keeps no values: nothing can be said of it.
static enum rs_status add_class(const struct rs_class_sums *sums, enum rs_class_metric metric,
                                enum rs_size_class size_class, struct rs_comparison *comparison,
                                struct rs_error *error) {
  const struct rs_class_sum *sum = &sums->classes[metric][size_class];
  if (sum->case_count + sum->left_out == 0)
    return RS_OK;
  struct rs_comparison_class *class = &comparison->classes[comparison->class_count++];
  *class = (struct rs_comparison_class){
      .metric = metric,
      .size_class = size_class,
      .smallest = sum->smallest,
      .largest = sum->largest,
      .case_count = sum->case_count,
      .left_out = sum->left_out,
      .decision =
          {.doubt = RS_DOUBT_VALUES, .ratio = NAN, .ratio_low = NAN, .ratio_high = NAN, .p = 1, .p_adjusted = 1},
  };
  if (sum->case_count == 0)
    return RS_OK;
  for (size_t s = 0; s < 2; s++) {
    class->values[s] = rs_allocate(sums->counts[s], sizeof(double), "values of launches", error);
    for (size_t l = 0; class->values[s] != NULL && l < sums->counts[s]; l++)
      class->values[s][l] = exp(sum->logs[s * sums->counts[0] + l] / (double)sum->case_count);
  }
  return error->status;
}

// Only the classes that have values are hypotheses, and share the chance of a false one.
static enum rs_status decide(const struct rs_class_sums *sums, struct rs_comparison *comparison,
                             struct rs_error *error) {
  struct rs_set_pair family[RS_CLASS_METRICS * RS_SIZE_CLASSES];
  struct rs_decision decisions[RS_ARRAY_LENGTH(family)];
  size_t count = 0, room = rs_max_size(sums->counts[0] + sums->counts[1], 3 * RS_ARRAY_LENGTH(family));
  for (size_t c = 0; c < comparison->class_count; c++) {
    const struct rs_comparison_class *class = &comparison->classes[c];
    if (class->case_count > 0)
      family[count++] = (struct rs_set_pair){class->values[0], class->values[1], sums->counts[0], sums->counts[1]};
  }
  comparison->p_smallest = 1;
  if (count == 0)
    return RS_OK;
  double *scratch = rs_allocate(room, sizeof *scratch, "values of launches", error);
  if (scratch == NULL)
    return error->status;
  rs_stats_decide(family, count, comparison->threshold, comparison->level, scratch, decisions);
  free(scratch);
  for (size_t c = 0, i = 0; c < comparison->class_count; c++) {
    if (comparison->classes[c].case_count == 0)
      continue;
    comparison->classes[c].decision = decisions[i++];
    comparison->p_smallest = fmin(comparison->p_smallest, comparison->classes[c].decision.p_smallest);
  }
  return RS_OK;
}

// The metrics by default: every further hypothesis makes all the others harder to decide.
static unsigned default_metrics(const struct rs_class_sums *sums) {
  size_t count = 0;
  for (size_t m = 0; m < RS_METRIC_P99; m++)
    for (size_t c = 0; c < RS_SIZE_CLASSES; c++)
      count += sums->classes[m][c].case_count + sums->classes[m][c].left_out > 0;
  unsigned metrics = RS_METRIC_MASK(RS_METRIC_TIME) | RS_METRIC_MASK(RS_METRIC_STREAMING);
  return count <= FAMILY_MAX ? metrics | RS_METRIC_MASK(RS_METRIC_PAIR_TIME) : metrics;
}

enum rs_status rs_class_sums_judge(const struct rs_class_sums *sums, unsigned metrics, struct rs_comparison *comparison,
                                   struct rs_error *error) {
  if (metrics == 0)
    metrics = default_metrics(sums);
  for (size_t m = 0; m < RS_CLASS_METRICS; m++) {
    for (size_t c = 0; c < RS_SIZE_CLASSES; c++) {
      if ((metrics & RS_METRIC_MASK(m)) != 0 &&
          add_class(sums, (enum rs_class_metric)m, (enum rs_size_class)c, comparison, error) < 0)
        return error->status;
    }
  }
  return decide(sums, comparison, error);
}
