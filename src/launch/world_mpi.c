// The world over MPI. MPI's counts are int: larger pieces are cut here.
#include "launch/guard.h"
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

// ---- roll call --------------------------------------------------------------------------------------------

// Rank 0 calls all ranks, and they call it; a call is a message of nothing, which nobody needs to receive. Baselines
// have tag 1.
enum tag { TAG_DATA = 0, TAG_ROLL_CALL = 2 };
#define ROLL_CALL_US 1000

static bool calls(int rank) {
  int there = 0;
  return MPI_Iprobe(rank, TAG_ROLL_CALL, MPI_COMM_WORLD, &there, MPI_STATUS_IGNORE) == MPI_SUCCESS && there;
}

static void mpi_roll_call(struct rs_world *world, int64_t wait_ns, bool *present) {
  size_t first = world->rank == 0 ? 1 : 0, end = world->rank == 0 ? world->size : 1, missing;
  int64_t deadline = rs_clock_ns() + wait_ns;
  for (size_t r = first; r < end; r++) {
    MPI_Request request;
    if (MPI_Isend(NULL, 0, MPI_BYTE, (int)r, TAG_ROLL_CALL, MPI_COMM_WORLD, &request) == MPI_SUCCESS)
      MPI_Request_free(&request);
  }
  do {
    usleep(ROLL_CALL_US);
    missing = 0;
    for (size_t r = first; r < end; r++) {
      present[r] = calls((int)r);
      missing += !present[r];
    }
  } while (missing > 0 && rs_clock_ns() < deadline);
}

// ---- waiting ----------------------------------------------------------------------------------------------

// Most MPIs spin while they wait, and a rank that waits for its turn takes the core of one whose turn it is. And they
// wait for ever. So: yield for a while, as long as an answer takes, then sleep in between, until the world's timeout.
#define SPIN_NS 200000
#define SLEEP_US 50

// Why a rank that has waited so long should wait no more; RS_OK: it should.
static enum rs_status give_up(const struct rs_world *world, const char *call, const char *who, int64_t waited,
                              struct rs_error *error) {
  double seconds = (double)waited / 1e9;
  const char *interrupt = rs_interrupt_take();
  if (interrupt)
    return rs_error_set(error, RS_ERROR_IO, "%s came when %s had waited %.3g s for %s", interrupt, call, seconds, who);
  if (calls(MPI_ANY_SOURCE))
    return rs_error_set(error, RS_ERROR_TIMEOUT, "%s: waited %.3g s for %s until another rank gave up", call, seconds,
                        who);
  if (world->timeout_ns > 0 && waited > world->timeout_ns)
    return rs_error_set(error, RS_ERROR_TIMEOUT, "%s: waited %.3g s for %s; is every rank alive?", call, seconds, who);
  return RS_OK;
}

// Completes what was started. `call` and `peer` (SIZE_MAX: all ranks) are for the error.
static enum rs_status finish(struct rs_world *world, int started, MPI_Request *request, const char *call, size_t peer,
                             struct rs_error *error) {
  int done = 0;
  char who[32] = "all ranks";
  if (peer != SIZE_MAX)
    snprintf(who, sizeof who, "rank %zu", peer);
  int64_t since = rs_clock_ns();
  while (started == MPI_SUCCESS && (started = MPI_Test(request, &done, MPI_STATUS_IGNORE)) == MPI_SUCCESS && !done) {
    int64_t waited = rs_clock_ns() - since;
    if (waited > RS_INTERRUPT_PATIENCE_NS && give_up(world, call, who, waited, error) < 0)
      return error->status;
    if (waited < SPIN_NS)
      sched_yield();
    else
      usleep(SLEEP_US);
  }
  return check(started, call, error);
}

static enum rs_status mpi_barrier(struct rs_world *world, struct rs_error *error) {
  MPI_Request request;
  return finish(world, MPI_Ibarrier(MPI_COMM_WORLD, &request), &request, "MPI_Ibarrier", SIZE_MAX, error);
}

static enum rs_status mpi_broadcast(struct rs_world *world, void *data, size_t bytes, size_t root,
                                    struct rs_error *error) {
  enum rs_status status = RS_OK;
  for (size_t done = 0; done < bytes && status == RS_OK;) {
    size_t piece = rs_min_size(bytes - done, INT_MAX);
    MPI_Request request;
    int started = MPI_Ibcast((char *)data + done, (int)piece, MPI_BYTE, (int)root, MPI_COMM_WORLD, &request);
    status = finish(world, started, &request, "MPI_Ibcast", SIZE_MAX, error);
    done += piece;
  }
  return status;
}

static enum rs_status refuse_large(size_t bytes, struct rs_error *error) {
  return rs_error_set(error, RS_ERROR_INTERNAL, "moving %zu bytes at once: MPI counts end at %d", bytes, INT_MAX);
}

static enum rs_status mpi_allgather(struct rs_world *world, const void *mine, size_t bytes, void *all,
                                    struct rs_error *error) {
  if (bytes > INT_MAX)
    return refuse_large(bytes, error);
  int count = (int)bytes;
  MPI_Request request;
  int started = MPI_Iallgather(mine, count, MPI_BYTE, all, count, MPI_BYTE, MPI_COMM_WORLD, &request);
  return finish(world, started, &request, "MPI_Iallgather", SIZE_MAX, error);
}

static enum rs_status mpi_gather(struct rs_world *world, const void *mine, size_t bytes, void *all, size_t root,
                                 struct rs_error *error) {
  if (bytes > INT_MAX)
    return refuse_large(bytes, error);
  int count = (int)bytes;
  MPI_Request request;
  int started = MPI_Igather(mine, count, MPI_BYTE, all, count, MPI_BYTE, (int)root, MPI_COMM_WORLD, &request);
  return finish(world, started, &request, "MPI_Igather", SIZE_MAX, error);
}

static enum rs_status mpi_send(struct rs_world *world, const void *data, size_t bytes, size_t peer,
                               struct rs_error *error) {
  if (bytes > INT_MAX)
    return refuse_large(bytes, error);
  MPI_Request request;
  int started = MPI_Isend(data, (int)bytes, MPI_BYTE, (int)peer, TAG_DATA, MPI_COMM_WORLD, &request);
  return finish(world, started, &request, "MPI_Isend", peer, error);
}

static enum rs_status mpi_receive(struct rs_world *world, void *data, size_t bytes, size_t peer,
                                  struct rs_error *error) {
  if (bytes > INT_MAX)
    return refuse_large(bytes, error);
  MPI_Request request;
  int started = MPI_Irecv(data, (int)bytes, MPI_BYTE, (int)peer, TAG_DATA, MPI_COMM_WORLD, &request);
  return finish(world, started, &request, "MPI_Irecv", peer, error);
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
    .roll_call = mpi_roll_call,
    .abort = mpi_abort,
};

struct mpi_launch {
  struct rs_world world;
  struct guard guard;
};

enum rs_status rs_launch_init(int64_t timeout_ns, struct rs_world **world, struct rs_error *error) {
  struct mpi_launch *launch = rs_allocate(1, sizeof *launch, "the world", error);
  if (launch == NULL)
    return error->status;
  guard_open(&launch->guard);
  guard_set(&launch->guard, timeout_ns, SIZE_MAX, "MPI_Init");
  // The threads that MPI starts are to leave interrupts to ours.
  rs_interrupt_hold();
  int code = MPI_Init(NULL, NULL);
  rs_interrupt_release();
  if (code != MPI_SUCCESS) {
    guard_close(&launch->guard);
    free(launch);
    return rs_error_set(error, RS_ERROR_PEER,
                        "MPI_Init failed; does mpirun belong to the MPI ringside was built with?");
  }
  guard_set(&launch->guard, 0, SIZE_MAX, "");
  int rank, size;
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  launch->world = (struct rs_world){.ops = &mpi_ops, .rank = (size_t)rank, .size = (size_t)size};
  *world = &launch->world;
  return RS_OK;
}

void rs_launch_fini(struct rs_world *world) {
  if (world == NULL)
    return;
  struct mpi_launch *launch = (struct mpi_launch *)world;
  guard_set(&launch->guard, 2 * world->timeout_ns, world->rank, "MPI_Finalize, in which a rank waits for all others,");
  MPI_Finalize();
  guard_close(&launch->guard);
  free(launch);
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
