#include "report/comparison_words.h"

#include <string.h>

#define CHECK_WIDTH 42

static void print_line(const char *kind, const char *name, const char *text, FILE *file) {
  int width = fprintf(file, "  %-9s  %-*s  ", kind, CHECK_WIDTH, name);
  rs_word_wrap(text, width > 0 ? (size_t)width : 0, 2 + 9 + 2 + CHECK_WIDTH + 2, file);
}

static void print_differences(const struct rs_comparison *comparison, FILE *file) {
  for (size_t d = 0; d < comparison->difference_count; d++) {
    const struct rs_comparison_difference *difference = &comparison->differences[d];
    struct rs_text values = {0};
    rs_text_append(&values, "%s | %s", difference->values[0], difference->values[1]);
    print_line("differs", difference->field, values.data != NULL ? values.data : "", file);
    rs_text_fini(&values);
  }
}

void rs_gate_print(const struct rs_gate_outcome *outcome, FILE *file) {
  static const char *const words[] = {"UNDECIDED", "pass", "FAIL"};
  static const char *const answers[] = {
      "undecided: these launches do not tell whether %s is within what is tolerated against %s\n",
      "pass: %s is not slower than %s by more than is tolerated\n",
      "fail: %s does not reach %s\n",
  };
  const struct rs_comparison *comparison = outcome->comparison;
  const struct rs_comparison_set *sets = comparison->sets;
  fprintf(file, "%s (%zu launch%s) against %s (%zu launch%s), %.4g%% confidence in all checks together\n", sets[1].name,
          sets[1].count, sets[1].count == 1 ? "" : "es", sets[0].name, sets[0].count, sets[0].count == 1 ? "" : "es",
          100 * comparison->level);
  for (size_t c = 0; c < outcome->check_count; c++)
    print_line(words[outcome->checks[c].result], outcome->checks[c].name, outcome->checks[c].reason, file);
  print_differences(comparison, file);
  for (size_t w = 0; w < comparison->warning_count; w++) {
    fputs("  warning    ", file);
    rs_word_wrap(comparison->warnings[w], 13, 13, file);
  }
  fprintf(file, answers[outcome->result], sets[1].name, sets[0].name);
}

// ---- GitHub -----------------------------------------------------------------------------------------------

// As actions/toolkit escapes data; in properties also ':' and ','.
static void print_escaped(const char *text, const char *escaped, FILE *file) {
  for (; *text != '\0'; text++) {
    if (strchr(escaped, *text) != NULL)
      fprintf(file, "%%%02X", (unsigned)(unsigned char)*text);
    else
      fputc(*text, file);
  }
}

void rs_gate_github(const struct rs_gate_outcome *outcome, FILE *file) {
  static const char *const commands[] = {"warning", NULL, "error"};
  for (size_t c = 0; c < outcome->check_count; c++) {
    const struct rs_gate_check *check = &outcome->checks[c];
    if (commands[check->result] == NULL)
      continue;
    fprintf(file, "::%s title=", commands[check->result]);
    print_escaped("ringside gate: ", "%\r\n:,", file);
    print_escaped(check->name, "%\r\n:,", file);
    fputs("::", file);
    print_escaped(outcome->comparison->sets[1].name, "%\r\n", file);
    fputs(check->result == RS_GATE_FAIL ? " fails: " : " is undecided: ", file);
    print_escaped(check->reason, "%\r\n", file);
    fputc('\n', file);
  }
}

// ---- JUnit ------------------------------------------------------------------------------------------------

static void print_xml(const char *text, FILE *file) {
  for (; *text != '\0'; text++) {
    switch (*text) {
    case '&':
      fputs("&amp;", file);
      break;
    case '<':
      fputs("&lt;", file);
      break;
    case '>':
      fputs("&gt;", file);
      break;
    case '"':
      fputs("&quot;", file);
      break;
    default: // XML 1.0 has no way to write other control characters
      fputc((unsigned char)*text < ' ' ? ' ' : *text, file);
    }
  }
}

void rs_gate_junit_begin(FILE *file) {
  fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", file);
}

void rs_gate_junit_end(FILE *file) {
  fputs("</testsuites>\n", file);
}

// Undecided is an <error>: the test could not be carried out, which must not look like success.
void rs_gate_junit(const struct rs_gate_outcome *outcome, FILE *file) {
  static const char *const elements[] = {"error", NULL, "failure"};
  size_t counts[RS_ARRAY_LENGTH(elements)] = {0};
  for (size_t c = 0; c < outcome->check_count; c++)
    counts[outcome->checks[c].result]++;
  fputs(" <testsuite name=\"ringside gate: ", file);
  print_xml(outcome->comparison->sets[1].name, file);
  fputs(" against ", file);
  print_xml(outcome->comparison->sets[0].name, file);
  fprintf(file, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\">\n", outcome->check_count, counts[RS_GATE_FAIL],
          counts[RS_GATE_UNDECIDED]);
  for (size_t c = 0; c < outcome->check_count; c++) {
    const struct rs_gate_check *check = &outcome->checks[c];
    fprintf(file, "  <testcase classname=\"ringside.%s\" name=\"", check->metric);
    print_xml(check->name, file);
    fputs("\">\n", file);
    const char *element = elements[check->result] != NULL ? elements[check->result] : "system-out";
    fprintf(file, "   <%s%s", element, elements[check->result] != NULL ? " message=\"" : ">");
    print_xml(check->reason, file);
    if (elements[check->result] != NULL)
      fputs("\"/>\n", file);
    else
      fprintf(file, "</%s>\n", element);
    fputs("  </testcase>\n", file);
  }
  fputs(" </testsuite>\n", file);
}
