// start: how the ranks enter an iteration together.
#ifndef RINGSIDE_MEASURE_START_H
#define RINGSIDE_MEASURE_START_H

#include "ringside/base.h"

// A barrier of our own, so that the MPI library's cannot bias what is measured (dissemination: Hensgen, Finkel, Manber
// 1988): in round k every rank tells the one 2^k further, and hears from the one 2^k before it; log2(n) rounds.
enum rs_status start_barrier(struct rs_world *world, struct rs_error *error);

// Starts by time: iteration i of a batch begins at first + i x period on the common clock. Rank 0 keeps this pace.
struct start_pace {
  int64_t period_ns; // 0: not known yet
  int64_t lead_ns;   // from the announcement of a batch to its first start
  int64_t slack_ns;  // what a rank needs between its exit and the next start, to read clocks and be scheduled again
  uint32_t hopeless; // batches in a row of which most came too late
};
void start_pace_init(struct start_pace *pace, bool yields);
// After a batch of `count` iterations, `late` of them too late for some rank; busy_ns is the time that nearly all of
// them take from start to last exit.
void start_pace_adapt(struct start_pace *pace, size_t count, size_t late, bool first_late, int64_t busy_ns);
// True when time does not work here (ranks come late whatever the pace) and the barrier is to be used.
bool start_pace_failed(const struct start_pace *pace);

#endif
