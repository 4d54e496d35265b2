// tests/stats/reference.py draws cases and answers them by writing down every possibility (and asks SciPy, where it is
// installed); the library must give the same.
#include "ringside/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEED "20261123"
#define VALUES_MAX 500
#define SKIPPED 77

struct line {
  char kind[16], text[32 * VALUES_MAX];
  double numbers[VALUES_MAX];
  size_t count;
};

static bool read_line(FILE *file, struct line *line) {
  if (!fgets(line->text, sizeof(line->text), file))
    return false;
  int used = 0;
  assert_int_equal(sscanf(line->text, "%15s%n", line->kind, &used), 1);
  char *rest = line->text + used, *end;
  for (line->count = 0; line->count < VALUES_MAX; line->count++, rest = end) {
    line->numbers[line->count] = strtod(rest, &end);
    if (end == rest)
      break;
  }
  return true;
}

static void compare(const struct line *line, const char *what, double value, double expected) {
  if (!(fabs(value - expected) <= 1e-9 * fmax(1e-3, fabs(expected))))
    fail_msg("%s: %.17g, but the reference says %.17g: %.400s", what, value, expected, line->text);
}

static void check_rank(const struct line *line) {
  size_t n = (size_t)line->numbers[0], m = (size_t)line->numbers[1];
  const double *values = line->numbers + 2, *answer = values + n + m;
  double scratch[VALUES_MAX];
  struct rs_rank_test test = rs_stats_rank_test(&(struct rs_set_pair){values, values + n, n, m}, scratch);
  compare(line, "u", test.u, answer[0]);
  compare(line, "p", test.p, answer[1]);
  compare(line, "p_larger", test.p_larger, answer[2]);
  compare(line, "p_smaller", test.p_smaller, answer[3]);
  compare(line, "p_smallest", test.p_smallest, answer[4]);
  compare(line, "exact", test.exact, answer[5]);
}

static void check_shift(const struct line *line) {
  size_t n = (size_t)line->numbers[0], m = (size_t)line->numbers[1];
  const double *values = line->numbers + 3, *answer = values + n + m;
  double scratch[VALUES_MAX];
  struct rs_shift shift = rs_stats_shift(&(struct rs_set_pair){values, values + n, n, m}, line->numbers[2], scratch);
  compare(line, "estimate", shift.estimate, answer[0]);
  compare(line, "low", shift.interval.low, answer[1]);
  compare(line, "high", shift.interval.high, answer[2]);
  compare(line, "reached", shift.interval.reached, answer[3]);
}

static void check_holm(const struct line *line) {
  size_t count = (size_t)line->numbers[0];
  double adjusted[VALUES_MAX], scratch[2 * VALUES_MAX];
  rs_stats_holm(line->numbers + 1, adjusted, scratch, count);
  for (size_t i = 0; i < count; i++)
    compare(line, "adjusted p", adjusted[i], line->numbers[1 + count + i]);
}

static void check_order(const struct line *line) {
  size_t n = (size_t)line->numbers[0], m = (size_t)line->numbers[1];
  const double *times = line->numbers + 2, *values = times + n + m, *answer = values + n + m;
  double scratch[VALUES_MAX];
  struct rs_launch_order order = rs_stats_launch_order(&(struct rs_set_pair){values, values + n, n, m},
                                                       &(struct rs_set_pair){times, times + n, n, m}, scratch);
  compare(line, "tau", order.drift, answer[0]);
  compare(line, "p_drift", order.p_drift, answer[1]);
}

static void the_reference_agrees(void **state) {
  (void)state;
  static const struct {
    const char *kind;
    void (*check)(const struct line *line);
    size_t at_least;
  } checks[] = {
      {"rank", check_rank, 100}, {"shift", check_shift, 100}, {"holm", check_holm, 5}, {"order", check_order, 5}};
  const char *tree = getenv("RS_SOURCE_DIR");
  char command[4096];
  snprintf(command, sizeof(command), "python3 '%s/tests/stats/reference.py' " SEED, tree ? tree : ".");
  FILE *reference = popen(command, "r");
  assert_non_null(reference);
  static struct line line;
  size_t seen[RS_ARRAY_LENGTH(checks)] = {0};
  while (read_line(reference, &line)) {
    for (size_t c = 0; c < RS_ARRAY_LENGTH(checks); c++) {
      if (strcmp(line.kind, checks[c].kind) == 0) {
        checks[c].check(&line);
        seen[c]++;
      }
    }
  }
  assert_int_equal(pclose(reference), 0);
  for (size_t c = 0; c < RS_ARRAY_LENGTH(checks); c++)
    assert_true(seen[c] >= checks[c].at_least);
}

int main(void) {
  if (system("python3 -c 'import sys; sys.exit(sys.version_info < (3, 8))' >/dev/null 2>&1") != 0) {
    puts("skipped: needs python3, 3.8 or newer");
    return SKIPPED;
  }
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_reference_agrees)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
