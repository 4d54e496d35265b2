// The subcommands of the program. A command gets its own argv (argv[0] is its name), prints results to stdout and
// everything else to stderr, and returns an exit code (enum exit_code). Only code under bench/ prints and exits.
#ifndef RINGSIDE_BENCH_COMMAND_H
#define RINGSIDE_BENCH_COMMAND_H

#include "ringside/base.h"

enum exit_code {
  EXIT_YES = 0,       // done, or the answer is yes
  EXIT_NO = 1,        // the answer is no: a regression, a failed proof
  EXIT_USAGE = 2,     // bad usage or bad input; nothing was touched
  EXIT_UNDECIDED = 3, // too few samples to say
  EXIT_FAILED = 4,    // the run failed; what was measured before is saved
};

struct command {
  const char *name;
  const char *summary; // one line
  int (*run)(int argc, char **argv);
};

int cmd_run(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_choose(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_gate(int argc, char **argv);
int cmd_topology(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_fit(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_order(int argc, char **argv);
int cmd_lab(int argc, char **argv);

bool command_is_known(const char *word);

// Prints "ringside COMMAND: TEXT" (and "try 'ringside COMMAND --help'" for usage errors) to stderr; returns the exit
// code that stands for the error's status.
int command_fail(const char *command, const struct rs_error *error);

#endif
