#include "ringside/store.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// The same file under two names would count as two runs, so files are told apart by inode.
struct entry {
  char *path;
  dev_t device;
  ino_t inode;
};
struct list {
  struct entry *entries;
  size_t count, capacity;
};

static void list_fini(struct list *list) {
  for (size_t i = 0; i < list->count; i++)
    free(list->entries[i].path);
  free(list->entries);
}

static enum rs_status add_file(struct list *list, const char *path, const struct stat *file, struct rs_error *error) {
  if (list->count == list->capacity) {
    size_t capacity = 2 * list->capacity + 16;
    struct entry *larger = realloc(list->entries, capacity * sizeof *larger);
    if (larger == NULL)
      return rs_error_set_memory(error, capacity * sizeof *larger, "a list of files");
    list->entries = larger;
    list->capacity = capacity;
  }
  char *copy = strdup(path);
  if (copy == NULL)
    return rs_error_set_memory(error, strlen(path) + 1, "a file name");
  list->entries[list->count++] = (struct entry){copy, file->st_dev, file->st_ino};
  return RS_OK;
}

// Not the hidden ones: those are results that a killed run had not published yet.
static int is_result_name(const struct dirent *entry) {
  size_t length = strlen(entry->d_name);
  return entry->d_name[0] != '.' && length > 3 && strcmp(entry->d_name + length - 3, ".h5") == 0;
}

static enum rs_status add_directory(struct list *list, const char *directory, struct rs_error *error) {
  struct dirent **names;
  int found = scandir(directory, &names, is_result_name, NULL);
  if (found < 0)
    return rs_error_set_errno(error, RS_ERROR_USAGE, errno, "cannot read the directory %s", directory);
  const char *slash = directory[strlen(directory) - 1] == '/' ? "" : "/";
  enum rs_status status = RS_OK;
  for (int i = 0; i < found; i++) {
    struct rs_text path = {0};
    struct stat file;
    rs_text_append(&path, "%s%s%s", directory, slash, names[i]->d_name);
    if (status == RS_OK && path.failed)
      status = rs_error_set_memory(error, strlen(directory) + sizeof names[i]->d_name, "a file name");
    if (status == RS_OK && stat(path.data, &file) == 0 && !S_ISDIR(file.st_mode))
      status = add_file(list, path.data, &file, error);
    rs_text_fini(&path);
    free(names[i]);
  }
  free(names);
  return status;
}

// A file, or a directory with its results; a name that stands for neither adds nothing.
static enum rs_status add_path(struct list *list, const char *path, struct rs_error *error) {
  struct stat file;
  if (stat(path, &file) != 0)
    return RS_OK;
  return S_ISDIR(file.st_mode) ? add_directory(list, path, error) : add_file(list, path, &file, error);
}

static enum rs_status add_pattern(struct list *list, const char *pattern, struct rs_error *error) {
  glob_t matches;
  int code = glob(pattern, 0, NULL, &matches);
  if (code == GLOB_NOSPACE)
    return rs_error_set_memory(error, strlen(pattern), "the matches of a pattern");
  enum rs_status status = RS_OK;
  for (size_t i = 0; code == 0 && status == RS_OK && i < matches.gl_pathc; i++)
    status = add_path(list, matches.gl_pathv[i], error);
  globfree(&matches);
  return status;
}

static enum rs_status add_argument(struct list *list, const char *argument, struct rs_error *error) {
  size_t before = list->count;
  struct stat there;
  bool exists = stat(argument, &there) == 0;
  int code = errno;
  bool pattern = !exists && strpbrk(argument, "*?[") != NULL;
  enum rs_status status = pattern ? add_pattern(list, argument, error) : add_path(list, argument, error);
  if (status != RS_OK || list->count > before)
    return status;
  if (pattern)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "the pattern %s matches no file; name result files (*.h5) or directories that hold some",
                        argument);
  if (exists)
    return rs_error_set(error, RS_ERROR_USAGE, "the directory %s holds no result file (*.h5); name another one",
                        argument);
  return rs_error_set_errno(error, RS_ERROR_USAGE, code,
                            "cannot find %s; name result files (*.h5), directories or patterns", argument);
}

static int by_file(const void *left, const void *right) {
  const struct entry *a = left, *b = right;
  if (a->device != b->device)
    return a->device < b->device ? -1 : 1;
  if (a->inode != b->inode)
    return a->inode < b->inode ? -1 : 1;
  return strcmp(a->path, b->path);
}

static int by_text(const void *left, const void *right) {
  return strcmp(*(const char *const *)left, *(const char *const *)right);
}

// Moves one name of each file to `paths`.
static enum rs_status take_distinct(struct list *list, struct rs_paths *paths, struct rs_error *error) {
  char **items = rs_allocate(list->count, sizeof *items, "a list of files", error);
  if (items == NULL)
    return error->status;
  size_t count = 0;
  struct entry *entries = list->entries;
  if (list->count > 0)
    qsort(entries, list->count, sizeof *entries, by_file);
  for (size_t i = 0; i < list->count; i++) {
    if (i > 0 && entries[i].device == entries[i - 1].device && entries[i].inode == entries[i - 1].inode)
      continue;
    items[count++] = entries[i].path;
    entries[i].path = NULL;
  }
  if (count > 0)
    qsort(items, count, sizeof *items, by_text);
  *paths = (struct rs_paths){.items = items, .count = count};
  return RS_OK;
}

enum rs_status rs_paths_expand(const char *const *arguments, size_t count, struct rs_paths *paths,
                               struct rs_error *error) {
  struct list list = {0};
  enum rs_status status = RS_OK;
  for (size_t a = 0; status == RS_OK && a < count; a++)
    status = add_argument(&list, arguments[a], error);
  if (status == RS_OK)
    status = take_distinct(&list, paths, error);
  list_fini(&list);
  return status;
}

void rs_paths_fini(struct rs_paths *paths) {
  for (size_t i = 0; i < paths->count; i++)
    free(paths->items[i]);
  free(paths->items);
  *paths = (struct rs_paths){0};
}
