#include "transport/emulated_bell.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

// Who rings, rings once per sleep. More at a time must be a stranger, and is not waited for.
#define RINGS_MAX 64

// An abstract name starts with a zero byte and is as long as the address says.
static socklen_t address_of(const char *name, size_t rank, struct sockaddr_un *address) {
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  int length = snprintf(address->sun_path + 1, sizeof address->sun_path - 1, "%s-%zu", name, rank);
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

static bool watch(int epoll_fd, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
  return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

enum rs_status rs_emulated_bell_open(struct rs_emulated_bell *bell, const char *name, size_t rank, int inner_fd,
                                     struct rs_error *error) {
  struct sockaddr_un address;
  *bell = (struct rs_emulated_bell){-1, -1, -1, {0}};
  snprintf(bell->name, sizeof bell->name, "%s", name);
  socklen_t length = address_of(name, rank, &address);
  bell->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  bell->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  bell->socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (bell->epoll_fd < 0 || bell->timer_fd < 0 || bell->socket_fd < 0 ||
      bind(bell->socket_fd, (const struct sockaddr *)&address, length) < 0 || !watch(bell->epoll_fd, bell->timer_fd) ||
      !watch(bell->epoll_fd, bell->socket_fd) || (inner_fd >= 0 && !watch(bell->epoll_fd, inner_fd))) {
    rs_error_set_errno(error, RS_ERROR_IO, errno, "emulated: opening what rank %zu sleeps on", rank);
    rs_emulated_bell_close(bell);
    return error->status;
  }
  return RS_OK;
}

void rs_emulated_bell_close(struct rs_emulated_bell *bell) {
  int fds[] = {bell->epoll_fd, bell->timer_fd, bell->socket_fd};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(fds); i++)
    if (fds[i] >= 0)
      close(fds[i]);
  bell->epoll_fd = bell->timer_fd = bell->socket_fd = -1;
}

void rs_emulated_bell_set(struct rs_emulated_bell *bell, int64_t due_ns) {
  struct itimerspec at = {0}; // disarms
  if (due_ns != INT64_MAX)
    at.it_value = (struct timespec){.tv_sec = due_ns / 1000000000, .tv_nsec = due_ns % 1000000000};
  timerfd_settime(bell->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

void rs_emulated_bell_clear(struct rs_emulated_bell *bell) {
  uint64_t expirations;
  uint8_t byte;
  (void)!read(bell->timer_fd, &expirations, sizeof expirations);
  for (size_t i = 0; i < RINGS_MAX && recv(bell->socket_fd, &byte, sizeof byte, 0) >= 0; i++)
    continue;
}

void rs_emulated_bell_ring(const struct rs_emulated_bell *bell, size_t rank) {
  struct sockaddr_un address;
  socklen_t length = address_of(bell->name, rank, &address);
  // A full queue means that it is being woken already.
  (void)!sendto(bell->socket_fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&address, length);
}
