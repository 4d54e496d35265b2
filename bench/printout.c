#include "printout.h"

#include "command.h"

#include <errno.h>
#include <signal.h>

void printout_begin(void) {
  signal(SIGPIPE, SIG_IGN);
}

int printout_end(const char *command) {
  struct rs_error error = {0};
  errno = 0;
  if (fflush(stdout) == 0 && !ferror(stdout))
    return EXIT_YES;
  // An earlier write may have failed; then errno is of no use here.
  rs_error_set_errno(&error, RS_ERROR_IO, errno != 0 ? errno : EIO, "writing the results to stdout");
  return command_fail(command, &error);
}
