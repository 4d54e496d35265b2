// ringside verify: proves the schedules of the algorithms, or explains one.
#include "command.h"

#include "ringside/collective.h"

#include <stdlib.h>
#include <string.h>

#define RANKS_DEFAULT_LOW 1
#define RANKS_DEFAULT_HIGH 64
#define RANKS_DEFAULT_EXPLAIN 4
// A proof needs about n^3 / 4 bytes for n parts.
#define RANKS_MAX 1024

static const char usage[] =
    "usage: ringside verify [ALGORITHM...] [--ranks N|LOW..HIGH] [--json]\n"
    "       ringside verify [ALGORITHM...] --explain [--ranks N]\n"
    "\n"
    "Proves the schedules of the algorithms named, or of all, for every number of ranks asked for, and for every "
    "root,\n"
    "every pairing and several groupings where an algorithm looks at them. A proof runs all\n"
    "ranks symbolically, on parts instead of bytes, so it holds for every size, datatype and chunking.\n"
    "\n"
    "  --ranks N|LOW..HIGH  numbers of ranks, at most 1024; by default 1..64, and 4 with --explain\n"
    "  --json               print the result as JSON\n"
    "  --explain            print who sends what in each round, and the steps of every rank, instead of a proof\n"
    "\n"
    "Exit code: 0 proved; 1 a proof failed, and its first fault is on stderr; 2 bad usage.\n"
    "\n"
    "Examples:\n"
    "  ringside verify                          prove everything for 1 to 64 ranks\n"
    "  ringside verify ring --ranks 500..512    one algorithm, other numbers of ranks\n"
    "  ringside verify tree --explain --ranks 6 read an algorithm\n";

struct request {
  char **words; // names of algorithms; none: all
  size_t word_count;
  uint32_t low, high; // numbers of ranks; 0: not given
  bool json, explain, help;
};

// What was proved of one algorithm, over all numbers of ranks.
struct tally {
  uint64_t schedules, rounds, steps, messages;
  double seconds;
};

// ---- usage ------------------------------------------------------------------------------------------------

static bool is_wanted(const struct request *request, const struct rs_algorithm *algorithm) {
  for (size_t i = 0; i < request->word_count; i++) {
    if (strcmp(request->words[i], algorithm->name) == 0) {
      return true;
    }
  }
  return request->word_count == 0;
}

static enum rs_status check_word(const char *word, struct rs_error *error) {
  struct rs_text names = {0};
  for (size_t i = 0; i < rs_algorithm_count; i++) {
    if (strcmp(rs_algorithms[i]->name, word) == 0) {
      rs_text_fini(&names);
      return RS_OK;
    }
    rs_text_append(&names, "%s%s", i > 0 ? ", " : "", rs_algorithms[i]->name);
  }
  rs_error_set(error, RS_ERROR_USAGE, "there is no algorithm '%s'; there are: %s", word, names.data ? names.data : "");
  rs_text_fini(&names);
  return error->status;
}

// A number of ranks at the start of `text`; *end is what follows it.
static bool parse_count(const char *text, const char **end, uint32_t *count) {
  char *rest;
  if (*text < '0' || *text > '9') {
    return false;
  }
  const unsigned long value = strtoul(text, &rest, 10); // ULONG_MAX when out of range
  *end = rest;
  *count = (uint32_t)(value <= RANKS_MAX ? value : RANKS_MAX + 1);
  return true;
}

static enum rs_status parse_ranks(const char *text, struct request *request, struct rs_error *error) {
  const char *end;
  uint32_t low, high;
  bool valid = parse_count(text, &end, &low);
  high = low;
  if (valid && strncmp(end, "..", 2) == 0) {
    valid = parse_count(end + 2, &end, &high);
  }
  if (!valid || *end != '\0' || low < 1 || low > high || high > RANKS_MAX) {
    return rs_error_set(error, RS_ERROR_USAGE, "--ranks '%s': give a number from 1 to %u, or a range such as 1..64",
                        text, RANKS_MAX);
  }
  request->low = low;
  request->high = high;
  return RS_OK;
}

// Options go into the request; the words that are left are moved to the front of argv.
static enum rs_status parse_arguments(int argc, char **argv, struct request *request, struct rs_error *error) {
  request->words = argv + 1;
  for (int i = 1; i < argc; i++) {
    const char *word = argv[i];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
      request->help = true;
    } else if (strcmp(word, "--json") == 0) {
      request->json = true;
    } else if (strcmp(word, "--explain") == 0) {
      request->explain = true;
    } else if (strcmp(word, "--ranks") == 0) {
      if (i + 1 == argc) {
        return rs_error_set(error, RS_ERROR_USAGE, "--ranks needs a number or a range");
      }
      if (parse_ranks(argv[++i], request, error) < 0) {
        return error->status;
      }
    } else if (strncmp(word, "--ranks=", 8) == 0) {
      if (parse_ranks(word + 8, request, error) < 0) {
        return error->status;
      }
    } else if (word[0] == '-') {
      return rs_error_set(error, RS_ERROR_USAGE, "there is no option '%s'", word);
    } else {
      request->words[request->word_count++] = argv[i];
    }
  }
  return RS_OK;
}

static enum rs_status check_request(struct request *request, struct rs_error *error) {
  for (size_t i = 0; i < request->word_count; i++) {
    if (check_word(request->words[i], error) < 0) {
      return error->status;
    }
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
  return RS_OK;
}

// ---- proof ------------------------------------------------------------------------------------------------

static enum rs_status prove(const struct rs_algorithm *algorithm, const struct request *request, struct tally *tally,
                            struct rs_error *error) {
  const int64_t start_ns = rs_clock_ns();
  *tally = (struct tally){0};
  for (uint32_t n = request->low; n <= request->high; n++) {
    for (uint32_t index = 0; index < rs_variant_count(algorithm, n); index++) {
      uint32_t array[RANKS_MAX];
      char description[RS_VARIANT_BYTES];
      const struct rs_schedule_params params = rs_variant(algorithm, n, index, array, description);
      struct rs_proof proof;
      if (rs_verify(algorithm, &params, &proof, error) < 0) {
        rs_error_prefix(error, "variant%s", description);
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
  rs_table_column(table, RS_ALIGN_LEFT, "algorithm");
  rs_table_column(table, RS_ALIGN_LEFT, "collective");
  rs_table_column(table, RS_ALIGN_LEFT, "ranks");
  for (size_t i = 0; i < RS_ARRAY_LENGTH(numbers); i++) {
    rs_table_column(table, RS_ALIGN_RIGHT, numbers[i]);
  }
  for (size_t i = 0; i < rs_algorithm_count; i++) {
    const struct tally *tally = &tallies[i];
    if (!is_wanted(request, rs_algorithms[i])) {
      continue;
    }
    rs_table_cell(table, "%s", rs_algorithms[i]->name);
    rs_table_cell(table, "%s", rs_collective_names[rs_algorithms[i]->collective]);
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
  struct tally *tallies = rs_allocate(rs_algorithm_count, sizeof *tallies, "the table of proofs", &error);
  if (!tallies) {
    return command_fail("verify", &error);
  }
  for (size_t i = 0; i < rs_algorithm_count; i++) {
    if (!is_wanted(request, rs_algorithms[i])) {
      continue;
    }
    if (prove(rs_algorithms[i], request, &tallies[i], &error) < 0) {
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

// "0 +> 1 [3]" for every message of round k, as its receiver sees it.
static void draw_round(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params, uint32_t k) {
  bool silent = true;
  printf("round %-4u", k);
  for (uint32_t rank = 0; rank < params->rank_count; rank++) {
    struct rs_step steps[RS_ROUND_STEPS_MAX];
    const uint32_t count = algorithm->round(params, rank, k, steps);
    for (uint32_t i = 0; i < count; i++) {
      const struct rs_slice *target = &steps[i].target;
      if (steps[i].kind != RS_STEP_RECV && steps[i].kind != RS_STEP_RECV_REDUCE) {
        continue;
      }
      printf("   %u %s %u [%u", steps[i].peer, steps[i].kind == RS_STEP_RECV ? "->" : "+>", rank, target->place);
      if (target->count > 1) {
        printf("..%u", target->place + target->count - 1);
      }
      putchar(']');
      silent = false;
    }
  }
  puts(silent ? "   no message" : "");
}

static int explain(const struct rs_algorithm *algorithm, uint32_t rank_count) {
  const struct rs_schedule_params params = {.collective = algorithm->collective, .rank_count = rank_count};
  const uint32_t rounds = algorithm->rounds(&params);
  struct rs_text text = {0};
  printf(
      "%s %s on %u ranks: %s\nsource  %s\ncost    %s\n        (a per message, b per byte sent, g per byte reduced)\n",
      algorithm->name, rs_collective_names[algorithm->collective], rank_count, algorithm->summary, algorithm->source,
      algorithm->cost);
  printf("\nMessages: +> the receiver adds, -> the receiver stores, [part]\n\n");
  for (uint32_t k = 0; k < rounds; k++) {
    draw_round(algorithm, &params, k);
  }
  rs_schedule_export(algorithm, &params, &text);
  if (text.failed) {
    struct rs_error error = {0};
    rs_text_fini(&text);
    rs_error_set_memory(&error, 0, "the text of the schedule");
    return command_fail("verify", &error);
  }
  printf("\nSteps of every rank:\n\n%s", text.data);
  rs_text_fini(&text);
  return EXIT_YES;
}

static int explain_all(const struct request *request) {
  bool first = true;
  for (size_t i = 0; i < rs_algorithm_count; i++) {
    if (!is_wanted(request, rs_algorithms[i])) {
      continue;
    }
    if (!first) {
      putchar('\n');
    }
    const int code = explain(rs_algorithms[i], request->low);
    if (code != EXIT_YES) {
      return code;
    }
    first = false;
  }
  return EXIT_YES;
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
  return request.explain ? explain_all(&request) : prove_all(&request);
}
