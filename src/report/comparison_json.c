#include "report/comparison_json.h"

#include <math.h>
#include <string.h>

static json_t *make_text(const char *text) {
  return rs_json_text(text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

// Takes `text` over.
static json_t *make_words(struct rs_text *text) {
  json_t *value = text->failed ? NULL : make_text(text->data);
  rs_text_fini(text);
  return value;
}

static json_t *make_set(const struct rs_comparison_set *set) {
  json_t *object = json_object(), *files = json_array();
  for (size_t l = 0; l < set->count; l++)
    rs_json_append(&files, make_text(set->launches[l]->path));
  rs_json_set(&object, "name", make_text(set->name));
  rs_json_set(&object, "files", files);
  rs_json_set(&object, "launches", rs_json_integer(set->count));
  rs_json_set(&object, "copies", rs_json_integer(set->copies));
  return object;
}

static json_t *make_difference(const struct rs_comparison_difference *difference) {
  json_t *object = json_object();
  rs_json_set(&object, "field", make_text(difference->field));
  rs_json_set(&object, "baseline", make_text(difference->values[0]));
  rs_json_set(&object, "candidate", make_text(difference->values[1]));
  return object;
}

static json_t *make_values(const struct rs_comparison_class *class, size_t set, size_t count) {
  json_t *array = json_array();
  for (size_t l = 0; class->values[set] != NULL && l < count; l++)
    rs_json_append(&array, rs_json_real(class->values[set][l]));
  return array;
}

json_t *rs_comparison_json_class(const struct rs_comparison *comparison, const struct rs_comparison_class *class) {
  static const char *const verdicts[] = {"undecided", "faster", "slower", "no_difference"};
  const struct rs_decision *decision = &class->decision;
  bool decided = decision->doubt != RS_DOUBT_VALUES;
  struct rs_text words = {0}, name = {0};
  char smallest[24], largest[24];
  rs_comparison_word(comparison, class, &words);
  rs_format_size(class->smallest, smallest, sizeof smallest);
  rs_format_size(class->largest, largest, sizeof largest);
  rs_text_append(&name, "%s%s%s", smallest, class->largest > class->smallest ? ".." : "",
                 class->largest > class->smallest ? largest : "");
  json_t *object = json_object();
  rs_json_set(&object, "metric", make_text(rs_class_metric_names[class->metric]));
  rs_json_set(&object, "class", make_words(&name));
  rs_json_set(&object, "size_class", make_text(rs_size_class_names[class->size_class]));
  rs_json_set(&object, "cases", rs_json_integer(class->case_count));
  rs_json_set(&object, "left_out", rs_json_integer(class->left_out));
  rs_json_set(&object, "verdict", make_text(verdicts[decision->verdict]));
  rs_json_set(&object, "words", make_words(&words));
  rs_json_set(&object, "ratio", rs_json_real(decision->ratio));
  rs_json_set(&object, "ratio_low", rs_json_real(decision->ratio_low));
  rs_json_set(&object, "ratio_high", rs_json_real(decision->ratio_high));
  rs_json_set(&object, "p", rs_json_real(decided ? decision->p : NAN));
  rs_json_set(&object, "p_adjusted", rs_json_real(decided ? decision->p_adjusted : NAN));
  rs_json_set(&object, "launches_needed", rs_json_integer(decision->launches_needed));
  rs_json_set(&object, "baseline_launches", rs_json_integer(comparison->sets[0].count));
  rs_json_set(&object, "candidate_launches", rs_json_integer(comparison->sets[1].count));
  rs_json_set(&object, "baseline_values", make_values(class, 0, comparison->sets[0].count));
  rs_json_set(&object, "candidate_values", make_values(class, 1, comparison->sets[1].count));
  return object;
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
  rs_json_set(&object, "ratio_low", rs_json_real(row->ratio_low));
  rs_json_set(&object, "ratio_high", rs_json_real(row->ratio_high));
  rs_json_set(&object, "interval_level", row->level_reached > 0 ? rs_json_real(row->level_reached) : json_null());
  return object;
}

json_t *rs_comparison_json_object(const struct rs_comparison *comparison) {
  json_t *root = json_object(), *environment = json_array(), *warnings = json_array(), *families = json_array(),
         *cases = json_array();
  for (size_t d = 0; d < comparison->difference_count; d++)
    rs_json_append(&environment, make_difference(&comparison->differences[d]));
  for (size_t w = 0; w < comparison->warning_count; w++)
    rs_json_append(&warnings, make_text(comparison->warnings[w]));
  for (size_t c = 0; c < comparison->class_count; c++)
    rs_json_append(&families, rs_comparison_json_class(comparison, &comparison->classes[c]));
  for (size_t i = 0; i < comparison->row_count; i++)
    rs_json_append(&cases, make_row(&comparison->rows[i]));
  struct rs_text sentence = {0};
  rs_comparison_sentence(comparison, &sentence);
  rs_json_set(&root, "baseline", make_set(&comparison->sets[0]));
  rs_json_set(&root, "candidate", make_set(&comparison->sets[1]));
  rs_json_set(&root, "sentence", make_words(&sentence));
  rs_json_set(&root, "environment", environment);
  rs_json_set(&root, "warnings", warnings);
  rs_json_set(&root, "threshold", rs_json_real(comparison->threshold));
  rs_json_set(&root, "level", rs_json_real(comparison->level));
  rs_json_set(&root, "smallest_p", rs_json_real(comparison->p_smallest));
  rs_json_set(&root, "families", families);
  rs_json_set(&root, "cases", cases);
  rs_json_set(&root, "baseline_only", rs_json_integer(comparison->baseline_only));
  rs_json_set(&root, "candidate_only", rs_json_integer(comparison->candidate_only));
  rs_json_set(&root, "unverified", rs_json_integer(comparison->unverified));
  rs_json_set(&root, "unchecked", rs_json_integer(comparison->unchecked));
  return root;
}

enum rs_status rs_comparison_json(const struct rs_comparison *comparison, FILE *file, struct rs_error *error) {
  return rs_json_print(rs_comparison_json_object(comparison), file, error);
}
