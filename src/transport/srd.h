// srd: messages as reliable datagrams over one queue pair that reaches all peers. What the registry, the programs and
// the tests may know of it.
#ifndef RS_TRANSPORT_SRD_H
#define RS_TRANSPORT_SRD_H

#include "transport/verbs_nic.h"

// Filled by the table rs_transport_srd.options, keys "srd.*". All ranks need the same; the addresses tell.
struct rs_srd_options {
  struct rs_verbs_choice choice;
  uint64_t flavour;  // enum rs_srd_flavour
  bool checksum;     // ud: CRC32C over every segment
  uint64_t receives; // posted at once, for all peers together
  uint64_t bounce;   // segments per peer and lane that may come before their receive is posted; 0: chosen
};
enum rs_srd_flavour { RS_SRD_AUTO, RS_SRD_EFA, RS_SRD_UD };

extern const struct rs_transport rs_transport_srd;

#endif
