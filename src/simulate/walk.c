#include "simulate/walk.h"

static uint64_t bit(uint32_t slot) {
  return (uint64_t)1 << slot;
}

void walk_plan_init(struct walk_plan *plan, const struct rs_simulation *simulation) {
  const struct rs_algorithm *algorithm = simulation->algorithm;
  *plan = (struct walk_plan){
      .simulation = simulation,
      .partition = rs_partition_make(simulation->count, simulation->element_bytes,
                                     algorithm->parts(&simulation->schedule), simulation->chunk_bytes),
      .rounds = algorithm->rounds(&simulation->schedule),
      .window = simulation->window ? simulation->window : RS_SIMULATE_WINDOW,
  };
}

// ---- the schedule, step by step ---------------------------------------------------------------------------

static void load_round(struct walk *walk, const struct walk_plan *plan) {
  const struct rs_simulation *simulation = plan->simulation;
  do {
    if (!rs_order_next(&walk->order, plan->rounds, plan->partition.chunks, &walk->round, &walk->chunk)) {
      walk->entered_all = true;
      return;
    }
    walk->step_count = simulation->algorithm->round(&simulation->schedule, walk->rank, walk->round, walk->steps);
  } while (walk->step_count == 0);
  walk->step = walk->piece = 0;
  walk->pieces = 1;
  for (uint32_t i = 0; plan->partition.chunks > 1 && i < walk->step_count; i++) {
    const struct rs_step *step = &walk->steps[i];
    const uint32_t places = step->kind == RS_STEP_SEND ? step->source.count : step->target.count;
    walk->pieces = places > walk->pieces ? places : walk->pieces;
  }
}

static void next_step(struct walk *walk, const struct walk_plan *plan) {
  if (++walk->step < walk->step_count)
    return;
  walk->step = 0;
  if (++walk->piece >= walk->pieces)
    load_round(walk, plan);
}

void walk_start(struct walk *walk, const struct walk_plan *plan, uint32_t rank) {
  *walk = (struct walk){.rank = rank};
  load_round(walk, plan);
}

// The current piece of a slice: the whole run where parts are not cut, else one place of it.
static struct walk_access access_of(const struct walk *walk, const struct walk_plan *plan,
                                    const struct rs_slice *slice) {
  const bool output = plan->simulation->in_place && slice->buffer == RS_BUFFER_INPUT;
  struct walk_access access = {output ? RS_BUFFER_OUTPUT : slice->buffer, slice->place, slice->count};
  if (plan->partition.chunks > 1) {
    access.place += walk->piece;
    access.count = walk->piece < slice->count;
  }
  return access;
}

// Bytes of the current chunk of places of the slice's own buffer.
static uint64_t bytes_of(const struct walk *walk, const struct walk_plan *plan, enum rs_buffer_id buffer,
                         const struct walk_access *access) {
  const struct rs_simulation *simulation = plan->simulation;
  uint64_t elements = 0;
  for (uint32_t i = 0; i < access->count; i++) {
    const uint32_t part =
        rs_place_part(simulation->algorithm, &simulation->schedule, walk->rank, buffer, access->place + i);
    const uint64_t length = rs_partition_parts(&plan->partition, part, 1).count;
    elements += plan->partition.chunks > 1 ? rs_partition_cut(&plan->partition, length, walk->chunk).count : length;
  }
  return elements * simulation->element_bytes;
}

// ---- entering ---------------------------------------------------------------------------------------------

static bool overlap(const struct walk_access *a, const struct walk_access *b) {
  return a->buffer == b->buffer && a->place < b->place + b->count && b->place < a->place + a->count;
}

static bool touches(const struct walk_slot *slot, const struct walk_access *written) {
  return overlap(&slot->writes, written) || overlap(&slot->reads[0], written) || overlap(&slot->reads[1], written);
}

// Describes the current piece of the current step. False: there is nothing to do for it.
static bool describe(const struct walk *walk, const struct walk_plan *plan, struct walk_slot *slot) {
  const struct rs_step *step = &walk->steps[walk->step];
  const struct walk_access source = access_of(walk, plan, &step->source), target = access_of(walk, plan, &step->target);
  *slot = (struct walk_slot){.step = *step, .chunk = walk->chunk, .reads = {source}, .writes = target};
  if (step->kind == RS_STEP_REDUCE)
    slot->reads[1] = target;
  slot->bytes = step->kind == RS_STEP_SEND ? bytes_of(walk, plan, step->source.buffer, &source)
                                           : bytes_of(walk, plan, step->target.buffer, &target);
  return slot->bytes > 0;
}

uint32_t walk_enter(struct walk *walk, const struct walk_plan *plan) {
  const uint64_t all = plan->window == 64 ? UINT64_MAX : bit(plan->window) - 1;
  for (; !walk->entered_all && walk->live != all; next_step(walk, plan)) {
    const uint32_t index = (uint32_t)__builtin_ctzll(~walk->live);
    struct walk_slot *slot = &walk->slots[index];
    if (!describe(walk, plan, slot))
      continue;
    for (uint64_t set = walk->live; set; set &= set - 1) {
      const struct walk_slot *older = &walk->slots[__builtin_ctzll(set)];
      if (older->chunk == slot->chunk && (touches(older, &slot->writes) || touches(slot, &older->writes)))
        slot->after |= set & -set;
    }
    walk->live |= bit(index);
    next_step(walk, plan);
    return index;
  }
  return WALK_SLOTS_MAX;
}

void walk_done(struct walk *walk, uint32_t slot) {
  walk->live &= ~bit(slot);
  for (uint64_t set = walk->live; set; set &= set - 1)
    walk->slots[__builtin_ctzll(set)].after &= ~bit(slot);
}
