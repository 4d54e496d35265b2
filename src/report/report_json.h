// report_json: values for jansson that never fail for their content. All return NULL only when out of memory, which
// json_object_set_new and json_array_append_new pass on.
#ifndef RINGSIDE_REPORT_REPORT_JSON_H
#define RINGSIDE_REPORT_REPORT_JSON_H

#include "report/report_fields.h"

#include <jansson.h>

// Bytes outside ASCII become '?' where the text is not valid UTF-8 (a fixed-size field may end inside a character).
json_t *rs_json_text(const char *text, size_t length);
json_t *rs_json_real(double value); // NaN and infinity become null
json_t *rs_json_integer(uint64_t value);
json_t *rs_json_field(const struct rs_field *field, const struct rs_case_row *row);
json_t *rs_json_host(const struct rs_host_facts *host);
json_t *rs_json_rank(size_t rank, const struct rs_rank_facts *facts);
// Adds a member or an item; once anything failed the container is NULL and stays so, and only the end needs a check.
void rs_json_set(json_t **object, const char *key, json_t *value);
void rs_json_append(json_t **array, json_t *value);
// Writes the value and a newline, and gives it up. NULL: out of memory.
enum rs_status rs_json_print(json_t *value, FILE *file, struct rs_error *error);

#endif
