// The kernels for x86-64 with AVX-512 F, BW, DQ and VL: Intel servers since 2017, AMD since 2022. AVX512-BF16 has a
// conversion to bfloat16, but it flushes subnormals, so it does not serve here.
#include "memory/kernel.h"

#ifdef __x86_64__
#include <immintrin.h>

#define FLOAT16_RUN 16
#define FLOAT16_LOOP

static inline __m512 widen_float16(const uint16_t *narrow) {
  return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)narrow));
}

static inline void round_float16(uint16_t *narrow, __m512 wide) {
  _mm256_storeu_si256((__m256i *)narrow, _mm512_cvtps_ph(wide, _MM_FROUND_TO_NEAREST_INT));
}

#define KERNEL_SET rs_kernel_avx512
#define KERNEL_SET_NAME "avx512"
#include "memory/kernel_loops.h"
#endif
