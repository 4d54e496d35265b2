// Datatypes, operations, and the choice of the kernel set that serves them.
#include "memory/kernel.h"

#include <assert.h>
#include <string.h>

const char *const rs_datatype_names[] = {
    [RS_FLOAT32] = "float32",   [RS_FLOAT64] = "float64", [RS_FLOAT16] = "float16",
    [RS_BFLOAT16] = "bfloat16", [RS_INT32] = "int32",     NULL,
};

const char *const rs_operation_names[] = {[RS_SUM] = "sum", [RS_AVG] = "avg", NULL};

static const size_t datatype_bytes[] = {
    [RS_FLOAT32] = 4, [RS_FLOAT64] = 8, [RS_FLOAT16] = 2, [RS_BFLOAT16] = 2, [RS_INT32] = 4,
};

// The sets of this build, the fastest first; the last one runs anywhere.
static const struct rs_kernel_set *const sets[] = {&rs_kernel_portable};

size_t rs_datatype_bytes(enum rs_datatype datatype) {
  assert(datatype < RS_DATATYPE_COUNT);
  return datatype_bytes[datatype];
}

void rs_kernel_copy(void *dst, const void *src, size_t bytes) {
  if (bytes > 0 && dst != src)
    memcpy(dst, src, bytes);
}

// Every operation so far adds here. Addition commutes, so of the two aliases only dst == a reaches the set.
void rs_kernel_reduce(enum rs_datatype datatype, enum rs_operation operation, void *dst, const void *a, const void *b,
                      size_t count) {
  assert(datatype < RS_DATATYPE_COUNT && operation < RS_OPERATION_COUNT && (a != b || count == 0));
  (void)operation;
  const void *left = dst == b ? b : a, *right = dst == b ? a : b;
  sets[0]->add[datatype](dst, left, right, count);
}

void rs_kernel_finish(enum rs_datatype datatype, enum rs_operation operation, void *data, size_t count,
                      size_t rank_count) {
  assert(datatype < RS_DATATYPE_COUNT && operation < RS_OPERATION_COUNT && rank_count > 0);
  if (operation == RS_AVG)
    sets[0]->divide[datatype](data, count, rank_count);
}
