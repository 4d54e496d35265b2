// Clock synchronisation against the truth: every process reads one kernel clock through a shim with an offset and a
// drift of its own, so the common time of any moment is known exactly.
//
// As a test this takes a few seconds; `test_clock_sync SECONDS` (bench/truth clock) runs longer and prints a table.
#include "measure/clock_sync.h"
#include "support/world_fork.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <cmocka.h>

#define RANKS_MAX 8
#define PROMISE_NS 2000
#define OFFSET_MAX_NS 1000000000
#define DRIFT_MAX 100e-6
#define INTERVAL_NS 250000000

struct shim {
  int64_t base_ns, offset_ns;
  double drift;
};

static int64_t shim_at(const struct shim *shim, int64_t true_ns) {
  return true_ns + shim->offset_ns + (int64_t)(shim->drift * (double)(true_ns - shim->base_ns));
}

// The true time at which a shim shows `local_ns`.
static int64_t shim_inverse(const struct shim *shim, int64_t local_ns) {
  return shim->base_ns + (int64_t)((double)(local_ns - shim->base_ns - shim->offset_ns) / (1 + shim->drift));
}

static int64_t shim_now(const void *state) {
  return shim_at(state, rs_clock_ns());
}

struct findings {
  int64_t worst_ns, worst_ahead_ns, widest_bound_ns;
  uint64_t checks, outside_bound;
};

struct trial {
  uint64_t seed;
  int64_t duration_ns;
  int64_t base_ns;
  const uint32_t *machines;
  struct findings *findings; // shared, per rank
};

static struct shim shim_of(const struct trial *trial, size_t rank) {
  struct rs_random random = {rs_hash64(trial->seed) + rank};
  double offset = (double)rs_random_below(&random, 2 * OFFSET_MAX_NS) - OFFSET_MAX_NS;
  double drift = ((double)rs_random_below(&random, 2000001) / 1e6 - 1) * DRIFT_MAX;
  return (struct shim){trial->base_ns, (int64_t)offset, drift};
}

static int64_t magnitude(int64_t value) {
  return value < 0 ? -value : value;
}

// The error of a line at true times between its points, and for one interval ahead.
static void check_line(const struct clock_line *line, const struct shim *own, const struct shim *zero, int64_t from,
                       int64_t to, struct findings *findings) {
  for (int i = 0; i <= 20; i++) {
    int64_t at = from + (to - from) * i / 10;
    int64_t error = magnitude(clock_to_common(line, shim_at(own, at)) - shim_at(zero, at));
    int64_t back = magnitude(clock_to_local(line, shim_at(zero, at)) - shim_at(own, at));
    error = back > error ? back : error;
    int64_t *worst = i <= 10 ? &findings->worst_ns : &findings->worst_ahead_ns;
    *worst = error > *worst ? error : *worst;
    findings->checks++;
  }
}

static enum rs_status sync_for_a_while(struct rs_world *world, void *argument, struct rs_error *error) {
  const struct trial *trial = argument;
  struct shim own = shim_of(trial, world->rank), zero = shim_of(trial, 0);
  struct clock_source source = {shim_now, &own};
  struct findings *findings = &trial->findings[world->rank];
  struct clock_line line = {0};
  int64_t last_true = 0;
  for (size_t i = 0; (int64_t)i * INTERVAL_NS <= trial->duration_ns; i++) {
    struct clock_point point;
    if (clock_sync(world, &source, trial->machines, &point, error) < 0)
      return error->status;
    int64_t here = shim_inverse(&own, point.local_ns);
    int64_t off = magnitude(point.offset_ns - (shim_at(&zero, here) - shim_at(&own, here)));
    findings->outside_bound += off > point.bound_ns + 100;
    findings->widest_bound_ns = point.bound_ns > findings->widest_bound_ns ? point.bound_ns : findings->widest_bound_ns;
    line = (struct clock_line){i ? line.last : point, point};
    if (i > 0)
      check_line(&line, &own, &zero, last_true, here, findings);
    last_true = here;
    struct timespec pause = {0, INTERVAL_NS};
    nanosleep(&pause, NULL);
  }
  return RS_OK;
}

static struct findings run_trial(size_t ranks, uint64_t seed, int64_t duration_ns) {
  size_t bytes = RANKS_MAX * sizeof(struct findings);
  struct findings *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal(shared, MAP_FAILED);
  struct trial trial = {.seed = seed, .duration_ns = duration_ns, .base_ns = rs_clock_ns(), .findings = shared};
  assert_int_equal(world_fork(ranks, sync_for_a_while, &trial), RS_OK);
  struct findings worst = {0};
  for (size_t r = 0; r < ranks; r++) {
    worst.checks += shared[r].checks;
    worst.outside_bound += shared[r].outside_bound;
    worst.worst_ns = shared[r].worst_ns > worst.worst_ns ? shared[r].worst_ns : worst.worst_ns;
    worst.worst_ahead_ns =
        shared[r].worst_ahead_ns > worst.worst_ahead_ns ? shared[r].worst_ahead_ns : worst.worst_ahead_ns;
    worst.widest_bound_ns =
        shared[r].widest_bound_ns > worst.widest_bound_ns ? shared[r].widest_bound_ns : worst.widest_bound_ns;
  }
  munmap(shared, bytes);
  return worst;
}

// The promise: between two syncs the common clock is known to 2 us, for offsets of up to 1 s and drifts of up to 100
// ppm.
static void test_promise(void **state) {
  (void)state;
  for (size_t ranks = 2; ranks <= RANKS_MAX; ranks += 3) {
    struct findings found = run_trial(ranks, ranks, 1500000000);
    if (found.worst_ns >= PROMISE_NS || found.outside_bound)
      fail_msg("%zu ranks, seed %zu: off by %lld ns (%llu times outside its own bound)", ranks, ranks,
               (long long)found.worst_ns, (unsigned long long)found.outside_bound);
  }
}

// A line through points years apart from the common clock, in both directions.
static void test_line(void **state) {
  (void)state;
  struct clock_line line = {{1000000000, 500000000000000000, 0}, {2000000000, 500000000000100000, 0}};
  assert_int_equal(clock_to_common(&line, 1000000000), 500000001000000000);
  assert_int_equal(clock_to_common(&line, 1500000000), 500000001500050000);
  assert_int_equal(clock_to_common(&line, 3000000000), 500000003000200000);
  for (int64_t local = 0; local < 4000000000; local += 123456789)
    assert_true(magnitude(clock_to_local(&line, clock_to_common(&line, local)) - local) <= 1);
  struct clock_line constant = {line.first, line.first};
  assert_int_equal(clock_to_common(&constant, 7), 500000000000000007);
}

static int print_table(int64_t seconds) {
  int code = 0;
  printf("clock synchronisation: offsets up to 1 s, drifts up to 100 ppm, %lld s each, a sync every %d ms\n",
         (long long)seconds, INTERVAL_NS / 1000000);
  printf("ranks  checks  worst error between syncs  one interval ahead  widest own bound  outside it\n");
  for (size_t ranks = 2; ranks <= RANKS_MAX; ranks++) {
    struct findings found = run_trial(ranks, ranks, seconds * 1000000000);
    bool holds = found.worst_ns < PROMISE_NS;
    printf("%5zu  %6llu  %22lld ns  %15lld ns  %13lld ns  %10llu  %s\n", ranks, (unsigned long long)found.checks,
           (long long)found.worst_ns, (long long)found.worst_ahead_ns, (long long)found.widest_bound_ns,
           (unsigned long long)found.outside_bound, holds ? "holds (< 2 us)" : "FAILS");
    code |= !holds;
  }
  return code;
}

int main(int argc, char **argv) {
  if (argc > 1)
    return print_table(strtol(argv[1], NULL, 10));
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_line),
      cmocka_unit_test(test_promise),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
