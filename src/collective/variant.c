// What a proof must vary beside the number of ranks.
#include "ringside/collective.h"

#include <string.h>

// The group of a rank in a grouping; `name` completes " groups ...".
struct grouping {
  const char *name;
  uint32_t (*group)(uint32_t rank_count, uint32_t rank);
};

static uint32_t together(uint32_t rank_count, uint32_t rank) {
  (void)rank_count;
  (void)rank;
  return 0;
}
static uint32_t apart(uint32_t rank_count, uint32_t rank) {
  (void)rank_count;
  return rank;
}
static uint32_t twos(uint32_t rank_count, uint32_t rank) {
  (void)rank_count;
  return rank / 2;
}
static uint32_t fours(uint32_t rank_count, uint32_t rank) {
  (void)rank_count;
  return rank / 4;
}
static uint32_t dealt(uint32_t rank_count, uint32_t rank) {
  return rank % (rank_count < 3 ? 1 : 3);
}
// 1, 2, 3, ... ranks, and the groups' numbers fall and have gaps.
static uint32_t growing(uint32_t rank_count, uint32_t rank) {
  uint32_t group = 0;
  for (uint32_t last = 0; rank > last; last += group + 1) {
    group++;
  }
  return 7 * (rank_count - group);
}

static const struct grouping groupings[] = {
    {"all in one", together}, {"of 1", apart}, {"of 2", twos}, {"of 4", fours}, {"dealt", dealt}, {"growing", growing},
};

uint32_t rs_variant_count(const struct rs_algorithm *algorithm, uint32_t rank_count) {
  const struct rs_collective_traits *traits = &rs_collective_traits[algorithm->collective];
  const uint32_t pairings = traits->paired && rank_count > 1 ? rs_tournament_rounds(rank_count) : 1;
  return pairings * (traits->rooted ? rank_count : 1) * (algorithm->grouped ? (uint32_t)RS_ARRAY_LENGTH(groupings) : 1);
}

struct rs_schedule_params rs_variant(const struct rs_algorithm *algorithm, uint32_t rank_count, uint32_t index,
                                     uint32_t *array, char description[RS_VARIANT_BYTES]) {
  const struct rs_collective_traits *traits = &rs_collective_traits[algorithm->collective];
  struct rs_schedule_params params = {.collective = algorithm->collective, .rank_count = rank_count};
  description[0] = '\0';
  if (traits->rooted) {
    params.root = index % rank_count;
    snprintf(description, RS_VARIANT_BYTES, " root %u", params.root);
  }
  if (traits->paired) {
    for (uint32_t rank = 0; rank < rank_count; rank++) {
      array[rank] = rs_tournament_partner(rank_count, index, rank);
    }
    params.partners = array;
    snprintf(description, RS_VARIANT_BYTES, " round %u", index);
  } else if (algorithm->grouped) {
    const struct grouping *grouping = &groupings[index / (traits->rooted ? rank_count : 1)];
    for (uint32_t rank = 0; rank < rank_count; rank++) {
      array[rank] = grouping->group(rank_count, rank);
    }
    params.groups = array;
    const size_t used = strlen(description);
    snprintf(description + used, RS_VARIANT_BYTES - used, " groups %s", grouping->name);
  }
  return params;
}
