#include "printout.h"

#include "command.h"

#include "ringside/report.h"

#include <errno.h>
#include <signal.h>

void printout_begin(void) {
  signal(SIGPIPE, SIG_IGN);
}

// A table is expected at once. Looking for stragglers takes about a third of a second per million samples.
#define SAMPLES_AT_ONCE ((uint64_t)1 << 20)

static uint64_t count_samples(const struct rs_result *result) {
  uint64_t samples = 0;
  for (size_t c = 0; c < result->case_count; c++)
    samples += result->cases[c].finished ? (uint64_t)result->cases[c].iterations * result->cases[c].rank_count : 0;
  return samples;
}

void printout_table(const struct rs_result *result) {
  struct rs_stragglers stragglers = {0};
  struct rs_error unread = {0};
  rs_report_table(result, stdout);
  if (count_samples(result) > SAMPLES_AT_ONCE) {
    printf("note: stragglers were not looked for among %llu samples; ringside show --stragglers does\n",
           (unsigned long long)count_samples(result));
    return;
  }
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
