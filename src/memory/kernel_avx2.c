// The kernels for x86-64 with AVX2 and F16C: Intel since 2013, AMD since 2015.
#include "memory/kernel.h"

#ifdef __x86_64__
#include <immintrin.h>

#define FLOAT16_RUN 8
#define FLOAT16_LOOP

static inline __m256 widen_float16(const uint16_t *narrow) {
  return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)narrow));
}

static inline void round_float16(uint16_t *narrow, __m256 wide) {
  _mm_storeu_si128((__m128i *)narrow, _mm256_cvtps_ph(wide, _MM_FROUND_TO_NEAREST_INT));
}

#define KERNEL_SET rs_kernel_avx2
#define KERNEL_SET_NAME "avx2"
#include "memory/kernel_loops.h"
#endif
