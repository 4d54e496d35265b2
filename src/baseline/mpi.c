// MPI's own collectives. 16-bit floats are no MPI types, so they travel as two bytes with an operation of ours; average
// is a sum that is divided afterwards, inside the timed region, as a training framework does.
#include "baseline/mpi.h"

#include <limits.h>
#include <mpi.h>
#include <stdlib.h>

struct mpi_state {
  struct rs_baseline_params params;
  MPI_Datatype datatype;
  MPI_Op operation;
  bool own_operation;
};

static void sum_float16(void *in, void *inout, int *count, MPI_Datatype *datatype) {
  (void)datatype;
  rs_kernel_reduce(RS_FLOAT16, RS_SUM, inout, inout, in, (size_t)*count);
}

static void sum_bfloat16(void *in, void *inout, int *count, MPI_Datatype *datatype) {
  (void)datatype;
  rs_kernel_reduce(RS_BFLOAT16, RS_SUM, inout, inout, in, (size_t)*count);
}

static MPI_Datatype mpi_datatype(enum rs_datatype datatype) {
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

static enum rs_status mpi_open(const struct rs_baseline_params *params, void **state, struct rs_error *error) {
  int started;
  MPI_Initialized(&started);
  if (!started)
    return rs_error_set(error, RS_ERROR_UNSUPPORTED,
                        "baseline mpi: ranks are threads of one process, without MPI; leave out run.threads");
  if (params->operation > RS_AVG)
    return rs_error_set(error, RS_ERROR_UNSUPPORTED, "baseline mpi: no operation %s; use sum or avg",
                        rs_operation_names[params->operation]);
  if (params->count > INT_MAX)
    return rs_error_set(error, RS_ERROR_UNSUPPORTED,
                        "baseline mpi: %llu elements do not fit MPI's int count; use sizes up to %d elements",
                        (unsigned long long)params->count, INT_MAX);
  struct mpi_state *opened = rs_allocate(1, sizeof *opened, "baseline mpi", error);
  if (opened == NULL)
    return error->status;
  *opened = (struct mpi_state){.params = *params, .datatype = mpi_datatype(params->datatype), .operation = MPI_SUM};
  opened->own_operation = params->datatype == RS_FLOAT16 || params->datatype == RS_BFLOAT16;
  if (opened->own_operation)
    MPI_Op_create(params->datatype == RS_FLOAT16 ? sum_float16 : sum_bfloat16, 1, &opened->operation);
  *state = opened;
  return RS_OK;
}

static enum rs_status mpi_run(void *state, struct rs_error *error) {
  const struct mpi_state *mpi = state;
  const struct rs_baseline_params *params = &mpi->params;
  const void *input = params->input == params->output ? MPI_IN_PLACE : params->input->address;
  int code =
      MPI_Allreduce(input, params->output->address, (int)params->count, mpi->datatype, mpi->operation, MPI_COMM_WORLD);
  if (code != MPI_SUCCESS)
    return rs_error_set(error, RS_ERROR_PEER, "baseline mpi: MPI_Allreduce failed with code %d", code);
  rs_kernel_finish(params->datatype, params->operation, params->output->address, params->count, params->world->size);
  return RS_OK;
}

static void mpi_close(void *state) {
  struct mpi_state *mpi = state;
  if (mpi == NULL)
    return;
  if (mpi->own_operation)
    MPI_Op_free(&mpi->operation);
  free(mpi);
}

const struct rs_baseline rs_baseline_mpi = {
    .name = "mpi",
    .summary = "the collective of the MPI library that launched the ranks",
    .open = mpi_open,
    .run = mpi_run,
    .close = mpi_close,
};
