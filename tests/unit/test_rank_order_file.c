// Orders of ranks as files: what is written for each launcher, our own read back, and every line that is refused.
#include "ringside/topology.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define RANKS 6

// Ranks 0, 2, 4 on host a with 8 cores, 1, 3 on b with 1, and 5 on c, of which nothing is known.
static struct rs_host_facts hosts[] = {{.hostname = "a", .cores = 8}, {.hostname = "b", .cores = 1}, {.hostname = "c"}};
static struct rs_rank_facts ranks[RANKS] = {
    {.host = 0, .local_rank = 0, .local_ranks = 3}, {.host = 1, .local_rank = 0, .local_ranks = 2},
    {.host = 0, .local_rank = 1, .local_ranks = 3}, {.host = 1, .local_rank = 1, .local_ranks = 2},
    {.host = 0, .local_rank = 2, .local_ranks = 3}, {.host = 2, .local_rank = 0, .local_ranks = 1},
};
static const struct rs_placement placement = {.host_count = 3, .rank_count = RANKS, .hosts = hosts, .ranks = ranks};
static const uint32_t order[RANKS] = {0, 4, 1, 3, 5, 2};

static void launchers_files(void **state) {
  (void)state;
  static const char rankfile[] = "rank 0=a slot=0-1\nrank 1=a slot=4-5\nrank 2=b slot=0\nrank 3=b slot=0\n"
                                 "rank 4=c slot=0\nrank 5=a slot=2-3\n";
  static const char *const expected[] = {
      [RS_RANK_ORDER_OWN] = "0 a\n4 a\n1 b\n3 b\n5 c\n2 a\n", [RS_RANK_ORDER_RANKFILE] = rankfile,
      [RS_RANK_ORDER_HOSTFILE] = "a\na\nb\nb\nc\na\n",        [RS_RANK_ORDER_SLURM] = "a\na\nb\nb\nc\na\n",
      [RS_RANK_ORDER_MPICH] = "a:2\nb:2\nc:1\na:1\n",
  };
  for (int format = 0; format < RS_RANK_ORDER_FORMAT_COUNT; format++) {
    struct rs_text text = {0};
    rs_rank_order_format((enum rs_rank_order_format)format, &placement, order, &text);
    assert_false(text.failed);
    assert_int_equal(text.data[0], '#');
    assert_string_equal(strchr(text.data, '\n') + 1, expected[format]);
    rs_text_fini(&text);
    assert_non_null(rs_rank_order_format_names[format]);
  }
  assert_null(rs_rank_order_format_names[RS_RANK_ORDER_FORMAT_COUNT]);
}

static enum rs_status load(const char *text, uint32_t *loaded, struct rs_error *error) {
  char path[] = "/tmp/rank-order-XXXXXX";
  int file = mkstemp(path);
  assert_true(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
  close(file);
  *error = (struct rs_error){0};
  enum rs_status status = rs_rank_order_load(path, &placement, loaded, error);
  unlink(path);
  return status;
}

static void our_own_reads_back(void **state) {
  (void)state;
  uint32_t loaded[RANKS];
  struct rs_error error;
  struct rs_text text = {0};
  rs_rank_order_format(RS_RANK_ORDER_OWN, &placement, order, &text);
  assert_int_equal(load(text.data, loaded, &error), RS_OK);
  assert_memory_equal(loaded, order, sizeof order);
  rs_text_fini(&text);
  // Host names, comments, blanks and the last newline may be missing or there.
  assert_int_equal(load("\n# x\n0\n  4\ta # first\n1 b\r\n3\n\n5\n2", loaded, &error), RS_OK);
  assert_memory_equal(loaded, order, sizeof order);
}

static void bad_files_are_refused_by_line(void **state) {
  (void)state;
  char overlong[400];
  memset(overlong, '#', sizeof overlong);
  overlong[sizeof overlong - 1] = '\0';
  const struct {
    const char *text, *words;
  } rows[] = {
      {"0\n1\n6\n", ":3: there is no rank 6; the launch has ranks 0 to 5"},
      {"0\n99999999999999999999\n", ":2: there is no rank"},
      {"# x\n0\n1\n0\n", ":4: rank 0 stands in line 2 already"},
      {"0 a\n1 a\n", ":2: rank 1 is on host b in this launch, not on a"},
      {"0 a\n1 nowhere\n", ":2: rank 1 is on host b in this launch, not on nowhere"},
      {"0\n1\n2\n4\n", ":4: the file ends after 4 of 6 ranks; rank 3 is the first that is missing"},
      {"", ":0: the file ends after 0 of 6 ranks"},
      {"0\na 1\n", ":2: 'a 1' is not a rank with its host"},
      {"-1\n", ":1: '-1' is not a rank"},
      {"0 a b\n", ":1: '0 a b' is not a rank"},
      {"0x1\n", ":1: '0x1' is not a rank"},
      {overlong, ":1: the line is longer"},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    uint32_t loaded[RANKS] = {9};
    struct rs_error error;
    assert_int_equal(load(rows[i].text, loaded, &error), RS_ERROR_USAGE);
    assert_int_equal(loaded[0], 9);
    if (strstr(error.text, rows[i].words) == NULL)
      fail_msg("'%s': %s", rows[i].text, error.text);
  }
  struct rs_error missing = {0}, endless = {0};
  uint32_t loaded[RANKS];
  assert_int_equal(rs_rank_order_load("/nowhere/order", &placement, loaded, &missing), RS_ERROR_USAGE);
  assert_non_null(strstr(missing.text, "/nowhere/order"));
  assert_true(rs_rank_order_load("/dev/zero", &placement, loaded, &endless) < 0);
  assert_int_equal(load("0\n", loaded, &missing), RS_ERROR_USAGE);
}

static void far_ranks_are_dear(void **state) {
  (void)state;
  struct rs_host_facts two[] = {{.hostname = "a", .zone = "x"}, {.hostname = "b", .zone = "y"}};
  struct rs_rank_facts three[] = {{.host = 0, .numa_node = 0}, {.host = 0, .numa_node = 0}, {.host = 1}};
  struct rs_placement small = {.host_count = 2, .rank_count = 3, .hosts = two, .ranks = three};
  double cost[9];
  rs_rank_order_distance_costs(&small, cost);
  assert_true(cost[0] == 0 && cost[1] == 1 && cost[3] == 1 && cost[2] == 1e5 && cost[7] == 1e5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(launchers_files),
      cmocka_unit_test(our_own_reads_back),
      cmocka_unit_test(bad_files_are_refused_by_line),
      cmocka_unit_test(far_ranks_are_dear),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
