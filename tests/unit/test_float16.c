// The 16-bit conversions: all 2^16 patterns, every rounding boundary, and float32 values against a reference in
// doubles.
#include "ringside/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct format {
  const char *name;
  int significand_bits, min_exponent; // stored bits; exponent of the smallest normal value
  uint16_t infinity;
  float (*widen)(uint16_t value);
  uint16_t (*round)(float value);
};
static const struct format formats[] = {
    {"float16", 10, -14, 0x7c00, rs_float16_to_float32, rs_float32_to_float16},
    {"bfloat16", 7, -126, 0x7f80, rs_bfloat16_to_float32, rs_float32_to_bfloat16},
};

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

static float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

// The value of a finite pattern by the definition of the format.
static double reference_widen(const struct format *format, uint16_t pattern) {
  int magnitude = pattern & 0x7fff, exponent = magnitude >> format->significand_bits;
  int fraction = magnitude & ((1 << format->significand_bits) - 1);
  int lead = exponent > 0 ? 1 << format->significand_bits : 0;
  int scale = format->min_exponent - format->significand_bits + (exponent > 0 ? exponent - 1 : 0);
  return copysign(ldexp(lead + fraction, scale), pattern & 0x8000 ? -1 : 1);
}

// The nearest pattern, found by scaling to a whole number of units and rounding that (rint: ties to even).
static uint16_t reference_round(const struct format *format, float value) {
  uint16_t sign = signbit(value) ? 0x8000 : 0;
  int exponent;
  double magnitude = fabs((double)value);
  if (isinf(value))
    return sign | format->infinity;
  (void)frexp(magnitude, &exponent);
  if (magnitude == 0)
    exponent = format->min_exponent; // frexp says 0
  int scale = (exponent - 1 > format->min_exponent ? exponent - 1 : format->min_exponent) - format->significand_bits;
  double units = rint(ldexp(magnitude, -scale));
  // Units of a binade, plus the binades below it: a carry lands in the next binade by itself.
  double pattern = units + ldexp(scale + format->significand_bits - format->min_exponent, format->significand_bits);
  return (uint16_t)(sign | (pattern < format->infinity ? (uint16_t)pattern : format->infinity));
}

static void every_pattern_widens_exactly_and_comes_back(void **state) {
  (void)state;
  for (size_t f = 0; f < RS_ARRAY_LENGTH(formats); f++) {
    const struct format *format = &formats[f];
    for (uint32_t p = 0; p <= UINT16_MAX; p++) {
      uint16_t pattern = (uint16_t)p;
      float wide = format->widen(pattern);
      if ((pattern & 0x7fff) > format->infinity) {
        assert_true(isnan(wide));
        uint16_t quiet = (uint16_t)(pattern | 1 << (format->significand_bits - 1));
        assert_int_equal(format->round(wide), quiet); // sign and payload survive
      } else {
        if ((pattern & 0x7fff) == format->infinity)
          assert_true(isinf(wide));
        else if ((double)wide != reference_widen(format, pattern))
          fail_msg("%s 0x%04x widens to %g, not %g", format->name, p, (double)wide, reference_widen(format, pattern));
        assert_int_equal(!!signbit(wide), pattern >> 15);
        assert_int_equal(format->round(wide), pattern);
      }
    }
  }
}

// Between two neighbours lies one midpoint: it goes to the even one, its float32 neighbours to either side.
static void every_boundary_rounds_to_nearest_even(void **state) {
  (void)state;
  for (size_t f = 0; f < RS_ARRAY_LENGTH(formats); f++) {
    const struct format *format = &formats[f];
    for (uint16_t low = 0; low < format->infinity; low++) {
      uint16_t high = (uint16_t)(low + 1), even = low % 2 ? high : low;
      // Where `high` is infinity, the midpoint lies where the next value would be, were there one.
      double above = high == format->infinity
                         ? 2 * reference_widen(format, low) - reference_widen(format, (uint16_t)(low - 1))
                         : reference_widen(format, high);
      float middle = (float)((reference_widen(format, low) + above) / 2);
      for (uint16_t sign = 0;; sign = 0x8000) {
        float signed_middle = sign ? -middle : middle;
        assert_int_equal(format->round(signed_middle), sign | even);
        assert_int_equal(format->round(nextafterf(signed_middle, 0)), sign | low);
        assert_int_equal(format->round(nextafterf(signed_middle, sign ? -INFINITY : INFINITY)), sign | high);
        if (sign)
          break;
      }
    }
  }
}

static void float32_values_round_as_the_reference_does(void **state) {
  (void)state;
  for (size_t f = 0; f < RS_ARRAY_LENGTH(formats); f++) {
    // A prime step visits every exponent, and every residue of the low bits, about 8 million times in all.
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += 521) {
      float value = float_of((uint32_t)bits);
      uint16_t found = formats[f].round(value);
      if (isnan(value))
        assert_true(isnan(formats[f].widen(found)));
      else if (found != reference_round(&formats[f], value))
        fail_msg("%s of 0x%08x is 0x%04x, not 0x%04x", formats[f].name, (unsigned)bits, found,
                 reference_round(&formats[f], value));
    }
  }
}

static void a_nan_never_rounds_to_infinity(void **state) {
  (void)state;
  // Payloads that sit only in the bits that rounding drops, and one whose rounding would carry out of the word.
  const uint32_t patterns[] = {0x7f800001, 0xff800001, 0x7f801fff, 0x7f80ffff, 0x7fffffff, 0xffffffff};
  for (size_t f = 0; f < RS_ARRAY_LENGTH(formats); f++)
    for (size_t p = 0; p < RS_ARRAY_LENGTH(patterns); p++) {
      uint16_t rounded = formats[f].round(float_of(patterns[p]));
      assert_true((rounded & 0x7fff) > formats[f].infinity);
      assert_int_equal(rounded >> 15, patterns[p] >> 31);
      assert_true(bits_of(formats[f].widen(rounded)) >> 22 & 1); // quiet
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_pattern_widens_exactly_and_comes_back),
      cmocka_unit_test(every_boundary_rounds_to_nearest_even),
      cmocka_unit_test(float32_values_round_as_the_reference_does),
      cmocka_unit_test(a_nan_never_rounds_to_infinity),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
