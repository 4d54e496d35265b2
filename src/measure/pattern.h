// pattern: the tables behind verifiable input. pattern.c makes them, pattern_check.c fills and checks with them.
#ifndef MEASURE_PATTERN_H
#define MEASURE_PATTERN_H

#include "ringside/measure.h"

#define CYCLE 63
#define PERIOD ((size_t)CYCLE * 1021)

// PERIOD elements each, in one allocation that `input` starts.
struct rs_pattern {
  enum rs_datatype datatype;
  bool reduces;
  unsigned char *input;  // what this rank contributes; where data is moved, what all ranks' streams are made from
  unsigned char *result; // everybody's contributions joined; unused where data is moved
  unsigned char *zeros;
};

#define EVEN_BYTES UINT64_C(0xfefefefefefefefe)

// The byte that poisons an output, repeated: a NaN in the floating-point types, far below all results in int32 and
// int64, and in uint8 a value that pattern.c avoids. It is odd, and the bytes of moved data are even.
unsigned char pattern_poison(enum rs_datatype datatype);

#endif
