// What schedules cost, against closed forms worked out by hand, equal in integer picoseconds: 8 Gbit/s is 1000 ps per
// byte, so no time is rounded.
#include "ringside/simulate.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define US INT64_C(1000000) // in ps
#define RANKS_MAX 64

// a, b and g of the closed forms.
static const int64_t a = 10 * US, b = 1000, g = 100;

struct bench {
  struct rs_fabric fabric;
  struct rs_placement placement;
  struct rs_fabric_map map;
  struct rs_simulation simulation;
  uint32_t groups[RANKS_MAX], partners[RANKS_MAX];
};

static void bench_init(struct bench *bench, const char *yaml, enum rs_collective collective, const char *algorithm,
                       uint32_t ranks, uint64_t bytes) {
  struct rs_error error = {0};
  *bench = (struct bench){0};
  if (rs_fabric_parse("a.yaml", yaml, strlen(yaml), &bench->fabric, &error) != RS_OK ||
      rs_fabric_place(&bench->fabric, ranks, NULL, &bench->placement, &error) != RS_OK ||
      rs_fabric_map_open(&bench->fabric, &bench->placement, &bench->map, &error) != RS_OK)
    fail_msg("%s", error.text);
  for (uint32_t r = 0; r < ranks; r++) {
    bench->groups[r] = strstr(bench->placement.hosts[bench->placement.ranks[r].host].zone, "z1") != NULL;
    bench->partners[r] = (r + ranks / 2) % ranks;
  }
  bench->simulation = (struct rs_simulation){
      .map = &bench->map,
      .algorithm = rs_algorithm_find(collective, algorithm),
      .schedule = {.collective = collective, .rank_count = ranks, .groups = bench->groups, .partners = bench->partners},
      .count = bytes / 4,
      .element_bytes = 4,
      .lanes = 1,
      .reduce_bit_s = 80000000000};
  assert_non_null(bench->simulation.algorithm);
}

static void bench_fini(struct bench *bench) {
  rs_fabric_map_fini(&bench->map);
  rs_placement_fini(&bench->placement);
}

static struct rs_simulated simulate(const struct bench *bench) {
  struct rs_simulated simulated;
  struct rs_error error = {0};
  if (rs_simulate(&bench->simulation, &simulated, &error) != RS_OK)
    fail_msg("%s", error.text);
  return simulated;
}

static int64_t cost(const char *yaml, enum rs_collective collective, const char *algorithm, uint32_t ranks,
                    uint64_t bytes) {
  struct bench bench;
  bench_init(&bench, yaml, collective, algorithm, ranks, bytes);
  const int64_t time_ps = simulate(&bench).time_ps;
  bench_fini(&bench);
  return time_ps;
}

// One rank per host, all alike.
static const char uniform[] = "layout.hosts: 64\nleaf: {latency: 10us, flow: 8Gbit/s}\n";
static const char nics[] = "layout.hosts: 64\nleaf.latency: 10us\nnic: {egress: 8Gbit/s, ingress: 8Gbit/s}\n";

static void ring_is_its_formula(void **state) {
  (void)state;
  for (int64_t n = 2; n <= 33; n++)
    for (uint64_t part = 64; part <= 1 << 20; part *= 128) { // the last: several quanta
      const int64_t p = (int64_t)part, expected = 2 * (n - 1) * (a + p * b) + (n - 1) * p * g;
      assert_int_equal(cost(uniform, RS_ALLREDUCE, "ring", (uint32_t)n, (uint64_t)n * part), expected);
      assert_int_equal(cost(nics, RS_ALLREDUCE, "ring", (uint32_t)n, (uint64_t)n * part), expected);
    }
}

static void tree_is_its_formula(void **state) {
  (void)state;
  int64_t levels = 1;
  for (uint32_t n = 2; n <= 64; n *= 2, levels++)
    for (int64_t s = 64; s <= 1 << 20; s *= 128)
      assert_int_equal(cost(uniform, RS_ALLREDUCE, "tree", n, (uint64_t)s), 2 * levels * (a + s * b) + levels * s * g);
}

// With one NIC per host the root of the way down serves its children one quantum after the other: with four ranks and
// one quantum each, the second child waits for the first.
static void a_shared_nic_is_taken_in_turns(void **state) {
  (void)state;
  const int64_t s = 65536;
  // Up: 1 and 2 get to 0 one after the other anyway. Down: 0 sends to 2 and 1; 2 sends to 3 when it has all.
  assert_int_equal(cost(nics, RS_ALLREDUCE, "tree", 4, 65536), 4 * (a + s * b) + 2 * s * g);
  // Two quanta each: 2's last one leaves after three others, and one more time after that it is passed on.
  assert_int_equal(cost(nics, RS_ALLREDUCE, "tree", 4, 131072), 4 * (a + 2 * s * b) + s * b + 4 * s * g);
}

// Two zones of two hosts; between zones ten times the latency and a quarter of the rate.
static const char two_zones[] = "layout: {zones: 2, hosts: 2}\nleaf: {latency: 10us, flow: 8Gbit/s}\n"
                                "region: {latency: 100us, flow: 2Gbit/s}\n";

static void hierarchical_crosses_zones_as_its_formula_says(void **state) {
  (void)state;
  const int64_t far_a = 100 * US, far_b = 4000;
  for (int64_t s = 128; s <= 1 << 20; s *= 64) {
    const int64_t inside = 2 * (a + s * b) + s * g, between = 2 * (far_a + s / 2 * far_b) + s / 2 * g;
    assert_int_equal(cost(two_zones, RS_ALLREDUCE, "hierarchical", 4, (uint64_t)s), inside + between);
  }
}

// The recurrence of a ring: rank r has finished round k when what its left neighbour finished in round k - 1 has come,
// behind the message before it on the same flow, and is added.
static int64_t ring_by_recurrence(int n, int64_t part, const int64_t *hop_a, const int64_t *hop_b) {
  int64_t done[RANKS_MAX] = {0}, free[RANKS_MAX] = {0}, most = 0;
  for (int k = 0; k < 2 * (n - 1); k++) {
    int64_t next[RANKS_MAX];
    for (int r = 0; r < n; r++) {
      const int left = (r + n - 1) % n;
      const int64_t start = done[left] > free[left] ? done[left] : free[left];
      free[left] = start + part * hop_b[left];
      next[r] = free[left] + hop_a[left] + (k < n - 1 ? part * g : 0);
      most = next[r] > most ? next[r] : most;
    }
    memcpy(done, next, sizeof done);
  }
  return most;
}

static void ring_over_two_zones_is_its_recurrence(void **state) {
  (void)state;
  static const int64_t hop_a[] = {10 * US, 100 * US, 10 * US, 100 * US}, hop_b[] = {1000, 4000, 1000, 4000};
  for (int64_t part = 64; part <= 1 << 20; part *= 128) {
    const int64_t expected = ring_by_recurrence(4, part, hop_a, hop_b);
    assert_int_equal(cost(two_zones, RS_ALLREDUCE, "ring", 4, 4 * (uint64_t)part), expected);
  }
}

// Four flows from one zone to the other share its uplink, of 32 Gbit/s by 16.
static void flows_share_an_uplink(void **state) {
  (void)state;
  static const char yaml[] = "layout: {zones: 2, hosts: 4}\nleaf.latency: 10us\nregion.latency: 100us\n"
                             "nic: {egress: 8Gbit/s, ingress: 8Gbit/s}\nzone.oversubscription: 16\n";
  const int64_t s = 1 << 20, uplink_b = 4000;
  assert_int_equal(cost(yaml, RS_STREAM, "direct", 8, 1 << 20), 100 * US + 4 * s * uplink_b);
  assert_int_equal(cost(nics, RS_STREAM, "direct", 8, 1 << 20), a + s * b);
}

// Chunks overlap the rounds of a chain: c chunks over n-1 hops take (n - 1 + c - 1) messages of a chunk.
static void chunks_make_a_pipeline(void **state) {
  (void)state;
  const uint32_t n = 5;
  const int64_t chunk = 65536, chunks = 16;
  struct bench bench;
  bench_init(&bench, uniform, RS_BROADCAST, "chain", n, (uint64_t)(chunk * chunks));
  bench.simulation.chunk_bytes = (uint64_t)chunk;
  const struct rs_simulated found = simulate(&bench);
  assert_int_equal(found.messages, (n - 1) * chunks);
  assert_int_equal(found.bytes, (n - 1) * chunk * chunks);
  assert_int_equal(found.time_ps, (n - 1) * (a + chunk * b) + (chunks - 1) * chunk * b);
  bench.simulation.window = RS_ROUND_STEPS_MAX; // eight steps in flight still fill so short a latency
  assert_int_equal(simulate(&bench).time_ps, found.time_ps);
  bench_fini(&bench);
}

// Every algorithm ends, in place and out, cut and uncut, on a shuffled fabric; twice the same.
static void every_algorithm_ends(void **state) {
  (void)state;
  static const char yaml[] = "layout: {zones: 2, racks: 2, hosts: 2, ranks: 2, shuffle: 5}\nhost.latency: 1us\n"
                             "leaf.latency: 10us\nspine.latency: 20us\nregion: {latency: 300us, flow: 5Gbit/s}\n"
                             "nic: {egress: 8Gbit/s, ingress: 8Gbit/s}\nrack.oversubscription: 2\n";
  for (size_t i = 0; i < rs_algorithm_count; i++)
    for (uint32_t ranks = 1; ranks <= 13; ranks += 3)
      for (int cut = 0; cut < 4; cut++) {
        const struct rs_algorithm *algorithm = rs_algorithms[i];
        struct bench bench;
        bench_init(&bench, yaml, algorithm->collective, algorithm->name, ranks, 100004);
        for (uint32_t r = 0; r < ranks; r++)
          bench.partners[r] = rs_tournament_partner(ranks, 0, r);
        bench.simulation.chunk_bytes = cut % 2 ? 4096 : 0;
        bench.simulation.lanes = 2;
        bench.simulation.in_place = cut >= 2 && rs_collective_traits[algorithm->collective].in_place;
        const struct rs_simulated first = simulate(&bench), second = simulate(&bench);
        assert_int_equal(first.time_ps, second.time_ps);
        assert_true(ranks == 1 || first.time_ps > 0);
        bench_fini(&bench);
      }
}

static void what_does_not_fit_is_refused(void **state) {
  (void)state;
  struct bench bench;
  struct rs_simulated simulated;
  struct rs_error error = {0};
  bench_init(&bench, uniform, RS_ALLREDUCE, "ring", 4, 64);
  bench.simulation.window = 7;
  assert_int_equal(rs_simulate(&bench.simulation, &simulated, &error), RS_ERROR_USAGE);
  assert_non_null(strstr(error.text, "a window of 7 steps is outside 8..64"));
  error = (struct rs_error){0};
  bench.simulation.window = 0;
  static const uint32_t members[] = {0, 1, 2, 4};
  bench.simulation.members = members;
  assert_int_equal(rs_simulate(&bench.simulation, &simulated, &error), RS_ERROR_USAGE);
  assert_non_null(strstr(error.text, "rank 3 has no place among 4"));
  bench_fini(&bench);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ring_is_its_formula),
      cmocka_unit_test(tree_is_its_formula),
      cmocka_unit_test(a_shared_nic_is_taken_in_turns),
      cmocka_unit_test(hierarchical_crosses_zones_as_its_formula_says),
      cmocka_unit_test(ring_over_two_zones_is_its_recurrence),
      cmocka_unit_test(flows_share_an_uplink),
      cmocka_unit_test(chunks_make_a_pipeline),
      cmocka_unit_test(every_algorithm_ends),
      cmocka_unit_test(what_does_not_fit_is_refused),
  };
  return cmocka_run_group_tests_name("simulate", tests, NULL, NULL);
}
