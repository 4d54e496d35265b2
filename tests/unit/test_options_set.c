// Defaults, rs_options_set and --set: keys that exist, keys that do not, and that a refusal changes nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/test_options_table.h"

#include <string.h>

static void defaults_are_parsed(void **state) {
  (void)state;
  struct sample sample;
  memset(&sample, 0xee, sizeof sample);
  struct rs_option_group groups[4];
  struct rs_options options = sample_options(&sample, groups);
  struct rs_error error = {0};
  assert_int_equal(rs_options_set_defaults(&options, &error), RS_OK);
  assert_int_equal(sample.algorithms.count, 2);
  assert_string_equal(sample.algorithms.words[1], "tree");
  assert_int_equal(sample.datatypes.count, 1);
  assert_int_equal(sample.sizes.count, 8);
  assert_int_equal(sample.sizes.values[7], 1024);
  assert_int_equal(sample.timeout_ns, 30000000000);
  assert_int_equal(sample.mode, 0);
  assert_true(sample.check);
  assert_true(sample.tolerance == 0.02);
  assert_string_equal(sample.note.text, "");
  assert_int_equal(sample.ports.high, 0);
  assert_int_equal(sample.chunk, 65536);
}

static void assignments_reach_their_fields(void **state) {
  (void)state;
  struct sample sample;
  struct rs_option_group groups[4];
  struct rs_options options = sample_options(&sample, groups);
  struct rs_error error = {0};
  assert_int_equal(rs_options_set_defaults(&options, &error), RS_OK);
  assert_int_equal(rs_options_set_assignment(&options, "run.timeout=2s", &error), RS_OK);
  assert_int_equal(sample.timeout_ns, 2000000000);
  assert_int_equal(rs_options_set_assignment(&options, " run.timeout = 3s ", &error), RS_OK);
  assert_int_equal(sample.timeout_ns, 3000000000);
  assert_int_equal(rs_options_set_assignment(&options, "run.note=a=b", &error), RS_OK);
  assert_string_equal(sample.note.text, "a=b");
  assert_int_equal(rs_options_set_assignment(&options, "run.note=", &error), RS_OK);
  assert_string_equal(sample.note.text, "");
  assert_int_equal(rs_options_set(&options, "test", "net.tcp.ports", "20000-20010", &error), RS_OK);
  assert_int_equal(sample.ports.low, 20000);
  // A list is replaced, not extended.
  assert_int_equal(rs_options_set_assignment(&options, "algorithms=mpi", &error), RS_OK);
  assert_int_equal(sample.algorithms.count, 1);
  assert_string_equal(sample.algorithms.words[0], "mpi");
  assert_string_equal(sample.algorithms.words[1], "");
}

static void refusals_explain_and_change_nothing(void **state) {
  (void)state;
  static const struct {
    const char *assignment, *refusal;
  } rows[] = {
      {"run.timeout", "--set run.timeout: there is no '='; write --set KEY=VALUE"},
      {"", "--set : there is no '='; write --set KEY=VALUE"},
      {"=5", "--set =5: there is no key before '='; write --set KEY=VALUE"},
      {"sizes=8..", "--set sizes=8..: '8..' is not a size range; write 8, 1KiB, 8..64MiB (doubling) or 8..64MiB*4"},
      {"run.timout=5s", "--set run.timout=5s: unknown key 'run.timout'; did you mean 'run.timeout'?"},
      {"size=8", "--set size=8: unknown key 'size'; did you mean 'sizes'?"},
      // The right name in the wrong section.
      {"timeout=5s", "--set timeout=5s: unknown key 'timeout'; did you mean 'run.timeout'?"},
      {"run.datatypes=int32", "--set run.datatypes=int32: unknown key 'run.datatypes'; did you mean 'datatypes'?"},
      {"rum.xyzzyxyzzy=1",
       "--set rum.xyzzyxyzzy=1: unknown key 'rum.xyzzyxyzzy'; the keys are algorithms, datatypes, sizes, lanes, run.*, "
       "net.*"},
      {"run.xyzzyxyzzy=1", "--set run.xyzzyxyzzy=1: unknown key 'run.xyzzyxyzzy'; the keys of 'run' are timeout, mode, "
                           "window, check, tolerance, note"},
      {"net.tcp.xyzzy.y=1",
       "--set net.tcp.xyzzy.y=1: unknown key 'net.tcp.xyzzy.y'; the keys of 'net.tcp' are ports, chunk"},
      {"net.xyzzyxyzzy=1", "--set net.xyzzyxyzzy=1: unknown key 'net.xyzzyxyzzy'; the keys of 'net' are tcp.*"},
      {"run=5", "--set run=5: 'run' is a group of keys and takes no value itself; the keys of 'run' are timeout, mode, "
                "window, check, tolerance, note"},
      {"run.mode=fast", "--set run.mode=fast: 'fast' is not one of isolated, streaming, off"},
      {"run.check=", "--set run.check=: '' is not yes or no; write true, yes, on, 1, false, no, off or 0"},
      {"algorithms=ring,ring", "--set algorithms=ring,ring: 'ring' stands twice in the list; name it once"},
      {"lanes=1,65", "--set lanes=1,65: 65 is too large; the largest allowed is 64"},
      {"x\ny=1", "--set x?y=1: unknown key 'x?y'; the keys are algorithms, datatypes, sizes, lanes, run.*, net.*"},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    struct sample sample, before;
    struct rs_option_group groups[4];
    struct rs_options options = sample_options(&sample, groups);
    struct rs_error error = {0};
    memset(&sample, 0xee, sizeof sample);
    memcpy(&before, &sample, sizeof sample);
    if (rs_options_set_assignment(&options, rows[i].assignment, &error) != RS_ERROR_USAGE ||
        strcmp(error.text, rows[i].refusal) != 0)
      fail_msg("'%s':\n  expected %s\n  got      %s", rows[i].assignment, rows[i].refusal, error.text);
    assert_memory_equal(&sample, &before, sizeof sample);
  }
}

static void origin_and_key_open_the_message(void **state) {
  (void)state;
  struct sample sample;
  struct rs_option_group groups[4];
  struct rs_options options = sample_options(&sample, groups);
  struct rs_error error = {0};
  assert_int_equal(rs_options_set(&options, "RINGSIDE_TIMEOUT", "run.timeout", "5", &error), RS_ERROR_USAGE);
  assert_string_equal(error.text, "RINGSIDE_TIMEOUT: run.timeout: '5' has no unit; write 5s, 5ms or 5us");
  error = (struct rs_error){0};
  assert_int_equal(rs_options_set(&options, "here", "rum.timeout", "5s", &error), RS_ERROR_USAGE);
  assert_string_equal(error.text, "here: unknown key 'rum.timeout'; did you mean 'run.timeout'?");
}

static void a_key_of_any_length_is_survived(void **state) {
  (void)state;
  struct sample sample;
  struct rs_option_group groups[4];
  struct rs_options options = sample_options(&sample, groups);
  for (size_t length = 1; length < 400; length++) {
    char assignment[402];
    struct rs_error error = {0};
    memset(assignment, 'k', length);
    memcpy(assignment + length, "=1", 3);
    assert_int_equal(rs_options_set_assignment(&options, assignment, &error), RS_ERROR_USAGE);
    assert_non_null(strstr(error.text, "unknown key 'k"));
  }
}

static const struct rs_option good_row = {"x", RS_OPTION_UINT, 0, "1", "help", NULL, 0, 0};

static void bad_tables_are_internal_errors(void **state) {
  (void)state;
  static const char *const none[] = {NULL}, *const good_words[] = {"auto", NULL};
  static const struct {
    struct rs_option row;
    const char *refusal;
  } rows[] = {
      {{"y", RS_OPTION_DURATION, 0, "5", "help", NULL, 0, 0},
       "bad option table: the default of 'g.y': '5' has no unit; write 5s, 5ms or 5us"},
      {{"y", RS_OPTION_UINT, 0, "0", "help", NULL, 1, 0},
       "bad option table: the default of 'g.y': 0 is too small; the smallest allowed is 1"},
      {{"x", RS_OPTION_UINT, 0, "1", "help", NULL, 0, 0}, "bad option table: two options have the key 'g.x'"},
      {{"y", RS_OPTION_CHOICE, 0, "a", "help", NULL, 0, 0}, "bad option table: 'g.y' has no choices"},
      {{"y", RS_OPTION_CHOICES, 0, "a", "help", none, 0, 0}, "bad option table: 'g.y' has no choices"},
      {{"y", RS_OPTION_SIZES, 0, "1", "help", good_words, 0, 0},
       "bad option table: 'g.y' has words beside sizes and no maximum"},
      {{"y", RS_OPTION_UINT, 0, NULL, "help", NULL, 0, 0}, "bad option table: 'g.y' lacks its default or its help"},
      {{"y", RS_OPTION_UINT, 0, "1", NULL, NULL, 0, 0}, "bad option table: 'g.y' lacks its default or its help"},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    uint64_t target;
    const struct rs_option table[] = {good_row, rows[i].row, {.name = NULL}};
    const struct rs_option_group group = {"g", table, &target};
    const struct rs_options options = {&group, 1};
    struct rs_error error = {0};
    assert_int_equal(rs_options_set_defaults(&options, &error), RS_ERROR_INTERNAL);
    assert_string_equal(error.text, rows[i].refusal);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_are_parsed),
      cmocka_unit_test(assignments_reach_their_fields),
      cmocka_unit_test(refusals_explain_and_change_nothing),
      cmocka_unit_test(origin_and_key_open_the_message),
      cmocka_unit_test(a_key_of_any_length_is_survived),
      cmocka_unit_test(bad_tables_are_internal_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
