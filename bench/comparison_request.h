// comparison_request: the sets that compare and gate are given, in the ways that both take them.
#ifndef RINGSIDE_BENCH_COMPARISON_REQUEST_H
#define RINGSIDE_BENCH_COMPARISON_REQUEST_H

#include "ringside/report.h"

#include <getopt.h>

struct comparison_request {
  const char **arguments; // the baseline's, then the candidate's
  size_t baseline_count, candidate_count;
  const char **where;
  size_t where_count;
  const char *by, *baseline; // of --by and --baseline
  double threshold, level;
  bool with, help;
};

// Rows of a getopt_long table, and the values that they return.
enum {
  COMPARISON_WITH = 512,
  COMPARISON_BY,
  COMPARISON_BASELINE,
  COMPARISON_WHERE,
  COMPARISON_THRESHOLD,
  COMPARISON_LEVEL
};
#define COMPARISON_OPTIONS                                                                                             \
  {"with", no_argument, NULL, COMPARISON_WITH}, {"by", required_argument, NULL, COMPARISON_BY},                        \
      {"baseline", required_argument, NULL, COMPARISON_BASELINE},                                                      \
      {"where", required_argument, NULL, COMPARISON_WHERE}, {"level", required_argument, NULL, COMPARISON_LEVEL}, {    \
    "help", no_argument, NULL, 'h'                                                                                     \
  }
// The short options: '-' hands arguments out in the order given, since --with divides them.
#define COMPARISON_SHORT_OPTIONS "-:h"
// What stands on these in the help of a command.
#define COMPARISON_HELP                                                                                                \
  "  --with             what follows is the candidate\n"                                                               \
  "  --by FIELD         instead of --with: one list of files, divided by what they say of FIELD: a label\n"            \
  "                     (placement), or a fact (placement_group, zone, instance_type, kernel, mtu,\n"                  \
  "                     congestion_control, tcp.streams, ...)\n"                                                       \
  "  --baseline VALUE   with --by: the value that the others are held against; the first file's by default\n"          \
  "  --where FIELD=VALUE\n"                                                                                            \
  "                     only such cases: implementation=ring, transport=tcp, size_bytes=8; may stand several times\n"  \
  "  --level 95%        how sure the verdicts shall be, all of them together, with --by over\n"                        \
  "                     all values\n"

// `argc` is room enough for all that follows. NULL request->arguments: out of memory.
enum rs_status comparison_request_init(struct comparison_request *request, int argc, struct rs_error *error);
void comparison_request_fini(struct comparison_request *request);
// Takes what getopt_long returned: an argument, one of the rows above, or an error (`argv`, to name it).
enum rs_status comparison_request_take(struct comparison_request *request, int option, char **argv,
                                       struct rs_error *error);
// Takes what stands behind "--", and checks the whole.
enum rs_status comparison_request_end(struct comparison_request *request, int argc, char **argv, const char *command,
                                      struct rs_error *error);
// Calls `use` with the comparison, or with --by with that of each further value against the first; `index` counts them.
typedef enum rs_status comparison_use(void *context, const struct rs_comparison *comparison, size_t index,
                                      struct rs_error *error);
enum rs_status comparison_request_run(const struct comparison_request *request, unsigned metrics, comparison_use *use,
                                      void *context, struct rs_error *error);

#endif
