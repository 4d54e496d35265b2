// gloo_shim: Gloo, which is C++, behind C. Knows nothing of ringside. Every call that can fail returns NULL or false
// and writes why into `reason`.
#ifndef RINGSIDE_BASELINE_GLOO_SHIM_H
#define RINGSIDE_BASELINE_GLOO_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum gloo_algorithm {
  GLOO_RING,             // gloo::allreduce, in segments of 1 MiB; what PyTorch calls
  GLOO_BCUBE,            // gloo::allreduce
  GLOO_RING_WHOLE,       // class AllreduceRing: the whole vector goes round
  GLOO_RING_CHUNKED,     // class AllreduceRingChunked
  GLOO_HALVING_DOUBLING, // class AllreduceHalvingDoubling
};
enum gloo_datatype { GLOO_FLOAT32, GLOO_FLOAT64, GLOO_FLOAT16, GLOO_INT32, GLOO_INT64, GLOO_UINT8 };
enum gloo_operation { GLOO_SUM, GLOO_MIN, GLOO_MAX, GLOO_PRODUCT };

struct gloo_reason {
  char text[500];
};

// A listening socket for every other rank, on the address of `interface`. No wait is longer than
// timeout_ms > 0.
struct gloo_shim;
struct gloo_shim *gloo_shim_open(int rank, int size, const char *interface, int64_t timeout_ms,
                                 struct gloo_reason *reason);
void gloo_shim_close(struct gloo_shim *shim); // NULL is fine

// The addresses of those sockets, one per rank, the own one's empty. `all` holds every rank's addresses, rank by rank.
size_t gloo_shim_address_bytes(void);
bool gloo_shim_addresses(const struct gloo_shim *shim, void *addresses, struct gloo_reason *reason);
bool gloo_shim_connect(struct gloo_shim *shim, const void *all, struct gloo_reason *reason);

// An allreduce of `count` > 0 elements, which stay where they are; the same pointers: in place. Needs two ranks or
// more.
struct gloo_allreduce {
  enum gloo_algorithm algorithm;
  enum gloo_datatype datatype;
  enum gloo_operation operation;
  void *input, *output;
  int count;
};
bool gloo_shim_prepare(struct gloo_shim *shim, const struct gloo_allreduce *allreduce, struct gloo_reason *reason);
bool gloo_shim_run(struct gloo_shim *shim, struct gloo_reason *reason); // what was prepared, once

#ifdef __cplusplus
}
#endif

#endif
