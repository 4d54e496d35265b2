// Where the ranks of a run sit: as gathered from all of them, or as the fabric has it that the run emulates.
#ifndef RINGSIDE_BENCH_RUN_PLACEMENT_H
#define RINGSIDE_BENCH_RUN_PLACEMENT_H

#include "run_setup.h"

struct run_placement {
  struct observed observed;
  struct rs_placement placement;     // the observed one, or a fabric's
  bool emulated;                     // hosts are those of a fabric, and one machine stands in for all of them
  char fabric_name[RS_STRING_BYTES]; // emulated: the fabric, and its YAML
  struct rs_text fabric;
};
// Whether cases over the transport of this name are of an emulated network.
bool run_emulates(const char *transport);
// Collective. Tells on rank 0 what could not be learnt.
enum rs_status run_placement_init(struct rs_world *world, const struct run_setup *setup, struct rs_topology *topology,
                                  struct run_placement *placement, struct rs_error *error);
void run_placement_fini(struct run_placement *placement); // {0} is fine

#endif
