#include "report/report_json.h"
#include "ringside/report.h"

#include <errno.h>
#include <string.h>

#define DIGITS 15

static json_t *make_line(const struct rs_result *result, const struct rs_case_row *row) {
  const char *path = result->path != NULL ? result->path : "";
  json_t *object = json_object();
  rs_json_set(&object, "file", rs_json_text(path, strlen(path)));
  rs_json_set(&object, "run_uuid", rs_json_text(result->run_uuid, strlen(result->run_uuid)));
  rs_json_set(&object, "created", rs_json_text(result->created, strlen(result->created)));
  for (size_t f = 0; f < rs_report_field_count; f++)
    rs_json_set(&object, rs_report_fields[f].name, rs_json_field(&rs_report_fields[f], row));
  for (size_t a = 0; a < result->attribute_count; a++) {
    const struct rs_attribute *attribute = &result->attributes[a];
    if (strncmp(attribute->key, "label.", strlen("label.")) == 0 && attribute->value != NULL)
      rs_json_set(&object, attribute->key, rs_json_text(attribute->value, strlen(attribute->value)));
  }
  return object;
}

enum rs_status rs_report_jsonl(const struct rs_result *result, FILE *file, struct rs_error *error) {
  for (size_t c = 0; c < result->case_count; c++) {
    if (!result->cases[c].finished)
      continue;
    json_t *line = make_line(result, &result->cases[c]);
    if (line == NULL)
      return rs_error_set(error, RS_ERROR_MEMORY, "writing JSON lines: out of memory");
    errno = 0;
    bool failed = json_dumpf(line, file, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS)) != 0 || fputc('\n', file) == EOF;
    int code = errno != 0 ? errno : EIO;
    json_decref(line);
    if (failed)
      return rs_error_set_errno(error, RS_ERROR_IO, code, "writing JSON lines");
  }
  return RS_OK;
}
