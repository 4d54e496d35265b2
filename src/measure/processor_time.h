// processor_time: what one operation costs its ranks in processor time, waiting included.
#ifndef RINGSIDE_MEASURE_PROCESSOR_TIME_H
#define RINGSIDE_MEASURE_PROCESSOR_TIME_H

#include "measure/operation.h"

// Collective. Runs the operation back to back for about a tenth of time_ns. *ns on rank 0: of all ranks together, one
// operation. NaN where ranks do different things.
enum rs_status processor_time_measure(struct rs_world *world, const struct rs_case *point,
                                      const struct operation *operation, int64_t time_ns, double *ns,
                                      struct rs_error *error);

#endif
