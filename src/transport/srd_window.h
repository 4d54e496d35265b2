// The arithmetic of reliable datagrams, without a device: what has come, how long a round trip takes, how much may be
// under way. Sequence numbers have 32 bits and wrap around; two that are compared are less than 2^31 apart.
#ifndef RS_TRANSPORT_SRD_WINDOW_H
#define RS_TRANSPORT_SRD_WINDOW_H

#include "ringside/base.h"

// At most so many sequence numbers are under way between two ranks: those that an acknowledgement can speak of.
#define RS_SRD_WINDOW 128u
#define RS_SRD_WINDOW_WORDS (RS_SRD_WINDOW / 64)

// Whether a comes before b.
static inline bool rs_srd_before(uint32_t a, uint32_t b) {
  return (int32_t)(a - b) < 0;
}

// ---- what has come ----------------------------------------------------------------------------------------

// Everything below `next` has come, `next` has not, and bit i says whether next + i has:
//
//   next = 40, bits = ...0110 : up to 39, and 41 and 42. When 40 comes, next becomes 43.
struct rs_srd_arrivals {
  uint32_t next;
  uint64_t bits[RS_SRD_WINDOW_WORDS];
};
enum rs_srd_arrival { RS_SRD_IN_ORDER, RS_SRD_AHEAD, RS_SRD_DUPLICATE, RS_SRD_BEYOND };
// Notes a sequence number. BEYOND: no window reaches so far, nothing is noted.
enum rs_srd_arrival rs_srd_arrivals_note(struct rs_srd_arrivals *arrivals, uint32_t sequence);

// Whether an acknowledgement (next, bits) covers a sequence number.
bool rs_srd_acknowledged(uint32_t next, const uint64_t bits[RS_SRD_WINDOW_WORDS], uint32_t sequence);

// ---- round-trip time (RFC 6298) ---------------------------------------------------------------------------

#define RS_SRD_RTO_MIN_NS INT64_C(3000000)
#define RS_SRD_RTO_MAX_NS INT64_C(500000000)
#define RS_SRD_RTO_FIRST_NS INT64_C(20000000)

struct rs_srd_rtt {
  int64_t smooth_ns, deviation_ns; // 0: no sample yet
  unsigned backoff;                // timeouts in a row
};
void rs_srd_rtt_sample(struct rs_srd_rtt *rtt, int64_t sample_ns);
// After this time without an acknowledgement a segment is sent again.
int64_t rs_srd_rtt_timeout_ns(const struct rs_srd_rtt *rtt);

// ---- how much may be under way ----------------------------------------------------------------------------

// Additive increase, multiplicative decrease: one more per acknowledged segment until the first loss, then one more
// per round trip; 0.7 of it after a loss, at most once per round trip.
#define RS_SRD_CONGESTION_MIN 4.0
struct rs_srd_congestion {
  double window, threshold;
  uint32_t recovered_at; // losses before this sequence number belong to the last decrease
};
void rs_srd_congestion_init(struct rs_srd_congestion *congestion);
// `first`: the oldest sequence number that is not acknowledged now.
void rs_srd_congestion_acknowledged(struct rs_srd_congestion *congestion, size_t segments, uint32_t first);
// A segment was lost; `next` is the first sequence number not sent yet.
void rs_srd_congestion_lost(struct rs_srd_congestion *congestion, uint32_t sequence, uint32_t next);

// ---- back-off when the receiver is not ready --------------------------------------------------------------

// 40 to 120 us at random, doubled with each refusal in a row, up to 1 s.
int64_t rs_srd_backoff_ns(unsigned refusals, struct rs_random *random);

#endif
