// The inside of the emulated transport: an opened device and the calls between its source files.
//
//   emulated.c          the option table, open, close, memory, and the transport's table row
//   emulated_connect.c  from a launch's token to ranks that share a segment and a slowdown
//   emulated_post.c     posted messages: sending, arriving, completing, sleeping
//   emulated_model.c    the arithmetic of queues
//   emulated_segment.c  what the ranks share
//   emulated_scale.c    how much slower than the model
//   emulated_bell.c     what a rank sleeps on
#ifndef RINGSIDE_TRANSPORT_EMULATED_DEVICE_H
#define RINGSIDE_TRANSPORT_EMULATED_DEVICE_H

#include "transport/emulated.h"
#include "transport/emulated_bell.h"
#include "transport/emulated_model.h"
#include "transport/emulated_segment.h"

#define RS_EMULATED_POSTS_MAX 64
#define RS_EMULATED_ARRIVALS_MAX 128 // messages per (peer, lane) that are there before their receive is posted
#define RS_EMULATED_LATE_CLASSES 9

struct rs_emulated_outgoing {
  uint64_t cookie;
  size_t bytes, unsent; // unsent: not in any queue yet
  int64_t ready_ps, left_ps;
  bool moved; // by the inner transport
};

struct rs_emulated_expected {
  uint64_t cookie;
  int64_t posted_ps;
  bool moved;
};

// One lane of one peer, both directions. Positions only grow: message i is in slot i mod the number of slots. Messages
// of a flow are sent, arrive and complete in order.
struct rs_emulated_channel {
  size_t peer, lane;
  // Sending.
  struct rs_emulated_path path_out;
  struct rs_emulated_flow flow;
  struct rs_emulated_ring *ring_out;
  uint64_t send_posted, send_begun, send_done; // begun: all before it are wholly in the queues
  bool blocked;                                // the ring was full
  struct rs_emulated_outgoing sends[RS_EMULATED_POSTS_MAX];
  // Receiving.
  struct rs_emulated_path path_in;
  struct rs_emulated_ring *ring_in;
  uint64_t recv_posted, recv_done, arrived;
  struct rs_emulated_expected recvs[RS_EMULATED_POSTS_MAX];
  int64_t due_ps[RS_EMULATED_ARRIVALS_MAX]; // of messages recv_done .. arrived - 1
  int64_t last_due_ps;
  bool in_sending, in_receiving, in_arriving; // the device's lists
};

// Channels that have something going on.
struct rs_emulated_list {
  struct rs_emulated_channel **items;
  size_t count;
};

enum rs_emulated_phase { RS_EMULATED_START, RS_EMULATED_ATTACH, RS_EMULATED_GATHER, RS_EMULATED_INNER, RS_EMULATED_UP };

struct rs_emulated_device {
  struct rs_device base;
  size_t rank, rank_count, lanes;
  uint8_t token[RS_TOKEN_BYTES];
  int64_t timeout_ns;
  const struct rs_log *log;
  struct rs_fabric fabric;
  struct rs_placement placement;
  struct rs_fabric_map map;
  double slowdown; // 0: automatic and not decided yet
  const struct rs_transport *inner_transport;
  void *inner_options;
  struct rs_device *inner;

  enum rs_emulated_phase phase;
  int64_t deadline_ns; // of connecting
  struct rs_emulated_segment segment;
  struct rs_emulated_bell bell;
  _Atomic uint64_t *news; // this rank's
  struct rs_emulated_sleeper *sleeper;
  struct rs_emulated_channel **channels; // [peer * lanes + lane]; NULL: not wanted
  struct rs_emulated_list sending, receiving, arriving;

  bool asleep;   // armed since the last progress
  bool spinning; // holds one of the places of those who may spin
  uint32_t spinners_max;
  // When there is something to do, by itself: exactly then, or some time after.
  int64_t exact_ps, lazy_ps;
  int64_t messages, quanta, late[RS_EMULATED_LATE_CLASSES]; // counters
};

// Where machines are told apart: the end of an address, which inner transports leave alone.
struct rs_emulated_machine_name {
  char hostname[64];
  uint64_t boot; // a hash of the kernel's boot id
};
#define RS_EMULATED_MACHINE_AT (RS_ADDRESS_BYTES_MAX - sizeof(struct rs_emulated_machine_name))

enum rs_status rs_emulated_connect(struct rs_device *device, const uint8_t *addresses, const bool *peers,
                                   struct rs_error *error);
void rs_emulated_channels_close(struct rs_emulated_device *emulated);

enum rs_status rs_emulated_post_send(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                     size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error);
enum rs_status rs_emulated_post_recv(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                     size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error);
enum rs_status rs_emulated_progress(struct rs_device *device, struct rs_completion *completions, size_t max,
                                    size_t *count, struct rs_error *error);
enum rs_status rs_emulated_arm(struct rs_device *device, struct rs_error *error);
int rs_emulated_event_fd(const struct rs_device *device);
void rs_emulated_stop_spinning(struct rs_emulated_device *emulated);

static inline struct rs_emulated_device *rs_emulated_device_of(struct rs_device *device) {
  return (struct rs_emulated_device *)device;
}

#endif
