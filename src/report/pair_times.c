#include "report/pair_times.h"
#include "ringside/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BURST_MESSAGES 256 // of one operation of the algorithm "burst"

// A pair is off the median when its time misses it by more than 2.5 times the arm of its own 95% interval, and by more
// than 1%, below which nobody acts. That is 4.9 standard errors, which chance exceeds in one pair of a million: the
// matrix of 100 ranks that are all alike has 4,950.
#define ARMS 2.5
#define MEDIAN_PART 0.01

static bool between_hosts(const struct rs_result *result, const struct rs_pair_row *pair) {
  return result->placement.ranks[pair->rank_a].host != result->placement.ranks[pair->rank_b].host;
}

static struct rs_pair_time make_time(const struct rs_result *result, const struct rs_pair_row *pair) {
  double low = isfinite(pair->ci_low_ns) ? pair->ci_low_ns : pair->median_ns;
  double high = isfinite(pair->ci_high_ns) ? pair->ci_high_ns : pair->median_ns;
  return (struct rs_pair_time){.rank_a = pair->rank_a,
                               .rank_b = pair->rank_b,
                               .between_hosts = between_hosts(result, pair),
                               .median_ns = pair->median_ns,
                               .low_ns = low,
                               .high_ns = high};
}

enum rs_status rs_pair_times_init(struct rs_pair_times *times, const struct rs_result *result,
                                  const struct rs_case_row *const *cases, size_t case_count, struct rs_error *error) {
  *times = (struct rs_pair_times){0};
  bool *wanted = rs_allocate(result->case_count, sizeof *wanted, "pairs", error);
  times->items = rs_allocate(result->pair_count, sizeof *times->items, "pairs", error);
  if (wanted == NULL || times->items == NULL)
    goto free_wanted;
  for (size_t c = 0; c < case_count; c++)
    if (cases[c] != NULL)
      wanted[cases[c]->case_id] = true;
  for (size_t p = 0; p < result->pair_count; p++) {
    const struct rs_pair_row *pair = &result->pairs[p];
    if (!wanted[pair->case_id])
      continue;
    times->planned++;
    if (rs_report_usable(&result->cases[pair->case_id]) && isfinite(pair->median_ns) && pair->median_ns > 0)
      times->items[times->count++] = make_time(result, pair);
  }

free_wanted:
  free(wanted);
  return error->status;
}

void rs_pair_times_fini(struct rs_pair_times *times) {
  free(times->items);
  *times = (struct rs_pair_times){0};
}

int rs_pair_off(const struct rs_pair_time *time, double median_ns) {
  double slower = time->median_ns - median_ns, least = MEDIAN_PART * median_ns;
  if (slower > fmax(least, ARMS * (time->median_ns - time->low_ns)))
    return 1;
  return -slower > fmax(least, ARMS * (time->high_ns - time->median_ns)) ? -1 : 0;
}

struct rs_pair_kind rs_pair_kind_of(const struct rs_pair_times *times, bool between, double *values) {
  struct rs_pair_kind kind = {.uniform = true};
  for (size_t t = 0; t < times->count; t++)
    if (times->items[t].between_hosts == between)
      values[kind.count++] = times->items[t].median_ns;
  if (kind.count == 0)
    return kind;
  rs_stats_sort(values, kind.count);
  kind.fastest_ns = values[0];
  kind.median_ns = rs_stats_quantile(values, kind.count, 0.5);
  kind.slowest_ns = values[kind.count - 1];
  for (size_t t = 0; t < times->count; t++)
    if (times->items[t].between_hosts == between && rs_pair_off(&times->items[t], kind.median_ns) != 0)
      kind.uniform = false;
  return kind;
}

// ---- figures ----------------------------------------------------------------------------------------------

static bool is_burst(const struct rs_case_row *row) {
  return strcmp(row->algorithm, "burst") == 0;
}

// B / ns is GB/s, and messages / ns are thousands of M/s.
struct rs_pair_figure rs_pair_figure_of(const struct rs_case_row *row) {
  if (strcmp(row->collective, "pingpong") == 0)
    return (struct rs_pair_figure){"half of the round trip", "us", 0};
  if (is_burst(row))
    return (struct rs_pair_figure){"messages", "M/s", 1000.0 * BURST_MESSAGES};
  const char *what = strcmp(row->collective, "stream") == 0 ? "bandwidth one way" : "bandwidth each way";
  return (struct rs_pair_figure){what, "GB/s", (double)row->size_bytes};
}

const char *rs_pair_figure_label(const struct rs_pair_figure *figure, double ns, char label[RS_LABEL_BYTES]) {
  return figure->numerator > 0 ? rs_label_gb_s(figure->numerator / ns, label) : rs_label_us(ns / 2, label);
}

uint64_t rs_pair_message_bytes(const struct rs_case_row *row) {
  return is_burst(row) ? row->size_bytes / BURST_MESSAGES : row->size_bytes;
}
