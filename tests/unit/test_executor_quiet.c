// A collective neither allocates nor calls the kernel by itself: allocations of this program are counted (the linker
// puts the wrappers below in place of malloc and its kin), and over the null transport every system call is forbidden.
#include "support/cluster.h"
#include "transport/null.h"
#include "transport/tcp.h"

#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define EXIT_FAILED 3

// ---- counted allocations ----------------------------------------------------------------------------------

static size_t allocations;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void __real_free(void *memory);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
void __wrap_free(void *memory);

void *__wrap_malloc(size_t bytes) {
  allocations++;
  return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes) {
  allocations++;
  return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes) {
  allocations++;
  return __real_realloc(memory, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes) {
  allocations++;
  return __real_aligned_alloc(alignment, bytes);
}

void __wrap_free(void *memory) {
  allocations++;
  __real_free(memory);
}

// ---- executors of one cluster -----------------------------------------------------------------------------

#define RANKS 5
#define COUNT 20000

struct party {
  struct rs_buffer inputs[RANKS], outputs[RANKS];
  struct rs_executor *executors[RANKS];
};

static void must(enum rs_status status, const struct rs_error *error) {
  if (status < 0)
    fail_msg("%s", error->text);
}

// Out of place, in chunks of a thousand elements. alltoall's output is the longest: as much as the input, in even parts
// that are rounded up to lines.
static void party_open(struct party *party, const struct cluster *cluster, const struct rs_algorithm *algorithm) {
  struct rs_error error = {0};
  for (size_t r = 0; r < cluster->rank_count; r++) {
    must(rs_buffer_open(RS_MEMORY_HOST, (COUNT + RANKS * 16) * sizeof(float), &party->inputs[r], &error), &error);
    must(rs_buffer_open(RS_MEMORY_HOST, (COUNT + RANKS * 16) * sizeof(float), &party->outputs[r], &error), &error);
    memset(party->inputs[r].address, 0, party->inputs[r].bytes);
    const struct rs_executor_params params = {
        .algorithm = algorithm,
        .schedule = {.collective = algorithm->collective, .rank_count = (uint32_t)cluster->rank_count},
        .rank = (uint32_t)r,
        .route = &cluster->routes[r],
        .datatype = RS_FLOAT32,
        .operation = RS_SUM,
        .count = COUNT,
        .chunk_bytes = 4000,
        .lanes = 1,
        .input = &party->inputs[r],
        .output = &party->outputs[r],
        .wait = RS_WAIT_SPIN,
        .timeout_ns = INT64_C(60000000000),
    };
    must(rs_executor_open(&params, &party->executors[r], &error), &error);
  }
}

static void party_close(struct party *party, size_t ranks) {
  for (size_t r = 0; r < ranks; r++) {
    rs_executor_close(party->executors[r]);
    rs_buffer_close(&party->inputs[r]);
    rs_buffer_close(&party->outputs[r]);
  }
}

static void party_run(const struct party *party, size_t ranks) {
  struct rs_error error = {0};
  bool running[RANKS];
  for (size_t r = 0; r < ranks; r++) {
    rs_executor_start(party->executors[r]);
    running[r] = true;
  }
  for (size_t left = ranks; left > 0;)
    for (size_t r = 0; r < ranks; r++) {
      enum rs_status status = running[r] ? rs_executor_advance(party->executors[r], &error) : RS_IN_PROGRESS;
      must(status, &error);
      if (status == RS_OK) {
        running[r] = false;
        left--;
      }
    }
}

static bool wants_partners(const struct rs_algorithm *algorithm) {
  return rs_collective_traits[algorithm->collective].paired;
}

// ---- tests ------------------------------------------------------------------------------------------------

static void test_no_allocation(void **state) {
  (void)state;
  const struct rs_tcp_options tcp = {.streams = 1, .stripe_bytes = 65536, .interface = {"auto"}};
  const struct {
    const struct rs_transport *transport;
    const void *options;
  } kinds[] = {{&rs_transport_tcp, &tcp}, {&rs_transport_null, NULL}};
  for (size_t k = 0; k < RS_ARRAY_LENGTH(kinds); k++) {
    struct rs_error error = {0};
    struct cluster cluster;
    must(cluster_open(&cluster, kinds[k].transport, kinds[k].options, RANKS, 1, &error), &error);
    for (size_t a = 0; a < rs_algorithm_count; a++) {
      if (wants_partners(rs_algorithms[a]))
        continue;
      struct party party;
      party_open(&party, &cluster, rs_algorithms[a]);
      size_t before = allocations;
      for (int turn = 0; turn < 3; turn++)
        party_run(&party, RANKS);
      if (allocations != before)
        fail_msg("%s over %s allocates or frees %zu times", rs_algorithms[a]->name, kinds[k].transport->name,
                 allocations - before);
      assert_true(before > 0);
      party_close(&party, RANKS);
    }
    cluster_close(&cluster);
  }
}

// In a process that is killed by any system call but read, write, exit and sigreturn. Over null, a rank runs alone.
static int run_confined(const struct party *party, bool allowed_one) {
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    struct rs_error error = {0};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
      _exit(77);
    if (allowed_one)
      getppid();
    bool failed = false;
    for (size_t r = 0; r < RANKS; r++)
      failed |= rs_executor_run(party->executors[r], &error) < 0;
    syscall(SYS_exit, failed ? EXIT_FAILED : 0); // exit_group is forbidden
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  return status;
}

static void test_no_system_call(void **state) {
  (void)state;
  struct rs_error error = {0};
  struct cluster cluster;
  must(cluster_open(&cluster, &rs_transport_null, NULL, RANKS, 1, &error), &error);
  for (size_t a = 0; a < rs_algorithm_count; a++) {
    if (wants_partners(rs_algorithms[a]))
      continue;
    struct party party;
    party_open(&party, &cluster, rs_algorithms[a]);
    int status = run_confined(&party, false);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
      skip();
    if (WIFSIGNALED(status))
      fail_msg("%s makes a system call (signal %d)", rs_algorithms[a]->name, WTERMSIG(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    // And such a call would have been noticed.
    assert_true(WIFSIGNALED(run_confined(&party, true)));
    party_close(&party, RANKS);
  }
  cluster_close(&cluster);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_no_allocation),
      cmocka_unit_test(test_no_system_call),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
