#include "ringside/base.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

static const struct {
  int number;
  const char *name;
} ending[] = {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}};

// A blocked signal waits even where it is ignored, as nohup and shells ask for; so those are left out.
static void fill_set(sigset_t *set) {
  sigemptyset(set);
  for (size_t i = 0; i < RS_ARRAY_LENGTH(ending); i++) {
    struct sigaction action;
    if (sigaction(ending[i].number, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
      sigaddset(set, ending[i].number);
  }
}

void rs_interrupt_hold(void) {
  sigset_t set;
  fill_set(&set);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void rs_interrupt_release(void) {
  sigset_t set;
  fill_set(&set);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

const char *rs_interrupt_take(void) {
  sigset_t set;
  fill_set(&set);
  int number = sigtimedwait(&set, NULL, &(struct timespec){0});
  for (size_t i = 0; i < RS_ARRAY_LENGTH(ending); i++)
    if (ending[i].number == number)
      return ending[i].name;
  return NULL;
}
