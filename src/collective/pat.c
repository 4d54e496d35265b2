// PAT, parallel aggregated trees: allgather with far messages first and small, and reduce-scatter as its mirror.
//
// Jeaugey: PAT: a new algorithm for all-gather and reduce-scatter operations at scale. arXiv:2506.20252 (2025). NCCL
// has it since 2.23.
//
// Bruck's allgather (bruck_allgather.c) sends one block to the next rank first, and half of the result to the farthest
// rank last: most bytes go the longest way, where links are shared and thin. Here the order is turned round. The block
// of rank s goes down a binomial tree, longest edge first: rank s + d, at distance d, gets it from the distance
// without d's lowest bit. All n trees have one shape, each beginning at its own rank; they run in parallel, and in each
// round what goes over edges of one length is aggregated: one message from r to r + bit. Six ranks:
//
//        0          round 0   bit 4   0-4               1 block  to r + 4
//      / | \              1       2   0-2               1 block  to r + 2     4-6 is no edge: there is no distance 6
//     4  2  1             2       1   0-1  2-3  4-5     3 blocks to r + 1
//     |  |
//     5  3          every rank: ceil(log2 n) messages, n - 1 blocks, and half of them go to its neighbour
//
// The blocks of a message are not neighbours: in round 2 they have the distances 0, 2 and 4. So they travel in scratch,
// in an order that makes each message one run, and are copied to the output when all have come. Let the places hold the
// blocks of a list of distances, first 0 alone. A round puts the arrivals, d + bit for each d in the list, behind it or
// before it. Only the largest d can be without an edge (d + bit >= n), so it must stand at an end, where the run can
// leave it out. The largest distance of all, n - 1, stays last in this way: if it has the bit, the largest d has an
// edge, the whole list is sent, and the arrivals go behind it; if not, all but the last are sent, and the arrivals go
// before it. Rank 0 of six, with blocks a b c d e f; in brackets what the round has brought:
//
//   distances                     2  0  4  3  1  5         n - 1 = 101 in binary: behind, before, behind
//   round 0  to 4, from 2         .  a [c] .  .  .
//         1  to 2, from 4        [e] a  c  .  .  .         sent: a, not c
//         2  to 1, from 5         e  a  c [d  f  b]        sent: e a c
//
// Bounded aggregation ("pat-16"; "pat" aggregates fully). When blocks are long, NCCL aggregates only as many as its
// buffers take. Then the trees are cut at distances that are multiples of a stride, a power of two. These, at most 16
// of them, are reached as above. The rest of each tree, stride - 1 distances behind each multiple, follows one by one,
// in all those subtrees at once: round j takes the edges that lead to the distances multiple + j. They are as long as
// the lowest bit of j, so again it is one message. Scratch is a group of places for each j, and each group is a list
// like the one above; only its last multiple may be absent. With 8 ranks and at most 2 instead of 16, the stride is 4:
//
//   distances    0 4 | 1 5 | 2 6 | 3 7
//   bit 4        0-4                        1 block  to r + 4
//   j = 1        0-1  4-5                   2 blocks to r + 1
//   j = 2        0-2  4-6                   2 blocks to r + 2
//   j = 3        2-3  6-7                   2 blocks to r + 1
//
// This order is depth first: group j is read only until its own subtrees are done, so that a buffer for each bit would
// do, used again and again. That is the paper's logarithmic number of buffers. Here every place of scratch belongs to
// one block, and only the size of messages is bounded.
//
// Reduce-scatter runs the same trees upwards, rounds in reverse order, near messages first: rank r has a partial sum
// for the block of each distance, sends those whose distance has the bit to r - bit, and adds what comes from r + bit
// to those without it. The input is copied to scratch first, in the same order. Block b is summed up its tree: a rank
// adds its children to its own input, nearest first.
#include "collective/algorithms.h"
#include "collective/step.h"

#define BOUND 16

static uint32_t pat_parts(const struct rs_schedule_params *params) {
  return params->rank_count;
}

static uint64_t pat_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  (void)rank;
  return params->rank_count - 1;
}

static uint32_t rank_before(uint32_t n, uint32_t rank, uint32_t distance) {
  return rank >= distance ? rank - distance : n - (distance - rank);
}

static uint32_t rank_after(uint32_t n, uint32_t rank, uint32_t distance) {
  return rank < n - distance ? rank + distance : rank - (n - distance);
}

// ---- the order of scratch ---------------------------------------------------------------------------------

// The trees of n ranks, cut: the multiples of stride are 0 .. last.
struct forest {
  uint32_t n, stride, last;
};

static struct forest forest_of(uint32_t n, uint32_t multiples_max) {
  struct forest forest = {n, 1, n - 1};
  while (forest.last >= multiples_max) {
    forest.stride *= 2;
    forest.last = (n - 1) / forest.stride;
  }
  return forest;
}

// The list of the head comment, of multiples 0 .. last. The round of bit 2^e finds the multiples of 2^(e+1) in it.
static uint32_t listed(uint32_t last, uint32_t e) {
  return (last >> e >> 1) + 1;
}

// How many arrivals it puts before them: one for each but the last. 0: one for each of them goes behind.
static uint32_t arrivals_before(uint32_t last, uint32_t e) {
  return (last >> e & 1) != 0 ? 0 : listed(last, e) - 1;
}

// Where the list begins after that round: before it is the room for the arrivals of later rounds, of lower bits.
static uint32_t list_start(uint32_t last, uint32_t e) {
  uint32_t start = 0;
  for (uint32_t later = 0; later < e; later++) {
    start += arrivals_before(last, later);
  }
  return start;
}

// The multiple at a place of the whole list, by going back from the last round to the first.
static uint32_t multiple_at(uint32_t last, uint32_t place) {
  uint32_t multiple = 0;
  for (uint32_t e = 0; last >> e > 0; e++) {
    const uint32_t before = arrivals_before(last, e), count = listed(last, e);
    if (place < before) {
      multiple += UINT32_C(1) << e; // it came from the same place of the earlier list
    } else if (place - before < count) {
      place -= before;
    } else {
      multiple += UINT32_C(1) << e;
      place -= count;
    }
  }
  return multiple;
}

// Group j < stride holds the distances multiple + j. The first ones are full; in the others last x stride + j is
// beyond n.
static uint32_t full_groups(const struct forest *forest) {
  return (forest->n - 1) % forest->stride + 1;
}

static uint32_t group_size(const struct forest *forest, uint32_t j) {
  return forest->last + (j < full_groups(forest));
}

static uint32_t group_start(const struct forest *forest, uint32_t j) {
  const uint32_t full = full_groups(forest);
  return j * forest->last + (j < full ? j : full);
}

// The distance whose block a place of scratch is for.
static uint32_t distance_at(const struct forest *forest, uint32_t place) {
  const uint32_t full = full_groups(forest), edge = group_start(forest, full);
  const uint32_t j = place < edge ? place / (forest->last + 1) : full + (place - edge) / forest->last;
  return multiple_at(forest->last, place - group_start(forest, j)) * forest->stride + j;
}

// ---- messages ---------------------------------------------------------------------------------------------

// In an allgather, what lies at `count` places from `from` on goes `distance` ranks further, to places from `to` on.
struct hop {
  uint32_t distance, from, to, count;
};

static uint32_t hop_count(const struct forest *forest) {
  return rs_log2_up(forest->last + 1) + forest->stride - 1;
}

// Hop i of an allgather.
static struct hop hop_at(const struct forest *forest, uint32_t i) {
  const uint32_t doublings = rs_log2_up(forest->last + 1);
  if (i < doublings) {
    const uint32_t e = doublings - 1 - i, start = list_start(forest->last, e);
    const uint32_t before = arrivals_before(forest->last, e), count = listed(forest->last, e);
    const uint32_t distance = forest->stride << e;
    return before > 0 ? (struct hop){distance, start + before, start, before}
                      : (struct hop){distance, start, start + count, count};
  }
  const uint32_t j = i - doublings + 1, lowest_bit = j & (~j + 1);
  return (struct hop){lowest_bit, group_start(forest, j - lowest_bit), group_start(forest, j), group_size(forest, j)};
}

static uint32_t copy_rounds(uint32_t n) {
  return (uint32_t)rs_divide_up(n, RS_ROUND_STEPS_MAX);
}

static uint32_t rounds(struct forest forest) {
  return copy_rounds(forest.n) + hop_count(&forest);
}

static uint32_t part_at(struct forest forest, uint32_t rank, uint32_t place) {
  return rank_before(forest.n, rank, distance_at(&forest, place));
}

static struct rs_step copy(enum rs_buffer_id from, uint32_t source, enum rs_buffer_id to, uint32_t target) {
  return (struct rs_step){.kind = RS_STEP_COPY, .source = {from, source, 1}, .target = {to, target, 1}};
}

// ---- allgather --------------------------------------------------------------------------------------------

static uint32_t allgather_round(struct forest forest, uint32_t rank, uint32_t k, struct rs_step *steps) {
  const uint32_t n = forest.n, hops = hop_count(&forest);
  uint32_t count = 0;
  if (k < hops) {
    const struct hop hop = hop_at(&forest, k);
    const struct rs_slice own = {RS_BUFFER_INPUT, rank, 1}, run = {RS_BUFFER_SCRATCH, hop.from, hop.count};
    steps[count++] =
        (struct rs_step){.kind = RS_STEP_SEND, .peer = rank_after(n, rank, hop.distance), .source = k == 0 ? own : run};
    steps[count++] = (struct rs_step){.kind = RS_STEP_RECV,
                                      .peer = rank_before(n, rank, hop.distance),
                                      .target = {RS_BUFFER_SCRATCH, hop.to, hop.count}};
    if (k == 0 && hops > 1) { // later runs have it too
      steps[count++] = copy(RS_BUFFER_INPUT, rank, RS_BUFFER_SCRATCH, hop.from);
    }
    return count;
  }
  for (uint32_t place = (k - hops) * RS_ROUND_STEPS_MAX; place < n && count < RS_ROUND_STEPS_MAX; place++) {
    const uint32_t distance = distance_at(&forest, place), block = rank_before(n, rank, distance);
    steps[count++] = distance == 0 ? copy(RS_BUFFER_INPUT, block, RS_BUFFER_OUTPUT, block)
                                   : copy(RS_BUFFER_SCRATCH, place, RS_BUFFER_OUTPUT, block);
  }
  return count;
}

// ---- reduce-scatter ---------------------------------------------------------------------------------------

static uint32_t reduce_scatter_round(struct forest forest, uint32_t rank, uint32_t k, struct rs_step *steps) {
  const uint32_t n = forest.n, copies = copy_rounds(n);
  if (n == 1) {
    return rs_step_keep_input(steps);
  }
  if (k < copies) {
    uint32_t count = 0;
    for (uint32_t place = k * RS_ROUND_STEPS_MAX; place < n && count < RS_ROUND_STEPS_MAX; place++) {
      const uint32_t block = rank_before(n, rank, distance_at(&forest, place));
      steps[count++] = copy(RS_BUFFER_INPUT, block, RS_BUFFER_SCRATCH, place);
    }
    return count;
  }
  const uint32_t i = hop_count(&forest) - 1 - (k - copies);
  const struct hop hop = hop_at(&forest, i);
  const struct rs_slice own = {RS_BUFFER_OUTPUT, rank, 1}, run = {RS_BUFFER_SCRATCH, hop.from, hop.count};
  steps[0] = (struct rs_step){.kind = RS_STEP_SEND,
                              .peer = rank_before(n, rank, hop.distance),
                              .source = {RS_BUFFER_SCRATCH, hop.to, hop.count}};
  steps[1] = (struct rs_step){.kind = RS_STEP_RECV_REDUCE,
                              .peer = rank_after(n, rank, hop.distance),
                              .source = run,
                              .target = i == 0 ? own : run,
                              .final = i == 0};
  return 2;
}

// ---- aggregated fully -------------------------------------------------------------------------------------

static struct forest whole(const struct rs_schedule_params *params) {
  return forest_of(params->rank_count, params->rank_count);
}

static uint32_t whole_scratch_part(const struct rs_schedule_params *params, uint32_t rank, uint32_t place) {
  return part_at(whole(params), rank, place);
}

static uint32_t whole_rounds(const struct rs_schedule_params *params) {
  return rounds(whole(params));
}

static uint32_t whole_allgather_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                                      struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  return allgather_round(whole(params), rank, k, steps);
}

static uint32_t whole_reduce_scatter_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                                           struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  return reduce_scatter_round(whole(params), rank, k, steps);
}

const struct rs_algorithm rs_pat_reduce_scatter = {
    .name = "pat",
    .collective = RS_REDUCE_SCATTER,
    .summary = "parallel trees, aggregated fully: least rounds for every n, far messages small; one local copy",
    .source = "Jeaugey 2025, arXiv:2506.20252",
    .cost = "ceil(log2 n) a + (n-1)/n S b + (n-1)/n S g",
    .parts = pat_parts,
    .scratch_places = pat_parts,
    .scratch_part = whole_scratch_part,
    .rounds = whole_rounds,
    .round = whole_reduce_scatter_round,
    .sent_parts = pat_sent_parts,
};

const struct rs_algorithm rs_pat_allgather = {
    .name = "pat",
    .collective = RS_ALLGATHER,
    .summary = "parallel trees, aggregated fully: least rounds for every n, far messages small; one local copy",
    .source = "Jeaugey 2025, arXiv:2506.20252",
    .cost = "ceil(log2 n) a + (n-1)/n S b",
    .parts = pat_parts,
    .scratch_places = pat_parts,
    .scratch_part = whole_scratch_part,
    .rounds = whole_rounds,
    .round = whole_allgather_round,
    .sent_parts = pat_sent_parts,
};

// ---- aggregation bounded ----------------------------------------------------------------------------------

static struct forest bounded(const struct rs_schedule_params *params) {
  return forest_of(params->rank_count, BOUND);
}

static uint32_t bounded_scratch_part(const struct rs_schedule_params *params, uint32_t rank, uint32_t place) {
  return part_at(bounded(params), rank, place);
}

static uint32_t bounded_rounds(const struct rs_schedule_params *params) {
  return rounds(bounded(params));
}

static uint32_t bounded_allgather_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                                        struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  return allgather_round(bounded(params), rank, k, steps);
}

static uint32_t bounded_reduce_scatter_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                                             struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  return reduce_scatter_round(bounded(params), rank, k, steps);
}

const struct rs_algorithm rs_pat_bounded_reduce_scatter = {
    .name = "pat-16",
    .collective = RS_REDUCE_SCATTER,
    .summary = "parallel trees, at most 16 blocks in a message, as NCCL with longer blocks; one local copy",
    .source = "Jeaugey 2025, arXiv:2506.20252",
    .cost = "(3 + 2^ceil(log2 n/16)) a + (n-1)/n S b + (n-1)/n S g, n > 16",
    .parts = pat_parts,
    .scratch_places = pat_parts,
    .scratch_part = bounded_scratch_part,
    .rounds = bounded_rounds,
    .round = bounded_reduce_scatter_round,
    .sent_parts = pat_sent_parts,
};

const struct rs_algorithm rs_pat_bounded_allgather = {
    .name = "pat-16",
    .collective = RS_ALLGATHER,
    .summary = "parallel trees, at most 16 blocks in a message, as NCCL with longer blocks; one local copy",
    .source = "Jeaugey 2025, arXiv:2506.20252",
    .cost = "(3 + 2^ceil(log2 n/16)) a + (n-1)/n S b, n > 16",
    .parts = pat_parts,
    .scratch_places = pat_parts,
    .scratch_part = bounded_scratch_part,
    .rounds = bounded_rounds,
    .round = bounded_allgather_round,
    .sent_parts = pat_sent_parts,
};
