// The kernels for x86-64 with AVX2 and F16C: Intel since 2013, AMD since 2015.
#include "memory/kernel.h"

#ifdef __x86_64__
#include <immintrin.h>

static void widen_float16(float *wide, const uint16_t *narrow, size_t count) {
  size_t i = 0;
  for (; count - i >= 8; i += 8)
    _mm256_storeu_ps(wide + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(narrow + i))));
  for (; i < count; i++)
    wide[i] = _cvtsh_ss(narrow[i]);
}

static void round_float16(uint16_t *narrow, const float *wide, size_t count) {
  size_t i = 0;
  for (; count - i >= 8; i += 8)
    _mm_storeu_si128((__m128i *)(narrow + i), _mm256_cvtps_ph(_mm256_loadu_ps(wide + i), _MM_FROUND_TO_NEAREST_INT));
  for (; i < count; i++)
    narrow[i] = _cvtss_sh(wide[i], _MM_FROUND_TO_NEAREST_INT);
}

#define KERNEL_SET rs_kernel_avx2
#define KERNEL_SET_NAME "avx2"
#include "memory/kernel_loops.h"
#endif
