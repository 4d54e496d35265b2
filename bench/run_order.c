#include "run_order.h"

#include <stdlib.h>
#include <string.h>

#define AUTO "auto"

static enum rs_status find_ring(const struct rs_placement *placement, uint32_t *ranks, struct rs_error *error) {
  size_t n = placement->rank_count;
  struct rs_rank_order found = {0};
  double *cost = rs_allocate(n * n, sizeof *cost, "the order of ranks", error);
  if (cost == NULL)
    return error->status;
  rs_rank_order_distance_costs(placement, cost);
  struct rs_rank_order_request request = {.rank_count = (uint32_t)n, .cost = cost};
  if (rs_rank_order_find(&request, &found, error) == RS_OK)
    memcpy(ranks, found.ranks, n * sizeof *ranks);
  rs_rank_order_fini(&found);
  free(cost);
  return error->status;
}

enum rs_status run_order_make(struct rs_world *world, const char *asked, const struct rs_placement *placement,
                              uint32_t **order, struct rs_error *error) {
  *order = NULL;
  if (asked == NULL)
    return RS_OK;
  size_t bytes = placement->rank_count * sizeof **order;
  uint32_t *ranks = rs_allocate(placement->rank_count, sizeof *ranks, "the order of ranks", error);
  if (ranks && world->rank == 0 && strcmp(asked, AUTO) == 0)
    find_ring(placement, ranks, error);
  else if (ranks && world->rank == 0)
    rs_rank_order_load(asked, placement, ranks, error);
  enum rs_status status = rs_world_agree(world, error->status, error);
  if (status == RS_OK)
    status = rs_world_broadcast(world, ranks, bytes, 0, error);
  if (status == RS_OK)
    *order = ranks;
  else
    free(ranks);
  return status;
}

const char *run_order_word(const char *asked) {
  return asked == NULL ? "default" : strcmp(asked, AUTO) == 0 ? AUTO : "file";
}
