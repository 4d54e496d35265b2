// Binomial trees over positions, counted out by following parents; and the arithmetic that builders share.
#include "collective/binomial.h"
#include "collective/step.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_log2_up(void **state) {
  (void)state;
  for (uint32_t n = 1, rounds = 0; n <= 5000; n++) {
    rounds += n > UINT32_C(1) << rounds;
    assert_int_equal(rs_log2_up(n), rounds);
  }
  assert_int_equal(rs_log2_up(UINT32_MAX), 32);
}

static void test_positions(void **state) {
  (void)state;
  for (uint32_t n = 1; n <= 20; n++) {
    for (uint32_t root = 0; root < n; root++) {
      const struct rs_schedule_params params = {.rank_count = n, .root = root};
      for (uint32_t rank = 0; rank < n; rank++) {
        assert_int_equal(rs_position_of(&params, rank), (rank + n - root) % n);
        assert_int_equal(rs_rank_at(&params, rs_position_of(&params, rank)), rank);
      }
    }
  }
  const struct rs_schedule_params most = {.rank_count = UINT32_MAX, .root = UINT32_MAX - 1};
  assert_int_equal(rs_position_of(&most, UINT32_MAX - 2), UINT32_MAX - 1);
  assert_int_equal(rs_rank_at(&most, UINT32_MAX - 1), UINT32_MAX - 2);
}

static uint32_t parent_of(uint32_t position) {
  return position & (position - 1);
}

static void test_subtrees(void **state) {
  (void)state;
  for (uint32_t n = 1; n <= 70; n++) {
    uint32_t sizes[70] = {0};
    for (uint32_t position = 0; position < n; position++) {
      uint32_t above = position;
      sizes[above]++;
      while (above != 0) {
        above = parent_of(above);
        sizes[above]++;
      }
    }
    for (uint32_t position = 0; position < n; position++) {
      assert_int_equal(rs_binomial_subtree(n, position), sizes[position]);
    }
  }
}

// Every position but the root is a child once, its parent's and nobody else's, in the round of the edge between them.
static void test_meetings(void **state) {
  (void)state;
  for (uint32_t n = 1; n <= 40; n++) {
    for (uint32_t root = 0; root < n; root++) {
      const struct rs_schedule_params params = {.rank_count = n, .root = root};
      for (uint32_t rank = 0; rank < n; rank++) {
        const uint32_t position = rs_position_of(&params, rank);
        uint32_t times_child = 0, peer, back;
        for (uint32_t bit = 1; bit < n; bit *= 2) {
          switch (rs_binomial_meet(&params, rank, bit, &peer)) {
          case RS_BINOMIAL_CHILD:
            times_child++;
            assert_int_equal(rs_position_of(&params, peer), parent_of(position));
            assert_int_equal(position - parent_of(position), bit);
            assert_int_equal(rs_binomial_meet(&params, peer, bit, &back), RS_BINOMIAL_PARENT);
            assert_int_equal(back, rank);
            break;
          case RS_BINOMIAL_PARENT:
            assert_int_equal(rs_binomial_meet(&params, peer, bit, &back), RS_BINOMIAL_CHILD);
            assert_int_equal(back, rank);
            break;
          case RS_BINOMIAL_IDLE:
            break;
          }
        }
        assert_int_equal(times_child, rank != root);
      }
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_log2_up), cmocka_unit_test(test_positions),
                                     cmocka_unit_test(test_subtrees), cmocka_unit_test(test_meetings)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
