// What ranks agree on when several of them bring an error: one that all of them get, and the one that says most.
#include "support/contract_cmocka.h"

#include "ringside/launch.h"

#define RANKS 4

struct trial {
  enum rs_status mine[RANKS], agreed[RANKS];
  char texts[RANKS][100];
};

static enum rs_status run_rank(struct rs_world *world, void *argument, struct rs_error *error) {
  struct trial *trial = argument;
  struct rs_error own = {0};
  (void)error;
  if (trial->mine[world->rank] < 0)
    rs_error_set(&own, trial->mine[world->rank], "trouble of %zu", world->rank);
  trial->agreed[world->rank] = rs_world_agree(world, trial->mine[world->rank], &own);
  snprintf(trial->texts[world->rank], sizeof trial->texts[0], "%.99s", own.text);
  return RS_OK;
}

static void speaks_for_all(void **state) {
  (void)state;
  static const struct {
    enum rs_status mine[RANKS], agreed;
    const char *text;
  } cases[] = {
      {{0, 0, 0, 0}, RS_OK, ""},
      {{0, 0, RS_ERROR_IO, 0}, RS_ERROR_IO, "rank 2: trouble of 2"},
      {{0, RS_ERROR_PEER, RS_ERROR_IO, 0}, RS_ERROR_IO, "rank 2: trouble of 2"},
      {{RS_ERROR_USAGE, 0, RS_ERROR_TIMEOUT, 0}, RS_ERROR_TIMEOUT, "rank 2: trouble of 2"}, // 4 is worse than 2
      {{RS_ERROR_TIMEOUT, RS_ERROR_TIMEOUT, 0, RS_ERROR_PEER}, RS_ERROR_PEER, "rank 3: trouble of 3"},
      {{RS_ERROR_LEFT, RS_ERROR_LEFT, RS_ERROR_TIMEOUT, RS_ERROR_LEFT}, RS_ERROR_TIMEOUT, "rank 2: trouble of 2"},
      {{0, RS_ERROR_TIMEOUT, RS_ERROR_TIMEOUT, 0}, RS_ERROR_TIMEOUT, "rank 1: trouble of 1"},
      {{RS_ERROR_USAGE, RS_ERROR_USAGE, RS_ERROR_USAGE, RS_ERROR_USAGE}, RS_ERROR_USAGE, "trouble of 0"},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(cases); i++) {
    struct trial trial = {0};
    struct rs_error error = {0};
    memcpy(trial.mine, cases[i].mine, sizeof trial.mine);
    assert_rs_ok(rs_launch_threads(RANKS, run_rank, &trial, &error), &error);
    for (size_t r = 0; r < RANKS; r++) {
      assert_int_equal(trial.agreed[r], cases[i].agreed);
      assert_string_equal(trial.texts[r], cases[i].text);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(speaks_for_all)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
