// The program: finds the subcommand and hands over.
#include "command.h"
#include "version.h"

#include <string.h>

static const struct command commands[] = {
    {"run", "measure: under mpirun, srun, or alone", cmd_run},
    {"show", "print a result as a table, JSON or CSV", cmd_show},
    {"compare", "set results against each other", cmd_compare},
    {"choose", "which placement or setting is best, from which size, how sure", cmd_choose},
    {"report", "make a web page of results, in one file", cmd_report},
    {"gate", "may the candidate ship? compares, and answers with the exit code", cmd_gate},
    {"topology", "where the ranks sit, how far apart, and what is wrong with that", cmd_topology},
    {"fit", "a fabric file from measured ping-pongs and streams", cmd_fit},
    {"list", "what is built in: algorithms, transports, baselines, ...", cmd_list},
    {"verify", "prove the schedules of all algorithms", cmd_verify},
    {"order", "the order of ranks that crosses expensive links least", cmd_order},
    {"lab", "several hosts on one machine, and mpirun across them", cmd_lab},
};

static void print_usage(FILE *file) {
  fputs("ringside measures the interconnect that distributed training lives on.\n\n"
        "usage: ringside COMMAND [ARGUMENTS]\n\ncommands:\n",
        file);
  for (size_t i = 0; i < RS_ARRAY_LENGTH(commands); i++)
    fprintf(file, "  %-8s  %s\n", commands[i].name, commands[i].summary);
  fputs("\n'ringside COMMAND --help' explains a command, with examples.\n"
        "'ringside --version' names every library in use.\n",
        file);
}

int command_fail(const char *command, const struct rs_error *error) {
  fprintf(stderr, "ringside %s: %s\n", command, error->text);
  if (error->status == RS_ERROR_USAGE)
    fprintf(stderr, "try 'ringside %s --help'\n", command);
  return rs_status_exit_code(error->status);
}

bool command_is_known(const char *word) {
  for (size_t i = 0; i < RS_ARRAY_LENGTH(commands); i++)
    if (strcmp(word, commands[i].name) == 0)
      return true;
  return false;
}

static int unknown_command(const char *word) {
  const char *names[RS_ARRAY_LENGTH(commands)];
  for (size_t i = 0; i < RS_ARRAY_LENGTH(commands); i++)
    names[i] = commands[i].name;
  const char *nearest = rs_text_nearest(word, names, RS_ARRAY_LENGTH(names));
  fprintf(stderr, "ringside: there is no command '%s'", word);
  if (nearest)
    fprintf(stderr, "; did you mean '%s'?", nearest);
  fputs("\ntry 'ringside --help'\n", stderr);
  return EXIT_USAGE;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    print_usage(stderr);
    return EXIT_USAGE;
  }
  const char *word = argv[1];
  if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
    print_usage(stdout);
    return EXIT_YES;
  }
  if (strcmp(word, "--version") == 0) {
    version_print(stdout);
    return EXIT_YES;
  }
  for (size_t i = 0; i < RS_ARRAY_LENGTH(commands); i++)
    if (strcmp(word, commands[i].name) == 0)
      return commands[i].run(argc - 1, argv + 1);
  return unknown_command(word);
}
