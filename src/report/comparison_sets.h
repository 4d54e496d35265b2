// comparison_sets: the launches of a comparison, each once, and what sets the sets apart besides their times.
#ifndef RINGSIDE_REPORT_COMPARISON_SETS_H
#define RINGSIDE_REPORT_COMPARISON_SETS_H

#include "ringside/report.h"

// Fills set->launches and set->copies. USAGE for an empty set.
enum rs_status rs_comparison_set_make(const struct rs_result *const *results, size_t count, const char *name,
                                      struct rs_comparison_set *set, struct rs_error *error);
// USAGE when one launch is in both.
enum rs_status rs_comparison_sets_check(const struct rs_comparison_set sets[2], struct rs_error *error);
// Fills comparison->differences from its sets, but for the fact that is meant to differ (or NULL).
enum rs_status rs_comparison_differences(struct rs_comparison *comparison, const char *meant, struct rs_error *error);
// Fills comparison->warnings from everything else in it.
enum rs_status rs_comparison_warnings(struct rs_comparison *comparison, struct rs_error *error);

#endif
