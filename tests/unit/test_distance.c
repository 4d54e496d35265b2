// How far two ranks are: every class, and what unknown facts allow to say.
#include "ringside/topology.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct place {
  const char *hostname, *region, *zone, *path;
};

static struct rs_host_facts host_at(const struct place *place) {
  struct rs_host_facts host = {.partition = -1};
  snprintf(host.hostname, sizeof host.hostname, "%s", place->hostname);
  snprintf(host.region, sizeof host.region, "%s", place->region);
  snprintf(host.zone, sizeof host.zone, "%s", place->zone);
  snprintf(host.network_path, sizeof host.network_path, "%s", place->path);
  return host;
}

static void hosts_are_as_far_as_their_facts_say(void **state) {
  (void)state;
  static const struct {
    struct place a, b;
    enum rs_distance distance;
  } rows[] = {
      {{"a", "r1", "z1", "t/s/l"}, {"a", "r2", "z2", "x"}, RS_DISTANCE_HOST}, // one host, whatever else is said
      {{"a", "r1", "z1", "t/s/l"}, {"b", "r1", "z1", "t/s/l"}, RS_DISTANCE_LEAF},
      {{"a", "", "", "l"}, {"b", "", "", "l"}, RS_DISTANCE_LEAF},
      {{"a", "r1", "z1", "t/s/l"}, {"b", "r1", "z1", "t/s/m"}, RS_DISTANCE_SPINE},
      {{"a", "r1", "z1", "t/s/l"}, {"b", "r1", "z1", "t/u/l"}, RS_DISTANCE_SPINE},
      {{"a", "r1", "z1", "t/s"}, {"b", "r1", "z1", "t/s/l"}, RS_DISTANCE_SPINE},
      {{"a", "r1", "z1", "t/s"}, {"b", "r1", "z1", "ts/s"}, RS_DISTANCE_ZONE}, // names, not letters, are compared
      {{"a", "r1", "z1", "t1/s"}, {"b", "r1", "z1", "t2/s"}, RS_DISTANCE_ZONE},
      {{"a", "r1", "z1", ""}, {"b", "r1", "z1", ""}, RS_DISTANCE_ZONE},
      {{"a", "r1", "z1", "t/s"}, {"b", "r1", "z1", ""}, RS_DISTANCE_ZONE},
      {{"a", "", "", ""}, {"b", "", "", ""}, RS_DISTANCE_ZONE},
      {{"a", "r1", "z1", "t/s"}, {"b", "r1", "z2", "t/s"}, RS_DISTANCE_REGION},
      {{"a", "", "z1", ""}, {"b", "r1", "z2", ""}, RS_DISTANCE_REGION},
      {{"a", "r1", "z1", ""}, {"b", "r1", "", ""}, RS_DISTANCE_ZONE},
      {{"a", "r1", "z1", "t/s"}, {"b", "r2", "z1", "t/s"}, RS_DISTANCE_WORLD},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    struct rs_host_facts a = host_at(&rows[i].a), b = host_at(&rows[i].b);
    enum rs_distance there = rs_host_distance(&a, &b), back = rs_host_distance(&b, &a);
    if (there != rows[i].distance || back != there)
      fail_msg("row %zu: %s there and %s back instead of %s", i, rs_distance_names[there], rs_distance_names[back],
               rs_distance_names[rows[i].distance]);
  }
}

static void ranks_of_a_host_are_told_apart_by_numa_node(void **state) {
  (void)state;
  struct rs_host_facts hosts[2] = {host_at(&(struct place){"a", "", "z1", "s"}),
                                   host_at(&(struct place){"b", "", "z2", "s"})};
  struct rs_rank_facts ranks[] = {
      {.host = 0, .numa_node = 0},  {.host = 0, .numa_node = 0},  {.host = 0, .numa_node = 1},
      {.host = 0, .numa_node = -1}, {.host = 0, .numa_node = -1}, {.host = 1, .numa_node = 0},
  };
  struct rs_placement placement = {2, 6, hosts, ranks};
  static const enum rs_distance from_rank_0[] = {RS_DISTANCE_SELF, RS_DISTANCE_NUMA, RS_DISTANCE_HOST,
                                                 RS_DISTANCE_HOST, RS_DISTANCE_HOST, RS_DISTANCE_REGION};
  for (size_t r = 0; r < 6; r++)
    assert_int_equal(rs_placement_distance(&placement, 0, r), from_rank_0[r]);
  assert_int_equal(rs_placement_distance(&placement, 3, 4), RS_DISTANCE_HOST); // two unknown nodes are not one
}

static void every_class_has_its_name(void **state) {
  (void)state;
  for (size_t d = 0; d < RS_DISTANCE_COUNT; d++)
    assert_non_null(rs_distance_names[d]);
  assert_null(rs_distance_names[RS_DISTANCE_COUNT]);
  assert_string_equal(rs_distance_names[RS_DISTANCE_SELF], "self");
  assert_string_equal(rs_distance_names[RS_DISTANCE_WORLD], "world");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hosts_are_as_far_as_their_facts_say),
      cmocka_unit_test(ranks_of_a_host_are_told_apart_by_numa_node),
      cmocka_unit_test(every_class_has_its_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
