// A kernel set: the loops over elements, one per datatype, for one kind of processor. The portable set defines every
// result; another set gives the same bits or is not used. (Which NaN comes out of two is not defined.)
#ifndef MEMORY_KERNEL_H
#define MEMORY_KERNEL_H

#include "ringside/memory.h"

struct rs_kernel_set {
  const char *name;
  // dst[i] = a[i] + b[i]. dst may equal a; otherwise nothing overlaps.
  void (*add[RS_DATATYPE_COUNT])(void *dst, const void *a, const void *b, size_t count);
  // data[i] = data[i] / divisor; divisor > 0. Integers truncate towards zero.
  void (*divide[RS_DATATYPE_COUNT])(void *data, size_t count, size_t divisor);
};

extern const struct rs_kernel_set rs_kernel_portable;

#endif
