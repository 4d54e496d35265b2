// The srd transport over the fake verbs library: thousands of seeds, each another order of packets and other faults,
// and the faults that no retry heals, which have to end in words.
#include "support/contract_cmocka.h"

#ifndef RS_FAKE_VERBS
int main(void) {
  printf("skipped: built without infiniband/efadv.h\n");
  return 77;
}
#else
#include "support/contract_srd.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

// RS_TEST_SEEDS; each takes about two milliseconds.
static uint64_t seed_count(void) {
  const char *text = getenv("RS_TEST_SEEDS");
  return text ? strtoull(text, NULL, 10) : 1500;
}

// What a seed does not say, its hash does: ranks, lanes, message lengths, and the settings of the fake.
static void traffic_by_seed(uint64_t seed, bool efa) {
  struct rs_random random = {rs_hash64(seed)};
  char name[200];
  const unsigned mtus[] = {256, 1024, 4096};
  unsigned mtu = mtus[rs_random_below(&random, 3)];
  unsigned few = rs_random_below(&random, 4) == 0 ? 1 + (unsigned)rs_random_below(&random, 4) : 0;
  unsigned dice[4];
  for (size_t i = 0; i < RS_ARRAY_LENGTH(dice); i++)
    dice[i] = (unsigned)rs_random_below(&random, 6);
  if (efa)
    snprintf(name, sizeof name, "srd/efa, fake: seed=%llu,mtu=%u,late=%u,short=%u,rnr=%u", (unsigned long long)seed,
             mtu, dice[0], few, dice[1]);
  else
    snprintf(name, sizeof name, "srd/ud, fake: seed=%llu,mtu=%u,late=%u,short=%u,loss=%u,duplicate=%u,corrupt=%u",
             (unsigned long long)seed, mtu, dice[0], few, dice[1], dice[2], dice[3]);
  struct rs_srd_options options = efa ? srd_efa : srd_fake_ud;
  options.receives = (uint64_t)32 << rs_random_below(&random, 3);
  options.bounce = 1 + rs_random_below(&random, 8);
  const struct contract_variant variant = {name, &rs_transport_srd, &options};
  const struct contract_traffic traffic = {
      .seed = seed, .messages = 1 + rs_random_below(&random, 8), .bytes_max = 1 + rs_random_below(&random, 20000)};
  struct contract_group group;
  struct rs_error error = {0};
  assert_rs_ok(
      contract_group_open(&variant, 2 + rs_random_below(&random, 2), 1 + rs_random_below(&random, 2), &group, &error),
      &error);
  assert_rs_ok(contract_traffic_run(&group, &traffic, &error), &error);
  contract_group_close(&group);
}

static void efa_by_seeds(void **state) {
  (void)state;
  for (uint64_t i = 0; i < seed_count(); i++)
    traffic_by_seed(contract_seed() + i, true);
}

static void ud_by_seeds(void **state) {
  (void)state;
  for (uint64_t i = 0; i < seed_count() / 3; i++)
    traffic_by_seed(contract_seed() + i, false);
}

// ---- what no retry heals ----------------------------------------------------------------------------------

static void status_in_words(const char *name, const char *words, const char *cause) {
  const struct contract_variant variant = {name, &rs_transport_srd, &srd_efa};
  const struct contract_traffic traffic = {.seed = contract_seed(), .messages = 20, .bytes_max = 100000};
  struct contract_group group;
  struct rs_error error = {0};
  assert_rs_ok(contract_group_open(&variant, 2, 1, &group, &error), &error);
  enum rs_status status = contract_traffic_run(&group, &traffic, &error);
  assert_rs_error(status, &error, RS_ERROR_PEER, "sending to rank", "from rank", "fake_efa", words, cause);
  contract_group_close(&group);
}

static void efa_statuses_in_words(void **state) {
  (void)state;
  status_in_words("fake: status=13,status_at=30", "has not answered", "security group");
  status_in_words("fake: status=14,status_at=30", "does not know this side", "handshake");
  status_in_words("fake: status=15,status_at=30", "cannot be reached", "security group");
}

// Two ranks of one thread, opened with a timeout of their own.
struct pair {
  struct rs_device *devices[2];
  uint8_t addresses[2 * RS_ADDRESS_BYTES_MAX];
};
static const bool both[2] = {true, true};

static void pair_open(struct pair *pair, const struct rs_srd_options *options, const char *fake, int64_t timeout_ns) {
  struct rs_error error = {0};
  struct rs_transport_params params = {
      .rank_count = 2, .lanes = 1, .numa_node = -1, .timeout_ns = timeout_ns, .options = options};
  *pair = (struct pair){0};
  setenv("RINGSIDE_VERBS_LIBRARY", RS_FAKE_VERBS, 1);
  setenv("RINGSIDE_FAKE_VERBS", fake, 1);
  for (params.rank = 0; params.rank < 2; params.rank++) {
    assert_rs_ok(rs_transport_srd.open(&params, &pair->devices[params.rank], &error), &error);
    rs_transport_srd.address(pair->devices[params.rank], pair->addresses + params.rank * RS_ADDRESS_BYTES_MAX);
  }
}

static void pair_connect(struct pair *pair) {
  struct rs_error error = {0};
  for (bool connected[2] = {false, false}; !connected[0] || !connected[1];)
    for (size_t r = 0; r < 2; r++) {
      enum rs_status status =
          connected[r] ? RS_OK : rs_transport_srd.connect(pair->devices[r], pair->addresses, both, &error);
      assert_true(status >= 0);
      connected[r] = status == RS_OK;
    }
}

// From the first packet on: the handshake goes on trying until its time is up, and says what the device said.
static void nobody_answers(void **state) {
  (void)state;
  struct pair pair;
  struct rs_error error = {0};
  enum rs_status status;
  pair_open(&pair, &srd_efa, "status=13,status_at=1", 50000000);
  while ((status = rs_transport_srd.connect(pair.devices[0], pair.addresses, both, &error)) == RS_IN_PROGRESS)
    continue;
  assert_rs_error(status, &error, RS_ERROR_TIMEOUT, "no answer from rank 1", "has not answered", "security group");
  for (size_t r = 0; r < 2; r++)
    rs_transport_srd.close(pair.devices[r]);
}

// Posts one message of 64 bytes on rank 0 and drives it until that completes or fails.
static enum rs_status post_and_drive(struct pair *pair, const struct contract_memory *memory, bool sends, bool stop,
                                     struct rs_error *error) {
  size_t count = 0;
  enum rs_status status = (sends ? rs_transport_srd.post_send
                                 : rs_transport_srd.post_recv)(pair->devices[0], 1, 0, memory->region, 0, 64, 1, error);
  if (stop)
    raise(SIGSTOP);
  int64_t deadline_ns = rs_clock_ns() + CONTRACT_PATIENCE_NS;
  while (status >= 0 && count == 0 && rs_clock_ns() < deadline_ns) {
    struct rs_completion completion;
    status = rs_transport_srd.progress(pair->devices[0], &completion, 1, &count, error);
  }
  return status;
}

// Lets rank 1 vanish while rank 0 waits.
static void peer_vanishes(const struct rs_srd_options *options, bool sends, const char *words) {
  struct pair pair;
  struct contract_memory memory;
  struct rs_error error = {0};
  pair_open(&pair, options, "seed=1", 400000000);
  pair_connect(&pair);
  assert_rs_ok(contract_memory_open(pair.devices[0], 64, &memory, &error), &error);
  rs_transport_srd.close(pair.devices[1]);
  enum rs_status status = post_and_drive(&pair, &memory, sends, false, &error);
  assert_rs_error(status, &error, RS_ERROR_PEER, "rank 1", "from rank 0", words);
  contract_memory_close(&memory);
  rs_transport_srd.close(pair.devices[0]);
}

static void vanished_peer_is_named(void **state) {
  (void)state;
  peer_vanishes(&srd_efa, true, "is not known there");
  peer_vanishes(&srd_efa, false, "is not known there"); // learned by asking
  peer_vanishes(&srd_fake_ud, true, "acknowledged nothing for");
  peer_vanishes(&srd_fake_ud, false, "acknowledged nothing for");
}

// A process that was stopped for longer than its timeout, or whose machine was, does not blame its peers.
static void own_absence_is_forgiven(void **state) {
  (void)state;
  struct pair pair;
  struct contract_memory memory;
  struct rs_error error = {0};
  pair_open(&pair, &srd_fake_ud, "seed=1,loss=30", 600000000);
  pair_connect(&pair);
  assert_rs_ok(contract_memory_open(pair.devices[0], 64, &memory, &error), &error);
  pid_t waker = fork();
  assert_true(waker >= 0);
  if (waker == 0) {
    usleep(900000);
    kill(getppid(), SIGCONT);
    _exit(0);
  }
  enum rs_status status = post_and_drive(&pair, &memory, true, true, &error);
  assert_int_equal(waitpid(waker, NULL, 0), waker);
  assert_rs_ok(status, &error);
  contract_memory_close(&memory);
  for (size_t r = 0; r < 2; r++)
    rs_transport_srd.close(pair.devices[r]);
}

// Early EFAs have no completion channels: such a device works, and says that it cannot sleep.
static void without_completion_channels(void **state) {
  (void)state;
  const struct contract_variant variant = {"fake: nochannel=1", &rs_transport_srd, &srd_efa};
  const struct contract_traffic traffic = {.seed = contract_seed(), .messages = 20, .bytes_max = 100000};
  struct contract_group group;
  struct rs_error error = {0};
  struct rs_limits limits;
  assert_rs_ok(contract_group_open(&variant, 2, 1, &group, &error), &error);
  rs_transport_srd.limits(group.devices[0], &limits);
  assert_false(limits.can_sleep);
  assert_rs_ok(contract_traffic_run(&group, &traffic, &error), &error);
  contract_group_close(&group);
}

// Faults are not only survived but seen, and a quiet network shows none.
static void counters_tell(void **state) {
  (void)state;
  static const struct {
    const char *name;
    const struct rs_srd_options *options;
    bool retransmitted, duplicates, corrupted, rnr;
  } rows[] = {
      {"fake: seed=1", &srd_fake_ud, false, false, false, false},
      {"fake: seed=1,corrupt=10", &srd_fake_ud, true, false, true, false},
      {"fake: seed=1,duplicate=10", &srd_fake_ud, false, true, false, false},
      {"fake: seed=1,rnr=10", &srd_efa, true, false, false, true},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    const struct contract_variant variant = {rows[i].name, &rs_transport_srd, rows[i].options};
    const struct contract_traffic traffic = {.seed = 1, .messages = 30, .bytes_max = 100000};
    struct contract_group group;
    struct rs_error error = {0};
    struct rs_device_counter counters[16];
    assert_rs_ok(contract_group_open(&variant, 2, 1, &group, &error), &error);
    assert_rs_ok(contract_traffic_run(&group, &traffic, &error), &error);
    int64_t seen[7] = {0};
    for (size_t r = 0; r < 2; r++) {
      assert_int_equal(rs_transport_srd.counters(group.devices[r], counters, 16), 7);
      for (size_t c = 0; c < 7; c++)
        seen[c] += counters[c].value;
    }
    assert_string_equal(counters[0].name, "segments");
    assert_string_equal(counters[3].name, "corrupted");
    assert_true(seen[0] > 60);
    assert_true(seen[1] > 0 || !rows[i].retransmitted);
    assert_true(seen[2] > 0 || !rows[i].duplicates);
    assert_int_equal(seen[3] > 0, rows[i].corrupted);
    assert_int_equal(seen[5] > 0, rows[i].rnr);
    assert_int_equal(seen[6], 0); // strangers
    contract_group_close(&group);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(efa_by_seeds),
      cmocka_unit_test(ud_by_seeds),
      cmocka_unit_test(efa_statuses_in_words),
      cmocka_unit_test(nobody_answers),
      cmocka_unit_test(vanished_peer_is_named),
      cmocka_unit_test(own_absence_is_forgiven),
      cmocka_unit_test(without_completion_channels),
      cmocka_unit_test(counters_tell),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
