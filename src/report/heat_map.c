// Eight ranks on two hosts; rank 5 has a bad cable, so its line and its column are dark:
//
//         rank  0 1 2 3 | 4 5 6 7
//   node-0  0 |   . . . | * @ * *
//           1 | .   . . | * @ * *
//           2 | . .   . | * @ * *
//           3 | . . .   | * @ * *
//   node-1  4 | * * * * |   . . .
//           5 | @ @ @ @ | .   . .
//           ...
//   us from  . 4.99  : 5.83  - 6.83  = 7.99  + 9.34  * 10.93  # 12.79  % 14.96  @ 17.50 to 20.47
//
// Levels are steps of one ratio, so that a map with one very bad pair still tells the others apart. A step is never
// less than 5%: what differs by less looks the same.
#include "report/heat_map.h"
#include "ringside/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LINE_COLUMNS 120
#define RANKS_MAX 64
#define NAME_COLUMNS 24
#define STEP_LEAST 1.05
static const char inks[] = ".:-=+*#%@";
#define LEVELS_MAX (sizeof inks - 1)

struct map {
  const struct rs_placement *placement;
  bool of_hosts;
  size_t count;        // ranks or hosts
  double *cells;       // count x count times; NaN: not measured
  size_t spacing;      // columns of a cell
  bool has_bars;       // between hosts
  size_t digits;       // of the largest number
  size_t name, number; // columns of a host's name and of a number
  double best_ns, worst_ns;
  size_t levels;
};

// ---- what is in the map -----------------------------------------------------------------------------------

static uint32_t host_of(const struct map *map, size_t item) {
  return map->of_hosts ? (uint32_t)item : map->placement->ranks[item].host;
}

static bool starts_host(const struct map *map, size_t item) {
  return item == 0 || host_of(map, item) != host_of(map, item - 1);
}

static size_t count_bars(const struct map *map) {
  size_t bars = 0;
  for (size_t i = 1; i < map->count; i++)
    bars += starts_host(map, i);
  return bars;
}

// "  NAME NUMBER |" and the cells.
static size_t line_columns(const struct map *map) {
  size_t bars = map->has_bars ? count_bars(map) : 0;
  return 2 + map->name + 1 + map->number + 2 + map->spacing * (map->count + bars);
}

// Sets the shape of the map; false when it does not fit.
static bool lay_out(struct map *map, const struct rs_placement *placement, bool of_hosts) {
  *map = (struct map){.placement = placement, .of_hosts = of_hosts};
  map->count = of_hosts ? placement->host_count : placement->rank_count;
  map->digits = (size_t)snprintf(NULL, 0, "%zu", map->count - 1);
  map->number = rs_max_size(map->digits, 2);
  for (size_t h = 0; placement->host_count > 1 && h < placement->host_count; h++)
    map->name = rs_max_size(map->name, rs_min_size(strlen(placement->hosts[h].hostname), NAME_COLUMNS));
  // Where hosts change at every other rank, bars would hide the map.
  map->has_bars = !of_hosts && 2 * count_bars(map) <= map->count;
  map->spacing = 2;
  if (line_columns(map) > LINE_COLUMNS)
    map->spacing = 1;
  return line_columns(map) <= LINE_COLUMNS;
}

struct entry {
  size_t cell;
  double ns;
};

static int compare_entries(const void *left, const void *right) {
  const struct entry *a = left, *b = right;
  if (a->cell != b->cell)
    return a->cell < b->cell ? -1 : 1;
  return (a->ns > b->ns) - (a->ns < b->ns);
}

static size_t item_of(const struct map *map, uint32_t rank) {
  return map->of_hosts ? map->placement->ranks[rank].host : rank;
}

// The median of the entries of each cell, which stands in both halves of the map.
static void fill_cells(struct map *map, struct entry *entries, size_t count) {
  qsort(entries, count, sizeof *entries, compare_entries);
  for (size_t first = 0, end; first < count; first = end) {
    for (end = first + 1; end < count && entries[end].cell == entries[first].cell;)
      end++;
    double median = (entries[first + (end - first - 1) / 2].ns + entries[first + (end - first) / 2].ns) / 2;
    size_t row = entries[first].cell / map->count, column = entries[first].cell % map->count;
    map->cells[row * map->count + column] = map->cells[column * map->count + row] = median;
    map->best_ns = first == 0 ? median : fmin(map->best_ns, median);
    map->worst_ns = first == 0 ? median : fmax(map->worst_ns, median);
  }
  double steps = ceil(log(map->worst_ns / map->best_ns) / log(STEP_LEAST));
  map->levels = !(steps >= 1) ? 1 : steps > (double)LEVELS_MAX ? LEVELS_MAX : (size_t)steps;
}

static enum rs_status fill(struct map *map, const struct rs_pair_times *times, struct rs_error *error) {
  size_t cells = map->count * map->count; // at most 120 each way
  struct entry *entries = rs_allocate(times->count, sizeof *entries, "a heat map", error);
  map->cells = rs_allocate(cells, sizeof *map->cells, "a heat map", error);
  if (entries == NULL || map->cells == NULL)
    goto free_entries;
  for (size_t c = 0; c < cells; c++)
    map->cells[c] = NAN;
  for (size_t t = 0; t < times->count; t++) {
    size_t a = item_of(map, times->items[t].rank_a), b = item_of(map, times->items[t].rank_b);
    entries[t] = (struct entry){rs_min_size(a, b) * map->count + rs_max_size(a, b), times->items[t].median_ns};
  }
  fill_cells(map, entries, times->count);

free_entries:
  free(entries);
  return error->status;
}

// ---- printing ---------------------------------------------------------------------------------------------

static double level_start(const struct map *map, size_t level) {
  return map->best_ns * pow(map->worst_ns / map->best_ns, (double)level / (double)map->levels);
}

static char ink(const struct map *map, size_t row, size_t column) {
  double ns = map->cells[row * map->count + column];
  if (isnan(ns))
    return row == column ? ' ' : '?';
  size_t level = 0;
  while (level + 1 < rs_min_size(map->levels, LEVELS_MAX) && ns >= level_start(map, level + 1))
    level++;
  return inks[level];
}

static void append_bar(const struct map *map, size_t item, char bar, struct rs_text *line) {
  if (map->has_bars && item > 0 && starts_host(map, item))
    rs_text_append(line, "%*c", (int)map->spacing, bar);
}

// The numbers of the columns, written downwards; the last line has what they are before them.
static void print_heading(const struct map *map, struct rs_text *line, FILE *file) {
  for (size_t digit = map->digits; digit-- > 0;) {
    size_t unit = 1;
    for (size_t d = 0; d < digit; d++)
      unit *= 10;
    rs_text_append(line, "  %*s ", (int)(map->name + 1 + map->number + 1),
                   digit > 0       ? ""
                   : map->of_hosts ? "host"
                                   : "rank");
    for (size_t item = 0; item < map->count; item++) {
      bool blank = digit > 0 && item < unit;
      append_bar(map, item, digit > 0 ? ' ' : '|', line);
      rs_text_append(line, "%*c", (int)map->spacing, blank ? ' ' : (char)('0' + item / unit % 10));
    }
    rs_label_end_line(line, file);
  }
}

static void print_rows(const struct map *map, struct rs_text *line, FILE *file) {
  for (size_t row = 0; row < map->count; row++) {
    const char *name = map->name > 0 && starts_host(map, row) ? map->placement->hosts[host_of(map, row)].hostname : "";
    rs_text_append(line, "  %-*.*s %*zu |", (int)map->name, NAME_COLUMNS, name, (int)map->number, row);
    for (size_t column = 0; column < map->count; column++) {
      append_bar(map, column, '|', line);
      rs_text_append(line, "%*c", (int)map->spacing, ink(map, row, column));
    }
    rs_label_end_line(line, file);
  }
}

static bool has_gaps(const struct map *map) {
  for (size_t c = 0; c < map->count * map->count; c++)
    if (isnan(map->cells[c]) && c / map->count != c % map->count)
      return true;
  return false;
}

static void print_legend(const struct map *map, const struct rs_pair_figure *figure, FILE *file) {
  char label[RS_LABEL_BYTES];
  fprintf(file, "  %s from", figure->unit);
  for (size_t level = 0; level < map->levels; level++)
    fprintf(file, "  %c %s", inks[level], rs_pair_figure_label(figure, level_start(map, level), label));
  fprintf(file, " to %s\n%s", rs_pair_figure_label(figure, map->worst_ns, label),
          has_gaps(map) ? "  ? not measured\n" : "");
}

enum rs_status rs_heat_map_print(const struct rs_placement *placement, const struct rs_pair_times *times,
                                 const struct rs_pair_figure *figure, FILE *file, struct rs_error *error) {
  struct map map;
  struct rs_text line = {0};
  bool many_hosts = placement->host_count > 1;
  bool fits = lay_out(&map, placement, false) && (map.count <= RANKS_MAX || !many_hosts);
  if (!fits && many_hosts)
    fits = lay_out(&map, placement, true);
  if (!fits) {
    fprintf(file, "  no map: %zu ranks on %zu hosts do not fit; --json has every pair\n", placement->rank_count,
            placement->host_count);
    return RS_OK;
  }
  if (fill(&map, times, error) == RS_OK) {
    if (map.of_hosts)
      fputs("  host against host, the median over the pairs of their ranks:\n", file);
    print_heading(&map, &line, file);
    print_rows(&map, &line, file);
    print_legend(&map, figure, file);
  }
  if (line.failed)
    rs_error_set_memory(error, LINE_COLUMNS, "a heat map");
  rs_text_fini(&line);
  free(map.cells);
  return error->status;
}
