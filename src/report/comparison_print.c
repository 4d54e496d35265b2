#include "report/report_json.h"
#include "report/report_labels.h"
#include "ringside/report.h"
#include "ringside/stats.h"

#include <math.h>
#include <stdlib.h>

// Below a tenth, percent read better than a factor.
#define PERCENT_BELOW 1.10
#define SAME_BELOW 1.005
// "1023 KiB", with "round 1234" behind it
#define NAME_WIDTH 14
#define PAIRED_NAME_WIDTH 30

// "1.25x faster", "8.0% slower", "the same": a ratio in words, which claim no more than the two medians do. The factor
// is always the longer time over the shorter one.
static const char *format_word(double ratio, char label[RS_LABEL_BYTES]) {
  char text[RS_LABEL_BYTES];
  double factor = ratio > 1 ? ratio : 1 / ratio;
  const char *word = ratio > 1 ? "slower" : "faster";
  if (factor < SAME_BELOW)
    snprintf(label, RS_LABEL_BYTES, "the same");
  else if (factor < PERCENT_BELOW)
    snprintf(label, RS_LABEL_BYTES, "%.1f%% %s", 100 * (factor - 1), word);
  else
    snprintf(label, RS_LABEL_BYTES, "%.15s %s", rs_label_factor(factor, text), word);
  return label;
}

// The rows from `first` on that differ in size, or in who is paired with whom, only.
static size_t find_block_end(const struct rs_comparison *comparison, size_t first) {
  size_t end = first + 1;
  while (end < comparison->row_count &&
         rs_report_compare_rows(comparison->rows[first].baseline, comparison->rows[end].baseline,
                                RS_FIELD_IDENTITY & ~(unsigned)(RS_FIELD_POINT | RS_FIELD_PAIRING)) == 0)
    end++;
  return end;
}

static void print_line(int width, const char *name, double baseline_ns, double candidate_ns, double ratio, FILE *file) {
  char baseline[RS_LABEL_BYTES] = "", candidate[RS_LABEL_BYTES] = "", word[RS_LABEL_BYTES];
  if (isfinite(baseline_ns)) {
    rs_label_us(baseline_ns, baseline);
    rs_label_us(candidate_ns, candidate);
  }
  fprintf(file, "  %*s  %11s  %12s  %6.3f  %s\n", width, name, baseline, candidate, ratio, format_word(ratio, word));
}

// One implementation of one family: a line per size, and the geometric mean where there are several.
static void print_block(const struct rs_comparison_row *rows, size_t count, double *ratios, FILE *file) {
  char label[RS_LABEL_BYTES];
  const struct rs_case_row *identity = rows[0].baseline;
  int width = identity->pairing[0] != '\0' ? PAIRED_NAME_WIDTH : NAME_WIDTH;
  fprintf(file, "\n  %s\n", rs_label_case(identity, label));
  fprintf(file, "  %*s  %11s  %12s  %6s\n", width, "size", "baseline us", "candidate us", "ratio");
  for (size_t i = 0; i < count; i++) {
    ratios[i] = rows[i].ratio;
    const struct rs_case_row *row = rows[i].baseline;
    char name[PAIRED_NAME_WIDTH + 1];
    snprintf(name, sizeof name, "%.*s%s%s", NAME_WIDTH, rs_label_size(row->size_bytes, label),
             row->pairing[0] != '\0' ? " " : "", row->pairing);
    print_line(width, name, rows[i].baseline_ns, rows[i].candidate_ns, rows[i].ratio, file);
  }
  if (count > 1)
    print_line(width, "geometric mean", NAN, NAN, rs_stats_geometric_mean(ratios, count), file);
}

// "baseline 3", and the fewest when cases were not in every launch.
static void print_launches(const char *name, size_t fewest, size_t most, FILE *file) {
  fprintf(file, "%s %zu", name, most);
  if (fewest != most)
    fprintf(file, " (for some cases %zu)", fewest);
}

static void print_notes(const struct rs_comparison *comparison, FILE *file) {
  size_t fewest[2] = {SIZE_MAX, SIZE_MAX}, most[2] = {0, 0};
  for (size_t i = 0; i < comparison->row_count; i++) {
    const size_t launches[2] = {comparison->rows[i].baseline_launches, comparison->rows[i].candidate_launches};
    for (size_t s = 0; s < 2; s++) {
      fewest[s] = rs_min_size(fewest[s], launches[s]);
      most[s] = rs_max_size(most[s], launches[s]);
    }
  }
  fputs("\nratio     candidate / baseline; each time is the median over launches of a launch's median\n", file);
  print_launches("launches  baseline", fewest[0], most[0], file);
  print_launches(", candidate", fewest[1], most[1], file);
  fputs("\nchance    not tested yet: with these launches nothing is said on whether a difference is more than chance\n",
        file);
  if (comparison->baseline_only > 0 || comparison->candidate_only > 0)
    fprintf(file, "note: cases not compared, being only in the baseline: %zu, only in the candidate: %zu\n",
            comparison->baseline_only, comparison->candidate_only);
  if (comparison->unverified > 0)
    fprintf(file, "note: cases left out, the data being wrong in at least one launch: %zu\n", comparison->unverified);
  if (comparison->unchecked > 0)
    fprintf(file, "note: cases above whose data was not verified in every launch: %zu\n", comparison->unchecked);
}

void rs_comparison_print(const struct rs_comparison *comparison, FILE *file) {
  char label[RS_LABEL_BYTES];
  struct rs_error error = {0};
  double *ratios = rs_allocate(rs_max_size(comparison->row_count, 1), sizeof(*ratios), "ratios", &error);
  if (ratios == NULL) {
    fprintf(file, "%s\n", error.text);
    return;
  }
  const unsigned family = RS_FIELD_FAMILY | RS_FIELD_ELEMENT | RS_FIELD_PLACE | RS_FIELD_TRAFFIC;
  const struct rs_case_row *previous = NULL;
  for (size_t first = 0, end; first < comparison->row_count; first = end) {
    const struct rs_comparison_row *rows = &comparison->rows[first];
    end = find_block_end(comparison, first);
    if (previous == NULL || rs_report_compare_rows(previous, rows->baseline, family) != 0)
      fprintf(file, "%s%s\n", previous == NULL ? "" : "\n", rs_label_roles(rows->baseline, family, label));
    previous = rows->baseline;
    print_block(rows, end - first, ratios, file);
  }
  free(ratios);
  print_notes(comparison, file);
}

static json_t *make_row(const struct rs_comparison_row *row) {
  json_t *object = json_object();
  for (size_t f = 0; f < rs_report_field_count; f++) {
    const struct rs_field *field = &rs_report_fields[f];
    if ((field->role & RS_FIELD_IDENTITY) != 0)
      rs_json_set(&object, field->name, rs_json_field(field, row->baseline));
  }
  rs_json_set(&object, "baseline_launches", rs_json_integer(row->baseline_launches));
  rs_json_set(&object, "candidate_launches", rs_json_integer(row->candidate_launches));
  rs_json_set(&object, "baseline_ns", rs_json_real(row->baseline_ns));
  rs_json_set(&object, "candidate_ns", rs_json_real(row->candidate_ns));
  rs_json_set(&object, "ratio", rs_json_real(row->ratio));
  return object;
}

enum rs_status rs_comparison_json(const struct rs_comparison *comparison, FILE *file, struct rs_error *error) {
  json_t *root = json_object(), *rows = json_array();
  for (size_t i = 0; i < comparison->row_count; i++)
    rs_json_append(&rows, make_row(&comparison->rows[i]));
  rs_json_set(&root, "cases", rows);
  rs_json_set(&root, "baseline_only", rs_json_integer(comparison->baseline_only));
  rs_json_set(&root, "candidate_only", rs_json_integer(comparison->candidate_only));
  rs_json_set(&root, "unverified", rs_json_integer(comparison->unverified));
  rs_json_set(&root, "unchecked", rs_json_integer(comparison->unchecked));
  return rs_json_print(root, file, error);
}
