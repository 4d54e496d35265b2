// Point to point. The rounds of a tournament are cases of their own, each with a few of the pairs; here they are one
// matrix again: a line per size over all pairs, the slow pairs by name, and a map of who is slow with whom.
#include "report/heat_map.h"
#include "report/report_table.h"

#include <stdlib.h>
#include <string.h>

#define SLOW_NAMED_MAX 3

enum kind { WITHIN_HOST, BETWEEN_HOSTS, KINDS };
static const char *const kind_names[KINDS] = {"within a host", "between hosts"};

// All pairs at one size.
struct matrix {
  const struct rs_case_row *point;
  struct rs_pair_times times;
  struct rs_pair_kind kinds[KINDS];
};
// The matrices of one implementation, in rising size.
struct sweep {
  const struct rs_grid *grid;
  struct matrix *matrices; // grid->point_count
  bool both_kinds;         // pairs within hosts and between them: they are no like
};

static bool is_uniform(const struct matrix *matrix) {
  return matrix->kinds[WITHIN_HOST].uniform && matrix->kinds[BETWEEN_HOSTS].uniform;
}

// ---- gathering --------------------------------------------------------------------------------------------

static bool is_round(const struct rs_case_row *row) {
  return strncmp(row->pairing, "round ", strlen("round ")) == 0;
}

// All rounds of a tournament are one pairing.
static bool same_pairing(const struct rs_case_row *a, const struct rs_case_row *b) {
  return is_round(a) ? is_round(b) : strcmp(a->pairing, b->pairing) == 0;
}

static enum rs_status gather_point(const struct sweep *sweep, const struct rs_case_row *pairing, size_t point,
                                   struct matrix *matrix, struct rs_error *error) {
  const struct rs_grid *grid = sweep->grid;
  double *values = NULL;
  const struct rs_case_row **cases = rs_allocate(grid->column_count, sizeof *cases, "pairs", error);
  if (cases == NULL)
    return error->status;
  for (size_t c = 0; c < grid->column_count; c++)
    if (same_pairing(grid->columns[c], pairing))
      cases[c] = rs_grid_cell(grid, point, c);
  matrix->point = grid->points[point];
  if (rs_pair_times_init(&matrix->times, grid->result, cases, grid->column_count, error) == RS_OK)
    values = rs_allocate(matrix->times.count, sizeof *values, "pairs", error);
  for (size_t k = 0; values && k < KINDS; k++)
    matrix->kinds[k] = rs_pair_kind_of(&matrix->times, k == BETWEEN_HOSTS, values);
  free(values);
  free(cases);
  return error->status;
}

static void sweep_fini(struct sweep *sweep) {
  for (size_t p = 0; sweep->matrices && p < sweep->grid->point_count; p++)
    rs_pair_times_fini(&sweep->matrices[p].times);
  free(sweep->matrices);
}

// sweep_fini is the caller's, after an error too.
static enum rs_status sweep_init(struct sweep *sweep, const struct rs_grid *grid, const struct rs_case_row *pairing,
                                 struct rs_error *error) {
  *sweep = (struct sweep){.grid = grid};
  sweep->matrices = rs_allocate(grid->point_count, sizeof *sweep->matrices, "pairs", error);
  for (size_t p = 0; error->status == RS_OK && p < grid->point_count; p++) {
    struct matrix *matrix = &sweep->matrices[p];
    if (gather_point(sweep, pairing, p, matrix, error) == RS_OK)
      sweep->both_kinds |= matrix->kinds[WITHIN_HOST].count > 0 && matrix->kinds[BETWEEN_HOSTS].count > 0;
  }
  return error->status;
}

// ---- a line per size --------------------------------------------------------------------------------------

static void print_kind(const struct sweep *sweep, const struct matrix *matrix, enum kind which,
                       struct rs_table *table) {
  char label[RS_LABEL_BYTES];
  const struct rs_pair_kind *kind = &matrix->kinds[which];
  const struct rs_pair_figure figure = rs_pair_figure_of(matrix->point);
  double least = figure.numerator > 0 ? kind->slowest_ns : kind->fastest_ns;
  double most = figure.numerator > 0 ? kind->fastest_ns : kind->slowest_ns;
  rs_table_cell(table, "%s", rs_label_size(rs_pair_message_bytes(matrix->point), label));
  rs_table_cell(table, "%zu", kind->count);
  if (sweep->both_kinds)
    rs_table_cell(table, "%s", kind_names[which]);
  rs_table_cell(table, "%s", rs_pair_figure_label(&figure, least, label));
  rs_table_cell(table, "%s", rs_pair_figure_label(&figure, kind->median_ns, label));
  rs_table_cell(table, "%s", rs_pair_figure_label(&figure, most, label));
  if (kind->count == 1)
    rs_table_cell(table, "-");
  else if (kind->uniform)
    rs_table_cell(table, "all alike");
  else
    rs_table_cell(table, "%s the median", rs_label_factor(kind->slowest_ns / kind->median_ns, label));
}

static void print_sizes(const struct sweep *sweep, FILE *file) {
  char label[RS_LABEL_BYTES];
  static const char *const columns[] = {"min", "median", "max"};
  struct rs_table *table = rs_table_open();
  bool each_in_full = rs_pair_message_bytes(sweep->matrices->point) == sweep->matrices->point->size_bytes;
  rs_table_column(table, RS_ALIGN_RIGHT, each_in_full ? "       size" : "    message");
  rs_table_column(table, RS_ALIGN_RIGHT, "pairs");
  if (sweep->both_kinds)
    rs_table_column(table, RS_ALIGN_LEFT, "");
  for (size_t c = 0; c < RS_ARRAY_LENGTH(columns); c++) {
    snprintf(label, sizeof label, "%s %s", columns[c], rs_pair_figure_of(sweep->matrices->point).unit);
    rs_table_column(table, RS_ALIGN_RIGHT, label);
  }
  rs_table_column(table, RS_ALIGN_LEFT, "slowest pair");
  for (size_t p = 0; p < sweep->grid->point_count; p++)
    for (size_t k = 0; k < KINDS; k++)
      if (sweep->matrices[p].kinds[k].count > 0)
        print_kind(sweep, &sweep->matrices[p], (enum kind)k, table);
  rs_table_print(table, file);
  rs_table_close(table);
  for (size_t p = 0; p < sweep->grid->point_count; p++) {
    const struct matrix *matrix = &sweep->matrices[p];
    if (matrix->times.count < matrix->times.planned)
      fprintf(file, "  %s: %zu of %zu pairs were measured\n",
              rs_label_size(rs_pair_message_bytes(matrix->point), label), matrix->times.count, matrix->times.planned);
  }
}

// ---- slow pairs and maps ----------------------------------------------------------------------------------

struct slow {
  const struct rs_pair_time *time;
  enum kind kind;
  double factor; // of the median of its kind
};

static int compare_slow(const void *left, const void *right) {
  const struct slow *a = left, *b = right;
  if (a->factor != b->factor)
    return a->factor > b->factor ? -1 : 1;
  if (a->time->rank_a != b->time->rank_a)
    return a->time->rank_a < b->time->rank_a ? -1 : 1;
  return (a->time->rank_b > b->time->rank_b) - (a->time->rank_b < b->time->rank_b);
}

static const char *host_of(const struct sweep *sweep, uint32_t rank) {
  const struct rs_placement *placement = &sweep->grid->result->placement;
  return placement->hosts[placement->ranks[rank].host].hostname;
}

static void print_slow(const struct sweep *sweep, const struct matrix *matrix, const struct slow *slow, FILE *file) {
  char label[RS_LABEL_BYTES], factor[RS_LABEL_BYTES];
  const struct rs_pair_figure figure = rs_pair_figure_of(matrix->point);
  const struct rs_pair_time *time = slow->time;
  fprintf(file, "rank %u - rank %u", time->rank_a, time->rank_b);
  if (sweep->grid->result->placement.host_count > 1)
    fprintf(file, " (%s - %s)", host_of(sweep, time->rank_a), host_of(sweep, time->rank_b));
  fprintf(file, ", %s %s, %s the median%s%s\n", rs_pair_figure_label(&figure, time->median_ns, label), figure.unit,
          rs_label_factor(slow->factor, factor), sweep->both_kinds ? " " : "",
          sweep->both_kinds ? kind_names[slow->kind] : "");
}

// Whether every pair has this rank; or, for a host, one of its ranks.
static bool all_have(const struct sweep *sweep, const struct slow *slow, size_t count, uint32_t rank, bool host) {
  const struct rs_rank_facts *ranks = sweep->grid->result->placement.ranks;
  for (size_t s = 0; s < count; s++) {
    uint32_t a = slow[s].time->rank_a, b = slow[s].time->rank_b;
    if (host ? ranks[a].host != ranks[rank].host && ranks[b].host != ranks[rank].host : a != rank && b != rank)
      return false;
  }
  return true;
}

// What several slow pairs have in common: a rank, or else a host.
static void print_common(const struct sweep *sweep, const struct slow *slow, size_t count, int indent, FILE *file) {
  const uint32_t candidates[] = {slow->time->rank_a, slow->time->rank_b};
  bool several_hosts = sweep->grid->result->placement.host_count > 2;
  for (int host = 0; host <= several_hosts; host++) {
    for (size_t c = 0; c < RS_ARRAY_LENGTH(candidates); c++) {
      if (!all_have(sweep, slow, count, candidates[c], host))
        continue;
      fprintf(file, "  %*s all %zu are with ", indent, "", count);
      if (host)
        fprintf(file, "a rank of %s\n", host_of(sweep, candidates[c]));
      else
        fprintf(file, "rank %u\n", candidates[c]);
      return;
    }
  }
}

static enum rs_status print_slow_pairs(const struct sweep *sweep, const struct matrix *matrix, FILE *file,
                                       struct rs_error *error) {
  size_t count = 0;
  struct slow *slow = rs_allocate(matrix->times.count, sizeof *slow, "slow pairs", error);
  if (slow == NULL)
    return error->status;
  for (size_t t = 0; t < matrix->times.count; t++) {
    const struct rs_pair_time *time = &matrix->times.items[t];
    enum kind kind = time->between_hosts ? BETWEEN_HOSTS : WITHIN_HOST;
    double median = matrix->kinds[kind].median_ns;
    if (rs_pair_off(time, median) > 0)
      slow[count++] = (struct slow){time, kind, time->median_ns / median};
  }
  qsort(slow, count, sizeof *slow, compare_slow);
  char size[RS_LABEL_BYTES], label[RS_LABEL_BYTES + 16];
  snprintf(label, sizeof label, "slow at %s:", rs_label_size(rs_pair_message_bytes(matrix->point), size));
  for (size_t s = 0; s < rs_min_size(count, SLOW_NAMED_MAX); s++) {
    fprintf(file, "  %-*s ", (int)strlen(label), s == 0 ? label : "");
    print_slow(sweep, matrix, &slow[s], file);
  }
  if (count > SLOW_NAMED_MAX)
    fprintf(file, "  %-*s and %zu more\n", (int)strlen(label), "", count - SLOW_NAMED_MAX);
  if (count > 1)
    print_common(sweep, slow, count, (int)strlen(label), file);
  free(slow);
  return RS_OK;
}

// Of many sizes that differ the least and the largest are drawn: latency shows in one, bandwidth in the other.
static enum rs_status print_maps(const struct sweep *sweep, FILE *file, struct rs_error *error) {
  size_t differing = 0, first = 0, last = 0;
  for (size_t p = 0; p < sweep->grid->point_count; p++) {
    if (is_uniform(&sweep->matrices[p]))
      continue;
    first = differing++ == 0 ? p : first;
    last = p;
  }
  for (size_t p = first; differing > 0 && error->status == RS_OK && p <= last; p++) {
    char label[RS_LABEL_BYTES];
    const struct matrix *matrix = &sweep->matrices[p];
    if (p != first && p != last)
      continue;
    fprintf(file, "\n  at %s%s:\n", rs_label_size(rs_pair_message_bytes(matrix->point), label),
            differing > 2 ? p == first ? ", the least size that differs by pair" : ", the largest" : "");
    const struct rs_pair_figure figure = rs_pair_figure_of(matrix->point);
    rs_heat_map_print(&sweep->grid->result->placement, &matrix->times, &figure, file, error);
  }
  return error->status;
}

static enum rs_status print_sweep(const struct rs_grid *grid, const struct rs_case_row *pairing, FILE *file,
                                  struct rs_error *error) {
  char family[RS_LABEL_BYTES], label[RS_LABEL_BYTES];
  struct sweep sweep;
  if (sweep_init(&sweep, grid, pairing, error) != RS_OK)
    goto fini_sweep;
  const struct rs_pair_figure figure = rs_pair_figure_of(pairing);
  fprintf(file, "\n%s, %s: %s, %s in %s\n",
          rs_label_roles(pairing, RS_FIELD_FAMILY | RS_FIELD_ELEMENT | RS_FIELD_TRAFFIC, family),
          is_round(pairing) ? "every pair" : pairing->pairing, rs_label_cases(pairing, label), figure.what,
          figure.unit);
  print_sizes(&sweep, file);
  for (size_t p = 0; error->status == RS_OK && p < grid->point_count; p++)
    print_slow_pairs(&sweep, &sweep.matrices[p], file, error);
  if (error->status == RS_OK)
    print_maps(&sweep, file, error);

fini_sweep:
  sweep_fini(&sweep);
  return error->status;
}

static enum rs_status print_pairings(const struct rs_grid *grid, FILE *file, struct rs_error *error) {
  for (size_t c = 0; error->status == RS_OK && c < grid->column_count; c++) {
    size_t earlier = 0;
    while (!same_pairing(grid->columns[earlier], grid->columns[c]))
      earlier++;
    if (earlier == c)
      print_sweep(grid, grid->columns[c], file, error);
  }
  return error->status;
}

const struct rs_layout rs_pairs_layout = {
    .holds = rs_report_paired,
    .family = RS_FIELD_IDENTITY & ~(unsigned)(RS_FIELD_POINT | RS_FIELD_PAIRING),
    .column = RS_FIELD_PAIRING,
    .point = RS_FIELD_POINT,
    .print = print_pairings,
};
