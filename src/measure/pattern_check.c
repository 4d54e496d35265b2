// Filling, poisoning and checking, all by one means: a stream is a table over and over, each pass xored with a key of 8
// bytes. What all ranks give together has key 0, poison is a table of zeros under a key of poison, and moved data has a
// key per rank and pass. So a check is one comparison of the output with a few runs of streams.
#include "measure/pattern.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#define WORD sizeof(uint64_t)

// ---- streams ----------------------------------------------------------------------------------------------

// Elements of one pass: bytes of a table, and the key from the first of them on.
struct stretch {
  const unsigned char *table;
  uint64_t key;
  size_t bytes;
};

// The source is a rank, RS_EVERYONE or RS_NOBODY (poison).
static uint64_t key_of(const struct rs_pattern *pattern, uint32_t source, uint64_t pass) {
  if (source == RS_NOBODY)
    return UINT64_C(0x0101010101010101) * pattern_poison(pattern->datatype);
  if (source == RS_EVERYONE || pattern->reduces)
    return 0;
  return rs_hash64((uint64_t)source << 44 ^ pass) & EVEN_BYTES;
}

// The stretch of a source's stream that begins at element `first`: up to `count` elements, to the end of the pass.
static struct stretch stretch_at(const struct rs_pattern *pattern, uint32_t source, uint64_t first, uint64_t count) {
  const size_t element = rs_datatype_bytes(pattern->datatype), at = first % PERIOD * element;
  const unsigned char *table = source == RS_NOBODY     ? pattern->zeros
                               : source == RS_EVERYONE ? pattern->result
                                                       : pattern->input;
  // The key goes with the table's bytes, so a stretch that begins inside a word begins inside the key.
  const uint64_t key = key_of(pattern, source, first / PERIOD), keys[2] = {key, key};
  struct stretch stretch = {.table = table + at, .bytes = rs_min_size(PERIOD - first % PERIOD, count) * element};
  memcpy(&stretch.key, (const unsigned char *)keys + at % WORD, WORD);
  return stretch;
}

static void stretch_read(const struct stretch *stretch, unsigned char *restrict target) {
  const unsigned char *restrict table = stretch->table;
  const uint64_t key = stretch->key;
  const size_t tail = stretch->bytes % WORD, whole = stretch->bytes - tail;
  uint64_t word;
  for (size_t i = 0; i < whole; i += WORD) {
    memcpy(&word, table + i, WORD);
    word ^= key;
    memcpy(target + i, &word, WORD);
  }
  word = 0;
  memcpy(&word, table + whole, tail);
  word ^= key;
  memcpy(target + whole, &word, tail);
}

static bool stretch_equals(const struct stretch *stretch, const unsigned char *found) {
  const unsigned char *table = stretch->table;
  const uint64_t key = stretch->key;
  const size_t tail = stretch->bytes % WORD, whole = stretch->bytes - tail;
  uint64_t a, b, difference = 0;
  for (size_t i = 0; i < whole; i += WORD) {
    memcpy(&a, table + i, WORD);
    memcpy(&b, found + i, WORD);
    difference |= a ^ b ^ key;
  }
  a = b = 0;
  memcpy(&a, table + whole, tail);
  a ^= key;
  memcpy(&b, &a, WORD); // beyond the tail all is equal
  memcpy(&b, found + whole, tail);
  return (difference | (a ^ b)) == 0;
}

static void stream_read(const struct rs_pattern *pattern, uint32_t source, uint64_t first, uint64_t count,
                        unsigned char *target) {
  while (count > 0) {
    const struct stretch stretch = stretch_at(pattern, source, first, count);
    const size_t length = stretch.bytes / rs_datatype_bytes(pattern->datatype);
    stretch_read(&stretch, target);
    first += length;
    count -= length;
    target += stretch.bytes;
  }
}

// ---- filling ----------------------------------------------------------------------------------------------

void rs_pattern_fill(const struct rs_pattern *pattern, const struct rs_shape *shape, void *input) {
  for (uint32_t place = 0; place < shape->blocks.parts; place++) {
    if (!rs_input_given(&shape->schedule, shape->rank, place))
      continue;
    const struct rs_extent at = rs_partition_parts(&shape->blocks, place, 1);
    stream_read(pattern, shape->rank, at.first, at.count,
                (unsigned char *)input + at.first * rs_datatype_bytes(pattern->datatype));
  }
}

void rs_pattern_poison(const struct rs_pattern *pattern, const struct rs_shape *shape, void *output) {
  stream_read(pattern, RS_NOBODY, 0, rs_output_elements(&shape->schedule, &shape->blocks, shape->rank), output);
}

// ---- checking ---------------------------------------------------------------------------------------------

// What differs, and the first of it.
struct difference {
  uint64_t count, first;    // in the output
  bool is_result;           // the first one's place is part of the result
  uint64_t expected, found; // elements in their first bytes
};

// The element in words, exactly.
static void format_element(enum rs_datatype datatype, uint64_t element, char *text, size_t text_bytes) {
  union {
    float float32;
    double float64;
    uint16_t float16;
    int32_t int32;
    int64_t int64;
    uint8_t uint8;
  } value;
  memset(&value, pattern_poison(datatype), sizeof(value));
  if (memcmp(&element, &value, rs_datatype_bytes(datatype)) == 0) {
    snprintf(text, text_bytes, "nothing written");
    return;
  }
  memcpy(&value, &element, sizeof(value));
  switch (datatype) {
  case RS_FLOAT32:
    snprintf(text, text_bytes, "%.9g", (double)value.float32);
    break;
  case RS_FLOAT64:
    snprintf(text, text_bytes, "%.17g", value.float64);
    break;
  case RS_FLOAT16:
    snprintf(text, text_bytes, "%.9g", (double)rs_float16_to_float32(value.float16));
    break;
  case RS_BFLOAT16:
    snprintf(text, text_bytes, "%.9g", (double)rs_bfloat16_to_float32(value.float16));
    break;
  case RS_INT32:
    snprintf(text, text_bytes, "%" PRId32, value.int32);
    break;
  case RS_INT64:
    snprintf(text, text_bytes, "%" PRId64, value.int64);
    break;
  case RS_UINT8:
    snprintf(text, text_bytes, "%" PRIu8, value.uint8);
    break;
  case RS_DATATYPE_COUNT:
    assert(false);
  }
}

// A run of the output, and the stream that it must hold from element `first` on.
struct run {
  struct rs_extent at;
  uint32_t source;
  uint64_t first;
  bool is_result;
};

static struct run run_of(const struct rs_shape *shape, uint32_t place, bool in_place) {
  const struct rs_schedule_params *schedule = &shape->schedule;
  struct run run = {.at = rs_output_extent(schedule, &shape->blocks, shape->rank, place),
                    .source = rs_output_source(schedule, shape->rank, place)};
  run.is_result = run.source != RS_NOBODY;
  if (run.is_result)
    run.first = rs_partition_parts(&shape->blocks, rs_output_part(schedule, shape->rank, place), 1).first;
  else
    run.first = run.at.first;
  if (!run.is_result && in_place && rs_input_given(schedule, shape->rank, place))
    run.source = shape->rank;
  return run;
}

// Counts elements that differ, and keeps the first one found.
static void count_differences(const struct rs_pattern *pattern, const struct run *run, uint64_t begin, uint64_t end,
                              const unsigned char *output, struct difference *difference) {
  const size_t element = rs_datatype_bytes(pattern->datatype);
  for (uint64_t i = begin; i < end; i++) {
    const struct stretch one = stretch_at(pattern, run->source, run->first + i, 1);
    uint64_t expected = 0, found;
    memcpy(&expected, one.table, element);
    expected ^= one.key;
    found = expected; // beyond the element all is equal
    memcpy(&found, output + (run->at.first + i) * element, element);
    if (found == expected || difference->count++ > 0)
      continue;
    difference->first = run->at.first + i;
    difference->is_result = run->is_result;
    difference->expected = expected;
    difference->found = found;
  }
}

static void compare_run(const struct rs_pattern *pattern, const struct run *run, const unsigned char *output,
                        struct difference *difference) {
  const size_t element = rs_datatype_bytes(pattern->datatype);
  for (uint64_t i = 0; i < run->at.count;) {
    const struct stretch stretch = stretch_at(pattern, run->source, run->first + i, run->at.count - i);
    const uint64_t end = i + stretch.bytes / element;
    if (!stretch_equals(&stretch, output + (run->at.first + i) * element))
      count_differences(pattern, run, i, end, output, difference);
    i = end;
  }
}

// Bits are compared, not values: a NaN differs from every number, and -0 from 0.
enum rs_status rs_pattern_check(const struct rs_pattern *pattern, const struct rs_shape *shape, bool in_place,
                                const void *output, struct rs_error *error) {
  struct difference difference = {0};
  for (uint32_t place = 0; place < shape->blocks.parts; place++) {
    const struct run run = run_of(shape, place, in_place);
    compare_run(pattern, &run, output, &difference);
  }
  if (difference.count == 0)
    return RS_OK;
  const uint64_t total = rs_output_elements(&shape->schedule, &shape->blocks, shape->rank);
  char expected[64], found[64];
  format_element(pattern->datatype, difference.expected, expected, sizeof(expected));
  format_element(pattern->datatype, difference.found, found, sizeof(found));
  return rs_error_set(
      error, RS_ERROR_MISMATCH, "element %" PRIu64 ": %sexpected %s, found %s (%" PRIu64 " of %" PRIu64 " differ)",
      difference.first, difference.is_result ? "" : "is not part of the result, but was overwritten: ", expected, found,
      difference.count, total);
}
