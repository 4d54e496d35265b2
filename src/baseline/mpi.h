#ifndef RINGSIDE_BASELINE_MPI_H
#define RINGSIDE_BASELINE_MPI_H

#include "ringside/baseline.h"

extern const struct rs_baseline rs_baseline_mpi;

#endif
