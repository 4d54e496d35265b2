// collective: what one rank does in one collective, as data. Builders are pure; nothing here moves a byte.
//
// Every rank has an input and an output, and they are rows of places; an algorithm may ask for scratch places as well.
// One cut of the elements into parts gives all lengths: a place holds some part of some ranks' inputs. A schedule is a
// number of rounds; round k of a rank is a few steps on slices, and a slice is a run of neighbouring places. Rules that
// the verifier proves and the executor relies on:
//   - a SEND in round k of one rank meets a RECV or RECV_REDUCE in round k of its peer, with the same parts; when two
//     ranks exchange several messages in one round, the i-th such step meets the i-th;
//   - the steps of a round do not conflict with one another (no one writes what another reads or writes), except
//     that RECV_REDUCEs into one slice are done in the order listed;
//   - the source and target of one step are the same places, or do not overlap;
//   - `final` marks exactly the steps after which the destination holds every rank's contribution of a reduction;
//   - a step writes scratch, or an output place that is part of the rank's result.
// Pipelining is not in the algorithms. Every part is cut into the same number of chunks, and chunk c of round k
// depends only on chunk c of the same places in earlier rounds; so every reader may run the (round, chunk) pairs in any
// order that keeps k rising for each c. The executor's order is rs_order_next: by diagonal k + c, then by k.
#ifndef RINGSIDE_COLLECTIVE_H
#define RINGSIDE_COLLECTIVE_H

#include "ringside/base.h"

// ---- what a collective is ---------------------------------------------------------------------------------

// The last three are point to point: ranks in pairs, by rs_schedule_params.partners.
enum rs_collective {
  RS_ALLREDUCE,
  RS_REDUCE_SCATTER,
  RS_ALLGATHER,
  RS_BROADCAST,
  RS_REDUCE,
  RS_ALLTOALL,
  RS_ALLTOALLV, // with uneven blocks
  RS_SENDRECV,  // from the left neighbour on a ring, to the right one
  RS_PINGPONG,  // from the lower rank of a pair to the higher one, and the same data back
  RS_STREAM,    // from the lower to the higher
  RS_EXCHANGE,  // both ways
  RS_COLLECTIVE_COUNT
};
extern const char *const rs_collective_names[]; // NULL-terminated

struct rs_collective_traits {
  // What the busiest link must carry, in sizes: per_size, times (n-1)/n when `shared` (nccl-tests, doc/PERFORMANCE.md).
  double per_size;
  bool shared;
  bool reduces;   // contributions are joined: datatype and operation matter
  bool rooted;    // rs_schedule_params.root matters
  bool paired;    // rs_schedule_params.partners matters
  bool blocks;    // part b is the block of rank b: the cut is into rank_count parts
  bool in_place;  // may have one buffer as input and output
  bool exchanges; // output place b holds what rank b keeps for this rank: part `rank`, not part b
};
extern const struct rs_collective_traits rs_collective_traits[RS_COLLECTIVE_COUNT];

// What a builder may know. Same parameters, same bytes. Arrays have rank_count entries and are not owned.
struct rs_schedule_params {
  enum rs_collective collective;
  uint32_t rank_count;      // >= 1
  uint32_t root;            // rooted collectives; 0 otherwise
  const uint32_t *groups;   // groups[r] = the group (for example the host) of rank r; NULL: all in one group
  const uint32_t *partners; // paired collectives: partners[r] = the other rank of r's pair, or r: idle; NULL: all idle
};

// Whether the caller fills `place` of the input of `rank`.
bool rs_input_given(const struct rs_schedule_params *params, uint32_t rank, uint32_t place);
// Whose data `place` of the output of `rank` holds at the end: one rank's, every rank's joined by the operation, or
// nobody's: the place is not part of the result, and is not written.
#define RS_EVERYONE UINT32_MAX
#define RS_NOBODY (UINT32_MAX - 1)
uint32_t rs_output_source(const struct rs_schedule_params *params, uint32_t rank, uint32_t place);
// The part that an output place holds.
uint32_t rs_output_part(const struct rs_schedule_params *params, uint32_t rank, uint32_t place);

// ---- what an algorithm is ---------------------------------------------------------------------------------

enum rs_buffer_id { RS_BUFFER_INPUT, RS_BUFFER_OUTPUT, RS_BUFFER_SCRATCH, RS_BUFFER_ID_COUNT };

// `count` neighbouring places of a buffer, from `place` on; they are neighbours in memory too. Input and output have as
// many places as there are parts. Input place p holds part p. Both ends of a transfer, and both operands of a
// reduction, hold the same parts in the same order, so their lengths agree for every count.
struct rs_slice {
  enum rs_buffer_id buffer;
  uint32_t place, count;
};

enum rs_step_kind {
  RS_STEP_SEND,        // source -> peer
  RS_STEP_RECV,        // peer -> target
  RS_STEP_RECV_REDUCE, // target = source (+) what peer sent; source and target are as long, and may be the same
  RS_STEP_REDUCE,      // target = target (+) source
  RS_STEP_COPY,        // target = source; in place the two may be the same memory, and then nothing is done
};
struct rs_step {
  enum rs_step_kind kind;
  uint32_t peer;                  // SEND, RECV, RECV_REDUCE; never the rank itself
  struct rs_slice source, target; // the unused one is zero
  bool final;                     // RECV_REDUCE, REDUCE: the target now holds every contribution
};

// The most steps one round of one rank may have, and so the least window that an executor must offer.
#define RS_ROUND_STEPS_MAX 8

// One algorithm. All functions are pure. `parts` and `scratch_places` may depend on the parameters, but not on the
// rank. parts >= 1, and rank_count for collectives of blocks. rounds may be 0.
struct rs_algorithm {
  const char *name;
  enum rs_collective collective;
  const char *summary; // one line
  const char *source;  // the paper
  const char *cost;    // "2(n-1) a + 2(n-1)/n S b + (n-1)/n S g": a per message, b per byte sent, g per byte reduced
  uint32_t (*parts)(const struct rs_schedule_params *params);
  uint32_t (*scratch_places)(const struct rs_schedule_params *params); // NULL: none
  // The part that scratch place q of `rank` holds, all through the schedule; NULL: q mod parts.
  uint32_t (*scratch_part)(const struct rs_schedule_params *params, uint32_t rank, uint32_t q);
  uint32_t (*rounds)(const struct rs_schedule_params *params);
  // The steps of round k of `rank`, in order; returns how many (0 .. RS_ROUND_STEPS_MAX).
  uint32_t (*round)(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                    struct rs_step steps[RS_ROUND_STEPS_MAX]);
  // Parts that `rank` sends in all: the formula that the verifier checks the rounds against.
  uint64_t (*sent_parts)(const struct rs_schedule_params *params, uint32_t rank);
  bool grouped; // looks at rs_schedule_params.groups
};

// Every algorithm, one row each. A name may occur once per collective.
extern const struct rs_algorithm *const rs_algorithms[];
extern const size_t rs_algorithm_count;
const struct rs_algorithm *rs_algorithm_find(enum rs_collective collective, const char *name); // NULL: none

// The part that `place` of a buffer of `rank` holds.
uint32_t rs_place_part(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params, uint32_t rank,
                       enum rs_buffer_id buffer, uint32_t place);

// peers[r] = true for every rank that `rank` sends to or receives from, others left as they are. members[r] is the
// index in `peers` that rank r of the schedule stands for; NULL: r itself.
void rs_schedule_peers(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params, uint32_t rank,
                       const uint32_t *members, bool *peers);

// Adds up what ranks send one another: parts[a * rank_count + b] and messages[a * rank_count + b] grow by what rank a
// sends to rank b in all rounds, with every part in one chunk. Either may be NULL.
void rs_schedule_traffic(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params, uint64_t *parts,
                         uint64_t *messages);

// ---- pairs ------------------------------------------------------------------------------------------------

// A round-robin tournament: in rs_tournament_rounds(n) rounds of disjoint pairs every two of n ranks meet once. n - 1
// rounds when n is even, n when it is odd (then one rank is idle in each), 0 for one rank.
uint32_t rs_tournament_rounds(uint32_t rank_count);
// Who `rank` meets in a round; `rank` itself: it is idle.
uint32_t rs_tournament_partner(uint32_t rank_count, uint32_t round, uint32_t rank);

// ---- variants ---------------------------------------------------------------------------------------------

// The sets of parameters that prove an algorithm for a number of ranks: every root, every round of the tournament, a
// handful of groupings, whichever the algorithm looks at; otherwise one. `array` has rank_count entries, which the
// parameters may point to; `description` gets "", " root 3", " round 2", " groups of 2", ...
uint32_t rs_variant_count(const struct rs_algorithm *algorithm, uint32_t rank_count);
#define RS_VARIANT_BYTES 32
struct rs_schedule_params rs_variant(const struct rs_algorithm *algorithm, uint32_t rank_count, uint32_t index,
                                     uint32_t *array, char description[RS_VARIANT_BYTES]);

// ---- partition --------------------------------------------------------------------------------------------

// How `elements` elements of `element_bytes` are laid out in parts, and each part in chunks. A grain is the least
// number of elements that fills whole 64-byte lines; where there are fewer grains than parts it is one element.
// Boundaries fall on grains, and parts differ by at most one grain: the whole grains are dealt out evenly, longer parts
// first, and the last part also takes the elements beyond the last whole grain. When elements < parts the last parts
// are empty.
struct rs_partition {
  uint64_t elements;
  uint32_t element_bytes;
  uint32_t parts, chunks;
  uint64_t grain; // elements per grain
  const uint64_t
      *bounds; // uneven parts: part p is bounds[p] .. bounds[p + 1]; parts + 1 entries, not owned. NULL: even
};
// chunks is the least number of chunks that brings the largest chunk to at most chunk_bytes (0: one chunk per part)
// rounded down to whole 64-byte grains, but not below one, and never more than RS_CHUNKS_MAX. Chunks are cut like
// parts, so a shorter part may have empty chunks at its end. element_bytes and parts are at least 1.
#define RS_CHUNKS_MAX 4096
struct rs_partition rs_partition_make(uint64_t elements, uint32_t element_bytes, uint32_t parts, uint64_t chunk_bytes);
// The same with given boundaries: bounds[0] = 0, rising, and bounds[parts] is the number of elements.
struct rs_partition rs_partition_make_uneven(const uint64_t *bounds, uint32_t element_bytes, uint32_t parts,
                                             uint64_t chunk_bytes);

struct rs_extent {
  uint64_t first, count; // elements
};
// A run of `count` whole parts from `part` on.
struct rs_extent rs_partition_parts(const struct rs_partition *partition, uint32_t part, uint32_t count);
// Chunk `chunk` of a part.
struct rs_extent rs_partition_chunk(const struct rs_partition *partition, uint32_t part, uint32_t chunk);

// Chunk `chunk` of any part that is `count` elements long, counted from its beginning.
struct rs_extent rs_partition_cut(const struct rs_partition *partition, uint64_t count, uint32_t chunk);

// Where an output place lies in the output of `rank`, and how long the whole output is: as the input, unless ranks
// exchange blocks.
struct rs_extent rs_output_extent(const struct rs_schedule_params *params, const struct rs_partition *partition,
                                  uint32_t rank, uint32_t place);
uint64_t rs_output_elements(const struct rs_schedule_params *params, const struct rs_partition *partition,
                            uint32_t rank);

// One collective on one cut of its elements, as one rank sees it: what checks and baselines need to know.
struct rs_shape {
  struct rs_schedule_params schedule;
  uint32_t rank;
  struct rs_partition blocks; // in rank_count parts, not cut into chunks
};

// Messages of a step: with one chunk a slice is one message over its whole run; with several chunks each (place, chunk)
// is a message of its own, and piece p is the p-th place of the run. An empty message is not sent.

// ---- order ------------------------------------------------------------------------------------------------

// Walks the (round, chunk) pairs by diagonal: (0,0) (0,1)(1,0) (0,2)(1,1)(2,0) ... Start with {0}; false at the end.
// This is the order in which all ranks post, hence what makes the i-th send meet the i-th receive.
struct rs_order {
  uint32_t diagonal, round;
  bool started;
};
bool rs_order_next(struct rs_order *order, uint32_t rounds, uint32_t chunks, uint32_t *round, uint32_t *chunk);

// ---- verifier ---------------------------------------------------------------------------------------------

// What a proof found: the rounds of the schedule, and over all ranks its steps, messages (SEND steps) and parts sent.
struct rs_proof {
  uint64_t rounds, steps, messages, parts_sent_max, parts_sent_sum;
};
// Proves one schedule for one set of parameters, out of place and, where the collective allows it, in place:
// contributor sets (reductions join disjoint sets, every output place ends with what the collective asks for),
// matching, no conflict inside a round, nothing written but scratch and results, `final` exactly where it is true,
// progress under a window of one round, bytes per rank as the formula says.
// RS_ERROR_MISMATCH names algorithm, ranks, rank, round and step. Needs rank_count^2 x places / 4 bytes or so.
enum rs_status rs_verify(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params,
                         struct rs_proof *proof, struct rs_error *error);

// Writes the schedule as text, a line per step: "rank 0  round 2  send output[3] -> 1". Shapes only, no sizes.
void rs_schedule_export(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params,
                        struct rs_text *text);

// Writes what happens in each round for people who learn the algorithm, a line or so per round: who hands whose data to
// whom. "round 2   0 +> 1 ad[3]": rank 0 sends the sum of rank 0's and rank 3's part 3, and rank 1 adds it to its own.
// Proves the schedule first, and returns what rs_verify does.
enum rs_status rs_schedule_explain(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params,
                                   struct rs_text *text, struct rs_error *error);

#endif
