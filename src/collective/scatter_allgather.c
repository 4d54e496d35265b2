// Broadcast of long messages: the root scatters the parts, then all gather them. And its mirror for reduce.
//
// Barnett, Gupta, Payne, Shuler, van de Geijn, Watts: Interprocessor collective communication library (InterCom).
// Scalable High-Performance Computing Conference (1994). It is MPICH's broadcast of long messages.
//
// A tree sends the whole buffer over every edge, so its root sends it ceil(log2 n) times. Here the buffer is cut into n
// parts, and no rank sends or receives more than two buffers, however many ranks there are. Ranks are counted from the
// root on (positions, step.h), and position p stands for part p.
//
//   scatter    down a binomial tree (binomial.h), longest edge first: a child gets the parts of its whole subtree,
//              which are neighbours and so one message
//   allgather  around a ring, n - 1 rounds: in round j position p sends part p - j (mod n) to p + 1
//
// Position p has the parts p .. p + s - 1 of its subtree from the scatter. They are the last s - 1 that the ring would
// bring it, so these messages are left out. The root gets none at all, and the ring is a chain that begins behind it.
// Five ranks, root 0, parts a b c d e; what a round has brought stands in brackets:
//
//   round  bit      position 0   1            2            3            4
//     0     4       a b c d e    . . . . .    . . . . .    . . . . .    . . . .[e]
//     1     2       a b c d e    . . . . .    . .[c d].    . . . . .    . . . . e
//     2     1       a b c d e    .[b]. . .    . . c d .    . . .[d].    . . . . e
//     3  j: 0       a b c d e   [a]b . . .    .[b]c d .    . .[c]d .    . . .[d]e
//     4     1       a b c d e    a b . .[e]  [a]b c d .    .[b]c d .    . .[c]d e
//     5     2       a b c d e    a b .[d]e    a b c d[e]  [a]b c d .    .[b]c d e
//     6     3       a b c d e    a b[c]d e    a b c d e    a b c d[e]  [a]b c d e
//
// Scatter and ring take about S b each, which is twice the least possible, and the ring takes n - 1 rounds: it is for
// long messages. The root sends from its input; a last, local round copies it, and nothing waits for that.
//
// Reduce is the mirror: a reduce-scatter around the ring (ring.c), after which position p has part p, then a gather up
// the tree, shortest edge first. Partial sums lie in the root's output and in the others' scratch, a place for each
// part. Here nothing can be left out of the ring: every position has a share to add to every part. Part p is summed as
// ((x_p+1 + x_p+2) + ...) + x_p, indices being positions mod n, so the bits depend on n, the root and the partition.
#include "collective/algorithms.h"
#include "collective/binomial.h"
#include "collective/ring.h"
#include "collective/step.h"

static uint32_t n_parts(const struct rs_schedule_params *params) {
  return params->rank_count;
}

static uint32_t tree_and_ring_rounds(uint32_t n) {
  return rs_log2_up(n) + n - 1;
}

// The round of `bit` in the tree: the parts of the child's subtree go from the parent to the child, or up from it.
// `buffer` is where the rank has them, or puts them.
static uint32_t move_subtree(const struct rs_schedule_params *params, uint32_t rank, uint32_t bit, bool down,
                             enum rs_buffer_id buffer, struct rs_step *steps) {
  uint32_t peer;
  const enum rs_binomial_role role = rs_binomial_meet(params, rank, bit, &peer);
  if (role == RS_BINOMIAL_IDLE) {
    return 0;
  }
  const uint32_t child = rs_position_of(params, role == RS_BINOMIAL_CHILD ? rank : peer);
  const struct rs_slice subtree = {buffer, child, rs_binomial_subtree(params->rank_count, child)};
  if ((role == RS_BINOMIAL_PARENT) == down) {
    steps[0] = (struct rs_step){.kind = RS_STEP_SEND, .peer = peer, .source = subtree};
  } else {
    steps[0] = (struct rs_step){.kind = RS_STEP_RECV, .peer = peer, .target = subtree};
  }
  return 1;
}

// ---- broadcast --------------------------------------------------------------------------------------------

// Rounds of the ring in which something new comes to a position.
static uint32_t rounds_needed(uint32_t n, uint32_t position) {
  return n - rs_binomial_subtree(n, position);
}

static uint32_t allgather(const struct rs_schedule_params *params, uint32_t rank, uint32_t j, enum rs_buffer_id source,
                          struct rs_step *steps) {
  const uint32_t n = params->rank_count, position = rs_position_of(params, rank), right = (position + 1) % n;
  struct rs_step pass[2];
  uint32_t count = 0;
  rs_ring_pass(params, rank, j, source, RS_BUFFER_OUTPUT, pass);
  if (j < rounds_needed(n, right)) {
    steps[count++] = pass[0];
  }
  if (j < rounds_needed(n, position)) {
    steps[count++] = pass[1];
  }
  return count;
}

static uint32_t broadcast_rounds(const struct rs_schedule_params *params) {
  return tree_and_ring_rounds(params->rank_count) + 1;
}

static uint32_t broadcast_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                                struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  const uint32_t n = params->rank_count, depth = rs_log2_up(n);
  const bool root = rank == params->root;
  const enum rs_buffer_id source = root ? RS_BUFFER_INPUT : RS_BUFFER_OUTPUT;
  if (k < depth) {
    return move_subtree(params, rank, UINT32_C(1) << (depth - 1 - k), true, source, steps);
  }
  if (k < tree_and_ring_rounds(n)) {
    return allgather(params, rank, k - depth, source, steps);
  }
  steps[0] =
      (struct rs_step){.kind = RS_STEP_COPY, .source = {RS_BUFFER_INPUT, 0, n}, .target = {RS_BUFFER_OUTPUT, 0, n}};
  return root;
}

// The subtree but for its own part, and what the right neighbour needs.
static uint64_t broadcast_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  const uint32_t n = params->rank_count, position = rs_position_of(params, rank);
  return rs_binomial_subtree(n, position) - 1 + rounds_needed(n, (position + 1) % n);
}

const struct rs_algorithm rs_scatter_allgather_broadcast = {
    .name = "scatter-allgather",
    .collective = RS_BROADCAST,
    .summary = "binomial scatter, then allgather around a ring: two buffers per rank for any n, for long messages",
    .source = "Barnett, Gupta, Payne, Shuler, van de Geijn, Watts 1994, doi:10.1109/SHPCC.1994.296665",
    .cost = "(ceil(log2 n) + n-1) a + 2(n-1)/n S b",
    .parts = n_parts,
    .rounds = broadcast_rounds,
    .round = broadcast_round,
    .sent_parts = broadcast_sent_parts,
};

// ---- reduce -----------------------------------------------------------------------------------------------

static uint32_t reduce_rounds(const struct rs_schedule_params *params) {
  return params->rank_count == 1 ? 1 : tree_and_ring_rounds(params->rank_count);
}

static uint32_t reduce_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                             struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  const uint32_t n = params->rank_count;
  const enum rs_buffer_id sums = rank == params->root ? RS_BUFFER_OUTPUT : RS_BUFFER_SCRATCH;
  if (n == 1) {
    return rs_step_keep_input(steps);
  }
  if (k < n - 1) {
    return rs_ring_pass_and_add(params, rank, k + 1, k == 0 ? RS_BUFFER_INPUT : sums, sums, k == n - 2, steps);
  }
  return move_subtree(params, rank, UINT32_C(1) << (k - (n - 1)), false, sums, steps);
}

// A part in each round of the ring, and the subtree.
static uint64_t reduce_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  const uint32_t n = params->rank_count, position = rs_position_of(params, rank);
  return n - 1 + (position == 0 ? 0 : rs_binomial_subtree(n, position));
}

const struct rs_algorithm rs_scatter_gather_reduce = {
    .name = "reduce-scatter-gather",
    .collective = RS_REDUCE,
    .summary = "reduce-scatter around a ring, then binomial gather: every rank adds its share, for long messages",
    .source = "Barnett, Gupta, Payne, Shuler, van de Geijn, Watts 1994, doi:10.1109/SHPCC.1994.296665",
    .cost = "(ceil(log2 n) + n-1) a + 2(n-1)/n S b + (n-1)/n S g",
    .parts = n_parts,
    .scratch_places = n_parts,
    .rounds = reduce_rounds,
    .round = reduce_round,
    .sent_parts = reduce_sent_parts,
};
