// Reduction kernels beside memcpy:
//
//   datatype  operation   size  memcpy  portable  of memcpy   avx2  of memcpy
//   float32   sum        4 KiB   21.30     9.310      0.44x  19.80      0.93x
#include "report/report_labels.h"
#include "report/report_table.h"

#include <string.h>

static bool is_memcpy(const struct rs_case_row *row) {
  return strcmp(row->implementation, "memcpy") == 0;
}

// The copy of as many bytes, whatever type it was counted in; NULL: none was planned.
static const struct rs_case_row *find_memcpy(const struct rs_grid *grid, uint64_t size_bytes) {
  const struct rs_case_row *found = NULL;
  for (size_t cell = 0; cell < grid->point_count * grid->column_count; cell++) {
    const struct rs_case_row *row = grid->cells[cell];
    if (row != NULL && is_memcpy(row) && row->size_bytes == size_bytes && !rs_report_usable(found))
      found = row;
  }
  return found;
}

static bool has_kernel(const struct rs_grid *grid, size_t point) {
  for (size_t c = 0; c < grid->column_count; c++)
    if (rs_grid_cell(grid, point, c) != NULL && !is_memcpy(grid->columns[c]))
      return true;
  return false;
}

static void print_rate(struct rs_table *table, const struct rs_case_row *row) {
  char label[RS_LABEL_BYTES];
  rs_table_cell(table, "%s", rs_report_usable(row) ? rs_label_gb_s(row->algbw_gb_s, label) : rs_label_missing(row));
}

static void print_point(const struct rs_grid *grid, size_t point, struct rs_table *table) {
  char label[RS_LABEL_BYTES];
  const struct rs_case_row *identity = grid->points[point], *copy = find_memcpy(grid, identity->size_bytes);
  rs_table_cell(table, "  %s", identity->datatype);
  rs_table_cell(table, "%s", identity->operation);
  rs_table_cell(table, "%s", rs_label_size(identity->size_bytes, label));
  print_rate(table, copy);
  for (size_t c = 0; c < grid->column_count; c++) {
    if (is_memcpy(grid->columns[c]))
      continue;
    const struct rs_case_row *row = rs_grid_cell(grid, point, c);
    print_rate(table, row);
    bool comparable = rs_report_usable(row) && rs_report_usable(copy);
    rs_table_cell(table, "%s", comparable ? rs_label_factor(copy->median_ns / row->median_ns, label) : "-");
  }
}

static enum rs_status print_kernels(const struct rs_grid *grid, FILE *file, struct rs_error *error) {
  (void)error; // a table says itself when it ran out of memory
  char label[RS_LABEL_BYTES];
  struct rs_table *table = rs_table_open();
  fprintf(file, "\n%s: GB/s of results\n", rs_label_roles(grid->points[0], RS_FIELD_FAMILY, label));
  rs_table_column(table, RS_ALIGN_LEFT, "  datatype");
  rs_table_column(table, RS_ALIGN_LEFT, "operation");
  rs_table_column(table, RS_ALIGN_RIGHT, "size");
  rs_table_column(table, RS_ALIGN_RIGHT, "memcpy");
  for (size_t c = 0; c < grid->column_count; c++) {
    if (is_memcpy(grid->columns[c]))
      continue;
    rs_table_column(table, RS_ALIGN_RIGHT, rs_label_column_short(grid, c, label));
    rs_table_column(table, RS_ALIGN_RIGHT, "of memcpy");
  }
  for (size_t p = 0; p < grid->point_count; p++)
    if (has_kernel(grid, p))
      print_point(grid, p, table);
  rs_table_print(table, file);
  rs_table_close(table);
  return RS_OK;
}

const struct rs_layout rs_kernels_layout = {
    .holds = rs_report_kernel,
    .family = RS_FIELD_FAMILY | RS_FIELD_PLACE | RS_FIELD_TRAFFIC,
    .column = RS_FIELD_COLUMN,
    .point = RS_FIELD_ELEMENT | RS_FIELD_POINT,
    .print = print_kernels,
};
