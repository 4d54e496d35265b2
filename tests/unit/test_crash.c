// The promise of the result file, tried at every step: a child writes a run and dies at its k-th change of the disk,
// for every k; whatever is then at the final name opens and holds every case that the child had reported as stored.
//
// The child's system calls come through the functions below, which take the place of the C library's for HDF5 too.
// fsync is not passed on: a killed process loses nothing that the kernel has. Power does, and that is simulated: every
// write that no fsync of its file has followed may be undone.
#include "store/sample_run.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

enum death {
  DEATH_CLEAN, // before the step
  DEATH_TORN,  // in the middle of a write
  DEATH_POWER, // before the step, and some writes that were not synchronised never reach the disk
  DEATH_CUT,   // the same, and none of them does: the file as it was at its last synchronisation
};

struct undo {
  int descriptor; // a duplicate
  dev_t device;
  ino_t inode;
  off_t offset;
  size_t bytes;
  unsigned char *before;
};
static struct {
  bool armed;
  size_t steps, last; // dies at step `last`, counted from 1; 0: never
  enum death death;
  struct rs_random random;
  struct undo undo[4096];
  size_t undo_count;
  size_t writes, syncs;
} disk;

// ---- dying

static void lose_power(void) {
  for (size_t u = disk.undo_count; u-- > 0;)
    if (disk.death == DEATH_CUT || rs_random_below(&disk.random, 2))
      syscall(SYS_pwrite64, disk.undo[u].descriptor, disk.undo[u].before, disk.undo[u].bytes, disk.undo[u].offset);
}

// One change of the disk; true when the caller is to tear it and die.
static bool step(bool is_write) {
  if (!disk.armed || ++disk.steps != disk.last)
    return false;
  if (is_write && disk.death == DEATH_TORN)
    return true;
  if (disk.death >= DEATH_POWER)
    lose_power();
  kill(getpid(), SIGKILL);
  return false;
}

static void remember(int descriptor, size_t bytes, off_t offset) {
  struct stat file;
  if (!disk.armed || disk.death < DEATH_POWER)
    return;
  if (disk.undo_count == RS_ARRAY_LENGTH(disk.undo) || fstat(descriptor, &file) != 0)
    abort();
  struct undo *undo = &disk.undo[disk.undo_count++];
  *undo =
      (struct undo){fcntl(descriptor, F_DUPFD_CLOEXEC, 100), file.st_dev, file.st_ino, offset, bytes, calloc(1, bytes)};
  // What lies behind the end of the file reads as zeros after a crash.
  syscall(SYS_pread64, descriptor, undo->before, bytes, offset);
}

static void forget(int descriptor) {
  struct stat file;
  size_t kept = 0;
  if (fstat(descriptor, &file) != 0)
    abort();
  for (size_t u = 0; u < disk.undo_count; u++) {
    if (disk.undo[u].device != file.st_dev || disk.undo[u].inode != file.st_ino) {
      disk.undo[kept++] = disk.undo[u];
      continue;
    }
    close(disk.undo[u].descriptor);
    free(disk.undo[u].before);
  }
  disk.undo_count = kept;
}

// ---- what HDF5 and the store call

ssize_t pwrite(int descriptor, const void *data, size_t bytes, off_t offset) {
  disk.writes++;
  if (step(true)) {
    syscall(SYS_pwrite64, descriptor, data, bytes / 2, offset);
    kill(getpid(), SIGKILL);
  }
  remember(descriptor, bytes, offset);
  return syscall(SYS_pwrite64, descriptor, data, bytes, offset);
}

int ftruncate(int descriptor, off_t bytes) {
  step(false);
  return (int)syscall(SYS_ftruncate, descriptor, bytes);
}

int posix_fallocate(int descriptor, off_t offset, off_t bytes) {
  step(false);
  return syscall(SYS_fallocate, descriptor, 0, offset, bytes) == 0 ? 0 : errno;
}

int fsync(int descriptor) {
  disk.syncs++;
  step(false);
  forget(descriptor);
  return 0;
}

int fdatasync(int descriptor) {
  return fsync(descriptor);
}

int rename(const char *from, const char *to) {
  step(false);
  return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
  step(false);
  return (int)syscall(SYS_renameat2, from_directory, from, to_directory, to, flags);
}

int unlink(const char *path) {
  step(false);
  return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

// ---- the child

enum { REPORT_OPEN = 'o', REPORT_FINISHED = 'f', REPORT_CASE = '0' };

static void report(int descriptor, int what) {
  char byte = (char)what;
  if (write(descriptor, &byte, 1) != 1)
    _exit(3);
}

static const size_t case_order[SAMPLE_CASES] = {1, 3, 0, 2};

// `finish`: ends normally; otherwise the run is given up after its last case, as a failing one is.
static void write_run(const char *path, bool force, bool finish, int reports) {
  struct sample_run run;
  struct rs_error error = {0};
  struct rs_writer *writer;
  sample_run_init(&run);
  disk.armed = true;
  enum rs_status status = rs_writer_open(path, force, &run.facts, &writer, &error);
  if (status == RS_OK)
    report(reports, REPORT_OPEN);
  for (size_t c = 0; status == RS_OK && c < SAMPLE_CASES; c++) {
    status = sample_write_case(writer, &run, case_order[c], &error);
    if (status == RS_OK)
      report(reports, REPORT_CASE + (int)case_order[c]);
  }
  if (status == RS_OK && finish) {
    status = rs_writer_finish(writer, &error);
    if (status == RS_OK)
      report(reports, REPORT_FINISHED);
  } else if (status == RS_OK) {
    rs_writer_abandon(writer);
  }
  if (status != RS_OK)
    fprintf(stderr, "%s\n", error.text);
  _exit(status == RS_OK ? 0 : 2);
}

// ---- the parent

struct story {
  bool opened, finished, cases[SAMPLE_CASES];
  bool completed; // the child came to its end
};

static struct story run_child(const char *path, bool force, bool finish, size_t last, enum death death) {
  struct story story = {0};
  int pipes[2], status;
  assert_int_equal(pipe(pipes), 0);
  pid_t child = fork();
  if (child == 0) {
    close(pipes[0]);
    disk.last = last;
    disk.death = death;
    disk.random.state = last;
    write_run(path, force, finish, pipes[1]);
  }
  close(pipes[1]);
  char what;
  while (read(pipes[0], &what, 1) == 1) {
    story.opened |= what == REPORT_OPEN;
    story.finished |= what == REPORT_FINISHED;
    if (what >= REPORT_CASE && what < REPORT_CASE + SAMPLE_CASES)
      story.cases[what - REPORT_CASE] = true;
  }
  close(pipes[0]);
  assert_int_equal(waitpid(child, &status, 0), child);
  story.completed = WIFEXITED(status);
  if (story.completed)
    assert_int_equal(WEXITSTATUS(status), 0);
  else
    assert_int_equal(WTERMSIG(status), SIGKILL);
  return story;
}

static void check_file(const char *path, const struct story *story, size_t last, enum death death) {
  struct rs_error error = {0};
  struct rs_result *result;
  if (rs_result_open(path, &result, &error) != RS_OK)
    fail_msg("killed at step %zu (death %d): %s", last, death, error.text);
  assert_int_equal(result->case_count, SAMPLE_CASES);
  assert_string_equal(result->config, sample_config);
  if (story->finished)
    assert_string_equal(result->status, "complete");
  for (size_t c = 0; c < SAMPLE_CASES; c++) {
    if (story->cases[c] && !result->cases[c].finished)
      fail_msg("killed at step %zu (death %d): case %zu had been stored and is not in the file", last, death, c);
    if (result->cases[c].finished && !sample_case_is_right(result, c, &error))
      fail_msg("killed at step %zu (death %d): case %zu is finished and wrong: %s", last, death, c, error.text);
  }
  rs_result_close(result);
}

static void empty_directory(const char *directory) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'/* '%s'/.[!.]*", directory, directory);
  assert_int_equal(system(command), 0);
}

// `existing`: an older result stands at the name and is to be replaced; it must be there until the new one is.
static void kill_at_every_step(bool existing, bool finish, enum death death) {
  char path[128], *directory = sample_directory();
  struct sample_run run;
  struct rs_error error = {0};
  assert_non_null(directory);
  snprintf(path, sizeof path, "%s/run.h5", directory);
  sample_run_init(&run);
  struct story story = {0};
  size_t last = 0;
  while (!story.completed) {
    if (existing)
      assert_int_equal(sample_write_run(path, true, &run, &error), RS_OK);
    story = run_child(path, existing, finish, ++last, death);
    if (access(path, F_OK) == 0)
      check_file(path, &story, last, death);
    else if (existing || story.opened)
      fail_msg("killed at step %zu (death %d): the file is gone", last, death);
    empty_directory(directory);
  }
  print_message("%zu kill points\n", last - 1);
  // Two synchronisations and five writes a case, and the file itself.
  assert_true(last > 7 * SAMPLE_CASES + 20);
  rmdir(directory);
  free(directory);
}

static void test_killed(void **state) {
  (void)state;
  kill_at_every_step(false, true, DEATH_CLEAN);
}

static void test_killed_within_a_write(void **state) {
  (void)state;
  kill_at_every_step(false, true, DEATH_TORN);
}

static void test_killed_while_giving_up(void **state) {
  (void)state;
  for (enum death death = DEATH_CLEAN; death <= DEATH_POWER; death++)
    kill_at_every_step(false, false, death);
}

static void test_killed_over_an_older_result(void **state) {
  (void)state;
  kill_at_every_step(true, true, DEATH_TORN);
}

static void test_power_lost(void **state) {
  (void)state;
  kill_at_every_step(false, true, DEATH_POWER);
  kill_at_every_step(false, true, DEATH_CUT);
}

// Pairs, samples, iterations, row, sync, row, sync: HDF5 keeps nothing back and writes nothing of its own.
static void test_a_case_is_five_writes(void **state) {
  (void)state;
  char path[128], *directory = sample_directory();
  struct sample_run run;
  struct rs_error error = {0};
  struct rs_writer *writer;
  assert_non_null(directory);
  snprintf(path, sizeof path, "%s/run.h5", directory);
  sample_run_init(&run);
  assert_int_equal(rs_writer_open(path, false, &run.facts, &writer, &error), RS_OK);
  for (size_t c = 0; c < SAMPLE_CASES; c++) {
    disk.writes = disk.syncs = 0;
    assert_int_equal(sample_write_case(writer, &run, c, &error), RS_OK);
    assert_int_equal(disk.writes, 5);
    assert_int_equal(disk.syncs, 2);
  }
  // Closing writes the superblock once more, and only the byte that says "open for writing" (its 21st) differs.
  char command[300];
  snprintf(command, sizeof command, "cp '%s' '%s.before'", path, path);
  assert_int_equal(system(command), 0);
  rs_writer_abandon(writer);
  snprintf(command, sizeof command, "! cmp -l '%s' '%s.before' | grep -v '^ *21 '", path, path);
  assert_int_equal(system(command), 0);
  empty_directory(directory);
  rmdir(directory);
  free(directory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_case_is_five_writes),       cmocka_unit_test(test_killed),
      cmocka_unit_test(test_killed_within_a_write),       cmocka_unit_test(test_killed_while_giving_up),
      cmocka_unit_test(test_killed_over_an_older_result), cmocka_unit_test(test_power_lost),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
