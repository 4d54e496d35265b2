// Writes result files with made-up times, for tests of what reads them and of how fast it does:
//
//     synthetic_results DIRECTORY LAUNCHES CASES SEED FACTOR NOISE [LABEL]
//
// Every launch has the same cases, sizes from 8 B to 64 MiB. A case takes a latency and a bandwidth's time, times
// FACTOR, times exp(NOISE x normal), drawn once per launch: what a launch does not have in common with the next.
#include "ringside/store.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { RANKS = 2, ITERATIONS = 10, SIZES = 24 };

struct request {
  const char *directory, *label;
  size_t launches, cases;
  double factor, noise;
  struct rs_random random;
};

static double draw_uniform(struct rs_random *random) {
  return (double)(rs_random_next(random) >> 11) * 0x1p-53 + 0x1p-54;
}

static double draw_normal(struct rs_random *random) {
  double radius = sqrt(-2 * log(draw_uniform(random)));
  return radius * cos(2 * acos(-1) * draw_uniform(random));
}

static struct rs_case_row make_case(uint32_t index) {
  struct rs_case_row row = {.case_id = index, .rank_count = RANKS, .measured_ranks = RANKS, .lanes = 1, .batch = 1};
  row.peer_a = row.peer_b = row.root = -1;
  snprintf(row.benchmark, sizeof row.benchmark, "collective");
  snprintf(row.collective, sizeof row.collective, "allreduce");
  snprintf(row.implementation, sizeof row.implementation, "made-up-%u", index / SIZES);
  snprintf(row.algorithm, sizeof row.algorithm, "made-up-%u", index / SIZES);
  snprintf(row.transport, sizeof row.transport, "tcp");
  snprintf(row.mode, sizeof row.mode, "isolated");
  snprintf(row.datatype, sizeof row.datatype, "float32");
  snprintf(row.operation, sizeof row.operation, "sum");
  snprintf(row.order, sizeof row.order, "default");
  row.size_bytes = UINT64_C(8) << (index % SIZES);
  row.count = row.size_bytes / 4;
  row.median_ns = row.p95_ns = row.p99_ns = row.gap_ns = row.after_check_ns = NAN;
  return row;
}

static enum rs_status write_case(struct rs_writer *writer, struct rs_case_row row, double factor,
                                 struct rs_error *error) {
  struct rs_iteration_row iterations[ITERATIONS];
  struct rs_sample samples[ITERATIONS * RANKS];
  double median = factor * (20000 + 0.1 * (double)row.size_bytes);
  for (size_t i = 0; i < ITERATIONS; i++) {
    iterations[i] = (struct rs_iteration_row){row.case_id, 0};
    for (size_t r = 0; r < RANKS; r++)
      samples[i * RANKS + r] = (struct rs_sample){0, (int64_t)median};
  }
  row.finished = 1;
  row.iterations = ITERATIONS;
  row.verified = RS_VERIFIED;
  snprintf(row.stop_reason, sizeof row.stop_reason, "interval");
  row.median_ns = median;
  row.ci_low_ns = row.min_ns = 0.99 * median;
  row.ci_high_ns = row.max_ns = 1.01 * median;
  row.algbw_gb_s = row.busbw_gb_s = (double)row.size_bytes / median;
  return rs_writer_case(writer, &row, iterations, samples, error);
}

static enum rs_status write_launch(struct request *request, size_t index, struct rs_case_row *cases,
                                   struct rs_error *error) {
  struct rs_host_facts host = {.hostname = "made-up", .kernel = "6.1.0", .partition = -1, .cores = 2};
  struct rs_rank_facts ranks[RANKS] = {{.local_ranks = RANKS}, {.local_rank = 1, .local_ranks = RANKS}};
  struct rs_placement placement = {1, RANKS, &host, ranks};
  char label[256];
  snprintf(label, sizeof label, "%s", request->label);
  struct rs_attribute attribute = {"label.side", label};
  struct rs_run_facts facts = {.command_line = "synthetic_results",
                               .config = "made.up: yes\n",
                               .attributes = &attribute,
                               .attribute_count = 1,
                               .placement = &placement,
                               .cases = cases,
                               .case_count = request->cases,
                               .rank_count = RANKS,
                               .max_iterations = ITERATIONS};
  char path[512];
  snprintf(path, sizeof path, "%s/%s%04zu.h5", request->directory, request->label, index);
  struct rs_writer *writer;
  if (rs_writer_open(path, true, &facts, &writer, error) < 0)
    return error->status;
  double factor = request->factor * exp(request->noise * draw_normal(&request->random));
  for (size_t c = 0; c < request->cases; c++) {
    if (write_case(writer, cases[c], factor, error) < 0) {
      rs_writer_abandon(writer);
      return error->status;
    }
  }
  return rs_writer_finish(writer, error);
}

int main(int argc, char **argv) {
  if (argc < 7) {
    fputs("usage: synthetic_results DIRECTORY LAUNCHES CASES SEED FACTOR NOISE [LABEL]\n", stderr);
    return 2;
  }
  struct request request = {.directory = argv[1],
                            .launches = strtoul(argv[2], NULL, 10),
                            .cases = strtoul(argv[3], NULL, 10),
                            .random = {strtoul(argv[4], NULL, 10)},
                            .factor = strtod(argv[5], NULL),
                            .noise = strtod(argv[6], NULL),
                            .label = argc > 7 ? argv[7] : "launch"};
  struct rs_error error = {0};
  struct rs_case_row *cases = rs_allocate(request.cases, sizeof *cases, "cases", &error);
  for (uint32_t c = 0; cases != NULL && c < request.cases; c++)
    cases[c] = make_case(c);
  if (mkdir(request.directory, 0777) != 0 && errno != EEXIST)
    rs_error_set_errno(&error, RS_ERROR_IO, errno, "cannot make %s", request.directory);
  for (size_t l = 0; error.status == RS_OK && l < request.launches; l++)
    write_launch(&request, l, cases, &error);
  free(cases);
  if (error.status != RS_OK)
    fprintf(stderr, "synthetic_results: %s\n", error.text);
  return rs_status_exit_code(error.status);
}
