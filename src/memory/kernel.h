// A kernel set: the loops over elements, one per operation and datatype, for one kind of processor. The portable set
// defines every result; another set gives the same bits. (Of two NaNs either may come out, made quiet.)
#ifndef MEMORY_KERNEL_H
#define MEMORY_KERNEL_H

#include "ringside/memory.h"

// dst[i] = a[i] (+) b[i]. dst may equal a or b; otherwise nothing overlaps.
typedef void rs_reduce_kernel(void *dst, const void *a, const void *b, size_t count);
// data[i] = data[i] / divisor; divisor > 0. Integers truncate towards zero.
typedef void rs_divide_kernel(void *data, size_t count, size_t divisor);

struct rs_kernel_set {
  const char *name;
  rs_reduce_kernel *reduce[RS_OPERATION_COUNT][RS_DATATYPE_COUNT];
  rs_divide_kernel *divide[RS_DATATYPE_COUNT];
};

extern const struct rs_kernel_set rs_kernel_portable;
#ifdef __x86_64__
extern const struct rs_kernel_set rs_kernel_avx2;
extern const struct rs_kernel_set rs_kernel_avx512;
#endif

#endif
