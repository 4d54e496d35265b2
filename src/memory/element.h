// What each operation does to one element of each datatype: the definition of every result. All of it is inline and
// free of branches, so that the loops of kernel_loops.h vectorise for whatever processor they are compiled for.
#ifndef MEMORY_ELEMENT_H
#define MEMORY_ELEMENT_H

#include "memory/float16.h"

#include <float.h>
#include <stdint.h>
#include <string.h>

_Static_assert(FLT_EVAL_METHOD == 0, "a sum must be rounded to its own type, or its bits depend on the compiler");

// ---- float32, float64 -------------------------------------------------------------------------------------

static inline uint64_t float64_bits(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

static inline double float64_from_bits(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

// A NaN operand comes out, made quiet (of two NaNs either one): that is what the sum does. Minimum and maximum ask in
// both orders. The two answers are the same bits, except for -0 and +0, where each order gives another zero: `or` sets
// the sign that either has (the minimum is -0), `and` clears it (the maximum is +0). The mask stands for a conditional,
// which gcc would make a branch.
#define FLOAT_OPERATIONS(datatype, type, bits_type)                                                                    \
  static inline type datatype##_sum(type a, type b) {                                                                  \
    return a + b;                                                                                                      \
  }                                                                                                                    \
  static inline type datatype##_prod(type a, type b) {                                                                 \
    return a * b;                                                                                                      \
  }                                                                                                                    \
  static inline type datatype##_divide(type value, type divisor) {                                                     \
    return value / divisor;                                                                                            \
  }                                                                                                                    \
  static inline type datatype##_unless_nan(type a, type b, bits_type bits) {                                           \
    bits_type mask = (bits_type)0 - (bits_type)__builtin_isunordered(a, b);                                            \
    return datatype##_from_bits((datatype##_bits(a + b) & mask) | (bits & ~mask));                                     \
  }                                                                                                                    \
  static inline type datatype##_min(type a, type b) {                                                                  \
    return datatype##_unless_nan(a, b, datatype##_bits(a < b ? a : b) | datatype##_bits(b < a ? b : a));               \
  }                                                                                                                    \
  static inline type datatype##_max(type a, type b) {                                                                  \
    return datatype##_unless_nan(a, b, datatype##_bits(a > b ? a : b) & datatype##_bits(b > a ? b : a));               \
  }

FLOAT_OPERATIONS(float32, float, uint32_t)
FLOAT_OPERATIONS(float64, double, uint64_t)
#undef FLOAT_OPERATIONS

// ---- float16, bfloat16 ------------------------------------------------------------------------------------

// Sums, products and quotients are made in float32 and rounded once. (Those of float16 stand in kernel_loops.h, since a
// processor converts runs of values, not one.)
static inline uint16_t bfloat16_sum(uint16_t a, uint16_t b) {
  return bfloat16_round(bfloat16_widen(a) + bfloat16_widen(b));
}
static inline uint16_t bfloat16_prod(uint16_t a, uint16_t b) {
  return bfloat16_round(bfloat16_widen(a) * bfloat16_widen(b));
}
static inline uint16_t bfloat16_divide(uint16_t value, float divisor) {
  return bfloat16_round(bfloat16_widen(value) / divisor);
}

// Minimum and maximum need no arithmetic: patterns of the same sign are in the order of their values, and that of
// negative ones is turned round by inverting all bits but the sign. -0 comes just below +0.
static inline int16_t pattern_order(uint16_t pattern) {
  int16_t number = (int16_t)pattern;
  return (int16_t)(number ^ (number >> 15 & 0x7fff));
}

// `number`, unless a or b is a NaN: beyond `infinity`, and quiet where the highest bit of the fraction is set.
static inline uint16_t pattern_unless_nan(uint16_t a, uint16_t b, uint16_t number, uint16_t infinity, uint16_t quiet) {
  uint16_t unless_b = (b & 0x7fff) > infinity ? b | quiet : number;
  return (a & 0x7fff) > infinity ? a | quiet : unless_b;
}

#define PATTERN_OPERATIONS(datatype, infinity, quiet)                                                                  \
  static inline uint16_t datatype##_min(uint16_t a, uint16_t b) {                                                      \
    return pattern_unless_nan(a, b, pattern_order(a) < pattern_order(b) ? a : b, infinity, quiet);                     \
  }                                                                                                                    \
  static inline uint16_t datatype##_max(uint16_t a, uint16_t b) {                                                      \
    return pattern_unless_nan(a, b, pattern_order(a) > pattern_order(b) ? a : b, infinity, quiet);                     \
  }

PATTERN_OPERATIONS(float16, 0x7c00, 0x0200)
PATTERN_OPERATIONS(bfloat16, 0x7f80, 0x0040)
#undef PATTERN_OPERATIONS

// ---- integers ---------------------------------------------------------------------------------------------

// In unsigned words no narrower than int, since signed overflow is undefined and what is narrower becomes int. The
// conversion back wraps (gcc and clang define it so).
#define INTEGER_OPERATIONS(datatype, type, word)                                                                       \
  static inline type datatype##_sum(type a, type b) {                                                                  \
    return (type)((word)a + (word)b);                                                                                  \
  }                                                                                                                    \
  static inline type datatype##_prod(type a, type b) {                                                                 \
    return (type)((word)a * (word)b);                                                                                  \
  }                                                                                                                    \
  static inline type datatype##_min(type a, type b) {                                                                  \
    return a < b ? a : b;                                                                                              \
  }                                                                                                                    \
  static inline type datatype##_max(type a, type b) {                                                                  \
    return a > b ? a : b;                                                                                              \
  }

INTEGER_OPERATIONS(int32, int32_t, uint32_t)
INTEGER_OPERATIONS(int64, int64_t, uint64_t)
INTEGER_OPERATIONS(uint8, uint8_t, uint32_t)
#undef INTEGER_OPERATIONS

// By floating point, since x86-64 has no vector integer division. A quotient that is no whole number misses one by at
// least 1 part in 2^31 (uint8: 2^8), and a double errs by 1 part in 2^53 (a float: 2^24), so it truncates correctly.
static inline int32_t int32_divide(int32_t value, double divisor) {
  return (int32_t)((double)value / divisor);
}
static inline uint8_t uint8_divide(uint8_t value, float divisor) {
  return (uint8_t)((float)value / divisor);
}
// A double is too narrow for this one. By magnitudes, so that every divisor fits.
static inline int64_t int64_divide(int64_t value, uint64_t divisor) {
  uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  uint64_t quotient = magnitude / divisor;
  return (int64_t)(value < 0 ? 0 - quotient : quotient);
}

#endif
