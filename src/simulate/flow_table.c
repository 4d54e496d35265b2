#include "simulate/flow_table.h"

#include <stdlib.h>
#include <string.h>

static uint32_t *bucket_of(const struct flow_table *table, const struct flow *wanted) {
  const size_t buckets = 2 * table->capacity;
  const uint64_t pair = (uint64_t)wanted->source << 32 | wanted->target;
  size_t at = (size_t)(rs_hash64(pair + rs_hash64(wanted->lane)) % buckets);
  for (; table->buckets[at] != 0; at = (at + 1) % buckets) {
    const struct flow *flow = &table->items[table->buckets[at] - 1];
    if (flow->source == wanted->source && flow->target == wanted->target && flow->lane == wanted->lane)
      break;
  }
  return &table->buckets[at];
}

static enum rs_status grow(struct flow_table *table, struct rs_error *error) {
  struct flow_table grown = {.count = table->count, .capacity = rs_max_size(2 * table->capacity, 256)};
  grown.items = rs_allocate(grown.capacity, sizeof(*grown.items), "flows of a simulation", error);
  grown.buckets = rs_allocate(grown.capacity, 2 * sizeof(*grown.buckets), "flows of a simulation", error);
  if (!grown.items || !grown.buckets) {
    flow_table_fini(&grown);
    return RS_ERROR_MEMORY;
  }
  if (table->count > 0)
    memcpy(grown.items, table->items, table->count * sizeof(*table->items));
  for (size_t i = 0; i < grown.count; i++)
    *bucket_of(&grown, &grown.items[i]) = (uint32_t)i + 1;
  flow_table_fini(table);
  table->items = grown.items;
  table->buckets = grown.buckets;
  table->count = grown.count;
  table->capacity = grown.capacity;
  return RS_OK;
}

enum rs_status flow_table_find(struct flow_table *table, const struct rs_fabric_map *map, const uint32_t *members,
                               struct flow wanted, uint32_t *index, struct rs_error *error) {
  if (table->count == table->capacity && grow(table, error) < 0)
    return error->status;
  uint32_t *bucket = bucket_of(table, &wanted);
  if (*bucket == 0) {
    wanted.first = wanted.last = FLOW_NO_SLOT;
    rs_fabric_way(map, members ? members[wanted.source] : wanted.source,
                  members ? members[wanted.target] : wanted.target, &wanted.way);
    table->items[table->count++] = wanted;
    *bucket = (uint32_t)table->count;
  }
  *index = *bucket - 1;
  return RS_OK;
}

void flow_table_fini(struct flow_table *table) {
  free(table->items);
  free(table->buckets);
  *table = (struct flow_table){0};
}
