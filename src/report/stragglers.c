// Straggler attribution. Of each counted iteration the ranks are sorted by the moment they entered (left); a rank's
// lateness is its distance from the median of the others, so neither its own delay nor one other straggler moves what
// it is measured against. What is found must be systematic (the last one too often) and matter (late by enough):
//
//   rank   entered, us after rank 0     the last?   late by (median of the others)
//      0   0.0   0.0   0.0   0.0        -           -0.2
//      1   0.3  -0.1   0.2   0.4        -            0.1
//      2  41.0  40.8   0.1  41.3        3 of 4      40.8   <- found, given enough iterations
//      3   0.1   0.2   0.4  -0.2        1 of 4      -0.1
#include "report/report_grid.h"
#include "ringside/report.h"
#include "ringside/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ITERATIONS_MIN 10
#define ALPHA 0.01
#define MEDIAN_PART 0.01
#define CLOCK_FACTOR 3
#define RUN_WIDE_PART 4 // a quarter
#define KINDS 3
#define NOBODY UINT32_MAX // two ranks were last together

struct arrival {
  int64_t time;
  uint32_t rank;
};

struct candidate {
  struct rs_straggler found;
  double chance; // of being last so often without a reason
};

// Room to judge one case in: `count` counted iterations of `ranks` ranks.
struct judge {
  const struct rs_sample **rows; // the first sample of each counted iteration
  size_t count, ranks;
  struct arrival *arrivals;     // of one iteration
  double *late;                 // [rank][iteration]
  uint32_t *last;               // of each iteration: a rank or NOBODY
  double *indicator, *scratch;  // count values, and 2 x count
  struct candidate *candidates; // 2 x ranks
  size_t candidate_count;
};

static void judge_fini(struct judge *judge) {
  free(judge->rows);
  free(judge->arrivals);
  free(judge->late);
  free(judge->last);
  free(judge->indicator);
  free(judge->scratch);
  free(judge->candidates);
}

// judge_fini is the caller's, after an error too.
static enum rs_status judge_init(struct judge *judge, const struct rs_case_row *row,
                                 const struct rs_iteration_row *iterations, const struct rs_sample *samples,
                                 struct rs_error *error) {
  static const char what[] = "the search for stragglers";
  *judge = (struct judge){.ranks = row->rank_count};
  size_t most = rs_max_size(row->iterations, 1), cells;
  if (!rs_multiply_size(most, judge->ranks, &cells))
    cells = SIZE_MAX; // rs_allocate refuses it
  judge->rows = rs_allocate(most, sizeof(*judge->rows), what, error);
  judge->arrivals = rs_allocate(judge->ranks, sizeof(*judge->arrivals), what, error);
  judge->late = rs_allocate(cells, sizeof(*judge->late), what, error);
  judge->last = rs_allocate(most, sizeof(*judge->last), what, error);
  judge->indicator = rs_allocate(most, sizeof(*judge->indicator), what, error);
  judge->scratch = rs_allocate(most, 2 * sizeof(*judge->scratch), what, error);
  judge->candidates = rs_allocate(judge->ranks, 2 * sizeof(*judge->candidates), what, error);
  if (error->status != RS_OK)
    return error->status;
  for (size_t i = 0; i < row->iterations; i++)
    if (iterations[i].flags == 0)
      judge->rows[judge->count++] = &samples[i * judge->ranks];
  return RS_OK;
}

static int64_t moment(const struct rs_sample *sample, enum rs_straggler_kind kind) {
  switch (kind) {
  case RS_STRAGGLER_ENTERED:
    return sample->entry_ns;
  case RS_STRAGGLER_LEFT:
    return sample->exit_ns;
  case RS_STRAGGLER_TOOK:
    break;
  }
  return sample->exit_ns - sample->entry_ns;
}

static int compare_arrivals(const void *left, const void *right) {
  int64_t a = ((const struct arrival *)left)->time, b = ((const struct arrival *)right)->time;
  return (a > b) - (a < b);
}

// The median of all sorted arrivals but the one at `skipped`.
static double median_of_others(const struct arrival *sorted, size_t count, size_t skipped) {
  size_t upper = (count - 1) / 2, lower = (count - 2) / 2; // among the others
  upper += upper >= skipped;
  lower += lower >= skipped;
  return (double)sorted[lower].time + (double)(sorted[upper].time - sorted[lower].time) / 2;
}

static void sort_arrivals(struct judge *judge, enum rs_straggler_kind kind) {
  struct arrival *arrivals = judge->arrivals;
  size_t ranks = judge->ranks;
  for (size_t i = 0; i < judge->count; i++) {
    for (uint32_t r = 0; r < ranks; r++)
      arrivals[r] = (struct arrival){moment(&judge->rows[i][r], kind), r};
    qsort(arrivals, ranks, sizeof(*arrivals), compare_arrivals);
    for (size_t a = 0; a < ranks; a++)
      judge->late[arrivals[a].rank * judge->count + i] =
          (double)arrivals[a].time - median_of_others(arrivals, ranks, a);
    judge->last[i] = arrivals[ranks - 1].time > arrivals[ranks - 2].time ? arrivals[ranks - 1].rank : NOBODY;
  }
}

// How likely one of so many ranks is last so often by chance. A rank that was last is likely to be so again, so the
// iterations count for as many as they are worth.
static double chance_of_last(struct judge *judge, uint32_t rank, double *share) {
  size_t times = 0;
  for (size_t i = 0; i < judge->count; i++) {
    judge->indicator[i] = judge->last[i] == rank;
    times += judge->last[i] == rank;
  }
  *share = (double)times / (double)judge->count;
  double worth = rs_stats_effective_count(judge->indicator, judge->scratch, judge->count);
  return rs_stats_binomial_tail((size_t)worth, (size_t)(*share * floor(worth)), 1 / (double)judge->ranks);
}

static void judge_kind(struct judge *judge, const struct rs_case_row *row, enum rs_straggler_kind kind) {
  double threshold = fmax(MEDIAN_PART * row->median_ns * row->batch, CLOCK_FACTOR * (double)row->sync_error_ns);
  sort_arrivals(judge, kind);
  for (uint32_t r = 0; r < judge->ranks; r++) {
    double *late = &judge->late[r * judge->count];
    rs_stats_sort(late, judge->count);
    struct rs_straggler found = {.rank = r, .kind = kind, .late_ns = rs_stats_quantile(late, judge->count, 0.5)};
    if (!(found.late_ns > threshold))
      continue;
    found.doubtful = kind != RS_STRAGGLER_TOOK && found.late_ns <= (double)row->sync_bound_ns;
    double chance = chance_of_last(judge, r, &found.share);
    judge->candidates[judge->candidate_count++] = (struct candidate){found, chance};
  }
}

static int compare_chances(const void *left, const void *right) {
  double a = ((const struct candidate *)left)->chance, b = ((const struct candidate *)right)->chance;
  return (a > b) - (a < b);
}

static int compare_findings(const void *left, const void *right) {
  const struct rs_straggler *a = left, *b = right;
  if (a->kind != b->kind)
    return a->kind < b->kind ? -1 : 1;
  return (a->late_ns < b->late_ns) - (a->late_ns > b->late_ns);
}

// True when there is something to attribute.
static bool is_judged(const struct rs_case_row *row, const struct judge *judge) {
  return judge->ranks >= 2 && judge->count >= ITERATIONS_MIN && isfinite(row->median_ns);
}

// Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statistics 6, 1979. A rank that is not
// late enough to matter stands for a chance of 1, so only candidates need sorting, but all tests count.
static size_t select_findings(struct judge *judge, size_t tests, struct rs_straggler *findings) {
  size_t count = 0;
  qsort(judge->candidates, judge->candidate_count, sizeof(*judge->candidates), compare_chances);
  while (count < judge->candidate_count && judge->candidates[count].chance * (double)(tests - count) <= ALPHA) {
    findings[count] = judge->candidates[count].found;
    count++;
  }
  qsort(findings, count, sizeof(*findings), compare_findings);
  return count;
}

// With a root, who leaves last or takes longest follows from the tree: in a reduce it is the root, every time.
static enum rs_status judge_case(const struct rs_case_row *row, const struct rs_iteration_row *iterations,
                                 const struct rs_sample *samples, struct rs_straggler *findings, size_t *count,
                                 bool *judged, struct rs_error *error) {
  struct judge judge;
  *count = 0;
  *judged = false;
  if (judge_init(&judge, row, iterations, samples, error) < 0)
    goto fini_judge;
  *judged = is_judged(row, &judge);
  if (*judged && row->sync_error_ns >= 0) {
    judge_kind(&judge, row, RS_STRAGGLER_ENTERED);
    if (row->root < 0)
      judge_kind(&judge, row, RS_STRAGGLER_LEFT);
    *count = select_findings(&judge, 2 * judge.ranks, findings);
  } else if (*judged && row->root < 0) {
    judge_kind(&judge, row, RS_STRAGGLER_TOOK);
    *count = select_findings(&judge, judge.ranks, findings);
  }

fini_judge:
  judge_fini(&judge);
  return error->status;
}

enum rs_status rs_stragglers_case(const struct rs_case_row *row, const struct rs_iteration_row *iterations,
                                  const struct rs_sample *samples, struct rs_straggler *findings, size_t *count,
                                  struct rs_error *error) {
  bool judged;
  return judge_case(row, iterations, samples, findings, count, &judged, error);
}

// ---- the run ----------------------------------------------------------------------------------------------

static enum rs_status find_in_case(const struct rs_result *result, size_t index, struct rs_stragglers *stragglers,
                                   struct rs_error *error) {
  const struct rs_case_row *row = &result->cases[index];
  struct rs_iteration_row *iterations;
  struct rs_sample *samples;
  size_t count = 0, room;
  bool judged = false;
  if (rs_result_samples(result, row, &iterations, &samples, error) < 0)
    return error->status;
  struct rs_straggler *grown = NULL;
  if (rs_add_size(stragglers->finding_count, 2 * (size_t)row->rank_count, &room))
    grown = reallocarray(stragglers->findings, room, sizeof(*grown));
  if (grown == NULL) {
    rs_error_set_memory(error, 2 * (size_t)row->rank_count * sizeof(*grown), "stragglers");
    goto free_samples;
  }
  stragglers->findings = grown;
  struct rs_straggler *findings = grown + stragglers->finding_count;
  if (judge_case(row, iterations, samples, findings, &count, &judged, error) < 0)
    goto free_samples;
  for (size_t f = 0; f < count; f++)
    findings[f].index = index;
  stragglers->finding_count += count;
  stragglers->judged += judged;
  stragglers->local += judged && row->sync_error_ns < 0;

free_samples:
  free(iterations);
  free(samples);
  return error->status;
}

static bool several_implementations(const struct rs_result *result) {
  for (size_t i = 1; i < result->case_count; i++)
    if (strcmp(result->cases[i].implementation, result->cases[0].implementation) != 0)
      return true;
  return false;
}

// The medians of what the cases say of one rank and kind; `values` is room for 2 x finding_count. cases = 0: nothing.
static struct rs_straggler_rank summarise_rank(const struct rs_result *result, const struct rs_stragglers *stragglers,
                                               const struct rs_straggler *like, double *values) {
  struct rs_straggler_rank rank = {.rank = like->rank, .kind = like->kind};
  double *shares = values, *late = values + stragglers->finding_count;
  bool one = several_implementations(result);
  for (size_t f = 0; f < stragglers->finding_count; f++) {
    const struct rs_straggler *finding = &stragglers->findings[f];
    if (finding->rank != like->rank || finding->kind != like->kind || finding->doubtful)
      continue;
    const char *implementation = result->cases[finding->index].implementation;
    one = one && (rank.only == NULL || strcmp(rank.only, implementation) == 0);
    rank.only = implementation;
    shares[rank.cases] = finding->share;
    late[rank.cases++] = finding->late_ns;
  }
  if (rank.cases == 0)
    return rank;
  rs_stats_sort(shares, rank.cases);
  rs_stats_sort(late, rank.cases);
  rank.share = rs_stats_quantile(shares, rank.cases, 0.5);
  rank.late_ns = rs_stats_quantile(late, rank.cases, 0.5);
  rank.only = one ? rank.only : NULL;
  rank.run_wide = rank.only == NULL && RUN_WIDE_PART * rank.cases >= stragglers->judged;
  return rank;
}

static int compare_ranks(const void *left, const void *right) {
  const struct rs_straggler_rank *a = left, *b = right;
  if (a->run_wide != b->run_wide)
    return a->run_wide ? -1 : 1;
  if (a->cases != b->cases)
    return a->cases > b->cases ? -1 : 1;
  return (a->late_ns < b->late_ns) - (a->late_ns > b->late_ns);
}

static bool is_summarised(const struct rs_stragglers *stragglers, const struct rs_straggler *like) {
  for (size_t r = 0; r < stragglers->rank_count; r++)
    if (stragglers->ranks[r].rank == like->rank && stragglers->ranks[r].kind == like->kind)
      return true;
  return false;
}

static enum rs_status summarise_run(const struct rs_result *result, struct rs_stragglers *stragglers,
                                    struct rs_error *error) {
  size_t count = stragglers->finding_count;
  if (count == 0)
    return RS_OK;
  double *values = rs_allocate(count, 2 * sizeof(*values), "stragglers", error);
  stragglers->ranks = rs_allocate(count, sizeof(*stragglers->ranks), "stragglers", error);
  for (size_t f = 0; error->status == RS_OK && f < count; f++) {
    const struct rs_straggler *finding = &stragglers->findings[f];
    if (!finding->doubtful && !is_summarised(stragglers, finding))
      stragglers->ranks[stragglers->rank_count++] = summarise_rank(result, stragglers, finding, values);
  }
  free(values);
  if (error->status == RS_OK)
    qsort(stragglers->ranks, stragglers->rank_count, sizeof(*stragglers->ranks), compare_ranks);
  return error->status;
}

// What all ranks do alike: a pair has nothing to do with the others, and neither has a rank that only congests.
static bool is_common(const struct rs_case_row *row) {
  return rs_report_collective(row) && row->measured_ranks == row->rank_count;
}

enum rs_status rs_stragglers_find(const struct rs_result *result, struct rs_stragglers *stragglers,
                                  struct rs_error *error) {
  struct rs_stragglers found = {0};
  enum rs_status status = RS_OK;
  for (size_t i = 0; status == RS_OK && i < result->case_count; i++)
    if (rs_report_usable(&result->cases[i]) && is_common(&result->cases[i]))
      status = find_in_case(result, i, &found, error);
  if (status == RS_OK)
    status = summarise_run(result, &found, error);
  if (status == RS_OK)
    *stragglers = found;
  else
    rs_stragglers_fini(&found);
  return status;
}

void rs_stragglers_fini(struct rs_stragglers *stragglers) {
  free(stragglers->findings);
  free(stragglers->ranks);
  *stragglers = (struct rs_stragglers){0};
}
