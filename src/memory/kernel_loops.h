// The loops of one kernel set. kernel_portable.c, kernel_avx2.c and kernel_avx512.c each include this file once, and
// CMakeLists.txt compiles each of them for its own instructions, so all sets come from the same source. Before, such a
// file defines
//   KERNEL_SET, KERNEL_SET_NAME    the name of the table here, and of the set
//   FLOAT16_RUN                    how many float16 the processor's own instructions convert at a time, and
//   widen_float16, round_float16   these conversions, from and to memory; between the two a run is of a type with + * /
//   FLOAT16_LOOP                   a pragma for loops over runs: empty, where the runs are vectors already
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
KERNELS(int32, int32_t, double)
KERNELS(int64, int64_t, uint64_t)
KERNELS(uint8, uint8_t, float)

// ---- bfloat16: sums and products two by two, as halves of a word, which need no shuffles ------------------

typedef uint32_t __attribute__((aligned(2), may_alias)) bfloat16_pair;

#define PAIR_KERNEL(operation)                                                                                         \
  static inline uint32_t operation##_pair(uint32_t a, uint32_t b) {                                                    \
    uint16_t high = bfloat16_##operation((uint16_t)(a >> 16), (uint16_t)(b >> 16));                                    \
    return (uint32_t)high << 16 | bfloat16_##operation((uint16_t)a, (uint16_t)b);                                      \
  }                                                                                                                    \
  static void operation##_bfloat16(void *dst, const void *a, const void *b, size_t count) {                            \
    bfloat16_pair *pairs = dst;                                                                                        \
    const bfloat16_pair *left = a, *right = b;                                                                         \
    _Pragma("omp simd") for (size_t i = 0; i < count / 2; i++) pairs[i] = operation##_pair(left[i], right[i]);         \
    uint16_t *result = dst;                                                                                            \
    const uint16_t *a_values = a, *b_values = b;                                                                       \
    if (count % 2)                                                                                                     \
      result[count - 1] = bfloat16_##operation(a_values[count - 1], b_values[count - 1]);                              \
  }

PAIR_KERNEL(sum)
PAIR_KERNEL(prod)
REDUCE_KERNEL(min, bfloat16, uint16_t)
REDUCE_KERNEL(max, bfloat16, uint16_t)
DIVIDE_KERNEL(bfloat16, uint16_t, float)

// ---- float16: widened, reduced and rounded, a run at a time -----------------------------------------------

// result = left (operator) right for runs, as wide as the processor converts, and one by one for what is left.
#define RUN_KERNEL(operation, operator)                                                                                \
  static void operation##_float16(void *dst, const void *a, const void *b, size_t count) {                             \
    uint16_t *result = dst;                                                                                            \
    const uint16_t *left = a, *right = b;                                                                              \
    size_t in_runs = count - count % FLOAT16_RUN;                                                                      \
    FLOAT16_LOOP for (size_t i = 0; i < in_runs; i += FLOAT16_RUN)                                                     \
        round_float16(result + i, widen_float16(left + i) operator widen_float16(right + i));                          \
    for (size_t i = in_runs; i < count; i++)                                                                           \
      result[i] = float16_round(float16_widen(left[i]) operator float16_widen(right[i]));                              \
  }

RUN_KERNEL(sum, +)
RUN_KERNEL(prod, *)
REDUCE_KERNEL(min, float16, uint16_t)
REDUCE_KERNEL(max, float16, uint16_t)

static void divide_float16(void *data, size_t count, size_t divisor) {
  uint16_t *values = data;
  const float by = (float)divisor;
  size_t in_runs = count - count % FLOAT16_RUN;
  FLOAT16_LOOP for (size_t i = 0; i < in_runs; i += FLOAT16_RUN)
      round_float16(values + i, widen_float16(values + i) / by);
  for (size_t i = in_runs; i < count; i++)
    values[i] = float16_round(float16_widen(values[i]) / by);
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
