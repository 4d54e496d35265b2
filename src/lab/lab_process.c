#include "lab/lab_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_NS 30000000000
#define SAID_BYTES 512

static void __attribute__((noreturn)) become(const struct rs_command *command, int said, pid_t parent) {
  int nothing = open("/dev/null", O_RDWR);
  // A command of a process that was killed must not go on making what somebody is removing.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && dup2(nothing, STDIN_FILENO) >= 0 &&
      dup2(nothing, STDOUT_FILENO) >= 0 && dup2(said, STDERR_FILENO) >= 0)
    execvp(command->words[0], command->words);
  dprintf(said, "%s", strerror(errno));
  _exit(127);
}

// Reads until the command closes its stderr. False when it does not in time.
static bool listen_to(int said, char *text, size_t bytes) {
  int64_t deadline = rs_clock_ns() + DEADLINE_NS;
  size_t used = 0;
  ssize_t got = 1;
  while (got > 0) {
    char rest[256];
    struct pollfd wait = {.fd = said, .events = POLLIN};
    int64_t left = deadline - rs_clock_ns();
    int ready = left > 0 ? poll(&wait, 1, (int)(left / 1000000 + 1)) : 0;
    if (ready == 0)
      return false;
    if (ready < 0)
      continue;
    bool full = used + 1 >= bytes;
    got = read(said, full ? rest : text + used, full ? sizeof rest : bytes - 1 - used);
    used += got > 0 && !full ? (size_t)got : 0;
    if (got < 0 && errno == EINTR)
      got = 1;
  }
  text[used] = '\0';
  return true;
}

// One line: what the command says in several is joined.
static void join_lines(char *text) {
  size_t length = strlen(text);
  while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == ' '))
    text[--length] = '\0';
  for (char *c = text; *c != '\0'; c++)
    if (*c == '\n')
      *c = ' ';
}

static enum rs_status explain(const struct rs_command *command, bool ended, int result, const char *said,
                              struct rs_error *error) {
  struct rs_text line = {0};
  rs_command_format(command, &line);
  const char *words = line.data != NULL ? line.data : command->words[0];
  if (!ended)
    rs_error_set(error, RS_ERROR_IO, "'%s' did not end within 30 s", words);
  else if (WIFSIGNALED(result))
    rs_error_set(error, RS_ERROR_IO, "'%s' was killed by signal %d", words, WTERMSIG(result));
  else
    rs_error_set(error, RS_ERROR_IO, "'%s' failed with exit code %d: %s", words, WEXITSTATUS(result), said);
  rs_text_fini(&line);
  return error->status;
}

enum rs_status rs_process_run(const struct rs_command *command, struct rs_error *error) {
  char said[SAID_BYTES] = "";
  int ends[2], result = 0;
  pid_t parent = getpid();
  if (pipe2(ends, O_CLOEXEC) != 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "opening a pipe to %s", command->words[0]);
  pid_t child = fork();
  if (child == 0)
    become(command, ends[1], parent);
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "starting %s", command->words[0]);
  }
  bool ended = listen_to(ends[0], said, sizeof said);
  close(ends[0]);
  if (!ended)
    kill(child, SIGKILL);
  while (waitpid(child, &result, 0) < 0 && errno == EINTR)
    ;
  join_lines(said);
  return ended && WIFEXITED(result) && WEXITSTATUS(result) == 0 ? RS_OK : explain(command, ended, result, said, error);
}
