// report_labels: how cases, columns and numbers are written for people. Plain ASCII; all texts go to the caller's
// buffer, which is returned.
#ifndef RINGSIDE_REPORT_REPORT_LABELS_H
#define RINGSIDE_REPORT_REPORT_LABELS_H

#include "report/report_grid.h"

#define RS_LABEL_BYTES 160

// "allreduce, float32 sum, out of place, isolated, 4 ranks"
// and what else sets the family of the case apart.
const char *rs_label_family(const struct rs_case_row *row, char label[RS_LABEL_BYTES]);
// The same without what the missing roles say.
const char *rs_label_roles(const struct rs_case_row *row, unsigned roles, char label[RS_LABEL_BYTES]);
// "ring/tcp", then chunk and lanes where they are set: "ring/tcp chunk 256 KiB 2 lanes"; "auto:ring/tcp chunk 128 KiB"
const char *rs_label_case(const struct rs_case_row *row, char label[RS_LABEL_BYTES]);
// The same of cases that differ in their size: "auto/tcp chunk auto"
const char *rs_label_cases(const struct rs_case_row *row, char label[RS_LABEL_BYTES]);
// "ring/tcp", then chunk and lanes where the grid has several of them for this implementation and transport; "auto/tcp"
const char *rs_label_column(const struct rs_grid *grid, size_t column, char label[RS_LABEL_BYTES]);
// The implementation, then what sets the column apart from its others: "ring", "ring chunk 256 KiB"
const char *rs_label_column_short(const struct rs_grid *grid, size_t column, char label[RS_LABEL_BYTES]);
// What was chosen for the size of a case, or NULL: "ring, chunk 256 KiB", "tree" where nothing is cut, "chunk 256 KiB"
// and "uncut" where the algorithm was given; "" where nothing was chosen
const char *rs_label_chosen(const struct rs_case_row *row, char label[RS_LABEL_BYTES]);
// What stands in the place of a time that may not be shown: "" (not planned), "-" (not finished), "FAILED", "n/a"
const char *rs_label_missing(const struct rs_case_row *row);
// "64 KiB", or "65537 B" where a binary unit would round.
const char *rs_label_size(uint64_t bytes, char label[RS_LABEL_BYTES]);
// Microseconds with about four digits: "0.350", "12.34", "1234"
const char *rs_label_us(double ns, char label[RS_LABEL_BYTES]);
// A bandwidth with about four digits: "0.0003", "1.234", "123.4"
const char *rs_label_gb_s(double gb_s, char label[RS_LABEL_BYTES]);
// A factor above 1: "1.04x", "12.3x", "140x"
const char *rs_label_factor(double factor, char label[RS_LABEL_BYTES]);
// Prints a line without the blanks at its end, and empties it.
void rs_label_end_line(struct rs_text *line, FILE *file);

#endif
