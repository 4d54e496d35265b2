// Binomial trees: broadcast down a tree, reduce up the same tree, and allreduce as reduce to rank 0, then broadcast.
//
// Thakur, Rabenseifner, Gropp: Optimization of collective communication operations in MPICH. Int. J. High Perform.
// Comput. Appl. 19 (2005).
//
// Ranks are counted from the root on (positions, step.h), and binomial.h has the tree. With L = ceil(log2 n), a
// reduction is L rounds. In round k a position whose lowest set bit is k gives its partial sum to the position without
// that bit, and is done. A broadcast is the mirror image: round L-1-k runs the messages of round k backwards. Partners
// at or beyond n do not exist, and their message is left out; that is all that an n which is no power of two needs.
// Allreduce on six ranks:
//
//        0         round 0    1 +> 0    3 +> 2    5 +> 4      +> the receiver adds, -> the receiver stores
//      / | \             1    2 +> 0
//     4  2  1            2    4 +> 0     rank 0 now holds every contribution: `final`
//     |  |               3    0 -> 4
//     5  3               4    0 -> 2
//                        5    0 -> 1    2 -> 3    4 -> 5
//
// A reduce to root 4 is rounds 0 to 2 with 4 added to every rank (mod 6), a broadcast from it rounds 3 to 5.
//
// Why this order of neighbours. The child p + 2^j heads a subtree of depth j, which is ready after round j - 1: the
// child with the deepest subtree is taken last on the way up, and on the way down, where its subtree has the longest
// way to go, it is served first. So no one waits for a subtree while another is ready, and a rank has at most one
// step per round. Nearest first on the way up also keeps traffic inside hosts when ranks are numbered host by host:
// with 2^m ranks on each and the root the first of one, the first m rounds stay inside, and only one rank of a host
// ever talks to another host.
//
// The whole buffer is one part. Chunks make the pipeline: while chunk c goes down, chunk c + 1 comes up, and the two
// directions of a link are busy at once. A rank with L children still takes in, or gives out, every chunk L times. So
// long messages cost about L S b at the root, whatever the chunk: in an allreduce that is half of the cost without
// chunks, but more than a ring. The tree is for short messages, where its rounds count.
//
// An allreduce needs no copy out of place: a leaf sends its input, an inner rank's first reduction reads the input and
// writes the output, and later ones add to the output. In a reduce the root does the same, and other inner ranks, which
// have no output, keep their sum in scratch. A broadcast's root sends its input, and copies it in a last, local round.
//
// A rank adds its children to its own input in the order of rounds. Everyone gets the root's bits.
#include "collective/algorithms.h"
#include "collective/binomial.h"
#include "collective/step.h"

static uint32_t one(const struct rs_schedule_params *params) {
  (void)params;
  return 1;
}

// The round of `bit` on the way up. `sums` is where the rank keeps its partial sum. Before its first child, which is
// one position away and comes in round 0, its sum is its input.
static uint32_t go_up(const struct rs_schedule_params *params, uint32_t rank, uint32_t bit, enum rs_buffer_id sums,
                      struct rs_step *steps) {
  const uint32_t n = params->rank_count, position = rs_position_of(params, rank);
  const bool added = bit > 1 && position < n - 1;
  const struct rs_slice sum = {added ? sums : RS_BUFFER_INPUT, 0, 1};
  uint32_t peer;
  switch (rs_binomial_meet(params, rank, bit, &peer)) {
  case RS_BINOMIAL_CHILD:
    steps[0] = (struct rs_step){.kind = RS_STEP_SEND, .peer = peer, .source = sum};
    return 1;
  case RS_BINOMIAL_PARENT:
    steps[0] = (struct rs_step){.kind = RS_STEP_RECV_REDUCE,
                                .peer = peer,
                                .source = sum,
                                .target = {sums, 0, 1},
                                .final = position == 0 && bit >= n - bit};
    return 1;
  case RS_BINOMIAL_IDLE:
    break;
  }
  return 0;
}

// The round of `bit` on the way down. `source` is where a parent has the result.
static uint32_t go_down(const struct rs_schedule_params *params, uint32_t rank, uint32_t bit, enum rs_buffer_id source,
                        struct rs_step *steps) {
  uint32_t peer;
  switch (rs_binomial_meet(params, rank, bit, &peer)) {
  case RS_BINOMIAL_CHILD:
    steps[0] = (struct rs_step){.kind = RS_STEP_RECV, .peer = peer, .target = {RS_BUFFER_OUTPUT, 0, 1}};
    return 1;
  case RS_BINOMIAL_PARENT:
    steps[0] = (struct rs_step){.kind = RS_STEP_SEND, .peer = peer, .source = {source, 0, 1}};
    return 1;
  case RS_BINOMIAL_IDLE:
    break;
  }
  return 0;
}

static uint64_t child_count(const struct rs_schedule_params *params, uint32_t rank) {
  const uint32_t position = rs_position_of(params, rank), beyond = params->rank_count - position;
  uint64_t children = 0;
  for (uint64_t bit = 1; bit < beyond && (position & bit) == 0; bit *= 2) {
    children++;
  }
  return children;
}

// ---- allreduce --------------------------------------------------------------------------------------------

static uint32_t allreduce_rounds(const struct rs_schedule_params *params) {
  return params->rank_count == 1 ? 1 : 2 * rs_log2_up(params->rank_count);
}

static uint32_t allreduce_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                                struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  const uint32_t depth = rs_log2_up(params->rank_count);
  if (params->rank_count == 1) {
    return rs_step_keep_input(steps);
  }
  return k < depth ? go_up(params, rank, UINT32_C(1) << k, RS_BUFFER_OUTPUT, steps)
                   : go_down(params, rank, UINT32_C(1) << (2 * depth - 1 - k), RS_BUFFER_OUTPUT, steps);
}

static uint64_t allreduce_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  return child_count(params, rank) + (rank != 0);
}

const struct rs_algorithm rs_tree_allreduce = {
    .name = "tree",
    .collective = RS_ALLREDUCE,
    .summary = "binomial reduce to rank 0, then binomial broadcast: least rounds, for short messages",
    .source = "Thakur, Rabenseifner, Gropp 2005, doi:10.1177/1094342005051521",
    .cost = "2 ceil(log2 n) (a + S b) + ceil(log2 n) S g",
    .parts = one,
    .rounds = allreduce_rounds,
    .round = allreduce_round,
    .sent_parts = allreduce_sent_parts,
};

// ---- broadcast --------------------------------------------------------------------------------------------

static uint32_t broadcast_rounds(const struct rs_schedule_params *params) {
  return rs_log2_up(params->rank_count) + 1;
}

static uint32_t broadcast_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                                struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  const uint32_t depth = rs_log2_up(params->rank_count);
  const bool root = rank == params->root;
  if (k < depth) {
    return go_down(params, rank, UINT32_C(1) << (depth - 1 - k), root ? RS_BUFFER_INPUT : RS_BUFFER_OUTPUT, steps);
  }
  return root ? rs_step_keep_input(steps) : 0;
}

const struct rs_algorithm rs_tree_broadcast = {
    .name = "tree",
    .collective = RS_BROADCAST,
    .summary = "down a binomial tree: least rounds, for short messages",
    .source = "Thakur, Rabenseifner, Gropp 2005, doi:10.1177/1094342005051521",
    .cost = "ceil(log2 n) (a + S b)",
    .parts = one,
    .rounds = broadcast_rounds,
    .round = broadcast_round,
    .sent_parts = child_count,
};

// ---- reduce -----------------------------------------------------------------------------------------------

static uint32_t reduce_rounds(const struct rs_schedule_params *params) {
  return params->rank_count == 1 ? 1 : rs_log2_up(params->rank_count);
}

static uint32_t reduce_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                             struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  if (params->rank_count == 1) {
    return rs_step_keep_input(steps);
  }
  const enum rs_buffer_id sums = rank == params->root ? RS_BUFFER_OUTPUT : RS_BUFFER_SCRATCH;
  return go_up(params, rank, UINT32_C(1) << k, sums, steps);
}

static uint64_t reduce_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  return rank != params->root;
}

const struct rs_algorithm rs_tree_reduce = {
    .name = "tree",
    .collective = RS_REDUCE,
    .summary = "up a binomial tree: least rounds, for short messages",
    .source = "Thakur, Rabenseifner, Gropp 2005, doi:10.1177/1094342005051521",
    .cost = "ceil(log2 n) (a + S b + S g)",
    .parts = one,
    .scratch_places = one,
    .rounds = reduce_rounds,
    .round = reduce_round,
    .sent_parts = reduce_sent_parts,
};
