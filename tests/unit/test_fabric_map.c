// Ranks on a layout, the queues that their messages meet, and what these cost. Expected values are worked out by hand.
#include "ringside/fabric.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct rs_fabric parse(const char *text) {
  struct rs_fabric fabric;
  struct rs_error error = {0};
  if (rs_fabric_parse("a.yaml", text, strlen(text), &fabric, &error) != RS_OK)
    fail_msg("%s", error.text);
  return fabric;
}

static struct rs_placement place(const struct rs_fabric *fabric, size_t rank_count) {
  struct rs_placement placement;
  struct rs_error error = {0};
  if (rs_fabric_place(fabric, rank_count, NULL, &placement, &error) != RS_OK)
    fail_msg("%s", error.text);
  return placement;
}

// "host of rank 0, host of rank 1, ..." by the end of their names.
static void expect_hosts(const struct rs_placement *placement, const char *const *names) {
  for (size_t r = 0; r < placement->rank_count; r++)
    assert_string_equal(placement->hosts[placement->ranks[r].host].hostname, names[r]);
}

// ---- placement --------------------------------------------------------------------------------------------

static void ranks_spread_evenly_or_fill_hosts(void **state) {
  (void)state;
  struct rs_fabric fabric = parse("name: f\nstrategy: spread\nlayout: {zones: 2, racks: 2}\nleaf.latency: 1us\n");
  struct rs_placement placement = place(&fabric, 6);
  assert_int_equal(placement.host_count, 4);
  expect_hosts(&placement, (const char *const[]){"f-z0-r0-h0", "f-z0-r0-h0", "f-z0-r1-h0", "f-z1-r0-h0", "f-z1-r0-h0",
                                                 "f-z1-r1-h0"});
  assert_int_equal(placement.ranks[1].local_rank, 1);
  assert_int_equal(placement.ranks[1].local_ranks, 2);
  assert_int_equal(placement.ranks[1].numa_node, -1);
  assert_string_equal(placement.hosts[2].zone, "z1");
  assert_string_equal(placement.hosts[2].network_path, "z1/r0");
  assert_string_equal(placement.hosts[2].placement_group, "spread");
  assert_int_equal(placement.hosts[2].partition, -1);
  rs_placement_fini(&placement);

  placement = place(&fabric, 2); // both zones, not two racks of the first
  expect_hosts(&placement, (const char *const[]){"f-z0-r0-h0", "f-z1-r0-h0"});
  rs_placement_fini(&placement);

  fabric.ranks = 2;
  placement = place(&fabric, 6);
  assert_int_equal(placement.host_count, 3);
  expect_hosts(&placement, (const char *const[]){"f-z0-r0-h0", "f-z0-r0-h0", "f-z0-r1-h0", "f-z0-r1-h0", "f-z1-r0-h0",
                                                 "f-z1-r0-h0"});
  rs_placement_fini(&placement);

  struct rs_error error = {0};
  assert_int_equal(rs_fabric_place(&fabric, 9, NULL, &placement, &error), RS_ERROR_USAGE);
  assert_non_null(strstr(error.text, "8 places (zones 2 x racks 2 x hosts 1 x ranks 2) for 9 ranks"));
}

// A shuffle changes who sits where, not how many sit anywhere; hosts stay in the order of their lowest rank.
static void a_shuffle_deals_ranks_out(void **state) {
  (void)state;
  struct rs_fabric fabric = parse("layout: {zones: 2, hosts: 4, ranks: 2}\nleaf.latency: 1us\n");
  size_t moved = 0;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    fabric.shuffle = seed;
    struct rs_placement placement = place(&fabric, 16), again = place(&fabric, 16);
    assert_memory_equal(placement.ranks, again.ranks, 16 * sizeof(*again.ranks));
    uint32_t next = 0;
    assert_int_equal(placement.host_count, 8);
    for (size_t r = 0; r < 16; r++) {
      assert_true(placement.ranks[r].host <= next);
      next += placement.ranks[r].host == next;
      assert_int_equal(placement.ranks[r].local_ranks, 2);
      moved += placement.ranks[r].host != r / 2;
    }
    rs_placement_fini(&placement);
    rs_placement_fini(&again);
  }
  assert_true(moved > 160);
}

static void a_real_host_stands_in_for_all(void **state) {
  (void)state;
  struct rs_fabric fabric = parse("name: f\nlayout.hosts: 2\nleaf.latency: 1us\n");
  struct rs_host_facts like = {.hostname = "real",
                               .boot_id = "b",
                               .region = "here",
                               .zone_id = "use1-az1",
                               .instance_id = "i-1",
                               .cores = 4,
                               .partition = 3};
  struct rs_placement placement;
  struct rs_error error = {0};
  assert_int_equal(rs_fabric_place(&fabric, 2, &like, &placement, &error), RS_OK);
  const struct rs_host_facts *host = &placement.hosts[1];
  assert_string_equal(host->hostname, "f-z0-r0-h1");
  assert_string_equal(host->boot_id, "b");
  assert_string_equal(host->region, "here");
  assert_int_equal(host->cores, 4);
  assert_string_equal(host->instance_id, "");
  assert_string_equal(host->zone_id, "");
  rs_placement_fini(&placement);
}

// ---- ways -------------------------------------------------------------------------------------------------

static const char two_zones[] = "name: f\n"
                                "layout: {zones: 2, racks: 2, hosts: 2, ranks: 2}\n"
                                "nic: {egress: 10Gbit/s, ingress: 20Gbit/s}\n"
                                "rack.oversubscription: 2\n"
                                "zone.oversubscription: 8\n"
                                "host: {latency: 1us, flow: 80Gbit/s}\n"
                                "leaf: {latency: 10us, flow: 5Gbit/s}\n"
                                "spine.latency: 20us\n"
                                "region: {latency: 500us, flow: 4Gbit/s}\n";

static void expect_way(const struct rs_fabric_map *map, size_t target, enum rs_distance distance, size_t count,
                       const char *const *names) {
  struct rs_fabric_way way;
  rs_fabric_way(map, 0, target, &way);
  assert_int_equal(way.distance, distance);
  assert_int_equal(way.queue_count, count);
  for (size_t q = 0; q < count; q++)
    assert_string_equal(map->queue_names[way.queues[q]], names[q]);
}

static void messages_climb_as_far_as_they_must(void **state) {
  (void)state;
  struct rs_fabric fabric = parse(two_zones);
  struct rs_placement placement = place(&fabric, 16);
  struct rs_fabric_map map;
  struct rs_error error = {0};
  assert_int_equal(rs_fabric_map_open(&fabric, &placement, &map, &error), RS_OK);
  assert_int_equal(map.queue_count, 8 * 2 + 4 * 2 + 2 * 2);
  expect_way(&map, 0, RS_DISTANCE_SELF, 0, NULL);
  expect_way(&map, 1, RS_DISTANCE_HOST, 0, NULL);
  expect_way(&map, 2, RS_DISTANCE_LEAF, 2, (const char *const[]){"f-z0-r0-h0 egress", "f-z0-r0-h1 ingress"});
  expect_way(&map, 4, RS_DISTANCE_SPINE, 4,
             (const char *const[]){"f-z0-r0-h0 egress", "z0/r0 rack up", "z0/r1 rack down", "f-z0-r1-h0 ingress"});
  expect_way(&map, 15, RS_DISTANCE_REGION, 6,
             (const char *const[]){"f-z0-r0-h0 egress", "z0/r0 rack up", "z0 zone up", "z1 zone down",
                                   "z1/r1 rack down", "f-z1-r1-h1 ingress"});
  for (size_t q = 0; q < map.queue_count; q++) {
    const char *name = map.queue_names[q];
    const uint64_t gbit = strstr(name, "egress")      ? 10
                          : strstr(name, "ingress")   ? 20
                          : strstr(name, "rack up")   ? 10 // two hosts, halved
                          : strstr(name, "rack down") ? 20
                          : strstr(name, "zone up")   ? 5 // four hosts, by eight
                                                      : 10;
    assert_int_equal(map.queue_bit_s[q], gbit * 1000000000);
  }

  // 1 MB = 8e6 bits at the least rate of the way, and the latency once.
  assert_int_equal(rs_fabric_message_ps(&map, 3, 3, 1000000), 0);
  assert_int_equal(rs_fabric_message_ps(&map, 0, 1, 1000000), 101000000);                 // 80 Gbit/s: 100 us
  assert_int_equal(rs_fabric_message_ps(&map, 0, 2, 1000000), 10000000 + 1600000000);     // 5: 1600 us, of the flow
  assert_int_equal(rs_fabric_message_ps(&map, 0, 4, 1000000), 20000000 + 800000000);      // 10: 800 us, of the NIC
  assert_int_equal(rs_fabric_message_ps(&map, 0, 15, 1000000), 500000000 + 2000000000LL); // 4: 2000 us
  fabric.links[RS_DISTANCE_REGION].flow_bit_s = 0;
  assert_int_equal(rs_fabric_message_ps(&map, 0, 15, 1000000), 500000000 + 1600000000); // 5: the zone's uplink
  rs_fabric_map_fini(&map);
  rs_placement_fini(&placement);
}

static void without_limits_there_are_no_queues(void **state) {
  (void)state;
  struct rs_fabric fabric = parse("layout.hosts: 2\nleaf.latency: 7us\n");
  struct rs_placement placement = place(&fabric, 2);
  struct rs_fabric_map map;
  struct rs_error error = {0};
  assert_int_equal(rs_fabric_map_open(&fabric, &placement, &map, &error), RS_OK);
  assert_int_equal(map.queue_count, 0);
  assert_int_equal(rs_fabric_message_ps(&map, 0, 1, UINT64_MAX), 7000000);
  rs_fabric_map_fini(&map);
  rs_placement_fini(&placement);
}

static void a_distance_without_a_link_is_refused(void **state) {
  (void)state;
  static const struct {
    size_t zones, racks, hosts, ranks;
    const char *told;
  } cases[] = {
      {1, 1, 1, 2, "'host', which ranks 0 (f-z0-r0-h0) and 1 (f-z0-r0-h0) are apart; give host.latency"},
      {1, 1, 2, 1, "'leaf', which ranks 0 (f-z0-r0-h0) and 1 (f-z0-r0-h1) are apart; give leaf.latency"},
      {1, 2, 1, 1, "'spine', which ranks 0 (f-z0-r0-h0) and 1 (f-z0-r1-h0) are apart; give spine.latency"},
      {2, 1, 1, 1, "'region', which ranks 0 (f-z0-r0-h0) and 1 (f-z1-r0-h0) are apart; give region.latency"},
  };
  struct rs_fabric fabric = parse("name: f\nworld.latency: 1us\n");
  for (size_t i = 0; i < RS_ARRAY_LENGTH(cases); i++) {
    fabric.zones = cases[i].zones;
    fabric.racks = cases[i].racks;
    fabric.hosts = cases[i].hosts;
    fabric.ranks = cases[i].ranks;
    struct rs_placement placement = place(&fabric, 2);
    struct rs_fabric_map map;
    struct rs_error error = {0};
    assert_int_equal(rs_fabric_map_open(&fabric, &placement, &map, &error), RS_ERROR_USAGE);
    if (!strstr(error.text, cases[i].told))
      fail_msg("expected '%s', found: %s", cases[i].told, error.text);
    rs_placement_fini(&placement);
  }
}

// Real hosts: nothing known of the network, no zone; then NUMA nodes, of which the file says nothing.
static void real_hosts_have_the_layers_that_are_known(void **state) {
  (void)state;
  struct rs_fabric fabric = parse("nic: {egress: 8Gbit/s, ingress: 8Gbit/s}\nrack.oversubscription: 1\n"
                                  "zone.oversubscription: 1\nzone.latency: 5us\nhost.latency: 1us\n");
  struct rs_host_facts hosts[2] = {{.hostname = "a"}, {.hostname = "b"}};
  struct rs_rank_facts ranks[3] = {{.host = 0, .numa_node = 0}, {.host = 0, .numa_node = 0}, {.host = 1}};
  struct rs_placement placement = {2, 3, hosts, ranks};
  struct rs_fabric_map map;
  struct rs_fabric_way way;
  struct rs_error error = {0};
  assert_int_equal(rs_fabric_map_open(&fabric, &placement, &map, &error), RS_OK);
  assert_int_equal(map.queue_count, 4);
  rs_fabric_way(&map, 0, 2, &way);
  assert_int_equal(way.distance, RS_DISTANCE_ZONE);
  assert_int_equal(way.queue_count, 2);
  rs_fabric_way(&map, 0, 1, &way);
  assert_int_equal(way.distance, RS_DISTANCE_NUMA);
  assert_ptr_equal(way.link, &fabric.links[RS_DISTANCE_HOST]);
  rs_fabric_map_fini(&map);
}

// ---- time -------------------------------------------------------------------------------------------------

static void serial_times_are_exact_and_rounded_up(void **state) {
  (void)state;
  assert_int_equal(rs_fabric_serial_ps(1, 8000000000), 1000);
  assert_int_equal(rs_fabric_serial_ps(1000, 0), 0);
  assert_int_equal(rs_fabric_serial_ps(0, 5), 0);
  assert_int_equal(rs_fabric_serial_ps(1, 3000000000), 2667); // 2666.67
  assert_int_equal(rs_fabric_serial_ps((uint64_t)1 << 40, 100000000000), 87960930222080);
  assert_int_equal(rs_fabric_serial_ps(UINT64_MAX, 1), INT64_MAX);
}

// Means within five standard errors, and no value outside of what the shape allows.
static void jitter_has_the_asked_mean(void **state) {
  (void)state;
  const uint64_t seed = 20261123;
  struct rs_random random = {seed};
  static const double mean[] = {0, 5000, 10000, 10000}, deviation[] = {0, 2887, 10000, 13108};
  const size_t draws = 40000;
  for (uint64_t shape = RS_JITTER_NONE; shape <= RS_JITTER_LOGNORMAL; shape++) {
    struct rs_fabric_link link = {.jitter_ns = 10000, .jitter = shape};
    double sum = 0;
    for (size_t i = 0; i < draws; i++) {
      const int64_t drawn = rs_fabric_jitter_ns(&link, &random);
      assert_true(drawn >= 0 && (shape != RS_JITTER_UNIFORM || drawn <= 10000));
      sum += (double)drawn;
    }
    const double off = sum / (double)draws - mean[shape], allowed = 5 * deviation[shape] / 200;
    if (off > allowed || off < -allowed)
      fail_msg("%s, seed %" PRIu64 ": the mean is off by %g ns, more than %g", rs_jitter_names[shape], seed, off,
               allowed);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ranks_spread_evenly_or_fill_hosts),
      cmocka_unit_test(a_shuffle_deals_ranks_out),
      cmocka_unit_test(a_real_host_stands_in_for_all),
      cmocka_unit_test(messages_climb_as_far_as_they_must),
      cmocka_unit_test(without_limits_there_are_no_queues),
      cmocka_unit_test(a_distance_without_a_link_is_refused),
      cmocka_unit_test(real_hosts_have_the_layers_that_are_known),
      cmocka_unit_test(serial_times_are_exact_and_rounded_up),
      cmocka_unit_test(jitter_has_the_asked_mean),
  };
  return cmocka_run_group_tests_name("fabric map", tests, NULL, NULL);
}
