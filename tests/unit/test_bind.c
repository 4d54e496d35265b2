// Binding for real: in a child, so that this process stays as it was, and read back from the kernel.
#include "topology/bind.h"

#include "ringside/launch.h"
#include "topology/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <linux/mempolicy.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SKIP_TOO_FEW 77

// Runs `work` in a child with this process's topology; it says what is wrong, or nothing.
static void in_a_child(void (*work)(struct rs_topology *topology, char *wrong, size_t wrong_bytes)) {
  enum { TEXT_BYTES = sizeof(((struct rs_error *)0)->text) };
  char *wrong = mmap(NULL, TEXT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_true(wrong != MAP_FAILED);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    struct rs_topology *topology = NULL;
    struct rs_error error = {0};
    if (rs_topology_open(&topology, &error) != RS_OK)
      snprintf(wrong, TEXT_BYTES, "%s", error.text);
    else if (rs_topology_host(topology)->cores < 2)
      _exit(SKIP_TOO_FEW);
    else
      work(topology, wrong, TEXT_BYTES);
    rs_topology_close(topology);
    _exit(0);
  }
  int status;
  char text[TEXT_BYTES];
  assert_int_equal(waitpid(child, &status, 0), child);
  memcpy(text, wrong, TEXT_BYTES);
  munmap(wrong, TEXT_BYTES);
  if (WIFEXITED(status) && WEXITSTATUS(status) == SKIP_TOO_FEW) {
    print_message("fewer than two cores: nothing to bind to\n");
    skip();
  }
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  assert_string_equal(text, "");
}

// The thread's CPUs by the kernel, as a list.
static void read_affinity(char *list, size_t bytes) {
  cpu_set_t set;
  hwloc_bitmap_t cpus = hwloc_bitmap_alloc();
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
      if (CPU_ISSET(cpu, &set))
        hwloc_bitmap_set(cpus, cpu);
  hwloc_bitmap_list_snprintf(list, bytes, cpus);
  hwloc_bitmap_free(cpus);
}

// Frees the child of what a launcher has bound it to.
static void unbind(struct rs_topology *topology) {
  (void)hwloc_set_cpubind(topology->machine, hwloc_topology_get_allowed_cpuset(topology->machine),
                          HWLOC_CPUBIND_THREAD);
}

static void bind_two_ranks(struct rs_topology *topology, char *wrong, size_t wrong_bytes) {
  char lists[2][128], expected[64];
  for (uint32_t r = 0; r < 2; r++) {
    struct rs_bind_result result;
    struct rs_error error = {0};
    struct rs_rank_facts facts;
    unbind(topology);
    if (rs_topology_bind(topology, &(struct rs_bind_params){.local_rank = r, .local_ranks = 2}, &result, &error) !=
            RS_OK ||
        !result.bound)
      snprintf(wrong, wrong_bytes, "rank %u: %s %s", r, error.text, result.words);
    read_affinity(lists[r], sizeof(lists[r]));
    rs_topology_rank(topology, &facts);
    snprintf(expected, sizeof(expected), "CPU%s %.20s (", strpbrk(lists[r], ",-") ? "s" : "", lists[r]);
    if (strcmp(facts.cpus, lists[r]) != 0 || !facts.bound || strncmp(result.words, expected, strlen(expected)) != 0)
      snprintf(wrong, wrong_bytes, "the kernel says %s, the facts %s, the words '%s'", lists[r], facts.cpus,
               result.words);
  }
  if (strcmp(lists[0], lists[1]) == 0)
    snprintf(wrong, wrong_bytes, "both ranks are on %s", lists[0]);
}

static void ranks_get_cores_of_their_own(void **state) {
  (void)state;
  in_a_child(bind_two_ranks);
}

static void bind_too_many(struct rs_topology *topology, char *wrong, size_t wrong_bytes) {
  char before[128], after[128], expected[64];
  uint32_t cores = rs_topology_host(topology)->cores;
  const struct rs_bind_params crowd = {.local_rank = 1, .local_ranks = cores + 1};
  const struct rs_bind_params off = {.policy = RS_BIND_OFF, .local_ranks = 1};
  struct rs_bind_result result, nothing;
  struct rs_error error = {0};
  unbind(topology);
  read_affinity(before, sizeof(before));
  snprintf(expected, sizeof(expected), "left unbound: %u ranks on %u cores", cores + 1, cores);
  bool sound = rs_topology_bind(topology, &crowd, &result, &error) == RS_OK &&
               rs_topology_bind(topology, &off, &nothing, &error) == RS_OK;
  read_affinity(after, sizeof(after));
  if (!sound || result.bound || nothing.bound || strcmp(before, after) != 0 || strcmp(result.words, expected) != 0)
    snprintf(wrong, wrong_bytes, "%s %s: %s, %s", before, after, result.words, nothing.words);
}

static void a_crowd_stays_unbound(void **state) {
  (void)state;
  in_a_child(bind_too_many);
}

static void bind_after_a_launcher(struct rs_topology *topology, char *wrong, size_t wrong_bytes) {
  char before[128], after[128];
  struct rs_bind_result result;
  struct rs_error error = {0};
  hwloc_obj_t core = hwloc_get_obj_by_type(topology->machine, HWLOC_OBJ_CORE, 1);
  (void)hwloc_set_cpubind(topology->machine, core->cpuset, HWLOC_CPUBIND_THREAD);
  read_affinity(before, sizeof(before));
  enum rs_status status = rs_topology_bind(topology, &(struct rs_bind_params){.local_ranks = 2}, &result, &error);
  read_affinity(after, sizeof(after));
  if (status != RS_OK || result.bound || strcmp(before, after) != 0 || strncmp(result.words, "left as the", 11) != 0)
    snprintf(wrong, wrong_bytes, "%s %s: %s", before, after, result.words);
  status =
      rs_topology_bind(topology, &(struct rs_bind_params){.policy = RS_BIND_CORE, .local_ranks = 2}, &result, &error);
  read_affinity(after, sizeof(after));
  if (status != RS_OK || !result.bound || strcmp(before, after) == 0)
    snprintf(wrong, wrong_bytes, "asked for cores, but %s: %s", after, result.words);
}

static void what_the_launcher_did_is_kept(void **state) {
  (void)state;
  in_a_child(bind_after_a_launcher);
}

// A plan that names node 0, which plans of machines with one node never do.
static void place_on_node_0(struct rs_topology *topology, char *wrong, size_t wrong_bytes) {
  struct rs_bind_plan plan = {
      .cpus = hwloc_bitmap_alloc(), .nodes = hwloc_bitmap_alloc(), .words = "left as the launcher bound it"};
  struct rs_bind_result result, again;
  int policy = -1;
  hwloc_bitmap_set(plan.nodes, 0);
  rs_bind_apply(topology->machine, &plan, &result);
  rs_bind_apply(topology->machine, &plan, &again);
  rs_bind_plan_fini(&plan);
  if (syscall(SYS_get_mempolicy, &policy, NULL, 0, NULL, 0) != 0)
    snprintf(wrong, wrong_bytes, "%s", strstr(result.words, "not placed") ? "" : result.words); // refused, and says so
  else if (!result.memory || (policy != MPOL_PREFERRED && policy != MPOL_PREFERRED_MANY) ||
           !strstr(result.words, "bound it, memory on NUMA node 0") || !strstr(again.words, "memory as it was bound"))
    snprintf(wrong, wrong_bytes, "policy %d: %s; %s", policy, result.words, again.words);
}

static void memory_is_preferred_on_its_node_once(void **state) {
  (void)state;
  in_a_child(place_on_node_0);
}

static void another_machine_is_not_bound_to(void **state) {
  (void)state;
  assert_int_equal(setenv("HWLOC_SYNTHETIC", "numa:1 core:4 pu:1", 1), 0);
  struct rs_topology *topology = NULL;
  struct rs_bind_result result = {0};
  struct rs_error error = {0};
  assert_int_equal(rs_topology_open(&topology, &error), RS_OK);
  assert_int_equal(unsetenv("HWLOC_SYNTHETIC"), 0);
  assert_int_equal(rs_topology_bind(topology, &(struct rs_bind_params){.local_ranks = 2}, &result, &error), RS_OK);
  assert_false(result.bound);
  assert_non_null(strstr(result.words, "another machine"));
  rs_topology_close(topology);
}

// ---- launches ---------------------------------------------------------------------------------------------

static void ranks_share_with_those_that_have_their_cpus(void **state) {
  (void)state;
  struct rs_host_facts hosts[] = {
      {.hostname = "a", .boot_id = "x"}, {.hostname = "b", .boot_id = "x"}, {.hostname = "c", .boot_id = "y"}};
  struct rs_rank_facts ranks[] = {
      {.host = 0, .cpus = "0-7"}, {.host = 1, .cpus = "0-7"},  {.host = 2, .cpus = "0-7"},
      {.host = 1, .cpus = "0-7"}, {.host = 1, .cpus = "8-15"}, {.host = 0, .cpus = "8-15"},
  };
  static const uint32_t expected[][2] = {{0, 3}, {1, 3}, {0, 1}, {2, 3}, {0, 2}, {1, 2}};
  const struct rs_placement placement = {3, RS_ARRAY_LENGTH(ranks), hosts, ranks};
  for (size_t r = 0; r < RS_ARRAY_LENGTH(ranks); r++) {
    uint32_t local_rank, local_ranks;
    rs_placement_share(&placement, r, &local_rank, &local_ranks);
    assert_int_equal(local_rank, expected[r][0]);
    assert_int_equal(local_ranks, expected[r][1]);
  }
  ranks[4].bound = ranks[5].bound = true; // by a launcher, each to its own
  uint32_t bound_rank, bound_ranks;
  rs_placement_share(&placement, 5, &bound_rank, &bound_ranks);
  assert_int_equal(bound_rank, 4);
  assert_int_equal(bound_ranks, 5);                 // all of the machine; 2 is on another
  hosts[0].boot_id[0] = hosts[1].boot_id[0] = '\0'; // machines that cannot be told: hosts are
  uint32_t local_rank, local_ranks;
  rs_placement_share(&placement, 0, &local_rank, &local_ranks);
  assert_int_equal(local_ranks, 2); // itself, and the bound one
}

// Ranks as threads: each binds itself alone.
static enum rs_status bind_on_a_thread(struct rs_world *world, void *argument, struct rs_error *error) {
  const struct rs_topology *topology = argument;
  struct rs_placement placement = {0};
  enum rs_status status = rs_placement_gather(world, topology, &placement, error);
  if (status == RS_OK)
    status = rs_placement_bind(world, topology, RS_BIND_CORE, "", &placement, error);
  char list[128];
  read_affinity(list, sizeof(list));
  const struct rs_rank_facts *mine = status == RS_OK ? &placement.ranks[world->rank] : NULL;
  if (mine && (!mine->bound || strcmp(mine->cpus, list) != 0 || strncmp(mine->binding, "CPU", 3) != 0 ||
               mine->local_rank != world->rank || mine->local_ranks != 2 ||
               strcmp(placement.ranks[0].cpus, placement.ranks[1].cpus) == 0))
    status = rs_error_set(error, RS_ERROR_INTERNAL, "rank %zu is on %s: %s", world->rank, list, mine->binding);
  rs_placement_fini(&placement);
  return status;
}

static void bind_threads(struct rs_topology *topology, char *wrong, size_t wrong_bytes) {
  struct rs_error error = {0};
  unbind(topology);
  if (rs_launch_threads(2, bind_on_a_thread, topology, &error) != RS_OK)
    snprintf(wrong, wrong_bytes, "%s", error.text);
}

static void threads_bind_themselves(void **state) {
  (void)state;
  in_a_child(bind_threads);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ranks_get_cores_of_their_own),    cmocka_unit_test(a_crowd_stays_unbound),
      cmocka_unit_test(what_the_launcher_did_is_kept),   cmocka_unit_test(memory_is_preferred_on_its_node_once),
      cmocka_unit_test(another_machine_is_not_bound_to), cmocka_unit_test(ranks_share_with_those_that_have_their_cpus),
      cmocka_unit_test(threads_bind_themselves),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
