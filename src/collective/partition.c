// One rule cuts a buffer into parts and a part into chunks.
//
// A run of elements holds whole grains and a tail that is shorter than one. The whole grains are dealt out evenly, the
// first pieces getting one more where they do not come out even, and the last piece takes the tail. So every inner
// boundary falls on a grain, and pieces differ by at most one grain:
//
//   float32, grain 16:  65 elements in 4   16 16 16 17       80 in 4   32 16 16 16       63 in 4 (grain 1)   16 16 16
//   15
//
// A grain is the least number of elements that fills whole 64-byte lines. When there are fewer grains than parts it
// falls back to one element, for parts only: such a part is shorter than a line and is never cut into chunks.
#include "ringside/collective.h"

#include <assert.h>

#define LINE_BYTES 64

static uint64_t natural_grain(uint32_t element_bytes) {
  const uint32_t power_of_two = element_bytes & (~element_bytes + 1); // the largest that divides element_bytes
  return power_of_two < LINE_BYTES ? LINE_BYTES / power_of_two : 1;
}

// Where piece `index` of `pieces` begins; index = pieces is the end. No product exceeds `elements`.
static uint64_t boundary(uint64_t elements, uint64_t grain, uint32_t pieces, uint32_t index) {
  if (index == pieces) {
    return elements;
  }
  const uint64_t grains = elements / grain, each = grains / pieces, longer = grains % pieces;
  return (index * each + (index < longer ? index : longer)) * grain;
}

static struct rs_extent piece(uint64_t elements, uint64_t grain, uint32_t pieces, uint32_t index, uint32_t count) {
  const uint64_t first = boundary(elements, grain, pieces, index);
  return (struct rs_extent){first, boundary(elements, grain, pieces, index + count) - first};
}

// The least number of chunks that keeps the largest within chunk_bytes.
static uint32_t chunks_for(uint64_t part_max, uint32_t element_bytes, uint64_t line, uint64_t chunk_bytes) {
  if (chunk_bytes == 0) {
    return 1;
  }
  const uint64_t fitting = chunk_bytes / element_bytes / line; // whole grains in a chunk
  const uint64_t chunk_grains = fitting > 0 ? fitting : 1;
  const uint64_t part_grains = part_max / line + (part_max % line != 0);
  const uint64_t chunks = part_grains / chunk_grains + (part_grains % chunk_grains != 0);
  return chunks < 1 ? 1 : chunks > RS_CHUNKS_MAX ? RS_CHUNKS_MAX : (uint32_t)chunks;
}

struct rs_partition rs_partition_make(uint64_t elements, uint32_t element_bytes, uint32_t parts, uint64_t chunk_bytes) {
  assert(element_bytes > 0 && parts > 0);
  const uint64_t line = natural_grain(element_bytes);
  const uint64_t grain = elements / line < parts ? 1 : line;
  // The first part is among the longer ones, the last one has the tail.
  const uint64_t head = piece(elements, grain, parts, 0, 1).count,
                 tail = piece(elements, grain, parts, parts - 1, 1).count;
  return (struct rs_partition){.elements = elements,
                               .element_bytes = element_bytes,
                               .parts = parts,
                               .chunks = chunks_for(head > tail ? head : tail, element_bytes, line, chunk_bytes),
                               .grain = grain};
}

struct rs_partition rs_partition_make_uneven(const uint64_t *bounds, uint32_t element_bytes, uint32_t parts,
                                             uint64_t chunk_bytes) {
  assert(element_bytes > 0 && parts > 0 && bounds[0] == 0);
  const uint64_t line = natural_grain(element_bytes);
  uint64_t part_max = 0;
  for (uint32_t part = 0; part < parts; part++) {
    const uint64_t count = bounds[part + 1] - bounds[part];
    part_max = count > part_max ? count : part_max;
  }
  return (struct rs_partition){.elements = bounds[parts],
                               .element_bytes = element_bytes,
                               .parts = parts,
                               .chunks = chunks_for(part_max, element_bytes, line, chunk_bytes),
                               .grain = line,
                               .bounds = bounds};
}

struct rs_extent rs_partition_parts(const struct rs_partition *partition, uint32_t part, uint32_t count) {
  assert(part <= partition->parts && count <= partition->parts - part);
  if (partition->bounds) {
    const uint64_t first = partition->bounds[part];
    return (struct rs_extent){first, partition->bounds[part + count] - first};
  }
  return piece(partition->elements, partition->grain, partition->parts, part, count);
}

struct rs_extent rs_partition_cut(const struct rs_partition *partition, uint64_t count, uint32_t chunk) {
  assert(chunk < partition->chunks);
  return piece(count, partition->grain, partition->chunks, chunk, 1);
}

struct rs_extent rs_partition_chunk(const struct rs_partition *partition, uint32_t part, uint32_t chunk) {
  const struct rs_extent whole = rs_partition_parts(partition, part, 1);
  const struct rs_extent cut = rs_partition_cut(partition, whole.count, chunk);
  return (struct rs_extent){whole.first + cut.first, cut.count};
}
