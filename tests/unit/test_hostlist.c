// Host lists: what they stand for, and where a bad one is wrong.
#include "topology/hostlist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static enum rs_status collect(void *state, const char *name, struct rs_error *error) {
  (void)error;
  struct rs_text *text = state;
  rs_text_append(text, "%s%s", text->length > 0 ? " " : "", name);
  return RS_OK;
}

static void lists_are_their_names(void **state) {
  (void)state;
  static const struct {
    const char *list, *names;
  } rows[] = {
      {"a", "a"},
      {"a,b.example.org", "a b.example.org"},
      {"n[1-3]", "n1 n2 n3"},
      {"n[01-03,7,010]", "n01 n02 n03 n7 n010"},
      {"n[8-11]", "n8 n9 n10 n11"},
      {"n[098-101]", "n098 n099 n100 n101"},
      {"gpu[1-2]-ib,x", "gpu1-ib gpu2-ib x"},
      {"[1-2]", "1 2"},
      {"n[5-5]", "n5"},
      {"i-0abc_d", "i-0abc_d"},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    struct rs_text text = {0};
    struct rs_error error = {0};
    size_t offset;
    if (rs_hostlist_expand(rows[i].list, collect, &text, &offset, &error) != RS_OK)
      fail_msg("%s: %s", rows[i].list, error.text);
    assert_string_equal(text.data, rows[i].names);
    rs_text_fini(&text);
  }
}

static void bad_lists_say_where(void **state) {
  (void)state;
  static const char dimensions[] =
      "ranges of several dimensions are not supported; write each row as a range of its own";
  static const struct {
    const char *list;
    size_t offset;
    const char *refusal;
  } rows[] = {
      {"", 0, "a name is missing"},
      {"a,,b", 2, "a name is missing"},
      {"a,", 2, "a name is missing"},
      {"n[1-3", 1, "the '[' is not closed"},
      {"n[]", 2, "a number is missing in the range; write '[1-4]' or '[1,3]'"},
      {"n[1,]", 4, "a number is missing in the range; write '[1-4]' or '[1,3]'"},
      {"n[1-]", 4, "a number is missing in the range; write '[1-4]' or '[1,3]'"},
      {"n[1-b]", 4, "a number is missing in the range; write '[1-4]' or '[1,3]'"},
      {"n[1b]", 3, "'b' cannot stand in a range; write '[1-4]' or '[1,3]'"},
      {"n[3-1]", 2, "the range 3-1 runs backwards"},
      {"n[0-1][0-1]", 6, dimensions},
      {"n[0-1]x[0-1]", 7, dimensions},
      {"n[000x111]", 5, dimensions},
      {"n[1234567890]", 2, "the number 123456789... is too large for a host's"},
      {"n1 n2", 2, "' ' cannot stand in a host list; write it like n[01-16,20],gpu3"},
      {"n1]", 2, "']' cannot stand in a host list; write it like n[01-16,20],gpu3"},
      {"ok,0123456789012345678901234567890123456789012345678901234567890123", 3,
       "the name '01234567890123456789...' is longer than 63 characters"},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    struct rs_text text = {0};
    struct rs_error error = {0};
    size_t offset = SIZE_MAX;
    assert_int_equal(rs_hostlist_expand(rows[i].list, collect, &text, &offset, &error), RS_ERROR_USAGE);
    assert_string_equal(error.text, rows[i].refusal);
    if (offset != rows[i].offset)
      fail_msg("%s: at %zu instead of %zu", rows[i].list, offset, rows[i].offset);
    rs_text_fini(&text);
  }
}

static enum rs_status refuse_the_third(void *state, const char *name, struct rs_error *error) {
  size_t *count = state;
  return ++*count < 3 ? RS_OK : rs_error_set(error, RS_ERROR_USAGE, "%s is too much", name);
}

static void a_visit_that_fails_ends_the_walk(void **state) {
  (void)state;
  size_t count = 0, offset;
  struct rs_error error = {0};
  assert_int_equal(rs_hostlist_expand("a,n[1-999999999]", refuse_the_third, &count, &offset, &error), RS_ERROR_USAGE);
  assert_string_equal(error.text, "n2 is too much");
  assert_int_equal(offset, 2);
  assert_int_equal(count, 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lists_are_their_names),
      cmocka_unit_test(bad_lists_say_where),
      cmocka_unit_test(a_visit_that_fails_ends_the_walk),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
