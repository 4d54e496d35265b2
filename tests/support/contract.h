// The harness of the contract suite: groups of connected devices of any transport in one process, and random traffic
// between them with every byte and every completion checked. Nothing here asserts: a failure is a struct rs_error, so
// that ranks may run in threads of their own, and its text carries the seed.
#ifndef TESTS_SUPPORT_CONTRACT_H
#define TESTS_SUPPORT_CONTRACT_H

#include "ringside/transport.h"

#define CONTRACT_RANKS_MAX 8
// Longer than anything here takes, so that a hang becomes a failure that says where it is.
#define CONTRACT_PATIENCE_NS INT64_C(20000000000)

// A transport with the options it is tested under.
struct contract_variant {
  const char *name;
  const struct rs_transport *transport;
  const void *options;
};

struct contract_group {
  const struct contract_variant *variant;
  size_t rank_count, lanes;
  struct rs_loop_hub *hub;
  struct rs_device *devices[CONTRACT_RANKS_MAX];
};
// Opens rank_count devices and connects all pairs, from the calling thread.
enum rs_status contract_group_open(const struct contract_variant *variant, size_t rank_count, size_t lanes,
                                   struct contract_group *group, struct rs_error *error);
void contract_group_close(struct contract_group *group); // {0} is fine

// Memory registered with one device.
struct contract_memory {
  struct rs_device *device;
  struct rs_buffer buffer;
  struct rs_region *region;
};
enum rs_status contract_memory_open(struct rs_device *device, size_t bytes, struct contract_memory *memory,
                                    struct rs_error *error);
void contract_memory_close(struct contract_memory *memory); // {0} is fine

// Bytes that look random and follow from the seed; check returns the first position that differs, or `bytes`.
void contract_fill(void *data, size_t bytes, uint64_t seed);
size_t contract_check(const void *data, size_t bytes, uint64_t seed);

// Calls progress of every device in turn until *left, which counts the completions still to come, is 0. TIMEOUT after
// patience_ns.
enum rs_status contract_group_drive(struct contract_group *group, size_t *left, int64_t patience_ns,
                                    struct rs_error *error);

// ---- random traffic ---------------------------------------------------------------------------------------

enum contract_driver {
  CONTRACT_ROUND_ROBIN, // all ranks from one thread, in random order
  CONTRACT_THREADS,     // one thread per rank, which yields when nothing moves
  CONTRACT_SLEEPERS,    // one thread per rank, which sleeps by arm and event_fd, with random delays
};
struct contract_traffic {
  uint64_t seed;
  size_t messages;  // per ordered pair of ranks and lane
  size_t bytes_max; // of a message; lengths are 1 .. bytes_max, short ones more often
  enum contract_driver driver;
};
// Every rank sends to every other on every lane. Checked: the i-th receive holds the i-th send, every cookie comes
// back exactly once and to its device, a buffer is overwritten the moment its send completes.
enum rs_status contract_traffic_run(struct contract_group *group, const struct contract_traffic *traffic,
                                    struct rs_error *error);

#endif
