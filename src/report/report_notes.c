#include "report/report_labels.h"
#include "report/report_table.h"

#include <inttypes.h>
#include <string.h>

#define CASES_NAMED_MAX 6
// A time is trusted when the clocks agree to this part of it.
#define CLOCK_MARGIN 10

static bool has_failed(const struct rs_case_row *row) {
  return row->finished && row->verified == RS_VERIFY_FAILED;
}

static bool is_unchecked(const struct rs_case_row *row) {
  return row->finished && row->verified == RS_NOT_VERIFIED;
}

static bool is_unfinished(const struct rs_case_row *row) {
  return !row->finished;
}

static bool is_within_clock_error(const struct rs_case_row *row) {
  return rs_report_usable(row) && row->sync_error_ns > 0 && row->median_ns < CLOCK_MARGIN * (double)row->sync_error_ns;
}

static bool is_local(const struct rs_case_row *row) {
  return rs_report_usable(row) && row->sync_error_ns < 0;
}

// Collectives in which each rank keeps its own part: a link carries all but that.
static bool is_shared(const struct rs_case_row *row) {
  static const char *const names[] = {"reduce_scatter", "allgather", "alltoall", "alltoallv"};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(names); i++)
    if (strcmp(row->collective, names[i]) == 0)
      return true;
  return false;
}

static bool has_traffic(const struct rs_case_row *row) {
  return row->congestor[0] != '\0';
}

static bool is_isolated(const struct rs_case_row *row) {
  return strcmp(row->mode, "isolated") == 0;
}

static bool is_streaming(const struct rs_case_row *row) {
  return strcmp(row->mode, "streaming") == 0;
}

static const struct note {
  bool (*matches)(const struct rs_case_row *row);
  const char *text; // follows "N of M cases "
  bool name_cases;
} notes[] = {
    {has_failed, "FAILED verification: the data came out wrong, so no time is shown", true},
    {is_unfinished, "did not finish", true},
    {is_unchecked, "were not verified: the data may be wrong", false},
    {is_within_clock_error, "are shorter than 10 times the error of the common clock: read them as upper bounds",
     false},
    {is_local, "have no common clock: their times are the longest duration of any one rank", false},
};

static void print_note(const struct rs_result *result, const struct note *note, FILE *file) {
  size_t count = rs_report_count(result, note->matches), named = 0;
  if (count == 0)
    return;
  fprintf(file, "note: %zu of %zu cases %s\n", count, result->case_count, note->text);
  for (size_t i = 0; note->name_cases && i < result->case_count && named < CASES_NAMED_MAX; i++) {
    const struct rs_case_row *row = &result->cases[i];
    if (!note->matches(row))
      continue;
    char family[RS_LABEL_BYTES], column[RS_LABEL_BYTES], size[RS_LABEL_BYTES];
    fprintf(file, "      %s, %s: %s\n", rs_label_case(row, column), rs_label_size(row->size_bytes, size),
            rs_label_family(row, family));
    named++;
  }
  if (named > 0 && named < count)
    fprintf(file, "      and %zu more\n", count - named);
}

// How to read the tables that this result has.
static void print_legend(const struct rs_result *result, FILE *file) {
  fputc('\n', file);
  if (rs_report_count(result, rs_report_collective) > 0)
    fprintf(file,
            "time us   median time of one operation, until its slowest rank is done\n"
            "+-%%       95%% confidence interval of that median, the wider side, within this launch\n"
            "busbw     GB/s (10^9) that the busiest link must carry: size / time, for allreduce times 2(n-1)/n\n%s"
            "fastest   * and by how much against the next; a~b and ~: their intervals overlap, so neither is named\n",
            rs_report_count(result, is_shared) > 0
                ? "          and times (n-1)/n where ranks keep their own part: reduce-scatter, allgather, all-to-all\n"
                : "");
  if (rs_report_count(result, rs_report_paired) > 0)
    fputs(
        "pairs     min, median and max over pairs of each pair's median; GB/s (10^9) and messages are of one "
        "direction\n"
        "all alike no pair misses that median by 1% and by 2.5 times its own 95% interval; slow pairs miss it by more\n"
        "map       rank against rank, the darker the slower; a step is a ratio, of 1.05 at least\n",
        file);
  if (rs_report_count(result, rs_report_kernel) > 0)
    fputs(
        "GB/s      size / time (10^9), size being the bytes of the result: a reduction reads two operands and writes\n"
        "          one, memcpy reads one and writes one\n",
        file);
  if (rs_report_count(result, has_traffic) > 0)
    fputs("slowdown  time beside the others' traffic over time without, of the median and of p99 (from 100 iterations "
          "on)\n"
          "interval  of the median's slowdown, at 90% at least: from opposite ends of the two 95% intervals\n",
          file);
  if (rs_report_count(result, is_isolated) > 0)
    fputs("isolated  one operation at a time, all ranks starting together\n", file);
  if (rs_report_count(result, is_streaming) > 0)
    fputs("streaming back to back, total time / operations; never compare it with isolated\n", file);
}

void rs_report_notes(const struct rs_result *result, FILE *file) {
  print_legend(result, file);
  for (size_t i = 0; i < RS_ARRAY_LENGTH(notes); i++)
    print_note(result, &notes[i], file);
}
