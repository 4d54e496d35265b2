// The two messages of the handshake, as bytes; numbers are little-endian.
//
//   hello  0 magic "rsHELLO\n", 8 protocol, 12 rank, 16 peer, 20 lane, 24 stream, 28 lanes, 32 streams, 36 zero,
//          40 stripe_bytes, 48 token[0..15]
//   reply  0 magic "rsREPLY\n", 8 verdict, 12 zero, 16 token[16..31]
//
// Each side shows a half that the other has not shown, so neither can prove itself by sending back what it got.
#include "transport/tcp_hello.h"

#include <endian.h>
#include <string.h>

#define HALF_BYTES (RS_TOKEN_BYTES / 2)
#define MAGIC_BYTES 8

static const char hello_magic[] = "rsHELLO\n";
static const char reply_magic[] = "rsREPLY\n";

static void put32(uint8_t *bytes, uint32_t value) {
  value = htole32(value);
  memcpy(bytes, &value, sizeof value);
}

static uint32_t get32(const uint8_t *bytes) {
  uint32_t value;
  memcpy(&value, bytes, sizeof value);
  return le32toh(value);
}

// In a time that does not depend on where they differ, so that the token cannot be guessed byte by byte.
static bool equal_half(const uint8_t *a, const uint8_t *b) {
  volatile uint8_t differences = 0;
  for (size_t i = 0; i < HALF_BYTES; i++)
    differences |= a[i] ^ b[i];
  return differences == 0;
}

void rs_tcp_hello_encode(const struct rs_tcp_hello *hello, const uint8_t token[RS_TOKEN_BYTES],
                         uint8_t bytes[RS_TCP_HELLO_BYTES]) {
  memset(bytes, 0, RS_TCP_HELLO_BYTES);
  memcpy(bytes, hello_magic, MAGIC_BYTES);
  put32(bytes + 8, hello->protocol);
  put32(bytes + 12, hello->rank);
  put32(bytes + 16, hello->peer);
  put32(bytes + 20, hello->lane);
  put32(bytes + 24, hello->stream);
  put32(bytes + 28, hello->lanes);
  put32(bytes + 32, hello->streams);
  uint64_t stripe_bytes = htole64(hello->stripe_bytes);
  memcpy(bytes + 40, &stripe_bytes, sizeof stripe_bytes);
  memcpy(bytes + 48, token, HALF_BYTES);
}

bool rs_tcp_hello_plausible(const uint8_t *bytes, size_t count) {
  return memcmp(bytes, hello_magic, rs_min_size(count, MAGIC_BYTES)) == 0;
}

bool rs_tcp_hello_decode(const uint8_t bytes[RS_TCP_HELLO_BYTES], const uint8_t token[RS_TOKEN_BYTES],
                         struct rs_tcp_hello *hello) {
  if (!rs_tcp_hello_plausible(bytes, RS_TCP_HELLO_BYTES) || !equal_half(bytes + 48, token))
    return false;
  uint64_t stripe_bytes;
  memcpy(&stripe_bytes, bytes + 40, sizeof stripe_bytes);
  *hello = (struct rs_tcp_hello){
      .protocol = get32(bytes + 8),
      .rank = get32(bytes + 12),
      .peer = get32(bytes + 16),
      .lane = get32(bytes + 20),
      .stream = get32(bytes + 24),
      .lanes = get32(bytes + 28),
      .streams = get32(bytes + 32),
      .stripe_bytes = le64toh(stripe_bytes),
  };
  return true;
}

void rs_tcp_reply_encode(enum rs_tcp_verdict verdict, const uint8_t token[RS_TOKEN_BYTES],
                         uint8_t bytes[RS_TCP_REPLY_BYTES]) {
  memset(bytes, 0, RS_TCP_REPLY_BYTES);
  memcpy(bytes, reply_magic, MAGIC_BYTES);
  put32(bytes + 8, verdict);
  memcpy(bytes + 16, token + HALF_BYTES, HALF_BYTES);
}

bool rs_tcp_reply_decode(const uint8_t bytes[RS_TCP_REPLY_BYTES], const uint8_t token[RS_TOKEN_BYTES],
                         enum rs_tcp_verdict *verdict) {
  if (memcmp(bytes, reply_magic, MAGIC_BYTES) != 0 || !equal_half(bytes + 16, token + HALF_BYTES))
    return false;
  *verdict = (enum rs_tcp_verdict)get32(bytes + 8);
  return true;
}
