// Binomial trees over positions (step.h), the root at 0: who meets whom, and what hangs below whom.
//
// The parent of a position is the position without its lowest set bit. So the edges of one length `bit`, a power of
// two, are disjoint pairs, and make one round. The subtree of a position is a run of positions that begins with it.
// Positions at or beyond n do not exist, nor do their edges. Six positions:
//
//        0         bit 1    1-0   3-2   5-4
//      / | \           2    2-0
//     4  2  1          4    4-0
//     |  |
//     5  3             subtree of 4: 4 5
#ifndef RINGSIDE_COLLECTIVE_BINOMIAL_H
#define RINGSIDE_COLLECTIVE_BINOMIAL_H

#include "ringside/collective.h"

enum rs_binomial_role { RS_BINOMIAL_IDLE, RS_BINOMIAL_CHILD, RS_BINOMIAL_PARENT };

// What a rank is in the round of `bit`, and, unless it is idle, the rank at the other end of its edge.
enum rs_binomial_role rs_binomial_meet(const struct rs_schedule_params *params, uint32_t rank, uint32_t bit,
                                       uint32_t *peer);

// How many positions the subtree of a position has, itself included.
uint32_t rs_binomial_subtree(uint32_t n, uint32_t position);

#endif
