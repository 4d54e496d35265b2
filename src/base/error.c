#include "ringside/base.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void fill(struct rs_error *error, enum rs_status status, const char *format, va_list arguments) {
  assert(status < 0);
  if (error->status != RS_OK)
    return;
  error->status = status;
  vsnprintf(error->text, sizeof error->text, format, arguments);
}

enum rs_status rs_error_set(struct rs_error *error, enum rs_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fill(error, status, format, arguments);
  va_end(arguments);
  return error->status;
}

enum rs_status rs_error_set_errno(struct rs_error *error, enum rs_status status, int code, const char *format, ...) {
  if (error->status != RS_OK)
    return error->status;
  va_list arguments;
  va_start(arguments, format);
  fill(error, status, format, arguments);
  va_end(arguments);
  char reason[128];
  size_t used = strlen(error->text);
  // The GNU strerror_r returns the text, which need not be in `reason`.
  snprintf(error->text + used, sizeof error->text - used, ": %s", strerror_r(code, reason, sizeof reason));
  return status;
}

enum rs_status rs_error_set_memory(struct rs_error *error, size_t bytes, const char *what) {
  return rs_error_set(error, RS_ERROR_MEMORY, "out of memory: %s needs %zu bytes; use smaller sizes or fewer ranks",
                      what, bytes);
}

void rs_error_prefix(struct rs_error *error, const char *format, ...) {
  char text[sizeof error->text], prefix[sizeof error->text];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(prefix, sizeof prefix, format, arguments);
  va_end(arguments);
  size_t used = strlen(prefix), kept = strlen(error->text);
  if (used + 2 >= sizeof text)
    return;
  memcpy(text, prefix, used);
  memcpy(text + used, ": ", 2);
  kept = rs_min_size(kept, sizeof text - used - 3);
  memcpy(text + used + 2, error->text, kept);
  text[used + 2 + kept] = '\0';
  memcpy(error->text, text, used + 3 + kept);
}

int rs_status_exit_code(enum rs_status status) {
  if (status >= 0)
    return 0;
  return status == RS_ERROR_USAGE ? 2 : 4;
}

void *rs_allocate(size_t count, size_t bytes, const char *what, struct rs_error *error) {
  size_t total;
  if (!rs_multiply_size(count, bytes, &total)) {
    rs_error_set_memory(error, SIZE_MAX, what);
    return NULL;
  }
  void *memory = calloc(1, rs_max_size(total, 1));
  if (memory == NULL)
    rs_error_set_memory(error, total, what);
  return memory;
}
