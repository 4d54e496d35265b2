// What is added to hwloc's view of devices: from files, interfaces and drivers made by hand, seen in the XML.
#include "topology/device_facts.h"
#include "topology/machine_xml.h"

#include "support/fake_root.h"
#include "support/made_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NET "/sys/class/net/"
#define RDMA "/sys/class/infiniband/"
#define UP (IFF_UP | IFF_RUNNING)

static const struct made_machine machine_made = {
    .packages = 2,
    .cores = 2,
    .units = 1,
    .devices = {MADE_GPU("80", "17"), MADE_NIC("90", "81", "eth0", "mlx5_0")},
};

// Interfaces as getifaddrs lists them: all links first, then the addresses.
enum { LO, ETH0, VETH1, DOWN0, LO_4, ETH0_6_LINK, ETH0_6, VETH1_6, VETH1_4, ENTRIES };
struct interfaces {
  struct ifaddrs entries[ENTRIES];
  struct sockaddr_ll links[ENTRIES];
  struct sockaddr_in v4[ENTRIES];
  struct sockaddr_in6 v6[ENTRIES];
};

static void put_link(struct interfaces *made, size_t e, char *name, unsigned flags, int index, const char *mac) {
  made->links[e] = (struct sockaddr_ll){.sll_family = AF_PACKET, .sll_ifindex = index, .sll_halen = 6};
  memcpy(made->links[e].sll_addr, mac, 6);
  made->entries[e] =
      (struct ifaddrs){.ifa_name = name, .ifa_flags = flags, .ifa_addr = (struct sockaddr *)&made->links[e]};
}

static void put_address(struct interfaces *made, size_t e, size_t link, const char *text) {
  made->entries[e] = (struct ifaddrs){.ifa_name = made->entries[link].ifa_name};
  made->v4[e].sin_family = AF_INET;
  made->v6[e].sin6_family = AF_INET6;
  if (inet_pton(AF_INET, text, &made->v4[e].sin_addr) == 1)
    made->entries[e].ifa_addr = (struct sockaddr *)&made->v4[e];
  else if (inet_pton(AF_INET6, text, &made->v6[e].sin6_addr) == 1)
    made->entries[e].ifa_addr = (struct sockaddr *)&made->v6[e];
}

static void make_interfaces(struct interfaces *made) {
  *made = (struct interfaces){0};
  put_link(made, LO, "lo", UP | IFF_LOOPBACK, 1, "\0\0\0\0\0");
  put_link(made, ETH0, "eth0", UP, 2, "\x02\xfc\0\0\0\x01");
  put_link(made, VETH1, "veth1", UP, 3, "\x02\xfc\0\0\0\x02");
  put_link(made, DOWN0, "down0", IFF_UP, 4, "\x02\xfc\0\0\0\x03");
  put_address(made, LO_4, LO, "127.0.0.1");
  put_address(made, ETH0_6_LINK, ETH0, "fe80::1");
  put_address(made, ETH0_6, ETH0, "2001:db8::7");
  put_address(made, VETH1_6, VETH1, "2001:db8::8");
  put_address(made, VETH1_4, VETH1, "10.1.0.2");
  for (size_t e = 0; e + 1 < ENTRIES; e++)
    made->entries[e].ifa_next = &made->entries[e + 1];
}

// Every driver is called veth.
static int ask_driver(int socket, struct ifreq *request) {
  (void)socket;
  struct ethtool_drvinfo *info = (struct ethtool_drvinfo *)(void *)request->ifr_data;
  assert_int_equal(info->cmd, ETHTOOL_GDRVINFO);
  memcpy(info->driver, "veth", sizeof("veth"));
  return 0;
}

static void put_driver(const char *root, const char *device, const char *driver) {
  char path[512], target[128];
  snprintf(path, sizeof(path), "%s%s", root, device);
  unlink(path);                    // an earlier one
  fake_root_put(root, device, ""); // for the directories on the way
  assert_int_equal(unlink(path), 0);
  snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
  assert_int_equal(symlink(target, path), 0);
}

// The devices of the made-up machine after facts were added from `root`.
static size_t add_and_read(const char *root, struct rs_host_device *devices, size_t max) {
  struct interfaces made;
  make_interfaces(&made);
  const struct rs_ethtool tool = {ask_driver, -1};
  hwloc_topology_t machine = made_machine_load(&machine_made);
  rs_device_facts_add_from(machine, &(struct rs_device_source){root, made.entries, &tool});
  char *xml;
  int bytes;
  assert_int_equal(hwloc_topology_export_xmlbuffer(machine, &xml, &bytes, 0), 0);
  size_t count;
  struct rs_error error = {0};
  if (rs_topology_xml_devices(xml, devices, max, &count, &error) != RS_OK)
    fail_msg("%s\n%s", error.text, xml);
  hwloc_free_xmlbuffer(machine, xml);
  hwloc_topology_destroy(machine);
  return count;
}

static const struct rs_host_device *find(const struct rs_host_device *devices, size_t count, const char *name) {
  for (size_t d = 0; d < count; d++)
    if (strcmp(devices[d].name, name) == 0)
      return &devices[d];
  return NULL;
}

static void put_eth0(const char *root) {
  fake_root_put(root, NET "eth0/ifindex", "2\n");
  fake_root_put(root, NET "eth0/address", "02:fc:00:00:00:01\n");
  fake_root_put(root, NET "eth0/speed", "200000\n");
  fake_root_put(root, NET "eth0/mtu", "9000\n");
  put_driver(root, NET "eth0/device/driver", "mlx5_core");
}

static void network_interfaces_are_described(void **state) {
  struct rs_host_device devices[8];
  put_eth0(*state);
  fake_root_put(*state, NET "veth1/ifindex", "3\n");
  fake_root_put(*state, NET "veth1/address", "02:fc:00:00:00:02\n");
  fake_root_put(*state, NET "veth1/speed", "-1\n"); // unknown
  fake_root_put(*state, NET "veth1/mtu", "1500\n");
  size_t count = add_and_read(*state, devices, 8);
  assert_int_equal(count, 4); // the GPU, eth0, lo, veth1; not mlx5_0 without a trace in /sys, nor what is down
  const struct rs_host_device *eth0 = find(devices, count, "eth0");
  assert_non_null(eth0);
  assert_true(eth0->up && !eth0->loopback && !eth0->is_virtual);
  assert_int_equal(eth0->speed_mbit, 200000);
  assert_int_equal(eth0->mtu, 9000);
  assert_string_equal(eth0->driver, "mlx5_core");
  assert_string_equal(eth0->address, "2001:db8::7"); // not the one that is good for one link only
  assert_int_equal(eth0->numa_node, 1);
  const struct rs_host_device *veth = find(devices, count, "veth1");
  assert_non_null(veth);
  assert_true(veth->up && !veth->loopback && veth->is_virtual);
  assert_int_equal(veth->speed_mbit, 0);
  assert_int_equal(veth->mtu, 1500);
  assert_string_equal(veth->driver, "veth");
  assert_string_equal(veth->address, "10.1.0.2"); // IPv4 first
  const struct rs_host_device *lo = find(devices, count, "lo");
  assert_non_null(lo);
  assert_true(lo->loopback && lo->is_virtual);
  assert_string_equal(lo->address, "127.0.0.1");
}

// In a network namespace whose /sys is another's, eth0 is another eth0, and hwloc has found that one.
static void another_namespaces_files_are_not_believed(void **state) {
  struct rs_host_device devices[8];
  static const char *const wrong[][2] = {{NET "eth0/address", "02:fc:00:00:00:99\n"}, {NET "eth0/ifindex", "22\n"}};
  for (size_t w = 0; w < RS_ARRAY_LENGTH(wrong); w++) {
    put_eth0(*state);
    fake_root_put(*state, wrong[w][0], wrong[w][1]);
    size_t count = add_and_read(*state, devices, 8);
    const struct rs_host_device *eth0 = find(devices, count, "eth0");
    assert_non_null(eth0);
    assert_true(eth0->is_virtual && eth0->up);
    assert_string_equal(eth0->pci, "");
    assert_string_equal(eth0->driver, "veth");
    assert_int_equal(eth0->mtu, 0);
  }
}

static void rdma_devices_know_their_interface(void **state) {
  struct rs_host_device devices[8];
  put_eth0(*state);
  fake_root_put(*state, RDMA "mlx5_0/ports/1/state", "1: DOWN\n");
  fake_root_put(*state, RDMA "mlx5_0/ports/1/rate", "10 Gb/sec (4X SDR)\n");
  fake_root_put(*state, RDMA "mlx5_0/ports/2/state", "4: ACTIVE\n");
  fake_root_put(*state, RDMA "mlx5_0/ports/2/rate", "2.5 Gb/sec (1X SDR)\n");
  fake_root_put(*state, RDMA "mlx5_0/ports/2/gid_attrs/ndevs/0", "eth0\n");
  put_driver(*state, RDMA "mlx5_0/device/driver", "mlx5_core");
  fake_root_put(*state, RDMA "rxe0/parent", "veth1\n");
  fake_root_put(*state, RDMA "rxe0/ports/1/state", "4: ACTIVE\n");
  fake_root_put(*state, RDMA "rxe0/ports/1/rate", "more than a lot\n");
  fake_root_put(*state, RDMA "ib7/device/net/ib7net/x", "");
  size_t count = add_and_read(*state, devices, 8);
  const struct rs_host_device *mlx5 = find(devices, count, "mlx5_0"), *rxe = find(devices, count, "rxe0");
  const struct rs_host_device *ib7 = find(devices, count, "ib7");
  assert_true(mlx5 && rxe && ib7);
  assert_int_equal(mlx5->kind, RS_HOST_DEVICE_RDMA);
  assert_true(mlx5->up && !mlx5->is_virtual);
  assert_int_equal(mlx5->speed_mbit, 2500);
  assert_string_equal(mlx5->driver, "mlx5_core");
  assert_string_equal(mlx5->rdma_of, "eth0");
  assert_string_equal(find(devices, count, "eth0")->rdma_of, "mlx5_0");
  assert_int_equal(rxe->kind, RS_HOST_DEVICE_RDMA);
  assert_true(rxe->up && rxe->is_virtual);
  assert_int_equal(rxe->speed_mbit, 0);
  assert_string_equal(rxe->rdma_of, "veth1");
  assert_string_equal(find(devices, count, "veth1")->rdma_of, "rxe0");
  assert_false(ib7->up);
  assert_string_equal(ib7->rdma_of, "ib7net");
}

static void gpus_have_a_driver_and_a_model(void **state) {
  struct rs_host_device devices[8];
  put_driver(*state, "/sys/bus/pci/devices/0000:17:00.0/driver", "nvidia");
  fake_root_put(*state, "/proc/driver/nvidia/gpus/0000:17:00.0/information",
                "Model: \t\t NVIDIA H200\nIRQ:   \t\t 98\n");
  size_t count = add_and_read(*state, devices, 8);
  const struct rs_host_device *gpu = find(devices, count, "0000:17:00.0");
  assert_non_null(gpu);
  assert_int_equal(gpu->kind, RS_HOST_DEVICE_GPU);
  assert_string_equal(gpu->driver, "nvidia");
  assert_string_equal(gpu->model, "NVIDIA H200");
  assert_int_equal(gpu->numa_node, 0);
}

static void a_made_up_machine_gets_no_facts_of_this_one(void **state) {
  (void)state;
  assert_int_equal(setenv("HWLOC_SYNTHETIC", "node:1 core:2 pu:1", 1), 0);
  struct rs_topology *topology = NULL;
  struct rs_error error = {0};
  assert_int_equal(rs_topology_open(&topology, &error), RS_OK);
  assert_int_equal(unsetenv("HWLOC_SYNTHETIC"), 0);
  assert_int_equal(rs_topology_devices(topology, NULL, 0), 0);
  assert_null(strstr(rs_topology_xml(topology), RS_DEVICE_FACT_PREFIX));
  rs_topology_close(topology);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(network_interfaces_are_described, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(another_namespaces_files_are_not_believed, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(rdma_devices_know_their_interface, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(gpus_have_a_driver_and_a_model, fake_root_make, fake_root_remove),
      cmocka_unit_test(a_made_up_machine_gets_no_facts_of_this_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
