// link_probe: the one-way delay of every link that a run uses, so that a slow one has a name.
#ifndef RINGSIDE_MEASURE_LINK_PROBE_H
#define RINGSIDE_MEASURE_LINK_PROBE_H

#include "measure/clock_sync.h"
#include "ringside/measure.h"

struct link_probe_params {
  struct rs_world *world;
  struct rs_device *device;
  size_t rail;       // of the device among its transport's
  const bool *peers; // of this rank; symmetric over ranks
  const struct clock_source *clock;
  const struct clock_line *line; // from the local clock to the common one
  int64_t timeout_ns;
};

// Every rank that has a peer calls it, at the same point. Writes one row per peer, for the direction from the peer to
// this rank; `rows` has room for one per rank. The delay of a message is its arrival minus its departure on the common
// clock, so it can be wrong by as much as the clocks are.
enum rs_status link_probe(const struct link_probe_params *params, struct rs_link_row *rows, size_t *count,
                          struct rs_error *error);

#endif
