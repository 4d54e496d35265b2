// Which cores a rank gets, on machines that do not exist.
#include "topology/bind_plan.h"

#include "support/made_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static hwloc_topology_t make_synthetic(const char *description) {
  hwloc_topology_t machine;
  assert_int_equal(hwloc_topology_init(&machine), 0);
  assert_int_equal(hwloc_topology_set_synthetic(machine, description), 0);
  assert_int_equal(hwloc_topology_load(machine), 0);
  return machine;
}

static struct rs_bind_plan make_plan(hwloc_topology_t machine, const char *current,
                                     const struct rs_bind_params *params) {
  struct rs_bind_plan plan = {0};
  struct rs_error error = {0};
  hwloc_bitmap_t set = current ? hwloc_bitmap_alloc() : hwloc_bitmap_dup(hwloc_topology_get_allowed_cpuset(machine));
  assert_non_null(set);
  if (current)
    assert_int_equal(hwloc_bitmap_list_sscanf(set, current), 0);
  assert_int_equal(rs_bind_plan_make(machine, set, params, &plan, &error), RS_OK);
  hwloc_bitmap_free(set);
  return plan;
}

// What each of the ranks gets: CPUs, '|', memory's nodes, '|', words.
static void assert_plan(hwloc_topology_t machine, const char *current, struct rs_bind_params params,
                        const char *expected) {
  struct rs_bind_plan plan = make_plan(machine, current, &params);
  char cpus[128], nodes[32], text[320];
  hwloc_bitmap_list_snprintf(cpus, sizeof(cpus), plan.cpus);
  hwloc_bitmap_list_snprintf(nodes, sizeof(nodes), plan.nodes);
  snprintf(text, sizeof(text), "%s|%s|%s", cpus, nodes, plan.words);
  rs_bind_plan_fini(&plan);
  assert_string_equal(text, expected);
}

static void assert_ranks(hwloc_topology_t machine, enum rs_bind_policy policy, const char *interface, uint32_t ranks,
                         const char *const *expected) {
  for (uint32_t r = 0; r < ranks; r++)
    assert_plan(
        machine, NULL,
        (struct rs_bind_params){.policy = policy, .local_rank = r, .local_ranks = ranks, .interface = interface},
        expected[r]);
}

static void cores_are_shared_out_in_equal_runs(void **state) {
  (void)state;
  hwloc_topology_t machine = make_synthetic("pack:1 numa:1 core:8 pu:2");
  assert_ranks(machine, RS_BIND_AUTO, NULL, 2,
               (const char *const[]){"0-7||CPUs 0-7 (4 cores)", "8-15||CPUs 8-15 (4 cores)"});
  assert_ranks(
      machine, RS_BIND_CORE, "", 3, // the last two cores stay free
      (const char *const[]){"0-3||CPUs 0-3 (2 cores)", "4-7||CPUs 4-7 (2 cores)", "8-11||CPUs 8-11 (2 cores)"});
  assert_plan(machine, NULL, (struct rs_bind_params){.local_rank = 7, .local_ranks = 8},
              "14-15||CPUs 14-15 (1 core)"); // both threads of a core go to one rank
  assert_plan(machine, NULL, (struct rs_bind_params){.local_rank = 8, .local_ranks = 9},
              "||left unbound: 9 ranks on 8 cores");
  assert_plan(machine, NULL, (struct rs_bind_params){.local_ranks = 1}, "||left unbound: all 8 cores are its own");
  hwloc_topology_destroy(machine);
}

static void without_an_interface_ranks_spread_over_the_nodes(void **state) {
  (void)state;
  hwloc_topology_t machine = make_synthetic("pack:2 numa:2 core:4 pu:1");
  assert_ranks(
      machine, RS_BIND_AUTO, "", 2,
      (const char *const[]){"0-3|0|CPUs 0-3 (4 cores) on NUMA node 0", "8-11|2|CPUs 8-11 (4 cores) on NUMA node 2"});
  assert_ranks(
      machine, RS_BIND_AUTO, "nonesuch", 5, // 2 + 1 + 1 + 1: as many cores for each
      (const char *const[]){"0-1|0|CPUs 0-1 (2 cores) on NUMA node 0", "2-3|0|CPUs 2-3 (2 cores) on NUMA node 0",
                            "4-5|1|CPUs 4-5 (2 cores) on NUMA node 1", "8-9|2|CPUs 8-9 (2 cores) on NUMA node 2",
                            "12-13|3|CPUs 12-13 (2 cores) on NUMA node 3"});
  assert_plan(machine, NULL, (struct rs_bind_params){.local_ranks = 1}, "0-3|0|CPUs 0-3 (4 cores) on NUMA node 0");
  assert_ranks(
      machine, RS_BIND_NUMA, "", 2,
      (const char *const[]){"0-3|0|CPUs 0-3 (4 cores) on NUMA node 0", "8-11|2|CPUs 8-11 (4 cores) on NUMA node 2"});
  hwloc_topology_destroy(machine);
}

static void cores_near_the_interface_come_first(void **state) {
  (void)state;
  const struct made_machine made = {
      .packages = 2, .cores = 4, .units = 1, .devices = {NULL, MADE_NIC("90", "81", "eth0", "mlx5_0")}};
  hwloc_topology_t machine = made_machine_load(&made);
  assert_ranks(machine, RS_BIND_AUTO, "eth0", 2,
               (const char *const[]){"4-5|1|CPUs 4-5 (2 cores) on NUMA node 1, near eth0",
                                     "6-7|1|CPUs 6-7 (2 cores) on NUMA node 1, near eth0"});
  assert_ranks(
      machine, RS_BIND_AUTO, "mlx5_0", 6,
      (const char *const[]){
          "4|1|CPU 4 (1 core) on NUMA node 1, near mlx5_0", "5|1|CPU 5 (1 core) on NUMA node 1, near mlx5_0",
          "6|1|CPU 6 (1 core) on NUMA node 1, near mlx5_0", "0|0|CPU 0 (1 core) on NUMA node 0, far from mlx5_0",
          "1|0|CPU 1 (1 core) on NUMA node 0, far from mlx5_0", "2|0|CPU 2 (1 core) on NUMA node 0, far from mlx5_0"});
  assert_ranks(machine, RS_BIND_NUMA, "eth0", 2,
               (const char *const[]){"4-7|1|CPUs 4-7 (4 cores) on NUMA node 1, near eth0",
                                     "4-7|1|CPUs 4-7 (4 cores) on NUMA node 1, near eth0"});
  hwloc_topology_destroy(machine);
}

// As in a network namespace: hwloc has found the machine's eth0, but this process has a virtual one of that name.
static void a_virtual_interface_is_near_nothing(void **state) {
  (void)state;
  const struct made_machine made = {
      .packages = 2,
      .cores = 4,
      .units = 1,
      .devices = {NULL, MADE_NIC("90", "81", "eth0", "mlx5_0")},
      .root_devices = "<object type=\"Misc\" gp_index=\"970\" name=\"eth0\"/>",
  };
  hwloc_topology_t machine = made_machine_load(&made);
  assert_plan(machine, NULL, (struct rs_bind_params){.local_ranks = 2, .interface = "eth0"},
              "0-3|0|CPUs 0-3 (4 cores) on NUMA node 0");
  hwloc_topology_destroy(machine);
}

static void what_the_launcher_bound_stays(void **state) {
  (void)state;
  hwloc_topology_t machine = make_synthetic("pack:2 numa:1 core:4 pu:1");
  const struct rs_bind_params two = {.local_rank = 1, .local_ranks = 2};
  assert_plan(machine, "4-5", two, "|1|left as the launcher bound it");
  assert_plan(machine, "3-4", two, "||left as the launcher bound it"); // over two nodes: memory has no place
  assert_plan(machine, "0", (struct rs_bind_params){.policy = RS_BIND_CORE, .local_rank = 1, .local_ranks = 2},
              "4-7|1|CPUs 4-7 (4 cores) on NUMA node 1"); // asked for in so many words
  assert_plan(machine, NULL, (struct rs_bind_params){.policy = RS_BIND_OFF, .local_ranks = 1},
              "||left as it was: binding is off");
  hwloc_topology_destroy(machine);
}

// As a control group does: package 0 has one core left, core 2 of package 1 one thread of two.
static void only_allowed_cpus_are_used(void **state) {
  (void)state;
  hwloc_topology_t machine = make_synthetic("pack:2 numa:1 core:3 pu:2");
  hwloc_bitmap_t allowed = hwloc_bitmap_alloc();
  assert_int_equal(hwloc_bitmap_list_sscanf(allowed, "2-3,8-10"), 0);
  assert_int_equal(hwloc_topology_restrict(machine, allowed, 0), 0);
  hwloc_bitmap_free(allowed);
  assert_ranks(machine, RS_BIND_AUTO, "", 3,
               (const char *const[]){"2-3|0|CPUs 2-3 (1 core) on NUMA node 0", "8-9|1|CPUs 8-9 (1 core) on NUMA node 1",
                                     "10|1|CPU 10 (1 core) on NUMA node 1"});
  assert_plan(machine, NULL, (struct rs_bind_params){.local_ranks = 4}, "||left unbound: 4 ranks on 3 cores");
  hwloc_topology_destroy(machine);
}

static void processing_units_stand_in_for_hidden_cores(void **state) {
  (void)state;
  hwloc_topology_t machine = make_synthetic("numa:1 pu:6");
  assert_plan(machine, NULL, (struct rs_bind_params){.local_rank = 1, .local_ranks = 3}, "2-3||CPUs 2-3 (2 cores)");
  hwloc_topology_destroy(machine);
}

static void fast_cores_are_preferred_while_there_are_enough(void **state) {
  (void)state;
  hwloc_topology_t machine = make_synthetic("numa:1 core:8 pu:1");
  hwloc_bitmap_t slow = hwloc_bitmap_alloc(), fast = hwloc_bitmap_alloc();
  hwloc_bitmap_set_range(slow, 0, 3);
  hwloc_bitmap_set_range(fast, 4, 7);
  assert_int_equal(hwloc_cpukinds_register(machine, slow, 1, 0, NULL, 0), 0);
  assert_int_equal(hwloc_cpukinds_register(machine, fast, 9, 0, NULL, 0), 0);
  assert_plan(machine, NULL, (struct rs_bind_params){.local_rank = 1, .local_ranks = 2},
              "6-7||CPUs 6-7 (2 fast cores)");
  assert_plan(machine, NULL, (struct rs_bind_params){.local_rank = 1, .local_ranks = 5}, "1||CPU 1 (1 core)");
  hwloc_bitmap_free(slow);
  hwloc_bitmap_free(fast);
  hwloc_topology_destroy(machine);
}

// For every number of ranks: shares are equal, apart, and each in one node.
static void shares_never_overlap(void **state) {
  (void)state;
  const struct made_machine made = {
      .packages = 3, .cores = 5, .units = 2, .devices = {NULL, MADE_NIC("90", "81", "eth0", "mlx5_0")}};
  hwloc_topology_t machine = made_machine_load(&made);
  hwloc_bitmap_t used = hwloc_bitmap_alloc();
  for (uint32_t ranks = 1; ranks <= 15; ranks++) {
    int weight = 0;
    hwloc_bitmap_zero(used);
    for (uint32_t r = 0; r < ranks; r++) {
      struct rs_bind_plan plan = make_plan(
          machine, NULL, &(struct rs_bind_params){.local_rank = r, .local_ranks = ranks, .interface = "eth0"});
      int first = hwloc_bitmap_first(plan.cpus), mine = hwloc_bitmap_weight(plan.cpus);
      if (hwloc_bitmap_intersects(used, plan.cpus) || mine < 2 || mine % 2 != 0 || (r > 0 && mine != weight) ||
          first / 10 != hwloc_bitmap_last(plan.cpus) / 10 || hwloc_bitmap_first(plan.nodes) != first / 10)
        fail_msg("rank %u of %u: %s", r, ranks, plan.words);
      weight = mine;
      hwloc_bitmap_or(used, used, plan.cpus);
      rs_bind_plan_fini(&plan);
    }
    assert_true(ranks > 5 || (hwloc_bitmap_first(used) >= 10 && hwloc_bitmap_last(used) < 20));
  }
  hwloc_bitmap_free(used);
  hwloc_topology_destroy(machine);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cores_are_shared_out_in_equal_runs),
      cmocka_unit_test(without_an_interface_ranks_spread_over_the_nodes),
      cmocka_unit_test(cores_near_the_interface_come_first),
      cmocka_unit_test(a_virtual_interface_is_near_nothing),
      cmocka_unit_test(what_the_launcher_bound_stays),
      cmocka_unit_test(only_allowed_cpus_are_used),
      cmocka_unit_test(processing_units_stand_in_for_hidden_cores),
      cmocka_unit_test(fast_cores_are_preferred_while_there_are_enough),
      cmocka_unit_test(shares_never_overlap),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
