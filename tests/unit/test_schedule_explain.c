// rs_schedule_explain: schedules as people read them.
#include "support/schedule_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define IN SCRIPT_IN
#define OUT SCRIPT_OUT
#define TMP SCRIPT_TMP

static void check(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params, const char *expected) {
  struct rs_text text = {0};
  struct rs_error error = {0};
  if (rs_schedule_explain(algorithm, params, &text, &error) < 0) {
    fail_msg("%s", error.text);
  }
  assert_string_equal(text.data, expected);
  rs_text_fini(&text);
}

static void test_allreduce(void **state) {
  (void)state;
  struct rs_schedule_params params = {.collective = RS_ALLREDUCE, .rank_count = 3};
  check(rs_algorithm_find(RS_ALLREDUCE, "ring"), &params,
        "  a, b, ...  the inputs of rank 0, 1, ...\n"
        "  a[1]       part 1 of it, of 3\n"
        "  ab         a sum; * is everybody's\n"
        "  0 -> 1 x   rank 0 sends x, and rank 1 stores it\n"
        "  0 +> 1 x   rank 0 sends x, and rank 1 adds it\n"
        "\n"
        "round 0   0 +> 1 a[0]   1 +> 2 b[1]   2 +> 0 c[2]\n"
        "round 1   0 +> 1 ac[2]   1 +> 2 ab[0]   2 +> 0 bc[1]\n"
        "round 2   0 -> 1 *[1]   1 -> 2 *[2]   2 -> 0 *[0]\n"
        "round 3   0 -> 1 *[0]   1 -> 2 *[1]   2 -> 0 *[2]\n");
  params.rank_count = 6;
  check(rs_algorithm_find(RS_ALLREDUCE, "tree"), &params,
        "  a, b, ...  the inputs of rank 0, 1, ...\n"
        "  ab         a sum; * is everybody's\n"
        "  0 -> 1 x   rank 0 sends x, and rank 1 stores it\n"
        "  0 +> 1 x   rank 0 sends x, and rank 1 adds it\n"
        "\n"
        "round 0   1 +> 0 b   3 +> 2 d   5 +> 4 f\n"
        "round 1   2 +> 0 cd\n"
        "round 2   4 +> 0 ef\n"
        "round 3   0 -> 4 *\n"
        "round 4   0 -> 2 *\n"
        "round 5   0 -> 1 *   2 -> 3 *   4 -> 5 *\n");
}

// Copies, runs, places that hold no rising parts, and a round in which nothing is done.
static void test_alltoall(void **state) {
  (void)state;
  static const uint32_t parts[] = {1, 2, 1, 0, 0};
  static const struct script_line lines[] = {
      {0, 0, SCRIPT_COPY(.source = {RS_BUFFER_INPUT, 1, 2}, .target = {RS_BUFFER_SCRATCH, 0, 2})},
      {0, 0, SCRIPT_COPY(.source = IN(0), .target = OUT(0))},
      {0, 2, SCRIPT_SEND(1, {RS_BUFFER_SCRATCH, 0, 2})},
      {1, 2, SCRIPT_RECV(0, {RS_BUFFER_SCRATCH, 0, 2})},
      {2, 2, SCRIPT_SEND(1, {RS_BUFFER_INPUT, 1, 1})},
      {1, 2, SCRIPT_RECV(2, OUT(2))},
      {1, 2, SCRIPT_COPY(.source = IN(0), .target = TMP(3))},
      {1, 2, SCRIPT_COPY(.source = IN(1), .target = OUT(1))},
      {2, 2, SCRIPT_SEND(0, IN(0))},
      {0, 2, SCRIPT_RECV(2, OUT(2))},
      {2, 2, SCRIPT_COPY(.source = IN(2), .target = OUT(2))},
      {1, 3, SCRIPT_COPY(.source = TMP(0), .target = OUT(0))},
      {1, 3, SCRIPT_SEND(2, TMP(1))},
      {2, 3, SCRIPT_RECV(1, OUT(0))},
      {1, 3, SCRIPT_SEND(2, IN(2))},
      {2, 3, SCRIPT_RECV(1, OUT(1))},
      {1, 3, SCRIPT_SEND(0, TMP(3))},
      {0, 3, SCRIPT_RECV(1, OUT(1))},
  };
  const struct script script = {.collective = RS_ALLTOALL,
                                .rank_count = 3,
                                .parts = 3,
                                .scratch_places = 5,
                                .scratch_parts = parts,
                                .rounds = 4,
                                SCRIPT_LINES(lines)};
  const struct rs_algorithm algorithm = script_algorithm(&script);
  const struct rs_schedule_params params = script_params(&script);
  check(&algorithm, &params,
        "  a, b, ...  the inputs of rank 0, 1, ...\n"
        "  a[1]       part 1 of it, of 3\n"
        "  0 -> 1 x   rank 0 sends x, and rank 1 stores it\n"
        "  0 = x      rank 0 copies x\n"
        "\n"
        "round 0   0 = a[1..2]   0 = a[0]\n"
        "round 1   nothing\n"
        "round 2   0 -> 1 a[1..2]   1 = b[0]   1 = b[1]   2 -> 1 c[1]   2 -> 0 c[0]   2 = c[2]\n"
        "round 3   1 = a[1]   1 -> 2 a[2]   1 -> 2 b[2]   1 -> 0 b[0]\n");
}

// More ranks than letters, and lines that are full.
static void test_many_ranks(void **state) {
  (void)state;
  const struct rs_schedule_params params = {.collective = RS_ALLREDUCE, .rank_count = 29};
  struct rs_text text = {0};
  struct rs_error error = {0};
  assert_int_equal(rs_schedule_explain(rs_algorithm_find(RS_ALLREDUCE, "tree"), &params, &text, &error), RS_OK);
  static const char *const expected[] = {
      "  {3,5-7}    a sum; * is everybody's\n",
      "round 0   1 +> 0 {1}   3 +> 2 {3}",
      "\n          27 +> 26 {27}\n",
      "round 1   2 +> 0 {2-3}   6 +> 4 {6-7}",
      "round 3   8 +> 0 {8-15}   24 +> 16 {24-28}\n",
      "round 9   0 -> 1 *",
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(expected); i++) {
    if (!strstr(text.data, expected[i])) {
      fail_msg("expected '%s' in:\n%s", expected[i], text.data);
    }
  }
  size_t column = 0;
  for (const char *c = text.data; *c; c++) {
    column = *c == '\n' ? 0 : column + 1;
    assert_true(column <= 110);
  }
  rs_text_fini(&text);
}

static void test_wrong_schedule(void **state) {
  (void)state;
  static const struct script_line lines[] = {{0, 0, SCRIPT_SEND(1, IN(0))}};
  const struct script script = {.rank_count = 2, .parts = 1, .rounds = 1, SCRIPT_LINES(lines)};
  const struct rs_algorithm algorithm = script_algorithm(&script);
  const struct rs_schedule_params params = script_params(&script);
  struct rs_text text = {0};
  struct rs_error error = {0};
  assert_int_equal(rs_schedule_explain(&algorithm, &params, &text, &error), RS_ERROR_MISMATCH);
  assert_non_null(strstr(error.text, "meets no receive of rank 1"));
  assert_null(text.data);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_allreduce), cmocka_unit_test(test_alltoall),
                                     cmocka_unit_test(test_many_ranks), cmocka_unit_test(test_wrong_schedule)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
