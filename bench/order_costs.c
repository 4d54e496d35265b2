#include "order_costs.h"

#include "ringside/collective.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const order_costs_names[] = {"auto", "fabric", "pairs", "links", "distance", NULL};

// ---- measured ---------------------------------------------------------------------------------------------

// The best transport counts. The error of clocks can make a short delay look like none.
static void note(double *cell, double ns) {
  if (!isnan(ns) && !(*cell <= ns))
    *cell = fmax(ns, 1);
}

static bool is_quiet_pingpong(const struct rs_case_row *row) {
  return row->finished && row->verified >= 0 && row->algorithm[0] != '\0' &&
         strcmp(row->collective, rs_collective_names[RS_PINGPONG]) == 0 && strcmp(row->mode, "isolated") == 0 &&
         (row->congestor[0] == '\0' || strcmp(row->congestor, "none") == 0);
}

static double size_distance(uint64_t a, uint64_t b) {
  return fabs(log2((double)(a ? a : 1)) - log2((double)(b ? b : 1)));
}

// The size of ping-pongs that is nearest to `bytes`; false: there are none.
static bool nearest_size(const struct rs_result *result, uint64_t bytes, uint64_t *nearest) {
  bool found = false;
  for (size_t c = 0; c < result->case_count; c++) {
    const struct rs_case_row *row = &result->cases[c];
    if (!is_quiet_pingpong(row) || (found && size_distance(row->size_bytes, bytes) >= size_distance(*nearest, bytes)))
      continue;
    *nearest = row->size_bytes;
    found = true;
  }
  return found;
}

// A ping-pong is there and back, so a pair has one cost for both directions.
static void take_pairs(const struct rs_result *result, uint64_t size, size_t n, double *cost) {
  for (size_t p = 0; p < result->pair_count; p++) {
    const struct rs_pair_row *pair = &result->pairs[p];
    const struct rs_case_row *row = pair->case_id < result->case_count ? &result->cases[pair->case_id] : NULL;
    if (row == NULL || !is_quiet_pingpong(row) || row->size_bytes != size || pair->rank_a >= n || pair->rank_b >= n)
      continue;
    note(&cost[pair->rank_a * n + pair->rank_b], pair->median_ns / 2);
    note(&cost[pair->rank_b * n + pair->rank_a], pair->median_ns / 2);
  }
}

static void take_links(const struct rs_result *result, size_t n, double *cost) {
  for (size_t l = 0; l < result->link_count; l++) {
    const struct rs_link_row *link = &result->links[l];
    if (link->source < n && link->target < n)
      note(&cost[link->source * n + link->target], link->delay_ns);
  }
}

// What was not measured costs the mean of what was, at the same distance.
static enum rs_status fill(const struct rs_placement *placement, struct order_costs *costs, struct rs_error *error) {
  size_t n = placement->rank_count, known[RS_DISTANCE_COUNT] = {0};
  double sums[RS_DISTANCE_COUNT] = {0};
  for (size_t i = 0; i < n * n; i++)
    if (!isnan(costs->cost[i])) {
      enum rs_distance distance = rs_placement_distance(placement, i / n, i % n);
      known[distance]++;
      sums[distance] += costs->cost[i];
    }
  for (size_t i = 0; i < n * n; i++) {
    enum rs_distance distance = rs_placement_distance(placement, i / n, i % n);
    if (!isnan(costs->cost[i]))
      continue;
    if (known[distance] == 0)
      return rs_error_set(
          error, RS_ERROR_USAGE,
          "ranks %zu and %zu were not measured, nor any others at distance '%s'; measure all pairs "
          "('ringside run --set benchmark=p2p --set p2p=pingpong'), or give --fabric or --costs distance",
          i / n, i % n, rs_distance_names[distance]);
    costs->cost[i] = sums[distance] / (double)known[distance];
    costs->filled++;
  }
  return RS_OK;
}

// ---- kinds ------------------------------------------------------------------------------------------------

static enum order_costs_kind resolve(enum order_costs_kind kind, const struct rs_fabric_map *map,
                                     const struct rs_result *result) {
  uint64_t size;
  if (kind != ORDER_COSTS_AUTO)
    return kind;
  if (map)
    return ORDER_COSTS_FABRIC;
  if (result && nearest_size(result, 1, &size))
    return ORDER_COSTS_PAIRS;
  return result && result->link_count > 0 ? ORDER_COSTS_LINKS : ORDER_COSTS_DISTANCE;
}

static enum rs_status take(const struct rs_placement *placement, const struct rs_fabric_map *map,
                           const struct rs_result *result, uint64_t bytes, struct order_costs *costs,
                           struct rs_error *error) {
  size_t n = placement->rank_count;
  switch (costs->kind) {
  case ORDER_COSTS_FABRIC:
    if (map == NULL)
      return rs_error_set(error, RS_ERROR_USAGE, "--costs fabric needs --fabric FILE");
    for (size_t i = 0; i < n * n; i++)
      if (i / n != i % n)
        costs->cost[i] = (double)rs_fabric_message_ps(map, i / n, i % n, bytes) / 1e3;
    return RS_OK;
  case ORDER_COSTS_PAIRS:
    if (result == NULL || !nearest_size(result, bytes, &costs->pair_bytes))
      return rs_error_set(error, RS_ERROR_USAGE,
                          "--costs pairs needs a result with ping-pongs by one of our algorithms: 'ringside run --set "
                          "benchmark=p2p --set p2p=pingpong'");
    take_pairs(result, costs->pair_bytes, n, costs->cost);
    return fill(placement, costs, error);
  case ORDER_COSTS_LINKS:
    if (result == NULL || result->link_count == 0)
      return rs_error_set(error, RS_ERROR_USAGE,
                          "--costs links needs a result with link delays: 'ringside run' without run.probe=false");
    take_links(result, n, costs->cost);
    return fill(placement, costs, error);
  default:
    rs_rank_order_distance_costs(placement, costs->cost);
    return RS_OK;
  }
}

enum rs_status order_costs_make(enum order_costs_kind kind, const struct rs_placement *placement,
                                const struct rs_fabric_map *map, const struct rs_result *result, uint64_t bytes,
                                struct order_costs *costs, struct rs_error *error) {
  size_t n = placement->rank_count;
  struct order_costs made = {.kind = resolve(kind, map, result)};
  made.time = made.kind != ORDER_COSTS_DISTANCE;
  made.cost = rs_allocate(n * n, sizeof *made.cost, "the costs of links", error);
  if (made.cost == NULL)
    return error->status;
  for (size_t i = 0; i < n * n; i++)
    made.cost[i] = i / n == i % n ? 0 : NAN;
  if (take(placement, map, result, bytes, &made, error) < 0) {
    order_costs_fini(&made);
    return error->status;
  }
  *costs = made;
  return RS_OK;
}

void order_costs_fini(struct order_costs *costs) {
  free(costs->cost);
  *costs = (struct order_costs){0};
}
