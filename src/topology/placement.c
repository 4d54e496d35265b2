// The whole launch's placement, from what each rank knows of itself.
#include "ringside/topology.h"

#include <stdlib.h>
#include <string.h>

bool rs_host_same(const struct rs_host_facts *a, const struct rs_host_facts *b) {
  return strcmp(a->hostname, b->hostname) == 0 && strcmp(a->boot_id, b->boot_id) == 0;
}

// Moves each host's first appearance to the front, so that hosts are in order of their lowest rank; gives each rank its
// host and its place there. Returns the number of hosts.
static size_t number_hosts(struct rs_host_facts *hosts, struct rs_rank_facts *ranks, size_t rank_count) {
  size_t host_count = 0;
  for (size_t r = 0; r < rank_count; r++) {
    size_t h = 0;
    while (h < host_count && !rs_host_same(&hosts[h], &hosts[r]))
      h++;
    if (h == host_count)
      hosts[host_count++] = hosts[r];
    ranks[r].host = (uint32_t)h;
  }
  return host_count;
}

static enum rs_status number_ranks(struct rs_placement *placement, struct rs_error *error) {
  uint32_t *seen = rs_allocate(placement->host_count, sizeof(*seen), "the placement", error);
  if (!seen)
    return error->status;
  for (size_t r = 0; r < placement->rank_count; r++)
    placement->ranks[r].local_rank = seen[placement->ranks[r].host]++;
  for (size_t r = 0; r < placement->rank_count; r++)
    placement->ranks[r].local_ranks = seen[placement->ranks[r].host];
  free(seen);
  return RS_OK;
}

enum rs_status rs_placement_gather(struct rs_world *world, const struct rs_topology *topology,
                                   struct rs_placement *placement, struct rs_error *error) {
  struct rs_placement made = {.rank_count = world->size};
  made.hosts = rs_allocate(world->size, sizeof(*made.hosts), "the placement", error);
  made.ranks = rs_allocate(world->size, sizeof(*made.ranks), "the placement", error);
  // All ranks go on to gather, or none: a rank without memory would leave the others waiting.
  enum rs_status status = rs_world_agree(world, made.hosts && made.ranks ? RS_OK : error->status, error);
  if (status != RS_OK)
    goto fini_placement;

  struct rs_rank_facts mine;
  rs_topology_rank(topology, &mine);
  status = rs_world_allgather(world, rs_topology_host(topology), sizeof(*made.hosts), made.hosts, error);
  if (status != RS_OK)
    goto fini_placement;
  status = rs_world_allgather(world, &mine, sizeof(mine), made.ranks, error);
  if (status != RS_OK)
    goto fini_placement;
  made.host_count = number_hosts(made.hosts, made.ranks, made.rank_count);
  status = number_ranks(&made, error);
  if (status != RS_OK)
    goto fini_placement;
  *placement = made;
  return RS_OK;

fini_placement:
  rs_placement_fini(&made);
  return status;
}

void rs_placement_fini(struct rs_placement *placement) {
  free(placement->ranks);
  free(placement->hosts);
  *placement = (struct rs_placement){0};
}

size_t rs_placement_machine_ranks(const struct rs_placement *placement, size_t rank) {
  size_t mine = placement->ranks[rank].host, sharing = 0;
  const struct rs_host_facts *host = &placement->hosts[mine];
  for (size_t r = 0; r < placement->rank_count; r++) {
    size_t other = placement->ranks[r].host;
    // An unknown boot_id matches no other host.
    sharing +=
        other == mine || (host->boot_id[0] != '\0' && strcmp(placement->hosts[other].boot_id, host->boot_id) == 0);
  }
  return sharing;
}

bool rs_placement_oversubscribed(const struct rs_placement *placement, size_t rank) {
  const struct rs_host_facts *host = &placement->hosts[placement->ranks[rank].host];
  size_t cores = host->cores > 0 ? host->cores : host->processing_units;
  return cores > 0 && rs_placement_machine_ranks(placement, rank) > cores;
}
