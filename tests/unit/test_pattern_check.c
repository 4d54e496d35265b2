// Filling and checking by shape: every collective, even and uneven blocks, in place and not. What each output must hold
// stands here a second time, in plain words of memcpy.
#include "support/pattern_ranks.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEED 20261127
#define RANKS_MAX 8

// ---- all ranks of one collective --------------------------------------------------------------------------

struct ranks {
  size_t n, element;
  enum rs_collective collective;
  enum rs_datatype datatype;
  enum rs_operation operation;
  uint32_t partners[RANKS_MAX];
  uint64_t bounds[RANKS_MAX + 1];
  struct rs_shape shapes[RANKS_MAX];
  struct rs_pattern *patterns[RANKS_MAX];
  bool in_place;
  unsigned char *inputs[RANKS_MAX], *outputs[RANKS_MAX]; // in place, the inputs are copies
};

static void set_shapes(struct ranks *ranks, uint64_t count, bool uneven, struct rs_random *random) {
  size_t n = ranks->n;
  uint32_t round = (uint32_t)rs_random_below(random, n), root = (uint32_t)rs_random_below(random, n);
  for (size_t b = 0; b < n; b++) {
    ranks->partners[b] = rs_tournament_partner((uint32_t)n, round, (uint32_t)b);
    ranks->bounds[b + 1] = ranks->bounds[b] + (uneven ? rs_random_below(random, 2 * count / n + 2) : 0);
  }
  for (size_t r = 0; r < n; r++) {
    struct rs_shape *shape = &ranks->shapes[r];
    *shape = pattern_shape(ranks->collective, ranks->datatype, r, n, count);
    shape->schedule.partners = ranks->partners;
    shape->schedule.root = rs_collective_traits[ranks->collective].rooted ? root : 0;
    if (uneven)
      shape->blocks = rs_partition_make_uneven(ranks->bounds, (uint32_t)ranks->element, (uint32_t)n, 0);
  }
}

static uint64_t total_of(const struct ranks *ranks, size_t rank) {
  return rs_output_elements(&ranks->shapes[rank].schedule, &ranks->shapes[rank].blocks, (uint32_t)rank);
}

static void open_ranks(struct ranks *ranks, uint64_t count, bool uneven, struct rs_random *random) {
  ranks->element = rs_datatype_bytes(ranks->datatype);
  set_shapes(ranks, count, uneven, random);
  for (size_t r = 0; r < ranks->n; r++) {
    const struct rs_shape *shape = &ranks->shapes[r];
    size_t input_bytes = shape->blocks.elements * ranks->element, output_bytes = total_of(ranks, r) * ranks->element;
    ranks->patterns[r] = pattern_open(ranks->collective, ranks->datatype, ranks->operation, r, ranks->n);
    ranks->inputs[r] = calloc(1, input_bytes + 1);
    ranks->outputs[r] = calloc(1, output_bytes + 1);
    assert_true(ranks->inputs[r] && ranks->outputs[r]);
    rs_pattern_poison(ranks->patterns[r], shape, ranks->outputs[r]);
    if (ranks->in_place) {
      rs_pattern_fill(ranks->patterns[r], shape, ranks->outputs[r]);
      memcpy(ranks->inputs[r], ranks->outputs[r], input_bytes);
    } else {
      rs_pattern_fill(ranks->patterns[r], shape, ranks->inputs[r]);
    }
    assert_int_equal(ranks->outputs[r][output_bytes], 0);
    assert_int_equal(ranks->inputs[r][input_bytes], 0);
  }
}

static void close_ranks(struct ranks *ranks) {
  for (size_t r = 0; r < ranks->n; r++) {
    rs_pattern_close(ranks->patterns[r]);
    free(ranks->inputs[r]);
    free(ranks->outputs[r]);
  }
}

// Block b of the whole.
static struct rs_extent block(const struct ranks *ranks, size_t b) {
  return rs_partition_parts(&ranks->shapes[0].blocks, (uint32_t)b, 1);
}

static void put(struct ranks *ranks, size_t rank, uint64_t to, const unsigned char *source, uint64_t from,
                uint64_t count) {
  memcpy(ranks->outputs[rank] + to * ranks->element, source + from * ranks->element, count * ranks->element);
}

// Everything joined, in rank order.
static unsigned char *join(const struct ranks *ranks) {
  size_t count = ranks->shapes[0].blocks.elements, bytes = count * ranks->element;
  unsigned char *joined = malloc(bytes + 1);
  assert_non_null(joined);
  memcpy(joined, ranks->inputs[0], bytes);
  for (size_t r = 1; r < ranks->n; r++)
    rs_kernel_reduce(ranks->datatype, ranks->operation, joined, joined, ranks->inputs[r], count);
  rs_kernel_finish(ranks->datatype, ranks->operation, joined, count, ranks->n);
  return joined;
}

static void reduce_rank(struct ranks *ranks, size_t r, uint64_t count) {
  unsigned char *joined = join(ranks);
  if (ranks->collective == RS_ALLREDUCE || (ranks->collective == RS_REDUCE && r == ranks->shapes[r].schedule.root))
    put(ranks, r, 0, joined, 0, count);
  if (ranks->collective == RS_REDUCE_SCATTER)
    put(ranks, r, block(ranks, r).first, joined, block(ranks, r).first, block(ranks, r).count);
  free(joined);
}

// What rank r must hold at the end.
static void run_rank(struct ranks *ranks, size_t r) {
  size_t n = ranks->n, partner = ranks->partners[r], root = ranks->shapes[r].schedule.root;
  uint64_t count = ranks->shapes[r].blocks.elements;
  switch (ranks->collective) {
  case RS_ALLGATHER:
    for (size_t b = 0; b < n; b++)
      put(ranks, r, block(ranks, b).first, ranks->inputs[b], block(ranks, b).first, block(ranks, b).count);
    break;
  case RS_BROADCAST:
    put(ranks, r, 0, ranks->inputs[root], 0, count);
    break;
  case RS_ALLTOALL:
  case RS_ALLTOALLV:
    for (size_t b = 0; b < n; b++)
      put(ranks, r, b * block(ranks, r).count, ranks->inputs[b], block(ranks, r).first, block(ranks, r).count);
    break;
  case RS_SENDRECV:
    put(ranks, r, 0, ranks->inputs[(r + n - 1) % n], 0, count);
    break;
  case RS_PINGPONG:
    if (partner != r)
      put(ranks, r, 0, ranks->inputs[partner < r ? partner : r], 0, count);
    break;
  case RS_STREAM:
    if (partner < r)
      put(ranks, r, 0, ranks->inputs[partner], 0, count);
    break;
  case RS_EXCHANGE:
    if (partner != r)
      put(ranks, r, 0, ranks->inputs[partner], 0, count);
    break;
  default:
    reduce_rank(ranks, r, count);
  }
}

static enum rs_status check_rank(const struct ranks *ranks, size_t r, struct rs_error *error) {
  *error = (struct rs_error){0};
  return rs_pattern_check(ranks->patterns[r], &ranks->shapes[r], ranks->in_place, ranks->outputs[r], error);
}

static void fail_rank(const struct ranks *ranks, size_t r, const char *what) {
  fail_msg("%s, rank %zu of %zu, %s %s, %llu elements%s: %s", rs_collective_names[ranks->collective], r, ranks->n,
           rs_datatype_names[ranks->datatype], rs_operation_names[ranks->operation],
           (unsigned long long)ranks->shapes[0].blocks.elements, ranks->in_place ? " in place" : "", what);
}

// A right output passes; with any one element of it, or of what surrounds it, made another it does not.
static void try_rank(struct ranks *ranks, size_t r, struct rs_random *random) {
  struct rs_error error;
  uint64_t total = total_of(ranks, r);
  run_rank(ranks, r);
  if (check_rank(ranks, r, &error) != RS_OK)
    fail_rank(ranks, r, error.text);
  for (size_t fault = 0; fault < 3 && total > 0; fault++) {
    uint64_t at = fault == 0 ? 0 : fault == 1 ? total - 1 : rs_random_below(random, total);
    size_t bytes = ranks->element * at + rs_random_below(random, ranks->element);
    ranks->outputs[r][bytes] ^= (unsigned char)(1 << rs_random_below(random, 8));
    if (check_rank(ranks, r, &error) != RS_ERROR_MISMATCH)
      fail_rank(ranks, r, "a wrong bit passes");
    char start[40], end[40];
    snprintf(start, sizeof(start), "element %llu: ", (unsigned long long)at);
    snprintf(end, sizeof(end), "(1 of %llu differ)", (unsigned long long)total);
    if (strncmp(error.text, start, strlen(start)) != 0 || !strstr(error.text, end))
      fail_rank(ranks, r, error.text);
    if (!ranks->in_place)
      rs_pattern_poison(ranks->patterns[r], &ranks->shapes[r], ranks->outputs[r]);
    else
      memcpy(ranks->outputs[r], ranks->inputs[r], total * ranks->element);
    run_rank(ranks, r);
  }
}

static void try_shape(struct ranks *ranks, uint64_t count, bool uneven, struct rs_random *random) {
  open_ranks(ranks, count, uneven, random);
  for (size_t r = 0; r < ranks->n; r++)
    try_rank(ranks, r, random);
  close_ranks(ranks);
}

static void every_collective_is_told_right_from_wrong(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  print_message("seed %d\n", SEED);
  const size_t rank_counts[] = {1, 2, 3, 4, 7};
  for (size_t c = 0; c < RS_ARRAY_LENGTH(rank_counts); c++)
    for (enum rs_collective collective = 0; collective < RS_COLLECTIVE_COUNT; collective++)
      for (int in_place = 0; in_place <= rs_collective_traits[collective].in_place; in_place++)
        for (int uneven = 0; uneven <= rs_collective_traits[collective].blocks; uneven++) {
          size_t n = rank_counts[c];
          const uint64_t counts[] = {0, 1, n - 1, n, n + 1, 1000, 1001, 2 * PATTERN_PERIOD + 17};
          for (size_t k = 0; k < RS_ARRAY_LENGTH(counts); k++) {
            struct ranks ranks = {.n = n, .collective = collective, .in_place = in_place};
            ranks.datatype = (enum rs_datatype)rs_random_below(&random, RS_DATATYPE_COUNT);
            ranks.operation = (enum rs_operation)rs_random_below(&random, RS_OPERATION_COUNT);
            if (pattern_verifiable(ranks.datatype, ranks.operation))
              try_shape(&ranks, counts[k], uneven, &random);
          }
        }
}

static void every_datatype_and_operation_is_checked(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  for (enum rs_datatype datatype = 0; datatype < RS_DATATYPE_COUNT; datatype++)
    for (enum rs_operation operation = 0; operation < RS_OPERATION_COUNT; operation++)
      for (enum rs_collective collective = 0; collective < RS_COLLECTIVE_COUNT; collective++) {
        struct ranks ranks = {.n = 5, .collective = collective, .datatype = datatype, .operation = operation};
        if (pattern_verifiable(datatype, operation))
          try_shape(&ranks, 2003, rs_collective_traits[collective].blocks, &random);
      }
}

// ---- faults of moved data ---------------------------------------------------------------------------------

// 64 elements of another rank or from another place, where they do not belong.
static void displaced_and_mistaken_data_shows(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  for (enum rs_collective collective = 0; collective < RS_COLLECTIVE_COUNT; collective++) {
    if (rs_collective_traits[collective].reduces)
      continue;
    struct ranks ranks = {.n = 8, .collective = collective, .datatype = RS_UINT8};
    uint64_t count = 3 * PATTERN_PERIOD;
    open_ranks(&ranks, count, false, &random);
    for (size_t r = 0; r < ranks.n; r++) {
      run_rank(&ranks, r);
      for (size_t k = 0; k < 30; k++) {
        uint64_t total = rs_min_size(total_of(&ranks, r), count), at = rs_random_below(&random, total - 64),
                 from = rs_random_below(&random, 2) ? at : rs_random_below(&random, count - 64);
        size_t other = rs_random_below(&random, ranks.n);
        unsigned char right[64];
        memcpy(right, ranks.outputs[r] + at, 64);
        put(&ranks, r, at, ranks.inputs[other], from, 64);
        struct rs_error error;
        bool same = memcmp(right, ranks.outputs[r] + at, 64) == 0;
        assert_int_equal(check_rank(&ranks, r, &error), same ? RS_OK : RS_ERROR_MISMATCH);
        memcpy(ranks.outputs[r] + at, right, 64);
      }
    }
    close_ranks(&ranks);
  }
}

// ---- words ------------------------------------------------------------------------------------------------

static void check_names_and_counts_what_differs(void **state) {
  (void)state;
  size_t count = 2 * PATTERN_PERIOD + 100;
  for (enum rs_datatype datatype = 0; datatype < RS_DATATYPE_COUNT; datatype++) {
    // One rank: the result is the input.
    struct rs_pattern *pattern = pattern_open(RS_ALLREDUCE, datatype, RS_MAX, 0, 1);
    struct rs_shape shape = pattern_shape(RS_ALLREDUCE, datatype, 0, 1, count);
    size_t bytes = rs_datatype_bytes(datatype);
    unsigned char *data = malloc(count * bytes);
    int32_t *expected = malloc(count * sizeof(*expected));
    assert_true(data && expected);
    rs_pattern_fill(pattern, &shape, data);
    pattern_read(RS_INT32, RS_MAX, 0, 1, expected, count);
    const size_t wrong[] = {PATTERN_PERIOD + 17, 2 * PATTERN_PERIOD - 1, 2 * PATTERN_PERIOD, count - 1};
    double zero = 0;
    for (size_t w = 0; w < RS_ARRAY_LENGTH(wrong); w++)
      memcpy(data + wrong[w] * bytes, &zero, bytes);
    char text[200];
    int number = datatype == RS_UINT8 ? (uint8_t)expected[wrong[0]] : expected[wrong[0]];
    snprintf(text, sizeof(text), "element %zu: expected %d, found 0 (4 of %zu differ)", wrong[0], number, count);
    struct rs_error error = {0};
    assert_int_equal(rs_pattern_check(pattern, &shape, false, data, &error), RS_ERROR_MISMATCH);
    assert_string_equal(error.text, text);
    free(expected);
    free(data);
    rs_pattern_close(pattern);
  }
}

// The root alone has a result; the others' output is as it was: poison, or in place their input.
static void what_is_nobodys_is_not_touched(void **state) {
  (void)state;
  for (int in_place = 0; in_place <= 1; in_place++) {
    struct rs_random random = {SEED};
    struct ranks ranks = {.n = 3, .collective = RS_REDUCE, .datatype = RS_INT32, .in_place = in_place};
    open_ranks(&ranks, 100, false, &random);
    size_t other = (ranks.shapes[0].schedule.root + 1) % 3;
    struct rs_error error;
    assert_int_equal(check_rank(&ranks, other, &error), RS_OK);
    int32_t *output = (int32_t *)(void *)ranks.outputs[other];
    output[17] = output[50] = 4711;
    assert_int_equal(check_rank(&ranks, other, &error), RS_ERROR_MISMATCH);
    assert_non_null(strstr(error.text, "element 17: is not part of the result, but was overwritten: expected "));
    assert_non_null(strstr(error.text, "found 4711 (2 of 100 differ)"));
    assert_int_equal(strstr(error.text, "expected nothing written") == NULL, in_place);
    close_ranks(&ranks);
  }
}

static void poison_is_never_a_result(void **state) {
  (void)state;
  size_t count = PATTERN_PERIOD + 3;
  for (size_t c = 0; c < PATTERN_RANK_COUNTS; c++)
    for (enum rs_datatype datatype = 0; datatype < RS_DATATYPE_COUNT; datatype++)
      for (enum rs_operation operation = 0; operation < RS_OPERATION_COUNT; operation++) {
        if (!pattern_verifiable(datatype, operation))
          continue;
        struct rs_pattern *pattern = pattern_open(RS_ALLREDUCE, datatype, operation, 0, pattern_rank_counts[c]);
        struct rs_shape shape = pattern_shape(RS_ALLREDUCE, datatype, 0, pattern_rank_counts[c], count);
        void *data = malloc(count * rs_datatype_bytes(datatype));
        assert_non_null(data);
        rs_pattern_poison(pattern, &shape, data);
        char text[100];
        snprintf(text, sizeof(text), "found nothing written (%zu of %zu differ)", count, count);
        struct rs_error error = {0};
        assert_int_equal(rs_pattern_check(pattern, &shape, false, data, &error), RS_ERROR_MISMATCH);
        if (!strstr(error.text, text))
          fail_msg("%zu ranks, %s %s: %s", pattern_rank_counts[c], rs_datatype_names[datatype],
                   rs_operation_names[operation], error.text);
        free(data);
        rs_pattern_close(pattern);
      }
}

// Values that compare equal, or compare with nothing, still have other bits.
static void negative_zero_and_nan_are_found(void **state) {
  (void)state;
  const float intruders[] = {-0.0f, NAN};
  for (size_t k = 0; k < RS_ARRAY_LENGTH(intruders); k++) {
    struct rs_random random = {SEED};
    // In place a rank that is not the root keeps its input: with as many ranks, it is 0 but for its marks.
    struct rs_pattern *pattern = pattern_open(RS_REDUCE, RS_FLOAT32, RS_SUM, 128, 129);
    struct rs_shape shape = pattern_shape(RS_REDUCE, RS_FLOAT32, 128, 129, 63);
    float data[63];
    rs_pattern_fill(pattern, &shape, data);
    struct rs_error error = {0};
    assert_int_equal(rs_pattern_check(pattern, &shape, true, data, &error), RS_OK);
    size_t at = rs_random_below(&random, 63);
    while (data[at] != 0)
      at = (at + 1) % 63;
    data[at] = intruders[k];
    assert_int_equal(rs_pattern_check(pattern, &shape, true, data, &error), RS_ERROR_MISMATCH);
    assert_non_null(
        strstr(error.text, k == 0 ? "expected 0, found -0 (1 of 63 differ)" : "found nan (1 of 63 differ)"));
    rs_pattern_close(pattern);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_collective_is_told_right_from_wrong),
      cmocka_unit_test(every_datatype_and_operation_is_checked),
      cmocka_unit_test(displaced_and_mistaken_data_shows),
      cmocka_unit_test(check_names_and_counts_what_differs),
      cmocka_unit_test(what_is_nobodys_is_not_touched),
      cmocka_unit_test(poison_is_never_a_result),
      cmocka_unit_test(negative_zero_and_nan_are_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
