// Placement: hosts numbered by their lowest rank, ranks within them, and who shares a machine. The other ranks' facts
// come from a world that answers allgather from a table; then once from ranks on threads.
#include "ringside/launch.h"
#include "ringside/topology.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define RANKS 6

struct told {
  struct rs_host_facts hosts[RANKS];
  struct rs_rank_facts ranks[RANKS];
};

static enum rs_status told_allgather(struct rs_world *world, const void *mine, size_t bytes, void *all,
                                     struct rs_error *error) {
  const struct told *told = world->state;
  (void)error;
  if (bytes == sizeof(told->hosts[0]))
    memcpy(all, told->hosts, sizeof(told->hosts));
  else if (bytes == sizeof(told->ranks[0]))
    memcpy(all, told->ranks, sizeof(told->ranks));
  else // what ranks agree on: all say what this one says
    for (size_t r = 0; r < world->size; r++)
      memcpy((char *)all + r * bytes, mine, bytes);
  return RS_OK;
}

static const struct rs_world_ops told_ops = {.name = "told", .allgather = told_allgather};

static void tell(struct told *told, size_t rank, const char *hostname, const char *boot_id, uint32_t cores,
                 uint32_t processing_units) {
  snprintf(told->hosts[rank].hostname, sizeof(told->hosts[rank].hostname), "%s", hostname);
  snprintf(told->hosts[rank].boot_id, sizeof(told->hosts[rank].boot_id), "%s", boot_id);
  told->hosts[rank].cores = cores;
  told->hosts[rank].processing_units = processing_units;
  told->ranks[rank].pid = (int32_t)(1000 + rank);
}

static struct rs_placement gather(struct told *told) {
  struct rs_world world = {.ops = &told_ops, .size = RANKS, .state = told};
  struct rs_topology *topology = NULL;
  struct rs_placement placement = {0};
  struct rs_error error = {0};
  assert_int_equal(rs_topology_open(&topology, &error), RS_OK);
  assert_int_equal(rs_placement_gather(&world, topology, &placement, &error), RS_OK);
  rs_topology_close(topology);
  return placement;
}

static void hosts_are_numbered_by_their_lowest_rank(void **state) {
  (void)state;
  struct told told = {0};
  tell(&told, 0, "b", "boot-b", 4, 8);
  tell(&told, 1, "a", "boot-a", 4, 8);
  tell(&told, 2, "b", "boot-b", 4, 8);
  tell(&told, 3, "b", "boot-x", 4, 8); // another machine that happens to have the name
  tell(&told, 4, "a", "boot-a", 4, 8);
  tell(&told, 5, "b", "boot-b", 4, 8);
  struct rs_placement placement = gather(&told);
  assert_int_equal(placement.rank_count, RANKS);
  assert_int_equal(placement.host_count, 3);
  assert_string_equal(placement.hosts[0].boot_id, "boot-b");
  assert_string_equal(placement.hosts[1].boot_id, "boot-a");
  assert_string_equal(placement.hosts[2].boot_id, "boot-x");
  const struct rs_rank_facts expected[RANKS] = {
      {.host = 0, .local_rank = 0, .local_ranks = 3}, {.host = 1, .local_rank = 0, .local_ranks = 2},
      {.host = 0, .local_rank = 1, .local_ranks = 3}, {.host = 2, .local_rank = 0, .local_ranks = 1},
      {.host = 1, .local_rank = 1, .local_ranks = 2}, {.host = 0, .local_rank = 2, .local_ranks = 3},
  };
  for (size_t r = 0; r < RANKS; r++) {
    assert_int_equal(placement.ranks[r].host, expected[r].host);
    assert_int_equal(placement.ranks[r].local_rank, expected[r].local_rank);
    assert_int_equal(placement.ranks[r].local_ranks, expected[r].local_ranks);
    assert_int_equal(placement.ranks[r].pid, 1000 + r);
  }
  rs_placement_fini(&placement);
  assert_null(placement.hosts);
}

// Network namespaces with names of their own are hosts, and yet one machine with one set of cores.
static void namespaces_share_the_cores_of_their_machine(void **state) {
  (void)state;
  struct told told = {0};
  const char *const names[RANKS] = {"vm0", "vm0", "vm1", "vm1", "vm2", "far"};
  for (size_t r = 0; r < RANKS; r++)
    tell(&told, r, names[r], r < 5 ? "one" : "two", r < 5 ? 4 : 1, 8);
  struct rs_placement placement = gather(&told);
  assert_int_equal(placement.host_count, 4);
  for (size_t r = 0; r < 5; r++)
    assert_true(rs_placement_oversubscribed(&placement, r)); // five on four cores, though at most two per host
  assert_false(rs_placement_oversubscribed(&placement, 5));  // one on one
  rs_placement_fini(&placement);
}

static void processing_units_stand_in_for_unknown_cores(void **state) {
  (void)state;
  const struct {
    uint32_t cores, processing_units;
    bool oversubscribed;
  } rows[] = {{6, 12, false}, {5, 12, true}, {0, 6, false}, {0, 5, true}, {0, 0, false}};
  for (size_t k = 0; k < RS_ARRAY_LENGTH(rows); k++) {
    struct told told = {0};
    for (size_t r = 0; r < RANKS; r++)
      tell(&told, r, "host", "boot", rows[k].cores, rows[k].processing_units);
    struct rs_placement placement = gather(&told);
    for (size_t r = 0; r < RANKS; r++)
      assert_int_equal(rs_placement_oversubscribed(&placement, r), rows[k].oversubscribed);
    rs_placement_fini(&placement);
  }
}

static void hosts_without_a_boot_id_are_told_apart_by_name(void **state) {
  (void)state;
  struct told told = {0};
  for (size_t r = 0; r < RANKS; r++)
    tell(&told, r, r % 2 ? "odd" : "even", "", 3, 3);
  struct rs_placement placement = gather(&told);
  assert_int_equal(placement.host_count, 2);
  for (size_t r = 0; r < RANKS; r++)
    assert_false(rs_placement_oversubscribed(&placement, r)); // three on each
  rs_placement_fini(&placement);
}

static enum rs_status gather_on_a_thread(struct rs_world *world, void *argument, struct rs_error *error) {
  const struct rs_topology *topology = argument;
  struct rs_placement placement = {0};
  enum rs_status status = rs_placement_gather(world, topology, &placement, error);
  if (status != RS_OK)
    return status;
  const struct rs_rank_facts *mine = &placement.ranks[world->rank];
  bool right = placement.host_count == 1 && placement.rank_count == world->size && mine->host == 0 &&
               mine->local_rank == world->rank && mine->local_ranks == world->size && mine->pid == getpid() &&
               strcmp(placement.hosts[0].hostname, rs_topology_host(topology)->hostname) == 0;
  rs_placement_fini(&placement);
  return right ? RS_OK : rs_error_set(error, RS_ERROR_INTERNAL, "rank %zu has a wrong placement", world->rank);
}

static void ranks_of_one_process_are_on_one_host(void **state) {
  (void)state;
  struct rs_topology *topology = NULL;
  struct rs_error error = {0};
  assert_int_equal(rs_topology_open(&topology, &error), RS_OK);
  if (rs_launch_threads(5, gather_on_a_thread, topology, &error) != RS_OK)
    fail_msg("%s", error.text);
  struct rs_world solo = rs_world_solo();
  assert_int_equal(gather_on_a_thread(&solo, topology, &error), RS_OK);
  rs_topology_close(topology);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hosts_are_numbered_by_their_lowest_rank),
      cmocka_unit_test(namespaces_share_the_cores_of_their_machine),
      cmocka_unit_test(processing_units_stand_in_for_unknown_cores),
      cmocka_unit_test(hosts_without_a_boot_id_are_told_apart_by_name),
      cmocka_unit_test(ranks_of_one_process_are_on_one_host),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
