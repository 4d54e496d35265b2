// Bruck's all-to-all, followed block by block: every place of every rank holds the name of a block, and the schedule is
// run on the names.
#include "ringside/collective.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOTHING UINT32_MAX

static const struct rs_algorithm *find(enum rs_collective collective) {
  const struct rs_algorithm *algorithm = rs_algorithm_find(collective, "bruck");
  assert_non_null(algorithm);
  return algorithm;
}

// ceil(log2 n)
static uint32_t stages(uint32_t n) {
  uint32_t count = 0;
  while (1u << count < n) {
    count++;
  }
  return count;
}

// ---- names ------------------------------------------------------------------------------------------------

// The block from rank s to rank d is named s * n + d.
struct names {
  const struct rs_algorithm *algorithm;
  struct rs_schedule_params params;
  uint32_t n, row;      // places of a rank: input, output, scratch
  uint32_t *places;     // a row per rank
  struct rs_text *told; // what rank 0 sends and receives; NULL: nobody asks
};

static uint32_t *name_at(const struct names *names, uint32_t rank, enum rs_buffer_id buffer, uint32_t place) {
  return &names->places[(size_t)rank * names->row + (size_t)buffer * names->n + place];
}

static void tell(const struct names *names, const struct rs_step *step, uint32_t rank, const struct rs_slice *slice) {
  for (uint32_t i = 0; i < slice->count; i++) {
    const uint32_t name = *name_at(names, rank, slice->buffer, slice->place + i);
    rs_text_append(names->told, "%u%u ", name / names->n, name % names->n);
  }
  rs_text_append(names->told, "%s %u\n", step->kind == RS_STEP_SEND ? "->" : "<-", step->peer);
}

// One step of round k. A message is taken from where the sender's first step of that round has it.
static void apply(const struct names *names, uint32_t rank, uint32_t k, const struct rs_step *step) {
  uint32_t from = rank;
  struct rs_slice source = step->source;
  if (step->kind == RS_STEP_RECV) {
    struct rs_step sent[RS_ROUND_STEPS_MAX];
    assert_true(names->algorithm->round(&names->params, step->peer, k, sent) > 0);
    assert_int_equal(sent[0].peer, rank);
    from = step->peer;
    source = sent[0].source;
  }
  if (names->told && rank == 0 && step->kind != RS_STEP_COPY) {
    tell(names, step, from, &source);
  }
  for (uint32_t i = 0; step->kind != RS_STEP_SEND && i < source.count; i++) {
    const uint32_t name = *name_at(names, from, source.buffer, source.place + i);
    assert_true(name != NOTHING);
    *name_at(names, rank, step->target.buffer, step->target.place + i) = name;
  }
}

static void run(enum rs_collective collective, uint32_t n, struct rs_text *told) {
  struct names names = {.algorithm = find(collective), .n = n, .told = told};
  names.params = (struct rs_schedule_params){.collective = collective, .rank_count = n};
  names.row = 2 * n + names.algorithm->scratch_places(&names.params);
  names.places = malloc((size_t)n * names.row * sizeof *names.places);
  assert_non_null(names.places);
  memset(names.places, 0xff, (size_t)n * names.row * sizeof *names.places);
  for (uint32_t rank = 0; rank < n; rank++) {
    for (uint32_t place = 0; place < n; place++) {
      *name_at(&names, rank, RS_BUFFER_INPUT, place) = rank * n + place;
    }
  }
  for (uint32_t k = 0; k < names.algorithm->rounds(&names.params); k++) {
    for (uint32_t rank = 0; rank < n; rank++) {
      struct rs_step steps[RS_ROUND_STEPS_MAX];
      const uint32_t count = names.algorithm->round(&names.params, rank, k, steps);
      for (uint32_t i = 0; i < count; i++) {
        apply(&names, rank, k, &steps[i]);
      }
    }
  }
  for (uint32_t rank = 0; rank < n; rank++) {
    for (uint32_t place = 0; place < n; place++) {
      assert_int_equal(*name_at(&names, rank, RS_BUFFER_OUTPUT, place), place * n + rank);
    }
  }
  free(names.places);
}

static void test_blocks_arrive(void **state) {
  (void)state;
  for (uint32_t n = 1; n <= 40; n++) {
    run(RS_ALLTOALL, n, NULL);
    run(RS_ALLTOALLV, n, NULL);
  }
}

// The picture in bruck_alltoall.c.
static void test_six(void **state) {
  (void)state;
  struct rs_text told = {0};
  run(RS_ALLTOALL, 6, &told);
  assert_string_equal(told.data, "04 05 -> 4\n20 21 <- 2\n"
                                 "02 03 -> 2\n40 41 <- 4\n"
                                 "01 41 21 -> 1\n50 30 10 <- 5\n");
  rs_text_fini(&told);
}

// ---- counts -----------------------------------------------------------------------------------------------

static void test_counts(void **state) {
  (void)state;
  static const enum rs_collective collectives[] = {RS_ALLTOALL, RS_ALLTOALLV};
  for (size_t c = 0; c < RS_ARRAY_LENGTH(collectives); c++) {
    for (uint32_t n = 1; n <= 64; n++) {
      const struct rs_schedule_params params = {.collective = collectives[c], .rank_count = n};
      struct rs_proof proof;
      struct rs_error error = {0};
      if (rs_verify(find(collectives[c]), &params, &proof, &error) != RS_OK) {
        fail_msg("%s", error.text);
      }
      const uint64_t blocks = proof.parts_sent_max, copies = proof.steps - 2 * proof.messages;
      assert_int_equal(proof.messages, n * stages(n));
      assert_int_equal(find(collectives[c])->scratch_places(&params), 2 * blocks); // a place at either end
      assert_in_range(copies, n, n * (2 * n + 2 * stages(n)));
      if (1u << stages(n) == n) {
        assert_int_equal(blocks, n / 2 * stages(n)); // half of all blocks in every stage
      }
    }
  }
}

// Whom a rank talks to: the ranks at distances that are powers of two.
static void test_peers(void **state) {
  (void)state;
  const struct rs_schedule_params params = {.collective = RS_ALLTOALL, .rank_count = 100};
  bool peers[100] = {false};
  rs_schedule_peers(find(RS_ALLTOALL), &params, 30, NULL, peers);
  for (uint32_t rank = 0; rank < 100; rank++) {
    const uint32_t ahead = (rank + 100 - 30) % 100, behind = (100 - ahead) % 100;
    const bool power = (ahead & (ahead - 1)) == 0 || (behind & (behind - 1)) == 0;
    assert_int_equal(peers[rank], ahead != 0 && power);
  }
}

static void test_export(void **state) {
  (void)state;
  const struct rs_schedule_params params = {.collective = RS_ALLTOALL, .rank_count = 3};
  struct rs_text text = {0};
  rs_schedule_export(find(RS_ALLTOALL), &params, &text);
  assert_string_equal(text.data, "# bruck alltoall, ranks 3, parts 3, scratch places 4, rounds 5\n"
                                 "rank 0  round 0  copy scratch[0] = input[2]\n"
                                 "rank 0  round 1  send scratch[0] -> 2\n"
                                 "rank 0  round 1  recv scratch[1] <- 1\n"
                                 "rank 0  round 2  copy scratch[2] = input[1]\n"
                                 "rank 0  round 3  send scratch[2] -> 1\n"
                                 "rank 0  round 3  recv scratch[3] <- 2\n"
                                 "rank 0  round 4  copy output[0] = input[0]\n"
                                 "rank 0  round 4  copy output[2] = scratch[3]\n"
                                 "rank 0  round 4  copy output[1] = scratch[1]\n"
                                 "rank 1  round 0  copy scratch[0] = input[0]\n"
                                 "rank 1  round 1  send scratch[0] -> 0\n"
                                 "rank 1  round 1  recv scratch[1] <- 2\n"
                                 "rank 1  round 2  copy scratch[2] = input[2]\n"
                                 "rank 1  round 3  send scratch[2] -> 2\n"
                                 "rank 1  round 3  recv scratch[3] <- 0\n"
                                 "rank 1  round 4  copy output[1] = input[1]\n"
                                 "rank 1  round 4  copy output[0] = scratch[3]\n"
                                 "rank 1  round 4  copy output[2] = scratch[1]\n"
                                 "rank 2  round 0  copy scratch[0] = input[1]\n"
                                 "rank 2  round 1  send scratch[0] -> 1\n"
                                 "rank 2  round 1  recv scratch[1] <- 0\n"
                                 "rank 2  round 2  copy scratch[2] = input[0]\n"
                                 "rank 2  round 3  send scratch[2] -> 0\n"
                                 "rank 2  round 3  recv scratch[3] <- 1\n"
                                 "rank 2  round 4  copy output[2] = input[2]\n"
                                 "rank 2  round 4  copy output[1] = scratch[3]\n"
                                 "rank 2  round 4  copy output[0] = scratch[1]\n");
  rs_text_fini(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_blocks_arrive), cmocka_unit_test(test_six),
                                     cmocka_unit_test(test_counts), cmocka_unit_test(test_peers),
                                     cmocka_unit_test(test_export)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
