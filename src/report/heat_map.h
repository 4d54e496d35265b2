// heat_map: who is slow with whom, in characters that survive a ticket.
#ifndef RINGSIDE_REPORT_HEAT_MAP_H
#define RINGSIDE_REPORT_HEAT_MAP_H

#include "report/pair_times.h"

// Rank against rank, or host against host (the median over the pairs of their ranks) where ranks are too many for a
// line of 120 columns or more than 64; a sentence where hosts are too. `times` has at least one pair.
enum rs_status rs_heat_map_print(const struct rs_placement *placement, const struct rs_pair_times *times,
                                 const struct rs_pair_figure *figure, FILE *file, struct rs_error *error);

#endif
