// Ways to break one step of a schedule, each of which makes the schedule wrong wherever it applies.
#ifndef RINGSIDE_TESTS_SCHEDULE_MUTATIONS_H
#define RINGSIDE_TESTS_SCHEDULE_MUTATIONS_H

#include "support/schedule_sets.h"

// The step that is changed: the `index`-th of the `count` of round k.
struct mutated_round {
  const struct schedule_sets *sets;
  uint32_t rank, k, index, count;
  struct rs_step *steps;
};

// What is done to a round: the step is changed, taken out, done twice, or put into the next round.
enum mutation_act { CHANGE, DROP, DOUBLE, DELAY };

struct mutation {
  const char *name;
  // CHANGE only. False: it does not apply to this step, or does no harm, and what it did to the steps is to be undone.
  bool (*change)(const struct mutated_round *round, struct rs_step *step);
  enum mutation_act act;
  bool both_ends;  // the other end of the message is changed in the same way, so that the two still match
  bool everywhere; // applies to every algorithm that sends a message
};
extern const struct mutation mutations[];
extern const size_t mutation_count;

#endif
