// Sleeping by arm and event_fd loses no wake-up: traffic with random delays, and a ping-pong in which each side sleeps
// for every message.
#include "support/contract_variants.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#define EXCHANGES 1500

static void traffic_with_delays(void **state) {
  (void)state;
  CONTRACT_EACH_VARIANT(v) {
    struct contract_group group;
    struct rs_error error = {0};
    assert_rs_ok(contract_group_open(&contract_variants[v], 3, 2, &group, &error), &error);
    const struct contract_traffic parameters = {
        .seed = contract_seed() + v, .messages = 20, .bytes_max = 1 << 17, .driver = CONTRACT_SLEEPERS};
    assert_rs_ok(contract_traffic_run(&group, &parameters, &error), &error);
    contract_group_close(&group);
  }
}

struct player {
  struct rs_device *device;
  size_t rank;
  struct rs_random random;
  struct rs_error error;
};

// Waits for `left` completions and never polls progress without having slept, except as arm demands.
static enum rs_status await(struct player *player, size_t left) {
  const struct rs_transport *transport = player->device->transport;
  while (left > 0) {
    enum rs_status status = transport->arm(player->device, &player->error);
    if (status < 0)
      return status;
    struct pollfd event = {.fd = transport->event_fd(player->device), .events = POLLIN};
    if (status == RS_OK && poll(&event, 1, 5000) == 0)
      return rs_error_set(&player->error, RS_ERROR_TIMEOUT, "rank %zu: a wake-up was lost", player->rank);
    struct rs_completion completions[2];
    size_t count;
    if (transport->progress(player->device, completions, 2, &count, &player->error) < 0)
      return player->error.status;
    left -= count;
  }
  return RS_OK;
}

// A busy wait of up to 30 us hits the moments between the other side's progress, arm and poll.
static void dawdle(struct player *player) {
  int64_t until_ns = rs_clock_ns() + (int64_t)rs_random_below(&player->random, 30000);
  while (rs_random_below(&player->random, 2) && rs_clock_ns() < until_ns)
    continue;
}

static void *play(void *argument) {
  struct player *player = argument;
  const struct rs_transport *transport = player->device->transport;
  struct contract_memory memory;
  if (contract_memory_open(player->device, 16, &memory, &player->error) < 0)
    return NULL;
  for (size_t i = 0; i < EXCHANGES; i++) {
    size_t peer = 1 - player->rank;
    if (transport->post_recv(player->device, peer, 0, memory.region, 8, 8, 1, &player->error) < 0)
      break;
    if (player->rank == 1 && await(player, 1) < 0)
      break;
    dawdle(player);
    enum rs_status status = transport->post_send(player->device, peer, 0, memory.region, 0, 8, 2, &player->error);
    if (status < 0 || await(player, (size_t)(player->rank == 0) + (status == RS_IN_PROGRESS)) < 0)
      break;
  }
  contract_memory_close(&memory);
  return NULL;
}

static void ping_pong_asleep(void **state) {
  (void)state;
  CONTRACT_EACH_VARIANT(v) {
    struct contract_group group;
    struct rs_error error = {0};
    assert_rs_ok(contract_group_open(&contract_variants[v], 2, 1, &group, &error), &error);
    struct player players[2];
    pthread_t threads[2];
    for (size_t r = 0; r < 2; r++) {
      players[r] = (struct player){.device = group.devices[r], .rank = r, .random = {contract_seed() + r}};
      assert_int_equal(pthread_create(&threads[r], NULL, play, &players[r]), 0);
    }
    for (size_t r = 0; r < 2; r++)
      pthread_join(threads[r], NULL);
    for (size_t r = 0; r < 2; r++)
      if (players[r].error.status < 0)
        fail_msg("%s, seed %llu: %s", group.variant->name, (unsigned long long)contract_seed(), players[r].error.text);
    contract_group_close(&group);
  }
}

// With nothing to do, an armed device stays quiet; otherwise a sleeper would spin.
static void idle_is_quiet(void **state) {
  (void)state;
  CONTRACT_EACH_VARIANT(v) {
    struct contract_group group;
    struct rs_error error = {0};
    assert_rs_ok(contract_group_open(&contract_variants[v], 2, 2, &group, &error), &error);
    for (size_t r = 0; r < 2; r++) {
      struct rs_device *device = group.devices[r];
      const struct rs_transport *transport = device->transport;
      struct rs_completion completion;
      size_t count;
      for (int i = 0; i < 10; i++)
        assert_rs_ok(transport->progress(device, &completion, 1, &count, &error), &error);
      assert_rs_ok(transport->arm(device, &error), &error);
      struct pollfd event = {.fd = transport->event_fd(device), .events = POLLIN};
      assert_int_equal(poll(&event, 1, 20), 0);
    }
    contract_group_close(&group);
  }
}

// The news of a message may be used up before its receive is posted: whoever posts and then sleeps must not miss it.
static void arrived_before_it_was_expected(void **state) {
  (void)state;
  CONTRACT_EACH_VARIANT(v) {
    struct contract_group group;
    struct contract_memory memory[2];
    struct rs_error error = {0};
    assert_rs_ok(contract_group_open(&contract_variants[v], 2, 1, &group, &error), &error);
    const struct rs_transport *transport = group.variant->transport;
    for (size_t r = 0; r < 2; r++)
      assert_rs_ok(contract_memory_open(group.devices[r], 8, &memory[r], &error), &error);
    for (size_t i = 0; i < 3; i++) {
      enum rs_status status = transport->post_send(group.devices[0], 1, 0, memory[0].region, 0, 8, 1, &error);
      size_t left = (status == RS_IN_PROGRESS) + 2; // one more than will come, so that both make progress for a while
      assert_int_equal(contract_group_drive(&group, &left, 5000000, &error), RS_ERROR_TIMEOUT);
      error = (struct rs_error){0};
      assert_true(transport->post_recv(group.devices[1], 0, 0, memory[1].region, 0, 8, 2, &error) >= 0);
      struct pollfd event = {.fd = transport->event_fd(group.devices[1]), .events = POLLIN};
      if (transport->arm(group.devices[1], &error) == RS_OK)
        assert_int_equal(poll(&event, 1, 5000), 1);
      left--;
      assert_rs_ok(contract_group_drive(&group, &left, CONTRACT_PATIENCE_NS, &error), &error);
    }
    for (size_t r = 0; r < 2; r++)
      contract_memory_close(&memory[r]);
    contract_group_close(&group);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(traffic_with_delays),
      cmocka_unit_test(ping_pong_asleep),
      cmocka_unit_test(idle_is_quiet),
      cmocka_unit_test(arrived_before_it_was_expected),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
