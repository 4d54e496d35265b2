// fit_fabric: a fit, as a table for people and as a fabric file.
#ifndef RINGSIDE_BENCH_FIT_FABRIC_H
#define RINGSIDE_BENCH_FIT_FABRIC_H

#include "fit_points.h"

struct fit_report {
  const struct fit_points *points;
  const struct rs_fabric_fitted *fitted; // RS_DISTANCE_COUNT
  const char *name;                      // of the fabric
  size_t launches, hosts;                // hosts: of the first launch
};
// The parameters with their intervals, and what the times do not tell.
void fit_report_print(const struct fit_report *report, FILE *file);
// Appends the fabric file: each figure with a comment on where it is from. False: no distance has a latency.
bool fit_report_format(const struct fit_report *report, struct rs_text *text);

#endif
