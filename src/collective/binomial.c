#include "collective/binomial.h"

#include "collective/step.h"

enum rs_binomial_role rs_binomial_meet(const struct rs_schedule_params *params, uint32_t rank, uint32_t bit,
                                       uint32_t *peer) {
  const uint32_t position = rs_position_of(params, rank), low = position & (2 * bit - 1);
  if (low == bit) {
    *peer = rs_rank_at(params, position - bit);
    return RS_BINOMIAL_CHILD;
  }
  if (low == 0 && bit < params->rank_count - position) {
    *peer = rs_rank_at(params, position + bit);
    return RS_BINOMIAL_PARENT;
  }
  return RS_BINOMIAL_IDLE;
}

uint32_t rs_binomial_subtree(uint32_t n, uint32_t position) {
  const uint32_t lowest_bit = position & (~position + 1), beyond = n - position;
  return position == 0 || lowest_bit > beyond ? beyond : lowest_bit;
}
