#include "report/case_filter.h"

#include "report/report_fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 64

// The identity field before the '=', or NULL.
static const struct rs_field *find_field(const char *condition) {
  size_t length = strcspn(condition, "=");
  for (size_t f = 0; f < rs_report_field_count; f++) {
    const struct rs_field *field = &rs_report_fields[f];
    if ((field->role & RS_FIELD_IDENTITY) != 0 && strlen(field->name) == length &&
        strncmp(field->name, condition, length) == 0)
      return field;
  }
  return NULL;
}

static enum rs_status set_unknown(const char *condition, struct rs_error *error) {
  const char *names[FIELDS_MAX];
  size_t count = 0;
  for (size_t f = 0; f < rs_report_field_count && count < FIELDS_MAX; f++)
    if ((rs_report_fields[f].role & RS_FIELD_IDENTITY) != 0)
      names[count++] = rs_report_fields[f].name;
  char word[64];
  snprintf(word, sizeof word, "%.*s", (int)strcspn(condition, "="), condition);
  const char *nearest = rs_text_nearest(word, names, count);
  if (nearest != NULL)
    return rs_error_set(error, RS_ERROR_USAGE, "--where: cases have no field '%s'; did you mean '%s'?", word, nearest);
  struct rs_text text = {0};
  for (size_t n = 0; n < count; n++)
    rs_text_append(&text, "%s%s", n == 0 ? "" : ", ", names[n]);
  rs_error_set(error, RS_ERROR_USAGE, "--where: cases have no field '%s'; there are %s", word,
               text.data != NULL ? text.data : "others");
  rs_text_fini(&text);
  return error->status;
}

// Whether `text` is a whole number, and which.
static bool read_number(const char *text, int64_t *number) {
  char *end;
  *number = strtoll(text, &end, 10);
  return end != text && *end == '\0';
}

enum rs_status rs_case_filter_check(const char *const *where, size_t count, struct rs_error *error) {
  for (size_t w = 0; w < count; w++) {
    const char *equals = strchr(where[w], '=');
    if (equals == NULL)
      return rs_error_set(error, RS_ERROR_USAGE, "--where takes FIELD=VALUE, like implementation=ring, not '%s'",
                          where[w]);
    const struct rs_field *field = find_field(where[w]);
    if (field == NULL)
      return set_unknown(where[w], error);
    int64_t number;
    if (field->kind != RS_FIELD_TEXT && !read_number(equals + 1, &number))
      return rs_error_set(error, RS_ERROR_USAGE, "--where: %s is a whole number, not '%s'", field->name, equals + 1);
  }
  return RS_OK;
}

static bool is_value(const struct rs_field *field, const char *value, const struct rs_case_row *row) {
  int64_t number;
  if (field->kind != RS_FIELD_TEXT)
    return read_number(value, &number) && number == rs_field_integer(field, row);
  size_t length;
  const char *text = rs_field_text(field, row, &length);
  return strlen(value) == length && strncmp(value, text, length) == 0;
}

bool rs_case_filter_takes(const char *const *where, size_t count, const struct rs_case_row *row) {
  for (size_t w = 0; w < count; w++) {
    const struct rs_field *field = find_field(where[w]);
    bool taken = false;
    for (size_t other = 0; other < count && !taken; other++)
      taken = find_field(where[other]) == field && is_value(field, strchr(where[other], '=') + 1, row);
    if (!taken)
      return false;
  }
  return true;
}
