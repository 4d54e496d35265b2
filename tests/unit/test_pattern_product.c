// Verifiable input of products: exact in every datatype and order, and blind to no fault that it promises to show.
#include "support/pattern_ranks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEED 20261124

static struct pattern_ranks all_ranks[PATTERN_RANK_COUNTS]; // made once, read by the tests

static int read_all_ranks(void **state) {
  (void)state;
  print_message("seed %d\n", SEED);
  for (size_t c = 0; c < PATTERN_RANK_COUNTS; c++)
    pattern_ranks_read(&all_ranks[c], RS_PROD, pattern_rank_counts[c]);
  return 0;
}

static int free_all_ranks(void **state) {
  (void)state;
  for (size_t c = 0; c < PATTERN_RANK_COUNTS; c++)
    pattern_ranks_free(&all_ranks[c]);
  return 0;
}

static void every_order_gives_the_exact_result_in_every_datatype(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  for (size_t c = 0; c < PATTERN_RANK_COUNTS; c++)
    for (enum rs_datatype datatype = 0; datatype < RS_DATATYPE_COUNT; datatype++)
      pattern_try_exactness(&all_ranks[c], datatype, RS_PROD, &random);
}

// Leaving out and doubling both multiply by what the rank gave, so they go unseen where that is 1. What two ranks give
// differs in at most six of 63 places, as the next test shows; so if one gives -1 to seven of any 63 neighbours, in the
// whole period, none gives 1 to all of them.
static void no_rank_gives_one_to_63_neighbours(void **state) {
  (void)state;
  int32_t *input = malloc(PATTERN_PERIOD * sizeof(*input));
  assert_non_null(input);
  pattern_read(RS_INT32, RS_PROD, 1, RS_PATTERN_RANKS_MAX, input, PATTERN_PERIOD);
  size_t negative = 0;
  for (size_t i = 0; i < PATTERN_PERIOD + 63; i++) {
    negative += input[i % PATTERN_PERIOD] < 0;
    negative -= i >= 63 && input[(i - 63) % PATTERN_PERIOD] < 0;
    if (i >= 62 && negative < 7)
      fail_msg("rank 1 gives -1 to only %zu of the 63 elements up to %zu", negative, i);
  }
  free(input);
  const struct pattern_ranks *all = &all_ranks[PATTERN_RANK_COUNTS - 1]; // what a rank gives does not depend on n
  for (size_t c = 0; c < PATTERN_RANK_COUNTS; c++)
    assert_memory_equal(all_ranks[c].values, all->values, pattern_rank_counts[c] * PATTERN_KEPT * sizeof(*all->values));
}

// The ratio of two ranks' signs repeats every 63 elements; it is -1 in at least one and at most six of them.
static void no_two_ranks_have_the_same_signs(void **state) {
  (void)state;
  const struct pattern_ranks *ranks = &all_ranks[PATTERN_RANK_COUNTS - 1];
  uint64_t *signs = calloc(ranks->count, sizeof(*signs));
  assert_non_null(signs);
  for (size_t r = 0; r < ranks->count; r++)
    for (size_t i = 0; i < 63; i++) {
      signs[r] |= (uint64_t)(pattern_values(ranks, r)[i] < 0) << i;
      assert_true(r == 0 || abs(pattern_values(ranks, r)[i]) == 1);
    }
  for (size_t a = 0; a < ranks->count; a++)
    for (size_t b = a + 1; b < ranks->count; b++)
      assert_true(signs[a] != signs[b]);
  for (size_t r = 0; r < ranks->count; r++)
    assert_true(__builtin_popcountll(signs[r] ^ signs[1]) <= 6);
  for (size_t r = 0; r < ranks->count; r += 41)
    for (size_t i = 63; i < PATTERN_HEAD; i++) {
      const int32_t *one = pattern_values(ranks, 1), *other = pattern_values(ranks, r);
      assert_int_equal((one[i] < 0) ^ (other[i] < 0), (one[i % 63] < 0) ^ (other[i % 63] < 0));
    }
  free(signs);
}

static void try_fault(const struct pattern_ranks *ranks, const struct pattern_fault *fault, struct rs_random *random) {
  for (enum rs_datatype datatype = 0; datatype < RS_DATATYPE_COUNT; datatype++) {
    size_t window = rs_random_below(random, PATTERN_WINDOWS);
    pattern_try_fault(ranks, datatype, RS_PROD, fault, PATTERN_HEAD + window * PATTERN_WINDOW, PATTERN_WINDOW, random);
  }
}

static void leaving_out_doubling_and_replacing_show(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  for (size_t c = 0; c < PATTERN_RANK_COUNTS; c++) {
    size_t n = pattern_rank_counts[c], step = n <= 128 ? 1 : n / 24;
    for (size_t victim = 0; victim < n; victim += step) {
      try_fault(&all_ranks[c], &(struct pattern_fault){victim, 0, SIZE_MAX}, &random);
      try_fault(&all_ranks[c], &(struct pattern_fault){victim, 2, SIZE_MAX}, &random);
      // Ranks near by, rank 0 with its factor, and those that share two of three marks.
      const size_t others[] = {victim + 1, 0, victim + 21, victim + 441, victim + 420, rs_random_below(&random, n)};
      for (size_t o = 0; o < RS_ARRAY_LENGTH(others); o++)
        if (others[o] < n && others[o] != victim)
          try_fault(&all_ranks[c], &(struct pattern_fault){victim, 0, others[o]}, &random);
    }
  }
}

// What any rank gives, and the product of any number of them.
static void displaced_slices_show(void **state) {
  (void)state;
  int64_t *input = malloc(PATTERN_PERIOD * sizeof(*input));
  assert_non_null(input);
  for (size_t c = 0; c < PATTERN_RANK_COUNTS; c++)
    for (size_t unit = 1; unit <= 63; unit += 62) { // back to the same place of the cycle, too
      pattern_read(RS_INT64, RS_PROD, pattern_rank_counts[c] - 1, pattern_rank_counts[c], input, PATTERN_PERIOD);
      assert_false(pattern_looks_displaced(input, unit));
      assert_false(pattern_looks_displaced(all_ranks[c].period, unit));
    }
  free(input);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_order_gives_the_exact_result_in_every_datatype),
      cmocka_unit_test(no_rank_gives_one_to_63_neighbours),
      cmocka_unit_test(no_two_ranks_have_the_same_signs),
      cmocka_unit_test(leaving_out_doubling_and_replacing_show),
      cmocka_unit_test(displaced_slices_show),
  };
  return cmocka_run_group_tests(tests, read_all_ranks, free_all_ranks);
}
