// Pairwise exchange, for alltoall and alltoallv: every block goes straight from its owner to its destination.
//
// Thakur, Rabenseifner, Gropp: Optimization of collective communication operations in MPICH. Int. J. High Perform.
// Comput. Appl. 19 (2005).
//
// Round k is for the blocks that have k ranks to go: rank r sends its block r + k to rank r + k, and receives its own
// block from rank r - k (mod n). Each round is one rotation of the ranks, so no one is sent two blocks at once. Four
// ranks; `sd` is the block from rank s to rank d:
//
//   round   rank 0 sends, takes     rank 1               rank 2               rank 3
//     0         (00)                 (11)                 (22)                 (33)           copied
//     1        01 -> 1   30         12 -> 2   01         23 -> 3   12         30 -> 0   23
//     2        02 -> 2   20         13 -> 3   31         20 -> 0   02         31 -> 1   13
//     3        03 -> 3   10         10 -> 0   21         21 -> 1   32         32 -> 2   03
//
// The classical schedule sends to r XOR k where n is a power of two, so that two ranks swap blocks. That is of use
// where a link carries one direction at a time, or where a send waits for its partner. Here neither holds: receives are
// posted early and links are full duplex, so one rule serves every n.
//
// Every block travels once: the least bytes there can be. But every message is one block, n - 1 of them, so short
// blocks are better off with Bruck's algorithm. No block waits for another, so rounds overlap as far as the window
// goes. As steps name blocks and not lengths, uneven blocks are the same schedule; the cost is then that of the mean
// rank.
#include "collective/algorithms.h"
#include "collective/step.h"

static uint32_t pairwise_parts(const struct rs_schedule_params *params) {
  return params->rank_count;
}

static uint32_t pairwise_rounds(const struct rs_schedule_params *params) {
  return params->rank_count;
}

static uint32_t pairwise_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                               struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  const uint32_t n = params->rank_count;
  const uint32_t to = k < n - rank ? rank + k : rank + k - n, from = k <= rank ? rank - k : rank + (n - k);
  const struct rs_slice leaving = {RS_BUFFER_INPUT, to, 1}, coming = {RS_BUFFER_OUTPUT, from, 1};
  if (k == 0) {
    steps[0] = (struct rs_step){.kind = RS_STEP_COPY, .source = leaving, .target = coming};
    return 1;
  }
  steps[0] = (struct rs_step){.kind = RS_STEP_SEND, .peer = to, .source = leaving};
  steps[1] = (struct rs_step){.kind = RS_STEP_RECV, .peer = from, .target = coming};
  return 2;
}

static uint64_t pairwise_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  (void)rank;
  return params->rank_count - 1;
}

const struct rs_algorithm rs_pairwise_alltoall = {
    .name = "pairwise",
    .collective = RS_ALLTOALL,
    .summary = "each block straight to its destination: least bytes, a message per block",
    .source = "Thakur, Rabenseifner, Gropp 2005, doi:10.1177/1094342005051521",
    .cost = "(n-1) a + (n-1)/n S b",
    .parts = pairwise_parts,
    .rounds = pairwise_rounds,
    .round = pairwise_round,
    .sent_parts = pairwise_sent_parts,
};

const struct rs_algorithm rs_pairwise_alltoallv = {
    .name = "pairwise",
    .collective = RS_ALLTOALLV,
    .summary = "each block, however long, straight to its destination: least bytes, a message per block",
    .source = "Thakur, Rabenseifner, Gropp 2005, doi:10.1177/1094342005051521",
    .cost = "(n-1) a + (n-1)/n S b",
    .parts = pairwise_parts,
    .rounds = pairwise_rounds,
    .round = pairwise_round,
    .sent_parts = pairwise_sent_parts,
};
