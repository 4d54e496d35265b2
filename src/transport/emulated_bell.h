// How a rank sleeps until a time, until its inner transport has news, or until another rank wakes it: an epoll
// descriptor over the inner one, a timer, and a datagram socket with an abstract name, which vanishes with its process.
#ifndef RINGSIDE_TRANSPORT_EMULATED_BELL_H
#define RINGSIDE_TRANSPORT_EMULATED_BELL_H

#include "ringside/base.h"

struct rs_emulated_bell {
  int epoll_fd, timer_fd, socket_fd; // -1: not open
  char name[64];                     // of the launch
};
// inner_fd: -1 if the inner transport cannot sleep.
enum rs_status rs_emulated_bell_open(struct rs_emulated_bell *bell, const char *name, size_t rank, int inner_fd,
                                     struct rs_error *error);
void rs_emulated_bell_close(struct rs_emulated_bell *bell);

// Wakes at this time of rs_clock_ns; INT64_MAX: at no time.
void rs_emulated_bell_set(struct rs_emulated_bell *bell, int64_t due_ns);
// Forgets what woke this rank.
void rs_emulated_bell_clear(struct rs_emulated_bell *bell);
// Wakes another rank; if it is gone, nothing happens.
void rs_emulated_bell_ring(const struct rs_emulated_bell *bell, size_t rank);

#endif
