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

// The longest run of `count` neighbouring pieces: the first ones are longer, the last one has the tail.
static uint64_t longest(uint64_t elements, uint64_t grain, uint32_t pieces, uint32_t count) {
  const uint64_t head = piece(elements, grain, pieces, 0, count).count;
  const uint64_t tail = piece(elements, grain, pieces, pieces - count, count).count;
  return head > tail ? head : tail;
}

struct rs_partition rs_partition_make(uint64_t elements, uint32_t element_bytes, uint32_t parts, uint64_t chunk_bytes) {
  assert(element_bytes > 0 && parts > 0);
  const uint64_t line = natural_grain(element_bytes);
  const uint64_t grain = elements / line < parts ? 1 : line;
  uint64_t chunks = 1;
  if (chunk_bytes > 0) {
    const uint64_t part_max = longest(elements, grain, parts, 1);
    const uint64_t fitting = chunk_bytes / element_bytes / line; // whole grains in a chunk
    const uint64_t chunk_grains = fitting > 0 ? fitting : 1;
    const uint64_t part_grains = part_max / line + (part_max % line != 0);
    chunks = part_grains / chunk_grains + (part_grains % chunk_grains != 0);
    chunks = chunks < 1 ? 1 : chunks > RS_CHUNKS_MAX ? RS_CHUNKS_MAX : chunks;
  }
  return (struct rs_partition){elements, element_bytes, parts, (uint32_t)chunks, grain};
}

struct rs_extent rs_partition_parts(const struct rs_partition *partition, uint32_t part, uint32_t count) {
  assert(part <= partition->parts && count <= partition->parts - part);
  return piece(partition->elements, partition->grain, partition->parts, part, count);
}

struct rs_extent rs_partition_chunk(const struct rs_partition *partition, uint32_t part, uint32_t chunk) {
  assert(chunk < partition->chunks);
  const struct rs_extent whole = rs_partition_parts(partition, part, 1);
  const struct rs_extent cut = piece(whole.count, partition->grain, partition->chunks, chunk, 1);
  return (struct rs_extent){whole.first + cut.first, cut.count};
}

uint64_t rs_partition_message_max(const struct rs_partition *partition, uint32_t count) {
  assert(count > 0 && count <= partition->parts);
  if (partition->chunks == 1) {
    return longest(partition->elements, partition->grain, partition->parts, count);
  }
  const uint64_t part_max = longest(partition->elements, partition->grain, partition->parts, 1);
  return longest(part_max, partition->grain, partition->chunks, 1);
}
