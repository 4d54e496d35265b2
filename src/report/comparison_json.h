// comparison_json: a comparison as jansson's values, for itself and inside a gate. NULL only when out of memory.
#ifndef RINGSIDE_REPORT_COMPARISON_JSON_H
#define RINGSIDE_REPORT_COMPARISON_JSON_H

#include "report/report_json.h"
#include "ringside/report.h"

json_t *rs_comparison_json_object(const struct rs_comparison *comparison);
json_t *rs_comparison_json_class(const struct rs_comparison *comparison, const struct rs_comparison_class *class);

#endif
