// What background traffic does to a case: its median and 99th percentile beside those of its quiet twin, as slowdown
// factors. GPCNeT reports the same two for its victims, as "congestion impact" (Chunduri et al., "GPCNeT: Designing a
// Benchmark Suite for Inducing and Measuring Contention in HPC Networks", SC'19).
#include "report/report_labels.h"
#include "report/report_table.h"

#include <math.h>
#include <string.h>

static bool has_traffic(const struct rs_case_row *row) {
  return row->congestor[0] != '\0';
}

static const struct rs_case_row *find_quiet(const struct rs_grid *grid, size_t point) {
  for (size_t c = 0; c < grid->column_count; c++)
    if (rs_report_quiet(grid->columns[c]))
      return rs_grid_cell(grid, point, c);
  return NULL;
}

static void print_ratio(struct rs_table *table, double loaded_ns, double quiet_ns) {
  char label[RS_LABEL_BYTES];
  double ratio = loaded_ns / quiet_ns;
  rs_table_cell(table, "%s", isfinite(ratio) ? rs_label_factor(ratio, label) : "-");
}

// Both medians are in their intervals in at least 90% of runs, each being there in 95% (Bonferroni); so is then their
// ratio between the ratios of opposite ends.
static void print_interval(struct rs_table *table, const struct rs_case_row *loaded, const struct rs_case_row *quiet) {
  char low_label[RS_LABEL_BYTES], high_label[RS_LABEL_BYTES];
  double low = loaded->ci_low_ns / quiet->ci_high_ns, high = loaded->ci_high_ns / quiet->ci_low_ns;
  if (isfinite(low) && isfinite(high))
    rs_table_cell(table, "%s - %s", rs_label_factor(low, low_label), rs_label_factor(high, high_label));
  else
    rs_table_cell(table, "-");
}

static void print_time(struct rs_table *table, const struct rs_case_row *row, double ns) {
  char label[RS_LABEL_BYTES];
  rs_table_cell(table, "%s", rs_report_usable(row) ? rs_label_us(ns, label) : rs_label_missing(row));
}

static void print_line(const struct rs_case_row *loaded, const struct rs_case_row *quiet, struct rs_table *table) {
  static const struct rs_case_row nothing = {.median_ns = NAN, .ci_low_ns = NAN, .ci_high_ns = NAN, .p99_ns = NAN};
  const struct rs_case_row *with = rs_report_usable(loaded) ? loaded : &nothing;
  const struct rs_case_row *without = rs_report_usable(quiet) ? quiet : &nothing;
  char label[RS_LABEL_BYTES];
  rs_table_cell(table, "  %s%s%s", rs_label_case(loaded, label), loaded->pairing[0] != '\0' ? ", " : "",
                loaded->pairing);
  rs_table_cell(table, "%s", rs_label_size(loaded->size_bytes, label));
  rs_table_cell(table, "%s", loaded->congestor);
  print_time(table, quiet, without->median_ns);
  print_time(table, loaded, with->median_ns);
  print_ratio(table, with->median_ns, without->median_ns);
  print_interval(table, with, without);
  print_time(table, quiet, without->p99_ns);
  print_time(table, loaded, with->p99_ns);
  print_ratio(table, with->p99_ns, without->p99_ns);
}

static enum rs_status print_slowdown(const struct rs_grid *grid, FILE *file, struct rs_error *error) {
  (void)error; // a table says itself when it ran out of memory
  static const struct {
    enum rs_align align;
    const char *heading;
  } columns[] = {{RS_ALIGN_LEFT, "  slowdown of"}, {RS_ALIGN_RIGHT, "size"},      {RS_ALIGN_LEFT, "beside"},
                 {RS_ALIGN_RIGHT, "median us"},    {RS_ALIGN_RIGHT, "loaded us"}, {RS_ALIGN_RIGHT, "slowdown"},
                 {RS_ALIGN_RIGHT, "interval"},     {RS_ALIGN_RIGHT, "p99 us"},    {RS_ALIGN_RIGHT, "loaded us"},
                 {RS_ALIGN_RIGHT, "slowdown"}};
  char label[RS_LABEL_BYTES];
  struct rs_table *table = rs_table_open();
  fprintf(file, "\n%s\n", rs_label_roles(grid->points[0], RS_FIELD_FAMILY | RS_FIELD_ELEMENT | RS_FIELD_PLACE, label));
  for (size_t c = 0; c < RS_ARRAY_LENGTH(columns); c++)
    rs_table_column(table, columns[c].align, columns[c].heading);
  for (size_t p = 0; p < grid->point_count; p++) {
    const struct rs_case_row *quiet = find_quiet(grid, p);
    for (size_t c = 0; c < grid->column_count; c++) {
      const struct rs_case_row *loaded = rs_grid_cell(grid, p, c);
      if (loaded != NULL && !rs_report_quiet(loaded))
        print_line(loaded, quiet, table);
    }
  }
  rs_table_print(table, file);
  rs_table_close(table);
  return RS_OK;
}

const struct rs_layout rs_slowdown_layout = {
    .holds = has_traffic,
    .family = RS_FIELD_FAMILY | RS_FIELD_ELEMENT | RS_FIELD_PLACE,
    .column = RS_FIELD_TRAFFIC,
    .point = RS_FIELD_COLUMN | RS_FIELD_POINT | RS_FIELD_PAIRING,
    .print = print_slowdown,
};
