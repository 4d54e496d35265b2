// Quantities are computed in integers from the first digit to the last: a double would make 0.1s something else than
// 100000000 ns, and large sizes inexact.
#include "options/quantity.h"

#include "ringside/base.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)
#define SECOND_NS UINT64_C(1000000000)

const struct rs_unit rs_units_none[] = {{"", 1}, {NULL, 0}};

const struct rs_unit rs_units_size[] = {
    {"TiB", TIB},
    {"GiB", GIB},
    {"MiB", MIB},
    {"KiB", KIB},
    {"", 1}, // canonical up to here; the rest is only read
    {"B", 1},
    {"K", KIB},
    {"M", MIB},
    {"G", GIB},
    {"T", TIB},
    {"KB", 1000},
    {"MB", 1000000},
    {"GB", 1000000000},
    {"TB", UINT64_C(1000000000000)},
    {NULL, 0},
};

const struct rs_unit rs_units_duration[] = {
    {"h", 3600 * SECOND_NS},
    {"min", 60 * SECOND_NS},
    {"s", SECOND_NS},
    {"ms", SECOND_NS / 1000},
    {"us", 1000},
    {"ns", 1},
    {NULL, 0},
};

const struct rs_unit rs_units_rate[] = {
    {"Tbit/s", UINT64_C(1000000000000)},
    {"Gbit/s", 1000000000},
    {"Mbit/s", 1000000},
    {"kbit/s", 1000},
    {"bit/s", 1}, // canonical up to here
    {"Tbit", UINT64_C(1000000000000)},
    {"Gbit", 1000000000},
    {"Mbit", 1000000},
    {"kbit", 1000},
    {"bit", 1},
    {"Tbps", UINT64_C(1000000000000)},
    {"Gbps", 1000000000},
    {"Mbps", 1000000},
    {"kbps", 1000},
    {"bps", 1},
    {NULL, 0},
};

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static const struct rs_unit *find_unit(const struct rs_unit *units, const char *name) {
  for (; units->name != NULL; units++)
    if (strcasecmp(units->name, name) == 0)
      return units;
  return NULL;
}

// Adds one digit at the end of a decimal number; false on overflow.
static bool push_digit(uint64_t *number, char digit) {
  return !__builtin_mul_overflow(*number, UINT64_C(10), number) &&
         !__builtin_add_overflow(*number, (uint64_t)(digit - '0'), number);
}

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b) {
  while (b != 0) {
    uint64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

// Digits after the point as fraction / scale, without trailing zeros. False when there are more than 64 bits hold.
static bool scan_fraction(const char **text, uint64_t *fraction, uint64_t *scale) {
  const char *end = *text;
  while (is_digit(*end))
    end++;
  const char *significant = end;
  while (significant > *text && significant[-1] == '0')
    significant--;
  bool fits = true;
  for (const char *digit = *text; digit < significant && fits; digit++)
    fits = push_digit(fraction, *digit) && push_digit(scale, '0');
  *text = end;
  return fits;
}

enum rs_quantity_result rs_quantity_parse(const char *text, const struct rs_unit *units, uint64_t *value) {
  if (!is_digit(*text))
    return RS_QUANTITY_MALFORMED;
  uint64_t whole = 0, fraction = 0, scale = 1;
  bool whole_fits = true, fraction_fits = true;
  for (; is_digit(*text); text++)
    whole_fits = whole_fits && push_digit(&whole, *text);
  if (*text == '.') {
    text++;
    if (!is_digit(*text))
      return RS_QUANTITY_MALFORMED;
    fraction_fits = scan_fraction(&text, &fraction, &scale);
  }
  text += *text == ' ';
  const struct rs_unit *unit = find_unit(units, text);
  if (unit == NULL && *text != '\0')
    return RS_QUANTITY_MALFORMED;
  if (!whole_fits)
    return RS_QUANTITY_OVERFLOW;
  if (!fraction_fits)
    return RS_QUANTITY_INEXACT;
  if (unit == NULL) {
    if (whole != 0 || fraction != 0)
      return RS_QUANTITY_NO_UNIT;
    *value = 0;
    return RS_QUANTITY_OK;
  }

  // fraction / scale x factor is whole exactly when scale / common divides the fraction, as factor / common and
  // scale / common share no divisor. The quotient is below `common`, so that no product here exceeds the factor.
  uint64_t common = greatest_common_divisor(scale, unit->factor);
  if (fraction % (scale / common) != 0)
    return RS_QUANTITY_INEXACT;
  uint64_t part = fraction / (scale / common) * (unit->factor / common), result;
  if (__builtin_mul_overflow(whole, unit->factor, &result) || __builtin_add_overflow(result, part, &result))
    return RS_QUANTITY_OVERFLOW;
  *value = result;
  return RS_QUANTITY_OK;
}

const char *rs_quantity_format(uint64_t value, const struct rs_unit *units, char buffer[RS_QUANTITY_BYTES]) {
  if (value == 0)
    units = rs_units_none;
  while (value % units->factor != 0)
    units++;
  snprintf(buffer, RS_QUANTITY_BYTES, "%" PRIu64 "%s", value / units->factor, units->name);
  return buffer;
}
