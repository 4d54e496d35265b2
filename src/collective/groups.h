// The groups of rs_schedule_params as one rank sees them. A group is named by its lowest rank, its leader, and groups
// are ordered by leader; the ranks of a group are ordered by rank. The numbers in params->groups say no more than which
// ranks are together.
#ifndef RINGSIDE_COLLECTIVE_GROUPS_H
#define RINGSIDE_COLLECTIVE_GROUPS_H

#include "ringside/collective.h"

struct rs_groups {
  uint32_t count, smallest, largest; // groups, and ranks in one
  uint32_t index, leader, size;      // of this rank's group
  uint32_t local;                    // lower ranks in this rank's group
  uint32_t before, after;            // leaders of the groups around it, in a ring
};
// O(rank_count), and needs no memory but a fixed table on the stack.
struct rs_groups rs_groups_seen(const struct rs_schedule_params *params, uint32_t rank);

// The rank that has `local` lower ranks in the group of `leader`; local is less than the group's size.
uint32_t rs_groups_member(const struct rs_schedule_params *params, uint32_t leader, uint32_t local);

#endif
