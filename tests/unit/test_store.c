// A result file comes back as it was written, while it is being written and when it is complete.
// `test_store write FILE` and `test_store read FILE` serve tests/unit/results_format.sh.
#include "store/sample_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct rs_result *open_result(const char *path) {
  struct rs_error error = {0};
  struct rs_result *result = NULL;
  if (rs_result_open(path, &result, &error) != RS_OK)
    fail_msg("%s", error.text);
  return result;
}

static struct rs_writer *open_writer(const char *path, bool force, const struct rs_run_facts *facts) {
  struct rs_error error = {0};
  struct rs_writer *writer = NULL;
  if (rs_writer_open(path, force, facts, &writer, &error) != RS_OK)
    fail_msg("%s", error.text);
  return writer;
}

static void write_case(struct rs_writer *writer, const struct sample_run *run, size_t c) {
  struct rs_error error = {0};
  if (sample_write_case(writer, run, c, &error) != RS_OK)
    fail_msg("%s", error.text);
}

static void finish(struct rs_writer *writer) {
  struct rs_error error = {0};
  if (rs_writer_finish(writer, &error) != RS_OK)
    fail_msg("%s", error.text);
}

static void assert_case(const struct rs_result *result, size_t c) {
  struct rs_error error = {0};
  if (!sample_case_is_right(result, c, &error))
    fail_msg("samples of case %zu are wrong: %s", c, error.text);
}

static void test_everything_comes_back(void **state) {
  struct sample_place *place = *state;
  struct sample_run run;
  struct rs_error error = {0};
  sample_run_init(&run);
  if (sample_write_run(place->path, false, &run, &error) != RS_OK)
    fail_msg("%s", error.text);

  struct rs_result *result = open_result(place->path);
  assert_string_equal(result->path, place->path);
  assert_string_equal(result->status, "complete");
  assert_string_equal(result->ringside_version, RS_VERSION_STRING);
  assert_int_equal(result->schema_version, RS_SCHEMA_VERSION);
  assert_int_equal(strlen(result->created), strlen("2026-11-23T10:11:12Z"));
  assert_int_equal(strlen(result->run_uuid), 36);
  assert_string_equal(result->command_line, run.facts.command_line);
  assert_string_equal(result->config, sample_config);
  assert_int_equal(result->attribute_count, RS_ARRAY_LENGTH(run.attributes));
  assert_string_equal(rs_result_attribute(result, "label.placement"), "cluster");
  assert_string_equal(rs_result_attribute(result, "world"), "mpi");
  assert_null(rs_result_attribute(result, "label.absent"));

  assert_int_equal(result->placement.host_count, SAMPLE_HOSTS);
  assert_memory_equal(result->placement.hosts, run.hosts, sizeof run.hosts);
  assert_int_equal(result->placement.rank_count, SAMPLE_RANKS);
  assert_memory_equal(result->placement.ranks, run.ranks, sizeof run.ranks);
  assert_int_equal(result->device_count, SAMPLE_RANKS);
  assert_memory_equal(result->devices, run.devices, sizeof run.devices);
  assert_int_equal(result->link_count, SAMPLE_RANKS);
  assert_memory_equal(result->links, run.links, sizeof run.links);
  assert_int_equal(result->environment_count, SAMPLE_HOSTS);
  assert_memory_equal(result->environment, run.environment, sizeof run.environment);
  struct rs_counter_row counters[SAMPLE_COUNTERS];
  sample_counters_after(&run, counters);
  assert_int_equal(result->counter_count, SAMPLE_COUNTERS);
  assert_memory_equal(result->counters, counters, sizeof counters);

  assert_int_equal(result->case_count, SAMPLE_CASES);
  uint64_t rows = 0;
  for (size_t c = 0; c < SAMPLE_CASES; c++) {
    struct rs_case_row expected = sample_finished(&run, c);
    expected.sample_offset = rows * SAMPLE_RANKS;
    rows += expected.iterations;
    assert_memory_equal(&result->cases[c], &expected, sizeof expected);
    assert_case(result, c);
  }
  assert_int_equal(result->pair_count, SAMPLE_PAIRS);
  rs_result_close(result);
}

static void test_reading_in_the_making(void **state) {
  struct sample_place *place = *state;
  struct sample_run run;
  sample_run_init(&run);
  struct rs_writer *writer = open_writer(place->path, false, &run.facts);
  // Out of order, as a runner that shuffles its cases does it.
  static const size_t order[SAMPLE_CASES] = {2, 0, 3, 1};
  for (size_t done = 0; done <= SAMPLE_CASES; done++) {
    struct rs_result *result = open_result(place->path);
    assert_string_equal(result->status, "partial");
    for (size_t i = 0; i < SAMPLE_CASES; i++) {
      const struct rs_case_row *row = &result->cases[order[i]];
      assert_int_equal(row->finished, i < done);
      assert_int_equal(row->size_bytes, run.cases[order[i]].size_bytes);
      if (i < done) {
        assert_case(result, order[i]);
        continue;
      }
      struct rs_error error = {0};
      struct rs_iteration_row *iterations = NULL;
      struct rs_sample *samples = NULL;
      assert_int_equal(rs_result_samples(result, row, &iterations, &samples, &error), RS_ERROR_USAGE);
      assert_null(samples);
    }
    rs_result_close(result);
    if (done < SAMPLE_CASES)
      write_case(writer, &run, order[done]);
  }
  rs_writer_abandon(writer);
  struct rs_result *result = open_result(place->path);
  assert_string_equal(result->status, "partial");
  assert_case(result, 1);
  rs_result_close(result);
}

// Counters have their first value from the start and their last one before the end, which changes nothing else.
static void test_counters_in_the_making(void **state) {
  struct sample_place *place = *state;
  struct sample_run run;
  sample_run_init(&run);
  struct rs_writer *writer = open_writer(place->path, false, &run.facts);
  write_case(writer, &run, 1);
  struct rs_result *result = open_result(place->path);
  assert_memory_equal(result->counters, run.counters, sizeof run.counters);
  rs_result_close(result);

  struct rs_counter_row counters[SAMPLE_COUNTERS];
  struct rs_error error = {0};
  sample_counters_after(&run, counters);
  assert_int_equal(rs_writer_counters(writer, counters, SAMPLE_COUNTERS - 1, &error), RS_ERROR_INTERNAL);
  error = (struct rs_error){0};
  assert_int_equal(rs_writer_counters(writer, counters, SAMPLE_COUNTERS, &error), RS_OK);
  rs_writer_abandon(writer);
  result = open_result(place->path);
  assert_string_equal(result->status, "partial");
  assert_memory_equal(result->counters, counters, sizeof counters);
  assert_case(result, 1);
  rs_result_close(result);
}

// Planned pairs are there from the start, without figures; those of a case come with it, and stay what they were
// planned.
static void test_pairs_in_the_making(void **state) {
  struct sample_place *place = *state;
  struct sample_run run;
  sample_run_init(&run);
  struct rs_writer *writer = open_writer(place->path, false, &run.facts);
  write_case(writer, &run, 2);
  struct rs_result *result = open_result(place->path);
  assert_int_equal(result->pair_count, SAMPLE_PAIRS);
  for (size_t p = 0; p < SAMPLE_PAIRS; p++) {
    const struct rs_pair_row *pair = &result->pairs[p];
    assert_int_equal(pair->case_id, p / SAMPLE_CASE_PAIRS);
    assert_int_equal(pair->rank_b, p % SAMPLE_CASE_PAIRS == 0 ? 1 : 2);
    bool measured = pair->case_id == 2;
    assert_int_equal(!isnan(pair->median_ns), measured);
    assert_int_equal(!isnan(pair->algbw_gb_s), measured);
  }
  assert_case(result, 2);
  rs_result_close(result);

  static const struct {
    size_t first, count, from; // rows `from` and on are offered for `first`
    const char *words;
  } refusals[] = {{SAMPLE_PAIRS - 2, 3, SAMPLE_PAIRS - 3, "do not fit"},
                  {SAMPLE_PAIRS + 1, 0, 0, "do not fit"},
                  {0, 3, 3, "not ranks 0 and 1 in case 1"},
                  {0, 2, 1, "not ranks 0 and 2 in case 0"},
                  {6, 3, 6, "case 2 is in"}};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(refusals); i++) {
    struct rs_error error = {0};
    assert_int_equal(
        rs_writer_pairs(writer, refusals[i].first, &run.pairs[refusals[i].from], refusals[i].count, &error),
        RS_ERROR_INTERNAL);
    if (strstr(error.text, refusals[i].words) == NULL)
      fail_msg("'%s' does not say '%s'", error.text, refusals[i].words);
  }
  rs_writer_abandon(writer);
}

static void test_pairs_that_cannot_be(void **state) {
  struct sample_place *place = *state;
  static const struct rs_pair_row strange[] = {{.case_id = SAMPLE_CASES}, {.rank_a = SAMPLE_RANKS}, {.rank_b = 3}};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(strange); i++) {
    struct sample_run run;
    struct rs_error error = {0};
    struct rs_writer *writer = NULL;
    sample_run_init(&run);
    run.pairs[5] = strange[i];
    assert_int_equal(rs_writer_open(place->path, false, &run.facts, &writer, &error), RS_ERROR_INTERNAL);
    assert_non_null(strstr(error.text, "planned pair 5"));
  }
}

// Completion moves the samples; a reader that opened the partial file still finds them, or hears that it cannot.
static void test_result_outlives_its_file(void **state) {
  struct sample_place *place = *state;
  struct sample_run run;
  struct rs_error error = {0};
  sample_run_init(&run);
  struct rs_writer *writer = open_writer(place->path, false, &run.facts);
  write_case(writer, &run, 1);
  write_case(writer, &run, 3);
  struct rs_result *result = open_result(place->path);
  finish(writer);
  assert_case(result, 1);
  assert_case(result, 3);
  assert_int_equal(sample_write_run(place->path, true, &run, &error), RS_OK);
  assert_false(sample_case_is_right(result, 1, &error));
  assert_int_equal(error.status, RS_ERROR_USAGE);
  assert_non_null(strstr(error.text, "replaced"));
  rs_result_close(result);
}

// Skipped cases stay as planned; a file without a case or without iterations is a file too.
static void test_little_or_nothing(void **state) {
  struct sample_place *place = *state;
  struct sample_run run;
  sample_run_init(&run);
  struct rs_writer *writer = open_writer(place->path, false, &run.facts);
  write_case(writer, &run, 2);
  finish(writer);
  struct rs_result *result = open_result(place->path);
  for (size_t c = 0; c < SAMPLE_CASES; c++)
    assert_int_equal(result->cases[c].finished, c == 2);
  assert_case(result, 2);
  rs_result_close(result);

  run.facts.host_xml = NULL;
  run.facts.attribute_count = run.facts.device_count = 0;
  run.facts.environment_count = run.facts.counter_count = run.facts.link_count = run.facts.pair_count = 0;
  finish(open_writer(place->path, true, &run.facts));
  run.facts.case_count = 0;
  finish(open_writer(place->path, true, &run.facts));
  result = open_result(place->path);
  assert_int_equal(result->case_count + result->device_count + result->attribute_count, 0);
  assert_int_equal(result->environment_count + result->counter_count + result->link_count + result->pair_count, 0);
  rs_result_close(result);
}

static void test_long_and_strange_text(void **state) {
  struct sample_place *place = *state;
  struct sample_run run;
  sample_run_init(&run);
  size_t length = 300000;
  char *config = malloc(length + 1);
  memset(config, 'c', length);
  memcpy(config + length - 3, "\xe2\x82\xac", 4);
  struct rs_attribute attributes[40];
  for (size_t a = 0; a < RS_ARRAY_LENGTH(attributes); a++) {
    snprintf(attributes[a].key, sizeof attributes[a].key, "label.%zu", a);
    attributes[a].value = a == 7 ? config : a == 8 ? "" : attributes[a].key;
  }
  run.facts.config = config;
  run.facts.command_line = "";
  run.facts.attributes = attributes;
  run.facts.attribute_count = RS_ARRAY_LENGTH(attributes);
  struct rs_writer *writer = open_writer(place->path, false, &run.facts);
  for (int pass = 0; pass < 2; pass++) {
    struct rs_result *result = open_result(place->path);
    assert_string_equal(result->config, config);
    assert_string_equal(result->command_line, "");
    assert_int_equal(result->attribute_count, RS_ARRAY_LENGTH(attributes));
    for (size_t a = 0; a < RS_ARRAY_LENGTH(attributes); a++)
      assert_string_equal(rs_result_attribute(result, attributes[a].key), attributes[a].value);
    rs_result_close(result);
    if (pass == 0)
      finish(writer);
  }
  free(config);
}

static void expect_internal(struct rs_writer *writer, const struct rs_case_row *row) {
  struct rs_error error = {0};
  struct rs_iteration_row iterations[1] = {{0}};
  struct rs_sample samples[SAMPLE_RANKS] = {{0}};
  assert_int_equal(rs_writer_case(writer, row, iterations, samples, &error), RS_ERROR_INTERNAL);
}

static void test_cases_that_do_not_fit(void **state) {
  struct sample_place *place = *state;
  struct sample_run run;
  sample_run_init(&run);
  struct rs_writer *writer = open_writer(place->path, false, &run.facts);
  struct rs_case_row row = sample_finished(&run, 0);
  row.case_id = SAMPLE_CASES;
  expect_internal(writer, &row);
  row = sample_finished(&run, 0);
  row.rank_count--;
  expect_internal(writer, &row);
  row = sample_finished(&run, 0);
  row.iterations = SAMPLE_ITERATIONS + 1;
  expect_internal(writer, &row);
  write_case(writer, &run, 0);
  row = sample_finished(&run, 0);
  expect_internal(writer, &row);
  finish(writer);
  struct rs_result *result = open_result(place->path);
  assert_case(result, 0);
  rs_result_close(result);
}

static void test_sample_bytes(void **state) {
  (void)state;
  assert_int_equal(rs_store_sample_bytes(10, 4, 100), 10 * 4 * 100 * 16);
  assert_true(rs_store_sample_bytes(SIZE_MAX, 2, 1) == UINT64_MAX);
  assert_true(rs_store_sample_bytes(SIZE_MAX / 8, 1, 1) == UINT64_MAX);
  char text[32];
  rs_store_library(text, sizeof text);
  assert_memory_equal(text, "HDF5 1.", 7);
}

static int write_for_script(const char *path) {
  struct sample_run run;
  struct rs_error error = {0};
  sample_run_init(&run);
  if (sample_write_run(path, false, &run, &error) == RS_OK)
    return 0;
  fprintf(stderr, "%s\n", error.text);
  return 2;
}

static int read_for_script(const char *path) {
  struct rs_error error = {0};
  struct rs_result *result;
  size_t right = 0;
  if (rs_result_open(path, &result, &error) != RS_OK) {
    fprintf(stderr, "%s\n", error.text);
    return 2;
  }
  for (size_t a = 0; a < result->attribute_count; a++)
    printf("%s=%s\n", result->attributes[a].key, result->attributes[a].value);
  for (size_t c = 0; c < result->case_count; c++)
    right += sample_case_is_right(result, c, &error);
  const struct rs_case_row *row = result->case_count > 1 ? &result->cases[1] : NULL;
  if (row)
    printf("case 1: root %d, pairing '%s', congestor '%s', %u of %u ranks measured\n", row->root, row->pairing,
           row->congestor, row->measured_ranks, row->rank_count);
  printf("%zu cases right\n", right);
  fprintf(stderr, "%s", error.text);
  rs_result_close(result);
  return right == SAMPLE_CASES ? 0 : 2;
}

int main(int argc, char **argv) {
  if (argc == 3)
    return strcmp(argv[1], "write") == 0 ? write_for_script(argv[2]) : read_for_script(argv[2]);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_everything_comes_back, sample_place_make, sample_place_remove),
      cmocka_unit_test_setup_teardown(test_reading_in_the_making, sample_place_make, sample_place_remove),
      cmocka_unit_test_setup_teardown(test_counters_in_the_making, sample_place_make, sample_place_remove),
      cmocka_unit_test_setup_teardown(test_pairs_in_the_making, sample_place_make, sample_place_remove),
      cmocka_unit_test_setup_teardown(test_pairs_that_cannot_be, sample_place_make, sample_place_remove),
      cmocka_unit_test_setup_teardown(test_result_outlives_its_file, sample_place_make, sample_place_remove),
      cmocka_unit_test_setup_teardown(test_little_or_nothing, sample_place_make, sample_place_remove),
      cmocka_unit_test_setup_teardown(test_long_and_strange_text, sample_place_make, sample_place_remove),
      cmocka_unit_test_setup_teardown(test_cases_that_do_not_fit, sample_place_make, sample_place_remove),
      cmocka_unit_test(test_sample_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
