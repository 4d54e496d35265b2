// Counters read from a tree and drivers made by hand, from this machine, and compared.
#include "topology/counters.h"

#include "support/fake_root.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NIC "/sys/class/net/"
#define TICK_NS (1000000000 / sysconf(_SC_CLK_TCK))

// ---- a driver

static const struct {
  const char name[ETH_GSTRING_LEN];
  uint64_t value;
} driver_counters[] = {
    {"bw_in_allowance_exceeded", 7},
    {"tx_packets", 100},
    {"rx_errors", 1}, // the kernel's statistic of this name is 2
    {"queue_0_rx_Bad_CSUM_ERRors", 4},
    {"rx_vport_rdma_unicast_cnp_abcdef", 9}, // 32 bytes, no terminator
    {"tx_pause_ctrl_phy", UINT64_MAX},
    {"queue_0_rx_cnt", 5},
    {"tx_interrupts", 6},
};

static int driver_ask(int kind, struct ifreq *request) {
  const uint32_t count = RS_ARRAY_LENGTH(driver_counters);
  struct ethtool_sset_info *info = (void *)request->ifr_data;
  struct ethtool_gstrings *names = (void *)request->ifr_data;
  struct ethtool_stats *stats = (void *)request->ifr_data;
  if (strcmp(request->ifr_name, "eth0") != 0) {
    errno = EOPNOTSUPP;
    return -1;
  }
  switch (info->cmd) {
  case ETHTOOL_GSSET_INFO:
    assert_int_equal(info->sset_mask, 1u << ETH_SS_STATS);
    info->data[0] = count;
    return 0;
  case ETHTOOL_GSTRINGS:
    for (size_t i = 0; i < count; i++)
      memcpy(names->data + i * ETH_GSTRING_LEN, driver_counters[i].name, ETH_GSTRING_LEN);
    return 0;
  case ETHTOOL_GSTATS:
    // The kind that gets more queues between two questions: the kernel writes what there is now.
    stats->n_stats = count + (kind == 1);
    for (size_t i = 0; i < stats->n_stats; i++)
      stats->data[i] = i < count ? driver_counters[i].value : 1;
    return kind == 2 ? -1 : 0;
  default:
    fail_msg("the driver was asked %u", info->cmd);
    return -1;
  }
}

// ---- reading

static struct rs_counters read_host(const char *root, int driver) {
  struct rs_ethtool tool = {driver_ask, driver};
  struct rs_counters counters = {0};
  struct rs_error error = {0};
  assert_int_equal(rs_counters_read_from(root, &tool, RS_COUNTER_HOST, &counters, &error), RS_OK);
  for (size_t c = 0; c < counters.count; c++)
    assert_int_equal(counters.items[c].scope, RS_COUNTER_HOST);
  return counters;
}

static const struct rs_counter *find(const struct rs_counters *counters, const char *name) {
  for (size_t c = 0; c < counters->count; c++)
    if (strcmp(counters->items[c].name, name) == 0)
      return &counters->items[c];
  return NULL;
}

static void assert_counter(const struct rs_counters *counters, const char *name, int64_t value) {
  const struct rs_counter *counter = find(counters, name);
  if (!counter)
    fail_msg("there is no %s", name);
  else if (counter->value != value)
    fail_msg("%s is %lld, not %lld", name, (long long)counter->value, (long long)value);
}

static void an_empty_system_has_no_counters(void **state) {
  struct rs_counters counters = read_host(*state, 0);
  assert_int_equal(counters.count, 0);
  rs_counters_fini(&counters);
}

static void processors_are_summed(void **state) {
  const char *root = *state;
  fake_root_put(root, "/proc/stat", "cpu  10 2 30 400 5 6 7 8 3 0\ncpu0 5 1 15 200 2 3 3 4 1 0\nintr 9\n");
  fake_root_put(root, "/proc/loadavg", "0.20 0.18 0.12 3/808 11206\n");
  fake_root_put(root, "/proc/schedstat",
                "version 15\ntimestamp 4295\ncpu0 0 0 0 0 0 0 111 1000 5\ndomain0 3 1 2 3 4 5 6 7 8 9\n"
                "cpu1 0 0 0 0 0 0 222 234 5\n");
  struct rs_counters counters = read_host(root, 0);
  static const char *const states[] = {"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"};
  static const int64_t ticks[] = {10, 2, 30, 400, 5, 6, 7, 8};
  for (size_t s = 0; s < RS_ARRAY_LENGTH(states); s++) {
    char name[64];
    snprintf(name, sizeof name, "cpu.%s_ns", states[s]);
    assert_counter(&counters, name, ticks[s] * TICK_NS);
  }
  assert_counter(&counters, "cpu.run_queue_wait_ns", 1234);
  assert_counter(&counters, "cpu.runnable", 3);
  assert_int_equal(counters.count, 10);
  rs_counters_fini(&counters);
}

static void put_interface(const char *root, const char *name, const char *flags, const char *operstate) {
  static const char *const files[] = {"flags", "operstate", "statistics/rx_dropped", "statistics/rx_errors"};
  const char *const texts[] = {flags, operstate, "12\n", "2\n"};
  for (size_t f = 0; f < RS_ARRAY_LENGTH(files); f++) {
    char path[128];
    snprintf(path, sizeof path, NIC "%s/%s", name, files[f]);
    fake_root_put(root, path, texts[f]);
  }
}

static void interfaces_that_are_up_count(void **state) {
  const char *root = *state;
  put_interface(root, "eth0", "0x1003\n", "up\n");
  put_interface(root, "lo", "0x9\n", "unknown\n");
  put_interface(root, "eth1", "0x1002\n", "down\n");
  put_interface(root, "eth2", "0x1003\n", "down\n"); // no cable
  put_interface(root, "veth1", "0x1003\n", "up\n");
  fake_root_put(root, NIC "veth1/brport/state", "3\n");
  struct rs_counters counters = read_host(root, 0);
  assert_counter(&counters, "nic.eth0.rx_dropped", 12);
  assert_counter(&counters, "nic.eth0.rx_errors", 2);
  assert_counter(&counters, "nic.lo.rx_dropped", 12);
  assert_counter(&counters, "nic.eth0.bw_in_allowance_exceeded", 7);
  assert_counter(&counters, "nic.eth0.queue_0_rx_Bad_CSUM_ERRors", 4);
  assert_counter(&counters, "nic.eth0.rx_vport_rdma_unicast_cnp_abcdef", 9);
  assert_counter(&counters, "nic.eth0.tx_pause_ctrl_phy", INT64_MAX);
  assert_int_equal(counters.count, 2 + 2 + 4);
  rs_counters_fini(&counters);
}

static void a_driver_that_changes_or_fails_is_left_out(void **state) {
  put_interface(*state, "eth0", "0x1003\n", "up\n");
  for (int driver = 1; driver <= 2; driver++) {
    struct rs_counters counters = read_host(*state, driver);
    assert_int_equal(counters.count, 2);
    rs_counters_fini(&counters);
  }
}

static void rdma_ports_count(void **state) {
  const char *root = *state;
  fake_root_put(root, "/sys/class/infiniband/mlx5_0/ports/1/hw_counters/out_of_sequence", "17\n");
  fake_root_put(root, "/sys/class/infiniband/mlx5_0/ports/1/hw_counters/lifespan", "10\n");
  fake_root_put(root, "/sys/class/infiniband/mlx5_0/ports/1/counters/port_xmit_data", "18446744073709551615\n");
  fake_root_put(root, "/sys/class/infiniband/efa_0/ports/1/hw_counters/rx_drops", "3\n");
  struct rs_counters counters = read_host(root, 0);
  assert_counter(&counters, "rdma.mlx5_0.1.out_of_sequence", 17);
  assert_counter(&counters, "rdma.mlx5_0.1.port_xmit_data", INT64_MAX);
  assert_counter(&counters, "rdma.efa_0.1.rx_drops", 3);
  assert_int_equal(counters.count, 3);
  assert_string_equal(counters.items[0].name, "rdma.efa_0.1.rx_drops"); // by name
  rs_counters_fini(&counters);
}

static void protocols_are_read_by_name(void **state) {
  const char *root = *state;
  fake_root_put(root, "/proc/net/snmp",
                "Ip: Forwarding DefaultTTL\nIp: 1 64\nTcp: RtoMin MaxConn InSegs RetransSegs InErrs OutRsts\n"
                "Tcp: 200 -1 1000 41 42 43\n");
  fake_root_put(root, "/proc/net/netstat",
                "TcpExt: TW ListenDrops TCPTimeoutsNot TCPTimeouts\nTcpExt: 1 2 3 4\nIpExt: InCEPkts\nIpExt: 5\n");
  struct rs_counters counters = read_host(root, 0);
  assert_counter(&counters, "tcp.RetransSegs", 41);
  assert_counter(&counters, "tcp.InErrs", 42);
  assert_counter(&counters, "tcp.OutRsts", 43);
  assert_counter(&counters, "tcp.ListenDrops", 2);
  assert_counter(&counters, "tcp.TCPTimeouts", 4);
  assert_counter(&counters, "ip.InCEPkts", 5);
  assert_int_equal(counters.count, 6);
  rs_counters_fini(&counters);
}

static void a_process_waits_and_faults(void **state) {
  fake_root_put(*state, "/proc/thread-self/schedstat", "60360 1717 5\n");
  struct rs_ethtool tool = {driver_ask, 0};
  struct rs_counters before, after;
  struct rs_error error = {0};
  assert_int_equal(rs_counters_read_from(*state, &tool, RS_COUNTER_RANK, &before, &error), RS_OK);
  assert_counter(&before, "thread.cpu_ns", 60360);
  assert_counter(&before, "thread.run_queue_wait_ns", 1717);
  for (int n = 0; n < 10; n++)
    usleep(100); // gives the CPU away
  size_t bytes = 16 << 20;
  volatile char *memory = malloc(bytes);
  for (size_t b = 0; b < bytes; b += 4096)
    memory[b] = 1;
  free((void *)memory);
  assert_int_equal(rs_counters_read_from(*state, &tool, RS_COUNTER_RANK, &after, &error), RS_OK);
  assert_int_equal(before.count, after.count);
  for (size_t c = 0; c < after.count; c++) {
    assert_int_equal(after.items[c].scope, RS_COUNTER_RANK);
    assert_true(after.items[c].value >= before.items[c].value);
  }
  const char *const risen[] = {"process.voluntary_switches", "process.minor_faults"};
  for (size_t r = 0; r < RS_ARRAY_LENGTH(risen); r++)
    assert_true(find(&after, risen[r])->value > find(&before, risen[r])->value);
  rs_counters_fini(&before);
  rs_counters_fini(&after);
}

// ---- this machine

static void this_machine_is_read_in_time(void **state) {
  (void)state;
  int64_t shortest = INT64_MAX;
  for (int n = 0; n < 10; n++) { // the shortest, for others use this machine too
    struct rs_counters counters;
    struct rs_error error = {0};
    int64_t start = rs_clock_ns();
    assert_int_equal(rs_counters_read(RS_COUNTER_HOST | RS_COUNTER_RANK, &counters, &error), RS_OK);
    int64_t taken = rs_clock_ns() - start;
    shortest = taken < shortest ? taken : shortest;
    assert_non_null(find(&counters, "cpu.steal_ns"));
    assert_non_null(find(&counters, "process.involuntary_switches"));
    rs_counters_fini(&counters);
  }
  print_message("           a snapshot takes %.2f ms\n", (double)shortest / 1e6);
  assert_true(shortest < 5000000);
}

// ---- comparing

static struct rs_counter named(const char *name, enum rs_counter_scope scope, int64_t value) {
  struct rs_counter counter = {.scope = scope, .value = value};
  snprintf(counter.name, sizeof counter.name, "%s", name);
  return counter;
}

static void changes_are_found_whatever_the_order(void **state) {
  (void)state;
  struct rs_counter old[] = {named("same", RS_COUNTER_HOST, 1), named("twin", RS_COUNTER_HOST, 2),
                             named("twin", RS_COUNTER_HOST, 3), named("twin", RS_COUNTER_RANK, 4),
                             named("gone", RS_COUNTER_HOST, 5), named("moved", RS_COUNTER_HOST, 6)};
  struct rs_counter new[] = {named("moved", RS_COUNTER_HOST, 60), named("twin", RS_COUNTER_RANK, 40),
                             named("same", RS_COUNTER_HOST, 1),   named("novel", RS_COUNTER_HOST, 7),
                             named("twin", RS_COUNTER_HOST, 20),  named("twin", RS_COUNTER_HOST, 3)};
  struct rs_counters before = {old, RS_ARRAY_LENGTH(old), 0}, after = {new, RS_ARRAY_LENGTH(new), 0}, none = {0};
  struct rs_counter_change changes[RS_ARRAY_LENGTH(old)];
  assert_int_equal(rs_counters_compare(&before, &before, changes), 0);
  static const struct rs_counter_change expected[] = {{1, 20}, {3, 40}, {4, RS_COUNTER_UNKNOWN}, {5, 60}};
  assert_int_equal(rs_counters_compare(&before, &after, changes), RS_ARRAY_LENGTH(expected));
  for (size_t c = 0; c < RS_ARRAY_LENGTH(expected); c++) {
    assert_int_equal(changes[c].index, expected[c].index);
    assert_int_equal(changes[c].after, expected[c].after);
  }
  assert_int_equal(rs_counters_compare(&before, &none, changes), before.count);
  assert_int_equal(rs_counters_compare(&none, &after, changes), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(an_empty_system_has_no_counters, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(processors_are_summed, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(interfaces_that_are_up_count, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(a_driver_that_changes_or_fails_is_left_out, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(rdma_ports_count, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(protocols_are_read_by_name, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(a_process_waits_and_faults, fake_root_make, fake_root_remove),
      cmocka_unit_test(this_machine_is_read_in_time),
      cmocka_unit_test(changes_are_found_whatever_the_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
