// case_setup: one case from the point of view of one rank: what it does, on which schedule, on which cut.
#ifndef RINGSIDE_MEASURE_CASE_SETUP_H
#define RINGSIDE_MEASURE_CASE_SETUP_H

#include "measure/plan_ranks.h"

enum case_role { CASE_MEASURED, CASE_CONGESTS, CASE_IDLE };

struct case_setup {
  const struct rs_config *config;
  const struct rs_plan *plan;
  uint32_t *partners, *members; // rank_count entries
  uint64_t *bounds;             // rank_count + 1 entries
  // The present case.
  enum case_role role;
  const struct rs_algorithm *algorithm; // of a measured rank, or of the background traffic; NULL: none of ours
  struct rs_shape shape;                // ranks are counted among those of the same role
  const uint32_t *role_members;         // their ranks in the world, by position in the schedule
  uint64_t count;
};

enum rs_status case_setup_init(struct case_setup *setup, const struct rs_config *config, const struct rs_plan *plan,
                               struct rs_error *error);
void case_setup_fini(struct case_setup *setup); // {0} is fine
// Makes `point` the present case, for `rank` of the world. Pointers in shape stay valid until the next call.
void case_setup_take(struct case_setup *setup, const struct rs_case *point, uint32_t rank);

// congestor.c: the traffic of a kind. Members are shuffled in place where the kind asks for it.
struct congestor {
  const char *algorithm;
  enum rs_collective collective;
  bool shuffled; // neighbours on the ring are drawn from the seed
};
const struct congestor *congestor_find(enum rs_congestor kind);
void congestor_shuffle(uint32_t *members, size_t count, uint64_t seed);
// How many operations of the traffic cover a measured one: `took_ns` was the time of `repeat` of them on the fastest
// rank, `needed_ns` is what has to be covered.
uint32_t congestor_repeat(uint32_t repeat, int64_t took_ns, int64_t needed_ns);
// The traffic begins this much before the measured operation.
#define CONGESTOR_LEAD_NS 200000

#endif
