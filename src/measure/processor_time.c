// Around many operations at once, so that neither the wait for a start nor reading the clock (a system call) is in it.
// A process' clock has all its threads, those of a baseline's library too. Ranks that are threads have one each.
#include "measure/processor_time.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OPERATIONS_ENOUGH 1000
#define NS_PER_S INT64_C(1000000000)

static int64_t processor_time(const struct rs_world *world) {
  struct timespec time = {0};
  clock_gettime(strcmp(world->ops->name, "threads") == 0 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static enum rs_status sum_of_ranks(struct rs_world *world, int64_t mine, int64_t *sum, struct rs_error *error) {
  int64_t *all = world->rank == 0 ? rs_allocate(world->size, sizeof *all, "processor times of all ranks", error) : NULL;
  if (rs_world_agree(world, error->status, error) == RS_OK)
    rs_world_gather(world, &mine, sizeof mine, all, 0, error);
  *sum = 0;
  for (size_t r = 0; all && error->status == RS_OK && r < world->size; r++)
    *sum += all[r];
  free(all);
  return error->status;
}

// Runs of 1, 2, 4, ... operations until `time_ns` is spent, as rank 0 sees it.
enum rs_status processor_time_measure(struct rs_world *world, const struct rs_case *point,
                                      const struct operation *operation, int64_t time_ns, double *ns,
                                      struct rs_error *error) {
  *ns = NAN;
  if (point->benchmark != RS_BENCHMARK_COLLECTIVE || point->congestor != RS_CONGESTOR_NONE)
    return RS_OK;
  const int64_t end = rs_clock_ns() + time_ns / 10;
  int64_t spent = 0, sum;
  uint64_t done = 0;
  for (uint64_t run = 1;; run *= 2) {
    if (world->rank == 0 && (done >= OPERATIONS_ENOUGH || (done > 0 && rs_clock_ns() >= end)))
      run = 0;
    if (rs_world_broadcast(world, &run, sizeof run, 0, error) < 0 || rs_world_barrier(world, error) < 0)
      return error->status;
    if (run == 0)
      break;
    const int64_t before = processor_time(world);
    for (uint64_t i = 0; i < run; i++)
      if (operation->run(operation->state, error) < 0)
        return error->status;
    spent += processor_time(world) - before;
    done += run;
  }
  if (sum_of_ranks(world, spent, &sum, error) < 0)
    return error->status;
  *ns = (double)sum / (double)done;
  return RS_OK;
}
