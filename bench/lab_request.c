#include "lab_request.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_NAME = 256, OPTION_SET, OPTION_WITHOUT_DELAY, OPTION_DRY_RUN, OPTION_MPIRUN, OPTION_JSON, OPTION_ALL };
static const struct option up_options[] = {{"name", required_argument, NULL, OPTION_NAME},
                                           {"set", required_argument, NULL, OPTION_SET},
                                           {"without-delay", no_argument, NULL, OPTION_WITHOUT_DELAY},
                                           {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
                                           {"help", no_argument, NULL, 'h'},
                                           {0}};
static const struct option run_options[] = {{"name", required_argument, NULL, OPTION_NAME},
                                            {"mpirun", required_argument, NULL, OPTION_MPIRUN},
                                            {"verbose", no_argument, NULL, 'v'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
static const struct option status_options[] = {{"name", required_argument, NULL, OPTION_NAME},
                                               {"json", no_argument, NULL, OPTION_JSON},
                                               {"help", no_argument, NULL, 'h'},
                                               {0}};
static const struct option down_options[] = {{"name", required_argument, NULL, OPTION_NAME},
                                             {"all", no_argument, NULL, OPTION_ALL},
                                             {"help", no_argument, NULL, 'h'},
                                             {0}};

// In the order of enum lab_verb. "+": options of the command that run starts are its own.
static const struct {
  const char *name, *short_options;
  const struct option *options;
  size_t words_max;
} verbs[] = {
    {"up", ":h", up_options, 1},
    {"run", "+:n:vh", run_options, SIZE_MAX},
    {"status", ":h", status_options, 0},
    {"down", ":h", down_options, 0},
};

static enum rs_status take_ranks(struct lab_request *request, struct rs_error *error) {
  char *end;
  errno = 0;
  unsigned long ranks = strtoul(optarg, &end, 10);
  if (errno != 0 || *end != '\0' || optarg[0] < '0' || optarg[0] > '9' || ranks == 0)
    return rs_error_set(error, RS_ERROR_USAGE, "-n takes a number of ranks, not '%s'", optarg);
  request->ranks = ranks;
  return RS_OK;
}

static enum rs_status take(struct lab_request *request, int option, const char *word, struct rs_error *error) {
  switch (option) {
  case OPTION_NAME:
    request->name = optarg;
    return RS_OK;
  case OPTION_SET:
    request->sets[request->set_count++] = optarg;
    return RS_OK;
  case OPTION_WITHOUT_DELAY:
    request->without_delay = true;
    return RS_OK;
  case OPTION_DRY_RUN:
    request->dry_run = true;
    return RS_OK;
  case OPTION_MPIRUN:
    request->mpirun = optarg;
    return RS_OK;
  case OPTION_JSON:
    request->json = true;
    return RS_OK;
  case OPTION_ALL:
    request->all = true;
    return RS_OK;
  case 'n':
    return take_ranks(request, error);
  case 'v':
    request->verbose = true;
    return RS_OK;
  case 'h':
    request->help = true;
    return RS_OK;
  case ':':
    return rs_error_set(error, RS_ERROR_USAGE, "%s needs a value", word);
  default:
    return rs_error_set(error, RS_ERROR_USAGE, "'%s' has no option %s", verbs[request->verb].name, word);
  }
}

static enum rs_status find_verb(struct lab_request *request, const char *word, struct rs_error *error) {
  const char *names[RS_ARRAY_LENGTH(verbs)];
  for (size_t v = 0; v < RS_ARRAY_LENGTH(verbs); v++) {
    names[v] = verbs[v].name;
    if (strcmp(word, verbs[v].name) == 0) {
      request->verb = (enum lab_verb)v;
      return RS_OK;
    }
  }
  const char *nearest = rs_text_nearest(word, names, RS_ARRAY_LENGTH(names));
  return rs_error_set(error, RS_ERROR_USAGE, "a lab takes up, run, status or down, not '%s'%s%s%s", word,
                      nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                      nearest != NULL ? "'?" : "");
}

enum rs_status lab_request_init(struct lab_request *request, int argc, char **argv, struct rs_error *error) {
  *request = (struct lab_request){0};
  if (argc < 2)
    return rs_error_set(error, RS_ERROR_USAGE, "what? up, run, status or down");
  request->help = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0;
  if (request->help || find_verb(request, argv[1], error) < 0)
    return error->status;
  request->sets = rs_allocate((size_t)argc, sizeof *request->sets, "options", error);
  if (request->sets == NULL)
    return error->status;
  argc--;
  argv++;
  opterr = 0;
  optind = 1;
  const char *short_options = verbs[request->verb].short_options;
  const struct option *options = verbs[request->verb].options;
  for (int option; (option = getopt_long(argc, argv, short_options, options, NULL)) != -1;)
    if (take(request, option, argv[optind - 1], error) < 0)
      return error->status;
  request->words = argv + optind;
  request->word_count = (size_t)(argc - optind);
  if (request->word_count > verbs[request->verb].words_max)
    return rs_error_set(error, RS_ERROR_USAGE, "'%s' does not take '%s'", verbs[request->verb].name,
                        request->words[verbs[request->verb].words_max]);
  if (request->all && request->name != NULL)
    return rs_error_set(error, RS_ERROR_USAGE, "--all and --name exclude each other");
  return RS_OK;
}

void lab_request_fini(struct lab_request *request) {
  free(request->sets);
}
