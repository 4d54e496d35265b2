#include "simulate/event_heap.h"

#include <stdlib.h>
#include <string.h>

static bool earlier(const struct event *a, const struct event *b) {
  return a->time_ps != b->time_ps ? a->time_ps < b->time_ps : a->number < b->number;
}

static enum rs_status grow(struct event_heap *heap, struct rs_error *error) {
  const size_t capacity = rs_max_size(2 * heap->capacity, 1024);
  struct event *items = rs_allocate(capacity, sizeof(*items), "events of a simulation", error);
  if (!items)
    return error->status;
  if (heap->count > 0)
    memcpy(items, heap->items, heap->count * sizeof(*items));
  free(heap->items);
  heap->items = items;
  heap->capacity = capacity;
  return RS_OK;
}

enum rs_status event_heap_add(struct event_heap *heap, struct event event, struct rs_error *error) {
  if (heap->count == heap->capacity && grow(heap, error) < 0)
    return error->status;
  event.number = heap->added++;
  size_t at = heap->count++;
  for (; at > 0 && earlier(&event, &heap->items[(at - 1) / 2]); at = (at - 1) / 2)
    heap->items[at] = heap->items[(at - 1) / 2];
  heap->items[at] = event;
  return RS_OK;
}

bool event_heap_take(struct event_heap *heap, struct event *event) {
  if (heap->count == 0)
    return false;
  *event = heap->items[0];
  const struct event last = heap->items[--heap->count];
  size_t at = 0;
  for (size_t child; (child = 2 * at + 1) < heap->count; at = child) {
    child += child + 1 < heap->count && earlier(&heap->items[child + 1], &heap->items[child]);
    if (!earlier(&heap->items[child], &last))
      break;
    heap->items[at] = heap->items[child];
  }
  heap->items[at] = last;
  return true;
}

void event_heap_fini(struct event_heap *heap) {
  free(heap->items);
  *heap = (struct event_heap){0};
}
