// Recursive doubling allreduce: in each round two ranks swap all they have and both add, so sums double in breadth.
//
// Thakur, Rabenseifner, Gropp: Optimization of collective communication operations in MPICH. Int. J. High Perform.
// Comput. Appl. 19 (2005).
//
// With n = 2^L ranks, rank r meets r XOR 2^j in exchange j. Before it each of the two holds the sum of 2^j ranks,
// afterwards both hold the sum of all 2^(j+1). L exchanges of the whole buffer: the fewest rounds there can be, and
// half of a tree's, as there is no way back down. But every rank sends L times S bytes, so it is for short messages.
//
// Any n: let C = 2^L be the largest power of two in n, and E = n - C. The first 2E ranks are pairs of neighbours. The
// odd one of a pair folds its input into the even one's, sits out, and is given the result at the end. The C ranks that
// are left, the cores, are numbered 0 to C-1 in their order, and these numbers are what meets by XOR. Six ranks, where
// 0, 2, 4, 5 are cores 0 to 3:
//
//   round 0   fold        1 +> 0     3 +> 2                   +> the receiver adds
//         1   exchange    0 <+> 2    4 <+> 5                  <+> both add
//         2   exchange    0 <+> 4    2 <+> 5
//         3   unfold      0 -> 1     2 -> 3                   -> the receiver stores
//
// The nearest partner comes first. So when ranks are numbered host by host and each host has 2^m of them, the first m
// exchanges of n = 2^L ranks stay inside hosts.
//
// Where sums lie. A rank may not add to what it is sending in the same round, so the sums of exchange 0, 1, ... lie in
// scratch 1, 0, 1, ..., and the last in the output; a fold leaves its sum in scratch 0. That needs no copy, unless
// there are two cores (n = 2 or 3): the only exchange sends the input, which may be the output's memory, so its sum
// goes to scratch 1 too, and is copied into place at the end.
//
// Partners add the same two sums, one as a + b and the other as b + a. Those are the same bits, because every operation
// commutes; that they are not associative does no harm, as all cores go through the same binary tree over core numbers.
// So all ranks end with the same bits, and these depend on n alone.
#include "collective/algorithms.h"
#include "collective/step.h"

// How n ranks are folded, and the rounds that follow: a fold, the exchanges, and an end that unfolds or copies.
struct folding {
  uint32_t extra;     // E, so ranks 0 .. 2E-1 are in pairs
  uint32_t exchanges; // L
  uint32_t folds, ends;
};

static struct folding folding_of(uint32_t n) {
  const uint32_t exchanges = 31 - (uint32_t)__builtin_clz(n), extra = n - (UINT32_C(1) << exchanges);
  return (struct folding){
      .extra = extra, .exchanges = exchanges, .folds = extra > 0, .ends = extra > 0 || exchanges == 1};
}

static bool in_pair(const struct folding *folding, uint32_t rank) {
  return rank / 2 < folding->extra;
}

static uint32_t core_partner(const struct folding *folding, uint32_t rank, uint32_t j) {
  const uint32_t core = in_pair(folding, rank) ? rank / 2 : rank - folding->extra;
  const uint32_t partner = core ^ UINT32_C(1) << j;
  return partner < folding->extra ? 2 * partner : partner + folding->extra;
}

// Where a core holds the sum that goes into exchange j; j = L: that comes out of the last one.
static struct rs_slice sum_before(const struct folding *folding, uint32_t rank, uint32_t j) {
  if (j == 0 && !in_pair(folding, rank)) {
    return (struct rs_slice){RS_BUFFER_INPUT, 0, 1};
  }
  if (j == folding->exchanges && j > 1) {
    return (struct rs_slice){RS_BUFFER_OUTPUT, 0, 1};
  }
  return (struct rs_slice){RS_BUFFER_SCRATCH, j % 2, 1};
}

static uint32_t fold(const struct folding *folding, uint32_t rank, struct rs_step *steps) {
  const struct rs_slice input = {RS_BUFFER_INPUT, 0, 1};
  if (!in_pair(folding, rank)) {
    return 0;
  }
  steps[0] =
      rank % 2 == 1
          ? (struct rs_step){.kind = RS_STEP_SEND, .peer = rank - 1, .source = input}
          : (struct rs_step){
                .kind = RS_STEP_RECV_REDUCE, .peer = rank + 1, .source = input, .target = sum_before(folding, rank, 0)};
  return 1;
}

static uint32_t exchange(const struct folding *folding, uint32_t rank, uint32_t j, struct rs_step *steps) {
  if (in_pair(folding, rank) && rank % 2 == 1) {
    return 0;
  }
  const uint32_t partner = core_partner(folding, rank, j);
  const struct rs_slice sum = sum_before(folding, rank, j);
  steps[0] = (struct rs_step){.kind = RS_STEP_SEND, .peer = partner, .source = sum};
  steps[1] = (struct rs_step){.kind = RS_STEP_RECV_REDUCE,
                              .peer = partner,
                              .source = sum,
                              .target = sum_before(folding, rank, j + 1),
                              .final = j + 1 == folding->exchanges};
  return 2;
}

static uint32_t finish(const struct folding *folding, uint32_t rank, struct rs_step *steps) {
  const struct rs_slice output = {RS_BUFFER_OUTPUT, 0, 1}, sum = sum_before(folding, rank, folding->exchanges);
  const bool paired = in_pair(folding, rank);
  if (paired && rank % 2 == 1) {
    steps[0] = (struct rs_step){.kind = RS_STEP_RECV, .peer = rank - 1, .target = output};
    return 1;
  }
  uint32_t count = 0;
  if (sum.buffer != RS_BUFFER_OUTPUT) {
    steps[count++] = (struct rs_step){.kind = RS_STEP_COPY, .source = sum, .target = output};
  }
  if (paired) {
    steps[count++] = (struct rs_step){.kind = RS_STEP_SEND, .peer = rank + 1, .source = sum};
  }
  return count;
}

static uint32_t doubling_parts(const struct rs_schedule_params *params) {
  (void)params;
  return 1;
}

static uint32_t doubling_scratch_places(const struct rs_schedule_params *params) {
  return params->rank_count == 1 ? 0 : 2;
}

static uint32_t doubling_rounds(const struct rs_schedule_params *params) {
  const struct folding folding = folding_of(params->rank_count);
  return params->rank_count == 1 ? 1 : folding.folds + folding.exchanges + folding.ends;
}

static uint32_t doubling_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                               struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  if (params->rank_count == 1) {
    return rs_step_keep_input(steps);
  }
  const struct folding folding = folding_of(params->rank_count);
  if (k < folding.folds) {
    return fold(&folding, rank, steps);
  }
  const uint32_t j = k - folding.folds;
  return j < folding.exchanges ? exchange(&folding, rank, j, steps) : finish(&folding, rank, steps);
}

static uint64_t doubling_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  const struct folding folding = folding_of(params->rank_count);
  const bool paired = in_pair(&folding, rank);
  return paired && rank % 2 == 1 ? 1 : folding.exchanges + paired;
}

const struct rs_algorithm rs_recursive_doubling_allreduce = {
    .name = "recursive-doubling",
    .collective = RS_ALLREDUCE,
    .summary = "partners swap whole sums at distance 1, 2, 4, ...: fewest rounds, for the shortest messages",
    .source = "Thakur, Rabenseifner, Gropp 2005, doi:10.1177/1094342005051521",
    .cost = "floor(log2 n) (a + S b + S g); n no power of two: 2 a + 2 S b + S g more",
    .parts = doubling_parts,
    .scratch_places = doubling_scratch_places,
    .rounds = doubling_rounds,
    .round = doubling_round,
    .sent_parts = doubling_sent_parts,
};
