#include "launch/guard.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)

// Nothing but async-signal-safe calls; whoever was interrupted may hold any lock.
static void end_process(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  const struct guard *guard = info->si_value.sival_ptr;
  if (info->si_code == SI_TIMER)
    (void)!write(STDERR_FILENO, guard->text, strlen(guard->text));
  _exit(rs_status_exit_code(RS_ERROR_TIMEOUT));
}

void guard_open(struct guard *guard) {
  *guard = (struct guard){0};
  struct sigaction action = {.sa_sigaction = end_process, .sa_flags = SA_SIGINFO};
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM, .sigev_value = {.sival_ptr = guard}};
  guard->open = sigaction(SIGALRM, &action, NULL) == 0 && timer_create(CLOCK_MONOTONIC, &event, &guard->timer) == 0;
}

void guard_close(struct guard *guard) {
  if (guard->open)
    timer_delete(guard->timer);
  guard->open = false;
}

void guard_set(struct guard *guard, int64_t timeout_ns, size_t rank, const char *what) {
  if (!guard->open)
    return;
  struct itimerspec at = {0};
  timer_settime(guard->timer, 0, &at, NULL);
  if (timeout_ns <= 0)
    return;
  char who[32] = "a rank";
  if (rank != SIZE_MAX)
    snprintf(who, sizeof who, "rank %zu", rank);
  snprintf(guard->text, sizeof guard->text,
           "ringside: %s: %s has not ended for %.3g s; is every rank alive, and does the network between their hosts "
           "drop packets? (run.timeout sets the limit)\n",
           who, what, (double)timeout_ns / 1e9);
  at.it_value = (struct timespec){.tv_sec = timeout_ns / NS_PER_S, .tv_nsec = timeout_ns % NS_PER_S};
  timer_settime(guard->timer, 0, &at, NULL);
}
