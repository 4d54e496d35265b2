// Internal to options: one value of any option type, and the one decoder and one encoder that everything goes through.
#ifndef RINGSIDE_OPTIONS_OPTION_VALUE_H
#define RINGSIDE_OPTIONS_OPTION_VALUE_H

#include "ringside/options.h"

// Which member is in use follows from the option's type; every member lies at the start, so that a value is stored into
// a struct's field by copying its first bytes.
union rs_option_value {
  bool flag;                 // BOOL
  uint64_t number;           // UINT, SIZE, CHOICE
  int64_t duration_ns;       // DURATION
  double real;               // DOUBLE
  struct rs_string string;   // STRING
  struct rs_word_list words; // WORDS
  struct rs_uint_list list;  // CHOICES, UINTS, SIZES
  struct rs_uint_range range;
};

// A short name of the type for the help: "size", "sizes", "choice".
const char *rs_option_type_name(enum rs_option_type type);
bool rs_option_type_is_list(enum rs_option_type type);

// Decodes a whole text; lists are split at commas. USAGE says why the text is refused, without naming the option:
// callers put that in front. On failure *value is undefined.
enum rs_status rs_option_value_decode(const struct rs_option *option, const char *text, union rs_option_value *value,
                                      struct rs_error *error);
// The same for a list that comes in entries: begin, append each, end.
void rs_option_value_begin(union rs_option_value *value);
enum rs_status rs_option_value_append(const struct rs_option *option, const char *entry, union rs_option_value *value,
                                      struct rs_error *error);
enum rs_status rs_option_value_end(const struct rs_option *option, const union rs_option_value *value,
                                   struct rs_error *error);

// The word that a number in the list of a SIZES option stands for; NULL: it is a size.
const char *rs_option_size_word(const struct rs_option *option, uint64_t size);

// Between a value and the option's field in the struct at `target`. Unused bytes of the field become zero.
void rs_option_value_store(const struct rs_option *option, const union rs_option_value *value, void *target);
void rs_option_value_load(const struct rs_option *option, const void *target, union rs_option_value *value);

// Appends the value as one YAML scalar or flow sequence that decodes to the same value.
void rs_option_value_format(const struct rs_option *option, const union rs_option_value *value, struct rs_text *text);

#endif
