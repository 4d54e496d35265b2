// event_heap: what is still to happen, earliest first; of several at one time the one that was added first.
#ifndef RINGSIDE_SIMULATE_EVENT_HEAP_H
#define RINGSIDE_SIMULATE_EVENT_HEAP_H

#include "ringside/base.h"

enum event_kind {
  EVENT_SEND,    // a flow may send its next quantum
  EVENT_LEFT,    // a message has left its sender: `slot` of `rank` is done
  EVENT_ARRIVE,  // the head of a quantum has passed the latency of its flow
  EVENT_DELIVER, // a message of a flow is there
  EVENT_REDUCED  // `slot` of `rank` is reduced
};
struct event {
  int64_t time_ps;
  uint64_t number;
  enum event_kind kind;
  uint32_t rank, slot, flow;
  uint32_t bytes;  // ARRIVE: of the quantum
  bool last;       // ARRIVE: it ends its message
  int64_t tail_ps; // ARRIVE: when its last byte has passed the latency
};
// Start as {0}; event_heap_fini frees it.
struct event_heap {
  struct event *items;
  size_t count, capacity;
  uint64_t added;
};
enum rs_status event_heap_add(struct event_heap *heap, struct event event, struct rs_error *error);
bool event_heap_take(struct event_heap *heap, struct event *event); // false: empty
void event_heap_fini(struct event_heap *heap);

#endif
