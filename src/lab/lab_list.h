// lab_list: whether there is anything of a lab.
#ifndef RINGSIDE_LAB_LIST_H
#define RINGSIDE_LAB_LIST_H

#include "ringside/lab.h"

enum rs_status rs_lab_count_namespaces(const char *name, size_t *count, struct rs_error *error);
// USAGE when there is neither a namespace nor state of a lab of that name; the error names the labs that there are.
enum rs_status rs_lab_find(const char *name, size_t *namespaces, struct rs_error *error);

#endif
