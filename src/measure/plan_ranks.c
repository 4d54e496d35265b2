#include "measure/plan_ranks.h"

#include <math.h>
#include <stdlib.h>

static bool congests(const struct rs_config *config) {
  for (size_t i = 0; i < config->congestors.count; i++)
    if (config->congestors.values[i] != RS_CONGESTOR_NONE)
      return true;
  return false;
}

// Congesting ranks stand evenly among the others, so that they share hosts and network interfaces with them.
static bool is_other(double share, uint32_t rank) {
  return floor((rank + 1) * share) > floor(rank * share);
}

static void share_out(double share, const uint32_t *order, struct rs_plan *plan) {
  uint32_t ordered = 0;
  for (uint32_t i = 0; i < plan->rank_count; i++) {
    if (is_other(share, i))
      plan->others[plan->other_count++] = i;
    else
      plan->measured[plan->measured_count++] = i;
    uint32_t rank = order ? order[i] : i;
    if (!is_other(share, rank))
      plan->order[ordered++] = rank;
  }
}

// From where on ranks are in different groups.
static enum rs_distance boundary_of(const struct rs_config *config, const struct rs_placement *placement) {
  static const enum rs_distance boundaries[] = {[RS_GROUP_HOST] = RS_DISTANCE_LEAF,
                                                [RS_GROUP_LEAF] = RS_DISTANCE_SPINE,
                                                [RS_GROUP_SPINE] = RS_DISTANCE_ZONE,
                                                [RS_GROUP_ZONE] = RS_DISTANCE_REGION,
                                                [RS_GROUP_REGION] = RS_DISTANCE_WORLD};
  if (config->group_by != RS_GROUP_AUTO)
    return boundaries[config->group_by];
  enum rs_distance farthest = RS_DISTANCE_SELF;
  for (size_t r = 1; r < placement->rank_count; r++) {
    enum rs_distance distance = rs_placement_distance(placement, 0, r);
    farthest = distance > farthest ? distance : farthest;
  }
  return farthest >= RS_DISTANCE_REGION ? farthest : RS_DISTANCE_LEAF;
}

static void make_groups(const struct rs_config *config, const struct rs_placement *placement, struct rs_plan *plan) {
  if (config->group_size == 0)
    rs_placement_groups(placement, plan->order, plan->measured_count, boundary_of(config, placement), plan->groups);
  for (uint32_t i = 0; config->group_size > 0 && i < plan->measured_count; i++)
    plan->groups[i] = (uint32_t)(plan->order[i] / config->group_size);
}

enum rs_status plan_ranks_make(const struct rs_config *config, const struct rs_placement *placement,
                               struct rs_plan *plan, struct rs_error *error) {
  size_t n = placement->rank_count;
  plan->rank_count = (uint32_t)n;
  plan->measured = rs_allocate(n, sizeof *plan->measured, "the plan", error);
  plan->others = rs_allocate(n, sizeof *plan->others, "the plan", error);
  plan->order = rs_allocate(n, sizeof *plan->order, "the plan", error);
  plan->groups = rs_allocate(n, sizeof *plan->groups, "the plan", error);
  if (!plan->measured || !plan->others || !plan->order || !plan->groups)
    return error->status;
  plan->congested = congests(config);
  if (plan->congested && !(config->congestor_share > 0 && config->congestor_share < 1))
    return rs_error_set(error, RS_ERROR_USAGE, "run.congestor_share is %g; give a share of the ranks, such as 50%%",
                        config->congestor_share);
  share_out(plan->congested ? config->congestor_share : 0, config->order, plan);
  if (plan->congested && (plan->measured_count < 2 || plan->other_count < 2))
    return rs_error_set(error, RS_ERROR_USAGE,
                        "%zu ranks with a share of %g leave %u to be measured and %u to congest, and each needs 2; use "
                        "more ranks or another run.congestor_share",
                        n, config->congestor_share, plan->measured_count, plan->other_count);
  make_groups(config, placement, plan);
  return RS_OK;
}

void plan_ranks_fini(struct rs_plan *plan) {
  free(plan->measured);
  free(plan->others);
  free(plan->order);
  free(plan->groups);
}

// ---- pairs ------------------------------------------------------------------------------------------------

static uint32_t partner(enum rs_pairs pairs, uint32_t count, uint32_t round, uint32_t i) {
  uint32_t half = count / 2;
  switch (pairs) {
  case RS_PAIRS_ALL:
    return rs_tournament_partner(count, round, i);
  case RS_PAIRS_HALVES:
    return i < half ? i + half : i < 2 * half ? i - half : i;
  case RS_PAIRS_ENDS:
    return i == 0 ? count - 1 : i == count - 1 ? 0 : i;
  }
  return i;
}

void plan_partners(const struct rs_config *config, const struct rs_plan *plan, const struct rs_case *point,
                   uint32_t *partners) {
  for (uint32_t i = 0; i < plan->measured_count; i++)
    partners[i] = partner((enum rs_pairs)config->pairs, plan->measured_count, point->round, i);
}

size_t rs_case_pairs(const struct rs_config *config, const struct rs_plan *plan, const struct rs_case *point,
                     struct rs_pair_row *rows) {
  size_t count = 0;
  for (uint32_t i = 0; point->benchmark == RS_BENCHMARK_P2P && i < plan->measured_count; i++) {
    uint32_t other = partner((enum rs_pairs)config->pairs, plan->measured_count, point->round, i);
    if (other <= i)
      continue;
    rows[count++] = (struct rs_pair_row){.case_id = point->id,
                                         .rank_a = plan->measured[i],
                                         .rank_b = plan->measured[other],
                                         .median_ns = NAN,
                                         .ci_low_ns = NAN,
                                         .ci_high_ns = NAN,
                                         .p99_ns = NAN,
                                         .algbw_gb_s = NAN};
  }
  return count;
}

// ---- uneven blocks ----------------------------------------------------------------------------------------

// Rounded to whole millionths, so that ranks whose libraries compute powers a little differently agree.
static uint64_t weight(uint32_t place, double skew) {
  return 1 + (uint64_t)llround(1e6 * pow(1.0 + place, -skew));
}

// A shuffle without memory: places go up in steps that have no common divisor with rank_count.
static uint32_t stride(uint32_t rank_count) {
  uint32_t step = rank_count / 2 + 1;
  for (;; step++) {
    uint32_t a = rank_count, b = step;
    while (b != 0) {
      uint32_t rest = a % b;
      a = b;
      b = rest;
    }
    if (a == 1)
      return step;
  }
}

void rs_expert_bounds(uint64_t elements, uint32_t rank_count, double skew, uint64_t *bounds) {
  uint32_t step = stride(rank_count);
  uint64_t total = 0;
  for (uint32_t rank = 0; rank < rank_count; rank++)
    total += weight(rank, skew);
  uint64_t sum = 0;
  bounds[0] = 0;
  for (uint32_t rank = 0; rank < rank_count; rank++) {
    sum += weight((uint32_t)((uint64_t)rank * step % rank_count), skew);
    bounds[rank + 1] =
        elements / total * sum + elements % total * sum / total; // elements sum / total, without overflow
  }
}
