// What the header says about counters that rose.
#include "report/report_table.h"

#include "support/result_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)

static void print(const void *subject, FILE *file) {
  rs_report_counters(subject, file);
}

static struct rs_counter_row row(uint32_t host, int32_t rank, const char *name, int64_t before, int64_t after) {
  struct rs_counter_row made = {.host = host, .rank = rank, .before = before, .after = after};
  snprintf(made.name, sizeof made.name, "%s", name);
  return made;
}

static void assert_printed(struct rs_counter_row *rows, size_t count, const char *expected) {
  struct rs_result_fixture fixture;
  rs_result_fixture_init(&fixture);
  fixture.result.counters = rows;
  fixture.result.counter_count = count;
  char *text = rs_fixture_print(print, &fixture.result);
  assert_string_equal(text, expected);
  free(text);
}

static void trouble_of_the_network_has_a_line_each(void **state) {
  (void)state;
  struct rs_counter_row rows[] = {
      row(0, -1, "nic.eth0.rx_bytes", 0, 1 << 20),
      row(0, -1, "nic.eth0.rx_dropped", 30, 30),
      row(0, -1, "nic.eth0.bw_in_allowance_exceeded", 100, 105),
      row(0, -1, "nic.eth0.rx_errors", 1, RS_COUNTER_UNKNOWN), // the interface is gone
      row(0, -1, "nic.eth0.tx_errors", 9, 2),                  // or new
      row(0, -1, "cpu.runnable", 1, 7),
      row(1, -1, "nic.eth0.rx_dropped", 30, 42),
      row(1, -1, "tcp.RetransSegs", 1000, 1003),
      row(1, -1, "tcp.OutRsts", 5, 9),
  };
  assert_printed(rows, RS_ARRAY_LENGTH(rows),
                 "  network   eth0 bw_in_allowance_exceeded +5 on node-0 during the run\n"
                 "  network   eth0 rx_dropped +12 on node-1 during the run\n"
                 "  network   tcp RetransSegs +3 on node-1 during the run\n");
  assert_printed(NULL, 0, "");
}

static void many_lines_are_counted(void **state) {
  (void)state;
  struct rs_counter_row rows[20];
  for (size_t r = 0; r < RS_ARRAY_LENGTH(rows); r++)
    rows[r] = row(1, -1, "nic.eth0.rx_dropped", 0, 1);
  struct rs_result_fixture fixture;
  rs_result_fixture_init(&fixture);
  fixture.result.counters = rows;
  fixture.result.counter_count = RS_ARRAY_LENGTH(rows);
  char *text = rs_fixture_print(print, &fixture.result);
  size_t lines = 0;
  for (const char *c = text; *c; c++)
    lines += *c == '\n';
  assert_int_equal(lines, 9);
  assert_non_null(strstr(text, "\n            and 12 more such counters rose\n"));
  free(text);
}

static void stolen_time_shows_above_one_percent(void **state) {
  (void)state;
  struct rs_counter_row rows[] = {
      row(0, -1, "cpu.user_ns", 0, 50 * SECOND),       row(0, -1, "cpu.idle_ns", 0, 49 * SECOND),
      row(0, -1, "cpu.steal_ns", 0, 1 * SECOND),       row(0, -1, "cpu.run_queue_wait_ns", 0, 1000 * SECOND),
      row(1, -1, "cpu.user_ns", 0, 50 * SECOND),       row(1, -1, "cpu.idle_ns", 0, 45 * SECOND),
      row(1, -1, "cpu.steal_ns", 10, 10 + 5 * SECOND),
  };
  assert_printed(rows, RS_ARRAY_LENGTH(rows),
                 "  cpu       5.0% of the time on node-1 was stolen by other virtual machines during the run\n");
}

static void ranks_that_waited_share_a_line(void **state) {
  (void)state;
  static const int64_t waiting_ms[] = {11, 600, 250, 10}; // per second of both
  struct rs_counter_row rows[13] = {row(0, -1, "cpu.run_queue_wait_ns", 0, SECOND)};
  for (int32_t r = 0; r < 4; r++) {
    uint32_t host = (uint32_t)r / 2;
    rows[1 + 3 * r] = row(host, r, "process.involuntary_switches", 7, 7 + 10 * r);
    rows[2 + 3 * r] = row(host, r, "thread.cpu_ns", 0, SECOND - waiting_ms[r] * 1000000);
    rows[3 + 3 * r] = row(host, r, "thread.run_queue_wait_ns", SECOND, SECOND + waiting_ms[r] * 1000000);
  }
  assert_printed(
      rows, RS_ARRAY_LENGTH(rows),
      "  cpu       3 of 4 ranks waited for a CPU over 1% of the time, most of all rank 1 (60%, 10 involuntary "
      "switches)\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(trouble_of_the_network_has_a_line_each),
      cmocka_unit_test(many_lines_are_counted),
      cmocka_unit_test(stolen_time_shows_above_one_percent),
      cmocka_unit_test(ranks_that_waited_share_a_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
