// fabric: a model of a network. Links by distance class, NICs and network layers that flows share.
//
// One description serves the emulated transport, the simulator, and the choice of a rank order. A message of S bytes
// from rank a to rank b:
//   - leaves in order on its flow (rank pair and lane), at most at the link's flow rate;
//   - passes queues that others share, first come, first served, cut-through: the egress of a's NIC, the uplinks of the
//     layers it climbs, the downlinks of those it descends, the ingress of b's NIC. A queue of rate B is busy S / B;
//   - and takes the link's latency once, before the last queue. Ranks of one host meet no queue but their flow.
// For an idle fabric the time is latency + S / (the least rate on the way).
#ifndef RINGSIDE_FABRIC_H
#define RINGSIDE_FABRIC_H

#include "ringside/base.h"
#include "ringside/options.h"
#include "ringside/topology.h"

// ---- description ------------------------------------------------------------------------------------------

enum rs_jitter { RS_JITTER_NONE, RS_JITTER_UNIFORM, RS_JITTER_EXPONENTIAL, RS_JITTER_LOGNORMAL };
extern const char *const rs_jitter_names[]; // NULL-terminated

// Between two ranks at one distance. latency_ns 0: the file does not say, so no two ranks may be that far apart; but
// for NUMA, which then is as HOST.
struct rs_fabric_link {
  int64_t latency_ns;  // one way, of the first byte
  uint64_t flow_bit_s; // the most that one flow gets; 0: what the queues give
  int64_t jitter_ns;   // added to the latency: uniform in 0 .. jitter, or the mean of the other distributions
  uint64_t jitter;     // enum rs_jitter
  double loss;         // of packets; each costs the flow `retransmit_ns`
};

// Filled from YAML through rs_fabric_groups. Layout is a regular tree, in which ranks fill hosts one after the other;
// it places the ranks of an emulation, and says nothing where real hosts are placed.
struct rs_fabric {
  struct rs_string name;     // "aws-cluster"
  struct rs_string strategy; // "cluster", "spread", ...: becomes the placement group of emulated hosts
  // layout.*
  uint64_t zones, racks, hosts, ranks; // racks per zone, hosts per rack, ranks per host (0: ranks spread evenly)
  uint64_t shuffle;                    // 0: ranks in order; else a seed by which they are dealt out to the places
  // nic.*, rack.*, zone.*
  uint64_t egress_bit_s, ingress_bit_s; // of a host; 0: no limit
  double rack_oversubscription; // rate of a rack's hosts (of the placement) over that of its uplink; 0: no limit
  double zone_oversubscription; // the same of a zone's hosts; hosts of which rack or zone is not known meet no layer
  uint64_t mtu;                 // bytes of a packet, for loss
  int64_t retransmit_ns;        // what a lost packet delays its flow by
  struct rs_fabric_link
      links[RS_DISTANCE_COUNT]; // by distance: numa.*, host.*, leaf.*, spine.*, region.*, world.*, zone.*
};
// The option groups of one fabric, for the caller's options; `groups` has room for RS_FABRIC_GROUPS.
#define RS_FABRIC_GROUPS 16
struct rs_options rs_fabric_options(struct rs_fabric *fabric, struct rs_option_group groups[RS_FABRIC_GROUPS]);
// Defaults, then the file. USAGE with file:line:column for what cannot be read or cannot be true.
enum rs_status rs_fabric_load(const char *path, struct rs_fabric *fabric, struct rs_error *error);
enum rs_status rs_fabric_parse(const char *name, const char *text, size_t bytes, struct rs_fabric *fabric,
                               struct rs_error *error);
// Appends it as YAML that reads back as the same.
void rs_fabric_format(const struct rs_fabric *fabric, struct rs_text *text);

// ---- where ranks sit --------------------------------------------------------------------------------------

// The placement of `rank_count` ranks on the layout. Hosts are called NAME-zZ-rR-hH, in zone "zZ", with network path
// "zZ/rR" and the strategy as placement group; all other facts are copied from `like`, if given (a real host that
// stands in for all of them), but for the names of one thing: zone_id, instance_id, physical_host. Ranks that spread
// evenly fill all hosts, or every n-th host where there are fewer ranks. Ranks are bound to nothing. USAGE when the
// layout has too few places. The caller ends it with rs_placement_fini.
enum rs_status rs_fabric_place(const struct rs_fabric *fabric, size_t rank_count, const struct rs_host_facts *like,
                               struct rs_placement *placement, struct rs_error *error);

// ---- a fabric under given ranks ---------------------------------------------------------------------------

// What every message between two ranks meets. Queues are those of the map, in the order of the way.
#define RS_FABRIC_WAY_MAX 8
struct rs_fabric_way {
  enum rs_distance distance;
  const struct rs_fabric_link *link;
  size_t queue_count, near_count; // the first near_count lie before the latency: egress and uplinks of the source
  uint32_t queues[RS_FABRIC_WAY_MAX];
};

// Fabric and placement together; both must outlive it.
struct rs_fabric_map {
  const struct rs_fabric *fabric;
  const struct rs_placement *placement;
  size_t queue_count;
  uint64_t *queue_bit_s; // rate of each queue; a queue without limit does not exist
  char (*queue_names)[64];
  uint32_t *host_queues; // private to fabric
};
// USAGE: two ranks are at a distance that the fabric does not describe; names both, the class, and the file's key.
enum rs_status rs_fabric_map_open(const struct rs_fabric *fabric, const struct rs_placement *placement,
                                  struct rs_fabric_map *map, struct rs_error *error);
void rs_fabric_map_fini(struct rs_fabric_map *map); // {0} is fine
void rs_fabric_way(const struct rs_fabric_map *map, size_t source, size_t target, struct rs_fabric_way *way);

// A draw of the link's jitter; 0 without. Lognormal has a deviation of 1 in its logarithm.
int64_t rs_fabric_jitter_ns(const struct rs_fabric_link *link, struct rs_random *random);

// Picoseconds that `bytes` take at a rate, rounded up; 0 for rate 0 (no limit).
int64_t rs_fabric_serial_ps(uint64_t bytes, uint64_t bit_s);
// Time in ps of one message on an idle fabric, without jitter and loss.
int64_t rs_fabric_message_ps(const struct rs_fabric_map *map, size_t source, size_t target, uint64_t bytes);

// ---- fit --------------------------------------------------------------------------------------------------

// Measured one-way times: half of a ping-pong, or a stream's time per message.
struct rs_fabric_point {
  enum rs_distance distance;
  uint32_t launch; // launches are what replicates
  uint64_t bytes;
  bool streaming; // time per message of a stream: no latency in it
  double time_ns;
};
// A parameter with its 95% interval; NaN: the points do not tell.
struct rs_fabric_estimate {
  double value, low, high;
};
// LogGP (Alexandrov et al. 1995), as far as the points tell: latency of the first byte with all overheads, time per
// byte of a message alone, time per byte in a stream, and the gap between short messages of a stream.
struct rs_fabric_fitted {
  enum rs_distance distance;
  size_t points, launches;
  struct rs_fabric_estimate latency_ns, byte_ps, stream_byte_ps, gap_ns;
};
// fitted: RS_DISTANCE_COUNT rows; `points` is 0 where there were none. `seed` is the bootstrap's.
enum rs_status rs_fabric_fit(const struct rs_fabric_point *points, size_t count, uint64_t seed,
                             struct rs_fabric_fitted fitted[RS_DISTANCE_COUNT], struct rs_error *error);

#endif
