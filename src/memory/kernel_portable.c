// The kernels in plain C. Each loop body is a branch-free inline function, and `restrict` is true in every loop, so the
// compiler vectorises all of them at -O3 (the default build type) for whatever the target is.
#include "memory/float16.h"
#include "memory/kernel.h"

#include <float.h>

_Static_assert(FLT_EVAL_METHOD == 0, "a sum must be rounded to its own type, or its bits depend on the compiler");

static inline float float32_add(float a, float b) {
  return a + b;
}
static inline double float64_add(double a, double b) {
  return a + b;
}
static inline uint16_t float16_add(uint16_t a, uint16_t b) {
  return float16_round(float16_widen(a) + float16_widen(b));
}
static inline uint16_t bfloat16_add(uint16_t a, uint16_t b) {
  return bfloat16_round(bfloat16_widen(a) + bfloat16_widen(b));
}
// Unsigned, because signed overflow is undefined; the conversion back wraps (gcc and clang define it so).
static inline int32_t int32_add(int32_t a, int32_t b) {
  return (int32_t)((uint32_t)a + (uint32_t)b);
}

static inline float float32_divide(float value, float divisor) {
  return value / divisor;
}
static inline double float64_divide(double value, double divisor) {
  return value / divisor;
}
static inline uint16_t float16_divide(uint16_t value, float divisor) {
  return float16_round(float16_widen(value) / divisor);
}
static inline uint16_t bfloat16_divide(uint16_t value, float divisor) {
  return bfloat16_round(bfloat16_widen(value) / divisor);
}
// In doubles, since no processor has a vector integer division. The quotient truncates correctly: it misses a whole
// number by at least 1 part in 2^31 or not at all, and a double errs by 1 part in 2^53.
static inline int32_t int32_divide(int32_t value, double divisor) {
  return (int32_t)((double)value / divisor);
}

// The loops of one datatype; `divisor_type` is the type in which the division is made. `restrict` stands on parameters,
// where gcc believes it.
#define KERNELS(datatype, type, divisor_type)                                                                          \
  static void datatype##_add_into(type *restrict dst, const type *restrict a, const type *restrict b, size_t count) {  \
    for (size_t i = 0; i < count; i++)                                                                                 \
      dst[i] = datatype##_add(a[i], b[i]);                                                                             \
  }                                                                                                                    \
  static void datatype##_add_onto(type *restrict dst, const type *restrict b, size_t count) {                          \
    for (size_t i = 0; i < count; i++)                                                                                 \
      dst[i] = datatype##_add(dst[i], b[i]);                                                                           \
  }                                                                                                                    \
  static void add_##datatype(void *dst, const void *a, const void *b, size_t count) {                                  \
    if (dst == a)                                                                                                      \
      datatype##_add_onto(dst, b, count);                                                                              \
    else                                                                                                               \
      datatype##_add_into(dst, a, b, count);                                                                           \
  }                                                                                                                    \
  static void divide_##datatype(void *data, size_t count, size_t divisor) {                                            \
    type *values = data;                                                                                               \
    for (size_t i = 0; i < count; i++)                                                                                 \
      values[i] = datatype##_divide(values[i], (divisor_type)divisor);                                                 \
  }

KERNELS(float32, float, float)
KERNELS(float64, double, double)
KERNELS(float16, uint16_t, float)
KERNELS(bfloat16, uint16_t, float)
KERNELS(int32, int32_t, double)

const struct rs_kernel_set rs_kernel_portable = {
    .name = "portable",
    .add = {[RS_FLOAT32] = add_float32,
            [RS_FLOAT64] = add_float64,
            [RS_FLOAT16] = add_float16,
            [RS_BFLOAT16] = add_bfloat16,
            [RS_INT32] = add_int32},
    .divide = {[RS_FLOAT32] = divide_float32,
               [RS_FLOAT64] = divide_float64,
               [RS_FLOAT16] = divide_float16,
               [RS_BFLOAT16] = divide_bfloat16,
               [RS_INT32] = divide_int32},
};
