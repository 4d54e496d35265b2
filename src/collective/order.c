// The walk over (round, chunk) pairs: diagonal d holds the pairs with round + chunk = d.
#include "ringside/collective.h"

bool rs_order_next(struct rs_order *order, uint32_t rounds, uint32_t chunks, uint32_t *round, uint32_t *chunk) {
  if (rounds == 0 || chunks == 0) {
    return false;
  }
  if (!order->started) {
    *order = (struct rs_order){.started = true};
  } else if (order->round < order->diagonal && order->round < rounds - 1) {
    order->round++;
  } else if (order->round < rounds - 1 || order->diagonal - order->round < chunks - 1) {
    order->diagonal++;
    order->round = order->diagonal < chunks ? 0 : order->diagonal - (chunks - 1);
  } else {
    return false; // the last pair stays the state, so the end stays the end
  }
  *round = order->round;
  *chunk = order->diagonal - order->round;
  return true;
}
