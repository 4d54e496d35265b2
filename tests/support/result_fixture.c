#include "support/result_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RANKS 4
#define BUSBW_FACTOR (2.0 * (RANKS - 1) / RANKS)

#define SET_TEXT(field, text) snprintf(field, sizeof(field), "%s", text)

void rs_result_fixture_init(struct rs_result_fixture *fixture) {
  memset(fixture, 0, sizeof(*fixture));
  struct rs_result *result = &fixture->result;
  result->path = "results/demo.h5";
  result->schema_version = RS_SCHEMA_VERSION;
  SET_TEXT(result->created, "2026-11-23T10:11:12Z");
  SET_TEXT(result->ringside_version, "0.1.0");
  SET_TEXT(result->run_uuid, "6f1c0a52-0000-4000-8000-000000000001");
  SET_TEXT(result->status, "complete");
  result->command_line = "ringside run configs/quick.yaml";
  result->config = "sizes: [8, 64KiB]\n";
  SET_TEXT(fixture->attributes[0].key, "label.placement");
  fixture->attributes[0].value = "cluster";
  SET_TEXT(fixture->attributes[1].key, "library.hdf5");
  fixture->attributes[1].value = "HDF5 1.10.8";
  result->attributes = fixture->attributes;
  result->attribute_count = RS_ARRAY_LENGTH(fixture->attributes);

  for (size_t h = 0; h < RS_ARRAY_LENGTH(fixture->hosts); h++) {
    struct rs_host_facts *host = &fixture->hosts[h];
    snprintf(host->hostname, sizeof(host->hostname), "node-%zu", h);
    SET_TEXT(host->cpu, "AMD EPYC 7R13");
    SET_TEXT(host->kernel, "6.1.0-18-amd64");
    SET_TEXT(host->congestion_control, "cubic");
    host->partition = -1;
    host->cores = 2;
    host->processing_units = 4;
    host->numa_nodes = 1;
    host->memory_bytes = UINT64_C(8000000000);
  }
  for (uint32_t r = 0; r < RANKS; r++) {
    struct rs_device_row *device = &fixture->devices[r];
    device->rank = r;
    SET_TEXT(device->transport, "tcp");
    SET_TEXT(device->interface, "eth0");
    snprintf(device->address, sizeof(device->address), "10.0.0.%u", 1 + r / 2);
    SET_TEXT(device->driver, "ena");
    SET_TEXT(device->congestion, "cubic");
    device->speed_mbit = 25000;
    device->mtu = 9001;
    fixture->ranks[r] = (struct rs_rank_facts){
        .host = r / 2, .local_rank = r % 2, .local_ranks = 2, .bound = true, .numa_node = 0, .pid = 1000 + (int32_t)r};
    snprintf(fixture->ranks[r].cpus, sizeof(fixture->ranks[r].cpus), "%u", r % 2);
  }
  result->devices = fixture->devices;
  result->device_count = RS_ARRAY_LENGTH(fixture->devices);
  result->placement = (struct rs_placement){.host_count = RS_ARRAY_LENGTH(fixture->hosts),
                                            .rank_count = RANKS,
                                            .hosts = fixture->hosts,
                                            .ranks = fixture->ranks};
  result->cases = fixture->cases;
}

void rs_result_fixture_time(struct rs_case_row *row, double median_ns, double spread) {
  row->median_ns = median_ns;
  row->ci_low_ns = median_ns * (1 - spread);
  row->ci_high_ns = median_ns * (1 + spread);
  row->min_ns = median_ns * 0.75;
  row->max_ns = median_ns * 2;
  row->p95_ns = median_ns * 1.5;
  row->p99_ns = __builtin_nan("");
  row->algbw_gb_s = (double)row->size_bytes / median_ns;
  row->busbw_gb_s = row->algbw_gb_s * BUSBW_FACTOR;
}

struct rs_case_row *rs_result_fixture_add(struct rs_result_fixture *fixture, const char *implementation,
                                          const char *transport, uint64_t size_bytes, double median_ns, double spread) {
  assert_true(fixture->result.case_count < RS_FIXTURE_CASES_MAX);
  struct rs_case_row *row = &fixture->cases[fixture->result.case_count];
  row->case_id = (uint32_t)fixture->result.case_count++;
  row->finished = 1;
  SET_TEXT(row->benchmark, "collective");
  SET_TEXT(row->collective, "allreduce");
  SET_TEXT(row->implementation, implementation);
  SET_TEXT(row->algorithm, transport[0] != '\0' ? implementation : ""); // a baseline has neither
  SET_TEXT(row->transport, transport);
  SET_TEXT(row->order, "default");
  SET_TEXT(row->mode, "isolated");
  SET_TEXT(row->datatype, "float32");
  SET_TEXT(row->operation, "sum");
  row->size_bytes = size_bytes;
  row->count = size_bytes / 4;
  row->rank_count = RANKS;
  row->peer_a = row->peer_b = -1;
  row->lanes = 1;
  row->root = -1;
  row->measured_ranks = RANKS;
  row->iterations = 60;
  row->batch = 1;
  SET_TEXT(row->stop_reason, "interval");
  row->verified = RS_VERIFIED;
  row->sync_error_ns = 100;
  rs_result_fixture_time(row, median_ns, spread);
  return row;
}

char *rs_fixture_print(void (*print)(const void *subject, FILE *file), const void *subject) {
  char *text = NULL;
  size_t bytes = 0;
  FILE *file = open_memstream(&text, &bytes);
  assert_non_null(file);
  print(subject, file);
  assert_int_equal(fclose(file), 0);
  return text;
}

static char *read_all(const char *path) {
  FILE *file = fopen(path, "r");
  if (file == NULL)
    fail_msg("cannot open %s; write it with RS_GOLDEN_UPDATE=1 and look at it", path);
  char *text = NULL;
  size_t capacity = 0;
  if (getdelim(&text, &capacity, '\0', file) < 0)
    fail_msg("%s is empty", path);
  fclose(file);
  return text;
}

void rs_golden_check(const char *name, const char *text) {
  const char *root = getenv("RS_SOURCE_DIR"), *update = getenv("RS_GOLDEN_UPDATE");
  if (root == NULL)
    fail_msg("RS_SOURCE_DIR is not set: run this through ctest");
  char path[4096];
  snprintf(path, sizeof(path), "%s/tests/golden/%s", root, name);
  if (update != NULL && strcmp(update, "1") == 0) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return;
  }
  char *expected = read_all(path);
  bool equal = strcmp(expected, text) == 0;
  if (!equal)
    print_error("---- expected (%s)\n%s---- printed\n%s----\n", path, expected, text);
  free(expected);
  assert_true(equal);
}
