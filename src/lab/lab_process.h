// lab_process: runs one command to its end, without a shell.
#ifndef RINGSIDE_LAB_PROCESS_H
#define RINGSIDE_LAB_PROCESS_H

#include "ringside/lab.h"

// Blocks until the command ends, at most 30 s; then, and when this process dies, it is killed. IO unless its exit code
// is 0, with the command and what it wrote to stderr. Its stdout is thrown away.
enum rs_status rs_process_run(const struct rs_command *command, struct rs_error *error);

#endif
