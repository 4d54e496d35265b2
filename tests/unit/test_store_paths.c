// What a set of results is made of: files, directories and patterns, each file once, in one order.
#include "store/sample_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

static char *directory, *started_in;

// a/1.h5 a/2.h5 a/notes.txt a/.hidden.h5 a/deeper.h5/ b/3.h5 b/link.h5 -> ../a/1.h5 empty/
static int make_tree(void **state) {
  (void)state;
  directory = sample_directory();
  started_in = getcwd(NULL, 0);
  if (directory == NULL || started_in == NULL || chdir(directory) != 0)
    return -1;
  return system("mkdir a b empty a/deeper.h5 && touch a/1.h5 a/2.h5 a/notes.txt a/.hidden.h5 a/deeper.h5/4.h5 b/3.h5 "
                "&& ln -s ../a/1.h5 b/link.h5");
}

static int remove_tree(void **state) {
  (void)state;
  int failed = system("rm -r a b empty");
  failed |= chdir(started_in) | rmdir(directory);
  free(directory);
  free(started_in);
  return failed;
}

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__}), sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

static void expect_paths(const char *const *arguments, size_t count, const char *expected) {
  struct rs_error error = {0};
  struct rs_paths paths;
  struct rs_text text = {0};
  if (rs_paths_expand(arguments, count, &paths, &error) != RS_OK)
    fail_msg("%s", error.text);
  for (size_t i = 0; i < paths.count; i++)
    rs_text_append(&text, "%s%s", i ? " " : "", paths.items[i]);
  assert_string_equal(text.data, expected);
  rs_text_fini(&text);
  rs_paths_fini(&paths);
  assert_int_equal(paths.count, 0);
}

static void expect_nothing(const char *argument, const char *words) {
  struct rs_error error = {0};
  struct rs_paths paths = {0};
  assert_int_equal(rs_paths_expand(ARGUMENTS("a", argument), &paths, &error), RS_ERROR_USAGE);
  assert_null(paths.items);
  if (strstr(error.text, argument) == NULL || strstr(error.text, words) == NULL)
    fail_msg("\"%s\" does not say \"%s\" of %s", error.text, words, argument);
}

static void test_files_directories_patterns(void **state) {
  (void)state;
  expect_paths(ARGUMENTS("b/3.h5"), "b/3.h5");
  expect_paths(ARGUMENTS("a"), "a/1.h5 a/2.h5");
  expect_paths(ARGUMENTS("a/"), "a/1.h5 a/2.h5");
  expect_paths(ARGUMENTS("a/[2-9].h5"), "a/2.h5");
  expect_paths(ARGUMENTS("b/3*", "a/2.h5"), "a/2.h5 b/3.h5");
  // A file that is named is taken, whatever its name.
  expect_paths(ARGUMENTS("a/notes.txt"), "a/notes.txt");
  // A pattern may match directories, of which some hold nothing.
  expect_paths(ARGUMENTS("[ae]*"), "a/1.h5 a/2.h5");
}

static void test_each_file_once(void **state) {
  (void)state;
  expect_paths(ARGUMENTS("a/1.h5", "a", "./a/2.h5", "a/*.h5", "b"), "./a/2.h5 a/1.h5 a/deeper.h5/4.h5 b/3.h5");
}

static void test_nothing_matches(void **state) {
  (void)state;
  expect_nothing("absent.h5", "No such file or directory");
  expect_nothing("empty", "holds no result file");
  expect_nothing("c/*.h5", "matches no file");
  expect_nothing("a/1.h5/x", "Not a directory");
}

static void test_no_argument(void **state) {
  (void)state;
  struct rs_error error = {0};
  struct rs_paths paths;
  assert_int_equal(rs_paths_expand(NULL, 0, &paths, &error), RS_OK);
  assert_int_equal(paths.count, 0);
  rs_paths_fini(&paths);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_files_directories_patterns),
      cmocka_unit_test(test_each_file_once),
      cmocka_unit_test(test_nothing_matches),
      cmocka_unit_test(test_no_argument),
  };
  return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
