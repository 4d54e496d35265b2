// ringside fit: a fabric file from measured ping-pongs and streams.
#include "command.h"
#include "fit_fabric.h"
#include "printout.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#define SEED 1 // of the bootstrap: the same files give the same intervals

static const char help[] =
    "usage: ringside fit RESULT... [-o FABRIC.yaml] [--name NAME] [--transport NAME] [--force]\n"
    "\n"
    "Estimates latency, rates and gap between ranks, by how far they are apart, from ping-pongs and streams, and "
    "shows\n"
    "them with 95% intervals. RESULT is a result file, a directory (its *.h5) or a pattern; each file is one launch.\n"
    "\n"
    "  -o, --output FILE   write a fabric that the emulated transport and others read\n"
    "      --name NAME     what the fabric is called (default: fitted)\n"
    "      --transport T   take times over this transport, when there are several\n"
    "      --force         replace FILE if it exists\n"
    "  -h, --help          this text\n"
    "\n"
    "examples:\n"
    "  mpirun -n 2 ringside run configs/fit.yaml -o pairs.h5\n"
    "  ringside fit pairs.h5\n"
    "  ringside fit 'results/pairs-*.h5' -o mine.yaml --name mine\n";

struct request {
  const char *output, *name, *transport;
  bool force, help;
};

static enum rs_status parse(int argc, char **argv, struct request *request, struct rs_error *error) {
  static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                          {"name", required_argument, NULL, 'n'},
                                          {"transport", required_argument, NULL, 't'},
                                          {"force", no_argument, NULL, 'f'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
  optind = 0; // start anew, whoever used getopt before
  opterr = 0;
  for (int option; (option = getopt_long(argc, argv, ":ho:", options, NULL)) != -1;) {
    switch (option) {
    case 'o':
      request->output = optarg;
      break;
    case 'n':
      request->name = optarg;
      break;
    case 't':
      request->transport = optarg;
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
  return RS_OK;
}

// Only what reads back is written.
static enum rs_status write_fabric(const struct fit_report *report, const struct request *request,
                                   struct rs_error *error) {
  struct rs_text text = {0};
  struct rs_fabric fabric;
  const bool any = fit_report_format(report, &text);
  if (text.failed) {
    rs_error_set_memory(error, text.length, "the fabric file");
    goto fini_text;
  }
  if (!any) {
    rs_error_set(error, RS_ERROR_USAGE, "no latency is known, so there is no fabric to write");
    goto fini_text;
  }
  if (rs_fabric_parse(request->output, text.data, text.length, &fabric, error) < 0)
    goto fini_text;
  FILE *file = fopen(request->output, request->force ? "w" : "wx");
  if (!file) {
    rs_error_set_errno(error, RS_ERROR_USAGE, errno, "writing the fabric '%s'%s", request->output,
                       errno == EEXIST ? " (--force replaces it)" : "");
    goto fini_text;
  }
  const bool written = fputs(text.data, file) >= 0;
  if (fclose(file) != 0 || !written)
    rs_error_set_errno(error, RS_ERROR_IO, errno, "writing the fabric '%s'", request->output);

fini_text:
  rs_text_fini(&text);
  return error->status;
}

static enum rs_status fit(const struct request *request, const char *const *arguments, size_t count,
                          struct rs_error *error) {
  struct result_set set = {0};
  struct fit_points points = {0};
  struct rs_fabric_fitted fitted[RS_DISTANCE_COUNT];
  if (result_set_open(arguments, count, "result", &set, error) < 0 ||
      fit_points_init(&set, request->transport, &points, error) < 0)
    goto close_set;
  if (rs_fabric_fit(points.items, points.count, SEED, fitted, error) < 0)
    goto fini_points;
  const struct fit_report report = {.points = &points,
                                    .fitted = fitted,
                                    .name = request->name,
                                    .launches = set.count,
                                    .hosts = set.results[0]->placement.host_count};
  fit_report_print(&report, stdout);
  if (request->output)
    write_fabric(&report, request, error);
fini_points:
  fit_points_fini(&points);
close_set:
  result_set_close(&set);
  return error->status;
}

int cmd_fit(int argc, char **argv) {
  struct rs_error error = {0};
  struct request request = {.name = "fitted"};
  printout_begin();
  if (parse(argc, argv, &request, &error) < 0)
    return command_fail("fit", &error);
  if (request.help) {
    fputs(help, stdout);
    return printout_end("fit");
  }
  if (fit(&request, (const char *const *)argv + optind, (size_t)(argc - optind), &error) < 0)
    return command_fail("fit", &error);
  return printout_end("fit");
}
