// lab_request: the command line of `ringside lab`.
#ifndef RINGSIDE_BENCH_LAB_REQUEST_H
#define RINGSIDE_BENCH_LAB_REQUEST_H

#include "ringside/lab.h"

enum lab_verb { LAB_UP, LAB_RUN, LAB_STATUS, LAB_DOWN };

struct lab_request {
  enum lab_verb verb;
  const char *name, *mpirun; // NULL: not given
  const char **sets;
  size_t set_count, ranks; // ranks 0: not given
  char **words;            // what is no option: the file of up, the command of run
  size_t word_count;
  bool without_delay, dry_run, verbose, json, all, help;
};

// USAGE when it makes no sense. lab_request_fini also after an error.
enum rs_status lab_request_init(struct lab_request *request, int argc, char **argv, struct rs_error *error);
void lab_request_fini(struct lab_request *request);

#endif
