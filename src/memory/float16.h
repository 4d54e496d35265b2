// The 16-bit floating-point formats, inline and free of branches so that the kernels' loops over them vectorise.
//
//   float16  (IEEE 754 binary16)  1 sign, 5 exponent (bias 15), 10 significand bits
//   bfloat16                      1 sign, 8 exponent (bias 127), 7 significand bits: the upper half of a float32
//
// Rounding is to nearest, ties to even; subnormals are kept; a NaN stays a NaN, is made quiet where a conversion
// computes, and keeps the leading bits of its payload. The processors' own conversions (F16C, Arm FCVT) give these
// bits, so the vector kernels use them. Assumes the default rounding mode.
#ifndef MEMORY_FLOAT16_H
#define MEMORY_FLOAT16_H

#include <stdint.h>
#include <string.h>

static inline uint32_t float32_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

static inline float float32_from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

// `yes` or `no` by mask. Written as a conditional, gcc moves the float arithmetic of one side into a branch, and then
// does not vectorise.
static inline uint32_t select_bits(int condition, uint32_t yes, uint32_t no) {
  uint32_t mask = (uint32_t)-condition;
  return (yes & mask) | (no & ~mask);
}

// As float32 bits: 2^-14, the smallest normal float16; 2^16, from where on all is infinite; and what the exponent field
// gains by the larger bias.
#define FLOAT16_MIN_NORMAL ((UINT32_C(127) - 14) << 23)
#define FLOAT16_OVERFLOW ((UINT32_C(127) + 16) << 23)
#define FLOAT16_REBIAS ((UINT32_C(127) - 15) << 23)

static inline float float16_widen(uint16_t value) {
  uint32_t sign = (uint32_t)(value & 0x8000) << 16;
  uint32_t magnitude = value & 0x7fff;
  uint32_t normal = (magnitude << 13) + FLOAT16_REBIAS;
  // Exponent 31 becomes 255: the bias is added a second time. A NaN is made quiet.
  uint32_t special = (normal + FLOAT16_REBIAS) | select_bits(magnitude > 0x7c00, 0x00400000, 0);
  // A subnormal is m x 2^-24. Under the exponent of 2^-14, m is the fraction of 2^-14 + m x 2^-24; the subtraction is
  // exact and has normal operands only, so it holds even where the processor flushes subnormals.
  float shifted = float32_from_bits((magnitude << 13) + FLOAT16_MIN_NORMAL);
  uint32_t subnormal = float32_bits(shifted - float32_from_bits(FLOAT16_MIN_NORMAL));
  uint32_t finite = select_bits(magnitude < 0x0400, subnormal, normal);
  return float32_from_bits(sign | select_bits(magnitude >= 0x7c00, special, finite));
}

static inline uint16_t float16_round(float value) {
  uint32_t bits = float32_bits(value);
  uint32_t sign = bits >> 16 & 0x8000;
  uint32_t magnitude = bits & 0x7fffffff;
  // Add just under half a unit of the last place kept, and one more when that place is odd: ties go to even. A carry
  // runs into the exponent, as it should, up to infinity.
  uint32_t normal = (magnitude - FLOAT16_REBIAS + 0x0fff + (magnitude >> 13 & 1)) >> 13;
  // Floats from 0.5 to 1 are 2^-24 apart, as float16 subnormals are: adding 0.5 makes the hardware round there.
  uint32_t subnormal = float32_bits(float32_from_bits(magnitude) + 0.5f) - float32_bits(0.5f);
  uint32_t finite = select_bits(magnitude < FLOAT16_MIN_NORMAL, subnormal, normal);
  uint32_t nan = 0x7e00 | (magnitude >> 13 & 0x03ff);
  uint32_t special = select_bits(magnitude > 0x7f800000, nan, 0x7c00);
  return (uint16_t)(sign | select_bits(magnitude >= FLOAT16_OVERFLOW, special, finite));
}

static inline float bfloat16_widen(uint16_t value) {
  return float32_from_bits((uint32_t)value << 16);
}

static inline uint16_t bfloat16_round(float value) {
  uint32_t bits = float32_bits(value);
  uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1); // as in float16_round
  uint32_t quiet = bits | 0x00400000;
  return (uint16_t)(select_bits(value != value, quiet, rounded) >> 16);
}

#endif
