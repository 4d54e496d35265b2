// Pipelined chains: every rank hands on to the next what it has from the one before.
//
// Pjesivac-Grbovic, Angskun, Bosilca, Fagg, Gabriel, Dongarra: Performance analysis of MPI collective operations.
// Cluster Computing 10 (2007), where this is the "pipeline".
//
// The head of the chain is the root, and rank root + q (mod n) stands at position q. A reduction runs towards the head:
// the last position sends its input, and each one on the way adds its own. A broadcast runs away from it. An allreduce
// is the reduction and then the broadcast, with rank 0 at its head. Four ranks, root 0:
//
//   reduce      round 0   3 +> 2           broadcast   round 0   0 -> 1         +> the receiver adds
//                     1   2 +> 1                           1   1 -> 2         -> the receiver stores
//                     2   1 +> 0, final                    2   2 -> 3
//                                                          3   0 copies its input into its output
//
//   allreduce   rounds 0 to 2 are the reduction, 3 to 5 the broadcast
//
// One part, and one message per round: without chunks there is no slower way. With many chunks there is hardly a faster
// one, because they follow each other along the chain and every link is busy all the time. A moment of the reduction:
//
//               chunk 0   chunk 1   chunk 2
//     round 0   done      done      3 +> 2
//           1   done      2 +> 1                three chunks on the wire at once
//           2   1 +> 0
//
// A link carries each byte once, in an allreduce once in either direction, and a rank talks to two neighbours only. The
// price is that the first chunk takes n-1 hops: a chain is for long messages and few ranks.
//
// The order of summation is that of the chain: ((x_n-1 + x_n-2) + ...) + x_0, x_q being the input of position q. The
// bits depend on n and the root alone, and an allreduce hands everyone the head's.
//
// Partial sums lie in the output of an allreduce, and in scratch when reducing to a root, as other ranks have no
// result to write. No copy is needed but the one of a broadcast's root. It comes last, off the path to the others.
#include "collective/algorithms.h"
#include "collective/step.h"

// Round k of a reduction, whose partial sums lie in `sums`.
static uint32_t reduce_step(const struct rs_schedule_params *params, uint32_t rank, uint32_t k, enum rs_buffer_id sums,
                            struct rs_step *steps) {
  const uint32_t position = rs_position_of(params, rank), sender = params->rank_count - 1 - k;
  if (position == sender) {
    steps[0] = (struct rs_step){.kind = RS_STEP_SEND,
                                .peer = rs_rank_at(params, position - 1),
                                .source = {k == 0 ? RS_BUFFER_INPUT : sums, 0, 1}};
    return 1;
  }
  if (position + 1 == sender) {
    steps[0] = (struct rs_step){.kind = RS_STEP_RECV_REDUCE,
                                .peer = rs_rank_at(params, sender),
                                .source = {RS_BUFFER_INPUT, 0, 1},
                                .target = {position == 0 ? RS_BUFFER_OUTPUT : sums, 0, 1},
                                .final = position == 0};
    return 1;
  }
  return 0;
}

// Round k of a broadcast of what lies in `data` at the head.
static uint32_t broadcast_step(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                               enum rs_buffer_id data, struct rs_step *steps) {
  const uint32_t position = rs_position_of(params, rank);
  if (position == k) {
    steps[0] = (struct rs_step){.kind = RS_STEP_SEND,
                                .peer = rs_rank_at(params, k + 1),
                                .source = {position == 0 ? data : RS_BUFFER_OUTPUT, 0, 1}};
    return 1;
  }
  if (position == k + 1) {
    steps[0] =
        (struct rs_step){.kind = RS_STEP_RECV, .peer = rs_rank_at(params, k), .target = {RS_BUFFER_OUTPUT, 0, 1}};
    return 1;
  }
  return 0;
}

static uint32_t one_part(const struct rs_schedule_params *params) {
  (void)params;
  return 1;
}

// ---- allreduce --------------------------------------------------------------------------------------------

static uint32_t allreduce_rounds(const struct rs_schedule_params *params) {
  return params->rank_count == 1 ? 1 : 2 * (params->rank_count - 1);
}

static uint32_t allreduce_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                                struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  const uint32_t hops = params->rank_count - 1;
  if (hops == 0) {
    return rs_step_keep_input(steps);
  }
  return k < hops ? reduce_step(params, rank, k, RS_BUFFER_OUTPUT, steps)
                  : broadcast_step(params, rank, k - hops, RS_BUFFER_OUTPUT, steps);
}

// Once each way, but nothing beyond the ends.
static uint64_t allreduce_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  const uint32_t position = rs_position_of(params, rank);
  return (uint64_t)(position != 0) + (position != params->rank_count - 1);
}

const struct rs_algorithm rs_chain_allreduce = {
    .name = "chain",
    .collective = RS_ALLREDUCE,
    .summary = "pipelined reduction along a chain and broadcast back: long messages in many chunks, few ranks",
    .source = "Pjesivac-Grbovic et al. 2007, doi:10.1007/s10586-007-0012-0",
    .cost = "(2(n-1) + C - 1) (2 a + 2 S/C b + S/C g) for many chunks C",
    .parts = one_part,
    .rounds = allreduce_rounds,
    .round = allreduce_round,
    .sent_parts = allreduce_sent_parts,
};

// ---- broadcast --------------------------------------------------------------------------------------------

static uint32_t broadcast_rounds(const struct rs_schedule_params *params) {
  return params->rank_count;
}

static uint32_t broadcast_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                                struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  if (k < params->rank_count - 1) {
    return broadcast_step(params, rank, k, RS_BUFFER_INPUT, steps);
  }
  return rank == params->root ? rs_step_keep_input(steps) : 0;
}

static uint64_t broadcast_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  return rs_position_of(params, rank) != params->rank_count - 1;
}

const struct rs_algorithm rs_chain_broadcast = {
    .name = "chain",
    .collective = RS_BROADCAST,
    .summary = "pipelined along a chain from the root: every link carries each byte once, for many chunks",
    .source = "Pjesivac-Grbovic et al. 2007, doi:10.1007/s10586-007-0012-0",
    .cost = "(n - 1 + C - 1) (a + S/C b), C chunks",
    .parts = one_part,
    .rounds = broadcast_rounds,
    .round = broadcast_round,
    .sent_parts = broadcast_sent_parts,
};

// ---- reduce -----------------------------------------------------------------------------------------------

static uint32_t reduce_scratch_places(const struct rs_schedule_params *params) {
  return params->rank_count > 2; // the ends need none
}

static uint32_t reduce_rounds(const struct rs_schedule_params *params) {
  return params->rank_count == 1 ? 1 : params->rank_count - 1;
}

static uint32_t reduce_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                             struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  return params->rank_count == 1 ? rs_step_keep_input(steps) : reduce_step(params, rank, k, RS_BUFFER_SCRATCH, steps);
}

static uint64_t reduce_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  return rank != params->root;
}

const struct rs_algorithm rs_chain_reduce = {
    .name = "chain",
    .collective = RS_REDUCE,
    .summary = "pipelined along a chain to the root: every link carries each byte once, for many chunks",
    .source = "Pjesivac-Grbovic et al. 2007, doi:10.1007/s10586-007-0012-0",
    .cost = "(n - 1 + C - 1) (a + S/C b + S/C g), C chunks",
    .parts = one_part,
    .scratch_places = reduce_scratch_places,
    .rounds = reduce_rounds,
    .round = reduce_round,
    .sent_parts = reduce_sent_parts,
};
