// Run files: what is read, and every refusal with the exact place and words. A refused file changes nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/test_options_table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum rs_status parse(struct sample *sample, const char *text, struct rs_error *error) {
  struct rs_option_group groups[4];
  struct rs_options options = sample_options(sample, groups);
  return rs_options_parse_yaml(&options, "quick.yaml", text, strlen(text), error);
}

static void every_spelling_reaches_its_field(void **state) {
  (void)state;
  static const char text[] = "\xef\xbb\xbf# a comment\n"
                             "---\n"
                             "algorithms: [tree, 'mpi']\n"
                             "datatypes:\n"
                             "  - int32\n"
                             "  - float32 # last\n"
                             "sizes: [8, 1KiB..4KiB, \"1MiB\"]\n"
                             "lanes: 1, 2\n"
                             "run:\n"
                             "  timeout: 5s\n"
                             "  mode: off\n"
                             "  check: no\n"
                             "  note: |\n"
                             "    two\n"
                             "    lines\n"
                             "run.window: 4\n"
                             "net: {tcp: {ports: 1-2}, tcp.chunk: 1 KiB}\n"
                             "...\n";
  struct sample sample = {.check = true};
  struct rs_error error = {0};
  assert_int_equal(parse(&sample, text, &error), RS_OK);
  assert_int_equal(sample.algorithms.count, 2);
  assert_string_equal(sample.algorithms.words[1], "mpi");
  assert_int_equal(sample.datatypes.count, 2);
  assert_int_equal(sample.datatypes.values[0], 2);
  assert_int_equal(sample.sizes.count, 5);
  assert_int_equal(sample.sizes.values[4], 1 << 20);
  assert_int_equal(sample.lanes.count, 2);
  assert_int_equal(sample.timeout_ns, 5000000000);
  assert_int_equal(sample.mode, 2);
  assert_false(sample.check);
  assert_string_equal(sample.note.text, "two\nlines\n");
  assert_int_equal(sample.window, 4);
  assert_int_equal(sample.ports.high, 2);
  assert_int_equal(sample.chunk, 1024);
}

// A transport is called "null", so that for words and text the bare word is a word.
static void null_is_a_word_where_words_are_expected(void **state) {
  (void)state;
  static const char *const texts[] = {"algorithms: null", "algorithms: [null]", "algorithms: \"null\""};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(texts); i++) {
    struct sample sample = {0};
    struct rs_error error = {0};
    assert_int_equal(parse(&sample, texts[i], &error), RS_OK);
    assert_int_equal(sample.algorithms.count, 1);
    assert_string_equal(sample.algorithms.words[0], "null");
  }
}

static void nothing_assigns_nothing(void **state) {
  (void)state;
  static const char *const texts[] = {"",     "\n\n", "# only a comment\n", "---\n", "---\n...\n", "~\n",
                                      "null", "{}",   "\xef\xbb\xbf"};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(texts); i++) {
    struct sample sample, before;
    struct rs_error error = {0};
    memset(&sample, 0xee, sizeof sample);
    memcpy(&before, &sample, sizeof sample);
    if (parse(&sample, texts[i], &error) != RS_OK)
      fail_msg("'%s' was refused: %s", texts[i], error.text);
    assert_memory_equal(&sample, &before, sizeof sample);
  }
}

static void empty_values_that_are_meant(void **state) {
  (void)state;
  struct sample sample = {.note = {"x"}, .algorithms = {1, {"x"}}, .ports = {1, 2}};
  struct rs_error error = {0};
  assert_int_equal(parse(&sample, "algorithms: []\nrun: {note: \"\"}\nnet: {tcp: {ports: ''}}\n", &error), RS_OK);
  assert_string_equal(sample.note.text, "");
  assert_int_equal(sample.algorithms.count, 0);
  assert_int_equal(sample.ports.high, 0);
}

struct refusal {
  const char *text, *refusal;
};

// Each file is `good` followed by the text, so that a reader that stores as it goes is caught.
static const char good[] = "lanes: 2\nrun.window: 5\n";
static const struct refusal keys[] = {
    {"run:\n  timout: 5s\n", "quick.yaml:4:3: unknown key 'run.timout'; did you mean 'run.timeout'?"},
    {"run.timout: 5s\n", "quick.yaml:3:1: unknown key 'run.timout'; did you mean 'run.timeout'?"},
    {"rnu:\n  timeout: 5s\n", "quick.yaml:3:1: unknown key 'rnu'; did you mean 'run'?"},
    {"run: {check: yes,   xyzzyxyzzy: 5}\n", "quick.yaml:3:21: unknown key 'run.xyzzyxyzzy'; the keys of 'run' are "
                                             "timeout, mode, window, check, tolerance, note"},
    {"xyzzyxyzzy: 5\n",
     "quick.yaml:3:1: unknown key 'xyzzyxyzzy'; the keys are algorithms, datatypes, sizes, lanes, run.*, net.*"},
    {"\"\": 5\n", "quick.yaml:3:1: unknown key ''; the keys are algorithms, datatypes, sizes, lanes, run.*, net.*"},
    {"? [a, b]\n: 5\n", "quick.yaml:3:3: a key is a single word, not a list or a mapping"},
    {"\"run.\\0\": 5\n", "quick.yaml:3:1: text cannot hold the character \\0; remove it"},
    // The same key twice, in every mixture of spellings.
    {"lanes: 4\n", "quick.yaml:3:1: 'lanes' is given twice, first at line 1; keep one of them"},
    {"run:\n  window: 4\n", "quick.yaml:4:3: 'run.window' is given twice, first at line 2; keep one of them"},
    {"run:\n  check: no\nrun.check: no\n",
     "quick.yaml:5:1: 'run.check' is given twice, first at line 4; keep one of them"},
    {"run:\n  check: no\n  check: yes\n",
     "quick.yaml:5:3: 'run.check' is given twice, first at line 4; keep one of them"},
    {"run:\n  check: no\nrun:\n  mode: off\n",
     "quick.yaml:5:1: 'run' is given twice, first at line 3; keep one of them"},
    {"net:\n  tcp: {chunk: 1}\n  tcp.chunk: 2\n",
     "quick.yaml:5:3: 'net.tcp.chunk' is given twice, first at line 4; keep one of them"},
    {"net: {tcp: {chunk: 1}}\nnet.tcp: {ports: 1}\n",
     "quick.yaml:4:1: 'net.tcp' is given twice, first at line 3; keep one of them"},
};
static const struct refusal values[] = {
    {"run:\n  timeout: 5\n", "quick.yaml:4:12: run.timeout: '5' has no unit; write 5s, 5ms or 5us"},
    {"sizes: [8,\n   x]\n", "quick.yaml:4:4: sizes: 'x' is not a size; write bytes, such as 8, 64KiB, 1MiB or 1MB"},
    {"sizes: ['8,16']\n", "quick.yaml:3:9: sizes: '8,16' is not a size; write bytes, such as 8, 64KiB, 1MiB or 1MB"},
    {"sizes: 8,x\n", "quick.yaml:3:8: sizes: 'x' is not a size; write bytes, such as 8, 64KiB, 1MiB or 1MB"},
    {"run.mode: isolatd\n",
     "quick.yaml:3:11: run.mode: 'isolatd' is not one of isolated, streaming, off; did you mean 'isolated'?"},
    {"algorithms: [ring, \"\"]\n",
     "quick.yaml:3:20: algorithms: an entry of the list is empty; remove the extra comma or quotes"},
    {"sizes: []\n", "quick.yaml:3:8: sizes: the list is empty; name at least one value"},
    {"run.note: \"a\\0b\"\n", "quick.yaml:3:11: text cannot hold the character \\0; remove it"},
    // Values of the wrong shape.
    {"run: 5\n", "quick.yaml:3:6: 'run' is a group of keys and takes no value itself; the keys of 'run' are timeout, "
                 "mode, window, check, tolerance, note"},
    {"run: [a]\n", "quick.yaml:3:6: 'run' is a group of keys and takes no value itself; the keys of 'run' are timeout, "
                   "mode, window, check, tolerance, note"},
    {"net:\n  tcp:\n", "quick.yaml:4:7: 'net.tcp' is a group of keys and takes no value itself; the keys of 'net.tcp' "
                       "are ports, chunk"},
    {"run.timeout: {a: 1}\n", "quick.yaml:3:14: run.timeout: this key takes a value, not a mapping of further keys"},
    {"run.timeout: [5s]\n", "quick.yaml:3:14: run.timeout: this key takes a single value, not a list"},
    {"sizes: [8, [16]]\n", "quick.yaml:3:12: sizes: an entry of this list is a single value, not a list"},
    {"sizes:\n  - 8\n  - a: 1\n", "quick.yaml:5:5: sizes: an entry of this list is a single value, not a mapping"},
    // Nulls.
    {"run.timeout:\n",
     "quick.yaml:3:13: run.timeout: there is no value; write one, or remove the key to keep its default"},
    {"run: {timeout: ~}\n",
     "quick.yaml:3:16: run.timeout: there is no value; write one, or remove the key to keep its default"},
    {"sizes: Null\n", "quick.yaml:3:8: sizes: there is no value; write one, or remove the key to keep its default"},
    {"algorithms:\n",
     "quick.yaml:3:12: algorithms: there is no value; write one, or remove the key to keep its default"},
    {"sizes: [8, ~]\n", "quick.yaml:3:12: sizes: an entry of the list has no value"},
    {"sizes:\n  - 8\n  -\n", "quick.yaml:5:4: sizes: an entry of the list has no value"},
};
static const struct refusal structure[] = {
    {"run: &x {check: no}\n", "quick.yaml:3:6: the anchor '&x' is not supported; write each value where it is used"},
    {"&k sizes: 8\n", "quick.yaml:3:1: the anchor '&k' is not supported; write each value where it is used"},
    {"sizes: [&a 8]\n", "quick.yaml:3:9: the anchor '&a' is not supported; write each value where it is used"},
    {"sizes: *x\n", "quick.yaml:3:8: the alias '*x' is not supported; write the value itself"},
    {"*x : 8\n", "quick.yaml:3:1: the alias '*x' is not supported; write the value itself"},
    {"sizes: !!int 8\n", "quick.yaml:3:8: the tag 'tag:yaml.org,2002:int' is not supported; every key knows its type"},
    {"---\nsizes: 8\n", "quick.yaml:3:1: a second document starts here; a settings file has one"},
    {"...\n---\nsizes: 8\n", "quick.yaml:4:1: a second document starts here; a settings file has one"},
    {"run:\n\tcheck: no\n", "quick.yaml:4:1: a tab where YAML allows only spaces; indent with spaces"},
    {"sizes: [8, 16\n", "quick.yaml:4:1: not valid YAML: did not find expected ',' or ']' while parsing "
                        "a flow sequence that starts at line 3"},
    {"run.note: \"open\n", "quick.yaml:4:1: not valid YAML: found unexpected end of stream while scanning a quoted "
                           "scalar that starts at line 3"},
    {"run.note: a: b\n", "quick.yaml:3:12: not valid YAML: mapping values are not allowed in this context"},
    {"run.note: caf\xe9\n", "quick.yaml:3:14: byte 0xe9 is not UTF-8; save the file as UTF-8"},
    {"run.note: caf\xc3\xa9 \xff\n", "quick.yaml:3:16: byte 0xff is not UTF-8; save the file as UTF-8"},
    {"run.note: \x01\n", "quick.yaml:3:11: the character U+0001 may not stand in a YAML file; remove it"},
    {"run.note: \"\xef\xbb\xbf\"\n", "quick.yaml:3:12: the character U+FEFF may not stand in a YAML file; remove it"},
};
// Files that are not a mapping stand alone.
static const struct refusal roots[] = {
    {"- a\n", "quick.yaml:1:1: a settings file is a mapping of keys to values, such as 'KEY: VALUE', not a list"},
    {"\nring tree\n",
     "quick.yaml:2:1: a settings file is a mapping of keys to values, such as 'KEY: VALUE', not a single value"},
    {"\xff\xfer\n", "quick.yaml:1:1: byte 0xff is not UTF-8; save the file as UTF-8"},
};

static void check_refusals(const char *before_each, const struct refusal *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct sample sample, before;
    struct rs_error error = {0};
    struct rs_text text = {0};
    memset(&sample, 0xee, sizeof sample);
    memcpy(&before, &sample, sizeof sample);
    rs_text_append(&text, "%s%s", before_each, rows[i].text);
    if (parse(&sample, text.data, &error) != RS_ERROR_USAGE || strcmp(error.text, rows[i].refusal) != 0)
      fail_msg("%s\n  expected %s\n  got      %s", rows[i].text, rows[i].refusal, error.text);
    assert_memory_equal(&sample, &before, sizeof sample);
    rs_text_fini(&text);
  }
}

static void refuses_keys(void **state) {
  (void)state;
  check_refusals(good, keys, RS_ARRAY_LENGTH(keys));
}

static void refuses_values(void **state) {
  (void)state;
  check_refusals(good, values, RS_ARRAY_LENGTH(values));
}

static void refuses_structure(void **state) {
  (void)state;
  check_refusals(good, structure, RS_ARRAY_LENGTH(structure));
  check_refusals("", roots, RS_ARRAY_LENGTH(roots));
}

static void a_nul_in_the_file_is_refused(void **state) {
  (void)state;
  static const char text[] = "lanes: 2\0\nsizes: 8\n";
  struct sample sample = {0};
  struct rs_option_group groups[4];
  struct rs_options options = sample_options(&sample, groups);
  struct rs_error error = {0};
  assert_int_equal(rs_options_parse_yaml(&options, "f", text, sizeof text - 1, &error), RS_ERROR_USAGE);
  assert_string_equal(error.text, "f:1:9: the character U+0000 may not stand in a YAML file; remove it");
}

// ---- files ------------------------------------------------------------------------------------------------

// Writes a file of `bytes` bytes: the text, and then a comment.
static void write_file(const char *path, const char *text, size_t bytes) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  fputs(text, file);
  for (size_t i = strlen(text); i < bytes; i++)
    fputc('#', file);
  assert_int_equal(fclose(file), 0);
}

static enum rs_status load(struct sample *sample, const char *path, struct rs_error *error) {
  struct rs_option_group groups[4];
  struct rs_options options = sample_options(sample, groups);
  return rs_options_load_yaml(&options, path, error);
}

static void files_are_read_up_to_a_mebibyte(void **state) {
  (void)state;
  char folder[] = "/tmp/ringside-yaml-XXXXXX", path[64];
  struct sample sample = {0};
  struct rs_error error = {0};
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/a.yaml", folder);
  write_file(path, "lanes: 3\n", 1 << 20);
  assert_int_equal(load(&sample, path, &error), RS_OK);
  assert_int_equal(sample.lanes.values[0], 3);

  write_file(path, "lanes: 4\n", (1 << 20) + 1);
  assert_int_equal(load(&sample, path, &error), RS_ERROR_USAGE);
  assert_non_null(strstr(error.text, "/a.yaml: the file is larger than 1 MiB; a settings file is not"));
  assert_int_equal(sample.lanes.values[0], 3);

  error = (struct rs_error){0};
  write_file(path, "lanes: 4\nrun.windw: 1\n", 0);
  assert_int_equal(load(&sample, path, &error), RS_ERROR_USAGE);
  assert_non_null(strstr(error.text, "/a.yaml:2:1: unknown key 'run.windw'; did you mean 'run.window'?"));
  assert_int_equal(sample.lanes.values[0], 3);

  assert_int_equal(unlink(path), 0);
  error = (struct rs_error){0};
  assert_int_equal(load(&sample, path, &error), RS_ERROR_USAGE);
  assert_non_null(strstr(error.text, "cannot open the settings file '"));
  assert_non_null(strstr(error.text, "No such file or directory"));

  error = (struct rs_error){0};
  assert_int_equal(load(&sample, folder, &error), RS_ERROR_USAGE);
  assert_non_null(strstr(error.text, "it is a directory; name a file"));
  assert_int_equal(rmdir(folder), 0);
}

static void a_key_is_found_where_it_stands(void **state) {
  (void)state;
  static const char text[] = "\xef\xbb\xbf# first\nrun:\n  timeout: 5s\nnet: {tcp.chunk: 1KiB}\n";
  struct sample sample;
  struct rs_option_group groups[4];
  struct rs_options options = sample_options(&sample, groups);
  size_t line = 0, column = 0;
  assert_true(rs_options_locate_yaml(&options, text, sizeof text - 1, "run.timeout", &line, &column));
  assert_int_equal(line, 3);
  assert_int_equal(column, 3);
  assert_true(rs_options_locate_yaml(&options, text, sizeof text - 1, "net.tcp.chunk", &line, &column));
  assert_int_equal(line, 4);
  assert_int_equal(column, 7);
  assert_false(rs_options_locate_yaml(&options, text, sizeof text - 1, "run.window", &line, &column));
  assert_false(rs_options_locate_yaml(&options, "run: [", 6, "run.timeout", &line, &column));
}

static void memory_above_a_mebibyte_is_refused(void **state) {
  (void)state;
  size_t bytes = (1 << 20) + 1;
  struct sample sample = {0};
  struct rs_option_group groups[4];
  struct rs_options options = sample_options(&sample, groups);
  struct rs_error error = {0};
  char *text = malloc(bytes);
  assert_non_null(text);
  memset(text, '#', bytes);
  assert_int_equal(rs_options_parse_yaml(&options, "big", text, bytes, &error), RS_ERROR_USAGE);
  assert_string_equal(error.text, "big: the file has 1048577 bytes; a settings file has at most 1048576");
  free(text);
}

// Files that are broken by chance: none may crash or hang the reader, and none that is refused may change anything.
static void mutilated_files_change_nothing(void **state) {
  (void)state;
  static const char text[] = "algorithms: [ring, tree]\nsizes: 8..64MiB*4\nrun:\n  timeout: 5s\n  note: \"x\\ty\"\n"
                             "  mode: off\nnet.tcp: {ports: 1-2, chunk: 1KiB}\n";
  static const char shards[] = "[]{}:,&*!|>'\"%@`#-? \n\t\\0.\xc3\xff~";
  const uint64_t seed = 20261123;
  struct rs_random random = {seed};
  for (int round = 0; round < 20000; round++) {
    char copy[sizeof text];
    memcpy(copy, text, sizeof text);
    for (uint64_t i = rs_random_below(&random, 4) + 1; i > 0; i--)
      copy[rs_random_below(&random, sizeof text - 1)] = shards[rs_random_below(&random, sizeof shards - 1)];
    size_t bytes = rs_random_below(&random, 4) ? sizeof text - 1 : (size_t)rs_random_below(&random, sizeof text);
    struct sample sample, before;
    struct rs_option_group groups[4];
    struct rs_options options = sample_options(&sample, groups);
    struct rs_error error = {0};
    memset(&sample, 0xee, sizeof sample);
    memcpy(&before, &sample, sizeof sample);
    enum rs_status status = rs_options_parse_yaml(&options, "f", copy, bytes, &error);
    if (status == RS_OK)
      continue;
    if (status != RS_ERROR_USAGE || strncmp(error.text, "f:", 2) != 0 || memcmp(&sample, &before, sizeof sample) != 0)
      fail_msg("seed %llu, round %d: %s\n%s", (unsigned long long)seed, round, error.text, copy);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_spelling_reaches_its_field),
      cmocka_unit_test(null_is_a_word_where_words_are_expected),
      cmocka_unit_test(nothing_assigns_nothing),
      cmocka_unit_test(empty_values_that_are_meant),
      cmocka_unit_test(refuses_keys),
      cmocka_unit_test(refuses_values),
      cmocka_unit_test(refuses_structure),
      cmocka_unit_test(a_nul_in_the_file_is_refused),
      cmocka_unit_test(files_are_read_up_to_a_mebibyte),
      cmocka_unit_test(a_key_is_found_where_it_stands),
      cmocka_unit_test(memory_above_a_mebibyte_is_refused),
      cmocka_unit_test(mutilated_files_change_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
