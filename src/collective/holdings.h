// What every rank holds, symbolically: for each place of each buffer, the set of ranks whose contributions are in it.
// The empty set is content that was never defined. This is the verifier's memory.
#ifndef RINGSIDE_COLLECTIVE_HOLDINGS_H
#define RINGSIDE_COLLECTIVE_HOLDINGS_H

#include "ringside/collective.h"

struct rs_holdings {
  const struct rs_schedule_params *params;
  uint32_t rank_count, parts, scratch_places;
  bool in_place;    // input and output are one buffer
  size_t words;     // of a set: a bit per rank
  uint64_t *inputs; // a set per rank, {rank}: no step may write an input, so one set stands for all its places; and {}
  uint64_t *sets;   // a set per rank and place, output's places first, then scratch's
};

// What the caller fills of a rank's input holds that rank's contribution; everything else is undefined.
enum rs_status rs_holdings_init(struct rs_holdings *holdings, const struct rs_schedule_params *params, uint32_t parts,
                                uint32_t scratch_places, bool in_place, struct rs_error *error);
void rs_holdings_fini(struct rs_holdings *holdings);

// True if the two slices of one rank share memory.
bool rs_holdings_overlap(const struct rs_holdings *holdings, const struct rs_slice *a, const struct rs_slice *b);

// MISMATCH unless all of `slice` is defined.
enum rs_status rs_holdings_check_defined(const struct rs_holdings *holdings, uint32_t rank,
                                         const struct rs_slice *slice, struct rs_error *error);

// The set of one place; rank r is bit r mod 64 of word r / 64.
const uint64_t *rs_holdings_set(const struct rs_holdings *holdings, uint32_t rank, enum rs_buffer_id buffer,
                                uint32_t place);

// Does one valid step of `rank` that is not a SEND; `sent` is the slice that its peer sends, defined, if it receives.
// MISMATCH when the step reads what is undefined, counts a contribution twice, or is wrong about `final`.
enum rs_status rs_holdings_apply(struct rs_holdings *holdings, uint32_t rank, const struct rs_step *step,
                                 const struct rs_slice *sent, struct rs_error *error);

// MISMATCH unless every place of the output of `rank` holds what the collective asks for.
enum rs_status rs_holdings_check_result(const struct rs_holdings *holdings, uint32_t rank, struct rs_error *error);

#endif
