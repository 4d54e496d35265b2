// The inside of the shm transport: an opened device and the calls between its source files.
//
//   shm.c          the option table, open, close, memory, and the transport's table row
//   shm_connect.c  from addresses to pairs: who shares what with whom, proved by the launch's token
//   shm_socket.c   messages with descriptors over unix sockets, and what the pairs' sockets tell
//   shm_channel.c  posted messages through shared memory
//   shm_region.c   memory that peers may read where it lies: told, heard of, mapped
//
// Two ranks that talk share one mapping (a memfd: it has no name, so nothing is left behind whoever is killed, and it
// does not count against /dev/shm) and one socket, which carries no data: it wakes a sleeper, hands over the memory of
// HOST_SHARED buffers, and ends with its process. The mapping of ranks 2 and 5 with two lanes:
//
//   who sleeps | lane 0: 2 -> 5 | lane 0: 5 -> 2 | lane 1: 2 -> 5 | lane 1: 5 -> 2
//                  taken, cells, ring
#ifndef RINGSIDE_TRANSPORT_SHM_DEVICE_H
#define RINGSIDE_TRANSPORT_SHM_DEVICE_H

#include <stdatomic.h>

#include "transport/shm.h"
#include "transport/shm_socket.h"

#define RS_SHM_POSTS_MAX 64
#define RS_SHM_CELLS 128
#define RS_SHM_INLINE_BYTES 40
#define RS_SHM_REGIONS_MAX 64

// ---- shared -----------------------------------------------------------------------------------------------

// A place among a rank's regions is used again; each use has a number of its own.
struct rs_shm_region_id {
  uint32_t place, use;
};

enum rs_shm_kind {
  RS_SHM_INLINE, // the piece is in the cell
  RS_SHM_STAGED, // it is in the ring
  RS_SHM_DIRECT, // a whole message is in a region of the sender's
};

// One piece of a message: one cache line. Position p is in cell p mod RS_SHM_CELLS, and may be read once `turn` is p +
// 1; so a short message is one line that changes hands.
struct rs_shm_cell {
  _Alignas(64) _Atomic uint64_t turn;
  uint64_t message_bytes; // of the whole message, in each of its pieces
  uint32_t kind, bytes;
  union {
    uint8_t data[RS_SHM_INLINE_BYTES];
    struct {
      uint64_t at; // where in the ring or region
      struct rs_shm_region_id region;
    };
  };
};

// One direction of a lane. What the sender writes and what the receiver writes are lines of their own.
struct rs_shm_wire {
  _Alignas(64) _Atomic uint64_t taken; // cells that the receiver is done with
  struct rs_shm_cell cells[RS_SHM_CELLS];
  uint8_t ring[];
};

struct rs_shm_side {
  _Alignas(64) _Atomic uint32_t asleep; // to be woken when anything happens
};

// ---- a rank's own -----------------------------------------------------------------------------------------

struct rs_region {
  char *address;
  size_t bytes;
  int memory; // -1: no peer can read it
  struct rs_shm_region_id id;
  bool *told; // per rank: whether it has the descriptor
};

// What a peer has told of one of its regions; use 0: nothing.
struct rs_shm_view {
  uint32_t use;
  size_t bytes;
  uint8_t *address;
};

struct rs_shm_post {
  char *data;
  const struct rs_taker *taker;   // of a receive, in place of data; NULL: none
  const struct rs_region *direct; // of a send whose data the receiver reads where it lies; NULL: none
  uint64_t until;                 // of a send that is placed: cells placed up to its end
  size_t bytes;
  uint64_t cookie;
};

// The posts of one direction, oldest first; post p is in place p mod RS_SHM_POSTS_MAX.
struct rs_shm_queue {
  uint64_t head, tail; // next to post, oldest not complete
  uint64_t turn;       // oldest not placed: those before it wait until they are read (sends only)
  size_t done;         // bytes of the one whose turn it is
  struct rs_shm_post posts[RS_SHM_POSTS_MAX];
};

struct rs_shm_channel {
  struct rs_shm_peer *peer;
  size_t lane;
  bool active; // in the device's list
  // Sending: cells placed, and how many of them are known to be taken. The ring is handed out in order; positions only
  // grow, and ring_ends remembers how far it was in use up to each cell.
  struct rs_shm_wire *out;
  struct rs_shm_queue send;
  uint64_t placed, taken;
  uint64_t ring_head, ring_tail;
  uint64_t ring_ends[RS_SHM_CELLS];
  // Receiving: cells done with, and how many the sender was told of.
  struct rs_shm_wire *in;
  struct rs_shm_queue receive;
  uint64_t received, told;
};

enum rs_shm_stage { RS_SHM_UNWANTED, RS_SHM_TO_OFFER, RS_SHM_OFFERED, RS_SHM_AWAITED, RS_SHM_JOINED };

struct rs_shm_peer {
  size_t rank;
  uint32_t process;
  enum rs_shm_stage stage;
  int socket;      // -1: none yet
  int offer[2];    // what is to be sent to it: the mapping, the other end of the socket; -1: none
  uint8_t *shared; // NULL: not mapped
  bool gone;       // the socket has ended: what was written before is all that comes
  struct rs_shm_side *mine, *theirs;
  struct rs_shm_channel *channels; // one per lane
  struct rs_shm_view *views;       // RS_SHM_REGIONS_MAX
};

struct rs_shm_device {
  struct rs_device base;
  size_t rank, rank_count, lanes;
  size_t ring_bytes, piece_bytes, wire_bytes, shared_bytes; // multiples of 64
  size_t direct_bytes;                                      // SIZE_MAX: none
  uint8_t token[RS_TOKEN_BYTES];
  int64_t timeout_ns;
  const struct rs_log *log;
  struct rs_shm_address address;
  int door;     // where offers arrive; -1 once every wanted peer has joined
  int epoll_fd; // the sockets of all peers that are not gone

  int64_t deadline_ns;       // of connecting; 0: not begun
  size_t missing;            // peers that have not joined yet
  size_t turned_away;        // offers that did not prove themselves
  struct rs_shm_peer *peers; // rank_count
  struct rs_shm_channel *channels;

  struct rs_region *regions[RS_SHM_REGIONS_MAX];
  uint32_t region_uses;
  uint64_t staged_bytes, direct_sent_bytes; // counted where they are sent

  // Channels with something outstanding, in no order.
  struct rs_shm_channel **active;
  size_t active_count, next;
  bool armed;
  uint32_t idle; // calls of progress in a row that moved nothing
};

enum rs_status rs_shm_connect(struct rs_device *device, const uint8_t *addresses, const bool *peers,
                              struct rs_error *error);

enum rs_status rs_shm_register(struct rs_device *device, const struct rs_buffer *buffer, struct rs_region **region,
                               struct rs_error *error);
void rs_shm_deregister(struct rs_device *device, struct rs_region *region);
// Whether the peer can read this region: the first call hands it over.
bool rs_shm_region_tell(const struct rs_region *region, const struct rs_shm_peer *peer);
// A region that the peer has told of; NULL: it has not.
const struct rs_shm_view *rs_shm_view_find(struct rs_shm_peer *peer, struct rs_shm_region_id id);
void rs_shm_views_close(struct rs_shm_peer *peer);
// Takes up the news of all sockets: wake-ups, regions, ends.
void rs_shm_look(struct rs_shm_device *shm);

enum rs_status rs_shm_post_send(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error);
enum rs_status rs_shm_post_recv(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error);
enum rs_status rs_shm_post_take(struct rs_device *device, size_t peer, size_t lane, const struct rs_taker *taker,
                                size_t bytes, uint64_t cookie, struct rs_error *error);
enum rs_status rs_shm_progress(struct rs_device *device, struct rs_completion *completions, size_t max, size_t *count,
                               struct rs_error *error);
enum rs_status rs_shm_arm(struct rs_device *device, struct rs_error *error);

static inline struct rs_shm_device *rs_shm_device_of(struct rs_device *device) {
  return (struct rs_shm_device *)device;
}

#endif
