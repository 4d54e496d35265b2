// Double binary tree allreduce: two trees over the same ranks, and each reduces and broadcasts half of the data.
//
// Sanders, Speck, Traff: Two-tree algorithms for full bandwidth broadcast, reduction and scan. Parallel Computing 35
// (2009). NCCL runs its tree allreduce between hosts on such trees.
//
// The trouble with one binary tree: half of the ranks are leaves, which send their data up and take the result in, S
// bytes each way. An inner rank takes in 2 S from its children and S from its parent, and sends as much: 3 S each way,
// with half of the ranks all but idle. The remedy: a second tree in which the leaves of the first are the inner ranks.
// Each tree carries one half of the buffer. A rank then moves 3 S/2 where it is an inner rank and S/2 where it is a
// leaf, so 2 S each way, S up and S down: what a ring moves, in a depth of log2 n instead of n.
//
// One tree. It stands on positions 1 to n and is numbered in order, like the marks of a ruler: left of a node
// everything has smaller numbers, right of it larger ones. The lowest set bit of a position says how high it stands.
// Odd positions are leaves; a position with lowest bit 2^h, at height h, has children 2^(h-1) to its left and to its
// right; the root is the largest power of two. Where a right child would be beyond n, the step to it is halved until it
// is not, or there is none. Thirteen positions (14 does not exist, so 13 takes its place under 12):
//
//   height 3                              8
//   height 2              4                              12
//   height 1      2               6              10
//   height 0  1       3       5       7       9      11      13
//
// Two trees. In the first rank r stands at position r + 1. In the second everyone has moved by one: rank r stands at
// position r, and rank 0 comes round to position n. Inner ranks stand at even positions. So they are the odd ranks in
// the first tree, and even ranks in the second: every rank is inner in at most one tree, whatever n. (NCCL numbers from
// 0 and puts rank 0 above the tree; it shifts in this way when n is odd, and mirrors the tree when n is even.) Six
// ranks:
//
//   first tree, part 0          3         second tree, part 1         4
//                       1           5                         2           0
//                     0   2       4                         1   3       5
//
//   round  height   first tree                   second tree
//     0      1      0 +> 1   2 +> 1   4 +> 5     1 +> 2   3 +> 2   5 +> 0     +> the receiver adds
//     1      2      1 +> 3   5 +> 3              2 +> 4   0 +> 4              3 and 4 hold whole sums: `final`
//     2      2      3 -> 1   3 -> 5              4 -> 2   4 -> 0              -> the receiver stores
//     3      1      1 -> 0   1 -> 2   5 -> 4     2 -> 1   2 -> 3   0 -> 5
//
// Rounds. With H the height of the root, parents at height h take in their children in round h - 1, and serve them in
// round 2H - h: 2H rounds in all. The trees never wait for each other, and with chunks neither do the ways up and down:
// while chunk c goes down, a later one comes up, and the four halves of the buffer that a rank takes in and sends flow
// at once. Without chunks this is a tree of 2H rounds in which a rank sends at most S each. (The paper colours
// edges, so that a rank with one port has one message at a time. Here messages share the link, and need no colours.)
//
// Both children arrive in one round, and RECV_REDUCEs into one slice are done in the order listed, so a rank adds
// (own + left) + right whatever the timing. The sum is thus a fixed tree over ranks, one for each part, and everyone
// gets the root's bits. No copy is needed: leaves send their input, and an inner rank's first addition reads the input
// and writes the output.
#include "collective/algorithms.h"
#include "collective/step.h"

#define TREES 2

static uint32_t position_of(uint32_t n, uint32_t tree, uint32_t rank) {
  return tree == 0 ? rank + 1 : rank == 0 ? n : rank;
}
static uint32_t rank_at(uint32_t n, uint32_t tree, uint32_t position) {
  return tree == 0 ? position - 1 : position % n;
}

static uint32_t height_of(uint32_t position) {
  return (uint32_t)__builtin_ctz(position);
}
static uint32_t root_height(uint32_t n) {
  return 31 - (uint32_t)__builtin_clz(n);
}

// 0: it is the root. A child lies its lowest bit before or behind its parent: before, if the next bit is clear and such
// a parent exists.
static uint32_t parent_of(uint32_t n, uint32_t position) {
  const uint32_t low = UINT32_C(1) << height_of(position);
  const bool left_child = (position & 2 * low) == 0 && low <= n - position;
  return left_child ? position + low : position - low;
}

// The children of a position, left to right; returns how many.
static uint32_t children_of(uint32_t n, uint32_t position, uint32_t children[2]) {
  uint32_t count = 0, step = (UINT32_C(1) << height_of(position)) / 2;
  if (step > 0) {
    children[count++] = position - step;
  }
  while (step > n - position) {
    step /= 2;
  }
  if (step > 0) {
    children[count++] = position + step;
  }
  return count;
}

// A parent takes in its children on the way up, and serves them on the way down.
static uint32_t meet_children(uint32_t n, uint32_t tree, uint32_t position, bool up, struct rs_step *steps) {
  const struct rs_slice output = {RS_BUFFER_OUTPUT, tree, 1};
  uint32_t children[2];
  const uint32_t count = children_of(n, position, children);
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t child = rank_at(n, tree, children[i]);
    if (up) {
      steps[i] = (struct rs_step){.kind = RS_STEP_RECV_REDUCE,
                                  .peer = child,
                                  .source = {i == 0 ? RS_BUFFER_INPUT : RS_BUFFER_OUTPUT, tree, 1},
                                  .target = output,
                                  .final = i + 1 == count && parent_of(n, position) == 0};
    } else {
      steps[i] = (struct rs_step){.kind = RS_STEP_SEND, .peer = child, .source = output};
    }
  }
  return count;
}

static uint32_t meet_parent(uint32_t n, uint32_t tree, uint32_t position, bool up, struct rs_step *steps) {
  const uint32_t parent = rank_at(n, tree, parent_of(n, position));
  const bool leaf = height_of(position) == 0;
  if (up) {
    steps[0] = (struct rs_step){
        .kind = RS_STEP_SEND, .peer = parent, .source = {leaf ? RS_BUFFER_INPUT : RS_BUFFER_OUTPUT, tree, 1}};
  } else {
    steps[0] = (struct rs_step){.kind = RS_STEP_RECV, .peer = parent, .target = {RS_BUFFER_OUTPUT, tree, 1}};
  }
  return 1;
}

static uint32_t double_tree_parts(const struct rs_schedule_params *params) {
  return params->rank_count == 1 ? 1 : TREES;
}

static uint32_t double_tree_rounds(const struct rs_schedule_params *params) {
  return params->rank_count == 1 ? 1 : 2 * root_height(params->rank_count);
}

static uint32_t double_tree_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                                  struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  const uint32_t n = params->rank_count, top = root_height(n);
  if (n == 1) {
    return rs_step_keep_input(steps);
  }
  const bool up = k < top;
  const uint32_t height = up ? k + 1 : 2 * top - k; // of the parents whose turn it is
  uint32_t count = 0;
  for (uint32_t tree = 0; tree < TREES; tree++) {
    const uint32_t position = position_of(n, tree, rank), parent = parent_of(n, position);
    if (height_of(position) == height) {
      count += meet_children(n, tree, position, up, &steps[count]);
    } else if (parent != 0 && height_of(parent) == height) {
      count += meet_parent(n, tree, position, up, &steps[count]);
    }
  }
  return count;
}

// In each tree once to the parent, once to each child.
static uint64_t double_tree_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  const uint32_t n = params->rank_count;
  uint64_t sent = 0;
  for (uint32_t tree = 0; tree < double_tree_parts(params); tree++) {
    const uint32_t position = position_of(n, tree, rank);
    uint32_t children[2];
    sent += (parent_of(n, position) != 0) + children_of(n, position, children);
  }
  return sent;
}

const struct rs_algorithm rs_double_tree_allreduce = {
    .name = "double-tree",
    .collective = RS_ALLREDUCE,
    .summary = "two binary trees, half of the data each, a rank inner in at most one: any size, many ranks",
    .source = "Sanders, Speck, Traff 2009, doi:10.1016/j.parco.2009.09.001",
    .cost = "(2 floor(log2 n) + C - 1) (4 a + 2 S/C b + S/C g) for many chunks C",
    .parts = double_tree_parts,
    .rounds = double_tree_rounds,
    .round = double_tree_round,
    .sent_parts = double_tree_sent_parts,
};
