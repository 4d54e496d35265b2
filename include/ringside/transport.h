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
#include "ringside/topology.h"

#define RS_TOKEN_BYTES 32
// The longest address blob of any transport.
#define RS_ADDRESS_BYTES_MAX 256
// NICs that one rank may use over one transport.
#define RS_RAILS_MAX 8

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

// Who takes a message piece by piece, in place of a buffer. The pieces come in order, and each but the last is a
// multiple of 64 bytes; `data` is aligned to 8 bytes, and as the sender's offset is, and is not to be read after the
// call. `take` calls nothing of the device.
struct rs_taker {
  void (*take)(void *state, uint64_t cookie, size_t offset, const void *data, size_t bytes);
  void *state;
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
  size_t rail;                   // which of the NICs that the options name, below rs_transport_rails
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

// Which ranks a transport connects, where two share a launch: see rs_transport_route.
enum rs_span {
  RS_SPAN_OWN,     // a world of its own: ranks of one process, of a model, or none
  RS_SPAN_HOST,    // ranks of one host
  RS_SPAN_NETWORK, // ranks anywhere
};

struct rs_transport {
  const char *name;
  const char *summary; // one line for `ringside list`
  enum rs_span span;
  const struct rs_option *options; // keys "<name>.*"; NULL: none
  size_t option_bytes;             // size of the struct the table fills
  uint32_t preference;             // transport=auto takes the highest of a span that every rank can open; 0: never
  // NICs that the options name, each of which is a device of its own; NULL: one device does for all.
  size_t (*rails)(const void *options);

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
  // arguments; the caller sleeps or yields in between. An error names who did not answer; it is TIMEOUT where this
  // rank knows no more than that it has waited.
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
  // A receive that is taken and not stored, so that a reduction reads the data where it lies; it stands in one order
  // with those of post_recv. `taker` outlives it, and is called by progress. NULL: the device stores all that it
  // receives.
  enum rs_status (*post_take)(struct rs_device *device, size_t peer, size_t lane, const struct rs_taker *taker,
                              size_t bytes, uint64_t cookie, struct rs_error *error);
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
// What a word of the sweep names: "tcp", or "shm+tcp", which is shm between ranks of one host and tcp between hosts;
// *inside is NULL where one transport is both. False: there is none of a name, or its span does not fit its place.
bool rs_transport_route(const char *word, const struct rs_transport **inside, const struct rs_transport **between);
static inline size_t rs_transport_rails(const struct rs_transport *transport, const void *options) {
  return transport->rails ? transport->rails(options) : 1;
}

// Which RDMA libraries this host has, as files, since they have no call that tells a version:
// "/usr/lib64/libibverbs.so.1.14.44.0, /usr/lib64/libefa.so.1.2.44.0"; or why there is none.
void rs_transport_rdma_library(char *text, size_t bytes);

// The hub of the `loop` transport: joins `rank_count` devices of one process. Thread-safe. With threaded = false all
// devices are driven from one thread, and the same seed gives the same run.
struct rs_loop_hub;
enum rs_status rs_loop_hub_open(size_t rank_count, struct rs_loop_hub **hub, struct rs_error *error);
void rs_loop_hub_close(struct rs_loop_hub *hub); // after the last device

// ---- network check: whether ranks could meet, before a run -------------------------------------------------

// One rank's end: a listener exactly as a run would have it. Travels between ranks as bytes.
struct rs_network_end {
  char interface[32];
  char address[48]; // without the port
  uint32_t port, prefix_bits;
  uint64_t mtu;     // of the interface; 0: unknown
  int64_t clock_ns; // CLOCK_REALTIME at one moment of all ranks; for the caller to set
};
// What came of connecting to one peer. As bytes, too.
enum rs_network_link_state {
  RS_LINK_FINE,
  RS_LINK_NO_ANSWER,   // nothing came back: dropped on the way there or back
  RS_LINK_REFUSED,     // an answer that says no: another host has the address, or a firewall rejects
  RS_LINK_UNREACHABLE, // no route
  RS_LINK_CLOSED,      // connected, and ended in the handshake
  RS_LINK_SILENT,      // connected, and no word of the handshake came back
  RS_LINK_STRANGER,    // what answers is not of this launch
  RS_LINK_SHORT_ONLY,  // short packets get through, full-size ones do not
};
struct rs_network_link {
  uint32_t state; // enum rs_network_link_state
  uint32_t mtu;   // what the kernel holds for the path's after a full-size packet got through; 0: not tried
  int32_t code;   // errno, of REFUSED, UNREACHABLE and CLOSED
};

struct rs_network_check_params {
  size_t rank, rank_count;
  uint8_t token[RS_TOKEN_BYTES];
  bool one_host;
  const char *interface; // as tcp.interface
  struct rs_uint_range ports;
  const bool *full_size; // per rank: whether the path to it gets a full-size packet, and this rank one from there
  int64_t timeout_ns;    // for one connection
  size_t at_once;        // connections in the making, for limits on open files
};
struct rs_network_check;
// Listens. The parameters but the token are kept as they are: they must live as long as the check.
enum rs_status rs_network_check_open(const struct rs_network_check_params *params, struct rs_network_check **check,
                                     struct rs_error *error);
void rs_network_check_close(struct rs_network_check *check); // NULL is fine
void rs_network_check_end(const struct rs_network_check *check, struct rs_network_end *end);
// Every rank calls it at about the same time, with the ends of all. Connects to each peer, proves both sides by the
// token, and answers each peer that connects; so both directions of every pair are tried, all at once. Blocks until all
// of that has an outcome: links[r] of rank_count; at the longest rs_network_check_limit.
enum rs_status rs_network_check_run(struct rs_network_check *check, const struct rs_network_end *ends,
                                    struct rs_network_link *links, struct rs_error *error);
// Connections at the listener that did not prove to be of this launch, so far.
size_t rs_network_check_strangers(const struct rs_network_check *check);
int64_t rs_network_check_limit(const struct rs_network_check_params *params);

// What is wrong with the network of a launch, for people.
enum rs_network_trouble {
  RS_TROUBLE_LOOPBACK,     // a loopback address, though there are other hosts
  RS_TROUBLE_SAME_ADDRESS, // two hosts have one address
  RS_TROUBLE_PUBLIC,       // a public address among private ones
  RS_TROUBLE_NO_ANSWER,
  RS_TROUBLE_REFUSED,
  RS_TROUBLE_UNREACHABLE,
  RS_TROUBLE_HANDSHAKE, // closed, silent, or a stranger
  RS_TROUBLE_SHORT_ONLY,
  RS_TROUBLE_PATH_MTU, // smaller than both interfaces'
  RS_TROUBLE_MTU,      // interfaces differ
  RS_TROUBLE_CLOCK,    // more than a second apart
  RS_TROUBLE_COUNT
};
struct rs_network_finding {
  enum rs_network_trouble trouble;
  uint32_t rank, peer; // from, to; equal: of this rank alone
  uint32_t pairs;      // of ranks of the same two hosts (or ranks of the host) that it stands for
  char words[120];     // "no answer in 4 s; the other way works"
};
struct rs_network_findings {
  struct rs_network_finding *items; // by trouble, causes before their effects; then by rank
  size_t count;
};
// Of the placement: hostname and boot_id of hosts, host of ranks. links: row r is what rank r found. Fails for lack of
// memory only.
enum rs_status rs_network_judge(const struct rs_placement *placement, const struct rs_network_end *ends,
                                const struct rs_network_link *links, int64_t timeout_ns,
                                struct rs_network_findings *findings, struct rs_error *error);
void rs_network_findings_fini(struct rs_network_findings *findings); // {0} is fine
// What it is called and what to do about it, in one line. ports: "ports 40000-40999", or "all TCP ports".
void rs_network_advise(enum rs_network_trouble trouble, const char *ports, struct rs_text *text);
// "MTU 9001 both ways, private addresses of 2 subnets, clocks within a second", when there are no findings.
void rs_network_praise(const struct rs_placement *placement, const struct rs_network_end *ends,
                       const struct rs_network_link *links, struct rs_text *text);

#endif
