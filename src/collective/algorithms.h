// The algorithms, one file each. A new one: its file, a line here, a row in algorithm.c.
#ifndef RINGSIDE_COLLECTIVE_ALGORITHMS_H
#define RINGSIDE_COLLECTIVE_ALGORITHMS_H

#include "ringside/collective.h"

extern const struct rs_algorithm rs_ring_allreduce;
extern const struct rs_algorithm rs_tree_allreduce;
extern const struct rs_algorithm rs_double_tree_allreduce;
extern const struct rs_algorithm rs_recursive_doubling_allreduce;
extern const struct rs_algorithm rs_halving_doubling_allreduce;
extern const struct rs_algorithm rs_chain_allreduce;
extern const struct rs_algorithm rs_hierarchical_allreduce;
extern const struct rs_algorithm rs_multirail_allreduce;
extern const struct rs_algorithm rs_two_shot_allreduce;
extern const struct rs_algorithm rs_ring_reduce_scatter;
extern const struct rs_algorithm rs_halving_reduce_scatter;
extern const struct rs_algorithm rs_pat_reduce_scatter;
extern const struct rs_algorithm rs_pat_bounded_reduce_scatter;
extern const struct rs_algorithm rs_ring_allgather;
extern const struct rs_algorithm rs_doubling_allgather;
extern const struct rs_algorithm rs_bruck_allgather;
extern const struct rs_algorithm rs_pat_allgather;
extern const struct rs_algorithm rs_pat_bounded_allgather;
extern const struct rs_algorithm rs_tree_broadcast;
extern const struct rs_algorithm rs_chain_broadcast;
extern const struct rs_algorithm rs_scatter_allgather_broadcast;
extern const struct rs_algorithm rs_tree_reduce;
extern const struct rs_algorithm rs_chain_reduce;
extern const struct rs_algorithm rs_linear_reduce;
extern const struct rs_algorithm rs_scatter_gather_reduce;
extern const struct rs_algorithm rs_bruck_alltoall;
extern const struct rs_algorithm rs_pairwise_alltoall;
extern const struct rs_algorithm rs_bruck_alltoallv;
extern const struct rs_algorithm rs_pairwise_alltoallv;
extern const struct rs_algorithm rs_ring_sendrecv;
extern const struct rs_algorithm rs_direct_pingpong;
extern const struct rs_algorithm rs_direct_stream;
extern const struct rs_algorithm rs_burst_stream;
extern const struct rs_algorithm rs_direct_exchange;

#endif
