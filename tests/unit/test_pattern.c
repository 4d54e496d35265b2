// The verifiable input: exact in every datatype and order, and blind to no fault that it promises to show.
// Ranks are read through the public functions: their int32 input is the reference for everything else.
#include "ringside/measure.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PERIOD ((size_t)63 * 1021)
#define WINDOW 64
#define HEAD (3 * WINDOW) // elements 0 .. HEAD-1, and then:
#define WINDOWS RS_ARRAY_LENGTH(window_starts)
#define KEPT (HEAD + WINDOWS * WINDOW) // elements kept of each rank
#define SEED 20261123

static const size_t rank_counts[] = {1, 2, 3, 4, 5, 8, 16, 17, 64, 127, 128, 129, 1000, 4096};
// Slices somewhere, and over the end of the period.
static const size_t window_starts[] = {1000, 40001, PERIOD - 63, PERIOD - 32, PERIOD - 7, PERIOD - 1, 2 * PERIOD - 20};

// What n ranks contribute, as whole numbers.
struct ranks {
  size_t count;
  int32_t *values; // [rank][KEPT]
  int64_t *sums;   // [KEPT], then:
  int32_t *period; // the sums over one whole period
};
static struct ranks *all_ranks; // one per row of rank_counts; made once, read by the tests

static const int32_t *values_of(const struct ranks *ranks, size_t rank) {
  return ranks->values + rank * KEPT;
}

static struct rs_pattern *open_pattern(enum rs_datatype datatype, enum rs_operation operation, size_t rank, size_t n) {
  struct rs_pattern *pattern = NULL;
  struct rs_error error = {0};
  if (rs_pattern_open(datatype, operation, rank, n, &pattern, &error) != RS_OK)
    fail_msg("%s", error.text);
  return pattern;
}

static int read_ranks(struct ranks *ranks, size_t n) {
  size_t count = 2 * PERIOD + WINDOW;
  int32_t *input = malloc(count * sizeof(*input));
  *ranks = (struct ranks){.count = n,
                          .values = calloc(n * KEPT, sizeof(*ranks->values)),
                          .sums = calloc(KEPT, sizeof(*ranks->sums)),
                          .period = calloc(PERIOD, sizeof(*ranks->period))};
  if (!input || !ranks->values || !ranks->sums || !ranks->period)
    return -1;
  for (size_t r = 0; r < n; r++) {
    struct rs_pattern *pattern = open_pattern(RS_INT32, RS_SUM, r, n);
    rs_pattern_fill(pattern, input, count);
    rs_pattern_close(pattern);
    int32_t *kept = ranks->values + r * KEPT;
    memcpy(kept, input, HEAD * sizeof(*kept));
    for (size_t w = 0; w < WINDOWS; w++)
      memcpy(kept + HEAD + w * WINDOW, input + window_starts[w], WINDOW * sizeof(*kept));
    for (size_t i = 0; i < KEPT; i++)
      ranks->sums[i] += kept[i];
    for (size_t i = 0; i < PERIOD; i++)
      ranks->period[i] += input[i];
  }
  free(input);
  return 0;
}

static int read_all_ranks(void **state) {
  (void)state;
  print_message("seed %d\n", SEED);
  all_ranks = calloc(RS_ARRAY_LENGTH(rank_counts), sizeof(*all_ranks));
  if (!all_ranks)
    return -1;
  for (size_t c = 0; c < RS_ARRAY_LENGTH(rank_counts); c++)
    if (read_ranks(&all_ranks[c], rank_counts[c]) != 0)
      return -1;
  return 0;
}

static int free_all_ranks(void **state) {
  (void)state;
  for (size_t c = 0; c < RS_ARRAY_LENGTH(rank_counts); c++) {
    free(all_ranks[c].values);
    free(all_ranks[c].sums);
    free(all_ranks[c].period);
  }
  free(all_ranks);
  return 0;
}

static size_t power_of_two_from(size_t n) {
  size_t power = 1;
  while (power < n)
    power *= 2;
  return power;
}

static void store(enum rs_datatype datatype, void *data, size_t i, double value) {
  if (datatype == RS_FLOAT32)
    ((float *)data)[i] = (float)value;
  else if (datatype == RS_FLOAT64)
    ((double *)data)[i] = value;
  else if (datatype == RS_FLOAT16)
    ((uint16_t *)data)[i] = rs_float32_to_float16((float)value);
  else if (datatype == RS_BFLOAT16)
    ((uint16_t *)data)[i] = rs_float32_to_bfloat16((float)value);
  else
    ((int32_t *)data)[i] = (int32_t)value;
}

// The scale of a rank's values, see the comment of pattern.c on averages.
static int32_t scale_of(enum rs_datatype datatype, enum rs_operation operation, size_t n) {
  return datatype == RS_INT32 && operation == RS_AVG ? (int32_t)n : 1;
}

// A rank's kept elements from `start` on, in the datatype.
static void convert(const struct ranks *ranks, enum rs_datatype datatype, enum rs_operation operation, size_t rank,
                    size_t start, size_t count, void *data) {
  int32_t scale = scale_of(datatype, operation, ranks->count);
  for (size_t i = 0; i < count; i++)
    store(datatype, data, i, values_of(ranks, rank)[start + i] * scale);
}

// ---- exactness --------------------------------------------------------------------------------------------

// Adds all ranks through the kernel in a random tree: any two partial sums meet next.
static void add_in_random_order(const struct ranks *ranks, enum rs_datatype datatype, enum rs_operation operation,
                                struct rs_random *random, unsigned char *result) {
  size_t n = ranks->count, row = KEPT * rs_datatype_bytes(datatype);
  unsigned char *partial = malloc(n * row);
  assert_non_null(partial);
  for (size_t r = 0; r < n; r++)
    convert(ranks, datatype, operation, r, 0, KEPT, partial + r * row);
  for (size_t left = n; left > 1; left--) {
    size_t a = rs_random_below(random, left), b = rs_random_below(random, left - 1);
    b += b >= a;
    rs_kernel_reduce(datatype, operation, partial + a * row, partial + a * row, partial + b * row, KEPT);
    if (b != left - 1) // the last one takes the place that is free
      memcpy(partial + b * row, partial + (left - 1) * row, row);
  }
  rs_kernel_finish(datatype, operation, partial, KEPT, n);
  memcpy(result, partial, row);
  free(partial);
}

static void every_order_gives_the_exact_result(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  for (size_t c = 0; c < RS_ARRAY_LENGTH(rank_counts); c++)
    for (enum rs_datatype datatype = 0; datatype <= RS_INT32; datatype++)
      for (enum rs_operation operation = 0; operation <= RS_AVG; operation++) {
        const struct ranks *ranks = &all_ranks[c];
        size_t n = ranks->count, bytes = rs_datatype_bytes(datatype);
        double expected[KEPT], found[KEPT]; // doubles for their alignment
        for (size_t i = 0; i < KEPT; i++) {
          double sum = (double)ranks->sums[i] * scale_of(datatype, operation, n);
          store(datatype, expected, i, operation == RS_AVG ? sum / (double)n : sum);
        }
        add_in_random_order(ranks, datatype, operation, &random, (unsigned char *)found);
        if (memcmp(found, expected, KEPT * bytes) != 0)
          fail_msg("%zu ranks, %s %s: a sum is not exact", n, rs_datatype_names[datatype],
                   rs_operation_names[operation]);

        struct rs_pattern *pattern = open_pattern(datatype, operation, rs_random_below(&random, n), n);
        struct rs_error error = {0};
        if (rs_pattern_check(pattern, found, HEAD, &error) != RS_OK)
          fail_msg("%zu ranks, %s %s: %s", n, rs_datatype_names[datatype], rs_operation_names[operation], error.text);
        rs_pattern_close(pattern);
      }
}

// The reference above converts int32 values by itself; here is what a rank really fills, beyond the period too.
static void each_datatype_fills_the_same_numbers(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  size_t count = 2 * PERIOD + 5;
  double *found = malloc(count * sizeof(double)), *expected = malloc(count * sizeof(double));
  int32_t *numbers = malloc(count * sizeof(*numbers));
  assert_true(found && expected && numbers);
  for (size_t c = 0; c < RS_ARRAY_LENGTH(rank_counts); c++) {
    size_t n = rank_counts[c], rank = rs_random_below(&random, n);
    struct rs_pattern *pattern = open_pattern(RS_INT32, RS_SUM, rank, n);
    rs_pattern_fill(pattern, numbers, count);
    rs_pattern_close(pattern);
    for (size_t i = PERIOD; i < count; i++)
      assert_int_equal(numbers[i], numbers[i - PERIOD]);
    for (enum rs_datatype datatype = 0; datatype <= RS_INT32; datatype++)
      for (enum rs_operation operation = 0; operation <= RS_AVG; operation++) {
        for (size_t i = 0; i < count; i++)
          store(datatype, expected, i, numbers[i] * scale_of(datatype, operation, n));
        pattern = open_pattern(datatype, operation, rank, n);
        rs_pattern_fill(pattern, found, count);
        rs_pattern_close(pattern);
        assert_memory_equal(found, expected, count * rs_datatype_bytes(datatype));
      }
  }
  free(numbers);
  free(expected);
  free(found);
}

// ---- the lemmas of pattern.c's comment --------------------------------------------------------------------

static void all_ranks_share_the_sign_and_stay_within_the_bounds(void **state) {
  (void)state;
  for (size_t c = 0; c < RS_ARRAY_LENGTH(rank_counts); c++) {
    const struct ranks *ranks = &all_ranks[c];
    for (size_t i = 0; i < KEPT; i++) {
      int64_t sum = ranks->sums[i];
      for (size_t r = 0; r < ranks->count; r++) {
        int32_t value = values_of(ranks, r)[i];
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
  for (size_t c = 0; c < RS_ARRAY_LENGTH(rank_counts); c++) {
    const struct ranks *ranks = &all_ranks[c];
    size_t n = ranks->count, length = n <= 128 ? 7 : 63;
    for (size_t a = 0; a < n; a++)
      for (size_t b = a + 1; b < n; b++) {
        const int32_t *x = values_of(ranks, a), *y = values_of(ranks, b);
        if (n > 128) {
          assert_memory_not_equal(x, y, length * sizeof(*x));
          continue;
        }
        for (size_t start = 0; start + length <= KEPT; start++) {
          bool joined = start < HEAD && start + length > HEAD;
          bool between_windows = start >= HEAD && (start - HEAD) % WINDOW + length > WINDOW;
          if (!joined && !between_windows)
            assert_memory_not_equal(x + start, y + start, length * sizeof(*x));
        }
      }
  }
}

// Every n, not only those of the table: a sparse rank's marks do not depend on n, so loads grow rank by rank.
static void sparse_places_have_room_for_one_more(void **state) {
  (void)state;
  const struct ranks *ranks = &all_ranks[RS_ARRAY_LENGTH(rank_counts) - 1];
  assert_int_equal(ranks->count, RS_PATTERN_RANKS_MAX);
  size_t loads[63] = {0};
  for (size_t r = 0; r < ranks->count; r++) {
    size_t marks = 0, n = r + 1;
    for (size_t place = 0; place < 63; place++) {
      marks += values_of(ranks, r)[place] != 0;
      loads[place] += values_of(ranks, r)[place] != 0;
      if (n > 128 && (loads[place] + 1) * power_of_two_from(n) > 256 * n)
        fail_msg("%zu ranks: place %zu holds %zu marks", n, place, loads[place]);
    }
    assert_int_equal(marks, 3);
  }
  const struct ranks *fewer = &all_ranks[RS_ARRAY_LENGTH(rank_counts) - 2];
  assert_memory_equal(fewer->values, ranks->values, fewer->count * KEPT * sizeof(*ranks->values));
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
        store(datatypes[d], averages, sum, (double)sum);
      rs_kernel_finish(datatypes[d], RS_AVG, averages, largest + 1, n);
      for (size_t sum = 1; sum <= largest; sum++)
        if (averages[sum] <= averages[sum - 1]) // patterns of positive values are in the values' order
          fail_msg("%s: %zu/%zu and %zu/%zu round to the same", rs_datatype_names[datatypes[d]], sum - 1, n, sum, n);
    }
}

// ---- faults -----------------------------------------------------------------------------------------------

// A fault: rank `victim` comes `times` times, and `substitute` once more unless it is SIZE_MAX.
struct fault {
  size_t victim, times, substitute;
};

static void add_rank(const struct ranks *ranks, enum rs_datatype datatype, enum rs_operation operation, size_t rank,
                     size_t start, double *sum) {
  double input[WINDOW];
  convert(ranks, datatype, operation, rank, start, WINDOW, input);
  rs_kernel_reduce(datatype, operation, sum, sum, input, WINDOW);
}

// Runs one fault in one window through the kernels and fails when the result is still the right one.
static void try_fault(const struct ranks *ranks, enum rs_datatype datatype, enum rs_operation operation,
                      const struct fault *fault, size_t start, struct rs_random *random) {
  size_t n = ranks->count, first = rs_random_below(random, n);
  double expected[WINDOW], found[WINDOW] = {0};
  for (size_t k = 0; k < n; k++) {
    size_t rank = (first + k) % n;
    for (size_t time = 0; time < (rank == fault->victim ? fault->times : 1); time++)
      add_rank(ranks, datatype, operation, rank, start, found);
  }
  if (fault->substitute != SIZE_MAX)
    add_rank(ranks, datatype, operation, fault->substitute, start, found);
  rs_kernel_finish(datatype, operation, found, WINDOW, n);

  for (size_t i = 0; i < WINDOW; i++)
    store(datatype, expected, i, (double)ranks->sums[start + i] * scale_of(datatype, operation, n));
  rs_kernel_finish(datatype, operation, expected, WINDOW, n);
  if (memcmp(found, expected, WINDOW * rs_datatype_bytes(datatype)) == 0)
    fail_msg("%zu ranks, %s %s: rank %zu %zu times and rank %zd more goes unseen in window %zu", n,
             rs_datatype_names[datatype], rs_operation_names[operation], fault->victim, fault->times,
             (ssize_t)fault->substitute, start);
}

// In every window for up to 5 ranks, else in a random one.
static void try_in_windows(const struct ranks *ranks, const struct fault *fault, struct rs_random *random) {
  bool everywhere = ranks->count <= 5;
  for (enum rs_datatype datatype = 0; datatype <= RS_INT32; datatype++)
    for (enum rs_operation operation = 0; operation <= RS_AVG; operation++)
      for (size_t w = 0; w < (everywhere ? WINDOWS : 1); w++) {
        size_t window = everywhere ? w : rs_random_below(random, WINDOWS);
        try_fault(ranks, datatype, operation, fault, HEAD + window * WINDOW, random);
      }
}

static void leaving_out_doubling_and_replacing_show(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  for (size_t c = 0; c < RS_ARRAY_LENGTH(rank_counts); c++) {
    const struct ranks *ranks = &all_ranks[c];
    size_t n = ranks->count, step = n <= 128 ? 1 : n / 24;
    for (size_t victim = 0; victim < n; victim += step) {
      try_in_windows(ranks, &(struct fault){victim, 0, SIZE_MAX}, &random);
      try_in_windows(ranks, &(struct fault){victim, 2, SIZE_MAX}, &random);
      // Ranks near by, and those that share two of three sparse marks, are the likeliest to be taken for each other.
      const size_t others[] = {victim + 1, victim + 21, victim + 441, victim + 420, rs_random_below(&random, n)};
      for (size_t o = 0; o < RS_ARRAY_LENGTH(others); o++)
        if (others[o] < n && others[o] != victim)
          try_in_windows(ranks, &(struct fault){victim, 0, others[o]}, &random);
    }
    for (size_t victim = 0; n <= 17 && victim < n; victim++)
      for (size_t other = 0; other < n; other++)
        if (other != victim)
          try_in_windows(ranks, &(struct fault){victim, 0, other}, &random);
  }
}

// Fails when, anywhere in the period, the table looks like itself unit x 2^k elements further on.
static void try_displacements(const int32_t *table, size_t n, size_t unit) {
  for (unsigned k = 0; k < 40; k++) {
    size_t displacement = (unit << k) % PERIOD;
    for (size_t start = 0; start < PERIOD; start++) {
      size_t same = 0;
      while (same < WINDOW && table[(start + same) % PERIOD] == table[(start + displacement + same) % PERIOD])
        same++;
      if (same == WINDOW)
        fail_msg("%zu ranks: elements %zu.. look like those %zu x 2^%u further on", n, start, unit, k);
    }
  }
}

// Rank 0 has the plainest input: with 65 to 128 ranks, its weights are all 1.
static void displaced_slices_show(void **state) {
  (void)state;
  int32_t *input = malloc(PERIOD * sizeof(*input));
  assert_non_null(input);
  for (size_t c = 0; c < RS_ARRAY_LENGTH(rank_counts); c++) {
    size_t n = rank_counts[c];
    struct rs_pattern *pattern = open_pattern(RS_INT32, RS_SUM, 0, n);
    rs_pattern_fill(pattern, input, PERIOD);
    rs_pattern_close(pattern);
    try_displacements(input, n, 1);
    try_displacements(all_ranks[c].period, n, 1);
    try_displacements(all_ranks[c].period, n, 63); // back to the same place of the cycle
  }
  free(input);
}

// ---- check and poison -------------------------------------------------------------------------------------

static void check_names_and_counts_what_differs(void **state) {
  (void)state;
  size_t count = 2 * PERIOD + 100;
  for (enum rs_datatype datatype = 0; datatype <= RS_INT32; datatype++) {
    // One rank: the result is the input.
    struct rs_pattern *pattern = open_pattern(datatype, RS_SUM, 0, 1);
    size_t bytes = rs_datatype_bytes(datatype);
    unsigned char *data = malloc(count * bytes);
    assert_non_null(data);
    rs_pattern_fill(pattern, data, count);
    struct rs_error error = {0};
    assert_int_equal(rs_pattern_check(pattern, data, count, &error), RS_OK);
    assert_int_equal(rs_pattern_check(pattern, data, 0, &error), RS_OK);

    struct rs_pattern *numbers = open_pattern(RS_INT32, RS_SUM, 0, 1);
    int32_t *expected = malloc(count * sizeof(*expected));
    assert_non_null(expected);
    rs_pattern_fill(numbers, expected, count);
    rs_pattern_close(numbers);
    const size_t wrong[] = {PERIOD + 17, 2 * PERIOD - 1, 2 * PERIOD, count - 1};
    double zero = 0;
    for (size_t w = 0; w < RS_ARRAY_LENGTH(wrong); w++)
      memcpy(data + wrong[w] * bytes, &zero, bytes);
    char text[200];
    snprintf(text, sizeof(text), "element %zu: expected %d, found 0 (4 of %zu differ)", wrong[0],
             (int)expected[wrong[0]], count);
    assert_int_equal(rs_pattern_check(pattern, data, count, &error), RS_ERROR_MISMATCH);
    assert_string_equal(error.text, text);
    free(expected);
    free(data);
    rs_pattern_close(pattern);
  }
}

static void poison_is_never_a_result(void **state) {
  (void)state;
  size_t count = PERIOD + 3;
  for (size_t c = 0; c < RS_ARRAY_LENGTH(rank_counts); c++)
    for (enum rs_datatype datatype = 0; datatype <= RS_INT32; datatype++)
      for (enum rs_operation operation = 0; operation <= RS_AVG; operation++) {
        struct rs_pattern *pattern = open_pattern(datatype, operation, 0, rank_counts[c]);
        void *data = malloc(count * rs_datatype_bytes(datatype));
        assert_non_null(data);
        rs_pattern_poison(pattern, data, count);
        char text[100];
        snprintf(text, sizeof(text), "found nothing written (%zu of %zu differ)", count, count);
        struct rs_error error = {0};
        assert_int_equal(rs_pattern_check(pattern, data, count, &error), RS_ERROR_MISMATCH);
        if (!strstr(error.text, text))
          fail_msg("%s", error.text);
        free(data);
        rs_pattern_close(pattern);
      }
}

// Values that compare equal, or compare with nothing, still have other bits.
static void negative_zero_and_nan_are_found(void **state) {
  (void)state;
  struct rs_pattern *pattern = open_pattern(RS_FLOAT32, RS_SUM, 0, 129);
  int32_t sums[63];
  memcpy(sums, all_ranks[11].period, sizeof(sums));
  assert_int_equal(all_ranks[11].count, 129);
  const float intruders[] = {-0.0f, NAN};
  for (size_t k = 0; k < RS_ARRAY_LENGTH(intruders); k++) {
    float data[63];
    size_t empty = SIZE_MAX;
    for (size_t i = 0; i < 63; i++) {
      data[i] = (float)sums[i];
      empty = sums[i] == 0 ? i : empty;
    }
    struct rs_error error = {0};
    assert_int_equal(rs_pattern_check(pattern, data, 63, &error), RS_OK);
    assert_true(empty < 63);
    data[empty] = intruders[k];
    assert_int_equal(rs_pattern_check(pattern, data, 63, &error), RS_ERROR_MISMATCH);
    assert_non_null(
        strstr(error.text, k == 0 ? "expected 0, found -0 (1 of 63 differ)" : "found nan (1 of 63 differ)"));
  }
  rs_pattern_close(pattern);
}

static void too_many_ranks_are_refused(void **state) {
  (void)state;
  struct rs_pattern *pattern = NULL;
  struct rs_error error = {0};
  assert_int_equal(rs_pattern_open(RS_FLOAT32, RS_SUM, 0, RS_PATTERN_RANKS_MAX + 1, &pattern, &error), RS_ERROR_USAGE);
  assert_null(pattern);
  assert_non_null(strstr(error.text, "4097 ranks"));
  rs_pattern_close(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_order_gives_the_exact_result),
      cmocka_unit_test(each_datatype_fills_the_same_numbers),
      cmocka_unit_test(all_ranks_share_the_sign_and_stay_within_the_bounds),
      cmocka_unit_test(no_two_ranks_are_alike),
      cmocka_unit_test(sparse_places_have_room_for_one_more),
      cmocka_unit_test(averages_of_different_sums_differ),
      cmocka_unit_test(leaving_out_doubling_and_replacing_show),
      cmocka_unit_test(displaced_slices_show),
      cmocka_unit_test(check_names_and_counts_what_differs),
      cmocka_unit_test(poison_is_never_a_result),
      cmocka_unit_test(negative_zero_and_nan_are_found),
      cmocka_unit_test(too_many_ranks_are_refused),
  };
  return cmocka_run_group_tests(tests, read_all_ranks, free_all_ranks);
}
