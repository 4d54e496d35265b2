// Matching: which receive a send meets.
#ifndef RINGSIDE_COLLECTIVE_MATCH_H
#define RINGSIDE_COLLECTIVE_MATCH_H

#include "ringside/collective.h"

// The other end of the message that is step `index` of `rank` in a round: of the steps that the peer has in the other
// direction with this rank, the one with the same ordinal. NULL: there is none.
const struct rs_step *rs_match_find(const struct rs_step *steps, uint32_t rank, uint32_t index,
                                    const struct rs_step *peer_steps, uint32_t peer_count);

#endif
