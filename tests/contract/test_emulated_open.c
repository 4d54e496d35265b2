// What only the emulated transport can get wrong: its shared memory, its options, ranks that it cannot serve, ranks
// that end early; and that what is due comes no earlier.
#include "support/contract_variants.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "transport/emulated_device.h"

#define RANKS_MAX 4096

// Devices of one launch before they are connected.
struct launch {
  size_t rank_count;
  struct rs_transport_params params;
  uint8_t (*addresses)[RS_ADDRESS_BYTES_MAX];
  bool *peers;
  struct rs_device *devices[4];
};

static enum rs_status launch_open(struct launch *launch, const struct rs_emulated_options *options, size_t rank_count,
                                  size_t opened, struct rs_error *error) {
  memset(launch, 0, sizeof *launch);
  launch->rank_count = rank_count;
  launch->params = (struct rs_transport_params){
      .rank_count = rank_count, .lanes = 1, .one_host = true, .timeout_ns = 200000000, .options = options};
  launch->addresses = calloc(rank_count, sizeof *launch->addresses);
  launch->peers = calloc(rank_count, sizeof *launch->peers);
  assert_non_null(launch->addresses);
  assert_non_null(launch->peers);
  assert_rs_ok(rs_random_bytes(launch->params.token, sizeof launch->params.token, error), error);
  memset(launch->peers, true, rank_count);
  for (size_t r = 0; r < opened; r++) {
    launch->params.rank = r;
    enum rs_status status = rs_transport_emulated.open(&launch->params, &launch->devices[r], error);
    if (status < 0)
      return status;
    rs_transport_emulated.address(launch->devices[r], launch->addresses[r]);
  }
  return RS_OK;
}

static void launch_close(struct launch *launch) {
  for (size_t r = 0; r < RS_ARRAY_LENGTH(launch->devices); r++)
    rs_transport_emulated.close(launch->devices[r]);
  free(launch->addresses);
  free(launch->peers);
}

static enum rs_status connect_one(struct launch *launch, size_t rank, struct rs_error *error) {
  enum rs_status status;
  while ((status = rs_transport_emulated.connect(launch->devices[rank], launch->addresses[0], launch->peers, error)) ==
         RS_IN_PROGRESS)
    sched_yield();
  return status;
}

// Segments in /dev/shm that belong to this launch.
static size_t segments_of(const struct launch *launch) {
  const struct rs_emulated_shape shape = {0};
  struct rs_emulated_segment segment;
  rs_emulated_segment_init(&segment, &shape, launch->params.token);
  char path[128];
  snprintf(path, sizeof path, "/dev/shm%s", segment.name);
  return access(path, F_OK) == 0;
}

// ---- shared memory ----------------------------------------------------------------------------------------

static void name_is_gone_once_all_have_attached(void **state) {
  (void)state;
  struct launch launch;
  struct rs_error error = {0};
  assert_rs_ok(launch_open(&launch, &emulated_fast, 2, 2, &error), &error);
  assert_int_equal(segments_of(&launch), 0);
  rs_transport_emulated.connect(launch.devices[0], launch.addresses[0], launch.peers, &error);
  assert_int_equal(segments_of(&launch), 1);
  rs_transport_emulated.connect(launch.devices[1], launch.addresses[0], launch.peers, &error);
  assert_int_equal(segments_of(&launch), 0);
  launch_close(&launch);
}

static void nothing_is_left_when_ranks_stay_away(void **state) {
  (void)state;
  struct launch launch;
  struct rs_error error = {0};
  assert_rs_ok(launch_open(&launch, &emulated_fast, 3, 2, &error), &error);
  rs_transport_emulated.address(launch.devices[0], launch.addresses[2]);
  assert_int_equal(rs_transport_emulated.connect(launch.devices[1], launch.addresses[0], launch.peers, &error),
                   RS_IN_PROGRESS);
  assert_rs_error(connect_one(&launch, 0, &error), &error, RS_ERROR_TIMEOUT, "2 of 3 ranks", "one machine", "/dev/shm");
  launch_close(&launch);
  assert_int_equal(segments_of(&launch), 0);
}

// A rank that is killed while connecting leaves its segment, and another launch does not meet it.
static void next_launch_after_a_kill(void **state) {
  (void)state;
  struct launch killed, next;
  struct rs_error error = {0};
  assert_rs_ok(launch_open(&killed, &emulated_fast, 2, 2, &error), &error);
  pid_t child = fork();
  if (child == 0) {
    rs_transport_emulated.connect(killed.devices[0], killed.addresses[0], killed.peers, &error);
    raise(SIGKILL);
  }
  assert_int_equal(waitpid(child, NULL, 0), child);
  assert_int_equal(segments_of(&killed), 1);
  assert_rs_ok(launch_open(&next, &emulated_fast, 1, 1, &error), &error);
  assert_rs_ok(connect_one(&next, 0, &error), &error);
  launch_close(&next);
  // The other rank of the same launch can tidy up: it attaches, and one is missing.
  assert_int_equal(rs_transport_emulated.connect(killed.devices[1], killed.addresses[0], killed.peers, &error),
                   RS_IN_PROGRESS);
  launch_close(&killed);
  assert_int_equal(segments_of(&killed), 0);
}

static void no_room_is_an_error(void **state) {
  (void)state;
  struct launch launch;
  struct rs_error error = {0};
  struct rs_fabric fabric = fabric_fast;
  fabric.hosts = RANKS_MAX;
  const struct rs_emulated_options options = {.slowdown = {"1"}, .model = &fabric};
  // About 900 GiB: more than any /dev/shm.
  assert_rs_ok(launch_open(&launch, &options, RANKS_MAX, 0, &error), &error);
  launch.params.lanes = 64;
  assert_rs_ok(rs_transport_emulated.open(&launch.params, &launch.devices[0], &error), &error);
  for (size_t r = 0; r < RANKS_MAX; r++)
    rs_transport_emulated.address(launch.devices[0], launch.addresses[r]);
  assert_rs_error(connect_one(&launch, 0, &error), &error, RS_ERROR_IO, "/dev/shm", "bytes", "4096 ranks", "64 lanes");
  launch_close(&launch);
  assert_int_equal(segments_of(&launch), 0);
}

static void other_fabric_on_another_rank(void **state) {
  (void)state;
  struct launch launch;
  struct rs_error error = {0};
  assert_rs_ok(launch_open(&launch, &emulated_fast, 2, 1, &error), &error);
  launch.params.rank = 1;
  launch.params.options = &emulated_rough;
  assert_rs_ok(rs_transport_emulated.open(&launch.params, &launch.devices[1], &error), &error);
  rs_transport_emulated.address(launch.devices[1], launch.addresses[1]);
  rs_transport_emulated.connect(launch.devices[0], launch.addresses[0], launch.peers, &error);
  assert_rs_error(connect_one(&launch, 1, &error), &error, RS_ERROR_PEER, "the same fabric");
  launch_close(&launch);
}

// ---- what it cannot serve ---------------------------------------------------------------------------------

static void ranks_on_two_machines(void **state) {
  (void)state;
  struct launch launch;
  struct rs_error error = {0};
  assert_rs_ok(launch_open(&launch, &emulated_fast, 2, 2, &error), &error);
  struct rs_emulated_machine_name other = {.hostname = "elsewhere", .boot = 1};
  memcpy(launch.addresses[1] + RS_EMULATED_MACHINE_AT, &other, sizeof other);
  assert_rs_error(connect_one(&launch, 0, &error), &error, RS_ERROR_USAGE, "one machine only", "'elsewhere'", "rank 1");
  launch_close(&launch);
}

static void bad_options(void **state) {
  (void)state;
  struct rs_fabric small = fabric_fast, silent = fabric_fast;
  small.hosts = 2;
  small.ranks = 1;
  silent.links[RS_DISTANCE_LEAF].latency_ns = 0;
  const struct {
    struct rs_emulated_options options;
    const char *words[2];
  } rows[] = {
      {{.slowdown = {"1"}}, {"emulated.fabric is not given", "configs/fabrics"}},
      {{.slowdown = {"1"}, .fabric = {"/nowhere/f.yaml"}}, {"/nowhere/f.yaml", ""}},
      {{.slowdown = {"1"}, .model = &small}, {"fast", "3"}},
      {{.slowdown = {"1"}, .model = &silent}, {"leaf", "latency"}},
      {{.slowdown = {"0"}, .model = &fabric_fast}, {"emulated.slowdown=0", "auto"}},
      {{.slowdown = {"nan"}, .model = &fabric_fast}, {"emulated.slowdown=nan", "auto"}},
      {{.slowdown = {"2x"}, .model = &fabric_fast}, {"emulated.slowdown=2x", "auto"}},
      {{.slowdown = {""}, .model = &fabric_fast}, {"emulated.slowdown=", "auto"}},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    struct launch launch;
    struct rs_error error = {0};
    enum rs_status status = launch_open(&launch, &rows[i].options, 3, 1, &error);
    assert_rs_error(status, &error, RS_ERROR_USAGE, rows[i].words[0], rows[i].words[1]);
    launch_close(&launch);
  }
}

// ---- what it gives ----------------------------------------------------------------------------------------

static void open_pair(struct contract_group *group, const struct rs_emulated_options *options,
                      struct contract_memory memory[2], size_t bytes) {
  static struct contract_variant variant = {"emulated", &rs_transport_emulated, NULL};
  struct rs_error error = {0};
  variant.options = options;
  assert_rs_ok(contract_group_open(&variant, 2, 1, group, &error), &error);
  for (size_t r = 0; r < 2; r++)
    assert_rs_ok(contract_memory_open(group->devices[r], bytes, &memory[r], &error), &error);
}

// A message of 1 MB at 1 Gbit/s and 1 ms takes at least 9 ms, and its send at least 8; three times that, slowed down.
static void nothing_is_early(void **state) {
  (void)state;
  enum { BYTES = 1000000 };
  struct rs_fabric fabric = fabric_fast;
  fabric.egress_bit_s = fabric.ingress_bit_s = 1000000000;
  fabric.links[RS_DISTANCE_LEAF].latency_ns = 1000000;
  static const char *const slowdowns[] = {"1", "3"};
  for (size_t s = 0; s < RS_ARRAY_LENGTH(slowdowns); s++) {
    struct rs_emulated_options options = {.model = &fabric};
    snprintf(options.slowdown.text, sizeof options.slowdown.text, "%s", slowdowns[s]);
    int64_t unit_ns = 1000000 * (int64_t)strtol(slowdowns[s], NULL, 10);
    struct contract_group group;
    struct contract_memory memory[2];
    struct rs_error error = {0};
    open_pair(&group, &options, memory, BYTES);
    contract_fill(memory[0].buffer.address, BYTES, 3);
    int64_t start_ns = rs_clock_ns(), ends_ns[2] = {0};
    assert_int_equal(rs_transport_emulated.post_recv(group.devices[1], 0, 0, memory[1].region, 0, BYTES, 1, &error),
                     RS_IN_PROGRESS);
    assert_int_equal(rs_transport_emulated.post_send(group.devices[0], 1, 0, memory[0].region, 0, BYTES, 0, &error),
                     RS_IN_PROGRESS);
    int64_t deadline_ns = start_ns + CONTRACT_PATIENCE_NS;
    while ((ends_ns[0] == 0 || ends_ns[1] == 0) && rs_clock_ns() < deadline_ns)
      for (size_t r = 0; r < 2; r++) {
        struct rs_completion completion;
        size_t count;
        assert_rs_ok(rs_transport_emulated.progress(group.devices[r], &completion, 1, &count, &error), &error);
        if (count > 0)
          ends_ns[completion.cookie] = rs_clock_ns();
      }
    assert_true(ends_ns[0] - start_ns >= 8 * unit_ns);
    assert_true(ends_ns[1] - start_ns >= 9 * unit_ns);
    assert_int_equal(contract_check(memory[1].buffer.address, BYTES, 3), BYTES);
    struct rs_limits limits;
    rs_transport_emulated.limits(group.devices[1], &limits);
    assert_true(limits.emulated && limits.moves_data && limits.can_sleep);
    assert_int_equal((int64_t)limits.slowdown * 1000000, unit_ns);
    assert_int_equal(contract_counted(group.devices[1], "emulated.messages"), 1);
    assert_true(contract_counted(group.devices[1], "emulated.quanta") >= BYTES / 65536);
    assert_int_equal(contract_counted(group.devices[0], "emulated.messages"), 0);
    for (size_t r = 0; r < 2; r++)
      contract_memory_close(&memory[r]);
    contract_group_close(&group);
  }
}

// All ranks agree on the slowdown that one of them found.
static void automatic_slowdown_is_agreed(void **state) {
  (void)state;
  const struct rs_emulated_options options = {.slowdown = {"auto"}, .model = &fabric_fast};
  struct contract_group group;
  struct contract_memory memory[2];
  struct rs_limits limits[2];
  open_pair(&group, &options, memory, 8);
  for (size_t r = 0; r < 2; r++) {
    rs_transport_emulated.limits(group.devices[r], &limits[r]);
    contract_memory_close(&memory[r]);
  }
  assert_true(limits[0].slowdown > 1 && limits[0].slowdown == limits[1].slowdown);
  contract_group_close(&group);
}

// The bytes are there long before the message is due; the sender closes in between.
static void sender_closes_in_the_middle(void **state) {
  (void)state;
  enum { BYTES = 20000 };
  struct rs_fabric fabric = fabric_fast;
  fabric.egress_bit_s = 1000000; // 160 ms
  const struct rs_emulated_options options = {.slowdown = {"1"}, .model = &fabric};
  struct contract_group group;
  struct contract_memory memory[2];
  struct rs_error error = {0};
  open_pair(&group, &options, memory, BYTES);
  assert_int_equal(rs_transport_emulated.post_recv(group.devices[1], 0, 0, memory[1].region, 0, BYTES, 1, &error),
                   RS_IN_PROGRESS);
  assert_int_equal(rs_transport_emulated.post_send(group.devices[0], 1, 0, memory[0].region, 0, BYTES, 0, &error),
                   RS_IN_PROGRESS);
  contract_memory_close(&memory[0]);
  rs_transport_emulated.close(group.devices[0]);
  group.devices[0] = NULL;
  size_t left = 1;
  enum rs_status status = contract_group_drive(&group, &left, CONTRACT_PATIENCE_NS, &error);
  assert_rs_error(status, &error, RS_ERROR_PEER, "rank 0", "closed");
  contract_memory_close(&memory[1]);
  contract_group_close(&group);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(name_is_gone_once_all_have_attached),
      cmocka_unit_test(nothing_is_left_when_ranks_stay_away),
      cmocka_unit_test(next_launch_after_a_kill),
      cmocka_unit_test(no_room_is_an_error),
      cmocka_unit_test(other_fabric_on_another_rank),
      cmocka_unit_test(ranks_on_two_machines),
      cmocka_unit_test(bad_options),
      cmocka_unit_test(nothing_is_early),
      cmocka_unit_test(automatic_slowdown_is_agreed),
      cmocka_unit_test(sender_closes_in_the_middle),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
