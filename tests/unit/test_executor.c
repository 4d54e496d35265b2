// The executor over the loop transport: every algorithm, many shapes, random order of delivery, faults. One thread
// drives all ranks, so a seed is a run.
#include "support/cluster.h"
#include "transport/loop.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct rs_loop_options plain = {.seed = 1, .segment = 8192};

static void run_or_fail(struct cluster *cluster, const struct trial *trial, size_t times, uint64_t seed) {
  struct rs_error error = {0};
  if (cluster_run(cluster, trial, times, seed, NULL, &error) < 0) {
    struct rs_text text = {0};
    trial_describe(trial, cluster->rank_count, &text);
    fail_msg("%s, seed %" PRIu64 ": %s", text.data, seed, error.text);
  }
}

static void open_or_fail(struct cluster *cluster, const struct rs_loop_options *options, size_t n, size_t lanes) {
  struct rs_error error = {0};
  if (cluster_open(cluster, &rs_transport_loop, options, n, lanes, &error) < 0)
    fail_msg("%s", error.text);
}

// Every algorithm for 1..17 ranks, with counts around the number of parts; the rest is drawn.
static void test_shapes(void **state) {
  (void)state;
  struct rs_random random = {17};
  for (size_t n = 1; n <= 17; n++) {
    struct cluster cluster;
    open_or_fail(&cluster, &plain, n, 2);
    const uint64_t counts[] = {0, 1, n - 1, n, n + 1, 1000, 4099};
    for (size_t a = 0; a < rs_algorithm_count; a++)
      for (size_t c = 0; c < RS_ARRAY_LENGTH(counts); c++) {
        struct trial trial = trial_draw(rs_algorithms[a], n, 2, n, &random);
        trial.count = counts[c];
        run_or_fail(&cluster, &trial, 1, n * 1000 + c);
      }
    cluster_close(&cluster);
  }
}

static void test_large(void **state) {
  (void)state;
  struct rs_random random = {100003};
  for (size_t n = 2; n <= 17; n += 5) {
    struct cluster cluster;
    open_or_fail(&cluster, &plain, n, 3);
    for (size_t a = 0; a < rs_algorithm_count; a++) {
      struct trial trial = trial_draw(rs_algorithms[a], n, 3, n, &random);
      trial.count = 100003;
      trial.chunk_bytes *= 16;
      run_or_fail(&cluster, &trial, 2, n);
    }
    cluster_close(&cluster);
  }
}

static void test_types(void **state) {
  (void)state;
  struct rs_random random = {5};
  struct cluster cluster;
  open_or_fail(&cluster, &plain, 5, 1);
  for (size_t a = 0; a < rs_algorithm_count; a++)
    for (size_t type = 0; type < (size_t)RS_DATATYPE_COUNT * RS_OPERATION_COUNT; type++) {
      if (type >= RS_DATATYPE_COUNT && !rs_collective_traits[rs_algorithms[a]->collective].reduces)
        continue;
      struct trial trial = trial_draw(rs_algorithms[a], 5, 1, type, &random);
      trial.count = 3001;
      run_or_fail(&cluster, &trial, 2, type);
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
    size_t lanes = 1 + rs_random_below(&random, 3), n = 2 + rs_random_below(&random, 8);
    open_or_fail(&cluster, &options, n, lanes);
    for (size_t a = seed % 5; a < rs_algorithm_count; a += 5) {
      struct trial trial = trial_draw(rs_algorithms[a], n, lanes, seed, &random);
      trial.count = rs_random_below(&random, 20000);
      run_or_fail(&cluster, &trial, 3, seed);
    }
    cluster_close(&cluster);
  }
}

// Some of a cluster's ranks, in any order; the others take no part.
static void test_members(void **state) {
  (void)state;
  struct rs_random random = {7};
  struct cluster cluster;
  open_or_fail(&cluster, &plain, 7, 2);
  for (size_t a = 0; a < rs_algorithm_count; a++)
    for (size_t count = 1; count <= 7; count++) {
      uint32_t members[7] = {0, 1, 2, 3, 4, 5, 6};
      for (size_t i = 6; i > 0; i--) {
        size_t other = rs_random_below(&random, i + 1);
        uint32_t member = members[i];
        members[i] = members[other];
        members[other] = member;
      }
      struct trial trial = trial_draw(rs_algorithms[a], count, 2, a, &random);
      trial.count = rs_random_below(&random, 3000);
      trial.members = members;
      trial.member_count = count;
      run_or_fail(&cluster, &trial, 1, count);
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
      if (cluster_run(&cluster, &trial, 1, at, NULL, &error) != RS_ERROR_MISMATCH || !strstr(error.text, "element"))
        fail_msg("%s/%s, message %" PRIu64 ": %s", rs_collective_names[rs_algorithms[a]->collective],
                 rs_algorithms[a]->name, at, error.status < 0 ? error.text : "passes");
      cluster_close(&cluster);
    }
}

static void test_failure_is_told(void **state) {
  (void)state;
  for (size_t a = 0; a < rs_algorithm_count; a++)
    for (uint64_t at = 1; at <= 5; at++) {
      struct rs_loop_options options = {.seed = 1, .segment = 8192, .fail_at = at};
      struct cluster cluster;
      open_or_fail(&cluster, &options, 3, 1);
      struct trial trial = {.algorithm = rs_algorithms[a], .count = 4096, .chunk_bytes = 512, .lanes = 1};
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
      cmocka_unit_test(test_shapes),          cmocka_unit_test(test_large),
      cmocka_unit_test(test_types),           cmocka_unit_test(test_reordering),
      cmocka_unit_test(test_members),         cmocka_unit_test(test_corruption_is_seen),
      cmocka_unit_test(test_failure_is_told), cmocka_unit_test(test_timeout_names_the_debt),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
