// Which devices are near a rank, on a made-up machine of two packages.
#include "topology/host_device.h"
#include "topology/machine.h"

#include "support/made_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define INFO(key, value) "<info name=\"ringside." key "\" value=\"" value "\"/>"
#define PORT(gp, bus, name, infos)                                                                                     \
  MADE_PCI(gp, bus, "0200 [15b3:101b] [15b3:0007] 00",                                                                 \
           "<object type=\"OSDev\" gp_index=\"" gp "2\" name=\"" name "\" osdev_type=\"2\">" infos "</object>")

static const struct made_machine made = {
    .packages = 2,
    .cores = 4,
    .units = 1,
    .devices = {PORT("90", "17", "near_slow", INFO("up", "1") INFO("speed_mbit", "100000"))
                    PORT("91", "18", "near_down", INFO("up", "0") INFO("speed_mbit", "400000"))
                        PORT("92", "19", "near_fast", INFO("up", "1") INFO("speed_mbit", "200000")),
                PORT("93", "81", "far", INFO("up", "1") INFO("speed_mbit", "800000")) MADE_GPU("94", "82")},
    .root_devices = PORT("95", "00", "anywhere",
                         INFO("up", "1")) "<object type=\"Misc\" gp_index=\"970\" name=\"lo\">" INFO("kind", "nic")
        INFO("up", "1") "</object>",
};

// Names in order, each with its nearness: "near_fast:0 far:2".
static void assert_order(const char *cpus, size_t max, const char *expected) {
  struct rs_text xml = made_machine_xml(&made);
  struct rs_topology topology = {.machine = made_machine_load(&made), .xml = xml.data};
  struct rs_near_device near[8];
  char order[256] = "";
  size_t count = rs_topology_near(&topology, cpus, near, max);
  for (size_t d = 0; d < count; d++) {
    size_t used = strlen(order);
    snprintf(order + used, sizeof(order) - used, "%s%.31s:%d", d ? " " : "", near[d].device.name,
             (int)near[d].nearness);
  }
  hwloc_topology_destroy(topology.machine);
  rs_text_fini(&xml);
  assert_string_equal(order, expected);
}

static void the_nearest_that_is_up_and_fastest_comes_first(void **state) {
  (void)state;
  assert_order("1", 8, "near_fast:0 near_slow:0 near_down:0 far:2 0000:82:00.0:2 anywhere:3 lo:3");
  assert_order("4-7", 3, "far:0 0000:82:00.0:0 near_fast:2");
  assert_order("6,...", 1, "far:0");           // a list that was cut
  assert_order("0-7", 2, "far:0 near_fast:0"); // unbound: all are near
}

static void sub_numa_nodes_of_a_package_are_nearer_than_another_package(void **state) {
  (void)state;
  hwloc_topology_t machine;
  assert_int_equal(hwloc_topology_init(&machine), 0);
  assert_int_equal(hwloc_topology_set_synthetic(machine, "pack:2 numa:2 core:2 pu:1"), 0);
  assert_int_equal(hwloc_topology_load(machine), 0);
  static const enum rs_nearness expected[] = {RS_NEAR_PACKAGE, RS_NEAR_NUMA, RS_NEAR_MACHINE, RS_NEAR_MACHINE};
  hwloc_obj_t place = hwloc_get_obj_by_type(machine, HWLOC_OBJ_NUMANODE, 1);
  for (unsigned node = 0; node < 4; node++) {
    hwloc_const_cpuset_t cpus = hwloc_get_obj_by_type(machine, HWLOC_OBJ_NUMANODE, node)->cpuset;
    assert_int_equal(rs_host_device_nearness(machine, place, cpus), expected[node]);
    assert_int_equal(rs_host_device_nearness(machine, hwloc_get_root_obj(machine), cpus), RS_NEAR_UNKNOWN);
    assert_int_equal(rs_host_device_nearness(machine, NULL, cpus), RS_NEAR_UNKNOWN);
  }
  hwloc_topology_destroy(machine);
}

static void a_far_device_is_warned_of(void **state) {
  (void)state;
  struct rs_host_device device = {.name = "eth0", .numa_node = 0};
  struct rs_rank_facts facts = {.numa_node = 1};
  char text[128];
  assert_true(rs_host_device_warn(&device, 3, &facts, text, sizeof(text)));
  assert_string_equal(text, "rank 3 runs on NUMA node 1 but its NIC eth0 is on node 0");
  device.kind = RS_HOST_DEVICE_RDMA;
  assert_true(rs_host_device_warn(&device, 3, &facts, text, sizeof(text)));
  assert_non_null(strstr(text, "its RDMA device eth0"));
  facts.numa_node = 0;
  assert_false(rs_host_device_warn(&device, 3, &facts, text, sizeof(text)));
  assert_string_equal(text, "");
  facts.numa_node = -1;
  assert_false(rs_host_device_warn(&device, 3, &facts, text, sizeof(text)));
  facts.numa_node = 1;
  device.numa_node = -1;
  assert_false(rs_host_device_warn(&device, 3, &facts, text, sizeof(text)));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_nearest_that_is_up_and_fastest_comes_first),
      cmocka_unit_test(sub_numa_nodes_of_a_package_are_nearer_than_another_package),
      cmocka_unit_test(a_far_device_is_warned_of),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
