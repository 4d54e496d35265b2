// The table of algorithms.
#include "collective/algorithms.h"

#include <string.h>

const struct rs_algorithm *const rs_algorithms[] = {
    // allreduce
    &rs_ring_allreduce,
    &rs_tree_allreduce,
    &rs_double_tree_allreduce,
    &rs_recursive_doubling_allreduce,
    &rs_halving_doubling_allreduce,
    &rs_chain_allreduce,
    &rs_hierarchical_allreduce,
    &rs_multirail_allreduce,
    &rs_two_shot_allreduce,
    // reduce_scatter
    &rs_ring_reduce_scatter,
    &rs_halving_reduce_scatter,
    &rs_pat_reduce_scatter,
    &rs_pat_bounded_reduce_scatter,
    // allgather
    &rs_ring_allgather,
    &rs_doubling_allgather,
    &rs_bruck_allgather,
    &rs_pat_allgather,
    &rs_pat_bounded_allgather,
    // broadcast
    &rs_tree_broadcast,
    &rs_chain_broadcast,
    &rs_scatter_allgather_broadcast,
    // reduce
    &rs_tree_reduce,
    &rs_chain_reduce,
    &rs_linear_reduce,
    &rs_scatter_gather_reduce,
    // alltoall
    &rs_bruck_alltoall,
    &rs_pairwise_alltoall,
    // alltoallv
    &rs_bruck_alltoallv,
    &rs_pairwise_alltoallv,
    // sendrecv
    &rs_ring_sendrecv,
    // pingpong
    &rs_direct_pingpong,
    // stream
    &rs_direct_stream,
    &rs_burst_stream,
    // exchange
    &rs_direct_exchange,
};
const size_t rs_algorithm_count = RS_ARRAY_LENGTH(rs_algorithms);

const struct rs_algorithm *rs_algorithm_find(enum rs_collective collective, const char *name) {
  for (size_t i = 0; i < rs_algorithm_count; i++) {
    if (rs_algorithms[i]->collective == collective && strcmp(rs_algorithms[i]->name, name) == 0) {
      return rs_algorithms[i];
    }
  }
  return NULL;
}
