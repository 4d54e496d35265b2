// Linear reduce: every rank sends its whole input to the root, which adds them one after another.
//
// The flat tree of every MPI library's fallbacks (Open MPI's coll_basic, MPICH's nonblocking linear algorithms). One
// message deep, so nothing is faster for two or three ranks; but the root takes in n-1 messages over one link and adds
// them all, so its time grows with n. That makes it the purest incast: many senders, one receiver, no pacing.
//
// Five ranks, root 1 (a round has at most 8 steps; with 4 senders there is one round):
//
//   round 0    2 +> 1    3 +> 1    4 +> 1    0 +> 1
//
// The root adds in the order of the ring from itself on: (((x1 + x2) + x3) + x4) + x0, whoever comes first.
// RECV_REDUCEs into one slice keep the order listed, and a message that is early waits in the executor's staging.
#include "collective/algorithms.h"
#include "collective/step.h"

static uint32_t linear_parts(const struct rs_schedule_params *params) {
  (void)params;
  return 1;
}

static uint32_t linear_rounds(const struct rs_schedule_params *params) {
  const uint32_t senders = params->rank_count - 1;
  return senders == 0 ? 1 : senders / RS_ROUND_STEPS_MAX + (senders % RS_ROUND_STEPS_MAX != 0);
}

// The root's steps of round k: senders k x 8 + 1, k x 8 + 2, ... places after it on the ring.
static uint32_t take_in(const struct rs_schedule_params *params, uint32_t k, struct rs_step *steps) {
  const uint32_t n = params->rank_count;
  uint32_t count = 0;
  for (uint32_t place = k * RS_ROUND_STEPS_MAX + 1; place < n && count < RS_ROUND_STEPS_MAX; place++) {
    const enum rs_buffer_id from = place == 1 ? RS_BUFFER_INPUT : RS_BUFFER_OUTPUT;
    steps[count++] = (struct rs_step){.kind = RS_STEP_RECV_REDUCE,
                                      .peer = (uint32_t)(((uint64_t)params->root + place) % n),
                                      .source = {from, 0, 1},
                                      .target = {RS_BUFFER_OUTPUT, 0, 1},
                                      .final = place == n - 1};
  }
  return count;
}

static uint32_t linear_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                             struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  const uint32_t n = params->rank_count;
  if (n == 1) {
    return rs_step_keep_input(steps);
  }
  if (rank == params->root) {
    return take_in(params, k, steps);
  }
  const uint32_t place = (rank + n - params->root) % n;
  if ((place - 1) / RS_ROUND_STEPS_MAX != k) {
    return 0;
  }
  steps[0] = (struct rs_step){.kind = RS_STEP_SEND, .peer = params->root, .source = {RS_BUFFER_INPUT, 0, 1}};
  return 1;
}

static uint64_t linear_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  return rank != params->root;
}

const struct rs_algorithm rs_linear_reduce = {
    .name = "linear",
    .collective = RS_REDUCE,
    .summary = "every rank sends to the root: one message deep, all of it over the root's link",
    .source = "the flat tree; as a load: incast, Phanishayee et al. 2008 (USENIX FAST)",
    .cost = "(n-1) (a + S b + S g)",
    .parts = linear_parts,
    .rounds = linear_rounds,
    .round = linear_round,
    .sent_parts = linear_sent_parts,
};
