// comparison_words: parts of sentences on ratios, shared by the comparison and the gate.
#ifndef RINGSIDE_REPORT_COMPARISON_WORDS_H
#define RINGSIDE_REPORT_COMPARISON_WORDS_H

#include "ringside/report.h"

// "between 2.0% faster and 4.1% slower"
void rs_word_range(double low, double high, struct rs_text *text);
// "about 6 more launches per set would decide"
void rs_word_launches(size_t needed, struct rs_text *text);
// Prints `text` and a line end, with lines of at most 120 columns, those after the first with `indent` blanks in front;
// the first begins at `column`. Both are at most half a line.
void rs_word_wrap(const char *text, size_t column, size_t indent, FILE *file);

#endif
