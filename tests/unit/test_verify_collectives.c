// rs_verify: what each collective asks for at the end. A small right schedule of each, and wrong ones that hand the
// right number of bytes to the right ranks, but are another rank's data, lack somebody's, or lie where nothing belongs.
#include "support/schedule_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define IN SCRIPT_IN
#define OUT SCRIPT_OUT
#define TMP SCRIPT_TMP
#define SEND SCRIPT_SEND
#define RECV SCRIPT_RECV
#define ADD_RECV SCRIPT_ADD_RECV
#define COPY SCRIPT_COPY

// One schedule. `why`: what the refusal says; NULL: it is right.
struct row {
  uint32_t line_count;
  const struct script_line *lines;
  const char *why;
};
#define ROW(array, words)                                                                                              \
  { RS_ARRAY_LENGTH(array), (array), (words) }

static void check_rows(struct script script, const struct row *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct rs_error error;
    script.lines = rows[i].lines;
    script.line_count = rows[i].line_count;
    const enum rs_status status = script_verify(&script, &error);
    if (status != (rows[i].why ? RS_ERROR_MISMATCH : RS_OK) || (rows[i].why && !strstr(error.text, rows[i].why))) {
      fail_msg("%s, row %zu: expected \"%s\", got: %s", rs_collective_names[script.collective], i,
               rows[i].why ? rows[i].why : "a proof", status == RS_OK ? "a proof" : error.text);
    }
  }
}
#define CHECK(script, rows) check_rows((script), (rows), RS_ARRAY_LENGTH(rows))

static void test_allgather(void **state) {
  (void)state;
  static const struct script_line right[] = {
      {0, 0, COPY(.source = IN(0), .target = OUT(0))},
      {1, 0, COPY(.source = IN(1), .target = OUT(1))},
      {0, 0, SEND(1, IN(0))},
      {1, 0, SEND(0, IN(1))},
      {0, 0, RECV(1, OUT(1))},
      {1, 0, RECV(0, OUT(0))},
  };
  static const struct script_line no_copy[] = {
      {0, 0, SEND(1, IN(0))}, {1, 0, SEND(0, IN(1))}, {0, 0, RECV(1, OUT(1))}, {1, 0, RECV(0, OUT(0))}};
  static const struct script_line swapped[] = {
      {0, 0, SEND(1, IN(0))}, {1, 0, SEND(0, IN(1))}, {0, 0, RECV(1, OUT(0))}, {1, 0, RECV(0, OUT(1))}};
  static const struct script_line not_given[] = {{0, 0, SEND(1, IN(1))}, {1, 0, RECV(0, OUT(1))}};
  static const struct script_line adds[] = {{0, 0, SEND(1, IN(0))},
                                            {1, 0, ADD_RECV(0, .source = IN(0), .target = OUT(0))}};
  // Right in place only: there output[1] is input[1], and has been written when it is read.
  static const struct script_line reads_back[] = {
      {0, 0, COPY(.source = IN(0), .target = OUT(0))},
      {1, 0, COPY(.source = IN(1), .target = OUT(1))},
      {1, 0, SEND(0, IN(1))},
      {0, 0, RECV(1, OUT(1))},
      {0, 1, SEND(1, IN(1))},
      {1, 1, RECV(0, OUT(1))},
  };
  static const struct row rows[] = {
      ROW(right, NULL),
      ROW(no_copy, "out of place: at the end output[0] of rank 0: lacks rank 0"),
      ROW(swapped, "(send input[0] -> 1): meets other parts at rank 1: recv output[1] <- 0"),
      ROW(not_given, "out of place: rank 0, round 0, step 0 (send input[1] -> 1): reads input[1], which the caller "
                     "does not give"),
      ROW(adds, "reduces, which this collective does not"),
      ROW(reads_back, "out of place: rank 0, round 1, step 0 (send input[1] -> 1): reads input[1]"),
  };
  const struct script script = {.collective = RS_ALLGATHER, .rank_count = 2, .parts = 2, .rounds = 2};
  CHECK(script, rows);
  struct script other_cut = script;
  other_cut.parts = 3;
  CHECK(other_cut, ((const struct row[]){ROW(right, "3 parts, where the collective needs one for each rank")}));
  other_cut.parts = 0;
  CHECK(other_cut, ((const struct row[]){ROW(right, "0 parts, where the collective needs at least one")}));
}

static void test_reduce_scatter(void **state) {
  (void)state;
  static const struct script_line right[] = {
      {0, 0, SEND(1, IN(1))},
      {0, 0, ADD_RECV(1, .source = IN(0), .target = OUT(0), .final = true)},
      {1, 0, SEND(0, IN(0))},
      {1, 0, ADD_RECV(0, .source = IN(1), .target = OUT(1), .final = true)},
  };
  static const struct script_line blocks_swapped[] = {
      {0, 0, SEND(1, IN(0))},
      {0, 0, ADD_RECV(1, .source = IN(1), .target = OUT(1), .final = true)},
      {1, 0, SEND(0, IN(1))},
      {1, 0, ADD_RECV(0, .source = IN(0), .target = OUT(0), .final = true)},
  };
  static const struct script_line only_moved[] = {
      {0, 0, SEND(1, IN(1))}, {0, 0, RECV(1, OUT(0))}, {1, 0, SEND(0, IN(0))}, {1, 0, RECV(0, OUT(1))}};
  static const struct row rows[] = {
      ROW(right, NULL),
      ROW(blocks_swapped, "writes output[1], which is no part of this rank's result"),
      ROW(only_moved, "out of place: at the end output[0] of rank 0: lacks rank 0"),
  };
  CHECK(((struct script){.collective = RS_REDUCE_SCATTER, .rank_count = 2, .parts = 2, .rounds = 1}), rows);
}

static void test_broadcast(void **state) {
  (void)state;
  static const struct script_line right[] = {{1, 0, COPY(.source = IN(0), .target = OUT(0))},
                                             {1, 0, SEND(0, IN(0))},
                                             {0, 0, RECV(1, OUT(0))},
                                             {1, 1, SEND(2, OUT(0))},
                                             {2, 1, RECV(1, OUT(0))}};
  static const struct script_line from_other[] = {{1, 0, COPY(.source = IN(0), .target = OUT(0))},
                                                  {1, 0, SEND(0, IN(0))},
                                                  {0, 0, RECV(1, OUT(0))},
                                                  {2, 0, COPY(.source = IN(0), .target = OUT(0))}};
  static const struct script_line too_early[] = {{0, 0, SEND(2, OUT(0))}, {2, 0, RECV(0, OUT(0))}};
  static const struct script_line root_without[] = {
      {1, 0, SEND(0, IN(0))}, {0, 0, RECV(1, OUT(0))}, {1, 1, SEND(2, IN(0))}, {2, 1, RECV(1, OUT(0))}};
  static const struct row rows[] = {
      ROW(right, NULL),
      ROW(from_other, "rank 2, round 0, step 0 (copy output[0] = input[0]): reads input[0], which the caller does not"),
      ROW(too_early, "reads output[0], which nothing has written"),
      ROW(root_without, "out of place: at the end output[0] of rank 1: lacks rank 1"),
  };
  CHECK(((struct script){.collective = RS_BROADCAST, .rank_count = 3, .root = 1, .parts = 1, .rounds = 2}), rows);
}

static void test_reduce(void **state) {
  (void)state;
  static const struct script_line right[] = {{1, 0, SEND(0, IN(0))},
                                             {0, 0, ADD_RECV(1, .source = IN(0), .target = TMP(0))},
                                             {0, 1, SEND(2, TMP(0))},
                                             {2, 1, ADD_RECV(0, .source = IN(0), .target = OUT(0), .final = true)}};
  static const struct script_line in_result[] = {{1, 0, SEND(0, IN(0))},
                                                 {0, 0, ADD_RECV(1, .source = IN(0), .target = OUT(0))},
                                                 {0, 1, SEND(2, OUT(0))},
                                                 {2, 1, ADD_RECV(0, .source = IN(0), .target = OUT(0), .final = true)}};
  static const struct script_line one_missing[] = {{1, 0, SEND(2, IN(0))},
                                                   {2, 0, ADD_RECV(1, .source = IN(0), .target = OUT(0))}};
  static const struct row rows[] = {
      ROW(right, NULL),
      ROW(in_result, "rank 0, round 0, step 0 (recv_reduce output[0] = input[0] (+) <- 1): writes output[0], which is "
                     "no part of this rank's result"),
      ROW(one_missing, "at the end output[0] of rank 2: lacks rank 0"),
  };
  CHECK(((struct script){
            .collective = RS_REDUCE, .rank_count = 3, .root = 2, .parts = 1, .scratch_places = 1, .rounds = 2}),
        rows);
}

// Everybody's block for everybody; rank r sends part p to rank p, which keeps it as output[r].
#define TO_BOTH(a, b, c)                                                                                               \
  {(a), 0, COPY(.source = IN(a), .target = OUT(a))}, {(a), 0, SEND((b), IN(b))}, {                                     \
    (a), 0, SEND((c), IN(c))                                                                                           \
  }

static void test_alltoall(void **state) {
  (void)state;
  static const struct script_line right[] = {
      TO_BOTH(0, 1, 2),        TO_BOTH(1, 0, 2),        TO_BOTH(2, 0, 1),
      {0, 0, RECV(1, OUT(1))}, {0, 0, RECV(2, OUT(2))}, {1, 0, RECV(0, OUT(0))},
      {1, 0, RECV(2, OUT(2))}, {2, 0, RECV(0, OUT(0))}, {2, 0, RECV(1, OUT(1))},
  };
  static const struct script_line sources_swapped[] = {
      TO_BOTH(0, 1, 2),        TO_BOTH(1, 0, 2),        TO_BOTH(2, 0, 1),
      {0, 0, RECV(1, OUT(2))}, {0, 0, RECV(2, OUT(1))}, {1, 0, RECV(0, OUT(0))},
      {1, 0, RECV(2, OUT(2))}, {2, 0, RECV(0, OUT(0))}, {2, 0, RECV(1, OUT(1))},
  };
  static const struct script_line block_of_other[] = {{0, 0, SEND(1, IN(2))}, {1, 0, RECV(0, OUT(0))}};
  static const struct script_line row_of_own[] = {
      {0, 0, COPY(.source = {RS_BUFFER_INPUT, 0, 3}, .target = {RS_BUFFER_OUTPUT, 0, 3})}};
  static const struct script_line copied_over[] = {
      TO_BOTH(0, 1, 2),
      {1, 0, RECV(0, OUT(0))},
      {2, 0, RECV(0, OUT(0))},
      {0, 1, COPY(.source = {RS_BUFFER_OUTPUT, 0, 2}, .target = {RS_BUFFER_OUTPUT, 1, 2})},
  };
  static const struct row rows[] = {
      ROW(right, NULL),
      ROW(sources_swapped, "at the end output[1] of rank 0: lacks rank 1"),
      ROW(block_of_other, "(send input[2] -> 1): meets other parts at rank 1: recv output[0] <- 0"),
      ROW(row_of_own, "has a source and a target of different parts"),
      ROW(copied_over, "(copy output[1..2] = output[0..1]): has a source and a target that overlap"),
  };
  CHECK(((struct script){.collective = RS_ALLTOALL, .rank_count = 3, .parts = 3, .rounds = 2}), rows);
  CHECK(((struct script){.collective = RS_ALLTOALLV, .rank_count = 3, .parts = 3, .rounds = 2}), rows);
  CHECK(((struct script){.collective = RS_ALLTOALLV, .rank_count = 3, .parts = 1, .rounds = 2}),
        ((const struct row[]){ROW(right, "1 parts, where the collective needs one for each rank")}));
}

static void test_sendrecv(void **state) {
  (void)state;
  static const struct script_line right[] = {{0, 0, SEND(1, IN(0))},  {1, 0, SEND(2, IN(0))},  {2, 0, SEND(0, IN(0))},
                                             {0, 0, RECV(2, OUT(0))}, {1, 0, RECV(0, OUT(0))}, {2, 0, RECV(1, OUT(0))}};
  static const struct script_line leftwards[] = {{0, 0, SEND(2, IN(0))},  {1, 0, SEND(0, IN(0))},
                                                 {2, 0, SEND(1, IN(0))},  {0, 0, RECV(1, OUT(0))},
                                                 {1, 0, RECV(2, OUT(0))}, {2, 0, RECV(0, OUT(0))}};
  static const struct row rows[] = {
      ROW(right, NULL),
      ROW(leftwards, "out of place: at the end output[0] of rank 0: should not have rank 1"),
  };
  CHECK(((struct script){.collective = RS_SENDRECV, .rank_count = 3, .parts = 1, .rounds = 1}), rows);
}

// Ranks 0 and 2 are a pair, 1 is idle.
static void test_pairs(void **state) {
  (void)state;
  static const uint32_t partners[] = {2, 1, 0};
  static const struct script_line there[] = {{0, 0, SEND(2, IN(0))}, {2, 0, RECV(0, OUT(0))}};
  static const struct script_line there_and_back[] = {
      {0, 0, SEND(2, IN(0))}, {2, 0, RECV(0, OUT(0))}, {2, 1, SEND(0, OUT(0))}, {0, 1, RECV(2, OUT(0))}};
  static const struct script_line both_ways[] = {
      {0, 0, SEND(2, IN(0))}, {2, 0, SEND(0, IN(0))}, {2, 0, RECV(0, OUT(0))}, {0, 0, RECV(2, OUT(0))}};
  static const struct script_line to_idle[] = {{0, 0, SEND(1, IN(0))}, {1, 0, RECV(0, OUT(0))}};
  static const struct {
    enum rs_collective collective;
    struct row rows[4];
  } tables[] = {
      {RS_STREAM,
       {ROW(there, NULL), ROW(there_and_back, "rank 0, round 1, step 0 (recv output[0] <- 2): writes output[0], which"),
        ROW(both_ways, "writes output[0], which is no part of this rank's result"),
        ROW(to_idle, "rank 1, round 0, step 0 (recv output[0] <- 0): writes output[0], which is no part")}},
      {RS_PINGPONG,
       {ROW(there_and_back, NULL), ROW(there, "at the end output[0] of rank 0: lacks rank 0"),
        ROW(both_ways, "at the end output[0] of rank 0: lacks rank 0"), ROW(to_idle, "writes output[0]")}},
      {RS_EXCHANGE,
       {ROW(both_ways, NULL), ROW(there, "at the end output[0] of rank 0: lacks rank 2"),
        ROW(there_and_back, "at the end output[0] of rank 0: should not have rank 0"),
        ROW(to_idle, "writes output[0]")}},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(tables); i++) {
    const struct script script = {
        .collective = tables[i].collective, .rank_count = 3, .partners = partners, .parts = 1, .rounds = 2};
    CHECK(script, tables[i].rows);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_allgather), cmocka_unit_test(test_reduce_scatter), cmocka_unit_test(test_broadcast),
      cmocka_unit_test(test_reduce),    cmocka_unit_test(test_alltoall),       cmocka_unit_test(test_sendrecv),
      cmocka_unit_test(test_pairs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
