// Bruck's allgather: what a rank holds doubles in every round, for every n.
//
// Bruck, Ho, Kipnis, Upfal, Weathersby: Efficient algorithms for all-to-all communications in multiport message-passing
// systems. IEEE Trans. Parallel Distrib. Syst. 8 (1997).
//
// A rank always holds a run of neighbouring blocks that begins with its own, r, r + 1, ... (mod n). With h blocks held
// everywhere, it sends its run to rank r - h and gets the run of rank r + h, which begins where its own ends. So h goes
// 1, 2, 4, ...; where the last run would be too long, only its first n - h blocks are sent. That is ceil(log2 n)
// rounds and the least bytes, for an n which is no power of two as well: recursive doubling needs a power of two.
// Five ranks with blocks a b c d e; what a round has brought stands in brackets:
//
//   h   sends to    rank 0      rank 1      rank 2      rank 3      rank 4
//       (copy)      a . . . .   . b . . .   . . c . .   . . . d .   . . . . e
//   1    r - 1      a[b]. . .   . b[c]. .   . . c[d].   . . . d[e] [a]. . . e
//   2    r - 2      a b[c d].   . b c[d e] [a]. c d[e] [a b]. d e   a[b c]. e
//   4    r - 4      a b c d[e] [a]b c d e   a[b]c d e   a b[c]d e   a b c[d]e
//
// The paper keeps the run at the start of the buffer, so that every message is one piece, and rotates the result by r
// places in the end: a pass over the whole output. Here blocks go where they belong at once, and a run that passes the
// end of the output goes on at its start: it is two slices, and two messages. Sender and receiver have the same run in
// the same places, so both cut it alike. Of the n ranks one less than the run has blocks must cut it, so over all
// rounds that is less than one message more per rank; and no block is moved twice.
//
// It is for short blocks, where rounds count. The last message is about half of the result and goes the farthest:
// pat.c turns that round.
#include "collective/algorithms.h"
#include "collective/step.h"

static uint32_t bruck_parts(const struct rs_schedule_params *params) {
  return params->rank_count;
}

// The copy, and a round for every doubling.
static uint32_t bruck_rounds(const struct rs_schedule_params *params) {
  return 1 + rs_log2_up(params->rank_count);
}

// The run of `count` <= n places of the output from `first` on, around the end if need be. Returns 1 or 2, how many
// slices it is.
static uint32_t cut_run(uint32_t n, uint32_t first, uint32_t count, struct rs_slice slices[2]) {
  const uint32_t to_end = n - first, head = count < to_end ? count : to_end;
  slices[0] = (struct rs_slice){RS_BUFFER_OUTPUT, first, head};
  slices[1] = (struct rs_slice){RS_BUFFER_OUTPUT, 0, count - head};
  return head < count ? 2 : 1;
}

static uint32_t bruck_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                            struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  const uint32_t n = params->rank_count;
  if (k == 0) {
    steps[0] = (struct rs_step){
        .kind = RS_STEP_COPY, .source = {RS_BUFFER_INPUT, rank, 1}, .target = {RS_BUFFER_OUTPUT, rank, 1}};
    return 1;
  }
  const uint32_t held = UINT32_C(1) << (k - 1), wanted = n - held, count = held < wanted ? held : wanted;
  const uint32_t before = rank >= held ? rank - held : rank + wanted; // rank - held, mod n
  const uint32_t after = rank < wanted ? rank + held : rank - wanted; // rank + held, mod n
  struct rs_slice slices[2];
  uint32_t used = 0;
  for (uint32_t i = 0, cuts = cut_run(n, rank, count, slices); i < cuts; i++) {
    steps[used++] = (struct rs_step){.kind = RS_STEP_SEND, .peer = before, .source = slices[i]};
  }
  for (uint32_t i = 0, cuts = cut_run(n, after, count, slices); i < cuts; i++) {
    steps[used++] = (struct rs_step){.kind = RS_STEP_RECV, .peer = after, .target = slices[i]};
  }
  return used;
}

static uint64_t bruck_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  (void)rank;
  return params->rank_count - 1;
}

const struct rs_algorithm rs_bruck_allgather = {
    .name = "bruck",
    .collective = RS_ALLGATHER,
    .summary = "what a rank holds doubles in every round: least rounds for every n, for short blocks",
    .source = "Bruck, Ho, Kipnis, Upfal, Weathersby 1997, doi:10.1109/71.642949",
    .cost = "ceil(log2 n) a + (n-1)/n S b",
    .parts = bruck_parts,
    .rounds = bruck_rounds,
    .round = bruck_round,
    .sent_parts = bruck_sent_parts,
};
