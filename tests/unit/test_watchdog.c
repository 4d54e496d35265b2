// A collective that does not end within the limit is reported once it is due, with its words; one that does, never is.
#include "measure/watchdog.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LONG_NS INT64_C(3600000000000)

enum { STUCK_TIMEOUT = 10, STUCK_OTHER };

// Ends the child, as the real one ends the rank.
static void stuck(void *state, const struct rs_error *error) {
  const char *words = state;
  _exit(error->status < 0 && strstr(error->text, words) ? STUCK_TIMEOUT : STUCK_OTHER);
}

// A child that watches a collective which began `ago_ns` before now, for as long as the parent needs to see it end.
static int watch_in_child(int64_t timeout_ns, int64_t ago_ns, int number, const char *words) {
  int status;
  pid_t child = fork();
  if (child == 0) {
    struct rs_error error = {0};
    struct watchdog watchdog = {.timeout_ns = timeout_ns, .stuck = stuck, .state = (void *)words};
    rs_interrupt_hold();
    if (number)
      kill(getpid(), number);
    if (watchdog_open(&watchdog, &error) < 0)
      _exit(1);
    watchdog_watch(&watchdog, rs_clock_ns() - ago_ns);
    sleep(20);
    _exit(0);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static void test_stuck(void **state) {
  (void)state;
  assert_int_equal(watch_in_child(1, 2, 0, "run.timeout"), STUCK_TIMEOUT);
}

static void test_interrupted(void **state) {
  (void)state;
  assert_int_equal(watch_in_child(LONG_NS, 2 * RS_INTERRUPT_PATIENCE_NS, SIGTERM, "SIGTERM came"), STUCK_TIMEOUT);
}

static void fail_at_once(void *state, const struct rs_error *error) {
  (void)state;
  fprintf(stderr, "%s\n", error->text);
  abort();
}

static void test_nothing_to_watch(void **state) {
  (void)state;
  struct rs_error error = {0};
  struct watchdog watchdog = {.timeout_ns = 1, .stuck = fail_at_once};
  watchdog_watch(&watchdog, 1);
  watchdog_close(&watchdog); // never opened
  watchdog_watch(&watchdog, 0);
  assert_int_equal(watchdog_open(&watchdog, &error), RS_OK);
  usleep(250000); // it looks twice
  watchdog_close(&watchdog);
  watchdog_close(&watchdog);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_stuck),
      cmocka_unit_test(test_interrupted),
      cmocka_unit_test(test_nothing_to_watch),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
