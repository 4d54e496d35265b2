#include "command.h"
#include "printout.h"
#include "result_set.h"
#include "ringside/report.h"

#include <getopt.h>
#include <stdlib.h>

static const char help[] =
    "usage: ringside compare [--json] BASELINE... --with CANDIDATE...\n"
    "\n"
    "Compares two sets of results, case by case: what the candidate takes against the baseline. Each of BASELINE and\n"
    "CANDIDATE is a result file, a directory (its *.h5) or a pattern; every file is one launch, and a set of several\n"
    "launches counts with the median over them. Only cases that measured the same are compared.\n"
    "\n"
    "  --with   what follows is the candidate\n"
    "  --json   as JSON\n"
    "  --help   this text\n"
    "\n"
    "examples:\n"
    "  ringside compare results/before.h5 --with results/after.h5\n"
    "  ringside compare 'results/spread-*.h5' --with 'results/cluster-*.h5'\n"
    "  ringside compare baseline/ --with today/ --json | jq '.cases[] | select(.ratio > 1.1)'\n";

struct request {
  const char **arguments; // the baseline's, then the candidate's
  size_t baseline_count, candidate_count;
  bool help, json, with;
};

static void add_argument(struct request *request, const char *argument) {
  request->arguments[request->baseline_count + request->candidate_count] = argument;
  *(request->with ? &request->candidate_count : &request->baseline_count) += 1;
}

// Takes arguments and options in the order given ('-' as the first of the short options), since --with divides them.
static enum rs_status parse(int argc, char **argv, struct request *request, struct rs_error *error) {
  static const struct option options[] = {
      {"with", no_argument, NULL, 'w'}, {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
  optind = 0; // start anew, whoever used getopt before
  opterr = 0;
  for (int option; (option = getopt_long(argc, argv, "-h", options, NULL)) != -1;) {
    switch (option) {
    case 1:
      add_argument(request, optarg);
      break;
    case 'w':
      if (request->with)
        return rs_error_set(error, RS_ERROR_USAGE, "--with stands twice; it divides the baseline from the candidate");
      request->with = true;
      break;
    case 'j':
      request->json = true;
      break;
    case 'h':
      request->help = true;
      return RS_OK;
    default:
      return rs_error_set(error, RS_ERROR_USAGE, "there is no option '%s'", argv[optind - 1]);
    }
  }
  for (; optind < argc; optind++) // what stands after "--"
    add_argument(request, argv[optind]);
  if (!request->with)
    return rs_error_set(error, RS_ERROR_USAGE, "--with is missing: ringside compare BASELINE... --with CANDIDATE...");
  return RS_OK;
}

static enum rs_status compare(const struct request *request, struct rs_error *error) {
  struct result_set baseline = {0}, candidate = {0};
  struct rs_comparison comparison = {0};
  enum rs_status status = result_set_open(request->arguments, request->baseline_count, "baseline", &baseline, error);
  if (status == RS_OK)
    status = result_set_open(request->arguments + request->baseline_count, request->candidate_count, "candidate",
                             &candidate, error);
  if (status == RS_OK)
    status =
        rs_comparison_make((const struct rs_result *const *)baseline.results, baseline.count,
                           (const struct rs_result *const *)candidate.results, candidate.count, &comparison, error);
  if (status == RS_OK && request->json)
    status = rs_comparison_json(&comparison, stdout, error);
  else if (status == RS_OK)
    rs_comparison_print(&comparison, stdout);
  rs_comparison_fini(&comparison);
  result_set_close(&candidate);
  result_set_close(&baseline);
  return status;
}

int cmd_compare(int argc, char **argv) {
  struct rs_error error = {0};
  struct request request = {.arguments = rs_allocate((size_t)argc, sizeof(*request.arguments), "arguments", &error)};
  printout_begin();
  enum rs_status status = request.arguments == NULL ? error.status : parse(argc, argv, &request, &error);
  if (status == RS_OK && request.help)
    fputs(help, stdout);
  else if (status == RS_OK)
    status = compare(&request, &error);
  free(request.arguments);
  return status == RS_OK ? printout_end("compare") : command_fail("compare", &error);
}
