// The two-level allreduces: who talks to other groups and how much, what they become when one level is missing, and
// that group numbers mean nothing beyond who is together.
#include "ringside/collective.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define RANKS_MAX 4096

static const char *const names[] = {"hierarchical", "multirail"};

static const struct rs_algorithm *find(const char *name) {
  const struct rs_algorithm *algorithm = rs_algorithm_find(RS_ALLREDUCE, name);
  assert_non_null(algorithm);
  return algorithm;
}

static struct rs_schedule_params on(uint32_t rank_count, const uint32_t *groups) {
  return (struct rs_schedule_params){.collective = RS_ALLREDUCE, .rank_count = rank_count, .groups = groups};
}

static uint32_t ceil_log2(uint32_t n) {
  uint32_t count = 0;
  while (1u << count < n) {
    count++;
  }
  return count;
}

// ---- groupings --------------------------------------------------------------------------------------------

// A grouping that the test has made: group g has sizes[g] ranks, dealt out at random, and an arbitrary number.
struct grouping {
  uint32_t n, count, smallest, largest;
  uint32_t group[RANKS_MAX];  // 0 .. count-1, in the order of lowest ranks
  uint32_t number[RANKS_MAX]; // what the algorithm is told
};

static void finish(struct grouping *grouping, uint64_t salt) {
  uint32_t sizes[RANKS_MAX] = {0};
  for (uint32_t rank = 0; rank < grouping->n; rank++) {
    sizes[grouping->group[rank]]++;
    grouping->number[rank] = (uint32_t)rs_hash64(salt + grouping->group[rank]);
  }
  grouping->smallest = grouping->n;
  grouping->largest = 0;
  for (uint32_t g = 0; g < grouping->count; g++) {
    grouping->smallest = sizes[g] < grouping->smallest ? sizes[g] : grouping->smallest;
    grouping->largest = sizes[g] > grouping->largest ? sizes[g] : grouping->largest;
  }
}

static void fill(struct grouping *grouping, uint32_t n, uint64_t seed) {
  struct rs_random random = {seed};
  const uint32_t most = 1 + (uint32_t)rs_random_below(&random, n);
  *grouping = (struct grouping){.n = n};
  for (uint32_t rank = 0; rank < n; rank++) {
    const uint32_t drawn = (uint32_t)rs_random_below(&random, most);
    grouping->group[rank] = drawn < grouping->count ? drawn : grouping->count++;
  }
  finish(grouping, seed);
}

// The lower ranks in the group of `rank`.
static uint32_t local_of(const struct grouping *grouping, uint32_t rank) {
  uint32_t local = 0;
  for (uint32_t other = 0; other < rank; other++) {
    local += grouping->group[other] == grouping->group[rank];
  }
  return local;
}

// ---- what goes where --------------------------------------------------------------------------------------

// Every message between groups: from a rank to the one with the same place in the next group, and 2(G-1) parts from
// each rank that is a rail.
static void check_crossings(const char *name, const struct grouping *grouping, uint32_t rails, uint64_t seed) {
  const struct rs_schedule_params params = on(grouping->n, grouping->number);
  const struct rs_algorithm *algorithm = find(name);
  const uint32_t rounds = algorithm->rounds(&params);
  for (uint32_t rank = 0; rank < grouping->n; rank++) {
    uint32_t crossing = 0;
    const uint32_t group = grouping->group[rank], local = local_of(grouping, rank);
    for (uint32_t k = 0; k < rounds; k++) {
      struct rs_step steps[RS_ROUND_STEPS_MAX];
      const uint32_t count = algorithm->round(&params, rank, k, steps);
      for (uint32_t i = 0; i < count; i++) {
        if (steps[i].kind != RS_STEP_SEND || grouping->group[steps[i].peer] == group) {
          continue;
        }
        crossing += steps[i].source.count;
        if (grouping->group[steps[i].peer] != (group + 1) % grouping->count ||
            local_of(grouping, steps[i].peer) != local) {
          fail_msg("%s, seed %" PRIu64 ": rank %u sends to %u of another group", name, seed, rank, steps[i].peer);
        }
      }
    }
    if (crossing != (local < rails ? 2 * (grouping->count - 1) : 0)) {
      fail_msg("%s, seed %" PRIu64 ": rank %u sends %u parts to other groups", name, seed, rank, crossing);
    }
  }
}

static void test_random_groups(void **state) {
  (void)state;
  static struct grouping grouping;
  for (uint64_t seed = 1; seed <= 120; seed++) {
    fill(&grouping, 1 + (uint32_t)(rs_hash64(seed) % 33), seed);
    const struct rs_schedule_params params = on(grouping.n, grouping.number);
    const uint32_t ring = 2 * (grouping.count - 1), alone = grouping.n == 1;
    for (size_t i = 0; i < RS_ARRAY_LENGTH(names); i++) {
      struct rs_proof proof;
      struct rs_error error = {0};
      if (rs_verify(find(names[i]), &params, &proof, &error) != RS_OK) {
        fail_msg("seed %" PRIu64 ": %s", seed, error.text);
      }
      const uint32_t inside = i == 0 ? ceil_log2(grouping.largest) : grouping.largest - 1;
      assert_int_equal(proof.rounds, 2 * inside + ring + alone);
      check_crossings(names[i], &grouping, i == 0 ? 1 : grouping.smallest, seed);
    }
    assert_int_equal(find("hierarchical")->parts(&params), grouping.count);
    assert_int_equal(find("multirail")->parts(&params), grouping.count * grouping.smallest);
  }
}

// With equal groups no rank sends more than a ring does: 2(n-1) of n parts.
static void test_multirail_is_even(void **state) {
  (void)state;
  static struct grouping grouping;
  for (uint32_t groups = 1; groups <= 6; groups++) {
    for (uint32_t size = 1; size <= 6; size++) {
      grouping = (struct grouping){.n = groups * size, .count = groups};
      for (uint32_t rank = 0; rank < grouping.n; rank++) {
        grouping.group[rank] = rank % groups;
      }
      finish(&grouping, size);
      const struct rs_schedule_params params = on(grouping.n, grouping.number);
      assert_int_equal(find("multirail")->parts(&params), grouping.n);
      for (uint32_t rank = 0; rank < grouping.n; rank++) {
        assert_int_equal(find("multirail")->sent_parts(&params, rank), 2 * (grouping.n - 1));
      }
    }
  }
}

// ---- the same as others -----------------------------------------------------------------------------------

static void check_same(const struct rs_algorithm *a, const struct rs_schedule_params *params_a,
                       const struct rs_algorithm *b, const struct rs_schedule_params *params_b) {
  assert_int_equal(a->parts(params_a), b->parts(params_b));
  assert_int_equal(a->rounds(params_a), b->rounds(params_b));
  struct rs_text text_a = {0}, text_b = {0};
  rs_schedule_export(a, params_a, &text_a);
  rs_schedule_export(b, params_b, &text_b);
  assert_string_equal(strchr(text_a.data, ','), strchr(text_b.data, ',')); // after the name
  rs_text_fini(&text_a);
  rs_text_fini(&text_b);
}

// One group: hierarchical is the tree. Groups of one: both are the ring.
static void test_one_level(void **state) {
  (void)state;
  uint32_t apart[64];
  for (uint32_t rank = 0; rank < 64; rank++) {
    apart[rank] = 1000 - 3 * rank;
  }
  for (uint32_t n = 1; n <= 24; n++) {
    const struct rs_schedule_params together = on(n, NULL), alone = on(n, apart);
    check_same(find("hierarchical"), &together, find("tree"), &together);
    check_same(find("hierarchical"), &alone, find("ring"), &alone);
    check_same(find("multirail"), &alone, find("ring"), &alone);
  }
}

static void test_numbers_mean_nothing(void **state) {
  (void)state;
  static struct grouping grouping;
  const uint32_t one[20] = {0};
  for (uint64_t seed = 1; seed <= 20; seed++) {
    fill(&grouping, 20, seed);
    const struct rs_schedule_params told = on(20, grouping.number), plain = on(20, grouping.group);
    const struct rs_schedule_params none = on(20, NULL), all = on(20, one);
    for (size_t i = 0; i < RS_ARRAY_LENGTH(names); i++) {
      check_same(find(names[i]), &told, find(names[i]), &plain);
      check_same(find(names[i]), &none, find(names[i]), &all);
    }
  }
}

// ---- the picture in hierarchical.c ------------------------------------------------------------------------

// The messages of a round as receivers see them: "1 +> 0 [0 1]  ..."; parts in brackets.
static void tell_round(const char *name, const struct rs_schedule_params *params, uint32_t k, struct rs_text *text) {
  for (uint32_t rank = 0; rank < params->rank_count; rank++) {
    struct rs_step steps[RS_ROUND_STEPS_MAX];
    const uint32_t count = find(name)->round(params, rank, k, steps);
    for (uint32_t i = 0; i < count; i++) {
      const struct rs_slice *target = &steps[i].target;
      if (steps[i].kind != RS_STEP_SEND) {
        rs_text_append(text, "  %u %s %u [%u", steps[i].peer, steps[i].kind == RS_STEP_RECV ? "->" : "+>", rank,
                       target->place);
        rs_text_append(text, target->count == 1 ? "]" : " %u]", target->place + 1);
      }
    }
  }
  rs_text_append(text, "\n");
}

static void test_five(void **state) {
  (void)state;
  static const uint32_t groups[] = {9, 9, 9, 4, 4};
  static const char *const pictures[] = {"  1 +> 0 [0 1]  4 +> 3 [0 1]\n"
                                         "  2 +> 0 [0 1]\n"
                                         "  3 +> 0 [1]  0 +> 3 [0]\n"
                                         "  3 -> 0 [0]  0 -> 3 [1]\n"
                                         "  0 -> 2 [0 1]\n"
                                         "  0 -> 1 [0 1]  3 -> 4 [0 1]\n",
                                         "  2 +> 0 [0 1]  0 +> 1 [2 3]  4 +> 3 [0 1]  3 +> 4 [2 3]\n"
                                         "  1 +> 0 [0 1]  2 +> 1 [2 3]\n"
                                         "  3 +> 0 [1]  4 +> 1 [3]  0 +> 3 [0]  1 +> 4 [2]\n"
                                         "  3 -> 0 [0]  4 -> 1 [2]  0 -> 3 [1]  1 -> 4 [3]\n"
                                         "  1 -> 0 [2 3]  0 -> 2 [0 1]  4 -> 3 [2 3]  3 -> 4 [0 1]\n"
                                         "  0 -> 1 [0 1]  1 -> 2 [2 3]\n"};
  const struct rs_schedule_params params = on(5, groups);
  for (size_t i = 0; i < RS_ARRAY_LENGTH(names); i++) {
    struct rs_text text = {0};
    for (uint32_t k = 0; k < find(names[i])->rounds(&params); k++) {
      tell_round(names[i], &params, k, &text);
    }
    assert_string_equal(text.data, pictures[i]);
    rs_text_fini(&text);
  }
}

// ---- many ranks -------------------------------------------------------------------------------------------

// A rank of a large job finds its peers, and they find it.
static void test_rounds_of_4096_ranks(void **state) {
  (void)state;
  static struct grouping grouping;
  fill(&grouping, RANKS_MAX, 5);
  const struct rs_schedule_params params = on(RANKS_MAX, grouping.number);
  for (size_t a = 0; a < RS_ARRAY_LENGTH(names); a++) {
    const struct rs_algorithm *algorithm = find(names[a]);
    const uint32_t rounds = algorithm->rounds(&params);
    uint32_t met = 0;
    for (uint32_t rank = 0; rank < RANKS_MAX; rank += 117) {
      for (uint32_t k = 0; k < rounds; k += 1 + rounds / 40) {
        struct rs_step mine[RS_ROUND_STEPS_MAX], theirs[RS_ROUND_STEPS_MAX];
        const uint32_t count = algorithm->round(&params, rank, k, mine);
        for (uint32_t i = 0; i < count; i++) {
          bool meets = false;
          const uint32_t their_count = algorithm->round(&params, mine[i].peer, k, theirs);
          for (uint32_t j = 0; j < their_count; j++) {
            meets |= theirs[j].peer == rank && (theirs[j].kind == RS_STEP_SEND) != (mine[i].kind == RS_STEP_SEND);
          }
          assert_true(meets);
          met++;
        }
      }
    }
    assert_true(met > 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random_groups), cmocka_unit_test(test_multirail_is_even),
      cmocka_unit_test(test_one_level),     cmocka_unit_test(test_numbers_mean_nothing),
      cmocka_unit_test(test_five),          cmocka_unit_test(test_rounds_of_4096_ranks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
