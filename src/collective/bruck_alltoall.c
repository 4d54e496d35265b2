// Bruck's all-to-all: ceil(log2 n) messages per rank instead of n - 1, each with about half of the blocks.
//
// Bruck, Ho, Kipnis, Upfal, Weathersby: Efficient algorithms for all-to-all communications in multiport message-passing
// systems. IEEE Trans. Parallel Distrib. Syst. 8 (1997).
//
// A block from rank s to rank d has the distance j = d - s (mod n) to go. It goes there in hops, one for each 1 in j:
// in the stage of bit b every rank sends all blocks that it holds whose j has this bit to the rank 2^b further on, as
// one message, and gets as many from the rank 2^b before it. After the last stage every block has gone j. The stages
// may come in any order; here they go from the highest bit to the lowest. Six ranks (`sd` is the block from s to d),
// seen from rank 0:
//
//   stage   distances   rank 0 sends    to    gets          from
//   bit 2      4 5      04 05            4    20 21          2      20 is there; 21 has come 4 of its 5
//   bit 1      2 3      02 03            2    40 41          4      40 is there; 41 has come 2 of its 3
//   bit 0     1 3 5     01 41 21         1    50 30 10       5      all three are there
//
// Which block stands for distance j at rank r? One that has gone the bits of j above the current one, and has the rest,
// j mod 2^(b+1), still to go: its destination, and so its part, is r + j mod 2^(b+1) before the hop, and
// r + j mod 2^b after it. So a place of scratch for each pair (b, j) holds one part number all through:
//
//   packing[b]   a place for each j with bit b, j rising: what the message of stage b takes away
//   landing[b]   the same for the message that comes
//
// A message is one slice, so packing copies its blocks together. Distances with bit b come in runs of 2^b: b = 1 has
// 2 3, 6 7, 10 11, ... The first run (no higher bit) is still in the input, where blocks of rising distance are
// neighbours, until the end of the input, where it wraps around. Every other run landed as a whole in the stage of its
// lowest higher bit. So a run is one copy, or two where it wraps: about n copies in all stages together, and as many
// blocks are delivered to the output when all have come. From the lowest bit up, which is the order of the paper, it is
// the other way round: delivery has long runs, and packing from the input has none. RS_ROUND_STEPS_MAX copies are one
// round of the schedule.
//
// So a rank sends log2(n) / 2 times the bytes of pairwise exchange, in log2(n) / n of its messages: it is for short
// blocks, where a message costs more than its bytes. Scratch is two blocks for every (b, j), about n log2 n blocks. As
// parts are destinations, uneven blocks are the same schedule.
#include "collective/algorithms.h"
#include "collective/step.h"

// The highest bit that a distance has; 0 when there is no distance but 0.
static uint32_t highest_bit(uint32_t n) {
  return n == 1 ? 0 : UINT32_C(1) << (31 - __builtin_clz(n - 1));
}

// How many of the distances 0 .. j-1 have the bit; so, when j has it, where j stands among those that have it.
static uint32_t distances_below(uint32_t j, uint32_t bit) {
  const uint32_t whole = j / 2 / bit * bit, rest = j % (2 * bit);
  return whole + (rest > bit ? rest - bit : 0);
}

// ---- scratch ----------------------------------------------------------------------------------------------

// Stage by stage from the highest bit on, packing first and then landing. The place of distance j is
// packing + distances_below(j, bit), and `count` further on in landing.
struct stage {
  uint32_t bit;     // 2^b
  uint32_t count;   // distances with the bit: the blocks of its message
  uint32_t packing; // its first place
};

static struct stage stage_of(uint32_t n, uint32_t bit) {
  struct stage stage = {.bit = bit, .count = distances_below(n, bit)};
  for (uint32_t higher = highest_bit(n); higher > bit; higher /= 2) {
    stage.packing += 2 * distances_below(n, higher);
  }
  return stage;
}

static uint32_t bruck_scratch_places(const struct rs_schedule_params *params) {
  const struct stage last = stage_of(params->rank_count, 1);
  return last.packing + 2 * last.count;
}

static uint32_t bruck_scratch_part(const struct rs_schedule_params *params, uint32_t rank, uint32_t q) {
  const uint32_t n = params->rank_count;
  uint32_t bit = highest_bit(n), count = distances_below(n, bit);
  while (q >= 2 * count) {
    q -= 2 * count;
    bit /= 2;
    count = distances_below(n, bit);
  }
  const uint32_t to_go = q % count % bit; // j mod 2^b: a run holds the 2^b distances from one with 0 there to the next
  return (uint32_t)(((uint64_t)rank + to_go + (q < count ? bit : 0)) % n);
}

// ---- copies -----------------------------------------------------------------------------------------------

static struct rs_step copy(enum rs_buffer_id from, uint32_t source, enum rs_buffer_id to, uint32_t target,
                           uint32_t count) {
  return (struct rs_step){.kind = RS_STEP_COPY, .source = {from, source, count}, .target = {to, target, count}};
}

// Copies of a stage: the first run before and after the end of the input, then a copy for each further run.
static uint32_t packing_copies(uint32_t n, uint32_t bit) {
  return 1 + (n + bit - 1) / (2 * bit);
}

// The copy `index` of a stage; false: the first run does not reach that far.
static bool pack(uint32_t n, uint32_t rank, const struct stage *stage, uint32_t index, struct rs_step *step) {
  const uint32_t run = index < 2 ? 0 : index - 1;
  const uint32_t first = (2 * run + 1) * stage->bit; // its first distance
  const uint32_t length = n - first < stage->bit ? n - first : stage->bit;
  const uint32_t packing = stage->packing + run * stage->bit;
  if (run > 0) {
    const struct stage came = stage_of(n, 2 * stage->bit * (run & (~run + 1)));
    const uint32_t landing = came.packing + came.count + distances_below(first, came.bit);
    *step = copy(RS_BUFFER_SCRATCH, landing, RS_BUFFER_SCRATCH, packing, length);
    return true;
  }
  const uint32_t to_end = n - rank > first ? n - rank - first : 0; // distances of the run before the input ends
  const uint32_t before = to_end < length ? to_end : length;
  if (index == 0) {
    *step = copy(RS_BUFFER_INPUT, rank + first, RS_BUFFER_SCRATCH, packing, before);
    return before > 0;
  }
  const uint32_t wrapped = (uint32_t)(((uint64_t)rank + first + before) % n);
  *step = copy(RS_BUFFER_INPUT, wrapped, RS_BUFFER_SCRATCH, packing + before, length - before);
  return before < length;
}

// The block that has come the distance j: its last hop was that of the lowest bit of j.
static struct rs_step deliver(uint32_t n, uint32_t rank, uint32_t j) {
  if (j == 0) {
    return copy(RS_BUFFER_INPUT, rank, RS_BUFFER_OUTPUT, rank, 1);
  }
  const struct stage came = stage_of(n, j & (~j + 1));
  const uint32_t landing = came.packing + came.count + distances_below(j, came.bit);
  return copy(RS_BUFFER_SCRATCH, landing, RS_BUFFER_OUTPUT, j <= rank ? rank - j : rank + (n - j), 1);
}

// ---- rounds -----------------------------------------------------------------------------------------------

static uint32_t rounds_for(uint32_t copies) {
  return (copies + RS_ROUND_STEPS_MAX - 1) / RS_ROUND_STEPS_MAX;
}

static uint32_t bruck_parts(const struct rs_schedule_params *params) {
  return params->rank_count;
}

static uint32_t bruck_rounds(const struct rs_schedule_params *params) {
  const uint32_t n = params->rank_count;
  uint32_t rounds = rounds_for(n);
  for (uint32_t bit = highest_bit(n); bit > 0; bit /= 2) {
    rounds += rounds_for(packing_copies(n, bit)) + 1;
  }
  return rounds;
}

static uint32_t exchange(uint32_t n, uint32_t rank, const struct stage *stage, struct rs_step *steps) {
  const uint32_t bit = stage->bit; // less than n
  steps[0] = (struct rs_step){.kind = RS_STEP_SEND,
                              .peer = bit < n - rank ? rank + bit : rank + bit - n,
                              .source = {RS_BUFFER_SCRATCH, stage->packing, stage->count}};
  steps[1] = (struct rs_step){.kind = RS_STEP_RECV,
                              .peer = bit <= rank ? rank - bit : rank + (n - bit),
                              .target = {RS_BUFFER_SCRATCH, stage->packing + stage->count, stage->count}};
  return 2;
}

static uint32_t bruck_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                            struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  const uint32_t n = params->rank_count;
  uint32_t count = 0;
  for (uint32_t bit = highest_bit(n); bit > 0; bit /= 2) {
    const struct stage stage = stage_of(n, bit);
    const uint32_t copies = packing_copies(n, bit), packing_rounds = rounds_for(copies);
    if (k < packing_rounds) {
      for (uint32_t i = k * RS_ROUND_STEPS_MAX; i < copies && i < (k + 1) * RS_ROUND_STEPS_MAX; i++) {
        count += pack(n, rank, &stage, i, &steps[count]);
      }
      return count;
    }
    if (k == packing_rounds) {
      return exchange(n, rank, &stage, steps);
    }
    k -= packing_rounds + 1;
  }
  for (uint32_t j = k * RS_ROUND_STEPS_MAX; j < n && j < (k + 1) * RS_ROUND_STEPS_MAX; j++) {
    steps[count++] = deliver(n, rank, j);
  }
  return count;
}

static uint64_t bruck_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  (void)rank;
  uint64_t sent = 0;
  for (uint32_t j = 1; j < params->rank_count; j++) {
    sent += (uint32_t)__builtin_popcount(j); // a hop for each 1 in the distance
  }
  return sent;
}

const struct rs_algorithm rs_bruck_alltoall = {
    .name = "bruck",
    .collective = RS_ALLTOALL,
    .summary = "blocks hop by the bits of their distance: least messages, more bytes, for short blocks",
    .source = "Bruck, Ho, Kipnis, Upfal, Weathersby 1997, doi:10.1109/71.642949",
    .cost = "ceil(log2 n) (a + S/2 b)",
    .parts = bruck_parts,
    .scratch_places = bruck_scratch_places,
    .scratch_part = bruck_scratch_part,
    .rounds = bruck_rounds,
    .round = bruck_round,
    .sent_parts = bruck_sent_parts,
};

const struct rs_algorithm rs_bruck_alltoallv = {
    .name = "bruck",
    .collective = RS_ALLTOALLV,
    .summary = "blocks, however long, hop by the bits of their distance: least messages, more bytes",
    .source = "Bruck, Ho, Kipnis, Upfal, Weathersby 1997, doi:10.1109/71.642949",
    .cost = "ceil(log2 n) (a + S/2 b)",
    .parts = bruck_parts,
    .scratch_places = bruck_scratch_places,
    .scratch_part = bruck_scratch_part,
    .rounds = bruck_rounds,
    .round = bruck_round,
    .sent_parts = bruck_sent_parts,
};
