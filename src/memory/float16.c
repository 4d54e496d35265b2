// The conversions of memory.h for callers outside this module; float16.h holds them for the kernels.
#include "memory/float16.h"

#include "ringside/memory.h"

float rs_float16_to_float32(uint16_t value) {
  return float16_widen(value);
}

uint16_t rs_float32_to_float16(float value) {
  return float16_round(value);
}

float rs_bfloat16_to_float32(uint16_t value) {
  return bfloat16_widen(value);
}

uint16_t rs_float32_to_bfloat16(float value) {
  return bfloat16_round(value);
}
