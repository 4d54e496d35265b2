// How far two ranks are, as far as the facts of their hosts tell.
#include "ringside/topology.h"

#include <string.h>

const char *const rs_distance_names[] = {"self", "numa", "host", "leaf", "spine", "zone", "region", "world", NULL};

// Both known, and not the same.
static bool differ(const char *a, const char *b) {
  return a[0] != '\0' && b[0] != '\0' && strcmp(a, b) != 0;
}

// Network nodes that two paths share, counted from the top.
static size_t shared_nodes(const char *a, const char *b) {
  size_t shared = 0;
  while (*a != '\0') {
    size_t length = strcspn(a, "/");
    if (length == 0 || strncmp(a, b, length) != 0 || (b[length] != '\0' && b[length] != '/'))
      return shared;
    shared++;
    if (a[length] == '\0' || b[length] == '\0')
      return shared;
    a += length + 1;
    b += length + 1;
  }
  return shared;
}

enum rs_distance rs_host_distance(const struct rs_host_facts *a, const struct rs_host_facts *b) {
  if (rs_host_same(a, b))
    return RS_DISTANCE_HOST;
  if (differ(a->region, b->region))
    return RS_DISTANCE_WORLD;
  if (differ(a->zone, b->zone))
    return RS_DISTANCE_REGION;
  if (a->network_path[0] != '\0' && strcmp(a->network_path, b->network_path) == 0)
    return RS_DISTANCE_LEAF;
  return shared_nodes(a->network_path, b->network_path) > 0 ? RS_DISTANCE_SPINE : RS_DISTANCE_ZONE;
}

enum rs_distance rs_placement_distance(const struct rs_placement *placement, size_t rank_a, size_t rank_b) {
  const struct rs_rank_facts *a = &placement->ranks[rank_a], *b = &placement->ranks[rank_b];
  if (rank_a == rank_b)
    return RS_DISTANCE_SELF;
  if (a->host != b->host)
    return rs_host_distance(&placement->hosts[a->host], &placement->hosts[b->host]);
  return a->numa_node >= 0 && a->numa_node == b->numa_node ? RS_DISTANCE_NUMA : RS_DISTANCE_HOST;
}

void rs_placement_groups(const struct rs_placement *placement, const uint32_t *ranks, size_t count,
                         enum rs_distance boundary, uint32_t *groups) {
  uint32_t group_count = 0;
  for (size_t i = 0; i < count; i++) {
    size_t first = 0; // of a group that has been seen
    for (uint32_t seen = 0; first < i; first++) {
      if (groups[first] != seen)
        continue;
      if (rs_placement_distance(placement, ranks[first], ranks[i]) < boundary)
        break;
      seen++;
    }
    groups[i] = first < i ? groups[first] : group_count++;
  }
}
