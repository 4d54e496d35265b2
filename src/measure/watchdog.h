// watchdog: a thread that ends a run whose baseline does not return. Our own waits have deadlines; a collective of
// somebody else's waits for ever for a rank that is lost.
#ifndef RINGSIDE_MEASURE_WATCHDOG_H
#define RINGSIDE_MEASURE_WATCHDOG_H

#include "ringside/base.h"

#include <pthread.h>
#include <stdatomic.h>

struct watchdog {
  int64_t timeout_ns;
  // Called in the watchdog's thread; the process ends there, as nobody else could go on.
  void (*stuck)(void *state, const struct rs_error *error);
  void *state;
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t closed;
  bool opened, closing;
  _Atomic(int64_t) since_ns; // when the last collective ended; 0: there is nothing to watch
};

// Starts the thread; timeout_ns, stuck and state are set. {0} may be closed.
enum rs_status watchdog_open(struct watchdog *watchdog, struct rs_error *error);
void watchdog_close(struct watchdog *watchdog);

// A collective begins no later than now; 0: none does. On a watchdog that is not open it means nothing.
static inline void watchdog_watch(struct watchdog *watchdog, int64_t now_ns) {
  atomic_store_explicit(&watchdog->since_ns, now_ns, memory_order_relaxed);
}

#endif
