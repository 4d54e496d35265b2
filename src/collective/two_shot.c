// Two-shot allreduce: rank p sums part p of all inputs, each of which is sent straight to it, and sends the sum to all.
//
// The name is that of inference libraries, which use it between the GPUs of one host:
// FlashInfer, flashinfer.comm.trtllm_mnnvl_allreduce; NVIDIA TensorRT-LLM, AllReduceStrategy.
//
// A rank sends the bytes of a ring, 2(n-1)/n S in 2(n-1) messages, but two messages deep where a ring is 2(n-1) deep.
// In memory that ranks share, an input is read once, and a partial sum stays with the rank that adds to it: none is
// written to be read by the next. The price is that everyone talks to everyone: on a network, n - 1 flows meet at
// each rank at once, from all over it.
//
// Rounds are rotations, so that no two ranks send to one in the same round. In rotation k = 1 .. n-1 of the first shot
// rank r sends part r + k to its owner, rank r + k, and adds rank r - k's to its own (mod n); in the second it sends
// its sum to rank r + k. Three ranks with inputs a b c; `*` is the whole sum abc:
//
//   round  rank 0               rank 1               rank 2
//     0    [ac]   .     .        .    [ab]   .        .     .    [bc]
//     1    [*]    .     .        .    [*]    .        .     .    [*]
//     2     *     .    [*]      [*]    *     .        .    [*]    *
//     3     *    [*]    *        *     *    [*]      [*]    *     *
//
// No copy is needed: the first sum of a part reads the input, and in place a part of the input is overwritten after it
// was sent. Part p is summed as ((x_p + x_p-1) + x_p-2) + ..., indices mod n, on one rank: all ranks have the same
// bits.
#include "collective/algorithms.h"
#include "collective/step.h"

static uint32_t two_shot_parts(const struct rs_schedule_params *params) {
  return params->rank_count;
}

static uint32_t two_shot_rounds(const struct rs_schedule_params *params) {
  return params->rank_count == 1 ? 1 : 2 * (params->rank_count - 1);
}

static uint32_t two_shot_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                               struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  const uint32_t n = params->rank_count;
  if (n == 1) {
    return rs_step_keep_input(steps);
  }
  const bool adds = k < n - 1;
  const uint32_t rotation = adds ? k + 1 : k + 2 - n;
  const uint32_t to = (uint32_t)(((uint64_t)rank + rotation) % n);
  const uint32_t from = (uint32_t)(((uint64_t)rank + n - rotation) % n);
  const struct rs_slice sum = {RS_BUFFER_OUTPUT, rank, 1};
  if (adds) {
    steps[0] = (struct rs_step){.kind = RS_STEP_SEND, .peer = to, .source = {RS_BUFFER_INPUT, to, 1}};
    steps[1] = (struct rs_step){.kind = RS_STEP_RECV_REDUCE,
                                .peer = from,
                                .source = {rotation == 1 ? RS_BUFFER_INPUT : RS_BUFFER_OUTPUT, rank, 1},
                                .target = sum,
                                .final = rotation == n - 1};
  } else {
    steps[0] = (struct rs_step){.kind = RS_STEP_SEND, .peer = to, .source = sum};
    steps[1] = (struct rs_step){.kind = RS_STEP_RECV, .peer = from, .target = {RS_BUFFER_OUTPUT, from, 1}};
  }
  return 2;
}

static uint64_t two_shot_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  (void)rank;
  return 2 * (uint64_t)(params->rank_count - 1);
}

const struct rs_algorithm rs_two_shot_allreduce = {
    .name = "two-shot",
    .collective = RS_ALLREDUCE,
    .summary = "each part straight to the rank that sums it, and the sum to all: least bytes, two messages deep",
    .source = "as in FlashInfer and TensorRT-LLM",
    .cost = "2(n-1) a + 2(n-1)/n S b + (n-1)/n S g",
    .parts = two_shot_parts,
    .rounds = two_shot_rounds,
    .round = two_shot_round,
    .sent_parts = two_shot_sent_parts,
};
