#include "report/report_json.h"
#include "report/report_labels.h"
#include "ringside/report.h"

#include <string.h>

static json_t *text_of(const char *text) {
  return rs_json_text(text, strlen(text));
}

static json_t *make_cell(const struct rs_choice_cell *cell, size_t launches) {
  json_t *object = json_object(), *values = json_array();
  for (size_t l = 0; cell->best != NULL && l < launches; l++)
    rs_json_append(&values, rs_json_real(cell->values[l]));
  rs_json_set(&object, "implementation", text_of(cell->best ? cell->best->implementation : ""));
  rs_json_set(&object, "transport", text_of(cell->best ? cell->best->transport : ""));
  rs_json_set(&object, "chunk_bytes", rs_json_integer(cell->best ? cell->best->chunk_bytes : 0));
  rs_json_set(&object, "time_ns", cell->best ? rs_json_real(cell->time_ns) : json_null());
  rs_json_set(&object, "launches_ns", values);
  return object;
}

static json_t *make_point(const struct rs_choice *choice, const struct rs_choice_point *point) {
  static const char *const verdicts[] = {"undecided", "faster", "slower", "no_difference"};
  const struct rs_result_group *groups = choice->groups->items;
  json_t *object = json_object(), *cells = json_object(), *pairs = json_array();
  for (size_t g = 0; g < choice->groups->count; g++)
    rs_json_set(&cells, groups[g].value, make_cell(&point->cells[g], groups[g].count));
  for (size_t a = 0; a < choice->groups->count; a++) {
    for (size_t b = a + 1; b < choice->groups->count; b++) {
      const struct rs_decision *decision = &point->decisions[rs_choice_pair_index(a, b, choice->groups->count)];
      json_t *pair = json_object();
      rs_json_set(&pair, "first", text_of(groups[a].value));
      rs_json_set(&pair, "second", text_of(groups[b].value));
      rs_json_set(&pair, "verdict", text_of(verdicts[decision->verdict]));
      rs_json_set(&pair, "ratio", rs_json_real(decision->ratio));
      rs_json_set(&pair, "ratio_low", rs_json_real(decision->ratio_low));
      rs_json_set(&pair, "ratio_high", rs_json_real(decision->ratio_high));
      rs_json_append(&pairs, pair);
    }
  }
  rs_json_set(&object, "size_bytes", rs_json_integer(point->size_bytes));
  rs_json_set(&object, "groups", cells);
  rs_json_set(&object, "pairs", pairs);
  return object;
}

static json_t *make_run(const struct rs_choice_family *family, const struct rs_choice_run *run, const char *first,
                        const char *second) {
  if (run->count == 0)
    return json_null();
  json_t *object = json_object();
  rs_json_set(&object, "faster", text_of(run->verdict == RS_FASTER ? second : first));
  rs_json_set(&object, "slower", text_of(run->verdict == RS_FASTER ? first : second));
  rs_json_set(&object, "from_bytes", rs_json_integer(family->points[run->first].size_bytes));
  rs_json_set(&object, "to_bytes", rs_json_integer(family->points[run->first + run->count - 1].size_bytes));
  return object;
}

static json_t *make_family(const struct rs_choice *choice, const struct rs_choice_family *family) {
  char label[RS_LABEL_BYTES];
  const struct rs_result_group *groups = choice->groups->items;
  json_t *object = json_object(), *points = json_array(), *answers = json_array();
  for (size_t p = 0; p < family->point_count; p++)
    rs_json_append(&points, make_point(choice, &family->points[p]));
  for (size_t a = 0; a < choice->groups->count; a++) {
    for (size_t b = a + 1; b < choice->groups->count; b++) {
      size_t pair = rs_choice_pair_index(a, b, choice->groups->count);
      json_t *answer = json_object();
      rs_json_set(&answer, "first", text_of(groups[a].value));
      rs_json_set(&answer, "second", text_of(groups[b].value));
      rs_json_set(&answer, "from_largest", make_run(family, &family->largest[pair], groups[a].value, groups[b].value));
      rs_json_set(&answer, "from_smallest",
                  make_run(family, &family->smallest[pair], groups[a].value, groups[b].value));
      rs_json_append(&answers, answer);
    }
  }
  rs_json_set(&object, "cases", text_of(rs_label_family(family->identity, label)));
  rs_json_set(&object, "emulated", json_boolean(family->identity->emulated));
  rs_json_set(&object, "best", text_of(groups[family->best].value));
  rs_json_set(&object, "answers", answers);
  rs_json_set(&object, "points", points);
  return object;
}

enum rs_status rs_choice_json(const struct rs_choice *choice, FILE *file, struct rs_error *error) {
  json_t *object = json_object(), *families = json_array(), *groups = json_array();
  for (size_t g = 0; g < choice->groups->count; g++) {
    json_t *group = json_object();
    rs_json_set(&group, "value", text_of(choice->groups->items[g].value));
    rs_json_set(&group, "launches", rs_json_integer(choice->groups->items[g].count));
    rs_json_append(&groups, group);
  }
  for (size_t f = 0; f < choice->family_count; f++)
    rs_json_append(&families, make_family(choice, &choice->families[f]));
  rs_json_set(&object, "field", text_of(choice->field));
  rs_json_set(&object, "level", rs_json_real(choice->level));
  rs_json_set(&object, "threshold", rs_json_real(choice->threshold));
  rs_json_set(&object, "launches_wanted", rs_json_integer(choice->launches_wanted));
  rs_json_set(&object, "groups", groups);
  rs_json_set(&object, "families", families);
  return rs_json_print(object, file, error);
}
