// The switches of a topology file: who is above whom, and the path of names from the top to each leaf.
//
//        core          links: spine1 > core, leaf1 > spine1, leaf2 > spine1
//          |
//        spine1        facts on leaf1 get the network path "core/spine1/leaf1"
//        /    \.
//     leaf1  leaf2
#include "topology/topology_file.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_TO_SUGGEST 4096
#define CYCLE_SHOWN 8

static int compare_switches(const void *a, const void *b) {
  const struct rs_topology_switch *first = a, *second = b;
  int order = strcmp(first->name, second->name);
  if (order != 0)
    return order;
  return first->at.line != second->at.line
             ? (first->at.line < second->at.line ? -1 : 1)
             : (first->at.column > second->at.column) - (first->at.column < second->at.column);
}

static struct rs_topology_switch *find(const struct rs_topology_file *file, const char *name) {
  size_t low = 0, high = file->switch_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(name, file->switches[middle].name);
    if (order == 0)
      return &file->switches[middle];
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}

// Fails for a switch that the file names and does not describe.
static enum rs_status refuse_unknown(const struct rs_topology_file *file, const char *name, struct rs_file_place at,
                                     struct rs_error *error) {
  size_t count = rs_min_size(file->switch_count, NAMES_TO_SUGGEST);
  const char **names = rs_allocate(count, sizeof *names, "the names of switches", error);
  if (names == NULL)
    return error->status;
  for (size_t i = 0; i < count; i++)
    names[i] = file->switches[i].name;
  const char *nearest = rs_text_nearest(name, names, count);
  free(names);
  if (nearest != NULL)
    return RS_TOPOLOGY_FAIL(file, at, error, "the file describes no switch '%s'; did you mean '%s'?", name, nearest);
  return RS_TOPOLOGY_FAIL(file, at, error, "the file describes no switch '%s'; add it", name);
}

static enum rs_status check_names(const struct rs_topology_file *file, struct rs_error *error) {
  for (size_t i = 1; i < file->switch_count; i++) {
    const struct rs_topology_switch *earlier = &file->switches[i - 1], *later = &file->switches[i];
    if (strcmp(earlier->name, later->name) == 0)
      return RS_TOPOLOGY_FAIL(file, later->at, error, "switch %s is given twice, first at line %zu; keep one of them",
                              later->name, earlier->at.line);
  }
  return RS_OK;
}

static enum rs_status set_parent(const struct rs_topology_file *file, const struct rs_topology_link *link,
                                 struct rs_error *error) {
  struct rs_topology_switch *child = find(file, link->child);
  const struct rs_topology_switch *parent = find(file, link->parent);
  if (child == NULL || parent == NULL)
    return refuse_unknown(file, child == NULL ? link->child : link->parent, link->at, error);
  if (child->parent != SIZE_MAX)
    return RS_TOPOLOGY_FAIL(file, link->at, error, "switch %s is under two switches, %s (line %zu) and %s; keep one",
                            child->name, file->switches[child->parent].name, child->parent_at.line, parent->name);
  child->parent = (size_t)(parent - file->switches);
  child->parent_at = link->at;
  return RS_OK;
}

// ---- cycles and paths -------------------------------------------------------------------------------------

// Explains why there is no top above `start`: a cycle, told from its link that comes first in the file, or too many
// switches above each other. Always fails.
static enum rs_status refuse_height(const struct rs_topology_file *file, size_t start, struct rs_error *error) {
  const struct rs_topology_switch *switches = file->switches;
  size_t at = start;
  for (size_t step = 0; step < file->switch_count && at != SIZE_MAX; step++)
    at = switches[at].parent;
  if (at == SIZE_MAX)
    return RS_TOPOLOGY_FAIL(file, switches[start].at, error, "more than %d switches stand above %s",
                            RS_SWITCH_DEPTH_MAX - 1, switches[start].name);
  size_t first = at;
  for (size_t other = switches[at].parent; other != at; other = switches[other].parent) {
    const struct rs_file_place *a = &switches[other].parent_at, *b = &switches[first].parent_at;
    if (a->line < b->line || (a->line == b->line && a->column < b->column))
      first = other;
  }
  struct rs_text way = {0};
  rs_text_append(&way, "%s", switches[first].name);
  size_t shown = 1;
  for (size_t other = switches[first].parent; other != first; other = switches[other].parent, shown++)
    if (shown <= CYCLE_SHOWN)
      rs_text_append(&way, " > %s", shown == CYCLE_SHOWN ? "..." : switches[other].name);
  RS_TOPOLOGY_FAIL(file, switches[first].parent_at, error, "switch %s is its own parent: %s > %s", switches[first].name,
                   way.failed ? "..." : way.data, switches[first].name);
  rs_text_fini(&way);
  return error->status;
}

// Fills `chain` with a switch and those above it, and returns how many; 0 when there is no end to it.
static size_t climb(const struct rs_topology_file *file, size_t start, size_t chain[RS_SWITCH_DEPTH_MAX]) {
  size_t count = 0;
  for (size_t at = start; at != SIZE_MAX; at = file->switches[at].parent) {
    if (count == RS_SWITCH_DEPTH_MAX)
      return 0;
    chain[count++] = at;
  }
  return count;
}

static enum rs_status write_path(const struct rs_topology_file *file, struct rs_topology_facts *facts,
                                 struct rs_error *error) {
  size_t chain[RS_SWITCH_DEPTH_MAX], length = 0;
  char *path = facts->given.network_path;
  const struct rs_topology_switch *leaf = find(file, facts->leaf);
  if (leaf == NULL)
    return refuse_unknown(file, facts->leaf, facts->leaf_at, error);
  for (size_t i = climb(file, (size_t)(leaf - file->switches), chain); i-- > 0;) {
    const char *name = file->switches[chain[i]].name;
    int added = snprintf(path + length, sizeof facts->given.network_path - length, "%s%s", length > 0 ? "/" : "", name);
    length += (size_t)added;
    if (length >= sizeof facts->given.network_path)
      return RS_TOPOLOGY_FAIL(file, facts->leaf_at, error,
                              "the names of %s and of the switches above it are longer than %zu characters together; "
                              "use shorter ones",
                              facts->leaf, sizeof facts->given.network_path - 1);
  }
  return RS_OK;
}

enum rs_status rs_topology_switches_resolve(struct rs_topology_file *file, struct rs_error *error) {
  size_t chain[RS_SWITCH_DEPTH_MAX];
  if (file->switch_count > 0)
    qsort(file->switches, file->switch_count, sizeof *file->switches, compare_switches);
  enum rs_status status = check_names(file, error);
  for (size_t i = 0; i < file->link_count && status == RS_OK; i++)
    status = set_parent(file, &file->links[i], error);
  for (size_t i = 0; i < file->switch_count && status == RS_OK; i++)
    if (climb(file, i, chain) == 0)
      status = refuse_height(file, i, error);
  for (size_t i = 0; i < file->fact_count && status == RS_OK; i++)
    if (file->facts[i].leaf[0] != '\0')
      status = write_path(file, &file->facts[i], error);
  return status;
}
