// Every transport that moves data, several times over: what each program of the contract suite runs on. A new transport
// adds its lines here. In a header, since only test programs see the private headers of the transports.
#ifndef TESTS_SUPPORT_CONTRACT_VARIANTS_H
#define TESTS_SUPPORT_CONTRACT_VARIANTS_H

#include "support/contract_cmocka.h"
#include "transport/emulated.h"
#include "transport/loop.h"
#include "transport/shm.h"
#include "transport/tcp.h"
#if RS_HAVE_VERBS
#include "support/contract_srd.h"
#include "transport/verbs_rc.h"
#endif

static const struct rs_loop_options loop_plain = {.seed = 1, .segment = 8192};
static const struct rs_loop_options loop_reorder_1 = {.seed = 1, .reorder = true, .segment = 4096, .delay = 2};
static const struct rs_loop_options loop_reorder_2 = {.seed = 2, .reorder = true, .segment = 1000, .delay = 1};
static const struct rs_loop_options loop_reorder_3 = {.seed = 3, .reorder = true, .segment = 65536, .delay = 7};

static const struct rs_tcp_options tcp_plain = {
    .interface = {"auto"},
    .streams = 1,
    .stripe_bytes = 65536,
};
// Long messages go over several streams, short ones over the first.
static const struct rs_tcp_options tcp_streams_2 = {
    .interface = {"lo"},
    .streams = 2,
    .stripe_bytes = 65536,
};
static const struct rs_tcp_options tcp_streams_4 = {
    .interface = {"127.0.0.1"},
    .streams = 4,
    .stripe_bytes = 4096,
};
// Small buffers make nearly every transfer partial.
static const struct rs_tcp_options tcp_small_buffers = {
    .interface = {"127.0.0.1/32"},
    .streams = 3,
    .stripe_bytes = 1024,
    .send_buffer_bytes = 4096,
    .receive_buffer_bytes = 4096,
};
// Where the kernel reads the caller's memory until it says that it is done.
static const struct rs_tcp_options tcp_zerocopy = {
    .interface = {"auto"},
    .streams = 2,
    .stripe_bytes = 4096,
    .zerocopy_bytes = 1,
};

static const struct rs_shm_options shm_plain = {.ring_bytes = 512 << 10, .piece_bytes = 32 << 10};
// The ring is nearly always full, and wraps around within messages.
static const struct rs_shm_options shm_small_ring = {.ring_bytes = 320, .piece_bytes = 128};
static const struct rs_shm_options shm_long_pieces = {.ring_bytes = 100000, .piece_bytes = 50000};
static const struct rs_shm_options shm_direct = {.ring_bytes = 65536, .piece_bytes = 8192, .direct_bytes = 3000};
static const struct rs_shm_options shm_all_direct = {.ring_bytes = 128, .piece_bytes = 64, .direct_bytes = 1};

// Fast enough that tests stay short. Every rank has a host of its own.
static const struct rs_fabric fabric_fast = {
    .name = {"fast"},
    .zones = 1,
    .racks = 1,
    .hosts = 8,
    .egress_bit_s = UINT64_C(100000000000),
    .ingress_bit_s = UINT64_C(100000000000),
    .mtu = 9001,
    .links = {[RS_DISTANCE_LEAF] = {.latency_ns = 2000}},
};
// Everything that a fabric can have: ranks of one host and of others, paced flows, layers, jitter and loss.
static const struct rs_fabric fabric_rough = {
    .name = {"rough"},
    .zones = 2,
    .racks = 2,
    .hosts = 1,
    .ranks = 2,
    .egress_bit_s = UINT64_C(20000000000),
    .ingress_bit_s = UINT64_C(10000000000),
    .rack_oversubscription = 2,
    .zone_oversubscription = 1.5,
    .mtu = 1500,
    .retransmit_ns = 50000,
    .links =
        {[RS_DISTANCE_HOST] = {.latency_ns = 500, .flow_bit_s = UINT64_C(50000000000)},
         [RS_DISTANCE_SPINE] = {.latency_ns = 5000, .jitter_ns = 3000, .jitter = RS_JITTER_EXPONENTIAL, .loss = 1e-3},
         [RS_DISTANCE_REGION] = {.latency_ns = 90000,
                                 .flow_bit_s = UINT64_C(5000000000),
                                 .jitter_ns = 200000,
                                 .jitter = RS_JITTER_LOGNORMAL,
                                 .loss = 1e-3}},
};
static const struct rs_emulated_options emulated_fast = {.slowdown = {"1"}, .model = &fabric_fast};
static const struct rs_emulated_options emulated_rough = {.slowdown = {"1"}, .model = &fabric_rough};
static const struct rs_emulated_options emulated_slow = {.slowdown = {"20"}, .model = &fabric_fast};

#if RS_HAVE_VERBS
#define VERBS_RC(eager, how, pairs, stripe)                                                                            \
  {                                                                                                                    \
    .choice = {.gid_index = RS_VERBS_GID_AUTO}, .exchange = {.interface = {"auto"}}, .eager_bytes = (eager),           \
    .rendezvous = RS_VERBS_RC_##how, .queue_pairs = (pairs), .stripe_bytes = (stripe), .ack_timeout_ns = 67000000      \
  }
static const struct rs_verbs_rc_options verbs_rc_plain = VERBS_RC(4096, WRITE, 1, 65536);
static const struct rs_verbs_rc_options verbs_rc_pairs_3 = VERBS_RC(64, WRITE, 3, 4096);
static const struct rs_verbs_rc_options verbs_rc_read = VERBS_RC(4096, READ, 1, 65536);
static const struct rs_verbs_rc_options verbs_rc_read_pairs_2 = VERBS_RC(256, READ, 2, 1024);
static const struct rs_verbs_rc_options verbs_rc_little_eager = VERBS_RC(8, WRITE, 1, 65536);
static const struct rs_verbs_rc_options verbs_rc_much_eager = VERBS_RC(65536, WRITE, 1, 65536);
#endif

static const struct contract_variant contract_variants[] = {
    {"loop", &rs_transport_loop, &loop_plain},
    {"loop, reordered, seed 1", &rs_transport_loop, &loop_reorder_1},
    {"loop, reordered, seed 2", &rs_transport_loop, &loop_reorder_2},
    {"loop, reordered, seed 3", &rs_transport_loop, &loop_reorder_3},
    {"tcp", &rs_transport_tcp, &tcp_plain},
    {"tcp, 2 streams", &rs_transport_tcp, &tcp_streams_2},
    {"tcp, 4 streams", &rs_transport_tcp, &tcp_streams_4},
    {"tcp, 3 streams, small buffers", &rs_transport_tcp, &tcp_small_buffers},
    {"tcp, without a copy", &rs_transport_tcp, &tcp_zerocopy},
    {"shm", &rs_transport_shm, &shm_plain},
    {"shm, small ring", &rs_transport_shm, &shm_small_ring},
    {"shm, long pieces", &rs_transport_shm, &shm_long_pieces},
    {"shm, long ones direct", &rs_transport_shm, &shm_direct},
    {"shm, all direct", &rs_transport_shm, &shm_all_direct},
    {"emulated", &rs_transport_emulated, &emulated_fast},
    {"emulated, all of a fabric", &rs_transport_emulated, &emulated_rough},
    {"emulated, slowed down", &rs_transport_emulated, &emulated_slow},
#if RS_HAVE_VERBS
    CONTRACT_SRD_VARIANTS,
    {"verbs_rc", &rs_transport_verbs_rc, &verbs_rc_plain},
    {"verbs_rc, 3 queue pairs", &rs_transport_verbs_rc, &verbs_rc_pairs_3},
    {"verbs_rc, reading", &rs_transport_verbs_rc, &verbs_rc_read},
    {"verbs_rc, reading, 2 queue pairs", &rs_transport_verbs_rc, &verbs_rc_read_pairs_2},
    {"verbs_rc, nearly all long", &rs_transport_verbs_rc, &verbs_rc_little_eager},
    {"verbs_rc, nearly all short", &rs_transport_verbs_rc, &verbs_rc_much_eager},
#endif
};

// The first variant from `v` on that can run here, or how many there are. One that needs a device that is not here is
// skipped, and says so; RS_TEST_VARIANT=verbs_rc leaves out all whose names begin otherwise.
static inline size_t contract_variant_from(size_t v) {
  const char *wanted = getenv("RS_TEST_VARIANT");
  for (; v < RS_ARRAY_LENGTH(contract_variants); v++) {
    const struct contract_variant *variant = &contract_variants[v];
    struct contract_group group;
    struct rs_error error = {0};
    if (wanted && strncmp(variant->name, wanted, strlen(wanted)) != 0)
      continue;
    enum rs_status status = contract_group_open(variant, 1, 1, &group, &error);
    if (status == RS_OK)
      contract_group_close(&group);
    if (status != RS_ERROR_UNSUPPORTED)
      break; // any other failure is for the test to find
    if (v == 0 || variant->transport != variant[-1].transport)
      print_message("[ SKIPPED  ] all of %s: %s\n", variant->transport->name, error.text);
  }
  return v;
}
#define CONTRACT_EACH_VARIANT(v)                                                                                       \
  for (size_t v = contract_variant_from(0); v < RS_ARRAY_LENGTH(contract_variants); v = contract_variant_from(v + 1))

#endif
