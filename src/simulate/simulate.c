// One message of two quanta through an egress and an ingress of the same rate, with a flow that is as fast:
//
//   egress     ██1██ ██2██               a quantum is cut through: its head goes on when it enters a queue
//   latency         ╲     ╲
//   ingress          ██1██ ██2██         the message is there with the end of its last quantum: latency + S / rate
//
// A flow claims its next quantum when the one before has left the egress, so flows that share it take turns.
#include "ringside/simulate.h"

#include "simulate/event_heap.h"
#include "simulate/flow_table.h"
#include "simulate/walk.h"

#include <inttypes.h>
#include <stdlib.h>

#define PS_PER_NS 1000

struct simulator {
  struct walk_plan plan;
  struct walk *walks; // per rank
  struct flow_table flows;
  struct event_heap events;
  int64_t *queue_free_ps; // per queue of the map
  int64_t now_ps;
  struct rs_simulated *simulated;
  struct rs_error *error;
};

static int64_t later(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static enum rs_status add_event(struct simulator *simulator, struct event event) {
  return event_heap_add(&simulator->events, event, simulator->error);
}

// ---- the fabric -------------------------------------------------------------------------------------------

// Takes a quantum through queues first .. end. *head_ps: when its head got there, and then through; *tail_ps the same
// of its last byte. Returns when it has passed the first one.
static int64_t pass(struct simulator *simulator, const struct rs_fabric_way *way, size_t first, size_t end,
                    uint64_t bytes, int64_t *head_ps, int64_t *tail_ps) {
  int64_t left_ps = *tail_ps;
  for (size_t q = first; q < end; q++) {
    const uint32_t queue = way->queues[q];
    const int64_t busy_ps = rs_fabric_serial_ps(bytes, simulator->plan.simulation->map->queue_bit_s[queue]);
    *head_ps = later(*head_ps, simulator->queue_free_ps[queue]);
    *tail_ps = later(*tail_ps, *head_ps + busy_ps);
    simulator->queue_free_ps[queue] = *head_ps + busy_ps;
    left_ps = q == first ? *tail_ps : left_ps;
  }
  return left_ps;
}

// The next quantum of a flow leaves.
static enum rs_status send_quantum(struct simulator *simulator, uint32_t index) {
  struct flow *flow = &simulator->flows.items[index];
  struct walk_slot *slot = &simulator->walks[flow->source].slots[flow->first];
  const uint64_t bytes = rs_min_size(slot->bytes - slot->sent, RS_SIMULATE_QUANTUM_BYTES);
  const int64_t latency_ps = flow->way.link->latency_ns * PS_PER_NS;
  int64_t head_ps = later(simulator->now_ps, flow->free_ps);
  int64_t tail_ps = head_ps + rs_fabric_serial_ps(bytes, flow->way.link->flow_bit_s);
  flow->free_ps = tail_ps;
  const int64_t left_ps = pass(simulator, &flow->way, 0, flow->way.near_count, bytes, &head_ps, &tail_ps);
  slot->sent += bytes;
  const bool last = slot->sent == slot->bytes;
  const struct event arrive = {.time_ps = head_ps + latency_ps,
                               .kind = EVENT_ARRIVE,
                               .flow = index,
                               .bytes = (uint32_t)bytes,
                               .last = last,
                               .tail_ps = tail_ps + latency_ps};
  const struct event left = {.time_ps = left_ps, .kind = EVENT_LEFT, .rank = flow->source, .slot = flow->first};
  if (add_event(simulator, arrive) < 0 || (last && add_event(simulator, left) < 0))
    return simulator->error->status;
  if (last) {
    flow->first = flow->first == flow->last ? FLOW_NO_SLOT : slot->next;
    flow->last = flow->first == FLOW_NO_SLOT ? FLOW_NO_SLOT : flow->last;
  }
  flow->sending = flow->first != FLOW_NO_SLOT;
  flow->free_ps = later(flow->free_ps, left_ps);
  if (!flow->sending)
    return RS_OK;
  return add_event(simulator, (struct event){.time_ps = flow->free_ps, .kind = EVENT_SEND, .flow = index});
}

static enum rs_status arrive(struct simulator *simulator, const struct event *event) {
  const struct rs_fabric_way *way = &simulator->flows.items[event->flow].way;
  int64_t head_ps = event->time_ps, tail_ps = event->tail_ps;
  pass(simulator, way, way->near_count, way->queue_count, event->bytes, &head_ps, &tail_ps);
  if (!event->last)
    return RS_OK;
  return add_event(simulator, (struct event){.time_ps = tail_ps, .kind = EVENT_DELIVER, .flow = event->flow});
}

// ---- ranks ------------------------------------------------------------------------------------------------

// Puts a message at the end of its flow.
static enum rs_status queue_message(struct simulator *simulator, struct walk *walk, uint32_t index) {
  struct walk_slot *slot = &walk->slots[index];
  struct flow *flow = &simulator->flows.items[slot->flow];
  slot->busy = true;
  flow->sent++;
  simulator->simulated->messages++;
  simulator->simulated->bytes += slot->bytes;
  if (flow->first == FLOW_NO_SLOT)
    flow->first = index;
  else
    walk->slots[flow->last].next = index;
  flow->last = index;
  if (flow->sending)
    return RS_OK;
  flow->sending = true;
  return add_event(
      simulator,
      (struct event){.time_ps = later(simulator->now_ps, flow->free_ps), .kind = EVENT_SEND, .flow = slot->flow});
}

static enum rs_status reduce(struct simulator *simulator, struct walk *walk, uint32_t index) {
  struct walk_slot *slot = &walk->slots[index];
  slot->busy = true;
  walk->free_ps = later(walk->free_ps, simulator->now_ps) +
                  rs_fabric_serial_ps(slot->bytes, simulator->plan.simulation->reduce_bit_s);
  return add_event(simulator,
                   (struct event){.time_ps = walk->free_ps, .kind = EVENT_REDUCED, .rank = walk->rank, .slot = index});
}

// Takes in what fits, and numbers messages as they come in.
static enum rs_status enter(struct simulator *simulator, struct walk *walk, bool *changed) {
  const struct rs_simulation *simulation = simulator->plan.simulation;
  for (uint32_t index; (index = walk_enter(walk, &simulator->plan)) != WALK_SLOTS_MAX; *changed = true) {
    struct walk_slot *slot = &walk->slots[index];
    const bool sends = slot->step.kind == RS_STEP_SEND;
    if (!sends && !walk_receives(slot))
      continue;
    const struct flow wanted = {.source = sends ? walk->rank : slot->step.peer,
                                .target = sends ? slot->step.peer : walk->rank,
                                .lane = slot->chunk % simulation->lanes};
    if (flow_table_find(&simulator->flows, simulation->map, simulation->members, wanted, &slot->flow,
                        simulator->error) < 0)
      return simulator->error->status;
    struct flow *flow = &simulator->flows.items[slot->flow];
    slot->number = sends ? flow->to_send++ : flow->to_come++;
  }
  return RS_OK;
}

// Does what a step can do now; *changed: it is done.
static enum rs_status try_step(struct simulator *simulator, struct walk *walk, uint32_t index, bool *changed) {
  struct walk_slot *slot = &walk->slots[index];
  if (slot->busy || slot->after != 0)
    return RS_OK;
  if (walk_receives(slot) && slot->number >= simulator->flows.items[slot->flow].come)
    return RS_OK;
  switch (slot->step.kind) {
  case RS_STEP_SEND:
    if (slot->number > simulator->flows.items[slot->flow].sent) // behind an older one that is not due
      return RS_OK;
    *changed = true;
    return queue_message(simulator, walk, index);
  case RS_STEP_RECV_REDUCE:
  case RS_STEP_REDUCE:
    return reduce(simulator, walk, index);
  case RS_STEP_RECV:
  case RS_STEP_COPY:
    break;
  }
  walk_done(walk, index);
  *changed = true;
  return RS_OK;
}

// Goes on with a rank as far as it comes at this time.
static enum rs_status advance(struct simulator *simulator, uint32_t rank) {
  struct walk *walk = &simulator->walks[rank];
  for (bool changed = true; changed;) {
    changed = false;
    if (enter(simulator, walk, &changed) < 0)
      return simulator->error->status;
    for (uint64_t set = walk->live; set; set &= set - 1)
      if (try_step(simulator, walk, (uint32_t)__builtin_ctzll(set), &changed) < 0)
        return simulator->error->status;
  }
  simulator->simulated->time_ps = later(simulator->simulated->time_ps, simulator->now_ps);
  return RS_OK;
}

static enum rs_status handle(struct simulator *simulator, const struct event *event) {
  simulator->now_ps = event->time_ps;
  switch (event->kind) {
  case EVENT_SEND:
    return send_quantum(simulator, event->flow);
  case EVENT_ARRIVE:
    return arrive(simulator, event);
  case EVENT_DELIVER:
    simulator->flows.items[event->flow].come++;
    return advance(simulator, simulator->flows.items[event->flow].target);
  case EVENT_LEFT:
  case EVENT_REDUCED:
    break;
  }
  walk_done(&simulator->walks[event->rank], event->slot);
  return advance(simulator, event->rank);
}

// ---- simulation -------------------------------------------------------------------------------------------

static enum rs_status check(const struct rs_simulation *simulation, struct rs_error *error) {
  const size_t places = simulation->map->placement->rank_count;
  const uint32_t window = simulation->window;
  if (window != 0 && (window < RS_ROUND_STEPS_MAX || window > WALK_SLOTS_MAX))
    return rs_error_set(error, RS_ERROR_USAGE, "simulating %s: a window of %" PRIu32 " steps is outside %d..%d",
                        simulation->algorithm->name, window, RS_ROUND_STEPS_MAX, WALK_SLOTS_MAX);
  if (simulation->lanes == 0 || simulation->element_bytes == 0)
    return rs_error_set(error, RS_ERROR_USAGE, "simulating %s: there are no lanes, or elements have no bytes",
                        simulation->algorithm->name);
  for (uint32_t r = 0; r < simulation->schedule.rank_count; r++)
    if ((simulation->members ? simulation->members[r] : r) >= places)
      return rs_error_set(error, RS_ERROR_USAGE, "simulating %s: rank %" PRIu32 " has no place among %zu",
                          simulation->algorithm->name, r, places);
  return RS_OK;
}

static enum rs_status run(struct simulator *simulator) {
  const uint32_t ranks = simulator->plan.simulation->schedule.rank_count;
  for (uint32_t r = 0; r < ranks; r++)
    walk_start(&simulator->walks[r], &simulator->plan, r);
  for (uint32_t r = 0; r < ranks; r++)
    if (advance(simulator, r) < 0)
      return simulator->error->status;
  for (struct event event; event_heap_take(&simulator->events, &event);)
    if (handle(simulator, &event) < 0)
      return simulator->error->status;
  for (uint32_t r = 0; r < ranks; r++)
    if (!walk_is_over(&simulator->walks[r]))
      return rs_error_set(simulator->error, RS_ERROR_INTERNAL,
                          "simulating %s: rank %" PRIu32 " waits in round %" PRIu32 " for what never comes",
                          simulator->plan.simulation->algorithm->name, r, simulator->walks[r].round);
  return RS_OK;
}

enum rs_status rs_simulate(const struct rs_simulation *simulation, struct rs_simulated *simulated,
                           struct rs_error *error) {
  static const char what[] = "a simulation";
  struct rs_simulated made = {0};
  if (check(simulation, error) < 0)
    return error->status;
  struct simulator simulator = {.simulated = &made, .error = error};
  walk_plan_init(&simulator.plan, simulation);
  simulator.walks = rs_allocate(simulation->schedule.rank_count, sizeof(*simulator.walks), what, error);
  simulator.queue_free_ps =
      rs_allocate(simulation->map->queue_count + 1, sizeof(*simulator.queue_free_ps), what, error);
  enum rs_status status = simulator.walks && simulator.queue_free_ps ? run(&simulator) : error->status;
  if (status == RS_OK)
    *simulated = made;
  flow_table_fini(&simulator.flows);
  event_heap_fini(&simulator.events);
  free(simulator.queue_free_ps);
  free(simulator.walks);
  return status;
}
