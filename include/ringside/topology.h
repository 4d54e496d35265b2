// topology: who sits where. Facts about hosts and ranks from hwloc, /proc and /sys, from the cloud's metadata service,
// from the scheduler and from an operator's file; how far two ranks are; which order of ranks suits that best.
#ifndef RINGSIDE_TOPOLOGY_H
#define RINGSIDE_TOPOLOGY_H

#include "ringside/base.h"

// One host. Fixed-size text, so that the struct travels through `world` as bytes. Empty text, 0 or -1: unknown.
struct rs_host_facts {
  char hostname[64];
  char boot_id[40]; // names the kernel: equal on every rank of one real machine, whatever its hostname
  char cloud[16], instance_type[48], region[32], zone[32], placement_group[64];
  char network_path[128]; // the network nodes above the host, top first, separated by '/': "nn-1/nn-7/nn-9"
  int32_t partition;      // of a partition placement group, fault domain of an Azure scale set; -1: none
  char cpu[64];
  uint32_t cores, processing_units, numa_nodes;
  uint64_t memory_bytes, memory_available_bytes;
  char kernel[64];
  char congestion_control[16];
  // Files of before these were recorded read as empty.
  char instance_id[64], zone_id[32]; // zone_id: AWS's name for a zone that is the same in every account
  char physical_host[64];            // the machine below the instance, where the cloud tells
  char network[64], subnet[64];      // VPC or VNet, and subnet, of the primary interface
};
struct rs_rank_facts {
  uint32_t host;        // index among the launch's hosts, in order of their lowest rank
  uint32_t local_rank;  // among the ranks of that host
  uint32_t local_ranks; // ranks on that host
  char cpus[128];       // bound CPUs as a list: "0-3,8"; the whole machine when unbound
  bool bound;
  int32_t numa_node; // -1: several or unknown
  int32_t pid;
  char binding[160]; // what ringside did about it, in words; empty: nothing, or a file of before this was recorded
};

struct rs_topology; // this process's view: hwloc topology and facts
enum rs_status rs_topology_open(struct rs_topology **topology, struct rs_error *error);
void rs_topology_close(struct rs_topology *topology); // NULL is fine
const struct rs_host_facts *rs_topology_host(const struct rs_topology *topology);
// Fills cpus, bound, numa_node, pid; the rest is 0 until rs_topology_gather.
void rs_topology_rank(const struct rs_topology *topology, struct rs_rank_facts *facts);
// Replaces what is known of this host, for what knows more than the system; before rs_placement_gather.
void rs_topology_set_host(struct rs_topology *topology, const struct rs_host_facts *facts);
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
// True when two hosts are one: hostname and boot_id agree.
bool rs_host_same(const struct rs_host_facts *a, const struct rs_host_facts *b);
// Ranks on the machine (boot_id) of `rank`, itself included, whatever the hosts on it are called.
size_t rs_placement_machine_ranks(const struct rs_placement *placement, size_t rank);
// True when the ranks that share the machine (boot_id) of `rank` outnumber its cores that they may use.
bool rs_placement_oversubscribed(const struct rs_placement *placement, size_t rank);

// ---- cloud: what the metadata service says of this instance ------------------------------------------------

// Which cloud is asked: the one that the firmware names (rs_host_facts.cloud, of rs_topology_open), none, or this one.
enum rs_cloud { RS_CLOUD_AUTO, RS_CLOUD_OFF, RS_CLOUD_AWS, RS_CLOUD_GCP, RS_CLOUD_AZURE, RS_CLOUD_COUNT };
extern const char *const rs_cloud_names[]; // "auto", "off", "aws", "gcp", "azure"; NULL-terminated

struct rs_cloud_params {
  enum rs_cloud cloud;
  // Where each cloud is asked: "HOST:PORT" or "http://HOST:PORT". NULL: AWS_EC2_METADATA_SERVICE_ENDPOINT or
  // GCE_METADATA_HOST if the environment has it, as the clouds' own tools do; else the cloud's own address.
  const char *endpoints[RS_CLOUD_COUNT];
  int64_t timeout_ns, total_ns; // for one request, for all together; 0: 1 s and 3 s
  bool redact;      // as rs_redact_append does, in `raw` and `note`; for facts there is rs_host_facts_redact
  const char *root; // "" or NULL: the real /; tests give a tree of their own
};

// Asks the cloud, blocking for total_ns at most, and only where there is one to ask. Into `facts`, as far as told:
//   cloud, instance_type, instance_id, region, zone, placement_group, physical_host
//   zone_id, partition, network (VPC), subnet    AWS
//   network_path, network                        GCP: cluster/block/subBlock
//   partition, subnet                            Azure: fault domain of a scale set; addresses of the subnet
// `raw` gets every path that was asked and its answer, indented, at most 64 KiB each and 256 KiB in all, printable
// ASCII. Left out of it are AWS's token, and of Azure's answer what may hold secrets (user data, tags, keys, names of
// users). Never a reason to end a run: RS_OK when all went well or there was nothing to ask, else what the first
// trouble was, and `note` gets one line for people about it, without a newline. What was read until then is kept.
enum rs_status rs_cloud_read(const struct rs_cloud_params *params, struct rs_host_facts *facts, struct rs_text *raw,
                             struct rs_text *note);

// The library that asks. init: once per process, before the first rs_cloud_read and while no other thread runs; fini
// after the last. Both do nothing in a build without it, and rs_cloud_library then returns false.
enum rs_status rs_cloud_init(struct rs_error *error);
void rs_cloud_fini(void);
bool rs_cloud_library(char *text, size_t bytes); // "libcurl 7.88.1", "built without libcurl"

// ---- redact: names for things that do not tell whose they are ----------------------------------------------

// Appends `words` with each identifier of an account's things replaced: "i-0abc..." becomes "i-redacted-3fa91c07".
// Known are the ids of instances, interfaces, networks and the like, MAC and IP addresses (also in "ip-10-0-0-1"),
// UUIDs, and numbers of ten digits or more. Equal things stay equal, also across runs. It is a pseudonym and no secret:
// who knows the id can recompute it.
void rs_redact_append(struct rs_text *text, const char *words);
// Replaces a field's content by its pseudonym (whole), or the identifiers in it.
void rs_redact_field(char *field, size_t field_bytes, bool whole);
// What of the facts is an identifier of somebody's. Zones, types and the network's path stay: they are the cloud's own,
// and what placements are compared by. After the operator's file was laid over them, which finds hosts by identifiers.
void rs_host_facts_redact(struct rs_host_facts *facts);

// ---- distance: how far two ranks are -----------------------------------------------------------------------

// Classes, near to far. A class is what the facts allow to say: two hosts of which nothing is known are ZONE apart.
enum rs_distance {
  RS_DISTANCE_SELF,
  RS_DISTANCE_NUMA,   // one NUMA node of one host
  RS_DISTANCE_HOST,   // one host
  RS_DISTANCE_LEAF,   // the lowest network node (rack switch) is the same
  RS_DISTANCE_SPINE,  // some network node above it is the same
  RS_DISTANCE_ZONE,   // one zone, no common network node known
  RS_DISTANCE_REGION, // two zones of a region
  RS_DISTANCE_WORLD,  // two regions
  RS_DISTANCE_COUNT
};
extern const char *const rs_distance_names[]; // "self", "numa", ...; NULL-terminated
enum rs_distance rs_host_distance(const struct rs_host_facts *a, const struct rs_host_facts *b); // HOST or farther
// Groups of ranks that are nearer to one another than `boundary`, numbered in the order of their first rank in `ranks`:
// groups[i] is that of ranks[i]. Distances are those of a tree, so that this is a partition.
void rs_placement_groups(const struct rs_placement *placement, const uint32_t *ranks, size_t count,
                         enum rs_distance boundary, uint32_t *groups);
enum rs_distance rs_placement_distance(const struct rs_placement *placement, size_t rank_a, size_t rank_b);

// ---- rank order: which rank stands where in a schedule ------------------------------------------------------

// A schedule numbers its positions 0 .. n-1; an order says which rank stands at each: ranks[position]. The order sought
// is the one of the least sum, over all positions a and b, of weight[a][b] x cost[ranks[a]][ranks[b]]: what position a
// sends to position b, times what that costs between the two ranks. Positions and ranks are numbered to n-1.
struct rs_rank_order_request {
  uint32_t rank_count;
  const double *weight;  // rank_count x rank_count, row = sender; NULL: a ring, every position sends 1 to the next
  const double *cost;    // the same, row = sending rank; not negative; diagonals are not looked at
  const uint32_t *given; // the order that is to be beaten; NULL: ascending
};
struct rs_rank_order {
  uint32_t rank_count;
  uint32_t *ranks;         // the given order where no other is better
  double cost, given_cost; // of `ranks` and of the given order
  double bound;            // no order costs less
  bool exact;              // `ranks` is as good as any
};
// Deterministic, and never worse than the given order. Rings of up to 16 ranks are exact, and so is what a bounded
// search can finish (a few classes of interchangeable ranks do that for some dozens). Above it is a heuristic with a
// bound, which meets it where costs are classes of distance. 1,024 ranks of a ring take seconds at most. USAGE when a
// cost or a weight is negative or no number.
enum rs_status rs_rank_order_find(const struct rs_rank_order_request *request, struct rs_rank_order *order,
                                  struct rs_error *error);
void rs_rank_order_fini(struct rs_rank_order *order); // {0} is fine

// Costs where nothing was measured: each class of distance is ten times as dear as the one below.
void rs_rank_order_distance_costs(const struct rs_placement *placement, double *cost);

// An order as a file: our own format, or what makes a launcher start the ranks so that the new rank p is where
// ranks[p] was.
enum rs_rank_order_format {
  RS_RANK_ORDER_OWN,      // a line "RANK HOSTNAME" for each position, '#' begins a comment
  RS_RANK_ORDER_RANKFILE, // Open MPI: mpirun --rankfile
  RS_RANK_ORDER_HOSTFILE, // Open MPI: mpirun --map-by seq --hostfile
  RS_RANK_ORDER_SLURM,    // SLURM_HOSTFILE with srun --distribution=arbitrary
  RS_RANK_ORDER_MPICH,    // mpiexec -f
  RS_RANK_ORDER_FORMAT_COUNT
};
extern const char *const rs_rank_order_format_names[]; // "order", "openmpi-rankfile", ...; NULL-terminated
void rs_rank_order_format(enum rs_rank_order_format format, const struct rs_placement *placement, const uint32_t *ranks,
                          struct rs_text *text);
// Reads our own format; `ranks` has placement->rank_count entries. A host name may be left out; where it is given, the
// rank must be on that host, so that the order of another launch is not taken for this one's. USAGE with file:line for
// what is no rank, comes twice, is missing, or sits elsewhere.
enum rs_status rs_rank_order_load(const char *path, const struct rs_placement *placement, uint32_t *ranks,
                                  struct rs_error *error);

// ---- devices: the network interfaces, RDMA devices and GPUs of a host --------------------------------------

enum rs_host_device_kind { RS_HOST_DEVICE_NIC, RS_HOST_DEVICE_RDMA, RS_HOST_DEVICE_GPU };
extern const char *const rs_host_device_kind_names[]; // "nic", "rdma", "gpu"; NULL-terminated

// Empty text, 0 or -1: unknown, or it does not apply.
struct rs_host_device {
  char name[32]; // "eth0", "mlx5_0"; a GPU without a name of its own has its PCI address
  enum rs_host_device_kind kind;
  char pci[16];        // "0000:17:00.0"
  int32_t numa_node;   // -1: none is nearer than the others, or unknown
  char cpus[128];      // those near it, as a list
  uint64_t speed_mbit; // of the link
  uint64_t mtu;
  char driver[32];
  char address[64]; // the first IPv4 address, else the first global IPv6 address
  char model[64];   // "Vendor Device", or the numbers "15b3:101b"
  char rdma_of[32]; // an RDMA device's network interface; an interface's RDMA device
  bool up;          // a NIC or an RDMA port that has its link
  bool loopback;
  bool is_virtual; // no hardware of its own: lo, veth, tun, bridge, Soft-RoCE
};

// The machine as a whole. Counts are of what this process may use, whatever it is bound to.
struct rs_machine_summary {
  uint32_t packages, numa_nodes, cores, processing_units;
  uint32_t l3_caches;
  uint64_t l3_bytes, l3_largest_bytes; // of all L3 caches together, of the largest
};

// Both return how many devices there are and write the first `max` of them. Virtual interfaces that are down are left
// out.
size_t rs_topology_devices(const struct rs_topology *topology, struct rs_host_device *devices, size_t max);
void rs_topology_summary(const struct rs_topology *topology, struct rs_machine_summary *summary);
// The same from the XML of a result file, which may be damaged or forged: USAGE, nothing written. In files of before
// devices were recorded there is no virtual device, and speed, mtu, driver, address, rdma_of and up are unknown.
enum rs_status rs_topology_xml_devices(const char *xml, struct rs_host_device *devices, size_t max, size_t *count,
                                       struct rs_error *error);
enum rs_status rs_topology_xml_summary(const char *xml, struct rs_machine_summary *summary, struct rs_error *error);

enum rs_nearness {
  RS_NEAR_NUMA,    // one NUMA node
  RS_NEAR_PACKAGE, // one package
  RS_NEAR_MACHINE, // another package
  RS_NEAR_UNKNOWN, // the device is near no CPUs in particular, as virtual ones are
};
struct rs_near_device {
  struct rs_host_device device;
  enum rs_nearness nearness;
};
// The devices, nearest to the CPUs of this list ("0-3,8") first; among equals, those that are up, then the faster ones.
// Returns how many were written: `max` at most, 0 without memory.
size_t rs_topology_near(const struct rs_topology *topology, const char *cpus, struct rs_near_device *near, size_t max);
// True, with one sentence, when the rank runs on one NUMA node and the device is on another:
// "rank 3 runs on NUMA node 1 but its NIC eth0 is on node 0". Otherwise false and empty text.
bool rs_host_device_warn(const struct rs_host_device *device, size_t rank, const struct rs_rank_facts *facts,
                         char *text, size_t text_bytes);

// ---- binding: which CPUs and which memory a rank uses ------------------------------------------------------

enum rs_bind_policy {
  RS_BIND_AUTO, // like core, but what the launcher has bound stays
  RS_BIND_OFF,
  RS_BIND_CORE, // cores of its own, as many for each rank, all in one NUMA node
  RS_BIND_NUMA, // all cores of one NUMA node
};
extern const char *const rs_bind_policy_names[]; // "auto", "off", "core", "numa"; NULL-terminated

struct rs_bind_params {
  enum rs_bind_policy policy;
  uint32_t local_rank, local_ranks; // among the ranks that share these CPUs: rs_placement_share
  const char *interface;            // the NIC or RDMA device in use; NULL or "": none, or not known
};
struct rs_bind_result {
  bool bound;      // to CPUs, by this call
  bool memory;     // memory placed, by this call
  char words[160]; // what was done, or why not: "CPUs 0-3 (4 cores) on NUMA node 0, near eth0, memory there"
};
// Binds the calling thread, and the threads that it will start. Cores near the interface come first; one rank gets all
// hardware threads of a core. More ranks than cores: nothing is done. Memory is preferred, not forced: when a node is
// full, others serve. What the kernel refuses (as containers do) is said in `words` and is no error.
enum rs_status rs_topology_bind(const struct rs_topology *topology, const struct rs_bind_params *params,
                                struct rs_bind_result *result, struct rs_error *error);
// The place of a rank among those that share its CPUs: same machine (boot_id), same list of CPUs or bound to
// some of them. Hosts that are network namespaces of one machine share; containers with CPUs of their own do not.
void rs_placement_share(const struct rs_placement *placement, size_t rank, uint32_t *local_rank, uint32_t *local_ranks);
// Collective: every rank binds itself, and `placement` then tells everyone's cpus, bound, numa_node and binding.
enum rs_status rs_placement_bind(struct rs_world *world, const struct rs_topology *topology, enum rs_bind_policy policy,
                                 const char *interface, struct rs_placement *placement, struct rs_error *error);

// ---- counters: what this host and this process have done so far -------------------------------------------

// A snapshot, taken before and after something, explains why it took so long. Names:
//   cpu.{user,nice,system,idle,iowait,irq,softirq,steal}_ns   all CPUs together; user includes guests
//   cpu.run_queue_wait_ns, cpu.runnable                       waiting for a CPU, all tasks; how many run or wait (now)
//   nic.IF.{rx,tx}_{bytes,packets,errors,dropped}, nic.IF.rx_missed_errors, nic.IF.DRIVERS_OWN   interfaces that are up
//   rdma.DEVICE.PORT.NAME                                     of RDMA devices: the standard's counters and their own
//   tcp.RetransSegs ..., ip.InCEPkts                          of /proc/net/snmp and netstat, by the kernel's names
//   process.{voluntary,involuntary}_switches, process.{minor,major}_faults, process.{user,system}_ns
//   thread.cpu_ns, thread.run_queue_wait_ns                   on a CPU and waiting for one, the calling thread
// What a system does not tell is left out.
enum rs_counter_scope { RS_COUNTER_HOST = 1, RS_COUNTER_RANK = 2 };
struct rs_counter {
  enum rs_counter_scope scope;
  char name[64];
  int64_t value;
};
struct rs_counters {
  struct rs_counter *items;
  size_t count, capacity;
};
// Reads the counters of these scopes, a sum of rs_counter_scope, in an order that only differs between two calls if
// interfaces come or go. Takes about a millisecond with the host's. Fails for lack of memory only.
enum rs_status rs_counters_read(unsigned scopes, struct rs_counters *counters, struct rs_error *error);
// Appends one of the caller's own.
enum rs_status rs_counters_add(struct rs_counters *counters, enum rs_counter_scope scope, const char *name,
                               int64_t value, struct rs_error *error);
void rs_counters_fini(struct rs_counters *counters); // {0} is fine

#define RS_COUNTER_UNKNOWN INT64_MIN
// before->items[index] has the value `after` now; RS_COUNTER_UNKNOWN: it is gone.
struct rs_counter_change {
  size_t index;
  int64_t after;
};
// Writes the counters that changed, in the order of `before`, and returns how many; `changes` has room for
// before->count.
size_t rs_counters_compare(const struct rs_counters *before, const struct rs_counters *after,
                           struct rs_counter_change *changes);

// ---- environment: how this host is set up, constant during a run ------------------------------------------

#define RS_ENVIRONMENT_FACTS_MAX 96
struct rs_environment_fact {
  char key[48]; // "cpu.governor", "kernel.clocksource"; docs/results-format.md lists them
  char value[208];
};
struct rs_environment {
  struct rs_environment_fact facts[RS_ENVIRONMENT_FACTS_MAX];
  size_t count;
};
// What the system does not tell, as often in containers and virtual machines, is left out.
void rs_environment_read(struct rs_environment *environment);
// Appends as many of the other's facts as there is room for.
void rs_environment_append(struct rs_environment *environment, const struct rs_environment *other);

// ---- topology file: what an operator knows of the hosts ----------------------------------------------------

// One of three formats, told apart by content (docs/topology.md): YAML of ours, the JSON that `aws ec2
// describe-instance-topology` prints, and Slurm's topology.conf. At most 16 MiB and 65,536 hosts.
struct rs_topology_file;
// USAGE with file:line:column for whatever is wrong with the file itself: syntax, unknown keys, a host or switch twice,
// a host under two switches, a switch that is unknown or its own parent.
enum rs_status rs_topology_file_load(const char *path, struct rs_topology_file **file, struct rs_error *error);
// The same from memory; `name` stands for the path in messages.
enum rs_status rs_topology_file_parse(const char *name, const char *text, size_t bytes, struct rs_topology_file **file,
                                      struct rs_error *error);
void rs_topology_file_close(struct rs_topology_file *file); // NULL is fine
// Overrides what the file says of each host that it names: by hostname (of which one side may lack the domain; case
// does not matter), else by instance_id. A host that the file lacks is a USAGE error, and then nothing has changed; it
// is a line in `warnings` when the file says `partial: true`, or is AWS's, which lists instances only.
enum rs_status rs_topology_file_apply(const struct rs_topology_file *file, struct rs_placement *placement,
                                      struct rs_text *warnings, struct rs_error *error);

// ---- scheduler: what Slurm and Kubernetes tell -------------------------------------------------------------

// Fills empty fields of `facts` from this process's environment and, under Kubernetes, from the node's labels
// (/etc/podinfo/labels, or the file that RINGSIDE_NODE_LABELS names); appends "slurm.job_id", "kubernetes.node" and so
// on to `environment`. Neither may be NULL. What is not told is left as it is.
void rs_scheduler_read(struct rs_host_facts *facts, struct rs_environment *environment);

// ---- reach: where an address leads -------------------------------------------------------------------------

// Link-local counts as private.
enum rs_reach { RS_REACH_UNKNOWN, RS_REACH_LOOPBACK, RS_REACH_PRIVATE, RS_REACH_PUBLIC };
enum rs_reach rs_address_reach(const char *interface, const char *address); // address: without a port

// ---- view: a placement for people --------------------------------------------------------------------------

// What a rank talks through. Empty text, 0, or -1: unknown.
struct rs_rank_device {
  uint32_t rank;
  char transport[24], interface[32], address[64];
  uint64_t speed_mbit, mtu;
  int32_t numa_node;
};
// A placement, and what the run says of it. Nothing is owned.
struct rs_placement_view {
  const struct rs_placement *placement;
  const struct rs_rank_device *devices;
  size_t device_count;
  const char *strategy; // asked for, as --label placement= says: "cluster", "spread", ...; NULL: it does not say
  size_t claimed_hosts; // hosts that the run claims to use, as --label hosts= says; 0: it does not say
  const char *fabric;   // the emulated fabric whose hosts these are; NULL: they are real
};
// Appends the tree region / zone / network nodes / host / NUMA node and interface, with the ranks in it.
void rs_placement_tree(const struct rs_placement_view *view, struct rs_text *text);
// Appends the distances between ranks: how many pairs of each class, and who is how far from whom, by rank where there
// are few ranks and else by host.
void rs_placement_distances(const struct rs_placement *placement, struct rs_text *text);
// pairs[class]: how many pairs of two ranks are that far apart.
void rs_placement_count_distances(const struct rs_placement *placement, uint64_t pairs[RS_DISTANCE_COUNT]);
// Appends a line for each thing that contradicts what was asked for or that makes figures doubtful: what, which hosts
// or ranks, what to do. Returns the number of lines. Hosts of an emulated fabric are one machine and its loopback,
// which is not held against them.
size_t rs_placement_warnings(const struct rs_placement_view *view, struct rs_text *text);

#endif
