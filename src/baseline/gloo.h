#ifndef RINGSIDE_BASELINE_GLOO_H
#define RINGSIDE_BASELINE_GLOO_H

#include "ringside/baseline.h"

extern const struct rs_baseline rs_baseline_gloo_ring, rs_baseline_gloo_bcube, rs_baseline_gloo_ring_whole,
    rs_baseline_gloo_ring_chunked, rs_baseline_gloo_halving_doubling;

#endif
