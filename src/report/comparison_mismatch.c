#include "report/comparison_mismatch.h"

#include "report/report_fields.h"

#include <inttypes.h>

#define VALUES_NAMED_MAX 4

// The first row of a set whose field equals that of `row`.
static const struct rs_case_row *find_value(const struct rs_case_set *set, const struct rs_field *field,
                                            const struct rs_case_row *row) {
  for (size_t i = 0; i < set->count; i++)
    if (rs_field_compare(field, row, set->rows[i]) == 0)
      return set->rows[i];
  return NULL;
}

// True when no value of this field occurs in both sets: then this field alone keeps every case apart.
static bool is_disjoint(const struct rs_case_set *left, const struct rs_case_set *right, const struct rs_field *field) {
  for (size_t i = 0; i < left->count; i++)
    if (find_value(right, field, left->rows[i]) != NULL)
      return false;
  return true;
}

static void append_value(const struct rs_field *field, const struct rs_case_row *row, struct rs_text *text) {
  size_t length;
  if (field->kind != RS_FIELD_TEXT) {
    rs_text_append(text, "%" PRId64, rs_field_integer(field, row));
    return;
  }
  const char *value = rs_field_text(field, row, &length);
  rs_text_append(text, "%.*s", length == 0 ? 2 : (int)length, length == 0 ? "''" : value);
}

// The different values of one field in a set: "ring, tree".
static void append_values(const struct rs_case_set *set, const struct rs_field *field, struct rs_text *text) {
  size_t named = 0;
  for (size_t i = 0; i < set->count; i++) {
    if (find_value(set, field, set->rows[i]) != set->rows[i])
      continue;
    if (named++ == VALUES_NAMED_MAX) {
      rs_text_append(text, ", ...");
      return;
    }
    rs_text_append(text, "%s", named == 1 ? "" : ", ");
    append_value(field, set->rows[i], text);
  }
}

enum rs_status rs_comparison_mismatch(const struct rs_case_set *baseline, const struct rs_case_set *candidate,
                                      size_t unverified, struct rs_error *error) {
  const struct rs_case_set *const sets[] = {baseline, candidate};
  static const char *const names[] = {"baseline", "candidate"};
  for (size_t s = 0; s < RS_ARRAY_LENGTH(sets); s++) {
    if (sets[s]->count == 0)
      return rs_error_set(error, RS_ERROR_USAGE, "comparing: the %s (%zu file%s) holds no finished case", names[s],
                          sets[s]->launches, sets[s]->launches == 1 ? "" : "s");
  }
  struct rs_text text = {0};
  for (size_t f = 0; f < rs_report_field_count; f++) {
    const struct rs_field *field = &rs_report_fields[f];
    if ((field->role & RS_FIELD_IDENTITY) == 0 || !is_disjoint(baseline, candidate, field))
      continue;
    rs_text_append(&text, "%s%s is ", text.length == 0 ? "" : "; ", field->name);
    append_values(baseline, field, &text);
    rs_text_append(&text, " against ");
    append_values(candidate, field, &text);
  }
  if (text.length == 0)
    rs_text_append(&text, "%s",
                   unverified > 0 ? "what they share failed verification"
                                  : "each value occurs in both, but never in the same combination");
  rs_error_set(error, RS_ERROR_USAGE,
               "comparing: baseline and candidate have no usable case in common: %s; give sets that measured the same",
               text.data != NULL ? text.data : "out of memory");
  rs_text_fini(&text);
  return error->status;
}
