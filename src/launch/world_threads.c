// Ranks as threads of one process: what in-process transports, tests and machines without a launcher run on.
#include "ringside/launch.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// Shared by all ranks. Every operation is: publish my pointer, meet, read the others', meet.
struct hall {
  pthread_barrier_t barrier;
  pthread_mutex_t gate;   // held until every thread is there
  bool cancelled;         // one thread could not be had: nobody starts
  const void **published; // per rank
  // [from * size + to]: what `from` has on offer for `to`; the receiver takes it and leaves NULL.
  _Atomic(const void *) *offers;
  rs_rank_body body;
  void *argument;
};

struct thread_rank {
  struct rs_world world;
  struct hall *hall;
  pthread_t thread;
  enum rs_status status;
  struct rs_error error;
};

static void meet(struct hall *hall) {
  pthread_barrier_wait(&hall->barrier);
}

static enum rs_status threads_barrier(struct rs_world *world, struct rs_error *error) {
  (void)error;
  meet(world->state);
  return RS_OK;
}

static enum rs_status threads_broadcast(struct rs_world *world, void *data, size_t bytes, size_t root,
                                        struct rs_error *error) {
  (void)error;
  struct hall *hall = world->state;
  hall->published[world->rank] = data;
  meet(hall);
  if (world->rank != root)
    memcpy(data, hall->published[root], bytes);
  meet(hall);
  return RS_OK;
}

static enum rs_status threads_gather(struct rs_world *world, const void *mine, size_t bytes, void *all, size_t root,
                                     struct rs_error *error) {
  (void)error;
  struct hall *hall = world->state;
  hall->published[world->rank] = mine;
  meet(hall);
  for (size_t r = 0; world->rank == root && r < world->size; r++)
    memcpy((char *)all + r * bytes, hall->published[r], bytes);
  meet(hall);
  return RS_OK;
}

static enum rs_status threads_allgather(struct rs_world *world, const void *mine, size_t bytes, void *all,
                                        struct rs_error *error) {
  return threads_gather(world, mine, bytes, all, world->rank, error);
}

static enum rs_status threads_send(struct rs_world *world, const void *data, size_t bytes, size_t peer,
                                   struct rs_error *error) {
  (void)bytes, (void)error;
  struct hall *hall = world->state;
  _Atomic(const void *) *offer = &hall->offers[world->rank * world->size + peer];
  atomic_store(offer, data);
  while (atomic_load(offer) != NULL)
    sched_yield();
  return RS_OK;
}

static enum rs_status threads_receive(struct rs_world *world, void *data, size_t bytes, size_t peer,
                                      struct rs_error *error) {
  (void)error;
  struct hall *hall = world->state;
  _Atomic(const void *) *offer = &hall->offers[peer * world->size + world->rank];
  const void *offered;
  while ((offered = atomic_load(offer)) == NULL)
    sched_yield();
  memcpy(data, offered, bytes);
  atomic_store(offer, NULL);
  return RS_OK;
}

static void __attribute__((noreturn)) threads_abort(struct rs_world *world, int exit_code) {
  (void)world;
  fflush(NULL);
  _Exit(exit_code);
}

static const struct rs_world_ops threads_ops = {
    .name = "threads",
    .barrier = threads_barrier,
    .broadcast = threads_broadcast,
    .allgather = threads_allgather,
    .gather = threads_gather,
    .send = threads_send,
    .receive = threads_receive,
    .abort = threads_abort,
};

static void *run_rank(void *argument) {
  struct thread_rank *rank = argument;
  pthread_mutex_lock(&rank->hall->gate);
  bool cancelled = rank->hall->cancelled;
  pthread_mutex_unlock(&rank->hall->gate);
  if (cancelled)
    return NULL;
  rank->status = rank->hall->body(&rank->world, rank->hall->argument, &rank->error);
  return NULL;
}

enum rs_status rs_launch_threads(size_t rank_count, rs_rank_body body, void *argument, struct rs_error *error) {
  enum rs_status status = RS_OK;
  struct hall hall = {.body = body, .argument = argument};
  struct thread_rank *ranks = rs_allocate(rank_count, sizeof *ranks, "thread ranks", error);
  if (ranks == NULL)
    return error->status;
  hall.published = rs_allocate(rank_count, sizeof *hall.published, "thread ranks", error);
  if (hall.published == NULL) {
    status = error->status;
    goto free_ranks;
  }
  hall.offers = rs_allocate(rank_count * rank_count, sizeof *hall.offers, "thread ranks", error);
  if (hall.offers == NULL) {
    status = error->status;
    goto free_published;
  }
  pthread_barrier_init(&hall.barrier, NULL, (unsigned)rank_count);
  pthread_mutex_init(&hall.gate, NULL);
  pthread_mutex_lock(&hall.gate);
  size_t started = 0;
  for (; started < rank_count && !hall.cancelled; started++) {
    struct thread_rank *rank = &ranks[started];
    rank->hall = &hall;
    rank->world = (struct rs_world){.ops = &threads_ops, .rank = started, .size = rank_count, .state = &hall};
    int code = pthread_create(&rank->thread, NULL, run_rank, rank);
    if (code != 0) {
      status =
          rs_error_set_errno(error, RS_ERROR_MEMORY, code, "starting rank %zu of %zu as a thread", started, rank_count);
      hall.cancelled = true;
      break;
    }
  }
  pthread_mutex_unlock(&hall.gate);
  for (size_t r = 0; r < started; r++) {
    pthread_join(ranks[r].thread, NULL);
    if (rs_status_exit_code(ranks[r].status) > rs_status_exit_code(status)) {
      status = ranks[r].status;
      *error = ranks[r].error;
    }
  }
  pthread_mutex_destroy(&hall.gate);
  pthread_barrier_destroy(&hall.barrier);
  free(hall.offers);
free_published:
  free(hall.published);
free_ranks:
  free(ranks);
  return status;
}
