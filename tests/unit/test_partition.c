// rs_partition: parts tile the buffer, chunks tile the parts, and the limits hold. Hand-made cases say what it looks
// like, edges and random ones that it always does; a failure prints its case.
#include "ringside/collective.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

// Parts or chunks beyond this many are looked at by sample.
#define SAMPLES_MAX 24

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b) {
  return b == 0 ? a : greatest_common_divisor(b, a % b);
}

// Index of sample `i` of `samples` among `count`: both ends and an even spread between.
static uint32_t sampled(uint32_t i, uint32_t samples, uint32_t count) {
  return samples < 2 ? 0 : (uint32_t)((uint64_t)i * (count - 1) / (samples - 1));
}

static uint32_t sample_count(uint32_t count) {
  return count < SAMPLES_MAX ? count : SAMPLES_MAX;
}

// Fails with the case in words.
static void check(bool holds, const struct rs_partition *p, uint64_t chunk_bytes, const char *claim) {
  if (!holds) {
    fail_msg("%" PRIu64 " elements of %u bytes in %u parts, chunk_bytes %" PRIu64 " (%u chunks): not so: %s",
             p->elements, p->element_bytes, p->parts, chunk_bytes, p->chunks, claim);
  }
}

static uint64_t end_of(struct rs_extent extent) {
  return extent.first + extent.count;
}

// Chunks of `part` touch, end where the part ends and lie on grains. Raises *longest to the longest.
static void check_chunks(const struct rs_partition *p, uint32_t part, uint64_t chunk_bytes, uint64_t *longest) {
  const struct rs_extent whole = rs_partition_parts(p, part, 1);
  const uint32_t samples = sample_count(p->chunks);
  for (uint32_t i = 0; i < samples; i++) {
    const uint32_t c = sampled(i, samples, p->chunks);
    const struct rs_extent chunk = rs_partition_chunk(p, part, c);
    const uint64_t next = c + 1 == p->chunks ? end_of(whole) : rs_partition_chunk(p, part, c + 1).first;
    check(c != 0 || chunk.first == whole.first, p, chunk_bytes, "the first chunk begins with its part");
    check(end_of(chunk) == next, p, chunk_bytes, "chunks touch and fill their part");
    check((chunk.first - whole.first) % p->grain == 0, p, chunk_bytes, "chunks begin on a grain");
    *longest = chunk.count > *longest ? chunk.count : *longest;
  }
}

// Parts touch, fill the buffer, lie on grains, and only the last may be longer than the one before.
static void check_parts(const struct rs_partition *p, uint64_t chunk_bytes, uint64_t *longest,
                        uint64_t *longest_chunk) {
  const uint32_t samples = sample_count(p->parts);
  uint64_t shortest = UINT64_MAX;
  for (uint32_t i = 0; i < samples; i++) {
    const uint32_t part = sampled(i, samples, p->parts);
    const bool last = part + 1 == p->parts;
    const struct rs_extent extent = rs_partition_parts(p, part, 1);
    const uint64_t next = last ? p->elements : rs_partition_parts(p, part + 1, 1).first;
    check(part != 0 || extent.first == 0, p, chunk_bytes, "the first part begins at 0");
    check(end_of(extent) == next, p, chunk_bytes, "parts touch and fill the buffer");
    check(extent.first % p->grain == 0, p, chunk_bytes, "parts begin on a grain");
    check(part == 0 || last || extent.count <= rs_partition_parts(p, part - 1, 1).count, p, chunk_bytes,
          "longer parts come first");
    *longest = extent.count > *longest ? extent.count : *longest;
    shortest = extent.count < shortest ? extent.count : shortest;
    check_chunks(p, part, chunk_bytes, longest_chunk);
  }
  check(*longest - shortest <= p->grain, p, chunk_bytes, "parts differ by at most one grain");
}

static void check_partition(uint64_t elements, uint32_t element_bytes, uint32_t parts, uint64_t chunk_bytes) {
  const struct rs_partition p = rs_partition_make(elements, element_bytes, parts, chunk_bytes);
  const uint64_t line = 64 / greatest_common_divisor(64, element_bytes);
  const uint64_t fitting = chunk_bytes / element_bytes / line * line, limit = fitting > line ? fitting : line;
  uint64_t longest = 0, longest_chunk = 0;

  assert_true(p.elements == elements && p.element_bytes == element_bytes && p.parts == parts);
  check(p.grain == (elements / line < parts ? 1 : line), &p, chunk_bytes, "the grain is as documented");
  check_parts(&p, chunk_bytes, &longest, &longest_chunk);
  check(rs_partition_parts(&p, 0, parts).count == elements, &p, chunk_bytes, "the run of all parts is the buffer");
  if (chunk_bytes == 0) {
    check(p.chunks == 1, &p, chunk_bytes, "parts are whole");
    return;
  }
  check(p.chunks >= 1 && p.chunks <= RS_CHUNKS_MAX, &p, chunk_bytes, "1 to RS_CHUNKS_MAX chunks");
  check(longest_chunk <= limit || p.chunks == RS_CHUNKS_MAX, &p, chunk_bytes, "no chunk above the limit");
  check(p.chunks == 1 || longest > limit * (p.chunks - 1), &p, chunk_bytes, "one chunk less would be too few");
}

static void test_worked_examples(void **state) {
  (void)state;
  static const struct {
    uint64_t elements, expected[4];
  } rows[] = {
      {0, {0, 0, 0, 0}},      {3, {1, 1, 1, 0}},      {5, {2, 1, 1, 1}},      {63, {16, 16, 16, 15}},
      {64, {16, 16, 16, 16}}, {65, {16, 16, 16, 17}}, {80, {32, 16, 16, 16}}, {100, {32, 32, 16, 20}},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    const struct rs_partition p = rs_partition_make(rows[i].elements, 4, 4, 0);
    for (uint32_t part = 0; part < 4; part++) {
      assert_int_equal(rs_partition_parts(&p, part, 1).count, rows[i].expected[part]);
    }
  }
  // 1000 float32 in 4 parts are 15 or 16 grains each; chunks of 200 bytes hold 3 grains.
  const struct rs_partition p = rs_partition_make(1000, 4, 4, 200);
  assert_int_equal(p.chunks, 6);
  assert_int_equal(rs_partition_chunk(&p, 0, 0).count, 48);
  assert_int_equal(rs_partition_chunk(&p, 0, 5).count, 32);
}

static void test_edges(void **state) {
  (void)state;
  static const uint32_t parts[] = {1, 2, 3, 5, 8, 17, 64, 4096, UINT32_MAX};
  static const uint32_t bytes[] = {1, 2, 4, 8, 3, 12, 64, 96, 128};
  static const uint64_t chunks[] = {0, 1, 63, 64, 65, 4096, 1 << 20, UINT64_MAX};
  static const uint64_t huge[] = {UINT64_C(1) << 40, (UINT64_C(1) << 40) + 1, UINT64_MAX - 1, UINT64_MAX};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(parts); i++) {
    for (size_t j = 0; j < RS_ARRAY_LENGTH(bytes); j++) {
      for (size_t k = 0; k < RS_ARRAY_LENGTH(chunks); k++) {
        const uint64_t n = parts[i], lines = n * 64;
        const uint64_t counts[] = {0, 1, n - 1, n, n + 1, lines - 1, lines, lines + 1};
        for (size_t c = 0; c < RS_ARRAY_LENGTH(counts); c++) {
          check_partition(counts[c], bytes[j], parts[i], chunks[k]);
        }
        for (size_t c = 0; c < RS_ARRAY_LENGTH(huge); c++) {
          check_partition(huge[c], bytes[j], parts[i], chunks[k]);
        }
      }
    }
  }
}

static void test_random(void **state) {
  (void)state;
  static const uint32_t bytes[] = {2, 4, 8};
  for (uint64_t seed = 1; seed <= 3000; seed++) {
    struct rs_random random = {seed};
    const uint64_t elements = rs_random_next(&random) >> rs_random_below(&random, 64);
    const uint32_t parts = 1 + (uint32_t)rs_random_below(&random, 300);
    const uint64_t chunk_bytes = rs_random_next(&random) >> rs_random_below(&random, 64);
    const uint32_t element_bytes = bytes[rs_random_below(&random, 3)];
    check_partition(elements, element_bytes, parts, chunk_bytes);
  }
}

// Given boundaries: parts are where they say, empty ones too, and chunks stay within the limit and fill each part.
static void test_uneven(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 500; seed++) {
    struct rs_random random = {seed};
    const uint32_t parts = 1 + (uint32_t)rs_random_below(&random, 20);
    const uint64_t chunk_bytes = rs_random_below(&random, 3) * (64 + rs_random_below(&random, 2000));
    uint64_t bounds[21] = {0};
    for (uint32_t part = 0; part < parts; part++) {
      bounds[part + 1] = bounds[part] + rs_random_below(&random, 4) * rs_random_below(&random, 1000);
    }
    const struct rs_partition p = rs_partition_make_uneven(bounds, 4, parts, chunk_bytes);
    uint64_t longest = 0, longest_chunk = 0;
    for (uint32_t part = 0; part < parts; part++) {
      const struct rs_extent extent = rs_partition_parts(&p, part, 1);
      check(extent.first == bounds[part] && end_of(extent) == bounds[part + 1], &p, chunk_bytes, "parts are as given");
      longest = rs_max_size(longest, extent.count);
      check_chunks(&p, part, chunk_bytes, &longest_chunk);
    }
    const uint64_t fitting = chunk_bytes / 64 * 16, limit = fitting > 16 ? fitting : 16;
    check(rs_partition_parts(&p, 0, parts).count == bounds[parts], &p, chunk_bytes,
          "the run of all parts is the whole");
    check(chunk_bytes == 0 ? p.chunks == 1 : longest_chunk <= limit, &p, chunk_bytes, "no chunk above the limit");
    check(p.chunks == 1 || longest > limit * (p.chunks - 1), &p, chunk_bytes, "one chunk less would be too few");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_worked_examples), cmocka_unit_test(test_edges),
                                     cmocka_unit_test(test_random), cmocka_unit_test(test_uneven)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
