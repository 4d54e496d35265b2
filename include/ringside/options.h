// options: one typed option table per module; YAML files, the command line and --set all decode through it.
//
// A module publishes a `static const struct rs_option[]` that maps keys to fields of its own plain struct. A program
// binds tables to structs as groups ("run" + "timeout" is the key `run.timeout`), applies defaults (strings, parsed by
// the very code that parses user input), then files, then --set, and reads its structs. Later assignments win; within
// one YAML file a key may stand only once.
#ifndef RINGSIDE_OPTIONS_H
#define RINGSIDE_OPTIONS_H

#include "ringside/base.h"

enum rs_option_type {
  RS_OPTION_BOOL,     // bool: true/false, yes/no, on/off, 1/0
  RS_OPTION_UINT,     // uint64_t, decimal, `minimum`..`maximum`
  RS_OPTION_SIZE,     // uint64_t bytes: 8, 64KiB, 1.5MiB, 1MB (SI), 1G, 1TiB; units case-insensitive (k = KiB)
  RS_OPTION_DURATION, // int64_t ns: 500us, 10ms, 1.5s, 5min, 1h; a bare number other than 0 is refused
  RS_OPTION_RATE, // uint64_t bits/s: 25Gbit/s, 100 Mbit, 10gbps, 2.5Tbit/s (SI); a bare number other than 0 is refused
  RS_OPTION_DOUBLE, // double; "2%" is 0.02
  RS_OPTION_STRING, // struct rs_string: any text
  RS_OPTION_CHOICE, // uint64_t: index into `choices`
  // Lists: a,b,c or a YAML sequence of scalars. Nothing stands twice in a list, and only WORDS may be empty.
  RS_OPTION_WORDS,   // struct rs_word_list: words without blanks and commas
  RS_OPTION_CHOICES, // struct rs_uint_list: indices into `choices`, in the order given
  RS_OPTION_UINTS,   // struct rs_uint_list: 1,2,4
  RS_OPTION_SIZES,   // struct rs_uint_list: 8,1KiB, 8..64MiB (x2 steps), 8..64MiB*4 (x4 steps), both ends included
                     // even where no step meets the upper one; strictly rising. With `choices`, these words may stand
                     // anywhere among them, as RS_SIZE_WORD; then there is a maximum
  RS_OPTION_RANGE,   // struct rs_uint_range: LOW-HIGH, or a single number
};

#define RS_STRING_BYTES 256
#define RS_LIST_MAX 128
// What word `index` of an option's `choices` is in a list of sizes.
#define RS_SIZE_WORD(index) (UINT64_MAX - (index))
struct rs_string {
  char text[RS_STRING_BYTES];
};
struct rs_word_list {
  size_t count;
  char words[32][48];
};
struct rs_uint_list {
  size_t count;
  uint64_t values[RS_LIST_MAX];
};
struct rs_uint_range {
  uint64_t low, high; // 0, 0: not given ("" as text)
};

// One row of an option table. Names have no blanks, and a full key at most 127 bytes. `offset` is offsetof(struct,
// field); the field's C type is set by `type` (above).
struct rs_option {
  const char *name; // without the group: "timeout"
  enum rs_option_type type;
  size_t offset;
  const char *default_text;
  const char *help;           // one line, ends without a full stop
  const char *const *choices; // NULL-terminated, for CHOICE, CHOICES and, if not NULL, SIZES
  uint64_t minimum, maximum;  // for UINT, SIZE, RATE, UINTS, SIZES, RANGE, DURATION (ns); maximum 0: no upper bound
};

// A table bound to the struct it fills. prefix "" puts its keys at the top level. `table` ends with a row whose name
// is NULL. A NULL table is an empty group.
struct rs_option_group {
  const char *prefix;
  const struct rs_option *table;
  void *target;
};

// All groups of a program. Plain data; the caller owns everything it points to, and its lifetime.
struct rs_options {
  const struct rs_option_group *groups;
  size_t group_count;
};

// Writes every default into its target. Fails only on a bad table (RS_ERROR_INTERNAL): a default that does not decode,
// one key twice, no choices.
enum rs_status rs_options_set_defaults(const struct rs_options *options, struct rs_error *error);

// Decodes one assignment. `origin` opens an error text: "--set", "file.yaml:3:7". An unknown key names the nearest
// valid one, or else the keys of its group. RS_ERROR_USAGE on any bad input, and then no target has changed.
enum rs_status rs_options_set(const struct rs_options *options, const char *origin, const char *key, const char *value,
                              struct rs_error *error);
// "KEY=VALUE" as given to --set.
enum rs_status rs_options_set_assignment(const struct rs_options *options, const char *assignment,
                                         struct rs_error *error);

// Appends a key's present value as it would be written; false when there is no such key.
bool rs_options_get(const struct rs_options *options, const char *key, struct rs_text *text);

// Reads a YAML file (libyaml): nested mappings make dotted keys, sequences of scalars make lists. Errors carry
// file:line:column, and after one nothing of the file is applied. Duplicate keys (in either spelling), nulls, anchors,
// tags, several documents, and files above 1 MiB are refused. An empty document assigns nothing. The plain word null is
// text where WORDS or STRING is expected, as a transport is called so. A file that is not there is RS_ERROR_USAGE.
enum rs_status rs_options_load_yaml(const struct rs_options *options, const char *path, struct rs_error *error);
// The same from memory; `name` stands for the path in messages.
enum rs_status rs_options_parse_yaml(const struct rs_options *options, const char *name, const char *text, size_t bytes,
                                     struct rs_error *error);
// For checks of values against each other: where a key stands in a text that parse_yaml takes, counted from 1. False:
// it does not stand there.
bool rs_options_locate_yaml(const struct rs_options *options, const char *text, size_t bytes, const char *key,
                            size_t *line, size_t *column);
// The largest YAML file that is read.
#define RS_YAML_BYTES_MAX ((size_t)1 << 20)

// Appends the resolved configuration as YAML: every key, dotted, in table order, such that reading it back gives the
// same.
void rs_options_format(const struct rs_options *options, struct rs_text *text);
// Appends the help: key, type, default and help line of every option, aligned, with an empty line between groups.
// Needs no targets.
void rs_options_help(const struct rs_options *options, struct rs_text *text);

// ---- a YAML file as a tree --------------------------------------------------------------------------------

// For files whose keys are data, such as host names, and so do not fit a table. The limits are those of settings files:
// 1 MiB, no anchors, tags or second document; no key twice in a mapping, and at most RS_YAML_DEPTH_MAX levels.
#define RS_YAML_DEPTH_MAX 16
enum rs_yaml_kind { RS_YAML_NULL, RS_YAML_SCALAR, RS_YAML_SEQUENCE, RS_YAML_MAPPING };
struct rs_yaml_node {
  enum rs_yaml_kind kind;
  struct rs_file_place at;
  char *text; // of a scalar; else NULL
  char *key;  // of a mapping's child; else NULL
  struct rs_file_place key_at;
  struct rs_yaml_node *first, *next; // first child, next sibling, in the file's order
};
// `what` is the kind of the file and `name` stands for its path, in errors. *root is NULL for an empty document;
// rs_yaml_tree_close takes it back.
enum rs_status rs_yaml_tree_parse(const char *what, const char *name, const char *text, size_t bytes,
                                  struct rs_yaml_node **root, struct rs_error *error);
void rs_yaml_tree_close(struct rs_yaml_node *root); // NULL is fine

void rs_options_library(char *text, size_t bytes); // "libyaml 0.2.5"

#endif
