// Every kernel set that this processor runs against the portable one. Their results must be equal bit for bit. One
// exception: where both operands are NaNs, the result is either of them with its quiet bit set.
#include "ringside/memory.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define SEED 20261124
#define PATTERNS 65536 // of 16 bits

// All pairs take seconds; without optimisation, or with a sanitizer, minutes: then some.
#ifndef __has_feature // clang has it
#define __has_feature(feature) 0
#endif
#if !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define PAIR_STEP 257
#else
#define PAIR_STEP 1
#endif

// What is particular to the floating-point types, as bits: infinity, and the top bit of the fraction, set in quiet
// NaNs.
static const struct {
  uint64_t infinity, quiet;
} floats[RS_DATATYPE_COUNT] = {
    [RS_FLOAT32] = {0x7f800000, 0x00400000},
    [RS_FLOAT64] = {0x7ff0000000000000, 0x0008000000000000},
    [RS_FLOAT16] = {0x7c00, 0x0200},
    [RS_BFLOAT16] = {0x7f80, 0x0040},
};

static size_t portable_set(void) {
  return rs_kernel_set_count() - 1;
}

// Element i as bits, in the order of a little-endian processor, as all with more than one set are.
static uint64_t bits_at(enum rs_datatype datatype, const void *data, size_t i) {
  uint64_t bits = 0;
  size_t bytes = rs_datatype_bytes(datatype);
  memcpy(&bits, (const char *)data + i * bytes, bytes);
  return bits;
}

static uint64_t sign_bit(enum rs_datatype datatype) {
  return UINT64_C(1) << (8 * rs_datatype_bytes(datatype) - 1);
}

static bool is_nan(enum rs_datatype datatype, uint64_t bits) {
  return floats[datatype].infinity > 0 && (bits & ~sign_bit(datatype)) > floats[datatype].infinity;
}

// Fails when set's `found` is not what the portable set's `expected` allows for operands a and b.
static void check_same(size_t set, enum rs_datatype datatype, enum rs_operation operation, const void *a, const void *b,
                       const void *expected, const void *found, size_t count) {
  if (memcmp(expected, found, count * rs_datatype_bytes(datatype)) == 0)
    return;
  for (size_t i = 0; i < count; i++) {
    uint64_t x = bits_at(datatype, a, i), y = bits_at(datatype, b, i), quiet = floats[datatype].quiet;
    uint64_t right = bits_at(datatype, expected, i), is = bits_at(datatype, found, i);
    bool nans = is_nan(datatype, x) && is_nan(datatype, y);
    if (is != right && !(nans && (is == (x | quiet) || is == (y | quiet))))
      fail_msg("%s %s %s, element %zu of %zu: 0x%" PRIx64 " and 0x%" PRIx64 " give 0x%" PRIx64 ", portable 0x%" PRIx64,
               rs_kernel_set_name(set), rs_datatype_names[datatype], rs_operation_names[operation], i, count, x, y, is,
               right);
  }
}

// ---- the 16-bit types, exhaustively -----------------------------------------------------------------------

static uint16_t all_patterns[PATTERNS], partners[PATTERNS], expected_results[PATTERNS], found_results[PATTERNS];

static void check_patterns(enum rs_datatype datatype, enum rs_operation operation, const uint16_t *a, const uint16_t *b,
                           size_t count) {
  rs_kernel_set_reduce(portable_set(), datatype, operation, expected_results, a, b, count);
  for (size_t set = 0; set < portable_set(); set++)
    if (rs_kernel_set_runs(set)) {
      rs_kernel_set_reduce(set, datatype, operation, found_results, a, b, count);
      check_same(set, datatype, operation, a, b, expected_results, found_results, count);
    }
}

// All patterns with this partner, either way round.
static void check_partner(enum rs_datatype datatype, uint16_t partner) {
  const enum rs_operation operations[] = {RS_SUM, RS_MIN, RS_MAX, RS_PROD};
  for (size_t i = 0; i < PATTERNS; i++)
    partners[i] = partner;
  for (size_t o = 0; o < RS_ARRAY_LENGTH(operations); o++) {
    check_patterns(datatype, operations[o], all_patterns, partners, PATTERNS);
    check_patterns(datatype, operations[o], partners, all_patterns, PATTERNS);
  }
}

// Partners of both signs and every exponent, so zeros, subnormals, infinities and NaNs of both kinds, with fractions at
// both ends, in the middle and anywhere.
static void every_pattern_meets_every_kind(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  const enum rs_datatype datatypes[] = {RS_FLOAT16, RS_BFLOAT16};
  for (size_t d = 0; d < RS_ARRAY_LENGTH(datatypes); d++) {
    uint64_t quiet = floats[datatypes[d]].quiet, unit = 2 * quiet; // of the exponent
    for (uint64_t lead = 0; lead < PATTERNS; lead += unit) {
      const uint64_t fractions[] = {0, 1, quiet, unit - 1, rs_random_below(&random, unit)};
      for (size_t f = 0; f < RS_ARRAY_LENGTH(fractions); f++)
        check_partner(datatypes[d], (uint16_t)(lead + fractions[f]));
    }
  }
}

// All pairs of bfloat16; of float16, where the portable set takes five times as long, a fifth of the partners. Each
// pair once: the test above has both orders.
static void all_pairs_add_alike(void **state) {
  (void)state;
  const struct {
    enum rs_datatype datatype;
    size_t step;
  } rows[] = {{RS_FLOAT16, 5 * PAIR_STEP}, {RS_BFLOAT16, PAIR_STEP}};
  for (size_t r = 0; r < RS_ARRAY_LENGTH(rows); r++)
    for (size_t pattern = 0; pattern < PATTERNS; pattern += rows[r].step) {
      for (size_t i = pattern; i < PATTERNS; i++)
        partners[i] = (uint16_t)pattern;
      check_patterns(rows[r].datatype, RS_SUM, all_patterns + pattern, partners + pattern, PATTERNS - pattern);
    }
}

static void every_pattern_is_divided_alike(void **state) {
  (void)state;
  const enum rs_datatype datatypes[] = {RS_FLOAT16, RS_BFLOAT16};
  const size_t others[] = {4095, 4096, (1 << 24) + 1, (size_t)1 << 40, SIZE_MAX};
  for (size_t set = 0; set < portable_set(); set++)
    for (size_t d = 0; d < RS_ARRAY_LENGTH(datatypes) && rs_kernel_set_runs(set); d++)
      for (size_t n = 1; n <= 64 + RS_ARRAY_LENGTH(others); n++) {
        size_t divisor = n <= 64 ? n : others[n - 65];
        memcpy(expected_results, all_patterns, sizeof(all_patterns));
        memcpy(found_results, all_patterns, sizeof(all_patterns));
        rs_kernel_set_finish(portable_set(), datatypes[d], RS_AVG, expected_results, PATTERNS, divisor);
        rs_kernel_set_finish(set, datatypes[d], RS_AVG, found_results, PATTERNS, divisor);
        assert_memory_equal(expected_results, found_results, sizeof(all_patterns));
      }
}

// ---- all types: every short length, between pages that nothing may touch ----------------------------------

#define ROOM ((size_t)65536)                      // of a region: a multiple of every common page size
#define MARGIN ((size_t)256)                      // watched on either side of a result
enum place { AT_START, SHIFTED, AT_END, PLACES }; // where in its region an operand lies

// ROOM bytes between as many that cannot be touched. They stay until the process ends.
static unsigned char *open_region(void) {
  unsigned char *start = mmap(NULL, 3 * ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(start != MAP_FAILED);
  assert_int_equal(mprotect(start + ROOM, ROOM, PROT_READ | PROT_WRITE), 0);
  return start + ROOM;
}

enum { A, B, EXPECTED, FOUND, REGIONS };
static unsigned char *regions[REGIONS];

static unsigned char *place_in(size_t region, enum place place, size_t count, size_t bytes) {
  const size_t offsets[] = {[AT_START] = 0, [SHIFTED] = (1 + 2 * region) * bytes, [AT_END] = ROOM - count * bytes};
  return regions[region] + offsets[place];
}

// Random bits, and one in four a special value of either sign.
static void fill(enum rs_datatype datatype, unsigned char *data, size_t count, struct rs_random *random) {
  uint64_t sign = sign_bit(datatype), infinity = floats[datatype].infinity;
  const uint64_t specials[] = {0, 1, sign - 1, infinity, infinity + 1, infinity - 1, infinity | floats[datatype].quiet};
  size_t bytes = rs_datatype_bytes(datatype);
  for (size_t i = 0; i < count; i++) {
    uint64_t bits = rs_random_next(random);
    if (rs_random_below(random, 4) == 0)
      bits = specials[rs_random_below(random, RS_ARRAY_LENGTH(specials))] ^ (bits & sign);
    memcpy(data + i * bytes, &bits, bytes);
  }
}

struct trial {
  size_t set, count;
  enum rs_datatype datatype;
  enum rs_operation operation;
  enum place place;
};

// Runs the trial's set into FOUND, out of place or on a copy of one operand. The margins must stay.
static void check_alias(const struct trial *trial, const unsigned char *copied, const unsigned char *a,
                        const unsigned char *b) {
  size_t bytes = rs_datatype_bytes(trial->datatype), used = trial->count * bytes;
  unsigned char *found = place_in(FOUND, trial->place, trial->count, bytes);
  const unsigned char *expected = place_in(EXPECTED, trial->place, trial->count, bytes);
  unsigned char *first = found - rs_min_size(MARGIN, (size_t)(found - regions[FOUND]));
  unsigned char *end = found + used + rs_min_size(MARGIN, (size_t)(regions[FOUND] + ROOM - (found + used)));
  memset(first, 0x5a, (size_t)(end - first));
  if (copied)
    memcpy(found, copied, used);
  rs_kernel_set_reduce(trial->set, trial->datatype, trial->operation, found, copied == a ? found : a,
                       copied == b ? found : b, trial->count);
  check_same(trial->set, trial->datatype, trial->operation, a, b, expected, found, trial->count);
  for (unsigned char *at = first; at < end; at++)
    if ((at < found || at >= found + used) && *at != 0x5a)
      fail_msg("%s %s %s of %zu elements wrote at %td, the result is at 0..%zu", rs_kernel_set_name(trial->set),
               rs_datatype_names[trial->datatype], rs_operation_names[trial->operation], trial->count, at - found,
               used);
}

static void check_trial(const struct trial *trial, struct rs_random *random) {
  size_t bytes = rs_datatype_bytes(trial->datatype), count = trial->count;
  unsigned char *a = place_in(A, trial->place, count, bytes), *b = place_in(B, trial->place, count, bytes);
  unsigned char *expected = place_in(EXPECTED, trial->place, count, bytes);
  fill(trial->datatype, a, count, random);
  fill(trial->datatype, b, count, random);
  rs_kernel_set_reduce(portable_set(), trial->datatype, trial->operation, expected, a, b, count);
  check_alias(trial, NULL, a, b);
  check_alias(trial, a, a, b);
  check_alias(trial, b, a, b);
  if (trial->operation != RS_AVG)
    return;
  unsigned char *found = place_in(FOUND, trial->place, count, bytes);
  size_t rank_count = rs_random_next(random) >> rs_random_below(random, 64);
  memcpy(found, expected, count * bytes);
  rs_kernel_set_finish(portable_set(), trial->datatype, RS_AVG, expected, count, rs_max_size(rank_count, 1));
  rs_kernel_set_finish(trial->set, trial->datatype, RS_AVG, found, count, rs_max_size(rank_count, 1));
  assert_memory_equal(expected, found, count * bytes);
}

static void every_length_place_and_alias_agrees(void **state) {
  (void)state;
  print_message("seed %d\n", SEED);
  struct rs_random random = {SEED};
  // Every length up to some vectors, and round the blocks of float16.
  size_t counts[201 + 9];
  for (size_t i = 0; i < RS_ARRAY_LENGTH(counts); i++)
    counts[i] = i <= 200 ? i : 256 * ((i - 201) / 3 + 1) - 1 + (i - 201) % 3;
  for (size_t region = 0; region < REGIONS; region++)
    regions[region] = open_region();
  for (size_t set = 0; set <= portable_set(); set++)
    for (enum rs_datatype datatype = 0; datatype < RS_DATATYPE_COUNT && rs_kernel_set_runs(set); datatype++)
      for (enum rs_operation operation = 0; operation < RS_OPERATION_COUNT; operation++)
        for (size_t c = 0; c < RS_ARRAY_LENGTH(counts); c++)
          for (enum place place = 0; place < PLACES; place++)
            check_trial(&(struct trial){set, counts[c], datatype, operation, place}, &random);
}

// ---- the table --------------------------------------------------------------------------------------------

static void the_last_set_is_portable_and_runs(void **state) {
  (void)state;
  assert_string_equal(rs_kernel_set_name(portable_set()), "portable");
  assert_true(rs_kernel_set_runs(portable_set()));
  for (size_t set = 0; set < portable_set(); set++)
    for (size_t other = set + 1; other <= portable_set(); other++)
      assert_string_not_equal(rs_kernel_set_name(set), rs_kernel_set_name(other));
}

static int name_what_is_skipped(void **state) {
  (void)state;
  for (size_t i = 0; i < PATTERNS; i++)
    all_patterns[i] = (uint16_t)i;
  for (size_t set = 0; set < rs_kernel_set_count(); set++)
    if (!rs_kernel_set_runs(set))
      print_message("[  SKIPPED ] the kernel set %s, which this processor does not run\n", rs_kernel_set_name(set));
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_last_set_is_portable_and_runs),
      cmocka_unit_test(every_length_place_and_alias_agrees),
      cmocka_unit_test(every_pattern_meets_every_kind),
      cmocka_unit_test(every_pattern_is_divided_alike),
      cmocka_unit_test(all_pairs_add_alike),
  };
  return cmocka_run_group_tests(tests, name_what_is_skipped, NULL);
}
