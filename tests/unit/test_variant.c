// rs_variant: everything that an algorithm looks at is varied, all of it in range, each variant once and named.
#include "ringside/collective.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define RANKS_MAX 4096
#define GROUPINGS 6

static const struct rs_algorithm plain = {.name = "plain", .collective = RS_ALLREDUCE};
static const struct rs_algorithm rooted = {.name = "rooted", .collective = RS_REDUCE};
static const struct rs_algorithm grouped = {.name = "grouped", .collective = RS_ALLREDUCE, .grouped = true};
static const struct rs_algorithm both = {.name = "both", .collective = RS_BROADCAST, .grouped = true};
static const struct rs_algorithm paired = {.name = "paired", .collective = RS_STREAM};

static struct rs_schedule_params variant(const struct rs_algorithm *algorithm, uint32_t n, uint32_t index,
                                         uint32_t *array, char *description) {
  memset(array, 0xa5, RANKS_MAX * sizeof *array);
  const struct rs_schedule_params params = rs_variant(algorithm, n, index, array, description);
  assert_int_equal(params.collective, algorithm->collective);
  assert_int_equal(params.rank_count, n);
  assert_true(params.root < n);
  assert_true(!params.groups || params.groups == array);
  assert_true(!params.partners || params.partners == array);
  assert_true(memchr(description, '\0', RS_VARIANT_BYTES) != NULL);
  return params;
}

static void test_counts(void **state) {
  (void)state;
  for (uint32_t n = 1; n <= 65; n++) {
    assert_int_equal(rs_variant_count(&plain, n), 1);
    assert_int_equal(rs_variant_count(&rooted, n), n);
    assert_int_equal(rs_variant_count(&grouped, n), GROUPINGS);
    assert_int_equal(rs_variant_count(&both, n), GROUPINGS * n);
    assert_int_equal(rs_variant_count(&paired, n), n == 1 ? 1 : rs_tournament_rounds(n));
  }
}

static void test_plain(void **state) {
  (void)state;
  uint32_t array[RANKS_MAX];
  char description[RS_VARIANT_BYTES];
  const struct rs_schedule_params params = variant(&plain, 7, 0, array, description);
  assert_int_equal(params.root, 0);
  assert_null(params.groups);
  assert_null(params.partners);
  assert_string_equal(description, "");
}

static void test_roots(void **state) {
  (void)state;
  uint32_t array[RANKS_MAX];
  char description[RS_VARIANT_BYTES], expected[RS_VARIANT_BYTES];
  for (uint32_t root = 0; root < 13; root++) {
    const struct rs_schedule_params params = variant(&rooted, 13, root, array, description);
    snprintf(expected, sizeof expected, " root %u", root);
    assert_int_equal(params.root, root);
    assert_null(params.groups);
    assert_string_equal(description, expected);
  }
}

static void test_pairs(void **state) {
  (void)state;
  uint32_t array[RANKS_MAX];
  char description[RS_VARIANT_BYTES], expected[RS_VARIANT_BYTES];
  for (uint32_t n = 1; n <= 65; n++) {
    for (uint32_t index = 0; index < rs_variant_count(&paired, n); index++) {
      const struct rs_schedule_params params = variant(&paired, n, index, array, description);
      snprintf(expected, sizeof expected, " round %u", index);
      assert_string_equal(description, expected);
      assert_ptr_equal(params.partners, array);
      assert_null(params.groups);
      for (uint32_t rank = 0; rank < n; rank++) {
        assert_int_equal(array[rank], rs_tournament_partner(n, index, rank));
      }
    }
  }
}

// The groups of eight ranks, a letter for each number.
static void test_groupings(void **state) {
  (void)state;
  static const struct {
    const char *description, *letters;
  } rows[GROUPINGS] = {
      {" groups all in one", "aaaaaaaa"}, {" groups of 1", "abcdefgh"},  {" groups of 2", "aabbccdd"},
      {" groups of 4", "aaaabbbb"},       {" groups dealt", "abcabcab"}, {" groups growing", "abbcccdd"},
  };
  uint32_t array[RANKS_MAX];
  char description[RS_VARIANT_BYTES];
  for (uint32_t index = 0; index < GROUPINGS; index++) {
    const struct rs_schedule_params params = variant(&grouped, 8, index, array, description);
    assert_string_equal(description, rows[index].description);
    assert_ptr_equal(params.groups, array);
    for (uint32_t a = 0; a < 8; a++) {
      for (uint32_t b = 0; b < 8; b++) {
        assert_int_equal(array[a] == array[b], rows[index].letters[a] == rows[index].letters[b]);
      }
    }
  }
  variant(&grouped, 8, GROUPINGS - 1, array, description);
  assert_true(array[0] > array[1] + 1 && array[1] > array[3] + 1); // numbers fall and leave gaps
}

// Every root with every grouping, each under a name of its own.
static void test_roots_with_groups(void **state) {
  (void)state;
  static char descriptions[GROUPINGS * 9][RS_VARIANT_BYTES];
  static uint32_t array[GROUPINGS * 9][RANKS_MAX];
  const uint32_t count = rs_variant_count(&both, 9);
  for (uint32_t i = 0; i < count; i++) {
    const struct rs_schedule_params params = variant(&both, 9, i, array[i], descriptions[i]);
    assert_ptr_equal(params.groups, array[i]);
    for (uint32_t j = 0; j < i; j++) {
      assert_string_not_equal(descriptions[i], descriptions[j]);
    }
    char root[RS_VARIANT_BYTES];
    snprintf(root, sizeof root, " root %u groups ", params.root);
    assert_memory_equal(descriptions[i], root, strlen(root));
  }
  assert_string_equal(descriptions[9 * 2 + 4], " root 4 groups of 2");
}

// The last entry is set, and the longest name fits.
static void test_large(void **state) {
  (void)state;
  uint32_t array[RANKS_MAX];
  char description[RS_VARIANT_BYTES];
  for (uint32_t index = 0; index < GROUPINGS; index++) {
    variant(&both, RANKS_MAX, RANKS_MAX * index + RANKS_MAX - 1, array, description);
    assert_true(array[RANKS_MAX - 1] != UINT32_C(0xa5a5a5a5));
    if (index == 0) {
      assert_string_equal(description, " root 4095 groups all in one");
    }
  }
}

// rs_variant varies pairs alone: no algorithm may ask for more at once.
static void test_table(void **state) {
  (void)state;
  for (size_t i = 0; i < rs_algorithm_count; i++) {
    const struct rs_collective_traits *traits = &rs_collective_traits[rs_algorithms[i]->collective];
    assert_false(traits->paired && (traits->rooted || rs_algorithms[i]->grouped));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts),    cmocka_unit_test(test_plain),
                                     cmocka_unit_test(test_roots),     cmocka_unit_test(test_pairs),
                                     cmocka_unit_test(test_groupings), cmocka_unit_test(test_roots_with_groups),
                                     cmocka_unit_test(test_large),     cmocka_unit_test(test_table)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
