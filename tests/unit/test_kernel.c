// The kernels: every datatype, operation and alias case at every small length, against a reference in wider arithmetic.
#include "ringside/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_MAX 70 // beyond four vectors of 16 elements
#define SEED 20261123

// Element i as a double, which holds every value of every datatype.
static double element(enum rs_datatype datatype, const void *data, size_t i) {
  switch (datatype) {
  case RS_FLOAT32:
    return (double)((const float *)data)[i];
  case RS_FLOAT64:
    return ((const double *)data)[i];
  case RS_FLOAT16:
    return (double)rs_float16_to_float32(((const uint16_t *)data)[i]);
  case RS_BFLOAT16:
    return (double)rs_bfloat16_to_float32(((const uint16_t *)data)[i]);
  case RS_INT32:
    return ((const int32_t *)data)[i];
  default:
    abort();
  }
}

// Stores `value` rounded once to the datatype. 16-bit values come here as float32 arithmetic gives them.
static void store(enum rs_datatype datatype, void *data, size_t i, double value) {
  switch (datatype) {
  case RS_FLOAT32:
    ((float *)data)[i] = (float)value;
    break;
  case RS_FLOAT64:
    ((double *)data)[i] = value;
    break;
  case RS_FLOAT16:
    ((uint16_t *)data)[i] = rs_float32_to_float16((float)value);
    break;
  case RS_BFLOAT16:
    ((uint16_t *)data)[i] = rs_float32_to_bfloat16((float)value);
    break;
  case RS_INT32:
    ((int32_t *)data)[i] = (int32_t)(uint32_t)(int64_t)value;
    break;
  default:
    abort();
  }
}

// Random values of both signs over the middle exponents, so that sums round; ints over their whole range, so that
// sums wrap.
static void fill(enum rs_datatype datatype, void *data, size_t count, struct rs_random *random) {
  for (size_t i = 0; i < count; i++) {
    uint64_t bits = rs_random_next(random);
    double value = (double)(int32_t)(bits >> 32);
    store(datatype, data, i, datatype == RS_INT32 ? value : ldexp(value, (int)(bits % 12) - 34));
  }
}

// Buffers with room for one element on either side, so that unaligned starts and writes beyond the end show.
struct buffers {
  union {
    unsigned char bytes[(COUNT_MAX + 2) * 8];
    double aligned;
  } a, b, dst, expected;
};

static void check_reduce(enum rs_datatype datatype, enum rs_operation operation, size_t count, size_t start,
                         struct rs_random *random) {
  size_t bytes = rs_datatype_bytes(datatype), used = count * bytes;
  struct buffers x;
  memset(&x, 0x5a, sizeof(x));
  unsigned char *a = x.a.bytes + start * bytes, *b = x.b.bytes + start * bytes;
  unsigned char *dst = x.dst.bytes + start * bytes, *expected = x.expected.bytes + start * bytes;
  fill(datatype, a, count, random);
  fill(datatype, b, count, random);
  for (size_t i = 0; i < count; i++)
    store(datatype, expected, i, element(datatype, a, i) + element(datatype, b, i));

  rs_kernel_reduce(datatype, operation, dst, a, b, count);
  assert_memory_equal(x.dst.bytes, x.expected.bytes, sizeof(x.dst));
  memcpy(dst, a, used);
  rs_kernel_reduce(datatype, operation, dst, dst, b, count);
  assert_memory_equal(x.dst.bytes, x.expected.bytes, sizeof(x.dst));
  memcpy(dst, b, used);
  rs_kernel_reduce(datatype, operation, dst, a, dst, count);
  assert_memory_equal(x.dst.bytes, x.expected.bytes, sizeof(x.dst));
}

static void reduce_is_right_in_every_alias_case(void **state) {
  (void)state;
  print_message("seed %d\n", SEED);
  struct rs_random random = {SEED};
  for (enum rs_datatype datatype = 0; datatype < RS_DATATYPE_COUNT; datatype++)
    for (enum rs_operation operation = 0; operation < RS_OPERATION_COUNT; operation++)
      for (size_t count = 0; count <= COUNT_MAX; count++)
        for (size_t start = 0; start < 2; start++)
          check_reduce(datatype, operation, count, start, &random);
}

static void finish_divides_an_average_once(void **state) {
  (void)state;
  print_message("seed %d\n", SEED);
  struct rs_random random = {SEED};
  const size_t rank_counts[] = {1, 2, 3, 7, 128, 4096, (size_t)1 << 40};
  for (enum rs_datatype datatype = 0; datatype < RS_DATATYPE_COUNT; datatype++)
    for (size_t n = 0; n < RS_ARRAY_LENGTH(rank_counts); n++)
      for (size_t count = 0; count <= COUNT_MAX; count++) {
        struct buffers x;
        memset(&x, 0x5a, sizeof(x));
        fill(datatype, x.a.bytes, count, &random);
        memcpy(x.expected.bytes, x.a.bytes, sizeof(x.a));
        rs_kernel_finish(datatype, RS_SUM, x.a.bytes, count, rank_counts[n]);
        assert_memory_equal(x.a.bytes, x.expected.bytes, sizeof(x.a));

        for (size_t i = 0; i < count; i++) {
          double value = element(datatype, x.a.bytes, i), divisor = (double)rank_counts[n];
          // The 16-bit types divide in float32. A float32 quotient of two float32 is the rounded double quotient.
          double quotient = datatype == RS_INT32 ? trunc(value / divisor) : value / divisor;
          store(datatype, x.expected.bytes, i, quotient);
        }
        rs_kernel_finish(datatype, RS_AVG, x.a.bytes, count, rank_counts[n]);
        assert_memory_equal(x.a.bytes, x.expected.bytes, sizeof(x.a));
      }
}

static void int32_division_truncates_at_every_edge(void **state) {
  (void)state;
  const int32_t values[] = {0, 1, -1, 2, -2, 4095, 4096, -4095, -4096, INT32_MAX, INT32_MIN, INT32_MIN + 1};
  const int64_t divisors[] = {1, 2, 3, 4096, INT32_MAX - 1, INT32_MAX, INT64_C(1) << 31, INT64_C(1) << 32, INT64_MAX};
  for (size_t v = 0; v < RS_ARRAY_LENGTH(values); v++)
    for (size_t d = 0; d < RS_ARRAY_LENGTH(divisors); d++) {
      int32_t value = values[v];
      rs_kernel_finish(RS_INT32, RS_AVG, &value, 1, (size_t)divisors[d]);
      assert_int_equal(value, values[v] / divisors[d]);
    }
  // k x d - 1 over d lies as close below a whole number as a quotient can.
  for (int32_t divisor = 2; divisor < 50000; divisor += 7) {
    int32_t whole = INT32_MAX / divisor, value = whole * divisor - 1;
    rs_kernel_finish(RS_INT32, RS_AVG, &value, 1, (size_t)divisor);
    assert_int_equal(value, whole - 1);
  }
}

static void special_values_go_through_the_16_bit_sums(void **state) {
  (void)state;
  const struct {
    enum rs_datatype datatype;
    uint16_t a, b, sum;
  } rows[] = {
      {RS_FLOAT16, 0x0001, 0x0001, 0x0002},  // subnormals are kept
      {RS_FLOAT16, 0x7bff, 0x7bff, 0x7c00},  // overflow is infinity
      {RS_FLOAT16, 0x6800, 0x3c00, 0x6800},  // 2048 + 1: a tie, to even
      {RS_FLOAT16, 0x6801, 0x3c00, 0x6802},  // 2050 + 1: a tie, to even upwards
      {RS_BFLOAT16, 0x0001, 0x0001, 0x0002}, // as above
      {RS_BFLOAT16, 0x7f7f, 0x7f7f, 0x7f80}, {RS_BFLOAT16, 0x4380, 0x3f80, 0x4380},
      {RS_BFLOAT16, 0x4381, 0x3f80, 0x4382},
  };
  for (size_t r = 0; r < RS_ARRAY_LENGTH(rows); r++) {
    uint16_t sum;
    rs_kernel_reduce(rows[r].datatype, RS_SUM, &sum, &rows[r].a, &rows[r].b, 1);
    assert_int_equal(sum, rows[r].sum);
  }
  const uint16_t nan = 0x7fc1, one = 0x3c00, infinity = 0xff80, minus_infinity = 0x7f80;
  uint16_t sum;
  rs_kernel_reduce(RS_FLOAT16, RS_SUM, &sum, &nan, &one, 1);
  assert_true(isnan(rs_float16_to_float32(sum)));
  rs_kernel_reduce(RS_BFLOAT16, RS_SUM, &sum, &infinity, &minus_infinity, 1);
  assert_true(isnan(rs_bfloat16_to_float32(sum)));
}

static void copy_copies_and_no_more(void **state) {
  (void)state;
  unsigned char from[COUNT_MAX], to[COUNT_MAX + 1];
  for (size_t i = 0; i < sizeof(from); i++)
    from[i] = (unsigned char)(i + 1);
  for (size_t bytes = 0; bytes <= sizeof(from); bytes++) {
    memset(to, 0, sizeof(to));
    rs_kernel_copy(to, from, bytes);
    assert_memory_equal(to, from, bytes);
    assert_int_equal(to[bytes], 0);
  }
  rs_kernel_copy(from, from, sizeof(from)); // onto itself: nothing to do
  assert_int_equal(from[0], 1);
}

static void names_end_where_the_enums_do(void **state) {
  (void)state;
  assert_null(rs_datatype_names[RS_DATATYPE_COUNT]);
  assert_null(rs_operation_names[RS_OPERATION_COUNT]);
  assert_string_equal(rs_datatype_names[RS_BFLOAT16], "bfloat16");
  assert_int_equal(rs_datatype_bytes(RS_BFLOAT16), 2);
  assert_int_equal(rs_datatype_bytes(RS_FLOAT64), 8);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reduce_is_right_in_every_alias_case),
      cmocka_unit_test(finish_divides_an_average_once),
      cmocka_unit_test(int32_division_truncates_at_every_edge),
      cmocka_unit_test(special_values_go_through_the_16_bit_sums),
      cmocka_unit_test(copy_copies_and_no_more),
      cmocka_unit_test(names_end_where_the_enums_do),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
