// verbs_rc: messages over reliable connections of RDMA devices. What the registry, the programs and the tests may know
// of it.
#ifndef RINGSIDE_TRANSPORT_VERBS_RC_H
#define RINGSIDE_TRANSPORT_VERBS_RC_H

#include "ringside/transport.h"
#include "transport/verbs_exchange.h"
#include "transport/verbs_nic.h"

enum rs_verbs_rc_rendezvous { RS_VERBS_RC_WRITE, RS_VERBS_RC_READ };

// Filled by the table rs_transport_verbs_rc.options, keys "verbs_rc.*". All ranks need the same eager_bytes,
// rendezvous, queue_pairs and stripe_bytes; connecting checks it.
struct rs_verbs_rc_options {
  struct rs_verbs_choice choice;
  struct rs_verbs_exchange_options exchange;
  uint64_t eager_bytes; // longer messages go straight into the posted buffer
  uint64_t rendezvous;  // enum rs_verbs_rc_rendezvous
  uint64_t queue_pairs; // per (peer, lane)
  uint64_t stripe_bytes;
  int64_t ack_timeout_ns;
};

extern const struct rs_transport rs_transport_verbs_rc;

#endif
