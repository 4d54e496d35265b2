// slowdown: from the clock's times, which the file holds, to those of the fabric that was emulated.
#ifndef RS_STORE_SLOWDOWN_H
#define RS_STORE_SLOWDOWN_H

#include "ringside/store.h"

// Divides every time of a result by the slowdown of its case or transport, and multiplies bandwidths. A slowdown that
// is no positive number, as in a damaged file, counts as 1.
void rs_slowdown_remove(struct rs_result *result);
void rs_slowdown_remove_samples(const struct rs_case_row *row, struct rs_sample *samples, size_t count);

#endif
