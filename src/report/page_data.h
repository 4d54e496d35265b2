// page_data: what the web page knows of one result, as JSON: what `show --json` has, and the tables and samples that
// only pictures need, as arrays of numbers.
#ifndef RINGSIDE_REPORT_PAGE_DATA_H
#define RINGSIDE_REPORT_PAGE_DATA_H

#include "report/report_json.h"

// NULL after an error. Of each case every stride-th iteration is kept; *kept grows by their number.
json_t *rs_page_data_make(const struct rs_result *result, size_t stride, uint64_t *kept, struct rs_error *error);

// What `print` writes, parsed. NULL after an error, which `print` fills if it fails.
typedef enum rs_status rs_page_print(const void *subject, FILE *file, struct rs_error *error);
json_t *rs_page_data_parse(rs_page_print *print, const void *subject, struct rs_error *error);

#endif
