#include "measure/watchdog.h"

#include <time.h>

#define LOOK_NS INT64_C(100000000)

// Fills the error when there is a reason to end the run.
static enum rs_status judge(const struct watchdog *watchdog, struct rs_error *error) {
  int64_t since = atomic_load_explicit(&watchdog->since_ns, memory_order_relaxed);
  int64_t waited = since > 0 ? rs_clock_ns() - since : 0;
  const char *interrupt = waited > RS_INTERRUPT_PATIENCE_NS ? rs_interrupt_take() : NULL;
  if (interrupt)
    return rs_error_set(error, RS_ERROR_IO, "%s came when the baseline's collective had taken %.3g s", interrupt,
                        (double)waited / 1e9);
  if (waited > watchdog->timeout_ns)
    return rs_error_set(error, RS_ERROR_TIMEOUT,
                        "the baseline's collective of all ranks has not ended for %.3g s; ranks that wait for it say "
                        "so, and one that says nothing was killed or stopped, or is cut off (run.timeout sets the "
                        "limit, which is twice that)",
                        (double)waited / 1e9);
  return RS_OK;
}

static void *watch(void *argument) {
  struct watchdog *watchdog = argument;
  struct rs_error error = {0};
  pthread_mutex_lock(&watchdog->mutex);
  while (!watchdog->closing) {
    int64_t next = rs_clock_ns() + LOOK_NS;
    struct timespec until = {next / 1000000000, next % 1000000000};
    pthread_cond_timedwait(&watchdog->closed, &watchdog->mutex, &until);
    if (!watchdog->closing && judge(watchdog, &error) < 0)
      watchdog->stuck(watchdog->state, &error);
  }
  pthread_mutex_unlock(&watchdog->mutex);
  return NULL;
}

enum rs_status watchdog_open(struct watchdog *watchdog, struct rs_error *error) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&watchdog->closed, &attributes);
  pthread_condattr_destroy(&attributes);
  pthread_mutex_init(&watchdog->mutex, NULL);
  int code = pthread_create(&watchdog->thread, NULL, watch, watchdog);
  watchdog->opened = code == 0;
  if (code == 0)
    return RS_OK;
  pthread_mutex_destroy(&watchdog->mutex);
  pthread_cond_destroy(&watchdog->closed);
  return rs_error_set_errno(error, RS_ERROR_MEMORY, code, "starting the thread that watches baselines");
}

void watchdog_close(struct watchdog *watchdog) {
  if (!watchdog->opened)
    return;
  pthread_mutex_lock(&watchdog->mutex);
  watchdog->closing = true;
  pthread_cond_signal(&watchdog->closed);
  pthread_mutex_unlock(&watchdog->mutex);
  pthread_join(watchdog->thread, NULL);
  pthread_mutex_destroy(&watchdog->mutex);
  pthread_cond_destroy(&watchdog->closed);
  watchdog->opened = false;
}
