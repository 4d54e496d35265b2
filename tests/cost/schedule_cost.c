// What one call of round() costs on 4,096 ranks, for each algorithm: rounds and ranks are drawn at random, over a few
// variants. A call's time is the best of three, so that the largest is the builder's and not the operating system's.
// Prints figures; no test. bench/truth cost runs it.
#include "ringside/collective.h"

#include <stdlib.h>

#define RANKS 4096
#define CALLS 4000 // per variant
#define TRIES 3    // of each call
#define VARIANTS_MAX 6

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// Times calls of one variant, in ns, what reading the clock costs included; returns how many.
static size_t time_calls(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params,
                         struct rs_random *random, double *times) {
  const uint32_t rounds = algorithm->rounds(params);
  for (size_t i = 0; i < CALLS && rounds > 0; i++) {
    struct rs_step steps[RS_ROUND_STEPS_MAX];
    const uint32_t rank = (uint32_t)rs_random_below(random, RANKS), k = (uint32_t)rs_random_below(random, rounds);
    int64_t best_ns = INT64_MAX;
    for (int attempt = 0; attempt < TRIES; attempt++) {
      const int64_t begin_ns = rs_clock_ns();
      algorithm->round(params, rank, k, steps);
      const int64_t taken_ns = rs_clock_ns() - begin_ns;
      best_ns = taken_ns < best_ns ? taken_ns : best_ns;
    }
    times[i] = (double)best_ns;
  }
  return rounds > 0 ? CALLS : 0;
}

static void measure(const struct rs_algorithm *algorithm, double *times) {
  struct rs_random random = {1};
  const uint32_t variants = rs_variant_count(algorithm, RANKS);
  const uint32_t tried = variants < VARIANTS_MAX ? variants : VARIANTS_MAX;
  size_t count = 0;
  for (uint32_t i = 0; i < tried; i++) {
    uint32_t array[RANKS];
    char description[RS_VARIANT_BYTES];
    const uint32_t variant = (uint32_t)((uint64_t)i * variants / tried);
    const struct rs_schedule_params params = rs_variant(algorithm, RANKS, variant, array, description);
    count += time_calls(algorithm, &params, &random, times + count);
  }
  if (count == 0) {
    return;
  }
  qsort(times, count, sizeof *times, compare);
  printf("%-14s %-20s %10.0f %10.0f %10.0f\n", rs_collective_names[algorithm->collective], algorithm->name,
         times[count / 2], times[count - 1 - count / 100], times[count - 1]);
}

int main(void) {
  struct rs_error error = {0};
  double *times = rs_allocate((size_t)VARIANTS_MAX * CALLS, sizeof *times, "the times of calls", &error);
  if (!times) {
    fprintf(stderr, "schedule_cost: %s\n", error.text);
    return rs_status_exit_code(error.status);
  }
  printf("one round of one rank, %u ranks, in ns, reading the clock included\n", RANKS);
  printf("%-14s %-20s %10s %10s %10s\n", "collective", "algorithm", "median", "p99", "max");
  for (size_t i = 0; i < rs_algorithm_count; i++) {
    measure(rs_algorithms[i], times);
  }
  free(times);
  return 0;
}
