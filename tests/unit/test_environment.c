// How a host is set up, read from trees made by hand and from this machine.
#include "topology/environment.h"

#include "support/fake_root.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#define CPU "/sys/devices/system/cpu/"

static const char *value_of(const struct rs_environment *environment, const char *key) {
  for (size_t f = 0; f < environment->count; f++)
    if (strcmp(environment->facts[f].key, key) == 0)
      return environment->facts[f].value;
  return NULL;
}

static void assert_fact(const char *root, const char *key, const char *value) {
  struct rs_environment environment;
  rs_environment_read_from(root, &environment);
  const char *found = value_of(&environment, key);
  if (!found || strcmp(found, value) != 0)
    fail_msg("%s is '%s', not '%s'", key, found ? found : "(unknown)", value);
}

static void assert_unknown(const char *root, const char *key) {
  struct rs_environment environment;
  rs_environment_read_from(root, &environment);
  assert_null(value_of(&environment, key));
}

static void an_empty_system_tells_its_limits_only(void **state) {
  struct rs_environment environment;
  rs_environment_read_from(*state, &environment);
  for (size_t f = 0; f < environment.count; f++)
    assert_memory_equal(environment.facts[f].key, "limit.", strlen("limit."));
  assert_int_equal(environment.count, 2);
}

static void files_are_facts(void **state) {
  static const struct {
    const char *path, *text, *key, *value;
  } rows[] = {
      {CPU "cpufreq/boost", "1\n", "cpu.boost", "on"},
      {CPU "smt/control", "notsupported\n", "cpu.smt", "notsupported"},
      {CPU "isolated", "2-5\n", "cpu.isolated", "2-5"},
      {"/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n", "memory.transparent_huge_pages",
       "madvise"},
      {"/proc/sys/kernel/numa_balancing", "0\n", "memory.numa_balancing", "off"},
      {"/sys/devices/system/clocksource/clocksource0/current_clocksource", "kvm-clock\n", "kernel.clocksource",
       "kvm-clock"},
      {"/sys/devices/virtual/dmi/id/sys_vendor", "Amazon EC2\n", "machine.vendor", "Amazon EC2"},
      {"/proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n", "net.tcp_rmem", "4096 131072 6291456"},
      {"/proc/sys/net/ipv4/tcp_available_congestion_control", "reno cubic\n", "net.tcp_available_congestion_control",
       "reno cubic"},
      {"/proc/sys/net/core/busy_poll", "50\n", "net.busy_poll", "50"},
      {"/proc/meminfo", "MemTotal: 9 kB\nSwapTotal:  1000 kB\nSwapFree:  990 kB\n", "memory.swap_used_bytes", "10240"},
  };
  for (size_t r = 0; r < RS_ARRAY_LENGTH(rows); r++) {
    fake_root_put(*state, rows[r].path, rows[r].text);
    assert_fact(*state, rows[r].key, rows[r].value);
  }
  assert_unknown(*state, "net.tcp_wmem");
}

static void turbo_is_said_the_other_way_round(void **state) {
  fake_root_put(*state, CPU "intel_pstate/no_turbo", "1\n");
  assert_fact(*state, "cpu.boost", "off");
  fake_root_put(*state, CPU "intel_pstate/no_turbo", "0\n");
  assert_fact(*state, "cpu.boost", "on");
}

static void policies_that_differ_show(void **state) {
  static const struct {
    const char *path, *text;
  } files[] = {
      {CPU "cpufreq/policy0/scaling_governor", "performance\n"},
      {CPU "cpufreq/policy0/scaling_min_freq", "1500000\n"},
      {CPU "cpufreq/policy0/scaling_cur_freq", "3400000\n"},
      {CPU "cpufreq/policy10/scaling_governor", "powersave\n"},
      {CPU "cpufreq/policy10/scaling_min_freq", "1500000\n"},
      {CPU "cpufreq/policy10/scaling_cur_freq", "1500000\n"},
      {CPU "cpufreq/policy2/scaling_governor", "performance\n"}, // said once
      {CPU "cpufreq/policy2/scaling_cur_freq", "2000000\n"},
      {CPU "cpufreq/ondemand/up_threshold", "95\n"},
  };
  assert_unknown(*state, "cpu.governor");
  for (size_t f = 0; f < RS_ARRAY_LENGTH(files); f++)
    fake_root_put(*state, files[f].path, files[f].text);
  assert_fact(*state, "cpu.governor", "performance, powersave");
  assert_fact(*state, "cpu.frequency_khz", "1500000-3400000");
  assert_fact(*state, "cpu.frequency_min_khz", "1500000");
  assert_unknown(*state, "cpu.frequency_max_khz");
}

static void the_kernels_command_line_is_picked_over(void **state) {
  fake_root_put(*state, "/proc/cmdline",
                "root=/dev/sda1 quiet isolcpus=managed_irq,2-63 nohz_full=2-63 idlex=1 intel_idle.max_cstate=1\n");
  assert_fact(*state, "kernel.isolcpus", "managed_irq,2-63");
  assert_fact(*state, "kernel.nohz_full", "2-63");
  assert_fact(*state, "kernel.intel_idle.max_cstate", "1");
  assert_unknown(*state, "kernel.idle");
  assert_unknown(*state, "kernel.root");
}

static void virtual_machines_show(void **state) {
  assert_unknown(*state, "machine.virtual");
  fake_root_put(*state, "/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vme hypervisor lahf_lm\nbugs\t\t: x\n");
  assert_fact(*state, "machine.virtual", "yes");
  fake_root_put(*state, "/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vme\nmodel name\t: a hypervisor\n");
  assert_fact(*state, "machine.virtual", "no");
  fake_root_put(*state, "/proc/cpuinfo", "processor\t: 0\nFeatures\t: fp asimd\n"); // arm64
  assert_unknown(*state, "machine.virtual");
}

static void irqbalance_is_looked_for(void **state) {
  fake_root_put(*state, "/proc/1/comm", "systemd\n");
  fake_root_put(*state, "/proc/12/comm", "irqbalance-ui\n");
  fake_root_put(*state, "/proc/sys/comm", "irqbalance\n");
  assert_fact(*state, "kernel.irqbalance", "not seen");
  fake_root_put(*state, "/proc/123/comm", "irqbalance\n");
  assert_fact(*state, "kernel.irqbalance", "running");
}

static void long_values_are_cut(void **state) {
  char line[300];
  memset(line, 'x', sizeof line);
  line[sizeof line - 1] = '\0';
  fake_root_put(*state, CPU "isolated", line);
  struct rs_environment environment;
  rs_environment_read_from(*state, &environment);
  assert_int_equal(strlen(value_of(&environment, "cpu.isolated")), sizeof environment.facts->value - 1);
}

static void this_machine_tells_something(void **state) {
  (void)state;
  struct rs_environment environment;
  struct rlimit files;
  char expected[32];
  rs_environment_read(&environment);
  assert_true(environment.count > 5 && environment.count < RS_ENVIRONMENT_FACTS_MAX);
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
  snprintf(expected, sizeof expected, "%llu", (unsigned long long)files.rlim_cur);
  assert_string_equal(value_of(&environment, "limit.open_files"),
                      files.rlim_cur == RLIM_INFINITY ? "unlimited" : expected);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(an_empty_system_tells_its_limits_only, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(files_are_facts, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(turbo_is_said_the_other_way_round, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(policies_that_differ_show, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(the_kernels_command_line_is_picked_over, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(virtual_machines_show, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(irqbalance_is_looked_for, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(long_values_are_cut, fake_root_make, fake_root_remove),
      cmocka_unit_test(this_machine_tells_something),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
