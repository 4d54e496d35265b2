// ringside list: what is built in.
#include "command.h"
#include "printout.h"

#include "ringside/measure.h"

#include <string.h>

static void list_algorithms(void) {
  struct rs_table *table = rs_table_open();
  rs_table_column(table, RS_ALIGN_LEFT, "algorithm");
  rs_table_column(table, RS_ALIGN_LEFT, "collective");
  rs_table_column(table, RS_ALIGN_LEFT, "what it does");
  rs_table_column(table, RS_ALIGN_LEFT, "cost (a per message, b per byte sent, g per byte reduced)");
  rs_table_column(table, RS_ALIGN_LEFT, "source");
  for (size_t i = 0; i < rs_algorithm_count; i++) {
    const struct rs_algorithm *algorithm = rs_algorithms[i];
    rs_table_cell(table, "%s", algorithm->name);
    rs_table_cell(table, "%s", rs_collective_names[algorithm->collective]);
    rs_table_cell(table, "%s", algorithm->summary);
    rs_table_cell(table, "%s", algorithm->cost);
    rs_table_cell(table, "%s", algorithm->source);
  }
  rs_table_print(table, stdout);
  rs_table_close(table);
}

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

static const struct {
  const char *name;
  void (*print)(void);
} lists[] = {
    {"algorithms", list_algorithms},
    {"transports", list_transports},
    {"baselines", list_baselines},
    {"types", list_types},
};

int cmd_list(int argc, char **argv) {
  if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
    puts("usage: ringside list [algorithms|transports|baselines|types]\n\n"
         "Prints what is built in; without a word, everything.");
    return EXIT_YES;
  }
  struct rs_error error = {0};
  if (argc > 2) {
    rs_error_set(&error, RS_ERROR_USAGE, "one list at a time");
    return command_fail("list", &error);
  }
  printout_begin();
  bool found = false;
  for (size_t i = 0; i < RS_ARRAY_LENGTH(lists); i++) {
    if (argc == 2 && strcmp(argv[1], lists[i].name) != 0)
      continue;
    if (found)
      putchar('\n');
    lists[i].print();
    found = true;
  }
  if (found)
    return printout_end("list");
  rs_error_set(&error, RS_ERROR_USAGE, "there is no list '%s'; there are: algorithms, transports, baselines, types",
               argv[1]);
  return command_fail("list", &error);
}
