// ringside list: what is built in.
#include "command.h"
#include "printout.h"

#include "ringside/measure.h"

#include <stdlib.h>
#include <string.h>

#define RANKS_DEFAULT 8
#define RANKS_MAX 4096

// ---- algorithms -------------------------------------------------------------------------------------------

// What an algorithm does on so many ranks. Rooted ones have root 0, grouped ones two groups, and the ranks of pairs
// meet as in the first round of a tournament.
struct example {
  uint32_t ranks, rounds;
  double sent_sizes; // the most that one rank sends, in sizes of the whole
};

static struct example example_of(const struct rs_algorithm *algorithm, uint32_t ranks) {
  uint32_t groups[RANKS_MAX], partners[RANKS_MAX];
  for (uint32_t rank = 0; rank < ranks; rank++) {
    groups[rank] = rank >= (ranks + 1) / 2;
    partners[rank] = rs_tournament_partner(ranks, 0, rank);
  }
  const struct rs_schedule_params params = {
      .collective = algorithm->collective, .rank_count = ranks, .groups = groups, .partners = partners};
  uint64_t most = 0;
  for (uint32_t rank = 0; rank < ranks; rank++) {
    const uint64_t sent = algorithm->sent_parts(&params, rank);
    most = sent > most ? sent : most;
  }
  return (struct example){ranks, algorithm->rounds(&params), (double)most / algorithm->parts(&params)};
}

static void list_algorithms(uint32_t ranks) {
  int width = 0;
  for (size_t i = 0; i < rs_algorithm_count; i++) {
    const int length = (int)strlen(rs_algorithms[i]->name);
    width = length > width ? length : width;
  }
  printf("%-*s  rounds      sent   cost and source\n", width + 2, "algorithm");
  for (size_t i = 0; i < rs_algorithm_count; i++) {
    const struct rs_algorithm *algorithm = rs_algorithms[i];
    const struct example example = example_of(algorithm, ranks);
    if (i == 0 || algorithm->collective != rs_algorithms[i - 1]->collective) {
      printf("%s\n", rs_collective_names[algorithm->collective]);
    }
    printf("  %-*s  %6u  %6.4g S   %s\n", width, algorithm->name, example.rounds, example.sent_sizes, algorithm->cost);
    printf("%*s%s\n", width + 23, "", algorithm->source);
  }
  printf("every collective\n"
         "  %-*s  one of these by transport, ranks and size: what was best when it was measured\n",
         width, RS_ALGORITHM_AUTO);
  printf("\nrounds, and the most that one rank sends, on %u ranks in two groups; another number: --ranks N.\n"
         "S is the size, n the number of ranks; a per message, b per byte sent, g per byte reduced.\n"
         "'ringside verify COLLECTIVE/ALGORITHM --explain' draws the rounds.\n",
         ranks);
}

static void list_algorithms_json(uint32_t ranks) {
  printf("[");
  for (size_t i = 0; i < rs_algorithm_count; i++) {
    const struct rs_algorithm *algorithm = rs_algorithms[i];
    const struct example example = example_of(algorithm, ranks);
    printf(
        "%s\n  {\"collective\": \"%s\", \"algorithm\": \"%s\", \"ranks\": %u, \"rounds\": %u, \"sent_sizes\": %.9g,\n"
        "   \"summary\": \"%s\",\n   \"cost\": \"%s\",\n   \"source\": \"%s\"}",
        i > 0 ? "," : "", rs_collective_names[algorithm->collective], algorithm->name, ranks, example.rounds,
        example.sent_sizes, algorithm->summary, algorithm->cost, algorithm->source);
  }
  printf("\n]\n");
}

// ---- the rest -----------------------------------------------------------------------------------------------

static void list_transports(void) {
  struct rs_table *table = rs_table_open();
  rs_table_column(table, RS_ALIGN_LEFT, "transport");
  rs_table_column(table, RS_ALIGN_LEFT, "what it does");
  for (size_t i = 0; i < rs_transport_count; i++) {
    rs_table_cell(table, "%s", rs_transports[i]->name);
    rs_table_cell(table, "%s", rs_transports[i]->summary);
  }
  rs_table_print(table, stdout);
  rs_table_close(table);
}

static void list_baselines(void) {
  struct rs_table *table = rs_table_open();
  rs_table_column(table, RS_ALIGN_LEFT, "baseline");
  rs_table_column(table, RS_ALIGN_LEFT, "what it does");
  for (size_t i = 0; i < rs_baseline_count; i++) {
    rs_table_cell(table, "%s", rs_baselines[i]->name);
    rs_table_cell(table, "%s", rs_baselines[i]->summary);
  }
  rs_table_print(table, stdout);
  rs_table_close(table);
}

static void print_words(const char *heading, const char *const *words) {
  printf("%s", heading);
  for (size_t i = 0; words[i]; i++)
    printf("%s%s", i ? ", " : "", words[i]);
  putchar('\n');
}

static void list_types(void) {
  print_words("collectives: ", rs_collective_names);
  print_words("datatypes:   ", rs_datatype_names);
  print_words("operations:  ", rs_operation_names);
  print_words("modes:       ", rs_mode_names);
}

static void list_algorithms_default(void) {
  list_algorithms(RANKS_DEFAULT);
}

static const struct {
  const char *name;
  void (*print)(void);
} lists[] = {
    {"algorithms", list_algorithms_default},
    {"transports", list_transports},
    {"baselines", list_baselines},
    {"types", list_types},
};

// ---- usage ------------------------------------------------------------------------------------------------

static const char usage[] =
    "usage: ringside list [algorithms|transports|baselines|types]\n"
    "       ringside list algorithms [--ranks N] [--json]\n"
    "\n"
    "Prints what is built in; without a word, everything.\n"
    "\n"
    "  --ranks N  algorithms: their rounds and what a rank sends are for so many ranks, at most 4096; by default 8\n"
    "  --json     algorithms: print them as JSON\n"
    "\n"
    "Examples:\n"
    "  ringside list algorithms --ranks 1000    every algorithm, as it is on 1,000 ranks\n"
    "  ringside list types                      collectives, datatypes, operations, modes\n";

struct request {
  const char *list; // NULL: all
  uint32_t ranks;
  bool ranks_given, json, help;
};

static enum rs_status parse_ranks(const char *text, struct request *request, struct rs_error *error) {
  char *end = NULL;
  const unsigned long ranks = text && *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
  if (ranks < 1 || ranks > RANKS_MAX || *end != '\0') {
    return rs_error_set(error, RS_ERROR_USAGE, "--ranks takes a number from 1 to %d", RANKS_MAX);
  }
  request->ranks = (uint32_t)ranks;
  request->ranks_given = true;
  return RS_OK;
}

static enum rs_status parse_arguments(int argc, char **argv, struct request *request, struct rs_error *error) {
  *request = (struct request){.ranks = RANKS_DEFAULT};
  for (int i = 1; i < argc && error->status == RS_OK; i++) {
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
      request->help = true;
    } else if (strcmp(argv[i], "--json") == 0) {
      request->json = true;
    } else if (strcmp(argv[i], "--ranks") == 0) {
      parse_ranks(argv[++i], request, error); // NULL after the last argument
    } else if (strncmp(argv[i], "--ranks=", 8) == 0) {
      parse_ranks(argv[i] + 8, request, error);
    } else if (argv[i][0] == '-') {
      rs_error_set(error, RS_ERROR_USAGE, "there is no option '%s'", argv[i]);
    } else if (request->list) {
      rs_error_set(error, RS_ERROR_USAGE, "one list at a time");
    } else {
      request->list = argv[i];
    }
  }
  const bool algorithms = request->list && strcmp(request->list, "algorithms") == 0;
  if (error->status == RS_OK && !algorithms && (request->json || request->ranks_given)) {
    rs_error_set(error, RS_ERROR_USAGE, "--ranks and --json go with 'ringside list algorithms'");
  }
  return error->status;
}

static bool print_lists(const struct request *request) {
  if (request->json || request->ranks_given) {
    (request->json ? list_algorithms_json : list_algorithms)(request->ranks);
    return true;
  }
  bool found = false;
  for (size_t i = 0; i < RS_ARRAY_LENGTH(lists); i++) {
    if (request->list && strcmp(request->list, lists[i].name) != 0)
      continue;
    if (found)
      putchar('\n');
    lists[i].print();
    found = true;
  }
  return found;
}

int cmd_list(int argc, char **argv) {
  struct rs_error error = {0};
  struct request request;
  if (parse_arguments(argc, argv, &request, &error) < 0)
    return command_fail("list", &error);
  if (request.help) {
    fputs(usage, stdout);
    return EXIT_YES;
  }
  printout_begin();
  if (print_lists(&request))
    return printout_end("list");
  rs_error_set(&error, RS_ERROR_USAGE, "there is no list '%s'; there are: algorithms, transports, baselines, types",
               request.list);
  return command_fail("list", &error);
}
