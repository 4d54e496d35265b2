// fuzz: what a fuzz target is to its driver. tests/fuzz/fuzz_*.c are the targets, each for readers of one kind;
// libFuzzer drives them in a build with -DRS_FUZZ=ON, and fuzz_replay.c, which only runs files again, in every other.
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "ringside/base.h"

#include <stdlib.h>

// One input. What may not happen ends the process.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

// Like assert, but in every build.
#define FUZZ_REQUIRE(condition)                                                                                        \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                          \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

// A refusal has words, and bad input is not taken for a bug of ours.
static inline void fuzz_require_words(enum rs_status status, const struct rs_error *error) {
  FUZZ_REQUIRE(status >= 0 || (error->status == status && error->text[0] != '\0'));
  FUZZ_REQUIRE(status != RS_ERROR_INTERNAL);
}

// The input, eaten from its front; zeros follow its end.
struct fuzz_bytes {
  const uint8_t *data;
  size_t left;
};
static inline uint8_t fuzz_byte(struct fuzz_bytes *input) {
  if (input->left == 0)
    return 0;
  input->left--;
  return *input->data++;
}
static inline uint16_t fuzz_word(struct fuzz_bytes *input) {
  uint8_t low = fuzz_byte(input);
  return (uint16_t)(fuzz_byte(input) << 8 | low);
}

#endif
