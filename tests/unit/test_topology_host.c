// Host facts from /proc and /sys, read from trees that look like the clouds', containers', and nothing at all.
#include "topology/host.h"

#include "support/fake_root.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/utsname.h>

#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)
#define DMI "/sys/devices/virtual/dmi/id/"

static struct rs_host_facts read_host(const char *root) {
  struct rs_host_facts facts = {0};
  rs_host_read(root, &facts);
  return facts;
}

static void an_empty_system_leaves_fields_empty(void **state) {
  struct rs_host_facts facts = read_host(*state);
  struct utsname system;
  assert_int_equal(uname(&system), 0);
  assert_string_equal(facts.hostname, system.nodename);
  assert_non_null(strstr(facts.kernel, system.release));
  assert_string_equal(facts.boot_id, "");
  assert_string_equal(facts.cloud, "");
  assert_string_equal(facts.instance_type, "");
  assert_string_equal(facts.congestion_control, "");
  assert_int_equal(facts.memory_available_bytes, 0);
}

static void plain_lines_are_read(void **state) {
  fake_root_put(*state, "/proc/sys/kernel/random/boot_id", "e0787125-d8f1-4459-a17f-ca4c8b206280\n");
  fake_root_put(*state, "/proc/sys/net/ipv4/tcp_congestion_control", "cubic\n");
  struct rs_host_facts facts = read_host(*state);
  assert_string_equal(facts.boot_id, "e0787125-d8f1-4459-a17f-ca4c8b206280");
  assert_string_equal(facts.congestion_control, "cubic");
}

static void firmware_tells_the_cloud(void **state) {
  static const struct {
    const char *file, *text, *product, *cloud, *instance_type;
  } rows[] = {
      {DMI "sys_vendor", "Amazon EC2\n", "c5n.18xlarge\n", "aws", "c5n.18xlarge"},
      {DMI "bios_version", "4.11.amazon\n", "HVM domU\n", "aws", ""},
      {DMI "sys_vendor", "Google\n", "Google Compute Engine\n", "gcp", ""},
      {DMI "chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77\n", "Virtual Machine\n", "azure", ""},
      {DMI "sys_vendor", "Microsoft Corporation\n", "Virtual Machine\n", "", ""}, // Hyper-V at home
      {DMI "sys_vendor", "Dell Inc.\n", "PowerEdge R740.x\n", "", ""},
  };
  for (size_t r = 0; r < RS_ARRAY_LENGTH(rows); r++) {
    const char *const files[] = {DMI "sys_vendor", DMI "bios_version", DMI "chassis_asset_tag"};
    for (size_t f = 0; f < RS_ARRAY_LENGTH(files); f++)
      fake_root_put(*state, files[f], "\n");
    fake_root_put(*state, rows[r].file, rows[r].text);
    fake_root_put(*state, DMI "product_name", rows[r].product);
    struct rs_host_facts facts = read_host(*state);
    assert_string_equal(facts.cloud, rows[r].cloud);
    assert_string_equal(facts.instance_type, rows[r].instance_type);
  }
}

static void memory_is_what_the_host_has(void **state) {
  fake_root_put(*state, "/proc/meminfo", "MemTotal: 8388608 kB\nMemFree: 1 kB\nMemAvailable:    4194304 kB\n");
  assert_int_equal(read_host(*state).memory_bytes, 8192 * MIB);
  assert_int_equal(read_host(*state).memory_available_bytes, 4096 * MIB);
}

static void a_tighter_cgroup_counts(void **state) {
  const char *root = *state;
  fake_root_put(root, "/proc/meminfo", "MemAvailable: 4194304 kB\n");
  fake_root_put(root, "/proc/self/cgroup", "0::/pod/box\n");
  fake_root_put(root, "/sys/fs/cgroup/pod/box/memory.max", "max\n");
  fake_root_put(root, "/sys/fs/cgroup/pod/box/memory.current", "104857600\n");
  assert_int_equal(read_host(root).memory_available_bytes, 4096 * MIB);

  // The parent limits: 1024 MiB, of which 300 are in use, 100 of these droppable file cache.
  fake_root_put(root, "/sys/fs/cgroup/pod/memory.max", "1073741824\n");
  fake_root_put(root, "/sys/fs/cgroup/pod/memory.current", "314572800\n");
  fake_root_put(root, "/sys/fs/cgroup/pod/memory.stat", "anon 1\nactive_file 5\ninactive_file 104857600\n");
  assert_int_equal(read_host(root).memory_available_bytes, (1024 - 300 + 100) * MIB);

  fake_root_put(root, "/sys/fs/cgroup/pod/memory.max", "104857600\n"); // less than is in use
  assert_int_equal(read_host(root).memory_available_bytes, 0);
}

static void version_1_groups_and_container_mounts_count(void **state) {
  const char *root = *state;
  fake_root_put(root, "/proc/meminfo", "MemAvailable: 4194304 kB\n");
  fake_root_put(root, "/proc/self/cgroup", "9:name=systemd:/\n4:memory:/docker/0123\n0::/\n");
  // The container sees its own group as the top; /docker/0123 is a place of the outer system.
  fake_root_put(root, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912\n");
  fake_root_put(root, "/sys/fs/cgroup/memory/memory.usage_in_bytes", "134217728\n");
  fake_root_put(root, "/sys/fs/cgroup/memory/memory.stat", "inactive_file 7\ntotal_inactive_file 67108864\n");
  assert_int_equal(read_host(root).memory_available_bytes, (512 - 128 + 64) * MIB);

  fake_root_put(root, "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "9223372036854771712\n"); // how version 1 says "no limit"
  assert_int_equal(read_host(root).memory_available_bytes, 4096 * MIB);
}

static void text_is_cut_between_characters(void **state) {
  (void)state;
  char field[6];
  memset(field, 'x', sizeof(field));
  rs_host_copy_text(field, sizeof(field), "ab");
  assert_memory_equal(field, "ab\0\0\0\0", 6); // the rest is zero: it travels as bytes
  rs_host_copy_text(field, sizeof(field), "abcdefgh");
  assert_string_equal(field, "abcde");
  rs_host_copy_text(field, sizeof(field), "abc\xe2\x82\xac"); // a euro sign of three bytes would end one too late
  assert_string_equal(field, "abc");
  rs_host_copy_text(field, sizeof(field), "ab\xe2\x82\xac");
  assert_string_equal(field, "ab\xe2\x82\xac");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(an_empty_system_leaves_fields_empty, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(plain_lines_are_read, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(firmware_tells_the_cloud, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(memory_is_what_the_host_has, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(a_tighter_cgroup_counts, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(version_1_groups_and_container_mounts_count, fake_root_make, fake_root_remove),
      cmocka_unit_test(text_is_cut_between_characters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
