// Point to point: who sends what in which round, that the way back of a ping-pong needs the way there, and that ranks
// without a partner do nothing.
#include "ringside/collective.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct {
  enum rs_collective collective;
  const char *name;
  uint32_t parts, rounds;
  uint32_t lower, higher; // messages of each rank of a pair
} rows[] = {
    {RS_PINGPONG, "direct", 1, 2, 1, 1},
    {RS_STREAM, "direct", 1, 1, 1, 0},
    {RS_STREAM, "burst", 256, 32, 256, 0},
    {RS_EXCHANGE, "direct", 1, 1, 1, 1},
};

static const struct rs_algorithm *find(enum rs_collective collective, const char *name) {
  const struct rs_algorithm *algorithm = rs_algorithm_find(collective, name);
  assert_non_null(algorithm);
  return algorithm;
}

static void check_export(enum rs_collective collective, const char *expected) {
  static const uint32_t partners[] = {2, 1, 0};
  const struct rs_schedule_params params = {.collective = collective, .rank_count = 3, .partners = partners};
  struct rs_text text = {0};
  rs_schedule_export(find(collective, "direct"), &params, &text);
  assert_string_equal(text.data, expected);
  rs_text_fini(&text);
}

static void test_exports(void **state) {
  (void)state;
  check_export(RS_PINGPONG, "# direct pingpong, ranks 3, parts 1, scratch places 0, rounds 2\n"
                            "rank 0  round 0  send input[0] -> 2\n"
                            "rank 0  round 1  recv output[0] <- 2\n"
                            "rank 2  round 0  recv output[0] <- 0\n"
                            "rank 2  round 1  send output[0] -> 0\n");
  check_export(RS_STREAM, "# direct stream, ranks 3, parts 1, scratch places 0, rounds 1\n"
                          "rank 0  round 0  send input[0] -> 2\n"
                          "rank 2  round 0  recv output[0] <- 0\n");
  check_export(RS_EXCHANGE, "# direct exchange, ranks 3, parts 1, scratch places 0, rounds 1\n"
                            "rank 0  round 0  send input[0] -> 2\n"
                            "rank 0  round 0  recv output[0] <- 2\n"
                            "rank 2  round 0  send input[0] -> 0\n"
                            "rank 2  round 0  recv output[0] <- 0\n");
}

// A burst is 256 messages in order, each place once, as many in a round as a round may have.
static void test_burst(void **state) {
  (void)state;
  static const uint32_t partners[] = {1, 0};
  const struct rs_schedule_params params = {.collective = RS_STREAM, .rank_count = 2, .partners = partners};
  const struct rs_algorithm *algorithm = find(RS_STREAM, "burst");
  uint32_t place = 0;
  for (uint32_t k = 0; k < algorithm->rounds(&params); k++) {
    struct rs_step lower[RS_ROUND_STEPS_MAX], higher[RS_ROUND_STEPS_MAX];
    assert_int_equal(algorithm->round(&params, 0, k, lower), RS_ROUND_STEPS_MAX);
    assert_int_equal(algorithm->round(&params, 1, k, higher), RS_ROUND_STEPS_MAX);
    for (uint32_t i = 0; i < RS_ROUND_STEPS_MAX; i++, place++) {
      assert_int_equal(lower[i].kind, RS_STEP_SEND);
      assert_int_equal(lower[i].source.place, place);
      assert_int_equal(lower[i].source.count, 1);
      assert_int_equal(higher[i].kind, RS_STEP_RECV);
      assert_int_equal(higher[i].target.place, place);
    }
  }
  assert_int_equal(place, 256);
}

// Every pairing of a tournament, and pairings that leave ranks out.
static void test_proofs(void **state) {
  (void)state;
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    const struct rs_algorithm *algorithm = find(rows[i].collective, rows[i].name);
    for (uint32_t n = 1; n <= 17; n++) {
      for (uint32_t round = 0; round < rs_tournament_rounds(n); round++) {
        uint32_t partners[17], pairs = 0;
        const uint32_t left_out = round % n; // and its partner
        for (uint32_t rank = 0; rank < n; rank++) {
          partners[rank] = rs_tournament_partner(n, round, rank);
          partners[rank] = rank == left_out || partners[rank] == left_out ? rank : partners[rank];
          pairs += partners[rank] > rank;
        }
        const struct rs_schedule_params params = {
            .collective = rows[i].collective, .rank_count = n, .partners = partners};
        struct rs_proof proof;
        struct rs_error error = {0};
        if (rs_verify(algorithm, &params, &proof, &error) != RS_OK) {
          fail_msg("round %u: %s", round, error.text);
        }
        assert_int_equal(algorithm->parts(&params), rows[i].parts);
        assert_int_equal(proof.rounds, rows[i].rounds);
        assert_int_equal(proof.messages, pairs * (rows[i].lower + rows[i].higher));
        for (uint32_t rank = 0; rank < n; rank++) {
          const uint32_t sent = partners[rank] > rank ? rows[i].lower : partners[rank] < rank ? rows[i].higher : 0;
          assert_int_equal(algorithm->sent_parts(&params, rank), sent);
        }
      }
    }
  }
}

static void test_idle(void **state) {
  (void)state;
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    const struct rs_algorithm *algorithm = find(rows[i].collective, rows[i].name);
    const struct rs_schedule_params params = {.collective = rows[i].collective, .rank_count = 4};
    for (uint32_t rank = 0; rank < 4; rank++) {
      for (uint32_t k = 0; k < rows[i].rounds; k++) {
        struct rs_step steps[RS_ROUND_STEPS_MAX];
        assert_int_equal(algorithm->round(&params, rank, k, steps), 0);
      }
      assert_int_equal(algorithm->sent_parts(&params, rank), 0);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_exports), cmocka_unit_test(test_burst),
                                     cmocka_unit_test(test_proofs), cmocka_unit_test(test_idle)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
