// Every option type from text: what is accepted and as what, what is refused and in which words.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "options/option_value.h"

#include <stdio.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)

static const char *const choices[] = {"ring", "tree", "recursive_doubling", NULL};

// One row: an option, a text, and the refusal that it must meet; NULL: none.
struct trial {
  enum rs_option_type type;
  const char *text;
  uint64_t minimum, maximum;
  const char *refusal;
};

static enum rs_status decode(const struct trial *trial, union rs_option_value *value, struct rs_error *error) {
  struct rs_option option = {.name = "x",
                             .type = trial->type,
                             .choices = trial->type == RS_OPTION_SIZES ? NULL : choices,
                             .minimum = trial->minimum,
                             .maximum = trial->maximum};
  return rs_option_value_decode(&option, trial->text, value, error);
}

static union rs_option_value decode_good(enum rs_option_type type, const char *text) {
  union rs_option_value value;
  struct rs_error error = {0};
  struct trial trial = {type, text, 0, 0, NULL};
  if (decode(&trial, &value, &error) != RS_OK)
    fail_msg("'%s' was refused: %s", text, error.text);
  return value;
}

static void accepts_bools(void **state) {
  (void)state;
  static const char *const yes[] = {"true", "True", "yes", "on", "1", " on "};
  static const char *const no[] = {"false", "NO", "off", "0"};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(yes); i++)
    assert_true(decode_good(RS_OPTION_BOOL, yes[i]).flag);
  for (size_t i = 0; i < RS_ARRAY_LENGTH(no); i++)
    assert_false(decode_good(RS_OPTION_BOOL, no[i]).flag);
}

static void accepts_numbers(void **state) {
  (void)state;
  static const struct {
    enum rs_option_type type;
    const char *text;
    uint64_t expected;
  } rows[] = {
      {RS_OPTION_UINT, "0", 0},
      {RS_OPTION_UINT, " 17\t", 17},
      {RS_OPTION_UINT, "18446744073709551615", UINT64_MAX},
      {RS_OPTION_SIZE, "0", 0},
      {RS_OPTION_SIZE, "8", 8},
      {RS_OPTION_SIZE, "8B", 8},
      {RS_OPTION_SIZE, "64KiB", 65536},
      {RS_OPTION_SIZE, "64 kib", 65536},
      {RS_OPTION_SIZE, "64k", 65536},
      {RS_OPTION_SIZE, "64KB", 64000},
      {RS_OPTION_SIZE, "1M", MIB},
      {RS_OPTION_SIZE, "1MB", 1000000},
      {RS_OPTION_SIZE, "1G", 1024 * MIB},
      {RS_OPTION_SIZE, "2gb", 2000000000},
      {RS_OPTION_SIZE, "3TiB", 3 * MIB * MIB},
      {RS_OPTION_SIZE, "3TB", 3000000000000},
      {RS_OPTION_SIZE, "1.5MiB", 3 * MIB / 2},
      {RS_OPTION_SIZE, "0.0009765625KiB", 1},
      {RS_OPTION_SIZE, "17179869183GiB", UINT64_C(17179869183) << 30},
      {RS_OPTION_RATE, "0", 0},
      {RS_OPTION_RATE, "25Gbit/s", UINT64_C(25000000000)},
      {RS_OPTION_RATE, "100 mbit", 100000000},
      {RS_OPTION_RATE, "10gbps", UINT64_C(10000000000)},
      {RS_OPTION_RATE, "3.2Tbit/s", UINT64_C(3200000000000)},
      {RS_OPTION_RATE, "9600bps", 9600},
      {RS_OPTION_DURATION, "0", 0},
      {RS_OPTION_DURATION, "0s", 0},
      {RS_OPTION_DURATION, "7ns", 7},
      {RS_OPTION_DURATION, "500us", 500000},
      {RS_OPTION_DURATION, "10ms", 10000000},
      {RS_OPTION_DURATION, "1.5s", 1500000000},
      {RS_OPTION_DURATION, "0.1s", 100000000},
      {RS_OPTION_DURATION, "0.000000001s", 1},
      {RS_OPTION_DURATION, "1.50000000000000000000000000s", 1500000000},
      {RS_OPTION_DURATION, "5 min", 300000000000},
      {RS_OPTION_DURATION, "1h", 3600000000000},
      {RS_OPTION_DURATION, "9223372036854775807ns", INT64_MAX},
      {RS_OPTION_CHOICE, "tree", 1},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    union rs_option_value value = decode_good(rows[i].type, rows[i].text);
    uint64_t got = rows[i].type == RS_OPTION_DURATION ? (uint64_t)value.duration_ns : value.number;
    if (got != rows[i].expected)
      fail_msg("'%s' became %llu", rows[i].text, (unsigned long long)got);
  }
}

static void accepts_doubles(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double expected;
  } rows[] = {{"2%", 0.02}, {"0.05", 0.05},     {"5", 5},         {"-1.5", -1.5}, {"1e-3", 0.001},
              {".5", 0.5},  {"5e-324", 5e-324}, {"12.5%", 0.125}, {"+3", 3}};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++)
    assert_true(decode_good(RS_OPTION_DOUBLE, rows[i].text).real == rows[i].expected);
}

static void accepts_text(void **state) {
  (void)state;
  char longest[RS_STRING_BYTES];
  memset(longest, 'x', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';
  assert_string_equal(decode_good(RS_OPTION_STRING, longest).string.text, longest);
  assert_string_equal(decode_good(RS_OPTION_STRING, " Zürich, 東京 \n").string.text, " Zürich, 東京 \n");
  assert_string_equal(decode_good(RS_OPTION_STRING, "").string.text, "");
}

static void accepts_lists(void **state) {
  (void)state;
  static const struct {
    enum rs_option_type type;
    const char *text;
    size_t count;
    uint64_t values[8];
  } rows[] = {
      {RS_OPTION_UINTS, "4,1, 2", 3, {4, 1, 2}},
      {RS_OPTION_CHOICES, "tree,ring", 2, {1, 0}},
      {RS_OPTION_SIZES, "0", 1, {0}},
      {RS_OPTION_SIZES, "8,1KiB,1MB", 3, {8, 1024, 1000000}},
      {RS_OPTION_SIZES, "8..64", 4, {8, 16, 32, 64}},
      {RS_OPTION_SIZES, "8..100", 5, {8, 16, 32, 64, 100}},
      {RS_OPTION_SIZES, "8..8", 1, {8}},
      {RS_OPTION_SIZES, "8..256*4", 4, {8, 32, 128, 256}},
      {RS_OPTION_SIZES, "0,4,1KiB..4KiB,1MiB", 6, {0, 4, 1024, 2048, 4096, MIB}},
      {RS_OPTION_SIZES,
       "4611686018427387904..18446744073709551615",
       3,
       {UINT64_C(1) << 62, UINT64_C(1) << 63, UINT64_MAX}},
      {RS_OPTION_SIZES, "1..18446744073709551615*18446744073709551615", 2, {1, UINT64_MAX}},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    union rs_option_value value = decode_good(rows[i].type, rows[i].text);
    assert_int_equal(value.list.count, rows[i].count);
    for (size_t k = 0; k < rows[i].count; k++)
      assert_int_equal(value.list.values[k], rows[i].values[k]);
  }
  union rs_option_value words = decode_good(RS_OPTION_WORDS, "ring, tree,é:x");
  assert_int_equal(words.words.count, 3);
  assert_string_equal(words.words.words[1], "tree");
  assert_string_equal(words.words.words[2], "é:x");
  assert_int_equal(decode_good(RS_OPTION_WORDS, " ").words.count, 0);
}

static void accepts_ranges(void **state) {
  (void)state;
  static const struct {
    const char *text;
    uint64_t low, high;
  } rows[] = {{"", 0, 0}, {"20000-20100", 20000, 20100}, {"5", 5, 5}, {"7-7", 7, 7}};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    struct rs_uint_range range = decode_good(RS_OPTION_RANGE, rows[i].text).range;
    assert_int_equal(range.low, rows[i].low);
    assert_int_equal(range.high, rows[i].high);
  }
}

static const struct trial bad[] = {
    {RS_OPTION_BOOL, "maybe", 0, 0, "'maybe' is not yes or no; write true, yes, on, 1, false, no, off or 0"},
    {RS_OPTION_BOOL, "", 0, 0, "'' is not yes or no; write true, yes, on, 1, false, no, off or 0"},
    {RS_OPTION_UINT, "", 0, 0, "'' is not a whole number; write decimal digits, such as 16"},
    {RS_OPTION_UINT, "-3", 0, 0, "'-3' is not a whole number; write decimal digits, such as 16"},
    {RS_OPTION_UINT, "0x10", 0, 0, "'0x10' is not a whole number; write decimal digits, such as 16"},
    {RS_OPTION_UINT, "12 34", 0, 0, "'12 34' is not a whole number; write decimal digits, such as 16"},
    {RS_OPTION_UINT, "1.5", 0, 0, "'1.5' is not a whole number"},
    {RS_OPTION_UINT, "18446744073709551616", 0, 0,
     "'18446744073709551616' is too large; the largest number here is 18446744073709551615"},
    {RS_OPTION_UINT, "0", 1, 64, "0 is too small; the smallest allowed is 1"},
    {RS_OPTION_UINT, "65", 1, 64, "65 is too large; the largest allowed is 64"},
    {RS_OPTION_SIZE, "64X", 0, 0, "'64X' is not a size; write bytes, such as 8, 64KiB, 1MiB or 1MB"},
    {RS_OPTION_SIZE, "KiB", 0, 0, "'KiB' is not a size; write bytes, such as 8, 64KiB, 1MiB or 1MB"},
    {RS_OPTION_SIZE, "8.", 0, 0, "'8.' is not a size; write bytes, such as 8, 64KiB, 1MiB or 1MB"},
    {RS_OPTION_SIZE, "1.3", 0, 0, "'1.3' is not a whole number of bytes"},
    {RS_OPTION_SIZE, "17179869184G", 0, 0,
     "'17179869184G' is too large; the largest number here is 18446744073709551615"},
    {RS_OPTION_SIZE, "2MiB", 1, MIB, "2MiB is too large; the largest allowed is 1MiB"},
    {RS_OPTION_RATE, "25", 0, 0, "'25' has no unit; write 25Gbit/s or 25Mbit/s"},
    {RS_OPTION_RATE, "0.5bit/s", 0, 0, "'0.5bit/s' is not a whole number of bits per second"},
    {RS_OPTION_DURATION, "5", 0, 0, "'5' has no unit; write 5s, 5ms or 5us"},
    {RS_OPTION_DURATION, "0.5", 0, 0, "'0.5' has no unit; write 0.5s, 0.5ms or 0.5us"},
    {RS_OPTION_DURATION, "-5s", 0, 0,
     "'-5s' is not a duration; write a number and its unit, such as 500us, 10ms, 2s, 5min or 1h"},
    {RS_OPTION_DURATION, "5 weeks", 0, 0,
     "'5 weeks' is not a duration; write a number and its unit, such as 500us, 10ms, 2s, 5min or 1h"},
    {RS_OPTION_DURATION, "0.5ns", 0, 0, "'0.5ns' is not a whole number of nanoseconds"},
    {RS_OPTION_DURATION, "0.0000000000000000000000001s", 0, 0,
     "'0.0000000000000000000000001s' is not a whole number of nanoseconds"},
    {RS_OPTION_DURATION, "9223372036854775808ns", 0, 0,
     "'9223372036854775808ns' is too large; the largest number here is 9223372036854775807ns"},
    {RS_OPTION_DURATION, "1us", 1000000, 0, "1us is too small; the smallest allowed is 1ms"},
    {RS_OPTION_DOUBLE, "nan", 0, 0,
     "'nan' is not a number; write a decimal number, such as 0.05, or percent, such as 5%"},
    {RS_OPTION_DOUBLE, "0x1p3", 0, 0,
     "'0x1p3' is not a number; write a decimal number, such as 0.05, or percent, such as 5%"},
    {RS_OPTION_DOUBLE, "%", 0, 0, "'%' is not a number; write a decimal number, such as 0.05, or percent, such as 5%"},
    {RS_OPTION_DOUBLE, "1-2", 0, 0,
     "'1-2' is not a number; write a decimal number, such as 0.05, or percent, such as 5%"},
    {RS_OPTION_DOUBLE, "1e999", 0, 0, "'1e999' is too large for a number"},
    {RS_OPTION_STRING, "a\xff", 0, 0, "'a?' is not UTF-8 text"},
    {RS_OPTION_CHOICE, "rng", 0, 0, "'rng' is not one of ring, tree, recursive_doubling; did you mean 'ring'?"},
    {RS_OPTION_CHOICE, "butterfly", 0, 0, "'butterfly' is not one of ring, tree, recursive_doubling"},
    {RS_OPTION_CHOICE, "ring,tree", 0, 0, "'ring,tree' is not one of ring, tree, recursive_doubling"},
    {RS_OPTION_WORDS, "a,,b", 0, 0, "an entry of the list is empty; remove the extra comma or quotes"},
    {RS_OPTION_WORDS, "a,b,", 0, 0, "an entry of the list is empty; remove the extra comma or quotes"},
    {RS_OPTION_WORDS, "a b", 0, 0, "'a b' is not a word; write words without spaces, such as ring,tree"},
    {RS_OPTION_WORDS, "a,b,a", 0, 0, "'a' stands twice in the list; name it once"},
    {RS_OPTION_WORDS, "\xc0\x80", 0, 0,
     "'?"
     "?' is not UTF-8 text"},
    {RS_OPTION_WORDS, "123456789012345678901234567890123456789012345678", 0, 0,
     "'123456789012345678901234567890123456789012345678' has 48 bytes; a word has at most 47"},
    {RS_OPTION_WORDS, "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33", 0, 0,
     "more than 32 words, from '33' on; shorten the list"},
    {RS_OPTION_CHOICES, "", 0, 0, "the list is empty; name at least one value"},
    {RS_OPTION_CHOICES, "ring,tre", 0, 0, "'tre' is not one of ring, tree, recursive_doubling; did you mean 'tree'?"},
    {RS_OPTION_CHOICES, "ring,ring", 0, 0, "'ring' stands twice in the list; name it once"},
    {RS_OPTION_UINTS, " ", 0, 0, "the list is empty; name at least one value"},
    {RS_OPTION_UINTS, "1,x", 0, 0, "'x' is not a whole number; write decimal digits, such as 16 or 1,2,4"},
    {RS_OPTION_UINTS, "1,2,1", 0, 0, "'1' stands twice in the list; name it once"},
    {RS_OPTION_UINTS, "1,65", 1, 64, "65 is too large; the largest allowed is 64"},
    {RS_OPTION_SIZES, "8,x", 0, 0, "'x' is not a size; write bytes, such as 8, 64KiB, 1MiB or 1MB"},
    {RS_OPTION_SIZES, "8..", 0, 0, "'8..' is not a size range; write 8, 1KiB, 8..64MiB (doubling) or 8..64MiB*4"},
    {RS_OPTION_SIZES, "..8", 0, 0, "'..8' is not a size range; write 8, 1KiB, 8..64MiB (doubling) or 8..64MiB*4"},
    {RS_OPTION_SIZES, "8...64", 0, 0, "'8...64' is not a size range; write 8, 1KiB, 8..64MiB (doubling) or 8..64MiB*4"},
    {RS_OPTION_SIZES, "8..64*", 0, 0, "'8..64*' is not a size range; write 8, 1KiB, 8..64MiB (doubling) or 8..64MiB*4"},
    {RS_OPTION_SIZES, "8..64*1.5", 0, 0,
     "'8..64*1.5' is not a size range; write 8, 1KiB, 8..64MiB (doubling) or 8..64MiB*4"},
    {RS_OPTION_SIZES, "8..64*1", 0, 0, "'8..64*1' does not grow; write a factor of 2 or more"},
    {RS_OPTION_SIZES, "0..64", 0, 0, "'0..64' cannot start at 0, as 0 does not grow; write 0,1..64MiB"},
    {RS_OPTION_SIZES, "64..8", 0, 0, "'64..8' runs backwards; write the smaller size first"},
    {RS_OPTION_SIZES, "8,4", 0, 0, "'4' does not rise above 8 before it; write sizes from small to large"},
    {RS_OPTION_SIZES, "8,8", 0, 0, "'8' does not rise above 8 before it; write sizes from small to large"},
    {RS_OPTION_SIZES, "1KiB,8..4KiB", 0, 0,
     "'8..4KiB' does not rise above 1KiB before it; write sizes from small to large"},
    {RS_OPTION_SIZES, "512KiB..2MiB", 0, MIB, "2MiB is too large; the largest allowed is 1MiB"},
    {RS_OPTION_RANGE, "a-b", 0, 0, "'a-b' is not a range; write LOW-HIGH, such as 20000-20100, or one number"},
    {RS_OPTION_RANGE, "5-", 0, 0, "'5-' is not a range; write LOW-HIGH, such as 20000-20100, or one number"},
    {RS_OPTION_RANGE, "1-2-3", 0, 0, "'1-2-3' is not a range; write LOW-HIGH, such as 20000-20100, or one number"},
    {RS_OPTION_RANGE, "9-5", 0, 0, "'9-5' runs backwards; write the lower number first"},
    {RS_OPTION_RANGE, "1-70000", 1, 65535, "70000 is too large; the largest allowed is 65535"},
    {RS_OPTION_RANGE, "0-7", 1, 65535, "0 is too small; the smallest allowed is 1"},
};

static void refuses_in_words(void **state) {
  (void)state;
  for (size_t i = 0; i < RS_ARRAY_LENGTH(bad); i++) {
    union rs_option_value value;
    struct rs_error error = {0};
    if (decode(&bad[i], &value, &error) != RS_ERROR_USAGE || strcmp(error.text, bad[i].refusal) != 0)
      fail_msg("'%s':\n  expected %s\n  got      %s", bad[i].text, bad[i].refusal, error.text);
  }
}

// Words may stand among sizes, anywhere, where the option has any.
static void accepts_words_beside_sizes(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t count;
    uint64_t values[3];
    const char *refusal;
  } rows[] = {
      {"tree", 1, {RS_SIZE_WORD(1)}, NULL},
      {"0,64KiB,ring", 3, {0, 65536, RS_SIZE_WORD(0)}, NULL},
      {"8,ring,64KiB", 3, {8, RS_SIZE_WORD(0), 65536}, NULL},
      {"1MiB", 1, {MIB}, NULL},
      {"ring,8,tree,4", 0, {0}, "'4' does not rise above 8 before it; write sizes from small to large"},
      {"ring,8,ring", 0, {0}, "'ring' stands twice in the list; name it once"},
      {"8,rin",
       0,
       {0},
       "'rin' is no size, such as 64KiB, and not one of ring, tree, recursive_doubling; did you mean 'ring'?"},
      {"2MiB", 0, {0}, "2MiB is too large; the largest allowed is 1MiB"},
      {"18446744073709551615", 0, {0}, "18446744073709551615 is too large; the largest allowed is 1MiB"},
  };
  const struct rs_option option = {.name = "x", .type = RS_OPTION_SIZES, .choices = choices, .maximum = MIB};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    union rs_option_value value;
    struct rs_error error = {0};
    enum rs_status status = rs_option_value_decode(&option, rows[i].text, &value, &error);
    if (rows[i].refusal != NULL) {
      assert_int_equal(status, RS_ERROR_USAGE);
      assert_string_equal(error.text, rows[i].refusal);
      continue;
    }
    if (status != RS_OK)
      fail_msg("'%s' was refused: %s", rows[i].text, error.text);
    assert_int_equal(value.list.count, rows[i].count);
    assert_memory_equal(value.list.values, rows[i].values, rows[i].count * sizeof *rows[i].values);
    struct rs_text text = {0};
    union rs_option_value again;
    rs_option_value_format(&option, &value, &text);
    assert_true(text.data[0] == '[' && text.data[text.length - 1] == ']');
    text.data[text.length - 1] = '\0';
    assert_int_equal(rs_option_value_decode(&option, text.data + 1, &again, &error), RS_OK);
    assert_memory_equal(again.list.values, rows[i].values, rows[i].count * sizeof *rows[i].values);
    rs_text_fini(&text);
  }
}

// Lengths that only a loop can write.
static void refuses_what_does_not_fit(void **state) {
  (void)state;
  struct rs_text text = {0};
  for (int i = 0; i <= RS_LIST_MAX; i++)
    rs_text_append(&text, "%s%d", i == 0 ? "" : ",", i);
  union rs_option_value value;
  struct rs_error error = {0};
  struct trial list = {RS_OPTION_UINTS, text.data, 0, 0, NULL};
  assert_int_equal(decode(&list, &value, &error), RS_ERROR_USAGE);
  assert_string_equal(error.text, "more than 128 values, from '128' on; shorten the list");

  struct rs_text digits = {0};
  for (int i = 0; i < 300; i++)
    rs_text_append(&digits, "1");
  error = (struct rs_error){0};
  struct trial number = {RS_OPTION_UINT, digits.data, 0, 0, NULL};
  assert_int_equal(decode(&number, &value, &error), RS_ERROR_USAGE);
  assert_string_equal(error.text,
                      "'111111111111111111111111111111111111111111111111111111111111...' is too long (300 bytes)");

  error = (struct rs_error){0};
  struct trial string = {RS_OPTION_STRING, digits.data, 0, 0, NULL};
  digits.data[256] = '\0';
  assert_int_equal(decode(&string, &value, &error), RS_ERROR_USAGE);
  assert_string_equal(
      error.text, "'111111111111111111111111111111111111111111111111111111111111...' has 256 bytes; at most 255 fit");
  rs_text_fini(&text);
  rs_text_fini(&digits);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(accepts_bools),
      cmocka_unit_test(accepts_numbers),
      cmocka_unit_test(accepts_doubles),
      cmocka_unit_test(accepts_text),
      cmocka_unit_test(accepts_lists),
      cmocka_unit_test(accepts_ranges),
      cmocka_unit_test(accepts_words_beside_sizes),
      cmocka_unit_test(refuses_in_words),
      cmocka_unit_test(refuses_what_does_not_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
