// Who sends how much to whom: rows add up to what every algorithm's formula says, and a ring is a ring.
#include "ringside/collective.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define RANKS_MAX 17

static void rows_add_up_to_the_formula(void **state) {
  (void)state;
  for (size_t a = 0; a < rs_algorithm_count; a++)
    for (uint32_t n = 1; n <= RANKS_MAX; n++) {
      const struct rs_algorithm *algorithm = rs_algorithms[a];
      uint64_t parts[RANKS_MAX * RANKS_MAX] = {0}, messages[RANKS_MAX * RANKS_MAX] = {0};
      uint32_t array[RANKS_MAX];
      char description[RS_VARIANT_BYTES];
      struct rs_schedule_params params =
          rs_variant(algorithm, n, rs_variant_count(algorithm, n) - 1, array, description);
      rs_schedule_traffic(algorithm, &params, parts, messages);
      rs_schedule_traffic(algorithm, &params, parts, NULL); // adds up
      for (uint32_t rank = 0; rank < n; rank++) {
        uint64_t sum = 0;
        for (uint32_t peer = 0; peer < n; peer++) {
          sum += parts[rank * n + peer];
          assert_true((messages[rank * n + peer] > 0) == (parts[rank * n + peer] > 0));
        }
        if (sum != 2 * algorithm->sent_parts(&params, rank))
          fail_msg("%s/%s, rank %u of %u%s: %llu parts", rs_collective_names[algorithm->collective], algorithm->name,
                   rank, n, description, (unsigned long long)sum / 2);
      }
    }
}

static void a_ring_talks_to_its_right(void **state) {
  (void)state;
  enum { N = 5 };
  uint64_t parts[N * N] = {0}, messages[N * N] = {0};
  struct rs_schedule_params params = {.collective = RS_ALLREDUCE, .rank_count = N};
  rs_schedule_traffic(rs_algorithm_find(RS_ALLREDUCE, "ring"), &params, parts, messages);
  for (uint32_t a = 0; a < N; a++)
    for (uint32_t b = 0; b < N; b++) {
      assert_int_equal(parts[a * N + b], b == (a + 1) % N ? 2 * (N - 1) : 0);
      assert_int_equal(messages[a * N + b], parts[a * N + b]);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_add_up_to_the_formula),
      cmocka_unit_test(a_ring_talks_to_its_right),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
