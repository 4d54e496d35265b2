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

// What is done to a round: the step is changed, taken out, done twice, put into the next round, or swapped with the
// next round's message.
enum mutation_act { CHANGE, DROP, DOUBLE, DELAY, SWAP };

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

// True if two messages of one rank go the same way, to or from anyone, with the same parts. Swapping them may be
// harmless: two children add in another order.
bool mutation_same_load(const struct schedule_sets *sets, uint32_t rank, const struct rs_step *a,
                        const struct rs_step *b);

#endif
