// The options that the option tests share: one of every type, in three groups, one of them without a table.
#ifndef RINGSIDE_TESTS_TEST_OPTIONS_TABLE_H
#define RINGSIDE_TESTS_TEST_OPTIONS_TABLE_H

#include "ringside/options.h"

struct sample {
  bool check;
  uint64_t window, chunk, mode;
  int64_t timeout_ns;
  double tolerance;
  struct rs_string note;
  struct rs_word_list algorithms;
  struct rs_uint_list datatypes, lanes, sizes;
  struct rs_uint_range ports;
};

static const char *const sample_modes[] = {"isolated", "streaming", "off", NULL};
static const char *const sample_datatypes[] = {"float32", "float64", "int32", NULL};

static const struct rs_option sample_sweep[] = {
    {"algorithms", RS_OPTION_WORDS, offsetof(struct sample, algorithms), "ring,tree", "what to run", NULL, 0, 0},
    {"datatypes", RS_OPTION_CHOICES, offsetof(struct sample, datatypes), "float32", "of the elements", sample_datatypes,
     0, 0},
    {"sizes", RS_OPTION_SIZES, offsetof(struct sample, sizes), "8..1KiB", "bytes per rank", NULL, 0, 1 << 30},
    {"lanes", RS_OPTION_UINTS, offsetof(struct sample, lanes), "1", "channels to each peer", NULL, 1, 64},
    {NULL, 0, 0, NULL, NULL, NULL, 0, 0},
};
static const struct rs_option sample_run[] = {
    {"timeout", RS_OPTION_DURATION, offsetof(struct sample, timeout_ns), "30s", "every wait ends by then", NULL,
     1000000, 0},
    {"mode", RS_OPTION_CHOICE, offsetof(struct sample, mode), "isolated", "what lies between two iterations",
     sample_modes, 0, 0},
    {"window", RS_OPTION_UINT, offsetof(struct sample, window), "8", "steps in flight", NULL, 1, 1024},
    {"check", RS_OPTION_BOOL, offsetof(struct sample, check), "true", "verify results", NULL, 0, 0},
    {"tolerance", RS_OPTION_DOUBLE, offsetof(struct sample, tolerance), "2%", "how much may differ", NULL, 0, 0},
    {"note", RS_OPTION_STRING, offsetof(struct sample, note), "", "a remark that is kept with the results", NULL, 0, 0},
    {NULL, 0, 0, NULL, NULL, NULL, 0, 0},
};
static const struct rs_option sample_tcp[] = {
    {"ports", RS_OPTION_RANGE, offsetof(struct sample, ports), "", "where to listen", NULL, 0, 65535},
    {"chunk", RS_OPTION_SIZE, offsetof(struct sample, chunk), "64KiB", "bytes per system call", NULL, 1, 1 << 20},
    {NULL, 0, 0, NULL, NULL, NULL, 0, 0},
};

// Binds the tables to one struct. `groups` has room for four.
static inline struct rs_options sample_options(struct sample *sample, struct rs_option_group groups[4]) {
  groups[0] = (struct rs_option_group){"", sample_sweep, sample};
  groups[1] = (struct rs_option_group){"run", sample_run, sample};
  groups[2] = (struct rs_option_group){"null", NULL, NULL};
  groups[3] = (struct rs_option_group){"net.tcp", sample_tcp, sample};
  return (struct rs_options){groups, 4};
}

#endif
