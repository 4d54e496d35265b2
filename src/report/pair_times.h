// pair_times: what the pairs of some point to point cases took, and which of them are unlike the others. All times are
// of one operation; what is shown is a figure that follows from the time.
#ifndef RINGSIDE_REPORT_PAIR_TIMES_H
#define RINGSIDE_REPORT_PAIR_TIMES_H

#include "report/report_labels.h"

struct rs_pair_time {
  uint32_t rank_a, rank_b;
  bool between_hosts;
  double median_ns, low_ns, high_ns; // the ends of the interval; the median where there is none
};
struct rs_pair_times {
  struct rs_pair_time *items; // in the order of the file
  size_t count, planned;
};
// The measured pairs of the usable ones among `cases`; NULL entries are skipped. rs_pair_times_fini is the caller's,
// after an error too.
enum rs_status rs_pair_times_init(struct rs_pair_times *times, const struct rs_result *result,
                                  const struct rs_case_row *const *cases, size_t case_count, struct rs_error *error);
void rs_pair_times_fini(struct rs_pair_times *times);

// The pairs of one kind: within a host, or between hosts. `median_ns` is the median over the pairs.
struct rs_pair_kind {
  size_t count;
  double fastest_ns, median_ns, slowest_ns;
  bool uniform; // no pair is off the median
};
// `values` is room for all times.
struct rs_pair_kind rs_pair_kind_of(const struct rs_pair_times *times, bool between_hosts, double *values);
// How far a pair is off the median of its kind: 1: slower, -1: faster, 0: no more than its own interval explains.
int rs_pair_off(const struct rs_pair_time *time, double median_ns);

// How a time is shown.
struct rs_pair_figure {
  const char *what, *unit; // "half of the round trip", "us"
  double numerator;        // figure = numerator / time in ns; 0: half the time, in us
};
struct rs_pair_figure rs_pair_figure_of(const struct rs_case_row *row);
const char *rs_pair_figure_label(const struct rs_pair_figure *figure, double ns, char label[RS_LABEL_BYTES]);
// Bytes of one message.
uint64_t rs_pair_message_bytes(const struct rs_case_row *row);

#endif
