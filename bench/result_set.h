// result_set: the result files that a command names, opened.
#ifndef RINGSIDE_BENCH_RESULT_SET_H
#define RINGSIDE_BENCH_RESULT_SET_H

#include "ringside/store.h"

struct result_set {
  struct rs_result **results;
  size_t count;
};

// Opens every file that `arguments` (files, directories, patterns) stand for, sorted by path; `what` names the set in
// errors. Either all are open on return, or none. Start as {0}; result_set_close is fine at any time.
enum rs_status result_set_open(const char *const *arguments, size_t count, const char *what, struct result_set *set,
                               struct rs_error *error);
void result_set_close(struct result_set *set);

#endif
