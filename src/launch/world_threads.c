// Ranks as threads of one process: what in-process transports, tests and machines without a launcher run on.
#include "ringside/launch.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOBODY SIZE_MAX
#define NS_PER_S INT64_C(1000000000)

// Shared by all ranks. Every operation is: publish my pointer, meet, read the others', meet. A rank that ends while
// others wait for it is told to them, and they end too.
struct hall {
  pthread_mutex_t gate; // held until every thread is there
  bool cancelled;       // one thread could not be had: nobody starts
  pthread_mutex_t lock;
  pthread_cond_t changed;
  size_t arrived;         // in the present meeting
  uint64_t meetings;      // held so far
  _Atomic(size_t) ended;  // the first rank whose body has returned, or NOBODY
  const void **published; // per rank
  // [from * size + to]: what `from` has on offer for `to`. The receiver claims it, takes it and leaves NULL.
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

static enum rs_status gone(size_t rank, struct rs_error *error) {
  return rs_error_set(error, RS_ERROR_LEFT, "rank %zu has ended while this rank waits for it; look for its own message",
                      rank);
}

static enum rs_status out_of_time(const struct rs_world *world, const char *who, struct rs_error *error) {
  return rs_error_set(error, RS_ERROR_TIMEOUT, "waited %.3g s for %s; is every rank alive?",
                      (double)world->timeout_ns / 1e9, who);
}

// Waits for all ranks. Who has met them is done, even if one of them has ended since.
static enum rs_status meet(struct rs_world *world, struct rs_error *error) {
  struct hall *hall = world->state;
  int64_t deadline_ns = rs_clock_ns() + world->timeout_ns;
  const struct timespec deadline = {.tv_sec = deadline_ns / NS_PER_S, .tv_nsec = deadline_ns % NS_PER_S};
  enum rs_status status = RS_OK;
  pthread_mutex_lock(&hall->lock);
  uint64_t meeting = hall->meetings;
  if (++hall->arrived == world->size) {
    hall->arrived = 0;
    hall->meetings++;
    pthread_cond_broadcast(&hall->changed);
  }
  int code = 0;
  while (hall->meetings == meeting && status == RS_OK) {
    if (hall->ended != NOBODY)
      status = gone(hall->ended, error);
    else if (code == ETIMEDOUT)
      status = out_of_time(world, "all ranks", error);
    else if (world->timeout_ns > 0)
      code = pthread_cond_timedwait(&hall->changed, &hall->lock, &deadline);
    else
      pthread_cond_wait(&hall->changed, &hall->lock);
  }
  pthread_mutex_unlock(&hall->lock);
  return status;
}

// Of a rank whose body has returned: nobody needs to wait for it.
static void leave(struct hall *hall, size_t rank) {
  pthread_mutex_lock(&hall->lock);
  if (hall->ended == NOBODY)
    hall->ended = rank;
  pthread_cond_broadcast(&hall->changed);
  pthread_mutex_unlock(&hall->lock);
}

static enum rs_status threads_barrier(struct rs_world *world, struct rs_error *error) {
  return meet(world, error);
}

static enum rs_status threads_broadcast(struct rs_world *world, void *data, size_t bytes, size_t root,
                                        struct rs_error *error) {
  struct hall *hall = world->state;
  hall->published[world->rank] = data;
  if (meet(world, error) < 0)
    return error->status;
  if (world->rank != root)
    memcpy(data, hall->published[root], bytes);
  return meet(world, error);
}

static enum rs_status threads_gather(struct rs_world *world, const void *mine, size_t bytes, void *all, size_t root,
                                     struct rs_error *error) {
  struct hall *hall = world->state;
  hall->published[world->rank] = mine;
  if (meet(world, error) < 0)
    return error->status;
  for (size_t r = 0; world->rank == root && r < world->size; r++)
    memcpy((char *)all + r * bytes, hall->published[r], bytes);
  return meet(world, error);
}

static enum rs_status threads_allgather(struct rs_world *world, const void *mine, size_t bytes, void *all,
                                        struct rs_error *error) {
  return threads_gather(world, mine, bytes, all, world->rank, error);
}

// Yields once for `peer`; an error when there is nothing to wait for any more.
static enum rs_status wait_for(struct rs_world *world, size_t peer, int64_t since_ns, struct rs_error *error) {
  const struct hall *hall = world->state;
  size_t ended = atomic_load(&hall->ended);
  if (ended != NOBODY)
    return gone(ended, error);
  if (world->timeout_ns > 0 && rs_clock_ns() - since_ns > world->timeout_ns) {
    char who[32];
    snprintf(who, sizeof who, "rank %zu", peer);
    return out_of_time(world, who, error);
  }
  sched_yield();
  return RS_OK;
}

static enum rs_status threads_send(struct rs_world *world, const void *data, size_t bytes, size_t peer,
                                   struct rs_error *error) {
  (void)bytes;
  struct hall *hall = world->state;
  _Atomic(const void *) *offer = &hall->offers[world->rank * world->size + peer];
  int64_t since_ns = rs_clock_ns();
  struct rs_error reason = {0};
  atomic_store(offer, data);
  while (atomic_load(offer) != NULL) {
    // What was claimed meanwhile is about to be taken.
    const void *unclaimed = data;
    if (wait_for(world, peer, since_ns, &reason) < 0 && atomic_compare_exchange_strong(offer, &unclaimed, NULL)) {
      *error = reason;
      return error->status;
    }
  }
  return RS_OK;
}

static enum rs_status threads_receive(struct rs_world *world, void *data, size_t bytes, size_t peer,
                                      struct rs_error *error) {
  struct hall *hall = world->state;
  _Atomic(const void *) *offer = &hall->offers[peer * world->size + world->rank];
  int64_t since_ns = rs_clock_ns();
  const void *offered;
  // Claimed by pointing it at the hall itself.
  while ((offered = atomic_load(offer)) == NULL || !atomic_compare_exchange_strong(offer, &offered, hall))
    if (wait_for(world, peer, since_ns, error) < 0)
      return error->status;
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
  leave(rank->hall, rank->world.rank);
  return NULL;
}

enum rs_status rs_launch_threads(size_t rank_count, rs_rank_body body, void *argument, struct rs_error *error) {
  enum rs_status status = RS_OK;
  struct hall hall = {.ended = NOBODY, .body = body, .argument = argument};
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
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&hall.changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&hall.lock, NULL);
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
  pthread_mutex_destroy(&hall.lock);
  pthread_cond_destroy(&hall.changed);
  free(hall.offers);
free_published:
  free(hall.published);
free_ranks:
  free(ranks);
  return status;
}
