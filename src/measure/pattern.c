// Verifiable input: what each rank contributes to element i, so that a wrong result cannot look right.
//
// Demands on a reduction. Every partial result must be exact in every datatype, so that the order of joining cannot
// matter. And leaving out, doubling, or replacing by another's any rank's contribution to any 63 neighbouring elements
// must change at least one of them. Elements are whole numbers, the same in every datatype; uint8 holds them mod 256.
//
// ---- sum and average
//
// Value. Rank r gives value(r, i) = g(i) w(r, i): a sign g(i) that all ranks share, and a weight w >= 0. So partial
// sums never cancel, and what holds for the weights holds for the values.
//
// Exactness. Weights are whole, and n ranks' weights add to S(i) <= 256. bfloat16 has 8 significant bits and is the
// coarsest datatype: it holds 0..256 exactly.
//
// Bytes. A fault adds or takes whole weights, so it goes unseen in a byte only where it changes S by a multiple of 256.
// It changes S by less: one weight, or the difference of two, and each is below 256.
//
// Averages. Let N be the smallest power of two >= n. The sums obey S/n <= 256/N as well. The bfloat16 values up to the
// power of two 256/N are at most 1/N apart; averages of different sums are at least 1/n >= 1/N apart. So they round
// apart (where both distances are equal, n is N and nothing rounds). Integers would truncate instead: there every value
// is scaled by n, so that the average is S itself. A byte has no room for that.
//
// Dense weights, n <= 128. With m = 256/N, a power of two and at least 2:
//     w(r, i) = 1 + bit(i mod 7 of r) + 2 (a hash of r and i, below m/2), which lies in 1..m.
//   The sum is at most n m, so S/n <= 256/N. Nothing is 0, so leaving out or doubling shows in every element. The bit
//   decides the parity, and any 7 neighbours show all 7 bits of the rank, so two ranks differ there. (One rank alone
//   has no bits, so its weight is odd and below 256.)
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
// ---- product
//
// Rank r gives g(i), and -g(i) where it marks place i mod 63, with the marks above for any n. So every product is a
// sign, and the number of marks decides it. Rank 0 also gives a factor 2^h, h a hash of i in 0..3. With rank 0
// doubled it is 2^6 at the most, and the 14 numbers up to +-2^6 are different bytes.
//   Replacing r by another cancels g, and the sign flips where exactly one of the two marks. Leaving out or doubling
//   multiplies by the rank's sign: unseen only where g(i) is -1 exactly at the three marks of 63 neighbours. Everywhere
//   in the period, 63 neighbours have more than three -1: test_pattern_product looks.
//
// ---- minimum and maximum
//
// Element i belongs to rank (i mod PERIOD) mod n. For the maximum that rank gives 130..255 and all others 1..128, by
// hashes, all less 256 where g(i) = -1; the same byte either way, and exact in bfloat16. For the minimum each number is
// negated, in a byte too. The owner alone holds the extreme: without it, the result changes. Of any 2n - 1 neighbours n
// lie on one side of the end of the period, and so have all owners among them.
//
// ---- moved data
//
// One table of random bytes. The data of rank r is the table over and over, each time xored with a key of 8 bytes of
// its own, a hash of r and of how often the table has passed. 64 neighbours hold 22 or more under one key, and there
// byte(j) xor byte(j + 8), which is free of the key, tells the place in the table (test_pattern_moved tries all); then
// the key is known, and so are r and the pass. All bytes are even, so that none is poison.
//
// ---- the rest
//
// Poison of a byte. S = 127 with g = 1 and S = 129 with g = -1 would be 127, the poison of uint8; g is chosen otherwise
// there. Products are powers of two and their negatives; extremes lie in 130..255 or in 1..126 (mod 256).
//
// Period. The pattern repeats every 63 x 1021 elements, where both cycles close (7 divides 63), so no slice displaced
// by a power of two looks right; a displacement by 63 x 2^k changes the signs, in a product of an even number of ranks
// rank 0's factor. Input and result are tables of one period, made at open.
#include "measure/pattern.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define THIRD (CYCLE / 3)
#define DENSE_RANKS_MAX 128

// One period of a rank's numbers, and of all ranks' joined (for an average, added).
struct numbers {
  size_t rank, rank_count;
  int32_t *values, *results;
};

unsigned char pattern_poison(enum rs_datatype datatype) {
  static const unsigned char bytes[RS_DATATYPE_COUNT] = {
      [RS_FLOAT32] = 0xff, [RS_FLOAT64] = 0xff, [RS_FLOAT16] = 0xff, [RS_BFLOAT16] = 0xff,
      [RS_INT32] = 0x81,   [RS_INT64] = 0x81,   [RS_UINT8] = 0x7f,
  };
  return bytes[datatype];
}

// ---- sum and average --------------------------------------------------------------------------------------

static int32_t shared_sign(uint64_t hash) {
  return hash & 1 ? -1 : 1;
}

// The shared sign of an element whose weights add to `sum`.
static int32_t sign_of_sum(uint64_t hash, int32_t sum) {
  return sum == 127 ? -1 : sum == 129 ? 1 : shared_sign(hash);
}

static void make_dense_sum(const struct numbers *numbers) {
  unsigned hash_bits = 7; // log2(m/2)
  for (size_t power = 1; power < numbers->rank_count; power *= 2)
    hash_bits--;
  for (size_t i = 0; i < PERIOD; i++) {
    uint64_t hash = rs_hash64(i);
    int32_t sum = 0, mine = 0;
    for (size_t r = 0; r < numbers->rank_count; r++) {
      // Multiply-shift hashing of r, with a multiplier of i's own. Two shifts, as one by 64 is undefined.
      uint64_t extra = hash * (2 * r + 1) >> 1 >> (63 - hash_bits);
      int32_t weight = (int32_t)(1 + (r >> i % 7 & 1) + 2 * extra);
      sum += weight;
      if (r == numbers->rank)
        mine = weight;
    }
    int32_t sign = sign_of_sum(hash, sum);
    numbers->values[i] = sign * mine;
    numbers->results[i] = sign * sum;
  }
}

static size_t sparse_place(size_t rank, size_t third) {
  size_t a = rank % THIRD, b = rank / THIRD % THIRD, c = rank / THIRD / THIRD;
  const size_t digits[] = {a, b, (a + b + c) % THIRD};
  return third * THIRD + digits[third];
}

// marks: the places that the rank marks; loads: by how many ranks each is marked.
static void count_marks(const struct numbers *numbers, int32_t marks[CYCLE], int32_t loads[CYCLE]) {
  memset(marks, 0, CYCLE * sizeof(*marks));
  memset(loads, 0, CYCLE * sizeof(*loads));
  for (size_t third = 0; third < 3; third++) {
    marks[sparse_place(numbers->rank, third)] = 1;
    for (size_t r = 0; r < numbers->rank_count; r++)
      loads[sparse_place(r, third)]++;
  }
}

static void make_sparse_sum(const struct numbers *numbers) {
  int32_t marks[CYCLE], loads[CYCLE];
  count_marks(numbers, marks, loads);
  for (size_t i = 0; i < PERIOD; i++) {
    int32_t sum = loads[i % CYCLE], sign = sign_of_sum(rs_hash64(i), sum);
    numbers->values[i] = sign * marks[i % CYCLE];
    numbers->results[i] = sign * sum;
  }
}

static void make_sum(const struct numbers *numbers) {
  if (numbers->rank_count <= DENSE_RANKS_MAX)
    make_dense_sum(numbers);
  else
    make_sparse_sum(numbers);
}

// ---- product ----------------------------------------------------------------------------------------------

static void make_product(const struct numbers *numbers) {
  int32_t marks[CYCLE], loads[CYCLE];
  count_marks(numbers, marks, loads);
  for (size_t i = 0; i < PERIOD; i++) {
    uint64_t hash = rs_hash64(i);
    int32_t factor = 1 << (hash >> 1 & 3), shared = numbers->rank_count % 2 ? shared_sign(hash) : 1;
    numbers->values[i] = (numbers->rank == 0 ? factor : 1) * shared_sign(hash) * (marks[i % CYCLE] ? -1 : 1);
    numbers->results[i] = factor * shared * (loads[i % CYCLE] % 2 ? -1 : 1);
  }
}

// ---- minimum and maximum ----------------------------------------------------------------------------------

// The maximum's numbers; the minimum's are their negatives.
static void make_extreme(const struct numbers *numbers) {
  for (size_t i = 0; i < PERIOD; i++) {
    uint64_t hash = rs_hash64(i);
    int32_t shift = hash & 1 ? -256 : 0;
    numbers->results[i] = shift + 130 + (int32_t)((hash >> 1) % 126);
    int32_t other = shift + 1 + (int32_t)(rs_hash64(hash + numbers->rank) % 128);
    numbers->values[i] = i % numbers->rank_count == numbers->rank ? numbers->results[i] : other;
  }
}

// ---- tables -----------------------------------------------------------------------------------------------

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
      ((int64_t *)table)[i] = number;
      break;
    case RS_UINT8:
      ((uint8_t *)table)[i] = (uint8_t)number; // mod 256
      break;
    case RS_DATATYPE_COUNT:
      assert(false);
    }
  }
}

static bool is_integer(enum rs_datatype datatype) {
  return datatype == RS_INT32 || datatype == RS_INT64 || datatype == RS_UINT8;
}

static enum rs_status make_reduced(struct rs_pattern *pattern, enum rs_operation operation, size_t rank,
                                   size_t rank_count, struct rs_error *error) {
  static void (*const make[RS_OPERATION_COUNT])(const struct numbers *) = {
      [RS_SUM] = make_sum,     [RS_AVG] = make_sum,      [RS_MIN] = make_extreme,
      [RS_MAX] = make_extreme, [RS_PROD] = make_product,
  };
  struct numbers numbers = {.rank = rank, .rank_count = rank_count};
  numbers.values = rs_allocate(2 * PERIOD, sizeof(*numbers.values), "the verifiable input", error);
  if (!numbers.values)
    return error->status;
  numbers.results = numbers.values + PERIOD;
  make[operation](&numbers);
  int32_t scale = 1;
  if (operation == RS_MIN)
    scale = -1;
  if (operation == RS_AVG && is_integer(pattern->datatype))
    scale = (int32_t)rank_count;
  store_table(pattern->datatype, numbers.values, scale, pattern->input);
  store_table(pattern->datatype, numbers.results, scale, pattern->result);
  rs_kernel_finish(pattern->datatype, operation, pattern->result, PERIOD, rank_count);
  free(numbers.values);
  return RS_OK;
}

// Random bytes, all even.
static void make_moved(unsigned char *table, size_t bytes) {
  for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
    uint64_t word = rs_hash64(i) & EVEN_BYTES;
    memcpy(table + i, &word, rs_min_size(sizeof(word), bytes - i));
  }
}

// ---- opening ----------------------------------------------------------------------------------------------

static enum rs_status check_verifiable(enum rs_datatype datatype, enum rs_operation operation, size_t rank_count,
                                       struct rs_error *error) {
  if (rank_count > RS_PATTERN_RANKS_MAX)
    return rs_error_set(
        error, RS_ERROR_USAGE,
        "results of %zu ranks cannot be verified, at most %d; use fewer ranks or set run.check to false", rank_count,
        RS_PATTERN_RANKS_MAX);
  if (datatype == RS_UINT8 && operation == RS_AVG)
    return rs_error_set(error, RS_ERROR_UNSUPPORTED,
                        "an average of uint8 cannot be verified, as it has too few values to tell one rank's part; use "
                        "another datatype or operation, or set run.check to false");
  return RS_OK;
}

enum rs_status rs_pattern_open(enum rs_collective collective, enum rs_datatype datatype, enum rs_operation operation,
                               size_t rank, size_t rank_count, struct rs_pattern **pattern, struct rs_error *error) {
  assert(rank < rank_count);
  bool reduces = rs_collective_traits[collective].reduces;
  if (reduces && check_verifiable(datatype, operation, rank_count, error) < 0)
    return error->status;
  struct rs_pattern *made = rs_allocate(1, sizeof(*made), "the verifiable input", error);
  if (!made)
    return error->status;
  size_t bytes = PERIOD * rs_datatype_bytes(datatype);
  *made = (struct rs_pattern){.datatype = datatype, .reduces = reduces};
  size_t spaced = rs_round_up(bytes, sizeof(double)); // tables are aligned
  made->input = rs_allocate(3, spaced, "the verifiable input", error);
  if (!made->input)
    goto close_pattern;
  made->result = made->input + spaced;
  made->zeros = made->result + spaced;
  if (!reduces)
    make_moved(made->input, bytes);
  else if (make_reduced(made, operation, rank, rank_count, error) < 0)
    goto close_pattern;
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
