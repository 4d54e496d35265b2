// Where the ranks of this launch sit, as far as anything tells: the system, hwloc, the scheduler, the cloud, an
// operator's file. Later sources stand over earlier ones where they say more.
#ifndef RINGSIDE_BENCH_OBSERVE_H
#define RINGSIDE_BENCH_OBSERVE_H

#include "ringside/options.h"
#include "ringside/topology.h"

// Filled through observe_option_table, keys "placement.*".
struct observe_options {
  uint64_t cloud, bind;  // enum rs_cloud, enum rs_bind_policy
  struct rs_string file; // of an operator; "": none
  bool redact;
};
extern const struct rs_option observe_option_table[];

struct observed {
  struct rs_placement placement;
  struct rs_environment scheduler; // this rank's
  struct rs_text cloud;            // on the first rank of a host that a cloud told something: its answers, as they were
  struct rs_text notes;            // rank 0: lines on what could not be learnt
};
// Collective. Binds the ranks too, as options->bind says, near `interface` ("": not known).
enum rs_status observe_launch(struct rs_world *world, const struct observe_options *options, const char *interface,
                              struct rs_topology *topology, struct observed *observed, struct rs_error *error);
void observed_fini(struct observed *observed); // {0} is fine

#endif
