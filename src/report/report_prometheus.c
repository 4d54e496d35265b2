// Prometheus' text exposition format, version 0.0.4: all samples of a metric stand together under its HELP and TYPE, so
// the outer loop is over metrics, the inner ones over results and cases. Base units: seconds, bytes per second.
#include "report/report_fields.h"
#include "report/report_grid.h"
#include "ringside/report.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define PREFIX "ringside_"

struct metric {
  const char *name, *help;
  double (*value)(const struct rs_case_row *row); // NaN: this case has none
};

static double median(const struct rs_case_row *row) {
  return row->median_ns * 1e-9;
}
static double interval_low(const struct rs_case_row *row) {
  return row->ci_low_ns * 1e-9;
}
static double interval_high(const struct rs_case_row *row) {
  return row->ci_high_ns * 1e-9;
}
static double p95(const struct rs_case_row *row) {
  return row->p95_ns * 1e-9;
}
static double p99(const struct rs_case_row *row) {
  return row->p99_ns * 1e-9;
}
static double algorithm_bandwidth(const struct rs_case_row *row) {
  return row->algbw_gb_s * 1e9;
}
static double bus_bandwidth(const struct rs_case_row *row) {
  return row->busbw_gb_s * 1e9;
}
static double iterations(const struct rs_case_row *row) {
  return row->iterations;
}
static double verified(const struct rs_case_row *row) {
  return row->verified == RS_NOT_VERIFIED ? (double)NAN : row->verified == RS_VERIFIED;
}

static const struct metric metrics[] = {
    {"median_seconds", "Median time of one operation, last exit minus first entry.", median},
    {"median_low_seconds", "Lower end of the 95% confidence interval of the median, within this launch.", interval_low},
    {"median_high_seconds", "Upper end of the 95% confidence interval of the median, within this launch.",
     interval_high},
    {"p95_seconds", "95th percentile of the time of one operation.", p95},
    {"p99_seconds", "99th percentile of the time of one operation.", p99},
    {"algbw_bytes_per_second", "Size over median time.", algorithm_bandwidth},
    {"busbw_bytes_per_second", "What the busiest link carries.", bus_bandwidth},
    {"iterations", "Iterations in the file, warm-up included.", iterations},
    {"verified", "1: the data was checked and right; 0: it was wrong.", verified},
};

// Label values escape backslash, quote and line feed; everything else is UTF-8 as it is.
static void print_value(const char *text, size_t length, FILE *file) {
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '\n')
      fputs("\\n", file);
    else if (text[i] == '\\' || text[i] == '"')
      fprintf(file, "\\%c", text[i]);
    else
      fputc(text[i], file);
  }
}

// Label names have letters, digits and '_' only.
static void print_name(const char *prefix, const char *name, FILE *file) {
  fputs(prefix, file);
  for (; *name != '\0'; name++) {
    bool plain = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') || (*name >= '0' && *name <= '9');
    fputc(plain ? *name : '_', file);
  }
}

static void print_labels(const struct rs_result *result, const struct rs_case_row *row, FILE *file) {
  fputs("{run=\"", file);
  print_value(result->run_uuid, strlen(result->run_uuid), file);
  for (size_t f = 0; f < rs_report_field_count; f++) {
    const struct rs_field *field = &rs_report_fields[f];
    if ((field->role & RS_FIELD_IDENTITY) == 0)
      continue;
    size_t length = 0;
    const char *text = field->kind == RS_FIELD_TEXT ? rs_field_text(field, row, &length) : "";
    if (field->kind == RS_FIELD_TEXT && length == 0) // the same as no label
      continue;
    fprintf(file, "\",%s=\"", field->name);
    print_value(text, length, file);
    if (field->kind != RS_FIELD_TEXT)
      fprintf(file, "%" PRId64, rs_field_integer(field, row));
  }
  for (size_t a = 0; a < result->attribute_count; a++) {
    const struct rs_attribute *attribute = &result->attributes[a];
    if (strncmp(attribute->key, "label.", strlen("label.")) != 0 || attribute->value == NULL)
      continue;
    fputs("\",", file);
    print_name("label_", attribute->key + strlen("label."), file);
    fputs("=\"", file);
    print_value(attribute->value, strlen(attribute->value), file);
  }
  fputs("\"}", file);
}

void rs_report_prometheus(const struct rs_result *const *results, size_t count, FILE *file) {
  for (size_t m = 0; m < RS_ARRAY_LENGTH(metrics); m++) {
    fprintf(file, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s gauge\n", metrics[m].name, metrics[m].help,
            metrics[m].name);
    for (size_t r = 0; r < count; r++) {
      for (size_t c = 0; c < results[r]->case_count; c++) {
        const struct rs_case_row *row = &results[r]->cases[c];
        double value = metrics[m].value(row);
        // The time of a case whose data was wrong is no time; that it was wrong is told.
        if (!row->finished || !isfinite(value) || (row->verified == RS_VERIFY_FAILED && metrics[m].value != verified))
          continue;
        fputs(PREFIX, file);
        fputs(metrics[m].name, file);
        print_labels(results[r], row, file);
        fprintf(file, " %.9g\n", value);
      }
    }
  }
}
