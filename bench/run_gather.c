#include "run_gather.h"

#include <stdlib.h>
#include <string.h>

static enum rs_status gather_padded(struct rs_world *world, size_t row_bytes, const void *mine, const uint64_t *counts,
                                    struct run_rows *all, struct rs_error *error) {
  size_t largest = 0;
  for (size_t r = 0; r < world->size; r++)
    largest = rs_max_size(largest, counts[r]);
  size_t block = largest * row_bytes;
  char *padded = rs_allocate(largest, row_bytes, "this rank's rows", error);
  char *gathered = world->rank == 0 ? rs_allocate(world->size, block, "all ranks' rows", error) : NULL;
  bool ready = padded && (gathered || world->rank != 0);
  enum rs_status status = rs_world_agree(world, ready ? RS_OK : error->status, error);
  if (status == RS_OK) {
    memcpy(padded, mine, counts[world->rank] * row_bytes);
    status = rs_world_gather(world, padded, block, gathered, 0, error);
  }
  free(padded);
  if (status < 0 || world->rank != 0) {
    free(gathered);
    return status;
  }
  size_t count = 0;
  for (size_t r = 0; r < world->size; r++) {
    memmove(gathered + count * row_bytes, gathered + r * block, counts[r] * row_bytes);
    count += counts[r];
  }
  *all = (struct run_rows){gathered, count};
  return RS_OK;
}

enum rs_status run_gather(struct rs_world *world, size_t row_bytes, const void *mine, size_t count,
                          struct run_rows *all, struct rs_error *error) {
  uint64_t own = count, *counts = rs_allocate(world->size, sizeof *counts, "counts of rows", error);
  enum rs_status status = rs_world_agree(world, counts && mine ? RS_OK : error->status, error);
  if (status == RS_OK)
    status = rs_world_allgather(world, &own, sizeof own, counts, error);
  if (status == RS_OK)
    status = gather_padded(world, row_bytes, mine, counts, all, error);
  free(counts);
  return status;
}
