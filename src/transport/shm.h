// shm: messages between ranks of one host, through memory that they share. What the registry, the programs and the
// tests may know of it.
#ifndef RINGSIDE_TRANSPORT_SHM_H
#define RINGSIDE_TRANSPORT_SHM_H

#include "ringside/transport.h"

// Filled by the table rs_transport_shm.options, keys "shm.*". All ranks need the same; the handshake checks it.
struct rs_shm_options {
  uint64_t ring_bytes;   // what a sender may be ahead of its receiver, per peer and lane
  uint64_t piece_bytes;  // longer messages are handed over piece by piece
  uint64_t direct_bytes; // messages from this length on are read where they lie, if their memory is shared; 0: none
};

extern const struct rs_transport rs_transport_shm;

#endif
