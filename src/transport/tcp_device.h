// The inside of the tcp transport: an opened device and the calls between its source files.
//
//   tcp.c            the option table, open, close, memory, and the transport's table row
//   tcp_interface.c  which local address to use, and what is true of its interface
//   tcp_socket.c     addresses as text and blobs, socket options, the listener
//   tcp_hello.c      the two messages of the handshake
//   tcp_connect.c    from addresses to proven streams, the connecting side
//   tcp_accept.c     strangers at the listener, until they prove themselves
//   tcp_stream.c     posted messages over proven streams
//   tcp_zerocopy.c   what the kernel still reads of them
#ifndef RINGSIDE_TRANSPORT_TCP_DEVICE_H
#define RINGSIDE_TRANSPORT_TCP_DEVICE_H

#include "transport/tcp.h"
#include "transport/tcp_hello.h"
#include "transport/tcp_interface.h"
#include "transport/tcp_socket.h"

#define RS_TCP_POSTS_MAX 64
#define RS_TCP_HEADER_BYTES 16
#define RS_TCP_STREAMS_MAX 16

struct rs_region {
  char *address;
  size_t bytes;
};

// A posted message. Each of its pieces travels on a stream of its own: piece i on stream i.
struct rs_tcp_post {
  char *data;
  size_t bytes;
  uint64_t cookie;
  size_t pieces, pieces_left;
};

// The posts of one direction of a channel, oldest first. Positions only grow: position p is in slot
// p mod RS_TCP_POSTS_MAX, and is the number of the message on the wire. Posts finish in any order (a short message
// overtakes the second piece of a long one) and leave in order.
struct rs_tcp_queue {
  uint64_t head, tail; // next to post, oldest not finished
  struct rs_tcp_post posts[RS_TCP_POSTS_MAX];
};

// How far one stream has come in one direction.
struct rs_tcp_cursor {
  size_t pending;           // pieces of posted messages that this stream has still to finish
  uint64_t position;        // of `post`; between messages: the first that may be next
  struct rs_tcp_post *post; // NULL: between messages
  char *data;               // the rest of the piece
  size_t left;
  size_t header_done; // bytes of the header sent, or received: the next message's header may arrive before its post
  uint8_t header[RS_TCP_HEADER_BYTES];
};

// Pieces that are sent and that the kernel still reads, oldest first. Sends are counted modulo 2^32, as the kernel
// does.
struct rs_tcp_unconfirmed {
  uint32_t issued, told, confirmed; // sends; those that were reported, and those before which all were
  uint32_t copied;                  // reported sends of which the kernel made a copy after all, as on loopback
  bool news;                        // the error queue may hold reports
  uint64_t head, tail;
  struct {
    uint32_t issued; // of the stream, when the piece was sent
    struct rs_tcp_post *post;
  } pieces[RS_TCP_POSTS_MAX];
};

// One connected socket. readable and writable mean "perhaps": epoll sets them on an edge, a call that comes back
// short clears them.
struct rs_tcp_stream {
  struct rs_tcp_channel *channel;
  size_t index; // within the channel
  int fd;       // -1: not connected yet
  bool readable, writable;
  bool ended;     // the peer has closed or reset: readable for good, as no other edge will come
  bool queued;    // in the device's ready list
  size_t awaited; // where in the device's list of awaited streams; valid while recv.pending > 0
  struct rs_tcp_cursor send, recv;
  struct rs_tcp_unconfirmed *unconfirmed; // NULL: every send is a copy
};

// All streams of one (peer, lane).
struct rs_tcp_channel {
  size_t peer, lane;
  struct rs_tcp_stream *streams;
  struct rs_tcp_queue send, recv;
};

struct rs_tcp_peer {
  struct rs_tcp_address address;
  struct rs_tcp_channel *channels; // one per lane; NULL: no connection is wanted
};

// A connection in its handshake.
struct rs_tcp_attempt {
  int fd;                       // -1: none
  struct rs_tcp_stream *stream; // what this rank connects; NULL for a stranger at the listener
  bool greeted;                 // connecting side: connected, and the hello is out
  int64_t since_ns;             // begun; of a stranger: silent since
  size_t received;
  uint8_t bytes[RS_TCP_HELLO_BYTES]; // a stranger's hello, or the reply to ours
};

#define RS_TCP_STRANGERS_MAX 64

// What lives only while connecting.
struct rs_tcp_joining {
  int epoll_fd; // level-triggered: the listener (data.ptr NULL) and all attempts
  int64_t deadline_ns;
  size_t missing; // streams not proven yet
  struct rs_tcp_attempt *outgoing;
  size_t outgoing_count;
  size_t turned_away; // strangers who did not prove themselves
  struct rs_tcp_attempt strangers[RS_TCP_STRANGERS_MAX];
};

struct rs_tcp_device {
  struct rs_device base;
  size_t rank, rank_count, lanes, streams, stripe_bytes;
  size_t zerocopy_bytes; // messages from this length on are sent without a copy; 0: none
  uint8_t token[RS_TOKEN_BYTES];
  int64_t timeout_ns;
  const struct rs_log *log;
  struct rs_uint_range ports;
  struct rs_tcp_socket_options socket_options;
  struct rs_tcp_interface interface;
  struct rs_tcp_address address; // the listener's
  struct rs_device_facts facts;
  int listen_fd; // -1 once every wanted peer is connected
  int epoll_fd;  // proven streams only, edge-triggered

  struct rs_tcp_joining *joining; // NULL before the first call of connect and after the last
  bool connected;
  struct rs_tcp_peer *peers; // rank_count
  struct rs_tcp_channel *channels;
  struct rs_tcp_stream *all_streams;
  size_t stream_count;
  struct rs_tcp_unconfirmed *unconfirmed; // one per stream; NULL without zerocopy_bytes

  // Streams that can perhaps move something: a ring of stream_count places.
  struct rs_tcp_stream **ready;
  size_t ready_first, ready_count;
  // Streams for which a receive is posted, in any order.
  struct rs_tcp_stream **awaited;
  size_t awaited_count;
  uint32_t unfetched; // calls of progress since events were fetched
};

enum rs_status rs_tcp_connect(struct rs_device *device, const uint8_t *addresses, const bool *peers,
                              struct rs_error *error);
void rs_tcp_joining_close(struct rs_tcp_joining *joining); // NULL is fine

// Accepts who waits at the listener.
enum rs_status rs_tcp_accept(struct rs_tcp_device *tcp, struct rs_error *error);
// Takes in one who waits. *attempt is NULL when nobody does, or all places are taken and nobody may be dropped yet;
// *turned_away counts one that was dropped for it.
enum rs_status rs_tcp_accept_one(const struct rs_tcp_device *tcp, struct rs_tcp_attempt strangers[RS_TCP_STRANGERS_MAX],
                                 size_t *turned_away, struct rs_tcp_attempt **attempt, struct rs_error *error);
// Drops whom no more can be expected of; returns how many.
size_t rs_tcp_accept_expire(struct rs_tcp_attempt strangers[RS_TCP_STRANGERS_MAX]);
// Reads on; a proven stranger becomes a stream, others are turned away, and only a rank of this launch that cannot be
// worked with is an error.
enum rs_status rs_tcp_accept_hear(struct rs_tcp_device *tcp, struct rs_tcp_attempt *attempt, struct rs_error *error);

// Reads towards `wanted` bytes. False when the other side has closed (errno 0) or failed (errno).
bool rs_tcp_attempt_read(struct rs_tcp_attempt *attempt, size_t wanted);
// Makes the attempt's socket the socket of `stream`.
enum rs_status rs_tcp_attempt_adopt(struct rs_tcp_device *tcp, struct rs_tcp_attempt *attempt,
                                    struct rs_tcp_stream *stream, struct rs_error *error);
void rs_tcp_attempt_close(struct rs_tcp_attempt *attempt);

// "rank 3 at 10.0.0.5:41000 (from rank 0, interface eth0)"
struct rs_tcp_peer_text {
  char text[160];
};
struct rs_tcp_peer_text rs_tcp_peer_format(const struct rs_tcp_device *tcp, size_t peer);

enum rs_status rs_tcp_post_send(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error);
enum rs_status rs_tcp_post_recv(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error);
enum rs_status rs_tcp_progress(struct rs_device *device, struct rs_completion *completions, size_t max, size_t *count,
                               struct rs_error *error);
enum rs_status rs_tcp_arm(struct rs_device *device, struct rs_error *error);
int rs_tcp_event_fd(const struct rs_device *device);

enum rs_status rs_tcp_zerocopy_enable(int fd, struct rs_error *error);
// As send(2). What is sent, the kernel may read until rs_tcp_zerocopy_confirm has confirmed as many sends as are issued
// now.
ssize_t rs_tcp_zerocopy_send(struct rs_tcp_stream *stream, const void *data, size_t bytes);
void rs_tcp_zerocopy_confirm(struct rs_tcp_stream *stream);
size_t rs_tcp_counters(const struct rs_device *device, struct rs_device_counter *counters, size_t max);

static inline struct rs_tcp_device *rs_tcp_device_of(struct rs_device *device) {
  return (struct rs_tcp_device *)device;
}

#endif
