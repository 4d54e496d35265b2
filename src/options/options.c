#include "ringside/options.h"

#include "options/option_key.h"
#include "options/option_value.h"
#include "options/utf8.h"

#include <string.h>

// A mistake in a table is ours, not the user's: it is found by the first test that sets the defaults.
static enum rs_status check_row(const struct rs_options *options, const struct rs_option_cursor *cursor,
                                struct rs_error *error) {
  const struct rs_option *option = cursor->option;
  char key[RS_OPTION_KEY_BYTES];
  if (!rs_option_key_join(cursor->group->prefix, option->name, key))
    return rs_error_set(error, RS_ERROR_INTERNAL, "bad option table: the key '%s' is too long", key);
  if (option->default_text == NULL || option->help == NULL)
    return rs_error_set(error, RS_ERROR_INTERNAL, "bad option table: '%s' lacks its default or its help", key);
  bool has_choices = option->choices != NULL && option->choices[0] != NULL;
  if ((option->type == RS_OPTION_CHOICE || option->type == RS_OPTION_CHOICES) && !has_choices)
    return rs_error_set(error, RS_ERROR_INTERNAL, "bad option table: '%s' has no choices", key);
  if (option->type == RS_OPTION_SIZES && option->choices != NULL && option->maximum == 0)
    return rs_error_set(error, RS_ERROR_INTERNAL, "bad option table: '%s' has words beside sizes and no maximum", key);
  struct rs_option_cursor first;
  if (rs_option_find(options, key, &first) && first.option != option)
    return rs_error_set(error, RS_ERROR_INTERNAL, "bad option table: two options have the key '%s'", key);
  return RS_OK;
}

enum rs_status rs_options_set_defaults(const struct rs_options *options, struct rs_error *error) {
  for (struct rs_option_cursor cursor = {0}; rs_option_cursor_next(options, &cursor);) {
    enum rs_status status = check_row(options, &cursor, error);
    if (status != RS_OK)
      return status;
    struct rs_error reason = {0};
    union rs_option_value value;
    if (rs_option_value_decode(cursor.option, cursor.option->default_text, &value, &reason) != RS_OK)
      return rs_error_set(error, RS_ERROR_INTERNAL, "bad option table: the default of '%s': %s", cursor.key,
                          reason.text);
    rs_option_value_store(cursor.option, &value, cursor.group->target);
  }
  return RS_OK;
}

// Decodes one assignment; *known says whether an error is about the value of a known key.
static enum rs_status assign(const struct rs_options *options, const char *key, const char *value_text, bool *known,
                             struct rs_error *error) {
  struct rs_option_cursor cursor;
  *known = rs_option_find(options, key, &cursor);
  if (!*known && rs_option_is_section(options, key))
    return rs_option_section_refuse(options, key, error);
  if (!*known)
    return rs_option_key_refuse(options, key, error);
  union rs_option_value value;
  enum rs_status status = rs_option_value_decode(cursor.option, value_text, &value, error);
  if (status == RS_OK)
    rs_option_value_store(cursor.option, &value, cursor.group->target);
  return status;
}

enum rs_status rs_options_set(const struct rs_options *options, const char *origin, const char *key, const char *value,
                              struct rs_error *error) {
  bool known;
  enum rs_status status = assign(options, key, value, &known, error);
  if (status != RS_OK && known)
    rs_error_prefix(error, "%s: %s", origin, key);
  else if (status != RS_OK)
    rs_error_prefix(error, "%s", origin);
  return status;
}

enum rs_status rs_options_set_assignment(const struct rs_options *options, const char *assignment,
                                         struct rs_error *error) {
  char key[RS_OPTION_KEY_BYTES], clip[RS_CLIP_BYTES];
  rs_utf8_clip(assignment, clip);
  const char *start = assignment + strspn(assignment, " ");
  size_t length = strcspn(start, "=");
  if (start[length] == '\0')
    return rs_error_set(error, RS_ERROR_USAGE, "--set %s: there is no '='; write --set KEY=VALUE", clip);
  const char *value = start + length + 1;
  while (length > 0 && start[length - 1] == ' ')
    length--;
  if (length == 0)
    return rs_error_set(error, RS_ERROR_USAGE, "--set %s: there is no key before '='; write --set KEY=VALUE", clip);
  // A key that is cut here is longer than any valid one, so that it is still unknown.
  snprintf(key, sizeof key, "%.*s", (int)rs_min_size(length, sizeof key), start);
  bool known;
  enum rs_status status = assign(options, key, value, &known, error);
  if (status != RS_OK)
    rs_error_prefix(error, "--set %s", clip);
  return status;
}
