#include "topology/system_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

RS_PRINTF(4, 0)
static bool read_text(const char *root, char *text, size_t text_bytes, const char *path, va_list arguments) {
  char full[PATH_MAX];
  text[0] = '\0';
  int length = snprintf(full, sizeof(full), "%s", root);
  if (length >= (int)sizeof(full) ||
      vsnprintf(full + length, sizeof(full) - (size_t)length, path, arguments) >= (int)sizeof(full) - length)
    return false;
  int file = open(full, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return false;
  size_t used = 0;
  ssize_t got = 1;
  while (got > 0 && used + 1 < text_bytes) {
    got = read(file, text + used, text_bytes - 1 - used);
    used += got > 0 ? (size_t)got : 0;
  }
  close(file);
  text[used] = '\0';
  return used > 0;
}

bool rs_system_file_text(const char *root, char *text, size_t text_bytes, const char *path, ...) {
  va_list arguments;
  va_start(arguments, path);
  bool found = read_text(root, text, text_bytes, path, arguments);
  va_end(arguments);
  return found;
}

bool rs_system_file_line(const char *root, char *line, size_t line_bytes, const char *path, ...) {
  va_list arguments;
  va_start(arguments, path);
  read_text(root, line, line_bytes, path, arguments);
  va_end(arguments);
  size_t length = strcspn(line, "\n");
  while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t'))
    length--;
  line[length] = '\0';
  return length > 0;
}

bool rs_system_file_number(const char *root, int64_t *number, const char *path, ...) {
  char text[64];
  va_list arguments;
  va_start(arguments, path);
  read_text(root, text, sizeof(text), path, arguments);
  va_end(arguments);
  const char *start = text;
  return rs_system_file_take(&start, number);
}

const char *rs_system_file_find(const char *text, const char *key) {
  size_t length = strlen(key);
  for (const char *line = text; line; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (strncmp(line, key, length) == 0)
      return line + length;
  }
  return NULL;
}

bool rs_system_file_take(const char **text, int64_t *number) {
  const char *start = *text + strspn(*text, " \t");
  if (!isdigit((unsigned char)start[*start == '-']))
    return false;
  char *end;
  *number = strtoll(start, &end, 10); // saturates
  *text = end;
  return true;
}
