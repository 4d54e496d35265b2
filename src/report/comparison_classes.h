// comparison_classes: the family on which verdicts are spoken. Per class and launch, the sum of the logarithms over the
// cases that every launch has.
#ifndef RINGSIDE_REPORT_COMPARISON_CLASSES_H
#define RINGSIDE_REPORT_COMPARISON_CLASSES_H

#include "ringside/report.h"

struct rs_class_sums {
  size_t counts[2]; // launches of baseline and candidate
  struct rs_class_sum {
    size_t case_count, left_out;
    uint64_t smallest, largest;
    double *logs; // per launch, baseline's first
  } classes[RS_CLASS_METRICS][RS_SIZE_CLASSES];
};
enum rs_status rs_class_sums_init(struct rs_class_sums *sums, size_t baseline, size_t candidate,
                                  struct rs_error *error);
void rs_class_sums_fini(struct rs_class_sums *sums); // {0} is fine
// Adds a case that both sets have; rows: each launch's, NULL where it has none.
void rs_class_sums_add(struct rs_class_sums *sums, const struct rs_case_row *identity,
                       const struct rs_case_row *const *rows);
// Fills comparison->classes and p_smallest: every class of these metrics (0: the default ones) with cases of both sets.
enum rs_status rs_class_sums_judge(const struct rs_class_sums *sums, unsigned metrics, struct rs_comparison *comparison,
                                   struct rs_error *error);

#endif
