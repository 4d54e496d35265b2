// The text layout of nccl-tests (github.com/NVIDIA/nccl-tests, src/util.cu): lines of comment start with
// '#', data lines have 13 words: size, count, type, redop, root, then time, algbw, busbw, #wrong out of place and again
// in place. What was not measured is "N/A". redop is "none" and root -1 where there is none. count is the argument of
// the collective: where ranks have blocks, the elements of one block. nccl-tests prints one table per program; here
// each implementation, mode, datatype and operation has a table with a closing of its own.
#include "report/report_labels.h"
#include "ringside/report.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define TIME_WIDTH 7
#define RATE_WIDTH 6

// nccl-tests' own words where they differ from ours.
static const char *nccl_type(const char *datatype) {
  static const char *const names[][2] = {{"float32", "float"}, {"float64", "double"}, {"float16", "half"}};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(names); i++) {
    if (strcmp(datatype, names[i][0]) == 0)
      return names[i][1];
  }
  return datatype;
}

static const struct program {
  const char *collective, *name;
  bool blocks; // count is that of one rank's block
} programs[] = {
    {"allreduce", "all_reduce_perf", false}, {"reduce_scatter", "reduce_scatter_perf", true},
    {"allgather", "all_gather_perf", true},  {"broadcast", "broadcast_perf", false},
    {"reduce", "reduce_perf", false},        {"alltoall", "alltoall_perf", true},
    {"sendrecv", "sendrecv_perf", false},
};

// NULL: nccl-tests has no such program.
static const struct program *find_program(const char *collective) {
  for (size_t p = 0; p < RS_ARRAY_LENGTH(programs); p++)
    if (strcmp(programs[p].collective, collective) == 0)
      return &programs[p];
  return NULL;
}

static uint64_t argument_count(const struct rs_case_row *row) {
  const struct program *program = find_program(row->collective);
  return program != NULL && program->blocks && row->measured_ranks > 0 ? row->count / row->measured_ranks : row->count;
}

// Two decimals where they fit in `width`, then one, then none, then an exponent.
static void print_number(double value, int width, FILE *file) {
  char text[RS_LABEL_BYTES] = "N/A";
  int decimals = 2;
  while (isfinite(value) && decimals >= 0 && snprintf(text, sizeof(text), "%.*f", decimals, value) > width)
    decimals--;
  if (decimals < 0)
    snprintf(text, sizeof(text), "%.1e", value);
  fprintf(file, "  %*s", width, text);
}

// One half of a data line. A failed case keeps its time out of the file, as everywhere, and counts one wrong value.
static void print_half(const struct rs_case_row *row, FILE *file) {
  bool usable = rs_report_usable(row);
  print_number(usable ? row->median_ns / 1000 : NAN, TIME_WIDTH, file);
  print_number(usable ? row->algbw_gb_s : NAN, RATE_WIDTH, file);
  print_number(usable ? row->busbw_gb_s : NAN, RATE_WIDTH, file);
  bool checked = row != NULL && row->finished && row->verified != RS_NOT_VERIFIED;
  fprintf(file, "  %*s", RATE_WIDTH, !checked ? "N/A" : row->verified == RS_VERIFIED ? "0" : "1");
}

// NULL when that place was not planned.
static const struct rs_case_row *find_place(const struct rs_grid *grid, size_t point, bool in_place) {
  for (size_t c = 0; c < grid->column_count; c++) {
    if ((grid->columns[c]->in_place != 0) == in_place)
      return rs_grid_cell(grid, point, c);
  }
  return NULL;
}

static void print_heading(const struct rs_grid *grid, FILE *file) {
  const struct rs_case_row *row = grid->points[0];
  const struct program *program = find_program(row->collective);
  char column[RS_LABEL_BYTES];
  fprintf(file, "# %s%s%s %s, %s, %" PRIu32 " ranks", program ? program->name : "", program ? ": " : "",
          row->collective, rs_label_cases(row, column), row->mode, row->measured_ranks);
  if (row->congestor[0] != '\0')
    fprintf(file, " of %" PRIu32 ", %s%s", row->rank_count, rs_report_quiet(row) ? "" : "beside ",
            rs_report_quiet(row) ? "quiet" : row->congestor);
  fprintf(file, "%s\n#\n", row->emulated ? ", EMULATED network" : "");
  fprintf(file, "# %10s  %12s  %8s  %6s  %6s           %-35s%s\n", "", "", "", "", "", "out-of-place", "in-place");
  fprintf(file, "# %10s  %12s  %8s  %6s  %6s", "size", "count", "type", "redop", "root");
  for (int half = 0; half < 2; half++)
    fprintf(file, "  %7s  %6s  %6s  %6s", "time", "algbw", "busbw", "#wrong");
  fprintf(file, "\n# %10s  %12s  %8s  %6s  %6s", "(B)", "(elements)", "", "", "");
  for (int half = 0; half < 2; half++)
    fprintf(file, "  %7s  %6s  %6s  %6s", "(us)", "(GB/s)", "(GB/s)", "");
  fputc('\n', file);
}

static enum rs_status print_block(const struct rs_grid *grid, FILE *file, struct rs_error *error) {
  (void)error;
  double busbw_sum = 0;
  size_t busbw_count = 0, wrong = 0;
  print_heading(grid, file);
  for (size_t p = 0; p < grid->point_count; p++) {
    const struct rs_case_row *point = grid->points[p];
    fprintf(file, "%12" PRIu64 "  %12" PRIu64 "  %8s  %6s  %6" PRId32, point->size_bytes, argument_count(point),
            nccl_type(point->datatype), point->operation[0] != '\0' ? point->operation : "none", point->root);
    for (int in_place = 0; in_place < 2; in_place++) {
      const struct rs_case_row *row = find_place(grid, p, in_place != 0);
      print_half(row, file);
      if (rs_report_usable(row) && isfinite(row->busbw_gb_s)) {
        busbw_sum += row->busbw_gb_s;
        busbw_count++;
      }
      wrong += row != NULL && row->finished && row->verified == RS_VERIFY_FAILED;
    }
    fputc('\n', file);
  }
  fprintf(file, "# Out of bounds values : %zu %s\n", wrong, wrong == 0 ? "OK" : "FAILED");
  fprintf(file, "# Avg bus bandwidth    : %g\n#\n", busbw_count == 0 ? 0 : busbw_sum / (double)busbw_count);
  return RS_OK;
}

static const struct rs_layout layout = {
    .holds = rs_report_collective,
    .family = RS_FIELD_FAMILY | RS_FIELD_ELEMENT | RS_FIELD_TRAFFIC | RS_FIELD_COLUMN,
    .column = RS_FIELD_PLACE,
    .point = RS_FIELD_POINT,
    .print = print_block,
};

static void print_left_out(const struct rs_result *result, FILE *file) {
  size_t pairs = rs_report_count(result, rs_report_paired), kernels = rs_report_count(result, rs_report_kernel);
  if (pairs > 0)
    fprintf(file, "# left out: %zu point to point cases, which are no table of nccl-tests (--csv has them)\n#\n",
            pairs);
  if (kernels > 0)
    fprintf(file, "# left out: %zu cases of reduction kernels, which nccl-tests does not measure (--csv)\n#\n",
            kernels);
}

void rs_report_nccl_tests(const struct rs_result *result, FILE *file) {
  struct rs_error error = {0};
  fprintf(file, "# ringside %s, in the layout of nccl-tests: %s\n", result->ringside_version,
          result->path != NULL ? result->path : "");
  fputs("# time is the median of the slowest rank; busbw as nccl-tests defines it\n#\n# Using devices\n", file);
  for (size_t r = 0; r < result->placement.rank_count; r++) {
    const struct rs_rank_facts *rank = &result->placement.ranks[r];
    fprintf(file, "#  Rank %2zu Group  0 Pid %6" PRId32 " on %10s device %2" PRIu32 " [cpu %s]\n", r, rank->pid,
            rank->host < result->placement.host_count ? result->placement.hosts[rank->host].hostname : "unknown",
            rank->local_rank, rank->cpus);
  }
  fputs("#\n", file);
  if (rs_grid_walk(result, &layout, file, &error) < 0)
    fprintf(file, "# the table ends here: %s\n", error.text);
  print_left_out(result, file);
}
