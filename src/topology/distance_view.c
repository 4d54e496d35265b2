// Distances between ranks, for people: how many pairs there are of each class, and a table where it fits a screen.
#include "ringside/topology.h"

#include <inttypes.h>
#include <string.h>

#define TABLE_MAX 12 // rows and columns

void rs_placement_count_distances(const struct rs_placement *placement, uint64_t pairs[RS_DISTANCE_COUNT]) {
  memset(pairs, 0, RS_DISTANCE_COUNT * sizeof *pairs);
  // Within hosts pair by pair, and between hosts at once: there are fewer hosts than ranks, and names to compare.
  for (size_t a = 0; a < placement->rank_count; a++)
    for (size_t b = a + 1; b < placement->rank_count; b++)
      if (placement->ranks[a].host == placement->ranks[b].host)
        pairs[rs_placement_distance(placement, a, b)]++;
  for (size_t a = 0; a < placement->rank_count; a++) {
    const struct rs_rank_facts *first = &placement->ranks[a];
    if (first->local_rank != 0)
      continue;
    for (size_t b = a + 1; b < placement->rank_count; b++) {
      const struct rs_rank_facts *second = &placement->ranks[b];
      if (second->local_rank == 0 && second->host != first->host)
        pairs[rs_placement_distance(placement, a, b)] += (uint64_t)first->local_ranks * second->local_ranks;
    }
  }
}

static void append_counts(const struct rs_placement *placement, struct rs_text *text) {
  uint64_t pairs[RS_DISTANCE_COUNT];
  const char *separator = "pairs of ranks: ";
  rs_placement_count_distances(placement, pairs);
  for (size_t d = 0; d < RS_DISTANCE_COUNT; d++) {
    if (pairs[d] == 0)
      continue;
    rs_text_append(text, "%s%" PRIu64 " %s", separator, pairs[d], rs_distance_names[d]);
    separator = ", ";
  }
  rs_text_append(text, strcmp(separator, ", ") == 0 ? "\n" : "pairs of ranks: none\n");
}

static void append_rank_table(const struct rs_placement *placement, struct rs_text *text) {
  rs_text_append(text, "distance of ranks\n        ");
  for (size_t b = 0; b < placement->rank_count; b++)
    rs_text_append(text, " %6zu", b);
  for (size_t a = 0; a < placement->rank_count; a++) {
    rs_text_append(text, "\n  %6zu", a);
    for (size_t b = 0; b < placement->rank_count; b++)
      rs_text_append(text, " %6s", a == b ? "-" : rs_distance_names[rs_placement_distance(placement, a, b)]);
  }
  rs_text_append(text, "\n");
}

static void append_host_table(const struct rs_placement *placement, struct rs_text *text) {
  rs_text_append(text, "distance of hosts (columns in the order of the rows)\n");
  for (size_t a = 0; a < placement->host_count; a++) {
    rs_text_append(text, "  %-16.16s", placement->hosts[a].hostname);
    for (size_t b = 0; b < placement->host_count; b++)
      rs_text_append(text, " %6s",
                     a == b ? "-" : rs_distance_names[rs_host_distance(&placement->hosts[a], &placement->hosts[b])]);
    rs_text_append(text, "\n");
  }
}

void rs_placement_distances(const struct rs_placement *placement, struct rs_text *text) {
  append_counts(placement, text);
  if (placement->rank_count < 2)
    return;
  if (placement->rank_count <= TABLE_MAX)
    append_rank_table(placement, text);
  else if (placement->host_count > 1 && placement->host_count <= TABLE_MAX)
    append_host_table(placement, text);
}
