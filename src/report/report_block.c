// One family as a table. A group is what one implementation did; its cells are as wide as the constants below say:
//
//            | ring/tcp               | tree/tcp               |
//       size |  time us   +-%   busbw |  time us   +-%   busbw | fastest
//        8 B |    34.20~  2.1  0.0004 |    33.90~  1.8  0.0004 | tree~ring
//     64 KiB |    120.1*  1.2  0.8185 |    157.3   3.0  0.6249 | ring 1.31x
#include "report/report_labels.h"
#include "report/report_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_COLUMNS 120
#define POINT_WIDTH 9
#define TIME_WIDTH 8
#define SPREAD_WIDTH 5
#define BUSBW_WIDTH 7
#define GROUP_WIDTH (TIME_WIDTH + 1 + SPREAD_WIDTH + 1 + BUSBW_WIDTH) // one column for the mark, one for a space
#define GROUP_SEPARATOR_WIDTH 3
#define TIE_NAMES_MAX 3

// Who was fastest at one point. `tied` counts the columns, the best one included, whose intervals overlap the best's.
struct ranking {
  size_t best, tied;
  double factor; // the next one's median over the best's; NaN when there is no next one
};

static bool overlaps(const struct rs_case_row *best, const struct rs_case_row *other) {
  double high = isfinite(best->ci_high_ns) ? best->ci_high_ns : best->median_ns;
  double low = isfinite(other->ci_low_ns) ? other->ci_low_ns : other->median_ns;
  return low <= high;
}

static struct ranking rank_point(const struct rs_grid *grid, size_t point) {
  struct ranking ranking = {.best = SIZE_MAX, .tied = 0, .factor = NAN};
  for (size_t c = 0; c < grid->column_count; c++) {
    const struct rs_case_row *row = rs_grid_cell(grid, point, c);
    if (rs_report_usable(row) &&
        (ranking.best == SIZE_MAX || row->median_ns < rs_grid_cell(grid, point, ranking.best)->median_ns))
      ranking.best = c;
  }
  if (ranking.best == SIZE_MAX)
    return ranking;
  const struct rs_case_row *best = rs_grid_cell(grid, point, ranking.best);
  for (size_t c = 0; c < grid->column_count; c++) {
    const struct rs_case_row *row = rs_grid_cell(grid, point, c);
    if (!rs_report_usable(row))
      continue;
    ranking.tied += overlaps(best, row);
    double factor = row->median_ns / best->median_ns;
    if (c != ranking.best && !(factor >= ranking.factor))
      ranking.factor = factor;
  }
  return ranking;
}

// '*' for a clear winner, '~' for each of those that cannot be told apart at the top.
static char mark(const struct rs_grid *grid, size_t point, size_t column, const struct ranking *ranking) {
  const struct rs_case_row *row = rs_grid_cell(grid, point, column);
  if (!rs_report_usable(row) || isnan(ranking->factor))
    return ' ';
  if (ranking->tied == 1)
    return column == ranking->best ? '*' : ' ';
  return overlaps(rs_grid_cell(grid, point, ranking->best), row) ? '~' : ' ';
}

// The words of the last column: "ring 1.31x", "ring~tree", "tie of 4", or nothing to compare with.
static void append_verdict(const struct rs_grid *grid, size_t point, const struct ranking *ranking,
                           struct rs_text *line) {
  char label[RS_LABEL_BYTES], factor[RS_LABEL_BYTES];
  if (ranking->best == SIZE_MAX || isnan(ranking->factor))
    return;
  if (ranking->tied > TIE_NAMES_MAX) {
    rs_text_append(line, "tie of %zu", ranking->tied);
    return;
  }
  rs_text_append(line, "%s", rs_label_column_short(grid, ranking->best, label));
  if (ranking->tied == 1) {
    rs_text_append(line, " %s", rs_label_factor(ranking->factor, factor));
    return;
  }
  for (size_t c = 0; c < grid->column_count; c++) {
    if (c != ranking->best && mark(grid, point, c, ranking) == '~')
      rs_text_append(line, "~%s", rs_label_column_short(grid, c, label));
  }
}

// The larger side of the interval, in percent of the median; NaN when there is no interval.
static const char *format_spread(const struct rs_case_row *row, char label[RS_LABEL_BYTES]) {
  double percent = 100 * fmax(row->ci_high_ns - row->median_ns, row->median_ns - row->ci_low_ns) / row->median_ns;
  if (!isfinite(percent))
    snprintf(label, RS_LABEL_BYTES, "-");
  else if (percent >= 999.5)
    snprintf(label, RS_LABEL_BYTES, ">999");
  else
    snprintf(label, RS_LABEL_BYTES, "%.*f", percent < 9.95 ? 1 : 0, percent);
  return label;
}

// The cells of one implementation at one point, padded to GROUP_WIDTH.
static void append_group(const struct rs_case_row *row, char mark_character, struct rs_text *line) {
  char time[RS_LABEL_BYTES], spread[RS_LABEL_BYTES], busbw[RS_LABEL_BYTES];
  if (rs_report_usable(row))
    rs_text_append(line, "%*s%c%*s %*s", TIME_WIDTH, rs_label_us(row->median_ns, time), mark_character, SPREAD_WIDTH,
                   format_spread(row, spread), BUSBW_WIDTH, rs_label_gb_s(row->busbw_gb_s, busbw));
  else
    rs_text_append(line, "%*s%*s", TIME_WIDTH, rs_label_missing(row), GROUP_WIDTH - TIME_WIDTH, "");
}

static size_t group_width(const struct rs_grid *grid, size_t column) {
  char label[RS_LABEL_BYTES];
  return rs_max_size(GROUP_WIDTH, strlen(rs_label_column(grid, column, label)));
}

// Starts the next group: the separator, then what its label is wider than its cells.
static void append_separator(const struct rs_grid *grid, size_t column, struct rs_text *line) {
  rs_text_append(line, " | %*s", (int)(group_width(grid, column) - GROUP_WIDTH), "");
}

static void print_slab(const struct rs_grid *grid, size_t first, size_t end, struct rs_text *line, FILE *file) {
  char label[RS_LABEL_BYTES];
  bool compared = grid->column_count > 1;
  rs_text_append(line, "%*s", POINT_WIDTH, "");
  for (size_t c = first; c < end; c++)
    rs_text_append(line, " | %-*s", (int)group_width(grid, c), rs_label_column(grid, c, label));
  rs_text_append(line, "%s", compared ? " |" : "");
  rs_label_end_line(line, file);

  rs_text_append(line, "%*s", POINT_WIDTH, "size");
  for (size_t c = first; c < end; c++) {
    append_separator(grid, c, line);
    rs_text_append(line, "%*s %*s %*s", TIME_WIDTH, "time us", SPREAD_WIDTH, "+-%", BUSBW_WIDTH, "busbw");
  }
  rs_text_append(line, "%s", compared ? " | fastest" : "");
  rs_label_end_line(line, file);

  for (size_t p = 0; p < grid->point_count; p++) {
    struct ranking ranking = rank_point(grid, p);
    rs_text_append(line, "%*s", POINT_WIDTH, rs_label_size(grid->points[p]->size_bytes, label));
    for (size_t c = first; c < end; c++) {
      append_separator(grid, c, line);
      append_group(rs_grid_cell(grid, p, c), mark(grid, p, c, &ranking), line);
    }
    rs_text_append(line, "%s", compared ? " | " : "");
    append_verdict(grid, p, &ranking, line);
    rs_label_end_line(line, file);
  }
}

// The widest text of the last column, found by writing them all once.
static size_t verdict_width(const struct rs_grid *grid, struct rs_text *line) {
  size_t widest = strlen("fastest");
  for (size_t p = 0; p < grid->point_count; p++) {
    struct ranking ranking = rank_point(grid, p);
    append_verdict(grid, p, &ranking, line);
    widest = rs_max_size(widest, line->length);
    line->length = 0;
  }
  return widest;
}

// How many slabs keep every line within LINE_MAX_COLUMNS, columns being shared out evenly.
static size_t count_slabs(const struct rs_grid *grid, size_t verdict) {
  size_t widest_group = GROUP_WIDTH + GROUP_SEPARATOR_WIDTH, room = LINE_MAX_COLUMNS - POINT_WIDTH;
  for (size_t c = 0; c < grid->column_count; c++)
    widest_group = rs_max_size(widest_group, group_width(grid, c) + GROUP_SEPARATOR_WIDTH);
  verdict = grid->column_count > 1 ? verdict + GROUP_SEPARATOR_WIDTH : 0;
  size_t fitting = room > verdict ? (room - verdict) / widest_group : 0;
  return rs_divide_up(grid->column_count, rs_max_size(fitting, 1));
}

// Below the table, for each column whose algorithm or chunk was chosen, a line per run of sizes with the same choice:
//
//   auto/tcp: 8 B to 32 KiB tree
//             128 KiB to 64 MiB ring, chunk 256 KiB
static void print_chosen(const struct rs_grid *grid, size_t column, FILE *file) {
  char name[RS_LABEL_BYTES], first[RS_LABEL_BYTES], last[RS_LABEL_BYTES], words[RS_LABEL_BYTES], next[RS_LABEL_BYTES];
  int indent = (int)strlen(rs_label_column(grid, column, name));
  bool named = false;
  for (size_t p = 0, end; p < grid->point_count; p = end) {
    rs_label_chosen(rs_grid_cell(grid, p, column), words);
    for (end = p + 1; end < grid->point_count; end++)
      if (strcmp(rs_label_chosen(rs_grid_cell(grid, end, column), next), words) != 0)
        break;
    if (words[0] == '\0')
      continue;
    fprintf(file, "%*s%s %s%s%s %s\n", indent, named ? "" : name, named ? " " : ":",
            rs_label_size(grid->points[p]->size_bytes, first), end - p > 1 ? " to " : "",
            end - p > 1 ? rs_label_size(grid->points[end - 1]->size_bytes, last) : "", words);
    named = true;
  }
}

static enum rs_status print_block(const struct rs_grid *grid, FILE *file, struct rs_error *error) {
  char label[RS_LABEL_BYTES];
  struct rs_text line = {0};
  size_t slabs = count_slabs(grid, verdict_width(grid, &line));
  fprintf(file, "\n%s\n", rs_label_family(grid->points[0], label));
  for (size_t slab = 0; slab < slabs; slab++) {
    fputs(slab == 0 ? "" : "\n", file);
    print_slab(grid, grid->column_count * slab / slabs, grid->column_count * (slab + 1) / slabs, &line, file);
  }
  for (size_t c = 0; c < grid->column_count; c++)
    print_chosen(grid, c, file);
  bool failed = line.failed;
  rs_text_fini(&line);
  return failed ? rs_error_set_memory(error, RS_LABEL_BYTES, "a line of the table") : RS_OK;
}

const struct rs_layout rs_block_layout = {
    .holds = rs_report_collective,
    .family = RS_FIELD_FAMILY | RS_FIELD_ELEMENT | RS_FIELD_PLACE | RS_FIELD_TRAFFIC,
    .column = RS_FIELD_COLUMN,
    .point = RS_FIELD_POINT,
    .print = print_block,
};
