#include "ringside/base.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum rs_status rs_file_read(const char *path, const char *what, size_t bytes_max, char **data, size_t *bytes,
                            struct rs_error *error) {
  struct stat about;
  char limit[32];
  FILE *file = fopen(path, "rbe");
  if (file == NULL)
    return rs_error_set_errno(error, RS_ERROR_USAGE, errno, "cannot open the %s '%s'", what, path);
  enum rs_status status = RS_OK;
  if (fstat(fileno(file), &about) == 0 && S_ISDIR(about.st_mode)) {
    status = rs_error_set(error, RS_ERROR_USAGE, "cannot read the %s '%s': it is a directory; name a file", what, path);
    goto close_file;
  }
  // One byte more than allowed tells a file that is too large from one that just fits; a pipe has no size to ask for.
  char *read = rs_allocate(bytes_max + 1, 1, what, error);
  if (read == NULL) {
    status = error->status;
    goto close_file;
  }
  size_t length = fread(read, 1, bytes_max + 1, file);
  if (ferror(file))
    status = rs_error_set_errno(error, RS_ERROR_IO, errno, "cannot read the %s '%s'", what, path);
  else if (length > bytes_max)
    status = rs_error_set(error, RS_ERROR_USAGE, "%s: the file is larger than %s; a %s is not", path,
                          rs_format_size(bytes_max, limit, sizeof limit), what);
  if (status != RS_OK) {
    free(read);
    goto close_file;
  }
  read[length] = '\0';
  *data = read;
  *bytes = length;
close_file:
  fclose(file);
  return status;
}
