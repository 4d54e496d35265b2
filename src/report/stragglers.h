// stragglers: what only report itself needs of them.
#ifndef RINGSIDE_REPORT_STRAGGLERS_H
#define RINGSIDE_REPORT_STRAGGLERS_H

#include "report/report_json.h"
#include "ringside/report.h"

// Counts, the ranks of the run and the findings case by case, as one object; NULL: out of memory.
json_t *rs_stragglers_json(const struct rs_result *result, const struct rs_stragglers *stragglers);

#endif
