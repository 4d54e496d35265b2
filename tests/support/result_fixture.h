// result_fixture: results made by hand, as if read from a file, and the comparison of printed text with tests/golden.
#ifndef RINGSIDE_TESTS_RESULT_FIXTURE_H
#define RINGSIDE_TESTS_RESULT_FIXTURE_H

#include "ringside/store.h"

#define RS_FIXTURE_CASES_MAX 256

// Four ranks on two hosts, devices included; no cases yet. Holds everything itself; must not move after init.
struct rs_result_fixture {
  struct rs_result result;
  struct rs_host_facts hosts[2];
  struct rs_rank_facts ranks[4];
  struct rs_device_row devices[4];
  struct rs_attribute attributes[2];
  struct rs_case_row cases[RS_FIXTURE_CASES_MAX];
};
void rs_result_fixture_init(struct rs_result_fixture *fixture);
// Adds a finished, verified float32 sum allreduce of four ranks, out of place, isolated, whose interval is median
// +- spread (a fraction). The returned row may be changed.
struct rs_case_row *rs_result_fixture_add(struct rs_result_fixture *fixture, const char *implementation,
                                          const char *transport, uint64_t size_bytes, double median_ns, double spread);
// Sets the time and everything that follows from it.
void rs_result_fixture_time(struct rs_case_row *row, double median_ns, double spread);

// What `print` writes for `subject`; the caller frees it.
char *rs_fixture_print(void (*print)(const void *subject, FILE *file), const void *subject);
// Fails the running test, with both texts, unless `text` equals tests/golden/NAME. With RS_GOLDEN_UPDATE=1 in the
// environment the file is written instead.
void rs_golden_check(const char *name, const char *text);

#endif
