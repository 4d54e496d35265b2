#include "transport/emulated_model.h"

#include <math.h>

#define PS_PER_NS 1000
// What a quantum takes at the sender's slowest rate, where its limits in bytes allow: this, or a share of the latency.
#define QUANTUM_PS 50e6
#define QUANTA_PER_LATENCY 32
#define AHEAD_PS INT64_C(100000000)
#define PACKET_BYTES 1500

static int64_t later(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static int64_t serial_ps(size_t bytes, double byte_ps) {
  return (int64_t)ceil((double)bytes * byte_ps);
}

// Puts a claim of this length at the end of the queue. Returns where it starts.
static int64_t claim(struct rs_emulated_queue *queue, int64_t ready_ps, int64_t length_ps) {
  int64_t free_ps = atomic_load_explicit(&queue->free_ps, memory_order_relaxed), start_ps;
  do
    start_ps = later(ready_ps, free_ps);
  while (!atomic_compare_exchange_weak_explicit(&queue->free_ps, &free_ps, start_ps + length_ps, memory_order_relaxed,
                                                memory_order_relaxed));
  return start_ps;
}

// ---- path -------------------------------------------------------------------------------------------------

// Short enough that flows share finely, long enough that the latency is bridged by half of what may be in flight.
static size_t choose_quantum(const struct rs_emulated_path *path, size_t in_flight) {
  double byte_ps = path->flow_byte_ps;
  for (size_t i = 0; i < path->near_count; i++)
    byte_ps = fmax(byte_ps, path->near_stages[i].byte_ps);
  double latency_ps = (double)path->latency_ps;
  double wanted_ps = fmax(QUANTUM_PS, fmax(latency_ps / QUANTA_PER_LATENCY, 2 * latency_ps / (double)in_flight));
  size_t least = rs_min_size(path->packet_bytes, RS_EMULATED_QUANTUM_BYTES_MAX);
  if (byte_ps * (double)RS_EMULATED_QUANTUM_BYTES_MAX <= wanted_ps)
    return RS_EMULATED_QUANTUM_BYTES_MAX;
  return rs_max_size((size_t)(wanted_ps / byte_ps), least);
}

static double byte_ps_of(uint64_t bit_s, double slowdown) {
  return bit_s ? 8e12 / (double)bit_s * slowdown : 0;
}

void rs_emulated_path_init(struct rs_emulated_path *path, const struct rs_fabric_map *map, size_t source, size_t target,
                           double slowdown, struct rs_emulated_queue *queues, size_t in_flight) {
  struct rs_fabric_way way;
  rs_fabric_way(map, source, target, &way);
  const struct rs_fabric *fabric = map->fabric;
  *path = (struct rs_emulated_path){
      .link = way.link,
      .slowdown = slowdown,
      .latency_ps = llround((double)way.link->latency_ns * PS_PER_NS * slowdown),
      .flow_byte_ps = byte_ps_of(way.link->flow_bit_s, slowdown),
      .loss = way.link->loss,
      .packet_bytes = fabric->mtu ? fabric->mtu : PACKET_BYTES,
      .retransmit_ps = llround((double)fabric->retransmit_ns * PS_PER_NS * slowdown),
  };
  for (size_t i = 0; i < way.queue_count; i++) {
    struct rs_emulated_stage stage = {&queues[way.queues[i]], byte_ps_of(map->queue_bit_s[way.queues[i]], slowdown)};
    if (i < way.near_count)
      path->near_stages[path->near_count++] = stage;
    else
      path->far_stages[path->far_count++] = stage;
  }
  path->quantum_bytes = choose_quantum(path, in_flight);
  path->ahead_ps = later(AHEAD_PS, 2 * path->latency_ps / QUANTA_PER_LATENCY);
}

// ---- flow -------------------------------------------------------------------------------------------------

// How many packets pass before the next is lost: geometric.
static uint64_t draw_loss(struct rs_random *random, double loss) {
  if (loss <= 0)
    return UINT64_MAX;
  if (loss >= 1)
    return 0;
  double uniform = ((double)(rs_random_next(random) >> 11) + 0.5) * 0x1p-53;
  double packets = log(uniform) / log1p(-loss);
  return packets < 0x1p63 ? (uint64_t)packets : UINT64_MAX;
}

static uint64_t count_lost(struct rs_emulated_flow *flow, const struct rs_emulated_path *path, size_t bytes) {
  uint64_t packets = rs_divide_up(bytes, path->packet_bytes), lost = 0;
  while (flow->packets_to_loss < packets) {
    packets -= flow->packets_to_loss + 1;
    lost++;
    flow->packets_to_loss = draw_loss(&flow->random, path->loss);
  }
  if (flow->packets_to_loss != UINT64_MAX)
    flow->packets_to_loss -= packets;
  return lost;
}

void rs_emulated_flow_init(struct rs_emulated_flow *flow, const struct rs_emulated_path *path, uint64_t seed) {
  *flow = (struct rs_emulated_flow){.random = {seed}};
  flow->packets_to_loss = draw_loss(&flow->random, path->loss);
}

void rs_emulated_flow_begin(struct rs_emulated_flow *flow, const struct rs_emulated_path *path) {
  flow->jitter_ps = llround((double)rs_fabric_jitter_ns(path->link, &flow->random) * PS_PER_NS * path->slowdown);
}

int64_t rs_emulated_flow_next(const struct rs_emulated_flow *flow, const struct rs_emulated_path *path) {
  return later(flow->free_ps, flow->left_ps - path->ahead_ps);
}

int64_t rs_emulated_flow_latest(const struct rs_emulated_flow *flow, const struct rs_emulated_path *path) {
  return later(flow->free_ps, flow->left_ps - path->ahead_ps / 2);
}

int64_t rs_emulated_send(struct rs_emulated_flow *flow, const struct rs_emulated_path *path, int64_t ready_ps,
                         size_t bytes, struct rs_emulated_quantum *quantum) {
  int64_t start_ps = later(ready_ps, flow->free_ps);
  int64_t end_ps = start_ps + serial_ps(bytes, path->flow_byte_ps);
  flow->free_ps = end_ps;
  int64_t left_ps = end_ps;
  for (size_t i = 0; i < path->near_count; i++) {
    int64_t length_ps = serial_ps(bytes, path->near_stages[i].byte_ps);
    start_ps = claim(path->near_stages[i].queue, start_ps, length_ps);
    end_ps = later(end_ps, start_ps + length_ps);
    if (i == 0)
      left_ps = end_ps;
  }
  flow->left_ps = end_ps;
  // A lost packet comes again after a pause, and the flow sends nothing meanwhile.
  int64_t pause_ps = (int64_t)count_lost(flow, path, bytes) * path->retransmit_ps;
  if (pause_ps > 0)
    flow->free_ps = end_ps + pause_ps;
  int64_t transit_ps = path->latency_ps + flow->jitter_ps;
  flow->head_ps = later(flow->head_ps, start_ps + transit_ps);
  *quantum = (struct rs_emulated_quantum){
      .head_ps = flow->head_ps,
      .tail_ps = later(flow->head_ps, end_ps + pause_ps + transit_ps),
      .bytes = (uint32_t)bytes,
  };
  return left_ps;
}

int64_t rs_emulated_receive(const struct rs_emulated_path *path, const struct rs_emulated_quantum *quantum) {
  int64_t start_ps = quantum->head_ps, end_ps = quantum->tail_ps;
  for (size_t i = 0; i < path->far_count; i++) {
    int64_t length_ps = serial_ps(quantum->bytes, path->far_stages[i].byte_ps);
    start_ps = claim(path->far_stages[i].queue, start_ps, length_ps);
    end_ps = later(end_ps, start_ps + length_ps);
  }
  return end_ps;
}
