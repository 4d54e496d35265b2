// splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
#include "ringside/base.h"

#include <errno.h>
#include <sys/random.h>

uint64_t rs_hash64(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

uint64_t rs_random_next(struct rs_random *random) {
  return rs_hash64(random->state += 0x9e3779b97f4a7c15u);
}

uint64_t rs_random_below(struct rs_random *random, uint64_t bound) {
  // Values below `skip` would make small results more likely; skip = 2^64 mod bound.
  uint64_t skip = -bound % bound, value;
  do
    value = rs_random_next(random);
  while (value < skip);
  return value % bound;
}

enum rs_status rs_random_bytes(void *data, size_t bytes, struct rs_error *error) {
  size_t done = 0;
  while (done < bytes) {
    ssize_t got = getrandom((char *)data + done, bytes - done, 0);
    if (got < 0 && errno != EINTR)
      return rs_error_set_errno(error, RS_ERROR_IO, errno, "reading random bytes from the kernel");
    if (got > 0)
      done += (size_t)got;
  }
  return RS_OK;
}
