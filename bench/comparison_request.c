#include "comparison_request.h"

#include "result_set.h"
#include "ringside/options.h"

#include <stdlib.h>
#include <string.h>

enum rs_status comparison_request_init(struct comparison_request *request, int argc, struct rs_error *error) {
  *request = (struct comparison_request){.threshold = RS_DECISION_THRESHOLD, .level = RS_STATS_LEVEL};
  request->arguments = rs_allocate((size_t)argc, sizeof *request->arguments, "arguments", error);
  request->where = rs_allocate((size_t)argc, sizeof *request->where, "arguments", error);
  optind = 0; // start anew, whoever used getopt before
  opterr = 0;
  return error->status;
}

void comparison_request_fini(struct comparison_request *request) {
  free(request->arguments);
  free(request->where);
}

static void add_argument(struct comparison_request *request, const char *argument) {
  request->arguments[request->baseline_count + request->candidate_count] = argument;
  *(request->with ? &request->candidate_count : &request->baseline_count) += 1;
}

// A share: "2%" or "0.02", above 0 and below 1.
static enum rs_status take_share(const char *name, double *share, struct rs_error *error) {
  const struct rs_option table[] = {{.name = name, .type = RS_OPTION_DOUBLE, .default_text = "0"}, {0}};
  double value = 0;
  const struct rs_option_group group = {.prefix = "", .table = table, .target = &value};
  if (rs_options_set(&(struct rs_options){&group, 1}, "command line", name, optarg, error) < 0)
    return error->status;
  if (!(value > 0 && value < 1))
    return rs_error_set(error, RS_ERROR_USAGE, "--%s is a share between 0 and 1, or 0%% and 100%%, not '%s'", name,
                        optarg);
  *share = value;
  return RS_OK;
}

enum rs_status comparison_request_take(struct comparison_request *request, int option, char **argv,
                                       struct rs_error *error) {
  switch (option) {
  case 1:
    add_argument(request, optarg);
    return RS_OK;
  case COMPARISON_WITH:
    if (request->with)
      return rs_error_set(error, RS_ERROR_USAGE, "--with stands twice; it divides the baseline from the candidate");
    request->with = true;
    return RS_OK;
  case COMPARISON_BY:
    request->by = optarg;
    return RS_OK;
  case COMPARISON_BASELINE:
    request->baseline = optarg;
    return RS_OK;
  case COMPARISON_WHERE:
    request->where[request->where_count++] = optarg;
    return RS_OK;
  case COMPARISON_THRESHOLD:
    return take_share("threshold", &request->threshold, error);
  case COMPARISON_LEVEL:
    return take_share("level", &request->level, error);
  case 'h':
    request->help = true;
    return RS_OK;
  case ':':
    return rs_error_set(error, RS_ERROR_USAGE, "option '%s' needs a value", argv[optind - 1]);
  default:
    return rs_error_set(error, RS_ERROR_USAGE, "there is no option '%s'", argv[optind - 1]);
  }
}

enum rs_status comparison_request_end(struct comparison_request *request, int argc, char **argv, const char *command,
                                      struct rs_error *error) {
  for (; optind < argc; optind++)
    add_argument(request, argv[optind]);
  if (request->with && request->by != NULL)
    return rs_error_set(error, RS_ERROR_USAGE, "--with and --by both say what the sets are; give one of them");
  if (!request->with && request->by == NULL)
    return rs_error_set(error, RS_ERROR_USAGE, "--with is missing: ringside %s BASELINE... --with CANDIDATE...",
                        command);
  if (request->baseline != NULL && request->by == NULL)
    return rs_error_set(error, RS_ERROR_USAGE, "--baseline names a value of the field of --by, which is missing");
  return RS_OK;
}

static struct rs_comparison_options make_options(const struct comparison_request *request, unsigned metrics) {
  return (struct rs_comparison_options){.threshold = request->threshold,
                                        .level = request->level,
                                        .where = request->where,
                                        .where_count = request->where_count,
                                        .metrics = metrics};
}

static enum rs_status run_with(const struct comparison_request *request, unsigned metrics, comparison_use *use,
                               void *context, struct rs_error *error) {
  struct result_set baseline = {0}, candidate = {0};
  struct rs_comparison comparison = {0};
  const struct rs_comparison_options options = make_options(request, metrics);
  enum rs_status status = result_set_open(request->arguments, request->baseline_count, "baseline", &baseline, error);
  if (status == RS_OK)
    status = result_set_open(request->arguments + request->baseline_count, request->candidate_count, "candidate",
                             &candidate, error);
  if (status == RS_OK)
    status = rs_comparison_make((const struct rs_result *const *)baseline.results, baseline.count,
                                (const struct rs_result *const *)candidate.results, candidate.count, &options,
                                &comparison, error);
  if (status == RS_OK)
    status = use(context, &comparison, 0, error);
  rs_comparison_fini(&comparison);
  result_set_close(&candidate);
  result_set_close(&baseline);
  return status;
}

// The group that the others are held against.
static enum rs_status find_baseline(const struct comparison_request *request, const struct rs_result_groups *groups,
                                    size_t *index, struct rs_error *error) {
  struct rs_text values = {0};
  for (size_t g = 0; g < groups->count; g++)
    rs_text_append(&values, "%s%s", g == 0 ? "" : ", ", groups->items[g].value);
  const char *list = values.data != NULL ? values.data : "";
  *index = 0;
  while (request->baseline != NULL && *index < groups->count &&
         strcmp(groups->items[*index].value, request->baseline) != 0)
    ++*index;
  if (groups->count < 2)
    rs_error_set(error, RS_ERROR_USAGE, "all files say the same of '%s' (%s): there is nothing to compare", request->by,
                 list);
  else if (*index == groups->count)
    rs_error_set(error, RS_ERROR_USAGE, "no file has '%s' for '%s'; they have %s", request->baseline, request->by,
                 list);
  rs_text_fini(&values);
  return error->status;
}

static enum rs_status run_groups(const struct comparison_request *request, const struct rs_result_groups *groups,
                                 unsigned metrics, comparison_use *use, void *context, struct rs_error *error) {
  struct rs_comparison_options options = make_options(request, metrics);
  size_t first;
  enum rs_status status = find_baseline(request, groups, &first, error);
  options.explained_by = request->by;
  // Several comparisons in one answer: together they shall be as sure as one (Bonferroni).
  if (status == RS_OK)
    options.level = 1 - (1 - request->level) / (double)(groups->count - 1);
  for (size_t g = 0, index = 0; status == RS_OK && g < groups->count; g++) {
    const struct rs_result_group *baseline = &groups->items[first], *candidate = &groups->items[g];
    struct rs_comparison comparison = {0};
    if (g == first)
      continue;
    options.names[0] = baseline->value;
    options.names[1] = candidate->value;
    status = rs_comparison_make(baseline->results, baseline->count, candidate->results, candidate->count, &options,
                                &comparison, error);
    if (status == RS_OK)
      status = use(context, &comparison, index++, error);
    rs_comparison_fini(&comparison);
  }
  return status;
}

enum rs_status comparison_request_run(const struct comparison_request *request, unsigned metrics, comparison_use *use,
                                      void *context, struct rs_error *error) {
  if (request->by == NULL)
    return run_with(request, metrics, use, context, error);
  struct result_set set = {0};
  struct rs_result_groups groups = {0};
  enum rs_status status = result_set_open(request->arguments, request->baseline_count, "result", &set, error);
  if (status == RS_OK)
    status =
        rs_result_groups_make((const struct rs_result *const *)set.results, set.count, request->by, &groups, error);
  if (status == RS_OK)
    status = run_groups(request, &groups, metrics, use, context, error);
  rs_result_groups_fini(&groups);
  result_set_close(&set);
  return status;
}
