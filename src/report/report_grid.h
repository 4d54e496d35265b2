// report_grid: the cases of one family laid out as points x columns.
#ifndef RINGSIDE_REPORT_REPORT_GRID_H
#define RINGSIDE_REPORT_REPORT_GRID_H

#include "report/report_fields.h"

struct rs_grid {
  const struct rs_case_row **columns; // a representative per column, in the order of the file
  const struct rs_case_row **points;  // a representative per point, rising
  const struct rs_case_row **cells;   // [point][column]; NULL: not planned
  size_t column_count, point_count;
};

// Walks a result family by family, in the order of the file: rows that agree in `family_roles` make one grid, with a
// column for each value of `column_roles`. Prints each grid with `print`; stops at the first error (out of memory).
enum rs_status rs_grid_walk(const struct rs_result *result, unsigned family_roles, unsigned column_roles,
                            enum rs_status (*print)(const struct rs_grid *grid, FILE *file, struct rs_error *error),
                            FILE *file, struct rs_error *error);
const struct rs_case_row *rs_grid_cell(const struct rs_grid *grid, size_t point, size_t column);

// True for a case whose time may be shown and compared: finished, not failed, with a median above 0.
bool rs_report_usable(const struct rs_case_row *row);

#endif
