// How long messages take.
#include "ringside/fabric.h"

#include <math.h>

#define PS_PER_NS 1000
#define PS_PER_S 1000000000000u

__extension__ typedef unsigned __int128 wide; // 2^64 bytes in ps do not fit into less

int64_t rs_fabric_serial_ps(uint64_t bytes, uint64_t bit_s) {
  if (bit_s == 0)
    return 0;
  const wide bits = (wide)bytes * 8, ps = (bits * PS_PER_S + bit_s - 1) / bit_s;
  return ps < (wide)INT64_MAX ? (int64_t)ps : INT64_MAX;
}

int64_t rs_fabric_message_ps(const struct rs_fabric_map *map, size_t source, size_t target, uint64_t bytes) {
  struct rs_fabric_way way;
  rs_fabric_way(map, source, target, &way);
  int64_t serial_ps = rs_fabric_serial_ps(bytes, way.link->flow_bit_s), sum_ps;
  for (size_t q = 0; q < way.queue_count; q++) {
    const int64_t queue_ps = rs_fabric_serial_ps(bytes, map->queue_bit_s[way.queues[q]]);
    serial_ps = queue_ps > serial_ps ? queue_ps : serial_ps;
  }
  return __builtin_add_overflow(way.link->latency_ns * PS_PER_NS, serial_ps, &sum_ps) ? INT64_MAX : sum_ps;
}

// ---- jitter -----------------------------------------------------------------------------------------------

// In 0 .. 1, neither end included.
static double open_uniform(struct rs_random *random) {
  return ((double)(rs_random_next(random) >> 11) + 0.5) * 0x1p-53;
}

int64_t rs_fabric_jitter_ns(const struct rs_fabric_link *link, struct rs_random *random) {
  const double mean = (double)link->jitter_ns;
  switch ((enum rs_jitter)link->jitter) {
  case RS_JITTER_UNIFORM:
    return (int64_t)rs_random_below(random, (uint64_t)link->jitter_ns + 1);
  case RS_JITTER_EXPONENTIAL:
    return llround(-mean * log(open_uniform(random)));
  case RS_JITTER_LOGNORMAL: {
    // Box & Muller (1958). exp(normal) of deviation 1 has the mean exp(1/2); the median is 0.61 of the mean, and one
    // value in a hundred is above 6.2 of it.
    const double radius = sqrt(-2 * log(open_uniform(random)));
    const double normal = radius * cos(2 * acos(-1.0) * open_uniform(random));
    return llround(mean * exp(normal - 0.5));
  }
  case RS_JITTER_NONE:
    break;
  }
  return 0;
}
