// Values as YAML. Each value is written in the one form that the decoder and every YAML 1.1 reader take for the same
// thing: text that such a reader would see as a number, a yes or a null stands in quotes.
#include "options/option_key.h"
#include "options/option_value.h"
#include "options/quantity.h"
#include "options/utf8.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// Whether a YAML reader takes these characters, without quotes, for exactly this text.
static bool is_plain(const char *text) {
  static const char *const reserved[] = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(reserved); i++)
    if (strcasecmp(text, reserved[i]) == 0)
      return false;
  size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./");
  return isalpha((unsigned char)text[0]) && text[length] == '\0';
}

static void append_quoted(struct rs_text *text, const char *string) {
  size_t bytes = strlen(string), length;
  rs_text_append(text, "\"");
  for (size_t at = 0; at < bytes; at += length) {
    uint32_t code_point = 0;
    length = rs_utf8_decode(string + at, bytes - at, &code_point);
    if (length == 0) // decoding lets only UTF-8 in
      break;
    // U+2028 and U+2029 are line breaks in YAML 1.1, which would be folded into spaces.
    bool raw = code_point >= ' ' && code_point != 0x85 && code_point != 0x2028 && code_point != 0x2029 &&
               rs_utf8_is_printable(code_point);
    if (code_point == '"' || code_point == '\\')
      rs_text_append(text, "\\%c", (char)code_point);
    else if (raw)
      rs_text_append(text, "%.*s", (int)length, string + at);
    else
      rs_text_append(text, "\\u%04" PRIx32, code_point);
  }
  rs_text_append(text, "\"");
}

static void append_text(struct rs_text *text, const char *string) {
  if (is_plain(string))
    rs_text_append(text, "%s", string);
  else
    append_quoted(text, string);
}

// The fewest digits that read back as the same double; 17 always do.
static void append_double(struct rs_text *text, double real) {
  char digits[40];
  int precision = 15;
  do
    snprintf(digits, sizeof digits, "%.*g", precision, real);
  while (strtod(digits, NULL) != real && precision++ < 17);
  rs_text_append(text, "%s", digits);
}

static void append_range(struct rs_text *text, const struct rs_uint_range *range) {
  if (range->low == 0 && range->high == 0)
    rs_text_append(text, "\"\"");
  else if (range->low == range->high)
    rs_text_append(text, "%" PRIu64, range->low);
  else
    rs_text_append(text, "%" PRIu64 "-%" PRIu64, range->low, range->high);
}

static void append_size(const struct rs_option *option, uint64_t size, struct rs_text *text) {
  char number[RS_QUANTITY_BYTES];
  const char *word = rs_option_size_word(option, size);
  if (word != NULL)
    append_text(text, word);
  else
    rs_text_append(text, "%s", rs_quantity_format(size, rs_units_size, number));
}

static void append_list(const struct rs_option *option, const union rs_option_value *value, struct rs_text *text) {
  char number[RS_QUANTITY_BYTES];
  rs_text_append(text, "[");
  // Every list begins with its count.
  for (size_t i = 0; i < value->list.count; i++) {
    rs_text_append(text, "%s", i == 0 ? "" : ", ");
    if (option->type == RS_OPTION_WORDS)
      append_text(text, value->words.words[i]);
    else if (option->type == RS_OPTION_CHOICES)
      append_text(text, option->choices[value->list.values[i]]);
    else if (option->type == RS_OPTION_SIZES)
      append_size(option, value->list.values[i], text);
    else
      rs_text_append(text, "%s", rs_quantity_format(value->list.values[i], rs_units_none, number));
  }
  rs_text_append(text, "]");
}

void rs_option_value_format(const struct rs_option *option, const union rs_option_value *value, struct rs_text *text) {
  char number[RS_QUANTITY_BYTES];
  switch (option->type) {
  case RS_OPTION_BOOL:
    rs_text_append(text, "%s", value->flag ? "true" : "false");
    break;
  case RS_OPTION_UINT:
    rs_text_append(text, "%" PRIu64, value->number);
    break;
  case RS_OPTION_SIZE:
    rs_text_append(text, "%s", rs_quantity_format(value->number, rs_units_size, number));
    break;
  case RS_OPTION_DURATION:
    rs_text_append(text, "%s", rs_quantity_format((uint64_t)value->duration_ns, rs_units_duration, number));
    break;
  case RS_OPTION_RATE:
    rs_text_append(text, "%s", rs_quantity_format(value->number, rs_units_rate, number));
    break;
  case RS_OPTION_DOUBLE:
    append_double(text, value->real);
    break;
  case RS_OPTION_STRING:
    append_text(text, value->string.text);
    break;
  case RS_OPTION_CHOICE:
    append_text(text, option->choices[value->number]);
    break;
  case RS_OPTION_WORDS:
  case RS_OPTION_CHOICES:
  case RS_OPTION_UINTS:
  case RS_OPTION_SIZES:
    append_list(option, value, text);
    break;
  case RS_OPTION_RANGE:
    append_range(text, &value->range);
    break;
  }
}

bool rs_options_get(const struct rs_options *options, const char *key, struct rs_text *text) {
  struct rs_option_cursor cursor;
  union rs_option_value value;
  if (!rs_option_find(options, key, &cursor))
    return false;
  rs_option_value_load(cursor.option, cursor.group->target, &value);
  if (cursor.option->type == RS_OPTION_STRING)
    rs_text_append(text, "%s", value.string.text); // without the quotes that a file may need
  else
    rs_option_value_format(cursor.option, &value, text);
  return true;
}

void rs_options_format(const struct rs_options *options, struct rs_text *text) {
  for (struct rs_option_cursor cursor = {0}; rs_option_cursor_next(options, &cursor);) {
    union rs_option_value value;
    rs_option_value_load(cursor.option, cursor.group->target, &value);
    rs_text_append(text, "%s: ", cursor.key);
    rs_option_value_format(cursor.option, &value, text);
    rs_text_append(text, "\n");
  }
}
