// ringside run: the main job. Everything before the first case is agreed by all ranks, so that bad input ends in one
// line and exit code 2; after that, a rank that fails says so and aborts the launch with exit code 4.
#include "command.h"
#include "printout.h"
#include "run_network.h"
#include "run_order.h"
#include "run_placement.h"
#include "run_record.h"
#include "run_setup.h"

#include "ringside/launch.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Starting all ranks may take several times as long as a rank waits for others afterwards.
#define LAUNCH_TIMEOUTS 4
// What any disk takes, when one rank compresses the file and the others are done.
#define FINISH_BYTES_PER_S 10000000
#define ROLL_CALL_NS INT64_C(1000000000)

// ---- agreement --------------------------------------------------------------------------------------------

// Every rank must have the same version and configuration; names the first line that differs from rank 0's.
static enum rs_status compare_config(const char *mine, const char *first, struct rs_error *error) {
  while (*mine && *mine == *first) {
    mine++;
    first++;
  }
  if (*mine == *first)
    return RS_OK;
  return rs_error_set(error, RS_ERROR_USAGE,
                      "this rank and rank 0 disagree about the configuration from '%.*s' against '%.*s' on; start all "
                      "ranks with the same ringside, file and options",
                      (int)strcspn(mine, "\n"), mine, (int)strcspn(first, "\n"), first);
}

static enum rs_status agree_on_config(struct rs_world *world, const struct rs_text *config, struct rs_error *error) {
  uint64_t bytes = config->length + 1;
  enum rs_status status = rs_world_broadcast(world, &bytes, sizeof bytes, 0, error);
  if (status < 0)
    return status;
  char *first = rs_allocate(bytes, 1, "the configuration of rank 0", error);
  if (first == NULL)
    return error->status;
  if (world->rank == 0)
    memcpy(first, config->data, bytes);
  status = rs_world_broadcast(world, first, bytes, 0, error);
  if (status == RS_OK)
    status = compare_config(config->data, first, error);
  free(first);
  return rs_world_agree(world, status, error);
}

static enum rs_status draw_seed(struct rs_world *world, struct rs_config *config, struct rs_error *error) {
  if (world->rank == 0 && config->seed == 0) {
    uint32_t seed;
    if (rs_random_bytes(&seed, sizeof seed, error) < 0)
      return error->status;
    config->seed = (uint64_t)seed + 1;
  }
  return rs_world_broadcast(world, &config->seed, sizeof config->seed, 0, error);
}

// ---- checks before anything is touched --------------------------------------------------------------------

static enum rs_status check_memory(const struct run_setup *setup, const struct rs_plan *plan,
                                   const struct rs_placement *placement, size_t rank, struct rs_error *error) {
  const struct rs_host_facts *host = &placement->hosts[placement->ranks[rank].host];
  size_t sharing = rs_placement_machine_ranks(placement, rank);
  uint64_t needed, available = host->memory_available_bytes;
  char needed_text[32], available_text[32];
  if (rs_runner_memory(&setup->config, plan, rank, &needed, error) < 0)
    return error->status;
  if (available == 0 || needed <= available / sharing)
    return RS_OK;
  return rs_error_set(error, RS_ERROR_USAGE,
                      "host %s has %s of memory free for %zu ranks, and this rank alone needs %s; use smaller sizes "
                      "(the largest is set by 'size') or fewer ranks per host",
                      host->hostname, rs_format_size(available, available_text, sizeof available_text), sharing,
                      rs_format_size(needed, needed_text, sizeof needed_text));
}

// Rank 0: says before the long work what rs_writer_open would say after it.
static enum rs_status check_output(const struct run_setup *setup, const char *path, struct rs_error *error) {
  struct stat info;
  if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
    return rs_error_set(error, RS_ERROR_USAGE, "the output %s is a directory; give a file name with -o", path);
  if (access(path, F_OK) == 0 && !setup->force)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "the output %s exists; choose another name with -o, or --force to replace it", path);
  const char *slash = strrchr(path, '/');
  char folder[4096] = ".";
  if (slash)
    snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
  if (access(folder, W_OK | X_OK) != 0)
    return rs_error_set_errno(error, RS_ERROR_USAGE, errno, "cannot write the output into %s", folder);
  return RS_OK;
}

static void default_path(char *path, size_t bytes) {
  char now[32], compact[32];
  rs_clock_utc(now, sizeof now);
  size_t length = 0;
  for (const char *c = now; *c; c++)
    if (*c != '-' && *c != ':')
      compact[length++] = *c;
  compact[length] = '\0';
  struct stat info;
  bool results = stat("results", &info) == 0 && S_ISDIR(info.st_mode);
  snprintf(path, bytes, "%sringside-%s.h5", results ? "results/" : "", compact);
}

// ---- progress and plan on paper ---------------------------------------------------------------------------

struct screen {
  struct run_record record;
  bool progress;
  size_t finished; // cases that are in the file
};

static enum rs_status screen_case(void *state, const struct rs_case_result *result, struct rs_error *error) {
  struct screen *screen = state;
  enum rs_status status = run_record_case(&screen->record, result, error);
  screen->finished += status == RS_OK;
  return status;
}

static void case_words(const struct rs_case *point, char *text, size_t bytes) {
  char size[32], program[64];
  bool network = point->benchmark != RS_BENCHMARK_REDUCE;
  rs_format_size(point->size_bytes, size, sizeof size);
  snprintf(text, bytes, "%s %s %s %s", network ? rs_collective_names[point->collective] : "reduction",
           rs_case_program(point, program, sizeof program), size, rs_datatype_names[point->datatype]);
}

// "root 3, round 2, beside incast": what else tells a case from its neighbours.
static void case_details(const struct rs_case *point, const struct rs_config *config, struct rs_text *text) {
  char pairing[32];
  if (rs_collective_traits[point->collective].reduces)
    rs_text_append(text, " %s", rs_operation_names[point->operation]);
  if (point->benchmark != RS_BENCHMARK_REDUCE)
    rs_text_append(text, " %s", rs_mode_names[point->mode]);
  if (point->in_place)
    rs_text_append(text, " in place");
  if (point->chunk_auto) {
    char size[32];
    rs_format_size(point->chunk_bytes, size, sizeof size);
    rs_text_append(text, " chunk auto:%s", point->chunk_bytes > 0 ? size : "uncut");
  }
  if (rs_collective_traits[point->collective].rooted)
    rs_text_append(text, " root %u", point->root);
  if (point->benchmark == RS_BENCHMARK_P2P)
    rs_text_append(text, " %s", rs_case_pairing(point, (enum rs_pairs)config->pairs, pairing, sizeof pairing));
  if (point->congestor != RS_CONGESTOR_NONE)
    rs_text_append(text, " beside %s", rs_congestor_names[point->congestor]);
}

static void screen_progress(void *state, size_t done, size_t total, double seconds_left, const struct rs_case *next) {
  const struct screen *screen = state;
  static const char bar[] = "##############################";
  if (!screen->progress)
    return;
  char words[128];
  case_words(next, words, sizeof words);
  char left[32] = "";
  if (seconds_left >= 0)
    snprintf(left, sizeof left, "%.0f s left", seconds_left);
  int filled = (int)(done * (sizeof bar - 1) / total);
  fprintf(stderr, "\r[%-*.*s] %zu/%zu %-11s %-40.40s", (int)sizeof bar - 1, filled, bar, done, total, left, words);
  fflush(stderr);
}

static void clear_progress(const struct screen *screen) {
  if (screen->progress)
    fprintf(stderr, "\r%100s\r", "");
}

static enum rs_status print_plan(const struct rs_plan *plan, const struct rs_config *config,
                                 const struct rs_placement *placement, struct rs_error *error) {
  uint64_t bytes;
  if (rs_runner_memory(config, plan, 0, &bytes, error) < 0)
    return error->status;
  for (size_t i = 0; i < plan->case_count; i++) {
    const struct rs_case *point = &plan->cases[i];
    char words[128];
    struct rs_text details = {0};
    case_words(point, words, sizeof words);
    case_details(point, config, &details);
    printf("%4u  %s%s\n", point->id, words, details.data ? details.data : "");
    rs_text_fini(&details);
  }
  if (config->order) {
    printf("order of ranks:");
    for (uint32_t i = 0; i < plan->measured_count; i++)
      printf(" %u", plan->order[i]);
    printf("\n");
  }
  char memory[32];
  rs_format_size(bytes, memory, sizeof memory);
  printf("%zu cases, %zu ranks on %zu hosts, at most %zu iterations each, %s per rank\n", plan->case_count,
         placement->rank_count, placement->host_count, rs_runner_max_iterations(config, plan, placement->rank_count),
         memory);
  return RS_OK;
}

// ---- the run ----------------------------------------------------------------------------------------------

struct run {
  const struct run_setup *setup;
  struct rs_loop_hub *hub; // ranks as threads
  struct rs_config config;
  struct rs_plan plan;
  struct rs_topology *topology;
  struct run_placement where;
  uint32_t *order; // of ranks; NULL: as they are
  struct rs_text config_text;
  char path[4096];
  atomic_int *code; // of exit, when the run itself went well; shared by ranks that are threads
};

// After a wait in vain. Who is lost says nothing, and those who say what they waited for may have waited for one that
// waits itself; but they all come to the end of their patience together, and can hear who else does.
static void name_lost(struct rs_world *world, const struct rs_placement *placement) {
  struct rs_error unheard = {0};
  bool *present = rs_allocate(world->size, sizeof *present, "the roll call", &unheard);
  if (present == NULL)
    return;
  rs_world_roll_call(world, ROLL_CALL_NS, present);
  for (size_t r = 0; r < world->size; r++)
    if (!present[r])
      fprintf(
          stderr,
          "ringside run: no answer from rank %zu on host %s: it was killed or stopped, or is cut off from rank %zu\n",
          r, placement->hosts[placement->ranks[r].host].hostname, world->rank);
  // Rank 0 knows more than the others, whose end would be its own.
  if (world->rank != 0 && present[0])
    usleep(ROLL_CALL_NS / 1000);
  free(present);
}

static void say_finished(const struct screen *screen) {
  if (screen->record.writer)
    fprintf(stderr, "ringside run: %zu of %zu cases had finished and are in %s\n", screen->finished,
            screen->record.plan->case_count, screen->record.path);
  fflush(NULL);
}

// The other thread of this rank is in MPI, which is therefore closed to this one: it just ends, and mpirun ends the
// rest. All who wait come here at about the same time and are given the time to say so.
static void screen_stuck(void *state, const struct rs_error *error) {
  const struct screen *screen = state;
  clear_progress(screen);
  fprintf(stderr, "ringside run: rank %zu: %s\n", screen->record.world->rank, error->text);
  say_finished(screen);
  usleep(ROLL_CALL_NS / 1000);
  _Exit(EXIT_FAILED);
}

static void fail_alone(struct rs_world *world, struct screen *screen, const struct rs_error *error) {
  clear_progress(screen);
  fprintf(stderr, "ringside run: rank %zu: %s\n", world->rank, error->text);
  say_finished(screen);
  rs_writer_abandon(screen->record.writer);
  if (error->status == RS_ERROR_TIMEOUT)
    name_lost(world, &screen->record.where->placement);
  fflush(NULL);
  rs_world_abort(world, EXIT_FAILED);
}

static enum rs_status print_result(const struct run *run, struct rs_error *error) {
  struct rs_result *result;
  if (rs_result_open(run->path, &result, error) < 0)
    return error->status;
  if (!run->setup->quiet)
    printout_table(result);
  rs_result_close(result);
  printf("%sresult: %s\n", run->setup->quiet ? "" : "\n", run->path);
  if (fflush(stdout) != 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "printing the result, which is safe in %s", run->path);
  return RS_OK;
}

static struct rs_runner_params runner_params(struct rs_world *world, const struct run *run, const struct rs_log *log) {
  return (struct rs_runner_params){
      .world = world,
      .config = &run->config,
      .plan = &run->plan,
      .placement = &run->where.placement,
      .transport_options = (const void *const *)run->setup->transport_options,
      .log = log,
      .hub = run->hub,
  };
}

static enum rs_status measure(struct rs_world *world, struct run *run, struct rs_error *error) {
  struct rs_log log = {.level = RS_LOG_WARNING, .rank = world->rank, .file = stderr};
  struct rs_runner_params params = runner_params(world, run, &log);
  struct rs_runner *runner;
  rs_interrupt_hold();
  enum rs_status status = rs_runner_open(&params, &runner, error);
  if (status < 0)
    goto release_interrupts;
  struct screen screen = {
      .record = {.world = world,
                 .setup = run->setup,
                 .config = &run->config,
                 .plan = &run->plan,
                 .topology = run->topology,
                 .where = &run->where,
                 .path = run->path,
                 .config_text = run->config_text.data,
                 .clock_cost_ns = rs_runner_clock_cost(runner)},
      .progress = run->setup->progress && world->rank == 0,
  };
  status = rs_world_agree(world, run_record_open(&screen.record, runner, error), error);
  if (status < 0)
    goto close_runner;
  struct rs_sink sink = {&screen, screen_case, screen_progress, screen_stuck};
  status = rs_runner_run(runner, &sink, error);
  if (status < 0 && status != RS_ERROR_MISMATCH)
    fail_alone(world, &screen, error);
  clear_progress(&screen);
  // The others wait for rank 0 where the launch ends.
  uint64_t bytes = rs_store_sample_bytes(run->plan.case_count, world->size,
                                         rs_runner_max_iterations(&run->config, &run->plan, world->size));
  world->timeout_ns += (int64_t)(bytes / FINISH_BYTES_PER_S) * 1000000000;
  struct rs_error writing = {0};
  if (run_record_finish(&screen.record, &writing) < 0 || (world->rank == 0 && print_result(run, &writing) < 0))
    fail_alone(world, &screen, &writing);
close_runner:
  run_record_fini(&screen.record);
  rs_runner_close(runner);
release_interrupts:
  rs_interrupt_release();
  return status;
}

// What `transport=auto` is here, and why nothing better.
static enum rs_status choose_transport(struct rs_world *world, struct run *run, struct rs_error *error) {
  struct rs_log log = {.level = RS_LOG_WARNING, .rank = world->rank, .file = stderr};
  struct rs_runner_params params = runner_params(world, run, &log);
  struct rs_text why = {0};
  if (rs_transport_choose(&params, &run->config, &why, error) == RS_OK && world->rank == 0 && why.length > 0)
    fprintf(stderr, "ringside run: %s", why.data);
  rs_text_fini(&why);
  return rs_world_agree(world, error->status, error);
}

static enum rs_status prepare(struct rs_world *world, struct run *run, struct rs_error *error) {
  const struct run_setup *setup = run->setup;
  if (draw_seed(world, &run->config, error) < 0)
    return error->status;
  if (rs_world_agree(world, rs_topology_open(&run->topology, error), error) < 0)
    return error->status;
  if (run_placement_init(world, setup, run->topology, &run->where, error) < 0)
    return error->status;
  if (choose_transport(world, run, error) < 0)
    return error->status;
  if (run_order_make(world, setup->order, &run->where.placement, &run->order, error) < 0)
    return error->status;
  run->config.order = run->order;
  if (rs_world_agree(world, rs_plan_make(&run->config, &run->where.placement, &run->plan, error), error) < 0)
    return error->status;
  if (world->rank == 0 && run->plan.left_out > 0)
    fprintf(stderr, "ringside run: %zu combination%s left out: %s\n", run->plan.left_out,
            run->plan.left_out == 1 ? " is" : "s are", run->plan.reason);
  enum rs_status status = check_memory(setup, &run->plan, &run->where.placement, world->rank, error);
  if (status == RS_OK && world->rank == 0 && !setup->dry_run)
    status = check_output(setup, run->path, error);
  return rs_world_agree(world, status, error);
}

// What the file keeps: everything as it was given, and what became of it in `config`.
static enum rs_status format_config(const struct run_setup *setup, const struct rs_config *config, struct rs_text *text,
                                    struct rs_error *error) {
  const struct rs_word_list *transports = &config->transports;
  rs_text_append(text, "# ringside %s\n", RS_VERSION_STRING);
  rs_options_format(&setup->options, text);
  if (config->seed != setup->config.seed)
    rs_text_append(text, "# run.seed was drawn: %llu\n", (unsigned long long)config->seed);
  if (memcmp(transports, &setup->config.transports, sizeof *transports) != 0) {
    rs_text_append(text, "# transport became:");
    for (size_t i = 0; i < transports->count; i++)
      rs_text_append(text, " %s", transports->words[i]);
    rs_text_append(text, "\n");
  }
  return text->failed ? rs_error_set_memory(error, text->length, "the configuration") : RS_OK;
}

// One rank of a launch that only looks whether it could run.
static enum rs_status check_rank(struct rs_world *world, void *argument, struct rs_error *error) {
  const struct run *run = argument;
  bool fine;
  world->timeout_ns = 2 * run->setup->config.timeout_ns;
  enum rs_status status = run_network(world, run->setup, &fine, error);
  if (status == RS_OK && !fine)
    atomic_store(run->code, EXIT_NO);
  if (status == RS_OK && world->rank == 0 && fflush(stdout) != 0)
    status = rs_error_set_errno(error, RS_ERROR_IO, errno, "printing what the network check found");
  return status;
}

// One rank from start to end.
static enum rs_status run_rank(struct rs_world *world, void *argument, struct rs_error *error) {
  const struct run *shared = argument;
  struct run run = *shared;
  struct rs_text own = {0};
  // Twice, so that a rank whose own wait runs out says what for, before others give up waiting for it.
  world->timeout_ns = 2 * run.setup->config.timeout_ns;
  enum rs_status status = rs_world_agree(world, format_config(run.setup, &run.setup->config, &own, error), error);
  if (status == RS_OK)
    status = agree_on_config(world, &own, error);
  rs_text_fini(&own);
  if (status == RS_OK)
    status = prepare(world, &run, error);
  if (status == RS_OK)
    status = rs_world_agree(world, format_config(run.setup, &run.config, &run.config_text, error), error);
  if (status == RS_OK && run.setup->dry_run) {
    if (world->rank == 0)
      status = print_plan(&run.plan, &run.config, &run.where.placement, error);
  } else if (status == RS_OK) {
    status = measure(world, &run, error);
  }
  rs_text_fini(&run.config_text);
  run_placement_fini(&run.where);
  rs_topology_close(run.topology);
  rs_plan_fini(&run.plan);
  free(run.order);
  return status;
}

static rs_rank_body body_of(const struct run *run) {
  return run->setup->check_network ? check_rank : run_rank;
}

static enum rs_status run_threads(struct run *run, struct rs_error *error) {
  size_t threads = run->setup->config.threads;
  if (rs_launch_present())
    return rs_error_set(error, RS_ERROR_USAGE, "run.threads and mpirun exclude each other; leave one of them out");
  for (size_t i = 0; i < run->setup->config.baselines.count; i++)
    if (strcmp(run->setup->config.baselines.words[i], "mpi") == 0)
      return rs_error_set(error, RS_ERROR_USAGE, "baseline mpi needs mpirun; with run.threads add --set baseline=none");
  enum rs_status status = rs_loop_hub_open(threads, &run->hub, error);
  // The threads are not to lose an interrupt to this one, which only waits for them.
  rs_interrupt_hold();
  if (status == RS_OK)
    status = rs_launch_threads(threads, body_of(run), run, error);
  rs_interrupt_release();
  rs_loop_hub_close(run->hub);
  return status;
}

// Under mpirun all ranks hear of bad usage before one of them says it.
static int run_mpi(struct run *run, enum rs_status parsed, struct rs_error *error) {
  struct rs_world *world;
  if (rs_launch_init(LAUNCH_TIMEOUTS * run->config.timeout_ns, &world, error) < 0)
    return command_fail("run", error);
  enum rs_status status = rs_world_agree(world, parsed, error);
  if (status == RS_OK)
    status = body_of(run)(world, run, error);
  int code = status < 0 ? rs_status_exit_code(status) : atomic_load(run->code);
  if (status < 0 && world->rank == 0)
    command_fail("run", error);
  rs_launch_fini(world);
  return code;
}

int cmd_run(int argc, char **argv) {
  struct run_setup setup = {0};
  struct rs_error error = {0};
  enum rs_status parsed = rs_cloud_init(&error);
  if (parsed == RS_OK)
    parsed = run_setup_init(&setup, argc, argv, &error);
  int code = EXIT_YES;
  atomic_int verdict = EXIT_YES;
  struct run run = {.setup = &setup, .config = setup.config, .code = &verdict};
  if (setup.output)
    snprintf(run.path, sizeof run.path, "%s", setup.output);
  else
    default_path(run.path, sizeof run.path);
  if (parsed == RS_OK && setup.help)
    run_setup_help(&setup);
  else if (parsed < 0 && !rs_launch_present())
    code = command_fail("run", &error);
  else if (parsed == RS_OK && setup.config.threads > 0)
    code = run_threads(&run, &error) < 0 ? command_fail("run", &error) : atomic_load(&verdict);
  else
    code = run_mpi(&run, parsed, &error);
  run_setup_fini(&setup);
  rs_cloud_fini();
  return code;
}
