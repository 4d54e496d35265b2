// Verifiable input of collectives that move data: any 64 neighbouring elements tell whose they are and where they
// stood.
#include "support/pattern_ranks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEED 20261126
#define KEY_BYTES 8
// Of two windows of 64, each may meet the end of one pass; so some 22 neighbours have no end in either.
#define RUN_BYTES (22 - KEY_BYTES)

// The first `count` elements of a rank's data.
static unsigned char *read_data(enum rs_datatype datatype, size_t rank, size_t n, uint64_t count) {
  struct rs_shape shape = pattern_shape(RS_SENDRECV, datatype, rank, n, count);
  struct rs_pattern *pattern = pattern_open(RS_SENDRECV, datatype, RS_SUM, rank, n);
  unsigned char *data = malloc(count * rs_datatype_bytes(datatype));
  assert_non_null(data);
  rs_pattern_fill(pattern, &shape, data);
  rs_pattern_close(pattern);
  return data;
}

static int compare_runs(const void *a, const void *b) {
  return memcmp(*(unsigned char *const *)a, *(unsigned char *const *)b, RUN_BYTES);
}

// What is free of the key, in a run of 22 elements under one key, occurs once in the table.
static void a_run_tells_its_place_in_the_table(void **state) {
  (void)state;
  const enum rs_datatype datatypes[] = {RS_UINT8, RS_FLOAT16, RS_INT32, RS_FLOAT64};
  for (size_t d = 0; d < RS_ARRAY_LENGTH(datatypes); d++) {
    size_t bytes = PATTERN_PERIOD * rs_datatype_bytes(datatypes[d]), runs = bytes - KEY_BYTES - RUN_BYTES + 1;
    unsigned char *data = read_data(datatypes[d], 0, 1, PATTERN_PERIOD), **sorted = malloc(runs * sizeof(*sorted));
    assert_non_null(sorted);
    for (size_t i = 0; i + KEY_BYTES < bytes; i++)
      data[i] ^= data[i + KEY_BYTES];
    for (size_t i = 0; i < runs; i++)
      sorted[i] = data + i;
    qsort(sorted, runs, sizeof(*sorted), compare_runs);
    for (size_t i = 1; i < runs; i++)
      if (compare_runs(&sorted[i - 1], &sorted[i]) == 0)
        fail_msg("bytes %td and %td begin the same run", sorted[i - 1] - data, sorted[i] - data);
    free(sorted);
    free(data);
  }
}

static int compare_words(const void *a, const void *b) {
  return memcmp(a, b, KEY_BYTES);
}

// At one place of the table, no two ranks and passes have the same data.
static void keys_tell_rank_and_pass(void **state) {
  (void)state;
  enum { PASSES = 3 };
  size_t n = RS_PATTERN_RANKS_MAX, words = 0;
  unsigned char(*keys)[KEY_BYTES] = malloc(n * PASSES * KEY_BYTES);
  assert_non_null(keys);
  for (size_t rank = 0; rank < n; rank++) {
    unsigned char *data = read_data(RS_UINT8, rank, n, PASSES * PATTERN_PERIOD);
    for (size_t pass = 0; pass < PASSES; pass++)
      memcpy(keys[words++], data + pass * PATTERN_PERIOD, KEY_BYTES);
    free(data);
  }
  qsort(keys, words, KEY_BYTES, compare_words);
  for (size_t i = 1; i < words; i++)
    assert_memory_not_equal(keys[i - 1], keys[i], KEY_BYTES);
  free(keys);
}

static void no_byte_is_poison(void **state) {
  (void)state;
  for (enum rs_datatype datatype = 0; datatype < RS_DATATYPE_COUNT; datatype++) {
    uint64_t count = 3 * PATTERN_PERIOD + 1;
    unsigned char *data = read_data(datatype, 6, 7, count), first;
    for (size_t i = 0; i < count * rs_datatype_bytes(datatype); i++)
      assert_true(data[i] % 2 == 0);
    struct rs_shape shape = pattern_shape(RS_SENDRECV, datatype, 6, 7, count);
    struct rs_pattern *pattern = pattern_open(RS_SENDRECV, datatype, RS_SUM, 6, 7);
    rs_pattern_poison(pattern, &shape, data);
    memcpy(&first, data, 1);
    for (size_t i = 0; i < count * rs_datatype_bytes(datatype); i++)
      assert_true(data[i] == first && first % 2 == 1);
    rs_pattern_close(pattern);
    free(data);
  }
}

// Windows that algorithms might confuse: the same place of another rank, blocks of equal length, powers of two.
static void windows_of_different_ranks_and_places_differ(void **state) {
  (void)state;
  enum { RANKS = 16 };
  struct rs_random random = {SEED};
  print_message("seed %d\n", SEED);
  size_t count = 4 * PATTERN_PERIOD;
  unsigned char *data[RANKS];
  for (size_t r = 0; r < RANKS; r++)
    data[r] = read_data(RS_UINT8, r, RANKS, count);
  for (size_t i = 0; i < 2000000; i++) {
    size_t a = rs_random_below(&random, RANKS), b = rs_random_below(&random, RANKS),
           at = rs_random_below(&random, count - 64), by = (size_t)1 << rs_random_below(&random, 18),
           other = (at + rs_random_below(&random, 9) * by) % (count - 64);
    if ((a != b || at != other) && memcmp(data[a] + at, data[b] + other, 64) == 0)
      fail_msg("element %zu of rank %zu looks like element %zu of rank %zu", at, a, other, b);
  }
  for (size_t r = 0; r < RANKS; r++)
    free(data[r]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_run_tells_its_place_in_the_table),
      cmocka_unit_test(keys_tell_rank_and_pass),
      cmocka_unit_test(no_byte_is_poison),
      cmocka_unit_test(windows_of_different_ranks_and_places_differ),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
