// What the ranks of an emulated launch share: one POSIX shared memory segment. Its name comes from the launch's token;
// the first rank makes it, the last one to attach takes the name away. So nothing is left behind, but for what a kill
// in between leaves, and no later launch has that name.
//
// In it: when queues are free again; a ring of quanta per (source, target, lane), written by one process and read by
// one; who sleeps until when; and a few counts.
#ifndef RINGSIDE_TRANSPORT_EMULATED_SEGMENT_H
#define RINGSIDE_TRANSPORT_EMULATED_SEGMENT_H

#include "ringside/transport.h"
#include "transport/emulated_model.h"

// The sizes of everything; equal on all ranks.
struct rs_emulated_shape {
  size_t rank_count, lanes, queue_count;
  size_t ring_quanta;                                      // a power of two
  size_t news_words;                                       // of one rank
  size_t ring_bytes;                                       // of one ring with its head
  size_t queues_at, sleepers_at, news_at, rings_at, bytes; // places in the segment
};
// MEMORY when the sizes overflow.
enum rs_status rs_emulated_shape_init(struct rs_emulated_shape *shape, size_t rank_count, size_t lanes,
                                      size_t queue_count, struct rs_error *error);

enum { RS_EMULATED_UNDECIDED, RS_EMULATED_DECIDED, RS_EMULATED_FAILED };

// The first page.
struct rs_emulated_head {
  _Atomic uint32_t ready; // the rest of this struct, and all that is zero at first, may be read
  uint32_t rank_count, lanes, queue_count;
  int64_t epoch_ns; // where picoseconds are counted from: 106 days of them fit
  _Atomic uint32_t attached;
  _Atomic uint32_t spinners;
  _Atomic uint32_t decision; // whether `slowdown` stands
  double slowdown;
};

// A rank, asleep or not, as others see it.
#define RS_EMULATED_AWAKE INT64_MIN
struct rs_emulated_sleeper {
  _Alignas(64) _Atomic int64_t wake_ps; // wakes by itself then; RS_EMULATED_AWAKE: does not sleep
  _Atomic uint32_t closed;
};

// Counters only grow; quantum i is in place i mod ring_quanta.
struct rs_emulated_ring {
  _Alignas(64) _Atomic uint64_t pushed;
  _Alignas(64) _Atomic uint64_t popped;
  struct rs_emulated_quantum quanta[];
};

struct rs_emulated_segment {
  struct rs_emulated_shape shape;
  char name[64];
  bool made, mapped;
  uint8_t *base;
  struct rs_emulated_head *head;
};
// Only names it. rs_emulated_segment_close is then fine at any time.
void rs_emulated_segment_init(struct rs_emulated_segment *segment, const struct rs_emulated_shape *shape,
                              const uint8_t token[RS_TOKEN_BYTES]);
// Makes or opens it and counts this rank in. IN_PROGRESS: another rank is still making it.
enum rs_status rs_emulated_segment_attach(struct rs_emulated_segment *segment, struct rs_error *error);
void rs_emulated_segment_close(struct rs_emulated_segment *segment);

static inline struct rs_emulated_queue *rs_emulated_segment_queues(const struct rs_emulated_segment *segment) {
  return (struct rs_emulated_queue *)(segment->base + segment->shape.queues_at);
}
static inline struct rs_emulated_sleeper *rs_emulated_segment_sleeper(const struct rs_emulated_segment *segment,
                                                                      size_t rank) {
  return (struct rs_emulated_sleeper *)(segment->base + segment->shape.sleepers_at) + rank;
}
// The words of a rank: bit source x lanes + lane says that there may be something in that ring.
static inline _Atomic uint64_t *rs_emulated_segment_news(const struct rs_emulated_segment *segment, size_t rank) {
  return (_Atomic uint64_t *)(segment->base + segment->shape.news_at) + rank * segment->shape.news_words;
}
static inline struct rs_emulated_ring *rs_emulated_segment_ring(const struct rs_emulated_segment *segment,
                                                                size_t source, size_t target, size_t lane) {
  size_t index = (target * segment->shape.rank_count + source) * segment->shape.lanes + lane;
  return (struct rs_emulated_ring *)(segment->base + segment->shape.rings_at + index * segment->shape.ring_bytes);
}

// ---- ring: sending side -----------------------------------------------------------------------------------

bool rs_emulated_ring_full(const struct rs_emulated_segment *segment, const struct rs_emulated_ring *ring);
// The ring is not full.
void rs_emulated_ring_push(const struct rs_emulated_segment *segment, struct rs_emulated_ring *ring,
                           const struct rs_emulated_quantum *quantum);

// ---- ring: receiving side ---------------------------------------------------------------------------------

const struct rs_emulated_quantum *rs_emulated_ring_peek(const struct rs_emulated_segment *segment,
                                                        const struct rs_emulated_ring *ring); // NULL: empty
void rs_emulated_ring_pop(struct rs_emulated_ring *ring);

#endif
