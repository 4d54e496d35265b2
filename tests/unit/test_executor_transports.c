// The executor over loop, tcp and shm: the same results, and for one algorithm the same bits, on every transport. All
// ranks are driven by one thread; over tcp the order in which messages arrive is the kernel's.
#include "support/cluster.h"
#include "transport/loop.h"
#include "transport/shm.h"
#include "transport/tcp.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct rs_tcp_options tcp_plain = {.interface = {"lo"}, .streams = 1, .stripe_bytes = 65536};
// Small buffers make nearly every transfer partial, and long messages go over several streams.
static const struct rs_tcp_options tcp_partial = {
    .interface = {"lo"},
    .streams = 2,
    .stripe_bytes = 1024,
    .send_buffer_bytes = 4096,
    .receive_buffer_bytes = 4096,
};
static const struct rs_loop_options loop_plain = {.seed = 1, .segment = 8192};
static const struct rs_loop_options loop_reordered = {.seed = 3, .reorder = true, .segment = 128, .delay = 2};

static const struct rs_shm_options shm_plain = {.ring_bytes = 65536, .piece_bytes = 16384};
// Pieces of one line, in which reductions are done.
static const struct rs_shm_options shm_lines = {.ring_bytes = 192, .piece_bytes = 64};

static void run_or_fail(struct cluster *cluster, const struct trial *trial, uint64_t seed, uint64_t *digests) {
  struct rs_error error = {0};
  if (cluster_run(cluster, trial, 1, seed, digests, &error) < 0) {
    struct rs_text text = {0};
    trial_describe(trial, cluster->rank_count, &text);
    fail_msg("%s over %s, seed %" PRIu64 ": %s", text.data, cluster->transport->name, seed, error.text);
  }
}

static void open_or_fail(struct cluster *cluster, const struct rs_transport *transport, const void *options, size_t n,
                         size_t lanes) {
  struct rs_error error = {0};
  if (cluster_open(cluster, transport, options, n, lanes, &error) < 0)
    fail_msg("%s", error.text);
}

// Every algorithm for 1..17 ranks, with counts around the number of parts; the rest is drawn.
static void check_shapes(const struct rs_transport *transport, const void *options) {
  struct rs_random random = {17};
  for (size_t n = 1; n <= 17; n++) {
    struct cluster cluster;
    open_or_fail(&cluster, transport, options, n, 2);
    const uint64_t counts[] = {0, 1, n - 1, n, n + 1, 4099};
    for (size_t a = 0; a < rs_algorithm_count; a++)
      for (size_t c = 0; c < RS_ARRAY_LENGTH(counts); c++) {
        struct trial trial = trial_draw(rs_algorithms[a], n, 2, n + 17, &random);
        trial.count = counts[c];
        run_or_fail(&cluster, &trial, n * 1000 + c, NULL);
      }
    cluster_close(&cluster);
  }
}

static void check_large(const struct rs_transport *transport, const void *options) {
  struct rs_random random = {100003};
  struct cluster cluster;
  open_or_fail(&cluster, transport, options, 6, 2);
  for (size_t a = 0; a < rs_algorithm_count; a++) {
    struct trial trial = trial_draw(rs_algorithms[a], 6, 2, a, &random);
    trial.count = 100003;
    trial.chunk_bytes *= 16;
    run_or_fail(&cluster, &trial, a, NULL);
  }
  cluster_close(&cluster);
}

static void test_over_tcp(void **state) {
  (void)state;
  check_shapes(&rs_transport_tcp, &tcp_plain);
  check_large(&rs_transport_tcp, &tcp_plain);
}

static void test_over_shm(void **state) {
  (void)state;
  check_shapes(&rs_transport_shm, &shm_plain);
  check_large(&rs_transport_shm, &shm_plain);
}

#define BITS_RANKS 7
#define BITS_LANES 3

// The same input gives the same bits whatever the transport, chunks, lanes, window and order of delivery, in place or
// not, on input whose sums round, so that another order of addition would show. All ranks of an allreduce agree.
static void check_bits(struct cluster *clusters, size_t cluster_count, const struct rs_algorithm *algorithm,
                       uint32_t variant) {
  uint64_t first[BITS_RANKS] = {0};
  for (uint64_t seed = 0; seed < 4 * cluster_count; seed++) {
    struct trial trial = {.algorithm = algorithm,
                          .variant = variant,
                          .datatype = RS_FLOAT16,
                          .operation = rs_collective_traits[algorithm->collective].reduces ? RS_AVG : RS_SUM,
                          .count = 2003,
                          .uneven = variant % 2,
                          .chunk_bytes = seed * 50,
                          .lanes = 1 + seed % BITS_LANES,
                          .window = RS_ROUND_STEPS_MAX + seed,
                          .in_place = rs_collective_traits[algorithm->collective].in_place && seed % 3 == 1,
                          .rough = true};
    struct cluster *cluster = &clusters[seed % cluster_count];
    uint64_t digests[BITS_RANKS] = {0};
    run_or_fail(cluster, &trial, seed, digests);
    if (seed == 0)
      memcpy(first, digests, sizeof first);
    for (size_t r = 0; r < BITS_RANKS; r++)
      if (digests[r] != first[r] || (algorithm->collective == RS_ALLREDUCE && digests[r] != first[0])) {
        struct rs_text text = {0};
        trial_describe(&trial, BITS_RANKS, &text);
        fail_msg("%s over %s: other bits on rank %zu", text.data, cluster->transport->name, r);
      }
  }
}

static void test_same_bits(void **state) {
  (void)state;
  static const struct {
    const struct rs_transport *transport;
    const void *options;
  } kinds[] = {{&rs_transport_loop, &loop_plain}, {&rs_transport_loop, &loop_reordered},
               {&rs_transport_tcp, &tcp_plain},   {&rs_transport_tcp, &tcp_partial},
               {&rs_transport_shm, &shm_plain},   {&rs_transport_shm, &shm_lines}};
  struct cluster clusters[RS_ARRAY_LENGTH(kinds)];
  struct rs_random random = {3};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(kinds); i++)
    open_or_fail(&clusters[i], kinds[i].transport, kinds[i].options, BITS_RANKS, BITS_LANES);
  for (size_t a = 0; a < rs_algorithm_count; a++)
    for (uint32_t i = 0; i < 2; i++)
      check_bits(clusters, RS_ARRAY_LENGTH(kinds), rs_algorithms[a],
                 (uint32_t)rs_random_below(&random, rs_variant_count(rs_algorithms[a], BITS_RANKS)));
  for (size_t i = 0; i < RS_ARRAY_LENGTH(kinds); i++)
    cluster_close(&clusters[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_over_tcp),
      cmocka_unit_test(test_over_shm),
      cmocka_unit_test(test_same_bits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
