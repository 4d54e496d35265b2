#include "ringside/base.h"

#include <time.h>

int64_t rs_clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void rs_clock_utc(char *text, size_t bytes) {
  time_t now = time(NULL);
  struct tm parts;
  gmtime_r(&now, &parts);
  if (strftime(text, bytes, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0 && bytes > 0)
    text[0] = '\0';
}
