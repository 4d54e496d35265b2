// The tree of a placement, its distances and what is wrong with it, from placements made by hand.
#include "ringside/topology.h"
#include "support/result_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOSTS_MAX 20
#define RANKS_MAX 40

struct fixture {
  struct rs_host_facts hosts[HOSTS_MAX];
  struct rs_rank_facts ranks[RANKS_MAX];
  struct rs_rank_device devices[RANKS_MAX];
  struct rs_placement placement;
  struct rs_placement_view view;
};

// `per_host` ranks on each host, bound, on two NUMA nodes in turn, each over eth0 of its host.
static void make(struct fixture *fixture, size_t hosts, size_t per_host) {
  memset(fixture, 0, sizeof *fixture);
  for (size_t h = 0; h < hosts; h++) {
    struct rs_host_facts *host = &fixture->hosts[h];
    snprintf(host->hostname, sizeof host->hostname, "node%02zu", h + 1);
    snprintf(host->boot_id, sizeof host->boot_id, "boot-%zu", h);
    snprintf(host->cpu, sizeof host->cpu, "Xeon");
    host->partition = -1;
    host->processing_units = 8;
  }
  for (size_t r = 0; r < hosts * per_host; r++) {
    fixture->ranks[r] = (struct rs_rank_facts){.host = (uint32_t)(r / per_host),
                                               .local_rank = (uint32_t)(r % per_host),
                                               .local_ranks = (uint32_t)per_host,
                                               .bound = true,
                                               .numa_node = (int32_t)(r % per_host * 2 / per_host)};
    struct rs_rank_device *device = &fixture->devices[r];
    *device = (struct rs_rank_device){.rank = (uint32_t)r, .speed_mbit = 25000, .mtu = 9001, .numa_node = -1};
    snprintf(device->transport, sizeof device->transport, "tcp");
    snprintf(device->interface, sizeof device->interface, "eth0");
    snprintf(device->address, sizeof device->address, "10.0.0.%zu", r / per_host + 1);
  }
  fixture->placement = (struct rs_placement){hosts, hosts * per_host, fixture->hosts, fixture->ranks};
  fixture->view = (struct rs_placement_view){
      .placement = &fixture->placement, .devices = fixture->devices, .device_count = hosts * per_host};
}

static void place(struct rs_host_facts *host, const char *region, const char *zone, const char *path) {
  snprintf(host->region, sizeof host->region, "%s", region);
  snprintf(host->zone, sizeof host->zone, "%s", zone);
  snprintf(host->network_path, sizeof host->network_path, "%s", path);
}

#define SET(field, ...) snprintf(field, sizeof field, __VA_ARGS__)

// ---- tree -------------------------------------------------------------------------------------------------

static void check_tree(const struct fixture *fixture, const char *expected) {
  struct rs_text text = {0};
  rs_placement_tree(&fixture->view, &text);
  assert_string_equal(text.data, expected);
  rs_text_fini(&text);
}

static void a_placement_is_a_tree(void **state) {
  (void)state;
  struct fixture fixture;
  make(&fixture, 4, 4);
  place(&fixture.hosts[0], "eu-west-1", "eu-west-1b", "nn-1/nn-7");
  place(&fixture.hosts[1], "eu-west-1", "eu-west-1a", "nn-1/nn-7/nn-9");
  place(&fixture.hosts[2], "eu-west-1", "eu-west-1a", "nn-1/nn-8/nn-9");
  place(&fixture.hosts[3], "eu-west-1", "eu-west-1a", "nn-1/nn-7/nn-9");
  SET(fixture.hosts[1].zone_id, "euw1-az2");
  SET(fixture.hosts[3].zone_id, "euw1-az2");
  SET(fixture.hosts[0].instance_type, "p5.48xlarge");
  SET(fixture.hosts[0].placement_group, "cg");
  SET(fixture.hosts[0].instance_id, "i-0");
  SET(fixture.hosts[0].physical_host, "h-0");
  fixture.hosts[0].partition = 2;
  fixture.ranks[1].bound = false;
  fixture.ranks[2].numa_node = -1;
  fixture.devices[3].numa_node = 1;
  SET(fixture.devices[3].interface, "eth1");
  fixture.devices[3].speed_mbit = fixture.devices[3].mtu = 0;
  struct rs_text text = {0};
  rs_placement_tree(&fixture.view, &text);
  rs_golden_check("placement_tree.txt", text.data);
  rs_text_fini(&text);
}

static void what_is_not_known_is_no_level(void **state) {
  (void)state;
  struct fixture fixture;
  make(&fixture, 2, 1);
  fixture.view.device_count = 0;
  place(&fixture.hosts[1], "", "", "leaf");
  check_tree(&fixture, "host node01\n  NUMA 0: rank 0\nnetwork leaf\n  host node02\n    NUMA 0: rank 1\n");
}

// "a", "a/x" and "a-b" sort such that each network is printed once.
static void networks_are_printed_once(void **state) {
  (void)state;
  static const char *const paths[] = {"a/x", "a-b", "a", "a/x/y", "a0"};
  struct fixture fixture;
  make(&fixture, 5, 1);
  for (size_t h = 0; h < 5; h++)
    place(&fixture.hosts[h], "", "", paths[h]);
  struct rs_text text = {0};
  rs_placement_tree(&fixture.view, &text);
  size_t networks = 0;
  for (const char *at = text.data; (at = strstr(at, "network ")) != NULL; at++)
    networks++;
  assert_int_equal(networks, 5); // a, x, y, a-b, a0
  rs_text_fini(&text);
}

// ---- distances --------------------------------------------------------------------------------------------

static void check_distances(const struct fixture *fixture, const char *expected) {
  struct rs_text text = {0};
  rs_placement_distances(&fixture->placement, &text);
  assert_string_equal(text.data, expected);
  rs_text_fini(&text);
}

static void few_ranks_are_told_one_by_one(void **state) {
  (void)state;
  struct fixture fixture;
  make(&fixture, 2, 2);
  place(&fixture.hosts[0], "", "", "s/l");
  place(&fixture.hosts[1], "", "", "s/m");
  fixture.ranks[3].numa_node = 0;
  check_distances(&fixture, "pairs of ranks: 1 numa, 1 host, 4 spine\n"
                            "distance of ranks\n"
                            "              0      1      2      3\n"
                            "       0      -   host  spine  spine\n"
                            "       1   host      -  spine  spine\n"
                            "       2  spine  spine      -   numa\n"
                            "       3  spine  spine   numa      -\n");
}

static void many_ranks_are_told_by_host(void **state) {
  (void)state;
  struct fixture fixture;
  make(&fixture, 3, 6);
  place(&fixture.hosts[0], "", "z1", "l");
  place(&fixture.hosts[1], "", "z1", "l");
  place(&fixture.hosts[2], "", "z2", "");
  check_distances(&fixture, "pairs of ranks: 18 numa, 27 host, 36 leaf, 72 region\n"
                            "distance of hosts (columns in the order of the rows)\n"
                            "  node01                -   leaf region\n"
                            "  node02             leaf      - region\n"
                            "  node03           region region      -\n");
  make(&fixture, 20, 2);
  check_distances(&fixture, "pairs of ranks: 20 host, 760 zone\n");
  make(&fixture, 1, 1);
  check_distances(&fixture, "pairs of ranks: none\n");
}

static void counts_are_those_of_all_pairs(void **state) {
  (void)state;
  const uint64_t seed = 7;
  struct rs_random random = {seed};
  for (int round = 0; round < 50; round++) {
    struct fixture fixture;
    uint64_t pairs[RS_DISTANCE_COUNT], expected[RS_DISTANCE_COUNT] = {0}, seen[HOSTS_MAX] = {0};
    make(&fixture, 10, 4);
    for (size_t h = 0; h < 10; h++) {
      char zone[8], path[16];
      snprintf(zone, sizeof zone, "z%d", (int)rs_random_below(&random, 2));
      snprintf(path, sizeof path, "s%d/l%d", (int)rs_random_below(&random, 2), (int)rs_random_below(&random, 2));
      place(&fixture.hosts[h], "", zone, path);
    }
    for (size_t r = 0; r < 40; r++) { // ranks anywhere, so that hosts have different numbers of them
      fixture.ranks[r].host = (uint32_t)rs_random_below(&random, 10);
      fixture.ranks[r].local_rank = (uint32_t)seen[fixture.ranks[r].host]++;
    }
    for (size_t r = 0; r < 40; r++)
      fixture.ranks[r].local_ranks = (uint32_t)seen[fixture.ranks[r].host];
    for (size_t a = 0; a < 40; a++)
      for (size_t b = a + 1; b < 40; b++)
        expected[rs_placement_distance(&fixture.placement, a, b)]++;
    rs_placement_count_distances(&fixture.placement, pairs);
    for (size_t d = 0; d < RS_DISTANCE_COUNT; d++)
      if (pairs[d] != expected[d])
        fail_msg("seed %llu, round %d: %s", (unsigned long long)seed, round, rs_distance_names[d]);
  }
}

// ---- warnings ---------------------------------------------------------------------------------------------

static void check_warnings(const struct fixture *fixture, size_t count, const char *expected) {
  struct rs_text text = {0};
  size_t found = rs_placement_warnings(&fixture->view, &text);
  assert_string_equal(text.data ? text.data : "", expected);
  assert_int_equal(found, count);
  rs_text_fini(&text);
}

static void a_good_placement_has_no_warnings(void **state) {
  (void)state;
  static const char *const strategies[] = {NULL, "cluster", "none", "anything", "partition"};
  for (size_t s = 0; s < RS_ARRAY_LENGTH(strategies); s++) {
    struct fixture fixture;
    make(&fixture, 3, 2);
    for (size_t h = 0; h < 3; h++) {
      place(&fixture.hosts[h], "r", "z", "a/b");
      fixture.hosts[h].partition = h > 0;
    }
    fixture.view.strategy = strategies[s];
    fixture.view.claimed_hosts = 3;
    check_warnings(&fixture, 0, "");
  }
}

static void claimed_hosts_are_counted(void **state) {
  (void)state;
  struct fixture fixture;
  make(&fixture, 2, 2);
  fixture.view.claimed_hosts = 4;
  check_warnings(&fixture, 1,
                 "the run claims 4 hosts and is on 2 hosts: ranks 0-1 share node01; spread the ranks (mpirun --map-by "
                 "node), or correct --label hosts\n");
  fixture.view.claimed_hosts = 1;
  check_warnings(&fixture, 1, "the run claims 1 host and is on 2; correct --label hosts or the host list\n");
  make(&fixture, 2, 1);
  fixture.view.claimed_hosts = 3;
  check_warnings(&fixture, 1, "the run claims 3 hosts and is on 2; correct --label hosts or the host list\n");
}

static void namespaces_of_one_machine_are_told(void **state) {
  (void)state;
  struct fixture fixture;
  make(&fixture, 4, 1);
  SET(fixture.hosts[2].boot_id, "boot-0");
  fixture.hosts[1].boot_id[0] = fixture.hosts[3].boot_id[0] = '\0'; // unknown is not equal
  check_warnings(&fixture, 1,
                 "hosts node01, node03 are one machine (one boot id): namespaces or containers; what they exchange "
                 "crosses no network, so do not take it for a network's\n");
}

// They are one machine, not bound, and its loopback; what was asked for still counts.
static void an_emulated_fabric_is_held_against_its_layout_alone(void **state) {
  (void)state;
  struct fixture fixture;
  make(&fixture, 2, 1);
  SET(fixture.hosts[1].boot_id, "boot-0");
  SET(fixture.hosts[0].zone, "z0");
  SET(fixture.hosts[1].zone, "z1");
  SET(fixture.devices[0].interface, "lo");
  fixture.ranks[0].bound = false;
  fixture.view.strategy = "cluster";
  fixture.view.fabric = "aws-cluster";
  check_warnings(&fixture, 1,
                 "asked for cluster, but the hosts are in 2 zones: z0 (node01), z1 (node02); launch them all into one "
                 "group\n");
}

static void a_device_that_nothing_opened_has_no_transport(void **state) {
  (void)state;
  struct fixture fixture;
  make(&fixture, 1, 1);
  fixture.devices[0].transport[0] = '\0';
  check_tree(&fixture, "host node01\n  NUMA 0: rank 0\n  eth0 10.0.0.1, 25 Gbit/s, MTU 9001: rank 0\n");
}

static void unequal_hosts_are_told(void **state) {
  (void)state;
  struct fixture fixture;
  make(&fixture, 8, 1);
  for (size_t h = 0; h < 8; h++)
    SET(fixture.hosts[h].instance_type, "%s", h == 7 ? "" : h == 3 ? "c5.large" : "m5.large");
  for (size_t h = 0; h < 8; h++)
    SET(fixture.hosts[h].kernel, "Linux 6.%zu", h);
  SET(fixture.hosts[1].cpu, "EPYC");
  SET(fixture.hosts[1].congestion_control, "bbr");
  SET(fixture.hosts[2].congestion_control, "cubic");
  struct rs_text text = {0};
  assert_int_equal(rs_placement_warnings(&fixture.view, &text), 4);
  rs_golden_check("placement_unequal.txt", text.data);
  rs_text_fini(&text);
}

static void together_is_checked(void **state) {
  (void)state;
  struct fixture fixture;
  make(&fixture, 3, 1);
  fixture.view.strategy = "Cluster";
  SET(fixture.hosts[0].zone, "z1");
  SET(fixture.hosts[1].zone, "z2");
  SET(fixture.hosts[2].zone, "z1");
  check_warnings(&fixture, 1,
                 "asked for Cluster, but the hosts are in 2 zones: z1 (node01, node03), z2 (node02); launch "
                 "them all into one group\n");
  fixture.hosts[1].zone[0] = '\0';
  SET(fixture.hosts[0].placement_group, "cg-1");
  SET(fixture.hosts[2].placement_group, "cg-2");
  check_warnings(
      &fixture, 2,
      "asked for Cluster, but the hosts are in 2 placement groups: cg-1 (node01), cg-2 (node03); launch them "
      "all into one group\n"
      "asked for Cluster, but of node02 no placement group is known; launch all hosts into one group\n");
}

static void apart_is_checked(void **state) {
  (void)state;
  struct fixture fixture;
  make(&fixture, 6, 1);
  fixture.view.strategy = "spread";
  place(&fixture.hosts[0], "", "", "s/a");
  place(&fixture.hosts[1], "", "", "s/b");
  place(&fixture.hosts[2], "", "", "s/b");
  place(&fixture.hosts[4], "", "", "s/a");
  SET(fixture.hosts[3].physical_host, "h9");
  SET(fixture.hosts[5].physical_host, "h9");
  check_warnings(&fixture, 2,
                 "asked for spread, but node04, node06 share the physical host h9; launch them into one spread group\n"
                 "asked for spread, but node01, node05 share the leaf switch s/a, and others share 1 more; launch them "
                 "into one spread group\n");
}

static void partitions_and_zones_are_checked(void **state) {
  (void)state;
  struct fixture fixture;
  make(&fixture, 3, 1);
  fixture.view.strategy = "partition";
  fixture.hosts[1].partition = 3;
  check_warnings(&fixture, 1,
                 "asked for partition, but the partition of node01, node03 is not known; let the instances read their "
                 "metadata, or give it in a topology file\n");
  fixture.hosts[0].partition = fixture.hosts[2].partition = 3;
  check_warnings(&fixture, 1, "asked for partition, but all hosts are in partition 3; launch them into several\n");
  fixture.hosts[2].partition = 4;
  check_warnings(&fixture, 0, "");
  fixture.view.strategy = "zones";
  for (size_t h = 0; h < 3; h++)
    SET(fixture.hosts[h].zone, "z1");
  check_warnings(&fixture, 1,
                 "asked for zones, but the hosts are in one zone: z1 (node01, node02, node03); launch them "
                 "into several\n");
}

static void unbound_ranks_are_told(void **state) {
  (void)state;
  struct fixture fixture;
  make(&fixture, 2, 8);
  for (size_t r = 0; r < 16; r++)
    fixture.ranks[r].bound = r % 2 == 1 || r == 2;
  check_warnings(&fixture, 1,
                 "ranks 0,4,6,8,10 and 2 more may run on any CPU, so that times depend on where the system "
                 "puts them; bind them (mpirun --bind-to core)\n");
  fixture.hosts[0].processing_units = 1; // nowhere else to go
  fixture.hosts[1].processing_units = 1;
  check_warnings(&fixture, 0, "");
}

static void addresses_that_lead_elsewhere_are_told(void **state) {
  (void)state;
  static const struct {
    const char *interface, *address;
    const char *word; // of the warning; NULL: none
  } rows[] = {
      {"lo", "", "loopback"},
      {"eth0", "127.0.0.5", "loopback"},
      {"eth0", "::1", "loopback"},
      {"eth0", "54.1.2.3", "public"},
      {"eth0", "2001:db8::1", "public"},
      {"eth0", "11.0.0.1", "public"},
      {"eth0", "172.32.0.1", "public"},
      {"eth0", "172.31.255.1", NULL},
      {"eth0", "192.168.4.1", NULL},
      {"eth0", "100.127.0.1", NULL},
      {"eth0", "fd00::1", NULL},
      {"eth0", "fe80::1", NULL},
      {"rdma0", "", NULL},
      {"rdma0", "no address", NULL},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    struct fixture fixture;
    struct rs_text text = {0};
    make(&fixture, 3, 1);
    SET(fixture.devices[1].interface, "%s", rows[i].interface);
    SET(fixture.devices[1].address, "%s", rows[i].address);
    size_t count = rs_placement_warnings(&fixture.view, &text);
    if (count != (rows[i].word != NULL) || (rows[i].word && strstr(text.data, rows[i].word) == NULL))
      fail_msg("%s %s: %zu warnings: %s", rows[i].interface, rows[i].address, count, text.data ? text.data : "");
    rs_text_fini(&text);
    fixture.placement.host_count = 1; // one host needs no network
    for (size_t r = 0; r < 3; r++)
      fixture.ranks[r].host = 0;
    check_warnings(&fixture, 0, "");
  }
  struct fixture fixture;
  make(&fixture, 2, 1);
  for (size_t r = 0; r < 2; r++)
    SET(fixture.devices[r].address, "54.1.2.%zu", r + 1);
  check_warnings(&fixture, 0, ""); // all public: nobody is behind
}

static void interfaces_that_differ_are_told(void **state) {
  (void)state;
  struct fixture fixture;
  make(&fixture, 3, 2);
  fixture.devices[3].mtu = 1500;
  fixture.devices[4].speed_mbit = 10000;
  fixture.devices[5].mtu = fixture.devices[5].speed_mbit = 0; // unknown
  check_warnings(
      &fixture, 2,
      "the interfaces of tcp differ in their MTU: 9001 (ranks 0-2,4), 1500 (rank 3); large segments are cut "
      "or dropped on the way: set one MTU\n"
      "the interfaces of tcp differ in their speed in Mbit/s: 25000 (ranks 0-3), 10000 (rank 4); the slowest "
      "sets the pace of all: use equal interfaces\n");
  for (size_t r = 0; r < 6; r++) // other transports have other MTUs
    SET(fixture.devices[r].transport, "t%zu", r);
  check_warnings(&fixture, 0, "");
}

static void interfaces_on_another_numa_node_are_told(void **state) {
  (void)state;
  struct fixture fixture;
  make(&fixture, 2, 4);
  for (size_t r = 0; r < 8; r++)
    fixture.devices[r].numa_node = 0;
  fixture.ranks[7].numa_node = -1;
  check_warnings(&fixture, 1,
                 "ranks 2-3,6 run on another NUMA node than their interface (rank 2 on node 1, eth0 on node "
                 "0); bind them near it\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_placement_is_a_tree),
      cmocka_unit_test(what_is_not_known_is_no_level),
      cmocka_unit_test(networks_are_printed_once),
      cmocka_unit_test(few_ranks_are_told_one_by_one),
      cmocka_unit_test(many_ranks_are_told_by_host),
      cmocka_unit_test(counts_are_those_of_all_pairs),
      cmocka_unit_test(a_good_placement_has_no_warnings),
      cmocka_unit_test(claimed_hosts_are_counted),
      cmocka_unit_test(namespaces_of_one_machine_are_told),
      cmocka_unit_test(an_emulated_fabric_is_held_against_its_layout_alone),
      cmocka_unit_test(a_device_that_nothing_opened_has_no_transport),
      cmocka_unit_test(unequal_hosts_are_told),
      cmocka_unit_test(together_is_checked),
      cmocka_unit_test(apart_is_checked),
      cmocka_unit_test(partitions_and_zones_are_checked),
      cmocka_unit_test(unbound_ranks_are_told),
      cmocka_unit_test(addresses_that_lead_elsewhere_are_told),
      cmocka_unit_test(interfaces_that_differ_are_told),
      cmocka_unit_test(interfaces_on_another_numa_node_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
