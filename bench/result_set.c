#include "result_set.h"

#include <malloc.h>
#include <stdlib.h>

// HDF5 fills tables of about a MiB for each file that it opens. Handing these pages back to the kernel each time, and
// faulting them in again, takes longer than reading a small file.
#define HEAP_KEPT (16 << 20)

enum rs_status result_set_open(const char *const *arguments, size_t count, const char *what, struct result_set *set,
                               struct rs_error *error) {
  if (count == 0)
    return rs_error_set(error, RS_ERROR_USAGE, "no %s named: give a result file, a directory of them, or a pattern",
                        what);
  mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
  mallopt(M_MMAP_THRESHOLD, HEAP_KEPT);
  struct rs_paths paths = {0};
  enum rs_status status = rs_paths_expand(arguments, count, &paths, error);
  if (status != RS_OK)
    return status;
  struct rs_result **results = rs_allocate(paths.count, sizeof(*results), what, error);
  if (results == NULL) {
    status = error->status;
    goto fini_paths;
  }
  struct result_set opened = {.results = results};
  while (status == RS_OK && opened.count < paths.count) {
    status = rs_result_open(paths.items[opened.count], &results[opened.count], error);
    opened.count += status == RS_OK;
  }
  if (status == RS_OK)
    *set = opened;
  else
    result_set_close(&opened);

fini_paths:
  rs_paths_fini(&paths);
  return status;
}

void result_set_close(struct result_set *set) {
  for (size_t i = 0; i < set->count; i++)
    rs_result_close(set->results[i]);
  free(set->results);
  *set = (struct result_set){0};
}
