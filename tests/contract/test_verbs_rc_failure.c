// Failures of reliable connections between two ranks: a peer that has gone is named before the limit, whatever this
// rank was doing with it; ranks that are configured differently are told so. Needs an RDMA device.
#include "support/contract_cmocka.h"

#if RS_HAVE_VERBS
#include "transport/verbs_rc.h"

#define LIMIT_NS INT64_C(10000000000)

static struct rs_verbs_rc_options options_of(uint64_t rendezvous) {
  return (struct rs_verbs_rc_options){
      .choice = {.gid_index = RS_VERBS_GID_AUTO},
      .exchange = {.interface = {"auto"}},
      .eager_bytes = 4096,
      .rendezvous = rendezvous,
      .queue_pairs = 2,
      .stripe_bytes = 65536,
      .ack_timeout_ns = 20000000,
  };
}

// What rank 0 hears of rank 1, which has gone with a message under way.
static void lose_peer(uint64_t rendezvous, bool sends, size_t bytes) {
  const struct rs_verbs_rc_options options = options_of(rendezvous);
  const struct contract_variant variant = {"verbs_rc", &rs_transport_verbs_rc, &options};
  const struct rs_transport *transport = variant.transport;
  struct contract_group group;
  struct contract_memory memory;
  struct rs_error error = {0};
  assert_rs_ok(contract_group_open(&variant, 2, 1, &group, &error), &error);
  assert_rs_ok(contract_memory_open(group.devices[0], bytes, &memory, &error), &error);
  transport->close(group.devices[1]);
  group.devices[1] = NULL;
  enum rs_status status =
      (sends ? transport->post_send : transport->post_recv)(group.devices[0], 1, 0, memory.region, 0, bytes, 1, &error);
  int64_t deadline_ns = rs_clock_ns() + LIMIT_NS;
  while (status >= 0 && rs_clock_ns() < deadline_ns) {
    struct rs_completion completion;
    size_t count;
    status = transport->progress(group.devices[0], &completion, 1, &count, &error);
  }
  assert_rs_error(status, &error, RS_ERROR_PEER, "verbs_rc", "rank 1", "from rank 0", "does not answer", "ended");
  contract_memory_close(&memory);
  contract_group_close(&group);
}

static void a_peer_that_has_gone_is_named(void **state) {
  (void)state;
  lose_peer(RS_VERBS_RC_WRITE, true, 8);
  lose_peer(RS_VERBS_RC_WRITE, true, 1 << 20);
  lose_peer(RS_VERBS_RC_WRITE, false, 1 << 20);
  lose_peer(RS_VERBS_RC_READ, true, 1 << 20);
}

static void other_options_are_refused(void **state) {
  (void)state;
  struct rs_verbs_rc_options options[2] = {options_of(RS_VERBS_RC_WRITE), options_of(RS_VERBS_RC_READ)};
  struct rs_device *devices[2];
  uint8_t addresses[2 * RS_ADDRESS_BYTES_MAX];
  struct rs_transport_params params = {.rank_count = 2, .lanes = 1, .one_host = true, .timeout_ns = LIMIT_NS};
  struct rs_error error = {0};
  for (params.rank = 0; params.rank < 2; params.rank++) {
    params.options = &options[params.rank];
    assert_rs_ok(rs_transport_verbs_rc.open(&params, &devices[params.rank], &error), &error);
    rs_transport_verbs_rc.address(devices[params.rank], addresses + params.rank * RS_ADDRESS_BYTES_MAX);
  }
  const bool peers[2] = {true, true};
  assert_rs_error(rs_transport_verbs_rc.connect(devices[0], addresses, peers, &error), &error, RS_ERROR_USAGE, "rank 1",
                  "rendezvous=1", "same configuration");
  for (size_t r = 0; r < 2; r++)
    rs_transport_verbs_rc.close(devices[r]);
}

static void names_that_are_not_there(void **state) {
  (void)state;
  struct rs_verbs_rc_options options = options_of(RS_VERBS_RC_WRITE);
  struct rs_transport_params params = {.rank_count = 1, .lanes = 1, .options = &options, .timeout_ns = LIMIT_NS};
  struct rs_device *device;
  struct rs_error error = {0};
  options.choice.devices = (struct rs_word_list){1, {"mlx9_9"}};
  assert_rs_error(rs_transport_verbs_rc.open(&params, &device, &error), &error, RS_ERROR_USAGE, "mlx9_9",
                  "this host has");
  options.choice.devices.count = 0;
  options.choice.gid_index = 200;
  error = (struct rs_error){0};
  assert_rs_error(rs_transport_verbs_rc.open(&params, &device, &error), &error, RS_ERROR_USAGE, "GID 200");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_peer_that_has_gone_is_named),
      cmocka_unit_test(other_options_are_refused),
      cmocka_unit_test(names_that_are_not_there),
  };
  const struct rs_verbs_rc_options options = options_of(RS_VERBS_RC_WRITE);
  const struct rs_transport_params params = {
      .rank_count = 1, .lanes = 1, .one_host = true, .options = &options, .timeout_ns = LIMIT_NS};
  struct rs_device *device;
  struct rs_error error = {0};
  if (rs_transport_verbs_rc.open(&params, &device, &error) == RS_ERROR_UNSUPPORTED) {
    puts(error.text);
    return 77;
  }
  if (error.status == RS_OK)
    rs_transport_verbs_rc.close(device);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void) {
  puts("built without infiniband/verbs.h (libibverbs-dev)");
  return 77;
}
#endif
