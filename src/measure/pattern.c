// Verifiable input: what each rank contributes to element i, so that a wrong result cannot look right.
//
// Two demands. Every partial sum must be exact in every datatype, so that the order of adding cannot matter. And
// leaving out, doubling, or replacing by another's any rank's contribution to any 63 neighbouring elements must change
// at least one of them, for the sum and for the average.
//
// Value. Rank r gives value(r, i) = g(i) w(r, i): a sign g(i) that all ranks share, and a weight w >= 0. So partial
// sums never cancel, and what holds for the weights holds for the values.
//
// Exactness. Weights are whole, and n ranks' weights add to S(i) <= 256. bfloat16 has 8 significant bits and is the
// coarsest datatype: it holds 0..256 exactly.
//
// Averages. Let N be the smallest power of two >= n. The sums obey S/n <= 256/N as well. The bfloat16 values up to the
// power of two 256/N are at most 1/N apart; averages of different sums are at least 1/n >= 1/N apart. So they round
// apart (where both distances are equal, n is N and nothing rounds). int32 would truncate instead: there every value
// is scaled by n, so that the average is S itself.
//
// Dense weights, n <= 128. With m = 256/N, a power of two and at least 2:
//     w(r, i) = 1 + bit(i mod 7 of r) + 2 (a hash of r and i, below m/2), which lies in 1..m.
//   The sum is at most n m, so S/n <= 256/N. Nothing is 0, so leaving out or doubling shows in every element. The bit
//   decides the parity, and any 7 neighbours show all 7 bits of the rank, so two ranks differ there.
//
// Sparse weights, n <= 4096, where 256 leaves no room for a 1 from everybody. The elements run through a cycle of
// 63 = 3 x 21 places, and each rank marks one place (w = 1, else 0) in each third. With r = a + 21 b + 441 c:
//
//     place   0 ........ 20 | 21 ........ 41 | 42 ............. 62
//     r marks       a       |       b        | (a + b + c) mod 21        rank 500 = 17 + 21 x 2 + 441: 17, 23, 62
//
//   Any 63 neighbours hold each place once, so every rank shows there. The marks give back a, b and c, so no two ranks
//   are alike. A place is marked by about n/21 ranks and by at most 210 (of n = 4096), hence S/n < 256/N with room for
//   one more: test_pattern tries every n. (Four marks on 64 places would load each place with 256 at n = 4096, and a
//   doubled contribution, 257, rounds back to 256 in bfloat16.)
//
// Doubling may leave these bounds. Rounding is monotone, so a sum beyond 256 n/N stays at or beyond it, and its average
// at or beyond 256/N. In the sparse case there is room. In the dense case S reaches n m only if all weights are m; then
// n m + m, a multiple of 2 up to 512, is still exact, and the average rises by m/n >= 2/N, the distance there.
//
// Period. The pattern repeats every 63 x 1021 elements, where both cycles close (7 divides 63), so no slice displaced
// by a power of two looks right; a displacement by 63 x 2^k changes the signs. Input and result are tables of one
// period, made at open: filling copies them, checking is memcmp.
#include "ringside/measure.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CYCLE 63
#define THIRD (CYCLE / 3)
#define PERIOD ((size_t)CYCLE * 1021)
#define DENSE_RANKS_MAX 128

struct rs_pattern {
  enum rs_datatype datatype;
  void *input, *expected; // PERIOD elements each, in one allocation that `input` starts
};

// One byte, repeated: a NaN in the floating-point types; in int32 far below -256 x 4096, the lowest result.
static const unsigned char poison_bytes[RS_DATATYPE_COUNT] = {
    [RS_FLOAT32] = 0xff, [RS_FLOAT64] = 0xff, [RS_FLOAT16] = 0xff, [RS_BFLOAT16] = 0xff, [RS_INT32] = 0x80,
};

// Fills one period of the rank's values and of all ranks' sums, both as whole numbers.
static void make_dense(size_t rank, size_t rank_count, int32_t *values, int32_t *sums) {
  unsigned hash_bits = 7; // log2(m/2)
  for (size_t power = 1; power < rank_count; power *= 2)
    hash_bits--;
  for (size_t i = 0; i < PERIOD; i++) {
    uint64_t hash = rs_hash64(i);
    int32_t sign = hash & 1 ? -1 : 1, sum = 0;
    for (size_t r = 0; r < rank_count; r++) {
      // Multiply-shift hashing of r, with a multiplier of i's own. Two shifts, as one by 64 is undefined.
      uint64_t extra = hash * (2 * r + 1) >> 1 >> (63 - hash_bits);
      int32_t weight = (int32_t)(1 + (r >> i % 7 & 1) + 2 * extra);
      sum += weight;
      if (r == rank)
        values[i] = sign * weight;
    }
    sums[i] = sign * sum;
  }
}

static size_t sparse_place(size_t rank, size_t third) {
  size_t a = rank % THIRD, b = rank / THIRD % THIRD, c = rank / THIRD / THIRD;
  const size_t digits[] = {a, b, (a + b + c) % THIRD};
  return third * THIRD + digits[third];
}

static void make_sparse(size_t rank, size_t rank_count, int32_t *values, int32_t *sums) {
  int32_t weights[CYCLE] = {0}, loads[CYCLE] = {0};
  for (size_t third = 0; third < 3; third++) {
    weights[sparse_place(rank, third)] = 1;
    for (size_t r = 0; r < rank_count; r++)
      loads[sparse_place(r, third)]++;
  }
  for (size_t i = 0; i < PERIOD; i++) {
    int32_t sign = rs_hash64(i) & 1 ? -1 : 1;
    values[i] = sign * weights[i % CYCLE];
    sums[i] = sign * loads[i % CYCLE];
  }
}

// Stores one period of whole numbers, each times `scale`, as elements of the datatype.
static void store_table(enum rs_datatype datatype, const int32_t *numbers, int32_t scale, void *table) {
  for (size_t i = 0; i < PERIOD; i++) {
    int32_t number = numbers[i] * scale;
    switch (datatype) {
    case RS_FLOAT32:
      ((float *)table)[i] = (float)number;
      break;
    case RS_FLOAT64:
      ((double *)table)[i] = number;
      break;
    case RS_FLOAT16:
      ((uint16_t *)table)[i] = rs_float32_to_float16((float)number);
      break;
    case RS_BFLOAT16:
      ((uint16_t *)table)[i] = rs_float32_to_bfloat16((float)number);
      break;
    case RS_INT32:
      ((int32_t *)table)[i] = number;
      break;
    case RS_INT64:
    case RS_UINT8:
    case RS_DATATYPE_COUNT:
      assert(false);
    }
  }
}

enum rs_status rs_pattern_open(enum rs_datatype datatype, enum rs_operation operation, size_t rank, size_t rank_count,
                               struct rs_pattern **pattern, struct rs_error *error) {
  assert(rank < rank_count);
  if (datatype > RS_INT32 || operation > RS_AVG)
    return rs_error_set(error, RS_ERROR_UNSUPPORTED,
                        "the %s of %s cannot be verified; use sum or avg of a float type or int32",
                        rs_operation_names[operation], rs_datatype_names[datatype]);
  if (rank_count > RS_PATTERN_RANKS_MAX)
    return rs_error_set(
        error, RS_ERROR_USAGE,
        "results of %zu ranks cannot be verified, at most %d; use fewer ranks or set run.check to false", rank_count,
        RS_PATTERN_RANKS_MAX);
  static const char what[] = "the verifiable input";
  struct rs_pattern *made = rs_allocate(1, sizeof(*made), what, error);
  if (!made)
    return error->status;
  size_t table_bytes = PERIOD * rs_datatype_bytes(datatype);
  made->datatype = datatype;
  made->input = rs_allocate(2, table_bytes, what, error);
  if (!made->input)
    goto close_pattern;
  made->expected = (char *)made->input + table_bytes;
  int32_t *sums, *values = rs_allocate(2 * PERIOD, sizeof(*values), what, error);
  if (!values)
    goto close_pattern;
  sums = values + PERIOD;

  if (rank_count <= DENSE_RANKS_MAX)
    make_dense(rank, rank_count, values, sums);
  else
    make_sparse(rank, rank_count, values, sums);
  int32_t scale = datatype == RS_INT32 && operation == RS_AVG ? (int32_t)rank_count : 1;
  store_table(datatype, values, scale, made->input);
  store_table(datatype, sums, scale, made->expected);
  rs_kernel_finish(datatype, operation, made->expected, PERIOD, rank_count);
  free(values);
  *pattern = made;
  return RS_OK;

close_pattern:
  rs_pattern_close(made);
  return error->status;
}

void rs_pattern_close(struct rs_pattern *pattern) {
  if (!pattern)
    return;
  free(pattern->input);
  free(pattern);
}

void rs_pattern_fill(const struct rs_pattern *pattern, void *data, uint64_t count) {
  size_t bytes = rs_datatype_bytes(pattern->datatype);
  for (uint64_t start = 0; start < count; start += PERIOD)
    rs_kernel_copy((char *)data + start * bytes, pattern->input, rs_min_size(PERIOD, count - start) * bytes);
}

void rs_pattern_poison(const struct rs_pattern *pattern, void *data, uint64_t count) {
  if (count > 0)
    memset(data, poison_bytes[pattern->datatype], count * rs_datatype_bytes(pattern->datatype));
}

// The element in words, exactly.
static void format_element(enum rs_datatype datatype, const void *element, char *text, size_t text_bytes) {
  unsigned char unwritten[sizeof(double)];
  memset(unwritten, poison_bytes[datatype], sizeof(unwritten));
  if (memcmp(element, unwritten, rs_datatype_bytes(datatype)) == 0) {
    snprintf(text, text_bytes, "nothing written");
    return;
  }
  switch (datatype) {
  case RS_FLOAT32:
    snprintf(text, text_bytes, "%.9g", (double)*(const float *)element);
    break;
  case RS_FLOAT64:
    snprintf(text, text_bytes, "%.17g", *(const double *)element);
    break;
  case RS_FLOAT16:
    snprintf(text, text_bytes, "%.9g", (double)rs_float16_to_float32(*(const uint16_t *)element));
    break;
  case RS_BFLOAT16:
    snprintf(text, text_bytes, "%.9g", (double)rs_bfloat16_to_float32(*(const uint16_t *)element));
    break;
  case RS_INT32:
    snprintf(text, text_bytes, "%" PRId32, *(const int32_t *)element);
    break;
  case RS_INT64:
  case RS_UINT8:
  case RS_DATATYPE_COUNT:
    assert(false);
  }
}

// Bits are compared, not values: a NaN differs from every number, and -0 from 0.
enum rs_status rs_pattern_check(const struct rs_pattern *pattern, const void *data, uint64_t count,
                                struct rs_error *error) {
  size_t bytes = rs_datatype_bytes(pattern->datatype);
  uint64_t first = 0, wrong = 0;
  for (uint64_t start = 0; start < count; start += PERIOD) {
    size_t length = rs_min_size(PERIOD, count - start);
    const char *found = (const char *)data + start * bytes, *expected = pattern->expected;
    if (memcmp(found, expected, length * bytes) == 0)
      continue;
    for (size_t i = 0; i < length; i++)
      if (memcmp(found + i * bytes, expected + i * bytes, bytes) != 0 && wrong++ == 0)
        first = start + i;
  }
  if (wrong == 0)
    return RS_OK;
  char expected[64], found[64];
  format_element(pattern->datatype, (const char *)pattern->expected + first % PERIOD * bytes, expected,
                 sizeof(expected));
  format_element(pattern->datatype, (const char *)data + first * bytes, found, sizeof(found));
  return rs_error_set(error, RS_ERROR_MISMATCH,
                      "element %" PRIu64 ": expected %s, found %s (%" PRIu64 " of %" PRIu64 " differ)", first, expected,
                      found, wrong, count);
}
