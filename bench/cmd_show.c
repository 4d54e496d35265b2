#include "command.h"
#include "printout.h"
#include "result_set.h"
#include "ringside/report.h"

#include <getopt.h>
#include <string.h>

static const char help[] =
    "usage: ringside show [--format FORMAT | --json | --jsonl | --csv | --prometheus | --stragglers] FILE...\n"
    "\n"
    "Shows results. FILE is a result file, a directory (its *.h5) or a pattern; a run still going on can be shown "
    "too.\n"
    "\n"
    "  --format FORMAT   table       for people: a row per size, a column per implementation, the fastest marked;\n"
    "                                pairs of ranks as heat maps, background traffic as slowdown factors\n"
    "                    json        everything but the samples; an array when there are several files\n"
    "                    jsonl       a JSON object per line and finished case\n"
    "                    csv         a row per finished case\n"
    "                    prometheus  metrics in Prometheus' text format, for its textfile collector\n"
    "                    nccl-tests  the columns of nccl-tests, for scripts that read those (collectives only)\n"
    "                    stragglers  which ranks enter or leave last, how often and by how much\n"
    "  --json, --jsonl, --csv, --prometheus, --stragglers\n"
    "                    the same as --format json and so on\n"
    "  --help            this text\n"
    "\n"
    "examples:\n"
    "  ringside show results/quick.h5\n"
    "  ringside show --stragglers results/quick.h5\n"
    "  ringside show --csv results/ > results.csv\n"
    "  ringside show --json results/quick.h5 | jq '.cases[] | [.implementation, .size_bytes, .median_ns]'\n"
    "  ringside show --format nccl-tests 'results/2026-11-*.h5'\n";

static enum rs_status print_tables(const struct result_set *set, struct rs_error *error) {
  (void)error;
  for (size_t i = 0; i < set->count; i++) {
    fputs(i == 0 ? "" : "\n\n", stdout);
    printout_table(set->results[i]);
  }
  return RS_OK;
}

static enum rs_status print_stragglers(const struct result_set *set, struct rs_error *error) {
  for (size_t i = 0; i < set->count; i++) {
    struct rs_stragglers stragglers;
    if (rs_stragglers_find(set->results[i], &stragglers, error) < 0)
      return error->status;
    fputs(i == 0 ? "" : "\n\n", stdout);
    rs_stragglers_print(set->results[i], &stragglers, stdout);
    rs_stragglers_fini(&stragglers);
  }
  return RS_OK;
}

static enum rs_status print_json(const struct result_set *set, struct rs_error *error) {
  enum rs_status status = RS_OK;
  fputs(set->count > 1 ? "[\n" : "", stdout);
  for (size_t i = 0; status == RS_OK && i < set->count; i++) {
    struct rs_stragglers stragglers = {0};
    status = rs_stragglers_find(set->results[i], &stragglers, error);
    fputs(i == 0 ? "" : ",\n", stdout);
    if (status == RS_OK)
      status = rs_report_json(set->results[i], &stragglers, stdout, error);
    rs_stragglers_fini(&stragglers);
  }
  fputs(set->count > 1 ? "]\n" : "", stdout);
  return status;
}

static enum rs_status print_csv(const struct result_set *set, struct rs_error *error) {
  (void)error;
  for (size_t i = 0; i < set->count; i++)
    rs_report_csv(set->results[i], i == 0, stdout);
  return RS_OK;
}

static enum rs_status print_nccl_tests(const struct result_set *set, struct rs_error *error) {
  (void)error;
  for (size_t i = 0; i < set->count; i++)
    rs_report_nccl_tests(set->results[i], stdout);
  return RS_OK;
}

static enum rs_status print_jsonl(const struct result_set *set, struct rs_error *error) {
  enum rs_status status = RS_OK;
  for (size_t i = 0; status == RS_OK && i < set->count; i++)
    status = rs_report_jsonl(set->results[i], stdout, error);
  return status;
}

static enum rs_status print_prometheus(const struct result_set *set, struct rs_error *error) {
  (void)error;
  rs_report_prometheus((const struct rs_result *const *)set->results, set->count, stdout);
  return RS_OK;
}

struct format {
  const char *name;
  enum rs_status (*print)(const struct result_set *set, struct rs_error *error);
};
static const struct format formats[] = {
    {"table", print_tables},          {"json", print_json},
    {"jsonl", print_jsonl},           {"csv", print_csv},
    {"prometheus", print_prometheus}, {"nccl-tests", print_nccl_tests},
    {"stragglers", print_stragglers},
};

static const struct format *find_format(const char *name, struct rs_error *error) {
  for (size_t i = 0; i < RS_ARRAY_LENGTH(formats); i++) {
    if (strcmp(formats[i].name, name) == 0)
      return &formats[i];
  }
  rs_error_set(error, RS_ERROR_USAGE,
               "there is no format '%s'; there are table, json, jsonl, csv, prometheus, nccl-tests and stragglers",
               name);
  return NULL;
}

// Reads the options up to the first file; *format is NULL when the help was asked for.
static enum rs_status parse(int argc, char **argv, const struct format **format, struct rs_error *error) {
  enum { OPTION_FORMAT = 256, OPTION_NAMED };
  static const struct option options[] = {{"format", required_argument, NULL, OPTION_FORMAT},
                                          {"json", no_argument, NULL, OPTION_NAMED},
                                          {"jsonl", no_argument, NULL, OPTION_NAMED},
                                          {"csv", no_argument, NULL, OPTION_NAMED},
                                          {"prometheus", no_argument, NULL, OPTION_NAMED},
                                          {"stragglers", no_argument, NULL, OPTION_NAMED},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
  *format = find_format("table", error);
  optind = 0; // start anew, whoever used getopt before
  opterr = 0;
  for (int option, index; (option = getopt_long(argc, argv, ":h", options, &index)) != -1;) {
    switch (option) {
    case OPTION_FORMAT:
      *format = find_format(optarg, error);
      break;
    case OPTION_NAMED:
      *format = find_format(options[index].name, error);
      break;
    case 'h':
      *format = NULL;
      return RS_OK;
    case ':':
      return rs_error_set(error, RS_ERROR_USAGE, "option '%s' needs a value", argv[optind - 1]);
    default:
      return rs_error_set(error, RS_ERROR_USAGE, "there is no option '%s'", argv[optind - 1]);
    }
    if (*format == NULL)
      return error->status;
  }
  return RS_OK;
}

int cmd_show(int argc, char **argv) {
  struct rs_error error = {0};
  struct result_set set = {0};
  const struct format *format;
  printout_begin();
  enum rs_status status = parse(argc, argv, &format, &error);
  if (status == RS_OK && format == NULL) {
    fputs(help, stdout);
    return printout_end("show");
  }
  if (status == RS_OK)
    status = result_set_open((const char *const *)argv + optind, (size_t)(argc - optind), "result", &set, &error);
  if (status == RS_OK)
    status = format->print(&set, &error);
  result_set_close(&set);
  return status == RS_OK ? printout_end("show") : command_fail("show", &error);
}
