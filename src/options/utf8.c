#include "options/utf8.h"

#include <string.h>

#define CLIP_CHARACTERS 60

size_t rs_utf8_decode(const char *text, size_t bytes, uint32_t *code_point) {
  static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000}; // by length: anything lower is overlong
  const unsigned char *byte = (const unsigned char *)text;
  if (byte[0] < 0x80) {
    *code_point = byte[0];
    return 1;
  }
  size_t length = byte[0] >= 0xf8 ? 0 : byte[0] >= 0xf0 ? 4 : byte[0] >= 0xe0 ? 3 : byte[0] >= 0xc0 ? 2 : 0;
  if (length == 0 || length > bytes)
    return 0;
  uint32_t value = byte[0] & (0x7fu >> length);
  for (size_t i = 1; i < length; i++) {
    if ((byte[i] & 0xc0) != 0x80)
      return 0;
    value = value << 6 | (byte[i] & 0x3fu);
  }
  if (value < smallest[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
    return 0;
  *code_point = value;
  return length;
}

bool rs_utf8_is_valid(const char *text, size_t bytes) {
  uint32_t code_point;
  for (size_t at = 0; at < bytes;) {
    size_t length = rs_utf8_decode(text + at, bytes - at, &code_point);
    if (length == 0)
      return false;
    at += length;
  }
  return true;
}

bool rs_utf8_is_printable(uint32_t code_point) {
  if (code_point < 0x20)
    return code_point == '\t' || code_point == '\n' || code_point == '\r';
  if (code_point < 0xa0)
    return code_point < 0x7f || code_point == 0x85;
  return code_point != 0xfeff && code_point != 0xfffe && code_point != 0xffff;
}

const char *rs_utf8_clip(const char *text, char buffer[RS_CLIP_BYTES]) {
  size_t bytes = strlen(text), at = 0, used = 0;
  for (size_t count = 0; at < bytes && count < CLIP_CHARACTERS; count++) {
    uint32_t code_point = 0;
    size_t length = rs_utf8_decode(text + at, bytes - at, &code_point);
    if (length == 0 || code_point < 0x20 || code_point == 0x85 || !rs_utf8_is_printable(code_point)) {
      buffer[used++] = '?';
      at += length == 0 ? 1 : length;
      continue;
    }
    memcpy(buffer + used, text + at, length);
    used += length;
    at += length;
  }
  strcpy(buffer + used, at < bytes ? "..." : "");
  return buffer;
}
