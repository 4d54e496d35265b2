// MPI's own collectives, one row each in `collectives`. An average is a sum that is divided afterwards, inside the
// timed region, as a training framework does.
//
// Our layout leaves each block at its place in the whole vector, so blocks are given to MPI as a place in a buffer, or
// as counts and displacements. Where all blocks are equally long, the plain form of the call is used: it is what people
// measure, and MPIs have their fast algorithms there.
#include "baseline/mpi.h"

#include "baseline/mpi_types.h"

#include <limits.h>
#include <stdlib.h>

#define TAG 1

struct mpi_state {
  struct rs_baseline_params params;
  const struct mpi_collective *collective;
  MPI_Datatype datatype;
  struct mpi_operation operation;
  struct rs_extent reduced; // what rs_kernel_finish is due for
  int count;                // elements of the whole
  bool equal;               // all blocks are equally long, and that is counts[0]
  // Per rank: the parts of the whole; and the places of the output, where ranks exchange blocks.
  int *counts, *displacements, *output_counts, *output_displacements;
};

struct mpi_collective {
  const char *call; // for errors
  int (*run)(const struct mpi_state *mpi);
  bool not_in_place; // although ours can
};

// ---- where things lie -------------------------------------------------------------------------------------

static bool in_place(const struct mpi_state *mpi) {
  return mpi->params.input == mpi->params.output;
}

static char *input_of(const struct mpi_state *mpi) {
  return mpi->params.input->address;
}

static char *output_of(const struct mpi_state *mpi) {
  return mpi->params.output->address;
}

// This rank's own block in a buffer of the whole.
static char *own_block(const struct mpi_state *mpi, char *whole) {
  return whole + (size_t)mpi->displacements[mpi->params.shape.rank] * rs_datatype_bytes(mpi->params.datatype);
}

static bool is_root(const struct mpi_state *mpi) {
  return mpi->params.shape.rank == mpi->params.shape.schedule.root;
}

// ---- the calls --------------------------------------------------------------------------------------------

static int run_allreduce(const struct mpi_state *mpi) {
  return MPI_Allreduce(in_place(mpi) ? MPI_IN_PLACE : input_of(mpi), output_of(mpi), mpi->count, mpi->datatype,
                       mpi->operation.handle, MPI_COMM_WORLD);
}

static int run_reduce_scatter(const struct mpi_state *mpi) {
  char *result = own_block(mpi, output_of(mpi));
  if (mpi->equal)
    return MPI_Reduce_scatter_block(input_of(mpi), result, mpi->counts[0], mpi->datatype, mpi->operation.handle,
                                    MPI_COMM_WORLD);
  return MPI_Reduce_scatter(input_of(mpi), result, mpi->counts, mpi->datatype, mpi->operation.handle, MPI_COMM_WORLD);
}

static int run_allgather(const struct mpi_state *mpi) {
  const void *mine = in_place(mpi) ? MPI_IN_PLACE : own_block(mpi, input_of(mpi));
  int count = mpi->counts[mpi->params.shape.rank];
  if (mpi->equal)
    return MPI_Allgather(mine, count, mpi->datatype, output_of(mpi), count, mpi->datatype, MPI_COMM_WORLD);
  return MPI_Allgatherv(mine, count, mpi->datatype, output_of(mpi), mpi->counts, mpi->displacements, mpi->datatype,
                        MPI_COMM_WORLD);
}

// MPI broadcasts in place, so out of place the root has to copy.
static int run_broadcast(const struct mpi_state *mpi) {
  if (is_root(mpi))
    rs_kernel_copy(output_of(mpi), input_of(mpi), (size_t)mpi->count * rs_datatype_bytes(mpi->params.datatype));
  return MPI_Bcast(output_of(mpi), mpi->count, mpi->datatype, (int)mpi->params.shape.schedule.root, MPI_COMM_WORLD);
}

static int run_reduce(const struct mpi_state *mpi) {
  const void *mine = is_root(mpi) && in_place(mpi) ? MPI_IN_PLACE : input_of(mpi);
  return MPI_Reduce(mine, is_root(mpi) ? output_of(mpi) : NULL, mpi->count, mpi->datatype, mpi->operation.handle,
                    (int)mpi->params.shape.schedule.root, MPI_COMM_WORLD);
}

static int run_alltoall(const struct mpi_state *mpi) {
  if (mpi->equal)
    return MPI_Alltoall(input_of(mpi), mpi->counts[0], mpi->datatype, output_of(mpi), mpi->counts[0], mpi->datatype,
                        MPI_COMM_WORLD);
  return MPI_Alltoallv(input_of(mpi), mpi->counts, mpi->displacements, mpi->datatype, output_of(mpi),
                       mpi->output_counts, mpi->output_displacements, mpi->datatype, MPI_COMM_WORLD);
}

static int run_sendrecv(const struct mpi_state *mpi) {
  const uint32_t n = mpi->params.shape.schedule.rank_count, rank = mpi->params.shape.rank;
  return MPI_Sendrecv(input_of(mpi), mpi->count, mpi->datatype, (int)((rank + 1) % n), TAG, output_of(mpi), mpi->count,
                      mpi->datatype, (int)((rank + n - 1) % n), TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

// ---- pairs ------------------------------------------------------------------------------------------------

// The rank itself: it is idle.
static int partner_of(const struct mpi_state *mpi) {
  const struct rs_shape *shape = &mpi->params.shape;
  return (int)(shape->schedule.partners ? shape->schedule.partners[shape->rank] : shape->rank);
}

static int send_to(const struct mpi_state *mpi, const void *data, int partner) {
  return MPI_Send(data, mpi->count, mpi->datatype, partner, TAG, MPI_COMM_WORLD);
}

static int receive_from(const struct mpi_state *mpi, int partner) {
  return MPI_Recv(output_of(mpi), mpi->count, mpi->datatype, partner, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static int run_pingpong(const struct mpi_state *mpi) {
  const int rank = (int)mpi->params.shape.rank, partner = partner_of(mpi);
  int code = MPI_SUCCESS;
  if (rank < partner && (code = send_to(mpi, input_of(mpi), partner)) == MPI_SUCCESS)
    code = receive_from(mpi, partner);
  else if (rank > partner && (code = receive_from(mpi, partner)) == MPI_SUCCESS)
    code = send_to(mpi, output_of(mpi), partner);
  return code;
}

static int run_stream(const struct mpi_state *mpi) {
  const int rank = (int)mpi->params.shape.rank, partner = partner_of(mpi);
  if (rank == partner)
    return MPI_SUCCESS;
  return rank < partner ? send_to(mpi, input_of(mpi), partner) : receive_from(mpi, partner);
}

static int run_exchange(const struct mpi_state *mpi) {
  const int partner = partner_of(mpi);
  MPI_Request requests[2];
  MPI_Status statuses[2]; // gcc takes MPICH's MPI_STATUSES_IGNORE for an array
  if (partner == (int)mpi->params.shape.rank)
    return MPI_SUCCESS;
  int code = MPI_Irecv(output_of(mpi), mpi->count, mpi->datatype, partner, TAG, MPI_COMM_WORLD, &requests[0]);
  if (code == MPI_SUCCESS)
    code = MPI_Isend(input_of(mpi), mpi->count, mpi->datatype, partner, TAG, MPI_COMM_WORLD, &requests[1]);
  return code == MPI_SUCCESS ? MPI_Waitall(2, requests, statuses) : code;
}

// MPICH 4.0 and 4.1 crash where a root other than 0 reduces in place (github.com/pmodels/mpich/issues/6540).
#if defined MPICH_NUMVERSION && MPICH_NUMVERSION >= 40000000 && MPICH_NUMVERSION < 40200000
#define REDUCE_IN_PLACE_CRASHES true
#else
#define REDUCE_IN_PLACE_CRASHES false
#endif

static const struct mpi_collective collectives[RS_COLLECTIVE_COUNT] = {
    [RS_ALLREDUCE] = {"MPI_Allreduce", run_allreduce, false},
    // In place, MPI puts the block at the beginning of the buffer.
    [RS_REDUCE_SCATTER] = {"MPI_Reduce_scatter", run_reduce_scatter, true},
    [RS_ALLGATHER] = {"MPI_Allgather", run_allgather, false},
    [RS_BROADCAST] = {"MPI_Bcast", run_broadcast, false},
    [RS_REDUCE] = {"MPI_Reduce", run_reduce, REDUCE_IN_PLACE_CRASHES},
    [RS_ALLTOALL] = {"MPI_Alltoall", run_alltoall, false},
    [RS_ALLTOALLV] = {"MPI_Alltoallv", run_alltoall, false},
    [RS_SENDRECV] = {"MPI_Sendrecv", run_sendrecv, false},
    [RS_PINGPONG] = {"MPI_Send and MPI_Recv", run_pingpong, false},
    [RS_STREAM] = {"MPI_Send and MPI_Recv", run_stream, false},
    [RS_EXCHANGE] = {"MPI_Isend and MPI_Irecv", run_exchange, false},
};

// ---- baseline ---------------------------------------------------------------------------------------------

static bool mpi_supports(enum rs_collective collective, enum rs_datatype datatype, enum rs_operation operation,
                         bool place_is_shared) {
  (void)datatype, (void)operation;
  return !place_is_shared || (rs_collective_traits[collective].in_place && !collectives[collective].not_in_place);
}

static enum rs_status check_params(const struct rs_baseline_params *params, struct rs_error *error) {
  const struct rs_shape *shape = &params->shape;
  const enum rs_collective collective = shape->schedule.collective;
  int started;
  MPI_Initialized(&started);
  if (!started)
    return rs_error_set(error, RS_ERROR_UNSUPPORTED,
                        "baseline mpi: ranks are threads of one process, without MPI; leave out run.threads");
  if (!mpi_supports(collective, params->datatype, params->operation, params->input == params->output))
    return rs_error_set(error, RS_ERROR_UNSUPPORTED, "baseline mpi: %s cannot be run in place; set in_place to false",
                        rs_collective_names[collective]);
  const uint64_t most =
      rs_max_size(shape->blocks.elements, rs_output_elements(&shape->schedule, &shape->blocks, shape->rank));
  if (most > INT_MAX)
    return rs_error_set(error, RS_ERROR_UNSUPPORTED,
                        "baseline mpi: %llu elements do not fit MPI's int count; use sizes up to %d elements",
                        (unsigned long long)most, INT_MAX);
  return RS_OK;
}

// Fills the counts; all fit, as their sums do.
static void lay_out(struct mpi_state *mpi) {
  const struct rs_shape *shape = &mpi->params.shape;
  mpi->equal = true;
  for (uint32_t place = 0; place < shape->blocks.parts; place++) {
    const struct rs_extent part = rs_partition_parts(&shape->blocks, place, 1),
                           output = rs_output_extent(&shape->schedule, &shape->blocks, shape->rank, place);
    mpi->counts[place] = (int)part.count;
    mpi->displacements[place] = (int)part.first;
    mpi->output_counts[place] = (int)output.count;
    mpi->output_displacements[place] = (int)output.first;
    mpi->equal = mpi->equal && mpi->counts[place] == mpi->counts[0];
    if (rs_output_source(&shape->schedule, shape->rank, place) == RS_EVERYONE) {
      mpi->reduced.first = mpi->reduced.count ? mpi->reduced.first : output.first;
      mpi->reduced.count += output.count;
    }
  }
}

static void mpi_close(void *state) {
  struct mpi_state *mpi = state;
  if (mpi == NULL)
    return;
  mpi_operation_close(&mpi->operation);
  free(mpi->counts);
  free(mpi);
}

static enum rs_status mpi_open(const struct rs_baseline_params *params, void **state, struct rs_error *error) {
  if (check_params(params, error) < 0)
    return error->status;
  struct mpi_state *opened = rs_allocate(1, sizeof *opened, "baseline mpi", error);
  if (opened == NULL)
    return error->status;
  *opened = (struct mpi_state){.params = *params,
                               .collective = &collectives[params->shape.schedule.collective],
                               .datatype = mpi_datatype(params->datatype),
                               .count = (int)params->shape.blocks.elements};
  size_t parts = params->shape.blocks.parts;
  opened->counts = rs_allocate(parts, 4 * sizeof(int), "baseline mpi", error);
  if (opened->counts == NULL)
    goto close_opened;
  opened->displacements = opened->counts + parts;
  opened->output_counts = opened->displacements + parts;
  opened->output_displacements = opened->output_counts + parts;
  lay_out(opened);
  int code = mpi_operation_open(params->datatype, params->operation, &opened->operation);
  if (code != MPI_SUCCESS) {
    rs_error_set(error, RS_ERROR_PEER, "baseline mpi: MPI_Op_create failed with code %d", code);
    goto close_opened;
  }
  *state = opened;
  return RS_OK;

close_opened:
  mpi_close(opened);
  return error->status;
}

static enum rs_status mpi_run(void *state, struct rs_error *error) {
  const struct mpi_state *mpi = state;
  const struct rs_baseline_params *params = &mpi->params;
  int code = mpi->collective->run(mpi);
  if (code != MPI_SUCCESS)
    return rs_error_set(error, RS_ERROR_PEER, "baseline mpi: %s failed with code %d", mpi->collective->call, code);
  if (mpi->reduced.count > 0)
    rs_kernel_finish(params->datatype, params->operation,
                     output_of(mpi) + mpi->reduced.first * rs_datatype_bytes(params->datatype), mpi->reduced.count,
                     params->world->size);
  return RS_OK;
}

const struct rs_baseline rs_baseline_mpi = {
    .name = "mpi",
    .summary = "the collective of the MPI library that launched the ranks",
    .supports = mpi_supports,
    .open = mpi_open,
    .run = mpi_run,
    .close = mpi_close,
};
