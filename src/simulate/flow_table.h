// flow_table: what runs between two ranks on one lane. Messages leave a flow in the order in which they are numbered.
#ifndef RINGSIDE_SIMULATE_FLOW_TABLE_H
#define RINGSIDE_SIMULATE_FLOW_TABLE_H

#include "ringside/fabric.h"

#define FLOW_NO_SLOT UINT32_MAX

struct flow {
  uint32_t source, target, lane;         // ranks of the schedule
  struct rs_fabric_way way;              // near_count queues, the latency, the others
  uint64_t to_send, sent, to_come, come; // messages: that the ranks took in, that were queued, that were expected, ...
  uint32_t first, last;                  // slots of the source that wait to leave; FLOW_NO_SLOT: none
  bool sending;                          // an event will send the next quantum
  int64_t free_ps;                       // by the flow's own rate
};
// Start as {0}; flow_table_fini frees it.
struct flow_table {
  struct flow *items;
  size_t count, capacity;
  uint32_t *buckets; // 2 x capacity, index + 1; 0: empty
};
// Finds or makes a flow; members as in struct rs_simulation. Indices stay, addresses do not.
enum rs_status flow_table_find(struct flow_table *table, const struct rs_fabric_map *map, const uint32_t *members,
                               struct flow wanted, uint32_t *index, struct rs_error *error);
void flow_table_fini(struct flow_table *table);

#endif
