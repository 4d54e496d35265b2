// pair_rows: what the samples of a point-to-point case say of each pair.
#ifndef RINGSIDE_MEASURE_PAIR_ROWS_H
#define RINGSIDE_MEASURE_PAIR_ROWS_H

#include "measure/sampler.h"

// Rank 0. Fills the figures of result->pair_count rows, which name their ranks: a pair's time is from the first entry
// of the two to the last exit, over the iterations that count in `result`. Uses the sampler's scratch.
void pair_rows_measure(struct sampler *sampler, const struct rs_case_result *result, struct rs_pair_row *rows);

#endif
