// The order of ranks: exact ones against all permutations, heuristics against exact ones, bounds never above the best,
// and what a person would do: hosts together, zones together.
#include "ringside/collective.h"
#include "ringside/topology.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RANKS_MAX 1024
#define BRUTE_MAX 8

static double order_cost(size_t n, const double *weight, const double *cost, const uint32_t *ranks) {
  double sum = 0;
  for (size_t a = 0; a < n; a++)
    for (size_t b = 0; b < n; b++) {
      double sends = weight ? weight[a * n + b] : (a + 1) % n == b ? 1 : 0;
      sum += a == b ? 0 : sends * cost[ranks[a] * n + ranks[b]];
    }
  return sum;
}

// Tries all orders of ranks[done ..].
static double least_cost(size_t n, const double *weight, const double *cost, uint32_t *ranks, size_t done) {
  if (done == n)
    return order_cost(n, weight, cost, ranks);
  double least = INFINITY;
  for (size_t i = done; i < n; i++) {
    uint32_t rank = ranks[i];
    ranks[i] = ranks[done];
    ranks[done] = rank;
    least = fmin(least, least_cost(n, weight, cost, ranks, done + 1));
    ranks[done] = ranks[i];
    ranks[i] = rank;
  }
  return least;
}

static double brute(size_t n, const double *weight, const double *cost) {
  uint32_t ranks[BRUTE_MAX];
  for (uint32_t i = 0; i < n; i++)
    ranks[i] = i;
  return least_cost(n, weight, cost, ranks, 0);
}

static double *draw(struct rs_random *random, size_t n, uint64_t most, double share) {
  double *matrix = calloc(n * n, sizeof *matrix);
  for (size_t i = 0; i < n * n; i++)
    if ((double)rs_random_below(random, 1000) < share * 1000)
      matrix[i] = (double)rs_random_below(random, most);
  return matrix;
}

// Finds, and sees that the answer is an order whose figures are true.
static struct rs_rank_order find(size_t n, const double *weight, const double *cost, const uint32_t *given,
                                 uint64_t seed) {
  struct rs_rank_order_request request = {.rank_count = (uint32_t)n, .weight = weight, .cost = cost, .given = given};
  struct rs_rank_order order = {0};
  struct rs_error error = {0};
  if (rs_rank_order_find(&request, &order, &error) < 0)
    fail_msg("seed %llu, n %zu: %s", (unsigned long long)seed, n, error.text);
  bool seen[RANKS_MAX] = {false};
  for (size_t i = 0; i < n; i++) {
    assert_true(order.ranks[i] < n && !seen[order.ranks[i]]);
    seen[order.ranks[i]] = true;
  }
  double cost_now = order_cost(n, weight, cost, order.ranks);
  if (fabs(cost_now - order.cost) > 1e-6 * (1 + cost_now) || order.cost > order.given_cost * (1 + 1e-9) ||
      order.bound > order.cost)
    fail_msg("seed %llu, n %zu: cost %g (really %g), given %g, bound %g", (unsigned long long)seed, n, order.cost,
             cost_now, order.given_cost, order.bound);
  return order;
}

// ---- against all permutations -----------------------------------------------------------------------------

static void small_ones_are_exact(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 60; seed++) {
    struct rs_random random = {seed};
    size_t n = 1 + rs_random_below(&random, seed % 20 == 0 ? BRUTE_MAX : BRUTE_MAX - 1);
    bool ring = seed % 2 == 0;
    // Few different costs make equal ranks, many make noise; weights are dense, or as sparse as a schedule's.
    double *cost = draw(&random, n, seed % 3 ? 1000 : 3, 1),
           *weight = ring ? NULL : draw(&random, n, 50, seed % 5 ? 0.3 : 1);
    struct rs_rank_order order = find(n, weight, cost, NULL, seed);
    double least = brute(n, weight, cost);
    if (!order.exact || fabs(order.cost - least) > 1e-6 * (1 + least))
      fail_msg("seed %llu, n %zu: cost %g, least %g, exact %d", (unsigned long long)seed, n, order.cost, least,
               order.exact);
    rs_rank_order_fini(&order);
    free(cost);
    free(weight);
  }
}

// ---- clusters ---------------------------------------------------------------------------------------------

// Ranks dealt out to zones of racks of hosts, `width` of each; costs are classes of distance.
static double *nested(struct rs_random *random, size_t n, size_t width, uint32_t *places) {
  double *cost = calloc(n * n, sizeof *cost);
  for (uint32_t i = 0; i < n; i++) {
    size_t k = random ? rs_random_below(random, i + 1) : i;
    places[i] = places[k];
    places[k] = i;
  }
  for (size_t r = 0; r < n; r++)
    for (size_t s = 0; s < n; s++) {
      cost[r * n + s] = r == s ? 0 : 1;
      for (size_t block = width; block < n; block *= width)
        if (places[r] / block != places[s] / block)
          cost[r * n + s] *= 10;
    }
  return cost;
}

// Eight ranks of two zones, shuffled: a ring must leave each zone once and no more.
static void two_zones_are_crossed_twice(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    struct rs_random random = {seed};
    uint32_t places[8];
    double *cost = nested(&random, 8, 4, places);
    struct rs_rank_order order = find(8, NULL, cost, NULL, seed);
    size_t crossings = 0;
    for (size_t i = 0; i < 8; i++)
      crossings += places[order.ranks[i]] / 4 != places[order.ranks[(i + 1) % 8]] / 4;
    assert_int_equal(crossings, 2);
    assert_true(order.exact);
    assert_int_equal(order.ranks[0], 0);
    rs_rank_order_fini(&order);
    free(cost);
  }
}

// The best ring is known: every block but the whole is left exactly once. The bound says so, at any size.
static void nested_clusters_are_exact_at_any_size(void **state) {
  (void)state;
  static const size_t sizes[][2] = {{16, 4}, {27, 3}, {64, 4}, {81, 9}, {512, 8}, {1024, 4}};
  uint32_t *places = calloc(RANKS_MAX, sizeof *places);
  for (size_t i = 0; i < RS_ARRAY_LENGTH(sizes); i++) {
    size_t n = sizes[i][0], width = sizes[i][1];
    struct rs_random random = {i + 1};
    double *sorted = nested(NULL, n, width, places), least = 0;
    for (size_t r = 0; r < n; r++)
      least += sorted[r * n + (r + 1) % n];
    double *cost = nested(&random, n, width, places);
    struct rs_rank_order order = find(n, NULL, cost, NULL, i + 1);
    assert_true(order.exact);
    assert_true(fabs(order.cost - least) < 1e-6 * least);
    rs_rank_order_fini(&order);
    free(sorted);
    free(cost);
  }
  free(places);
}

static double *traffic(const char *name, size_t n) {
  const struct rs_algorithm *algorithm = rs_algorithm_find(RS_ALLREDUCE, name);
  struct rs_schedule_params params = {.collective = RS_ALLREDUCE, .rank_count = (uint32_t)n};
  uint64_t *parts = calloc(n * n, sizeof *parts);
  double *weight = calloc(n * n, sizeof *weight);
  rs_schedule_traffic(algorithm, &params, parts, NULL);
  for (size_t i = 0; i < n * n; i++)
    weight[i] = (double)parts[i];
  free(parts);
  return weight;
}

// Trees on shuffled hosts: never worse than hosts side by side, and the bound stays below.
static void trees_keep_hosts_together(void **state) {
  (void)state;
  static const char *const names[] = {"tree", "double_tree", "halving_doubling", "recursive_doubling"};
  static const size_t sizes[] = {8, 12, 16, 64};
  for (size_t a = 0; a < RS_ARRAY_LENGTH(names); a++)
    for (size_t i = 0; i < RS_ARRAY_LENGTH(sizes); i++) {
      if (rs_algorithm_find(RS_ALLREDUCE, names[a]) == NULL)
        continue;
      size_t n = sizes[i];
      uint32_t places[64];
      struct rs_random random = {n};
      double *weight = traffic(names[a], n), *sorted = nested(NULL, n, 4, places);
      uint32_t ascending[64];
      for (uint32_t r = 0; r < n; r++)
        ascending[r] = r;
      double by_hand = order_cost(n, weight, sorted, ascending);
      double *cost = nested(&random, n, 4, places);
      struct rs_rank_order order = find(n, weight, cost, NULL, n);
      if (order.cost > by_hand * (1 + 1e-9))
        fail_msg("%s on %zu ranks costs %g, by hand %g", names[a], n, order.cost, by_hand);
      rs_rank_order_fini(&order);
      free(weight);
      free(sorted);
      free(cost);
    }
}

// ---- heuristics -------------------------------------------------------------------------------------------

// A ring of 16 is exact; one that is too large by one dear rank is not, but must then be as good: the new rank costs
// nothing on the way between any two, so the least stays what it was.
static void heuristics_are_near_exact_ones(void **state) {
  (void)state;
  double worst = 1;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    struct rs_random random = {seed};
    double *cost = draw(&random, 16, 1000, 1);
    double *more = calloc(17 * 17, sizeof *more);
    // Rank 16 stands beside rank 0: to it at no cost, from it at the cost of rank 0, from all others dear.
    for (size_t r = 0; r < 16; r++)
      for (size_t s = 0; s < 16; s++)
        more[r * 17 + s] = r == 0 ? 1e6 : cost[r * 16 + s];
    for (size_t s = 1; s < 16; s++) {
      more[16 * 17 + s] = cost[s];
      more[s * 17 + 16] = 1e6;
    }
    more[16 * 17] = 1e6;
    struct rs_rank_order exact = find(16, NULL, cost, NULL, seed), near = find(17, NULL, more, NULL, seed);
    assert_true(exact.exact);
    assert_true(near.cost >= exact.cost - 1e-6 && near.bound <= exact.cost + 1e-6);
    worst = fmax(worst, near.cost / exact.cost);
    rs_rank_order_fini(&exact);
    rs_rank_order_fini(&near);
    free(cost);
    free(more);
  }
  if (worst > 1.35)
    fail_msg("a ring is %.0f%% dearer than the best", 100 * (worst - 1));
}

// ---- what is given ----------------------------------------------------------------------------------------

static void nothing_to_gain_changes_nothing(void **state) {
  (void)state;
  enum { N = 20 };
  struct rs_random random = {7};
  uint32_t given[N], places[N];
  for (uint32_t i = 0; i < N; i++)
    given[i] = (i * 7 + 3) % N;
  double *flat = draw(&random, N, 1, 1), *weight = draw(&random, N, 9, 0.4), *zones = nested(NULL, N, 5, places);
  for (size_t i = 0; i < N * N; i++)
    flat[i] = 5;
  const double *weights[] = {NULL, weight};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(weights); i++) {
    struct rs_rank_order order = find(N, weights[i], flat, given, 7);
    assert_memory_equal(order.ranks, given, sizeof given);
    assert_true(order.cost == order.given_cost && order.exact);
    rs_rank_order_fini(&order);
  }
  struct rs_rank_order order = find(N, NULL, zones, NULL, 7); // blocks as they are
  for (uint32_t i = 0; i < N; i++)
    assert_int_equal(order.ranks[i], i);
  assert_true(order.exact);
  rs_rank_order_fini(&order);
  free(flat);
  free(weight);
  free(zones);
}

// The ring's own schedule is seen to be a ring, and gives the same order as no weights at all.
static void a_schedule_can_be_a_ring(void **state) {
  (void)state;
  struct rs_random random = {3};
  double *cost = draw(&random, 14, 500, 1), *weight = traffic("ring", 14);
  struct rs_rank_order plain = find(14, NULL, cost, NULL, 3), scheduled = find(14, weight, cost, NULL, 3);
  assert_memory_equal(plain.ranks, scheduled.ranks, 14 * sizeof *plain.ranks);
  assert_true(scheduled.exact && fabs(scheduled.cost - 26 * plain.cost) < 1e-6 * scheduled.cost);
  rs_rank_order_fini(&plain);
  rs_rank_order_fini(&scheduled);
  free(cost);
  free(weight);
}

static void bad_matrices_are_refused(void **state) {
  (void)state;
  static const double bad[] = {-1, NAN, INFINITY};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(bad); i++) {
    double good[4] = {0, 1, 1, 0}, cost[4] = {0, 1, bad[i], 0};
    struct rs_rank_order order;
    struct rs_error error = {0}, other = {0};
    struct rs_rank_order_request costs = {.rank_count = 2, .cost = cost},
                                 weights = {.rank_count = 2, .weight = cost, .cost = good};
    assert_int_equal(rs_rank_order_find(&costs, &order, &error), RS_ERROR_USAGE);
    assert_non_null(strstr(error.text, "the cost from 1 to 0"));
    assert_int_equal(rs_rank_order_find(&weights, &order, &other), RS_ERROR_USAGE);
    assert_non_null(strstr(other.text, "the weight from 1 to 0"));
  }
}

static void the_same_request_gets_the_same_order(void **state) {
  (void)state;
  struct rs_random random = {11};
  double *cost = draw(&random, 40, 1000, 1), *weight = draw(&random, 40, 20, 0.2);
  struct rs_rank_order first = find(40, weight, cost, NULL, 11), again = find(40, weight, cost, NULL, 11);
  assert_memory_equal(first.ranks, again.ranks, 40 * sizeof *first.ranks);
  rs_rank_order_fini(&first);
  rs_rank_order_fini(&again);
  free(cost);
  free(weight);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(small_ones_are_exact),
      cmocka_unit_test(two_zones_are_crossed_twice),
      cmocka_unit_test(nested_clusters_are_exact_at_any_size),
      cmocka_unit_test(trees_keep_hosts_together),
      cmocka_unit_test(heuristics_are_near_exact_ones),
      cmocka_unit_test(nothing_to_gain_changes_nothing),
      cmocka_unit_test(a_schedule_can_be_a_ring),
      cmocka_unit_test(bad_matrices_are_refused),
      cmocka_unit_test(the_same_request_gets_the_same_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
