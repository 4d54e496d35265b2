// The placement as a tree. Hosts are sorted by where they are, and each prints the levels in which it differs from the
// one before it:
//
//   region eu-west-1
//     zone eu-west-1a
//       network nn-1
//         host node01: p5.48xlarge
//           NUMA 0: ranks 0-3
//           tcp eth0 10.0.0.1, 100 Gbit/s, MTU 9001: ranks 0-3
//         host node02: ...                                        the same region, zone and network
#include "ringside/topology.h"

#include "topology/name_list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define INDENT 2

// ---- levels above hosts -----------------------------------------------------------------------------------

// One name of a host's place, not NUL-terminated: kind 'r'egion, 'z'one, 'n'etwork.
struct level {
  char kind;
  const char *name;
  size_t bytes;
};
#define LEVELS_MAX 66 // region, zone, and 64 names of at least one letter in a path of 127

static size_t list_levels(const struct rs_host_facts *host, struct level levels[LEVELS_MAX]) {
  size_t count = 0;
  if (host->region[0] != '\0')
    levels[count++] = (struct level){'r', host->region, strlen(host->region)};
  if (host->zone[0] != '\0')
    levels[count++] = (struct level){'z', host->zone, strlen(host->zone)};
  for (const char *at = host->network_path; *at != '\0' && count < LEVELS_MAX;) {
    size_t bytes = strcspn(at, "/");
    levels[count++] = (struct level){'n', at, bytes};
    at += bytes + (at[bytes] == '/');
  }
  return count;
}

static int compare_levels(const struct level *a, const struct level *b) {
  if (a->kind != b->kind)
    return a->kind < b->kind ? 1 : -1; // 'z' before 'r' before 'n': what has more of the outer levels comes last
  int order = memcmp(a->name, b->name, rs_min_size(a->bytes, b->bytes));
  return order != 0 ? order : (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

static int compare_places(const void *first, const void *second) {
  const struct rs_host_facts *a = *(const struct rs_host_facts *const *)first;
  const struct rs_host_facts *b = *(const struct rs_host_facts *const *)second;
  struct level a_levels[LEVELS_MAX], b_levels[LEVELS_MAX];
  size_t a_count = list_levels(a, a_levels), b_count = list_levels(b, b_levels);
  for (size_t l = 0; l < a_count && l < b_count; l++) {
    int order = compare_levels(&a_levels[l], &b_levels[l]);
    if (order != 0)
      return order;
  }
  if (a_count != b_count)
    return a_count < b_count ? -1 : 1;
  return a < b ? -1 : 1; // the launch's order
}

// Prints the levels of a host that the one before it did not have; returns how many it has.
static size_t append_levels(const struct rs_host_facts *host, const struct rs_host_facts *before,
                            struct rs_text *text) {
  struct level levels[LEVELS_MAX], known[LEVELS_MAX];
  size_t count = list_levels(host, levels), known_count = before ? list_levels(before, known) : 0, same = 0;
  while (same < count && same < known_count && compare_levels(&levels[same], &known[same]) == 0)
    same++;
  for (size_t l = same; l < count; l++) {
    const char *kind = levels[l].kind == 'r' ? "region" : levels[l].kind == 'z' ? "zone" : "network";
    rs_text_append(text, "%*s%s %.*s", (int)(l * INDENT), "", kind, (int)levels[l].bytes, levels[l].name);
    if (levels[l].kind == 'z' && host->zone_id[0] != '\0')
      rs_text_append(text, " (%s)", host->zone_id);
    rs_text_append(text, "\n");
  }
  return count;
}

// ---- a host -----------------------------------------------------------------------------------------------

static void append_host(const struct rs_host_facts *host, size_t depth, struct rs_text *text) {
  const struct {
    const char *word, *value;
  } facts[] = {{"", host->instance_type},
               {"placement group ", host->placement_group},
               {"instance ", host->instance_id},
               {"physical host ", host->physical_host}};
  const char *separator = ": ";
  rs_text_append(text, "%*shost %s", (int)(depth * INDENT), "", host->hostname);
  for (size_t f = 0; f < RS_ARRAY_LENGTH(facts); f++) {
    if (facts[f].value[0] == '\0')
      continue;
    rs_text_append(text, "%s%s%s", separator, facts[f].word, facts[f].value);
    separator = ", ";
  }
  if (host->partition >= 0)
    rs_text_append(text, "%spartition %d", separator, host->partition);
  rs_text_append(text, "\n");
}

// What is done with each rank once; `set` marks those of one line.
struct marks {
  bool *done, *set;
};

static void append_numa_nodes(const struct rs_placement *placement, size_t host, size_t depth,
                              const struct marks *marks, struct rs_text *text) {
  memset(marks->done, 0, placement->rank_count);
  for (size_t first = 0; first < placement->rank_count; first++) {
    const struct rs_rank_facts *like = &placement->ranks[first];
    if (like->host != host || marks->done[first])
      continue;
    for (size_t r = 0; r < placement->rank_count; r++) {
      const struct rs_rank_facts *rank = &placement->ranks[r];
      marks->set[r] = rank->host == host && rank->numa_node == like->numa_node && rank->bound == like->bound;
      marks->done[r] |= marks->set[r];
    }
    if (like->numa_node >= 0)
      rs_text_append(text, "%*sNUMA %d: ", (int)(depth * INDENT), "", like->numa_node);
    else
      rs_text_append(text, "%*sno one NUMA node: ", (int)(depth * INDENT), "");
    rs_rank_list_append(text, marks->set, placement->rank_count);
    rs_text_append(text, like->bound ? "\n" : ", not bound\n");
  }
}

static void append_device(const struct rs_rank_device *device, size_t depth, struct rs_text *text) {
  const char *name = device->interface[0] != '\0' ? device->interface : "?";
  const char *gap = device->transport[0] != '\0' ? " " : ""; // before a run, nothing has opened it
  rs_text_append(text, "%*s%s%s%s", (int)(depth * INDENT), "", device->transport, gap, name);
  if (device->address[0] != '\0')
    rs_text_append(text, " %s", device->address);
  if (device->speed_mbit > 0)
    rs_text_append(text, ", %g Gbit/s", (double)device->speed_mbit / 1000);
  if (device->mtu > 0)
    rs_text_append(text, ", MTU %" PRIu64, device->mtu);
  if (device->numa_node >= 0)
    rs_text_append(text, ", NUMA %d", device->numa_node);
  rs_text_append(text, ": ");
}

static bool same_device(const struct rs_rank_device *a, const struct rs_rank_device *b) {
  return strcmp(a->transport, b->transport) == 0 && strcmp(a->interface, b->interface) == 0 &&
         strcmp(a->address, b->address) == 0;
}

static bool is_on(const struct rs_placement_view *view, const struct rs_rank_device *device, size_t host) {
  return device->rank < view->placement->rank_count && view->placement->ranks[device->rank].host == host;
}

static void append_devices(const struct rs_placement_view *view, size_t host, size_t depth, const struct marks *marks,
                           struct rs_text *text) {
  for (size_t first = 0; first < view->device_count; first++) {
    const struct rs_rank_device *device = &view->devices[first];
    bool shown = !is_on(view, device, host);
    for (size_t d = 0; d < first && !shown; d++)
      shown = is_on(view, &view->devices[d], host) && same_device(&view->devices[d], device);
    if (shown)
      continue;
    memset(marks->set, 0, view->placement->rank_count);
    for (size_t d = first; d < view->device_count; d++)
      if (is_on(view, &view->devices[d], host) && same_device(&view->devices[d], device))
        marks->set[view->devices[d].rank] = true;
    append_device(device, depth, text);
    rs_rank_list_append(text, marks->set, view->placement->rank_count);
    rs_text_append(text, "\n");
  }
}

void rs_placement_tree(const struct rs_placement_view *view, struct rs_text *text) {
  const struct rs_placement *placement = view->placement;
  struct marks marks = {calloc(placement->rank_count + 1, 1), calloc(placement->rank_count + 1, 1)};
  const struct rs_host_facts **order = calloc(placement->host_count + 1, sizeof(const struct rs_host_facts *));
  text->failed |= !marks.done || !marks.set || !order;
  if (text->failed)
    goto free_marks;
  for (size_t h = 0; h < placement->host_count; h++)
    order[h] = &placement->hosts[h];
  qsort(order, placement->host_count, sizeof(const struct rs_host_facts *), compare_places);
  for (size_t h = 0; h < placement->host_count; h++) {
    size_t host = (size_t)(order[h] - placement->hosts);
    size_t depth = append_levels(order[h], h > 0 ? order[h - 1] : NULL, text);
    append_host(order[h], depth, text);
    append_numa_nodes(placement, host, depth + 1, &marks, text);
    append_devices(view, host, depth + 1, &marks, text);
  }
free_marks:
  free(order);
  free(marks.set);
  free(marks.done);
}
