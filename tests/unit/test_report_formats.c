// JSON, CSV and the layout of nccl-tests, from results made by hand.
#include "ringside/report.h"
#include "support/result_fixture.h"

#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define NCCL_WORDS 13

// Two implementations, in place and not, with a failed, an unchecked and an unfinished case.
static void fill(struct rs_result_fixture *fixture) {
  rs_result_fixture_init(fixture);
  for (uint64_t size = 8; size <= UINT64_C(8) << 20; size *= 1024) {
    rs_result_fixture_add(fixture, "ring", "tcp", size, 90123.5 + 1.5 * (double)size, 0.02);
    rs_result_fixture_add(fixture, "ring", "tcp", size, 88000 + 1.5 * (double)size, 0.02)->in_place = 1;
    struct rs_case_row *row = rs_result_fixture_add(fixture, "mpi", "", size, 40000 + 1.75 * (double)size, 0.02);
    snprintf(row->datatype, sizeof(row->datatype), "bfloat16");
    row->count = size / 2;
  }
  fixture->cases[3].verified = RS_VERIFY_FAILED;
  fixture->cases[4].verified = RS_NOT_VERIFIED;
  fixture->cases[8].finished = 0;
  rs_result_fixture_time(&fixture->cases[8], NAN, NAN);
}

static void print_json(const void *subject, FILE *file) {
  struct rs_error error = {0};
  assert_int_equal(rs_report_json(subject, NULL, file, &error), RS_OK);
}

static void print_csv(const void *subject, FILE *file) {
  rs_report_csv(subject, true, file);
  rs_report_csv(subject, false, file);
}

static void print_nccl_tests(const void *subject, FILE *file) {
  rs_report_nccl_tests(subject, file);
}

static void json_is_as_agreed(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  fill(&fixture);
  char *text = rs_fixture_print(print_json, &fixture.result);
  rs_golden_check("report_json.txt", text);
  free(text);
}

static void json_parses_and_nan_is_null(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  fill(&fixture);
  // A fixed-size field that ends in the middle of a character, and one that is not UTF-8 at all.
  snprintf(fixture.hosts[0].hostname, sizeof(fixture.hosts[0].hostname), "caf\xc3");
  char *text = rs_fixture_print(print_json, &fixture.result);
  json_t *root = json_loads(text, 0, NULL);
  assert_non_null(root);
  json_t *cases = json_object_get(root, "cases");
  assert_int_equal(json_array_size(cases), 9);
  json_t *first = json_array_get(cases, 0), *last = json_array_get(cases, 8);
  assert_true(json_number_value(json_object_get(first, "median_ns")) == fixture.cases[0].median_ns);
  assert_true(json_is_null(json_object_get(first, "p99_ns")));
  assert_true(json_is_true(json_object_get(first, "finished")));
  assert_true(json_is_false(json_object_get(last, "finished")));
  assert_true(json_is_null(json_object_get(last, "median_ns")));
  assert_int_equal(json_integer_value(json_object_get(first, "peer_a")), -1);
  json_t *host = json_array_get(json_object_get(root, "hosts"), 0);
  assert_string_equal(json_string_value(json_object_get(host, "hostname")), "caf?");
  assert_true(json_is_null(json_object_get(host, "zone")));
  json_decref(root);
  free(text);
}

static void json_notices_a_full_disk(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  fill(&fixture);
  FILE *full = fopen("/dev/full", "w");
  if (full == NULL)
    skip();
  setvbuf(full, NULL, _IONBF, 0);
  struct rs_error error = {0};
  assert_int_equal(rs_report_json(&fixture.result, NULL, full, &error), RS_ERROR_IO);
  assert_non_null(strstr(error.text, "No space left"));
  fclose(full);
}

// Two results under one heading; the path needs quotes.
static void csv_is_as_agreed(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  fill(&fixture);
  fixture.result.path = "a \"b\", c.h5";
  char *text = rs_fixture_print(print_csv, &fixture.result);
  rs_golden_check("report_csv.txt", text);
  free(text);
}

static void nccl_tests_layout_is_as_agreed(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  fill(&fixture);
  char *text = rs_fixture_print(print_nccl_tests, &fixture.result);
  rs_golden_check("report_nccl_tests.txt", text);
  free(text);
}

// A rooted one, one of blocks, what nccl-tests has no program for, and what is no collective.
static void fill_collectives(struct rs_result_fixture *fixture) {
  rs_result_fixture_init(fixture);
  static const struct {
    const char *collective, *operation;
    int32_t root;
  } kinds[] = {{"broadcast", "", 2},
               {"reduce", "max", 0},
               {"allgather", "", -1},
               {"alltoallv", "", -1},
               {"reduce_scatter", "sum", -1}};
  for (size_t k = 0; k < RS_ARRAY_LENGTH(kinds); k++) {
    struct rs_case_row *row = rs_result_fixture_add(fixture, "ring", "tcp", 65536, 90123.5, 0.02);
    snprintf(row->collective, sizeof(row->collective), "%s", kinds[k].collective);
    snprintf(row->operation, sizeof(row->operation), "%s", kinds[k].operation);
    row->root = kinds[k].root;
  }
  struct rs_case_row *row = rs_result_fixture_add(fixture, "ring", "tcp", 65536, 190123.5, 0.02);
  snprintf(row->congestor, sizeof(row->congestor), "incast");
  row->measured_ranks = 2;
  row = rs_result_fixture_add(fixture, "pingpong", "tcp", 65536, 190123.5, 0.02);
  snprintf(row->benchmark, sizeof(row->benchmark), "p2p");
  row = rs_result_fixture_add(fixture, "avx2", "", 65536, 190123.5, 0.02);
  snprintf(row->benchmark, sizeof(row->benchmark), "reduce");
}

static void nccl_tests_names_its_programs(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  fill_collectives(&fixture);
  char *text = rs_fixture_print(print_nccl_tests, &fixture.result);
  rs_golden_check("report_nccl_tests_collectives.txt", text);
  free(text);
}

static size_t count_words(const char *line) {
  size_t words = 0;
  for (bool inside = false; *line != '\0'; line++) {
    words += !inside && !isspace((unsigned char)*line);
    inside = !isspace((unsigned char)*line);
  }
  return words;
}

// Scripts skip lines that start with '#' and split the rest at blanks; times of an hour must not glue words together.
static void nccl_tests_lines_split_into_13_words(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  fill(&fixture);
  rs_result_fixture_time(&fixture.cases[0], 3.6e12, 0.1);
  rs_result_fixture_time(&fixture.cases[1], 0.001, 0.1);
  char *text = rs_fixture_print(print_nccl_tests, &fixture.result), *rest = text;
  size_t lines = 0;
  for (char *line; (line = strsep(&rest, "\n")) != NULL && rest != NULL;) {
    if (line[0] == '#')
      continue;
    assert_int_equal(count_words(line), NCCL_WORDS);
    lines++;
  }
  assert_int_equal(lines, 6); // three sizes of ring, both places in one line, and three of mpi
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(json_is_as_agreed),
      cmocka_unit_test(json_parses_and_nan_is_null),
      cmocka_unit_test(json_notices_a_full_disk),
      cmocka_unit_test(csv_is_as_agreed),
      cmocka_unit_test(nccl_tests_layout_is_as_agreed),
      cmocka_unit_test(nccl_tests_names_its_programs),
      cmocka_unit_test(nccl_tests_lines_split_into_13_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
