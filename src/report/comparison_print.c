// The comparison for people. First what sets the sets apart, since it may be the cause; then the verdicts; then the
// single cases, which are for looking around; then what to be careful of; and the answer last, where the eye ends.
#include "report/comparison_words.h"
#include "report/report_labels.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// "1023 KiB", with "round 1234" behind it
#define NAME_WIDTH 14
#define PAIRED_NAME_WIDTH 30
#define FIELD_WIDTH 34
#define VALUE_WIDTH 38
#define CLASS_WIDTH 46
// From here on the rest of the differences is named, but not shown.
#define DIFFERENCES_SHOWN_MAX 24

static void print_set(const char *role, const struct rs_comparison_set *set, FILE *file) {
  const char *first = set->launches[0]->path, *last = set->launches[set->count - 1]->path;
  fprintf(file, "%-9s  %s: %zu launch%s", role, set->name, set->count, set->count == 1 ? "" : "es");
  if (first != NULL && last != NULL)
    fprintf(file, ", %s%s%s", first, set->count > 1 ? " .. " : "", set->count > 1 ? last : "");
  fputc('\n', file);
}

// ---- differences ------------------------------------------------------------------------------------------

// A value of the table: one line of at most `width` columns, though a fabric's description has many.
static const char *cut_value(const char *value, size_t width, char cut[RS_LABEL_BYTES]) {
  bool whole = strlen(value) <= width;
  snprintf(cut, RS_LABEL_BYTES, "%.*s%s", (int)(whole ? width : width - 3), value, whole ? "" : "...");
  for (char *at = cut; *at != '\0'; at++)
    if ((unsigned char)*at < ' ')
      *at = ' ';
  return cut;
}

static void print_differences(const struct rs_comparison *comparison, FILE *file) {
  if (comparison->difference_count == 0) {
    fputs("\nThe sets do not differ in anything that the files record.\n", file);
    return;
  }
  fputs("\nWhat else differs between the sets, and may be the cause:\n", file);
  char first[RS_LABEL_BYTES], second[RS_LABEL_BYTES];
  fprintf(file, "  %-*s  %-*s  %s\n", FIELD_WIDTH, "", VALUE_WIDTH,
          cut_value(comparison->sets[0].name, VALUE_WIDTH, first),
          cut_value(comparison->sets[1].name, VALUE_WIDTH, second));
  for (size_t d = 0; d < comparison->difference_count && d < DIFFERENCES_SHOWN_MAX; d++) {
    const struct rs_comparison_difference *item = &comparison->differences[d];
    fprintf(file, "  %-*s  %-*s  %s\n", FIELD_WIDTH, item->field, VALUE_WIDTH,
            cut_value(item->values[0], VALUE_WIDTH, first), cut_value(item->values[1], VALUE_WIDTH, second));
  }
  if (comparison->difference_count > DIFFERENCES_SHOWN_MAX)
    fprintf(file, "  and %zu more; --json has all\n", comparison->difference_count - DIFFERENCES_SHOWN_MAX);
}

// ---- verdicts ---------------------------------------------------------------------------------------------

static void print_class(const struct rs_comparison *comparison, const struct rs_comparison_class *class, FILE *file) {
  struct rs_text name = {0}, words = {0};
  rs_comparison_name_class(class, &name);
  rs_comparison_word(comparison, class, &words);
  if (class->case_count > 0)
    rs_text_append(&name, ", %zu case%s", class->case_count, class->case_count == 1 ? "" : "s");
  if (name.data != NULL && words.data != NULL) {
    int width = fprintf(file, "  %-*s  ", CLASS_WIDTH, name.data);
    rs_word_wrap(words.data, width > 0 ? (size_t)width : 0, CLASS_WIDTH + 4, file);
  }
  rs_text_fini(&words);
  rs_text_fini(&name);
}

static void print_classes(const struct rs_comparison *comparison, FILE *file) {
  if (comparison->class_count == 0)
    return;
  fprintf(file, "\nVerdicts on %s against %s (%.4g%% confidence in all of them together, beyond %.3g%%):\n",
          comparison->sets[1].name, comparison->sets[0].name, 100 * comparison->level, 100 * comparison->threshold);
  for (size_t c = 0; c < comparison->class_count; c++)
    print_class(comparison, &comparison->classes[c], file);
  fprintf(file, "  the smallest p that %zu + %zu launches can reach is %.2g", comparison->sets[0].count,
          comparison->sets[1].count, comparison->p_smallest);
  for (size_t c = 0; c < comparison->class_count; c++) {
    if (comparison->classes[c].case_count > 0) {
      fprintf(file, "; a verdict of faster or slower needs %.2g", 1 - comparison->classes[c].decision.level);
      break;
    }
  }
  fputc('\n', file);
}

// ---- cases ------------------------------------------------------------------------------------------------

// The rows from `first` on that differ in size, or in who is paired with whom, only.
static size_t find_block_end(const struct rs_comparison *comparison, size_t first) {
  size_t end = first + 1;
  while (end < comparison->row_count &&
         rs_report_compare_rows(comparison->rows[first].baseline, comparison->rows[end].baseline,
                                RS_FIELD_IDENTITY & ~(unsigned)(RS_FIELD_POINT | RS_FIELD_PAIRING)) == 0)
    end++;
  return end;
}

// '~' marks an interval that covers less than it should, the launches being too few.
static void print_row(const struct rs_comparison *comparison, const struct rs_comparison_row *row, int width,
                      FILE *file) {
  char label[RS_LABEL_BYTES], baseline[RS_LABEL_BYTES], candidate[RS_LABEL_BYTES], name[PAIRED_NAME_WIDTH + 1];
  const struct rs_case_row *identity = row->baseline;
  snprintf(name, sizeof name, "%.*s%s%s", NAME_WIDTH, rs_label_size(identity->size_bytes, label),
           identity->pairing[0] != '\0' ? " " : "", identity->pairing);
  fprintf(file, "  %*s  %11s  %12s  %6.3f", width, name, rs_label_us(row->baseline_ns, baseline),
          rs_label_us(row->candidate_ns, candidate), row->ratio);
  bool weak = row->level_reached > 0 && row->level_reached < comparison->level - 1e-9;
  if (isfinite(row->ratio_low))
    fprintf(file, "  %6.3f .. %.3f%s", row->ratio_low, row->ratio_high, weak ? " ~" : "");
  if (row->baseline_launches < comparison->sets[0].count || row->candidate_launches < comparison->sets[1].count)
    fprintf(file, "  %zu + %zu launches", row->baseline_launches, row->candidate_launches);
  fputc('\n', file);
}

// One implementation of one family: a line per size.
static void print_block(const struct rs_comparison *comparison, size_t first, size_t end, FILE *file) {
  char label[RS_LABEL_BYTES];
  const struct rs_case_row *identity = comparison->rows[first].baseline;
  int width = identity->pairing[0] != '\0' ? PAIRED_NAME_WIDTH : NAME_WIDTH;
  fprintf(file, "\n  %s\n", rs_label_cases(identity, label));
  fprintf(file, "  %*s  %11s  %12s  %6s  %s\n", width, "size", "baseline us", "candidate us", "ratio", "interval");
  for (size_t i = first; i < end; i++)
    print_row(comparison, &comparison->rows[i], width, file);
}

static void print_cases(const struct rs_comparison *comparison, FILE *file) {
  char label[RS_LABEL_BYTES];
  const unsigned family = RS_FIELD_FAMILY | RS_FIELD_ELEMENT | RS_FIELD_PLACE | RS_FIELD_TRAFFIC;
  const struct rs_case_row *previous = NULL;
  fputs("\nCase by case, to look around; of many cases some differ by chance:\n", file);
  for (size_t first = 0, end; first < comparison->row_count; first = end) {
    const struct rs_comparison_row *row = &comparison->rows[first];
    end = find_block_end(comparison, first);
    if (previous == NULL || rs_report_compare_rows(previous, row->baseline, family) != 0)
      fprintf(file, "\n%s\n", rs_label_roles(row->baseline, family, label));
    previous = row->baseline;
    print_block(comparison, first, end, file);
  }
}

// ---- notes ------------------------------------------------------------------------------------------------

static void print_how_to_read(const struct rs_comparison *comparison, FILE *file) {
  bool single = comparison->sets[0].count == 1 && comparison->sets[1].count == 1;
  double weakest = 1;
  for (size_t i = 0; i < comparison->row_count; i++)
    if (comparison->rows[i].level_reached > 0)
      weakest = fmin(weakest, comparison->rows[i].level_reached);
  fputs("\ntimes     the median over launches of a launch's median\n"
        "ratio     candidate / baseline, below 1 the candidate is faster; the median over all pairs of launches "
        "(Hodges &\n"
        "          Lehmann), which is not quite the quotient of both times\n",
        file);
  if (single)
    fputs("interval  within these two launches only, of the two medians, at 90% at least; another launch may lie "
          "outside\n",
          file);
  else
    fprintf(file, "interval  of the ratio between the sets, at %.4g%%, one case at a time\n", 100 * comparison->level);
  if (!single && weakest < comparison->level - 1e-9)
    fprintf(file, "~         so few launches reach less: down to %.2g%%\n", 100 * weakest);
}

static void print_notes(const struct rs_comparison *comparison, FILE *file) {
  if (comparison->baseline_only > 0 || comparison->candidate_only > 0)
    fprintf(file, "note: cases not compared, being only in the baseline: %zu, only in the candidate: %zu\n",
            comparison->baseline_only, comparison->candidate_only);
  if (comparison->unverified > 0)
    fprintf(file, "note: cases left out, the data being wrong in at least one launch: %zu\n", comparison->unverified);
  if (comparison->unchecked > 0)
    fprintf(file, "note: cases above whose data was not verified in every launch: %zu\n", comparison->unchecked);
  for (size_t w = 0; w < comparison->warning_count; w++) {
    fputs("warning: ", file);
    rs_word_wrap(comparison->warnings[w], strlen("warning: "), strlen("warning: "), file);
  }
}

void rs_comparison_print(const struct rs_comparison *comparison, FILE *file) {
  print_set("baseline", &comparison->sets[0], file);
  print_set("candidate", &comparison->sets[1], file);
  print_differences(comparison, file);
  print_classes(comparison, file);
  print_cases(comparison, file);
  print_how_to_read(comparison, file);
  print_notes(comparison, file);
  struct rs_text sentence = {0};
  rs_comparison_sentence(comparison, &sentence);
  fputc('\n', file);
  rs_word_wrap(sentence.data != NULL ? sentence.data : "out of memory", 0, 0, file);
  rs_text_fini(&sentence);
}
