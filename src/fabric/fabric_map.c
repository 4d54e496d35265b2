// A fabric under ranks that sit somewhere. Hosts of one rack (the same network path), and of one zone, share an uplink
// and a downlink, whose rate is that of these hosts divided by the oversubscription:
//
//        rank a                                                     rank b
//   flow ──► egress ──► rack up ──► zone up ──► zone down ──► rack down ──► ingress
//            └─ any other host ───────────────────────────────────────────────┘
//                        └─ another rack ──────────────────────────┘
//                                    └─ another zone ──┘
#include "ringside/fabric.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NO_QUEUE UINT32_MAX

// The queues of one host, in the order of the way.
enum station { EGRESS, RACK_UP, ZONE_UP, ZONE_DOWN, RACK_DOWN, INGRESS, STATION_COUNT };
static const char *const station_names[] = {"egress", "rack up", "zone up", "zone down", "rack down", "ingress"};

static uint32_t *host_station(const struct rs_fabric_map *map, size_t host, enum station station) {
  return &map->host_queues[host * STATION_COUNT + station];
}

// ---- groups of hosts --------------------------------------------------------------------------------------

typedef bool same_group(const struct rs_host_facts *a, const struct rs_host_facts *b);

static bool same_zone(const struct rs_host_facts *a, const struct rs_host_facts *b) {
  return a->zone[0] != '\0' && strcmp(a->zone, b->zone) == 0 && strcmp(a->region, b->region) == 0;
}

static bool same_rack(const struct rs_host_facts *a, const struct rs_host_facts *b) {
  return a->network_path[0] != '\0' && strcmp(a->network_path, b->network_path) == 0 && strcmp(a->zone, b->zone) == 0 &&
         strcmp(a->region, b->region) == 0;
}

// Same distance to every third host.
static bool same_site(const struct rs_host_facts *a, const struct rs_host_facts *b) {
  return strcmp(a->network_path, b->network_path) == 0 && strcmp(a->zone, b->zone) == 0 &&
         strcmp(a->region, b->region) == 0;
}

// Writes for each host the first host of its group: itself where it has none, as where nothing is known of it.
static void find_leaders(const struct rs_placement *placement, same_group *same, uint32_t *leaders) {
  for (uint32_t h = 0; h < placement->host_count; h++) {
    const struct rs_host_facts *host = &placement->hosts[h];
    leaders[h] = h;
    if (h > 0 && same(&placement->hosts[h - 1], host)) // as hosts mostly come
      leaders[h] = leaders[h - 1];
    for (uint32_t g = 0; g < h && leaders[h] == h; g++)
      if (leaders[g] == g && same(&placement->hosts[g], host))
        leaders[h] = g;
  }
}

// ---- links ------------------------------------------------------------------------------------------------

// The link of a distance. What a file says of a host holds for its NUMA nodes, unless it says more.
static const struct rs_fabric_link *find_link(const struct rs_fabric *fabric, enum rs_distance distance) {
  const struct rs_fabric_link *link = &fabric->links[distance];
  return distance == RS_DISTANCE_NUMA && link->latency_ns == 0 ? &fabric->links[RS_DISTANCE_HOST] : link;
}

static enum rs_status check_pair(const struct rs_fabric_map *map, size_t a, size_t b, struct rs_error *error) {
  const struct rs_placement *placement = map->placement;
  const enum rs_distance distance = rs_placement_distance(placement, a, b);
  if (distance == RS_DISTANCE_SELF || find_link(map->fabric, distance)->latency_ns > 0)
    return RS_OK;
  return rs_error_set(error, RS_ERROR_USAGE,
                      "fabric '%s' does not describe the distance '%s', which ranks %zu (%s) and %zu (%s) are apart; "
                      "give %s.latency",
                      map->fabric->name.text, rs_distance_names[distance], a,
                      placement->hosts[placement->ranks[a].host].hostname, b,
                      placement->hosts[placement->ranks[b].host].hostname, rs_distance_names[distance]);
}

// Every distance that occurs: between the first ranks of sites, between two hosts of a site, between two ranks of a
// host. `leaders` are the sites'; `first_ranks` is room for the hosts.
static enum rs_status check_links(const struct rs_fabric_map *map, const uint32_t *leaders, size_t *first_ranks,
                                  struct rs_error *error) {
  const struct rs_placement *placement = map->placement;
  enum rs_status status = RS_OK;
  for (size_t h = 0; h < placement->host_count; h++)
    first_ranks[h] = SIZE_MAX;
  for (size_t r = 0; r < placement->rank_count && status == RS_OK; r++) {
    size_t *first = &first_ranks[placement->ranks[r].host];
    if (*first == SIZE_MAX)
      *first = r;
    status = check_pair(map, *first, r, error);
  }
  for (size_t h = 0; h < placement->host_count && status == RS_OK; h++) {
    if (leaders[h] != h) {
      status = check_pair(map, first_ranks[leaders[h]], first_ranks[h], error);
      continue;
    }
    for (size_t g = 0; g < h && status == RS_OK; g++)
      if (leaders[g] == g)
        status = check_pair(map, first_ranks[g], first_ranks[h], error);
  }
  return status;
}

// ---- queues -----------------------------------------------------------------------------------------------

static uint32_t add_queue(struct rs_fabric_map *map, double bit_s, const char *owner, enum station station) {
  if (bit_s < 1)
    return NO_QUEUE;
  const size_t queue = map->queue_count++;
  map->queue_bit_s[queue] = bit_s < 0x1p63 ? (uint64_t)bit_s : (uint64_t)1 << 63;
  snprintf(map->queue_names[queue], sizeof(map->queue_names[queue]), "%.48s %s", owner, station_names[station]);
  return (uint32_t)queue;
}

static void add_nics(struct rs_fabric_map *map) {
  for (size_t h = 0; h < map->placement->host_count; h++) {
    const char *name = map->placement->hosts[h].hostname;
    *host_station(map, h, EGRESS) = add_queue(map, (double)map->fabric->egress_bit_s, name, EGRESS);
    *host_station(map, h, INGRESS) = add_queue(map, (double)map->fabric->ingress_bit_s, name, INGRESS);
  }
}

// The uplink and the downlink of each group. A host of which the group is not known has none.
static void add_layer(struct rs_fabric_map *map, same_group *same, double oversubscription, enum station up,
                      enum station down, uint32_t *leaders) {
  const struct rs_placement *placement = map->placement;
  find_leaders(placement, same, leaders);
  for (size_t h = 0; h < placement->host_count; h++) {
    const struct rs_host_facts *host = &placement->hosts[h];
    *host_station(map, h, up) = *host_station(map, h, down) = NO_QUEUE;
    if (oversubscription == 0 || !same(host, host))
      continue;
    if (leaders[h] != h) {
      *host_station(map, h, up) = *host_station(map, leaders[h], up);
      *host_station(map, h, down) = *host_station(map, leaders[h], down);
      continue;
    }
    size_t hosts = 0;
    for (size_t g = h; g < placement->host_count; g++)
      hosts += leaders[g] == h;
    const double share = (double)hosts / oversubscription;
    const char *name = up == RACK_UP ? host->network_path : host->zone;
    *host_station(map, h, up) = add_queue(map, share * (double)map->fabric->egress_bit_s, name, up);
    *host_station(map, h, down) = add_queue(map, share * (double)map->fabric->ingress_bit_s, name, down);
  }
}

// ---- map --------------------------------------------------------------------------------------------------

enum rs_status rs_fabric_map_open(const struct rs_fabric *fabric, const struct rs_placement *placement,
                                  struct rs_fabric_map *map, struct rs_error *error) {
  struct rs_fabric_map made = {.fabric = fabric, .placement = placement};
  const size_t hosts = placement->host_count, stations = hosts * STATION_COUNT;
  enum rs_status status = RS_OK;
  uint32_t *leaders = rs_allocate(hosts, sizeof(*leaders), "the map of a fabric", error);
  size_t *first_ranks = rs_allocate(hosts, sizeof(*first_ranks), "the map of a fabric", error);
  made.queue_bit_s = rs_allocate(stations, sizeof(*made.queue_bit_s), "the queues of a fabric", error);
  made.queue_names = rs_allocate(stations, sizeof(*made.queue_names), "the queues of a fabric", error);
  made.host_queues = rs_allocate(stations, sizeof(*made.host_queues), "the queues of a fabric", error);
  if (!leaders || !first_ranks || !made.queue_bit_s || !made.queue_names || !made.host_queues) {
    status = error->status;
    goto free_groups;
  }
  find_leaders(placement, same_site, leaders);
  status = check_links(&made, leaders, first_ranks, error);
  if (status != RS_OK)
    goto free_groups;
  add_nics(&made);
  add_layer(&made, same_rack, fabric->rack_oversubscription, RACK_UP, RACK_DOWN, leaders);
  add_layer(&made, same_zone, fabric->zone_oversubscription, ZONE_UP, ZONE_DOWN, leaders);
  *map = made;
free_groups:
  free(first_ranks);
  free(leaders);
  if (status != RS_OK)
    rs_fabric_map_fini(&made);
  return status;
}

void rs_fabric_map_fini(struct rs_fabric_map *map) {
  free(map->queue_bit_s);
  free(map->queue_names);
  free(map->host_queues);
  *map = (struct rs_fabric_map){0};
}

void rs_fabric_way(const struct rs_fabric_map *map, size_t source, size_t target, struct rs_fabric_way *way) {
  const struct rs_placement *placement = map->placement;
  const enum rs_distance distance = rs_placement_distance(placement, source, target);
  *way = (struct rs_fabric_way){.distance = distance, .link = find_link(map->fabric, distance)};
  if (distance <= RS_DISTANCE_HOST)
    return;
  const size_t up = placement->ranks[source].host, down = placement->ranks[target].host;
  for (enum station s = EGRESS; s < STATION_COUNT; s++) {
    const bool rack = s == RACK_UP || s == RACK_DOWN, zone = s == ZONE_UP || s == ZONE_DOWN;
    const uint32_t queue = *host_station(map, s <= ZONE_UP ? up : down, s);
    if (queue == NO_QUEUE || (rack && distance <= RS_DISTANCE_LEAF) || (zone && distance <= RS_DISTANCE_ZONE))
      continue;
    way->queues[way->queue_count++] = queue;
    way->near_count += s <= ZONE_UP;
  }
}
