// Binomial tree allreduce: reduce to rank 0 up a binomial tree, then broadcast down the same tree.
//
// Thakur, Rabenseifner, Gropp: Optimization of collective communication operations in MPICH. Int. J. High Perform.
// Comput. Appl. 19 (2005).
//
// With L = ceil(log2 n), the reduction is rounds 0 to L-1. In round k a rank whose lowest set bit is k gives its
// partial sum to the rank without that bit, and is done until the sum comes back. The broadcast, rounds L to 2L-1, is
// the mirror image: round 2L-1-k runs the messages of round k backwards. Partners at or beyond n do not exist, and
// their message is left out; that is all that an n which is no power of two needs. Six ranks:
//
//        0         round 0    1 +> 0    3 +> 2    5 +> 4      +> the receiver adds, -> the receiver stores
//      / | \             1    2 +> 0
//     4  2  1            2    4 +> 0     rank 0 now holds every contribution: `final`
//     |  |               3    0 -> 4
//     5  3               4    0 -> 2
//                        5    0 -> 1    2 -> 3    4 -> 5
//
// Why this order of neighbours. The child r + 2^j heads a subtree of depth j, which is ready after round j - 1: the
// child with the deepest subtree is taken last on the way up, and on the way down, where its subtree has the longest
// way to go, it is served first. So no one waits for a subtree while another is ready, and a rank has at most one
// step per round. Nearest first on the way up also keeps traffic inside hosts when ranks are numbered host by host:
// with 2^m ranks on each, the first m rounds stay inside, and only one rank of a host ever talks to another host.
//
// The whole buffer is one part. Chunks make the pipeline: while chunk c goes down, chunk c + 1 comes up, and the two
// directions of a link are busy at once. A rank with L children still takes in every chunk L times. So long messages
// cost about L S b at rank 0, whatever the chunk: half of the cost without chunks, but more than a ring. The tree is
// for short messages, where its 2L rounds count.
//
// No copy is needed out of place: a leaf sends its input, an inner rank's first reduction reads the input and writes
// the output, and later ones add to the output. A rank adds its children in the order of rounds, and everyone gets
// rank 0's bits.
#include "collective/algorithms.h"
#include "collective/step.h"

// ceil(log2 n)
static uint32_t tree_depth(uint32_t n) {
  uint32_t depth = 0;
  while (depth < 32 && UINT64_C(1) << depth < n) {
    depth++;
  }
  return depth;
}

static uint32_t tree_parts(const struct rs_schedule_params *params) {
  (void)params;
  return 1;
}

static uint32_t tree_rounds(const struct rs_schedule_params *params) {
  return params->rank_count == 1 ? 1 : 2 * tree_depth(params->rank_count);
}

// `child` hands its partial sum to its parent.
static struct rs_step give_up(uint32_t n, uint32_t child, uint32_t bit) {
  const bool leaf = bit == 1 || child == n - 1;
  const enum rs_buffer_id from = leaf ? RS_BUFFER_INPUT : RS_BUFFER_OUTPUT;
  return (struct rs_step){.kind = RS_STEP_SEND, .peer = child - bit, .source = {from, 0, 1}};
}

// `parent` adds what its child sends. The first child is one bit away and comes in round 0.
static struct rs_step take_up(uint32_t n, uint32_t parent, uint32_t bit) {
  const enum rs_buffer_id from = bit == 1 ? RS_BUFFER_INPUT : RS_BUFFER_OUTPUT;
  return (struct rs_step){.kind = RS_STEP_RECV_REDUCE,
                          .peer = parent + bit,
                          .source = {from, 0, 1},
                          .target = {RS_BUFFER_OUTPUT, 0, 1},
                          .final = parent == 0 && bit >= n - bit};
}

static uint32_t tree_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                           struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  const uint32_t n = params->rank_count, depth = tree_depth(n);
  if (n == 1) {
    return rs_step_keep_input(steps);
  }
  const bool up = k < depth;
  const uint32_t bit = UINT32_C(1) << (up ? k : 2 * depth - 1 - k);
  const uint32_t low = rank & (2 * bit - 1);
  const bool child = low == bit, parent = low == 0 && bit < n - rank;
  if (!child && !parent) {
    return 0;
  }
  const struct rs_slice output = {RS_BUFFER_OUTPUT, 0, 1};
  if (up) {
    steps[0] = child ? give_up(n, rank, bit) : take_up(n, rank, bit);
  } else if (child) {
    steps[0] = (struct rs_step){.kind = RS_STEP_RECV, .peer = rank - bit, .target = output};
  } else {
    steps[0] = (struct rs_step){.kind = RS_STEP_SEND, .peer = rank + bit, .source = output};
  }
  return 1;
}

// Once to the parent, once to each child.
static uint64_t tree_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  const uint32_t n = params->rank_count;
  uint64_t sent = rank != 0;
  for (uint64_t bit = 1; bit < n - rank && (rank & bit) == 0; bit *= 2) {
    sent++;
  }
  return sent;
}

const struct rs_algorithm rs_tree_allreduce = {
    .name = "tree",
    .collective = RS_ALLREDUCE,
    .summary = "binomial reduce to rank 0, then binomial broadcast: least rounds, for short messages",
    .source = "Thakur, Rabenseifner, Gropp 2005, doi:10.1177/1094342005051521",
    .cost = "2 ceil(log2 n) (a + S b) + ceil(log2 n) S g",
    .parts = tree_parts,
    .rounds = tree_rounds,
    .round = tree_round,
    .sent_parts = tree_sent_parts,
};
