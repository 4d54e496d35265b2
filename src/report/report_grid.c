#include "report/report_grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void collect_columns(struct rs_grid *grid, const struct rs_case_row *const *rows, size_t count, unsigned roles) {
  for (size_t i = 0; i < count; i++) {
    size_t column = 0;
    while (column < grid->column_count && rs_report_compare_rows(grid->columns[column], rows[i], roles) != 0)
      column++;
    if (column == grid->column_count)
      grid->columns[grid->column_count++] = rows[i];
  }
}

static int compare_points(const void *left, const void *right, void *roles) {
  return rs_report_compare_rows(*(const struct rs_case_row *const *)left, *(const struct rs_case_row *const *)right,
                                *(const unsigned *)roles);
}

// Sorts a copy of the rows by point and keeps one of each.
static void collect_points(struct rs_grid *grid, const struct rs_case_row *const *rows, size_t count, unsigned roles) {
  memcpy(grid->points, rows, count * sizeof(const struct rs_case_row *));
  qsort_r(grid->points, count, sizeof(*grid->points), compare_points, &roles);
  for (size_t i = 0; i < count; i++) {
    if (i == 0 || rs_report_compare_rows(grid->points[i], grid->points[grid->point_count - 1], roles) != 0)
      grid->points[grid->point_count++] = grid->points[i];
  }
}

static size_t find_point(const struct rs_grid *grid, const struct rs_case_row *row, unsigned roles) {
  size_t first = 0, end = grid->point_count;
  while (end - first > 1) {
    size_t middle = first + (end - first) / 2;
    if (rs_report_compare_rows(row, grid->points[middle], roles) < 0)
      end = middle;
    else
      first = middle;
  }
  return first;
}

static void place_rows(struct rs_grid *grid, const struct rs_case_row *const *rows, size_t count,
                       const struct rs_layout *layout) {
  for (size_t i = 0; i < count; i++) {
    size_t point = find_point(grid, rows[i], layout->point), column = 0;
    while (rs_report_compare_rows(grid->columns[column], rows[i], layout->column) != 0)
      column++;
    grid->cells[point * grid->column_count + column] = rows[i];
  }
}

static void free_grid(struct rs_grid *grid) {
  free(grid->columns);
  free(grid->points);
  free(grid->cells);
}

static enum rs_status fill_grid(struct rs_grid *grid, const struct rs_result *result,
                                const struct rs_case_row *const *rows, size_t count, const struct rs_layout *layout,
                                struct rs_error *error) {
  *grid = (struct rs_grid){.result = result};
  grid->columns = rs_allocate(count, sizeof(*grid->columns), "table columns", error);
  grid->points = rs_allocate(count, sizeof(*grid->points), "table rows", error);
  if (grid->columns == NULL || grid->points == NULL)
    goto free_partial;
  collect_columns(grid, rows, count, layout->column);
  collect_points(grid, rows, count, layout->point);
  size_t cell_count;
  if (!rs_multiply_size(grid->point_count, grid->column_count, &cell_count))
    cell_count = SIZE_MAX; // rs_allocate refuses it
  grid->cells = rs_allocate(cell_count, sizeof(*grid->cells), "table cells", error);
  if (grid->cells == NULL)
    goto free_partial;
  place_rows(grid, rows, count, layout);
  return RS_OK;

free_partial:
  free_grid(grid);
  return error->status;
}

// Takes the rows of the family of case `first` that are still free.
static size_t take_family(const struct rs_result *result, size_t first, const struct rs_layout *layout, bool *taken,
                          const struct rs_case_row **rows) {
  size_t count = 0;
  for (size_t i = first; layout->holds(&result->cases[first]) && i < result->case_count; i++) {
    const struct rs_case_row *row = &result->cases[i];
    if (!taken[i] && layout->holds(row) && rs_report_compare_rows(&result->cases[first], row, layout->family) == 0) {
      taken[i] = true;
      rows[count++] = row;
    }
  }
  return count;
}

enum rs_status rs_grid_walk(const struct rs_result *result, const struct rs_layout *layout, FILE *file,
                            struct rs_error *error) {
  if (result->case_count == 0)
    return RS_OK;
  enum rs_status status = RS_OK;
  bool *taken = rs_allocate(result->case_count, sizeof(*taken), "table", error);
  const struct rs_case_row **rows = rs_allocate(result->case_count, sizeof(*rows), "table", error);
  if (taken == NULL || rows == NULL)
    status = RS_ERROR_MEMORY;
  for (size_t first = 0; status == RS_OK && first < result->case_count; first++) {
    size_t count = take_family(result, first, layout, taken, rows);
    if (count == 0)
      continue;
    struct rs_grid grid;
    status = fill_grid(&grid, result, rows, count, layout, error);
    if (status != RS_OK)
      break;
    status = layout->print(&grid, file, error);
    free_grid(&grid);
  }
  free(rows);
  free(taken);
  return status;
}

const struct rs_case_row *rs_grid_cell(const struct rs_grid *grid, size_t point, size_t column) {
  return grid->cells[point * grid->column_count + column];
}

bool rs_report_paired(const struct rs_case_row *row) {
  return strcmp(row->benchmark, "p2p") == 0;
}

bool rs_report_kernel(const struct rs_case_row *row) {
  return strcmp(row->benchmark, "reduce") == 0;
}

bool rs_report_collective(const struct rs_case_row *row) {
  return !rs_report_paired(row) && !rs_report_kernel(row);
}

bool rs_report_quiet(const struct rs_case_row *row) {
  return strcmp(row->congestor, "none") == 0;
}

size_t rs_report_count(const struct rs_result *result, bool (*matches)(const struct rs_case_row *row)) {
  size_t count = 0;
  for (size_t i = 0; i < result->case_count; i++)
    count += matches(&result->cases[i]);
  return count;
}

bool rs_report_usable(const struct rs_case_row *row) {
  return row != NULL && row->finished && row->verified != RS_VERIFY_FAILED && isfinite(row->median_ns) &&
         row->median_ns > 0;
}
