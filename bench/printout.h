// printout: results on stdout, so that a full disk or a closed pipe does not pass for success.
#ifndef RINGSIDE_BENCH_PRINTOUT_H
#define RINGSIDE_BENCH_PRINTOUT_H

struct rs_result;

// Before the first line: a closed pipe becomes a write error instead of a silent death.
void printout_begin(void);
// A result for people: its table, and who kept the others waiting. The table stands without its samples too; then it
// says why nobody is named.
void printout_table(const struct rs_result *result);
// After the last line: EXIT_YES, or the exit code of what kept stdout from being written, which is reported.
int printout_end(const char *command);

#endif
