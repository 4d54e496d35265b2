// case_filter: which cases are taken, by FIELD=VALUE of /cases.
#ifndef RINGSIDE_REPORT_CASE_FILTER_H
#define RINGSIDE_REPORT_CASE_FILTER_H

#include "ringside/store.h"

// USAGE when one of them is not FIELD=VALUE with an identity field.
enum rs_status rs_case_filter_check(const char *const *where, size_t count, struct rs_error *error);
// True when for every field that is named one of its values is the row's.
bool rs_case_filter_takes(const char *const *where, size_t count, const struct rs_case_row *row);

#endif
