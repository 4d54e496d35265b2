// How slow an emulation runs, from what the machine can do and what the fabric asks for.
#include "transport/emulated_scale.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void slowdown_of_known_machines(void **state) {
  (void)state;
  static const struct {
    int64_t lateness_ns;
    double loopback_byte_s;
    int64_t latency_ns;
    double byte_s, expected;
  } rows[] = {
      {50000, 2e9, 2500000, 1e8, 1},    // good enough as it is
      {50000, 2e9, 2499999, 1e8, 1.5},  // not quite
      {50000, 2e9, 15000, 1e8, 200},    // 166.7, by latency
      {50000, 2e9, 2500000, 1e11, 200}, // 200 exactly, by rate
      {50000, 2e9, 2500000, 1.01e11, 300},
      {50000, 2e9, 25000, 1.01e10, 100}, // the larger of 100 and 20.2
      {50000, 2e9, 0, 0, 1},             // one rank, no limits
      {0, 0, 15000, 1e10, 1},
      {1000, 1e10, 1000, 1e8, 50},
      {8000, 1e10, 1000, 1e8, 500}, // 400
      {20, 1e10, 1000, 1e8, 1},
      {140000, 1e10, 1000, 1e8, 7000},
      {141000, 1e10, 1000, 1e8, 10000},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    const struct rs_emulated_machine machine = {rows[i].lateness_ns, rows[i].loopback_byte_s};
    const struct rs_emulated_demand demand = {rows[i].latency_ns, rows[i].byte_s};
    double found = rs_emulated_slowdown(&machine, &demand);
    if (fabs(found - rows[i].expected) > 1e-9 * found)
      fail_msg("row %zu: a slowdown of %g where %g was expected", i, found, rows[i].expected);
  }
}

static void check_demand(const struct rs_fabric *fabric, size_t ranks, int64_t latency_ns, double byte_s) {
  struct rs_placement placement;
  struct rs_fabric_map map;
  struct rs_emulated_demand demand;
  struct rs_error error = {0};
  if (rs_fabric_place(fabric, ranks, NULL, &placement, &error) < 0 ||
      rs_fabric_map_open(fabric, &placement, &map, &error) < 0)
    fail_msg("%s", error.text);
  rs_emulated_demand_of(&map, &demand);
  assert_int_equal(demand.latency_ns, latency_ns);
  assert_true(fabs(demand.byte_s - byte_s) < 1);
  rs_fabric_map_fini(&map);
  rs_placement_fini(&placement);
}

// The least latency between hosts counts, and inside a host only when there is no other; hosts that are in use.
static void demand_of_fabrics(void **state) {
  (void)state;
  struct rs_fabric fabric = {.name = {"f"},
                             .zones = 2,
                             .racks = 1,
                             .hosts = 2,
                             .ranks = 2,
                             .egress_bit_s = 8000000000,
                             .ingress_bit_s = 8000000000,
                             .links = {[RS_DISTANCE_HOST] = {.latency_ns = 700, .flow_bit_s = 80000000000},
                                       [RS_DISTANCE_LEAF] = {.latency_ns = 12000, .flow_bit_s = 1600000000},
                                       [RS_DISTANCE_REGION] = {.latency_ns = 500000}}};
  check_demand(&fabric, 8, 12000, 4e9);
  check_demand(&fabric, 4, 12000, 2e9);
  check_demand(&fabric, 2, 700, 1e9);
  check_demand(&fabric, 1, 0, 1e9);
  fabric.hosts = 1;
  check_demand(&fabric, 4, 500000, 2e9);
  fabric.egress_bit_s = 0;
  check_demand(&fabric, 4, 500000, 2e9);
  fabric.ingress_bit_s = 0;
  check_demand(&fabric, 2, 700, 1e10);
}

static void this_machine_can_be_measured(void **state) {
  (void)state;
  struct rs_emulated_machine machine = {0};
  struct rs_error error = {0};
  if (rs_emulated_machine_measure(&machine, &error) < 0)
    fail_msg("%s", error.text);
  assert_true(machine.lateness_ns > 0 && machine.loopback_byte_s > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(slowdown_of_known_machines),
      cmocka_unit_test(demand_of_fabrics),
      cmocka_unit_test(this_machine_can_be_measured),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
