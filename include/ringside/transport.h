// transport: moves bytes between ranks. A device is one opened transport.
//
// The contract, which one test suite proves over every transport:
//   - A device belongs to one thread. No call blocks; waiting is the caller's business.
//   - Between a pair of ranks and on one lane, the i-th send matches the i-th receive and has the same length. Across
//     lanes and peers nothing is ordered, and arrival order is free everywhere.
//   - What arrives before its receive is posted has a bounded credit per (peer, lane); beyond it the sender waits.
//     Lanes never block one another.
//   - A send completes when its buffer may be reused, not when the peer has the data.
//   - A failure is final for the device: post_* or progress returns a negative status with an error that names the
//     peer and the likely cause, and from then on only close is allowed.
#ifndef RINGSIDE_TRANSPORT_H
#define RINGSIDE_TRANSPORT_H

#include "ringside/base.h"
#include "ringside/memory.h"
#include "ringside/options.h"

#define RS_TOKEN_BYTES 32
// The longest address blob of any transport.
#define RS_ADDRESS_BYTES_MAX 256

// A memory region that a device may send from and receive into; opaque to the caller.
struct rs_region;

struct rs_completion {
  uint64_t cookie; // as given to post_send or post_recv
};

// What is true of an opened device; nobody guesses.
struct rs_limits {
  size_t message_bytes_max; // longest message of one post
  size_t posts_max;         // posts outstanding per (peer, lane) and direction; more is answered BUSY
  bool moves_data;          // false: nothing arrives (null), so results cannot be verified
  bool can_sleep;           // arm and event_fd work
  bool in_process;          // reaches only ranks of this process
  bool emulated;            // times are those of a model,
  double slowdown;          // and this many times longer than the model's; 1 otherwise. Known once connected
};

// What a device is, for people and for the result file. Empty text: does not apply.
struct rs_device_facts {
  char interface[32]; // "eth0"
  char address[64];   // "10.0.0.5:40001"
  char driver[32];
  uint64_t speed_mbit, mtu; // 0: unknown
  char congestion[32];
  // Of RDMA devices, and of others where it is known.
  char firmware[64], gid[48], pci[16]; // "0000:00:1f.6"
  uint32_t port;                       // 0: does not apply
  int32_t numa_node;                   // -1: unknown
};

// One number that a device counts, by a name that the transport chooses: "late.le_64us". Counters only grow.
struct rs_device_counter {
  char name[48];
  int64_t value;
};

// Everything open may need. Nothing here is kept beyond the life of the device; `options` is the struct that the
// transport's own option table filled (option_bytes long), `hub` connects in-process ranks (loop) or is NULL.
struct rs_transport_params {
  size_t rank, rank_count;
  size_t lanes;                  // >= 1
  uint8_t token[RS_TOKEN_BYTES]; // the launch's, from rank 0
  bool one_host;                 // all ranks share this host
  size_t local_rank;             // among the ranks of this rank's host
  int32_t numa_node;             // that this rank is bound to; -1: several or unknown
  int64_t timeout_ns;            // limit for connecting one peer
  const void *options;
  void *hub;
  const struct rs_log *log; // may be NULL
};

struct rs_device; // the first member of every implementation's struct

struct rs_transport {
  const char *name;
  const char *summary;             // one line for `ringside list`
  const struct rs_option *options; // keys "<name>.*"; NULL: none
  size_t option_bytes;             // size of the struct the table fills
  uint32_t preference;             // transport=auto takes the highest that every rank can open; 0: never

  // Opens everything local (sockets, listeners, queues); talks to no peer.
  enum rs_status (*open)(const struct rs_transport_params *params, struct rs_device **device, struct rs_error *error);
  void (*close)(struct rs_device *device); // NULL is fine; never waits for a peer
  void (*limits)(const struct rs_device *device, struct rs_limits *limits);
  void (*facts)(const struct rs_device *device, struct rs_device_facts *facts);
  // What the device itself counts; NULL: nothing. Writes at most `max` and returns how many, always the same names.
  size_t (*counters)(const struct rs_device *device, struct rs_device_counter *counters, size_t max);

  // This rank's address: at most RS_ADDRESS_BYTES_MAX bytes into `blob`, the rest zero.
  void (*address)(const struct rs_device *device, uint8_t blob[RS_ADDRESS_BYTES_MAX]);
  // addresses: rank_count blobs of RS_ADDRESS_BYTES_MAX, in rank order; peers[r]: whether a connection with r is
  // wanted (symmetric over ranks; peers[rank] is ignored). Called until it does not return IN_PROGRESS, with the same
  // arguments; the caller sleeps or yields in between. TIMEOUT names who did not answer.
  enum rs_status (*connect)(struct rs_device *device, const uint8_t *addresses, const bool *peers,
                            struct rs_error *error);

  // Both may be called at any time outside a timed region. A region must outlive every post that uses it.
  enum rs_status (*register_memory)(struct rs_device *device, const struct rs_buffer *buffer, struct rs_region **region,
                                    struct rs_error *error);
  void (*deregister_memory)(struct rs_device *device, struct rs_region *region); // NULL is fine

  // Sends or receives bytes > 0 at `offset` of the region. OK: complete at once, no completion follows. IN_PROGRESS:
  // taken, progress will hand back `cookie`. BUSY: nothing taken, try after progress.
  enum rs_status (*post_send)(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                              size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error);
  enum rs_status (*post_recv)(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                              size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error);
  // Moves what can be moved; writes up to `max` completions and their number to *count (0 is common). OK or an error.
  enum rs_status (*progress)(struct rs_device *device, struct rs_completion *completions, size_t max, size_t *count,
                             struct rs_error *error);

  // To sleep: arm, then poll event_fd for POLLIN, then progress. After arm, BUSY means that there is something to do
  // right now. Only where limits.can_sleep.
  enum rs_status (*arm)(struct rs_device *device, struct rs_error *error);
  int (*event_fd)(const struct rs_device *device);
};

// What every device begins with.
struct rs_device {
  const struct rs_transport *transport;
};

// All transports, one row each.
extern const struct rs_transport *const rs_transports[];
extern const size_t rs_transport_count;
const struct rs_transport *rs_transport_find(const char *name); // NULL: none

// Which RDMA libraries this host has, as files, since they have no call that tells a version:
// "/usr/lib64/libibverbs.so.1.14.44.0, /usr/lib64/libefa.so.1.2.44.0"; or why there is none.
void rs_transport_rdma_library(char *text, size_t bytes);

// The hub of the `loop` transport: joins `rank_count` devices of one process. Thread-safe. With threaded = false all
// devices are driven from one thread, and the same seed gives the same run.
struct rs_loop_hub;
enum rs_status rs_loop_hub_open(size_t rank_count, struct rs_loop_hub **hub, struct rs_error *error);
void rs_loop_hub_close(struct rs_loop_hub *hub); // after the last device

#endif
