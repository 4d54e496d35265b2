#include "measure/case_setup.h"

#include <stdlib.h>
#include <string.h>

enum rs_status case_setup_init(struct case_setup *setup, const struct rs_config *config, const struct rs_plan *plan,
                               struct rs_error *error) {
  static const char what[] = "the set-up of cases";
  *setup = (struct case_setup){.config = config, .plan = plan};
  setup->partners = rs_allocate(plan->rank_count, sizeof *setup->partners, what, error);
  setup->members = rs_allocate(plan->rank_count, sizeof *setup->members, what, error);
  setup->bounds = rs_allocate((size_t)plan->rank_count + 1, sizeof *setup->bounds, what, error);
  return error->status;
}

void case_setup_fini(struct case_setup *setup) {
  free(setup->partners);
  free(setup->members);
  free(setup->bounds);
  *setup = (struct case_setup){0};
}

static uint32_t index_of(const uint32_t *ranks, uint32_t count, uint32_t rank) {
  uint32_t i = 0;
  while (i < count && ranks[i] != rank)
    i++;
  return i;
}

// The measured ranks by their position in the schedule of a case.
static const uint32_t *positions(const struct rs_plan *plan, const struct rs_case *point) {
  return rs_case_ordered(point) ? plan->order : plan->measured;
}

// The root stays the same rank wherever it stands.
static uint32_t root_position(const struct rs_plan *plan, const struct rs_case *point) {
  bool rooted = rs_collective_traits[point->collective].rooted;
  return rooted ? index_of(positions(plan, point), plan->measured_count, plan->measured[point->root]) : 0;
}

static void take_measured(struct case_setup *setup, const struct rs_case *point, uint32_t index) {
  const struct rs_plan *plan = setup->plan;
  uint32_t n = plan->measured_count, element_bytes = (uint32_t)rs_datatype_bytes(point->datatype);
  setup->role = CASE_MEASURED;
  setup->algorithm = point->algorithm;
  setup->count = point->count;
  setup->role_members = positions(plan, point);
  setup->shape = (struct rs_shape){
      .schedule = {.collective = point->collective,
                   .rank_count = n,
                   .root = root_position(plan, point),
                   .groups = rs_case_ordered(point) ? plan->groups : NULL},
      .rank = index,
      .blocks = rs_partition_make(point->count, element_bytes, n, 0),
  };
  if (point->benchmark == RS_BENCHMARK_P2P) {
    plan_partners(setup->config, plan, point, setup->partners);
    setup->shape.schedule.partners = setup->partners;
  }
  if (point->collective == RS_ALLTOALLV) {
    rs_expert_bounds(point->count, n, setup->config->skew, setup->bounds);
    setup->shape.blocks = rs_partition_make_uneven(setup->bounds, element_bytes, n, 0);
  }
}

static void take_other(struct case_setup *setup, const struct rs_case *point, uint32_t rank) {
  const struct rs_plan *plan = setup->plan;
  const struct congestor *congestor = congestor_find(point->congestor);
  uint32_t element_bytes = (uint32_t)rs_datatype_bytes(point->datatype);
  setup->role = CASE_IDLE;
  setup->algorithm = NULL;
  if (congestor == NULL || point->algorithm == NULL)
    return;
  setup->role = CASE_CONGESTS;
  setup->algorithm = rs_algorithm_find(congestor->collective, congestor->algorithm);
  setup->count = setup->config->congestor_size / element_bytes;
  memcpy(setup->members, plan->others, plan->other_count * sizeof *setup->members);
  if (congestor->shuffled)
    congestor_shuffle(setup->members, plan->other_count, setup->config->seed);
  setup->role_members = setup->members;
  setup->shape = (struct rs_shape){
      .schedule = {.collective = congestor->collective, .rank_count = plan->other_count},
      .rank = index_of(setup->members, plan->other_count, rank),
      .blocks = rs_partition_make(setup->count, element_bytes, plan->other_count, 0),
  };
}

void case_setup_take(struct case_setup *setup, const struct rs_case *point, uint32_t rank) {
  uint32_t index = index_of(positions(setup->plan, point), setup->plan->measured_count, rank);
  if (index < setup->plan->measured_count)
    take_measured(setup, point, index);
  else
    take_other(setup, point, rank);
}
