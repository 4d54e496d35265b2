// report_grid: the cases of a result laid out as tables of points x columns.
#ifndef RINGSIDE_REPORT_REPORT_GRID_H
#define RINGSIDE_REPORT_REPORT_GRID_H

#include "report/report_fields.h"

struct rs_grid {
  const struct rs_result *result;
  const struct rs_case_row **columns; // a representative per column, in the order of the file
  const struct rs_case_row **points;  // a representative per point, rising
  const struct rs_case_row **cells;   // [point][column]; NULL: not planned
  size_t column_count, point_count;
};

// How cases become tables: of those that `holds` takes, rows that agree in the roles of `family` make one grid, with a
// column for each value of the roles in `column` and a point for each value of those in `point`. No two cases agree in
// all three.
struct rs_layout {
  bool (*holds)(const struct rs_case_row *row);
  unsigned family, column, point;
  enum rs_status (*print)(const struct rs_grid *grid, FILE *file, struct rs_error *error);
};
// Walks a result family by family, in the order of the file, and prints each grid; stops at the first error (out of
// memory).
enum rs_status rs_grid_walk(const struct rs_result *result, const struct rs_layout *layout, FILE *file,
                            struct rs_error *error);
const struct rs_case_row *rs_grid_cell(const struct rs_grid *grid, size_t point, size_t column);

// What kind of case it is: the three are told apart by `benchmark`.
bool rs_report_collective(const struct rs_case_row *row);
bool rs_report_paired(const struct rs_case_row *row);
bool rs_report_kernel(const struct rs_case_row *row);
// Whether it is measured with nothing beside it, in a run that has other cases too.
bool rs_report_quiet(const struct rs_case_row *row);
size_t rs_report_count(const struct rs_result *result, bool (*matches)(const struct rs_case_row *row));
// True for a case whose time may be shown and compared: finished, not failed, with a median above 0.
bool rs_report_usable(const struct rs_case_row *row);

#endif
