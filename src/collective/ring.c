// Rings: a rank talks to its two neighbours only, sends to the right (r + 1) and receives from the left (r - 1).
//
// Patarasuk, Yuan: Bandwidth optimal all-reduce algorithms for clusters of workstations. J. Parallel Distrib. Comput.
// 69 (2009).
//
// Allreduce is a reduce-scatter around the ring, then an allgather around the ring. The buffer is cut into n parts. In
// round k rank r sends part r - k and receives part r - k - 1 (all mod n), so what comes in in one round goes out in
// the next, and every link carries one part per round, 2(n-1) rounds long. No allreduce can send fewer bytes per rank;
// but rounds grow with n, so it is for long messages.
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
//
// Reduce-scatter is the upper half of the picture, one part further back: rank r sends part r - k - 1 in round k, and
// so ends with part r, which alone it may write to its output. Partial sums of other parts lie in scratch, a place for
// each. Part p is summed as ((x_p+1 + x_p+2) + ...) + x_p.
//
// Allgather is the lower half: rank r sends part r - k in round k, beginning with its own. A last, local round copies
// its own block from input to output; nothing waits for it.
//
// Send-receive is one round with the whole input: what a ring does again and again, measured by itself.
#include "collective/ring.h"

#include "collective/algorithms.h"
#include "collective/step.h"

// The part that is `back` places before part `position` on the ring, for back <= 2n.
static uint32_t part_before(uint32_t n, uint32_t position, uint32_t back) {
  return (uint32_t)((position + 2 * (uint64_t)n - back) % n);
}

static uint32_t left_of(uint32_t n, uint32_t rank) {
  return rank == 0 ? n - 1 : rank - 1;
}

static uint32_t right_of(uint32_t n, uint32_t rank) {
  return rank == n - 1 ? 0 : rank + 1;
}

uint32_t rs_ring_pass(const struct rs_schedule_params *params, uint32_t rank, uint32_t back, enum rs_buffer_id from,
                      enum rs_buffer_id into, struct rs_step *steps) {
  const uint32_t n = params->rank_count, position = rs_position_of(params, rank);
  steps[0] = (struct rs_step){
      .kind = RS_STEP_SEND, .peer = right_of(n, rank), .source = {from, part_before(n, position, back), 1}};
  steps[1] = (struct rs_step){
      .kind = RS_STEP_RECV, .peer = left_of(n, rank), .target = {into, part_before(n, position, back + 1), 1}};
  return 2;
}

uint32_t rs_ring_pass_and_add(const struct rs_schedule_params *params, uint32_t rank, uint32_t back,
                              enum rs_buffer_id from, enum rs_buffer_id into, bool final, struct rs_step *steps) {
  rs_ring_pass(params, rank, back, from, into, steps);
  steps[1].kind = RS_STEP_RECV_REDUCE;
  steps[1].source = (struct rs_slice){RS_BUFFER_INPUT, steps[1].target.place, 1};
  steps[1].final = final;
  return 2;
}

static uint32_t ring_parts(const struct rs_schedule_params *params) {
  return params->rank_count;
}

// ---- allreduce --------------------------------------------------------------------------------------------

static uint32_t allreduce_rounds(const struct rs_schedule_params *params) {
  return params->rank_count == 1 ? 1 : 2 * (params->rank_count - 1);
}

static uint32_t allreduce_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                                struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  const uint32_t n = params->rank_count;
  const enum rs_buffer_id from = k == 0 ? RS_BUFFER_INPUT : RS_BUFFER_OUTPUT;
  if (n == 1) {
    return rs_step_keep_input(steps);
  }
  if (k < n - 1) {
    return rs_ring_pass_and_add(params, rank, k, from, RS_BUFFER_OUTPUT, k == n - 2, steps);
  }
  return rs_ring_pass(params, rank, k, from, RS_BUFFER_OUTPUT, steps);
}

static uint64_t allreduce_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
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
    .rounds = allreduce_rounds,
    .round = allreduce_round,
    .sent_parts = allreduce_sent_parts,
};

// ---- its halves -------------------------------------------------------------------------------------------

static uint64_t half_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  (void)rank;
  return params->rank_count - 1;
}

static uint32_t reduce_scatter_rounds(const struct rs_schedule_params *params) {
  return params->rank_count == 1 ? 1 : params->rank_count - 1;
}

static uint32_t reduce_scatter_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                                     struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  if (params->rank_count == 1) {
    return rs_step_keep_input(steps);
  }
  const bool last = k == params->rank_count - 2;
  return rs_ring_pass_and_add(params, rank, k + 1, k == 0 ? RS_BUFFER_INPUT : RS_BUFFER_SCRATCH,
                              last ? RS_BUFFER_OUTPUT : RS_BUFFER_SCRATCH, last, steps);
}

const struct rs_algorithm rs_ring_reduce_scatter = {
    .name = "ring",
    .collective = RS_REDUCE_SCATTER,
    .summary = "partial sums go around a ring: least bytes, one block per round, rounds grow with n",
    .source = "Patarasuk, Yuan 2009, doi:10.1016/j.jpdc.2008.09.002",
    .cost = "(n-1) a + (n-1)/n S b + (n-1)/n S g",
    .parts = ring_parts,
    .scratch_places = ring_parts,
    .rounds = reduce_scatter_rounds,
    .round = reduce_scatter_round,
    .sent_parts = half_sent_parts,
};

static uint32_t allgather_rounds(const struct rs_schedule_params *params) {
  return params->rank_count;
}

static uint32_t allgather_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                                struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  if (k == params->rank_count - 1) {
    steps[0] = (struct rs_step){
        .kind = RS_STEP_COPY, .source = {RS_BUFFER_INPUT, rank, 1}, .target = {RS_BUFFER_OUTPUT, rank, 1}};
    return 1;
  }
  return rs_ring_pass(params, rank, k, k == 0 ? RS_BUFFER_INPUT : RS_BUFFER_OUTPUT, RS_BUFFER_OUTPUT, steps);
}

const struct rs_algorithm rs_ring_allgather = {
    .name = "ring",
    .collective = RS_ALLGATHER,
    .summary = "blocks go around a ring: neighbours only, one block per round, rounds grow with n",
    .source = "Patarasuk, Yuan 2009, doi:10.1016/j.jpdc.2008.09.002",
    .cost = "(n-1) a + (n-1)/n S b",
    .parts = ring_parts,
    .rounds = allgather_rounds,
    .round = allgather_round,
    .sent_parts = half_sent_parts,
};

// ---- send-receive -----------------------------------------------------------------------------------------

static uint32_t one(const struct rs_schedule_params *params) {
  (void)params;
  return 1;
}

static uint32_t sendrecv_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                               struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  (void)k;
  const uint32_t n = params->rank_count;
  if (n == 1) {
    return rs_step_keep_input(steps);
  }
  steps[0] = (struct rs_step){.kind = RS_STEP_SEND, .peer = right_of(n, rank), .source = {RS_BUFFER_INPUT, 0, 1}};
  steps[1] = (struct rs_step){.kind = RS_STEP_RECV, .peer = left_of(n, rank), .target = {RS_BUFFER_OUTPUT, 0, 1}};
  return 2;
}

static uint64_t sendrecv_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  (void)rank;
  return params->rank_count > 1;
}

const struct rs_algorithm rs_ring_sendrecv = {
    .name = "ring",
    .collective = RS_SENDRECV,
    .summary = "everybody sends to the right neighbour at once: one step of a ring",
    .source = "nccl-tests, sendrecv_perf",
    .cost = "a + S b",
    .parts = one,
    .rounds = one,
    .round = sendrecv_round,
    .sent_parts = sendrecv_sent_parts,
};
