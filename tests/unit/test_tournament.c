// The round-robin tournament: disjoint pairs in every round, and every two ranks meet exactly once.
#include "ringside/collective.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

// One round: partners name each other, nobody is idle among an even number of ranks, one is among an odd one.
static void check_round(uint32_t n, uint32_t round) {
  uint32_t idle = 0;
  for (uint32_t rank = 0; rank < n; rank++) {
    const uint32_t partner = rs_tournament_partner(n, round, rank);
    if (partner >= n || rs_tournament_partner(n, round, partner) != rank) {
      fail_msg("%u ranks, round %u: rank %u meets %u, who does not meet it", n, round, rank, partner);
    }
    idle += partner == rank;
  }
  if (idle != n % 2) {
    fail_msg("%u ranks, round %u: %u are idle", n, round, idle);
  }
}

static void check_meetings(uint32_t n) {
  const uint32_t rounds = rs_tournament_rounds(n);
  bool *met = calloc((size_t)n * n, sizeof *met);
  assert_non_null(met);
  for (uint32_t round = 0; round < rounds; round++) {
    for (uint32_t rank = 0; rank < n; rank++) {
      const uint32_t partner = rs_tournament_partner(n, round, rank);
      if (partner != rank && met[(size_t)rank * n + partner]) {
        fail_msg("%u ranks: %u and %u meet again in round %u", n, rank, partner, round);
      }
      met[(size_t)rank * n + partner] = true;
    }
  }
  for (uint32_t rank = 0; rank < n; rank++) {
    for (uint32_t other = 0; other < n; other++) {
      if (other != rank && !met[(size_t)rank * n + other]) {
        fail_msg("%u ranks: %u and %u never meet", n, rank, other);
      }
    }
  }
  free(met);
}

static void test_rounds(void **state) {
  (void)state;
  static const struct {
    uint32_t ranks, rounds;
  } rows[] = {{1, 0}, {2, 1}, {3, 3}, {4, 3}, {5, 5}, {6, 5}, {64, 63}, {65, 65}, {4096, 4095}, {4097, 4097}};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    assert_int_equal(rs_tournament_rounds(rows[i].ranks), rows[i].rounds);
  }
  assert_int_equal(rs_tournament_partner(1, 0, 0), 0);
}

static void test_small(void **state) {
  (void)state;
  for (uint32_t n = 1; n <= 65; n++) {
    for (uint32_t round = 0; round < rs_tournament_rounds(n); round++) {
      check_round(n, round);
    }
    check_meetings(n);
  }
}

static void test_large(void **state) {
  (void)state;
  check_meetings(4096);
  for (uint32_t round = 0; round < rs_tournament_rounds(4096); round += 63) {
    check_round(4096, round);
  }
  check_round(4095, 4094);
}

// Numbers near the end of the type: sums do not wrap around.
static void test_huge(void **state) {
  (void)state;
  static const uint32_t n = (UINT32_C(1) << 31) + 2;
  const uint32_t ranks[] = {0, 1, n / 2, n - 3, n - 2, n - 1}, rounds[] = {0, 1, n / 2, n - 3, n - 2};
  for (size_t r = 0; r < RS_ARRAY_LENGTH(ranks); r++) {
    for (size_t k = 0; k < RS_ARRAY_LENGTH(rounds); k++) {
      const uint32_t partner = rs_tournament_partner(n, rounds[k], ranks[r]);
      assert_true(partner < n && partner != ranks[r]);
      assert_int_equal(rs_tournament_partner(n, rounds[k], partner), ranks[r]);
    }
  }
}

// The picture in tournament.c.
static void test_six(void **state) {
  (void)state;
  static const uint32_t expected[5][6] = {
      {5, 4, 3, 2, 1, 0}, {1, 0, 4, 5, 2, 3}, {2, 5, 0, 4, 3, 1}, {3, 2, 1, 0, 5, 4}, {4, 3, 5, 1, 0, 2}};
  for (uint32_t round = 0; round < 5; round++) {
    for (uint32_t rank = 0; rank < 6; rank++) {
      assert_int_equal(rs_tournament_partner(6, round, rank), expected[round][rank]);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rounds), cmocka_unit_test(test_small),
                                     cmocka_unit_test(test_large), cmocka_unit_test(test_huge),
                                     cmocka_unit_test(test_six)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
