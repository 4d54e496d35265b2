// The arithmetic of the emulated transport: when a message has left its sender and when it is there, given the queues
// that it passes. Pure: times are arguments, in picoseconds since an epoch that all processes share, and the only state
// that processes share is when each queue is free again.
//
//     sender                                                    receiver
//     flow ──► egress ──► uplinks ──► latency + jitter ──► downlinks ──► ingress
//     └───── claimed when sent ─────┘                    └─ claimed on arrival ─┘
//
// A message passes in quanta. Each claims a queue from the moment that its head is there and the queue is free, and is
// cut through: its head goes on at once, its tail follows at the slowest rate so far. What lies behind the latency is
// claimed by the receiver on arrival, since a claim that lies in the future would let near senders wait for far ones
// before an idle queue.
//
// Claims may come late, as processes wake up late: a queue counts from when the quantum was there, not from when its
// process looked. So a rate holds exactly, however late anyone is.
#ifndef RINGSIDE_TRANSPORT_EMULATED_MODEL_H
#define RINGSIDE_TRANSPORT_EMULATED_MODEL_H

#include "ringside/fabric.h"

#include <stdatomic.h>

#define RS_EMULATED_QUANTUM_BYTES_MAX ((size_t)64 << 10)

// Shared between processes, in a cache line of its own.
struct rs_emulated_queue {
  _Alignas(64) _Atomic int64_t free_ps;
};

// A queue on the way of a flow, at its rate.
struct rs_emulated_stage {
  struct rs_emulated_queue *queue;
  double byte_ps;
};

// What all messages of one flow meet, already slowed down.
struct rs_emulated_path {
  size_t near_count, far_count;
  struct rs_emulated_stage near_stages[RS_FABRIC_WAY_MAX], far_stages[RS_FABRIC_WAY_MAX];
  const struct rs_fabric_link *link;
  double slowdown;
  int64_t latency_ps;
  double flow_byte_ps; // 0: no limit of its own
  size_t quantum_bytes;
  // A flow claims its next quantum when the last one has this long to go, so that a sender who wakes up late leaves no
  // gap. What another flow sends waits that much longer, at most, behind one that sends all the time.
  int64_t ahead_ps;
  double loss; // of packets of `packet_bytes`
  size_t packet_bytes;
  int64_t retransmit_ps;
};
// `queues` are those of the map, in shared memory. `in_flight` quanta at most fit between sender and receiver.
void rs_emulated_path_init(struct rs_emulated_path *path, const struct rs_fabric_map *map, size_t source, size_t target,
                           double slowdown, struct rs_emulated_queue *queues, size_t in_flight);

// What the sender knows of a flow.
struct rs_emulated_flow {
  int64_t free_ps;   // by its own rate
  int64_t left_ps;   // the last quantum has passed the sender's queues
  int64_t head_ps;   // the last head arrives; no later one before it
  int64_t jitter_ps; // of the message that is being sent
  struct rs_random random;
  uint64_t packets_to_loss; // before the next one that is lost
};
void rs_emulated_flow_init(struct rs_emulated_flow *flow, const struct rs_emulated_path *path, uint64_t seed);
// A new message begins.
void rs_emulated_flow_begin(struct rs_emulated_flow *flow, const struct rs_emulated_path *path);

// A part of a message on its way to the receiver's queues.
struct rs_emulated_quantum {
  int64_t head_ps, tail_ps; // when they get there
  uint32_t bytes;
  uint32_t last; // of its message
};

// When the flow may send its next quantum, and when it should at last.
int64_t rs_emulated_flow_next(const struct rs_emulated_flow *flow, const struct rs_emulated_path *path);
int64_t rs_emulated_flow_latest(const struct rs_emulated_flow *flow, const struct rs_emulated_path *path);
// Sends `bytes`, at most path->quantum_bytes, that are ready since ready_ps. Returns when they have left the sender:
// his egress if he has one. Fills all of *quantum but `last`.
int64_t rs_emulated_send(struct rs_emulated_flow *flow, const struct rs_emulated_path *path, int64_t ready_ps,
                         size_t bytes, struct rs_emulated_quantum *quantum);
// Takes a quantum on arrival, in the order of heads. Returns when its last byte is there.
int64_t rs_emulated_receive(const struct rs_emulated_path *path, const struct rs_emulated_quantum *quantum);

#endif
