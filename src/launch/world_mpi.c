// The world over MPI. MPI's counts are int: larger pieces are cut here.
#include "ringside/launch.h"

#include <limits.h>
#include <mpi.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum rs_status check(int code, const char *call, struct rs_error *error) {
  if (code == MPI_SUCCESS)
    return RS_OK;
  char text[MPI_MAX_ERROR_STRING];
  int length;
  MPI_Error_string(code, text, &length);
  return rs_error_set(error, RS_ERROR_PEER, "%s failed: %s; another rank has probably died, look for its message", call,
                      text);
}

static enum rs_status mpi_barrier(struct rs_world *world, struct rs_error *error) {
  (void)world;
  return check(MPI_Barrier(MPI_COMM_WORLD), "MPI_Barrier", error);
}

static enum rs_status mpi_broadcast(struct rs_world *world, void *data, size_t bytes, size_t root,
                                    struct rs_error *error) {
  (void)world;
  enum rs_status status = RS_OK;
  for (size_t done = 0; done < bytes && status == RS_OK;) {
    size_t piece = rs_min_size(bytes - done, INT_MAX);
    status = check(MPI_Bcast((char *)data + done, (int)piece, MPI_BYTE, (int)root, MPI_COMM_WORLD), "MPI_Bcast", error);
    done += piece;
  }
  return status;
}

static enum rs_status refuse_large(size_t bytes, struct rs_error *error) {
  return rs_error_set(error, RS_ERROR_INTERNAL, "moving %zu bytes at once: MPI counts end at %d", bytes, INT_MAX);
}

static enum rs_status mpi_allgather(struct rs_world *world, const void *mine, size_t bytes, void *all,
                                    struct rs_error *error) {
  (void)world;
  if (bytes > INT_MAX)
    return refuse_large(bytes, error);
  int count = (int)bytes;
  return check(MPI_Allgather(mine, count, MPI_BYTE, all, count, MPI_BYTE, MPI_COMM_WORLD), "MPI_Allgather", error);
}

static enum rs_status mpi_gather(struct rs_world *world, const void *mine, size_t bytes, void *all, size_t root,
                                 struct rs_error *error) {
  (void)world;
  if (bytes > INT_MAX)
    return refuse_large(bytes, error);
  int count = (int)bytes;
  return check(MPI_Gather(mine, count, MPI_BYTE, all, count, MPI_BYTE, (int)root, MPI_COMM_WORLD), "MPI_Gather", error);
}

static enum rs_status mpi_send(struct rs_world *world, const void *data, size_t bytes, size_t peer,
                               struct rs_error *error) {
  (void)world;
  if (bytes > INT_MAX)
    return refuse_large(bytes, error);
  return check(MPI_Send(data, (int)bytes, MPI_BYTE, (int)peer, 0, MPI_COMM_WORLD), "MPI_Send", error);
}

// Most MPIs spin in a receive, and a rank that waits for its turn takes the core of one whose turn it is. So: yield for
// a while, as long as an answer takes, then sleep.
#define SPIN_NS 200000
#define SLEEP_US 50

static enum rs_status mpi_receive(struct rs_world *world, void *data, size_t bytes, size_t peer,
                                  struct rs_error *error) {
  (void)world;
  if (bytes > INT_MAX)
    return refuse_large(bytes, error);
  MPI_Request request;
  int code = MPI_Irecv(data, (int)bytes, MPI_BYTE, (int)peer, 0, MPI_COMM_WORLD, &request), done = 0;
  int64_t since = rs_clock_ns();
  while (code == MPI_SUCCESS && (code = MPI_Test(&request, &done, MPI_STATUS_IGNORE)) == MPI_SUCCESS && !done) {
    if (rs_clock_ns() - since < SPIN_NS)
      sched_yield();
    else
      usleep(SLEEP_US);
  }
  return check(code, "MPI_Irecv", error);
}

static void __attribute__((noreturn)) mpi_abort(struct rs_world *world, int exit_code) {
  (void)world;
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  _Exit(exit_code);
}

static const struct rs_world_ops mpi_ops = {
    .name = "mpi",
    .barrier = mpi_barrier,
    .broadcast = mpi_broadcast,
    .allgather = mpi_allgather,
    .gather = mpi_gather,
    .send = mpi_send,
    .receive = mpi_receive,
    .abort = mpi_abort,
};

enum rs_status rs_launch_init(struct rs_world **world, struct rs_error *error) {
  int rank, size;
  if (MPI_Init(NULL, NULL) != MPI_SUCCESS)
    return rs_error_set(error, RS_ERROR_PEER,
                        "MPI_Init failed; does mpirun belong to the MPI ringside was built with?");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  struct rs_world *opened = rs_allocate(1, sizeof *opened, "the world", error);
  if (opened == NULL)
    return error->status;
  *opened = (struct rs_world){.ops = &mpi_ops, .rank = (size_t)rank, .size = (size_t)size};
  *world = opened;
  return RS_OK;
}

void rs_launch_fini(struct rs_world *world) {
  if (world == NULL)
    return;
  free(world);
  MPI_Finalize();
}

void rs_launch_library(char *text, size_t bytes) {
  char version[MPI_MAX_LIBRARY_VERSION_STRING];
  int length;
  MPI_Get_library_version(version, &length);
  // Open MPI: "Open MPI v4.1.4, package: ..."; MPICH: "MPICH Version:\t4.0.2\nMPICH Release date: ...".
  version[strcspn(version, ",\n")] = '\0';
  for (char *c = version; *c; c++)
    if (*c == '\t')
      *c = ' ';
  snprintf(text, bytes, "%s", version);
}
