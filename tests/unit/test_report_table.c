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

// Latency and bandwidth of a made-up implementation; bandwidth in bytes per ns.
struct model {
  const char *implementation, *transport;
  double latency_ns, bandwidth;
};
static const struct model ring = {"ring", "tcp", 92000, 0.61};
static const struct model tree = {"tree", "tcp", 41000, 0.33};
static const struct model mpi = {"mpi", "", 38500, 0.55};

static double model_time(const struct model *model, uint64_t size) {
  return model->latency_ns + (double)size / model->bandwidth;
}

// 8 B to 64 MiB in steps of 16.
static void add_sweep(struct rs_result_fixture *fixture, const struct model *model, uint64_t chunk, const char *mode) {
  for (uint64_t size = 8; size <= UINT64_C(64) << 20; size *= 16) {
    struct rs_case_row *row = rs_result_fixture_add(fixture, model->implementation, model->transport, size,
                                                    model_time(model, size), size < 1024 ? 0.041 : 0.012);
    row->chunk_bytes = chunk;
    snprintf(row->mode, sizeof(row->mode), "%s", mode);
  }
}

static void print_table(const void *subject, FILE *file) {
  rs_report_table(subject, file);
}

static void check_shape(const char *text) {
  size_t width = 0;
  for (const char *c = text; *c != '\0'; c++) {
    width = *c == '\n' ? 0 : width + 1;
    assert_in_range(width, 0, LINE_WIDTH_MAX);
    assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
    assert_false(*c == '\n' && c > text && c[-1] == ' ');
  }
}

static void check_table(const struct rs_result_fixture *fixture, const char *golden) {
  char *text = rs_fixture_print(print_table, &fixture->result);
  check_shape(text);
  rs_golden_check(golden, text);
  free(text);
}

static void two_implementations(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  rs_result_fixture_init(&fixture);
  add_sweep(&fixture, &ring, 0, "isolated");
  add_sweep(&fixture, &tree, 0, "isolated");
  check_table(&fixture, "report_table_2.txt");
}

// What bench/quickstart ends with: two modes, hence two blocks.
static void three_implementations_and_two_modes(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  rs_result_fixture_init(&fixture);
  const struct model *const models[] = {&ring, &tree, &mpi};
  for (size_t m = 0; m < RS_ARRAY_LENGTH(models); m++) {
    add_sweep(&fixture, models[m], 0, "isolated");
    add_sweep(&fixture, models[m], 0, "streaming");
  }
  check_table(&fixture, "report_table_3.txt");
}

// The same implementation with two chunk sizes makes two columns, named by chunk; too wide for one slab.
static void five_columns_in_two_slabs(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  rs_result_fixture_init(&fixture);
  const struct model ring_cut = {"ring", "tcp", 95000, 0.80}, tree_cut = {"tree", "tcp", 44000, 0.52};
  add_sweep(&fixture, &ring, 0, "isolated");
  add_sweep(&fixture, &ring_cut, 262144, "isolated");
  add_sweep(&fixture, &tree, 0, "isolated");
  add_sweep(&fixture, &tree_cut, 262144, "isolated");
  add_sweep(&fixture, &mpi, 0, "isolated");
  check_table(&fixture, "report_table_5.txt");
}

// What is chosen differs by size, and is one column all the same.
static void one_column_of_what_was_chosen(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  rs_result_fixture_init(&fixture);
  const struct model best = {"auto", "tcp", 40000, 0.81}, ring_auto = {"ring", "tcp", 92000, 0.80};
  add_sweep(&fixture, &best, 0, "isolated");
  add_sweep(&fixture, &ring_auto, 0, "isolated");
  add_sweep(&fixture, &ring, 0, "isolated");
  size_t sizes = fixture.result.case_count / 3;
  for (size_t i = 0; i < fixture.result.case_count; i++) {
    struct rs_case_row *row = &fixture.cases[i];
    bool is_auto = strcmp(row->implementation, "auto") == 0;
    if (is_auto)
      snprintf(row->algorithm, sizeof(row->algorithm), "%s", i % sizes < 3 ? "tree" : "ring");
    row->chunk_auto = i < 2 * sizes;
    row->chunk_bytes = row->chunk_auto && i % sizes >= 3 ? 131072 : 0;
  }
  check_table(&fixture, "report_table_auto.txt");
}

// Everything that may go wrong with a case, in an emulated run that was cut short.
static void trouble_is_named(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  rs_result_fixture_init(&fixture);
  struct rs_result *result = &fixture.result;
  snprintf(result->status, sizeof(result->status), "partial");
  snprintf(fixture.hosts[1].cpu, sizeof(fixture.hosts[1].cpu), "Intel Xeon 8488C");
  snprintf(fixture.hosts[1].instance_type, sizeof(fixture.hosts[1].instance_type), "m7i.large");
  for (uint64_t size = 1000; size <= 1000000; size *= 10) {
    rs_result_fixture_add(&fixture, "ring", "tcp", size, 20000 + (double)size, 0.02);
    rs_result_fixture_add(&fixture, "tree", "tcp", size, 15000 + 1.2 * (double)size, 0.02)->verified = RS_NOT_VERIFIED;
  }
  fixture.cases[2].verified = RS_VERIFY_FAILED;
  fixture.cases[3].sync_error_ns = 5000;
  fixture.cases[4].ci_low_ns = fixture.cases[4].ci_high_ns = NAN;
  fixture.cases[4].sync_error_ns = -1;
  fixture.cases[5].ci_high_ns = 50 * fixture.cases[5].median_ns;
  for (size_t i = 6; i < result->case_count; i++)
    fixture.cases[i].finished = 0;
  for (size_t i = 0; i < result->case_count; i++)
    fixture.cases[i].emulated = 1;
  check_table(&fixture, "report_table_trouble.txt");
}

// Labels name what sets a column apart and nothing else; the family names what is unusual.
static void labels_say_what_differs(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  rs_result_fixture_init(&fixture);
  rs_result_fixture_add(&fixture, "ring", "tcp", 8, 40000, 0.02);
  rs_result_fixture_add(&fixture, "ring", "tcp", 8, 30000, 0.02)->lanes = 2;
  rs_result_fixture_add(&fixture, "ring", "loop", 8, 20000, 0.02);
  rs_result_fixture_add(&fixture, "tree", "loop", 8, 10000, 0.02);
  for (size_t i = 0; i < fixture.result.case_count; i++) {
    snprintf(fixture.cases[i].order, sizeof(fixture.cases[i].order), "by-rack");
    fixture.cases[i].peer_a = 0;
    fixture.cases[i].peer_b = 3;
  }
  char *text = rs_fixture_print(print_table, &fixture.result);
  check_shape(text);
  assert_non_null(strstr(text, "4 ranks, rank 0 with 3, order by-rack\n"));
  assert_non_null(strstr(text, "| ring/tcp 1 lane  "));
  assert_non_null(strstr(text, "| ring/tcp 2 lanes  "));
  assert_non_null(strstr(text, "| ring/loop  "));
  assert_non_null(strstr(text, "| tree/loop  "));
  assert_non_null(strstr(text, "| tree 2.00x\n"));
  free(text);
}

// Roots, background traffic and what carries a part only: families of their own, named.
static void families_of_other_collectives(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  rs_result_fixture_init(&fixture);
  for (int32_t root = 0; root < 4; root += 3) {
    struct rs_case_row *row = rs_result_fixture_add(&fixture, "binomial", "tcp", 8, 40000, 0.02);
    snprintf(row->collective, sizeof(row->collective), "broadcast");
    row->operation[0] = '\0';
    row->root = root;
  }
  char *text = rs_fixture_print(print_table, &fixture.result);
  check_shape(text);
  assert_non_null(strstr(text, "\nbroadcast, float32, out of place, isolated, 4 ranks\n"));
  assert_non_null(strstr(text, "\nbroadcast, float32, out of place, root 3, isolated, 4 ranks\n"));
  assert_null(strstr(text, "(n-1)/n where"));
  free(text);
  struct rs_case_row *row = rs_result_fixture_add(&fixture, "ring", "tcp", 8, 40000, 0.02);
  snprintf(row->collective, sizeof(row->collective), "allgather");
  snprintf(row->congestor, sizeof(row->congestor), "incast");
  row->measured_ranks = 2;
  text = rs_fixture_print(print_table, &fixture.result);
  check_shape(text);
  assert_non_null(
      strstr(text, "\nallgather, float32 sum, out of place, isolated, 4 ranks (2 measured), beside incast\n"));
  assert_non_null(strstr(text, "(n-1)/n where"));
  free(text);
}

static void one_implementation_has_no_fastest(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  rs_result_fixture_init(&fixture);
  add_sweep(&fixture, &ring, 0, "isolated");
  char *text = rs_fixture_print(print_table, &fixture.result);
  assert_null(strstr(text, "| fastest"));
  assert_non_null(strstr(text, "ring/tcp"));
  free(text);
}

static void a_file_without_cases_still_prints(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  rs_result_fixture_init(&fixture);
  char *text = rs_fixture_print(print_table, &fixture.result);
  assert_non_null(strstr(text, "0 of 0 cases finished"));
  free(text);
}

// The best against the next decides the factor; the marks follow the intervals, not the medians.
static void ties_are_told_from_wins(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  rs_result_fixture_init(&fixture);
  rs_result_fixture_add(&fixture, "ring", "tcp", 8, 13100, 0.05);
  rs_result_fixture_add(&fixture, "tree", "tcp", 8, 10000, 0.05);
  rs_result_fixture_add(&fixture, "ring", "tcp", 16, 10900, 0.05);
  rs_result_fixture_add(&fixture, "tree", "tcp", 16, 10000, 0.05);
  char *text = rs_fixture_print(print_table, &fixture.result);
  assert_non_null(strstr(text, "tree 1.31x\n"));
  assert_non_null(strstr(text, "10.00*"));
  assert_non_null(strstr(text, "tree~ring\n"));
  assert_non_null(strstr(text, "10.90~"));
  free(text);
}

// Nothing has finished yet, so how slowly it is played is not known.
static void an_emulated_run_says_so_from_the_start(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  rs_result_fixture_init(&fixture);
  for (uint64_t size = 8; size <= 64; size *= 8) {
    struct rs_case_row *row = rs_result_fixture_add(&fixture, "ring", "emulated", size, 1000, 0.01);
    row->emulated = 1;
    row->slowdown = 1;
    row->finished = 0;
  }
  char *text = rs_fixture_print(print_table, &fixture.result);
  assert_non_null(strstr(text, "the network was EMULATED: "));
  free(text);
  fixture.cases[1].finished = 1;
  fixture.cases[1].slowdown = 30;
  text = rs_fixture_print(print_table, &fixture.result);
  assert_non_null(strstr(text, "the network was EMULATED, played 30 times slower"));
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_implementations),
      cmocka_unit_test(three_implementations_and_two_modes),
      cmocka_unit_test(five_columns_in_two_slabs),
      cmocka_unit_test(one_column_of_what_was_chosen),
      cmocka_unit_test(trouble_is_named),
      cmocka_unit_test(labels_say_what_differs),
      cmocka_unit_test(families_of_other_collectives),
      cmocka_unit_test(one_implementation_has_no_fastest),
      cmocka_unit_test(a_file_without_cases_still_prints),
      cmocka_unit_test(ties_are_told_from_wins),
      cmocka_unit_test(an_emulated_run_says_so_from_the_start),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
