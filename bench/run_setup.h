// What `ringside run` was asked for: its command line, decoded. No rank has to exist yet.
#ifndef RINGSIDE_BENCH_RUN_SETUP_H
#define RINGSIDE_BENCH_RUN_SETUP_H

#include "observe.h"
#include "ringside/measure.h"

struct run_setup {
  struct rs_config config;
  struct observe_options observe;
  struct rs_options options;
  struct rs_option_group *groups;
  void **transport_options;    // per rs_transports row; NULL: it has none
  const char *output;          // NULL: the default name
  const char *order;           // of ranks: a file, or "auto"; NULL: as they are
  struct rs_attribute *labels; // "label.KEY"; keys and values owned
  size_t label_count;
  char *command_line;
  const char *topology; // --topology: stands over placement.file; NULL: not given
  bool redact;          // --redact
  bool force, dry_run, check_network, help, quiet, progress;
};

// Decodes argv (argv[0] is the command). USAGE on anything wrong. The setup owns its memory either way and is freed by
// run_setup_fini.
enum rs_status run_setup_init(struct run_setup *setup, int argc, char **argv, struct rs_error *error);
void run_setup_fini(struct run_setup *setup);
void run_setup_help(struct run_setup *setup);

#endif
