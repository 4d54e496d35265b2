// The loops of one kernel set. kernel_portable.c, kernel_avx2.c and kernel_avx512.c each include this file once, and
// CMakeLists.txt compiles each of them for its own instructions, so all sets come from the same source. Before, such a
// file defines
//   KERNEL_SET, KERNEL_SET_NAME    the name of the table here, and of the set
//   widen_float16, round_float16   conversions of `count` values, by the processor's own instructions where it has them
//
// `omp simd` says that no element depends on another, which is true for dst == a and dst == b too, and makes compilers
// vectorise at -O2 as they do at -O3. It needs no OpenMP library.
#include "memory/element.h"
#include "memory/kernel.h"

#define REDUCE_KERNEL(operation, datatype, type)                                                                       \
  static void operation##_##datatype(void *dst, const void *a, const void *b, size_t count) {                          \
    type *result = dst;                                                                                                \
    const type *left = a, *right = b;                                                                                  \
    _Pragma("omp simd") for (size_t i = 0; i < count; i++) result[i] = datatype##_##operation(left[i], right[i]);      \
  }

#define DIVIDE_KERNEL(datatype, type, divisor_type)                                                                    \
  static void divide_##datatype(void *data, size_t count, size_t divisor) {                                            \
    type *values = data;                                                                                               \
    divisor_type by = (divisor_type)divisor;                                                                           \
    _Pragma("omp simd") for (size_t i = 0; i < count; i++) values[i] = datatype##_divide(values[i], by);               \
  }

#define KERNELS(datatype, type, divisor_type)                                                                          \
  REDUCE_KERNEL(sum, datatype, type)                                                                                   \
  REDUCE_KERNEL(min, datatype, type)                                                                                   \
  REDUCE_KERNEL(max, datatype, type)                                                                                   \
  REDUCE_KERNEL(prod, datatype, type)                                                                                  \
  DIVIDE_KERNEL(datatype, type, divisor_type)

KERNELS(float32, float, float)
KERNELS(float64, double, double)
KERNELS(bfloat16, uint16_t, float)
KERNELS(int32, int32_t, double)
KERNELS(int64, int64_t, uint64_t)
KERNELS(uint8, uint8_t, float)

// ---- float16: widened, reduced by a float32 kernel, and rounded, by blocks that stay in cache -------------

#define BLOCK ((size_t)256)

REDUCE_KERNEL(min, float16, uint16_t)
REDUCE_KERNEL(max, float16, uint16_t)

static void reduce_float16(rs_reduce_kernel *reduce_float32, void *dst, const void *a, const void *b, size_t count) {
  uint16_t *result = dst;
  const uint16_t *left = a, *right = b;
  _Alignas(64) float wide_left[BLOCK], wide_right[BLOCK];
  for (size_t start = 0; start < count; start += BLOCK) {
    size_t length = rs_min_size(BLOCK, count - start);
    widen_float16(wide_left, left + start, length);
    widen_float16(wide_right, right + start, length);
    reduce_float32(wide_left, wide_left, wide_right, length);
    round_float16(result + start, wide_left, length);
  }
}

static void sum_float16(void *dst, const void *a, const void *b, size_t count) {
  reduce_float16(sum_float32, dst, a, b, count);
}

static void prod_float16(void *dst, const void *a, const void *b, size_t count) {
  reduce_float16(prod_float32, dst, a, b, count);
}

static void divide_float16(void *data, size_t count, size_t divisor) {
  uint16_t *values = data;
  _Alignas(64) float wide[BLOCK];
  for (size_t start = 0; start < count; start += BLOCK) {
    size_t length = rs_min_size(BLOCK, count - start);
    widen_float16(wide, values + start, length);
    divide_float32(wide, length, divisor);
    round_float16(values + start, wide, length);
  }
}

// ---- the table --------------------------------------------------------------------------------------------

#define ALL_DATATYPES(operation)                                                                                       \
  {                                                                                                                    \
    [RS_FLOAT32] = operation##_float32, [RS_FLOAT64] = operation##_float64, [RS_FLOAT16] = operation##_float16,        \
    [RS_BFLOAT16] = operation##_bfloat16, [RS_INT32] = operation##_int32, [RS_INT64] = operation##_int64,              \
    [RS_UINT8] = operation##_uint8,                                                                                    \
  }

const struct rs_kernel_set KERNEL_SET = {
    .name = KERNEL_SET_NAME,
    .reduce = {[RS_SUM] = ALL_DATATYPES(sum),
               [RS_AVG] = ALL_DATATYPES(sum),
               [RS_MIN] = ALL_DATATYPES(min),
               [RS_MAX] = ALL_DATATYPES(max),
               [RS_PROD] = ALL_DATATYPES(prod)},
    .divide = ALL_DATATYPES(divide),
};
