// A lab's description: what is refused, and how; what is written into the state reads back the same; names of
// namespaces belong to one lab; subnets.
#include "ringside/lab.h"

#include "lab/lab_state.h"
#include "lab/subnet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum rs_status describe(struct rs_lab *lab, const char *yaml, struct rs_error *error) {
  struct rs_lab_binding binding;
  rs_lab_bind(lab, &binding);
  if (rs_options_set_defaults(&binding.options, error) < 0 ||
      rs_options_parse_yaml(&binding.options, "lab.yaml", yaml, strlen(yaml), error) < 0)
    return error->status;
  return rs_lab_check(lab, error);
}

static void test_refused(void **state) {
  (void)state;
  static const struct {
    const char *yaml, *said;
  } cases[] = {
      {"name: Two", "'Two' is no name"},
      {"name: 2hosts", "'2hosts' is no name"},
      {"name: ../../etc", "is no name"},
      {"name: a_b", "is no name"},
      {"name: \"\"", "is no name"},
      {"name: abcdefghijklmnopqrstuvwxy", "at most 24"},
      {"hosts: 0", "lab.yaml:1:8"},
      {"hosts: 65", "lab.yaml:1:8"},
      {"ranks: 0", "ranks"},
      {"mtu: 500", "mtu"},
      {"zones: 3", "zones"},
      {"hosts: 1\nzones: 2", "two zones take at least two hosts"},
      {"zone:\n  delay: 1ms", "set zones to 2"},
      {"zone:\n  rate: 1Gbit/s", "set zones to 2"},
      {"subnet: 10.77.0.0", "10.77.0.0/24"},
      {"subnet: 10.77.0.1/24", "right of its prefix"},
      {"subnet: 10.77.0.0/31", "8 to 30 bits"},
      {"subnet: 10.77.0.0/24x", "8 to 30 bits"},
      {"subnet: 10.77.0.0/30\nhosts: 2", "has 2 addresses; 2 hosts and mpirun need 3"},
      {"congestion: cubic reno", "is no congestion control"},
      {"link:\n  jitter: 1ms", "link.jitter is longer than link.delay"},
      {"link:\n  loss: 100%", "link.loss"},
      {"link:\n  loss: -1%", "link.loss"},
      {"link:\n  burst: 32KiB", "segment of 64KiB"},
      {"link:\n  rate: 1000", "lab.yaml:2:9"},
      {"link:\n  spead: 1Gbit/s", "link.spead"},
  };
  for (size_t c = 0; c < RS_ARRAY_LENGTH(cases); c++) {
    struct rs_lab lab;
    struct rs_error error = {0};
    if (describe(&lab, cases[c].yaml, &error) != RS_ERROR_USAGE || strstr(error.text, cases[c].said) == NULL)
      fail_msg("'%s': expected '%s', found '%s'", cases[c].yaml, cases[c].said, error.text);
  }
}

static void test_read_back(void **state) {
  (void)state;
  struct rs_lab lab, again;
  struct rs_error error = {0};
  struct rs_lab_binding binding;
  struct rs_text text = {0};
  const char *yaml = "name: a-b\nhosts: 3\nranks: 2\nmtu: 9000\nzones: 2\ncongestion: cubic\n"
                     "link:\n  rate: 2.5Gbit/s\n  delay: 100us\n  jitter: 10us\n  loss: 0.1%\n"
                     "zone:\n  rate: 500Mbit/s\n  delay: 1ms\n  burst: 1MiB\n";
  memset(&lab, 0, sizeof lab); // padding and what stands behind a text compare too
  memset(&again, 0, sizeof again);
  assert_int_equal(describe(&lab, yaml, &error), RS_OK);
  rs_lab_bind(&lab, &binding);
  rs_options_format(&binding.options, &text);
  if (describe(&again, text.data, &error) < 0)
    fail_msg("%s", error.text);
  rs_text_fini(&text);
  assert_memory_equal(&lab, &again, sizeof lab);
  assert_true(lab.link.rate == 2500000000 && lab.zone.delay_ns == 1000000);

  char words[96];
  rs_lab_link_words(&lab.link, words, sizeof words);
  assert_string_equal(words, "2.5 Gbit/s, 100 us +- 10.0 us, loss 0.1%");
  assert_true(rs_lab_needs_netem(&lab));
  rs_lab_remove_delay(&lab);
  assert_false(rs_lab_needs_netem(&lab));
  rs_lab_link_words(&lab.zone, words, sizeof words);
  assert_string_equal(words, "0.5 Gbit/s");
}

static void test_hosts(void **state) {
  (void)state;
  struct rs_lab lab;
  struct rs_error error = {0};
  char text[64];
  static const size_t zones[] = {0, 0, 0, 1, 1};
  assert_int_equal(describe(&lab, "name: a\nhosts: 5\nzones: 2\nsubnet: 10.1.2.0/23", &error), RS_OK);
  for (size_t h = 0; h < RS_ARRAY_LENGTH(zones); h++)
    assert_int_equal(rs_lab_host_zone(&lab, h), zones[h]);
  rs_lab_host_name(&lab, 4, text, sizeof text);
  assert_string_equal(text, "a-h5");
  rs_lab_host_address(&lab, 4, text, sizeof text);
  assert_string_equal(text, "10.1.2.5");
}

// A lab must not be taken for a part of another: removing "a" leaves "a-h1" and "a-b" alone.
static void test_owner(void **state) {
  (void)state;
  static const struct {
    const char *namespace, *name, *part; // name NULL: of no lab
  } cases[] = {
      {"rslab-a-h1", "a", "h1"},        {"rslab-a-switch", "a", "switch"},
      {"rslab-a-b-h12", "a-b", "h12"},  {"rslab-a-h1-h1", "a-h1", "h1"},
      {"rslab-a-h", NULL, NULL},        {"rslab-a-h1x", NULL, NULL},
      {"rslab-a-switches", NULL, NULL}, {"rslab-switch", NULL, NULL},
      {"rslab--h1", NULL, NULL},        {"h1", NULL, NULL},
      {"other-a-h1", NULL, NULL},       {"rslab-abcdefghijklmnopqrstuvwxy-h1", NULL, NULL},
  };
  for (size_t c = 0; c < RS_ARRAY_LENGTH(cases); c++) {
    char name[RS_LAB_NAME_BYTES] = "";
    const char *part = "";
    bool owned = rs_lab_owner(cases[c].namespace, name, &part);
    if (owned != (cases[c].name != NULL) ||
        (owned && (strcmp(name, cases[c].name) != 0 || strcmp(part, cases[c].part) != 0)))
      fail_msg("%s: lab '%s', part '%s'", cases[c].namespace, name, part);
  }
}

// Names that are no names never become paths.
static void test_no_such_lab(void **state) {
  (void)state;
  static const char *const names[] = {"..", "../netns", "", ".", "/etc", "no-lab-is-called-so"};
  for (size_t n = 0; n < RS_ARRAY_LENGTH(names); n++) {
    struct rs_error error = {0};
    struct rs_lab_status status;
    assert_int_equal(rs_lab_inspect(names[n], &status, &error), RS_ERROR_USAGE);
    struct rs_error refused = {0};
    assert_int_equal(rs_lab_down(names[n], &refused), RS_ERROR_USAGE);
    assert_non_null(strstr(refused.text, "there is no lab called"));
  }
}

static void test_subnet(void **state) {
  (void)state;
  struct rs_subnet a, b;
  struct rs_error error = {0};
  char text[32];
  assert_int_equal(rs_subnet_parse("10.77.0.0/24", &a, &error), RS_OK);
  assert_int_equal(rs_subnet_addresses(&a), 254);
  rs_subnet_address(&a, 253, text, sizeof text);
  assert_string_equal(text, "10.77.0.254");
  static const struct {
    const char *other;
    bool overlaps;
  } cases[] = {{"10.77.0.0/24", true}, {"10.77.0.128/25", true}, {"10.0.0.0/8", true}, {"10.77.1.0/24", false}};
  for (size_t c = 0; c < RS_ARRAY_LENGTH(cases); c++) {
    assert_int_equal(rs_subnet_parse(cases[c].other, &b, &error), RS_OK);
    assert_int_equal(rs_subnet_overlaps(&a, &b), cases[c].overlaps);
    assert_int_equal(rs_subnet_overlaps(&b, &a), cases[c].overlaps);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_refused), cmocka_unit_test(test_read_back),   cmocka_unit_test(test_hosts),
      cmocka_unit_test(test_owner),   cmocka_unit_test(test_no_such_lab), cmocka_unit_test(test_subnet),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
