// One decoder per type. A list's decoder takes one entry and appends what it stands for, so that "8,1KiB" and a YAML
// sequence of the same entries go the same way.
#include "options/option_value.h"

#include "options/quantity.h"
#include "options/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t\r\n"
#define ENTRY_BYTES 256

// How errors speak of a type.
struct wording {
  const char *name; // in the help
  const char *noun; // "'x' is not NOUN; write EXAMPLES"
  const char *examples;
  const char *grain;           // "'1.5' is not GRAIN"
  const struct rs_unit *units; // of the numbers in it
};
static const struct wording wordings[] = {
    [RS_OPTION_BOOL] = {"bool", "yes or no", "true, yes, on, 1, false, no, off or 0", NULL, NULL},
    [RS_OPTION_UINT] = {"number", "a whole number", "decimal digits, such as 16", "a whole number", rs_units_none},
    [RS_OPTION_SIZE] = {"size", "a size", "bytes, such as 8, 64KiB, 1MiB or 1MB", "a whole number of bytes",
                        rs_units_size},
    [RS_OPTION_DURATION] = {"duration", "a duration", "a number and its unit, such as 500us, 10ms, 2s, 5min or 1h",
                            "a whole number of nanoseconds", rs_units_duration},
    [RS_OPTION_RATE] = {"rate", "a rate", "bits per second with their unit, such as 25Gbit/s, 100Mbit/s or 10Gbps",
                        "a whole number of bits per second", rs_units_rate},
    [RS_OPTION_DOUBLE] = {"fraction", "a number", "a decimal number, such as 0.05, or percent, such as 5%", NULL, NULL},
    [RS_OPTION_STRING] = {"text", "text", NULL, NULL, NULL},
    [RS_OPTION_CHOICE] = {"choice", "a choice", NULL, NULL, NULL},
    [RS_OPTION_WORDS] = {"words", "a word", "words without spaces, such as ring,tree", NULL, NULL},
    [RS_OPTION_CHOICES] = {"choices", "a choice", NULL, NULL, NULL},
    [RS_OPTION_UINTS] = {"numbers", "a whole number", "decimal digits, such as 16 or 1,2,4", "a whole number",
                         rs_units_none},
    [RS_OPTION_SIZES] = {"sizes", "a size", "bytes, such as 8, 64KiB, 1MiB or 1MB", "a whole number of bytes",
                         rs_units_size},
    [RS_OPTION_RANGE] = {"range", "a range", "LOW-HIGH, such as 20000-20100, or one number", "a whole number",
                         rs_units_none},
};
static const char size_range_examples[] = "8, 1KiB, 8..64MiB (doubling) or 8..64MiB*4";

static enum rs_status refuse(enum rs_option_type type, const char *text, struct rs_error *error) {
  char clip[RS_CLIP_BYTES];
  return rs_error_set(error, RS_ERROR_USAGE, "'%s' is not %s; write %s", rs_utf8_clip(text, clip), wordings[type].noun,
                      wordings[type].examples);
}

// ---- numbers ----------------------------------------------------------------------------------------------

// A number in the type's unit, of which `text` is all or a part.
static enum rs_status decode_quantity(enum rs_option_type type, const char *text, uint64_t largest, uint64_t *number,
                                      struct rs_error *error) {
  const struct wording *wording = &wordings[type];
  char clip[RS_CLIP_BYTES], limit[RS_QUANTITY_BYTES];
  enum rs_quantity_result result = rs_quantity_parse(text, wording->units, number);
  if (result == RS_QUANTITY_OK && *number > largest)
    result = RS_QUANTITY_OVERFLOW;
  rs_utf8_clip(text, clip);
  switch (result) {
  case RS_QUANTITY_OK:
    return RS_OK;
  case RS_QUANTITY_MALFORMED:
    return refuse(type, text, error);
  case RS_QUANTITY_NO_UNIT:
    return type == RS_OPTION_RATE
               ? rs_error_set(error, RS_ERROR_USAGE, "'%s' has no unit; write %sGbit/s or %sMbit/s", clip, clip, clip)
               : rs_error_set(error, RS_ERROR_USAGE, "'%s' has no unit; write %ss, %sms or %sus", clip, clip, clip,
                              clip);
  case RS_QUANTITY_INEXACT:
    return rs_error_set(error, RS_ERROR_USAGE, "'%s' is not %s", clip, wording->grain);
  case RS_QUANTITY_OVERFLOW:
    break;
  }
  return rs_error_set(error, RS_ERROR_USAGE, "'%s' is too large; the largest number here is %s", clip,
                      rs_quantity_format(largest, wording->units, limit));
}

// Holds a number against the option's bounds.
static enum rs_status check_bounds(const struct rs_option *option, uint64_t number, struct rs_error *error) {
  const struct rs_unit *units = wordings[option->type].units;
  char shown[RS_QUANTITY_BYTES], limit[RS_QUANTITY_BYTES];
  rs_quantity_format(number, units, shown);
  if (number < option->minimum)
    return rs_error_set(error, RS_ERROR_USAGE, "%s is too small; the smallest allowed is %s", shown,
                        rs_quantity_format(option->minimum, units, limit));
  if (option->maximum != 0 && number > option->maximum)
    return rs_error_set(error, RS_ERROR_USAGE, "%s is too large; the largest allowed is %s", shown,
                        rs_quantity_format(option->maximum, units, limit));
  return RS_OK;
}

static enum rs_status decode_number(const struct rs_option *option, const char *text, union rs_option_value *value,
                                    struct rs_error *error) {
  enum rs_status status = decode_quantity(option->type, text, UINT64_MAX, &value->number, error);
  return status == RS_OK ? check_bounds(option, value->number, error) : status;
}

static enum rs_status decode_duration(const struct rs_option *option, const char *text, union rs_option_value *value,
                                      struct rs_error *error) {
  uint64_t ns;
  enum rs_status status = decode_quantity(option->type, text, INT64_MAX, &ns, error);
  if (status != RS_OK)
    return status;
  value->duration_ns = (int64_t)ns;
  return check_bounds(option, ns, error);
}

static enum rs_status decode_range(const struct rs_option *option, const char *text, union rs_option_value *value,
                                   struct rs_error *error) {
  if (*text == '\0')
    return RS_OK;
  char low[ENTRY_BYTES], clip[RS_CLIP_BYTES];
  size_t length = strcspn(text, "-");
  snprintf(low, sizeof low, "%.*s", (int)length, text);
  const char *const ends[2] = {low, text[length] == '-' ? text + length + 1 : low};
  uint64_t numbers[2];
  for (size_t i = 0; i < 2; i++) {
    if (rs_quantity_parse(ends[i], rs_units_none, &numbers[i]) == RS_QUANTITY_MALFORMED)
      return refuse(option->type, text, error);
    enum rs_status status = decode_quantity(option->type, ends[i], UINT64_MAX, &numbers[i], error);
    if (status == RS_OK)
      status = check_bounds(option, numbers[i], error);
    if (status != RS_OK)
      return status;
  }
  if (numbers[0] > numbers[1])
    return rs_error_set(error, RS_ERROR_USAGE, "'%s' runs backwards; write the lower number first",
                        rs_utf8_clip(text, clip));
  value->range = (struct rs_uint_range){.low = numbers[0], .high = numbers[1]};
  return RS_OK;
}

static enum rs_status decode_double(const struct rs_option *option, const char *text, union rs_option_value *value,
                                    struct rs_error *error) {
  // strtod also takes hexadecimal, inf and nan, none of which a person means here.
  size_t plain = strspn(text, "+-.0123456789eE");
  char *end;
  double real = strtod(text, &end);
  bool percent = *end == '%' && end > text;
  if (end != text + plain || plain == 0 || end[percent] != '\0')
    return refuse(option->type, text, error);
  if (!isfinite(real)) {
    char clip[RS_CLIP_BYTES];
    return rs_error_set(error, RS_ERROR_USAGE, "'%s' is too large for a number", rs_utf8_clip(text, clip));
  }
  value->real = percent ? real / 100 : real;
  return RS_OK;
}

// ---- names and text ---------------------------------------------------------------------------------------

static enum rs_status decode_bool(const struct rs_option *option, const char *text, union rs_option_value *value,
                                  struct rs_error *error) {
  static const char *const yes[] = {"true", "yes", "on", "1"}, *const no[] = {"false", "no", "off", "0"};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(yes); i++) {
    if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
      value->flag = strcasecmp(text, yes[i]) == 0;
      return RS_OK;
    }
  }
  return refuse(option->type, text, error);
}

static enum rs_status decode_string(const struct rs_option *option, const char *text, union rs_option_value *value,
                                    struct rs_error *error) {
  (void)option;
  char clip[RS_CLIP_BYTES];
  size_t bytes = strlen(text);
  if (bytes >= sizeof value->string.text)
    return rs_error_set(error, RS_ERROR_USAGE, "'%s' has %zu bytes; at most %zu fit", rs_utf8_clip(text, clip), bytes,
                        sizeof value->string.text - 1);
  if (!rs_utf8_is_valid(text, bytes))
    return rs_error_set(error, RS_ERROR_USAGE, "'%s' is not UTF-8 text", rs_utf8_clip(text, clip));
  memcpy(value->string.text, text, bytes);
  return RS_OK;
}

static enum rs_status refuse_choice(const struct rs_option *option, const char *text, struct rs_error *error) {
  char clip[RS_CLIP_BYTES];
  struct rs_text names = {0};
  size_t count = 0;
  for (; option->choices[count] != NULL; count++)
    rs_text_append(&names, "%s%s", count == 0 ? "" : ", ", option->choices[count]);
  enum rs_status status;
  const char *nearest = rs_text_nearest(text, option->choices, count);
  if (names.failed)
    status = rs_error_set_memory(error, names.length, "the list of choices");
  else
    status = rs_error_set(error, RS_ERROR_USAGE, "'%s' is %s one of %s%s%s%s", rs_utf8_clip(text, clip),
                          option->type == RS_OPTION_SIZES ? "no size, such as 64KiB, and not" : "not", names.data,
                          nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
                          nearest == NULL ? "" : "'?");
  rs_text_fini(&names);
  return status;
}

static bool find_choice(const struct rs_option *option, const char *text, uint64_t *index) {
  for (*index = 0; option->choices[*index] != NULL; ++*index)
    if (strcmp(option->choices[*index], text) == 0)
      return true;
  return false;
}

static enum rs_status decode_choice(const struct rs_option *option, const char *text, union rs_option_value *value,
                                    struct rs_error *error) {
  return find_choice(option, text, &value->number) ? RS_OK : refuse_choice(option, text, error);
}

// ---- entries of lists -------------------------------------------------------------------------------------

static enum rs_status append_word(const struct rs_option *option, const char *text, union rs_option_value *value,
                                  struct rs_error *error) {
  struct rs_word_list *words = &value->words;
  char clip[RS_CLIP_BYTES];
  rs_utf8_clip(text, clip);
  size_t bytes = strlen(text);
  for (size_t i = 0; i < bytes; i++)
    if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f || text[i] == ',')
      return refuse(option->type, text, error);
  if (!rs_utf8_is_valid(text, bytes))
    return rs_error_set(error, RS_ERROR_USAGE, "'%s' is not UTF-8 text", clip);
  if (bytes >= sizeof words->words[0])
    return rs_error_set(error, RS_ERROR_USAGE, "'%s' has %zu bytes; a word has at most %zu", clip, bytes,
                        sizeof words->words[0] - 1);
  for (size_t i = 0; i < words->count; i++)
    if (strcmp(words->words[i], text) == 0)
      return rs_error_set(error, RS_ERROR_USAGE, "'%s' stands twice in the list; name it once", clip);
  if (words->count == RS_ARRAY_LENGTH(words->words))
    return rs_error_set(error, RS_ERROR_USAGE, "more than %zu words, from '%s' on; shorten the list",
                        RS_ARRAY_LENGTH(words->words), clip);
  memcpy(words->words[words->count++], text, bytes + 1);
  return RS_OK;
}

// Adds one number that `text`, an entry of the list, stands for.
static enum rs_status push_number(struct rs_uint_list *list, uint64_t number, const char *text,
                                  struct rs_error *error) {
  char clip[RS_CLIP_BYTES];
  if (list->count == RS_LIST_MAX)
    return rs_error_set(error, RS_ERROR_USAGE, "more than %d values, from '%s' on; shorten the list", RS_LIST_MAX,
                        rs_utf8_clip(text, clip));
  list->values[list->count++] = number;
  return RS_OK;
}

// The same, for a list in which order is free but nothing may stand twice.
static enum rs_status push_distinct(struct rs_uint_list *list, uint64_t number, const char *text,
                                    struct rs_error *error) {
  char clip[RS_CLIP_BYTES];
  for (size_t i = 0; i < list->count; i++) {
    if (list->values[i] == number)
      return rs_error_set(error, RS_ERROR_USAGE, "'%s' stands twice in the list; name it once",
                          rs_utf8_clip(text, clip));
  }
  return push_number(list, number, text, error);
}

static enum rs_status append_choice(const struct rs_option *option, const char *text, union rs_option_value *value,
                                    struct rs_error *error) {
  uint64_t index;
  return find_choice(option, text, &index) ? push_distinct(&value->list, index, text, error)
                                           : refuse_choice(option, text, error);
}

static enum rs_status append_number(const struct rs_option *option, const char *text, union rs_option_value *value,
                                    struct rs_error *error) {
  union rs_option_value number;
  enum rs_status status = decode_number(option, text, &number, error);
  return status == RS_OK ? push_distinct(&value->list, number.number, text, error) : status;
}

// "LOW..HIGH*FACTOR", the factor 2 when it is not given. `dots` points into `text`; false when a part is no number.
struct size_range {
  uint64_t low, high, factor;
};
static bool scan_size_range(const char *text, const char *dots, struct size_range *range) {
  char part[ENTRY_BYTES];
  snprintf(part, sizeof part, "%.*s", (int)(dots - text), text);
  if (rs_quantity_parse(part, rs_units_size, &range->low) != RS_QUANTITY_OK)
    return false;
  const char *high = dots + 2;
  size_t length = strcspn(high, "*");
  snprintf(part, sizeof part, "%.*s", (int)length, high);
  if (rs_quantity_parse(part, rs_units_size, &range->high) != RS_QUANTITY_OK)
    return false;
  range->factor = 2;
  return high[length] == '\0' || rs_quantity_parse(high + length + 1, rs_units_none, &range->factor) == RS_QUANTITY_OK;
}

const char *rs_option_size_word(const struct rs_option *option, uint64_t size) {
  return option->choices != NULL && size > option->maximum ? option->choices[UINT64_MAX - size] : NULL;
}

static enum rs_status push_size(const struct rs_option *option, uint64_t size, const char *text,
                                struct rs_uint_list *list, struct rs_error *error) {
  enum rs_status status = check_bounds(option, size, error);
  if (status != RS_OK)
    return status;
  size_t before = list->count;
  while (before > 0 && rs_option_size_word(option, list->values[before - 1]) != NULL)
    before--;
  if (before > 0 && size <= list->values[before - 1]) {
    char clip[RS_CLIP_BYTES], last[RS_QUANTITY_BYTES];
    return rs_error_set(error, RS_ERROR_USAGE, "'%s' does not rise above %s before it; write sizes from small to large",
                        rs_utf8_clip(text, clip), rs_quantity_format(list->values[before - 1], rs_units_size, last));
  }
  return push_number(list, size, text, error);
}

// A list's entry that does not begin with a digit, where words are allowed.
static enum rs_status append_size_word(const struct rs_option *option, const char *text, struct rs_uint_list *list,
                                       struct rs_error *error) {
  uint64_t index;
  return find_choice(option, text, &index) ? push_distinct(list, RS_SIZE_WORD(index), text, error)
                                           : refuse_choice(option, text, error);
}

static enum rs_status append_sizes(const struct rs_option *option, const char *text, union rs_option_value *value,
                                   struct rs_error *error) {
  if (option->choices != NULL && strchr("0123456789", text[0]) == NULL)
    return append_size_word(option, text, &value->list, error);
  const char *dots = strstr(text, "..");
  struct size_range range;
  enum rs_status status;
  if (dots == NULL) {
    uint64_t size;
    status = decode_quantity(option->type, text, UINT64_MAX, &size, error);
    return status == RS_OK ? push_size(option, size, text, &value->list, error) : status;
  }

  char clip[RS_CLIP_BYTES];
  rs_utf8_clip(text, clip);
  if (!scan_size_range(text, dots, &range))
    return rs_error_set(error, RS_ERROR_USAGE, "'%s' is not a size range; write %s", clip, size_range_examples);
  if (range.low == 0)
    return rs_error_set(error, RS_ERROR_USAGE, "'%s' cannot start at 0, as 0 does not grow; write 0,1..64MiB", clip);
  if (range.low > range.high)
    return rs_error_set(error, RS_ERROR_USAGE, "'%s' runs backwards; write the smaller size first", clip);
  if (range.factor < 2)
    return rs_error_set(error, RS_ERROR_USAGE, "'%s' does not grow; write a factor of 2 or more", clip);
  // Both ends are measured, also when no step meets the upper one: whoever writes 64MiB wants to see 64MiB.
  status = RS_OK;
  for (uint64_t size = range.low; status == RS_OK && size < range.high;) {
    status = push_size(option, size, text, &value->list, error);
    if (__builtin_mul_overflow(size, range.factor, &size))
      size = range.high;
  }
  return status == RS_OK ? push_size(option, range.high, text, &value->list, error) : status;
}

// ---- all types --------------------------------------------------------------------------------------------

struct codec {
  size_t bytes; // of the option's field
  enum rs_status (*decode)(const struct rs_option *option, const char *text, union rs_option_value *value,
                           struct rs_error *error); // a whole text, or one entry of a list; blanks are trimmed
  bool list;
  bool may_be_empty; // of a list
};
static const struct codec codecs[] = {
    [RS_OPTION_BOOL] = {sizeof(bool), decode_bool, false, false},
    [RS_OPTION_UINT] = {sizeof(uint64_t), decode_number, false, false},
    [RS_OPTION_SIZE] = {sizeof(uint64_t), decode_number, false, false},
    [RS_OPTION_DURATION] = {sizeof(int64_t), decode_duration, false, false},
    [RS_OPTION_RATE] = {sizeof(uint64_t), decode_number, false, false},
    [RS_OPTION_DOUBLE] = {sizeof(double), decode_double, false, false},
    [RS_OPTION_STRING] = {sizeof(struct rs_string), decode_string, false, false},
    [RS_OPTION_CHOICE] = {sizeof(uint64_t), decode_choice, false, false},
    [RS_OPTION_WORDS] = {sizeof(struct rs_word_list), append_word, true, true},
    [RS_OPTION_CHOICES] = {sizeof(struct rs_uint_list), append_choice, true, false},
    [RS_OPTION_UINTS] = {sizeof(struct rs_uint_list), append_number, true, false},
    [RS_OPTION_SIZES] = {sizeof(struct rs_uint_list), append_sizes, true, false},
    [RS_OPTION_RANGE] = {sizeof(struct rs_uint_range), decode_range, false, false},
};

const char *rs_option_type_name(enum rs_option_type type) {
  return wordings[type].name;
}

bool rs_option_type_is_list(enum rs_option_type type) {
  return codecs[type].list;
}

// Decodes `bytes` of `text` without the blanks around them.
static enum rs_status decode_trimmed(const struct rs_option *option, const char *text, size_t bytes,
                                     union rs_option_value *value, struct rs_error *error) {
  char entry[ENTRY_BYTES], clip[RS_CLIP_BYTES];
  while (bytes > 0 && strchr(BLANKS, text[0]) != NULL) {
    text++;
    bytes--;
  }
  while (bytes > 0 && strchr(BLANKS, text[bytes - 1]) != NULL)
    bytes--;
  if (bytes >= sizeof entry)
    return rs_error_set(error, RS_ERROR_USAGE, "'%s' is too long (%zu bytes)", rs_utf8_clip(text, clip), bytes);
  memcpy(entry, text, bytes);
  entry[bytes] = '\0';
  if (bytes == 0 && codecs[option->type].list)
    return rs_error_set(error, RS_ERROR_USAGE, "an entry of the list is empty; remove the extra comma or quotes");
  return codecs[option->type].decode(option, entry, value, error);
}

void rs_option_value_begin(union rs_option_value *value) {
  memset(value, 0, sizeof(*value));
}

enum rs_status rs_option_value_append(const struct rs_option *option, const char *entry, union rs_option_value *value,
                                      struct rs_error *error) {
  return decode_trimmed(option, entry, strlen(entry), value, error);
}

enum rs_status rs_option_value_end(const struct rs_option *option, const union rs_option_value *value,
                                   struct rs_error *error) {
  // Every list begins with its count.
  if (codecs[option->type].may_be_empty || value->list.count > 0)
    return RS_OK;
  return rs_error_set(error, RS_ERROR_USAGE, "the list is empty; name at least one value");
}

enum rs_status rs_option_value_decode(const struct rs_option *option, const char *text, union rs_option_value *value,
                                      struct rs_error *error) {
  rs_option_value_begin(value);
  if (option->type == RS_OPTION_STRING)
    return decode_string(option, text, value, error);
  if (!codecs[option->type].list)
    return decode_trimmed(option, text, strlen(text), value, error);
  if (text[strspn(text, BLANKS)] == '\0')
    return rs_option_value_end(option, value, error);
  for (;;) {
    size_t length = strcspn(text, ",");
    enum rs_status status = decode_trimmed(option, text, length, value, error);
    if (status != RS_OK || text[length] == '\0')
      return status;
    text += length + 1;
  }
}

void rs_option_value_store(const struct rs_option *option, const union rs_option_value *value, void *target) {
  memcpy((char *)target + option->offset, value, codecs[option->type].bytes);
}

void rs_option_value_load(const struct rs_option *option, const void *target, union rs_option_value *value) {
  rs_option_value_begin(value);
  memcpy(value, (const char *)target + option->offset, codecs[option->type].bytes);
}
