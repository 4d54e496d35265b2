// Internal to options: whole numbers with a unit, such as 64KiB and 1.5s, read and written exactly.
#ifndef RINGSIDE_OPTIONS_QUANTITY_H
#define RINGSIDE_OPTIONS_QUANTITY_H

#include <stddef.h>
#include <stdint.h>

// One spelling of a unit. A table ends with a NULL name; "" is the unit of a bare number. The canonical spellings come
// first, largest first and down to factor 1, as rs_quantity_format takes the first that divides.
struct rs_unit {
  const char *name;
  uint64_t factor;
};
extern const struct rs_unit rs_units_none[];
extern const struct rs_unit rs_units_size[];
extern const struct rs_unit rs_units_duration[];
extern const struct rs_unit rs_units_rate[];

enum rs_quantity_result {
  RS_QUANTITY_OK,
  RS_QUANTITY_MALFORMED,
  RS_QUANTITY_NO_UNIT,  // a bare number where a unit is needed; a bare 0 is fine
  RS_QUANTITY_INEXACT,  // not a whole multiple of the smallest unit
  RS_QUANTITY_OVERFLOW, // above UINT64_MAX
};

// Reads DIGITS[.DIGITS][ ][UNIT]; units are compared without case. *value is written on OK only.
enum rs_quantity_result rs_quantity_parse(const char *text, const struct rs_unit *units, uint64_t *value);

#define RS_QUANTITY_BYTES 32
// Writes the shortest whole number with a unit that reads back as `value`. Returns `buffer`.
const char *rs_quantity_format(uint64_t value, const struct rs_unit *units, char buffer[RS_QUANTITY_BYTES]);

#endif
