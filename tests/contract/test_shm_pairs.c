// What only shm can get wrong: who is reached, who is believed, and what is noticed of a process that is killed.
#include "support/contract_cmocka.h"

#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "transport/shm.h"
#include "transport/shm_socket.h"

#define TIMEOUT_NS INT64_C(10000000000)
#define LONG_BYTES ((size_t)4 << 20)

static const struct rs_shm_options options = {.ring_bytes = 65536, .piece_bytes = 16384, .direct_bytes = 4096};
static const struct contract_variant variant = {"shm", &rs_transport_shm, &options};

// ---- connecting -------------------------------------------------------------------------------------------

// Devices before they are connected; the test may close one, or change its address.
struct launch {
  struct rs_device *devices[3];
  uint8_t addresses[3 * RS_ADDRESS_BYTES_MAX];
  enum rs_status statuses[3];
  struct rs_error errors[3];
};

static void launch_add(struct launch *launch, size_t rank, uint8_t token, const struct rs_shm_options *given,
                       int64_t timeout_ns) {
  struct rs_error error = {0};
  struct rs_transport_params params = {
      .rank = rank, .rank_count = 3, .lanes = 2, .token = {token}, .timeout_ns = timeout_ns, .options = given};
  assert_rs_ok(rs_transport_shm.open(&params, &launch->devices[rank], &error), &error);
  rs_transport_shm.address(launch->devices[rank], launch->addresses + rank * RS_ADDRESS_BYTES_MAX);
}

static struct launch launch_open(int64_t timeout_ns) {
  struct launch launch = {0};
  for (size_t r = 0; r < 3; r++)
    launch_add(&launch, r, 1, &options, timeout_ns);
  return launch;
}

static void launch_close(struct launch *launch, size_t rank) {
  rs_transport_shm.close(launch->devices[rank]);
  launch->devices[rank] = NULL;
}

// Calls connect of every rank that is there until each has an outcome, and then closes all.
static void launch_connect(struct launch *launch) {
  const bool peers[3] = {true, true, true};
  int64_t deadline_ns = rs_clock_ns() + TIMEOUT_NS;
  for (size_t r = 0; r < 3; r++)
    launch->statuses[r] = RS_IN_PROGRESS;
  bool waiting = true;
  while (waiting && rs_clock_ns() < deadline_ns) {
    waiting = false;
    for (size_t r = 0; r < 3; r++)
      if (launch->devices[r] && launch->statuses[r] == RS_IN_PROGRESS) {
        launch->statuses[r] =
            rs_transport_shm.connect(launch->devices[r], launch->addresses, peers, &launch->errors[r]);
        waiting = true;
      }
    sched_yield();
  }
  for (size_t r = 0; r < 3; r++)
    launch_close(launch, r);
}

static struct rs_shm_address *launch_address(struct launch *launch, size_t rank) {
  return (struct rs_shm_address *)(void *)(launch->addresses + rank * RS_ADDRESS_BYTES_MAX);
}

static void another_host(void **state) {
  (void)state;
  struct launch launch = launch_open(TIMEOUT_NS);
  launch_address(&launch, 2)->host[0] ^= 1;
  launch_connect(&launch);
  assert_rs_error(launch.statuses[0], &launch.errors[0], RS_ERROR_USAGE, "ranks 0 and 2 are on different hosts",
                  "transport=tcp");
  launch = launch_open(TIMEOUT_NS);
  launch_address(&launch, 2)->network++;
  launch_connect(&launch);
  assert_rs_error(launch.statuses[1], &launch.errors[1], RS_ERROR_USAGE, "ranks 1 and 2 are on one host",
                  "network namespaces");
}

static void a_rank_that_is_gone_or_silent(void **state) {
  (void)state;
  struct launch launch = launch_open(50000000);
  launch_close(&launch, 0);
  launch_connect(&launch);
  assert_rs_error(launch.statuses[1], &launch.errors[1], RS_ERROR_PEER, "rank 0 (process", "look at its own message");
  launch = launch_open(50000000);
  launch_close(&launch, 2);
  launch_connect(&launch);
  assert_rs_error(launch.statuses[0], &launch.errors[0], RS_ERROR_TIMEOUT, "rank 2 (process", "0.05 s");
}

static void other_options(void **state) {
  (void)state;
  struct launch launch = launch_open(TIMEOUT_NS);
  const struct rs_shm_options other = {.ring_bytes = 32768, .piece_bytes = 16384};
  launch_close(&launch, 2);
  launch_add(&launch, 2, 1, &other, TIMEOUT_NS);
  launch_connect(&launch);
  assert_rs_error(launch.statuses[0], &launch.errors[0], RS_ERROR_PEER, "rank 2 has 2 lanes, shm.ring=32768", "65536",
                  "same options");
}

static size_t open_descriptors(void) {
  size_t count = 0;
  DIR *directory = opendir("/proc/self/fd");
  while (readdir(directory))
    count++;
  closedir(directory);
  return count;
}

// What comes to the door without the token is turned away, with and without descriptors, and leaves nothing open.
static void strangers(void **state) {
  (void)state;
  size_t before = open_descriptors();
  struct launch launch = launch_open(TIMEOUT_NS), other = {0};
  struct rs_error error = {0};
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  assert_int_equal(rs_shm_message_send(fd, launch_address(&launch, 0), "hello", 5, &fd, 1), 0);
  assert_int_equal(rs_shm_message_send(fd, launch_address(&launch, 0), "", 0, NULL, 0), 0);
  close(fd);
  // A rank of another launch that was given this one's address is not answered.
  const bool peers[3] = {true, false, false};
  launch_add(&other, 2, 2, &options, TIMEOUT_NS);
  memcpy(other.addresses, launch.addresses, RS_ADDRESS_BYTES_MAX);
  assert_int_equal(rs_transport_shm.connect(other.devices[2], other.addresses, peers, &error), RS_IN_PROGRESS);
  launch_connect(&launch);
  for (size_t r = 0; r < 3; r++)
    assert_rs_ok(launch.statuses[r], &launch.errors[r]);
  assert_int_equal(rs_transport_shm.connect(other.devices[2], other.addresses, peers, &error), RS_ERROR_PEER);
  launch_close(&other, 2);
  assert_int_equal(open_descriptors(), before);
}

// ---- memory that is read where it lies ----------------------------------------------------------------------

#define DIRECT_BYTES ((size_t)10000)

static void send_and_check(struct contract_group *group, struct contract_memory *from, struct contract_memory *to,
                           uint64_t seed) {
  struct rs_error error = {0};
  contract_fill(from->buffer.address, from->buffer.bytes, seed);
  enum rs_status status = rs_transport_shm.post_send(group->devices[0], 1, 0, from->region, 8, DIRECT_BYTES, 1, &error);
  assert_true(status >= 0);
  size_t left = 1 + (status == RS_IN_PROGRESS);
  assert_int_equal(rs_transport_shm.post_recv(group->devices[1], 0, 0, to->region, 8, DIRECT_BYTES, 1, &error),
                   RS_IN_PROGRESS);
  assert_rs_ok(contract_group_drive(group, &left, TIMEOUT_NS, &error), &error);
  assert_memory_equal((char *)to->buffer.address + 8, (char *)from->buffer.address + 8, DIRECT_BYTES);
}

// A message from shared memory is read once and copied nowhere before. Regions come and go by the hundred, more than a
// device has places for; those without one, like other memory, go through the ring.
static void shared_memory_is_read_where_it_lies(void **state) {
  (void)state;
  enum { REGIONS = 70 };
  struct contract_group group;
  struct contract_memory to, from, many[REGIONS];
  struct rs_error error = {0};
  assert_rs_ok(contract_group_open(&variant, 2, 1, &group, &error), &error);
  assert_rs_ok(contract_memory_open(group.devices[1], 2 * DIRECT_BYTES, &to, &error), &error);
  for (uint64_t i = 0; i < 200; i++) {
    assert_rs_ok(contract_memory_open(group.devices[0], DIRECT_BYTES + 8 + i, &from, &error), &error);
    send_and_check(&group, &from, &to, i);
    send_and_check(&group, &from, &to, i + 1000);
    contract_memory_close(&from);
  }
  assert_int_equal(contract_counted(group.devices[0], "direct_bytes"), 400 * DIRECT_BYTES);
  assert_int_equal(contract_counted(group.devices[0], "staged_bytes"), 0);
  for (size_t i = 0; i < REGIONS; i++)
    assert_rs_ok(contract_memory_open(group.devices[0], DIRECT_BYTES + 8, &many[i], &error), &error);
  for (size_t i = 0; i < REGIONS; i++) {
    send_and_check(&group, &many[i], &to, i);
    contract_memory_close(&many[i]);
  }
  assert_int_equal(contract_counted(group.devices[0], "direct_bytes"), 464 * DIRECT_BYTES);
  assert_int_equal(contract_counted(group.devices[0], "staged_bytes"), 6 * DIRECT_BYTES);
  contract_memory_close(&to);
  contract_group_close(&group);
}

// ---- a peer that goes -------------------------------------------------------------------------------------

// Rank 1 in a process of its own, which sends 8 bytes and then waits to be killed.
static pid_t start_victim(struct contract_group *group) {
  pid_t child = fork();
  if (child != 0)
    return child;
  struct rs_error error = {0};
  struct contract_memory memory;
  if (contract_memory_open(group->devices[1], 8, &memory, &error) < 0)
    _exit(1);
  contract_fill(memory.buffer.address, 8, 3);
  if (rs_transport_shm.post_send(group->devices[1], 0, 0, memory.region, 0, 8, 1, &error) != RS_OK)
    _exit(1);
  pause();
  _exit(1);
}

static void await_error(struct contract_group *group, bool asleep, struct rs_error *error) {
  struct rs_device *device = group->devices[0];
  int64_t deadline_ns = rs_clock_ns() + TIMEOUT_NS;
  while (error->status == RS_OK && rs_clock_ns() < deadline_ns) {
    struct rs_completion completion;
    size_t count;
    if (rs_transport_shm.progress(device, &completion, 1, &count, error) < 0)
      return;
    struct pollfd event = {.fd = rs_transport_shm.event_fd(device), .events = POLLIN};
    if (asleep && rs_transport_shm.arm(device, error) == RS_OK)
      assert_int_equal(poll(&event, 1, 5000), 1);
  }
}

static void killed(void **state) {
  (void)state;
  for (int asleep = 0; asleep < 2; asleep++)
    for (int sends = 0; sends < 2; sends++) {
      struct contract_group group;
      struct contract_memory memory;
      struct rs_error error = {0};
      assert_rs_ok(contract_group_open(&variant, 2, 1, &group, &error), &error);
      assert_rs_ok(contract_memory_open(group.devices[0], LONG_BYTES, &memory, &error), &error);
      pid_t victim = start_victim(&group);
      rs_transport_shm.close(group.devices[1]); // the child has its own
      group.devices[1] = NULL;
      // What it had sent is there.
      size_t left = 1;
      assert_int_equal(rs_transport_shm.post_recv(group.devices[0], 1, 0, memory.region, 0, 8, 1, &error),
                       RS_IN_PROGRESS);
      assert_rs_ok(contract_group_drive(&group, &left, TIMEOUT_NS, &error), &error);
      assert_int_equal(contract_check(memory.buffer.address, 8, 3), 8);

      assert_int_equal((sends ? rs_transport_shm.post_send : rs_transport_shm.post_recv)(
                           group.devices[0], 1, 0, memory.region, 0, LONG_BYTES, 1, &error),
                       RS_IN_PROGRESS);
      kill(victim, SIGKILL);
      await_error(&group, asleep, &error);
      assert_rs_error(error.status, &error, RS_ERROR_PEER, "rank 1 (process", "died",
                      sends ? "0 receives and 1 send were" : "1 receive and 0 sends were");
      waitpid(victim, NULL, 0);
      contract_memory_close(&memory);
      contract_group_close(&group);
    }
}

// A peer that is done may leave: that is no error, and wakes nobody up for ever.
static void gone_when_nothing_is_owed(void **state) {
  (void)state;
  struct contract_group group;
  struct contract_memory memory;
  struct rs_error error = {0};
  assert_rs_ok(contract_group_open(&variant, 2, 1, &group, &error), &error);
  assert_rs_ok(contract_memory_open(group.devices[1], 8, &memory, &error), &error);
  assert_int_equal(rs_transport_shm.post_send(group.devices[1], 0, 0, memory.region, 0, 8, 1, &error), RS_OK);
  contract_memory_close(&memory);
  rs_transport_shm.close(group.devices[1]);
  group.devices[1] = NULL;
  struct rs_device *device = group.devices[0];
  assert_rs_ok(rs_transport_shm.arm(device, &error), &error);
  struct pollfd event = {.fd = rs_transport_shm.event_fd(device), .events = POLLIN};
  assert_int_equal(poll(&event, 1, 10), 0);
  size_t left = 1;
  assert_rs_ok(contract_memory_open(device, 8, &memory, &error), &error);
  assert_int_equal(rs_transport_shm.post_recv(device, 1, 0, memory.region, 0, 8, 1, &error), RS_IN_PROGRESS);
  assert_int_equal(rs_transport_shm.arm(device, &error), RS_BUSY);
  assert_rs_ok(contract_group_drive(&group, &left, TIMEOUT_NS, &error), &error);
  assert_int_equal(rs_transport_shm.post_recv(device, 1, 0, memory.region, 0, 8, 1, &error), RS_IN_PROGRESS);
  left = 1;
  assert_rs_error(contract_group_drive(&group, &left, TIMEOUT_NS, &error), &error, RS_ERROR_PEER, "rank 1");
  contract_memory_close(&memory);
  contract_group_close(&group);
}

static void unwanted_peer(void **state) {
  (void)state;
  struct contract_group group;
  struct contract_memory memory;
  struct rs_error error = {0};
  assert_rs_ok(contract_group_open(&variant, 2, 1, &group, &error), &error);
  assert_rs_ok(contract_memory_open(group.devices[0], 8, &memory, &error), &error);
  enum rs_status status = rs_transport_shm.post_send(group.devices[0], 0, 0, memory.region, 0, 8, 1, &error);
  assert_rs_error(status, &error, RS_ERROR_INTERNAL, "no connection with rank 0");
  contract_memory_close(&memory);
  contract_group_close(&group);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(another_host),
      cmocka_unit_test(a_rank_that_is_gone_or_silent),
      cmocka_unit_test(other_options),
      cmocka_unit_test(strangers),
      cmocka_unit_test(shared_memory_is_read_where_it_lies),
      cmocka_unit_test(killed),
      cmocka_unit_test(gone_when_nothing_is_owed),
      cmocka_unit_test(unwanted_peer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
