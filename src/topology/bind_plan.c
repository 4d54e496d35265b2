// How cores are shared out. A domain is the cores of one NUMA node; the cores of a rank are all in one. Domains near
// the interface come first, and only as many of them are used as there must be for each rank to have a core:
//
//   2 packages of 4 cores, eth0 in package 1           node 0          node 1
//     2 ranks: two cores each, beside eth0             .  .  .  .      0  0  1  1
//     6 ranks: one each, first those beside eth0       3  4  5  .      0  1  2  .
//     no interface known, 2 ranks: a node each         0  0  0  0      1  1  1  1
//
// Ranks meet the domains of the pool in proportion to their cores, rank r at core floor(r x cores / ranks). All ranks
// get as many cores, so that none is faster for it; what is left over is left to the system.
#include "topology/bind_plan.h"
#include "topology/cpu_list.h"
#include "topology/host_device.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct domain {
  hwloc_obj_t node;
  enum rs_nearness nearness;
  size_t first, count; // its cores, in `cores`
};

struct machine_cores {
  struct domain *domains; // in the order in which they are used
  size_t domain_count;
  hwloc_obj_t *cores; // of the domains, one after the other
  size_t core_count;
  bool some_are_slower; // and were left out
};

static void free_cores(struct machine_cores *made) {
  free(made->domains);
  free(made->cores);
}

// ---- domains ----------------------------------------------------------------------------------------------

// The smallest domain that holds these CPUs. Where a node's cores have two kinds of memory, hwloc shows two nodes with
// the same CPUs; the first is the usual memory.
static struct domain *find_domain(const struct machine_cores *made, hwloc_const_cpuset_t cpus) {
  struct domain *found = NULL;
  for (size_t d = 0; d < made->domain_count; d++) {
    struct domain *domain = &made->domains[d];
    if (hwloc_bitmap_isincluded(cpus, domain->node->cpuset) &&
        (!found || hwloc_bitmap_weight(domain->node->cpuset) < hwloc_bitmap_weight(found->node->cpuset)))
      found = domain;
  }
  return found;
}

static int compare_domains(const void *a, const void *b) {
  const struct domain *x = a, *y = b;
  if (x->nearness != y->nearness)
    return x->nearness < y->nearness ? -1 : 1;
  return x->node->logical_index < y->node->logical_index ? -1 : x->node->logical_index > y->node->logical_index;
}

static enum rs_status list_domains(hwloc_topology_t machine, hwloc_obj_t place, struct machine_cores *made,
                                   struct rs_error *error) {
  int count = hwloc_get_nbobjs_by_type(machine, HWLOC_OBJ_NUMANODE);
  made->domains = rs_allocate(count > 0 ? (size_t)count : 1, sizeof(*made->domains), "NUMA nodes", error);
  if (!made->domains)
    return error->status;
  for (int n = 0; n < count; n++) {
    hwloc_obj_t node = hwloc_get_obj_by_type(machine, HWLOC_OBJ_NUMANODE, (unsigned)n);
    if (!hwloc_bitmap_iszero(node->cpuset))
      made->domains[made->domain_count++] =
          (struct domain){.node = node, .nearness = rs_host_device_nearness(machine, place, node->cpuset)};
  }
  qsort(made->domains, made->domain_count, sizeof(*made->domains), compare_domains);
  return RS_OK;
}

// ---- cores ------------------------------------------------------------------------------------------------

// Whether a core is of the fastest kind, where kinds differ and hwloc can rank them; with `fast` NULL all are.
static bool is_usable(hwloc_topology_t machine, hwloc_obj_t core, hwloc_const_cpuset_t fast) {
  return hwloc_bitmap_intersects(core->cpuset, hwloc_topology_get_allowed_cpuset(machine)) &&
         (!fast || hwloc_bitmap_intersects(core->cpuset, fast));
}

// Puts the cores in order of their domains. Cores that no single domain holds are left out.
static void sort_cores(hwloc_topology_t machine, hwloc_obj_type_t type, hwloc_const_cpuset_t fast,
                       struct machine_cores *made) {
  made->core_count = 0;
  for (size_t d = 0; d < made->domain_count; d++) {
    struct domain *domain = &made->domains[d];
    domain->first = made->core_count;
    for (hwloc_obj_t core = hwloc_get_next_obj_by_type(machine, type, NULL); core;
         core = hwloc_get_next_obj_by_type(machine, type, core))
      if (is_usable(machine, core, fast) && find_domain(made, core->cpuset) == domain)
        made->cores[made->core_count++] = core;
    domain->count = made->core_count - domain->first;
  }
}

// The CPUs of the fastest kind; NULL when all are alike or nobody can tell. To be freed.
static hwloc_bitmap_t find_fast_cpus(hwloc_topology_t machine) {
  int kinds = hwloc_cpukinds_get_nr(machine, 0), efficiency;
  hwloc_bitmap_t fast = kinds > 1 ? hwloc_bitmap_alloc() : NULL;
  if (fast && hwloc_cpukinds_get_info(machine, (unsigned)kinds - 1, fast, &efficiency, NULL, NULL, 0) == 0 &&
      efficiency > 0)
    return fast;
  hwloc_bitmap_free(fast); // NULL is fine
  return NULL;
}

// Some virtual machines hide their cores; then each processing unit counts as one.
static enum rs_status list_cores(hwloc_topology_t machine, hwloc_obj_t place, size_t rank_count,
                                 struct machine_cores *made, struct rs_error *error) {
  int cores = hwloc_get_nbobjs_by_type(machine, HWLOC_OBJ_CORE);
  int units = hwloc_get_nbobjs_by_type(machine, HWLOC_OBJ_PU);
  hwloc_obj_type_t type = cores > 0 ? HWLOC_OBJ_CORE : HWLOC_OBJ_PU;
  made->cores = rs_allocate(units > 0 ? (size_t)units : 1, sizeof(*made->cores), "cores", error);
  if (!made->cores || list_domains(machine, place, made, error) != RS_OK)
    return error->status;
  hwloc_bitmap_t fast = find_fast_cpus(machine);
  sort_cores(machine, type, fast, made);
  made->some_are_slower = fast != NULL && made->core_count >= rank_count;
  if (fast && !made->some_are_slower) // not enough fast ones
    sort_cores(machine, type, NULL, made);
  hwloc_bitmap_free(fast); // NULL is fine
  return RS_OK;
}

// ---- a rank's share ---------------------------------------------------------------------------------------

// Cores of the nearest domains: class by class, until there is one for each rank.
static size_t pool_size(const struct machine_cores *made, size_t rank_count) {
  size_t pool = 0;
  for (size_t d = 0; d < made->domain_count; d++) {
    if (pool >= rank_count && made->domains[d].nearness != made->domains[d - 1].nearness)
      break;
    pool += made->domains[d].count;
  }
  return pool;
}

// The first rank whose core of the pool is `core` or a later one: the least r with floor(r x pool / ranks) >= core.
static size_t rank_at(size_t core, size_t pool, size_t rank_count) {
  return rs_divide_up(core * rank_count, pool);
}

struct share {
  const struct domain *domain;
  size_t first, count; // of its cores
};

static struct share find_share(const struct machine_cores *made, const struct rs_bind_params *params) {
  size_t ranks = params->local_ranks, pool = pool_size(made, ranks), least = SIZE_MAX, before = 0;
  struct share share = {0};
  for (size_t d = 0; d < made->domain_count; d++) {
    const struct domain *domain = &made->domains[d];
    if (domain->first >= pool || domain->count == 0)
      continue;
    size_t begin = rank_at(domain->first, pool, ranks), end = rank_at(domain->first + domain->count, pool, ranks);
    if (begin == end)
      continue;
    least = rs_min_size(least, domain->count / (end - begin));
    if (params->local_rank >= begin && params->local_rank < end) {
      share.domain = domain;
      before = params->local_rank - begin;
    }
  }
  assert(share.domain); // the domains of the pool divide the ranks among them
  if (params->policy == RS_BIND_NUMA)
    return (struct share){share.domain, share.domain->first, share.domain->count};
  share.first = share.domain->first + before * least;
  share.count = least;
  return share;
}

static void describe(hwloc_topology_t machine, const struct machine_cores *made, const struct share *share,
                     const struct rs_bind_params *params, struct rs_bind_plan *plan) {
  static const char *const relations[] = {", near ", ", in the package of ", ", far from "};
  char cpus[40], node[32] = "", nic[48] = "";
  rs_cpu_list_write(plan->cpus, cpus, sizeof(cpus));
  if (hwloc_get_nbobjs_by_type(machine, HWLOC_OBJ_NUMANODE) > 1)
    snprintf(node, sizeof(node), " on NUMA node %u", share->domain->node->os_index);
  if (node[0] && share->domain->nearness != RS_NEAR_UNKNOWN)
    snprintf(nic, sizeof(nic), "%s%.15s", relations[share->domain->nearness], params->interface);
  snprintf(plan->words, sizeof(plan->words), "CPU%s %s (%zu %score%s)%s%s",
           hwloc_bitmap_weight(plan->cpus) == 1 ? "" : "s", cpus, share->count, made->some_are_slower ? "fast " : "",
           share->count == 1 ? "" : "s", node, nic);
}

// ---- the plan ---------------------------------------------------------------------------------------------

static void plan_memory(hwloc_topology_t machine, const struct domain *domain, struct rs_bind_plan *plan) {
  if (domain && hwloc_get_nbobjs_by_type(machine, HWLOC_OBJ_NUMANODE) > 1)
    hwloc_bitmap_set(plan->nodes, domain->node->os_index);
}

static void plan_cpus(hwloc_topology_t machine, const struct machine_cores *made, const struct rs_bind_params *params,
                      struct rs_bind_plan *plan) {
  hwloc_const_cpuset_t allowed = hwloc_topology_get_allowed_cpuset(machine);
  if (params->local_ranks > made->core_count) {
    snprintf(plan->words, sizeof(plan->words), "left unbound: %u ranks on %zu core%s", params->local_ranks,
             made->core_count, made->core_count == 1 ? "" : "s");
    return;
  }
  struct share share = find_share(made, params);
  for (size_t c = share.first; c < share.first + share.count; c++)
    hwloc_bitmap_or(plan->cpus, plan->cpus, made->cores[c]->cpuset);
  hwloc_bitmap_and(plan->cpus, plan->cpus, allowed);
  plan_memory(machine, share.domain, plan);
  describe(machine, made, &share, params, plan);
  if (hwloc_bitmap_isequal(plan->cpus, allowed)) {
    hwloc_bitmap_zero(plan->cpus);
    snprintf(plan->words, sizeof(plan->words), "left unbound: all %zu core%s are its own", share.count,
             share.count == 1 ? "" : "s");
  }
}

enum rs_status rs_bind_plan_make(hwloc_topology_t machine, hwloc_const_cpuset_t current,
                                 const struct rs_bind_params *params, struct rs_bind_plan *plan,
                                 struct rs_error *error) {
  assert(params->local_rank < params->local_ranks);
  const char *interface = params->interface ? params->interface : "";
  hwloc_obj_t place = interface[0] ? rs_host_device_place(machine, interface) : NULL;
  struct machine_cores made = {0};
  struct rs_bind_plan planned = {.cpus = hwloc_bitmap_alloc(), .nodes = hwloc_bitmap_alloc()};
  enum rs_status status = planned.cpus && planned.nodes ? RS_OK : rs_error_set_memory(error, 64, "a set of CPUs");
  if (status == RS_OK)
    status = list_cores(machine, place, params->local_ranks, &made, error);
  if (status == RS_OK && params->policy == RS_BIND_OFF) {
    snprintf(planned.words, sizeof(planned.words), "left as it was: binding is off");
  } else if (status == RS_OK && params->policy == RS_BIND_AUTO &&
             !hwloc_bitmap_isincluded(hwloc_topology_get_allowed_cpuset(machine), current)) {
    snprintf(planned.words, sizeof(planned.words), "left as the launcher bound it");
    plan_memory(machine, find_domain(&made, current), &planned);
  } else if (status == RS_OK) {
    plan_cpus(machine, &made, params, &planned);
  }
  free_cores(&made);
  if (status != RS_OK) {
    rs_bind_plan_fini(&planned);
    return status;
  }
  *plan = planned;
  return RS_OK;
}

void rs_bind_plan_fini(struct rs_bind_plan *plan) {
  hwloc_bitmap_free(plan->cpus); // NULL is fine
  hwloc_bitmap_free(plan->nodes);
  *plan = (struct rs_bind_plan){0};
}
