// plan_ranks: who is measured, who congests, who pairs with whom, and how uneven blocks are cut.
#ifndef RINGSIDE_MEASURE_PLAN_RANKS_H
#define RINGSIDE_MEASURE_PLAN_RANKS_H

#include "ringside/measure.h"

// Fills rank_count, measured, others, order, groups and congested of a zeroed plan. USAGE when the ranks are too few to
// share.
enum rs_status plan_ranks_make(const struct rs_config *config, const struct rs_placement *placement,
                               struct rs_plan *plan, struct rs_error *error);
void plan_ranks_fini(struct rs_plan *plan);

// partners[i] of a p2p case, by index in plan->measured; measured_count entries.
void plan_partners(const struct rs_config *config, const struct rs_plan *plan, const struct rs_case *point,
                   uint32_t *partners);

#endif
