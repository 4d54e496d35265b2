// The same traffic with a thread per rank: a device belongs to one thread, and different devices to different ones.
#include "support/contract_variants.h"

static void traffic(size_t rank_count, size_t lanes) {
  CONTRACT_EACH_VARIANT(v) {
    struct contract_group group;
    struct rs_error error = {0};
    assert_rs_ok(contract_group_open(&contract_variants[v], rank_count, lanes, &group, &error), &error);
    const struct contract_traffic parameters = {
        .seed = contract_seed() + v, .messages = 20, .bytes_max = 1 << 17, .driver = CONTRACT_THREADS};
    assert_rs_ok(contract_traffic_run(&group, &parameters, &error), &error);
    contract_group_close(&group);
  }
}

static void two_threads(void **state) {
  (void)state;
  traffic(2, 3);
}

static void more_threads_than_cores(void **state) {
  (void)state;
  traffic(5, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_threads),
      cmocka_unit_test(more_threads_than_cores),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
