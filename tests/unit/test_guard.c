// The guard ends a process that hangs, with words, and leaves alone one that does not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "launch/guard.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// Runs `body` in a process whose stderr comes back in `text`; returns its exit code.
static int exit_of(void (*body)(struct guard *guard), char *text, size_t bytes) {
  int ends[2], state;
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    struct guard guard;
    guard_open(&guard);
    body(&guard);
    guard_close(&guard);
    _exit(0);
  }
  close(ends[1]);
  size_t length = 0;
  for (ssize_t got; (got = read(ends[0], text + length, bytes - 1 - length)) > 0;)
    length += (size_t)got;
  text[length] = '\0';
  close(ends[0]);
  assert_int_equal(waitpid(child, &state, 0), child);
  assert_true(WIFEXITED(state));
  return WEXITSTATUS(state);
}

static void hang(struct guard *guard) {
  guard_set(guard, 20000000, 3, "MPI_Finalize");
  for (;;)
    pause();
}

static void hang_before_ranks(struct guard *guard) {
  guard_set(guard, 20000000, SIZE_MAX, "MPI_Init");
  for (;;)
    pause();
}

// A limit that was lifted, and one that was replaced, do nothing.
static void end_in_time(struct guard *guard) {
  guard_set(guard, 20000000, 0, "a call that ends");
  guard_set(guard, 0, 0, "");
  usleep(60000);
  guard_set(guard, 20000000, 0, "a call that ends");
  guard_set(guard, INT64_C(60000000000), 0, "another");
  usleep(60000);
}

static void a_call_that_hangs(void **state) {
  (void)state;
  char text[1000];
  assert_int_equal(exit_of(hang, text, sizeof text), 4);
  assert_non_null(strstr(text, "rank 3: MPI_Finalize has not ended for 0.02 s"));
  assert_non_null(strstr(text, "run.timeout"));
  assert_int_equal(exit_of(hang_before_ranks, text, sizeof text), 4);
  assert_non_null(strstr(text, "a rank: MPI_Init has not ended"));
}

static void a_call_that_ends(void **state) {
  (void)state;
  char text[1000];
  assert_int_equal(exit_of(end_in_time, text, sizeof text), 0);
  assert_string_equal(text, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_call_that_hangs),
      cmocka_unit_test(a_call_that_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
