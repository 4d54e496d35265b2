// clock_sync: rank 0's clock on every rank.
//
// A sync measures, at one moment, by how much rank 0's clock is ahead of this rank's. Samples are taken between two
// syncs and converted by the straight line through them, so offset and drift are both accounted for.
#ifndef RINGSIDE_MEASURE_CLOCK_SYNC_H
#define RINGSIDE_MEASURE_CLOCK_SYNC_H

#include "ringside/base.h"

// The local clock. A test passes one with an offset and a drift of its own.
struct clock_source {
  int64_t (*now)(const void *state);
  const void *state;
};
extern const struct clock_source clock_source_monotonic;

static inline int64_t clock_now(const struct clock_source *source) {
  return source->now(source->state);
}

// common = local + offset, at local time `local_ns`. The true offset lies within bound_ns, whatever the delays were.
struct clock_point {
  int64_t local_ns, offset_ns, bound_ns;
};

// Collective. machines[r] is the machine of rank r, numbered in order of their lowest rank; NULL: all on one. Takes
// about 1 ms x (log2(machines) + ranks of the fullest machine). Rank 0's point has offset 0 and bound 0.
enum rs_status clock_sync(struct rs_world *world, const struct clock_source *source, const uint32_t *machines,
                          struct clock_point *point, struct rs_error *error);

// A line through two points of one rank. Equal points give a constant offset.
struct clock_line {
  struct clock_point first, last;
};
int64_t clock_to_common(const struct clock_line *line, int64_t local_ns);
// The local time at which the common clock shows `common_ns`; exact to 1 ns.
int64_t clock_to_local(const struct clock_line *line, int64_t common_ns);

#endif
