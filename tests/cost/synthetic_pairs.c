// Writes result files of made-up ping-pongs and streams, for tests of `ringside fit`:
//
//     synthetic_pairs DIRECTORY LAUNCHES SEED
//
// Two hosts of two ranks, 25 us apart, 10 Gbit/s for a flow, 12.5 Gbit/s for a NIC, which two flows at once share; 1 us
// between messages of a stream. Each launch is off by 1%, and each time by 2%.
#include "ringside/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RANKS = 4, ITERATIONS = 3, SIZES = 6, CASES = 3 * SIZES, PAIRS = 4 * SIZES };

struct pair_times {
  double median_ns[PAIRS];
  struct rs_pair_row rows[PAIRS];
  struct rs_case_row cases[CASES];
  size_t pair_count, case_count;
};

static double draw_noise(struct rs_random *random, double deviation) {
  double sum = -6;
  for (int i = 0; i < 12; i++)
    sum += (double)(rs_random_next(random) >> 11) * 0x1p-53;
  return 1 + deviation * sum;
}

static void add_case(struct pair_times *times, const char *collective, const char *pairing, uint64_t size) {
  struct rs_case_row *row = &times->cases[times->case_count];
  *row = (struct rs_case_row){.case_id = (uint32_t)times->case_count++,
                              .rank_count = RANKS,
                              .measured_ranks = RANKS,
                              .size_bytes = size,
                              .count = size / 4,
                              .lanes = 1,
                              .batch = 1,
                              .slowdown = 1,
                              .peer_a = -1,
                              .peer_b = -1,
                              .root = -1};
  row->median_ns = row->p95_ns = row->p99_ns = row->gap_ns = row->after_check_ns = NAN;
  snprintf(row->benchmark, sizeof row->benchmark, "p2p");
  snprintf(row->collective, sizeof row->collective, "%s", collective);
  snprintf(row->implementation, sizeof row->implementation, "direct");
  snprintf(row->algorithm, sizeof row->algorithm, "direct");
  snprintf(row->transport, sizeof row->transport, "tcp");
  snprintf(row->mode, sizeof row->mode, strcmp(collective, "stream") == 0 ? "streaming" : "isolated");
  snprintf(row->datatype, sizeof row->datatype, "float32");
  snprintf(row->pairing, sizeof row->pairing, "%s", pairing);
}

static void add_pair(struct pair_times *times, uint32_t rank_a, uint32_t rank_b, double median_ns) {
  times->median_ns[times->pair_count] = median_ns;
  times->rows[times->pair_count++] = (struct rs_pair_row){
      .case_id = (uint32_t)times->case_count - 1, .rank_a = rank_a, .rank_b = rank_b, .median_ns = NAN};
}

static void plan(struct pair_times *times) {
  for (uint64_t s = 0, size = 8; s < SIZES; s++, size *= 16) {
    const double alone = (double)size * 0.8, together = (double)size * 1.28;
    add_case(times, "pingpong", "ends", size);
    add_pair(times, 0, 3, 2 * (25000 + alone));
    add_case(times, "stream", "ends", size);
    add_pair(times, 0, 3, 1000 + alone);
    add_case(times, "stream", "halves", size);
    add_pair(times, 0, 2, 1000 + together);
    add_pair(times, 1, 3, 1000 + together);
  }
}

static enum rs_status write_cases(struct rs_writer *writer, const struct pair_times *times, struct rs_random *random,
                                  struct rs_error *error) {
  const double launch = draw_noise(random, 0.01);
  for (size_t p = 0; p < times->pair_count; p++) {
    struct rs_pair_row row = times->rows[p];
    row.median_ns = times->median_ns[p] * launch * draw_noise(random, 0.02);
    row.ci_low_ns = row.ci_high_ns = row.p99_ns = row.median_ns;
    row.algbw_gb_s = (double)times->cases[row.case_id].size_bytes / row.median_ns;
    if (rs_writer_pairs(writer, p, &row, 1, error) < 0)
      return error->status;
  }
  for (size_t c = 0; c < times->case_count; c++) {
    struct rs_case_row row = times->cases[c];
    struct rs_iteration_row iterations[ITERATIONS];
    struct rs_sample samples[ITERATIONS * RANKS] = {{0, 0}};
    for (size_t i = 0; i < ITERATIONS; i++)
      iterations[i] = (struct rs_iteration_row){row.case_id, 0};
    row.finished = 1;
    row.iterations = ITERATIONS;
    row.verified = RS_VERIFIED;
    if (rs_writer_case(writer, &row, iterations, samples, error) < 0)
      return error->status;
  }
  return RS_OK;
}

static enum rs_status write_launch(const char *directory, size_t index, const struct pair_times *times,
                                   struct rs_random *random, struct rs_error *error) {
  struct rs_host_facts hosts[] = {{.hostname = "made-up-a", .partition = -1},
                                  {.hostname = "made-up-b", .partition = -1}};
  struct rs_rank_facts ranks[RANKS] = {{0}};
  for (uint32_t r = 0; r < RANKS; r++)
    ranks[r] = (struct rs_rank_facts){.host = r / 2, .local_rank = r % 2, .local_ranks = 2, .numa_node = -1};
  struct rs_placement placement = {2, RANKS, hosts, ranks};
  struct rs_run_facts facts = {.command_line = "synthetic_pairs",
                               .config = "made.up: yes\n",
                               .placement = &placement,
                               .cases = times->cases,
                               .case_count = times->case_count,
                               .pairs = times->rows,
                               .pair_count = times->pair_count,
                               .rank_count = RANKS,
                               .max_iterations = ITERATIONS};
  char path[512];
  snprintf(path, sizeof path, "%s/pairs%04zu.h5", directory, index);
  struct rs_writer *writer;
  if (rs_writer_open(path, true, &facts, &writer, error) < 0)
    return error->status;
  if (write_cases(writer, times, random, error) < 0) {
    rs_writer_abandon(writer);
    return error->status;
  }
  return rs_writer_finish(writer, error);
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fputs("usage: synthetic_pairs DIRECTORY LAUNCHES SEED\n", stderr);
    return 2;
  }
  struct pair_times times = {.pair_count = 0};
  struct rs_random random = {strtoul(argv[3], NULL, 10)};
  struct rs_error error = {0};
  plan(&times);
  for (size_t l = 0; l < strtoul(argv[2], NULL, 10); l++)
    if (write_launch(argv[1], l, &times, &random, &error) < 0) {
      fprintf(stderr, "synthetic_pairs: %s\n", error.text);
      return 1;
    }
  return 0;
}
