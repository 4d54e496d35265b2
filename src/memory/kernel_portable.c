// The kernels for any processor. They define every result.
#include "memory/element.h"

#define FLOAT16_RUN 1
#define FLOAT16_LOOP _Pragma("omp simd")

static inline float widen_float16(const uint16_t *narrow) {
  return float16_widen(*narrow);
}

static inline void round_float16(uint16_t *narrow, float wide) {
  *narrow = float16_round(wide);
}

#define KERNEL_SET rs_kernel_portable
#define KERNEL_SET_NAME "portable"
#include "memory/kernel_loops.h"
