// Group numbers are arbitrary, so groups are counted with a hash table. It lies on the stack, as a builder allocates
// nothing, and is small: room for the groups of TABLE_RANKS ranks, whatever they are. More ranks are counted in several
// passes over the same table, each for the numbers with its own share of the hash.
#include "collective/groups.h"

#include <assert.h>
#include <string.h>

#define TABLE_RANKS 1024
#define TABLE_SLOTS (2 * TABLE_RANKS)

struct group {
  uint32_t leader, size; // size 0: a free slot
};

static uint32_t number_of(const struct rs_schedule_params *params, uint32_t rank) {
  return params->groups ? params->groups[rank] : 0;
}

uint32_t rs_groups_member(const struct rs_schedule_params *params, uint32_t leader, uint32_t local) {
  uint32_t rank = leader;
  while (local > 0) {
    rank++;
    assert(rank < params->rank_count);
    local -= number_of(params, rank) == number_of(params, leader);
  }
  return rank;
}

// The slot of a number, or the free one that it gets.
static struct group *find(const struct rs_schedule_params *params, struct group *table, uint32_t slots, uint32_t number,
                          uint64_t hash) {
  uint32_t slot = (uint32_t)hash & (slots - 1);
  for (uint32_t tried = 0; table[slot].size > 0 && number_of(params, table[slot].leader) != number; tried++) {
    assert(tried < slots);
    slot = (slot + 1) & (slots - 1);
  }
  return &table[slot];
}

// One pass: the groups with this share of the hash. Ranks of one group are often neighbours: one look-up for them all.
static void count_groups(const struct rs_schedule_params *params, uint32_t pass, uint32_t passes, struct group *table,
                         uint32_t slots) {
  struct group *group = NULL;
  memset(table, 0, slots * sizeof *table);
  for (uint32_t rank = 0; rank < params->rank_count; rank++) {
    const uint32_t number = number_of(params, rank);
    if (rank == 0 || number != number_of(params, rank - 1)) {
      const uint64_t hash = rs_hash64(number);
      group = (hash >> 32) % passes == pass ? find(params, table, slots, number, hash) : NULL;
      if (group && group->size == 0) {
        group->leader = rank;
      }
    }
    if (group) {
      group->size++;
    }
  }
}

static void find_own(const struct rs_schedule_params *params, uint32_t rank, struct rs_groups *seen) {
  for (uint32_t other = 0; other < params->rank_count; other++) {
    if (number_of(params, other) == number_of(params, rank)) {
      seen->leader = seen->size == 0 ? other : seen->leader;
      seen->local += other < rank;
      seen->size++;
    }
  }
}

struct rs_groups rs_groups_seen(const struct rs_schedule_params *params, uint32_t rank) {
  const uint32_t n = params->rank_count, passes = (n - 1) / TABLE_RANKS + 1;
  struct rs_groups seen = {.smallest = n};
  find_own(params, rank, &seen);
  uint32_t slots = 2;
  while (slots < TABLE_SLOTS && slots / 2 < n) {
    slots *= 2;
  }
  uint32_t highest = 0; // leader
  seen.after = n;
  for (uint32_t pass = 0; pass < passes; pass++) {
    struct group table[TABLE_SLOTS];
    count_groups(params, pass, passes, table, slots);
    for (const struct group *group = table; group < table + slots; group++) {
      if (group->size == 0) {
        continue;
      }
      const uint32_t leader = group->leader;
      seen.count++;
      seen.smallest = group->size < seen.smallest ? group->size : seen.smallest;
      seen.largest = group->size > seen.largest ? group->size : seen.largest;
      seen.index += leader < seen.leader;
      seen.before = leader < seen.leader && leader > seen.before ? leader : seen.before;
      seen.after = leader > seen.leader && leader < seen.after ? leader : seen.after;
      highest = leader > highest ? leader : highest;
    }
  }
  seen.before = seen.leader == 0 ? highest : seen.before; // rank 0 leads the first group
  seen.after = seen.leader == highest ? 0 : seen.after;
  return seen;
}
