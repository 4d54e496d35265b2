#include "report/report_labels.h"
#include "report/report_table.h"
#include "report/stragglers.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define RANKS_NAMED_MAX 8

static const char *const kind_names[] = {"entered", "left", "took"};
static const char *const kind_phrases[] = {"entered last", "left last", "took longest"};

static const char *host_of(const struct rs_result *result, uint32_t rank) {
  const struct rs_placement *placement = &result->placement;
  if (rank >= placement->rank_count || placement->ranks[rank].host >= placement->host_count)
    return "an unknown host";
  return placement->hosts[placement->ranks[rank].host].hostname;
}

// "rank 3 on node-1 left last in 87% of iterations, by 41.2 us (median), in 12 of 36 cases"
static void print_rank(const struct rs_result *result, const struct rs_stragglers *stragglers,
                       const struct rs_straggler_rank *rank, FILE *file) {
  char late[RS_LABEL_BYTES];
  fprintf(file, "rank %" PRIu32 " on %s %s in %.0f%% of iterations, by %s us (median), in %zu of %zu cases", rank->rank,
          host_of(result, rank->rank), kind_phrases[rank->kind], 100 * rank->share, rs_label_us(rank->late_ns, late),
          rank->cases, stragglers->judged);
  if (rank->only != NULL)
    fprintf(file, ", only with %s", rank->only);
}

static void print_case(const struct rs_result *result, const struct rs_straggler *findings, size_t count, FILE *file) {
  bool doubts = false;
  for (size_t f = 0; f < count; f++)
    doubts |= findings[f].doubtful;
  char label[RS_LABEL_BYTES], size[RS_LABEL_BYTES], family[RS_LABEL_BYTES];
  const struct rs_case_row *row = &result->cases[findings->index];
  struct rs_table *table = rs_table_open();
  fprintf(file, "\n%s, %s: %s\n", rs_label_case(row, label), rs_label_size(row->size_bytes, size),
          rs_label_family(row, family));
  rs_table_column(table, RS_ALIGN_RIGHT, "  rank");
  rs_table_column(table, RS_ALIGN_LEFT, "host");
  rs_table_column(table, RS_ALIGN_LEFT, "what");
  rs_table_column(table, RS_ALIGN_RIGHT, "iterations");
  rs_table_column(table, RS_ALIGN_RIGHT, "late by us");
  rs_table_column(table, RS_ALIGN_RIGHT, "of median");
  if (doubts)
    rs_table_column(table, RS_ALIGN_LEFT, "");
  for (size_t f = 0; f < count; f++) {
    const struct rs_straggler *finding = &findings[f];
    rs_table_cell(table, "%" PRIu32, finding->rank);
    rs_table_cell(table, "%s", host_of(result, finding->rank));
    rs_table_cell(table, "%s", kind_phrases[finding->kind]);
    rs_table_cell(table, "%.0f%%", 100 * finding->share);
    rs_table_cell(table, "%s", rs_label_us(finding->late_ns, label));
    rs_table_cell(table, "%.0f%%", 100 * finding->late_ns / (row->median_ns * row->batch));
    if (finding->doubtful)
      rs_table_cell(table, "doubtful, clocks within %s us", rs_label_us((double)row->sync_bound_ns, label));
    else if (doubts)
      rs_table_cell(table, "%s", "");
  }
  rs_table_print(table, file);
  rs_table_close(table);
}

static void print_run(const struct rs_result *result, const struct rs_stragglers *stragglers, FILE *file) {
  if (stragglers->judged == 0)
    fputs("no case has enough counted iterations of several ranks to say who is late\n", file);
  else if (stragglers->finding_count == 0)
    fprintf(file, "in none of %zu cases is a rank late more often than chance explains, and by more than 1%%\n",
            stragglers->judged);
  for (size_t r = 0; r < rs_min_size(stragglers->rank_count, RANKS_NAMED_MAX); r++) {
    print_rank(result, stragglers, &stragglers->ranks[r], file);
    fputc('\n', file);
  }
  if (stragglers->rank_count > RANKS_NAMED_MAX)
    fprintf(file, "and %zu more\n", stragglers->rank_count - RANKS_NAMED_MAX);
}

void rs_stragglers_print(const struct rs_result *result, const struct rs_stragglers *stragglers, FILE *file) {
  fprintf(file, "%s\n", result->path != NULL ? result->path : "(no file)");
  rs_report_emulation(result, file);
  fputc('\n', file);
  print_run(result, stragglers, file);
  for (size_t first = 0, end; first < stragglers->finding_count; first = end) {
    for (end = first;
         end < stragglers->finding_count && stragglers->findings[end].index == stragglers->findings[first].index;)
      end++;
    print_case(result, &stragglers->findings[first], end - first, file);
  }
  fputs("\niterations  of those counted, in how many this rank was the last one\n"
        "late by     later than the median of the other ranks: the median over iterations; and in percent of the case\n"
        "named       who was last more often than chance explains (binomial, Holm, 1%), by over 1% of the case's "
        "median\n",
        file);
  if (stragglers->rank_count > 0)
    fputs("only with   one implementation of several: it may be its order that lets this rank be the last\n", file);
  if (stragglers->local > 0)
    fprintf(file,
            "note: %zu of %zu cases have no common clock: who entered or left last is unknown there, so the rank with\n"
            "      the longest duration by its own clock is named; it may have waited for another\n",
            stragglers->local, stragglers->judged);
}

void rs_stragglers_note(const struct rs_result *result, const struct rs_stragglers *stragglers, FILE *file) {
  size_t count = 0;
  while (count < stragglers->rank_count && stragglers->ranks[count].run_wide)
    count++;
  if (count == 0)
    return;
  fputs("note: ", file);
  print_rank(result, stragglers, &stragglers->ranks[0], file);
  if (count > 1)
    fprintf(file, "; and %zu more", count - 1);
  fputs(" (show --stragglers)\n", file);
}

static json_t *make_rank(const struct rs_result *result, const struct rs_straggler_rank *rank) {
  json_t *object = json_object();
  const char *host = host_of(result, rank->rank);
  rs_json_set(&object, "rank", rs_json_integer(rank->rank));
  rs_json_set(&object, "hostname", rs_json_text(host, strlen(host)));
  rs_json_set(&object, "what", json_string(kind_names[rank->kind]));
  rs_json_set(&object, "cases", rs_json_integer(rank->cases));
  rs_json_set(&object, "share", rs_json_real(rank->share));
  rs_json_set(&object, "late_ns", rs_json_real(rank->late_ns));
  rs_json_set(&object, "only", rank->only == NULL ? json_null() : rs_json_text(rank->only, strlen(rank->only)));
  rs_json_set(&object, "run_wide", json_boolean(rank->run_wide));
  return object;
}

static json_t *make_finding(const struct rs_result *result, const struct rs_straggler *finding) {
  json_t *object = json_object();
  rs_json_set(&object, "case_id", rs_json_integer(result->cases[finding->index].case_id));
  rs_json_set(&object, "rank", rs_json_integer(finding->rank));
  rs_json_set(&object, "what", json_string(kind_names[finding->kind]));
  rs_json_set(&object, "share", rs_json_real(finding->share));
  rs_json_set(&object, "late_ns", rs_json_real(finding->late_ns));
  rs_json_set(&object, "doubtful", json_boolean(finding->doubtful));
  return object;
}

json_t *rs_stragglers_json(const struct rs_result *result, const struct rs_stragglers *stragglers) {
  json_t *object = json_object(), *ranks = json_array(), *findings = json_array();
  for (size_t r = 0; r < stragglers->rank_count; r++)
    rs_json_append(&ranks, make_rank(result, &stragglers->ranks[r]));
  for (size_t f = 0; f < stragglers->finding_count; f++)
    rs_json_append(&findings, make_finding(result, &stragglers->findings[f]));
  rs_json_set(&object, "cases_judged", rs_json_integer(stragglers->judged));
  rs_json_set(&object, "cases_without_common_clock", rs_json_integer(stragglers->local));
  rs_json_set(&object, "ranks", ranks);
  rs_json_set(&object, "findings", findings);
  return object;
}
