// The table of algorithms.
#include "collective/algorithms.h"

#include <string.h>

const struct rs_algorithm *const rs_algorithms[] = {
    // allreduce
    &rs_ring_allreduce,
    &rs_tree_allreduce,
    &rs_hierarchical_allreduce,
    &rs_multirail_allreduce,
    // alltoall, alltoallv
    &rs_pairwise_alltoall,
    &rs_bruck_alltoall,
    &rs_pairwise_alltoallv,
    &rs_bruck_alltoallv,
    // point to point
    &rs_direct_pingpong,
    &rs_direct_stream,
    &rs_burst_stream,
    &rs_direct_exchange,
    &rs_recursive_doubling_allreduce,
    &rs_halving_doubling_allreduce,
    &rs_double_tree_allreduce,
    &rs_chain_allreduce,
    // reduce_scatter
    &rs_halving_reduce_scatter,
    // allgather
    &rs_doubling_allgather,
    // broadcast
    &rs_chain_broadcast,
    // reduce
    &rs_chain_reduce,
    &rs_linear_reduce,

    &rs_ring_reduce_scatter,
    &rs_pat_reduce_scatter,
    &rs_pat_bounded_reduce_scatter,

    &rs_ring_allgather,
    &rs_bruck_allgather,
    &rs_pat_allgather,
    &rs_pat_bounded_allgather,

    &rs_tree_broadcast,
    &rs_scatter_allgather_broadcast,

    &rs_tree_reduce,
    &rs_scatter_gather_reduce,

    &rs_ring_sendrecv,
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
