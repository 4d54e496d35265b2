#include "report/comparison_json.h"

#include <string.h>

static json_t *make_check(const struct rs_gate_check *check) {
  json_t *object = json_object();
  rs_json_set(&object, "metric", rs_json_text(check->metric, strlen(check->metric)));
  rs_json_set(&object, "size_class",
              check->class == NULL ? json_null() : json_string(rs_size_class_names[check->class->size_class]));
  rs_json_set(&object, "name", rs_json_text(check->name, strlen(check->name)));
  rs_json_set(&object, "result", json_string(rs_gate_names[check->result]));
  rs_json_set(&object, "reason", rs_json_text(check->reason, strlen(check->reason)));
  rs_json_set(&object, "tolerance", rs_json_real(check->tolerance));
  rs_json_set(&object, "launches_needed", rs_json_integer(check->launches_needed));
  return object;
}

enum rs_status rs_gate_json(const struct rs_gate_outcome *outcome, FILE *file, struct rs_error *error) {
  json_t *root = json_object(), *checks = json_array();
  for (size_t c = 0; c < outcome->check_count; c++)
    rs_json_append(&checks, make_check(&outcome->checks[c]));
  rs_json_set(&root, "result", json_string(rs_gate_names[outcome->result]));
  rs_json_set(&root, "checks", checks);
  rs_json_set(&root, "comparison", rs_comparison_json_object(outcome->comparison));
  return rs_json_print(root, file, error);
}
