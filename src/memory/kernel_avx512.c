// The kernels for x86-64 with AVX-512 F, BW, DQ and VL: Intel servers since 2017, AMD since 2022. AVX512-BF16 has a
// conversion to bfloat16, but it flushes subnormals, so it does not serve here.
#include "memory/kernel.h"

#ifdef __x86_64__
#include <immintrin.h>

static void widen_float16(float *wide, const uint16_t *narrow, size_t count) {
  size_t i = 0;
  for (; count - i >= 16; i += 16)
    _mm512_storeu_ps(wide + i, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(narrow + i))));
  __mmask16 rest = (__mmask16)((1U << (count - i)) - 1); // masked: no memory outside is touched
  _mm512_mask_storeu_ps(wide + i, rest, _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(rest, narrow + i)));
}

static void round_float16(uint16_t *narrow, const float *wide, size_t count) {
  size_t i = 0;
  for (; count - i >= 16; i += 16)
    _mm256_storeu_si256((__m256i *)(narrow + i), _mm512_cvtps_ph(_mm512_loadu_ps(wide + i), _MM_FROUND_TO_NEAREST_INT));
  __mmask16 rest = (__mmask16)((1U << (count - i)) - 1);
  __m512 values = _mm512_maskz_loadu_ps(rest, wide + i);
  _mm256_mask_storeu_epi16(narrow + i, rest, _mm512_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT));
}

#define KERNEL_SET rs_kernel_avx512
#define KERNEL_SET_NAME "avx512"
#include "memory/kernel_loops.h"
#endif
