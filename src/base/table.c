#include "ringside/base.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_COLUMNS_MAX 32

struct rs_table {
  size_t columns;
  enum rs_align align[TABLE_COLUMNS_MAX];
  char **cells; // row-major; row 0 is the headings
  size_t cell_count, cell_capacity;
  bool failed;
};

struct rs_table *rs_table_open(void) {
  return calloc(1, sizeof(struct rs_table));
}

void rs_table_close(struct rs_table *table) {
  if (table == NULL)
    return;
  for (size_t i = 0; i < table->cell_count; i++)
    free(table->cells[i]);
  free(table->cells);
  free(table);
}

static void add_cell(struct rs_table *table, const char *text) {
  if (table->cell_count == table->cell_capacity) {
    size_t capacity = table->cell_capacity * 2 + 64;
    char **cells = realloc(table->cells, capacity * sizeof *cells);
    if (cells == NULL) {
      table->failed = true;
      return;
    }
    table->cells = cells;
    table->cell_capacity = capacity;
  }
  char *copy = strdup(text);
  if (copy == NULL)
    table->failed = true;
  else
    table->cells[table->cell_count++] = copy;
}

void rs_table_column(struct rs_table *table, enum rs_align align, const char *heading) {
  if (table == NULL || table->failed)
    return;
  if (table->columns == TABLE_COLUMNS_MAX) {
    table->failed = true;
    return;
  }
  table->align[table->columns++] = align;
  add_cell(table, heading);
}

void rs_table_cell(struct rs_table *table, const char *format, ...) {
  if (table == NULL || table->failed)
    return;
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  add_cell(table, text);
}

// Code points, which is columns for the texts used here.
static size_t width_of(const char *text) {
  size_t width = 0;
  for (; *text; text++)
    width += ((unsigned char)*text & 0xc0) != 0x80;
  return width;
}

static void print_cell(const struct rs_table *table, size_t column, const char *text, size_t width, FILE *file) {
  int padding = (int)(width - width_of(text));
  bool last = column + 1 == table->columns;
  if (table->align[column] == RS_ALIGN_RIGHT)
    fprintf(file, "%*s%s", padding, "", text);
  else
    fprintf(file, "%s%*s", text, last ? 0 : padding, "");
  fputs(last ? "\n" : "  ", file);
}

void rs_table_print(const struct rs_table *table, FILE *file) {
  if (table == NULL || table->failed) {
    fputs("(out of memory for this table)\n", file);
    return;
  }
  size_t widths[TABLE_COLUMNS_MAX] = {0};
  for (size_t i = 0; i < table->cell_count; i++) {
    size_t column = i % table->columns;
    widths[column] = rs_max_size(widths[column], width_of(table->cells[i]));
  }
  for (size_t i = 0; i < table->cell_count; i++) {
    size_t column = i % table->columns;
    print_cell(table, column, table->cells[i], widths[column], file);
  }
}
