#include "transport/srd_window.h"

#include <assert.h>

// ---- what has come ----------------------------------------------------------------------------------------

static bool test_bit(const uint64_t *bits, uint32_t at) {
  return bits[at / 64] >> at % 64 & 1;
}

// How many bits are set from bit 0 on without a gap.
static uint32_t leading_run(const uint64_t bits[RS_SRD_WINDOW_WORDS]) {
  for (uint32_t w = 0; w < RS_SRD_WINDOW_WORDS; w++)
    if (~bits[w] != 0)
      return w * 64 + (uint32_t)__builtin_ctzll(~bits[w]);
  return RS_SRD_WINDOW;
}

static void shift_down(uint64_t bits[RS_SRD_WINDOW_WORDS], uint32_t by) {
  for (uint32_t w = 0; w < RS_SRD_WINDOW_WORDS; w++) {
    uint32_t from = w + by / 64;
    uint64_t low = from < RS_SRD_WINDOW_WORDS ? bits[from] : 0;
    uint64_t high = from + 1 < RS_SRD_WINDOW_WORDS ? bits[from + 1] : 0;
    bits[w] = by % 64 ? low >> by % 64 | high << (64 - by % 64) : low;
  }
}

enum rs_srd_arrival rs_srd_arrivals_note(struct rs_srd_arrivals *arrivals, uint32_t sequence) {
  uint32_t ahead = sequence - arrivals->next;
  if (rs_srd_before(sequence, arrivals->next))
    return RS_SRD_DUPLICATE;
  if (ahead >= RS_SRD_WINDOW)
    return RS_SRD_BEYOND;
  if (test_bit(arrivals->bits, ahead))
    return RS_SRD_DUPLICATE;
  arrivals->bits[ahead / 64] |= UINT64_C(1) << ahead % 64;
  if (ahead > 0)
    return RS_SRD_AHEAD;
  uint32_t run = leading_run(arrivals->bits);
  shift_down(arrivals->bits, run);
  arrivals->next += run;
  return RS_SRD_IN_ORDER;
}

bool rs_srd_acknowledged(uint32_t next, const uint64_t bits[RS_SRD_WINDOW_WORDS], uint32_t sequence) {
  uint32_t ahead = sequence - next;
  return rs_srd_before(sequence, next) || (ahead < RS_SRD_WINDOW && test_bit(bits, ahead));
}

// ---- round-trip time --------------------------------------------------------------------------------------

void rs_srd_rtt_sample(struct rs_srd_rtt *rtt, int64_t sample_ns) {
  rtt->backoff = 0;
  if (rtt->smooth_ns == 0) {
    rtt->smooth_ns = sample_ns > 0 ? sample_ns : 1;
    rtt->deviation_ns = sample_ns / 2;
    return;
  }
  int64_t apart_ns = sample_ns > rtt->smooth_ns ? sample_ns - rtt->smooth_ns : rtt->smooth_ns - sample_ns;
  rtt->deviation_ns += (apart_ns - rtt->deviation_ns) / 4;
  rtt->smooth_ns += (sample_ns - rtt->smooth_ns) / 8;
}

int64_t rs_srd_rtt_timeout_ns(const struct rs_srd_rtt *rtt) {
  int64_t timeout_ns = rtt->smooth_ns ? rtt->smooth_ns + 4 * rtt->deviation_ns : RS_SRD_RTO_FIRST_NS;
  if (timeout_ns < RS_SRD_RTO_MIN_NS)
    timeout_ns = RS_SRD_RTO_MIN_NS;
  for (unsigned i = 0; i < rtt->backoff && timeout_ns < RS_SRD_RTO_MAX_NS; i++)
    timeout_ns *= 2;
  return timeout_ns < RS_SRD_RTO_MAX_NS ? timeout_ns : RS_SRD_RTO_MAX_NS;
}

// ---- how much may be under way ----------------------------------------------------------------------------

void rs_srd_congestion_init(struct rs_srd_congestion *congestion) {
  *congestion = (struct rs_srd_congestion){.window = 16, .threshold = RS_SRD_WINDOW};
}

void rs_srd_congestion_acknowledged(struct rs_srd_congestion *congestion, size_t segments, uint32_t first) {
  if (rs_srd_before(congestion->recovered_at, first))
    congestion->recovered_at = first;
  bool starting = congestion->window < congestion->threshold;
  congestion->window += starting ? (double)segments : (double)segments / congestion->window;
  if (congestion->window > RS_SRD_WINDOW)
    congestion->window = RS_SRD_WINDOW;
}

void rs_srd_congestion_lost(struct rs_srd_congestion *congestion, uint32_t sequence, uint32_t next) {
  if (rs_srd_before(sequence, congestion->recovered_at))
    return;
  congestion->recovered_at = next;
  congestion->window *= 0.7;
  if (congestion->window < RS_SRD_CONGESTION_MIN)
    congestion->window = RS_SRD_CONGESTION_MIN;
  congestion->threshold = congestion->window;
}

// ---- back-off ---------------------------------------------------------------------------------------------

int64_t rs_srd_backoff_ns(unsigned refusals, struct rs_random *random) {
  assert(refusals > 0);
  int64_t wait_ns = 40000 + (int64_t)rs_random_below(random, 80001);
  for (unsigned i = 1; i < refusals && wait_ns < 1000000000; i++)
    wait_ns *= 2;
  return wait_ns < 1000000000 ? wait_ns : 1000000000;
}
