// What all ranks of verifiable input contribute, as whole numbers, and what the kernels make of them. The numbers are
// read from each rank's int32 input.
#ifndef RINGSIDE_TESTS_PATTERN_RANKS_H
#define RINGSIDE_TESTS_PATTERN_RANKS_H

#include "ringside/measure.h"

#define PATTERN_PERIOD ((size_t)63 * 1021)
#define PATTERN_WINDOW 64
#define PATTERN_HEAD (3 * PATTERN_WINDOW) // elements 0 .. PATTERN_HEAD-1, and then:
#define PATTERN_WINDOWS 7                 // slices somewhere, and over the end of the period
#define PATTERN_KEPT (PATTERN_HEAD + PATTERN_WINDOWS * PATTERN_WINDOW)

// Elements kept of each rank, and of their joined result.
struct pattern_ranks {
  size_t count;
  enum rs_operation operation; // an average is read as a sum
  int32_t *values;             // [rank][PATTERN_KEPT]
  int64_t *results;            // [PATTERN_KEPT]
  int64_t *period;             // the results of one whole period
};

// Numbers of ranks to try, rising.
#define PATTERN_RANK_COUNTS 15
extern const size_t pattern_rank_counts[PATTERN_RANK_COUNTS];

// These end the test where something fails.
struct rs_pattern *pattern_open(enum rs_collective collective, enum rs_datatype datatype, enum rs_operation operation,
                                size_t rank, size_t n);
void pattern_ranks_read(struct pattern_ranks *ranks, enum rs_operation operation, size_t n);
void pattern_ranks_free(struct pattern_ranks *ranks);
const int32_t *pattern_values(const struct pattern_ranks *ranks, size_t rank);

// An even cut, root 0, no partners.
struct rs_shape pattern_shape(enum rs_collective collective, enum rs_datatype datatype, size_t rank, size_t n,
                              uint64_t count);
// The whole input of a rank that takes part in an allreduce.
void pattern_read(enum rs_datatype datatype, enum rs_operation operation, size_t rank, size_t n, void *input,
                  uint64_t count);

// The number as element i.
void pattern_store(enum rs_datatype datatype, void *data, size_t i, int64_t number);

// Ends the test unless a random rank fills the same numbers in this datatype, and the kernels give the exact result in
// a random order, which the pattern's check accepts.
void pattern_try_exactness(const struct pattern_ranks *ranks, enum rs_datatype datatype, enum rs_operation operation,
                           struct rs_random *random);

// A fault: rank `victim` comes `times` times, and `substitute` once more unless it is SIZE_MAX.
struct pattern_fault {
  size_t victim, times, substitute;
};
// Ends the test unless the kernels' result of `count` kept elements (at most PATTERN_HEAD) from `start` on is another
// one then.
void pattern_try_fault(const struct pattern_ranks *ranks, enum rs_datatype datatype, enum rs_operation operation,
                       const struct pattern_fault *fault, size_t start, size_t count, struct rs_random *random);

// Whether, anywhere in the period, PATTERN_WINDOW elements of the table look like those unit x 2^k further on.
bool pattern_looks_displaced(const int64_t *table, size_t unit);

// Whether the pattern can verify it.
bool pattern_verifiable(enum rs_datatype datatype, enum rs_operation operation);

#endif
