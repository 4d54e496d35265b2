// mpi_types: our datatypes and operations in MPI's terms. 16-bit floats are no MPI types, so they travel as two bytes;
// they and uint8 are joined by operations of ours.
#ifndef RINGSIDE_BASELINE_MPI_TYPES_H
#define RINGSIDE_BASELINE_MPI_TYPES_H

#include "ringside/memory.h"

#include <mpi.h>

MPI_Datatype mpi_datatype(enum rs_datatype datatype);

// An average is a sum that rs_kernel_finish divides. `own`: it was made here, and mpi_operation_close frees it.
struct mpi_operation {
  MPI_Op handle;
  bool own;
};
int mpi_operation_open(enum rs_datatype datatype, enum rs_operation operation, struct mpi_operation *opened);
void mpi_operation_close(struct mpi_operation *operation);

#endif
