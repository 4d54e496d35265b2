// Tables: Kounavis and Berry, "A systematic approach to building high performance software-based CRC generators", 2005.
#include "transport/srd_checksum.h"

#include <endian.h>
#include <string.h>

#define POLYNOMIAL 0x82f63b78u // of CRC32C, lowest power in the highest bit

static void make_tables(struct rs_srd_checksum *checksum) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t sum = byte;
    for (int bit = 0; bit < 8; bit++)
      sum = sum >> 1 ^ (sum & 1 ? POLYNOMIAL : 0);
    checksum->tables[0][byte] = sum;
  }
  // tables[k][byte]: what a byte does to the sum when k more bytes follow it.
  for (size_t k = 1; k < 8; k++)
    for (size_t byte = 0; byte < 256; byte++) {
      uint32_t before = checksum->tables[k - 1][byte];
      checksum->tables[k][byte] = before >> 8 ^ checksum->tables[0][before & 0xff];
    }
}

#if defined __x86_64__
__attribute__((target("sse4.2"))) static uint32_t add_by_instruction(uint32_t sum, const uint8_t *data, size_t bytes) {
  uint64_t wide = sum;
  for (; bytes >= 8; data += 8, bytes -= 8) {
    uint64_t word;
    memcpy(&word, data, sizeof word);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  sum = (uint32_t)wide;
  while (bytes-- > 0)
    sum = __builtin_ia32_crc32qi(sum, *data++);
  return sum;
}
#endif

static uint32_t add_by_tables(const uint32_t tables[8][256], uint32_t sum, const uint8_t *data, size_t bytes) {
  for (; bytes >= 8; data += 8, bytes -= 8) {
    uint64_t word;
    memcpy(&word, data, sizeof word);
    word = le64toh(word) ^ sum;
    sum = 0;
    for (size_t k = 0; k < 8; k++)
      sum ^= tables[7 - k][word >> 8 * k & 0xff];
  }
  while (bytes-- > 0)
    sum = sum >> 8 ^ tables[0][(sum ^ *data++) & 0xff];
  return sum;
}

uint32_t rs_srd_checksum_add(const struct rs_srd_checksum *checksum, uint32_t sum, const void *data, size_t bytes) {
#if defined __x86_64__
  if (checksum->hardware)
    return ~add_by_instruction(~sum, data, bytes);
#endif
  return ~add_by_tables(checksum->tables, ~sum, data, bytes);
}

// The best of a few, as a thread may be interrupted. Without `volatile` a compiler may leave out what nobody reads.
static int64_t best_time_ns(const struct rs_srd_checksum *checksum, const void *data, size_t bytes) {
  int64_t best_ns = INT64_MAX;
  volatile uint32_t sum = 0;
  for (int i = 0; i < 5; i++) {
    int64_t start_ns = rs_clock_ns();
    sum = rs_srd_checksum_add(checksum, sum, data, bytes);
    int64_t taken_ns = rs_clock_ns() - start_ns;
    best_ns = taken_ns < best_ns ? taken_ns : best_ns;
  }
  return best_ns;
}

void rs_srd_checksum_init(struct rs_srd_checksum *checksum, enum rs_srd_checksum_way way) {
  *checksum = (struct rs_srd_checksum){0};
  make_tables(checksum);
#if defined __x86_64__
  if (way != RS_SRD_CHECKSUM_TABLES && __builtin_cpu_supports("sse4.2")) {
    int64_t tables_ns = best_time_ns(checksum, checksum->tables, sizeof checksum->tables[0]);
    checksum->hardware = true;
    if (way == RS_SRD_CHECKSUM_FASTEST)
      checksum->hardware = best_time_ns(checksum, checksum->tables, sizeof checksum->tables[0]) <= tables_ns;
  }
#else
  (void)way;
#endif
}
