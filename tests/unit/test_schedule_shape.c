// What can be read off a schedule without running it: its text, its peers, and that a round of 4,096 ranks can be had
// by itself. Also the table of algorithms.
#include "collective/step.h"
#include "support/schedule_sets.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct rs_algorithm *find(const char *name) {
  const struct rs_algorithm *algorithm = rs_algorithm_find(RS_ALLREDUCE, name);
  assert_non_null(algorithm);
  return algorithm;
}

static struct rs_schedule_params allreduce_on(uint32_t rank_count) {
  return (struct rs_schedule_params){.collective = RS_ALLREDUCE, .rank_count = rank_count};
}

static void test_table(void **state) {
  (void)state;
  for (size_t i = 0; i < rs_algorithm_count; i++) {
    const struct rs_algorithm *a = rs_algorithms[i];
    assert_true(a->name[0] && a->summary[0] && a->source[0] && a->cost[0]);
    assert_true((unsigned)a->collective < RS_COLLECTIVE_COUNT);
    assert_ptr_equal(rs_algorithm_find(a->collective, a->name), a); // so no name occurs twice
    assert_true(i == 0 || a->collective >= rs_algorithms[i - 1]->collective);
  }
  assert_null(rs_algorithm_find(RS_ALLREDUCE, "rings"));
  assert_null(rs_algorithm_find(RS_COLLECTIVE_COUNT, "ring"));
  assert_string_equal(rs_collective_names[RS_ALLREDUCE], "allreduce");
  assert_null(rs_collective_names[RS_COLLECTIVE_COUNT]);
}

static void check_export(const char *name, uint32_t rank_count, const char *expected) {
  const struct rs_schedule_params params = allreduce_on(rank_count);
  struct rs_text text = {0};
  rs_schedule_export(find(name), &params, &text);
  assert_false(text.failed);
  assert_string_equal(text.data, expected);
  rs_text_fini(&text);
}

static void test_export(void **state) {
  (void)state;
  check_export("ring", 1,
               "# ring allreduce, ranks 1, parts 1, scratch places 0, rounds 1\n"
               "rank 0  round 0  copy output[0] = input[0]\n");
  check_export("ring", 2,
               "# ring allreduce, ranks 2, parts 2, scratch places 0, rounds 2\n"
               "rank 0  round 0  send input[0] -> 1\n"
               "rank 0  round 0  recv_reduce output[1] = input[1] (+) <- 1, final\n"
               "rank 0  round 1  send output[1] -> 1\n"
               "rank 0  round 1  recv output[0] <- 1\n"
               "rank 1  round 0  send input[1] -> 0\n"
               "rank 1  round 0  recv_reduce output[0] = input[0] (+) <- 0, final\n"
               "rank 1  round 1  send output[0] -> 0\n"
               "rank 1  round 1  recv output[1] <- 0\n");
  check_export("tree", 3,
               "# tree allreduce, ranks 3, parts 1, scratch places 0, rounds 4\n"
               "rank 0  round 0  recv_reduce output[0] = input[0] (+) <- 1\n"
               "rank 0  round 1  recv_reduce output[0] = output[0] (+) <- 2, final\n"
               "rank 0  round 2  send output[0] -> 2\n"
               "rank 0  round 3  send output[0] -> 1\n"
               "rank 1  round 0  send input[0] -> 0\n"
               "rank 1  round 3  recv output[0] <- 0\n"
               "rank 2  round 1  send input[0] -> 0\n"
               "rank 2  round 2  recv output[0] <- 0\n");
}

// Runs of parts and local reductions, which no algorithm above has.
static uint32_t run_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                          struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  (void)params;
  steps[0] = (struct rs_step){.kind = RS_STEP_SEND, .peer = rank == 0, .source = {RS_BUFFER_SCRATCH, 4, 3}};
  steps[1] =
      (struct rs_step){.kind = RS_STEP_REDUCE, .source = {RS_BUFFER_SCRATCH, 1, 2}, .target = {RS_BUFFER_OUTPUT, 1, 2}};
  return k == 9 && rank == 10 ? 2 : 0;
}
static uint32_t four(const struct rs_schedule_params *params) {
  (void)params;
  return 4;
}
static uint32_t twelve(const struct rs_schedule_params *params) {
  (void)params;
  return 12;
}

static void test_export_of_runs(void **state) {
  (void)state;
  const struct rs_algorithm runs = {
      .name = "runs", .parts = four, .scratch_places = twelve, .rounds = twelve, .round = run_round};
  const struct rs_schedule_params params = allreduce_on(11);
  struct rs_text text = {0};
  rs_schedule_export(&runs, &params, &text);
  assert_string_equal(text.data, "# runs allreduce, ranks 11, parts 4, scratch places 12, rounds 12\n"
                                 "rank 10  round  9  send scratch[4..6] -> 0\n"
                                 "rank 10  round  9  reduce output[1..2] = output[1..2] (+) scratch[1..2]\n");
  rs_text_fini(&text);
}

static void test_peers(void **state) {
  (void)state;
  static const struct {
    const char *name;
    uint32_t rank_count, rank;
    const char *peers; // one character per rank
  } rows[] = {
      {"ring", 1, 0, "."},         {"ring", 2, 1, "x."},        {"ring", 6, 0, ".x...x"},    {"ring", 6, 3, "..x.x."},
      {"tree", 1, 0, "."},         {"tree", 6, 0, ".xx.x."},    {"tree", 6, 3, "..x..."},    {"tree", 6, 4, "x....x"},
      {"tree", 9, 8, "x........"}, {"tree", 9, 0, ".xx.x...x"}, {"tree", 9, 4, "x....xx.."},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    const struct rs_schedule_params params = allreduce_on(rows[i].rank_count);
    bool peers[16] = {false};
    rs_schedule_peers(find(rows[i].name), &params, rows[i].rank, NULL, peers);
    for (uint32_t rank = 0; rank < rows[i].rank_count; rank++) {
      assert_int_equal(peers[rank], rows[i].peers[rank] == 'x');
    }
  }
}

// ---- 4,096 ranks ------------------------------------------------------------------------------------------

#define MANY 4096

static bool is_message(const struct rs_step *step) {
  return rs_step_traits[step->kind].sends || rs_step_traits[step->kind].receives;
}

// The same steps again, after others were asked for: a builder remembers nothing.
static void check_again(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params, uint32_t rank,
                        uint32_t k, const struct rs_step *steps, uint32_t count) {
  struct rs_step again[RS_ROUND_STEPS_MAX];
  assert_int_equal(algorithm->round(params, rank, k, again), count);
  for (uint32_t i = 0; i < count; i++) {
    char text[RS_STEP_FORMAT_BYTES], text_again[RS_STEP_FORMAT_BYTES];
    assert_string_equal(rs_step_format(&again[i], text_again, sizeof text_again),
                        rs_step_format(&steps[i], text, sizeof text));
  }
}

// Every message of this round of this rank has its other end, with the same first and last part.
static void check_round(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params, uint32_t rank,
                        uint32_t k) {
  struct rs_step steps[RS_ROUND_STEPS_MAX];
  const uint32_t count = algorithm->round(params, rank, k, steps);
  assert_in_range(count, 0, RS_ROUND_STEPS_MAX);
  for (uint32_t i = 0; i < count; i++) {
    if (!is_message(&steps[i])) {
      continue;
    }
    const uint32_t peer = steps[i].peer;
    struct rs_step other;
    assert_true(peer < MANY && peer != rank);
    assert_int_not_equal(schedule_other_end(algorithm, params, rank, k, i, &other), RS_ROUND_STEPS_MAX);
    const bool sends = steps[i].kind == RS_STEP_SEND;
    const struct rs_slice *mine = sends ? &steps[i].source : &steps[i].target;
    const struct rs_slice *theirs = sends ? &other.target : &other.source;
    assert_int_equal(mine->count, theirs->count);
    for (uint32_t p = 0; p<mine->count; p += mine->count> 1 ? mine->count - 1 : 1) {
      assert_int_equal(rs_place_part(algorithm, params, rank, mine->buffer, mine->place + p),
                       rs_place_part(algorithm, params, peer, theirs->buffer, theirs->place + p));
    }
  }
  check_again(algorithm, params, rank, k, steps, count);
}

static void check_many(const struct rs_algorithm *algorithm, uint32_t variant, struct rs_random *random) {
  uint32_t array[MANY];
  char description[RS_VARIANT_BYTES];
  const struct rs_schedule_params params = rs_variant(algorithm, MANY, variant, array, description);
  const uint32_t rounds = algorithm->rounds(&params);
  for (uint32_t i = 0; i < 200 && rounds > 0; i++) {
    const uint32_t edges[] = {0, 1, MANY / 2 - 1, MANY / 2, MANY - 1, (uint32_t)rs_random_below(random, MANY)};
    const uint32_t ends[] = {0, rounds / 2, rounds - 1, (uint32_t)rs_random_below(random, rounds)};
    check_round(algorithm, &params, edges[i % 6], ends[i / 6 % 4]);
  }
}

// A round of one rank asks for nothing but its parameters, so any round of a large job can be looked at on its own.
static void test_rounds_of_4096_ranks(void **state) {
  (void)state;
  const uint64_t seed = 4096;
  struct rs_random random = {seed};
  print_message("seed %" PRIu64 "\n", seed);
  for (size_t a = 0; a < rs_algorithm_count; a++) {
    const uint32_t variants = rs_variant_count(rs_algorithms[a], MANY);
    check_many(rs_algorithms[a], 0, &random);
    for (uint32_t i = 0; i < 6 && variants > 1; i++) {
      check_many(rs_algorithms[a], (uint32_t)rs_random_below(&random, variants), &random);
    }
  }
  const struct rs_schedule_params params = allreduce_on(MANY);
  assert_int_equal(find("ring")->rounds(&params), 8190);
  assert_int_equal(find("tree")->rounds(&params), 24);
  assert_int_equal(find("ring")->sent_parts(&params, 4095), 8190);
  assert_int_equal(find("tree")->sent_parts(&params, 0), 12);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_export),
                                     cmocka_unit_test(test_export_of_runs), cmocka_unit_test(test_peers),
                                     cmocka_unit_test(test_rounds_of_4096_ranks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
