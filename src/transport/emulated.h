// emulated: makes one machine behave like a fabric. What the registry and the tests may know of it.
#ifndef RINGSIDE_TRANSPORT_EMULATED_H
#define RINGSIDE_TRANSPORT_EMULATED_H

#include "ringside/fabric.h"
#include "ringside/transport.h"

// Filled from the keys emulated.*, but for `model`.
struct rs_emulated_options {
  struct rs_string fabric;       // path of its file
  uint64_t over;                 // the transport that moves the bytes: index into rs_emulated_over_names
  struct rs_string slowdown;     // "auto" or a number
  const struct rs_fabric *model; // given in place of the file by who has it in memory; NULL: none
};
extern const char *const rs_emulated_over_names[];

extern const struct rs_transport rs_transport_emulated;

#endif
