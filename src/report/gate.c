#include "report/comparison_words.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

const char *const rs_gate_names[] = {"undecided", "pass", "fail"};

static struct rs_gate_check *add_check(struct rs_gate_outcome *outcome, const char *metric, const char *name,
                                       enum rs_gate result) {
  struct rs_gate_check *check = &outcome->checks[outcome->check_count++];
  *check = (struct rs_gate_check){.result = result, .tolerance = NAN};
  snprintf(check->metric, sizeof check->metric, "%s", metric);
  snprintf(check->name, sizeof check->name, "%s", name);
  return check;
}

static void append_reason(const struct rs_gate_check *check, struct rs_text *text) {
  const struct rs_decision *decision = &check->class->decision;
  double tolerance = 100 * check->tolerance;
  if (decision->doubt == RS_DOUBT_VALUES) {
    rs_text_append(text, "no case of it is in every launch%s",
                   check->class->metric == RS_METRIC_P99 ? " (a p99 takes 100 iterations)" : "");
    return;
  }
  if (check->result == RS_GATE_UNDECIDED && decision->level_reached < decision->level * (1 - 1e-9)) {
    rs_text_append(text, "%zu + %zu launches are too few, whatever they measure; ", decision->baseline_count,
                   decision->candidate_count);
    rs_word_launches(check->launches_needed, text);
    return;
  }
  rs_word_range(decision->ratio_low, decision->ratio_high, text);
  if (check->result == RS_GATE_PASS)
    rs_text_append(text, ", within the %.3g%% that are tolerated", tolerance);
  else if (check->result == RS_GATE_FAIL)
    rs_text_append(text, ", beyond the %.3g%% that are tolerated", tolerance);
  else {
    rs_text_append(text, ", and %.3g%% are tolerated; ", tolerance);
    rs_word_launches(check->launches_needed, text);
  }
}

static void check_class(const struct rs_comparison_class *class, const struct rs_gate_options *options,
                        struct rs_gate_outcome *outcome) {
  struct rs_text name = {0}, reason = {0};
  rs_comparison_name_class(class, &name);
  struct rs_gate_check *check =
      add_check(outcome, rs_class_metric_names[class->metric], name.data != NULL ? name.data : "", RS_GATE_UNDECIDED);
  check->class = class;
  check->tolerance = options->tolerances[class->metric][class->size_class];
  check->result = rs_decision_gate(&class->decision, check->tolerance, &check->launches_needed);
  append_reason(check, &reason);
  snprintf(check->reason, sizeof check->reason, "%s", reason.data != NULL ? reason.data : "out of memory");
  rs_text_fini(&reason);
  rs_text_fini(&name);
}

// What no class shows: data that is wrong, cases that the candidate did not get to.
static void check_sets(const struct rs_comparison *comparison, const struct rs_gate_options *options,
                       struct rs_gate_outcome *outcome) {
  size_t wrong = comparison->unverified_candidate, lacking = comparison->baseline_only;
  lacking += comparison->unverified - wrong;
  for (size_t c = 0; c < comparison->class_count; c++)
    if (comparison->classes[c].metric != RS_METRIC_P99)
      lacking += comparison->classes[c].left_out;
  if (wrong > 0)
    snprintf(add_check(outcome, "data", "verification", RS_GATE_FAIL)->reason, sizeof outcome->checks->reason,
             "the candidate's data was wrong in %zu case%s", wrong, wrong == 1 ? "" : "s");
  if (lacking > 0 && !options->allow_missing)
    snprintf(add_check(outcome, "cases", "completeness", RS_GATE_UNDECIDED)->reason, sizeof outcome->checks->reason,
             "%zu case%s of the baseline cannot be judged, being absent or unusable in a launch (--allow-missing: "
             "judge without them)",
             lacking, lacking == 1 ? "" : "s");
  if (comparison->class_count == 0)
    snprintf(add_check(outcome, "cases", "presence", RS_GATE_UNDECIDED)->reason, sizeof outcome->checks->reason,
             "there is no collective and no point to point case in both sets");
}

void rs_gate_judge(const struct rs_comparison *comparison, const struct rs_gate_options *options,
                   struct rs_gate_outcome *outcome) {
  *outcome = (struct rs_gate_outcome){.comparison = comparison, .result = RS_GATE_PASS};
  for (size_t c = 0; c < comparison->class_count; c++)
    check_class(&comparison->classes[c], options, outcome);
  check_sets(comparison, options, outcome);
  for (size_t c = 0; c < outcome->check_count; c++) {
    if (outcome->checks[c].result == RS_GATE_FAIL)
      outcome->result = RS_GATE_FAIL;
    else if (outcome->checks[c].result == RS_GATE_UNDECIDED && outcome->result == RS_GATE_PASS)
      outcome->result = RS_GATE_UNDECIDED;
  }
}
