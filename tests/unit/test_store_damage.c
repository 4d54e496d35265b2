// Files that are not results, or no longer: a clear answer, never a crash, never a print.
#include "store/sample_run.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

struct bytes {
  unsigned char *data;
  size_t length;
};

static struct bytes read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  fseek(file, 0, SEEK_END);
  struct bytes bytes = {.length = (size_t)ftell(file)};
  rewind(file);
  bytes.data = malloc(bytes.length);
  assert_int_equal(fread(bytes.data, 1, bytes.length, file), bytes.length);
  fclose(file);
  return bytes;
}

static void write_file(const char *path, const void *data, size_t length) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, length, file), length);
  fclose(file);
}

// A complete file, or one in the making with two of its cases.
static struct bytes make_file(const char *path, bool complete) {
  struct sample_run run;
  struct rs_error error = {0};
  struct rs_writer *writer;
  sample_run_init(&run);
  if (complete) {
    assert_int_equal(sample_write_run(path, true, &run, &error), RS_OK);
  } else {
    assert_int_equal(rs_writer_open(path, true, &run.facts, &writer, &error), RS_OK);
    assert_int_equal(sample_write_case(writer, &run, 0, &error), RS_OK);
    assert_int_equal(sample_write_case(writer, &run, 2, &error), RS_OK);
    rs_writer_abandon(writer);
  }
  return read_file(path);
}

static void expect_unreadable(const char *path, const char *words) {
  struct rs_error error = {0};
  struct rs_result *result = NULL;
  assert_int_equal(rs_result_open(path, &result, &error), RS_ERROR_USAGE);
  assert_null(result);
  if (strstr(error.text, path) == NULL || strstr(error.text, words) == NULL)
    fail_msg("\"%s\" does not say \"%s\" of %s", error.text, words, path);
}

static void test_no_result(void **state) {
  struct sample_place *place = *state;
  expect_unreadable(place->path, "No such file or directory");
  expect_unreadable(place->directory, "not a file");
  write_file(place->path, "", 0);
  expect_unreadable(place->path, "not a result file");
  write_file(place->path, "size,count\n8,2\n", 15);
  expect_unreadable(place->path, "not a result file");
  unlink(place->path);
  assert_int_equal(mkfifo(place->path, 0600), 0);
  expect_unreadable(place->path, "not a file");
}

// Opens the file, and reads the samples of every case that it calls finished. What it holds does not matter.
static enum rs_status read_everything(const char *path, struct rs_error *error) {
  struct rs_result *result;
  enum rs_status status = rs_result_open(path, &result, error);
  if (status != RS_OK)
    return status;
  for (size_t c = 0; status == RS_OK && c < result->case_count; c++) {
    struct rs_iteration_row *iterations;
    struct rs_sample *samples;
    if (!result->cases[c].finished)
      continue;
    status = rs_result_samples(result, &result->cases[c], &iterations, &samples, error);
    if (status == RS_OK) {
      free(iterations);
      free(samples);
    }
  }
  rs_result_close(result);
  return status;
}

static void test_cut_short(void **state) {
  struct sample_place *place = *state;
  for (int complete = 0; complete < 2; complete++) {
    struct bytes whole = make_file(place->path, complete);
    for (size_t length = 8; length < whole.length; length += 1 + length / 50) {
      write_file(place->path, whole.data, length);
      expect_unreadable(place->path, "cut short");
    }
    write_file(place->path, whole.data, whole.length - 1);
    expect_unreadable(place->path, "cut short");
    free(whole.data);
  }
}

// HDF5's own complaints, which it prints by default, must not reach the terminal.
static void test_silent(void **state) {
  struct sample_place *place = *state;
  char noise[160];
  struct stat printed;
  struct rs_error error = {0};
  struct bytes whole = make_file(place->path, true);
  write_file(place->path, whole.data, whole.length / 2);
  snprintf(noise, sizeof noise, "%s/noise", place->directory);
  fflush(stderr);
  int terminal = dup(STDERR_FILENO), file = open(noise, O_RDWR | O_CREAT, 0600);
  dup2(file, STDERR_FILENO);
  enum rs_status status = read_everything(place->path, &error);
  fflush(stderr);
  dup2(terminal, STDERR_FILENO);
  assert_int_equal(fstat(file, &printed), 0);
  close(terminal);
  close(file);
  unlink(noise);
  assert_int_equal(status, RS_ERROR_USAGE);
  assert_int_equal(printed.st_size, 0);
  free(whole.data);
}

enum outcome { OUTCOME_READ, OUTCOME_REFUSED, OUTCOME_CRASHED };

// In a child, because HDF5 itself may crash on a damaged file.
static enum outcome read_in_child(const char *path) {
  static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGILL};
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    struct rs_error error = {0};
    // cmocka's handlers would go on with the parent's tests.
    for (size_t s = 0; s < RS_ARRAY_LENGTH(crashes); s++)
      signal(crashes[s], SIG_DFL);
    alarm(20);
    enum rs_status status = read_everything(path, &error);
    _exit(status == RS_OK ? 0 : *error.text && (status == RS_ERROR_USAGE || status == RS_ERROR_MEMORY) ? 1 : 99);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
    return WEXITSTATUS(status) == 0 ? OUTCOME_READ : OUTCOME_REFUSED;
  return OUTCOME_CRASHED;
}

static void test_flipped_bytes(void **state) {
  struct sample_place *place = *state;
  uint64_t seed = 20261123;
  struct rs_random random = {seed};
  size_t outcomes[3] = {0};
  for (int complete = 0; complete < 2; complete++) {
    struct bytes whole = make_file(place->path, complete);
    for (int turn = 0; turn < 200; turn++) {
      size_t at = rs_random_below(&random, whole.length);
      unsigned char flip = (unsigned char)(1 + rs_random_below(&random, 255));
      whole.data[at] ^= flip;
      write_file(place->path, whole.data, whole.length);
      enum outcome outcome = read_in_child(place->path);
      outcomes[outcome]++;
      if (outcome == OUTCOME_CRASHED)
        print_message("crash: %s file, byte %zu ^ 0x%02x\n", complete ? "complete" : "partial", at, flip);
      whole.data[at] ^= flip;
    }
    free(whole.data);
  }
  print_message("seed %llu: %zu read, %zu refused, %zu crashed\n", (unsigned long long)seed, outcomes[OUTCOME_READ],
                outcomes[OUTCOME_REFUSED], outcomes[OUTCOME_CRASHED]);
  assert_int_equal(outcomes[OUTCOME_CRASHED], 0);
  assert_true(outcomes[OUTCOME_REFUSED] > 0);
}

int main(void) {
#define TEST(function) cmocka_unit_test_setup_teardown(function, sample_place_make, sample_place_remove)
  const struct CMUnitTest tests[] = {
      TEST(test_no_result),
      TEST(test_cut_short),
      TEST(test_silent),
      TEST(test_flipped_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
