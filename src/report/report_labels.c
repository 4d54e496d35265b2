#include "report/report_labels.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Appends to a label; what does not fit is cut off.
RS_PRINTF(2, 3) static void append(char label[RS_LABEL_BYTES], const char *format, ...) {
  size_t length = strlen(label);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(label + length, RS_LABEL_BYTES - length, format, arguments);
  va_end(arguments);
}

// "allreduce, float32 sum, out of place", "pingpong, float32, round 3", "reduction kernels, int32 sum"
static void append_subject(const struct rs_case_row *row, unsigned roles, char label[RS_LABEL_BYTES]) {
  append(label, "%s", rs_report_kernel(row) ? "reduction kernels" : row->collective);
  if ((roles & RS_FIELD_ELEMENT) != 0 && row->datatype[0] != '\0')
    append(label, ", %s%s%s", row->datatype, row->operation[0] != '\0' ? " " : "", row->operation);
  if ((roles & RS_FIELD_PLACE) != 0 && rs_report_collective(row))
    append(label, ", %s", row->in_place ? "in place" : "out of place");
  if ((roles & RS_FIELD_PAIRING) != 0 && row->pairing[0] != '\0')
    append(label, ", %s", row->pairing);
  if (row->root > 0)
    append(label, ", root %" PRId32, row->root);
}

static void append_ranks(const struct rs_case_row *row, unsigned roles, char label[RS_LABEL_BYTES]) {
  append(label, ", %" PRIu32 " rank%s", row->rank_count, row->rank_count == 1 ? "" : "s");
  // Who is not in a pair is no news.
  if (row->measured_ranks < row->rank_count && (row->congestor[0] != '\0' || !rs_report_paired(row)))
    append(label, " (%" PRIu32 " measured)", row->measured_ranks);
  if ((roles & RS_FIELD_TRAFFIC) != 0 && row->congestor[0] != '\0')
    append(label, ", %s%s", rs_report_quiet(row) ? "" : "beside ", rs_report_quiet(row) ? "quiet" : row->congestor);
}

const char *rs_label_roles(const struct rs_case_row *row, unsigned roles, char label[RS_LABEL_BYTES]) {
  label[0] = '\0';
  append_subject(row, roles, label);
  if (row->mode[0] != '\0')
    append(label, ", %s", row->mode);
  append_ranks(row, roles, label);
  if (row->peer_a >= 0 && row->peer_b >= 0)
    append(label, ", rank %" PRId32 " with %" PRId32, row->peer_a, row->peer_b);
  if (row->order[0] != '\0' && strcmp(row->order, "default") != 0)
    append(label, ", order %s", row->order);
  if (row->emulated)
    append(label, ", EMULATED network");
  return label;
}

const char *rs_label_family(const struct rs_case_row *row, char label[RS_LABEL_BYTES]) {
  return rs_label_roles(row, RS_FIELD_IDENTITY, label);
}

// What a label says beyond the implementation. CHOSEN: of one case; a column has other chosen algorithms and chunks at
// other sizes.
enum part { ALGORITHM = 1, TRANSPORT = 2, CHUNK = 4, LANES = 8, CHOSEN = 16 };

static bool same_chunk(const struct rs_case_row *left, const struct rs_case_row *right) {
  return left->chunk_auto == right->chunk_auto && (left->chunk_auto || left->chunk_bytes == right->chunk_bytes);
}

// The parts in which two rows differ.
static unsigned differing_parts(const struct rs_case_row *left, const struct rs_case_row *right) {
  return (strcmp(left->algorithm, right->algorithm) != 0 ? ALGORITHM : 0U) |
         (strcmp(left->transport, right->transport) != 0 ? TRANSPORT : 0U) | (same_chunk(left, right) ? 0U : CHUNK) |
         (left->lanes != right->lanes ? LANES : 0U);
}

// The parts that set a column apart from those of the same implementation that do not differ in `ignored`.
static unsigned distinguishing_parts(const struct rs_grid *grid, size_t column, unsigned ignored) {
  unsigned parts = 0;
  for (size_t i = 0; i < grid->column_count; i++) {
    unsigned differing = differing_parts(grid->columns[column], grid->columns[i]);
    if (strcmp(grid->columns[column]->implementation, grid->columns[i]->implementation) == 0 &&
        (differing & ignored) == 0)
      parts |= differing;
  }
  return parts;
}

// An algorithm or transport named like its implementation adds nothing.
static const char *write_parts(const struct rs_case_row *row, unsigned parts, char label[RS_LABEL_BYTES]) {
  char size[RS_LABEL_BYTES];
  bool algorithm = (parts & ALGORITHM) != 0 && (!rs_report_auto(row) || (parts & CHOSEN) != 0);
  snprintf(label, RS_LABEL_BYTES, "%s", row->implementation);
  if (algorithm && row->algorithm[0] != '\0' && strcmp(row->algorithm, row->implementation) != 0)
    append(label, ":%s", row->algorithm);
  if ((parts & TRANSPORT) != 0 && row->transport[0] != '\0' && strcmp(row->transport, row->implementation) != 0)
    append(label, "/%s", row->transport);
  if ((parts & CHUNK) != 0 && row->chunk_auto && (parts & CHOSEN) == 0)
    append(label, " chunk auto");
  else if ((parts & CHUNK) != 0)
    append(label, "%s%s", row->chunk_bytes == 0 ? " uncut" : " chunk ",
           row->chunk_bytes == 0 ? "" : rs_label_size(row->chunk_bytes, size));
  if ((parts & LANES) != 0)
    append(label, " %" PRIu32 " lane%s", row->lanes, row->lanes == 1 ? "" : "s");
  return label;
}

static unsigned parts_set(const struct rs_case_row *row) {
  return ALGORITHM | TRANSPORT | (row->chunk_bytes != 0 ? CHUNK : 0U) | (row->lanes > 1 ? LANES : 0U);
}

const char *rs_label_case(const struct rs_case_row *row, char label[RS_LABEL_BYTES]) {
  return write_parts(row, CHOSEN | parts_set(row), label);
}

const char *rs_label_cases(const struct rs_case_row *row, char label[RS_LABEL_BYTES]) {
  return write_parts(row, parts_set(row) | (row->chunk_auto ? CHUNK : 0U), label);
}

const char *rs_label_column(const struct rs_grid *grid, size_t column, char label[RS_LABEL_BYTES]) {
  unsigned name = ALGORITHM | TRANSPORT;
  return write_parts(grid->columns[column], name | distinguishing_parts(grid, column, name), label);
}

const char *rs_label_column_short(const struct rs_grid *grid, size_t column, char label[RS_LABEL_BYTES]) {
  return write_parts(grid->columns[column], distinguishing_parts(grid, column, 0), label);
}

const char *rs_label_chosen(const struct rs_case_row *row, char label[RS_LABEL_BYTES]) {
  char size[RS_LABEL_BYTES];
  label[0] = '\0';
  if (row == NULL)
    return label;
  bool is_auto = rs_report_auto(row), is_cut = row->chunk_bytes > 0 && row->chunk_bytes < row->size_bytes;
  if (is_auto)
    append(label, "%s", row->algorithm);
  if (row->chunk_auto && is_cut)
    append(label, "%schunk %s", is_auto ? ", " : "", rs_label_size(row->chunk_bytes, size));
  else if (row->chunk_auto && !is_auto)
    append(label, "uncut");
  return label;
}

const char *rs_label_missing(const struct rs_case_row *row) {
  if (row == NULL)
    return "";
  if (!row->finished)
    return "-";
  return row->verified == RS_VERIFY_FAILED ? "FAILED" : "n/a";
}

const char *rs_label_size(uint64_t bytes, char label[RS_LABEL_BYTES]) {
  static const char units[] = "BKMGTPE";
  char *end;
  double value = strtod(rs_format_size(bytes, label, RS_LABEL_BYTES), &end);
  const char *unit = *end == ' ' ? strchr(units, end[1]) : NULL;
  if (unit == NULL || ldexp(value, 10 * (int)(unit - units)) != (double)bytes)
    snprintf(label, RS_LABEL_BYTES, "%" PRIu64 " B", bytes);
  return label;
}

const char *rs_label_us(double ns, char label[RS_LABEL_BYTES]) {
  double us = ns / 1000;
  if (!isfinite(us))
    snprintf(label, RS_LABEL_BYTES, "-");
  else
    snprintf(label, RS_LABEL_BYTES, "%.*f", us < 0.9995 ? 3 : us < 99.995 ? 2 : us < 999.95 ? 1 : 0, us);
  return label;
}

const char *rs_label_gb_s(double gb_s, char label[RS_LABEL_BYTES]) {
  if (!isfinite(gb_s))
    snprintf(label, RS_LABEL_BYTES, "-");
  else
    snprintf(label, RS_LABEL_BYTES, "%.*f", gb_s < 0.99995 ? 4 : gb_s < 9.9995 ? 3 : gb_s < 99.995 ? 2 : 1, gb_s);
  return label;
}

const char *rs_label_factor(double factor, char label[RS_LABEL_BYTES]) {
  snprintf(label, RS_LABEL_BYTES, "%.*fx", factor < 9.995 ? 2 : factor < 99.95 ? 1 : 0, factor);
  return label;
}

void rs_label_end_line(struct rs_text *line, FILE *file) {
  if (line->data == NULL)
    return;
  while (line->length > 0 && line->data[line->length - 1] == ' ')
    line->data[--line->length] = '\0';
  fprintf(file, "%s\n", line->data);
  line->length = 0;
  line->data[0] = '\0';
}
