// Internal to options: the little that is needed of UTF-8 (RFC 3629).
#ifndef RINGSIDE_OPTIONS_UTF8_H
#define RINGSIDE_OPTIONS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Length in bytes of the character at the start of `text`, and its code point; 0 when these bytes (bytes > 0) are not
// UTF-8: a stray or missing continuation, an overlong form, a surrogate, or above U+10FFFF.
size_t rs_utf8_decode(const char *text, size_t bytes, uint32_t *code_point);
bool rs_utf8_is_valid(const char *text, size_t bytes);
// Whether YAML 1.1 lets the character stand unescaped in a file (production c-printable; no byte order mark).
bool rs_utf8_is_printable(uint32_t code_point);

#define RS_CLIP_BYTES 256
// A piece of user input made fit for one line of an error: at most 60 characters ("..." marks a cut), control
// characters and stray bytes as '?'. Returns `buffer`.
const char *rs_utf8_clip(const char *text, char buffer[RS_CLIP_BYTES]);

#endif
