#include "ringside/base.h"

#include <stdlib.h>
#include <string.h>

void rs_text_append(struct rs_text *text, const char *format, ...) {
  if (text->failed)
    return;
  va_list arguments;
  va_start(arguments, format);
  int needed = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  size_t end;
  if (needed < 0 || !rs_add_size(text->length, (size_t)needed + 1, &end)) {
    text->failed = true;
    return;
  }
  if (end > text->capacity) {
    size_t capacity = rs_max_size(end, text->capacity + text->capacity / 2 + 64);
    char *data = realloc(text->data, capacity);
    if (data == NULL) {
      text->failed = true;
      return;
    }
    text->data = data;
    text->capacity = capacity;
  }
  va_start(arguments, format);
  vsnprintf(text->data + text->length, text->capacity - text->length, format, arguments);
  va_end(arguments);
  text->length = end - 1;
}

void rs_text_fini(struct rs_text *text) {
  free(text->data);
  *text = (struct rs_text){0};
}

size_t rs_text_items(const char *list) {
  size_t count = 1;
  for (; *list; list++)
    count += *list == ',';
  return count;
}

void rs_text_item(const char *list, size_t index, char *item, size_t bytes) {
  for (; index > 0; index--)
    list += strcspn(list, ",") + 1;
  snprintf(item, bytes, "%.*s", (int)strcspn(list, ","), list);
}

const char *rs_format_size(uint64_t bytes, char *buffer, size_t buffer_bytes) {
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  size_t unit = 0;
  double value = (double)bytes;
  while (value >= 1024 && unit + 1 < RS_ARRAY_LENGTH(units)) {
    value /= 1024;
    unit++;
  }
  // %.4g keeps 1.5 MiB and 1000 B as they are and rounds the rest.
  snprintf(buffer, buffer_bytes, "%.4g %s", value, units[unit]);
  return buffer;
}

const char *rs_format_ns(double ns, char *buffer, size_t buffer_bytes) {
  static const char *const units[] = {"ns", "us", "ms", "s"};
  size_t unit = 0;
  // 999.5 would print as 1000 with three digits, so it already belongs to the next unit.
  while (ns >= 999.5 && unit + 1 < RS_ARRAY_LENGTH(units)) {
    ns /= 1000;
    unit++;
  }
  int digits = unit == 0 ? 0 : ns < 9.995 ? 2 : ns < 99.95 ? 1 : 0;
  snprintf(buffer, buffer_bytes, "%.*f %s", digits, ns, units[unit]);
  return buffer;
}

#define NEAREST_WORD_MAX 63

// Levenshtein distance, one row at a time; words are cut at NEAREST_WORD_MAX.
static size_t edit_distance(const char *a, const char *b) {
  size_t row[NEAREST_WORD_MAX + 1];
  size_t a_length = rs_min_size(strlen(a), NEAREST_WORD_MAX), b_length = rs_min_size(strlen(b), NEAREST_WORD_MAX);
  for (size_t j = 0; j <= b_length; j++)
    row[j] = j;
  for (size_t i = 1; i <= a_length; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b_length; j++) {
      size_t replace = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = rs_min_size(replace, rs_min_size(row[j], row[j - 1]) + 1);
    }
  }
  return row[b_length];
}

const char *rs_text_nearest(const char *word, const char *const *candidates, size_t count) {
  // Up to a third of the letters may be wrong, and always two.
  size_t best_distance = rs_max_size(2, rs_min_size(strlen(word), NEAREST_WORD_MAX) / 3) + 1;
  const char *best = NULL;
  for (size_t i = 0; i < count; i++) {
    size_t distance = edit_distance(word, candidates[i]);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidates[i];
    }
  }
  return best;
}
