#include "execute/window.h"

#include <assert.h>

static uint64_t bit(uint32_t slot) {
  return (uint64_t)1 << slot;
}

static uint32_t lowest(uint64_t set) {
  return (uint32_t)__builtin_ctzll(set);
}

// ---- the schedule, step by step ---------------------------------------------------------------------------

static void load_round(struct rs_executor *executor) {
  const struct rs_executor_params *params = &executor->params;
  if (!rs_order_next(&executor->order, executor->rounds, executor->partition.chunks, &executor->round,
                     &executor->chunk)) {
    executor->entered_all = true;
    return;
  }
  executor->step_count = params->algorithm->round(&params->schedule, params->rank, executor->round, executor->steps);
  executor->step = executor->piece = 0;
  executor->pieces = 1;
  // With several chunks every place of a run is a message of its own; see collective.h.
  for (uint32_t i = 0; executor->partition.chunks > 1 && i < executor->step_count; i++) {
    const struct rs_step *step = &executor->steps[i];
    uint32_t places = step->kind == RS_STEP_SEND ? step->source.count : step->target.count;
    executor->pieces = places > executor->pieces ? places : executor->pieces;
  }
}

static void next_step(struct rs_executor *executor) {
  if (++executor->step < executor->step_count)
    return;
  executor->step = 0;
  if (++executor->piece >= executor->pieces)
    load_round(executor);
}

// The piece of a slice that is one message, as an access and as an extent of bytes.
static struct access access_of(const struct rs_executor *executor, const struct rs_slice *slice) {
  bool whole = executor->partition.chunks == 1;
  uint32_t memory = (uint32_t)slice->buffer;
  // In place both names mean one buffer, and conflicts must show.
  if (memory == MEMORY_INPUT && executor->params.input == executor->params.output)
    memory = MEMORY_OUTPUT;
  if (slice->count <= executor->piece)
    return (struct access){.memory = memory};
  return (struct access){
      .memory = memory,
      .place = whole ? slice->place : slice->place + executor->piece,
      .count = whole ? slice->count : 1,
  };
}

// Where the current piece of a slice begins, in bytes, and how long it is. `buffer` is the slice's own: in place, what
// an input place and an output place hold is the same anyway.
static uint64_t locate(const struct rs_executor *executor, enum rs_buffer_id buffer, const struct access *access,
                       uint64_t *elements) {
  const struct rs_partition *partition = &executor->partition;
  const uint64_t *places = executor->places[buffer];
  struct rs_extent extent = {places[access->place], places[access->place + access->count] - places[access->place]};
  if (partition->chunks > 1) {
    extent = rs_partition_cut(partition, extent.count, executor->chunk);
    extent.first += places[access->place];
  }
  *elements = extent.count;
  return extent.first * executor->element_bytes;
}

// ---- entering ---------------------------------------------------------------------------------------------

static bool overlap(const struct access *a, const struct access *b) {
  return a->memory == b->memory && a->place < b->place + b->count && b->place < a->place + a->count;
}

// One writes what the other reads or writes. Chunks never share a byte.
static bool conflict(const struct slot *a, const struct slot *b) {
  return a->chunk == b->chunk &&
         (overlap(&a->writes, &b->writes) || overlap(&a->writes, &b->reads[0]) || overlap(&a->writes, &b->reads[1]) ||
          overlap(&b->writes, &a->reads[0]) || overlap(&b->writes, &a->reads[1]));
}

static bool receives(const struct slot *slot) {
  return slot->kind == RS_STEP_RECV || slot->kind == RS_STEP_RECV_REDUCE;
}

static bool is_message(const struct slot *slot) {
  return slot->kind == RS_STEP_SEND || receives(slot);
}

// The dependencies of a slot that is about to enter.
static void depend(const struct rs_executor *executor, struct slot *slot) {
  slot->after = slot->behind = 0;
  for (uint64_t set = executor->live; set; set &= set - 1) {
    const struct slot *older = &executor->slots[lowest(set)];
    if (conflict(slot, older))
      slot->after |= set & -set;
    if (older->state == SLOT_WAITING && is_message(slot) && is_message(older) && older->peer == slot->peer &&
        older->lane == slot->lane && receives(older) == receives(slot))
      slot->behind |= set & -set;
  }
}

static struct rs_device *device_of(const struct rs_executor *executor, const struct slot *slot) {
  const struct rs_route *route = executor->params.route;
  return route->devices[rs_route_index(route, slot->peer, slot->lane)];
}

// Describes the current piece of the current step. False: there is nothing to do for it.
static bool describe(const struct rs_executor *executor, struct slot *slot) {
  const struct rs_step *step = &executor->steps[executor->step];
  struct access source = access_of(executor, &step->source), target = access_of(executor, &step->target);
  *slot = (struct slot){
      .state = SLOT_WAITING,
      .kind = step->kind,
      .final = step->final,
      .round = executor->round,
      .chunk = executor->chunk,
      .peer = executor->params.members ? executor->params.members[step->peer] : step->peer,
      .lane = executor->chunk % (uint32_t)executor->params.lanes,
      .reads = {source},
      .writes = target,
  };
  if (step->kind == RS_STEP_REDUCE)
    slot->reads[1] = target;
  slot->staged = step->kind == RS_STEP_RECV_REDUCE && device_of(executor, slot)->transport->post_take == NULL;
  if (source.count)
    slot->source = locate(executor, step->source.buffer, &source, &slot->elements);
  if (target.count)
    slot->target = locate(executor, step->target.buffer, &target, &slot->elements);
  bool onto_itself = step->kind == RS_STEP_COPY && source.memory == target.memory && source.place == target.place;
  return slot->elements > 0 && !onto_itself;
}

// Takes in steps until the window, or staging, is full; true if any came in.
static bool enter(struct rs_executor *executor) {
  uint64_t all = executor->window_slots == 64 ? UINT64_MAX : bit(executor->window_slots) - 1;
  bool changed = false;
  for (; !executor->entered_all && executor->live != all; next_step(executor)) {
    if (executor->step_count == 0)
      continue;
    uint32_t index = lowest(~executor->live);
    struct slot *slot = &executor->slots[index];
    if (!describe(executor, slot))
      continue;
    if (slot->staged && executor->staging_free == 0)
      break;
    if (slot->staged) {
      slot->staging = lowest(executor->staging_free);
      executor->staging_free &= executor->staging_free - 1;
    }
    depend(executor, slot);
    executor->live |= bit(index);
    changed = true;
  }
  return changed;
}

// ---- doing ------------------------------------------------------------------------------------------------

static void posted(struct rs_executor *executor, uint32_t index) {
  executor->slots[index].state = SLOT_POSTED;
  for (uint64_t set = executor->live; set; set &= set - 1)
    executor->slots[lowest(set)].behind &= ~bit(index);
}

static void done(struct rs_executor *executor, uint32_t index) {
  executor->live &= ~bit(index);
  for (uint64_t set = executor->live; set; set &= set - 1)
    executor->slots[lowest(set)].after &= ~bit(index);
}

static uint8_t *at(const struct rs_executor *executor, uint32_t memory, uint64_t offset) {
  return (uint8_t *)executor->memory[memory].address + offset;
}

// target = source (+) other, on `bytes` of a slot from `offset` on.
static void reduce(struct rs_executor *executor, const struct slot *slot, size_t offset, const void *other,
                   size_t bytes) {
  const struct rs_executor_params *params = &executor->params;
  uint8_t *target = at(executor, slot->writes.memory, slot->target + offset);
  const uint8_t *source = at(executor, slot->reads[0].memory, slot->source + offset);
  size_t elements = bytes / executor->element_bytes;
  rs_kernel_reduce(params->datatype, params->operation, target, source, other, elements);
  executor->counts.bytes_reduced += bytes;
  if (slot->final)
    rs_kernel_finish(params->datatype, params->operation, target, elements, params->schedule.rank_count);
}

// A RECV_REDUCE whose device need not store what it receives.
static void reduce_piece(void *state, uint64_t index, size_t offset, const void *data, size_t bytes) {
  struct rs_executor *executor = state;
  reduce(executor, &executor->slots[index], offset, data, bytes);
}

// COPY, REDUCE, and the second half of a staged RECV_REDUCE.
static void compute(struct rs_executor *executor, const struct slot *slot) {
  uint64_t bytes = slot->elements * executor->element_bytes;
  uint8_t *target = at(executor, slot->writes.memory, slot->target);
  if (slot->kind == RS_STEP_COPY) {
    rs_kernel_copy(target, at(executor, slot->reads[0].memory, slot->source), bytes);
    return;
  }
  const uint8_t *other = target;
  if (slot->staged) {
    other = at(executor, MEMORY_STAGING, slot->staging * executor->staging_bytes);
    executor->staging_free |= bit(slot->staging);
  }
  reduce(executor, slot, 0, other, bytes);
}

// What a message slot does once its device has completed it.
static void completed(struct rs_executor *executor, uint32_t index) {
  if (executor->slots[index].staged)
    executor->slots[index].state = SLOT_RECEIVED;
  else
    done(executor, index);
}

static enum rs_status post_with(struct rs_executor *executor, uint32_t index, uint64_t bytes, struct rs_error *error) {
  const struct slot *slot = &executor->slots[index];
  const struct rs_route *route = executor->params.route;
  size_t device_index = rs_route_index(route, slot->peer, slot->lane);
  struct rs_device *device = route->devices[device_index];
  if (slot->kind == RS_STEP_RECV_REDUCE && !slot->staged)
    return device->transport->post_take(device, slot->peer, slot->lane, &executor->taker, bytes, index, error);
  uint32_t memory = slot->kind == RS_STEP_SEND   ? slot->reads[0].memory
                    : slot->kind == RS_STEP_RECV ? slot->writes.memory
                                                 : (uint32_t)MEMORY_STAGING;
  uint64_t offset = slot->kind == RS_STEP_SEND   ? slot->source
                    : slot->kind == RS_STEP_RECV ? slot->target
                                                 : slot->staging * executor->staging_bytes;
  struct rs_region *region = executor->regions[memory * route->device_count + device_index];
  return (slot->kind == RS_STEP_SEND ? device->transport->post_send : device->transport->post_recv)(
      device, slot->peer, slot->lane, region, offset, bytes, index, error);
}

static enum rs_status post(struct rs_executor *executor, uint32_t index, struct rs_error *error) {
  const struct slot *slot = &executor->slots[index];
  uint64_t bytes = slot->elements * executor->element_bytes;
  bool sends = slot->kind == RS_STEP_SEND;
  enum rs_status status = post_with(executor, index, bytes, error);
  if (status < 0 || status == RS_BUSY)
    return status;
  executor->counts.messages_sent += sends;
  executor->counts.bytes_sent += sends ? bytes : 0;
  posted(executor, index);
  if (status == RS_OK)
    completed(executor, index);
  return RS_OK;
}

// Does what is due in one slot; *changed is set when anything was.
static enum rs_status attend(struct rs_executor *executor, uint32_t index, bool *changed, struct rs_error *error) {
  const struct slot *slot = &executor->slots[index];
  if (slot->state == SLOT_POSTED)
    return RS_OK;
  // A RECV_REDUCE that lands in staging may be posted before its data is due.
  bool due = slot->after == 0;
  bool postable = slot->state == SLOT_WAITING && is_message(slot);
  if (postable && slot->behind == 0 && (due || slot->staged)) {
    enum rs_status status = post(executor, index, error);
    if (status < 0)
      return status;
    *changed |= status == RS_OK;
  } else if (!postable && due) {
    compute(executor, slot);
    done(executor, index);
    *changed = true;
  }
  return RS_OK;
}

static enum rs_status collect(struct rs_executor *executor, bool *changed, struct rs_error *error) {
  const struct rs_route *route = executor->params.route;
  struct rs_completion completions[WINDOW_SLOTS_MAX];
  for (size_t i = 0; i < route->device_count; i++) {
    struct rs_device *device = route->devices[i];
    size_t count = 0;
    enum rs_status status =
        device->transport->progress(device, completions, RS_ARRAY_LENGTH(completions), &count, error);
    if (status < 0)
      return status;
    for (size_t c = 0; c < count; c++)
      completed(executor, (uint32_t)completions[c].cookie);
    *changed |= count > 0;
  }
  return RS_OK;
}

void window_start(struct rs_executor *executor) {
  executor->order = (struct rs_order){0};
  executor->entered_all = false;
  executor->live = 0;
  executor->taker = (struct rs_taker){reduce_piece, executor};
  executor->staging_free = executor->staging_slots == 64 ? UINT64_MAX : bit(executor->staging_slots) - 1;
  executor->counts = (struct rs_executor_counts){.rounds = executor->rounds, .chunks = executor->partition.chunks};
  load_round(executor);
}

enum rs_status window_advance(struct rs_executor *executor, bool *changed, struct rs_error *error) {
  *changed = false;
  bool again = true;
  while (again) {
    again = enter(executor);
    for (uint64_t set = executor->live; set; set &= set - 1) {
      enum rs_status status = attend(executor, lowest(set), &again, error);
      if (status < 0)
        return status;
    }
    *changed |= again;
    if (executor->live == 0 && executor->entered_all)
      return RS_OK;
  }
  enum rs_status status = collect(executor, changed, error);
  return status < 0 ? status : RS_IN_PROGRESS;
}

void window_describe(const struct rs_executor *executor, char *text, size_t bytes) {
  static const char *const waits[] = {
      [RS_STEP_SEND] = "to send", [RS_STEP_RECV] = "to receive", [RS_STEP_RECV_REDUCE] = "to receive"};
  const struct slot *oldest = NULL;
  for (uint64_t set = executor->live; set; set &= set - 1) {
    const struct slot *slot = &executor->slots[lowest(set)];
    bool older = oldest == NULL || slot->round + slot->chunk < oldest->round + oldest->chunk;
    // A message with a peer says more than a local step that waits for it.
    if (is_message(slot) && (older || !is_message(oldest)))
      oldest = slot;
  }
  if (oldest == NULL)
    snprintf(text, bytes, "no message outstanding");
  else
    snprintf(text, bytes, "round %u of %u, chunk %u: waits %s %llu bytes %s rank %u on lane %u", oldest->round,
             executor->rounds, oldest->chunk, waits[oldest->kind],
             (unsigned long long)(oldest->elements * executor->element_bytes),
             oldest->kind == RS_STEP_SEND ? "to" : "from", oldest->peer, oldest->lane);
}
