// printout: results on stdout, so that a full disk or a closed pipe does not pass for success.
#ifndef RINGSIDE_BENCH_PRINTOUT_H
#define RINGSIDE_BENCH_PRINTOUT_H

// Before the first line: a closed pipe becomes a write error instead of a silent death.
void printout_begin(void);
// After the last line: EXIT_YES, or the exit code of what kept stdout from being written, which is reported.
int printout_end(const char *command);

#endif
