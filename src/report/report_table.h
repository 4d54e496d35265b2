// report_table: the parts of the table for people, printed in this order: header, tables by layout, notes.
#ifndef RINGSIDE_REPORT_REPORT_TABLE_H
#define RINGSIDE_REPORT_REPORT_TABLE_H

#include "report/report_grid.h"

// Where, when, on what, and how much of it is done.
void rs_report_header(const struct rs_result *result, FILE *file);
// The name of a line of the header; the rest of the line is the caller's.
void rs_report_begin_line(const char *name, FILE *file);
// Of the header: a line for every counter that rose and should not have, and for ranks that lost their CPU.
void rs_report_counters(const struct rs_result *result, FILE *file);
void rs_report_links(const struct rs_result *result, FILE *file);
// A line where the network was emulated, nothing else.
void rs_report_emulation(const struct rs_result *result, FILE *file);
// Collectives: a row per size, a group of columns per implementation; wide ones are printed in several slabs.
extern const struct rs_layout rs_block_layout;
// Point to point: a line per size over all pairs, the slow pairs, a heat map.
extern const struct rs_layout rs_pairs_layout;
// Reduction kernels: a line per datatype, operation and size, a column per kernel, all beside memcpy.
extern const struct rs_layout rs_kernels_layout;
// Background traffic: each case beside its quiet twin.
extern const struct rs_layout rs_slowdown_layout;
// How to read the blocks, and every case that needs a word.
void rs_report_notes(const struct rs_result *result, FILE *file);

#endif
