#include "printout.h"

#include "command.h"

#include "ringside/report.h"

#include <errno.h>
#include <signal.h>

void printout_begin(void) {
  signal(SIGPIPE, SIG_IGN);
}

void printout_table(const struct rs_result *result) {
  struct rs_stragglers stragglers = {0};
  struct rs_error unread = {0};
  rs_report_table(result, stdout);
  if (rs_stragglers_find(result, &stragglers, &unread) < 0)
    printf("note: stragglers are not known: %s\n", unread.text);
  rs_stragglers_note(result, &stragglers, stdout);
  rs_stragglers_fini(&stragglers);
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
