// A cluster of ranks inside one thread: n devices of one transport, connected, with an executor each.
#ifndef RINGSIDE_TESTS_CLUSTER_H
#define RINGSIDE_TESTS_CLUSTER_H

#include "ringside/execute.h"
#include "ringside/measure.h"

#define CLUSTER_RANKS_MAX 64

struct cluster {
  const struct rs_transport *transport;
  size_t rank_count, lanes;
  struct rs_loop_hub *hub;
  struct rs_device *devices[CLUSTER_RANKS_MAX];
  struct rs_route routes[CLUSTER_RANKS_MAX];
  // Opened on first use: they cost more than a small collective.
  struct rs_pattern *patterns[CLUSTER_RANKS_MAX][RS_DATATYPE_COUNT][RS_OPERATION_COUNT];
};

// options: the struct that the transport's table fills. All pairs are connected.
enum rs_status cluster_open(struct cluster *cluster, const struct rs_transport *transport, const void *options,
                            size_t rank_count, size_t lanes, struct rs_error *error);
void cluster_close(struct cluster *cluster);

// One collective to run on a cluster, with verifiable input.
struct trial {
  const struct rs_algorithm *algorithm;
  enum rs_datatype datatype;
  enum rs_operation operation;
  uint64_t count, chunk_bytes;
  size_t lanes, window;
  bool in_place;
  bool rough; // random input whose sums round, not checked: only the digest counts
};
// Runs it `times` times on every rank, advancing ranks in an order drawn from `seed`, and checks every element of every
// rank each time. digest, if not NULL, gets a hash of rank 0's output bits.
enum rs_status cluster_run(struct cluster *cluster, const struct trial *trial, size_t times, uint64_t seed,
                           uint64_t *digest, struct rs_error *error);

#endif
