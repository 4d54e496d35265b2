#include "support/pattern_ranks.h"

#include <stdlib.h>
#include <string.h>

const size_t pattern_rank_counts[] = {1, 2, 3, 4, 5, 8, 16, 17, 64, 127, 128, 129, 1000, 4095, 4096};

static const size_t window_starts[PATTERN_WINDOWS] = {
    1000, 40001, PATTERN_PERIOD - 63, PATTERN_PERIOD - 32, PATTERN_PERIOD - 7, PATTERN_PERIOD - 1, PATTERN_PERIOD - 20,
};

static void require(bool holds, const char *text) {
  if (holds)
    return;
  fprintf(stderr, "%s\n", text);
  abort();
}

static void *allocate(size_t count, size_t bytes) {
  void *memory = calloc(count, bytes);
  require(memory != NULL, "out of memory");
  return memory;
}

// ---- reading ----------------------------------------------------------------------------------------------

bool pattern_verifiable(enum rs_datatype datatype, enum rs_operation operation) {
  return datatype != RS_UINT8 || operation != RS_AVG;
}

struct rs_pattern *pattern_open(enum rs_collective collective, enum rs_datatype datatype, enum rs_operation operation,
                                size_t rank, size_t n) {
  struct rs_pattern *pattern = NULL;
  struct rs_error error = {0};
  rs_pattern_open(collective, datatype, operation, rank, n, &pattern, &error);
  require(pattern != NULL, error.text);
  return pattern;
}

struct rs_shape pattern_shape(enum rs_collective collective, enum rs_datatype datatype, size_t rank, size_t n,
                              uint64_t count) {
  return (struct rs_shape){
      .schedule = {.collective = collective, .rank_count = (uint32_t)n},
      .rank = (uint32_t)rank,
      .blocks = rs_partition_make(count, (uint32_t)rs_datatype_bytes(datatype), (uint32_t)n, 0),
  };
}

void pattern_read(enum rs_datatype datatype, enum rs_operation operation, size_t rank, size_t n, void *input,
                  uint64_t count) {
  struct rs_shape shape = pattern_shape(RS_ALLREDUCE, datatype, rank, n, count);
  struct rs_pattern *pattern = pattern_open(RS_ALLREDUCE, datatype, operation, rank, n);
  rs_pattern_fill(pattern, &shape, input);
  rs_pattern_close(pattern);
}

static int64_t join(enum rs_operation operation, int64_t a, int64_t b) {
  switch (operation) {
  case RS_MIN:
    return a < b ? a : b;
  case RS_MAX:
    return a > b ? a : b;
  case RS_PROD:
    return a * b;
  default:
    return a + b;
  }
}

static void join_all(enum rs_operation operation, bool first, const int32_t *values, size_t count, int64_t *results) {
  for (size_t i = 0; i < count; i++)
    results[i] = first ? values[i] : join(operation, results[i], values[i]);
}

void pattern_ranks_read(struct pattern_ranks *ranks, enum rs_operation operation, size_t n) {
  // One period and the beginning of the next.
  size_t count = PATTERN_PERIOD + PATTERN_WINDOW;
  int32_t *input = allocate(count, sizeof(*input));
  *ranks = (struct pattern_ranks){.count = n,
                                  .operation = operation,
                                  .values = allocate(n * PATTERN_KEPT, sizeof(*ranks->values)),
                                  .results = allocate(PATTERN_KEPT, sizeof(*ranks->results)),
                                  .period = allocate(PATTERN_PERIOD, sizeof(*ranks->period))};
  for (size_t r = 0; r < n; r++) {
    pattern_read(RS_INT32, operation, r, n, input, count);
    int32_t *kept = ranks->values + r * PATTERN_KEPT;
    memcpy(kept, input, PATTERN_HEAD * sizeof(*kept));
    for (size_t w = 0; w < PATTERN_WINDOWS; w++)
      memcpy(kept + PATTERN_HEAD + w * PATTERN_WINDOW, input + window_starts[w], PATTERN_WINDOW * sizeof(*kept));
    join_all(operation, r == 0, kept, PATTERN_KEPT, ranks->results);
    join_all(operation, r == 0, input, PATTERN_PERIOD, ranks->period);
  }
  free(input);
}

void pattern_ranks_free(struct pattern_ranks *ranks) {
  free(ranks->values);
  free(ranks->results);
  free(ranks->period);
}

const int32_t *pattern_values(const struct pattern_ranks *ranks, size_t rank) {
  return ranks->values + rank * PATTERN_KEPT;
}

// ---- datatypes --------------------------------------------------------------------------------------------

void pattern_store(enum rs_datatype datatype, void *data, size_t i, int64_t number) {
  switch (datatype) {
  case RS_FLOAT32:
    ((float *)data)[i] = (float)number;
    break;
  case RS_FLOAT64:
    ((double *)data)[i] = (double)number;
    break;
  case RS_FLOAT16:
    ((uint16_t *)data)[i] = rs_float32_to_float16((float)number);
    break;
  case RS_BFLOAT16:
    ((uint16_t *)data)[i] = rs_float32_to_bfloat16((float)number);
    break;
  case RS_INT32:
    ((int32_t *)data)[i] = (int32_t)number;
    break;
  case RS_INT64:
    ((int64_t *)data)[i] = number;
    break;
  default:
    ((uint8_t *)data)[i] = (uint8_t)number;
  }
}

// By what the numbers stand multiplied.
static int64_t scale_of(enum rs_datatype datatype, enum rs_operation operation, size_t n) {
  return operation == RS_AVG && (datatype == RS_INT32 || datatype == RS_INT64) ? (int64_t)n : 1;
}

// A rank's kept elements from `start` on.
static void convert(const struct pattern_ranks *ranks, enum rs_datatype datatype, enum rs_operation operation,
                    size_t rank, size_t start, size_t count, void *data) {
  int64_t scale = scale_of(datatype, operation, ranks->count);
  for (size_t i = 0; i < count; i++)
    pattern_store(datatype, data, i, pattern_values(ranks, rank)[start + i] * scale);
}

// What the kernels must make of all ranks' kept elements from `start` on.
static void expect(const struct pattern_ranks *ranks, enum rs_datatype datatype, enum rs_operation operation,
                   size_t start, size_t count, void *data) {
  int64_t scale = scale_of(datatype, operation, ranks->count);
  for (size_t i = 0; i < count; i++)
    pattern_store(datatype, data, i, ranks->results[start + i] * scale);
  rs_kernel_finish(datatype, operation, data, count, ranks->count);
}

// ---- joining ----------------------------------------------------------------------------------------------

// Joins `count` elements of all ranks through the kernels in a random tree: any two partial results meet next.
static void join_in_random_order(const struct pattern_ranks *ranks, enum rs_datatype datatype,
                                 enum rs_operation operation, size_t count, struct rs_random *random, void *result) {
  size_t n = ranks->count, row = count * rs_datatype_bytes(datatype);
  unsigned char *partial = allocate(n, row);
  for (size_t r = 0; r < n; r++)
    convert(ranks, datatype, operation, r, 0, count, partial + r * row);
  for (size_t left = n; left > 1; left--) {
    size_t a = rs_random_below(random, left), b = rs_random_below(random, left - 1);
    b += b >= a;
    rs_kernel_reduce(datatype, operation, partial + a * row, partial + a * row, partial + b * row, count);
    if (b != left - 1) // the last one takes the place that is free
      memcpy(partial + b * row, partial + (left - 1) * row, row);
  }
  rs_kernel_finish(datatype, operation, partial, count, n);
  memcpy(result, partial, row);
  free(partial);
}

// What a rank really fills, beyond the period too.
static bool fills_the_numbers(size_t rank, size_t n, enum rs_datatype datatype, enum rs_operation operation) {
  size_t count = 2 * PATTERN_PERIOD + 5;
  double *found = allocate(count, sizeof(*found)), *expected = allocate(count, sizeof(*expected));
  int32_t *numbers = allocate(count, sizeof(*numbers));
  pattern_read(RS_INT32, operation == RS_AVG ? RS_SUM : operation, rank, n, numbers, count);
  for (size_t i = 0; i < count; i++)
    pattern_store(datatype, expected, i, numbers[i % PATTERN_PERIOD] * scale_of(datatype, operation, n));
  pattern_read(datatype, operation, rank, n, found, count);
  bool same = memcmp(found, expected, count * rs_datatype_bytes(datatype)) == 0;
  free(numbers);
  free(expected);
  free(found);
  return same;
}

void pattern_try_exactness(const struct pattern_ranks *ranks, enum rs_datatype datatype, enum rs_operation operation,
                           struct rs_random *random) {
  size_t n = ranks->count, rank = rs_random_below(random, n), count = n <= 1000 ? PATTERN_KEPT : PATTERN_HEAD;
  char name[80];
  snprintf(name, sizeof(name), "%s %s: rank %zu of %zu", rs_datatype_names[datatype], rs_operation_names[operation],
           rank, n);
  require(fills_the_numbers(rank, n, datatype, operation), name);
  double expected[PATTERN_KEPT], found[PATTERN_KEPT]; // doubles for their alignment
  expect(ranks, datatype, operation, 0, count, expected);
  join_in_random_order(ranks, datatype, operation, count, random, found);
  require(memcmp(found, expected, count * rs_datatype_bytes(datatype)) == 0, name);

  struct rs_pattern *pattern = pattern_open(RS_ALLREDUCE, datatype, operation, rank, n);
  struct rs_shape shape = pattern_shape(RS_ALLREDUCE, datatype, rank, n, PATTERN_HEAD);
  struct rs_error error = {0};
  rs_pattern_check(pattern, &shape, false, found, &error);
  require(error.status == RS_OK, error.text);
  rs_pattern_close(pattern);
}

void pattern_try_fault(const struct pattern_ranks *ranks, enum rs_datatype datatype, enum rs_operation operation,
                       const struct pattern_fault *fault, size_t start, size_t count, struct rs_random *random) {
  size_t n = ranks->count, bytes = count * rs_datatype_bytes(datatype), first = rs_random_below(random, n), joined = 0;
  double input[PATTERN_HEAD], expected[PATTERN_HEAD], found[PATTERN_HEAD] = {0};
  require(count <= PATTERN_HEAD, "the window is too long");
  for (size_t k = 0; k <= n; k++) {
    size_t rank = k < n ? (first + k) % n : fault->substitute;
    size_t times = k == n ? fault->substitute != SIZE_MAX : rank == fault->victim ? fault->times : 1;
    for (size_t time = 0; time < times; time++) {
      convert(ranks, datatype, operation, rank, start, count, input);
      if (joined++ == 0)
        memcpy(found, input, bytes);
      else
        rs_kernel_reduce(datatype, operation, found, found, input, count);
    }
  }
  rs_kernel_finish(datatype, operation, found, count, n);
  expect(ranks, datatype, operation, start, count, expected);
  char text[200];
  snprintf(text, sizeof(text), "%zu ranks, %s %s: rank %zu %zu times and rank %zd more goes unseen at kept element %zu",
           n, rs_datatype_names[datatype], rs_operation_names[operation], fault->victim, fault->times,
           (ssize_t)fault->substitute, start);
  require(memcmp(found, expected, bytes) != 0, text);
}

bool pattern_looks_displaced(const int64_t *table, size_t unit) {
  for (unsigned k = 0; k < 40; k++) {
    size_t displacement = (unit << k) % PATTERN_PERIOD, same = 0;
    for (size_t i = 0; i < PATTERN_PERIOD + PATTERN_WINDOW; i++) {
      same = table[i % PATTERN_PERIOD] == table[(i + displacement) % PATTERN_PERIOD] ? same + 1 : 0;
      if (same == PATTERN_WINDOW)
        return true;
    }
  }
  return false;
}
