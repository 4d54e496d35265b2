// rs_groups_seen against a plain count, for random groupings of few and of very many ranks.
#include "collective/groups.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define RANKS_MAX 5000 // several passes over the table

static uint32_t leader_of(const uint32_t *groups, uint32_t rank) {
  uint32_t leader = 0;
  while (groups[leader] != groups[rank]) {
    leader++;
  }
  return leader;
}

// What rs_groups_seen should say, the long way: sizes by leader, 0 for a rank that leads nobody.
static struct rs_groups expected_view(const uint32_t *groups, uint32_t n, const uint32_t *sizes, uint32_t rank) {
  struct rs_groups view = {.smallest = n, .leader = leader_of(groups, rank)};
  uint32_t leaders[RANKS_MAX];
  for (uint32_t leader = 0; leader < n; leader++) {
    if (sizes[leader] > 0) {
      view.index = leader == view.leader ? view.count : view.index;
      view.smallest = sizes[leader] < view.smallest ? sizes[leader] : view.smallest;
      view.largest = sizes[leader] > view.largest ? sizes[leader] : view.largest;
      leaders[view.count++] = leader;
    }
  }
  for (uint32_t other = 0; other < rank; other++) {
    view.local += groups[other] == groups[rank];
  }
  view.size = sizes[view.leader];
  view.before = leaders[(view.index + view.count - 1) % view.count];
  view.after = leaders[(view.index + 1) % view.count];
  return view;
}

static void check(const uint32_t *groups, uint32_t n, uint32_t step, uint64_t seed) {
  const struct rs_schedule_params params = {.collective = RS_ALLREDUCE, .rank_count = n, .groups = groups};
  uint32_t sizes[RANKS_MAX] = {0};
  for (uint32_t rank = 0; rank < n; rank++) {
    sizes[leader_of(groups, rank)]++;
  }
  for (uint32_t rank = 0; rank < n; rank += step) {
    const struct rs_groups seen = rs_groups_seen(&params, rank), view = expected_view(groups, n, sizes, rank);
    const bool same = seen.count == view.count && seen.smallest == view.smallest && seen.largest == view.largest &&
                      seen.index == view.index && seen.leader == view.leader && seen.size == view.size &&
                      seen.local == view.local && seen.before == view.before && seen.after == view.after;
    if (!same || rs_groups_member(&params, seen.leader, seen.local) != rank) {
      fail_msg("seed %" PRIu64 ", rank %u of %u: group %u of %u led by %u between %u and %u, rank %u of %u in it; "
               "sizes %u to %u",
               seed, rank, n, seen.index, seen.count, seen.leader, seen.before, seen.after, seen.local, seen.size,
               seen.smallest, seen.largest);
    }
  }
}

// Groups of any number and in any order, with numbers from all over the type.
static void fill(uint32_t *groups, uint32_t n, struct rs_random *random) {
  const uint64_t count = 1 + rs_random_below(random, n), salt = rs_random_next(random);
  const bool runs = rs_random_below(random, 2) == 0;
  for (uint32_t rank = 0; rank < n; rank++) {
    const uint64_t group = runs ? rank * count / n : rs_random_below(random, count);
    groups[rank] = (uint32_t)rs_hash64(salt + group);
  }
}

static void test_random(void **state) {
  (void)state;
  uint32_t groups[RANKS_MAX];
  for (uint64_t seed = 1; seed <= 300; seed++) {
    struct rs_random random = {seed};
    const uint32_t n = 1 + (uint32_t)rs_random_below(&random, 40);
    fill(groups, n, &random);
    check(groups, n, 1, seed);
  }
}

static void test_large(void **state) {
  (void)state;
  static const uint32_t sizes[] = {1023, 1024, 1025, 2048, 4096, RANKS_MAX};
  uint32_t groups[RANKS_MAX];
  for (uint64_t seed = 0; seed < RS_ARRAY_LENGTH(sizes); seed++) {
    struct rs_random random = {seed};
    fill(groups, sizes[seed], &random);
    check(groups, sizes[seed], 499, seed);
  }
  for (uint32_t rank = 0; rank < RANKS_MAX; rank++) {
    groups[rank] = UINT32_MAX - rank; // as many groups as ranks
  }
  check(groups, RANKS_MAX, 499, 0);
}

static void test_no_groups(void **state) {
  (void)state;
  const struct rs_schedule_params params = {.collective = RS_ALLREDUCE, .rank_count = 9};
  const struct rs_groups seen = rs_groups_seen(&params, 7);
  assert_int_equal(seen.count, 1);
  assert_int_equal(seen.smallest, 9);
  assert_int_equal(seen.largest, 9);
  assert_int_equal(seen.size, 9);
  assert_int_equal(seen.leader, 0);
  assert_int_equal(seen.local, 7);
  assert_int_equal(seen.before, 0);
  assert_int_equal(seen.after, 0);
  assert_int_equal(rs_groups_member(&params, 0, 8), 8);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random), cmocka_unit_test(test_large),
                                     cmocka_unit_test(test_no_groups)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
