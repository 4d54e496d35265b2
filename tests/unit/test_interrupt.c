// Signals that are held wait until they are taken, in every thread; those that are ignored are not heard of.
#include "ringside/base.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_taken_once(void **state) {
  (void)state;
  static const struct {
    int number;
    const char *name;
  } signals[] = {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}};
  rs_interrupt_hold();
  assert_null(rs_interrupt_take());
  for (size_t i = 0; i < RS_ARRAY_LENGTH(signals); i++) {
    kill(getpid(), signals[i].number);
    kill(getpid(), signals[i].number);
    assert_string_equal(rs_interrupt_take(), signals[i].name);
    assert_null(rs_interrupt_take());
  }
  rs_interrupt_release();
}

static void *take(void *argument) {
  (void)argument;
  return (void *)rs_interrupt_take();
}

static void test_taken_by_a_thread(void **state) {
  (void)state;
  pthread_t thread;
  void *name;
  rs_interrupt_hold();
  kill(getpid(), SIGTERM);
  assert_int_equal(pthread_create(&thread, NULL, take, NULL), 0);
  pthread_join(thread, &name);
  assert_string_equal(name, "SIGTERM");
  rs_interrupt_release();
}

// As under nohup.
static void test_ignored(void **state) {
  (void)state;
  signal(SIGHUP, SIG_IGN);
  rs_interrupt_hold();
  kill(getpid(), SIGHUP);
  assert_null(rs_interrupt_take());
  rs_interrupt_release();
  signal(SIGHUP, SIG_DFL);
}

// What nobody took ends the process when it is released, as it would have at first.
static void test_released(void **state) {
  (void)state;
  int status;
  pid_t child = fork();
  if (child == 0) {
    signal(SIGTERM, SIG_DFL);
    rs_interrupt_hold();
    kill(getpid(), SIGTERM);
    rs_interrupt_release();
    _exit(0);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_taken_once),
      cmocka_unit_test(test_taken_by_a_thread),
      cmocka_unit_test(test_ignored),
      cmocka_unit_test(test_released),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
