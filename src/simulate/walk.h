// walk: one rank's steps in the order in which it takes them in, and those in flight with what each waits for. The
// rules are those of execute/window.h; what differs is that nothing is moved and nothing is posted.
#ifndef RINGSIDE_SIMULATE_WALK_H
#define RINGSIDE_SIMULATE_WALK_H

#include "ringside/simulate.h"

#define WALK_SLOTS_MAX 64

// A run of places of one buffer, count 0: nothing.
struct walk_access {
  enum rs_buffer_id buffer;
  uint32_t place, count;
};
struct walk_slot {
  struct rs_step step;
  uint32_t chunk;
  struct walk_access reads[2], writes;
  uint64_t after; // slots whose data this one touches, as bits
  uint64_t bytes, sent;
  uint32_t flow;   // messages
  uint64_t number; // of the message in its flow
  bool busy;       // sent off, or being reduced: an event ends it
  uint32_t next;   // in the queue of its flow
};
struct walk {
  uint32_t rank;
  struct rs_order order;
  struct rs_step steps[RS_ROUND_STEPS_MAX];
  uint32_t step_count, step, piece, pieces, round, chunk;
  bool entered_all;
  struct walk_slot slots[WALK_SLOTS_MAX];
  uint64_t live;   // slots in flight, as bits
  int64_t free_ps; // of the processor
};
// What all ranks share.
struct walk_plan {
  const struct rs_simulation *simulation;
  struct rs_partition partition;
  uint32_t rounds, window;
};
void walk_plan_init(struct walk_plan *plan, const struct rs_simulation *simulation);
void walk_start(struct walk *walk, const struct walk_plan *plan, uint32_t rank);
// Takes in the next step that has something to do; its slot, or WALK_SLOTS_MAX: the window is full, or all are in.
uint32_t walk_enter(struct walk *walk, const struct walk_plan *plan);
void walk_done(struct walk *walk, uint32_t slot);

static inline bool walk_receives(const struct walk_slot *slot) {
  return slot->step.kind == RS_STEP_RECV || slot->step.kind == RS_STEP_RECV_REDUCE;
}
static inline bool walk_is_over(const struct walk *walk) {
  return walk->entered_all && walk->live == 0;
}

#endif
