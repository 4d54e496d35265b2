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

__extension__ typedef __int128 wide; // holds every product of two int64

static bool is_integer(enum rs_datatype datatype) {
  return datatype == RS_INT32 || datatype == RS_INT64 || datatype == RS_UINT8;
}

static wide integer_at(enum rs_datatype datatype, const void *data, size_t i) {
  switch (datatype) {
  case RS_INT32:
    return ((const int32_t *)data)[i];
  case RS_INT64:
    return ((const int64_t *)data)[i];
  case RS_UINT8:
    return ((const uint8_t *)data)[i];
  default:
    abort();
  }
}

// Stores the low bits of `value`, as wrapping around leaves them.
static void store_integer(enum rs_datatype datatype, void *data, size_t i, wide value) {
  switch (datatype) {
  case RS_INT32:
    ((int32_t *)data)[i] = (int32_t)value;
    break;
  case RS_INT64:
    ((int64_t *)data)[i] = (int64_t)value;
    break;
  case RS_UINT8:
    ((uint8_t *)data)[i] = (uint8_t)value;
    break;
  default:
    abort();
  }
}

static double float_at(enum rs_datatype datatype, const void *data, size_t i) {
  switch (datatype) {
  case RS_FLOAT32:
    return (double)((const float *)data)[i];
  case RS_FLOAT64:
    return ((const double *)data)[i];
  case RS_FLOAT16:
    return (double)rs_float16_to_float32(((const uint16_t *)data)[i]);
  case RS_BFLOAT16:
    return (double)rs_bfloat16_to_float32(((const uint16_t *)data)[i]);
  default:
    abort();
  }
}

// Stores `value` rounded once to the datatype, by way of float32 for 16 bits. A sum, product or quotient of two float32
// that was made in doubles rounds to the same float32 as the exact one.
static void store_float(enum rs_datatype datatype, void *data, size_t i, double value) {
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
  default:
    abort();
  }
}

// The reference, for one element. Its floats are neither zeros nor NaNs.
static void reduce_element(enum rs_datatype datatype, enum rs_operation operation, void *dst, const void *a,
                           const void *b, size_t i) {
  if (is_integer(datatype)) {
    wide x = integer_at(datatype, a, i), y = integer_at(datatype, b, i);
    const wide results[] = {
        [RS_SUM] = x + y, [RS_AVG] = x + y, [RS_MIN] = x < y ? x : y, [RS_MAX] = x < y ? y : x, [RS_PROD] = x * y};
    store_integer(datatype, dst, i, results[operation]);
  } else {
    double x = float_at(datatype, a, i), y = float_at(datatype, b, i);
    const double results[] = {
        [RS_SUM] = x + y, [RS_AVG] = x + y, [RS_MIN] = fmin(x, y), [RS_MAX] = fmax(x, y), [RS_PROD] = x * y};
    store_float(datatype, dst, i, results[operation]);
  }
}

static void divide_element(enum rs_datatype datatype, void *dst, const void *src, size_t i, size_t divisor) {
  if (is_integer(datatype))
    store_integer(datatype, dst, i, integer_at(datatype, src, i) / (wide)divisor);
  else
    store_float(datatype, dst, i, float_at(datatype, src, i) / (double)divisor);
}

// Random values of both signs over the middle exponents, so that sums and products round; integers over their whole
// range, so that they wrap.
static void fill(enum rs_datatype datatype, void *data, size_t count, struct rs_random *random) {
  for (size_t i = 0; i < count; i++) {
    uint64_t bits = rs_random_next(random);
    if (is_integer(datatype))
      store_integer(datatype, data, i, (wide)bits);
    else
      store_float(datatype, data, i, ldexp((double)(int32_t)(bits >> 32 | 1), (int)(bits % 12) - 34));
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
    reduce_element(datatype, operation, expected, a, b, i);

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
        for (enum rs_operation operation = 0; operation < RS_OPERATION_COUNT; operation++)
          if (operation != RS_AVG)
            rs_kernel_finish(datatype, operation, x.a.bytes, count, rank_counts[n]);
        assert_memory_equal(x.a.bytes, x.expected.bytes, sizeof(x.a));

        for (size_t i = 0; i < count; i++)
          divide_element(datatype, x.expected.bytes, x.a.bytes, i, rank_counts[n]);
        rs_kernel_finish(datatype, RS_AVG, x.a.bytes, count, rank_counts[n]);
        assert_memory_equal(x.a.bytes, x.expected.bytes, sizeof(x.a));
      }
}

// One division through finish, against the exact one.
static void check_division(enum rs_datatype datatype, wide value, size_t divisor) {
  _Alignas(int64_t) unsigned char quotient[sizeof(int64_t)], expected[sizeof(int64_t)];
  store_integer(datatype, quotient, 0, value);
  divide_element(datatype, expected, quotient, 0, divisor);
  rs_kernel_finish(datatype, RS_AVG, quotient, 1, divisor);
  assert_memory_equal(quotient, expected, rs_datatype_bytes(datatype));
}

static void integers_truncate_at_every_edge(void **state) {
  (void)state;
  const enum rs_datatype datatypes[] = {RS_INT32, RS_INT64, RS_UINT8};
  // Values and divisors at and next to every power of two: 9 pairs for each two powers.
  for (size_t t = 0; t < RS_ARRAY_LENGTH(datatypes); t++)
    for (unsigned pair = 0; pair < 64 * 64 * 9; pair++) {
      wide value = ((wide)1 << pair % 64) + (int)(pair / 4096 % 3) - 1;
      wide divisor = ((wide)1 << pair / 64 % 64) + (int)(pair / 4096 / 3) - 1;
      if (divisor > 0) {
        check_division(datatypes[t], value, (size_t)divisor);
        check_division(datatypes[t], -value, (size_t)divisor);
      }
    }
  for (int value = 0; value <= UINT8_MAX; value++)
    for (size_t divisor = 1; divisor <= 512; divisor++)
      check_division(RS_UINT8, value, divisor);
  // k x d - 1 over d lies as close below a whole number as a quotient can.
  for (int32_t divisor = 2; divisor < 50000; divisor += 7) {
    check_division(RS_INT32, INT32_MAX / divisor * divisor - 1, (size_t)divisor);
    check_division(RS_INT64, INT64_MAX / divisor * divisor - 1, (size_t)divisor);
    check_division(RS_INT64, -(INT64_MAX / divisor * divisor - 1), (size_t)divisor);
  }
}

// What a reference in doubles does not decide: which zero, and what becomes of a NaN.
static void minimum_and_maximum_order_zeros_and_keep_nans(void **state) {
  (void)state;
  const double inf = INFINITY, nan = NAN;
  const struct {
    double a, b, min, max;
  } rows[] = {{-0.0, 0.0, -0.0, 0.0}, {-0.0, -0.0, -0.0, -0.0}, {0.0, 0.0, 0.0, 0.0},
              {-inf, inf, -inf, inf}, {-1.0, -2.0, -2.0, -1.0}, {nan, 1.0, nan, nan},
              {nan, -inf, nan, nan},  {-nan, inf, -nan, -nan},  {-nan, nan, nan, nan}};
  const enum rs_datatype datatypes[] = {RS_FLOAT32, RS_FLOAT64, RS_FLOAT16, RS_BFLOAT16};
  for (size_t t = 0; t < RS_ARRAY_LENGTH(datatypes); t++)
    for (size_t r = 0; r < RS_ARRAY_LENGTH(rows); r++)
      for (size_t swapped = 0; swapped < 2; swapped++)
        for (enum rs_operation operation = RS_MIN; operation <= RS_MAX; operation++) {
          _Alignas(double) unsigned char a[sizeof(double)], b[sizeof(double)], result[sizeof(double)];
          store_float(datatypes[t], swapped ? b : a, 0, rows[r].a);
          store_float(datatypes[t], swapped ? a : b, 0, rows[r].b);
          rs_kernel_reduce(datatypes[t], operation, result, a, b, 1);
          double found = float_at(datatypes[t], result, 0), expected = operation == RS_MIN ? rows[r].min : rows[r].max;
          bool one_nan = isnan(rows[r].a) != isnan(rows[r].b);
          if (isnan(expected) ? !isnan(found) || (one_nan && signbit(found) != signbit(expected))
                              : found != expected || signbit(found) != signbit(expected))
            fail_msg("%s %s of %g and %g is %g", rs_datatype_names[datatypes[t]], rs_operation_names[operation],
                     swapped ? rows[r].b : rows[r].a, swapped ? rows[r].a : rows[r].b, found);
        }
}

// 16-bit types compare their patterns; the values that stand behind those must be in the same order.
static void minimum_and_maximum_of_16_bits_are_those_of_float32(void **state) {
  (void)state;
  const enum rs_datatype datatypes[] = {RS_FLOAT16, RS_BFLOAT16};
  float (*const widen[])(uint16_t) = {rs_float16_to_float32, rs_bfloat16_to_float32};
  for (size_t t = 0; t < RS_ARRAY_LENGTH(datatypes); t++)
    for (uint32_t x = 0; x <= UINT16_MAX; x++)
      for (uint32_t y = x % 127; y <= UINT16_MAX; y += 127)
        for (enum rs_operation operation = RS_MIN; operation <= RS_MAX; operation++) {
          uint16_t a = (uint16_t)x, b = (uint16_t)y, narrow;
          float wide_a = widen[t](a), wide_b = widen[t](b), expected, found;
          rs_kernel_reduce(datatypes[t], operation, &narrow, &a, &b, 1);
          rs_kernel_reduce(RS_FLOAT32, operation, &expected, &wide_a, &wide_b, 1);
          found = widen[t](narrow);
          if (memcmp(&found, &expected, sizeof(found)) != 0 && !(isnan(wide_a) && isnan(wide_b) && isnan(found)))
            fail_msg("%s %s of 0x%04x and 0x%04x is 0x%04x", rs_datatype_names[datatypes[t]],
                     rs_operation_names[operation], a, b, narrow);
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
      cmocka_unit_test(integers_truncate_at_every_edge),
      cmocka_unit_test(minimum_and_maximum_order_zeros_and_keep_nans),
      cmocka_unit_test(minimum_and_maximum_of_16_bits_are_those_of_float32),
      cmocka_unit_test(special_values_go_through_the_16_bit_sums),
      cmocka_unit_test(copy_copies_and_no_more),
      cmocka_unit_test(names_end_where_the_enums_do),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
