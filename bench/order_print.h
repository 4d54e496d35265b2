// order_print: the answer of `ringside order`, in words and as JSON.
#ifndef RINGSIDE_BENCH_ORDER_PRINT_H
#define RINGSIDE_BENCH_ORDER_PRINT_H

#include "order_costs.h"

#include "ringside/collective.h"

// How much crosses a distance: links that are used, and messages on them.
struct order_crossings {
  uint64_t links, messages;
};

struct order_answer {
  const struct rs_placement *placement;
  const struct rs_algorithm *algorithm;
  uint64_t size_bytes;
  const struct order_costs *costs;
  const struct rs_rank_order *order;
  struct order_crossings before[RS_DISTANCE_COUNT], after[RS_DISTANCE_COUNT];
  const char *fabric;         // NULL: none, and nothing is expected
  double before_ns, after_ns; // what the fabric makes expect
};

void order_print_text(const struct order_answer *answer);
void order_print_json(const struct order_answer *answer);

#endif
