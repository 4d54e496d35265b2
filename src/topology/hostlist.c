#include "topology/hostlist.h"

#include <ctype.h>
#include <string.h>

// Digits of a number in a range; more would not be a host's.
#define DIGITS_MAX 9

// One element of a list, "n[01-16,20]-ib": what stands before, in and after the brackets.
struct element {
  const char *prefix, *ranges, *suffix; // ranges: NULL without brackets
  size_t prefix_bytes, suffix_bytes;
};

struct walk {
  const char *list;
  size_t *offset;
  rs_hostlist_visit visit;
  void *state;
  struct rs_error *error;
};

// Fails at a place of the list; the value is the status.
#define FAIL(walk, at, ...)                                                                                            \
  (*(walk)->offset = (size_t)((at) - (walk)->list), rs_error_set((walk)->error, RS_ERROR_USAGE, __VA_ARGS__))

static bool is_name(char c) {
  return isalnum((unsigned char)c) || (c != '\0' && strchr("-_.", c) != NULL);
}

static size_t name_length(const char *text) {
  size_t length = 0;
  while (is_name(text[length]))
    length++;
  return length;
}

static enum rs_status visit(const struct walk *walk, const struct element *element, const char *number) {
  char name[RS_HOST_NAME_BYTES];
  int length = snprintf(name, sizeof name, "%.*s%s%.*s", (int)element->prefix_bytes, element->prefix, number,
                        (int)element->suffix_bytes, element->suffix);
  if (length >= (int)sizeof name)
    return FAIL(walk, element->prefix, "the name '%.20s...' is longer than %d characters", element->prefix,
                RS_HOST_NAME_BYTES - 1);
  *walk->offset = (size_t)(element->prefix - walk->list);
  return walk->visit(walk->state, name, walk->error);
}

// Takes a number of at most DIGITS_MAX digits and moves behind it.
static enum rs_status take_number(const struct walk *walk, const char **at, unsigned *number) {
  size_t digits = strspn(*at, "0123456789");
  if (digits == 0)
    return FAIL(walk, *at, "a number is missing in the range; write '[1-4]' or '[1,3]'");
  if (digits > DIGITS_MAX)
    return FAIL(walk, *at, "the number %.*s... is too large for a host's", DIGITS_MAX, *at);
  *number = 0;
  for (size_t i = 0; i < digits; i++)
    *number = *number * 10 + (unsigned)(*(*at)++ - '0');
  return RS_OK;
}

// One range, "01-16" or "20"; the digits of its lower end are the least that each number gets.
static enum rs_status walk_range(const struct walk *walk, const struct element *element, const char **at) {
  const char *start = *at;
  unsigned low, high;
  if (take_number(walk, at, &low) < 0)
    return walk->error->status;
  int width = (int)(*at - start);
  high = low;
  if (**at == '-') {
    ++*at;
    if (take_number(walk, at, &high) < 0)
      return walk->error->status;
  }
  if (**at == 'x')
    return FAIL(walk, *at, "ranges of several dimensions are not supported; write each row as a range of its own");
  if (high < low)
    return FAIL(walk, start, "the range %.*s runs backwards", (int)(*at - start), start);
  for (unsigned n = low; n <= high; n++) {
    char number[DIGITS_MAX + 1];
    snprintf(number, sizeof number, "%0*u", width, n);
    if (visit(walk, element, number) < 0)
      return walk->error->status;
  }
  return RS_OK;
}

// Takes an element apart and moves behind it.
static enum rs_status split(const struct walk *walk, const char **at, struct element *element) {
  *element = (struct element){.prefix = *at, .prefix_bytes = name_length(*at), .suffix = ""};
  *at += element->prefix_bytes;
  if (**at != '[')
    return RS_OK;
  element->ranges = *at + 1;
  *at = strchr(*at, ']');
  if (*at == NULL)
    return FAIL(walk, element->ranges - 1, "the '[' is not closed");
  element->suffix = ++*at;
  element->suffix_bytes = name_length(*at);
  *at += element->suffix_bytes;
  return RS_OK;
}

static enum rs_status walk_element(const struct walk *walk, const char **at) {
  struct element element;
  if (split(walk, at, &element) < 0)
    return walk->error->status;
  if (**at == '[')
    return FAIL(walk, *at, "ranges of several dimensions are not supported; write each row as a range of its own");
  if (**at != '\0' && **at != ',')
    return FAIL(walk, *at, "'%c' cannot stand in a host list; write it like n[01-16,20],gpu3",
                isprint((unsigned char)**at) ? **at : '?');
  if (element.ranges == NULL && element.prefix_bytes == 0)
    return FAIL(walk, *at, "a name is missing");
  if (element.ranges == NULL)
    return visit(walk, &element, "");
  const char *range = element.ranges;
  for (;;) {
    if (walk_range(walk, &element, &range) < 0)
      return walk->error->status;
    if (*range == ']')
      return RS_OK;
    if (*range != ',')
      return FAIL(walk, range, "'%c' cannot stand in a range; write '[1-4]' or '[1,3]'",
                  isprint((unsigned char)*range) ? *range : '?');
    range++;
  }
}

enum rs_status rs_hostlist_expand(const char *list, rs_hostlist_visit visit_name, void *state, size_t *offset,
                                  struct rs_error *error) {
  const struct walk walk = {list, offset, visit_name, state, error};
  const char *at = list;
  for (;;) {
    if (walk_element(&walk, &at) < 0)
      return error->status;
    if (*at == '\0')
      return RS_OK;
    at++; // the comma
  }
}
