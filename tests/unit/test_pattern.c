// The verifiable input: exact in every datatype and order, and blind to no fault that it promises to show.
// Ranks are read through the public functions: their int32 input is the reference for everything else.
#include "support/pattern_ranks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEED 20261123

static struct pattern_ranks all_ranks[PATTERN_RANK_COUNTS]; // made once, read by the tests
static const enum rs_operation operations[] = {RS_SUM, RS_AVG};

static int read_all_ranks(void **state) {
  (void)state;
  print_message("seed %d\n", SEED);
  for (size_t c = 0; c < PATTERN_RANK_COUNTS; c++)
    pattern_ranks_read(&all_ranks[c], RS_SUM, pattern_rank_counts[c]);
  return 0;
}

static int free_all_ranks(void **state) {
  (void)state;
  for (size_t c = 0; c < PATTERN_RANK_COUNTS; c++)
    pattern_ranks_free(&all_ranks[c]);
  return 0;
}

static size_t power_of_two_from(size_t n) {
  size_t power = 1;
  while (power < n)
    power *= 2;
  return power;
}

// ---- exactness --------------------------------------------------------------------------------------------

static void every_order_gives_the_exact_result_in_every_datatype(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  for (size_t c = 0; c < PATTERN_RANK_COUNTS; c++)
    for (enum rs_datatype datatype = 0; datatype < RS_DATATYPE_COUNT; datatype++)
      for (size_t o = 0; o < RS_ARRAY_LENGTH(operations); o++)
        if (pattern_verifiable(datatype, operations[o]))
          pattern_try_exactness(&all_ranks[c], datatype, operations[o], &random);
}

// ---- the lemmas of pattern.c's comment --------------------------------------------------------------------

static void all_ranks_share_the_sign_and_stay_within_the_bounds(void **state) {
  (void)state;
  for (size_t c = 0; c < PATTERN_RANK_COUNTS; c++) {
    const struct pattern_ranks *ranks = &all_ranks[c];
    for (size_t i = 0; i < PATTERN_KEPT; i++) {
      int64_t sum = ranks->results[i];
      for (size_t r = 0; r < ranks->count; r++) {
        int32_t value = pattern_values(ranks, r)[i];
        assert_true(value == 0 ? ranks->count > 128 : (value < 0) == (sum < 0));
      }
      assert_true((size_t)llabs(sum) <= 256);
      assert_true((size_t)llabs(sum) * power_of_two_from(ranks->count) <= 256 * ranks->count);
    }
  }
}

// Any two ranks differ somewhere in every 7 (dense) or 63 (sparse, all pairs by their first cycle) neighbours.
static void no_two_ranks_are_alike(void **state) {
  (void)state;
  for (size_t c = 0; c < PATTERN_RANK_COUNTS; c++) {
    const struct pattern_ranks *ranks = &all_ranks[c];
    size_t n = ranks->count, length = n <= 128 ? 7 : 63;
    for (size_t a = 0; a < n; a++)
      for (size_t b = a + 1; b < n; b++) {
        const int32_t *x = pattern_values(ranks, a), *y = pattern_values(ranks, b);
        if (n > 128) {
          assert_memory_not_equal(x, y, length * sizeof(*x));
          continue;
        }
        for (size_t start = 0; start + length <= PATTERN_KEPT; start++) {
          bool joined = start < PATTERN_HEAD && start + length > PATTERN_HEAD;
          bool between_windows =
              start >= PATTERN_HEAD && (start - PATTERN_HEAD) % PATTERN_WINDOW + length > PATTERN_WINDOW;
          if (!joined && !between_windows)
            assert_memory_not_equal(x + start, y + start, length * sizeof(*x));
        }
      }
  }
}

// Every n, not only those of the table: a sparse rank's marks do not depend on n, so loads grow rank by rank.
static void sparse_places_have_room_for_one_more(void **state) {
  (void)state;
  const struct pattern_ranks *ranks = &all_ranks[PATTERN_RANK_COUNTS - 1];
  assert_int_equal(ranks->count, RS_PATTERN_RANKS_MAX);
  size_t loads[63] = {0};
  for (size_t r = 0; r < ranks->count; r++) {
    size_t marks = 0, n = r + 1;
    for (size_t place = 0; place < 63; place++) {
      marks += pattern_values(ranks, r)[place] != 0;
      loads[place] += pattern_values(ranks, r)[place] != 0;
      if (n > 128 && (loads[place] + 1) * power_of_two_from(n) > 256 * n)
        fail_msg("%zu ranks: place %zu holds %zu marks", n, place, loads[place]);
    }
    assert_int_equal(marks, 3);
  }
  const struct pattern_ranks *fewer = &all_ranks[PATTERN_RANK_COUNTS - 3];
  assert_memory_equal(fewer->values, ranks->values, fewer->count * PATTERN_KEPT * sizeof(*ranks->values));
}

// Different sums have different averages, for every n and every sum within the bound.
static void averages_of_different_sums_differ(void **state) {
  (void)state;
  const enum rs_datatype datatypes[] = {RS_FLOAT16, RS_BFLOAT16};
  for (size_t d = 0; d < RS_ARRAY_LENGTH(datatypes); d++)
    for (size_t n = 1; n <= RS_PATTERN_RANKS_MAX; n++) {
      uint16_t averages[257];
      size_t largest = 256 * n / power_of_two_from(n);
      for (size_t sum = 0; sum <= largest; sum++)
        pattern_store(datatypes[d], averages, sum, (int64_t)sum);
      rs_kernel_finish(datatypes[d], RS_AVG, averages, largest + 1, n);
      for (size_t sum = 1; sum <= largest; sum++)
        if (averages[sum] <= averages[sum - 1]) // patterns of positive values are in the values' order
          fail_msg("%s: %zu/%zu and %zu/%zu round to the same", rs_datatype_names[datatypes[d]], sum - 1, n, sum, n);
    }
}

// ---- faults -----------------------------------------------------------------------------------------------

// In every window for up to 5 ranks, else in a random one.
static void try_fault(const struct pattern_ranks *ranks, const struct pattern_fault *fault, struct rs_random *random) {
  bool everywhere = ranks->count <= 5;
  for (enum rs_datatype datatype = 0; datatype < RS_DATATYPE_COUNT; datatype++)
    for (size_t o = 0; o < RS_ARRAY_LENGTH(operations); o++)
      for (size_t w = 0; w < (everywhere ? PATTERN_WINDOWS : 1) && pattern_verifiable(datatype, operations[o]); w++) {
        size_t window = everywhere ? w : rs_random_below(random, PATTERN_WINDOWS);
        pattern_try_fault(ranks, datatype, operations[o], fault, PATTERN_HEAD + window * PATTERN_WINDOW, PATTERN_WINDOW,
                          random);
      }
}

static void leaving_out_doubling_and_replacing_show(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  for (size_t c = 0; c < PATTERN_RANK_COUNTS; c++) {
    const struct pattern_ranks *ranks = &all_ranks[c];
    size_t n = ranks->count, step = n <= 128 ? 1 : n / 24;
    for (size_t victim = 0; victim < n; victim += step) {
      try_fault(ranks, &(struct pattern_fault){victim, 0, SIZE_MAX}, &random);
      try_fault(ranks, &(struct pattern_fault){victim, 2, SIZE_MAX}, &random);
      // Ranks near by, and those that share two of three sparse marks, are the likeliest to be taken for each other.
      const size_t others[] = {victim + 1, victim + 21, victim + 441, victim + 420, rs_random_below(&random, n)};
      for (size_t o = 0; o < RS_ARRAY_LENGTH(others); o++)
        if (others[o] < n && others[o] != victim)
          try_fault(ranks, &(struct pattern_fault){victim, 0, others[o]}, &random);
    }
    for (size_t victim = 0; n <= 17 && victim < n; victim++)
      for (size_t other = 0; other < n; other++)
        if (other != victim)
          try_fault(ranks, &(struct pattern_fault){victim, 0, other}, &random);
  }
}

// What the bytes cannot show is a change by 256: every weight, and so every difference of two, is less.
static void weights_are_less_than_a_byte_holds(void **state) {
  (void)state;
  for (size_t c = 0; c < PATTERN_RANK_COUNTS; c++)
    for (size_t i = 0; i < all_ranks[c].count * PATTERN_KEPT; i++)
      assert_true(abs(all_ranks[c].values[i]) < 256);
}

// Rank 0 has the plainest input: with 65 to 128 ranks, its weights are all 1.
static void displaced_slices_show(void **state) {
  (void)state;
  int64_t *input = malloc(PATTERN_PERIOD * sizeof(*input));
  assert_non_null(input);
  for (size_t c = 0; c < PATTERN_RANK_COUNTS; c++) {
    pattern_read(RS_INT64, RS_SUM, 0, pattern_rank_counts[c], input, PATTERN_PERIOD);
    assert_false(pattern_looks_displaced(input, 1));
    assert_false(pattern_looks_displaced(all_ranks[c].period, 1));
    assert_false(pattern_looks_displaced(all_ranks[c].period, 63)); // back to the same place of the cycle
  }
  free(input);
}

static void what_cannot_be_verified_is_refused(void **state) {
  (void)state;
  struct rs_pattern *pattern = NULL;
  struct rs_error error = {0};
  assert_int_equal(rs_pattern_open(RS_ALLREDUCE, RS_FLOAT32, RS_SUM, 0, RS_PATTERN_RANKS_MAX + 1, &pattern, &error),
                   RS_ERROR_USAGE);
  assert_non_null(strstr(error.text, "4097 ranks"));
  error = (struct rs_error){0};
  assert_int_equal(rs_pattern_open(RS_REDUCE, RS_UINT8, RS_AVG, 0, 4, &pattern, &error), RS_ERROR_UNSUPPORTED);
  assert_non_null(strstr(error.text, "average of uint8"));
  assert_null(pattern);
  // Moved data is not averaged.
  rs_pattern_close(pattern_open(RS_ALLGATHER, RS_UINT8, RS_AVG, 0, RS_PATTERN_RANKS_MAX + 1));
  rs_pattern_close(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_order_gives_the_exact_result_in_every_datatype),
      cmocka_unit_test(all_ranks_share_the_sign_and_stay_within_the_bounds),
      cmocka_unit_test(no_two_ranks_are_alike),
      cmocka_unit_test(sparse_places_have_room_for_one_more),
      cmocka_unit_test(averages_of_different_sums_differ),
      cmocka_unit_test(weights_are_less_than_a_byte_holds),
      cmocka_unit_test(leaving_out_doubling_and_replacing_show),
      cmocka_unit_test(displaced_slices_show),
      cmocka_unit_test(what_cannot_be_verified_is_refused),
  };
  return cmocka_run_group_tests(tests, read_all_ranks, free_all_ranks);
}
