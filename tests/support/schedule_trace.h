// Runs a schedule on values that remember how they were summed, for tests of what makes an algorithm what it is.
#ifndef RINGSIDE_TESTS_SCHEDULE_TRACE_H
#define RINGSIDE_TESTS_SCHEDULE_TRACE_H

#include "ringside/collective.h"

// One algorithm on one set of parameters.
struct trace {
  const struct rs_algorithm *algorithm;
  struct rs_schedule_params params;
  uint32_t parts, rounds;
};
// The algorithm must exist.
struct trace trace_of(enum rs_collective collective, const char *name, uint32_t rank_count, uint32_t root);

// A value stands for an expression over inputs. Sums commute, as arithmetic does, and do not associate, as rounding
// does not: two values are equal if the same inputs were added in the same order.
uint64_t trace_input(uint32_t rank, uint32_t part);
uint64_t trace_sum(uint64_t a, uint64_t b);

// All outputs after the schedule, [rank * parts + place]; what was never written is 0. To be freed.
uint64_t *trace_run(const struct trace *trace);

// A message as its receiver sees it.
struct trace_message {
  uint32_t from, to;
  bool adds;
  struct rs_slice target;
};
// The messages of round k, by receiver; returns how many. There is room for rank_count * RS_ROUND_STEPS_MAX.
size_t trace_messages(const struct trace *trace, uint32_t k, struct trace_message *messages);

// The rounds as the pictures in head comments have them, by receiver: "1+>0 3+>2 | 0->1 2->3".
void trace_picture(const struct trace *trace, struct rs_text *text);

#endif
