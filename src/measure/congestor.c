// Background traffic, as in GPCNet: some ranks congest while the others are measured.
//
// Chunduri et al.: GPCNeT: designing a benchmark suite for inducing and measuring contention in HPC networks. SC'19,
// doi:10.1145/3295500.3356215.
//
// Ours is made of the same schedules as what is measured:
//   incast    every congesting rank sends to the first of them, which adds: many into one
//   alltoall  every one sends a block to every other
//   ring      each sends to its right neighbour on a ring that is drawn from the seed, so that neighbours are random
//
// In each iteration the traffic begins a little earlier than the measured operation and must end later on every
// congesting rank; an iteration for which that is not so is flagged and not counted. How many operations that takes
// changes with what is measured, so rank 0 adapts it from batch to batch.
#include "measure/case_setup.h"

// By enum rs_congestor.
static const struct congestor congestors[] = {
    [RS_CONGESTOR_INCAST] = {"linear", RS_REDUCE, false},
    [RS_CONGESTOR_ALLTOALL] = {"pairwise", RS_ALLTOALL, false},
    [RS_CONGESTOR_RING] = {"ring", RS_SENDRECV, true},
};

#define REPEAT_MAX 1000000

const struct congestor *congestor_find(enum rs_congestor kind) {
  return kind == RS_CONGESTOR_NONE ? NULL : &congestors[kind];
}

void congestor_shuffle(uint32_t *members, size_t count, uint64_t seed) {
  struct rs_random random = {rs_hash64(seed)};
  for (size_t i = count; i > 1; i--) {
    size_t j = rs_random_below(&random, i);
    uint32_t swap = members[i - 1];
    members[i - 1] = members[j];
    members[j] = swap;
  }
}

// A third more than needed, since neither side is steady.
uint32_t congestor_repeat(uint32_t repeat, int64_t took_ns, int64_t needed_ns) {
  double each = (double)(took_ns > 0 ? took_ns : 1) / repeat;
  double wanted = 4.0 / 3.0 * (double)needed_ns / each + 1;
  return wanted < REPEAT_MAX ? (uint32_t)wanted : REPEAT_MAX;
}
