// The choice for people: a table of every group at its best, and what it allows to say.
#include "report/comparison_words.h"
#include "report/report_labels.h"
#include "ringside/report.h"

#include <math.h>
#include <string.h>

static const struct rs_decision *decision_of(const struct rs_choice *choice, const struct rs_choice_point *point,
                                             size_t a, size_t b) {
  return &point->decisions[rs_choice_pair_index(a < b ? a : b, a < b ? b : a, choice->groups->count)];
}

// The time of group `b` as a multiple of group `a`'s, with its interval.
struct multiple {
  double ratio, low, high;
};
static struct multiple multiple_of(const struct rs_choice *choice, const struct rs_choice_point *point, size_t a,
                                   size_t b) {
  const struct rs_decision *decision = decision_of(choice, point, a, b);
  if (a < b)
    return (struct multiple){decision->ratio, decision->ratio_low, decision->ratio_high};
  return (struct multiple){1 / decision->ratio, 1 / decision->ratio_high, 1 / decision->ratio_low};
}

// ---- table ------------------------------------------------------------------------------------------------

static void print_headings(const struct rs_choice *choice, size_t best, struct rs_table *table) {
  char heading[128];
  rs_table_column(table, RS_ALIGN_RIGHT, "size");
  for (size_t i = 0; i < choice->groups->count; i++) {
    size_t g = i == 0 ? best : i <= best ? i - 1 : i;
    snprintf(heading, sizeof heading, "%.32s us", choice->groups->items[g].value);
    rs_table_column(table, RS_ALIGN_RIGHT, heading);
    rs_table_column(table, RS_ALIGN_LEFT, "by");
    if (g == best)
      continue;
    snprintf(heading, sizeof heading, "/ %.32s", choice->groups->items[best].value);
    rs_table_column(table, RS_ALIGN_RIGHT, heading);
    rs_table_column(table, RS_ALIGN_LEFT, "interval");
  }
}

static void print_cell(const struct rs_choice *choice, const struct rs_choice_point *point, size_t best, size_t g,
                       struct rs_table *table) {
  const struct rs_choice_cell *cell = &point->cells[g];
  char label[RS_LABEL_BYTES];
  rs_table_cell(table, "%s", cell->best ? rs_label_us(cell->time_ns, label) : "-");
  rs_table_cell(table, "%s", cell->best ? cell->best->implementation : "");
  if (g == best)
    return;
  struct multiple multiple = multiple_of(choice, point, best, g);
  const struct rs_decision *decision = decision_of(choice, point, best, g);
  bool decided = decision->verdict == RS_FASTER || decision->verdict == RS_SLOWER;
  if (isnan(multiple.ratio)) {
    rs_table_cell(table, "%s", "");
    rs_table_cell(table, "%s", "");
    return;
  }
  rs_table_cell(table, "%s%s", rs_label_factor(multiple.ratio, label), decided ? "*" : " ");
  if (decision->level_reached > 0)
    rs_table_cell(table, "%.3g .. %.3g", multiple.low, multiple.high);
  else
    rs_table_cell(table, "%s", "");
}

static void print_table(const struct rs_choice *choice, const struct rs_choice_family *family, FILE *file) {
  struct rs_table *table = rs_table_open();
  char size[RS_LABEL_BYTES];
  print_headings(choice, family->best, table);
  for (size_t p = 0; p < family->point_count; p++) {
    const struct rs_choice_point *point = &family->points[p];
    rs_table_cell(table, "%s", rs_label_size(point->size_bytes, size));
    print_cell(choice, point, family->best, family->best, table);
    for (size_t g = 0; g < choice->groups->count; g++)
      if (g != family->best)
        print_cell(choice, point, family->best, g, table);
  }
  rs_table_print(table, file);
  rs_table_close(table);
}

// ---- words ------------------------------------------------------------------------------------------------

// "1.8x at 64 KiB (1.7 .. 1.9), 3.2x at 4 MiB (3.1 .. 3.3)": the ends of a run.
static void append_ends(const struct rs_choice *choice, const struct rs_choice_family *family,
                        const struct rs_choice_run *run, size_t winner, size_t loser, struct rs_text *text) {
  size_t ends[2] = {run->first, run->first + run->count - 1};
  for (size_t e = 0; e < (run->count > 1 ? 2U : 1U); e++) {
    const struct rs_choice_point *point = &family->points[ends[e]];
    struct multiple multiple = multiple_of(choice, point, winner, loser);
    char factor[RS_LABEL_BYTES], size[RS_LABEL_BYTES];
    rs_text_append(text, "%s%s the time at %s (%.3g .. %.3g)", e ? ", " : "", rs_label_factor(multiple.ratio, factor),
                   rs_label_size(point->size_bytes, size), multiple.low, multiple.high);
  }
}

static void append_where(const struct rs_choice_family *family, const struct rs_choice_run *run, bool from_largest,
                         struct rs_text *text) {
  char size[RS_LABEL_BYTES];
  if (run->count == family->point_count)
    rs_text_append(text, "at every size");
  else if (from_largest)
    rs_text_append(text, "from %s on", rs_label_size(family->points[run->first].size_bytes, size));
  else
    rs_text_append(text, "up to %s", rs_label_size(family->points[run->count - 1].size_bytes, size));
}

static void append_run(const struct rs_choice *choice, const struct rs_choice_family *family,
                       const struct rs_choice_run *run, bool from_largest, size_t a, size_t b, struct rs_text *text) {
  const struct rs_result_group *groups = choice->groups->items;
  size_t winner = run->verdict == RS_FASTER ? b : a, loser = winner == a ? b : a;
  rs_text_append(text, "%s%s is faster than %s ", text->length ? "; " : "", groups[winner].value, groups[loser].value);
  append_where(family, run, from_largest, text);
  rs_text_append(text, ": %s takes ", groups[loser].value);
  append_ends(choice, family, run, winner, loser, text);
}

// Nothing could be said of the pair at either end: for lack of launches, or because they are alike.
static void append_nothing(const struct rs_choice *choice, const struct rs_choice_family *family, size_t a, size_t b,
                           struct rs_text *text) {
  const struct rs_result_group *groups = choice->groups->items;
  const struct rs_choice_point *largest = &family->points[family->point_count - 1];
  const struct rs_decision *decision = decision_of(choice, largest, a, b);
  char size[RS_LABEL_BYTES];
  rs_text_append(text, "%s and %s: ", groups[a].value, groups[b].value);
  if (decision->doubt == RS_DOUBT_COUNT)
    rs_text_append(text, "undecided; %zu and %zu launches are too few, %zu of each could decide", groups[a].count,
                   groups[b].count, choice->launches_wanted);
  else if (decision->verdict == RS_NO_DIFFERENCE)
    rs_text_append(text, "no difference beyond %.3g%% at %s", 100 * choice->threshold,
                   rs_label_size(largest->size_bytes, size));
  else if (isnan(decision->ratio))
    rs_text_append(text, "not measured alike at %s", rs_label_size(largest->size_bytes, size));
  else
    rs_text_append(text, "undecided at %s (%s takes %.3g .. %.3gx the time)", rs_label_size(largest->size_bytes, size),
                   groups[b].value, decision->ratio_low, decision->ratio_high);
}

static void print_pair(const struct rs_choice *choice, const struct rs_choice_family *family, size_t a, size_t b,
                       FILE *file) {
  size_t pair = rs_choice_pair_index(a, b, choice->groups->count);
  const struct rs_choice_run *largest = &family->largest[pair], *smallest = &family->smallest[pair];
  struct rs_text text = {0};
  if (largest->count > 0)
    append_run(choice, family, largest, true, a, b, &text);
  if (smallest->count > 0 && largest->count < family->point_count)
    append_run(choice, family, smallest, false, a, b, &text);
  if (text.length == 0)
    append_nothing(choice, family, a, b, &text);
  fputs("  ", file);
  rs_word_wrap(text.data ? text.data : "", 2, 4, file);
  rs_text_fini(&text);
}

// "tree up to 4 KiB, ring up to 256 KiB, hierarchical above"
static void print_implementations(const struct rs_choice *choice, const struct rs_choice_family *family, size_t g,
                                  FILE *file) {
  struct rs_text text = {0};
  char size[RS_LABEL_BYTES];
  const char *last = "";
  rs_text_append(&text, "best with %s: ", choice->groups->items[g].value);
  size_t start = text.length;
  for (size_t p = 0; p < family->point_count; p++) {
    const struct rs_case_row *best = family->points[p].cells[g].best;
    bool ends =
        p + 1 == family->point_count || family->points[p + 1].cells[g].best == NULL ||
        (best != NULL && strcmp(best->implementation, family->points[p + 1].cells[g].best->implementation) != 0);
    if (best == NULL || !ends)
      continue;
    bool whole = text.length == start && p + 1 == family->point_count;
    rs_text_append(&text, "%s%s", text.length > start ? ", " : "", best->implementation);
    if (whole)
      rs_text_append(&text, " at every size");
    else if (p + 1 < family->point_count)
      rs_text_append(&text, " up to %s", rs_label_size(family->points[p].size_bytes, size));
    else
      rs_text_append(&text, " above");
    last = best->implementation;
  }
  if (last[0] != '\0') {
    fputs("  ", file);
    rs_word_wrap(text.data ? text.data : "", 2, 4, file);
  }
  rs_text_fini(&text);
}

// Launches that lack cases.
static void append_partial(const struct rs_choice *choice, struct rs_text *text) {
  size_t all = 0, partial = 0;
  for (size_t g = 0; g < choice->groups->count; g++) {
    const struct rs_result_group *group = &choice->groups->items[g];
    for (size_t l = 0; l < group->count; l++)
      partial += strcmp(group->results[l]->status, "complete") != 0;
    all += group->count;
  }
  if (partial > 0)
    rs_text_append(text, ". %zu of %zu launches did not end; what one of them lacks counts for none of its group",
                   partial, all);
}

static void print_sureness(const struct rs_choice *choice, FILE *file) {
  struct rs_text text = {0};
  rs_text_append(&text, "how sure: ");
  for (size_t g = 0; g < choice->groups->count; g++)
    rs_text_append(&text, "%s%zu launch%s of %s", g ? ", " : "", choice->groups->items[g].count,
                   choice->groups->items[g].count == 1 ? "" : "es", choice->groups->items[g].value);
  rs_text_append(&text, "; with %.4g%% confidence all that is called faster is so", 100 * choice->level);
  if (choice->fewest_launches < choice->launches_wanted)
    rs_text_append(&text, ". Fewer than %zu launches of each can call nothing faster", choice->launches_wanted);
  append_partial(choice, &text);
  fputs("  ", file);
  rs_word_wrap(text.data ? text.data : "", 2, 4, file);
  rs_text_fini(&text);
}

void rs_choice_print(const struct rs_choice *choice, FILE *file) {
  char label[RS_LABEL_BYTES];
  size_t count = choice->groups->count;
  for (size_t f = 0; f < choice->family_count; f++) {
    const struct rs_choice_family *family = &choice->families[f];
    fprintf(file, "%s%s, by %s\n", f ? "\n" : "", rs_label_family(family->identity, label), choice->field);
    print_table(choice, family, file);
    fprintf(file, "\n  best over all sizes: %s (least geometric mean of the times at %zu sizes)\n",
            choice->groups->items[family->best].value, family->common);
    for (size_t a = 0; a < count; a++)
      for (size_t b = a + 1; b < count; b++)
        print_pair(choice, family, a, b, file);
    for (size_t g = 0; g < count; g++)
      print_implementations(choice, family, g, file);
    print_sureness(choice, file);
  }
  fputs("\n  us    the median launch's median time of the group's fastest implementation at that size\n"
        "  *     surely different (the intervals are for the sentences, and wider than for one size alone)\n",
        file);
}
