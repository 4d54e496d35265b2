#include "command.h"
#include "comparison_request.h"
#include "printout.h"

static const char help[] =
    "usage: ringside compare [OPTIONS] BASELINE... --with CANDIDATE...\n"
    "       ringside compare [OPTIONS] --by FIELD FILE...\n"
    "\n"
    "Compares two sets of results: is the candidate faster or slower than the baseline, and by how much? Each of\n"
    "BASELINE and CANDIDATE is a result file, a directory (its *.h5) or a pattern. Every file is one launch, and\n"
    "launches are what counts: ten of each, interleaved, tell a difference of 2% on a quiet machine. One of each "
    "works,\n"
    "and says what it cannot show.\n"
    "\n" COMPARISON_HELP "  --threshold 1.5%   differences below this do not matter\n"
    "  --json             as JSON; an array with --by\n"
    "  --help             this text\n"
    "\n"
    "examples:\n"
    "  ringside compare results/before.h5 --with results/after.h5\n"
    "  ringside compare 'results/spread-*.h5' --with 'results/cluster-*.h5'\n"
    "  ringside compare --by placement_group results/\n"
    "  ringside compare baseline/ --with today/ --json | jq '.cases[] | select(.ratio_low > 1.1)'\n";

struct format {
  bool json, array;
};

static enum rs_status print_comparison(void *context, const struct rs_comparison *comparison, size_t index,
                                       struct rs_error *error) {
  const struct format *format = context;
  if (format->json) {
    fputs(index > 0 ? ",\n" : "", stdout);
    return rs_comparison_json(comparison, stdout, error);
  }
  fputs(index > 0 ? "\n\n" : "", stdout);
  rs_comparison_print(comparison, stdout);
  return RS_OK;
}

static enum rs_status parse(int argc, char **argv, struct comparison_request *request, struct format *format,
                            struct rs_error *error) {
  static const struct option options[] = {COMPARISON_OPTIONS,
                                          {"threshold", required_argument, NULL, COMPARISON_THRESHOLD},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
  for (int option; (option = getopt_long(argc, argv, COMPARISON_SHORT_OPTIONS, options, NULL)) != -1;) {
    if (option == 'j')
      format->json = true;
    else if (comparison_request_take(request, option, argv, error) < 0)
      return error->status;
    if (request->help)
      return RS_OK;
  }
  format->array = request->by != NULL;
  return comparison_request_end(request, argc, argv, "compare", error);
}

int cmd_compare(int argc, char **argv) {
  struct rs_error error = {0};
  struct comparison_request request;
  struct format format = {0};
  printout_begin();
  enum rs_status status = comparison_request_init(&request, argc, &error);
  if (status == RS_OK)
    status = parse(argc, argv, &request, &format, &error);
  if (status == RS_OK && request.help) {
    fputs(help, stdout);
  } else if (status == RS_OK) {
    fputs(format.json && format.array ? "[\n" : "", stdout);
    status = comparison_request_run(&request, 0, print_comparison, &format, &error);
    fputs(format.json && format.array ? "]\n" : "", stdout);
  }
  comparison_request_fini(&request);
  return status == RS_OK ? printout_end("compare") : command_fail("compare", &error);
}
