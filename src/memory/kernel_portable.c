// The kernels for any processor. They define every result.
#include "memory/element.h"

static void widen_float16(float *wide, const uint16_t *narrow, size_t count) {
#pragma omp simd
  for (size_t i = 0; i < count; i++)
    wide[i] = float16_widen(narrow[i]);
}

static void round_float16(uint16_t *narrow, const float *wide, size_t count) {
#pragma omp simd
  for (size_t i = 0; i < count; i++)
    narrow[i] = float16_round(wide[i]);
}

#define KERNEL_SET rs_kernel_portable
#define KERNEL_SET_NAME "portable"
#include "memory/kernel_loops.h"
