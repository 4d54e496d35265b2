// rs_order walks every (round, chunk) pair once, by diagonal, then by round: compared with a sort.
#include "ringside/collective.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct pair {
  uint32_t round, chunk;
};

static int by_diagonal(const void *left, const void *right) {
  const struct pair *a = left, *b = right;
  const uint32_t diagonal_a = a->round + a->chunk, diagonal_b = b->round + b->chunk;
  if (diagonal_a != diagonal_b) {
    return diagonal_a < diagonal_b ? -1 : 1;
  }
  return a->round < b->round ? -1 : a->round > b->round;
}

static void check_walk(uint32_t rounds, uint32_t chunks) {
  const size_t count = (size_t)rounds * chunks;
  struct pair *expected = calloc(count + 1, sizeof *expected);
  assert_non_null(expected);
  for (uint32_t k = 0; k < rounds; k++) {
    for (uint32_t c = 0; c < chunks; c++) {
      expected[(size_t)k * chunks + c] = (struct pair){k, c};
    }
  }
  qsort(expected, count, sizeof *expected, by_diagonal);
  struct rs_order order = {0};
  uint32_t round, chunk;
  for (size_t i = 0; i < count; i++) {
    assert_true(rs_order_next(&order, rounds, chunks, &round, &chunk));
    assert_int_equal(round, expected[i].round);
    assert_int_equal(chunk, expected[i].chunk);
  }
  assert_false(rs_order_next(&order, rounds, chunks, &round, &chunk));
  assert_false(rs_order_next(&order, rounds, chunks, &round, &chunk)); // the end stays the end
  free(expected);
}

static void test_every_small_grid(void **state) {
  (void)state;
  for (uint32_t rounds = 0; rounds <= 12; rounds++) {
    for (uint32_t chunks = 0; chunks <= 12; chunks++) {
      check_walk(rounds, chunks);
    }
  }
}

static void test_long_grids(void **state) {
  (void)state;
  check_walk(126, RS_CHUNKS_MAX);
  check_walk(1, RS_CHUNKS_MAX);
  check_walk(8190, 3);
  check_walk(8190, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_small_grid), cmocka_unit_test(test_long_grids)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
