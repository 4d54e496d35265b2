// Verifiable input of minima and maxima: the same bits in every order, and a rank that is missing shows.
#include "support/pattern_ranks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEED 20261125

static const enum rs_operation operations[] = {RS_MIN, RS_MAX};

// The largest numbers of ranks take long: 4095 go by the minimum, 4096 by the maximum.
static bool is_tried(enum rs_operation operation, size_t n) {
  return n <= 1000 || n % 2 == (operation == RS_MIN);
}

static void every_order_gives_the_exact_result_in_every_datatype(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  print_message("seed %d\n", SEED);
  for (size_t o = 0; o < RS_ARRAY_LENGTH(operations); o++)
    for (size_t c = 0; c < PATTERN_RANK_COUNTS; c++) {
      if (!is_tried(operations[o], pattern_rank_counts[c]))
        continue;
      struct pattern_ranks ranks;
      pattern_ranks_read(&ranks, operations[o], pattern_rank_counts[c]);
      for (enum rs_datatype datatype = 0; datatype < RS_DATATYPE_COUNT; datatype++)
        pattern_try_exactness(&ranks, datatype, operations[o], &random);
      pattern_ranks_free(&ranks);
    }
}

// Who holds the extreme of each element, and the extreme of all others.
struct holders {
  uint32_t *rank;
  int32_t *best, *second;
};

// `bytes`: as uint8 sees it, where a number stands mod 256.
static void find_holders(enum rs_operation operation, size_t n, bool bytes, struct holders *holders) {
  int32_t *input = malloc(PATTERN_PERIOD * sizeof(*input)), sign = operation == RS_MAX ? 1 : -1;
  uint8_t *narrow = malloc(PATTERN_PERIOD);
  assert_true(input && narrow);
  for (size_t i = 0; i < PATTERN_PERIOD; i++)
    holders->best[i] = holders->second[i] = INT32_MIN;
  for (size_t rank = 0; rank < n; rank++) {
    pattern_read(bytes ? RS_UINT8 : RS_INT32, operation, rank, n, bytes ? (void *)narrow : input, PATTERN_PERIOD);
    for (size_t i = 0; i < PATTERN_PERIOD; i++) {
      int32_t value = sign * (bytes ? narrow[i] : input[i]);
      if (value > holders->best[i]) {
        holders->second[i] = holders->best[i];
        holders->best[i] = value;
        holders->rank[i] = (uint32_t)rank;
      } else if (value > holders->second[i]) {
        holders->second[i] = value;
      }
    }
  }
  free(narrow);
  free(input);
}

// In the whole period, every 2n - 1 neighbours hold for each rank an element whose result it alone makes.
static void every_rank_is_missed_by_2n_neighbours(void **state) {
  (void)state;
  size_t *last = malloc(RS_PATTERN_RANKS_MAX * sizeof(*last));
  struct holders holders = {malloc(PATTERN_PERIOD * sizeof(uint32_t)), malloc(PATTERN_PERIOD * sizeof(int32_t)),
                            malloc(PATTERN_PERIOD * sizeof(int32_t))};
  assert_true(last && holders.rank && holders.best && holders.second);
  for (size_t c = 0; c < PATTERN_RANK_COUNTS; c++)
    for (size_t o = 0; o < RS_ARRAY_LENGTH(operations); o++) {
      size_t n = pattern_rank_counts[c];
      if (n > 1000 && (n != RS_PATTERN_RANKS_MAX || operations[o] == RS_MIN))
        continue;
      find_holders(operations[o], n, (c + o) % 2 == 0, &holders);
      for (size_t r = 0; r < n; r++)
        last[r] = 0;
      for (size_t i = 0; i < 2 * PATTERN_PERIOD; i++) {
        size_t at = i % PATTERN_PERIOD, holder = holders.rank[at];
        assert_true(holders.second[at] < holders.best[at]);
        if (i - last[holder] > 2 * n - 1)
          fail_msg("%zu ranks: none of elements %zu..%zu shows that rank %zu is missing", n, last[holder] + 1, i - 1,
                   holder);
        last[holder] = i;
      }
      for (size_t r = 0; r < n; r++)
        assert_true(last[r] + 2 * n > 2 * PATTERN_PERIOD);
    }
  free(holders.second);
  free(holders.best);
  free(holders.rank);
  free(last);
}

// Through the kernels: each rank left out, and replaced by each other one.
static void leaving_out_and_replacing_show(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  for (size_t o = 0; o < RS_ARRAY_LENGTH(operations); o++)
    for (size_t n = 1; n <= 17; n++) {
      struct pattern_ranks ranks;
      pattern_ranks_read(&ranks, operations[o], n);
      for (enum rs_datatype datatype = 0; datatype < RS_DATATYPE_COUNT; datatype++)
        for (size_t victim = 0; victim < n; victim++)
          for (size_t other = 0; other < n; other++) {
            struct pattern_fault fault = {victim, 0, other == victim ? SIZE_MAX : other};
            size_t window = PATTERN_HEAD + rs_random_below(&random, PATTERN_WINDOWS) * PATTERN_WINDOW;
            pattern_try_fault(&ranks, datatype, operations[o], &fault, window, 2 * n, &random);
          }
      pattern_ranks_free(&ranks);
    }
}

static void displaced_slices_show(void **state) {
  (void)state;
  int64_t *input = malloc(PATTERN_PERIOD * sizeof(*input));
  assert_non_null(input);
  for (size_t o = 0; o < RS_ARRAY_LENGTH(operations); o++)
    for (size_t c = 0; c < PATTERN_RANK_COUNTS; c++) {
      pattern_read(RS_INT64, operations[o], pattern_rank_counts[c] - 1, pattern_rank_counts[c], input, PATTERN_PERIOD);
      assert_false(pattern_looks_displaced(input, 1));
      pattern_read(RS_INT64, operations[o], 0, 1, input, PATTERN_PERIOD); // alone: the result of any number of ranks
      assert_false(pattern_looks_displaced(input, 1));
    }
  free(input);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_order_gives_the_exact_result_in_every_datatype),
      cmocka_unit_test(every_rank_is_missed_by_2n_neighbours),
      cmocka_unit_test(leaving_out_and_replacing_show),
      cmocka_unit_test(displaced_slices_show),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
