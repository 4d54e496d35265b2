// ringside choose: which placement, image or setting is best, from which size, by what, and how sure.
#include "command.h"
#include "comparison_request.h"
#include "printout.h"
#include "result_set.h"

static const char help[] =
    "usage: ringside choose --by FIELD [OPTIONS] FILE...\n"
    "\n"
    "Divides launches by what they say of FIELD (a label such as placement, or a fact such as instance_type) and says\n"
    "which value is best: how much faster, from which message size, with which algorithm, and how sure. Every group\n"
    "stands at its best: its fastest implementation at each size. FILE is a result, a directory (its *.h5) or a\n"
    "pattern; every file is one launch, and five launches of each of three groups are the fewest that can decide.\n"
    "\n"
    "  --by FIELD         what sets the launches apart: a label, or a fact of hosts, devices, configuration\n"
    "  --where FIELD=VALUE  only such cases: implementation=ring, transport=tcp; may stand several times\n"
    "  --threshold 1.5%   differences below this do not matter\n"
    "  --level 95%        how sure all that is called faster shall be, together\n"
    "  --json             as JSON\n"
    "  --help             this text\n"
    "\n"
    "examples:\n"
    "  ringside choose --by placement results/placement/\n"
    "  ringside choose --by instance_type 'results/*.h5' --where datatype=bfloat16\n"
    "\n"
    "Exit code: 0, whatever wins; 2 bad usage; 4 a file cannot be read.\n";

static enum rs_status parse(int argc, char **argv, struct comparison_request *request, bool *json,
                            struct rs_error *error) {
  static const struct option options[] = {COMPARISON_OPTIONS,
                                          {"threshold", required_argument, NULL, COMPARISON_THRESHOLD},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
  for (int option; (option = getopt_long(argc, argv, COMPARISON_SHORT_OPTIONS, options, NULL)) != -1;) {
    if (option == 'j')
      *json = true;
    else if (comparison_request_take(request, option, argv, error) < 0)
      return error->status;
    if (request->help)
      return RS_OK;
  }
  if (request->by == NULL)
    return rs_error_set(error, RS_ERROR_USAGE, "--by is missing: what sets the launches apart, such as --by placement");
  return comparison_request_end(request, argc, argv, "choose", error);
}

static enum rs_status choose(const struct comparison_request *request, bool json, struct rs_error *error) {
  struct result_set set = {0};
  struct rs_result_groups groups = {0};
  struct rs_choice choice = {0};
  const struct rs_comparison_options options = {.threshold = request->threshold,
                                                .level = request->level,
                                                .where = request->where,
                                                .where_count = request->where_count};
  enum rs_status status = result_set_open(request->arguments, request->baseline_count, "result", &set, error);
  if (status == RS_OK)
    status =
        rs_result_groups_make((const struct rs_result *const *)set.results, set.count, request->by, &groups, error);
  if (status == RS_OK)
    status = rs_choice_make(&groups, request->by, &options, &choice, error);
  if (status == RS_OK && json)
    status = rs_choice_json(&choice, stdout, error);
  else if (status == RS_OK)
    rs_choice_print(&choice, stdout);
  rs_choice_fini(&choice);
  rs_result_groups_fini(&groups);
  result_set_close(&set);
  return status;
}

int cmd_choose(int argc, char **argv) {
  struct rs_error error = {0};
  struct comparison_request request;
  bool json = false;
  printout_begin();
  enum rs_status status = comparison_request_init(&request, argc, &error);
  if (status == RS_OK)
    status = parse(argc, argv, &request, &json, &error);
  if (status == RS_OK && request.help)
    fputs(help, stdout);
  else if (status == RS_OK)
    status = choose(&request, json, &error);
  comparison_request_fini(&request);
  return status == RS_OK ? printout_end("choose") : command_fail("choose", &error);
}
