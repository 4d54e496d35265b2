// simulate: what a schedule costs on a fabric, for any number of ranks. Event-driven, in integer picoseconds; the same
// parameters give the same time. No clock, no I/O.
//
// Ranks walk the schedule as the executor does: by diagonal, steps waiting for older ones that touch the same data, and
// a window of steps in flight. Messages pass the fabric as its head comment says, in quanta of at most 64 KiB. A
// reduction takes its rank's processor; copies, posting and waking up take no time, and neither jitter nor loss is
// drawn. What arrives before its receive is posted waits for it without holding the sender up.
#ifndef RINGSIDE_SIMULATE_H
#define RINGSIDE_SIMULATE_H

#include "ringside/base.h"
#include "ringside/collective.h"
#include "ringside/fabric.h"

#define RS_SIMULATE_QUANTUM_BYTES ((uint64_t)64 << 10)
#define RS_SIMULATE_WINDOW 32 // as the executor's default

struct rs_simulation {
  const struct rs_fabric_map *map;
  const struct rs_algorithm *algorithm;
  struct rs_schedule_params schedule;
  const uint32_t *members; // members[r] = the rank of the map that r stands for; NULL: r itself
  uint64_t count;          // elements of the whole
  uint32_t element_bytes;
  uint64_t chunk_bytes;  // 0: parts are not cut
  uint32_t lanes;        // chunk c goes over lane c mod lanes; at least 1
  uint32_t window;       // steps in flight, RS_ROUND_STEPS_MAX .. 64; 0: RS_SIMULATE_WINDOW
  bool in_place;         // input and output are one buffer
  uint64_t reduce_bit_s; // what one rank reduces; 0: in no time
};
struct rs_simulated {
  int64_t time_ps;          // until the last rank is done
  uint64_t messages, bytes; // sent by all ranks together
};
// USAGE: members or windows that do not fit. INTERNAL: the schedule does not end; rs_verify says why.
enum rs_status rs_simulate(const struct rs_simulation *simulation, struct rs_simulated *simulated,
                           struct rs_error *error);

#endif
