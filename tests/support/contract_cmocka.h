// What the programs of the contract suite share: cmocka with its headers in order, and assertions on errors.
#ifndef TESTS_SUPPORT_CONTRACT_CMOCKA_H
#define TESTS_SUPPORT_CONTRACT_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/contract.h"

// RS_TEST_SEED, or a fixed one: a failing seed is given here to see it fail again.
static inline uint64_t contract_seed(void) {
  const char *text = getenv("RS_TEST_SEED");
  return text ? strtoull(text, NULL, 10) : 20261123;
}

// What the device counts by this name.
static inline int64_t contract_counted(const struct rs_device *device, const char *name) {
  struct rs_device_counter counters[32];
  size_t count = device->transport->counters(device, counters, RS_ARRAY_LENGTH(counters));
  for (size_t i = 0; i < count; i++)
    if (strcmp(counters[i].name, name) == 0)
      return counters[i].value;
  fail_msg("no counter %s", name);
  return -1;
}

#define assert_rs_ok(status, error)                                                                                    \
  do {                                                                                                                 \
    enum rs_status assert_status = (status);                                                                           \
    if (assert_status != RS_OK)                                                                                        \
      fail_msg("status %d: %s", (int)assert_status, (error)->text);                                                    \
  } while (0)

// The status, and a text that holds all the words a person needs.
#define assert_rs_error(status, error, expected, ...)                                                                  \
  do {                                                                                                                 \
    assert_int_equal((status), (expected));                                                                            \
    const char *const assert_words[] = {__VA_ARGS__};                                                                  \
    for (size_t assert_i = 0; assert_i < RS_ARRAY_LENGTH(assert_words); assert_i++)                                    \
      if (strstr((error)->text, assert_words[assert_i]) == NULL)                                                       \
        fail_msg("no \"%s\" in: %s", assert_words[assert_i], (error)->text);                                           \
  } while (0)

#endif
