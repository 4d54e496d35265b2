// sample_run: a small made-up run for the tests of the store. Every value follows from the case, iteration and rank, so
// that a reader knows what must be in the file without asking the writer.
#ifndef RS_TEST_SAMPLE_RUN_H
#define RS_TEST_SAMPLE_RUN_H

#include "ringside/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAMPLE_CASES = 4, SAMPLE_RANKS = 3, SAMPLE_HOSTS = 2, SAMPLE_ITERATIONS = 12, SAMPLE_COUNTERS = 5 };
enum { SAMPLE_CASE_PAIRS = 3, SAMPLE_PAIRS = SAMPLE_CASES * SAMPLE_CASE_PAIRS };
static const char sample_config[] = "run:\n  output: \"caf\u00e9.h5\"\nsizes: [8, 64 MiB]\n";
static const char sample_cloud[] = "AWS metadata of http://169.254.169.254\nGET instance-type: 200\n  p5.48xlarge\n";
static const char sample_xml[] = "<?xml version=\"1.0\"?>\n<topology version=\"2.0\"/>\n";

struct sample_run {
  struct rs_host_facts hosts[SAMPLE_HOSTS];
  struct rs_rank_facts ranks[SAMPLE_RANKS];
  struct rs_device_row devices[SAMPLE_RANKS];
  struct rs_link_row links[SAMPLE_RANKS];
  struct rs_environment_row environment[SAMPLE_HOSTS];
  struct rs_counter_row counters[SAMPLE_COUNTERS];
  struct rs_case_row cases[SAMPLE_CASES];
  struct rs_pair_row pairs[SAMPLE_PAIRS];
  struct rs_attribute attributes[5];
  const char *host_xml[SAMPLE_HOSTS], *host_cloud[SAMPLE_HOSTS];
  char values[5][16];
  struct rs_placement placement;
  struct rs_run_facts facts; // points into this struct
};

// Cases have different numbers of iterations, and none fills its space.
static inline uint32_t sample_iterations(size_t c) {
  return (uint32_t)(3 + 2 * c);
}

static inline uint32_t sample_flags(size_t iteration) {
  return iteration == 0 ? RS_ITERATION_WARM_UP : iteration == 1 ? RS_ITERATION_VERIFIED : 0;
}

static inline struct rs_sample sample_at(size_t c, size_t iteration, size_t rank) {
  int64_t entry = (int64_t)(1000000 * c + 1000 * iteration + 10 * rank) - 500;
  return (struct rs_sample){.entry_ns = entry, .exit_ns = entry + 100 + (int64_t)(c + rank)};
}

static inline void sample_hosts(struct sample_run *run) {
  for (size_t h = 0; h < SAMPLE_HOSTS; h++) {
    struct rs_host_facts *host = &run->hosts[h];
    // Both hosts have one name: containers do that.
    strcpy(host->hostname, "rack1/node");
    snprintf(host->boot_id, sizeof host->boot_id, "boot-%zu", h);
    strcpy(host->cloud, "aws");
    strcpy(host->instance_type, "p5.48xlarge");
    strcpy(host->placement_group, "cluster-a");
    host->partition = -1;
    host->cores = 96;
    host->memory_bytes = UINT64_C(2) << 40;
    strcpy(host->kernel, "6.1.0");
    run->host_xml[h] = sample_xml;
    run->host_cloud[h] = sample_cloud;
  }
}

static inline void sample_ranks(struct sample_run *run) {
  for (uint32_t r = 0; r < SAMPLE_RANKS; r++) {
    run->ranks[r] = (struct rs_rank_facts){.host = r % SAMPLE_HOSTS, .local_rank = r / SAMPLE_HOSTS, .local_ranks = 2};
    run->ranks[r].bound = r == 1;
    run->ranks[r].numa_node = -1;
    run->ranks[r].pid = (int32_t)(4000 + r);
    strcpy(run->ranks[r].cpus, "0-3,8");
    strcpy(run->ranks[r].binding, r == 1 ? "CPUs 0-3,8 (5 cores)" : "");
    run->devices[r] = (struct rs_device_row){.rank = r, .speed_mbit = 100000, .mtu = 9001};
    strcpy(run->devices[r].transport, "tcp");
    strcpy(run->devices[r].interface, "eth0");
    // Fills its field to the last byte but the terminator.
    memset(run->devices[r].driver, 'd', sizeof run->devices[r].driver - 1);
  }
}

// As many counters as a host of two, each of them, and every rank have.
static inline void sample_counters(struct sample_run *run) {
  for (uint32_t c = 0; c < SAMPLE_COUNTERS; c++) {
    struct rs_counter_row *row = &run->counters[c];
    row->rank = (int32_t)c - SAMPLE_HOSTS < 0 ? -1 : (int32_t)c - SAMPLE_HOSTS;
    row->host = row->rank < 0 ? c : run->ranks[row->rank].host;
    strcpy(row->name, row->rank < 0 ? "nic.eth0.rx_dropped" : "process.involuntary_switches");
    row->before = 1000 * (int64_t)c;
    row->after = RS_COUNTER_UNKNOWN;
  }
  for (uint32_t h = 0; h < SAMPLE_HOSTS; h++) {
    run->environment[h].host = h;
    strcpy(run->environment[h].key, "cpu.governor");
    strcpy(run->environment[h].value, "performance");
  }
  for (uint32_t r = 0; r < SAMPLE_RANKS; r++) {
    struct rs_link_row *link = &run->links[r];
    link->source = (r + 1) % SAMPLE_RANKS;
    link->target = r;
    strcpy(link->transport, "tcp");
    link->delay_ns = 20000 + r;
    link->min_ns = 15000 + r;
  }
}

// The rows when the run is over: the first counter is gone, the others have risen.
static inline void sample_counters_after(const struct sample_run *run, struct rs_counter_row rows[SAMPLE_COUNTERS]) {
  memcpy(rows, run->counters, sizeof run->counters);
  for (size_t c = 1; c < SAMPLE_COUNTERS; c++)
    rows[c].after = rows[c].before + (int64_t)c;
}

static inline void sample_plan(struct sample_run *run, uint32_t c) {
  struct rs_case_row *row = &run->cases[c];
  row->case_id = c;
  strcpy(row->benchmark, "collective");
  strcpy(row->collective, "allreduce");
  strcpy(row->implementation, c % 2 ? "tree" : "ring");
  strcpy(row->algorithm, row->implementation);
  strcpy(row->transport, "tcp");
  strcpy(row->mode, "isolated");
  strcpy(row->datatype, "float32");
  strcpy(row->operation, "sum");
  strcpy(row->order, "given");
  row->size_bytes = UINT64_C(8) << (10 * c);
  row->count = row->size_bytes / 4;
  row->rank_count = SAMPLE_RANKS;
  row->peer_a = row->peer_b = -1;
  row->chunk_bytes = 65536;
  row->lanes = 2;
  row->batch = 1;
  row->sync_error_ns = 300;
  row->sync_bound_ns = 4000;
  strcpy(row->start, "time");
  row->warm_up = 2;
  row->gap_ns = row->after_check_ns = NAN;
  row->median_ns = row->ci_low_ns = row->ci_high_ns = row->min_ns = row->max_ns = NAN;
  row->p95_ns = row->p99_ns = row->algbw_gb_s = row->busbw_gb_s = NAN;
  row->root = c % 2 ? 2 : -1;
  strcpy(row->pairing, "halves");
  strcpy(row->congestor, c % 2 ? "incast" : "none");
  row->measured_ranks = 2;
}

// Every two of the three ranks are a pair in every case; the figures are what no file may hold before they are
// measured.
static inline void sample_pairs(struct sample_run *run) {
  static const uint32_t ranks[SAMPLE_CASE_PAIRS][2] = {{0, 1}, {0, 2}, {1, 2}};
  for (uint32_t p = 0; p < SAMPLE_PAIRS; p++)
    run->pairs[p] = (struct rs_pair_row){.case_id = p / SAMPLE_CASE_PAIRS,
                                         .rank_a = ranks[p % SAMPLE_CASE_PAIRS][0],
                                         .rank_b = ranks[p % SAMPLE_CASE_PAIRS][1],
                                         .median_ns = 1};
}

// A pair when its case is done.
static inline struct rs_pair_row sample_pair_measured(const struct sample_run *run, size_t p) {
  struct rs_pair_row pair = run->pairs[p];
  pair.median_ns = 100 + (double)p;
  pair.ci_low_ns = pair.median_ns - 1;
  pair.ci_high_ns = pair.median_ns + 2;
  pair.p99_ns = 3 * pair.median_ns;
  pair.algbw_gb_s = 0.25 * (double)p;
  return pair;
}

static inline void sample_run_init(struct sample_run *run) {
  memset(run, 0, sizeof *run);
  sample_hosts(run);
  sample_ranks(run);
  sample_counters(run);
  for (uint32_t c = 0; c < SAMPLE_CASES; c++)
    sample_plan(run, c);
  sample_pairs(run);
  static const char *const attributes[][2] = {{"label.placement", "cluster"},
                                              {"world", "mpi"},
                                              {"clock_cost_ns", "21.5"},
                                              {"order", "1 0"},
                                              {"compiler", "12.2.0"}};
  for (size_t a = 0; a < RS_ARRAY_LENGTH(attributes); a++) {
    strcpy(run->attributes[a].key, attributes[a][0]);
    run->attributes[a].value = strcpy(run->values[a], attributes[a][1]);
  }
  run->placement = (struct rs_placement){SAMPLE_HOSTS, SAMPLE_RANKS, run->hosts, run->ranks};
  run->facts = (struct rs_run_facts){.command_line = "ringside run quick.yaml",
                                     .config = sample_config,
                                     .attributes = run->attributes,
                                     .attribute_count = RS_ARRAY_LENGTH(run->attributes),
                                     .placement = &run->placement,
                                     .host_xml = run->host_xml,
                                     .host_cloud = run->host_cloud,
                                     .devices = run->devices,
                                     .device_count = SAMPLE_RANKS,
                                     .links = run->links,
                                     .link_count = SAMPLE_RANKS,
                                     .environment = run->environment,
                                     .environment_count = SAMPLE_HOSTS,
                                     .counters = run->counters,
                                     .counter_count = SAMPLE_COUNTERS,
                                     .cases = run->cases,
                                     .case_count = SAMPLE_CASES,
                                     .pairs = run->pairs,
                                     .pair_count = SAMPLE_PAIRS,
                                     .rank_count = SAMPLE_RANKS,
                                     .max_iterations = SAMPLE_ITERATIONS};
}

// The row as the runner hands it over when the case is done.
static inline struct rs_case_row sample_finished(const struct sample_run *run, size_t c) {
  struct rs_case_row row = run->cases[c];
  row.finished = 1;
  row.iterations = sample_iterations(c);
  strcpy(row.stop_reason, "precise");
  row.verified = RS_VERIFIED;
  row.median_ns = 100.5 + (double)c;
  row.min_ns = 100;
  return row;
}

static inline enum rs_status sample_write_case(struct rs_writer *writer, const struct sample_run *run, size_t c,
                                               struct rs_error *error) {
  struct rs_case_row row = sample_finished(run, c);
  struct rs_iteration_row iterations[SAMPLE_ITERATIONS];
  struct rs_sample samples[SAMPLE_ITERATIONS * SAMPLE_RANKS];
  for (uint32_t i = 0; i < row.iterations; i++) {
    iterations[i] = (struct rs_iteration_row){(uint32_t)c, sample_flags(i)};
    for (size_t r = 0; r < SAMPLE_RANKS; r++)
      samples[i * SAMPLE_RANKS + r] = sample_at(c, i, r);
  }
  struct rs_pair_row pairs[SAMPLE_CASE_PAIRS];
  for (size_t p = 0; p < SAMPLE_CASE_PAIRS; p++)
    pairs[p] = sample_pair_measured(run, c * SAMPLE_CASE_PAIRS + p);
  if (rs_writer_pairs(writer, c * SAMPLE_CASE_PAIRS, pairs, SAMPLE_CASE_PAIRS, error) != RS_OK)
    return error->status;
  return rs_writer_case(writer, &row, iterations, samples, error);
}

// A complete file with every case, or the error of the step that failed.
static inline enum rs_status sample_write_run(const char *path, bool force, const struct sample_run *run,
                                              struct rs_error *error) {
  struct rs_writer *writer;
  enum rs_status status = rs_writer_open(path, force, &run->facts, &writer, error);
  if (status != RS_OK)
    return status;
  for (size_t c = 0; status == RS_OK && c < SAMPLE_CASES; c++)
    status = sample_write_case(writer, run, c, error);
  struct rs_counter_row counters[SAMPLE_COUNTERS];
  sample_counters_after(run, counters);
  if (status == RS_OK)
    status = rs_writer_counters(writer, counters, SAMPLE_COUNTERS, error);
  if (status == RS_OK)
    return rs_writer_finish(writer, error);
  rs_writer_abandon(writer);
  return status;
}

static inline bool sample_pairs_are_right(const struct rs_result *result, size_t c) {
  struct sample_run run;
  sample_pairs(&run);
  bool right = result->pair_count == SAMPLE_PAIRS;
  for (size_t p = c * SAMPLE_CASE_PAIRS; right && p < (c + 1) * SAMPLE_CASE_PAIRS; p++) {
    const struct rs_pair_row expected = sample_pair_measured(&run, p), *pair = &result->pairs[p];
    right =
        pair->case_id == c && pair->rank_a == expected.rank_a && pair->rank_b == expected.rank_b &&
        memcmp(&pair->median_ns, &expected.median_ns, sizeof expected - offsetof(struct rs_pair_row, median_ns)) == 0;
  }
  return right;
}

// True when the case's iterations and samples can be read and are the expected ones; its pairs too, if there are any.
static inline bool sample_case_is_right(const struct rs_result *result, size_t c, struct rs_error *error) {
  struct rs_iteration_row *iterations;
  struct rs_sample *samples;
  const struct rs_case_row *row = &result->cases[c];
  if (rs_result_samples(result, row, &iterations, &samples, error) != RS_OK)
    return false;
  bool right = row->iterations == sample_iterations(c) && row->rank_count == SAMPLE_RANKS &&
               (result->pair_count == 0 || sample_pairs_are_right(result, c));
  for (uint32_t i = 0; right && i < row->iterations; i++) {
    right = iterations[i].case_id == c && iterations[i].flags == sample_flags(i);
    for (size_t r = 0; right && r < SAMPLE_RANKS; r++) {
      struct rs_sample expected = sample_at(c, i, r);
      right = memcmp(&samples[i * SAMPLE_RANKS + r], &expected, sizeof expected) == 0;
    }
  }
  free(iterations);
  free(samples);
  return right;
}

// ---- where a test writes: a directory of its own, in memory where there is such a place

static inline char *sample_directory(void) {
  const char *base = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
  char name[64];
  snprintf(name, sizeof name, "%s/rs-store-XXXXXX", base);
  return mkdtemp(name) ? strdup(name) : NULL;
}

struct sample_place {
  char *directory, path[128];
};

static inline int sample_place_make(void **state) {
  struct sample_place *place = calloc(1, sizeof *place);
  place->directory = sample_directory();
  snprintf(place->path, sizeof place->path, "%s/run.h5", place->directory);
  *state = place;
  return place->directory ? 0 : -1;
}

// Fails when anything but the result is left: temporary files must be gone.
static inline int sample_place_remove(void **state) {
  struct sample_place *place = *state;
  unlink(place->path);
  int left = rmdir(place->directory);
  free(place->directory);
  free(place);
  return left;
}

#endif
