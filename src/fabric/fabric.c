// The names that options and errors use.
#include "ringside/fabric.h"

const char *const rs_jitter_names[] = {"none", "uniform", "exponential", "lognormal", NULL};
