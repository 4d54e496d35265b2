// The inside of the srd transport: an opened device and the calls between its source files.
//
//   srd.c           the option table, open, close, memory, facts, and the transport's table row
//   srd_connect.c   addresses, address handles, the handshake
//   srd_message.c   messages: cut into segments, placed by offset, credits, completions
//   srd_link.c      segments between two ranks: numbers, acknowledgements, losses, back-off
//   srd_progress.c  one step of everything, the calls of the contract, and the keeper
//   srd_window.c    the arithmetic of reliable datagrams, without a device
//   srd_header.c, srd_checksum.c   what stands before a segment, and its seal
//   srd_wire.c      one queue pair, of either flavour
//
//   post_send ─► message ─► link ─► wire ─► NIC        NIC ─► wire ─► link ─► message ─► the posted receive
//                  ▲ credits  ▲ acknowledgements, losses        └► a bounce buffer until it is posted
//
// A lock guards the device, since two threads use it: the caller's and the keeper. The keeper does a step when the
// caller has not called for some milliseconds: a rank that has all it wants leaves for a barrier, while its peer may
// still wait for a lost acknowledgement.
#ifndef RS_TRANSPORT_SRD_DEVICE_H
#define RS_TRANSPORT_SRD_DEVICE_H

#include "transport/srd.h"
#include "transport/srd_header.h"
#include "transport/srd_window.h"
#include "transport/srd_wire.h"

#include <pthread.h>

#define RS_SRD_POSTS_MAX 64u
#define RS_SRD_CONTROLS 64u
#define RS_SRD_CONTROL_BYTES 64u
#define RS_SRD_NO_BUFFER UINT32_MAX
#define RS_SRD_MESSAGE_BYTES_MAX UINT32_MAX
#define RS_SRD_PATIENCE_MIN 2u

struct rs_region {
  uint8_t *address;
  size_t bytes;
  struct ibv_mr *memory;
};

// A posted message: a send, of which `begun` bytes are in segments and `done` delivered; or a receive, `done` placed.
struct rs_srd_post {
  uint8_t *data;
  size_t bytes, begun, done;
  uint64_t cookie;
  uint32_t lkey;
};

// Positions only grow; position p is the number of the message, and stands in slot p mod RS_SRD_POSTS_MAX. Posts finish
// in any order and leave in order.
struct rs_srd_queue {
  uint64_t head, tail; // next to post, oldest not finished
  struct rs_srd_post posts[RS_SRD_POSTS_MAX];
};

// One (peer, lane).
struct rs_srd_channel {
  struct rs_srd_queue send, recv;
  // Sending: message `current` is being cut; receives below `granted` are known to be posted.
  uint64_t current, granted;
  uint32_t eager_sent, eager_placed; // the second as the peer last told
  // Receiving.
  uint32_t placed, placed_told; // eager segments
  uint32_t held, held_count;    // first and number of the buffers whose receive is not posted
  bool credit_due;
};

// A sequence number's slot: what was sent under it, until it is acknowledged and the device is done with it.
struct rs_srd_segment {
  struct rs_srd_post *post; // NULL: not data
  uint8_t *payload;
  uint32_t bytes, lkey;
  uint16_t lane;
  unsigned tries;
  int64_t sent_ns;
  bool with_device, delivered, lost;
};

struct rs_srd_peer {
  size_t rank;
  bool wanted;
  // From its address.
  union ibv_gid gid;
  struct ibv_ah *handle;
  uint32_t number, key, connection_in, connection_out;
  uint32_t window, bounce; // what it grants: segments under way, and per lane those that may come unposted
  size_t payload_bytes;    // of a full segment
  // Handshake: it has been heard; it has said that it heard this rank.
  bool heard, known, hello_due;
  int64_t hello_ns, hello_wait_ns;

  // Sending. Sequence numbers first .. next - 1 are not acknowledged, or not all before them are.
  struct rs_srd_segment *segments; // RS_SRD_WINDOW
  uint32_t first, next, under_way, lost;
  struct rs_srd_rtt rtt;
  struct rs_srd_congestion congestion;
  unsigned patience;        // with what was overtaken, in eighths of a round trip
  uint32_t duplicates_told; // by the peer
  int64_t timer_ns;         // of the retransmission
  int64_t advance_ns;       // the last acknowledgement of something new, or when the first segment went under way
  int64_t heard_ns;
  unsigned refusals; // in a row: receiver not ready
  int64_t resume_ns, refused_ns;

  // Receiving.
  struct rs_srd_arrivals arrivals;
  uint32_t told; // of arrivals.next, to the peer
  uint32_t owed; // segments not acknowledged yet, the first of them since
  int64_t owed_ns;
  uint32_t duplicates;
  bool ack_now, acking;

  struct rs_srd_channel *channels; // per lane
  size_t turn;                     // the lane that is next
  size_t sends, receives;          // posts outstanding
  bool ready;                      // in the device's ring
};

// What is known of a buffer that waits for its receive.
struct rs_srd_held {
  struct rs_srd_header header;
  const uint8_t *payload;
  size_t bytes;
  uint32_t next;
};

// A segment without a sequence number.
struct rs_srd_control {
  bool with_device;
  enum rs_srd_kind kind;
  uint32_t peer;
};

enum rs_srd_counter {
  RS_SRD_SEGMENTS,
  RS_SRD_RETRANSMITTED,
  RS_SRD_DUPLICATES,
  RS_SRD_CORRUPTED,
  RS_SRD_OUT_OF_ORDER,
  RS_SRD_RNR,
  RS_SRD_STRANGERS, // segments of no peer of this launch
  RS_SRD_COUNTER_COUNT,
};

struct rs_srd_device {
  struct rs_device base;
  size_t rank, rank_count, lanes;
  int64_t timeout_ns;
  uint64_t token_hash, id; // of the launch; random, of this device
  uint64_t traffic_class;
  bool reliable, checked;  // flavour efa; segments carry a checksum
  uint32_t window, bounce; // what this rank grants each peer
  struct rs_verbs verbs;
  struct rs_verbs_nic nic;
  struct rs_srd_wire wire;
  struct rs_srd_checksum checksum;
  struct rs_random random;
  int64_t counters[RS_SRD_COUNTER_COUNT];

  pthread_mutex_t lock;
  pthread_cond_t stop_signal;
  pthread_t keeper;
  bool keeping, stop;
  int event_fd, failure_fd; // the first holds the wire's channel and the second, which tells a sleeper of a failure
  int64_t now_ns, called_ns, timers_ns; // this step's, the caller's last, the last look at all timers
  int64_t flushed_ns;                   // when the queue pair gave its receives back; 0: it is well
  struct rs_error failure;

  uint8_t *headers; // RS_SRD_WINDOW of each rank, then the controls
  struct ibv_mr *headers_memory;
  struct rs_srd_control controls[RS_SRD_CONTROLS];
  uint32_t controls_with_device;

  bool joining, connected, greet_due; // connect has begun, has ended; some peer's hello_due
  int64_t join_ns, settled_ns;
  char last_refusal[300]; // of a greeting, in words
  struct rs_srd_peer *peers;
  struct rs_srd_held *held; // per buffer of the wire
  size_t *ready;            // a ring of rank_count peers that may have something to send
  size_t ready_first, ready_count;
  size_t *ackers; // peers to whom acknowledgements are owed
  size_t acker_count;

  struct rs_completion *completed; // a ring
  size_t completed_first, completed_count, completed_capacity, owed;
};

static inline struct rs_srd_device *rs_srd_device_of(struct rs_device *device) {
  return (struct rs_srd_device *)device;
}

// "rank 3 (queue pair 17 at ::ffff:10.0.0.5, from rank 0, device rdmap0s6)"
struct rs_srd_peer_text {
  char text[160];
};
struct rs_srd_peer_text rs_srd_peer_format(const struct rs_srd_device *srd, const struct rs_srd_peer *peer);

// ---- connect ----------------------------------------------------------------------------------------------

void rs_srd_address(const struct rs_device *device, uint8_t blob[RS_ADDRESS_BYTES_MAX]);
enum rs_status rs_srd_connect(struct rs_device *device, const uint8_t *addresses, const bool *peers,
                              struct rs_error *error);
void rs_srd_peers_close(struct rs_srd_device *srd); // after the wire
void rs_srd_greeting(struct rs_srd_device *srd, struct rs_srd_peer *peer, const struct rs_srd_header *header);
// Sends the greetings that are due.
void rs_srd_greet(struct rs_srd_device *srd);

// ---- message ----------------------------------------------------------------------------------------------

// Sends what credits and the link allow.
void rs_srd_message_pump(struct rs_srd_device *srd, struct rs_srd_peer *peer);
// A data segment that is new. *hold: it waits for its receive, and with it its buffer.
enum rs_status rs_srd_message_take(struct rs_srd_device *srd, struct rs_srd_peer *peer,
                                   const struct rs_srd_header *header, const uint8_t *payload, size_t bytes,
                                   uint32_t buffer, bool *hold, struct rs_error *error);
enum rs_status rs_srd_message_credit(struct rs_srd_device *srd, struct rs_srd_peer *peer,
                                     const struct rs_srd_header *header, struct rs_error *error);
void rs_srd_message_delivered(struct rs_srd_device *srd, struct rs_srd_peer *peer,
                              const struct rs_srd_segment *segment);
// Places what was held for the receive that was just posted.
enum rs_status rs_srd_message_posted(struct rs_srd_device *srd, struct rs_srd_peer *peer,
                                     struct rs_srd_channel *channel, struct rs_error *error);

// ---- link -------------------------------------------------------------------------------------------------

// Sends one segment, under the next sequence number. BUSY: not now; whatever ends that makes the peer ready.
enum rs_status rs_srd_link_send(struct rs_srd_device *srd, struct rs_srd_peer *peer, struct rs_srd_header *header,
                                const struct rs_srd_segment *segment);
// Sends again what was lost. BUSY as above.
enum rs_status rs_srd_link_resend(struct rs_srd_device *srd, struct rs_srd_peer *peer);
// Sends a segment without a number; `payload` of at most 32 bytes. False: not now.
bool rs_srd_link_control(struct rs_srd_device *srd, struct rs_srd_peer *peer, struct rs_srd_header *header,
                         const void *payload, size_t payload_bytes);
// A send has ended.
enum rs_status rs_srd_link_ended(struct rs_srd_device *srd, const struct rs_srd_event *event, struct rs_error *error);
// Takes the acknowledgement out of a header; bits: of an RS_SRD_ACK, else NULL.
void rs_srd_link_acknowledged(struct rs_srd_device *srd, struct rs_srd_peer *peer, uint32_t ack, const uint64_t *bits);
void rs_srd_link_duplicates(struct rs_srd_peer *peer, uint32_t duplicates);
// Notes a sequence number that came; true when it is new.
bool rs_srd_link_arrived(struct rs_srd_device *srd, struct rs_srd_peer *peer, uint32_t sequence);
// Sends the acknowledgements that are due, or all that are owed.
void rs_srd_link_acknowledge(struct rs_srd_device *srd, bool all);
// Losses by time, back-offs that end, peers that are silent for too long.
enum rs_status rs_srd_link_timers(struct rs_srd_device *srd, struct rs_error *error);

// ---- progress ---------------------------------------------------------------------------------------------

void rs_srd_make_ready(struct rs_srd_device *srd, struct rs_srd_peer *peer);
void rs_srd_complete(struct rs_srd_device *srd, uint64_t cookie);
// Moves all that can be moved without waiting. *more: it broke off, for the caller's sake.
enum rs_status rs_srd_step(struct rs_srd_device *srd, bool *more, struct rs_error *error);
enum rs_status rs_srd_keeper_start(struct rs_srd_device *srd, struct rs_error *error);
void rs_srd_keeper_stop(struct rs_srd_device *srd);
// A region is deregistered. If posts use it, as when a run breaks off, the device has failed: it moves nothing any
// more, so that the keeper touches no memory that is freed before the device is closed.
void rs_srd_memory_gone(struct rs_srd_device *srd, const struct rs_region *region);

enum rs_status rs_srd_post_send(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error);
enum rs_status rs_srd_post_recv(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error);
enum rs_status rs_srd_progress(struct rs_device *device, struct rs_completion *completions, size_t max, size_t *count,
                               struct rs_error *error);
enum rs_status rs_srd_arm(struct rs_device *device, struct rs_error *error);
int rs_srd_event_fd(const struct rs_device *device);

#endif
