// The executor over routes of several devices: shm between ranks of one host, two NICs of tcp between hosts. Results
// are right, and every message takes the device that the route names, at both ends.
#include "support/cluster.h"
#include "transport/shm.h"
#include "transport/tcp.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LANES 3
#define HOST_RANKS 2 // on each host; the last may have fewer
#define DEVICES 3    // shm, and two of tcp

static const struct rs_shm_options shm_options = {.ring_bytes = 4096, .piece_bytes = 1024};
static const struct rs_tcp_options tcp_options = {.interface = {"lo"}, .streams = 1, .stripe_bytes = 65536};

// ---- devices that count -----------------------------------------------------------------------------------

// What went by each kind of device, and by how many posts it was not the one that the route names.
struct tally {
  const struct cluster *cluster;
  uint64_t sent[DEVICES], misled;
};
static struct tally tally;
static struct rs_transport counting[2]; // shm, tcp

static const struct rs_transport *counted_transport(const struct rs_device *device) {
  return device->transport == &counting[0] ? &rs_transport_shm : &rs_transport_tcp;
}

static void count(const struct rs_device *device, size_t peer, size_t lane, size_t sent) {
  for (size_t r = 0; r < tally.cluster->rank_count; r++) {
    const struct rs_route *route = &tally.cluster->routes[r];
    for (size_t d = 0; d < DEVICES; d++)
      if (route->devices[d] == device) {
        tally.misled += rs_route_index(route, peer, lane) != d;
        tally.sent[d] += sent;
      }
  }
}

static enum rs_status counted_send(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                   size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error) {
  enum rs_status status =
      counted_transport(device)->post_send(device, peer, lane, region, offset, bytes, cookie, error);
  count(device, peer, lane, status == RS_OK || status == RS_IN_PROGRESS ? bytes : 0);
  return status;
}

static enum rs_status counted_receive(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                      size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error) {
  count(device, peer, lane, 0);
  return counted_transport(device)->post_recv(device, peer, lane, region, offset, bytes, cookie, error);
}

static enum rs_status counted_take(struct rs_device *device, size_t peer, size_t lane, const struct rs_taker *taker,
                                   size_t bytes, uint64_t cookie, struct rs_error *error) {
  count(device, peer, lane, 0);
  return counted_transport(device)->post_take(device, peer, lane, taker, bytes, cookie, error);
}

static void make_counting(void) {
  counting[0] = rs_transport_shm;
  counting[1] = rs_transport_tcp;
  for (size_t t = 0; t < 2; t++) {
    counting[t].post_send = counted_send;
    counting[t].post_recv = counted_receive;
    counting[t].post_take = counting[t].post_take ? counted_take : NULL;
  }
}

// ---- routes -----------------------------------------------------------------------------------------------

// One cluster per kind of device; the first runs over routes of all of them.
struct mixed {
  struct cluster kinds[DEVICES];
  struct rs_device *devices[CLUSTER_RANKS_MAX][DEVICES];
  uint8_t device_of[CLUSTER_RANKS_MAX][CLUSTER_RANKS_MAX * LANES];
};

static void open_mixed(struct mixed *mixed, size_t n) {
  struct rs_error error = {0};
  make_counting();
  for (size_t d = 0; d < DEVICES; d++) {
    const struct rs_transport *transport = d == 0 ? &rs_transport_shm : &rs_transport_tcp;
    const void *options = d == 0 ? (const void *)&shm_options : &tcp_options;
    if (cluster_open(&mixed->kinds[d], transport, options, n, LANES, &error) < 0)
      fail_msg("%s", error.text);
  }
  for (size_t r = 0; r < n; r++) {
    for (size_t d = 0; d < DEVICES; d++) {
      mixed->devices[r][d] = mixed->kinds[d].devices[r];
      mixed->devices[r][d]->transport = &counting[d > 0];
    }
    for (size_t peer = 0; peer < n; peer++)
      for (size_t lane = 0; lane < LANES; lane++)
        mixed->device_of[r][peer * LANES + lane] =
            r / HOST_RANKS == peer / HOST_RANKS ? 0 : (uint8_t)(1 + lane % (DEVICES - 1));
    struct rs_route *route = &mixed->kinds[0].routes[r];
    route->devices = mixed->devices[r];
    route->device_count = DEVICES;
    route->device_of = mixed->device_of[r];
  }
  tally = (struct tally){.cluster = &mixed->kinds[0]};
}

static void close_mixed(struct mixed *mixed) {
  for (size_t d = 0; d < DEVICES; d++)
    cluster_close(&mixed->kinds[d]);
}

static void run_or_fail(struct mixed *mixed, const struct trial *trial, uint64_t seed) {
  struct rs_error error = {0};
  enum rs_status status = cluster_run(&mixed->kinds[0], trial, 1, seed, NULL, &error);
  if (status == RS_OK && tally.misled == 0)
    return;
  struct rs_text text = {0};
  trial_describe(trial, mixed->kinds[0].rank_count, &text);
  fail_msg("%s, seed %" PRIu64 ": %s; %" PRIu64 " posts went by the wrong device", text.data, seed,
           status < 0 ? error.text : "right", tally.misled);
}

// ---- tests ------------------------------------------------------------------------------------------------

// Every algorithm, from ranks of one host to five hosts of which one has a single rank; the rest is drawn.
static void test_every_algorithm(void **state) {
  (void)state;
  struct rs_random random = {29};
  static struct mixed mixed;
  for (size_t n = 1; n <= 9; n++) {
    open_mixed(&mixed, n);
    for (size_t a = 0; a < rs_algorithm_count; a++) {
      struct trial trial = trial_draw(rs_algorithms[a], n, LANES, n, &random);
      trial.count = a % 2 ? 4099 : n + 1;
      run_or_fail(&mixed, &trial, n * 1000 + a);
    }
    for (size_t d = 0; d < DEVICES; d++)
      if ((tally.sent[d] > 0) != (d == 0 ? n > 1 : n > HOST_RANKS))
        fail_msg("%zu ranks: device %zu sent %" PRIu64 " bytes", n, d, tally.sent[d]);
    close_mixed(&mixed);
  }
}

// Of the four edges of a ring of two hosts, two are within them. Of six chunks, two go over each lane, and lanes 0 and
// 2 over the first NIC: 2 x 4096 bytes of 3 x 4096.
static void test_shares_of_a_ring(void **state) {
  (void)state;
  static struct mixed mixed;
  open_mixed(&mixed, 4);
  struct trial trial = {.algorithm = rs_algorithm_find(RS_ALLREDUCE, "ring"),
                        .datatype = RS_FLOAT32,
                        .operation = RS_SUM,
                        .count = 4 * 6 * 512,
                        .chunk_bytes = 2048,
                        .lanes = LANES};
  run_or_fail(&mixed, &trial, 1);
  uint64_t edge = UINT64_C(2) * 3 * 6 * 2048; // 2 (n - 1) parts
  assert_int_equal(tally.sent[0], 2 * edge);
  assert_int_equal(tally.sent[1], 2 * edge * 2 / 3);
  assert_int_equal(tally.sent[2], 2 * edge / 3);
  close_mixed(&mixed);
}

// What is true of a route is what is true of all its devices.
static void test_limits(void **state) {
  (void)state;
  struct rs_error error = {0};
  struct rs_transport_params params = {.rank_count = 1, .lanes = 1, .one_host = true, .options = &tcp_options};
  const struct rs_transport *null = rs_transport_find("null");
  struct rs_device *devices[2];
  if (rs_transport_tcp.open(&params, &devices[0], &error) < 0 || null->open(&params, &devices[1], &error) < 0)
    fail_msg("%s", error.text);
  struct rs_route route = {.rank_count = 1, .lanes = 1, .devices = devices, .device_count = 1};
  struct rs_limits limits;
  rs_route_limits(&route, &limits);
  assert_true(limits.moves_data && limits.can_sleep && !limits.emulated && limits.slowdown == 1);
  route.device_count = 2;
  rs_route_limits(&route, &limits);
  assert_false(limits.moves_data || limits.can_sleep);
  rs_transport_tcp.close(devices[0]);
  null->close(devices[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_algorithm),
      cmocka_unit_test(test_shares_of_a_ring),
      cmocka_unit_test(test_limits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
