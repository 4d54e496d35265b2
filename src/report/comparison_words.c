// What a decision says, in words that one can stand by: never more than the interval and the test allow.
#include "report/comparison_words.h"
#include "report/report_labels.h"

#include <math.h>
#include <string.h>

// From twice the time on, a factor reads better than percent.
#define FACTOR_FROM 2.0
#define LINE_WIDTH 120

static const char *const metric_words[RS_CLASS_METRICS] = {"", "streaming, ", "point to point, ", "p99, "};

void rs_comparison_name_class(const struct rs_comparison_class *class, struct rs_text *text) {
  char smallest[RS_LABEL_BYTES], largest[RS_LABEL_BYTES];
  rs_label_size(class->smallest, smallest);
  rs_label_size(class->largest, largest);
  rs_text_append(text, "%s%s (%s", metric_words[class->metric], rs_size_class_names[class->size_class], smallest);
  if (class->largest > class->smallest)
    rs_text_append(text, "..%s", largest);
  rs_text_append(text, ")");
}

// "12", "4.1", "0.03": two digits, the sign apart.
static void append_percent(double change, struct rs_text *text) {
  double percent = fabs(100 * change);
  rs_text_append(text, "%.*f", percent >= 9.95 ? 0 : percent >= 0.095 || percent == 0 ? 1 : 2, percent);
}

// The same ends, and which side they are on when it is not the one that is spoken of.
static void append_end(double change, struct rs_text *text) {
  rs_text_append(text, "%s", change < 0 ? "-" : "");
  append_percent(change, text);
}

// "faster by 12% (9.1 .. 15%)", "slower: 2.5x the time (2.1 .. 2.9x)"
static void append_change(const char *word, double ratio, double low, double high, struct rs_text *text) {
  bool slower = ratio > 1;
  if (ratio >= FACTOR_FROM || ratio <= 1 / FACTOR_FROM) {
    rs_text_append(text, "%s: %.3gx the time (%.3g .. %.3gx)", word, ratio, low, high);
    return;
  }
  rs_text_append(text, "%s by ", word);
  append_percent(ratio - 1, text);
  rs_text_append(text, "%% (");
  append_end(slower ? low - 1 : 1 - high, text);
  rs_text_append(text, " .. ");
  append_end(slower ? high - 1 : 1 - low, text);
  rs_text_append(text, "%%)");
}

// "2.0% faster", "1.2x slower"
static void append_side(double ratio, struct rs_text *text) {
  const char *word = ratio < 1 ? "faster" : "slower";
  if (ratio >= FACTOR_FROM || ratio <= 1 / FACTOR_FROM) {
    rs_text_append(text, "%.3gx %s", ratio < 1 ? 1 / ratio : ratio, word);
    return;
  }
  append_percent(ratio - 1, text);
  rs_text_append(text, "%% %s", word);
}

void rs_word_range(double low, double high, struct rs_text *text) {
  rs_text_append(text, "between ");
  append_side(low, text);
  rs_text_append(text, " and ");
  append_side(high, text);
}

void rs_word_launches(size_t needed, struct rs_text *text) {
  if (needed >= RS_LAUNCHES_MANY)
    rs_text_append(text, "%d more launches per set or more would be needed", RS_LAUNCHES_MANY);
  else if (needed > 0)
    rs_text_append(text, "about %zu more launch%s per set would decide", needed, needed == 1 ? "" : "es");
  else
    rs_text_append(text, "how many more launches would decide cannot be told");
}

static void append_undecided(const struct rs_comparison_class *class, struct rs_text *text) {
  const struct rs_decision *decision = &class->decision;
  if (decision->doubt == RS_DOUBT_VALUES) {
    rs_text_append(text, "undecided: no case of it is in every launch");
    return;
  }
  if (decision->doubt == RS_DOUBT_COUNT) {
    rs_text_append(text, "undecided: %zu + %zu launches are too few; ", decision->baseline_count,
                   decision->candidate_count);
    rs_word_launches(decision->launches_needed, text);
    return;
  }
  rs_text_append(text, "undecided (");
  rs_word_range(decision->ratio_low, decision->ratio_high, text);
  rs_text_append(text, "); ");
  rs_word_launches(decision->launches_needed, text);
}

void rs_comparison_word(const struct rs_comparison *comparison, const struct rs_comparison_class *class,
                        struct rs_text *text) {
  const struct rs_decision *decision = &class->decision;
  switch (decision->verdict) {
  case RS_FASTER:
  case RS_SLOWER:
    append_change(decision->verdict == RS_FASTER ? "faster" : "slower", decision->ratio, decision->ratio_low,
                  decision->ratio_high, text);
    break;
  case RS_NO_DIFFERENCE:
    rs_text_append(text, "no difference beyond %.3g%%", 100 * comparison->threshold);
    break;
  case RS_UNDECIDED:
    append_undecided(class, text);
    break;
  }
}

void rs_word_wrap(const char *text, size_t column, size_t indent, FILE *file) {
  while (*text != '\0') {
    size_t room = column < LINE_WIDTH / 2 ? LINE_WIDTH - column : LINE_WIDTH / 2, length = strlen(text);
    if (length > room) {
      size_t cut = room;
      while (cut > 0 && text[cut] != ' ')
        cut--;
      length = cut > 0 ? cut : room;
    }
    fprintf(file, "%.*s\n", (int)length, text);
    text += length + strspn(text + length, " ");
    column = indent;
    if (*text != '\0')
      fprintf(file, "%*s", (int)indent, "");
  }
}

// ---- the sentence -----------------------------------------------------------------------------------------

static size_t count_verdict(const struct rs_comparison *comparison, enum rs_verdict verdict) {
  size_t count = 0;
  for (size_t c = 0; c < comparison->class_count; c++)
    count += comparison->classes[c].decision.verdict == verdict;
  return count;
}

// "by 12% (9.1 .. 15%) for small (8 B..4 KiB), by ... for large (...)"
static void append_classes(const struct rs_comparison *comparison, enum rs_verdict verdict, bool sizes,
                           struct rs_text *text) {
  for (size_t c = 0, named = 0; c < comparison->class_count; c++) {
    const struct rs_comparison_class *class = &comparison->classes[c];
    if (class->decision.verdict != verdict)
      continue;
    struct rs_text words = {0};
    rs_comparison_word(comparison, class, &words);
    // Behind "faster" or "slower" stands " by 12% (...)" or ": 2.5x the time (...)".
    const char *rest = sizes && words.data != NULL ? words.data + strcspn(words.data, ": ") : "";
    rs_text_append(text, "%s%s%s ", named == 0 || *rest == ':' ? "" : ",", named > 0 && *rest == ':' ? ", " : "",
                   named > 0 && *rest == ':' ? rest + 2 : rest);
    rs_text_append(text, "%s", sizes ? "for " : "");
    rs_text_fini(&words);
    named++;
    rs_comparison_name_class(class, text);
  }
}

// The most launches that a class asks for.
static size_t most_needed(const struct rs_comparison *comparison) {
  size_t needed = 0;
  for (size_t c = 0; c < comparison->class_count; c++)
    needed = rs_max_size(needed, comparison->classes[c].decision.launches_needed);
  return needed;
}

static void append_nothing_decided(const struct rs_comparison *comparison, struct rs_text *text) {
  size_t needed = most_needed(comparison);
  rs_text_append(text, "These launches (%zu of %s, %zu of %s) do not decide whether %s is faster or slower than %s",
                 comparison->sets[0].count, comparison->sets[0].name, comparison->sets[1].count,
                 comparison->sets[1].name, comparison->sets[1].name, comparison->sets[0].name);
  if (needed > 0) {
    rs_text_append(text, "; ");
    rs_word_launches(needed, text);
  }
  rs_text_append(text, ".");
}

void rs_comparison_sentence(const struct rs_comparison *comparison, struct rs_text *text) {
  static const struct {
    enum rs_verdict verdict;
    const char *words;
    bool sizes;
  } parts[] = {{RS_SLOWER, "is slower than", true}, {RS_FASTER, "is faster than", true}, {RS_NO_DIFFERENCE, "", false}};
  const struct rs_comparison_set *sets = comparison->sets;
  if (comparison->class_count == 0) {
    rs_text_append(text,
                   "Nothing that verdicts are spoken on was measured by both sets; the cases above are all there is.");
    return;
  }
  size_t undecided = count_verdict(comparison, RS_UNDECIDED), said = 0;
  if (undecided == comparison->class_count) {
    append_nothing_decided(comparison, text);
    return;
  }
  for (size_t p = 0; p < RS_ARRAY_LENGTH(parts); p++) {
    if (count_verdict(comparison, parts[p].verdict) == 0)
      continue;
    rs_text_append(text, "%s", said == 0 ? "" : "; ");
    const char *subject = said++ == 0 ? sets[1].name : "it";
    if (parts[p].verdict == RS_NO_DIFFERENCE)
      rs_text_append(text, "%s takes as long as %s within %.3g%% for", subject, sets[0].name,
                     100 * comparison->threshold);
    else
      rs_text_append(text, "%s %s %s", subject, parts[p].words, sets[0].name);
    append_classes(comparison, parts[p].verdict, parts[p].sizes, text);
  }
  if (undecided > 0) {
    rs_text_append(text, "; undecided for");
    append_classes(comparison, RS_UNDECIDED, false, text);
  }
  rs_text_append(text, ". (%zu + %zu launches, %.4g%% confidence in all of it together)", sets[0].count, sets[1].count,
                 100 * comparison->level);
}
