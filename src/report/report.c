#include "ringside/report.h"

#include "report/report_table.h"

void rs_report_table(const struct rs_result *result, FILE *file) {
  struct rs_error error = {0};
  rs_report_header(result, file);
  if (rs_grid_walk(result, RS_FIELD_FAMILY | RS_FIELD_PLACE, RS_FIELD_COLUMN, rs_report_block, file, &error) < 0)
    fprintf(file, "\nthe table ends here: %s\n", error.text);
  rs_report_notes(result, file);
}
