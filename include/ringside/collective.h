// collective: what one rank does in one collective, as data. Builders are pure; nothing here moves a byte.
//
// A schedule is a number of rounds; round k of a rank is a few steps on slices. A slice names a symbolic buffer and a
// run of parts; rs_partition turns (elements, parts, chunks) into offsets. Rules that the verifier proves and the
// executor relies on:
//   - a SEND in round k of one rank meets a RECV or RECV_REDUCE in round k of its peer, with as many parts; when two
//     ranks exchange several messages in one round, the i-th such step meets the i-th;
//   - the steps of a round do not conflict with one another (no one writes what another reads or writes), except
//     that RECV_REDUCEs into one slice are done in the order listed;
//   - `final` marks exactly the steps after which the destination holds every rank's contribution of a reduction.
// Pipelining is not in the algorithms. Every part is cut into the same number of chunks, and chunk c of round k
// depends only on chunk c of the same parts in earlier rounds; so every reader may run the (round, chunk) pairs in any
// order that keeps k rising for each c. The executor's order is rs_message_order: by diagonal k + c, then by k.
#ifndef RINGSIDE_COLLECTIVE_H
#define RINGSIDE_COLLECTIVE_H

#include "ringside/base.h"

enum rs_collective { RS_ALLREDUCE, RS_COLLECTIVE_COUNT };
extern const char *const rs_collective_names[]; // NULL-terminated

// What a builder may know. Same parameters, same bytes.
struct rs_schedule_params {
  enum rs_collective collective;
  uint32_t rank_count; // >= 1
  uint32_t root;       // rooted collectives; 0 otherwise
  // groups[r] = the group (for example the host) of rank r; rank_count entries, or NULL: all in one group. Not owned.
  const uint32_t *groups;
};

enum rs_buffer_id { RS_BUFFER_INPUT, RS_BUFFER_OUTPUT, RS_BUFFER_SCRATCH, RS_BUFFER_ID_COUNT };

// `count` neighbouring parts of a buffer, from `part` on. Scratch is whole copies of the partition: scratch part q is
// as long as part q mod parts, and a run does not cross from one copy into the next. Both ends of a transfer, and both
// operands of a reduction, have the same part index (mod parts), so their lengths agree for every count.
struct rs_slice {
  enum rs_buffer_id buffer;
  uint32_t part, count;
};

enum rs_step_kind {
  RS_STEP_SEND,        // source -> peer
  RS_STEP_RECV,        // peer -> target
  RS_STEP_RECV_REDUCE, // target = source (+) what peer sent; source and target are as long, and may be the same
  RS_STEP_REDUCE,      // target = target (+) source
  RS_STEP_COPY,        // target = source; in place the two may be the same memory
};
struct rs_step {
  enum rs_step_kind kind;
  uint32_t peer;                  // SEND, RECV, RECV_REDUCE; never the rank itself
  struct rs_slice source, target; // the unused one is zero
  bool final;                     // RECV_REDUCE, REDUCE: the target now holds every contribution
};

// The most steps one round of one rank may have, and so the least window that an executor must offer.
#define RS_ROUND_STEPS_MAX 8

// One algorithm. All functions are pure. `parts` and `scratch_parts` may depend on the parameters; parts >= 1.
struct rs_algorithm {
  const char *name;
  enum rs_collective collective;
  const char *summary; // one line
  const char *source;  // the paper
  const char *cost;    // "2(n-1) a + 2(n-1)/n S b + (n-1)/n S g": a per message, b per byte sent, g per byte reduced
  uint32_t (*parts)(const struct rs_schedule_params *params);
  uint32_t (*scratch_parts)(const struct rs_schedule_params *params); // a multiple of parts; NULL: none
  uint32_t (*rounds)(const struct rs_schedule_params *params);
  // The steps of round k of `rank`, in order; returns how many (0 .. RS_ROUND_STEPS_MAX).
  uint32_t (*round)(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                    struct rs_step steps[RS_ROUND_STEPS_MAX]);
  // Parts that `rank` sends in all: the formula that the verifier checks the rounds against.
  uint64_t (*sent_parts)(const struct rs_schedule_params *params, uint32_t rank);
};

// Every algorithm, one row each. A name may occur once per collective.
extern const struct rs_algorithm *const rs_algorithms[];
extern const size_t rs_algorithm_count;
const struct rs_algorithm *rs_algorithm_find(enum rs_collective collective, const char *name); // NULL: none

// peers[r] = true for every rank that `rank` sends to or receives from; rank_count entries, others left as they are.
void rs_schedule_peers(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params, uint32_t rank,
                       bool *peers);

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
};
// chunks is the least number of chunks that brings the largest chunk to at most chunk_bytes (0: one chunk per part)
// rounded down to whole 64-byte grains, but not below one, and never more than RS_CHUNKS_MAX. Chunks are cut like
// parts, so a shorter part may have empty chunks at its end. element_bytes and parts are at least 1.
#define RS_CHUNKS_MAX 4096
struct rs_partition rs_partition_make(uint64_t elements, uint32_t element_bytes, uint32_t parts, uint64_t chunk_bytes);

struct rs_extent {
  uint64_t first, count; // elements
};
// A run of `count` whole parts from `part` on.
struct rs_extent rs_partition_parts(const struct rs_partition *partition, uint32_t part, uint32_t count);
// Chunk `chunk` of one part.
struct rs_extent rs_partition_chunk(const struct rs_partition *partition, uint32_t part, uint32_t chunk);
// The longest message in elements that a slice of `count` parts can make: the whole run when chunks is 1, otherwise
// one chunk of one part.
uint64_t rs_partition_message_max(const struct rs_partition *partition, uint32_t count);

// Messages of a step: with one chunk a slice is one message over its whole run; with several chunks each (part, chunk)
// is a message of its own, and piece p is the p-th part of the run. An empty message is not sent.

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
// Proves one schedule for one set of parameters, in place and out of place: contributor sets (reductions join disjoint
// sets, every rank ends with every rank exactly once), matching, no conflict inside a round, no step writes the input,
// `final` exactly where it is true, progress under a window of one round, bytes per rank as the formula says.
// RS_ERROR_MISMATCH names algorithm, ranks, rank, round and step. Needs rank_count^2 x parts / 4 bytes or so.
enum rs_status rs_verify(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params,
                         struct rs_proof *proof, struct rs_error *error);

// Writes the schedule as text, a line per step: "rank 0  round 2  send output[3] -> 1". Shapes only, no sizes.
void rs_schedule_export(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params,
                        struct rs_text *text);

#endif
