// What the writer refuses, and that it leaves everything as it was; and file systems that lack one thing or another.
#include "store/sample_run.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

// ---- the C library's functions, with the defects of some file systems on demand

static struct {
  bool no_locks, no_noreplace, no_reservation;
  size_t replaced, locks_refused;
} defects;

int flock(int descriptor, int operation) {
  if (!defects.no_locks)
    return (int)syscall(SYS_flock, descriptor, operation);
  defects.locks_refused++;
  errno = ENOLCK;
  return -1;
}

int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
  if (!defects.no_noreplace)
    return (int)syscall(SYS_renameat2, from_directory, from, to_directory, to, flags);
  errno = EINVAL;
  return -1;
}

int posix_fallocate(int descriptor, off_t offset, off_t bytes) {
  if (defects.no_reservation)
    return EOPNOTSUPP;
  return syscall(SYS_fallocate, descriptor, 0, offset, bytes) == 0 ? 0 : errno;
}

// ---- helpers

static enum rs_status write_run(const char *path, bool force, struct rs_error *error) {
  struct sample_run run;
  sample_run_init(&run);
  *error = (struct rs_error){0};
  return sample_write_run(path, force, &run, error);
}

static void expect_written(const char *path, bool force) {
  struct rs_error error;
  if (write_run(path, force, &error) != RS_OK)
    fail_msg("%s", error.text);
  struct rs_result *result = NULL;
  assert_int_equal(rs_result_open(path, &result, &error), RS_OK);
  assert_string_equal(result->status, "complete");
  assert_true(sample_case_is_right(result, 3, &error));
  rs_result_close(result);
}

// Every refusal names the file and what is wrong.
static void expect_refused(const char *path, bool force, enum rs_status status, const char *words) {
  struct rs_error error;
  assert_int_equal(write_run(path, force, &error), status);
  if (strstr(error.text, path) == NULL || strstr(error.text, words) == NULL)
    fail_msg("\"%s\" does not say \"%s\" of %s", error.text, words, path);
}

static void put(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

static void expect_content(const char *path, const char *text) {
  char content[64] = "";
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  assert_non_null(fgets(content, sizeof content, file));
  fclose(file);
  assert_string_equal(content, text);
}

// ---- tests

static void test_existing_file_stays(void **state) {
  struct sample_place *place = *state;
  put(place->path, "precious");
  expect_refused(place->path, false, RS_ERROR_USAGE, "--force");
  expect_content(place->path, "precious");
  expect_written(place->path, true);
  expect_refused(place->path, false, RS_ERROR_USAGE, "--force");
}

// A file that appears between the check and the rename is refused by the rename itself, with either way of renaming.
static void test_existing_file_stays_in_a_race(void **state) {
  struct sample_place *place = *state;
  struct sample_run run;
  struct rs_error error = {0};
  struct rs_writer *writer;
  sample_run_init(&run);
  for (int way = 0; way < 2; way++) {
    defects.no_noreplace = way == 1;
    assert_int_equal(rs_writer_open(place->path, false, &run.facts, &writer, &error), RS_OK);
    // The same at the end: somebody put another file there during the run.
    unlink(place->path);
    put(place->path, "precious");
    assert_int_equal(rs_writer_finish(writer, &error), RS_ERROR_IO);
    expect_content(place->path, "precious");
    // The result is not lost, and the error says where it is.
    char *kept = strstr(error.text, ".run.h5.");
    assert_non_null(kept);
    char hidden[256];
    snprintf(hidden, sizeof hidden, "%s/%.*s", place->directory, (int)strcspn(kept, ","), kept);
    struct rs_result *result = NULL;
    error = (struct rs_error){0};
    assert_int_equal(rs_result_open(hidden, &result, &error), RS_OK);
    rs_result_close(result);
    unlink(hidden);
    unlink(place->path);
  }
  defects.no_noreplace = false;
}

static void test_places_that_cannot_be(void **state) {
  struct sample_place *place = *state;
  char path[256];
  snprintf(path, sizeof path, "%s/absent/run.h5", place->directory);
  expect_refused(path, false, RS_ERROR_USAGE, "No such file or directory");
  expect_refused(place->directory, true, RS_ERROR_USAGE, "not a regular file");
  expect_refused("/dev/null", true, RS_ERROR_USAGE, "not a regular file");
  expect_refused("", false, RS_ERROR_USAGE, "empty");
  put(place->path, "a file");
  snprintf(path, sizeof path, "%s/run.h5", place->path);
  expect_refused(path, false, RS_ERROR_USAGE, "Not a directory");
  char *long_name = malloc(strlen(place->directory) + 302);
  sprintf(long_name, "%s/%0300d", place->directory, 0);
  expect_refused(long_name, false, RS_ERROR_USAGE, "too long");
  free(long_name);
}

// root may write everywhere, so the test becomes somebody else.
static void test_read_only_directory(void **state) {
  struct sample_place *place = *state;
  assert_int_equal(chmod(place->directory, 0555), 0);
  pid_t child = fork();
  if (child == 0) {
    struct rs_error error;
    if (geteuid() == 0 && setuid(65534) != 0)
      _exit(2);
    enum rs_status status = write_run(place->path, false, &error);
    _exit(status == RS_ERROR_USAGE && strstr(error.text, "Permission denied") ? 0 : 1);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(chmod(place->directory, 0755), 0);
  assert_int_equal(status, 0);
}

static void test_file_system_without(void **state) {
  struct sample_place *place = *state;
  defects.no_locks = defects.no_noreplace = defects.no_reservation = true;
  expect_written(place->path, false);
  assert_true(defects.locks_refused > 0);
  expect_refused(place->path, false, RS_ERROR_USAGE, "--force");
  expect_written(place->path, true);
  defects.no_locks = defects.no_noreplace = defects.no_reservation = false;
}

// The size limit of a process fails writes as a full disk does, and works everywhere. In a child, which leaves by
// exit(): HDF5 must not stumble over the files that it could not close. Its exit code is 0 when the run was written, 1
// when it was refused with the reason.
static int write_under_limit(const char *path, rlim_t bytes) {
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    struct rs_error error;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){bytes, bytes});
    enum rs_status status = write_run(path, false, &error);
    if (status == RS_OK)
      exit(0);
    exit(status == RS_ERROR_IO && strstr(error.text, "File too large") && strstr(error.text, path) ? 1 : 2);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

// Cases that the file calls finished are right.
static size_t count_finished(const char *path) {
  struct rs_error error = {0};
  struct rs_result *result = NULL;
  size_t finished = 0;
  if (rs_result_open(path, &result, &error) != RS_OK)
    fail_msg("%s", error.text);
  for (size_t c = 0; c < SAMPLE_CASES; c++) {
    finished += result->cases[c].finished;
    assert_true(!result->cases[c].finished || sample_case_is_right(result, c, &error));
  }
  rs_result_close(result);
  return finished;
}

// From "nothing fits" to "everything fits": each step of the way fails at some limit.
static void grow_limit(const char *path) {
  size_t refused = 0, published = 0;
  int code = 1;
  for (rlim_t bytes = 64; code != 0; bytes += 500) {
    code = write_under_limit(path, bytes);
    assert_in_range(code, 0, 1);
    refused += code == 1;
    if (access(path, F_OK) != 0)
      continue;
    published++;
    size_t finished = count_finished(path);
    // With the space reserved, only the compressed copy can fail.
    assert_true(finished == SAMPLE_CASES || defects.no_reservation);
    unlink(path);
  }
  assert_true(refused > 20 && published > 5);
}

static void test_size_limit(void **state) {
  struct sample_place *place = *state;
  grow_limit(place->path);
  defects.no_reservation = true;
  grow_limit(place->path);
  defects.no_reservation = false;
}

static void test_full_disk(void **state) {
  struct sample_place *place = *state;
  if (geteuid() != 0 || mount("none", place->directory, "tmpfs", 0, "size=64k") != 0) {
    print_message("skipped: mounting a small tmpfs takes root\n");
    skip();
  }
  struct sample_run run;
  struct rs_error error = {0};
  struct rs_writer *writer;
  sample_run_init(&run);
  run.facts.max_iterations = 10000;
  enum rs_status status = rs_writer_open(place->path, false, &run.facts, &writer, &error);
  // Nothing is left behind, or the mount point would be busy with it.
  int left = access(place->path, F_OK);
  assert_int_equal(umount(place->directory), 0);
  assert_int_equal(status, RS_ERROR_IO);
  assert_int_not_equal(left, 0);
  assert_non_null(strstr(error.text, "No space left on device"));
  assert_non_null(strstr(error.text, "bytes on the disk"));
}

static void test_too_many_samples(void **state) {
  struct sample_place *place = *state;
  struct sample_run run;
  struct rs_error error = {0};
  struct rs_writer *writer;
  sample_run_init(&run);
  run.facts.max_iterations = SIZE_MAX / 100;
  assert_int_equal(rs_writer_open(place->path, false, &run.facts, &writer, &error), RS_ERROR_USAGE);
  assert_non_null(strstr(error.text, "samples.max_iterations"));
}

int main(void) {
#define TEST(function) cmocka_unit_test_setup_teardown(function, sample_place_make, sample_place_remove)
  const struct CMUnitTest tests[] = {
      TEST(test_existing_file_stays),
      TEST(test_existing_file_stays_in_a_race),
      TEST(test_places_that_cannot_be),
      TEST(test_read_only_directory),
      TEST(test_file_system_without),
      TEST(test_size_limit),
      TEST(test_full_disk),
      TEST(test_too_many_samples),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
