// Ring allreduce: a reduce-scatter around the ring, then an allgather around the ring.
//
// Patarasuk, Yuan: Bandwidth optimal all-reduce algorithms for clusters of workstations. J. Parallel Distrib. Comput.
// 69 (2009).
//
// The buffer is cut into n parts, and a rank talks to its two neighbours only: it sends to the right (r + 1) and
// receives from the left (r - 1). In round k rank r sends part r - k and receives part r - k - 1 (all mod n), so what
// comes in in one round goes out in the next, and every link carries one part per round, 2(n-1) rounds long.
//
// Four ranks with inputs a b c d. Each group of four is one rank's output, part 0 to part 3, after the round; `.` is
// not written yet, `*` is the whole sum abcd, and what the round has just brought stands in brackets.
//
//   round  rank 0                   rank 1                   rank 2                   rank 3
//     0      .     .     .    [ad]   [ab]   .     .     .      .    [bc]   .     .      .     .    [cd]   .
//     1      .     .    [acd]  ad     ab    .     .    [abd]  [abc]  bc    .     .      .    [bcd]  cd    .
//     2      .    [*]    acd   ad     ab    .    [*]    abd    abc   bc    .    [*]    [*]    bcd   cd    .
//     3     [*]    *     acd   ad     ab   [*]    *     abd    abc   bc   [*]    *      *     bcd   cd   [*]
//     4      *     *     acd  [*]    [*]    *     *     abd    abc  [*]    *     *      *     bcd  [*]    *
//     5      *     *    [*]    *      *     *     *    [*]    [*]    *     *     *      *    [*]    *     *
//
// Rounds 0 to n-2 add: rank r's own input joins the partial sum that passes by, which then lies in its output. A part
// is complete after round n-2, and rounds n-1 to 2n-3 carry it around unchanged.
//
// No copy is needed out of place: round 0 sends from the input, and each part of the output is first written by the
// reduction that also reads the input. In place is the same schedule.
//
// Part p is always summed as ((x_p + x_p+1) + x_p+2) + ..., indices mod n: the bits of the result depend on n and the
// partition alone, not on transport, timing or chunks, and are the same on every rank.
#include "collective/algorithms.h"
#include "collective/step.h"

// The part that is `back` places before part `rank` on the ring, for back <= 2n.
static uint32_t part_before(uint32_t n, uint32_t rank, uint32_t back) {
  return (uint32_t)((rank + 2 * (uint64_t)n - back) % n);
}

static uint32_t ring_parts(const struct rs_schedule_params *params) {
  return params->rank_count;
}

static uint32_t ring_rounds(const struct rs_schedule_params *params) {
  return params->rank_count == 1 ? 1 : 2 * (params->rank_count - 1);
}

static uint32_t ring_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                           struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  const uint32_t n = params->rank_count;
  if (n == 1) {
    return rs_step_keep_input(steps);
  }
  const uint32_t left = rank == 0 ? n - 1 : rank - 1, right = rank == n - 1 ? 0 : rank + 1;
  const uint32_t leaving = part_before(n, rank, k), coming = part_before(n, rank, k + 1);
  const struct rs_slice target = {RS_BUFFER_OUTPUT, coming, 1};
  const enum rs_buffer_id sent_from = k == 0 ? RS_BUFFER_INPUT : RS_BUFFER_OUTPUT;

  steps[0] = (struct rs_step){.kind = RS_STEP_SEND, .peer = right, .source = {sent_from, leaving, 1}};
  if (k < n - 1) {
    steps[1] = (struct rs_step){.kind = RS_STEP_RECV_REDUCE,
                                .peer = left,
                                .source = {RS_BUFFER_INPUT, coming, 1},
                                .target = target,
                                .final = k == n - 2};
  } else {
    steps[1] = (struct rs_step){.kind = RS_STEP_RECV, .peer = left, .target = target};
  }
  return 2;
}

static uint64_t ring_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  (void)rank; // the load is even: that is the point of a ring
  return 2 * (uint64_t)(params->rank_count - 1);
}

const struct rs_algorithm rs_ring_allreduce = {
    .name = "ring",
    .collective = RS_ALLREDUCE,
    .summary = "reduce-scatter, then allgather around a ring: least bytes per rank, rounds grow with n",
    .source = "Patarasuk, Yuan 2009, doi:10.1016/j.jpdc.2008.09.002",
    .cost = "2(n-1) a + 2(n-1)/n S b + (n-1)/n S g",
    .parts = ring_parts,
    .rounds = ring_rounds,
    .round = ring_round,
    .sent_parts = ring_sent_parts,
};
