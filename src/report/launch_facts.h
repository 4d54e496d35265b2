// launch_facts: how a launch was set up, as names and values, whichever table or attribute of its file says so.
#ifndef RINGSIDE_REPORT_LAUNCH_FACTS_H
#define RINGSIDE_REPORT_LAUNCH_FACTS_H

#include "ringside/store.h"

struct rs_launch_fact {
  unsigned suspicion; // lower: more likely to be why times differ
  char *name;         // "kernel", "cpu.governor", "library.mpi", "config.tcp.streams", "label.placement"
  char *value;        // of several hosts or ranks: the different values in their order, "0, 1"
};
struct rs_launch_facts {
  struct rs_launch_fact *items;
  size_t count, capacity;
};
// Facts that are not known are left out, and so is what differs between any two launches (times, seeds, free memory).
enum rs_status rs_launch_facts_read(const struct rs_result *result, struct rs_launch_facts *facts,
                                    struct rs_error *error);
void rs_launch_facts_fini(struct rs_launch_facts *facts); // {0} is fine
// The fact of that name; else the label, the option, the variable of that name. NULL when there is none.
const struct rs_launch_fact *rs_launch_facts_find(const struct rs_launch_facts *facts, const char *name);

#endif
