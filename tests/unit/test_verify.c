// rs_verify: proves what is built in for 1 to 64 ranks, and finds each thing that its header says a proof excludes, in
// small hand-made schedules that break one rule each. test_verify_mutants.c breaks the real algorithms instead.
#include "support/schedule_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define RANKS_MAX 64

// ---- the real algorithms ----------------------------------------------------------------------------------

static void prove(const struct rs_algorithm *algorithm, uint32_t rank_count, uint32_t variant) {
  uint32_t array[RANKS_MAX];
  char description[RS_VARIANT_BYTES];
  const struct rs_schedule_params params = rs_variant(algorithm, rank_count, variant, array, description);
  struct rs_proof proof;
  struct rs_error error = {0};
  if (rs_verify(algorithm, &params, &proof, &error) != RS_OK) {
    fail_msg("%s (variant%s)", error.text, description);
  }
}

static void test_all_algorithms(void **state) {
  (void)state;
  for (size_t i = 0; i < rs_algorithm_count; i++) {
    for (uint32_t n = 1; n <= RANKS_MAX; n++) {
      const uint32_t variants = rs_variant_count(rs_algorithms[i], n);
      for (uint32_t variant = 0; variant < variants; variant++) {
        prove(rs_algorithms[i], n, variant);
      }
    }
  }
}

static struct rs_proof proof_of(const char *name, uint32_t rank_count) {
  const struct rs_schedule_params params = {.collective = RS_ALLREDUCE, .rank_count = rank_count};
  const struct rs_algorithm *algorithm = rs_algorithm_find(RS_ALLREDUCE, name);
  struct rs_proof proof;
  struct rs_error error = {0};
  assert_non_null(algorithm);
  assert_int_equal(rs_verify(algorithm, &params, &proof, &error), RS_OK);
  return proof;
}

static void test_counts(void **state) {
  (void)state;
  const struct rs_proof ring = proof_of("ring", 5), tree = proof_of("tree", 6), alone = proof_of("ring", 1);
  assert_int_equal(ring.rounds, 8);
  assert_int_equal(ring.steps, 5 * 8 * 2);
  assert_int_equal(ring.messages, 5 * 8);
  assert_int_equal(ring.parts_sent_max, 8);
  assert_int_equal(ring.parts_sent_sum, 5 * 8);
  assert_int_equal(tree.rounds, 6);
  assert_int_equal(tree.steps, 2 * 2 * 5);
  assert_int_equal(tree.messages, 2 * 5);
  assert_int_equal(tree.parts_sent_max, 3);
  assert_int_equal(tree.parts_sent_sum, 2 * 5);
  assert_int_equal(alone.steps, 1);
  assert_int_equal(alone.messages, 0);
}

// ---- hand-made schedules ------------------------------------------------------------------------------------------

static void expect_proved(const struct script *tested) {
  struct rs_error error;
  if (script_verify(tested, &error) != RS_OK) {
    fail_msg("%s", error.text);
  }
}

static void expect_refused(const struct script *tested, const char *why) {
  struct rs_error error;
  assert_int_equal(script_verify(tested, &error), RS_ERROR_MISMATCH);
  if (!strstr(error.text, why) || !strstr(error.text, "scripted allreduce on ")) {
    fail_msg("expected \"%s\" in: %s", why, error.text);
  }
}

// The notation of the scripts: the first place of a buffer, the first two, and scratch's second copy of two parts.
#define IN SCRIPT_IN(0)
#define OUT SCRIPT_OUT(0)
#define TMP SCRIPT_TMP(0)
#define TMP2 SCRIPT_TMP(2)
#define IN2                                                                                                            \
  { RS_BUFFER_INPUT, 0, 2 }
#define OUT2                                                                                                           \
  { RS_BUFFER_OUTPUT, 0, 2 }
#define SEND SCRIPT_SEND
#define RECV SCRIPT_RECV
#define ADD_RECV SCRIPT_ADD_RECV
#define REDUCE SCRIPT_REDUCE
#define COPY SCRIPT_COPY

// Rank 0 adds three inputs into one slice in one round, in order, and hands the sum back; two parts in one run.
static void test_star_is_proved(void **state) {
  (void)state;
  static const struct script_line lines[] = {
      {1, 0, SEND(0, IN2)},
      {2, 0, SEND(0, IN2)},
      {3, 0, SEND(0, IN2)},
      {0, 0, ADD_RECV(3, .source = IN2, .target = OUT2)},
      {0, 0, ADD_RECV(2, .source = OUT2, .target = OUT2)},
      {0, 0, ADD_RECV(1, .source = OUT2, .target = OUT2, .final = true)},
      {0, 1, SEND(1, OUT2)},
      {0, 1, SEND(2, OUT2)},
      {0, 1, SEND(3, OUT2)},
      {1, 1, RECV(0, OUT2)},
      {2, 1, RECV(0, OUT2)},
      {3, 1, RECV(0, OUT2)},
  };
  expect_proved(&(struct script){.rank_count = 4, .parts = 2, .rounds = 2, SCRIPT_LINES(lines)});
  expect_refused(&(struct script){.rank_count = 4, .parts = 2, .rounds = 2, .wrong_formula = true, SCRIPT_LINES(lines)},
                 "rank 0 sends 6 parts, but sent_parts says 7");
  expect_refused(&(struct script){.rank_count = 4, .parts = 3, .rounds = 2, SCRIPT_LINES(lines)}, "lacks rank");
  expect_refused(&(struct script){.rank_count = 4, .parts = 1, .rounds = 2, SCRIPT_LINES(lines)},
                 "of 1 in that buffer");
  expect_refused(&(struct script){.rank_count = 4, .parts = 2, .rounds = 1, SCRIPT_LINES(lines)},
                 "at the end output[0] of rank 1: lacks rank 0");
}

// Two ranks exchange inputs through scratch, then add: every local kind of step.
static void test_scratch_is_proved(void **state) {
  (void)state;
  static const struct script_line lines[] = {
      {0, 0, SEND(1, IN)},
      {0, 0, RECV(1, TMP)},
      {0, 1, COPY(.source = IN, .target = OUT)},
      {0, 2, REDUCE(.source = TMP, .target = OUT, .final = true)},
      {1, 0, SEND(0, IN)},
      {1, 0, RECV(0, TMP)},
      {1, 1, COPY(.source = IN, .target = OUT)},
      {1, 2, REDUCE(.source = TMP, .target = OUT, .final = true)},
  };
  expect_proved(&(struct script){.rank_count = 2, .parts = 1, .scratch_places = 1, .rounds = 3, SCRIPT_LINES(lines)});
  expect_refused(&(struct script){.rank_count = 2, .parts = 1, .rounds = 3, SCRIPT_LINES(lines)},
                 "of 0 in that buffer");
}

// Right out of place, wrong in place: what rank 0 still has to send is overwritten in the same round.
static void test_in_place_conflict(void **state) {
  (void)state;
  static const struct script_line lines[] = {
      {0, 0, SEND(1, IN)},
      {0, 0, ADD_RECV(1, .source = IN, .target = OUT, .final = true)},
      {1, 0, SEND(0, IN)},
      {1, 0, ADD_RECV(0, .source = IN, .target = OUT, .final = true)},
  };
  expect_refused(
      &(struct script){.rank_count = 2, .parts = 1, .rounds = 1, SCRIPT_LINES(lines)},
      "in place: rank 0, round 0, step 1 (recv_reduce output[0] = input[0] (+) <- 1, final): uses memory that "
      "step 0 of the same round uses too");
}

// Right out of place, wrong in place: the input is gone when it is to be added.
static void test_in_place_input_lost(void **state) {
  (void)state;
  static const struct script_line lines[] = {
      {0, 0, SEND(1, IN)},
      {0, 0, RECV(1, TMP)},
      {0, 1, COPY(.source = TMP, .target = OUT)},
      {0, 2, REDUCE(.source = IN, .target = OUT, .final = true)},
      {1, 0, SEND(0, IN)},
      {1, 0, RECV(0, TMP)},
      {1, 1, COPY(.source = TMP, .target = OUT)},
      {1, 2, REDUCE(.source = IN, .target = OUT, .final = true)},
  };
  expect_refused(&(struct script){.rank_count = 2, .parts = 1, .scratch_places = 1, .rounds = 3, SCRIPT_LINES(lines)},
                 "in place: rank 0, round 2, step 0 (reduce output[0] = output[0] (+) input[0], final): counts rank 1 "
                 "twice in output[0]");
}

// One wrong step each; rank 1 of 2 does nothing. Scratch is two copies of two parts.
static void test_single_steps(void **state) {
  (void)state;
  static const struct {
    struct script_line line;
    const char *why;
  } rows[] = {
      {{0, 0, COPY(.source = TMP, .target = OUT)}, "reads scratch[0], which nothing has written"},
      {{0, 0, REDUCE(.source = IN, .target = OUT)},
       "out of place: rank 0, round 0, step 0 (reduce output[0] = output[0] "
       "(+) input[0]): reads output[0], which nothing has written"},
      {{0, 0, SEND(1, IN)}, "meets no receive of rank 1 in this round"},
      {{0, 0, RECV(1, OUT)}, "meets no send of rank 1 in this round"},
      {{0, 0, SEND(0, IN)}, "has 0 as its peer, which is not another rank"},
      {{0, 0, RECV(2, OUT)}, "has 2 as its peer, which is not another rank"},
      {{0, 0, RECV(1, IN)}, "writes the input"},
      {{0, 0, {.kind = RS_STEP_COPY, .source = IN, .target = OUT, .final = true}}, "marked final, but reduces nothing"},
      {{0, 0, {.kind = (enum rs_step_kind)7}}, "is of no known kind (7)"},
      {{0, 0, SEND(1, {(enum rs_buffer_id)5, 0, 1})}, "has buffer 5 as its source"},
      {{0, 0, SEND(1, {RS_BUFFER_INPUT, 0, 0})}, "has 0 places from 0 on as its source"},
      {{0, 0, SEND(1, {RS_BUFFER_INPUT, 1, 2})}, "has 2 places from 1 on as its source, of 2 in that buffer"},
      {{0, 0, SEND(1, {RS_BUFFER_SCRATCH, 2, UINT32_MAX})}, "has 4294967295 places from 2 on as its source, of 4"},
      {{0, 0, {.kind = RS_STEP_SEND, .peer = 1, .source = IN, .target = OUT}},
       "has a target, which this kind does not"},
      {{0, 0, {.kind = RS_STEP_RECV, .peer = 1, .source = IN, .target = OUT}},
       "has a source, which this kind does not"},
      {{0, 0, COPY(.source = IN, .target = {RS_BUFFER_OUTPUT, 1, 1})}, "a source and a target of different parts"},
      {{0, 0, COPY(.source = IN, .target = {RS_BUFFER_SCRATCH, 3, 1})}, "a source and a target of different parts"},
      {{0, 0, COPY(.source = IN, .target = {RS_BUFFER_SCRATCH, 2, 1})}, "at the end output[0] of rank 0: lacks rank 0"},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    expect_refused(
        &(struct script){
            .rank_count = 2, .parts = 2, .scratch_places = 4, .rounds = 1, .line_count = 1, .lines = &rows[i].line},
        rows[i].why);
  }
}

// Pairs of steps of rank 0 that must not share a round, and a round with too many steps.
static void test_conflicts(void **state) {
  (void)state;
  static const struct script_line writes[] = {{0, 0, COPY(.source = IN, .target = TMP)},
                                              {0, 0, COPY(.source = IN, .target = TMP)}};
  static const struct script_line chain[] = {{0, 0, COPY(.source = IN, .target = TMP)},
                                             {0, 0, COPY(.source = TMP, .target = TMP2)}};
  static const struct script_line reversed[] = {{0, 0, COPY(.source = TMP, .target = TMP2)},
                                                {0, 0, COPY(.source = IN, .target = TMP)}};
  static const struct script_line unequal[] = {
      {0, 0, ADD_RECV(1, .source = IN2, .target = OUT2)},
      {0, 0, ADD_RECV(1, .source = {RS_BUFFER_OUTPUT, 1, 1}, .target = {RS_BUFFER_OUTPUT, 1, 1})},
      {1, 0, SEND(0, IN2)},
      {1, 0, SEND(0, {RS_BUFFER_INPUT, 1, 1})}};
  static const struct script_line shorter[] = {{0, 0, ADD_RECV(1, .source = IN2, .target = OUT2)},
                                               {0, 0, ADD_RECV(1, .source = OUT, .target = OUT)},
                                               {1, 0, SEND(0, IN2)},
                                               {1, 0, SEND(0, IN)}};
  static const struct script_line shifted[] = {
      {0, 0, ADD_RECV(1, .source = IN2, .target = OUT2)},
      {0, 0, ADD_RECV(1, .source = {RS_BUFFER_OUTPUT, 1, 2}, .target = {RS_BUFFER_OUTPUT, 1, 2})},
      {1, 0, SEND(0, IN2)},
      {1, 0, SEND(0, {RS_BUFFER_INPUT, 1, 2})}};
  static const struct script_line many[RS_ROUND_STEPS_MAX + 1] = {0};
  const struct script base = {.rank_count = 2, .parts = 2, .scratch_places = 4, .rounds = 1};
  const struct {
    const struct script_line *lines;
    uint32_t count;
    const char *why;
  } rows[] = {
      {writes, 2, "step 1 (copy scratch[0] = input[0]): uses memory that step 0"},
      {chain, 2, "step 1 (copy scratch[2] = scratch[0]): uses memory that step 0"},
      {reversed, 2, "step 1 (copy scratch[0] = input[0]): uses memory that step 0"},
      {unequal, 4, "uses memory that step 0 of the same round uses too"},
      {shorter, 4, "uses memory that step 0 of the same round uses too"},
      {many, RS_ROUND_STEPS_MAX + 1, "rank 0, round 0: 9 steps, and at most 8 may be in one round"},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    struct script tested = base;
    tested.lines = rows[i].lines;
    tested.line_count = rows[i].count;
    expect_refused(&tested, rows[i].why);
  }
  expect_refused(&(struct script){.rank_count = 2, .parts = 3, .rounds = 1, SCRIPT_LINES(shifted)},
                 "uses memory that step 0");
}

// Between two ranks in one round the i-th meets the i-th; a message stays in its round.
static void test_matching(void **state) {
  (void)state;
  static const struct script_line crossed[] = {
      {0, 0, SEND(1, {RS_BUFFER_INPUT, 0, 1})},
      {0, 0, SEND(1, {RS_BUFFER_INPUT, 1, 1})},
      {1, 0, RECV(0, {RS_BUFFER_OUTPUT, 1, 1})},
      {1, 0, RECV(0, {RS_BUFFER_OUTPUT, 0, 1})},
  };
  static const struct script_line longer[] = {{0, 0, SEND(1, {RS_BUFFER_INPUT, 0, 2})},
                                              {1, 0, RECV(0, {RS_BUFFER_OUTPUT, 0, 1})}};
  static const struct script_line late[] = {{0, 0, SEND(1, IN)}, {1, 1, RECV(0, OUT)}};
  static const struct script_line twice[] = {{0, 0, SEND(1, IN)}, {1, 0, RECV(0, OUT)}, {1, 0, RECV(0, TMP)}};
  static const struct script_line undefined[] = {{0, 0, ADD_RECV(1, .source = IN, .target = OUT, .final = true)},
                                                 {1, 0, SEND(0, TMP)}};
  struct script tested = {.rank_count = 2, .parts = 2, .scratch_places = 2, .rounds = 2, SCRIPT_LINES(crossed)};
  expect_refused(&tested, "rank 0, round 0, step 0 (send input[0] -> 1): meets other parts at rank 1: recv output[1]");
  tested = (struct script){.rank_count = 2, .parts = 2, .rounds = 1, SCRIPT_LINES(longer)};
  expect_refused(&tested, "(send input[0..1] -> 1): meets other parts at rank 1: recv output[0] <- 0");
  tested = (struct script){.rank_count = 2, .parts = 1, .rounds = 2, SCRIPT_LINES(late)};
  expect_refused(&tested, "rank 0, round 0, step 0 (send input[0] -> 1): meets no receive of rank 1");
  tested = (struct script){.rank_count = 2, .parts = 1, .scratch_places = 1, .rounds = 1, SCRIPT_LINES(twice)};
  expect_refused(&tested, "rank 1, round 0, step 1 (recv scratch[0] <- 0): meets no send of rank 0");
  tested = (struct script){.rank_count = 2, .parts = 1, .scratch_places = 1, .rounds = 1, SCRIPT_LINES(undefined)};
  expect_refused(&tested,
                 "rank 1, round 0, step 0 (send scratch[0] -> 0): reads scratch[0], which nothing has written");
}

// What scratch places hold is for the algorithm to say. Here all of them hold part 0, as blocks on their way do.
static void test_scratch_parts(void **state) {
  (void)state;
  static const uint32_t all_zero[] = {0, 0, 0}, beyond[] = {0, 1, 2};
  static const struct script_line fitting[] = {{0, 0, COPY(.source = IN, .target = TMP2)}};
  static const struct script_line other[] = {{0, 0, COPY(.source = SCRIPT_IN(1), .target = SCRIPT_TMP(1))}};
  static const struct script_line received[] = {{0, 0, SEND(1, SCRIPT_IN(1))}, {1, 0, RECV(0, SCRIPT_TMP(1))}};
  static const struct script_line run[] = {{0, 0, SEND(1, IN2)}, {1, 0, RECV(0, {RS_BUFFER_SCRATCH, 0, 2})}};
  static const struct script_line shifted[] = {
      {0, 0, COPY(.source = {RS_BUFFER_SCRATCH, 0, 2}, .target = {RS_BUFFER_SCRATCH, 1, 2})}};
  static const struct script_line itself[] = {{0, 0, COPY(.source = IN, .target = TMP)},
                                              {0, 1, COPY(.source = TMP, .target = TMP)}};
  struct script tested = {.rank_count = 2, .parts = 2, .scratch_places = 3, .rounds = 2};
  const struct {
    const struct script_line *lines;
    uint32_t count;
    const uint32_t *parts;
    const char *why;
  } rows[] = {
      {fitting, 1, all_zero, "at the end output[0] of rank 0: lacks rank 0"},
      {fitting, 1, beyond, "scratch[2] of rank 0 holds part 2, of 2 parts"},
      {other, 1, all_zero, "a source and a target of different parts"},
      {received, 2, all_zero, "meets other parts at rank 1: recv scratch[1]"},
      {run, 2, all_zero, "meets other parts at rank 1: recv scratch[0..1]"},
      {run, 2, NULL, "at the end output[0] of rank 0: lacks rank 0"},
      {shifted, 1, all_zero, "(copy scratch[1..2] = scratch[0..1]): has a source and a target that overlap"},
      {itself, 2, all_zero, "at the end output[0] of rank 0: lacks rank 0"},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    tested.lines = rows[i].lines;
    tested.line_count = rows[i].count;
    tested.scratch_parts = rows[i].parts;
    expect_refused(&tested, rows[i].why);
  }
}

static void test_bad_parameters(void **state) {
  (void)state;
  const struct rs_schedule_params no_ranks = {.collective = RS_ALLREDUCE, .rank_count = 0};
  const struct rs_schedule_params no_root = {.collective = RS_ALLREDUCE, .rank_count = 2, .root = 2};
  const struct rs_schedule_params other = {.collective = RS_COLLECTIVE_COUNT, .rank_count = 2};
  struct rs_proof proof = {.rounds = 77};
  struct rs_error error = {0};
  assert_int_equal(rs_verify(rs_algorithms[0], &no_ranks, &proof, &error), RS_ERROR_USAGE);
  error = (struct rs_error){0};
  assert_int_equal(rs_verify(rs_algorithms[0], &no_root, &proof, &error), RS_ERROR_USAGE);
  error = (struct rs_error){0};
  assert_int_equal(rs_verify(rs_algorithms[0], &other, &proof, &error), RS_ERROR_USAGE);
  assert_int_equal(proof.rounds, 77); // written on success only
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_algorithms),    cmocka_unit_test(test_counts),
      cmocka_unit_test(test_star_is_proved),    cmocka_unit_test(test_scratch_is_proved),
      cmocka_unit_test(test_in_place_conflict), cmocka_unit_test(test_in_place_input_lost),
      cmocka_unit_test(test_single_steps),      cmocka_unit_test(test_conflicts),
      cmocka_unit_test(test_matching),          cmocka_unit_test(test_scratch_parts),
      cmocka_unit_test(test_bad_parameters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
