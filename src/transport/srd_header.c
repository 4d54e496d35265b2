#include "transport/srd_header.h"

#include <endian.h>
#include <string.h>

static void put32(uint8_t *bytes, uint32_t value) {
  value = htole32(value);
  memcpy(bytes, &value, sizeof value);
}

static uint32_t get32(const uint8_t *bytes) {
  uint32_t value;
  memcpy(&value, bytes, sizeof value);
  return le32toh(value);
}

void rs_srd_header_encode(const struct rs_srd_header *header, uint8_t bytes[RS_SRD_HEADER_BYTES]) {
  put32(bytes, 0);
  put32(bytes + 4, header->connection);
  put32(bytes + 8, header->source << 8 | (uint32_t)header->kind);
  put32(bytes + 12, header->sequence);
  put32(bytes + 16, header->ack);
  put32(bytes + 20, (uint32_t)header->message << 16 | header->lane);
  put32(bytes + 24, header->offset);
  put32(bytes + 28, header->length);
}

bool rs_srd_header_decode(const uint8_t bytes[RS_SRD_HEADER_BYTES], struct rs_srd_header *header) {
  uint32_t source = get32(bytes + 8), lane = get32(bytes + 20);
  if ((source & 0xff) >= RS_SRD_KIND_COUNT)
    return false;
  *header = (struct rs_srd_header){
      .connection = get32(bytes + 4),
      .source = source >> 8,
      .kind = (enum rs_srd_kind)(source & 0xff),
      .sequence = get32(bytes + 12),
      .ack = get32(bytes + 16),
      .lane = (uint16_t)lane,
      .message = (uint16_t)(lane >> 16),
      .offset = get32(bytes + 24),
      .length = get32(bytes + 28),
  };
  return true;
}

void rs_srd_header_seal(const struct rs_srd_checksum *checksum, uint8_t header[RS_SRD_HEADER_BYTES],
                        const void *payload, size_t payload_bytes) {
  uint32_t sum = rs_srd_checksum_add(checksum, 0, header + 4, RS_SRD_HEADER_BYTES - 4);
  put32(header, rs_srd_checksum_add(checksum, sum, payload, payload_bytes));
}

bool rs_srd_header_intact(const struct rs_srd_checksum *checksum, const uint8_t *segment, size_t bytes) {
  return get32(segment) == rs_srd_checksum_add(checksum, 0, segment + 4, bytes - 4);
}
