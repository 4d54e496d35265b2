// Cases beside their quiet twins, and kernels beside memcpy: the tables and the figures in them.
#include "ringside/report.h"
#include "support/result_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINE_WIDTH_MAX 120

static void print_table(const void *subject, FILE *file) {
  rs_report_table(subject, file);
}

// The table, checked for its shape; the caller frees it.
static char *print_checked(const struct rs_result_fixture *fixture) {
  char *text = rs_fixture_print(print_table, &fixture->result);
  size_t width = 0;
  for (const char *c = text; *c != '\0'; c++) {
    width = *c == '\n' ? 0 : width + 1;
    assert_in_range(width, 0, LINE_WIDTH_MAX);
    assert_false(*c == '\n' && c > text && c[-1] == ' ');
  }
  return text;
}

// ---- slowdown ---------------------------------------------------------------------------------------------

static struct rs_case_row *add_beside(struct rs_result_fixture *fixture, const char *implementation, uint64_t size,
                                      const char *congestor, double median_ns) {
  struct rs_case_row *row = rs_result_fixture_add(fixture, implementation, "tcp", size, median_ns, 0.02);
  snprintf(row->congestor, sizeof row->congestor, "%s", congestor);
  row->measured_ranks = 2;
  row->p99_ns = 3 * median_ns;
  return row;
}

static void traffic_beside_quiet_twins(void **state) {
  (void)state;
  static const char *const implementations[] = {"ring", "tree"};
  struct rs_result_fixture fixture;
  rs_result_fixture_init(&fixture);
  for (size_t i = 0; i < RS_ARRAY_LENGTH(implementations); i++) {
    for (uint64_t size = 8; size <= 1 << 20; size *= 1 << 17) {
      double quiet = (i == 0 ? 92000 : 41000) + (double)size / 0.6;
      // The runner shuffles its cases: the twin may come later.
      add_beside(&fixture, implementations[i], size, "incast", quiet * 3.5)->p99_ns = quiet * 31;
      add_beside(&fixture, implementations[i], size, "none", quiet);
      add_beside(&fixture, implementations[i], size, "alltoall", quiet * 1.25);
    }
  }
  fixture.cases[0].p99_ns = NAN;
  fixture.cases[6].verified = RS_VERIFY_FAILED;
  fixture.cases[10].finished = 0;
  char *text = print_checked(&fixture);
  rs_golden_check("report_slowdown.txt", text);
  free(text);
}

// Traffic that slows nothing, and intervals that are not known.
static void little_traffic_and_no_interval(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  rs_result_fixture_init(&fixture);
  add_beside(&fixture, "ring", 8, "none", 40000);
  add_beside(&fixture, "ring", 8, "ring", 39000)->ci_low_ns = NAN;
  add_beside(&fixture, "ring", 16, "ring", 39000);
  char *text = print_checked(&fixture);
  assert_non_null(strstr(text, "  ring        40.00      39.00     0.97x         -   120.0      117.0     0.97x\n"));
  assert_non_null(strstr(text, "  ring                   39.00         -         -              117.0         -\n"));
  free(text);
}

// ---- kernels ----------------------------------------------------------------------------------------------

static struct rs_case_row *add_kernel(struct rs_result_fixture *fixture, const char *name, const char *datatype,
                                      const char *operation, uint64_t size, double gb_s) {
  struct rs_case_row *row = rs_result_fixture_add(fixture, name, "", size, (double)size / gb_s, 0.01);
  snprintf(row->benchmark, sizeof row->benchmark, "reduce");
  row->collective[0] = '\0';
  snprintf(row->datatype, sizeof row->datatype, "%s", datatype);
  snprintf(row->operation, sizeof row->operation, "%s", operation);
  return row;
}

static void kernels_beside_memcpy(void **state) {
  (void)state;
  static const char *const names[] = {"avx512", "avx2", "portable"};
  struct rs_result_fixture fixture;
  rs_result_fixture_init(&fixture);
  for (uint64_t size = 4096; size <= 16 << 20; size *= 64) {
    for (size_t n = 0; n < RS_ARRAY_LENGTH(names); n++) {
      double gb_s = (24.0 - 7 * (double)n) / (size > 1 << 20 ? 4 : 1);
      add_kernel(&fixture, names[n], "float32", "sum", size, gb_s);
      add_kernel(&fixture, names[n], "bfloat16", "sum", size, gb_s / 3);
      add_kernel(&fixture, names[n], "bfloat16", "max", size, gb_s / 2.5);
    }
    // Copied once per size, whatever is reduced.
    add_kernel(&fixture, "memcpy", "uint8", "", size, size > 1 << 20 ? 8 : 31)->count = size;
  }
  fixture.cases[1].verified = RS_VERIFY_FAILED;
  fixture.cases[fixture.result.case_count - 1].finished = 0;
  char *text = print_checked(&fixture);
  rs_golden_check("report_kernels.txt", text);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(traffic_beside_quiet_twins),
      cmocka_unit_test(little_traffic_and_no_interval),
      cmocka_unit_test(kernels_beside_memcpy),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
