#include "command.h"
#include "comparison_request.h"
#include "gate_settings.h"
#include "printout.h"

#include <errno.h>
#include <stdlib.h>

static const char help[] =
    "usage: ringside gate [OPTIONS] BASELINE... --with CANDIDATE...\n"
    "       ringside gate [OPTIONS] --by FIELD FILE...\n"
    "\n"
    "May the candidate ship? Passes when it is surely not slower than the baseline by more than is tolerated, in any\n"
    "class of sizes; fails when it surely is, or its data was wrong. With too few launches it never passes: it says "
    "how\n"
    "many more it takes. bench/regress measures both sides in turns and then calls this.\n"
    "\n" COMPARISON_HELP "  --tolerance 5%     how much slower the candidate may be\n"
    "  --config FILE      tolerances by metric and class, as configs/gates/default.yaml\n"
    "  --set KEY=VALUE    one of these: time.large=3%\n"
    "  --p99              judge the p99 too\n"
    "  --allow-missing    pass although cases of the baseline are missing\n"
    "  --junit FILE       write JUnit's XML there\n"
    "  --github           add annotations for GitHub's log\n"
    "  --json             as JSON; an array with --by\n"
    "  --help             this text\n"
    "\n"
    "Exit code: 0 pass, 1 fail, 2 bad usage or input, 3 undecided.\n"
    "\n"
    "examples:\n"
    "  ringside gate baseline/ --with candidate/ --tolerance 3% --junit gate.xml\n"
    "  ringside gate --by instance_type --baseline c6in.32xlarge results/ --config configs/gates/default.yaml\n"
    "\n"
    "keys of --config and --set:\n";

struct gate {
  struct comparison_request request;
  struct gate_settings settings;
  const char *config, *tolerance, *junit_path;
  const char **assignments;
  size_t assignment_count;
  bool json, github, p99, allow_missing;
  FILE *junit;
  enum rs_gate result;
};

static enum rs_status judge(void *context, const struct rs_comparison *comparison, size_t index,
                            struct rs_error *error) {
  struct gate *gate = context;
  struct rs_gate_options options = {.allow_missing = gate->settings.allow_missing};
  struct rs_gate_outcome outcome;
  for (size_t m = 0; m < RS_CLASS_METRICS; m++)
    for (size_t c = 0; c < RS_SIZE_CLASSES; c++)
      options.tolerances[m][c] = gate->settings.classes[m][c];
  rs_gate_judge(comparison, &options, &outcome);
  if (outcome.result == RS_GATE_FAIL || (outcome.result == RS_GATE_UNDECIDED && gate->result == RS_GATE_PASS))
    gate->result = outcome.result;
  if (gate->junit != NULL)
    rs_gate_junit(&outcome, gate->junit);
  if (gate->json) {
    fputs(index > 0 ? ",\n" : "", stdout);
    return rs_gate_json(&outcome, stdout, error);
  }
  fputs(index > 0 ? "\n" : "", stdout);
  rs_gate_print(&outcome, stdout);
  if (gate->github)
    rs_gate_github(&outcome, stdout);
  return RS_OK;
}

enum {
  OPTION_TOLERANCE = 256,
  OPTION_CONFIG,
  OPTION_SET,
  OPTION_P99,
  OPTION_MISSING,
  OPTION_JUNIT,
  OPTION_GITHUB,
  OPTION_JSON
};
static const struct option options[] = {COMPARISON_OPTIONS,
                                        {"tolerance", required_argument, NULL, OPTION_TOLERANCE},
                                        {"config", required_argument, NULL, OPTION_CONFIG},
                                        {"set", required_argument, NULL, OPTION_SET},
                                        {"p99", no_argument, NULL, OPTION_P99},
                                        {"allow-missing", no_argument, NULL, OPTION_MISSING},
                                        {"junit", required_argument, NULL, OPTION_JUNIT},
                                        {"github", no_argument, NULL, OPTION_GITHUB},
                                        {"json", no_argument, NULL, OPTION_JSON},
                                        {0}};

// False when the option is not the gate's own.
static bool take(struct gate *gate, int option) {
  switch (option) {
  case OPTION_TOLERANCE:
    gate->tolerance = optarg;
    return true;
  case OPTION_CONFIG:
    gate->config = optarg;
    return true;
  case OPTION_SET:
    gate->assignments[gate->assignment_count++] = optarg;
    return true;
  case OPTION_P99:
    gate->p99 = true;
    return true;
  case OPTION_MISSING:
    gate->allow_missing = true;
    return true;
  case OPTION_JUNIT:
    gate->junit_path = optarg;
    return true;
  case OPTION_GITHUB:
    gate->github = true;
    return true;
  case OPTION_JSON:
    gate->json = true;
    return true;
  default:
    return false;
  }
}

static enum rs_status parse(int argc, char **argv, struct gate *gate, struct rs_error *error) {
  for (int option; (option = getopt_long(argc, argv, COMPARISON_SHORT_OPTIONS, options, NULL)) != -1;) {
    if (!take(gate, option) && comparison_request_take(&gate->request, option, argv, error) < 0)
      return error->status;
    if (gate->request.help)
      return RS_OK;
  }
  if (gate->github && gate->json)
    return rs_error_set(error, RS_ERROR_USAGE, "--github and --json both write to stdout; give one of them");
  if (gate_settings_read(gate->config, gate->tolerance, gate->assignments, gate->assignment_count, &gate->settings,
                         error) < 0)
    return error->status;
  gate->settings.p99 = gate->settings.p99 || gate->p99;
  gate->settings.allow_missing = gate->settings.allow_missing || gate->allow_missing;
  return comparison_request_end(&gate->request, argc, argv, "gate", error);
}

// Only whole: of a gate that broke off, nobody shall find a file that names no failure.
static enum rs_status write_junit(const char *path, const char *text, struct rs_error *error) {
  FILE *file = fopen(path, "w");
  if (file == NULL)
    return rs_error_set_errno(error, RS_ERROR_USAGE, errno, "cannot write --junit %s", path);
  bool failed = fputs(text, file) == EOF;
  if (fclose(file) != 0 || failed)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "writing --junit %s", path);
  return RS_OK;
}

static enum rs_status run(struct gate *gate, struct rs_error *error) {
  unsigned metrics =
      RS_METRIC_MASK(RS_METRIC_TIME) | RS_METRIC_MASK(RS_METRIC_STREAMING) | RS_METRIC_MASK(RS_METRIC_PAIR_TIME);
  char *junit = NULL;
  size_t junit_bytes;
  bool array = gate->json && gate->request.by != NULL;
  if (gate->settings.p99)
    metrics |= RS_METRIC_MASK(RS_METRIC_P99);
  if (gate->junit_path != NULL && (gate->junit = open_memstream(&junit, &junit_bytes)) == NULL)
    return rs_error_set_memory(error, 1, "--junit");
  if (gate->junit != NULL)
    rs_gate_junit_begin(gate->junit);
  fputs(array ? "[\n" : "", stdout);
  enum rs_status status = comparison_request_run(&gate->request, metrics, judge, gate, error);
  fputs(array ? "]\n" : "", stdout);
  if (gate->junit != NULL) {
    rs_gate_junit_end(gate->junit);
    if (fclose(gate->junit) != 0 && status == RS_OK)
      status = rs_error_set_memory(error, 1, "--junit");
  }
  if (gate->junit_path != NULL && status == RS_OK)
    status = write_junit(gate->junit_path, junit, error);
  free(junit);
  return status;
}

static void print_help(void) {
  struct rs_text keys = {0};
  gate_settings_help(&keys);
  printf("%s%s", help, keys.data != NULL ? keys.data : "");
  rs_text_fini(&keys);
}

int cmd_gate(int argc, char **argv) {
  static const int exit_codes[] = {EXIT_UNDECIDED, EXIT_YES, EXIT_NO};
  struct rs_error error = {0};
  struct gate gate = {.result = RS_GATE_PASS};
  printout_begin();
  gate.assignments = rs_allocate((size_t)argc, sizeof *gate.assignments, "arguments", &error);
  enum rs_status status = comparison_request_init(&gate.request, argc, &error);
  if (status == RS_OK)
    status = parse(argc, argv, &gate, &error);
  if (status == RS_OK && gate.request.help)
    print_help();
  else if (status == RS_OK)
    status = run(&gate, &error);
  comparison_request_fini(&gate.request);
  free(gate.assignments);
  if (status != RS_OK)
    return command_fail("gate", &error);
  int printed = printout_end("gate");
  return printed == EXIT_YES ? exit_codes[gate.result] : printed;
}
