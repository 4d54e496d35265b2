#ifndef RINGSIDE_TRANSPORT_LOOP_H
#define RINGSIDE_TRANSPORT_LOOP_H

#include "ringside/transport.h"

// What fails. SILENT: from that post on the device takes nothing, and nothing of it moves, without a word.
enum loop_fail_in {
  LOOP_FAIL_LANDING,
  LOOP_FAIL_OPEN,
  LOOP_FAIL_CONNECT,
  LOOP_FAIL_REGISTER,
  LOOP_FAIL_SEND,
  LOOP_FAIL_RECV,
  LOOP_FAIL_SILENT,
};

// Filled from the keys loop.*.
struct rs_loop_options {
  uint64_t seed;               // of reordering and delay
  bool reorder;                // segments of all messages land in random order
  uint64_t segment;            // bytes that land together when reordering
  uint64_t delay;              // a landing waits for this many calls of progress, on average
  uint64_t slow_from, slow_to; // one slow link: what this rank sends to that one
  int64_t slow_ns;             // lands this much later; 0: none
  uint64_t fail_at;            // the k-th call of the kind `fail_in` fails, on every device or on one; 0: none
  uint64_t fail_in;            // enum loop_fail_in
  uint64_t fail_rank;          // 1 + the rank whose device fails; 0: every one
  uint64_t busy;               // so many posts in 64 are answered BUSY
  uint64_t corrupt_at;         // the k-th landing of each device has a bit flipped; 0: none
};

extern const char *const loop_fail_names[]; // NULL-terminated
extern const struct rs_option loop_option_table[];

// The faults that the options of one device ask for.
struct loop_fault {
  enum loop_fail_in in;
  uint64_t at; // 0: none on this rank
  uint64_t calls, busy;
  bool silent, refused; // refused: a post since the device was last armed
  struct rs_random random;
  size_t rank;
};
void loop_fault_init(struct loop_fault *fault, const struct rs_loop_options *options, size_t rank);
// Counts a call of kind `in` that concerns `peer` (SIZE_MAX: none), and fails it when it is the one.
enum rs_status loop_fault_call(struct loop_fault *fault, enum loop_fail_in in, size_t peer, struct rs_error *error);
// Counts a post; whether it is to be refused as BUSY.
bool loop_fault_refuses(struct loop_fault *fault);

extern const struct rs_transport rs_transport_loop;

#endif
