#include "ringside/base.h"

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void rs_log(const struct rs_log *log, enum rs_log_level level, const char *format, ...) {
  if (log == NULL || level > log->level)
    return;
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  // One call per line, so that the lines of several ranks do not mix.
  FILE *file = log->file ? log->file : stderr;
  if (log->rank == SIZE_MAX)
    fprintf(file, "ringside: %s: %s\n", level_names[level], text);
  else
    fprintf(file, "ringside: %s: rank %zu: %s\n", level_names[level], log->rank, text);
}
