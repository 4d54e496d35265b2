// guard: ends this process when a call that cannot be interrupted takes too long. A timer and its signal, no thread, so
// that a measured rank is not disturbed.
#ifndef RINGSIDE_LAUNCH_GUARD_H
#define RINGSIDE_LAUNCH_GUARD_H

#include "ringside/base.h"

#include <time.h>

struct guard {
  timer_t timer;
  bool open;
  char text[512]; // what the process says at its end
};
// Takes SIGALRM. Without a timer the guard does nothing.
void guard_open(struct guard *guard);
void guard_close(struct guard *guard);
// From now on the process has `timeout_ns` until the next guard_set; beyond it, it prints that `what` has not ended and
// exits with the code of a run that failed. 0: no limit.
void guard_set(struct guard *guard, int64_t timeout_ns, size_t rank, const char *what);

#endif
