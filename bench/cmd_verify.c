// ringside verify: proves the schedules of the algorithms, or explains one.
#include "command.h"
#include "printout.h"

#include "ringside/collective.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RANKS_DEFAULT_LOW 1
#define RANKS_DEFAULT_HIGH 64
#define RANKS_DEFAULT_EXPLAIN 4
// A proof needs about n^3 / 4 bytes for n parts.
#define RANKS_MAX 1024
#define PROGRESS_FIRST_NS 1000000000
#define PROGRESS_NEXT_NS 200000000

static const char usage[] =
    "usage: ringside verify [ALGORITHM...] [--ranks N|LOW..HIGH] [--json]\n"
    "       ringside verify [ALGORITHM...] --explain [--steps] [--ranks N] [--root R] [--groups SIZES]\n"
    "\n"
    "Proves the schedules of the algorithms named, or of all, for every number of ranks asked for, and for every "
    "root,\n"
    "every pairing and several groupings where an algorithm looks at them. A proof runs all ranks symbolically, on\n"
    "parts instead of bytes, so it holds for every size, datatype and chunking.\n"
    "\n"
    "  ALGORITHM            a name (ring), COLLECTIVE/NAME (allgather/ring), or a collective for all of its "
    "algorithms;\n"
    "                       'ringside list algorithms' has them all\n"
    "  --ranks N|LOW..HIGH  numbers of ranks, at most 1024; by default 1..64, and 4 with --explain\n"
    "  --json               print the result as JSON\n"
    "  --explain            print whose data goes where in each round, instead of a proof\n"
    "  --steps              with --explain, also the steps of every rank\n"
    "  --root R             with --explain, the root of collectives that have one; by default 0\n"
    "  --groups SIZES       with --explain, the groups of algorithms that look at them: 4 makes groups of 4 ranks,\n"
    "                       2,1,3 one of 2, one of 1 and one of 3; by default 2\n"
    "\n"
    "Exit code: 0 proved; 1 a proof failed, and its first fault is on stderr; 2 bad usage.\n"
    "\n"
    "Examples:\n"
    "  ringside verify                                          prove everything for 1 to 64 ranks\n"
    "  ringside verify allreduce/ring --ranks 500..512          one algorithm, other numbers of ranks\n"
    "  ringside verify tree --explain --ranks 6                 read an algorithm\n"
    "  ringside verify broadcast --explain --ranks 5 --root 2   read all that do one thing\n";

struct request {
  char **words; // names; none: all algorithms
  size_t word_count;
  uint32_t low, high; // numbers of ranks; 0: not given
  bool json, explain, steps, help;
  const char *root_text, *groups_text; // NULL: not given
  uint32_t root, groups[RANKS_MAX];
};

// What was proved of one algorithm, over all numbers of ranks.
struct tally {
  uint64_t schedules, rounds, steps, messages;
  double seconds;
};

// ---- usage ------------------------------------------------------------------------------------------------

// A word is NAME, COLLECTIVE/NAME, or COLLECTIVE.
static bool names(const char *word, const struct rs_algorithm *algorithm) {
  const char *collective = rs_collective_names[algorithm->collective];
  const size_t length = strlen(collective);
  if (strncmp(word, collective, length) == 0 && (word[length] == '\0' || word[length] == '/')) {
    return word[length] == '\0' || strcmp(word + length + 1, algorithm->name) == 0;
  }
  return strcmp(word, algorithm->name) == 0;
}

static bool is_wanted(const struct request *request, const struct rs_algorithm *algorithm) {
  for (size_t i = 0; i < request->word_count; i++) {
    if (names(request->words[i], algorithm)) {
      return true;
    }
  }
  return request->word_count == 0;
}

static enum rs_status check_word(const char *word, struct rs_error *error) {
  struct rs_text known = {0};
  bool found = false;
  for (size_t i = 0; i < rs_algorithm_count && !found; i++) {
    found = names(word, rs_algorithms[i]);
    rs_text_append(&known, "%s%s/%s", i > 0 ? ", " : "", rs_collective_names[rs_algorithms[i]->collective],
                   rs_algorithms[i]->name);
  }
  if (!found) {
    rs_error_set(error, RS_ERROR_USAGE, "there is no algorithm '%s'; there are: %s", word,
                 known.data ? known.data : "");
  }
  rs_text_fini(&known);
  return found ? RS_OK : error->status;
}

// A number at the start of `text`, or `most` + 1; *end is what follows it.
static bool parse_count(const char *text, uint32_t most, const char **end, uint32_t *count) {
  char *rest;
  if (*text < '0' || *text > '9') {
    return false;
  }
  const unsigned long value = strtoul(text, &rest, 10); // ULONG_MAX when out of range
  *end = rest;
  *count = (uint32_t)(value <= most ? value : most + 1);
  return true;
}

static enum rs_status parse_ranks(const char *text, struct request *request, struct rs_error *error) {
  const char *end;
  uint32_t low, high;
  bool valid = parse_count(text, RANKS_MAX, &end, &low);
  high = low;
  if (valid && strncmp(end, "..", 2) == 0) {
    valid = parse_count(end + 2, RANKS_MAX, &end, &high);
  }
  if (!valid || *end != '\0' || low < 1 || low > high || high > RANKS_MAX) {
    return rs_error_set(error, RS_ERROR_USAGE, "--ranks '%s': give a number from 1 to %u, or a range such as 1..64",
                        text, RANKS_MAX);
  }
  request->low = low;
  request->high = high;
  return RS_OK;
}

static enum rs_status parse_root(struct request *request, struct rs_error *error) {
  const char *text = request->root_text ? request->root_text : "0", *end;
  if (!parse_count(text, RANKS_MAX, &end, &request->root) || *end != '\0' || request->root >= request->low) {
    return rs_error_set(error, RS_ERROR_USAGE, "--root '%s': give a rank from 0 to %u", text, request->low - 1);
  }
  return RS_OK;
}

// groups[r] for every rank, from one size for all groups or the size of each.
static enum rs_status parse_groups(struct request *request, struct rs_error *error) {
  const char *text = request->groups_text ? request->groups_text : "2";
  const uint32_t rank_count = request->low;
  const bool one_size = strchr(text, ',') == NULL;
  const char *end = text;
  uint32_t rank = 0, group = 0, size = 0;
  bool valid = true;
  for (; valid && rank < rank_count; group++) {
    valid = parse_count(one_size ? text : end, RANKS_MAX, &end, &size) && size > 0 &&
            (one_size || size <= rank_count - rank);
    for (uint32_t i = 0; valid && i < size && rank < rank_count; i++) {
      request->groups[rank++] = group;
    }
    end += !one_size && valid && *end == ',' && rank < rank_count;
  }
  if (!valid || *end != '\0') {
    return rs_error_set(error, RS_ERROR_USAGE,
                        "--groups '%s': give one size, or sizes such as 2,1,3 that add up to the %u ranks", text,
                        rank_count);
  }
  return RS_OK;
}

static const struct {
  const char *name;
  size_t offset; // of a bool in struct request
} flags[] = {
    {"--help", offsetof(struct request, help)},   {"-h", offsetof(struct request, help)},
    {"--json", offsetof(struct request, json)},   {"--explain", offsetof(struct request, explain)},
    {"--steps", offsetof(struct request, steps)},
};

static bool set_flag(const char *word, struct request *request) {
  for (size_t i = 0; i < RS_ARRAY_LENGTH(flags); i++) {
    if (strcmp(word, flags[i].name) == 0) {
      *(bool *)((char *)request + flags[i].offset) = true;
      return true;
    }
  }
  return false;
}

// The value of option `name` if argv[*i] is that option, as "--name value" or "--name=value"; NULL: it is not.
static const char *option_value(const char *name, int argc, char **argv, int *i, struct rs_error *error) {
  const size_t length = strlen(name);
  if (strncmp(argv[*i], name, length) != 0 || (argv[*i][length] != '\0' && argv[*i][length] != '=')) {
    return NULL;
  }
  if (argv[*i][length] == '=') {
    return argv[*i] + length + 1;
  }
  if (*i + 1 == argc) {
    rs_error_set(error, RS_ERROR_USAGE, "%s needs a value", name);
    return NULL;
  }
  return argv[++*i];
}

// Options go into the request; the words that are left are moved to the front of argv.
static enum rs_status parse_arguments(int argc, char **argv, struct request *request, struct rs_error *error) {
  request->words = argv + 1;
  for (int i = 1; i < argc && error->status == RS_OK; i++) {
    const char *value;
    if (set_flag(argv[i], request)) {
      continue;
    }
    if ((value = option_value("--ranks", argc, argv, &i, error)) != NULL) {
      parse_ranks(value, request, error);
    } else if ((value = option_value("--root", argc, argv, &i, error)) != NULL) {
      request->root_text = value;
    } else if ((value = option_value("--groups", argc, argv, &i, error)) != NULL) {
      request->groups_text = value;
    } else if (error->status == RS_OK && argv[i][0] == '-') {
      rs_error_set(error, RS_ERROR_USAGE, "there is no option '%s'", argv[i]);
    } else if (error->status == RS_OK) {
      request->words[request->word_count++] = argv[i];
    }
  }
  return error->status;
}

static enum rs_status check_request(struct request *request, struct rs_error *error) {
  for (size_t i = 0; i < request->word_count; i++) {
    if (check_word(request->words[i], error) < 0) {
      return error->status;
    }
  }
  if (!request->explain && (request->steps || request->root_text || request->groups_text)) {
    return rs_error_set(error, RS_ERROR_USAGE, "--steps, --root and --groups go with --explain; a proof is for all");
  }
  if (request->explain && request->json) {
    return rs_error_set(error, RS_ERROR_USAGE, "--explain is text; leave out --json");
  }
  if (request->explain && request->low != request->high) {
    return rs_error_set(error, RS_ERROR_USAGE, "--explain takes one number of ranks, such as --ranks %u",
                        RANKS_DEFAULT_EXPLAIN);
  }
  if (request->low == 0) {
    request->low = request->explain ? RANKS_DEFAULT_EXPLAIN : RANKS_DEFAULT_LOW;
    request->high = request->explain ? RANKS_DEFAULT_EXPLAIN : RANKS_DEFAULT_HIGH;
  }
  return request->explain && parse_root(request, error) == RS_OK ? parse_groups(request, error) : error->status;
}

// ---- proof ------------------------------------------------------------------------------------------------

// Says on a terminal what is being proved, once that takes long; rank_count 0 takes the line away again.
static void show_progress(int64_t *next_ns, const struct rs_algorithm *algorithm, uint32_t rank_count) {
  if (*next_ns == 0) {
    *next_ns = isatty(STDERR_FILENO) == 1 ? rs_clock_ns() + PROGRESS_FIRST_NS : INT64_MAX;
  }
  if (*next_ns == INT64_MAX || (rank_count > 0 && rs_clock_ns() < *next_ns)) {
    return;
  }
  if (rank_count > 0) {
    fprintf(stderr, "\r\033[K%s/%s on %u ranks", rs_collective_names[algorithm->collective], algorithm->name,
            rank_count);
    *next_ns = rs_clock_ns() + PROGRESS_NEXT_NS;
  } else {
    fputs("\r\033[K", stderr);
  }
  fflush(stderr);
}

static enum rs_status prove(const struct rs_algorithm *algorithm, const struct request *request, int64_t *next_ns,
                            struct tally *tally, struct rs_error *error) {
  const int64_t start_ns = rs_clock_ns();
  for (uint32_t n = request->low; n <= request->high; n++) {
    const uint32_t variants = rs_variant_count(algorithm, n);
    for (uint32_t index = 0; index < variants; index++) {
      uint32_t array[RANKS_MAX];
      char description[RS_VARIANT_BYTES];
      const struct rs_schedule_params params = rs_variant(algorithm, n, index, array, description);
      struct rs_proof proof;
      show_progress(next_ns, algorithm, n);
      if (rs_verify(algorithm, &params, &proof, error) < 0) {
        if (description[0]) {
          rs_error_prefix(error, "with%s", description);
        }
        return error->status;
      }
      tally->schedules++;
      tally->rounds += proof.rounds;
      tally->steps += proof.steps;
      tally->messages += proof.messages;
    }
  }
  tally->seconds = (double)(rs_clock_ns() - start_ns) * 1e-9;
  return RS_OK;
}

static void print_table(const struct request *request, const struct tally *tallies) {
  static const char *const numbers[] = {"schedules", "rounds", "steps", "messages", "seconds"};
  struct rs_table *table = rs_table_open();
  rs_table_column(table, RS_ALIGN_LEFT, "collective");
  rs_table_column(table, RS_ALIGN_LEFT, "algorithm");
  rs_table_column(table, RS_ALIGN_LEFT, "ranks");
  for (size_t i = 0; i < RS_ARRAY_LENGTH(numbers); i++) {
    rs_table_column(table, RS_ALIGN_RIGHT, numbers[i]);
  }
  for (size_t i = 0; i < rs_algorithm_count; i++) {
    const struct tally *tally = &tallies[i];
    if (!is_wanted(request, rs_algorithms[i])) {
      continue;
    }
    rs_table_cell(table, "%s", rs_collective_names[rs_algorithms[i]->collective]);
    rs_table_cell(table, "%s", rs_algorithms[i]->name);
    if (request->low == request->high) {
      rs_table_cell(table, "%u", request->low);
    } else {
      rs_table_cell(table, "%u..%u", request->low, request->high);
    }
    rs_table_cell(table, "%llu", (unsigned long long)tally->schedules);
    rs_table_cell(table, "%llu", (unsigned long long)tally->rounds);
    rs_table_cell(table, "%llu", (unsigned long long)tally->steps);
    rs_table_cell(table, "%llu", (unsigned long long)tally->messages);
    rs_table_cell(table, "%.3f", tally->seconds);
  }
  rs_table_print(table, stdout);
  rs_table_close(table);
}

static void print_json(const struct request *request, const struct tally *tallies, const struct tally *total) {
  const char *separator = "";
  printf("{\n  \"algorithms\": [");
  for (size_t i = 0; i < rs_algorithm_count; i++) {
    const struct tally *tally = &tallies[i];
    if (!is_wanted(request, rs_algorithms[i])) {
      continue;
    }
    printf("%s\n    {\"algorithm\": \"%s\", \"collective\": \"%s\", \"ranks_low\": %u, \"ranks_high\": %u, "
           "\"schedules\": %llu, \"rounds\": %llu, \"steps\": %llu, \"messages\": %llu, \"seconds\": %.6f}",
           separator, rs_algorithms[i]->name, rs_collective_names[rs_algorithms[i]->collective], request->low,
           request->high, (unsigned long long)tally->schedules, (unsigned long long)tally->rounds,
           (unsigned long long)tally->steps, (unsigned long long)tally->messages, tally->seconds);
    separator = ",";
  }
  printf("\n  ],\n  \"proved\": %llu,\n  \"seconds\": %.6f\n}\n", (unsigned long long)total->schedules, total->seconds);
}

// Nothing is printed to stdout unless everything is proved.
static int prove_all(const struct request *request) {
  struct rs_error error = {0};
  struct tally total = {0};
  int64_t next_ns = 0; // when progress is shown
  struct tally *tallies = rs_allocate(rs_algorithm_count, sizeof *tallies, "the table of proofs", &error);
  if (!tallies) {
    return command_fail("verify", &error);
  }
  for (size_t i = 0; i < rs_algorithm_count; i++) {
    if (!is_wanted(request, rs_algorithms[i])) {
      continue;
    }
    const bool proved = prove(rs_algorithms[i], request, &next_ns, &tallies[i], &error) == RS_OK;
    show_progress(&next_ns, rs_algorithms[i], 0);
    if (!proved) {
      const int code = command_fail("verify", &error);
      free(tallies);
      return error.status == RS_ERROR_MISMATCH ? EXIT_NO : code;
    }
    total.schedules += tallies[i].schedules;
    total.seconds += tallies[i].seconds;
  }
  if (request->json) {
    print_json(request, tallies, &total);
  } else {
    print_table(request, tallies);
    printf(
        "\nIn place (where the collective allows it) and out of place: every rank ends with what the collective asks\n"
        "for, every contribution exactly once, sends meet receives, no step of a round disturbs another, one posted\n"
        "round is enough to go on, and bytes are as the formula says.\n"
        "proved %llu schedule%s in %.2f s\n",
        (unsigned long long)total.schedules, total.schedules == 1 ? "" : "s", total.seconds);
  }
  free(tallies);
  return EXIT_YES;
}

// ---- explanation ------------------------------------------------------------------------------------------

// The parameters to explain with; " root 0" and so on is appended to `text`.
static struct rs_schedule_params choose(const struct rs_algorithm *algorithm, const struct request *request,
                                        uint32_t *partners, struct rs_text *text) {
  const struct rs_collective_traits *traits = &rs_collective_traits[algorithm->collective];
  const uint32_t n = request->low, *groups = request->groups;
  struct rs_schedule_params params = {.collective = algorithm->collective, .rank_count = n};
  if (traits->rooted) {
    params.root = request->root;
    rs_text_append(text, ", root %u", params.root);
  }
  if (traits->paired) {
    params.partners = partners;
    rs_text_append(text, ", pairs");
    for (uint32_t rank = 0; rank < n; rank++) {
      partners[rank] = rs_tournament_partner(n, 0, rank);
      if (rank < partners[rank]) {
        rs_text_append(text, " %u-%u", rank, partners[rank]);
      }
    }
  }
  if (algorithm->grouped) {
    params.groups = groups;
    rs_text_append(text, ", groups");
    for (uint32_t rank = 0; rank < n; rank++) {
      rs_text_append(text, "%s%u", rank > 0 && groups[rank] == groups[rank - 1] ? "," : " ", rank);
    }
  }
  return params;
}

static enum rs_status explain(const struct rs_algorithm *algorithm, const struct request *request, struct rs_text *text,
                              struct rs_error *error) {
  uint32_t partners[RANKS_MAX];
  rs_text_append(text, "%s/%s on %u rank%s", rs_collective_names[algorithm->collective], algorithm->name, request->low,
                 request->low == 1 ? "" : "s");
  const struct rs_schedule_params params = choose(algorithm, request, partners, text);
  rs_text_append(text, ": %s\n", algorithm->summary);
  rs_text_append(text, "source  %s\ncost    %s (a per message, b per byte sent, g per byte reduced)\n\n",
                 algorithm->source, algorithm->cost);
  if (rs_schedule_explain(algorithm, &params, text, error) == RS_OK && request->steps) {
    rs_text_append(text, "\n");
    rs_schedule_export(algorithm, &params, text);
  }
  return text->failed ? rs_error_set_memory(error, 0, "the text of the schedule") : error->status;
}

static int explain_all(const struct request *request) {
  struct rs_error error = {0};
  struct rs_text text = {0};
  for (size_t i = 0; i < rs_algorithm_count && error.status == RS_OK; i++) {
    if (is_wanted(request, rs_algorithms[i])) {
      rs_text_append(&text, text.length > 0 ? "\n" : "");
      explain(rs_algorithms[i], request, &text, &error);
    }
  }
  if (error.status == RS_OK) {
    fputs(text.data, stdout);
  }
  rs_text_fini(&text);
  if (error.status == RS_OK) {
    return EXIT_YES;
  }
  const int code = command_fail("verify", &error);
  return error.status == RS_ERROR_MISMATCH ? EXIT_NO : code;
}

int cmd_verify(int argc, char **argv) {
  struct request request = {0};
  struct rs_error error = {0};
  if (parse_arguments(argc, argv, &request, &error) < 0) {
    return command_fail("verify", &error);
  }
  if (request.help) {
    fputs(usage, stdout);
    return EXIT_YES;
  }
  if (check_request(&request, &error) < 0) {
    return command_fail("verify", &error);
  }
  printout_begin();
  const int code = request.explain ? explain_all(&request) : prove_all(&request);
  return code == EXIT_YES ? printout_end("verify") : code;
}
