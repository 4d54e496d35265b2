// Two devices in one rank at once, of the same transport and of different ones: neither sees the other's messages.
#include "support/contract_variants.h"

#include <pthread.h>

struct half {
  struct contract_group group;
  struct contract_traffic traffic;
  struct rs_error error;
};

static void *run(void *argument) {
  struct half *half = argument;
  contract_traffic_run(&half->group, &half->traffic, &half->error);
  return NULL;
}

static void two_groups_at_once(void **state) {
  (void)state;
  CONTRACT_EACH_VARIANT(v) {
    struct half halves[2] = {0};
    pthread_t threads[2];
    size_t next = contract_variant_from(v + 1);
    if (v % 2 == 0 || next == RS_ARRAY_LENGTH(contract_variants))
      next = v;
    for (size_t h = 0; h < 2; h++) {
      struct half *half = &halves[h];
      const struct contract_variant *variant = &contract_variants[h == 0 ? v : next];
      half->traffic = (struct contract_traffic){.seed = contract_seed() + h, .messages = 10, .bytes_max = 1 << 17};
      assert_rs_ok(contract_group_open(variant, 3, 2, &half->group, &half->error), &half->error);
    }
    for (size_t h = 0; h < 2; h++)
      assert_int_equal(pthread_create(&threads[h], NULL, run, &halves[h]), 0);
    for (size_t h = 0; h < 2; h++)
      pthread_join(threads[h], NULL);
    for (size_t h = 0; h < 2; h++) {
      assert_rs_ok(halves[h].error.status, &halves[h].error);
      contract_group_close(&halves[h].group);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_groups_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
