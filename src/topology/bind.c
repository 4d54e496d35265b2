#include "topology/bind.h"
#include "topology/host.h"
#include "topology/machine.h"

#include <errno.h>
#include <string.h>

const char *const rs_bind_policy_names[] = {"auto", "off", "core", "numa", NULL};

// ---- this thread ------------------------------------------------------------------------------------------

RS_PRINTF(2, 3) static void say(struct rs_bind_result *result, const char *format, ...) {
  size_t length = strlen(result->words);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(result->words + length, sizeof(result->words) - length, format, arguments);
  va_end(arguments);
}

// True when somebody has chosen where memory goes, as `numactl --membind` does.
static bool is_memory_bound(hwloc_topology_t machine) {
  hwloc_membind_policy_t policy;
  hwloc_bitmap_t nodes = hwloc_bitmap_alloc();
  bool bound = nodes &&
               hwloc_get_membind(machine, nodes, &policy, HWLOC_MEMBIND_THREAD | HWLOC_MEMBIND_BYNODESET) == 0 &&
               policy != HWLOC_MEMBIND_DEFAULT && policy != HWLOC_MEMBIND_FIRSTTOUCH;
  hwloc_bitmap_free(nodes); // NULL is fine
  return bound;
}

// Not strict: the node is preferred. A node without room then serves from its neighbours instead of ending the run.
static void place_memory(hwloc_topology_t machine, hwloc_const_nodeset_t nodes, struct rs_bind_result *result) {
  if (is_memory_bound(machine)) {
    say(result, ", memory as it was bound");
    return;
  }
  result->memory =
      hwloc_set_membind(machine, nodes, HWLOC_MEMBIND_BIND, HWLOC_MEMBIND_THREAD | HWLOC_MEMBIND_BYNODESET) == 0;
  if (!result->memory)
    say(result, ", memory not placed (%s)", strerror(errno));
  else if (result->bound)
    say(result, ", memory there");
  else
    say(result, ", memory on NUMA node %d", hwloc_bitmap_first(nodes));
}

void rs_bind_apply(hwloc_topology_t machine, const struct rs_bind_plan *plan, struct rs_bind_result *result) {
  struct rs_bind_result done = {0};
  if (!hwloc_bitmap_iszero(plan->cpus)) {
    done.bound = hwloc_set_cpubind(machine, plan->cpus, HWLOC_CPUBIND_THREAD) == 0;
    if (!done.bound) {
      say(&done, "left unbound: the system refuses (%s)", strerror(errno));
      *result = done;
      return;
    }
  }
  say(&done, "%s", plan->words);
  if (!hwloc_bitmap_iszero(plan->nodes))
    place_memory(machine, plan->nodes, &done);
  *result = done;
}

enum rs_status rs_topology_bind(const struct rs_topology *topology, const struct rs_bind_params *params,
                                struct rs_bind_result *result, struct rs_error *error) {
  hwloc_topology_t machine = topology->machine;
  if (!hwloc_topology_is_thissystem(machine)) { // hwloc would do nothing, and call it a success
    *result = (struct rs_bind_result){.words = "left unbound: HWLOC_* variables describe another machine"};
    return RS_OK;
  }
  hwloc_bitmap_t current = hwloc_bitmap_alloc();
  if (!current)
    return rs_error_set_memory(error, 64, "a set of CPUs");
  if (hwloc_get_cpubind(machine, current, HWLOC_CPUBIND_THREAD) != 0) // a system that cannot tell does not bind
    hwloc_bitmap_copy(current, hwloc_topology_get_allowed_cpuset(machine));
  struct rs_bind_plan plan = {0};
  enum rs_status status = rs_bind_plan_make(machine, current, params, &plan, error);
  if (status == RS_OK)
    rs_bind_apply(machine, &plan, result);
  rs_bind_plan_fini(&plan);
  hwloc_bitmap_free(current);
  return status;
}

// ---- a launch ---------------------------------------------------------------------------------------------

static bool share_machine(const struct rs_placement *placement, size_t a, size_t b) {
  size_t host_a = placement->ranks[a].host, host_b = placement->ranks[b].host;
  const char *boot = placement->hosts[host_a].boot_id;
  return host_a == host_b || (boot[0] != '\0' && strcmp(boot, placement->hosts[host_b].boot_id) == 0);
}

// A rank that is bound tells what it is bound to, not what it might use; it is counted in.
static bool share_cpus(const struct rs_rank_facts *a, const struct rs_rank_facts *b) {
  return a->bound || b->bound || strcmp(a->cpus, b->cpus) == 0;
}

void rs_placement_share(const struct rs_placement *placement, size_t rank, uint32_t *local_rank,
                        uint32_t *local_ranks) {
  uint32_t before = 0, all = 0;
  for (size_t r = 0; r < placement->rank_count; r++)
    if (share_machine(placement, rank, r) && share_cpus(&placement->ranks[rank], &placement->ranks[r])) {
      before += r < rank;
      all++;
    }
  *local_rank = before;
  *local_ranks = all;
}

enum rs_status rs_placement_bind(struct rs_world *world, const struct rs_topology *topology, enum rs_bind_policy policy,
                                 const char *interface, struct rs_placement *placement, struct rs_error *error) {
  struct rs_bind_params params = {.policy = policy, .interface = interface};
  struct rs_bind_result result = {0};
  const struct rs_rank_facts *before = &placement->ranks[world->rank];
  rs_placement_share(placement, world->rank, &params.local_rank, &params.local_ranks);
  enum rs_status status = rs_topology_bind(topology, &params, &result, error);
  status = rs_world_agree(world, status, error);
  if (status != RS_OK)
    return status;

  struct rs_rank_facts mine;
  rs_topology_rank(topology, &mine);
  mine.host = before->host;
  mine.local_rank = before->local_rank;
  mine.local_ranks = before->local_ranks;
  rs_host_copy_text(mine.binding, sizeof(mine.binding), result.words);
  return rs_world_allgather(world, &mine, sizeof(mine), placement->ranks, error);
}
