#ifndef RINGSIDE_TRANSPORT_LOOP_H
#define RINGSIDE_TRANSPORT_LOOP_H

#include "ringside/transport.h"

// Filled from the keys loop.*.
struct rs_loop_options {
  uint64_t seed;               // of reordering and delay
  bool reorder;                // segments of all messages land in random order
  uint64_t segment;            // bytes that land together when reordering
  uint64_t delay;              // a landing waits for this many calls of progress, on average
  uint64_t slow_from, slow_to; // one slow link: what this rank sends to that one
  int64_t slow_ns;             // lands this much later; 0: none
  uint64_t fail_at;            // the k-th landing of each device fails; 0: none
  uint64_t corrupt_at;         // the k-th landing of each device has a bit flipped; 0: none
};

extern const struct rs_transport rs_transport_loop;

#endif
