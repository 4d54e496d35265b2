#include "ringside/report.h"

#include "report/report_table.h"

void rs_report_table(const struct rs_result *result, FILE *file) {
  static const struct rs_layout *const layouts[] = {&rs_block_layout, &rs_pairs_layout, &rs_kernels_layout,
                                                    &rs_slowdown_layout};
  struct rs_error error = {0};
  rs_report_header(result, file);
  for (size_t l = 0; error.status == RS_OK && l < RS_ARRAY_LENGTH(layouts); l++)
    if (rs_grid_walk(result, layouts[l], file, &error) < 0)
      fprintf(file, "\nthe table ends here: %s\n", error.text);
  rs_report_notes(result, file);
}
