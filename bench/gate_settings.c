#include "gate_settings.h"

#include "ringside/options.h"

#define CLASS_ROW(title, words)                                                                                        \
  {                                                                                                                    \
    .name = title, .type = RS_OPTION_DOUBLE, .offset = sizeof(double) * RS_SIZE_##words, .default_text = "5%",         \
    .help = "instead of `tolerance`, for this class"                                                                   \
  }

static const struct rs_option general_table[] = {
    {.name = "tolerance",
     .type = RS_OPTION_DOUBLE,
     .offset = offsetof(struct gate_settings, tolerance),
     .default_text = "5%",
     .help = "how much slower the candidate may be"},
    {.name = "p99",
     .type = RS_OPTION_BOOL,
     .offset = offsetof(struct gate_settings, p99),
     .default_text = "no",
     .help = "judge the p99 too, which takes 100 iterations per case"},
    {.name = "allow_missing",
     .type = RS_OPTION_BOOL,
     .offset = offsetof(struct gate_settings, allow_missing),
     .default_text = "no",
     .help = "pass although cases of the baseline are missing"},
    {0},
};
// Of the row of `classes` that belongs to a metric.
static const struct rs_option class_table[] = {
    CLASS_ROW("small", SMALL),
    CLASS_ROW("middle", MIDDLE),
    CLASS_ROW("large", LARGE),
    {0},
};

struct binding {
  struct rs_option_group groups[1 + RS_CLASS_METRICS];
  struct rs_options options;
};

static void bind(struct gate_settings *settings, struct binding *binding) {
  static const char *const prefixes[RS_CLASS_METRICS] = {"time", "streaming", "p2p", "tail"};
  binding->groups[0] = (struct rs_option_group){"", general_table, settings};
  for (size_t m = 0; m < RS_CLASS_METRICS; m++)
    binding->groups[1 + m] = (struct rs_option_group){prefixes[m], class_table, settings->classes[m]};
  binding->options = (struct rs_options){binding->groups, RS_ARRAY_LENGTH(binding->groups)};
}

static enum rs_status apply(const struct rs_options *options, const char *file, const char *tolerance,
                            const char *const *assignments, size_t count, struct rs_error *error) {
  enum rs_status status = file == NULL ? RS_OK : rs_options_load_yaml(options, file, error);
  if (status == RS_OK && tolerance != NULL)
    status = rs_options_set(options, "--tolerance", "tolerance", tolerance, error);
  for (size_t a = 0; status == RS_OK && a < count; a++)
    status = rs_options_set_assignment(options, assignments[a], error);
  return status;
}

// Twice: the second time on top of classes that have the tolerance of all, which is not known before.
enum rs_status gate_settings_read(const char *file, const char *tolerance, const char *const *assignments, size_t count,
                                  struct gate_settings *settings, struct rs_error *error) {
  struct gate_settings read = {0};
  struct binding binding;
  bind(&read, &binding);
  enum rs_status status = rs_options_set_defaults(&binding.options, error);
  if (status == RS_OK)
    status = apply(&binding.options, file, tolerance, assignments, count, error);
  for (size_t m = 0; m < RS_CLASS_METRICS; m++)
    for (size_t c = 0; c < RS_SIZE_CLASSES; c++)
      read.classes[m][c] = read.tolerance;
  if (status == RS_OK)
    status = apply(&binding.options, file, tolerance, assignments, count, error);
  for (size_t m = 0; status == RS_OK && m < RS_CLASS_METRICS; m++)
    for (size_t c = 0; c < RS_SIZE_CLASSES; c++)
      if (!(read.classes[m][c] >= 0 && read.classes[m][c] <= 10))
        status = rs_error_set(error, RS_ERROR_USAGE, "a tolerance is a share from 0%% to 1000%%, not %g",
                              read.classes[m][c]);
  if (status == RS_OK)
    *settings = read;
  return status;
}

void gate_settings_help(struct rs_text *text) {
  struct gate_settings settings;
  struct binding binding;
  bind(&settings, &binding);
  rs_options_help(&binding.options, text);
}
