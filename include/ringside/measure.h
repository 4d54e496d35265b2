// measure: from a configuration to samples. Config, plan of cases, verifiable input, runner.
#ifndef RINGSIDE_MEASURE_H
#define RINGSIDE_MEASURE_H

#include "ringside/base.h"
#include "ringside/baseline.h"
#include "ringside/collective.h"
#include "ringside/execute.h"
#include "ringside/memory.h"
#include "ringside/options.h"
#include "ringside/store.h"
#include "ringside/topology.h"
#include "ringside/transport.h"

// ---- configuration ----------------------------------------------------------------------------------------

enum rs_mode { RS_MODE_ISOLATED, RS_MODE_STREAMING };
extern const char *const rs_mode_names[]; // NULL-terminated

// How ranks enter an iteration together: at an announced time on the common clock, or after a barrier of our own. AUTO
// is by time, and by barrier in a case in which ranks come late whatever the pace.
enum rs_start { RS_START_AUTO, RS_START_TIME, RS_START_BARRIER };
extern const char *const rs_start_names[]; // NULL-terminated

enum rs_benchmark { RS_BENCHMARK_COLLECTIVE, RS_BENCHMARK_P2P, RS_BENCHMARK_REDUCE };
extern const char *const rs_benchmark_names[]; // NULL-terminated

// Which ranks point-to-point benchmarks pair: every two, in the rounds of a tournament; r with r + n/2, all at once; or
// the first with the last alone.
enum rs_pairs { RS_PAIRS_ALL, RS_PAIRS_HALVES, RS_PAIRS_ENDS };
extern const char *const rs_pairs_names[]; // NULL-terminated

// What the ranks that are not measured do meanwhile; see src/measure/congestor.c.
enum rs_congestor { RS_CONGESTOR_NONE, RS_CONGESTOR_INCAST, RS_CONGESTOR_ALLTOALL, RS_CONGESTOR_RING };
extern const char *const rs_congestor_names[]; // NULL-terminated

// Which ranks hierarchical algorithms take for near one another. AUTO: those of a zone where there are several, or of a
// region; else those of a host.
enum rs_group_by { RS_GROUP_AUTO, RS_GROUP_HOST, RS_GROUP_LEAF, RS_GROUP_SPINE, RS_GROUP_ZONE, RS_GROUP_REGION };
extern const char *const rs_group_by_names[]; // NULL-terminated

// In struct rs_config's `algorithms` and `chunks`: what is best for the transport, the ranks and the size, by the table
// of src/measure/auto_table.c. The plan's cases hold what that is.
#define RS_ALGORITHM_AUTO "auto"
#define RS_CHUNK_AUTO RS_SIZE_WORD(0)

// Filled through rs_sweep_options (keys at the top level), rs_run_options ("run.*") and rs_sample_options
// ("samples.*"). Names of algorithms, baselines and transports stay words here; rs_plan_make resolves them.
struct rs_config {
  // the sweep
  struct rs_uint_list benchmarks;      // enum rs_benchmark
  struct rs_uint_list collectives;     // enum rs_collective
  struct rs_uint_list point_to_points; // enum rs_collective, counted from RS_PINGPONG
  struct rs_uint_list roots;           // of rooted collectives
  struct rs_uint_list congestors;      // enum rs_congestor
  struct rs_word_list algorithms, baselines, transports;
  struct rs_uint_list datatypes, operations, modes, in_place;
  struct rs_uint_list sizes;  // bytes per rank
  struct rs_uint_list chunks; // bytes; 0: not cut; RS_CHUNK_AUTO
  struct rs_uint_list lanes;
  uint64_t pairs; // enum rs_pairs
  // run.*
  uint64_t group_by;       // enum rs_group_by
  uint64_t group_size;     // so many consecutive ranks are a group, wherever they are; 0: see group_by
  double skew;             // of alltoallv's blocks, see rs_expert_bounds
  double congestor_share;  // of the ranks
  uint64_t congestor_size; // bytes per rank of one operation of the background traffic
  int64_t timeout_ns, case_time_ns;
  int64_t budget_ns;    // for all cases together; 0: case_time each
  uint64_t start;       // enum rs_start
  uint64_t wait;        // enum rs_wait
  uint64_t seed;        // of the case order and the random checks; 0: drawn by rank 0
  uint64_t threads;     // ranks as threads of this process; 0: no
  uint64_t memory_kind; // enum rs_memory_kind
  uint64_t window;
  uint64_t late_rank; // fault: this rank enters every iteration
  int64_t late_ns;    // later by this; 0: none
  bool probe;         // the delay of every link in use, before the first case
  bool check;         // verify results
  // samples.*
  uint64_t min_iterations, max_iterations, warm_up;
  double interval_width; // stop when (ci_high - ci_low) / median is at most this
  // No option: order[position] is the rank that stands there in the schedules of collectives; every rank once. NULL:
  // ascending. Not owned.
  const uint32_t *order;
};
extern const struct rs_option rs_sweep_options[], rs_run_options[], rs_sample_options[];

// ---- plan -------------------------------------------------------------------------------------------------

// One point of the sweep: a benchmark, and what carries it. One of algorithm, baseline and kernel is set; the transport
// is an algorithm's. A kernel (benchmark reduce) is a kernel set of memory.h, or rs_kernel_set_count() for memcpy.
struct rs_case {
  uint32_t id; // index in the plan
  enum rs_benchmark benchmark;
  enum rs_collective collective; // RS_ALLREDUCE for benchmark reduce
  const struct rs_algorithm *algorithm;
  const struct rs_baseline *baseline;
  size_t kernel;
  const struct rs_transport *transport;
  bool algorithm_auto, chunk_auto;   // chosen by the table, as it was asked for
  const struct rs_transport *inside; // between ranks of one host; NULL: `transport`, as between hosts
  enum rs_mode mode;
  enum rs_datatype datatype;
  enum rs_operation operation;
  bool in_place;
  uint64_t size_bytes, count, chunk_bytes;
  uint32_t lanes, root;
  uint32_t round; // p2p: of the tournament, with pairs = all
  enum rs_congestor congestor;
};
// "ring", "mpi", "avx2"; "auto", whatever the algorithm is that was chosen
const char *rs_case_implementation(const struct rs_case *point);
// What runs, and over what: "ring/tcp", "auto:ring/tcp", "mpi". Returns `text`.
const char *rs_case_program(const struct rs_case *point, char *text, size_t bytes);
// "tcp", "shm+tcp"; "" where the case has none. Returns `text`, of RS_TRANSPORT_BYTES.
#define RS_TRANSPORT_BYTES 24
const char *rs_case_transport(const struct rs_case *point, char *text, size_t bytes);
// "round 3", "halves", "ends"; "" unless the case is point to point. Returns `text`.
const char *rs_case_pairing(const struct rs_case *point, enum rs_pairs pairs, char *text, size_t bytes);
// Whether ranks stand in the order asked for: in collectives by our algorithms. Baselines number ranks as their library
// does, and pairs are named by their ranks.
bool rs_case_ordered(const struct rs_case *point);

struct rs_plan {
  struct rs_case *cases; // in the order of the sweep; the order of running is the runner's
  size_t case_count;
  uint64_t input_max, output_max; // bytes per rank, of all cases
  size_t lanes_max;
  uint32_t rank_count;
  // Ranks whose time counts, and the others, which congest or idle; both ascending. Without congestors: all and none.
  uint32_t *measured, *others;
  uint32_t measured_count, other_count;
  uint32_t *order;  // the measured ranks by their position in the schedules of ordered cases
  uint32_t *groups; // of the rank at each position of `order`
  bool congested;   // some case has background traffic
  size_t left_out;  // combinations that cannot be measured,
  char reason[160]; // and why the first one cannot
};
// Expands a configuration for the ranks placed. USAGE names the unknown algorithm, baseline or transport and lists
// those that exist, or the size that is no multiple of a datatype, or the root beyond the last rank.
enum rs_status rs_plan_make(const struct rs_config *config, const struct rs_placement *placement, struct rs_plan *plan,
                            struct rs_error *error);
void rs_plan_fini(struct rs_plan *plan);

// The pairs of a p2p case, lower rank first and ascending; at most rank_count / 2. Returns how many; 0 for other cases.
// Ranks are those of the world. Only case_id, rank_a and rank_b are set, the figures are NaN.
size_t rs_case_pairs(const struct rs_config *config, const struct rs_plan *plan, const struct rs_case *point,
                     struct rs_pair_row *rows);

// How tokens spread over experts: rank d's share of `elements` falls as 1 / (1 + its place)^skew (Zipf), where places
// are shuffled, the same for every sender; bounds[d] .. bounds[d + 1] is rank d's block, rank_count + 1 entries. skew
// 0: even.
void rs_expert_bounds(uint64_t elements, uint32_t rank_count, double skew, uint64_t *bounds);

// algbw is size / time; busbw scales it by what the busiest link must carry: see struct rs_collective_traits. 1 for one
// rank, so that a figure stands there.
double rs_busbw_factor(enum rs_collective collective, size_t rank_count);

// ---- verifiable input -------------------------------------------------------------------------------------

// Input such that a wrong result cannot look right. Where contributions are joined: leaving out, doubling, or replacing
// by another's any rank's contribution to any 64 neighbouring elements changes the result of sum, avg and prod, up to
// RS_PATTERN_RANKS_MAX ranks, and every datatype computes it exactly in any order. min and max cannot tell a
// contribution that came twice, and take 2 rank_count neighbours to show one that is missing. Where data is moved, any
// 64 neighbouring elements tell whose they are and where they stood. See src/measure/pattern.c for the constructions.
#define RS_PATTERN_RANKS_MAX 4096
struct rs_pattern;
// UNSUPPORTED: avg of uint8, whose few values cannot tell.
enum rs_status rs_pattern_open(enum rs_collective collective, enum rs_datatype datatype, enum rs_operation operation,
                               size_t rank, size_t rank_count, struct rs_pattern **pattern, struct rs_error *error);
void rs_pattern_close(struct rs_pattern *pattern); // NULL is fine
// What the caller of this rank fills of the input; the rest of `input` is left as it is.
void rs_pattern_fill(const struct rs_pattern *pattern, const struct rs_shape *shape, void *input);
// Bytes that are no valid result anywhere, so that stale output cannot pass; over all of the output. In place, before
// the fill.
void rs_pattern_poison(const struct rs_pattern *pattern, const struct rs_shape *shape, void *output);
// Compares every element of the result with what it must be, and out of place that nothing else of the output was
// written. MISMATCH: "element 17: expected 42, found 41 (3 of 1024 differ)".
enum rs_status rs_pattern_check(const struct rs_pattern *pattern, const struct rs_shape *shape, bool in_place,
                                const void *output, struct rs_error *error);

// ---- runner -----------------------------------------------------------------------------------------------

// What came out of one case; on rank 0 only. iterations and samples live until the sink returns.
struct rs_case_result {
  const struct rs_case *plan;
  struct rs_case_row figures; // all but the identity of the case is filled
  const struct rs_iteration_row *iterations;
  const struct rs_sample *samples; // iterations x rank_count
  const struct rs_pair_row *pairs; // p2p: in the order of rs_case_pairs
  size_t pair_count;
};

// Where results go as they are made; called on rank 0, never inside a timed region, but for `stuck`.
struct rs_sink {
  void *state;
  enum rs_status (*case_finished)(void *state, const struct rs_case_result *result, struct rs_error *error);
  // done of total cases; seconds left as far as can be told, negative before the first case is done.
  void (*progress)(void *state, size_t done, size_t total, double seconds_left, const struct rs_case *next);
  // On any rank, in a thread of its own: a baseline does not return, and so rs_runner_run will not. Ends the process.
  void (*stuck)(void *state, const struct rs_error *error);
};

struct rs_runner_params {
  struct rs_world *world;
  const struct rs_config *config; // seed is set: equal on all ranks, not 0
  const struct rs_plan *plan;
  const struct rs_placement *placement;
  const void *const *transport_options; // one per rs_transports row, same order: the struct its table filled, or NULL
  const struct rs_log *log;
  void *hub; // in-process transports, or NULL
};

// Collective. Puts what suits the placement in place of the word `auto` in config->transports: between ranks of one
// host and between hosts, as far as there are such ranks, the transport of highest preference that every rank can open.
// `said` gains what that is, and a line for each better one that is left out. params: without plan.
enum rs_status rs_transport_choose(const struct rs_runner_params *params, struct rs_config *config,
                                   struct rs_text *said, struct rs_error *error);

struct rs_runner;
// Collective. Opens and connects every transport of the plan, and allocates the buffers.
enum rs_status rs_runner_open(const struct rs_runner_params *params, struct rs_runner **runner, struct rs_error *error);
void rs_runner_close(struct rs_runner *runner); // NULL is fine; not collective
// The devices that were opened on this rank; `rank` is filled. At most `max` rows; returns how many.
size_t rs_runner_devices(const struct rs_runner *runner, struct rs_device_row *rows, size_t max);
// What link probes found on this rank: the links to it, over every transport. Owned by the runner.
const struct rs_link_row *rs_runner_links(const struct rs_runner *runner, size_t *count);
// Appends what the open devices of this rank count, as "TRANSPORT.NAME".
enum rs_status rs_runner_counters(const struct rs_runner *runner, struct rs_counters *counters, struct rs_error *error);
// ns that one reading of the clock costs on this rank.
double rs_runner_clock_cost(const struct rs_runner *runner);
// Host memory this rank needs for the plan, in bytes.
enum rs_status rs_runner_memory(const struct rs_config *config, const struct rs_plan *plan, size_t rank,
                                uint64_t *bytes, struct rs_error *error);
// Rows of /iterations that one case may take: samples.max_iterations, or what keeps the file under 256 MiB; never fewer
// than warm-up, min_iterations and the checks need.
size_t rs_runner_max_iterations(const struct rs_config *config, const struct rs_plan *plan, size_t rank_count);
// Collective. Runs every case in the order drawn from the seed. A mismatch marks its case and goes on; the first one is
// returned as MISMATCH at the end. Any other error ends the run at once.
enum rs_status rs_runner_run(struct rs_runner *runner, const struct rs_sink *sink, struct rs_error *error);

#endif
