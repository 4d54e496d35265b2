#include "baseline/mpi_types.h"

MPI_Datatype mpi_datatype(enum rs_datatype datatype) {
  switch (datatype) {
  case RS_FLOAT32:
    return MPI_FLOAT;
  case RS_FLOAT64:
    return MPI_DOUBLE;
  case RS_INT32:
    return MPI_INT32_T;
  case RS_INT64:
    return MPI_INT64_T;
  case RS_UINT8:
    return MPI_UINT8_T;
  default: // float16, bfloat16
    return MPI_UINT16_T;
  }
}

// The operations of ours: those on types that MPI has not, and those on bytes. Open MPI 4.1 adds bytes with saturation
// where the processor has vectors (github.com/open-mpi/ompi/issues/8045), and MPICH 4.0 takes them for signed in
// MPI_MIN (github.com/pmodels/mpich/issues/6083).
//
// MPI passes no context to an operation, so each is a function of its own.
#define OWN_OPERATION(name, datatype, operation)                                                                       \
  static void name(void *in, void *inout, int *count, MPI_Datatype *type) {                                            \
    (void)type;                                                                                                        \
    rs_kernel_reduce(datatype, operation, inout, inout, in, (size_t)*count);                                           \
  }

OWN_OPERATION(float16_sum, RS_FLOAT16, RS_SUM)
OWN_OPERATION(float16_min, RS_FLOAT16, RS_MIN)
OWN_OPERATION(float16_max, RS_FLOAT16, RS_MAX)
OWN_OPERATION(float16_prod, RS_FLOAT16, RS_PROD)
OWN_OPERATION(bfloat16_sum, RS_BFLOAT16, RS_SUM)
OWN_OPERATION(bfloat16_min, RS_BFLOAT16, RS_MIN)
OWN_OPERATION(bfloat16_max, RS_BFLOAT16, RS_MAX)
OWN_OPERATION(bfloat16_prod, RS_BFLOAT16, RS_PROD)
OWN_OPERATION(uint8_sum, RS_UINT8, RS_SUM)
OWN_OPERATION(uint8_min, RS_UINT8, RS_MIN)
OWN_OPERATION(uint8_max, RS_UINT8, RS_MAX)
OWN_OPERATION(uint8_prod, RS_UINT8, RS_PROD)

static MPI_User_function *const own_operations[RS_DATATYPE_COUNT][RS_OPERATION_COUNT] = {
    [RS_FLOAT16] = {[RS_SUM] = float16_sum,
                    [RS_AVG] = float16_sum,
                    [RS_MIN] = float16_min,
                    [RS_MAX] = float16_max,
                    [RS_PROD] = float16_prod},
    [RS_BFLOAT16] = {[RS_SUM] = bfloat16_sum,
                     [RS_AVG] = bfloat16_sum,
                     [RS_MIN] = bfloat16_min,
                     [RS_MAX] = bfloat16_max,
                     [RS_PROD] = bfloat16_prod},
    [RS_UINT8] = {[RS_SUM] = uint8_sum,
                  [RS_AVG] = uint8_sum,
                  [RS_MIN] = uint8_min,
                  [RS_MAX] = uint8_max,
                  [RS_PROD] = uint8_prod},
};

static MPI_Op mpi_own(enum rs_operation operation) {
  switch (operation) {
  case RS_MIN:
    return MPI_MIN;
  case RS_MAX:
    return MPI_MAX;
  case RS_PROD:
    return MPI_PROD;
  default: // sum, avg
    return MPI_SUM;
  }
}

int mpi_operation_open(enum rs_datatype datatype, enum rs_operation operation, struct mpi_operation *opened) {
  MPI_User_function *function = own_operations[datatype][operation];
  *opened = (struct mpi_operation){.handle = mpi_own(operation), .own = function != NULL};
  return function ? MPI_Op_create(function, 1, &opened->handle) : MPI_SUCCESS;
}

void mpi_operation_close(struct mpi_operation *operation) {
  if (operation->own)
    MPI_Op_free(&operation->handle);
}
