// The executor over the loop transport: every algorithm, many shapes, random order of delivery, faults. One thread
// drives all ranks, so a seed is a run.
#include "support/cluster.h"
#include "transport/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct rs_loop_options plain = {.seed = 1, .segment = 8192};

static void run_or_fail(struct cluster *cluster, const struct trial *trial, size_t times, uint64_t seed) {
  struct rs_error error = {0};
  if (cluster_run(cluster, trial, times, seed, NULL, &error) < 0)
    fail_msg("%s n=%zu %s %s count=%llu chunk=%llu lanes=%zu window=%zu in_place=%d seed=%llu: %s",
             trial->algorithm->name, cluster->rank_count, rs_datatype_names[trial->datatype],
             rs_operation_names[trial->operation], (unsigned long long)trial->count,
             (unsigned long long)trial->chunk_bytes, trial->lanes, trial->window, trial->in_place,
             (unsigned long long)seed, error.text);
}

static void open_or_fail(struct cluster *cluster, const struct rs_loop_options *options, size_t n, size_t lanes) {
  struct rs_error error = {0};
  if (cluster_open(cluster, &rs_transport_loop, options, n, lanes, &error) < 0)
    fail_msg("%s", error.text);
}

// Every algorithm for 1..17 ranks, with counts around the number of parts, cut and not cut, in and out of place.
static void test_shapes(void **state) {
  (void)state;
  for (size_t n = 1; n <= 17; n++) {
    struct cluster cluster;
    open_or_fail(&cluster, &plain, n, 2);
    const uint64_t counts[] = {0, 1, n - 1, n, n + 1, 1000, 4099};
    for (size_t a = 0; a < rs_algorithm_count; a++)
      for (size_t c = 0; c < RS_ARRAY_LENGTH(counts); c++)
        for (uint64_t chunk = 0; chunk <= 512; chunk += 256)
          for (int in_place = 0; in_place <= 1; in_place++) {
            struct trial trial = {.algorithm = rs_algorithms[a],
                                  .count = counts[c],
                                  .chunk_bytes = chunk,
                                  .lanes = chunk ? 2 : 1,
                                  .in_place = in_place};
            run_or_fail(&cluster, &trial, 1, n * 1000 + c);
          }
    cluster_close(&cluster);
  }
}

static void test_types(void **state) {
  (void)state;
  struct cluster cluster;
  open_or_fail(&cluster, &plain, 5, 1);
  for (size_t a = 0; a < rs_algorithm_count; a++)
    for (enum rs_datatype d = 0; d <= RS_INT32; d++)
      for (enum rs_operation o = 0; o <= RS_AVG; o++)
        for (int in_place = 0; in_place <= 1; in_place++) {
          struct trial trial = {.algorithm = rs_algorithms[a],
                                .datatype = d,
                                .operation = o,
                                .count = 3001,
                                .chunk_bytes = 1024,
                                .lanes = 1,
                                .in_place = in_place};
          run_or_fail(&cluster, &trial, 2, d);
        }
  cluster_close(&cluster);
}

// Segments of all messages in random order, late, back to back, with every window from the least one on.
static void test_reordering(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 60; seed++) {
    struct rs_random random = {seed};
    struct rs_loop_options options = {.seed = seed,
                                      .reorder = true,
                                      .segment = 64 + rs_random_below(&random, 1000),
                                      .delay = rs_random_below(&random, 4)};
    struct cluster cluster;
    size_t lanes = 1 + rs_random_below(&random, 3);
    open_or_fail(&cluster, &options, 2 + rs_random_below(&random, 8), lanes);
    for (size_t a = 0; a < rs_algorithm_count; a++) {
      struct trial trial = {.algorithm = rs_algorithms[a],
                            .datatype = (enum rs_datatype)rs_random_below(&random, RS_INT32 + 1),
                            .operation = (enum rs_operation)rs_random_below(&random, RS_AVG + 1),
                            .count = rs_random_below(&random, 20000),
                            .chunk_bytes = rs_random_below(&random, 2) * (64 + rs_random_below(&random, 4096)),
                            .lanes = lanes,
                            .window = RS_ROUND_STEPS_MAX + rs_random_below(&random, 57),
                            .in_place = rs_random_below(&random, 2)};
      run_or_fail(&cluster, &trial, 3, seed);
    }
    cluster_close(&cluster);
  }
}

// The same input gives the same bits whatever the chunks, lanes, window and order of delivery, on input whose sums
// round, so that another order of addition would show.
static void test_same_bits(void **state) {
  (void)state;
  struct rs_loop_options options = {.seed = 3, .reorder = true, .segment = 128, .delay = 2};
  struct cluster cluster;
  open_or_fail(&cluster, &options, 7, 3);
  for (size_t a = 0; a < rs_algorithm_count; a++) {
    uint64_t first = 0;
    for (uint64_t seed = 0; seed < 8; seed++) {
      struct trial trial = {.algorithm = rs_algorithms[a],
                            .datatype = RS_FLOAT16,
                            .operation = RS_AVG,
                            .count = 5003,
                            .chunk_bytes = seed * 300,
                            .lanes = 1 + seed % 3,
                            .window = RS_ROUND_STEPS_MAX + seed,
                            .rough = true};
      struct rs_error error = {0};
      uint64_t digest = 0;
      if (cluster_run(&cluster, &trial, 1, seed, &digest, &error) < 0)
        fail_msg("%s", error.text);
      if (seed == 0)
        first = digest;
      assert_int_equal(first, digest);
    }
  }
  cluster_close(&cluster);
}

// A flipped bit anywhere is seen, and the words name the element.
static void test_corruption_is_seen(void **state) {
  (void)state;
  for (size_t a = 0; a < rs_algorithm_count; a++)
    for (uint64_t at = 1; at <= 6; at++) {
      struct rs_loop_options options = {.seed = 1, .segment = 8192, .corrupt_at = at};
      struct cluster cluster;
      open_or_fail(&cluster, &options, 4, 1);
      struct trial trial = {.algorithm = rs_algorithms[a], .count = 4096, .chunk_bytes = 512, .lanes = 1};
      struct rs_error error = {0};
      assert_int_equal(cluster_run(&cluster, &trial, 1, at, NULL, &error), RS_ERROR_MISMATCH);
      assert_non_null(strstr(error.text, "element"));
      cluster_close(&cluster);
    }
}

static void test_failure_is_told(void **state) {
  (void)state;
  for (uint64_t at = 1; at <= 5; at++) {
    struct rs_loop_options options = {.seed = 1, .segment = 8192, .fail_at = at};
    struct cluster cluster;
    open_or_fail(&cluster, &options, 3, 1);
    struct trial trial = {.algorithm = rs_algorithms[0], .count = 4096, .chunk_bytes = 512, .lanes = 1};
    struct rs_error error = {0};
    assert_int_equal(cluster_run(&cluster, &trial, 1, at, NULL, &error), RS_ERROR_PEER);
    assert_non_null(strstr(error.text, "injected failure"));
    cluster_close(&cluster);
  }
}

// A peer that never takes part: the error names it, the round and what it owes.
static void test_timeout_names_the_debt(void **state) {
  (void)state;
  struct cluster cluster;
  open_or_fail(&cluster, &plain, 2, 1);
  struct rs_error error = {0};
  struct rs_buffer buffer;
  assert_int_equal(rs_buffer_open(RS_MEMORY_HOST, 4000, &buffer, &error), RS_OK);
  struct rs_executor_params params = {
      .algorithm = rs_algorithm_find(RS_ALLREDUCE, "ring"),
      .schedule = {.collective = RS_ALLREDUCE, .rank_count = 2},
      .route = &cluster.routes[0],
      .count = 1000,
      .lanes = 1,
      .input = &buffer,
      .output = &buffer,
      .wait = RS_WAIT_SLEEP,
      .timeout_ns = 20000000,
  };
  struct rs_executor *executor;
  assert_int_equal(rs_executor_open(&params, &executor, &error), RS_OK);
  assert_int_equal(rs_executor_run(executor, &error), RS_ERROR_TIMEOUT);
  assert_non_null(strstr(error.text, "rank 1"));
  assert_non_null(strstr(error.text, "round 0"));
  rs_executor_close(executor);
  rs_buffer_close(&buffer);
  cluster_close(&cluster);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shapes),
      cmocka_unit_test(test_types),
      cmocka_unit_test(test_reordering),
      cmocka_unit_test(test_same_bits),
      cmocka_unit_test(test_corruption_is_seen),
      cmocka_unit_test(test_failure_is_told),
      cmocka_unit_test(test_timeout_names_the_debt),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
