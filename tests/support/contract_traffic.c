// Random traffic. A flow is one direction of one lane between two ranks, as one of them sees it. Both ends derive
// lengths and content from (seed, sender, receiver, lane, message), so they need not talk about it.
#include "support/contract.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLOW_BITS 24 // a cookie is rank, flow, message: 16, 24 and 24 bits
#define DELAY_US_MAX 300

struct flow {
  size_t peer, lane;
  bool sends;
  uint64_t seed;
  unsigned eagerness; // chance in 100 that the next message is posted when it could be
  size_t posted, completed;
  size_t *offsets; // messages + 1
  bool *outstanding;
  struct contract_memory memory;
};

struct actor {
  struct contract_group *group;
  const struct contract_traffic *traffic;
  size_t rank;
  struct rs_random random;
  struct flow *flows;
  size_t flow_count;
  size_t left; // messages not completed
  struct rs_error error;
};

// ---- set-up -------------------------------------------------------------------------------------------------------

static enum rs_status flow_open(struct actor *actor, struct flow *flow, struct rs_error *error) {
  const struct contract_traffic *traffic = actor->traffic;
  static const unsigned eagerness[] = {2, 30, 100};
  flow->eagerness = eagerness[rs_random_below(&actor->random, 3)];
  size_t from = flow->sends ? actor->rank : flow->peer, to = flow->sends ? flow->peer : actor->rank;
  flow->seed = rs_hash64(traffic->seed + rs_hash64((from * CONTRACT_RANKS_MAX + to) * 64 + flow->lane));
  flow->offsets = rs_allocate(traffic->messages + 1, sizeof *flow->offsets, "offsets", error);
  flow->outstanding = rs_allocate(traffic->messages, sizeof *flow->outstanding, "flags", error);
  if (flow->offsets == NULL || flow->outstanding == NULL)
    return error->status;
  struct rs_random lengths = {flow->seed};
  for (size_t i = 0; i < traffic->messages; i++) {
    uint64_t bound = traffic->bytes_max >> rs_random_below(&lengths, 20);
    flow->offsets[i + 1] = flow->offsets[i] + 1 + rs_random_below(&lengths, bound ? bound : 1);
  }
  if (contract_memory_open(actor->group->devices[actor->rank], flow->offsets[traffic->messages], &flow->memory, error) <
      0)
    return error->status;
  char *data = flow->memory.buffer.address;
  for (size_t i = 0; flow->sends && i < traffic->messages; i++)
    contract_fill(data + flow->offsets[i], flow->offsets[i + 1] - flow->offsets[i], flow->seed + (i << 32));
  return RS_OK;
}

static void actor_close(struct actor *actor) {
  for (size_t f = 0; f < actor->flow_count; f++) {
    contract_memory_close(&actor->flows[f].memory);
    free(actor->flows[f].offsets);
    free(actor->flows[f].outstanding);
  }
  free(actor->flows);
}

static enum rs_status actor_open(struct actor *actor, struct rs_error *error) {
  size_t lanes = actor->group->lanes;
  size_t flow_count = 2 * (actor->group->rank_count - 1) * lanes;
  actor->random.state = rs_hash64(actor->traffic->seed) + actor->rank;
  actor->flows = rs_allocate(flow_count, sizeof *actor->flows, "flows", error);
  if (actor->flows == NULL)
    return error->status;
  for (size_t f = 0; f < flow_count; f++) {
    size_t peer = f / 2 / lanes;
    struct flow *flow = &actor->flows[actor->flow_count++];
    *flow = (struct flow){.peer = peer + (peer >= actor->rank), .lane = f / 2 % lanes, .sends = f % 2 == 0};
    if (flow_open(actor, flow, error) < 0)
      return error->status;
  }
  actor->left = flow_count * actor->traffic->messages;
  return RS_OK;
}

// ---- one step ---------------------------------------------------------------------------------------------

static enum rs_status complete(struct actor *actor, struct flow *flow, size_t message) {
  if (!flow->outstanding[message])
    return rs_error_set(&actor->error, RS_ERROR_MISMATCH,
                        "rank %zu, peer %zu, lane %zu: %s %zu completed twice or before it was posted", actor->rank,
                        flow->peer, flow->lane, flow->sends ? "send" : "receive", message);
  flow->outstanding[message] = false;
  flow->completed++;
  actor->left--;
  char *data = (char *)flow->memory.buffer.address + flow->offsets[message];
  size_t bytes = flow->offsets[message + 1] - flow->offsets[message];
  if (flow->sends) {
    memset(data, 0xee, bytes); // the buffer may be reused, so this must not reach the peer
    return RS_OK;
  }
  size_t wrong = contract_check(data, bytes, flow->seed + (message << 32));
  if (wrong < bytes)
    return rs_error_set(&actor->error, RS_ERROR_MISMATCH,
                        "rank %zu, from peer %zu, lane %zu: message %zu of %zu bytes is wrong at byte %zu", actor->rank,
                        flow->peer, flow->lane, message, bytes, wrong);
  return RS_OK;
}

static enum rs_status post_next(struct actor *actor, size_t f) {
  struct flow *flow = &actor->flows[f];
  struct rs_device *device = actor->group->devices[actor->rank];
  size_t message = flow->posted;
  uint64_t cookie = (uint64_t)actor->rank << 2 * FLOW_BITS | (uint64_t)f << FLOW_BITS | message;
  size_t offset = flow->offsets[message], bytes = flow->offsets[message + 1] - offset;
  const struct rs_transport *transport = device->transport;
  enum rs_status status = (flow->sends ? transport->post_send : transport->post_recv)(
      device, flow->peer, flow->lane, flow->memory.region, offset, bytes, cookie, &actor->error);
  if (status < 0 || status == RS_BUSY)
    return status;
  flow->outstanding[message] = true;
  flow->posted++;
  return status == RS_OK ? complete(actor, flow, message) : RS_OK;
}

// Posts what chance allows, then makes progress. *moved: whether anything happened that may make more possible.
static enum rs_status step(struct actor *actor, bool *moved) {
  struct rs_device *device = actor->group->devices[actor->rank];
  size_t messages = actor->traffic->messages;
  *moved = false;
  for (size_t f = 0; f < actor->flow_count; f++) {
    struct flow *flow = &actor->flows[f];
    while (flow->posted < messages) {
      *moved = true;
      if (rs_random_below(&actor->random, 100) >= flow->eagerness)
        break;
      enum rs_status status = post_next(actor, f);
      if (status < 0)
        return status;
      if (status == RS_BUSY)
        break;
    }
  }
  struct rs_completion completions[8];
  size_t count, max = 1 + rs_random_below(&actor->random, RS_ARRAY_LENGTH(completions));
  if (device->transport->progress(device, completions, max, &count, &actor->error) < 0)
    return actor->error.status;
  if (count > max)
    return rs_error_set(&actor->error, RS_ERROR_MISMATCH, "%zu completions where %zu were asked for", count, max);
  *moved |= count > 0;
  for (size_t i = 0; i < count; i++) {
    uint64_t cookie = completions[i].cookie;
    size_t f = cookie >> FLOW_BITS & ((1u << FLOW_BITS) - 1), message = cookie & ((1u << FLOW_BITS) - 1);
    if (cookie >> 2 * FLOW_BITS != actor->rank || f >= actor->flow_count || message >= messages)
      return rs_error_set(&actor->error, RS_ERROR_MISMATCH, "rank %zu got a cookie that it never gave: %llx",
                          actor->rank, (unsigned long long)cookie);
    if (complete(actor, &actor->flows[f], message) < 0)
      return actor->error.status;
  }
  return RS_OK;
}

// ---- drivers ----------------------------------------------------------------------------------------------

static enum rs_status late(struct actor *actor) {
  const struct flow *flow = actor->flows;
  while (flow->completed == actor->traffic->messages)
    flow++;
  return rs_error_set(&actor->error, RS_ERROR_TIMEOUT,
                      "rank %zu still waits for %zu messages; the first flow: %s peer %zu, lane %zu, posted %zu, "
                      "completed %zu",
                      actor->rank, actor->left, flow->sends ? "to" : "from", flow->peer, flow->lane, flow->posted,
                      flow->completed);
}

static enum rs_status run_round_robin(struct actor *actors, size_t count, uint64_t seed) {
  struct rs_random random = {seed};
  int64_t deadline_ns = rs_clock_ns() + CONTRACT_PATIENCE_NS;
  for (size_t left = 1; left > 0;) {
    bool moved;
    struct actor *actor = &actors[rs_random_below(&random, count)];
    if (step(actor, &moved) < 0)
      return actor->error.status;
    left = 0;
    for (size_t r = 0; r < count; r++)
      left += actors[r].left;
    for (size_t r = 0; r < count && rs_clock_ns() > deadline_ns; r++)
      if (actors[r].left)
        return late(&actors[r]);
  }
  return RS_OK;
}

// Sleeps until the device has news. Nobody here is silent for as long as this waits.
static enum rs_status sleep_once(struct actor *actor) {
  struct rs_device *device = actor->group->devices[actor->rank];
  enum rs_status status = device->transport->arm(device, &actor->error);
  if (status != RS_OK)
    return status;
  struct pollfd event = {.fd = device->transport->event_fd(device), .events = POLLIN};
  if (poll(&event, 1, 5000) == 0)
    return rs_error_set(&actor->error, RS_ERROR_TIMEOUT,
                        "rank %zu slept for 5 s with %zu messages to come: a wake-up was lost", actor->rank,
                        actor->left);
  return RS_OK;
}

static void *run_thread(void *argument) {
  struct actor *actor = argument;
  bool sleeps = actor->traffic->driver == CONTRACT_SLEEPERS;
  int64_t deadline_ns = rs_clock_ns() + CONTRACT_PATIENCE_NS;
  while (actor->left > 0) {
    bool moved;
    if (step(actor, &moved) < 0)
      return NULL;
    if (rs_clock_ns() > deadline_ns) {
      late(actor);
      return NULL;
    }
    if (moved && sleeps && rs_random_below(&actor->random, 20) == 0)
      usleep((useconds_t)rs_random_below(&actor->random, DELAY_US_MAX));
    if (moved || actor->left == 0)
      continue;
    if (!sleeps)
      sched_yield();
    else if (sleep_once(actor) < 0)
      return NULL;
  }
  return NULL;
}

static enum rs_status run_threads(struct actor *actors, size_t count) {
  pthread_t threads[CONTRACT_RANKS_MAX];
  size_t started = 0;
  while (started < count && pthread_create(&threads[started], NULL, run_thread, &actors[started]) == 0)
    started++;
  for (size_t r = 0; r < started; r++)
    pthread_join(threads[r], NULL);
  for (size_t r = 0; r < count; r++)
    if (r >= started || actors[r].error.status < 0)
      return r < started ? actors[r].error.status : RS_ERROR_INTERNAL;
  return RS_OK;
}

enum rs_status contract_traffic_run(struct contract_group *group, const struct contract_traffic *traffic,
                                    struct rs_error *error) {
  struct actor actors[CONTRACT_RANKS_MAX] = {0};
  enum rs_status status = RS_OK;
  for (size_t r = 0; r < group->rank_count && status == RS_OK; r++) {
    actors[r] = (struct actor){.group = group, .traffic = traffic, .rank = r};
    status = actor_open(&actors[r], &actors[r].error);
  }
  if (status == RS_OK)
    status = traffic->driver == CONTRACT_ROUND_ROBIN ? run_round_robin(actors, group->rank_count, traffic->seed)
                                                     : run_threads(actors, group->rank_count);
  if (status < 0) {
    // Ranks fail one after the other; all that they say belongs together.
    struct rs_text text = {0};
    for (size_t r = 0; r < group->rank_count; r++)
      if (actors[r].error.status < 0)
        rs_text_append(&text, "; %s", actors[r].error.text);
    rs_error_set(error, status, "%s, %zu ranks, %zu lanes, seed %llu%s", group->variant->name, group->rank_count,
                 group->lanes, (unsigned long long)traffic->seed, text.data ? text.data : "; no thread to be had");
    rs_text_fini(&text);
  }
  for (size_t r = 0; r < group->rank_count; r++)
    actor_close(&actors[r]);
  return status;
}
