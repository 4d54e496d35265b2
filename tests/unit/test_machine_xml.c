// Machines read from XML: made-up ones, this one, and text that is damaged in every way.
#include "topology/machine_xml.h"

#include "support/made_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DEVICES 8

static const struct made_machine two_packages = {
    .packages = 2,
    .cores = 4,
    .units = 2,
    .devices = {MADE_GPU("80", "17"), MADE_NIC("90", "81", "eth0", "mlx5_0")},
    .root_devices = MADE_PCI("95", "00", "0200 [1af4:1041] [1af4:1041] 01",
                             "<info name=\"PCIVendor\" value=\"Red Hat, Inc.\"/>"
                             "<info name=\"PCIDevice\" value=\"Virtio &lt;1.0&gt; &#x1b; network\"/>"
                             "<object type=\"OSDev\" gp_index=\"952\" name=\"eth1\" osdev_type=\"2\"/>"),
};

static size_t read_devices(const char *xml, struct rs_host_device *devices) {
  size_t count = SIZE_MAX;
  struct rs_error error = {0};
  if (rs_topology_xml_devices(xml, devices, DEVICES, &count, &error) != RS_OK)
    fail_msg("%s", error.text);
  return count;
}

static void devices_and_their_places_are_found(void **state) {
  (void)state;
  struct rs_text xml = made_machine_xml(&two_packages);
  struct rs_host_device devices[DEVICES];
  assert_int_equal(read_devices(xml.data, devices), 4);
  const struct rs_host_device expected[] = {
      {.name = "0000:17:00.0", .kind = RS_HOST_DEVICE_GPU, .pci = "0000:17:00.0", .cpus = "0-7", .model = "10de:2335"},
      {.name = "eth0", .pci = "0000:81:00.0", .numa_node = 1, .cpus = "8-15", .model = "15b3:101b"},
      {.name = "mlx5_0",
       .kind = RS_HOST_DEVICE_RDMA,
       .pci = "0000:81:00.0",
       .numa_node = 1,
       .cpus = "8-15",
       .model = "15b3:101b"},
      {.name = "eth1",
       .pci = "0000:00:00.0",
       .numa_node = -1,
       .cpus = "0-15",
       .model = "Red Hat, Inc. Virtio <1.0>   network"}, // what would reach a terminal as an escape does not
  };
  for (size_t d = 0; d < RS_ARRAY_LENGTH(expected); d++) {
    assert_string_equal(devices[d].name, expected[d].name);
    assert_int_equal(devices[d].kind, expected[d].kind);
    assert_string_equal(devices[d].pci, expected[d].pci);
    assert_int_equal(devices[d].numa_node, expected[d].numa_node);
    assert_string_equal(devices[d].cpus, expected[d].cpus);
    assert_string_equal(devices[d].model, expected[d].model);
    assert_false(devices[d].is_virtual || devices[d].up);
  }
  rs_text_fini(&xml);
}

static void more_devices_than_room_are_counted(void **state) {
  (void)state;
  struct rs_text xml = made_machine_xml(&two_packages);
  struct rs_host_device one[2] = {0};
  struct rs_error error = {0};
  size_t count;
  assert_int_equal(rs_topology_xml_devices(xml.data, one, 1, &count, &error), RS_OK);
  assert_int_equal(count, 4);
  assert_string_equal(one[1].name, "");
  rs_text_fini(&xml);
}

static void the_machine_is_summed_up(void **state) {
  (void)state;
  struct rs_text xml = made_machine_xml(&two_packages);
  struct rs_machine_summary summary;
  struct rs_error error = {0};
  assert_int_equal(rs_topology_xml_summary(xml.data, &summary, &error), RS_OK);
  assert_int_equal(summary.packages, 2);
  assert_int_equal(summary.numa_nodes, 2);
  assert_int_equal(summary.cores, 8);
  assert_int_equal(summary.processing_units, 16);
  assert_int_equal(summary.l3_caches, 2);
  assert_int_equal(summary.l3_bytes, 64 << 20);
  assert_int_equal(summary.l3_largest_bytes, 32 << 20);
  rs_text_fini(&xml);
}

// A GPU with names has one of them; a NIC that is not this process's is not shown.
static void names_and_infos_are_taken(void **state) {
  (void)state;
  static const char xml[] =
      "<topology version=\"2.0\"><object type=\"Machine\" cpuset=\"0x3\" nodeset=\"0x1\">"
      "<info name=\"ringside.devices\" value=\"1\"/>"
      "<object type=\"PCIDev\" pci_busid=\"0000:17:00.0\" pci_type=\"0302 [10de:2335]\">"
      "<info name=\"ringside.model\" value=\"NVIDIA H200\"/><info name=\"ringside.driver\" value=\"nvidia\"/>"
      "<object type=\"OSDev\" name=\"card0\" osdev_type=\"1\"/>"
      "<object type=\"OSDev\" name=\"renderD128\" osdev_type=\"1\"/></object>"
      "<object type=\"OSDev\" name=\"theirs\" osdev_type=\"2\"/>"
      "<object type=\"OSDev\" name=\"ours\" osdev_type=\"2\"><info name=\"ringside.up\" value=\"1\"/>"
      "<info name=\"ringside.speed_mbit\" value=\"400000\"/><info name=\"ringside.mtu\" value=\"9001\"/>"
      "<info name=\"ringside.address\" value=\"10.0.0.7\"/></object>"
      "<object type=\"Misc\" name=\"MemoryModule\"/>"
      "<object type=\"Misc\" name=\"rxe0\"><info name=\"ringside.kind\" value=\"rdma\"/>"
      "<info name=\"ringside.rdma_of\" value=\"ours\"/></object>"
      "</object></topology>";
  struct rs_host_device devices[DEVICES];
  assert_int_equal(read_devices(xml, devices), 3);
  assert_string_equal(devices[0].name, "card0");
  assert_string_equal(devices[0].model, "NVIDIA H200");
  assert_string_equal(devices[0].driver, "nvidia");
  assert_int_equal(devices[0].numa_node, 0);
  assert_string_equal(devices[1].name, "ours");
  assert_true(devices[1].up);
  assert_int_equal(devices[1].speed_mbit, 400000);
  assert_int_equal(devices[1].mtu, 9001);
  assert_string_equal(devices[1].address, "10.0.0.7");
  assert_string_equal(devices[2].name, "rxe0");
  assert_int_equal(devices[2].kind, RS_HOST_DEVICE_RDMA);
  assert_true(devices[2].is_virtual);
  assert_string_equal(devices[2].rdma_of, "ours");
  assert_int_equal(devices[2].numa_node, -1);
}

static void refused(const char *xml) {
  struct rs_error error = {0};
  struct rs_host_device devices[DEVICES] = {{.name = "untouched"}};
  size_t count = 77;
  if (rs_topology_xml_devices(xml, devices, DEVICES, &count, &error) != RS_ERROR_USAGE)
    fail_msg("not refused: %.200s", xml);
  assert_int_equal(count, 77);
  assert_string_equal(devices[0].name, "untouched");
  assert_non_null(strstr(error.text, "hwloc XML"));
}

static void what_is_no_topology_is_refused(void **state) {
  (void)state;
  static const char *const texts[] = {
      "",
      "hello",
      "<",
      "<topology",
      "<topology version=\"2.0\">",
      "</topology>",
      "<html></html>",
      "<topology><object></topology>",
      "<topology></object></topology>",
      "<topology><object/></object></topology>",
      "<topology><topology></topology></topology>",
      "<topology><object type=\"OSDev\" osdev_type=\"2\"/>",
      "<topology><object name=\"></object></topology>",
  };
  for (size_t t = 0; t < RS_ARRAY_LENGTH(texts); t++)
    refused(texts[t]);
  struct rs_text deep = {0};
  rs_text_append(&deep, "<topology>");
  for (size_t d = 0; d < 1000; d++)
    rs_text_append(&deep, "<object type=\"Group\">");
  for (size_t d = 0; d < 1000; d++)
    rs_text_append(&deep, "</object>");
  rs_text_append(&deep, "</topology>");
  refused(deep.data);
  rs_text_fini(&deep);
  struct rs_text tag = {0};
  rs_text_append(&tag, "<topology><object cpuset=\"%0100000d\"/></topology>", 1);
  refused(tag.data);
  rs_text_fini(&tag);
}

static void a_text_without_end_is_refused(void **state) {
  (void)state;
  char *text = malloc(RS_MACHINE_XML_BYTES_MAX + 2);
  assert_non_null(text);
  memset(text, ' ', RS_MACHINE_XML_BYTES_MAX + 1);
  text[RS_MACHINE_XML_BYTES_MAX + 1] = '\0';
  memcpy(text, "<topology></topology>", strlen("<topology></topology>"));
  refused(text);
  free(text);
}

static void empty_machines_are_empty(void **state) {
  (void)state;
  struct rs_host_device devices[DEVICES];
  assert_int_equal(read_devices("<?xml version=\"1.0\"?>\n<topology version=\"2.0\"/>\n", devices), 0);
  assert_int_equal(read_devices("<topology><object type=\"OSDev\" osdev_type=\"2\"/></topology>", devices), 1);
  assert_string_equal(devices[0].name, ""); // without anything, and so without a place
  assert_string_equal(devices[0].cpus, "");
}

// One of a few kinds of damage, at a random place of the text; it stays shorter than `room`.
static void damage(char *text, size_t room, struct rs_random *random) {
  size_t length = strlen(text), at = rs_random_below(random, length);
  size_t run = rs_random_below(random, 200);
  switch (rs_random_below(random, 4)) {
  case 0:
    text[at] = (char)(1 + rs_random_below(random, 255));
    break;
  case 1:
    text[at] = "<>\"/&#=,"[rs_random_below(random, 8)];
    break;
  case 2: // a piece less
    run = rs_min_size(run, length - at);
    memmove(text + at, text + at + run, length - at - run + 1);
    break;
  default: // a piece twice
    run = rs_min_size(run, rs_min_size(length - at, room - length - 1));
    memmove(text + at + run, text + at, length - at + 1);
  }
}

// The sanitizers see what goes wrong; here it must end, with a status and texts that end.
static void damaged_text_is_survived(void **state) {
  (void)state;
  struct rs_text xml = made_machine_xml(&two_packages);
  size_t room = xml.length + 4096, read = 0, refusals = 0;
  char *text = malloc(room);
  assert_non_null(text);
  for (uint64_t seed = 0; seed < 3000; seed++) {
    struct rs_random random = {seed};
    struct rs_host_device devices[DEVICES];
    struct rs_error error = {0};
    size_t count = 0;
    memcpy(text, xml.data, xml.length + 1);
    for (uint64_t times = 1 + rs_random_below(&random, 4); times > 0; times--)
      damage(text, room, &random);
    enum rs_status status = rs_topology_xml_devices(text, devices, DEVICES, &count, &error);
    if (status != RS_OK && status != RS_ERROR_USAGE)
      fail_msg("seed %llu: %s", (unsigned long long)seed, error.text);
    for (size_t d = 0; d < rs_min_size(count, DEVICES); d++)
      if (!memchr(devices[d].name, '\0', sizeof(devices[d].name)) ||
          !memchr(devices[d].model, '\0', sizeof(devices[d].model)) || devices[d].kind > RS_HOST_DEVICE_GPU)
        fail_msg("seed %llu: device %zu", (unsigned long long)seed, d);
    read += status == RS_OK;
    refusals += status != RS_OK;
  }
  assert_true(read > 100 && refusals > 100); // the damage is neither harmless nor total
  free(text);
  rs_text_fini(&xml);
}

static void this_machine_reads_as_hwloc_says(void **state) {
  (void)state;
  struct rs_topology *topology = NULL;
  struct rs_error error = {0};
  assert_int_equal(rs_topology_open(&topology, &error), RS_OK);
  const struct rs_host_facts *host = rs_topology_host(topology);
  struct rs_machine_summary summary;
  rs_topology_summary(topology, &summary);
  assert_int_equal(summary.cores, host->cores);
  assert_int_equal(summary.processing_units, host->processing_units);
  assert_int_equal(summary.numa_nodes, host->numa_nodes);
  struct rs_host_device live[64], stored[64];
  size_t count = rs_topology_devices(topology, live, 64), again;
  assert_int_equal(rs_topology_xml_devices(rs_topology_xml(topology), stored, 64, &again, &error), RS_OK);
  assert_int_equal(again, count);
  bool loopback = false;
  for (size_t d = 0; d < rs_min_size(count, 64); d++)
    loopback |= live[d].loopback && live[d].is_virtual && live[d].up && strcmp(live[d].name, "lo") == 0;
  if (!loopback)
    print_message("lo is not up here\n");
  rs_topology_close(topology);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(devices_and_their_places_are_found), cmocka_unit_test(more_devices_than_room_are_counted),
      cmocka_unit_test(the_machine_is_summed_up),           cmocka_unit_test(names_and_infos_are_taken),
      cmocka_unit_test(what_is_no_topology_is_refused),     cmocka_unit_test(a_text_without_end_is_refused),
      cmocka_unit_test(empty_machines_are_empty),           cmocka_unit_test(damaged_text_is_survived),
      cmocka_unit_test(this_machine_reads_as_hwloc_says),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
