#include "transport/shm_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

// ---- addresses --------------------------------------------------------------------------------------------

// A kernel draws its boot id when it starts, and shows it to every container; a host name can be anything.
static enum rs_status read_host(struct rs_shm_address *address, struct rs_error *error) {
  const char *path = "/proc/sys/kernel/random/boot_id";
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : read(fd, address->host, sizeof address->host - 1);
  int code = errno;
  if (fd >= 0)
    close(fd);
  if (got <= 0)
    return rs_error_set_errno(error, RS_ERROR_IO, code, "shm: reading %s, by which ranks of one host know each other",
                              path);
  address->host[strcspn(address->host, "\n")] = '\0';
  return RS_OK;
}

enum rs_status rs_shm_address_make(struct rs_shm_address *address, struct rs_error *error) {
  uint64_t random[2];
  *address = (struct rs_shm_address){.process = (uint32_t)getpid()};
  if (read_host(address, error) < 0 || rs_random_bytes(random, sizeof random, error) < 0)
    return error->status;
  struct stat network;
  if (stat("/proc/self/ns/net", &network) == 0)
    address->network = network.st_ino;
  snprintf(address->name, sizeof address->name, "ringside-%016" PRIx64 "%016" PRIx64, random[0], random[1]);
  return RS_OK;
}

// An abstract name starts with a zero byte and is as long as the address says.
static socklen_t abstract_name(const struct rs_shm_address *address, struct sockaddr_un *name) {
  *name = (struct sockaddr_un){.sun_family = AF_UNIX};
  size_t length = strnlen(address->name, sizeof address->name);
  memcpy(name->sun_path + 1, address->name, length);
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

enum rs_status rs_shm_door_open(const struct rs_shm_address *address, int *door, struct rs_error *error) {
  struct sockaddr_un name;
  socklen_t length = abstract_name(address, &name);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "shm: opening a unix socket");
  if (bind(fd, (const struct sockaddr *)&name, length) < 0) {
    rs_error_set_errno(error, RS_ERROR_IO, errno, "shm: naming a unix socket");
    close(fd);
    return error->status;
  }
  *door = fd;
  return RS_OK;
}

// ---- messages ---------------------------------------------------------------------------------------------

union control {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(RS_SHM_FDS_MAX * sizeof(int))];
};

int rs_shm_message_send(int fd, const struct rs_shm_address *to, const void *data, size_t bytes, const int *fds,
                        size_t fd_count) {
  struct sockaddr_un name;
  union {
    const void *read;
    void *given; // iovec has no const; sending changes nothing
  } place = {.read = data};
  struct iovec content = {.iov_base = place.given, .iov_len = bytes};
  union control control = {0};
  struct msghdr message = {.msg_iov = &content, .msg_iovlen = 1};
  if (to) {
    message.msg_namelen = abstract_name(to, &name);
    message.msg_name = &name;
  }
  if (fd_count) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
    memcpy(CMSG_DATA(rights), fds, fd_count * sizeof(int));
  }
  return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

ssize_t rs_shm_message_receive(int fd, void *data, size_t bytes, int fds[RS_SHM_FDS_MAX]) {
  struct iovec content = {.iov_base = data, .iov_len = bytes};
  union control control;
  struct msghdr message = {
      .msg_iov = &content, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  for (size_t i = 0; i < RS_SHM_FDS_MAX; i++)
    fds[i] = -1;
  ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0)
    return got;
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  if (rights && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS)
    memcpy(fds, CMSG_DATA(rights), rs_min_size(rights->cmsg_len - CMSG_LEN(0), RS_SHM_FDS_MAX * sizeof(int)));
  if ((message.msg_flags & MSG_CTRUNC) == 0)
    return got;
  for (size_t i = 0; i < RS_SHM_FDS_MAX; i++)
    if (fds[i] >= 0)
      close(fds[i]);
  errno = EMFILE;
  return -1;
}
