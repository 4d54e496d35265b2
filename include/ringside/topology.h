// topology: who sits where. Facts about hosts and ranks from hwloc, /proc and /sys; later from the clouds.
#ifndef RINGSIDE_TOPOLOGY_H
#define RINGSIDE_TOPOLOGY_H

#include "ringside/base.h"

// One host. Fixed-size text, so that the struct travels through `world` as bytes. Empty text, 0 or -1: unknown.
struct rs_host_facts {
  char hostname[64];
  char boot_id[40]; // names the kernel: equal on every rank of one real machine, whatever its hostname
  char cloud[16], instance_type[48], region[32], zone[32], placement_group[64], network_path[128];
  int32_t partition;
  char cpu[64];
  uint32_t cores, processing_units, numa_nodes;
  uint64_t memory_bytes, memory_available_bytes;
  char kernel[64];
  char congestion_control[16];
};
struct rs_rank_facts {
  uint32_t host;        // index among the launch's hosts, in order of their lowest rank
  uint32_t local_rank;  // among the ranks of that host
  uint32_t local_ranks; // ranks on that host
  char cpus[128];       // bound CPUs as a list: "0-3,8"; the whole machine when unbound
  bool bound;
  int32_t numa_node; // -1: several or unknown
  int32_t pid;
};

struct rs_topology; // this process's view: hwloc topology and facts
enum rs_status rs_topology_open(struct rs_topology **topology, struct rs_error *error);
void rs_topology_close(struct rs_topology *topology); // NULL is fine
const struct rs_host_facts *rs_topology_host(const struct rs_topology *topology);
// Fills cpus, bound, numa_node, pid; the rest is 0 until rs_topology_gather.
void rs_topology_rank(const struct rs_topology *topology, struct rs_rank_facts *facts);
// hwloc's XML, NUL-terminated; owned by the topology.
const char *rs_topology_xml(const struct rs_topology *topology);
void rs_topology_library(char *text, size_t bytes); // "hwloc 2.9.0"

// The whole launch; every rank gets all of it.
struct rs_placement {
  size_t host_count, rank_count;
  struct rs_host_facts *hosts;
  struct rs_rank_facts *ranks;
};
// Collective. Ranks are on one host when hostname and boot_id agree. (Namespaces with hostnames of their own count as
// hosts; they still share a machine, see rs_placement_oversubscribed.)
enum rs_status rs_placement_gather(struct rs_world *world, const struct rs_topology *topology,
                                   struct rs_placement *placement, struct rs_error *error);
void rs_placement_fini(struct rs_placement *placement); // {0} is fine
// True when the ranks that share the machine (boot_id) of `rank` outnumber its cores that they may use.
bool rs_placement_oversubscribed(const struct rs_placement *placement, size_t rank);

#endif
