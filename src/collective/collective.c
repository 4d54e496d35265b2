// What each collective asks for: whose data the input holds, and whose the output must hold at the end.
#include "ringside/collective.h"

const char *const rs_collective_names[] = {
    [RS_ALLREDUCE] = "allreduce", [RS_REDUCE_SCATTER] = "reduce_scatter",
    [RS_ALLGATHER] = "allgather", [RS_BROADCAST] = "broadcast",
    [RS_REDUCE] = "reduce",       [RS_ALLTOALL] = "alltoall",
    [RS_ALLTOALLV] = "alltoallv", [RS_SENDRECV] = "sendrecv",
    [RS_PINGPONG] = "pingpong",   [RS_STREAM] = "stream",
    [RS_EXCHANGE] = "exchange",   [RS_COLLECTIVE_COUNT] = NULL,
};

const struct rs_collective_traits rs_collective_traits[RS_COLLECTIVE_COUNT] = {
    [RS_ALLREDUCE] = {.reduces = true, .in_place = true, .per_size = 2, .shared = true},
    [RS_REDUCE_SCATTER] = {.reduces = true, .blocks = true, .in_place = true, .per_size = 1, .shared = true},
    [RS_ALLGATHER] = {.blocks = true, .in_place = true, .per_size = 1, .shared = true},
    [RS_BROADCAST] = {.rooted = true, .in_place = true, .per_size = 1},
    [RS_REDUCE] = {.reduces = true, .rooted = true, .in_place = true, .per_size = 1},
    [RS_ALLTOALL] = {.blocks = true, .exchanges = true, .per_size = 1, .shared = true},
    [RS_ALLTOALLV] = {.blocks = true, .exchanges = true, .per_size = 1, .shared = true},
    [RS_SENDRECV] = {.per_size = 1},
    [RS_PINGPONG] = {.paired = true, .per_size = 2},
    [RS_STREAM] = {.paired = true, .per_size = 1},
    [RS_EXCHANGE] = {.paired = true, .per_size = 1},
};

bool rs_input_given(const struct rs_schedule_params *params, uint32_t rank, uint32_t place) {
  switch (params->collective) {
  case RS_ALLGATHER:
    return place == rank;
  case RS_BROADCAST:
    return rank == params->root;
  default:
    return true;
  }
}

static uint32_t lower(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

uint32_t rs_output_source(const struct rs_schedule_params *params, uint32_t rank, uint32_t place) {
  const uint32_t n = params->rank_count, partner = params->partners ? params->partners[rank] : rank;
  if (rs_collective_traits[params->collective].paired && partner == rank) {
    return RS_NOBODY;
  }
  switch (params->collective) {
  case RS_ALLREDUCE:
    return RS_EVERYONE;
  case RS_REDUCE_SCATTER:
    return place == rank ? RS_EVERYONE : RS_NOBODY;
  case RS_ALLGATHER:
  case RS_ALLTOALL:
  case RS_ALLTOALLV:
    return place;
  case RS_BROADCAST:
    return params->root;
  case RS_REDUCE:
    return rank == params->root ? RS_EVERYONE : RS_NOBODY;
  case RS_SENDRECV:
    return rank == 0 ? n - 1 : rank - 1;
  case RS_PINGPONG:
    return lower(rank, partner);
  case RS_STREAM:
    return partner < rank ? partner : RS_NOBODY;
  case RS_EXCHANGE:
    return partner;
  case RS_COLLECTIVE_COUNT:
    break;
  }
  return RS_NOBODY;
}

uint32_t rs_output_part(const struct rs_schedule_params *params, uint32_t rank, uint32_t place) {
  return rs_collective_traits[params->collective].exchanges ? rank : place;
}

struct rs_extent rs_output_extent(const struct rs_schedule_params *params, const struct rs_partition *partition,
                                  uint32_t rank, uint32_t place) {
  if (!rs_collective_traits[params->collective].exchanges) {
    return rs_partition_parts(partition, place, 1);
  }
  const uint64_t count = rs_partition_parts(partition, rank, 1).count;
  return (struct rs_extent){place * count, count};
}

uint64_t rs_output_elements(const struct rs_schedule_params *params, const struct rs_partition *partition,
                            uint32_t rank) {
  const struct rs_extent last = rs_output_extent(params, partition, rank, partition->parts - 1);
  return last.first + last.count;
}
