// A result that somebody removes while its run goes on comes back, with every case that had been stored.
#include "store/sample_run.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

// The file lies two directories deep: both go with it.
struct deep {
  struct sample_place *place;
  struct sample_run run;
  struct rs_writer *writer;
  char outer[160], inner[200], path[240];
};

static void deep_open(struct deep *deep, struct sample_place *place) {
  struct rs_error error = {0};
  deep->place = place;
  snprintf(deep->outer, sizeof deep->outer, "%s/results", place->directory);
  snprintf(deep->inner, sizeof deep->inner, "%s/today", deep->outer);
  snprintf(deep->path, sizeof deep->path, "%s/run.h5", deep->inner);
  assert_int_equal(mkdir(deep->outer, 0700), 0);
  assert_int_equal(mkdir(deep->inner, 0700), 0);
  sample_run_init(&deep->run);
  if (rs_writer_open(deep->path, false, &deep->run.facts, &deep->writer, &error) != RS_OK)
    fail_msg("%s", error.text);
}

static void remove_all(const struct deep *deep) {
  unlink(deep->path);
  rmdir(deep->inner);
  rmdir(deep->outer);
  assert_int_not_equal(access(deep->outer, F_OK), 0);
}

static void write_case(const struct deep *deep, size_t c) {
  struct rs_error error = {0};
  if (sample_write_case(deep->writer, &deep->run, c, &error) != RS_OK)
    fail_msg("%s", error.text);
}

// The file opens with this status and holds the first `count` cases.
static void expect_cases(const char *path, const char *status, size_t count) {
  struct rs_error error = {0};
  struct rs_result *result;
  if (rs_result_open(path, &result, &error) != RS_OK)
    fail_msg("%s", error.text);
  assert_string_equal(result->status, status);
  for (size_t c = 0; c < SAMPLE_CASES; c++) {
    assert_int_equal(result->cases[c].finished, c < count);
    if (c < count && !sample_case_is_right(result, c, &error))
      fail_msg("case %zu is wrong: %s", c, error.text);
  }
  rs_result_close(result);
}

static void finish(const struct deep *deep) {
  struct rs_error error = {0};
  if (rs_writer_finish(deep->writer, &error) != RS_OK)
    fail_msg("%s", error.text);
}

// It is there again when the next case has been stored, however often it goes.
static void test_between_cases(void **state) {
  struct deep deep;
  deep_open(&deep, *state);
  for (size_t c = 0; c < SAMPLE_CASES; c++) {
    remove_all(&deep);
    write_case(&deep, c);
    expect_cases(deep.path, "partial", c + 1);
  }
  finish(&deep);
  expect_cases(deep.path, "complete", SAMPLE_CASES);
  remove_all(&deep);
}

static void test_before_the_end(void **state) {
  struct deep deep;
  deep_open(&deep, *state);
  write_case(&deep, 0);
  remove_all(&deep);
  finish(&deep);
  expect_cases(deep.path, "complete", 1);
  remove_all(&deep);
}

static void test_before_giving_up(void **state) {
  struct deep deep;
  deep_open(&deep, *state);
  write_case(&deep, 0);
  write_case(&deep, 1);
  remove_all(&deep);
  rs_writer_abandon(deep.writer);
  expect_cases(deep.path, "partial", 2);
  remove_all(&deep);
}

// A directory that gets another name takes the cases with it; the complete result comes where it was asked for.
static void test_moved(void **state) {
  struct deep deep;
  char moved[160], file[240];
  deep_open(&deep, *state);
  snprintf(moved, sizeof moved, "%s/moved", deep.place->directory);
  snprintf(file, sizeof file, "%s/today/run.h5", moved);
  write_case(&deep, 0);
  assert_int_equal(rename(deep.outer, moved), 0);
  write_case(&deep, 1);
  expect_cases(file, "partial", 2);
  finish(&deep);
  expect_cases(deep.path, "complete", 2);
  remove_all(&deep);
  unlink(file);
  snprintf(file, sizeof file, "%s/today", moved);
  rmdir(file);
  rmdir(moved);
}

// What stands in the way now is not harmed, and the error says what could not be done.
static void test_nowhere_to_go(void **state) {
  struct deep deep;
  struct rs_error error = {0};
  deep_open(&deep, *state);
  write_case(&deep, 0);
  remove_all(&deep);
  FILE *file = fopen(deep.outer, "w"); // where a directory was
  assert_non_null(file);
  fclose(file);
  assert_int_equal(sample_write_case(deep.writer, &deep.run, 1, &error), RS_ERROR_IO);
  assert_non_null(strstr(error.text, deep.path));
  assert_non_null(strstr(error.text, "could not be put back"));
  assert_non_null(strstr(error.text, strerror(ENOTDIR)));
  rs_writer_abandon(deep.writer);
  assert_int_equal(unlink(deep.outer), 0);
}

int main(void) {
#define TEST(function) cmocka_unit_test_setup_teardown(function, sample_place_make, sample_place_remove)
  const struct CMUnitTest tests[] = {
      TEST(test_between_cases), TEST(test_before_the_end), TEST(test_before_giving_up),
      TEST(test_moved),         TEST(test_nowhere_to_go),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
