#include "store/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// A file name may have 255 bytes, and the temporary one adds a tag and a suffix.
#define NAME_KEPT 200

static enum rs_status make_names(struct rs_output *output, const char *path, const char *tag, struct rs_error *error) {
  const char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;
  size_t prefix = (size_t)(name - path), bytes = prefix + strlen(name) + strlen(tag) + sizeof "..partial.";
  output->path = strdup(path);
  output->directory = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : prefix - 1);
  output->temporary = malloc(bytes);
  if (output->path == NULL || output->directory == NULL || output->temporary == NULL)
    return rs_error_set_memory(error, bytes, "a file name");
  snprintf(output->temporary, bytes, "%.*s.%.*s.%s.partial", (int)prefix, path, NAME_KEPT, name, tag);
  return RS_OK;
}

static enum rs_status already_there(const char *path, struct rs_error *error) {
  return rs_error_set(error, RS_ERROR_USAGE,
                      "cannot write %s: the file exists already; choose another name with -o, or replace it with "
                      "--force",
                      path);
}

static enum rs_status check_place(const struct rs_output *output, bool force, struct rs_error *error) {
  struct stat there;
  if (*output->path == '\0')
    return rs_error_set(error, RS_ERROR_USAGE, "the name of the output file is empty; give one with -o");
  int code = stat(output->directory, &there) != 0 ? errno : S_ISDIR(there.st_mode) ? 0 : ENOTDIR;
  if (code != 0)
    return rs_error_set_errno(error, RS_ERROR_USAGE, code,
                              "cannot write %s: create the directory %s first or choose another place with -o",
                              output->path, output->directory);
  // The effective user is the one that creates the file.
  if (faccessat(AT_FDCWD, output->directory, W_OK | X_OK, AT_EACCESS) != 0)
    return rs_error_set_errno(error, RS_ERROR_USAGE, errno,
                              "cannot write %s: choose another place with -o than the directory %s", output->path,
                              output->directory);
  if (lstat(output->path, &there) != 0) {
    if (errno == ENOENT)
      return RS_OK;
    return rs_error_set_errno(error, RS_ERROR_USAGE, errno, "cannot write %s: choose another name with -o",
                              output->path);
  }
  if (!S_ISREG(there.st_mode) && !S_ISLNK(there.st_mode))
    return rs_error_set(error, RS_ERROR_USAGE,
                        "cannot write %s: it is there and not a regular file; name a file of its own with -o",
                        output->path);
  return force ? RS_OK : already_there(output->path, error);
}

enum rs_status rs_output_init(struct rs_output *output, const char *path, bool force, const char *tag,
                              struct rs_error *error) {
  *output = (struct rs_output){0};
  enum rs_status status = make_names(output, path, tag, error);
  if (status == RS_OK)
    status = check_place(output, force, error);
  if (status != RS_OK)
    rs_output_fini(output);
  return status;
}

void rs_output_fini(struct rs_output *output) {
  free(output->temporary);
  free(output->directory);
  free(output->path);
  *output = (struct rs_output){0};
}

enum rs_status rs_output_reserve(int descriptor, uint64_t bytes, struct rs_error *error) {
  int code;
  do
    code = bytes > INT64_MAX ? EFBIG : posix_fallocate(descriptor, 0, (off_t)bytes);
  while (code == EINTR);
  // Without support a full disk shows only when a case is written; what was written before stays readable.
  if (code == 0 || code == EOPNOTSUPP || code == EINVAL)
    return RS_OK;
  return rs_error_set_errno(error, RS_ERROR_IO, code,
                            "it needs %llu bytes on the disk; free some, choose another place with -o, or lower "
                            "samples.max_iterations",
                            (unsigned long long)bytes);
}

// renameat2 where the file system knows it, else a second name, which is refused just as well when the name is taken
// (NFS has only that).
static int rename_to_new(const char *from, const char *to) {
  if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
    return 0;
  if (errno != EINVAL && errno != ENOSYS)
    return -1;
  return link(from, to) == 0 ? unlink(from) : -1;
}

// A directory that cannot be read or synchronised as such is no reason to lose a run; the rename has been done.
static enum rs_status sync_directory(const struct rs_output *output, struct rs_error *error) {
  int directory = open(output->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0)
    return RS_OK;
  int code = fsync(directory) == 0 ? 0 : errno;
  close(directory);
  if (code == 0 || code == EINVAL || code == EOPNOTSUPP)
    return RS_OK;
  return rs_error_set_errno(error, RS_ERROR_IO, code, "cannot make the name %s durable; check the disk", output->path);
}

enum rs_status rs_output_publish(const struct rs_output *output, bool replace, struct rs_error *error) {
  int renamed = replace ? rename(output->temporary, output->path) : rename_to_new(output->temporary, output->path);
  if (renamed != 0 && errno == EEXIST)
    return already_there(output->path, error);
  if (renamed != 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "cannot rename %s to %s", output->temporary, output->path);
  return sync_directory(output, error);
}

bool rs_output_is(const struct rs_output *output, int descriptor) {
  struct stat named, opened;
  return stat(output->path, &named) == 0 && fstat(descriptor, &opened) == 0 && named.st_dev == opened.st_dev &&
         named.st_ino == opened.st_ino;
}

enum rs_status rs_output_sync(const struct rs_output *output, struct rs_error *error) {
  int descriptor = open(output->temporary, O_RDONLY | O_CLOEXEC);
  int code = descriptor >= 0 && fsync(descriptor) == 0 ? 0 : errno;
  if (descriptor >= 0)
    close(descriptor);
  if (code == 0)
    return RS_OK;
  return rs_error_set_errno(error, RS_ERROR_IO, code, "cannot write %s to the disk", output->temporary);
}

// ---- a file that was removed ------------------------------------------------------------------------------

bool rs_output_is_removed(const struct rs_output *output, int descriptor) {
  struct stat opened;
  return fstat(descriptor, &opened) == 0 && opened.st_nlink == 0 && access(output->path, F_OK) != 0;
}

enum rs_status rs_output_make_directory(const struct rs_output *output, struct rs_error *error) {
  char *directory = output->directory;
  int code = 0;
  // Each '/' ends one directory on the way; the end of the text ends the last.
  for (char *end = directory + 1; code == 0 && end[-1] != '\0'; end++) {
    char separator = *end;
    if (separator != '/' && separator != '\0')
      continue;
    *end = '\0';
    code = mkdir(directory, 0777) == 0 || errno == EEXIST ? 0 : errno;
    *end = separator;
  }
  if (code == 0)
    return RS_OK;
  return rs_error_set_errno(error, RS_ERROR_IO, code, "the directory %s is gone and cannot be made again", directory);
}

static enum rs_status copy_content(int from, int to, off_t bytes, const char *path, struct rs_error *error) {
  char buffer[1 << 16];
  for (off_t at = 0; at < bytes;) {
    ssize_t count = pread(from, buffer, sizeof buffer, at);
    if (count > 0)
      count = pwrite(to, buffer, (size_t)count, at);
    if (count <= 0)
      return rs_error_set_errno(error, RS_ERROR_IO, count == 0 ? EIO : errno, "writing the copy %s", path);
    at += count;
  }
  if (fsync(to) == 0)
    return RS_OK;
  return rs_error_set_errno(error, RS_ERROR_IO, errno, "synchronising the copy %s with the disk", path);
}

static enum rs_status copy_to_temporary(const struct rs_output *output, int descriptor, struct rs_error *error) {
  struct stat opened;
  const char *path = output->temporary;
  int copy = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (copy < 0 || fstat(descriptor, &opened) != 0) {
    rs_error_set_errno(error, RS_ERROR_IO, errno, "making the copy %s", path);
    goto close_copy;
  }
  if (rs_output_reserve(copy, (uint64_t)opened.st_size, error) == RS_OK)
    copy_content(descriptor, copy, opened.st_size, path, error);
  if (error->status < 0)
    unlink(path);
close_copy:
  if (copy >= 0)
    close(copy);
  return error->status;
}

enum rs_status rs_output_restore(const struct rs_output *output, int descriptor, struct rs_error *error) {
  enum rs_status status = rs_output_make_directory(output, error);
  if (status == RS_OK)
    status = copy_to_temporary(output, descriptor, error);
  bool copied = status == RS_OK;
  if (copied)
    status = rs_output_publish(output, false, error);
  if (status != RS_OK)
    rs_error_prefix(error, "somebody removed %s during the run%s%s%s", output->path,
                    copied ? "; what it held is in " : ", and it could not be put back",
                    copied ? output->temporary : "", copied ? ", rename that" : "");
  return status;
}
