// What the executor itself costs: a collective over the null transport, where messages complete at once and nothing
// moves. Prints figures; no test. bench/truth cost runs it.
#include "ringside/execute.h"
#include "transport/null.h"

#include <stdlib.h>

#define REPEATS 7

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static enum rs_status measure(const char *name, uint32_t ranks, uint64_t count, uint64_t chunk_bytes,
                              struct rs_error *error) {
  struct rs_transport_params open = {.rank_count = ranks, .lanes = 1};
  struct rs_device *device;
  struct rs_buffer buffer = {0};
  struct rs_executor *executor = NULL;
  if (rs_transport_null.open(&open, &device, error) < 0)
    return error->status;
  struct rs_route route = {.rank_count = ranks, .lanes = 1, .devices = &device, .device_count = 1};
  if (rs_buffer_open(RS_MEMORY_HOST, count * sizeof(float), &buffer, error) < 0)
    goto close_device;
  struct rs_executor_params params = {
      .algorithm = rs_algorithm_find(RS_ALLREDUCE, name),
      .schedule = {.collective = RS_ALLREDUCE, .rank_count = ranks},
      .route = &route,
      .count = count,
      .chunk_bytes = chunk_bytes,
      .lanes = 1,
      .input = &buffer,
      .output = &buffer,
      .wait = RS_WAIT_SPIN,
      .timeout_ns = 1000000000,
  };
  if (rs_executor_open(&params, &executor, error) < 0)
    goto close_buffer;
  double times[REPEATS];
  const int iterations = 5000;
  for (int r = 0; r < REPEATS; r++) {
    int64_t begin = rs_clock_ns();
    for (int i = 0; i < iterations; i++)
      if (rs_executor_run(executor, error) < 0)
        goto close_executor;
    times[r] = (double)(rs_clock_ns() - begin) / iterations;
  }
  qsort(times, REPEATS, sizeof *times, compare);
  struct rs_executor_counts counts;
  rs_executor_counts(executor, &counts);
  // Ring: a send and a receive in every round and chunk.
  double steps = 2.0 * (double)counts.rounds * counts.chunks;
  printf("%-5s %5u ranks %8llu elements %4u chunks: %8.0f ns, %6.1f ns per step (%.1f to %.1f)\n", name, ranks,
         (unsigned long long)count, counts.chunks, times[REPEATS / 2], times[REPEATS / 2] / steps, times[0] / steps,
         times[REPEATS - 1] / steps);
close_executor:
  rs_executor_close(executor);
close_buffer:
  rs_buffer_close(&buffer);
close_device:
  rs_transport_null.close(device);
  return error->status;
}

int main(void) {
  static const struct {
    uint32_t ranks;
    uint64_t count, chunk_bytes;
  } shapes[] = {{64, 0, 0}, {64, 64, 0}, {64, 64 * 256, 0}, {4, 4 * 256, 0}, {4, 4 * 2048, 1024}};
  struct rs_error error = {0};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(shapes) && error.status == RS_OK; i++)
    measure("ring", shapes[i].ranks, shapes[i].count, shapes[i].chunk_bytes, &error);
  if (error.status < 0)
    fprintf(stderr, "executor_cost: %s\n", error.text);
  return rs_status_exit_code(error.status);
}
