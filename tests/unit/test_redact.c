// Pseudonyms: what is replaced, what stays, and that equal things stay equal.
#include "topology/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static char *redacted(const char *words) {
  static char result[512];
  struct rs_text text = {0};
  rs_redact_append(&text, words);
  assert_true(!text.failed && text.length < sizeof(result));
  memcpy(result, text.data, text.length + 1);
  rs_text_fini(&text);
  return result;
}

static void identifiers_are_replaced(void **state) {
  static const struct {
    const char *words, *start, *end;
  } rows[] = {
      {"i-0598c7d356eba48d7", "i-redacted-", ""},
      {"i-1234abcd", "i-redacted-", ""},
      {"eni-0e6bc9a1b2c3d4e5f", "eni-redacted-", ""},
      {"subnet-0a1b2c3d4e5f60718 rest", "subnet-redacted-", " rest"},
      {"at macs/02:29:96:8f:6a:2d/vpc-id", "at macs/mac-redacted-", "/vpc-id"},
      {"172.31.16.0/20", "ip-redacted-", "/20"},
      {"ip-172-31-16-9.ec2.internal", "ip-redacted-", ".ec2.internal"},
      {"fe80::29:96ff:fe8f:6a2d", "ip-redacted-", ""},
      {"2001:db8:0:1:2:3:4:5/64", "ip-redacted-", "/64"},
      {"projects/123456789012/zones/us-central1-a", "projects/redacted-", "/zones/us-central1-a"},
      {"4520031799277581759", "redacted-", ""},
      {"{\"vmId\": \"02aab8a4-74ef-476e-8182-f6d2ba4166a6\"}", "{\"vmId\": \"redacted-", "\"}"},
  };
  (void)state;
  for (size_t r = 0; r < RS_ARRAY_LENGTH(rows); r++) {
    const char *got = redacted(rows[r].words);
    size_t length = strlen(got), start = strlen(rows[r].start), end = strlen(rows[r].end);
    assert_true(length >= start + end);
    assert_memory_equal(got, rows[r].start, start);
    assert_string_equal(got + length - end, rows[r].end);
    size_t digits = strspn(got + start, "0123456789abcdef");
    assert_int_equal(digits, length - start - end);
    assert_true(digits == 4 || digits == 8);
  }
}

static void other_words_stay(void **state) {
  static const char *const rows[] = {
      "",
      "us-east-1a use1-az6 c5n.18xlarge",
      "network-node nn-0123456789abcdef0/nn-1", // the cloud's switches
      "i-12345 i-0598c7d356eba48d77 hi-1234abcd",
      "12345 123456789",
      "02:29:96:8f:6a is too short, and 12:30:59 a time",
      "1.2.3 and 5.15.0-1051",
      "a9f3e2b1c0d4a9f3e2b1c0d4a9f3e2b1", // a block of GCP's
  };
  (void)state;
  for (size_t r = 0; r < RS_ARRAY_LENGTH(rows); r++)
    assert_string_equal(redacted(rows[r]), rows[r]);
}

static void equal_things_stay_equal(void **state) {
  char first[512];
  (void)state;
  snprintf(first, sizeof(first), "%s", redacted("i-0598c7d356eba48d7"));
  assert_string_equal(redacted("i-0598c7d356eba48d7"), first);
  assert_string_not_equal(redacted("i-0598c7d356eba48d8"), first);
  assert_string_equal(first, "i-redacted-288c66f1"); // the same in every version, so that old files compare
  snprintf(first, sizeof(first), "%s", redacted("10.0.0.7"));
  assert_string_equal(redacted("ip-10-0-0-7"), first);
  snprintf(first, sizeof(first), "%s", redacted("02:29:96:8f:6a:2d"));
  assert_string_equal(redacted("02:29:96:8F:6A:2D"), first);
}

static void whole_values_agree_with_those_found(void **state) {
  static const char *const known[] = {"10.0.0.7", "i-0598c7d356eba48d7", "02aab8a4-74ef-476e-8182-f6d2ba4166a6"};
  char field[64] = "our company's network", last[64];
  (void)state;
  for (size_t k = 0; k < RS_ARRAY_LENGTH(known); k++) {
    struct rs_text text = {0};
    rs_redact_whole(&text, known[k]);
    assert_string_equal(text.data, redacted(known[k]));
    rs_text_fini(&text);
  }
  rs_redact_field(field, sizeof(field), true);
  assert_null(strstr(field, "company"));
  assert_int_equal(strlen(field), strlen("redacted-01234567"));
  memcpy(last, field, sizeof(last));
  rs_redact_field(last, sizeof(last), false); // what is a pseudonym already is not changed again
  assert_string_equal(last, field);
  field[0] = '\0';
  rs_redact_field(field, sizeof(field), true);
  assert_string_equal(field, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(identifiers_are_replaced),
      cmocka_unit_test(other_words_stay),
      cmocka_unit_test(equal_things_stay_equal),
      cmocka_unit_test(whole_values_agree_with_those_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
