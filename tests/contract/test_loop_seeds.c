// A thousand runs over loop, each with a fault of its own at a moment of its own: a post, a landing, a registration,
// open or connect that fails, a rank that falls silent, memory that cannot be had, a bit that flips, a result that
// cannot be stored; or none but refused posts, delay and reordering. Ranks are threads, the runner is the real one.
// Every run ends verified, or with an error on the ranks that were touched; and it leaves nothing behind.
//
//   RS_TEST_SEED=829 RS_TEST_SEEDS=1 tests/test_loop_seeds     runs one seed again
#include "support/contract_cmocka.h"

#include "ringside/launch.h"
#include "ringside/measure.h"
#include "transport/loop.h"

#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#define LEAKS() __lsan_do_recoverable_leak_check()
#else
#define LEAKS() 0
#endif

#define RANKS_MAX 4
#define OPTIONS_MAX 40
// A run that takes longer hangs. Only a silent rank makes others wait for a time, and for a short one.
#define PATIENCE_S 60
#define TIMEOUT_NS INT64_C(30000000000)
#define TIMEOUT_SILENT_NS INT64_C(60000000)

enum fault { FAULT_NONE, FAULT_DEVICE, FAULT_SILENT, FAULT_MEMORY, FAULT_CORRUPT, FAULT_SINK, FAULT_COUNT };
static const char *const fault_names[] = {"none", "device", "silent", "memory", "corrupt", "sink"};

// ---- memory that cannot be had: the linker sends these calls here ------------------------------------------

static _Thread_local uint64_t allocations_left; // the one that makes it 0 fails; 0: none does
void *__real_rs_allocate(size_t count, size_t bytes, const char *what, struct rs_error *error);
void *__wrap_rs_allocate(size_t count, size_t bytes, const char *what, struct rs_error *error);
enum rs_status __real_rs_buffer_open(enum rs_memory_kind kind, size_t bytes, struct rs_buffer *buffer,
                                     struct rs_error *error);
enum rs_status __wrap_rs_buffer_open(enum rs_memory_kind kind, size_t bytes, struct rs_buffer *buffer,
                                     struct rs_error *error);

static bool allocation_fails(const char *what, struct rs_error *error) {
  if (allocations_left == 0 || --allocations_left > 0)
    return false;
  rs_error_set(error, RS_ERROR_MEMORY, "injected: no memory for %s", what);
  return true;
}

void *__wrap_rs_allocate(size_t count, size_t bytes, const char *what, struct rs_error *error) {
  return allocation_fails(what, error) ? NULL : __real_rs_allocate(count, bytes, what, error);
}

enum rs_status __wrap_rs_buffer_open(enum rs_memory_kind kind, size_t bytes, struct rs_buffer *buffer,
                                     struct rs_error *error) {
  return allocation_fails("a buffer", error) ? error->status : __real_rs_buffer_open(kind, bytes, buffer, error);
}

// ---- a run, from its seed ---------------------------------------------------------------------------------

struct outcome {
  enum rs_status status;
  struct rs_error error;
  bool opened;
};
struct run {
  uint64_t seed;
  enum fault fault;
  size_t rank_count, fault_rank;
  uint64_t fault_at;
  struct rs_config config;
  struct rs_loop_options loop;
  struct rs_rank_facts ranks[RANKS_MAX];
  struct rs_host_facts host;
  struct rs_placement placement;
  struct rs_plan plan;
  struct rs_loop_hub *hub;
  const void **transport_options;
  struct outcome outcomes[RANKS_MAX];
  // Rank 0's.
  size_t stored, verified, wrong;
};

static size_t below(struct rs_random *random, size_t bound) {
  return (size_t)rs_random_below(random, bound);
}

static void draw_fault(struct run *run, struct rs_random *random) {
  run->fault = (enum fault)below(random, FAULT_COUNT + 1) % FAULT_COUNT; // none twice as often
  // Silence costs its timeout, so it is seldom.
  if (run->fault == FAULT_SILENT && below(random, 3) != 0)
    run->fault = FAULT_DEVICE;
  run->fault_rank = below(random, run->rank_count);
  // Early moments more often: there are fewer of them.
  run->fault_at = 1 + below(random, (size_t)1 << (1 + below(random, 9)));
  run->loop = (struct rs_loop_options){
      .seed = run->seed,
      .segment = 1 + below(random, 8192),
      .reorder = below(random, 2) == 0,
      .delay = below(random, 4),
      .busy = below(random, 2) * below(random, 40),
  };
  if (run->fault == FAULT_DEVICE)
    run->loop.fail_in = LOOP_FAIL_LANDING + below(random, LOOP_FAIL_SILENT);
  if (run->fault == FAULT_SILENT)
    run->loop.fail_in = LOOP_FAIL_SILENT;
  if (run->loop.fail_in == LOOP_FAIL_OPEN || run->loop.fail_in == LOOP_FAIL_CONNECT)
    run->fault_at = 1;
  if (run->fault == FAULT_DEVICE || run->fault == FAULT_SILENT) {
    run->loop.fail_at = run->fault_at;
    run->loop.fail_rank = run->fault_rank + 1;
  }
  if (run->fault == FAULT_CORRUPT)
    run->loop.corrupt_at = run->fault_at;
}

static void set(const struct rs_options *options, const char *key, const char *value) {
  struct rs_error error = {0};
  assert_rs_ok(rs_options_set(options, "the test", key, value, &error), &error);
}

static const char *pick(struct rs_random *random, const char *const *words) {
  size_t count = 0;
  while (words[count])
    count++;
  return words[below(random, count)];
}
#define PICK(...) pick(random, (const char *const[]){__VA_ARGS__, NULL})

// False: such a combination is not measured.
static bool draw_config(struct run *run, struct rs_random *random) {
  struct rs_option_group groups[] = {{"", rs_sweep_options, &run->config},
                                     {"run", rs_run_options, &run->config},
                                     {"samples", rs_sample_options, &run->config}};
  const struct rs_options options = {groups, RS_ARRAY_LENGTH(groups)};
  struct rs_error error = {0};
  const struct rs_algorithm *algorithm = rs_algorithms[below(random, rs_algorithm_count)];
  bool pairs = algorithm->collective >= RS_PINGPONG;
  assert_rs_ok(rs_options_set_defaults(&options, &error), &error);
  set(&options, "benchmark", pairs ? "p2p" : "collective");
  set(&options, pairs ? "p2p" : "collective", rs_collective_names[algorithm->collective]);
  set(&options, "algorithm", algorithm->name);
  set(&options, "baseline", "none");
  set(&options, "transport", "loop");
  set(&options, "datatype", pick(random, rs_datatype_names));
  set(&options, "operation", pick(random, rs_operation_names));
  set(&options, "mode", pick(random, rs_mode_names));
  set(&options, "size", PICK("8", "1000", "4KiB,16KiB"));
  set(&options, "chunk", PICK("0", "512", "4KiB"));
  set(&options, "lanes", PICK("1", "2", "3"));
  set(&options, "in_place", pairs ? "no" : PICK("no", "yes", "no,yes"));
  set(&options, "run.start", PICK("time", "barrier"));
  set(&options, "run.probe", PICK("no", "no", "no", "yes"));
  set(&options, "run.wait", "sleep");
  set(&options, "run.case_time", "1us");
  set(&options, "samples.min_iterations", "1");
  set(&options, "samples.max_iterations", "1");
  set(&options, "samples.warm_up", "1");
  run->config.seed = run->seed + 1;
  run->config.timeout_ns = run->fault == FAULT_SILENT ? TIMEOUT_SILENT_NS : TIMEOUT_NS;
  for (size_t r = 0; r < run->rank_count; r++)
    run->ranks[r].local_rank = (uint32_t)r;
  run->placement =
      (struct rs_placement){.host_count = 1, .rank_count = run->rank_count, .hosts = &run->host, .ranks = run->ranks};
  return rs_plan_make(&run->config, &run->placement, &run->plan, &error) == RS_OK;
}

static enum rs_status store(void *state, const struct rs_case_result *result, struct rs_error *error) {
  struct run *run = state;
  run->stored++;
  run->verified += result->figures.verified == RS_VERIFIED;
  run->wrong += result->figures.verified == RS_VERIFY_FAILED;
  if (run->fault == FAULT_SINK && run->stored == 1 + run->fault_at % 2)
    return rs_error_set(error, RS_ERROR_IO, "injected: the disk is full");
  return RS_OK;
}

static void progress(void *state, size_t done, size_t total, double seconds_left, const struct rs_case *next) {
  (void)state, (void)done, (void)total, (void)seconds_left, (void)next;
}

static enum rs_status run_rank(struct rs_world *world, void *argument, struct rs_error *error) {
  struct run *run = argument;
  struct outcome *outcome = &run->outcomes[world->rank];
  const struct rs_runner_params params = {.world = world,
                                          .config = &run->config,
                                          .plan = &run->plan,
                                          .placement = &run->placement,
                                          .transport_options = run->transport_options,
                                          .hub = run->hub};
  const struct rs_sink sink = {.state = run, .case_finished = store, .progress = progress};
  struct rs_runner *runner;
  world->timeout_ns = 2 * run->config.timeout_ns;
  allocations_left = run->fault == FAULT_MEMORY && run->fault_rank == world->rank ? run->fault_at : 0;
  outcome->status = rs_runner_open(&params, &runner, error);
  outcome->opened = outcome->status == RS_OK;
  if (outcome->opened) {
    outcome->status = rs_runner_run(runner, &sink, error);
    rs_runner_close(runner);
  }
  allocations_left = 0;
  outcome->error = *error;
  return outcome->status;
}

// ---- what must be true of it ------------------------------------------------------------------------------

static void describe(const struct run *run, char *text, size_t bytes) {
  const struct rs_case *first = &run->plan.cases[0];
  snprintf(text, bytes, "seed %llu: %s %s on %zu ranks, %zu cases; fault %s%s%s at %llu of rank %zu",
           (unsigned long long)run->seed, rs_collective_names[first->collective], rs_case_implementation(first),
           run->rank_count, run->plan.case_count, fault_names[run->fault], run->loop.fail_at ? " " : "",
           run->loop.fail_at ? loop_fail_names[run->loop.fail_in] : "", (unsigned long long)run->fault_at,
           run->fault_rank);
}

#define require(run, condition, ...)                                                                                   \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      char require_what[300];                                                                                          \
      describe(run, require_what, sizeof require_what);                                                                \
      print_error("%s\n  ", require_what);                                                                             \
      print_error(__VA_ARGS__);                                                                                        \
      for (size_t require_r = 0; require_r < (run)->rank_count; require_r++)                                           \
        print_error("\n  rank %zu: %d %s", require_r, (int)(run)->outcomes[require_r].status,                          \
                    (run)->outcomes[require_r].error.text);                                                            \
      fail_msg("RS_TEST_SEED=%llu RS_TEST_SEEDS=1 runs it again", (unsigned long long)(run)->seed);                    \
    }                                                                                                                  \
  } while (0)

// What the fault that was drawn says of itself, in the words of who met it.
static bool names_cause(const struct run *run, const char *text) {
  switch (run->fault) {
  case FAULT_SILENT:
    return strstr(text, "nothing moved") || strstr(text, "did not answer") || strstr(text, "is every rank alive");
  case FAULT_CORRUPT:
    return strstr(text, "wrong result") && strstr(text, "element");
  case FAULT_NONE:
    return false;
  default:
    return strstr(text, "injected");
  }
}

static void judge(const struct run *run) {
  size_t failed = 0, opened = 0, causes = 0, sources = 0;
  char source[32];
  snprintf(source, sizeof source, "rank %zu has closed", run->fault_rank);
  for (size_t r = 0; r < run->rank_count; r++) {
    const struct outcome *outcome = &run->outcomes[r];
    bool cause = names_cause(run, outcome->error.text);
    opened += outcome->opened;
    failed += outcome->status < 0;
    causes += outcome->status < 0 && cause;
    sources += strstr(outcome->error.text, source) != NULL;
    if (outcome->status < 0) {
      require(run, outcome->status == outcome->error.status, "rank %zu: the status is not the error's", r);
      require(run, cause || strstr(outcome->error.text, "rank "), "rank %zu: neither cause nor peer is named", r);
    }
  }
  require(run, run->fault != FAULT_NONE || failed == 0, "nothing was injected");
  // Before the first case, all ranks know why, or at least who; a silent rank's short time may be over in between.
  bool agreed = run->fault != FAULT_SILENT;
  require(run, !agreed || opened == 0 || opened == run->rank_count, "only %zu ranks were opened", opened);
  require(run, !agreed || opened > 0 || causes == run->rank_count || sources == run->rank_count,
          "only %zu ranks know why they could not be opened", causes);
  require(run, failed == 0 || causes + sources > 0, "no rank names the cause");
  if (failed == 0)
    require(run, run->stored == run->plan.case_count && run->verified == run->stored,
            "%zu cases of %zu are stored, %zu verified", run->stored, run->plan.case_count, run->verified);
  if (run->fault == FAULT_CORRUPT && failed > 0)
    require(run, failed == run->rank_count && run->wrong > 0 && run->stored == run->plan.case_count,
            "a wrong result ended a run, or is not marked");
  else
    require(run, run->wrong == 0, "%zu results are wrong", run->wrong);
}

static size_t open_descriptors(void) {
  size_t count = 0;
  DIR *folder = opendir("/proc/self/fd");
  while (folder && readdir(folder))
    count++;
  if (folder)
    closedir(folder);
  return count;
}

// The one that runs, for the alarm.
static volatile sig_atomic_t running;

static void hangs(int number) {
  (void)number;
  char text[100];
  int length = snprintf(text, sizeof text, "it hangs; RS_TEST_SEED=%ld RS_TEST_SEEDS=1 runs it again\n", (long)running);
  (void)!write(STDERR_FILENO, text, (size_t)length);
  _exit(1);
}

// Whether anything was injected and met.
static bool run_seed(uint64_t seed) {
  struct rs_random random = {rs_hash64(seed)};
  struct run run = {.seed = seed, .rank_count = 2 + below(&random, RANKS_MAX - 1)};
  struct rs_error error = {0};
  draw_fault(&run, &random);
  while (!draw_config(&run, &random))
    rs_plan_fini(&run.plan);
  assert_rs_ok(rs_loop_hub_open(run.rank_count, &run.hub, &error), &error);
  run.transport_options = rs_allocate(rs_transport_count, sizeof(void *), "options", &error);
  for (size_t i = 0; i < rs_transport_count; i++)
    if (rs_transports[i] == &rs_transport_loop)
      run.transport_options[i] = &run.loop;
  size_t descriptors = open_descriptors();
  alarm(PATIENCE_S);
  running = (sig_atomic_t)seed;
  enum rs_status status = rs_launch_threads(run.rank_count, run_rank, &run, &error);
  alarm(0);
  judge(&run);
  require(&run, open_descriptors() == descriptors, "%zu descriptors, and %zu before", open_descriptors(), descriptors);
  free(run.transport_options);
  rs_loop_hub_close(run.hub);
  require(&run, LEAKS() == 0, "memory is lost");
  rs_plan_fini(&run.plan);
  return status < 0;
}

// RS_TEST_SEEDS, or enough for every fault to meet every stage of a run.
static uint64_t seed_count(void) {
  const char *text = getenv("RS_TEST_SEEDS");
  return text ? strtoull(text, NULL, 10) : 1000;
}

static void verified_or_one_clear_error(void **state) {
  (void)state;
  uint64_t first = contract_seed(), count = seed_count(), failed = 0;
  signal(SIGALRM, hangs);
  for (uint64_t i = 0; i < count; i++)
    failed += run_seed(first + i);
  print_message("%llu runs: %llu ended by their fault\n", (unsigned long long)count, (unsigned long long)failed);
  // A test that injects nothing, or in which nothing works, proves nothing.
  if (count >= 100)
    assert_in_range(failed, count / 4, count * 9 / 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(verified_or_one_clear_error)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
