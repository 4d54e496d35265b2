// comparison_mismatch: says why two sets have no case in common.
#ifndef RINGSIDE_REPORT_COMPARISON_MISMATCH_H
#define RINGSIDE_REPORT_COMPARISON_MISMATCH_H

#include "ringside/store.h"

// The different finished cases of a set, and how many launches it has.
struct rs_case_set {
  const struct rs_case_row **rows;
  size_t count, launches;
};

// Fills `error` and returns USAGE; `unverified` cases were left out because their data was wrong.
enum rs_status rs_comparison_mismatch(const struct rs_case_set *baseline, const struct rs_case_set *candidate,
                                      size_t unverified, struct rs_error *error);

#endif
