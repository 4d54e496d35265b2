// ringside order: the order of ranks that crosses expensive links least, for people, for `run --order` and for
// launchers.
#include "command.h"
#include "order_print.h"
#include "printout.h"

#include "ringside/options.h"
#include "ringside/simulate.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char usage[] =
    "usage: ringside order RESULT.h5 [--fabric FILE] [OPTION]...\n"
    "       ringside order --fabric FILE --ranks N [OPTION]...\n"
    "\n"
    "Which rank should stand where, so that an algorithm crosses expensive links least. Ranks and hosts are those of "
    "a\n"
    "result, or N ranks as a fabric lays them out. A link costs what the fabric says; without one, what the result's\n"
    "ping-pongs took, else the delays of its links, else ten times more for each class of distance.\n"
    "\n"
    "      --fabric FILE      a link model, such as configs/fabrics/aws-two-zones.yaml, which also predicts the times\n"
    "                         before and after; that of the result, if it was emulated\n"
    "      --topology FILE    what an operator knows of the result's hosts (docs/topology.md)\n"
    "      --KEY VALUE        one of the keys below\n"
    "  -o, --output FILE      write a file of that format, and print the words too\n"
    "      --force            replace FILE if it exists\n"
    "      --json             print the answer as JSON\n"
    "  -h, --help             this text\n"
    "\n";

static const char examples[] =
    "\n"
    "Exit code: 0 done; 2 bad usage or input.\n"
    "\n"
    "Examples:\n"
    "  mpirun -np 16 ringside run --set benchmark=p2p --set p2p=pingpong -o pairs.h5\n"
    "  ringside order pairs.h5 -o ring.order                  the best ring, by what was measured\n"
    "  mpirun -np 16 ringside run --order ring.order          use it\n"
    "  ringside order pairs.h5 --algorithm tree --format openmpi-rankfile -o tree.ranks\n"
    "  ringside order --fabric configs/fabrics/aws-two-zones.yaml --ranks 8\n";

// ---- request ----------------------------------------------------------------------------------------------

struct request {
  const char *result, *fabric, *topology, *output;
  struct rs_string algorithm;
  uint64_t collective, size, chunk, ranks, costs, format;
  bool formatted, force, json, help;
};

// The options that have values, decoded like keys of a configuration.
static const struct rs_option options[] = {
    {.name = "ranks",
     .type = RS_OPTION_UINT,
     .offset = offsetof(struct request, ranks),
     .default_text = "0",
     .help = "without a result: so many ranks on the fabric's own layout",
     .maximum = 4096},
    {.name = "algorithm",
     .type = RS_OPTION_STRING,
     .offset = offsetof(struct request, algorithm),
     .default_text = "ring",
     .help = "what is to run in this order ('ringside list algorithms' names them)"},
    {.name = "collective",
     .type = RS_OPTION_CHOICE,
     .offset = offsetof(struct request, collective),
     .default_text = "allreduce",
     .choices = rs_collective_names,
     .help = "of which collective"},
    {.name = "size",
     .type = RS_OPTION_SIZE,
     .offset = offsetof(struct request, size),
     .default_text = "64MiB",
     .minimum = 1,
     .help = "bytes per rank"},
    {.name = "costs",
     .type = RS_OPTION_CHOICE,
     .offset = offsetof(struct request, costs),
     .default_text = "auto",
     .choices = order_costs_names,
     .help = "what links cost; auto: the first that there is"},
    {.name = "format",
     .type = RS_OPTION_CHOICE,
     .offset = offsetof(struct request, format),
     .default_text = "order",
     .choices = rs_rank_order_format_names,
     .help = "of the file: for 'ringside run --order', or for a launcher; without -o it is printed instead of words"},
    {.name = "chunk",
     .type = RS_OPTION_SIZE,
     .offset = offsetof(struct request, chunk),
     .default_text = "256KiB",
     .help = "for the prediction, as the run's: largest message a part is cut into; 0: not cut"},
    {.name = NULL},
};

enum { OPTION_FABRIC = 256, OPTION_TOPOLOGY, OPTION_FORCE, OPTION_JSON, OPTION_KEY }; // OPTION_KEY + index in `options`

static const struct option long_options[] = {
    {"fabric", required_argument, NULL, OPTION_FABRIC},
    {"topology", required_argument, NULL, OPTION_TOPOLOGY},
    {"force", no_argument, NULL, OPTION_FORCE},
    {"json", no_argument, NULL, OPTION_JSON},
    {"output", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},
    {"ranks", required_argument, NULL, OPTION_KEY},
    {"algorithm", required_argument, NULL, OPTION_KEY + 1},
    {"collective", required_argument, NULL, OPTION_KEY + 2},
    {"size", required_argument, NULL, OPTION_KEY + 3},
    {"costs", required_argument, NULL, OPTION_KEY + 4},
    {"format", required_argument, NULL, OPTION_KEY + 5},
    {"chunk", required_argument, NULL, OPTION_KEY + 6},
    {NULL, 0, NULL, 0},
};

static enum rs_status take_key(struct request *request, size_t index, const struct rs_options *groups,
                               struct rs_error *error) {
  char origin[64];
  snprintf(origin, sizeof origin, "--%s", options[index].name);
  request->formatted |= strcmp(options[index].name, "format") == 0;
  return rs_options_set(groups, origin, options[index].name, optarg, error);
}

static enum rs_status take_option(struct request *request, int option, const char *word,
                                  const struct rs_options *groups, struct rs_error *error) {
  switch (option) {
  case OPTION_FABRIC:
    request->fabric = optarg;
    return RS_OK;
  case 'o':
    request->output = optarg;
    return RS_OK;
  case OPTION_TOPOLOGY:
    request->topology = optarg;
    return RS_OK;
  case OPTION_FORCE:
    request->force = true;
    return RS_OK;
  case OPTION_JSON:
    request->json = true;
    return RS_OK;
  case 'h':
    request->help = true;
    return RS_OK;
  case ':':
    return rs_error_set(error, RS_ERROR_USAGE, "%s needs a value", word);
  case '?':
    return rs_error_set(error, RS_ERROR_USAGE, "there is no option %s", word);
  default:
    return take_key(request, (size_t)(option - OPTION_KEY), groups, error);
  }
}

static void print_help(void) {
  const struct rs_option_group group = {"", options, NULL};
  const struct rs_options groups = {&group, 1};
  struct rs_text keys = {0};
  rs_options_help(&groups, &keys);
  printf("%s%s%s", usage, keys.data ? keys.data : "", examples);
  rs_text_fini(&keys);
}

static enum rs_status parse(int argc, char **argv, struct request *request, struct rs_error *error) {
  const struct rs_option_group group = {"", options, request};
  const struct rs_options groups = {&group, 1};
  if (rs_options_set_defaults(&groups, error) < 0)
    return error->status;
  opterr = 0;
  optind = 1;
  for (int option; (option = getopt_long(argc, argv, ":o:h", long_options, NULL)) != -1;)
    if (take_option(request, option, argv[optind - 1], &groups, error) < 0)
      return error->status;
  if (request->help)
    return RS_OK;
  if (argc - optind > 1)
    return rs_error_set(error, RS_ERROR_USAGE, "one result at a time: '%s' is one too many", argv[optind + 1]);
  request->result = argv[optind]; // NULL: none
  if (request->result && request->ranks)
    return rs_error_set(error, RS_ERROR_USAGE, "--ranks goes without a result, which has its own ranks");
  if (request->result == NULL && (request->fabric == NULL || request->ranks == 0))
    return rs_error_set(error, RS_ERROR_USAGE, "name a result, or give --fabric FILE with --ranks N");
  if (request->result == NULL && request->topology)
    return rs_error_set(error, RS_ERROR_USAGE, "--topology goes with a result, whose hosts it describes");
  if (request->json && request->formatted && request->output == NULL)
    return rs_error_set(error, RS_ERROR_USAGE, "--json and --format both want stdout; write the file with -o");
  return RS_OK;
}

static enum rs_status find_algorithm(const struct request *request, const struct rs_algorithm **algorithm,
                                     struct rs_error *error) {
  enum rs_collective collective = (enum rs_collective)request->collective;
  *algorithm = rs_algorithm_find(collective, request->algorithm.text);
  if (*algorithm == NULL)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "%s has no algorithm '%s'; 'ringside list algorithms' names those it has",
                        rs_collective_names[collective], request->algorithm.text);
  if (rs_collective_traits[collective].paired)
    return rs_error_set(error, RS_ERROR_USAGE, "%s runs between pairs, which no order changes; name a collective",
                        rs_collective_names[collective]);
  if ((*algorithm)->grouped)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "%s takes its groups from the hosts, whatever the order is; order a ring or a tree",
                        (*algorithm)->name);
  return RS_OK;
}

// ---- the order --------------------------------------------------------------------------------------------

// What stands behind one answer; all of it is freed at the end.
struct work {
  struct rs_result *result;
  struct rs_fabric fabric;
  bool modelled;           // there is a fabric
  struct rs_placement own; // of the fabric's layout
  struct rs_fabric_map map;
  struct order_costs costs;
  struct rs_rank_order order;
  uint64_t *parts, *messages;
  double *weight;
  uint32_t *given;
};

static void count_crossings(const struct rs_placement *placement, const uint64_t *messages, const uint32_t *ranks,
                            struct order_crossings *crossings) {
  size_t n = placement->rank_count;
  for (size_t i = 0; i < n * n; i++)
    if (messages[i] > 0) {
      struct order_crossings *crossing = &crossings[rs_placement_distance(placement, ranks[i / n], ranks[i % n])];
      crossing->links++;
      crossing->messages += messages[i];
    }
}

static enum rs_status find_order(struct work *work, const struct rs_schedule_params *params,
                                 struct order_answer *answer, struct rs_error *error) {
  size_t n = params->rank_count;
  work->parts = rs_allocate(n * n, sizeof *work->parts, "the traffic", error);
  work->messages = rs_allocate(n * n, sizeof *work->messages, "the traffic", error);
  work->weight = rs_allocate(n * n, sizeof *work->weight, "the traffic", error);
  work->given = rs_allocate(n, sizeof *work->given, "the order of ranks", error);
  if (work->parts == NULL || work->messages == NULL || work->weight == NULL || work->given == NULL)
    return error->status;
  for (uint32_t i = 0; i < n; i++)
    work->given[i] = i;
  rs_schedule_traffic(answer->algorithm, params, work->parts, work->messages);
  for (size_t i = 0; i < n * n; i++)
    work->weight[i] = (double)work->parts[i];
  struct rs_rank_order_request request = {
      .rank_count = params->rank_count, .weight = work->weight, .cost = work->costs.cost};
  if (rs_rank_order_find(&request, &work->order, error) < 0)
    return error->status;
  answer->order = &work->order;
  count_crossings(answer->placement, work->messages, work->given, answer->before);
  count_crossings(answer->placement, work->messages, work->order.ranks, answer->after);
  return RS_OK;
}

static enum rs_status check_output(const struct request *request, struct rs_error *error) {
  struct stat info;
  if (request->output && !request->force && stat(request->output, &info) == 0)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "the output %s exists; choose another name with -o, or --force to "
                        "replace it",
                        request->output);
  return RS_OK;
}

static enum rs_status write_file(const struct request *request, const struct order_answer *answer,
                                 struct rs_error *error) {
  struct rs_text text = {0};
  FILE *file = request->output ? fopen(request->output, "w") : stdout;
  if (file == NULL)
    return rs_error_set_errno(error, RS_ERROR_USAGE, errno, "creating the output %s", request->output);
  rs_rank_order_format((enum rs_rank_order_format)request->format, answer->placement, answer->order->ranks, &text);
  if (text.failed)
    rs_error_set_memory(error, text.length, "the order of ranks");
  else
    fputs(text.data, file);
  if (request->output && fclose(file) != 0)
    rs_error_set_errno(error, RS_ERROR_IO, errno, "writing the output %s", request->output);
  rs_text_fini(&text);
  return error->status;
}

static enum rs_status print_answer(const struct request *request, const struct order_answer *answer,
                                   struct rs_error *error) {
  if ((request->output || request->formatted) && write_file(request, answer, error) < 0)
    return error->status;
  if (request->json)
    order_print_json(answer);
  else if (request->output || !request->formatted)
    order_print_text(answer);
  if (request->output)
    fprintf(stderr, "order: %s\n", request->output);
  return RS_OK;
}

// The one that is named, or the one that the result was emulated on.
static enum rs_status load_fabric(const struct request *request, struct work *work, struct rs_error *error) {
  const char *own = work->result ? rs_result_attribute(work->result, "fabric.yaml") : NULL;
  work->modelled = request->fabric || own;
  if (request->fabric)
    return rs_fabric_load(request->fabric, &work->fabric, error);
  return own ? rs_fabric_parse(work->result->path, own, strlen(own), &work->fabric, error) : RS_OK;
}

static enum rs_status apply_topology(const struct request *request, struct work *work, struct rs_error *error) {
  struct rs_topology_file *file = NULL;
  struct rs_text warnings = {0};
  if (request->topology == NULL || rs_topology_file_load(request->topology, &file, error) < 0)
    return error->status;
  enum rs_status status = rs_topology_file_apply(file, &work->result->placement, &warnings, error);
  if (warnings.data)
    fprintf(stderr, "ringside order: %s", warnings.data);
  rs_text_fini(&warnings);
  rs_topology_file_close(file);
  return status;
}

static enum rs_status place(const struct request *request, struct work *work, const struct rs_placement **placement,
                            struct rs_error *error) {
  if (request->result && rs_result_open(request->result, &work->result, error) < 0)
    return error->status;
  if (load_fabric(request, work, error) < 0 || (work->result && apply_topology(request, work, error) < 0))
    return error->status;
  if (request->result == NULL && rs_fabric_place(&work->fabric, request->ranks, NULL, &work->own, error) < 0)
    return error->status;
  *placement = work->result ? &work->result->placement : &work->own;
  return work->modelled ? rs_fabric_map_open(&work->fabric, *placement, &work->map, error) : RS_OK;
}

// The time of one collective of float32 on the fabric, when ranks stand in this order.
static enum rs_status predict(const struct request *request, const struct rs_fabric_map *map,
                              const struct rs_algorithm *algorithm, const struct rs_schedule_params *params,
                              const uint32_t *ranks, double *ns, struct rs_error *error) {
  const struct rs_simulation simulation = {
      .map = map,
      .algorithm = algorithm,
      .schedule = *params,
      .members = ranks,
      .count = rs_divide_up(request->size, sizeof(float)),
      .element_bytes = sizeof(float),
      .chunk_bytes = request->chunk,
      .lanes = 1,
  };
  struct rs_simulated simulated;
  if (rs_simulate(&simulation, &simulated, error) < 0)
    return error->status;
  *ns = (double)simulated.time_ps / 1e3;
  return RS_OK;
}

static enum rs_status answer_request(const struct request *request, struct work *work, struct rs_error *error) {
  struct order_answer answer = {.size_bytes = request->size, .costs = &work->costs};
  if (find_algorithm(request, &answer.algorithm, error) < 0 || check_output(request, error) < 0 ||
      place(request, work, &answer.placement, error) < 0)
    return error->status;
  const struct rs_fabric_map *map = work->modelled ? &work->map : NULL;
  struct rs_schedule_params params = {.collective = answer.algorithm->collective,
                                      .rank_count = (uint32_t)answer.placement->rank_count};
  uint64_t part_bytes = rs_divide_up(request->size, answer.algorithm->parts(&params));
  if (order_costs_make((enum order_costs_kind)request->costs, answer.placement, map, work->result, part_bytes,
                       &work->costs, error) < 0 ||
      find_order(work, &params, &answer, error) < 0)
    return error->status;
  if (map) {
    answer.fabric = work->fabric.name.text;
    if (predict(request, map, answer.algorithm, &params, work->given, &answer.before_ns, error) < 0 ||
        predict(request, map, answer.algorithm, &params, work->order.ranks, &answer.after_ns, error) < 0)
      return error->status;
  }
  return print_answer(request, &answer, error);
}

int cmd_order(int argc, char **argv) {
  struct rs_error error = {0};
  struct request request = {0};
  struct work work = {0};
  printout_begin();
  enum rs_status status = parse(argc, argv, &request, &error);
  if (status == RS_OK && request.help)
    print_help();
  else if (status == RS_OK)
    status = answer_request(&request, &work, &error);
  rs_rank_order_fini(&work.order);
  order_costs_fini(&work.costs);
  rs_fabric_map_fini(&work.map);
  rs_placement_fini(&work.own);
  rs_result_close(work.result);
  free(work.parts);
  free(work.messages);
  free(work.weight);
  free(work.given);
  return status == RS_OK ? printout_end("order") : command_fail("order", &error);
}
