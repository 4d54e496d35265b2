// memory: where bytes live, and the only code that touches the content of a buffer: copy, reduce, fill, compare.
// GPU memory will be a new kind here, not a new design elsewhere.
#ifndef RINGSIDE_MEMORY_H
#define RINGSIDE_MEMORY_H

#include "ringside/base.h"

enum rs_memory_kind {
  RS_MEMORY_HOST,      // page-aligned, touched, so that no page fault is left for the timed region
  RS_MEMORY_HOST_HUGE, // the same on 2 MiB boundaries with transparent huge pages asked for
  // The same as HOST_HUGE from 2 MiB on, and as HOST below, of a memfd: other processes that are given the descriptor
  // map the same pages.
  RS_MEMORY_HOST_SHARED,
};
extern const char *const rs_memory_kind_names[]; // NULL-terminated, indexed by the enum

// A piece of memory. `address` is meaningful only to code that knows `kind`; others pass it on.
struct rs_buffer {
  void *address;
  size_t bytes;
  enum rs_memory_kind kind;
  int device; // the descriptor of HOST_SHARED, which belongs to the buffer; the ordinal of a GPU; -1 for other memory
};
// Whether processors reach it at `address`.
static inline bool rs_buffer_is_host(const struct rs_buffer *buffer) {
  return buffer->kind == RS_MEMORY_HOST || buffer->kind == RS_MEMORY_HOST_HUGE || buffer->kind == RS_MEMORY_HOST_SHARED;
}

// Opens a zeroed buffer; bytes may be 0 (address is then not NULL but must not be read). RS_ERROR_MEMORY with the
// bytes asked for.
enum rs_status rs_buffer_open(enum rs_memory_kind kind, size_t bytes, struct rs_buffer *buffer, struct rs_error *error);
void rs_buffer_close(struct rs_buffer *buffer); // {0} is fine; leaves {0}

enum rs_datatype { RS_FLOAT32, RS_FLOAT64, RS_FLOAT16, RS_BFLOAT16, RS_INT32, RS_INT64, RS_UINT8, RS_DATATYPE_COUNT };
extern const char *const rs_datatype_names[]; // NULL-terminated: "float32", "float64", and so on
size_t rs_datatype_bytes(enum rs_datatype datatype);

enum rs_operation { RS_SUM, RS_AVG, RS_MIN, RS_MAX, RS_PROD, RS_OPERATION_COUNT };
extern const char *const rs_operation_names[]; // NULL-terminated: "sum", "avg", "min", "max", "prod"

// float16 (IEEE 754 binary16) and bfloat16 conversions, round to nearest even, subnormals kept, NaN stays NaN.
float rs_float16_to_float32(uint16_t value);
uint16_t rs_float32_to_float16(float value);
float rs_bfloat16_to_float32(uint16_t value);
uint16_t rs_float32_to_bfloat16(float value);

// The host kernels. Pointers are aligned to the element; dst may equal a or b, otherwise nothing overlaps.
// copy: dst[i] = src[i].
void rs_kernel_copy(void *dst, const void *src, size_t bytes);
// reduce: dst[i] = a[i] (+) b[i] for `count` elements; AVG adds here and divides in rs_kernel_finish. 16-bit types
// compute in float32 and round once per call and element; integers wrap around (two's complement; uint8 modulo 256). A
// NaN operand comes out, made quiet; MIN and MAX hold -0 below +0. So every operation commutes bit for bit, except
// that of two NaNs either may come out.
void rs_kernel_reduce(enum rs_datatype datatype, enum rs_operation operation, void *dst, const void *a, const void *b,
                      size_t count);
// finish: what an operation does once, last, to a value that holds all `rank_count` > 0 contributions: AVG divides by
// rank_count (integers truncate towards zero, exactly; 16-bit types round once); the others do nothing.
void rs_kernel_finish(enum rs_datatype datatype, enum rs_operation operation, void *data, size_t count,
                      size_t rank_count);

// The kernels above come in sets, one per kind of processor: "portable", "avx2", "avx512". The portable one defines
// every result, the others give the same bits (but for the choice between two NaNs); reduce and finish use the best
// that this processor runs.
size_t rs_kernel_set_count(void); // of this build; the best first, "portable" last
const char *rs_kernel_set_name(size_t set);
bool rs_kernel_set_runs(size_t set); // whether this processor (and its operating system) has what the set needs
// reduce and finish by one set, which must run here.
void rs_kernel_set_reduce(size_t set, enum rs_datatype datatype, enum rs_operation operation, void *dst, const void *a,
                          const void *b, size_t count);
void rs_kernel_set_finish(size_t set, enum rs_datatype datatype, enum rs_operation operation, void *data, size_t count,
                          size_t rank_count);

#endif
