#include "ringside/base.h"

#include <stdlib.h>
#include <string.h>

enum rs_status rs_world_barrier(struct rs_world *world, struct rs_error *error) {
  return world->ops->barrier(world, error);
}

enum rs_status rs_world_broadcast(struct rs_world *world, void *data, size_t bytes, size_t root,
                                  struct rs_error *error) {
  return bytes == 0 ? RS_OK : world->ops->broadcast(world, data, bytes, root, error);
}

enum rs_status rs_world_allgather(struct rs_world *world, const void *mine, size_t bytes, void *all,
                                  struct rs_error *error) {
  return bytes == 0 ? RS_OK : world->ops->allgather(world, mine, bytes, all, error);
}

enum rs_status rs_world_gather(struct rs_world *world, const void *mine, size_t bytes, void *all, size_t root,
                               struct rs_error *error) {
  return bytes == 0 ? RS_OK : world->ops->gather(world, mine, bytes, all, root, error);
}

enum rs_status rs_world_send(struct rs_world *world, const void *data, size_t bytes, size_t peer,
                             struct rs_error *error) {
  return world->ops->send(world, data, bytes, peer, error);
}

enum rs_status rs_world_receive(struct rs_world *world, void *data, size_t bytes, size_t peer, struct rs_error *error) {
  return world->ops->receive(world, data, bytes, peer, error);
}

void rs_world_roll_call(struct rs_world *world, int64_t wait_ns, bool *present) {
  for (size_t r = 0; r < world->size; r++)
    present[r] = true;
  if (world->ops->roll_call)
    world->ops->roll_call(world, wait_ns, present);
}

void rs_world_abort(struct rs_world *world, int exit_code) {
  world->ops->abort(world, exit_code);
}

#define STATUSES_FEW 4096

// Worse is a higher exit code, then what is nearer to the cause: who is left by a peer knows nothing of it; who has
// waited in vain can name the silent one; where rank 1 is refused by rank 0, rank 0 only knows that rank 1 did not
// come.
static int severity(int32_t status) {
  int told = status == RS_ERROR_LEFT ? 0 : status == RS_ERROR_TIMEOUT ? 1 : status == RS_ERROR_PEER ? 2 : 3;
  return 4 * rs_status_exit_code((enum rs_status)status) + told;
}

// Among equals the lower rank speaks.
static size_t worst_rank(const int32_t *statuses, size_t size) {
  size_t worst = 0;
  for (size_t r = 1; r < size; r++)
    if (severity(statuses[r]) > severity(statuses[worst]))
      worst = r;
  return worst;
}

enum rs_status rs_world_agree(struct rs_world *world, enum rs_status mine, struct rs_error *error) {
  struct rs_error transfer = {0};
  int32_t status = mine < 0 ? mine : 0;
  // A rank that has no memory left must be able to say so.
  int32_t few[STATUSES_FEW], *many = NULL;
  enum rs_status result = RS_OK;
  if (world->size > STATUSES_FEW &&
      (many = rs_allocate(world->size, sizeof *many, "statuses of all ranks", &transfer)) == NULL)
    result = transfer.status;
  int32_t *statuses = many ? many : few;
  if (result == RS_OK)
    result = rs_world_allgather(world, &status, sizeof status, statuses, &transfer);
  if (result != RS_OK) {
    *error = transfer;
    goto free_statuses;
  }
  size_t worst = worst_rank(statuses, world->size);
  size_t failed = 0;
  for (size_t r = 0; r < world->size; r++)
    failed += statuses[r] != 0;
  if (statuses[worst] == 0)
    goto free_statuses;

  struct rs_error words = {0};
  if (world->rank == worst) {
    words = *error;
    // Bad input that every rank has seen is nobody's in particular.
    bool common = failed == world->size && statuses[worst] == RS_ERROR_USAGE;
    if (world->size > 1 && !common)
      rs_error_prefix(&words, "rank %zu", worst);
  }
  result = rs_world_broadcast(world, &words, sizeof words, worst, &transfer);
  *error = result == RS_OK ? words : transfer;
  result = error->status;
free_statuses:
  free(many);
  return result;
}

// ---- a world of one ---------------------------------------------------------------------------------------

static enum rs_status solo_barrier(struct rs_world *world, struct rs_error *error) {
  (void)world, (void)error;
  return RS_OK;
}

static enum rs_status solo_broadcast(struct rs_world *world, void *data, size_t bytes, size_t root,
                                     struct rs_error *error) {
  (void)world, (void)data, (void)bytes, (void)root, (void)error;
  return RS_OK;
}

static enum rs_status solo_allgather(struct rs_world *world, const void *mine, size_t bytes, void *all,
                                     struct rs_error *error) {
  (void)world, (void)error;
  memcpy(all, mine, bytes);
  return RS_OK;
}

static enum rs_status solo_gather(struct rs_world *world, const void *mine, size_t bytes, void *all, size_t root,
                                  struct rs_error *error) {
  (void)root;
  return solo_allgather(world, mine, bytes, all, error);
}

// Nobody is there to talk to.
static enum rs_status solo_send(struct rs_world *world, const void *data, size_t bytes, size_t peer,
                                struct rs_error *error) {
  (void)world, (void)data, (void)bytes;
  return rs_error_set(error, RS_ERROR_INTERNAL, "a message to rank %zu of a world of one", peer);
}

static enum rs_status solo_receive(struct rs_world *world, void *data, size_t bytes, size_t peer,
                                   struct rs_error *error) {
  return solo_send(world, data, bytes, peer, error);
}

static void __attribute__((noreturn)) solo_abort(struct rs_world *world, int exit_code) {
  (void)world;
  _Exit(exit_code);
}

static const struct rs_world_ops solo_ops = {
    .name = "solo",
    .barrier = solo_barrier,
    .broadcast = solo_broadcast,
    .allgather = solo_allgather,
    .gather = solo_gather,
    .send = solo_send,
    .receive = solo_receive,
    .abort = solo_abort,
};

struct rs_world rs_world_solo(void) {
  return (struct rs_world){.ops = &solo_ops, .rank = 0, .size = 1};
}
