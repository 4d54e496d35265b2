// system_file: the small text files of /proc and /sys, read below `root` ("" for the real ones; tests give a tree of
// their own). Paths are printf formats. A file that is missing, as in containers, reads as empty.
#ifndef TOPOLOGY_SYSTEM_FILE_H
#define TOPOLOGY_SYSTEM_FILE_H

#include "ringside/base.h"

// Reads the start of a file, as much as fits. False, and empty text, when there is none.
bool rs_system_file_text(const char *root, char *text, size_t text_bytes, const char *path, ...) RS_PRINTF(4, 5);
// Its first line, without blanks at the end. False when that is empty.
bool rs_system_file_line(const char *root, char *line, size_t line_bytes, const char *path, ...) RS_PRINTF(4, 5);
// The number at its start; numbers of 2^63 or more become INT64_MAX. False when it starts otherwise ("max").
bool rs_system_file_number(const char *root, int64_t *number, const char *path, ...) RS_PRINTF(3, 4);

// What follows the line's start `key` in `text`; NULL when no line starts with it.
const char *rs_system_file_find(const char *text, const char *key);
// Reads the number that `text` starts with, after blanks, and moves behind it; false when there is none.
bool rs_system_file_take(const char **text, int64_t *number);

#endif
