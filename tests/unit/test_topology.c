// This process's topology: on the real machine, under a binding, and on machines that hwloc makes up (HWLOC_SYNTHETIC).
#include "ringside/topology.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct rs_topology *open_topology(void) {
  struct rs_topology *topology = NULL;
  struct rs_error error = {0};
  if (rs_topology_open(&topology, &error) != RS_OK)
    fail_msg("%s", error.text);
  return topology;
}

static void the_real_machine_has_the_essentials(void **state) {
  (void)state;
  struct rs_topology *topology = open_topology();
  const struct rs_host_facts *host = rs_topology_host(topology);
  char hostname[256];
  assert_int_equal(gethostname(hostname, sizeof(hostname)), 0);
  assert_int_equal(strncmp(host->hostname, hostname, sizeof(host->hostname) - 1), 0);
  assert_true(host->processing_units > 0);
  assert_true(host->processing_units <= (uint32_t)sysconf(_SC_NPROCESSORS_CONF));
  assert_true(host->cores <= host->processing_units);
  assert_true(host->memory_available_bytes > 0);
  assert_true(host->memory_available_bytes <= host->memory_bytes);
  assert_true(host->cpu[0] != '\0' && host->kernel[0] != '\0');
  assert_int_equal(host->partition, -1);
  assert_string_equal(host->zone, "");

  const char *xml = rs_topology_xml(topology);
  assert_non_null(strstr(xml, "<topology"));
  assert_non_null(strstr(xml, "</topology>"));
  rs_topology_close(topology);
}

static void a_binding_shows(void **state) {
  (void)state;
  cpu_set_t before, one;
  assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
  if (CPU_COUNT(&before) < 2) {
    print_message("one processing unit only: nothing to bind to\n");
    skip();
  }
  size_t last = CPU_SETSIZE - 1;
  while (!CPU_ISSET(last, &before))
    last--;
  CPU_ZERO(&one);
  CPU_SET(last, &one);
  assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
  struct rs_topology *topology = open_topology();
  struct rs_rank_facts facts;
  rs_topology_rank(topology, &facts);
  uint32_t bound_units = rs_topology_host(topology)->processing_units;
  assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);

  char expected[16];
  snprintf(expected, sizeof(expected), "%zu", last);
  assert_true(facts.bound);
  assert_string_equal(facts.cpus, expected);
  assert_int_equal(facts.pid, getpid());
  // The machine is what this process may use, not what it is bound to.
  assert_true(bound_units >= (uint32_t)CPU_COUNT(&before));
  rs_topology_close(topology);
}

static void made_up_machines_are_counted(void **state) {
  (void)state;
  static const struct {
    const char *synthetic, *cpus;
    uint32_t cores, units, nodes;
    int32_t node;
  } rows[] = {
      {"node:1 core:4 pu:1", "0-3", 4, 4, 1, 0},
      {"pack:2 node:1 core:8 pu:2", "0-31", 16, 32, 2, -1}, // over two nodes: no single one
      {"node:1 pu:6", "0-5", 0, 6, 1, 0},                   // a virtual machine that hides its cores
  };
  for (size_t r = 0; r < RS_ARRAY_LENGTH(rows); r++) {
    assert_int_equal(setenv("HWLOC_SYNTHETIC", rows[r].synthetic, 1), 0);
    struct rs_topology *topology = open_topology();
    assert_int_equal(unsetenv("HWLOC_SYNTHETIC"), 0);
    const struct rs_host_facts *host = rs_topology_host(topology);
    assert_int_equal(host->cores, rows[r].cores);
    assert_int_equal(host->processing_units, rows[r].units);
    assert_int_equal(host->numa_nodes, rows[r].nodes);
    struct rs_rank_facts facts;
    rs_topology_rank(topology, &facts);
    assert_false(facts.bound);
    assert_string_equal(facts.cpus, rows[r].cpus);
    assert_int_equal(facts.numa_node, rows[r].node);
    rs_topology_close(topology);
  }
}

// Every second unit of a large machine: a list of 200 numbers does not fit and says so.
static void a_list_too_long_is_cut_after_a_number(void **state) {
  (void)state;
  char units[2000] = "node:1 pu:200(indexes=";
  for (int unit = 0; unit < 200; unit++)
    snprintf(units + strlen(units), sizeof(units) - strlen(units), "%s%d", unit ? "," : "", unit * 2);
  strcat(units, ")");
  assert_int_equal(setenv("HWLOC_SYNTHETIC", units, 1), 0);
  struct rs_topology *topology = open_topology();
  assert_int_equal(unsetenv("HWLOC_SYNTHETIC"), 0);
  struct rs_rank_facts facts;
  rs_topology_rank(topology, &facts);
  size_t length = strlen(facts.cpus);
  assert_true(length > 100 && length < sizeof(facts.cpus));
  assert_int_equal(strncmp(facts.cpus, "0,2,4,", 6), 0);
  assert_string_equal(facts.cpus + length - 4, ",...");
  rs_topology_close(topology);
}

static void the_library_is_named(void **state) {
  (void)state;
  char text[32];
  rs_topology_library(text, sizeof(text));
  assert_int_equal(strncmp(text, "hwloc 2.", 8), 0);
  rs_topology_close(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_real_machine_has_the_essentials),
      cmocka_unit_test(a_binding_shows),
      cmocka_unit_test(made_up_machines_are_counted),
      cmocka_unit_test(a_list_too_long_is_cut_after_a_number),
      cmocka_unit_test(the_library_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
