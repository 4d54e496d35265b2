// The inside of the verbs_rc transport: an opened device and the calls between its source files.
//
//   verbs_rc.c           the option table, open, close, memory, and the transport's table row
//   verbs_rc_connect.c   from addresses to connected queue pairs
//   verbs_rc_pair.c      one queue pair: making it, its states, requests and their failures
//   verbs_rc_channel.c   the protocol between two ranks on one lane: posts, grants, credits
//   verbs_rc_arrival.c   what arrives on a channel
//   verbs_rc_progress.c  completion queues, sleeping, asynchronous events
//
// The protocol, for one lane between two ranks. Messages have numbers: the i-th send meets the i-th receive.
//
//   short (eager)                  long, rendezvous=write                   long, rendezvous=read
//   sender        receiver         sender           receiver                sender           receiver
//   copy, EAGER ──► copy           (ANNOUNCE ──►)   ◄── GRANT: where        ANNOUNCE: where ──►
//                                  RDMA write with immediate ──► done       done ◄── UPDATE ◄── RDMA read
//
// A sender that has no grant yet announces the length, so that ranks that disagree about it do not wait for each other.
//
// Two credits keep a receive queue from being overrun. An eager message takes one of RS_VERBS_RC_DATA_CREDITS and gives
// it back when its receive has it, so what arrives unposted is bounded. All else that takes a receive request (grants,
// announcements, updates, writes with immediate) takes one of RS_VERBS_RC_CONTROL_CREDITS and gives it back as soon as
// it is seen: it never waits for the caller's receives. How many were given back since the beginning stands in every
// message and in the immediate of every write. When half of either credit is owed and nothing goes the other way, an
// UPDATE says it. Only such an UPDATE may take the last control credit. So two ranks that have run out of control
// credit cannot both be silent: each last message was an UPDATE, which gave at least half of them to the other.
#ifndef RINGSIDE_TRANSPORT_VERBS_RC_DEVICE_H
#define RINGSIDE_TRANSPORT_VERBS_RC_DEVICE_H

#include "transport/verbs_rc.h"

#define RS_VERBS_RC_POSTS_MAX 64
#define RS_VERBS_RC_PAIRS_MAX 8 // queue pairs per (peer, lane)
#define RS_VERBS_RC_DATA_CREDITS 96
#define RS_VERBS_RC_CONTROL_CREDITS 32
// A sender whose messages are all received can always send as many as may be posted.
#define RS_VERBS_RC_DATA_OWED (RS_VERBS_RC_DATA_CREDITS - RS_VERBS_RC_POSTS_MAX)
#define RS_VERBS_RC_RECEIVES (RS_VERBS_RC_DATA_CREDITS + RS_VERBS_RC_CONTROL_CREDITS) // of a channel's first pair
#define RS_VERBS_RC_SENDS 128                                                         // of every pair
#define RS_VERBS_RC_SIGNAL_EVERY 16 // a completed request completes all before it
#define RS_VERBS_RC_BATCH 8         // grants in one message
// Eager messages that wait for their receives, and announced ones behind or between them.
#define RS_VERBS_RC_ARRIVALS (RS_VERBS_RC_DATA_CREDITS + RS_VERBS_RC_POSTS_MAX)

struct rs_region {
  char *address;
  size_t bytes;
  struct ibv_mr *keys[RS_VERBS_NICS_MAX]; // one per device
};

// ---- on the wire, in the byte order of the hosts, which must be the same ----------------------------------

enum rs_verbs_rc_kind { RS_VERBS_RC_EAGER = 1, RS_VERBS_RC_GRANT, RS_VERBS_RC_ANNOUNCE, RS_VERBS_RC_UPDATE };

struct rs_verbs_rc_header {
  uint8_t kind, unused;
  uint16_t number;                    // EAGER: of the message. UPDATE: of the first whose read is not complete
  uint16_t data_freed, control_freed; // credits given back since the beginning
  uint64_t bytes;                     // EAGER: of the message. GRANT, ANNOUNCE: how many targets follow
};

// Where a message lies or shall lie.
struct rs_verbs_rc_target {
  uint64_t address, bytes;
  uint32_t number;
  uint32_t keys[RS_VERBS_RC_PAIRS_MAX]; // for each queue pair
};

// ---- a device ---------------------------------------------------------------------------------------------

struct rs_verbs_rc_post {
  struct rs_verbs_rc_queue *queue;
  struct rs_region *region;
  char *data;
  size_t bytes;
  uint64_t cookie;
  size_t pieces_left;
  bool announced;
  enum { RS_VERBS_RC_FREE, RS_VERBS_RC_POSTED, RS_VERBS_RC_DONE } state; // DONE: not handed to the caller yet
  struct rs_verbs_rc_post *next_done;
};

// The posts of one direction of a channel, oldest first. Position p, which is the number of the message, is in slot
// p mod RS_VERBS_RC_POSTS_MAX. Posts are done in any order and leave in order.
struct rs_verbs_rc_queue {
  uint64_t head, tail; // next to post, oldest not free
  uint64_t next;       // the first of which the transfer has not been started in full;
  size_t piece, moved; // it has come so far
  uint64_t through;    // all before it are in place (receives), or known to have been read (sends)
  struct rs_verbs_rc_post posts[RS_VERBS_RC_POSTS_MAX];
};

// What has arrived before its receive was posted.
struct rs_verbs_rc_arrival {
  enum { RS_VERBS_RC_NOTHING, RS_VERBS_RC_HELD, RS_VERBS_RC_ANNOUNCED } state;
  uint32_t slot;                    // HELD: the receive buffer that holds it
  struct rs_verbs_rc_target target; // bytes are valid in both states
};

// One queue pair. Positions of requests only grow; the buffer of request p is p mod RS_VERBS_RC_SENDS.
struct rs_verbs_rc_pair {
  struct rs_verbs_rc_channel *channel;
  size_t index; // within the channel
  size_t nic;
  struct ibv_qp *qp;
  uint32_t psn;
  uint32_t inline_bytes;
  uint64_t posted, completed;
  struct rs_verbs_rc_post *finishes[RS_VERBS_RC_SENDS]; // the post of which the request is the last of a piece
};

// All queue pairs of one (peer, lane). Short messages and everything but data take the first.
struct rs_verbs_rc_channel {
  struct rs_verbs_rc_device *device;
  size_t peer, lane;
  struct rs_verbs_rc_pair *pairs;
  char *sends, *receives; // buffers of the first pair, slot_bytes each
  struct rs_verbs_rc_queue send, recv;
  struct rs_verbs_rc_target grants[RS_VERBS_RC_POSTS_MAX]; // for sends; address 0: none
  struct rs_verbs_rc_arrival arrivals[RS_VERBS_RC_ARRIVALS];

  // Credits, modulo 2^16: used here, given back by the peer; given back to the peer, and what it was told of it.
  uint16_t data_used, data_returned, control_used, control_returned;
  uint16_t data_freed, data_told, control_freed, control_told;
  uint16_t through_told;

  bool stirred; // in the device's list
  struct rs_verbs_rc_channel *next_stirred;
};

enum rs_verbs_rc_count {
  RS_VERBS_RC_COUNT_EAGER,
  RS_VERBS_RC_COUNT_RENDEZVOUS,
  RS_VERBS_RC_COUNT_ANNOUNCED,
  RS_VERBS_RC_COUNT_UNEXPECTED,
  RS_VERBS_RC_COUNT_UPDATES,
  RS_VERBS_RC_COUNT_WAITED_CREDIT,
  RS_VERBS_RC_COUNT_WAITED_QUEUE,
  RS_VERBS_RC_COUNTS,
};

struct rs_verbs_rc_port {
  struct rs_verbs_nic nic;
  struct ibv_comp_channel *events;
  struct ibv_cq *cq;      // NULL before connecting
  struct ibv_mr *buffers; // of the bounce buffers
  bool asked;             // the completion queue for an event that has not come
};

struct rs_verbs_rc_device {
  struct rs_device base;
  size_t rank, rank_count, lanes;
  int64_t timeout_ns;
  struct rs_verbs_rc_options options;
  struct rs_verbs verbs;
  struct rs_verbs_rc_port ports[RS_VERBS_NICS_MAX];
  size_t port_count;
  size_t slot_bytes;    // of a bounce buffer
  size_t request_bytes; // of one RDMA request, at most
  struct rs_device_facts facts;
  int epoll_fd; // completion channels and asynchronous events

  struct rs_verbs_exchange *exchange; // NULL once connected
  struct rs_verbs_rc_joining *joining;
  bool connected;
  struct rs_verbs_rc_channel **peers; // rank_count; the first of `lanes` channels; NULL: no connection is wanted
  union ibv_gid *gids;                // by rank, of its first queue pair
  struct rs_verbs_rc_channel *channels;
  struct rs_verbs_rc_pair *pairs;
  size_t channel_count, pair_count;
  struct rs_buffer buffers;

  struct rs_verbs_rc_channel *stirred;              // channels that may have something to send
  struct rs_verbs_rc_post *first_done, **last_done; // posts to hand to the caller
  unsigned calls, sleeps;                           // of progress and arm, for what need not be done in each
  int64_t counts[RS_VERBS_RC_COUNTS];
};

static inline struct rs_verbs_rc_device *rs_verbs_rc_device_of(struct rs_device *device) {
  return (struct rs_verbs_rc_device *)device;
}

// ---- connecting -------------------------------------------------------------------------------------------

void rs_verbs_rc_address(const struct rs_device *base, uint8_t blob[RS_ADDRESS_BYTES_MAX]);
enum rs_status rs_verbs_rc_connect(struct rs_device *base, const uint8_t *addresses, const bool *peers,
                                   struct rs_error *error);
void rs_verbs_rc_joining_close(struct rs_verbs_rc_joining *joining); // NULL is fine

// Registers with one device; an error says how much memory may be locked.
struct ibv_mr *rs_verbs_rc_register(const struct rs_verbs_rc_device *device, size_t port, void *address, size_t bytes,
                                    struct rs_error *error);

// "rank 3 at ::ffff:10.0.0.5 (from rank 0, device mlx5_0), lane 1"
struct rs_verbs_rc_peer_text {
  char text[224];
};
struct rs_verbs_rc_peer_text rs_verbs_rc_peer_format(const struct rs_verbs_rc_channel *channel);

// ---- queue pairs ------------------------------------------------------------------------------------------

// How a queue pair is found by its peer.
struct rs_verbs_rc_end {
  union ibv_gid gid;
  uint32_t number, psn;
  uint16_t lid;
  uint8_t mtu;   // enum ibv_mtu
  uint8_t reads; // that it serves at once
};

// Makes the queue pair, lets it receive, and posts its receives.
enum rs_status rs_verbs_rc_pair_open(struct rs_verbs_rc_pair *pair, struct rs_verbs_rc_end *end,
                                     struct rs_error *error);
enum rs_status rs_verbs_rc_pair_connect(struct rs_verbs_rc_pair *pair, const struct rs_verbs_rc_end *peer,
                                        struct rs_error *error);

static inline bool rs_verbs_rc_pair_has_room(const struct rs_verbs_rc_pair *pair) {
  return pair->posted - pair->completed < RS_VERBS_RC_SENDS;
}
// Posts a request, which needs room. finishes: the post of which it is the last request of a piece, or NULL.
enum rs_status rs_verbs_rc_pair_post(struct rs_verbs_rc_pair *pair, struct ibv_send_wr *request,
                                     struct rs_verbs_rc_post *finishes, struct rs_error *error);
// (Re)posts the receive of a slot.
enum rs_status rs_verbs_rc_pair_receive(struct rs_verbs_rc_pair *pair, uint32_t slot, struct rs_error *error);

// The id of a request: which pair, which way, and the slot or the low bits of the position.
static inline uint64_t rs_verbs_rc_id(size_t pair, bool sends, uint32_t low) {
  return (uint64_t)pair << 32 | (uint64_t)sends << 31 | (low & 0x7fffffff);
}

// ---- channels ---------------------------------------------------------------------------------------------

enum rs_status rs_verbs_rc_post_send(struct rs_device *base, size_t peer, size_t lane, struct rs_region *region,
                                     size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error);
enum rs_status rs_verbs_rc_post_recv(struct rs_device *base, size_t peer, size_t lane, struct rs_region *region,
                                     size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error);

// Sends what can be sent.
enum rs_status rs_verbs_rc_push(struct rs_verbs_rc_channel *channel, struct rs_error *error);
// Puts the channel on the list of those to push.
void rs_verbs_rc_stir(struct rs_verbs_rc_channel *channel);

// A receive request of `pair` is complete: a message of `bytes` in `slot`, or the immediate of a write.
enum rs_status rs_verbs_rc_arrive(struct rs_verbs_rc_pair *pair, uint32_t slot, size_t bytes, struct rs_error *error);
enum rs_status rs_verbs_rc_written(struct rs_verbs_rc_pair *pair, uint32_t slot, uint32_t immediate,
                                   struct rs_error *error);
// Gives the receive at the queue's end what arrived before it was posted.
enum rs_status rs_verbs_rc_claim(struct rs_verbs_rc_channel *channel, struct rs_verbs_rc_post *post, uint64_t number,
                                 struct rs_error *error);

// One piece of a post is through.
void rs_verbs_rc_piece_done(struct rs_verbs_rc_channel *channel, struct rs_verbs_rc_post *post);
void rs_verbs_rc_done(struct rs_verbs_rc_device *device, struct rs_verbs_rc_post *post);

static inline struct rs_verbs_rc_post *rs_verbs_rc_post_at(struct rs_verbs_rc_queue *queue, uint64_t position) {
  return &queue->posts[position % RS_VERBS_RC_POSTS_MAX];
}
// The position nearest to `near` whose low bits are `number`.
static inline uint64_t rs_verbs_rc_position(uint64_t near, uint16_t number) {
  return near + (uint64_t)(int64_t)(int16_t)(number - (uint16_t)near);
}

// ---- progress ---------------------------------------------------------------------------------------------

enum rs_status rs_verbs_rc_progress(struct rs_device *base, struct rs_completion *completions, size_t max,
                                    size_t *count, struct rs_error *error);
// Takes what lies in the completion queues, a batch of each; *handled: how much it was.
enum rs_status rs_verbs_rc_poll(struct rs_verbs_rc_device *device, size_t *handled, struct rs_error *error);
enum rs_status rs_verbs_rc_arm(struct rs_device *base, struct rs_error *error);
int rs_verbs_rc_event_fd(const struct rs_device *device);

#endif
