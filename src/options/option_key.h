// Internal to options: the full keys ("run.timeout") of all groups, and the sections ("run") that they form.
#ifndef RINGSIDE_OPTIONS_OPTION_KEY_H
#define RINGSIDE_OPTIONS_OPTION_KEY_H

#include "ringside/options.h"

#define RS_OPTION_KEY_BYTES 128

// Walks every option of every group in order: start as {0}, and read group, option and key while next returns true.
struct rs_option_cursor {
  size_t group_index, row;
  const struct rs_option_group *group;
  const struct rs_option *option;
  char key[RS_OPTION_KEY_BYTES];
};
bool rs_option_cursor_next(const struct rs_options *options, struct rs_option_cursor *cursor);

// Leaves the cursor at the option with this key; false when there is none.
bool rs_option_find(const struct rs_options *options, const char *key, struct rs_option_cursor *cursor);

// Joins a section and a name with a dot; section "" gives the name alone. False when the key does not fit, and then
// `key` is cut, which no table's key is.
bool rs_option_key_join(const char *section, const char *name, char key[RS_OPTION_KEY_BYTES]);
// Whether `path` is a section, that is, keys begin with `path` and a dot.
bool rs_option_is_section(const struct rs_options *options, const char *path);

// Explains in `error` that there is no such key: the nearest valid one, or else the keys of its section. Always fails.
enum rs_status rs_option_key_refuse(const struct rs_options *options, const char *key, struct rs_error *error);

// Explains that `section` takes keys and no value. Always fails.
enum rs_status rs_option_section_refuse(const struct rs_options *options, const char *section, struct rs_error *error);

#endif
