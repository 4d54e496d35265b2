#include "report/report_fields.h"
#include "ringside/report.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

// Quotes only where RFC 4180 asks for it; a quote inside is doubled.
static void print_text(const char *text, size_t length, FILE *file) {
  bool quoted = false;
  for (size_t i = 0; i < length; i++)
    quoted |= strchr(",\"\r\n", text[i]) != NULL;
  if (!quoted) {
    fwrite(text, 1, length, file);
    return;
  }
  fputc('"', file);
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '"')
      fputc('"', file);
    fputc(text[i], file);
  }
  fputc('"', file);
}

static void print_field(const struct rs_field *field, const struct rs_case_row *row, FILE *file) {
  size_t length;
  if (field->kind == RS_FIELD_TEXT) {
    const char *text = rs_field_text(field, row, &length);
    print_text(text, length, file);
  } else if (field->kind != RS_FIELD_REAL) {
    fprintf(file, "%" PRId64, rs_field_integer(field, row));
  } else if (isfinite(rs_field_real(field, row))) {
    fprintf(file, "%.15g", rs_field_real(field, row));
  }
}

void rs_report_csv(const struct rs_result *result, bool heading, FILE *file) {
  if (heading) {
    fputs("file", file);
    for (size_t f = 0; f < rs_report_field_count; f++)
      fprintf(file, ",%s", rs_report_fields[f].name);
    fputc('\n', file);
  }
  for (size_t i = 0; i < result->case_count; i++) {
    const struct rs_case_row *row = &result->cases[i];
    if (!row->finished)
      continue;
    if (result->path != NULL)
      print_text(result->path, strlen(result->path), file);
    for (size_t f = 0; f < rs_report_field_count; f++) {
      fputc(',', file);
      print_field(&rs_report_fields[f], row, file);
    }
    fputc('\n', file);
  }
}
