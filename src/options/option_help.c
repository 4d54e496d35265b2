// The help of every option, in four columns: key, type, default, and what it means, wrapped.
#include "options/option_key.h"
#include "options/option_value.h"
#include "options/quantity.h"

#include <inttypes.h>
#include <string.h>

#define HELP_COLUMNS 110
#define DEFAULT_COLUMNS 24 // a longer default gets its line, so that it does not push the help away

struct widths {
  int key, type, text;
};

static struct widths measure(const struct rs_options *options) {
  struct widths widths = {.key = 3, .type = 4, .text = 7}; // the headings
  for (struct rs_option_cursor cursor = {0}; rs_option_cursor_next(options, &cursor);) {
    int key = (int)strlen(cursor.key), type = (int)strlen(rs_option_type_name(cursor.option->type)),
        text = (int)strlen(cursor.option->default_text);
    widths.key = key > widths.key ? key : widths.key;
    widths.type = type > widths.type ? type : widths.type;
    if (text <= DEFAULT_COLUMNS && text > widths.text)
      widths.text = text;
  }
  return widths;
}

static const struct rs_unit *bound_units(enum rs_option_type type) {
  if (type == RS_OPTION_SIZE || type == RS_OPTION_SIZES)
    return rs_units_size;
  if (type == RS_OPTION_RATE)
    return rs_units_rate;
  return type == RS_OPTION_DURATION ? rs_units_duration : rs_units_none;
}

// The help line and what may be written: its choices or its bounds.
static void describe(const struct rs_option *option, struct rs_text *text) {
  char low[RS_QUANTITY_BYTES], high[RS_QUANTITY_BYTES];
  const struct rs_unit *units = bound_units(option->type);
  rs_text_append(text, "%s", option->help);
  if (option->type == RS_OPTION_CHOICE || option->type == RS_OPTION_CHOICES)
    for (const char *const *choice = option->choices; *choice != NULL; choice++)
      rs_text_append(text, "%s%s%s", choice == option->choices ? " (" : "", *choice, choice[1] == NULL ? ")" : ", ");
  else if (option->maximum != 0) {
    rs_text_append(text, " (%s to %s", rs_quantity_format(option->minimum, units, low),
                   rs_quantity_format(option->maximum, units, high));
    for (const char *const *word = option->choices; word != NULL && *word != NULL; word++)
      rs_text_append(text, ", or %s", *word);
    rs_text_append(text, ")");
  } else if (option->minimum != 0)
    rs_text_append(text, " (at least %s)", rs_quantity_format(option->minimum, units, low));
}

// Appends words up to the right margin, and goes on below at the same column.
static void append_wrapped(struct rs_text *text, const char *words, int indent) {
  int column = indent;
  while (*words != '\0') {
    int length = (int)strcspn(words, " ");
    bool first = column == indent;
    if (!first && column + 1 + length > HELP_COLUMNS) {
      rs_text_append(text, "\n%*s", indent, "");
      column = indent;
      first = true;
    }
    rs_text_append(text, "%s%.*s", first ? "" : " ", length, words);
    column += length + !first;
    words += length;
    words += strspn(words, " ");
  }
  rs_text_append(text, "\n");
}

void rs_options_help(const struct rs_options *options, struct rs_text *text) {
  struct widths widths = measure(options);
  int indent = 2 + widths.key + 2 + widths.type + 2 + widths.text + 2;
  rs_text_append(text, "  %-*s  %-*s  %-*s  %s\n", widths.key, "KEY", widths.type, "TYPE", widths.text, "DEFAULT",
                 "MEANING");
  const char *prefix = NULL;
  for (struct rs_option_cursor cursor = {0}; rs_option_cursor_next(options, &cursor);) {
    const struct rs_option *option = cursor.option;
    if (prefix != NULL && strcmp(prefix, cursor.group->prefix) != 0)
      rs_text_append(text, "\n");
    prefix = cursor.group->prefix;
    const char *shown = *option->default_text == '\0' ? "-" : option->default_text;
    rs_text_append(text, "  %-*s  %-*s  ", widths.key, cursor.key, widths.type, rs_option_type_name(option->type));
    if (strlen(shown) > (size_t)widths.text)
      rs_text_append(text, "%s\n%*s", shown, indent, "");
    else
      rs_text_append(text, "%-*s  ", widths.text, shown);
    struct rs_text description = {0};
    describe(option, &description);
    text->failed = text->failed || description.failed;
    append_wrapped(text, description.failed ? "" : description.data, indent);
    rs_text_fini(&description);
  }
}
