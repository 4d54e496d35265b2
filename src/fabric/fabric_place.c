// Ranks on the places of a regular layout. With two zones of two racks of one host, and six ranks:
//
//   host       z0-r0   z0-r1   z1-r0   z1-r1
//   evenly      0 1      2      3 4      5       place p is on host p x 4 / 6
//   ranks: 2    0 1     2 3     4 5              hosts fill one after the other
//
// A shuffle deals the ranks out to the same places; hosts are numbered by their lowest rank all the same.
#include "ringside/fabric.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// Places in the order of the layout, and who sits there.
struct seating {
  size_t count;
  size_t *rank_place;    // of each rank
  uint32_t *place_host;  // of each place, in the order of the layout
  uint32_t *host_number; // of these: by the lowest rank
};

static enum rs_status count_hosts(const struct rs_fabric *fabric, size_t rank_count, size_t *host_count,
                                  struct rs_error *error) {
  size_t racks, places;
  if (!rs_multiply_size(fabric->zones, fabric->racks, &racks) || !rs_multiply_size(racks, fabric->hosts, host_count) ||
      !rs_multiply_size(*host_count, rs_max_size(fabric->ranks, 1), &places))
    return rs_error_set(error, RS_ERROR_USAGE, "the layout of fabric '%s' has more hosts than can be counted",
                        fabric->name.text);
  if (fabric->ranks > 0 && places < rank_count)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "the layout of fabric '%s' has %zu places (zones %" PRIu64 " x racks %" PRIu64
                        " x hosts %" PRIu64 " x ranks %" PRIu64 ") for %zu ranks; raise one of layout.*, or set "
                        "layout.ranks: 0 to spread ranks evenly",
                        fabric->name.text, places, fabric->zones, fabric->racks, fabric->hosts, fabric->ranks,
                        rank_count);
  return RS_OK;
}

// The host, in the order of the layout, that a place is on.
static size_t layout_host(const struct rs_fabric *fabric, size_t host_count, size_t place_count, size_t place) {
  if (fabric->ranks > 0)
    return place / fabric->ranks;
  return place * (host_count / place_count) + place * (host_count % place_count) / place_count;
}

static enum rs_status seating_init(const struct rs_fabric *fabric, size_t rank_count, struct seating *seating,
                                   struct rs_error *error) {
  *seating = (struct seating){.count = rank_count};
  seating->rank_place = rs_allocate(rank_count, sizeof(*seating->rank_place), "the places of ranks", error);
  seating->place_host = rs_allocate(rank_count, sizeof(*seating->place_host), "the places of ranks", error);
  seating->host_number = rs_allocate(rank_count, sizeof(*seating->host_number), "the places of ranks", error);
  if (!seating->rank_place || !seating->place_host || !seating->host_number)
    return error->status;
  for (size_t r = 0; r < rank_count; r++)
    seating->rank_place[r] = r;
  struct rs_random random = {fabric->shuffle};
  for (size_t left = rank_count; fabric->shuffle != 0 && left > 1; left--) { // Fisher and Yates
    size_t other = (size_t)rs_random_below(&random, left), kept = seating->rank_place[left - 1];
    seating->rank_place[left - 1] = seating->rank_place[other];
    seating->rank_place[other] = kept;
  }
  return RS_OK;
}

static void seating_fini(struct seating *seating) {
  free(seating->rank_place);
  free(seating->place_host);
  free(seating->host_number);
}

// Zone, rack and host of the layout's host `index`, as facts.
static void describe_host(const struct rs_fabric *fabric, const struct rs_host_facts *like, size_t index,
                          struct rs_host_facts *host) {
  const size_t in_rack = index % fabric->hosts, rack = index / fabric->hosts % fabric->racks;
  const size_t zone = index / fabric->hosts / fabric->racks;
  *host = like ? *like : (struct rs_host_facts){.partition = -1};
  snprintf(host->hostname, sizeof(host->hostname), "%.40s-z%" PRIu32 "-r%" PRIu32 "-h%" PRIu32, fabric->name.text,
           (uint32_t)zone, (uint32_t)rack, (uint32_t)in_rack);
  snprintf(host->zone, sizeof(host->zone), "z%zu", zone);
  snprintf(host->network_path, sizeof(host->network_path), "z%zu/r%zu", zone, rack);
  snprintf(host->placement_group, sizeof(host->placement_group), "%.63s", fabric->strategy.text);
  // Names of one real thing, which would contradict that there are several.
  memset(host->zone_id, 0, sizeof(host->zone_id));
  memset(host->instance_id, 0, sizeof(host->instance_id));
  memset(host->physical_host, 0, sizeof(host->physical_host));
}

// Hosts in the order of their lowest rank.
static void fill(const struct rs_fabric *fabric, const struct rs_host_facts *like, size_t layout_hosts,
                 struct seating *seating, struct rs_placement *placement) {
  size_t used = 0;
  for (size_t p = 0; p < seating->count; p++) {
    used += p > 0 && layout_host(fabric, layout_hosts, seating->count, p) !=
                         layout_host(fabric, layout_hosts, seating->count, p - 1);
    seating->place_host[p] = (uint32_t)used;
    seating->host_number[p] = UINT32_MAX;
  }
  uint32_t *seen = seating->host_number;
  for (size_t r = 0; r < seating->count; r++) {
    const size_t place = seating->rank_place[r];
    uint32_t *number = &seen[seating->place_host[place]];
    if (*number == UINT32_MAX) {
      *number = (uint32_t)placement->host_count++;
      describe_host(fabric, like, layout_host(fabric, layout_hosts, seating->count, place), &placement->hosts[*number]);
    }
    placement->ranks[r] = (struct rs_rank_facts){.host = *number, .numa_node = -1};
  }
}

// The place of each rank among those of its host, and how many these are; `counts` is room for the hosts.
static void count_local(struct rs_placement *placement, uint32_t *counts) {
  memset(counts, 0, placement->host_count * sizeof(*counts));
  for (size_t r = 0; r < placement->rank_count; r++)
    placement->ranks[r].local_rank = counts[placement->ranks[r].host]++;
  for (size_t r = 0; r < placement->rank_count; r++)
    placement->ranks[r].local_ranks = counts[placement->ranks[r].host];
}

enum rs_status rs_fabric_place(const struct rs_fabric *fabric, size_t rank_count, const struct rs_host_facts *like,
                               struct rs_placement *placement, struct rs_error *error) {
  size_t layout_hosts = 0;
  if (rank_count == 0 || rank_count > UINT32_MAX)
    return rs_error_set(error, RS_ERROR_USAGE, "%zu ranks cannot be placed on fabric '%s'", rank_count,
                        fabric->name.text);
  enum rs_status status = count_hosts(fabric, rank_count, &layout_hosts, error);
  if (status != RS_OK)
    return status;
  struct seating seating;
  struct rs_placement made = {.rank_count = rank_count};
  status = seating_init(fabric, rank_count, &seating, error);
  if (status != RS_OK)
    goto fini_seating;
  made.hosts = rs_allocate(rs_min_size(rank_count, layout_hosts), sizeof(*made.hosts), "the placement", error);
  made.ranks = rs_allocate(rank_count, sizeof(*made.ranks), "the placement", error);
  if (!made.hosts || !made.ranks) {
    status = error->status;
    rs_placement_fini(&made);
    goto fini_seating;
  }
  fill(fabric, like, layout_hosts, &seating, &made);
  count_local(&made, seating.place_host);
  *placement = made;
fini_seating:
  seating_fini(&seating);
  return status;
}
