// tcp: messages over kernel sockets. What the registry, the programs and the tests may know of it.
#ifndef RINGSIDE_TRANSPORT_TCP_H
#define RINGSIDE_TRANSPORT_TCP_H

#include "ringside/transport.h"

// Filled by the table rs_transport_tcp.options, keys "tcp.*". All ranks need the same `streams` and `stripe_bytes`;
// the handshake checks it.
struct rs_tcp_options {
  struct rs_string interface;  // a name, an address, ADDRESS/BITS, or "auto"; or several of these, a rail each
  struct rs_uint_range ports;  // the listener's; 0, 0: any
  uint64_t streams;            // sockets per (peer, lane)
  uint64_t stripe_bytes;       // a message is cut so that no piece is shorter; one piece below twice as much
  struct rs_string congestion; // "": the system's
  uint64_t send_buffer_bytes, receive_buffer_bytes; // 0: the kernel tunes them
  uint64_t zerocopy_bytes;                          // messages from this length on are sent without a copy; 0: none
};

extern const struct rs_transport rs_transport_tcp;

#endif
