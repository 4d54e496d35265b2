// A cluster of ranks inside one thread: n devices of one transport, connected, with an executor each.
#ifndef RINGSIDE_TESTS_CLUSTER_H
#define RINGSIDE_TESTS_CLUSTER_H

#include "ringside/execute.h"
#include "ringside/measure.h"

#define CLUSTER_RANKS_MAX 32

struct cluster_pattern; // opened on first use: they cost more than a small collective
struct cluster {
  const struct rs_transport *transport;
  size_t rank_count, lanes;
  struct rs_loop_hub *hub;
  struct rs_device *devices[CLUSTER_RANKS_MAX];
  struct rs_route routes[CLUSTER_RANKS_MAX];
  struct cluster_pattern *patterns;
  size_t pattern_count;
};

// options: the struct that the transport's table fills. All pairs are connected.
enum rs_status cluster_open(struct cluster *cluster, const struct rs_transport *transport, const void *options,
                            size_t rank_count, size_t lanes, struct rs_error *error);
void cluster_close(struct cluster *cluster);

// One collective to run on a cluster, with verifiable input.
struct trial {
  const struct rs_algorithm *algorithm;
  uint32_t variant; // root, pairs, groups: of rs_variant
  enum rs_datatype datatype;
  enum rs_operation operation;
  uint64_t count, chunk_bytes;
  uint64_t uneven; // parts of lengths drawn from this seed, some of them 0, about `count` in all; 0: even parts
  size_t lanes, window;
  bool in_place;
  bool rough;              // random float16 whose sums round; not checked: only the digests count
  const uint32_t *members; // the ranks of the cluster that take part, in this order; NULL: all
  size_t member_count;
};
// Everything but algorithm, count and members at random, as it is allowed on so many ranks. `type` stands for a
// datatype and an operation, all of them from 0 to 34: a cluster that sees few opens few patterns.
struct trial trial_draw(const struct rs_algorithm *algorithm, size_t rank_count, size_t lanes, size_t type,
                        struct rs_random *random);
void trial_describe(const struct trial *trial, size_t rank_count, struct rs_text *text);

// Runs it `times` times on every rank, advancing ranks in an order drawn from `seed`, and checks every element of every
// rank each time. digests, if not NULL, gets a hash of each rank's result.
enum rs_status cluster_run(struct cluster *cluster, const struct trial *trial, size_t times, uint64_t seed,
                           uint64_t *digests, struct rs_error *error);

#endif
