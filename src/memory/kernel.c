// Datatypes, operations, and the choice of the kernel set that serves them.
#include "memory/kernel.h"

#include <assert.h>
#include <string.h>

const char *const rs_datatype_names[] = {
    [RS_FLOAT32] = "float32", [RS_FLOAT64] = "float64", [RS_FLOAT16] = "float16", [RS_BFLOAT16] = "bfloat16",
    [RS_INT32] = "int32",     [RS_INT64] = "int64",     [RS_UINT8] = "uint8",     NULL,
};

const char *const rs_operation_names[] = {
    [RS_SUM] = "sum", [RS_AVG] = "avg", [RS_MIN] = "min", [RS_MAX] = "max", [RS_PROD] = "prod", NULL,
};

static const size_t datatype_bytes[] = {
    [RS_FLOAT32] = 4, [RS_FLOAT64] = 8, [RS_FLOAT16] = 2, [RS_BFLOAT16] = 2,
    [RS_INT32] = 4,   [RS_INT64] = 8,   [RS_UINT8] = 1,
};

// ---- the sets of this build -------------------------------------------------------------------------------

// The compiler's run-time library asks the processor, and whether the operating system saves the registers, once before
// main; here it costs a load and a test.
#ifdef __x86_64__
static bool runs_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

// F16C, which clang 14 cannot ask for, is older than AVX2 and in every processor that has it.
static bool runs_avx2(void) {
  return __builtin_cpu_supports("avx2");
}
#endif

static bool runs_anywhere(void) {
  return true;
}

static const struct {
  const struct rs_kernel_set *kernels;
  bool (*runs)(void);
} sets[] = {
#ifdef __x86_64__
    {&rs_kernel_avx512, runs_avx512},
    {&rs_kernel_avx2, runs_avx2},
#endif
    {&rs_kernel_portable, runs_anywhere},
};

size_t rs_kernel_set_count(void) {
  return RS_ARRAY_LENGTH(sets);
}

const char *rs_kernel_set_name(size_t set) {
  assert(set < RS_ARRAY_LENGTH(sets));
  return sets[set].kernels->name;
}

bool rs_kernel_set_runs(size_t set) {
  assert(set < RS_ARRAY_LENGTH(sets));
  return sets[set].runs();
}

static size_t best_set(void) {
  size_t set = 0;
  while (!sets[set].runs())
    set++;
  return set;
}

// ---- the kernels ------------------------------------------------------------------------------------------

size_t rs_datatype_bytes(enum rs_datatype datatype) {
  assert(datatype < RS_DATATYPE_COUNT);
  return datatype_bytes[datatype];
}

void rs_kernel_copy(void *dst, const void *src, size_t bytes) {
  if (bytes > 0 && dst != src)
    memcpy(dst, src, bytes);
}

void rs_kernel_set_reduce(size_t set, enum rs_datatype datatype, enum rs_operation operation, void *dst, const void *a,
                          const void *b, size_t count) {
  assert(rs_kernel_set_runs(set) && datatype < RS_DATATYPE_COUNT && operation < RS_OPERATION_COUNT);
  sets[set].kernels->reduce[operation][datatype](dst, a, b, count);
}

void rs_kernel_set_finish(size_t set, enum rs_datatype datatype, enum rs_operation operation, void *data, size_t count,
                          size_t rank_count) {
  assert(rs_kernel_set_runs(set) && datatype < RS_DATATYPE_COUNT && operation < RS_OPERATION_COUNT && rank_count > 0);
  if (operation == RS_AVG)
    sets[set].kernels->divide[datatype](data, count, rank_count);
}

void rs_kernel_reduce(enum rs_datatype datatype, enum rs_operation operation, void *dst, const void *a, const void *b,
                      size_t count) {
  rs_kernel_set_reduce(best_set(), datatype, operation, dst, a, b, count);
}

void rs_kernel_finish(enum rs_datatype datatype, enum rs_operation operation, void *data, size_t count,
                      size_t rank_count) {
  rs_kernel_set_finish(best_set(), datatype, operation, data, count, rank_count);
}
