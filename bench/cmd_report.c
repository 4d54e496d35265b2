#include "command.h"
#include "printout.h"
#include "result_set.h"
#include "ringside/report.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
    "usage: ringside report RESULT... [--with CANDIDATE...] [-o FILE.html] [--force]\n"
    "\n"
    "Makes one HTML file with charts and tables of results, which opens in any browser without a network. Each of\n"
    "RESULT and CANDIDATE is a result file, a directory (its *.h5) or a pattern; files that share their placement and\n"
    "labels are shown as one line, and a run still going on can be shown too.\n"
    "\n"
    "  --with              what follows is the candidate: the page compares it with what stands before\n"
    "  -o, --output FILE   where the page goes (default: report.html); - for stdout\n"
    "      --force         replace FILE if it exists\n"
    "  -h, --help          this text\n"
    "\n"
    "examples:\n"
    "  ringside report results/quick.h5\n"
    "  ringside report 'results/spread-*.h5' 'results/cluster-*.h5' -o placement.html\n"
    "  ringside report 'results/spread-*.h5' --with 'results/cluster-*.h5' -o placement.html --force\n";

struct request {
  const char **arguments; // the results, then the candidate's
  size_t result_count, candidate_count;
  const char *output;
  bool help, force, with;
};

static void add_argument(struct request *request, const char *argument) {
  request->arguments[request->result_count + request->candidate_count] = argument;
  *(request->with ? &request->candidate_count : &request->result_count) += 1;
}

// Takes arguments and options in the order given ('-' as the first of the short options), since --with divides them.
static enum rs_status parse(int argc, char **argv, struct request *request, struct rs_error *error) {
  static const struct option options[] = {{"with", no_argument, NULL, 'w'},
                                          {"output", required_argument, NULL, 'o'},
                                          {"force", no_argument, NULL, 'f'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
  optind = 0; // start anew, whoever used getopt before
  opterr = 0;
  for (int option; (option = getopt_long(argc, argv, "-:ho:", options, NULL)) != -1;) {
    switch (option) {
    case 1:
      add_argument(request, optarg);
      break;
    case 'w':
      if (request->with)
        return rs_error_set(error, RS_ERROR_USAGE, "--with stands twice; it divides the results from the candidate");
      request->with = true;
      break;
    case 'o':
      request->output = optarg;
      break;
    case 'f':
      request->force = true;
      break;
    case 'h':
      request->help = true;
      return RS_OK;
    case ':':
      return rs_error_set(error, RS_ERROR_USAGE, "option '%s' needs a value", argv[optind - 1]);
    default:
      return rs_error_set(error, RS_ERROR_USAGE, "there is no option '%s'", argv[optind - 1]);
    }
  }
  for (; optind < argc; optind++) // what stands after "--"
    add_argument(request, argv[optind]);
  return RS_OK;
}

static enum rs_status check_output(const char *path, bool force, struct rs_error *error) {
  struct stat there;
  if (lstat(path, &there) != 0)
    return errno == ENOENT ? RS_OK
                           : rs_error_set_errno(error, RS_ERROR_USAGE, errno, "looking for the output '%s'", path);
  if (!S_ISREG(there.st_mode))
    return rs_error_set(error, RS_ERROR_USAGE, "the output '%s' is there and no regular file; name another with -o",
                        path);
  if (!force)
    return rs_error_set(error, RS_ERROR_USAGE, "the output '%s' exists; --force replaces it, -o names another", path);
  return RS_OK;
}

// Written under a name of its own beside `path` and renamed when it is complete.
static enum rs_status write_file(const struct rs_report_page *page, const char *path, struct rs_error *error) {
  struct rs_text temporary = {0};
  rs_text_append(&temporary, "%s.XXXXXX", path);
  if (temporary.failed)
    return rs_error_set_memory(error, strlen(path), "a file name");
  int descriptor = mkstemp(temporary.data);
  FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
  if (file == NULL) {
    rs_error_set_errno(error, RS_ERROR_USAGE, errno, "creating the output '%s'", path);
    goto fini_temporary;
  }
  mode_t mask = umask(0);
  umask(mask);
  rs_report_html(page, file, error);
  bool closed = fchmod(descriptor, 0666 & ~mask) == 0;
  closed = fclose(file) == 0 && closed;
  if (error->status == RS_OK && (!closed || rename(temporary.data, path) != 0))
    rs_error_set_errno(error, RS_ERROR_IO, errno, "writing the output '%s'", path);
  if (error->status != RS_OK)
    unlink(temporary.data);

fini_temporary:
  rs_text_fini(&temporary);
  return error->status;
}

static enum rs_status report(const struct request *request, struct rs_error *error) {
  struct result_set results = {0}, candidate = {0};
  struct rs_comparison comparison = {0};
  bool to_stdout = strcmp(request->output, "-") == 0;
  if (rs_report_html_ready(error) < 0 || (!to_stdout && check_output(request->output, request->force, error) < 0) ||
      result_set_open(request->arguments, request->result_count, "result", &results, error) < 0)
    goto close_sets;
  struct rs_report_page page = {
      .results = {(const struct rs_result *const *)results.results, results.count},
  };
  if (request->with) {
    if (result_set_open(request->arguments + request->result_count, request->candidate_count, "candidate", &candidate,
                        error) < 0)
      goto close_sets;
    page.candidate = (struct rs_result_list){(const struct rs_result *const *)candidate.results, candidate.count};
    if (rs_comparison_make(page.results.results, page.results.count, page.candidate.results, page.candidate.count, NULL,
                           &comparison, error) < 0)
      goto close_sets;
    page.comparison = &comparison;
  }
  if (to_stdout)
    rs_report_html(&page, stdout, error);
  else if (write_file(&page, request->output, error) == RS_OK)
    fprintf(stderr, "report: %s\n", request->output);

close_sets:
  rs_comparison_fini(&comparison);
  result_set_close(&candidate);
  result_set_close(&results);
  return error->status;
}

int cmd_report(int argc, char **argv) {
  struct rs_error error = {0};
  struct request request = {.arguments = rs_allocate((size_t)argc, sizeof(*request.arguments), "arguments", &error),
                            .output = "report.html"};
  printout_begin();
  enum rs_status status = request.arguments == NULL ? error.status : parse(argc, argv, &request, &error);
  if (status == RS_OK && request.help)
    fputs(help, stdout);
  else if (status == RS_OK)
    status = report(&request, &error);
  free(request.arguments);
  return status == RS_OK ? printout_end("report") : command_fail("report", &error);
}
