// Point to point as tables and maps: what stands out is named and drawn, what is alike is said to be alike.
#include "ringside/collective.h"
#include "ringside/report.h"
#include "support/result_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define RANKS_MAX 400
#define LINE_WIDTH_MAX 120
#define NOISE_RUNS 200
#define SEED UINT64_C(0x50414952)

// A result of many ranks. Holds everything itself; must not move after pairs_init.
struct pairs_fixture {
  struct rs_result_fixture base;
  struct rs_host_facts hosts[RANKS_MAX];
  struct rs_rank_facts ranks[RANKS_MAX];
  struct rs_pair_row *pairs;
  size_t capacity;
};

static int pairs_open(void **state) {
  *state = calloc(1, sizeof(struct pairs_fixture));
  return *state ? 0 : -1;
}

static int pairs_close(void **state) {
  struct pairs_fixture *fixture = *state;
  free(fixture->pairs);
  free(fixture);
  return 0;
}

static void pairs_init(struct pairs_fixture *fixture, size_t ranks, size_t ranks_per_host) {
  rs_result_fixture_init(&fixture->base);
  struct rs_result *result = &fixture->base.result;
  size_t hosts = rs_divide_up(ranks, ranks_per_host);
  assert_true(ranks <= RANKS_MAX);
  for (size_t h = 0; h < hosts; h++) {
    fixture->hosts[h] = fixture->base.hosts[0];
    snprintf(fixture->hosts[h].hostname, sizeof fixture->hosts[h].hostname, "node-%zu", h);
  }
  for (size_t r = 0; r < ranks; r++)
    fixture->ranks[r] =
        (struct rs_rank_facts){.host = (uint32_t)(r / ranks_per_host), .local_rank = (uint32_t)(r % ranks_per_host)};
  result->placement = (struct rs_placement){hosts, ranks, fixture->hosts, fixture->ranks};
  result->device_count = 0;
  fixture->capacity = 4 * ranks * ranks;
  free(fixture->pairs);
  fixture->pairs = calloc(fixture->capacity, sizeof *fixture->pairs);
  result->pairs = fixture->pairs;
}

// The time of one pair in ns.
typedef double pair_model(const struct pairs_fixture *fixture, uint32_t a, uint32_t b);

static bool same_host(const struct pairs_fixture *fixture, uint32_t a, uint32_t b) {
  return fixture->ranks[a].host == fixture->ranks[b].host;
}

// Within 0.5% of 1, the same for the same pair.
static double wobble(uint32_t a, uint32_t b) {
  return 1 + (double)(rs_hash64(a * 1000 + b) % 1001) / 1e5 - 0.005;
}

static struct rs_case_row *add_case(struct pairs_fixture *fixture, const char *collective, const char *algorithm,
                                    uint64_t size, const char *pairing) {
  struct rs_case_row *row = rs_result_fixture_add(&fixture->base, algorithm, "tcp", size, 20000, 0.01);
  snprintf(row->benchmark, sizeof row->benchmark, "p2p");
  snprintf(row->collective, sizeof row->collective, "%s", collective);
  snprintf(row->pairing, sizeof row->pairing, "%.15s", pairing);
  row->operation[0] = '\0';
  row->rank_count = row->measured_ranks = (uint32_t)fixture->base.result.placement.rank_count;
  return row;
}

static void add_pair(struct pairs_fixture *fixture, const struct rs_case_row *row, uint32_t a, uint32_t b, double ns) {
  struct rs_result *result = &fixture->base.result;
  assert_true(result->pair_count < fixture->capacity);
  fixture->pairs[result->pair_count++] = (struct rs_pair_row){.case_id = row->case_id,
                                                              .rank_a = a,
                                                              .rank_b = b,
                                                              .median_ns = ns,
                                                              .ci_low_ns = ns * 0.99,
                                                              .ci_high_ns = ns * 1.01,
                                                              .p99_ns = ns * 1.5,
                                                              .algbw_gb_s = (double)row->size_bytes / ns};
}

static void add_tournament(struct pairs_fixture *fixture, const char *collective, const char *algorithm, uint64_t size,
                           pair_model *model) {
  uint32_t ranks = (uint32_t)fixture->base.result.placement.rank_count;
  for (uint32_t round = 0; round < rs_tournament_rounds(ranks); round++) {
    char pairing[24];
    snprintf(pairing, sizeof pairing, "round %u", round);
    const struct rs_case_row *row = add_case(fixture, collective, algorithm, size, pairing);
    for (uint32_t a = 0; a < ranks; a++) {
      uint32_t b = rs_tournament_partner(ranks, round, a);
      if (a < b)
        add_pair(fixture, row, a, b, model(fixture, a, b));
    }
  }
}

static void print_table(const void *subject, FILE *file) {
  rs_report_table(subject, file);
}

// The table, checked for its shape; the caller frees it.
static char *print_checked(const struct pairs_fixture *fixture) {
  char *text = rs_fixture_print(print_table, &fixture->base.result);
  size_t width = 0;
  for (const char *c = text; *c != '\0'; c++) {
    width = *c == '\n' ? 0 : width + 1;
    assert_in_range(width, 0, LINE_WIDTH_MAX);
    assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
    assert_false(*c == '\n' && c > text && c[-1] == ' ');
  }
  return text;
}

static void check_table(const struct pairs_fixture *fixture, const char *golden) {
  char *text = print_checked(fixture);
  rs_golden_check(golden, text);
  free(text);
}

// ---- models -----------------------------------------------------------------------------------------------

// 5 us within a host and 12 us between hosts, both ways together twice that; rank 5 has a bad cable.
static double bad_cable(const struct pairs_fixture *fixture, uint32_t a, uint32_t b) {
  double ns = same_host(fixture, a, b) ? 10000 : 24000;
  if (!same_host(fixture, a, b) && (a == 5 || b == 5))
    ns *= 1.7;
  return ns * wobble(a, b);
}

static double alike(const struct pairs_fixture *fixture, uint32_t a, uint32_t b) {
  return (same_host(fixture, a, b) ? 10000 : 24000) * wobble(a, b);
}

// 1 MiB at 12 GB/s within a host, 1.2 GB/s between hosts; a host's NIC that runs at a third.
static double slow_nic(const struct pairs_fixture *fixture, uint32_t a, uint32_t b) {
  double gb_s = same_host(fixture, a, b) ? 12 : fixture->ranks[a].host == 3 || fixture->ranks[b].host == 3 ? 0.4 : 1.2;
  return 1048576 / gb_s * wobble(a, b);
}

static double one_lane_down(const struct pairs_fixture *fixture, uint32_t a, uint32_t b) {
  (void)fixture;
  return a == 2 && b == 6 ? 480000 : 32000 * wobble(a, b);
}

// ---- tests ------------------------------------------------------------------------------------------------

static void a_bad_rank_is_named_and_drawn(void **state) {
  struct pairs_fixture *fixture = *state;
  pairs_init(fixture, 8, 4);
  add_tournament(fixture, "pingpong", "pingpong", 8, bad_cable);
  add_tournament(fixture, "pingpong", "pingpong", 65536, alike);
  check_table(fixture, "report_pairs_rank.txt");
}

// More ranks than a line takes: hosts stand for them.
static void a_bad_host_among_many_ranks(void **state) {
  struct pairs_fixture *fixture = *state;
  pairs_init(fixture, 80, 8);
  add_tournament(fixture, "stream", "stream", 1048576, slow_nic);
  check_table(fixture, "report_pairs_host.txt");
}

// 10 us for 8 bytes and for 1 MiB are two bandwidths.
static void each_size_has_its_own_bandwidth(void **state) {
  struct pairs_fixture *fixture = *state;
  pairs_init(fixture, 4, 4);
  add_tournament(fixture, "exchange", "direct", 8, alike);
  add_tournament(fixture, "exchange", "direct", 1048576, alike);
  char *text = print_checked(fixture);
  assert_non_null(strstr(text, "8 B      6    0.0008       0.0008    0.0008"));
  assert_non_null(strstr(text, "1 MiB      6     104.4        104.9     105.1"));
  free(text);
}

// One host, a message rate, all pairs at once, and cases that did not finish or went wrong.
static void messages_halves_and_gaps(void **state) {
  struct pairs_fixture *fixture = *state;
  pairs_init(fixture, 8, 8);
  add_tournament(fixture, "stream", "burst", 256 * 64, one_lane_down);
  fixture->base.cases[0].finished = 0;
  fixture->base.cases[3].verified = RS_VERIFY_FAILED;
  const struct rs_case_row *row = add_case(fixture, "exchange", "exchange", 1048576, "halves");
  for (uint32_t a = 0; a < 4; a++)
    add_pair(fixture, row, a, a + 4, 1048576 / 3.0);
  check_table(fixture, "report_pairs_trouble.txt");
}

static void what_is_alike_is_said_not_drawn(void **state) {
  struct pairs_fixture *fixture = *state;
  pairs_init(fixture, 6, 2);
  add_tournament(fixture, "pingpong", "pingpong", 8, alike);
  char *text = print_checked(fixture);
  assert_non_null(strstr(text, "3  within a host"));
  assert_non_null(strstr(text, "12  between hosts"));
  assert_null(strstr(text, "the median\n"));
  assert_null(strstr(text, "rank 0 1"));
  free(text);
}

static void two_ranks_are_one_line(void **state) {
  struct pairs_fixture *fixture = *state;
  pairs_init(fixture, 2, 1);
  add_tournament(fixture, "pingpong", "pingpong", 8, alike);
  char *text = print_checked(fixture);
  char *line = strstr(text, "slowest pair\n");
  assert_non_null(line);
  assert_memory_equal(strchr(line, '\n'), "\n        8 B      1   12.05      12.05   12.05  -\n\npairs", 20);
  assert_null(strstr(text, "slow at"));
  free(text);
}

// An odd number of ranks, each size a matrix of its own: the maps of the least and the largest that differ.
static void many_sizes_make_two_maps(void **state) {
  struct pairs_fixture *fixture = *state;
  pairs_init(fixture, 7, 7);
  for (uint64_t size = 8; size <= 32768; size *= 8)
    add_tournament(fixture, "exchange", "exchange", size, one_lane_down);
  char *text = print_checked(fixture);
  const char *least = strstr(text, "at 8 B, the least size that differs by pair:\n");
  assert_non_null(least);
  assert_non_null(strstr(least, "at 32 KiB, the largest:\n"));
  assert_null(strstr(text, "at 64 B, "));
  size_t named = 0;
  for (const char *c = text; (c = strstr(c, "rank 2 - rank 6, ")) != NULL; c++)
    named++;
  assert_int_equal(named, 5);
  free(text);
}

// The ink of row and column in the first map of a text.
static char ink_at(const char *text, size_t row, size_t column) {
  char begin[32];
  snprintf(begin, sizeof begin, " %zu | ", row);
  const char *line = strstr(text, begin);
  assert_non_null(line);
  return line[strlen(begin) + 2 * column];
}

static void the_map_is_symmetric_and_darkest_at_the_worst(void **state) {
  struct pairs_fixture *fixture = *state;
  pairs_init(fixture, 8, 8);
  add_tournament(fixture, "exchange", "exchange", 32000, one_lane_down);
  char *text = print_checked(fixture);
  for (size_t row = 0; row < 8; row++)
    for (size_t column = 0; column < 8; column++) {
      char ink = ink_at(text, row, column);
      bool worst = (row == 2 && column == 6) || (row == 6 && column == 2);
      assert_int_equal(ink, row == column ? ' ' : worst ? '@' : '.');
    }
  assert_non_null(strstr(text, "  slow at 31.25 KiB: rank 2 - rank 6, 0.0667 GB/s, 15.0x the median\n"));
  free(text);
}

// What no line has room for is said; what just has is drawn.
static void large_runs_fit(void **state) {
  struct pairs_fixture *fixture = *state;
  static const struct {
    size_t ranks, ranks_per_host;
    const char *words;
  } runs[] = {{64, 1, "rank 01"},
              {65, 65, "rank 01"},
              {65, 1, "host against host"},
              {130, 2, "host against host"},
              {240, 2, "240 ranks on 120 hosts do not fit"}};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(runs); i++) {
    pairs_init(fixture, runs[i].ranks, runs[i].ranks_per_host);
    add_tournament(fixture, "exchange", "exchange", 32000, one_lane_down);
    char *text = print_checked(fixture);
    if (strstr(text, runs[i].words) == NULL)
      fail_msg("%zu ranks, %zu per host: no '%s' in\n%s", runs[i].ranks, runs[i].ranks_per_host, runs[i].words, text);
    free(text);
  }
}

// Ranks that are all alike, their medians as far off as their own intervals say: normal, so that a 95% interval has an
// arm of 1.96 standard errors.
static void noise_is_all_alike(void **state) {
  struct pairs_fixture *fixture = *state;
  struct rs_random random = {SEED};
  size_t wrong = 0;
  for (size_t run = 0; run < NOISE_RUNS; run++) {
    pairs_init(fixture, 32, 32);
    const struct rs_case_row *row = add_case(fixture, "pingpong", "pingpong", 8, "halves");
    for (uint32_t a = 0; a < 32; a++)
      for (uint32_t b = a + 1; b < 32; b++) {
        double u = ((double)(rs_random_next(&random) >> 11) + 1) / 9007199254740993.0;
        double v = (double)(rs_random_next(&random) >> 11) / 9007199254740992.0;
        double error = 0.02 * sqrt(-2 * log(u)) * cos(2 * acos(-1) * v);
        add_pair(fixture, row, a, b, 24000 * (1 + error));
        struct rs_pair_row *pair = &fixture->pairs[fixture->base.result.pair_count - 1];
        pair->ci_low_ns = pair->median_ns - 1.96 * 0.02 * 24000;
        pair->ci_high_ns = pair->median_ns + 1.96 * 0.02 * 24000;
      }
    char *text = print_checked(fixture);
    wrong += strstr(text, "  all alike\n") == NULL;
    free(text);
  }
  print_message("seed %#llx: %zu of %d uniform matrices of 32 ranks are not called so\n", (unsigned long long)SEED,
                wrong, NOISE_RUNS);
  assert_in_range(wrong, 0, 2);
}

static void print_json(const void *subject, FILE *file) {
  struct rs_error error = {0};
  assert_int_equal(rs_report_json(subject, NULL, file, &error), RS_OK);
}

static void json_has_every_pair(void **state) {
  struct pairs_fixture *fixture = *state;
  pairs_init(fixture, 4, 2);
  add_tournament(fixture, "pingpong", "pingpong", 8, alike);
  fixture->pairs[5].median_ns = NAN;
  char *text = rs_fixture_print(print_json, &fixture->base.result);
  json_t *root = json_loads(text, 0, NULL), *pairs = json_object_get(root, "pairs");
  assert_int_equal(json_array_size(pairs), 6);
  json_t *third = json_array_get(pairs, 2);
  assert_int_equal(json_integer_value(json_object_get(third, "case_id")), 1);
  assert_int_equal(json_integer_value(json_object_get(third, "rank_b")), fixture->pairs[2].rank_b);
  assert_true(json_number_value(json_object_get(third, "median_ns")) == fixture->pairs[2].median_ns);
  assert_true(json_is_null(json_object_get(json_array_get(pairs, 5), "median_ns")));
  json_decref(root);
  free(text);
}

int main(void) {
#define TEST(function) cmocka_unit_test_setup_teardown(function, pairs_open, pairs_close)
  const struct CMUnitTest tests[] = {
      TEST(a_bad_rank_is_named_and_drawn),
      TEST(a_bad_host_among_many_ranks),
      TEST(each_size_has_its_own_bandwidth),
      TEST(messages_halves_and_gaps),
      TEST(what_is_alike_is_said_not_drawn),
      TEST(two_ranks_are_one_line),
      TEST(many_sizes_make_two_maps),
      TEST(the_map_is_symmetric_and_darkest_at_the_worst),
      TEST(large_runs_fit),
      TEST(noise_is_all_alike),
      TEST(json_has_every_pair),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
