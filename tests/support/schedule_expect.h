// Assertions on schedules.
#ifndef RINGSIDE_TESTS_SCHEDULE_EXPECT_H
#define RINGSIDE_TESTS_SCHEDULE_EXPECT_H

#include "support/schedule_trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static inline struct rs_proof expect_proof(const struct trace *trace) {
  struct rs_proof proof;
  struct rs_error error = {0};
  if (rs_verify(trace->algorithm, &trace->params, &proof, &error) != RS_OK) {
    fail_msg("%s (root %u)", error.text, trace->params.root);
  }
  return proof;
}

static inline void expect_picture(const struct trace *trace, const char *expected) {
  struct rs_text text = {0};
  trace_picture(trace, &text);
  assert_string_equal(text.data, expected);
  rs_text_fini(&text);
}

static inline void expect_export(const struct trace *trace, const char *expected) {
  struct rs_text text = {0};
  rs_schedule_export(trace->algorithm, &trace->params, &text);
  assert_string_equal(text.data, expected);
  rs_text_fini(&text);
}

// Every rank ends with what rank 0 has, added in the same order, hence with the same bits.
static inline void expect_same_sums(const struct trace *trace) {
  uint64_t *outputs = trace_run(trace);
  for (uint32_t rank = 0; rank < trace->params.rank_count; rank++) {
    for (uint32_t place = 0; place < trace->parts; place++) {
      if (outputs[place] == 0 || outputs[rank * trace->parts + place] != outputs[place]) {
        fail_msg("%s on %u ranks: output[%u] of rank %u was added in another order than rank 0's",
                 trace->algorithm->name, trace->params.rank_count, place, rank);
      }
    }
  }
  free(outputs);
}

#endif
