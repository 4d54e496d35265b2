// Point to point: what one pair of ranks can do, undisturbed by an algorithm. Every rank has at most one partner; many
// pairs may run at once.
//
//   pingpong   there and back: latency
//   stream     one way: bandwidth, or, in many messages, message rate
//   exchange   both ways at once: whether one way costs the other
//
// Hockney: The communication challenge for MPP: Intel Paragon and Meiko CS-2. Parallel Computing 20 (1994), for the
// ping-pong and what its time means; osu_bw, osu_mbw_mr and osu_bibw of the OSU Micro-Benchmarks for the others.
//
// Three ranks, of which 0 and 2 are a pair, and 1 is idle:
//
//   pingpong direct   round 0   input of 0 -> output of 2     round 1   output of 2 -> output of 0
//   stream direct           0   input of 0 -> output of 2
//   stream burst            0   the same in 256 messages, 8 in each of 32 rounds
//   exchange direct         0   input of 0 -> output of 2 and input of 2 -> output of 0
//
// The way back of a ping-pong reads what the way there has written. So it cannot start before all of it (with several
// chunks: before that chunk) has arrived, and the time is really that of two ways, one after the other.
//
// A stream is one message, or as many as there are chunks; a small size cannot be cut into many. A burst always is:
// with a few bytes in each message its time shows how many messages per second a pair can do. No message waits for
// another, so as many are under way as the window has room for.
#include "collective/algorithms.h"

#define BURST_PARTS 256

// The partner of `rank`, or `rank` itself: idle.
static uint32_t partner_of(const struct rs_schedule_params *params, uint32_t rank) {
  return params->partners ? params->partners[rank] : rank;
}

static struct rs_step send_to(uint32_t peer, enum rs_buffer_id buffer, uint32_t place) {
  return (struct rs_step){.kind = RS_STEP_SEND, .peer = peer, .source = {buffer, place, 1}};
}

static struct rs_step receive_from(uint32_t peer, uint32_t place) {
  return (struct rs_step){.kind = RS_STEP_RECV, .peer = peer, .target = {RS_BUFFER_OUTPUT, place, 1}};
}

static uint32_t one(const struct rs_schedule_params *params) {
  (void)params;
  return 1;
}

// ---- pingpong ---------------------------------------------------------------------------------------------

static uint32_t pingpong_rounds(const struct rs_schedule_params *params) {
  (void)params;
  return 2;
}

static uint32_t pingpong_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                               struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  const uint32_t partner = partner_of(params, rank);
  if (partner == rank) {
    return 0;
  }
  const bool sends = (rank < partner) == (k == 0);
  steps[0] = sends ? send_to(partner, k == 0 ? RS_BUFFER_INPUT : RS_BUFFER_OUTPUT, 0) : receive_from(partner, 0);
  return 1;
}

// Also for exchange.
static uint64_t sent_by_both(const struct rs_schedule_params *params, uint32_t rank) {
  return partner_of(params, rank) != rank;
}

const struct rs_algorithm rs_direct_pingpong = {
    .name = "direct",
    .collective = RS_PINGPONG,
    .summary = "one message there, and the same data back: twice the latency",
    .source = "Hockney 1994, doi:10.1016/S0167-8191(06)80021-9",
    .cost = "2 a + 2 S b",
    .parts = one,
    .rounds = pingpong_rounds,
    .round = pingpong_round,
    .sent_parts = sent_by_both,
};

// ---- stream -----------------------------------------------------------------------------------------------

// `count` messages, for places from `first` on.
static uint32_t stream(const struct rs_schedule_params *params, uint32_t rank, uint32_t first, uint32_t count,
                       struct rs_step *steps) {
  const uint32_t partner = partner_of(params, rank);
  if (partner == rank) {
    return 0;
  }
  for (uint32_t i = 0; i < count; i++) {
    steps[i] = rank < partner ? send_to(partner, RS_BUFFER_INPUT, first + i) : receive_from(partner, first + i);
  }
  return count;
}

static uint32_t stream_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                             struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  return stream(params, rank, k, 1, steps);
}

static uint64_t stream_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  return rank < partner_of(params, rank);
}

static uint32_t burst_parts(const struct rs_schedule_params *params) {
  (void)params;
  return BURST_PARTS;
}

static uint32_t burst_rounds(const struct rs_schedule_params *params) {
  (void)params;
  return BURST_PARTS / RS_ROUND_STEPS_MAX;
}

static uint32_t burst_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                            struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  return stream(params, rank, k * RS_ROUND_STEPS_MAX, RS_ROUND_STEPS_MAX, steps);
}

static uint64_t burst_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  return rank < partner_of(params, rank) ? BURST_PARTS : 0;
}

const struct rs_algorithm rs_direct_stream = {
    .name = "direct",
    .collective = RS_STREAM,
    .summary = "one way, in one message or one per chunk: bandwidth",
    .source = "OSU Micro-Benchmarks, osu_bw",
    .cost = "a + S b",
    .parts = one,
    .rounds = one,
    .round = stream_round,
    .sent_parts = stream_sent_parts,
};

const struct rs_algorithm rs_burst_stream = {
    .name = "burst",
    .collective = RS_STREAM,
    .summary = "one way in 256 messages, however small: message rate",
    .source = "OSU Micro-Benchmarks, osu_mbw_mr",
    .cost = "256 a + S b",
    .parts = burst_parts,
    .rounds = burst_rounds,
    .round = burst_round,
    .sent_parts = burst_sent_parts,
};

// ---- exchange ---------------------------------------------------------------------------------------------

static uint32_t exchange_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                               struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  (void)k;
  const uint32_t partner = partner_of(params, rank);
  if (partner == rank) {
    return 0;
  }
  steps[0] = send_to(partner, RS_BUFFER_INPUT, 0);
  steps[1] = receive_from(partner, 0);
  return 2;
}

const struct rs_algorithm rs_direct_exchange = {
    .name = "direct",
    .collective = RS_EXCHANGE,
    .summary = "both ways at once: bandwidth of a link in both directions",
    .source = "OSU Micro-Benchmarks, osu_bibw",
    .cost = "a + S b",
    .parts = one,
    .rounds = one,
    .round = exchange_round,
    .sent_parts = sent_by_both,
};
