// Fabric files: what is read, that it is written back as the same, and every refusal with its place.
#include "ringside/fabric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum rs_status parse(const char *text, struct rs_fabric *fabric, struct rs_error *error) {
  return rs_fabric_parse("a.yaml", text, strlen(text), fabric, error);
}

static const char full[] = "name: two\n"
                           "strategy: spread\n"
                           "mtu: 9001\n"
                           "retransmit: 200ms\n"
                           "layout: {zones: 2, racks: 3, hosts: 4, ranks: 1, shuffle: 7}\n"
                           "nic: {egress: 25Gbit/s, ingress: 50Gbit/s}\n"
                           "rack.oversubscription: 1.5\n"
                           "zone:\n"
                           "  oversubscription: 4\n"
                           "  latency: 40us\n"
                           "leaf: {latency: 12us, flow: 10Gbit/s, jitter: 2us, jitter_shape: lognormal, loss: 0.001%}\n"
                           "region.latency: 600us\n";

static void every_key_reaches_its_field(void **state) {
  (void)state;
  struct rs_fabric fabric;
  struct rs_error error = {0};
  assert_int_equal(parse(full, &fabric, &error), RS_OK);
  assert_string_equal(fabric.name.text, "two");
  assert_string_equal(fabric.strategy.text, "spread");
  assert_int_equal(fabric.zones, 2);
  assert_int_equal(fabric.racks, 3);
  assert_int_equal(fabric.hosts, 4);
  assert_int_equal(fabric.ranks, 1);
  assert_int_equal(fabric.shuffle, 7);
  assert_int_equal(fabric.mtu, 9001);
  assert_int_equal(fabric.retransmit_ns, 200000000);
  assert_int_equal(fabric.egress_bit_s, 25000000000);
  assert_int_equal(fabric.ingress_bit_s, 50000000000);
  assert_true(fabric.rack_oversubscription == 1.5);
  assert_true(fabric.zone_oversubscription == 4);
  const struct rs_fabric_link *leaf = &fabric.links[RS_DISTANCE_LEAF];
  assert_int_equal(leaf->latency_ns, 12000);
  assert_int_equal(leaf->flow_bit_s, 10000000000);
  assert_int_equal(leaf->jitter_ns, 2000);
  assert_int_equal(leaf->jitter, RS_JITTER_LOGNORMAL);
  assert_true(leaf->loss > 0.99e-5 && leaf->loss < 1.01e-5);
  assert_int_equal(fabric.links[RS_DISTANCE_ZONE].latency_ns, 40000);
  assert_int_equal(fabric.links[RS_DISTANCE_REGION].latency_ns, 600000);
  assert_int_equal(fabric.links[RS_DISTANCE_SPINE].latency_ns, 0);
}

static void what_is_written_reads_back_as_the_same(void **state) {
  (void)state;
  struct rs_fabric fabric, again;
  struct rs_error error = {0};
  struct rs_text text = {0}, twice = {0};
  assert_int_equal(parse(full, &fabric, &error), RS_OK);
  rs_fabric_format(&fabric, &text);
  assert_int_equal(parse(text.data, &again, &error), RS_OK);
  assert_memory_equal(&fabric, &again, sizeof fabric);
  rs_fabric_format(&again, &twice);
  assert_string_equal(text.data, twice.data);
  rs_text_fini(&text);
  rs_text_fini(&twice);
}

static void what_cannot_be_is_refused_where_it_stands(void **state) {
  (void)state;
  static const struct {
    const char *text, *told;
  } cases[] = {
      {"layout:\n  hosts: 0\n", "a.yaml:2:10: layout.hosts: "},
      {"mtu: 575\n", "a.yaml:1:6: mtu: "},
      {"leaf.latncy: 1us\n", "a.yaml:1:1: unknown key 'leaf.latncy'; did you mean 'leaf.latency'?"},
      {"zone.hosts: 3\n", "a.yaml:1:1: unknown key 'zone.hosts'; did you mean"},
      {"leaf.latency: 12\n", "a.yaml:1:15: leaf.latency: "},
      {"nic.egress: 25\n", "a.yaml:1:13: nic.egress: "},
      {"name: a b\nleaf.latency: 1us\n", "a.yaml:1:1: name: 'a b' is not a word"},
      {"name: a2345678901234567890123456789012345678901\nleaf.latency: 1us\n", "at most 40 fit into a hostname"},
      {"leaf.latency: 1us\nrack:\n  oversubscription: 0.5\n",
       "a.yaml:3:3: rack.oversubscription: 0.5 is not 1 or more"},
      {"leaf.latency: 1us\nzone.oversubscription: 2\n", "a.yaml:2:1: zone.oversubscription: it divides"},
      {"leaf.latency: 1us\nspine.flow: 1Gbit/s\n", "a.yaml:2:1: spine.flow: the link has no latency"},
      {"leaf:\n  latency: 1us\n  jitter: 1us\n",
       "a.yaml:3:3: leaf.jitter: jitter has no shape; give leaf.jitter_shape"},
      {"leaf:\n  latency: 1us\n  jitter_shape: uniform\n", "a.yaml:3:3: leaf.jitter_shape: a shape of no jitter"},
      {"leaf: {latency: 1us, loss: 100%}\nretransmit: 1ms\n", "a.yaml:1:22: leaf.loss: 1 is not a share"},
      {"leaf: {latency: 1us, loss: 0.1%}\n", "a.yaml:1:22: leaf.loss: a lost packet costs nothing"},
      {"name: empty\n", "a.yaml: no link has a latency"},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(cases); i++) {
    struct rs_fabric fabric, before;
    struct rs_error error = {0};
    memset(&fabric, 0xee, sizeof fabric);
    memcpy(&before, &fabric, sizeof fabric);
    const enum rs_status status = parse(cases[i].text, &fabric, &error);
    if (status != RS_ERROR_USAGE || !strstr(error.text, cases[i].told))
      fail_msg("%s: expected '%s', found status %d: %s", cases[i].text, cases[i].told, status, error.text);
    assert_memory_equal(&fabric, &before, sizeof fabric);
  }
}

static void a_missing_file_is_bad_usage(void **state) {
  (void)state;
  struct rs_fabric fabric;
  struct rs_error error = {0};
  assert_int_equal(rs_fabric_load("/nowhere/a.yaml", &fabric, &error), RS_ERROR_USAGE);
  assert_non_null(strstr(error.text, "cannot open the fabric '/nowhere/a.yaml'"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_key_reaches_its_field),
      cmocka_unit_test(what_is_written_reads_back_as_the_same),
      cmocka_unit_test(what_cannot_be_is_refused_where_it_stands),
      cmocka_unit_test(a_missing_file_is_bad_usage),
  };
  return cmocka_run_group_tests_name("fabric", tests, NULL, NULL);
}
