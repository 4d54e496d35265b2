// Addresses, socket options and the listener.
#include "transport/tcp_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BLOB_MAGIC "rsT1"
// A dead host is noticed after about 15 + 6 x 5 s of silence, and unacknowledged data is given up after 60 s.
#define KEEPALIVE_IDLE_S 15
#define KEEPALIVE_INTERVAL_S 5
#define KEEPALIVE_PROBES 6
#define UNACKNOWLEDGED_MS 60000

// ---- addresses --------------------------------------------------------------------------------------------

socklen_t rs_tcp_address_bytes(const struct rs_tcp_address *address) {
  return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

uint16_t rs_tcp_address_port(const struct rs_tcp_address *address) {
  return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);
}

void rs_tcp_address_set_port(struct rs_tcp_address *address, uint16_t port) {
  if (address->any.sa_family == AF_INET6)
    address->v6.sin6_port = htons(port);
  else
    address->v4.sin_port = htons(port);
}

struct rs_tcp_address_text rs_tcp_address_format(const struct rs_tcp_address *address) {
  struct rs_tcp_address_text result = {""};
  char host[INET6_ADDRSTRLEN];
  bool v6 = address->any.sa_family == AF_INET6;
  const void *bytes = v6 ? (const void *)&address->v6.sin6_addr : (const void *)&address->v4.sin_addr;
  if (inet_ntop(address->any.sa_family, bytes, host, sizeof host) == NULL)
    return result;
  uint16_t port = rs_tcp_address_port(address);
  if (port == 0)
    snprintf(result.text, sizeof result.text, "%s", host);
  else
    snprintf(result.text, sizeof result.text, v6 ? "[%s]:%u" : "%s:%u", host, (unsigned)port);
  return result;
}

// Blob: 0 magic, 4 the version of IP (4 or 6), 6 port in network order, 8 address.
void rs_tcp_address_encode(const struct rs_tcp_address *address, uint8_t blob[RS_ADDRESS_BYTES_MAX]) {
  bool v6 = address->any.sa_family == AF_INET6;
  uint16_t port = htons(rs_tcp_address_port(address));
  memset(blob, 0, RS_ADDRESS_BYTES_MAX);
  memcpy(blob, BLOB_MAGIC, 4);
  blob[4] = v6 ? 6 : 4;
  memcpy(blob + 6, &port, sizeof port);
  if (v6)
    memcpy(blob + 8, &address->v6.sin6_addr, sizeof address->v6.sin6_addr);
  else
    memcpy(blob + 8, &address->v4.sin_addr, sizeof address->v4.sin_addr);
}

bool rs_tcp_address_decode(const uint8_t blob[RS_ADDRESS_BYTES_MAX], const struct rs_tcp_address *local,
                           struct rs_tcp_address *address) {
  if (memcmp(blob, BLOB_MAGIC, 4) != 0 || (blob[4] != 4 && blob[4] != 6))
    return false;
  struct rs_tcp_address result = {0};
  uint16_t port;
  memcpy(&port, blob + 6, sizeof port);
  if (blob[4] == 6) {
    result.v6.sin6_family = AF_INET6;
    result.v6.sin6_port = port;
    memcpy(&result.v6.sin6_addr, blob + 8, sizeof result.v6.sin6_addr);
    if (local->any.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&result.v6.sin6_addr))
      result.v6.sin6_scope_id = local->v6.sin6_scope_id;
  } else {
    result.v4.sin_family = AF_INET;
    result.v4.sin_port = port;
    memcpy(&result.v4.sin_addr, blob + 8, sizeof result.v4.sin_addr);
  }
  *address = result;
  return port != 0;
}

// ---- options ----------------------------------------------------------------------------------------------

static bool set_int(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

// "reno cubic bbr", or empty.
static void available_congestion(char *text, size_t bytes) {
  text[0] = '\0';
  FILE *file = fopen("/proc/sys/net/ipv4/tcp_available_congestion_control", "re");
  if (file == NULL)
    return;
  if (fgets(text, (int)bytes, file) == NULL)
    text[0] = '\0';
  text[strcspn(text, "\n")] = '\0';
  fclose(file);
}

static enum rs_status set_congestion(int fd, const char *name, struct rs_error *error) {
  if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)) == 0)
    return RS_OK;
  int code = errno;
  char available[256];
  available_congestion(available, sizeof available);
  if (code == EPERM)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "tcp.congestion=%s: this user may not choose it (allowed: "
                        "net.ipv4.tcp_allowed_congestion_control); this kernel has: %s",
                        name, available);
  return rs_error_set(error, RS_ERROR_USAGE,
                      "tcp.congestion=%s: this kernel has no such congestion control; it has: %s (others may come "
                      "with modprobe tcp_%s)",
                      name, available, name);
}

enum rs_status rs_tcp_socket_open(const struct rs_tcp_address *address, const struct rs_tcp_socket_options *options,
                                  int *fd, struct rs_error *error) {
  int opened = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (opened < 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno,
                              "tcp: opening a socket (too many open files? raise the limit with ulimit -n, or use "
                              "fewer ranks, lanes or tcp.streams)");
  // Buffer sizes are set before the handshake, since the window's scale is agreed there.
  if (options->send_buffer_bytes && !set_int(opened, SOL_SOCKET, SO_SNDBUF, options->send_buffer_bytes)) {
    rs_error_set_errno(error, RS_ERROR_IO, errno, "tcp: setting tcp.sndbuf");
    goto close_socket;
  }
  if (options->receive_buffer_bytes && !set_int(opened, SOL_SOCKET, SO_RCVBUF, options->receive_buffer_bytes)) {
    rs_error_set_errno(error, RS_ERROR_IO, errno, "tcp: setting tcp.rcvbuf");
    goto close_socket;
  }
  if (options->congestion[0] && set_congestion(opened, options->congestion, error) < 0)
    goto close_socket;
  *fd = opened;
  return RS_OK;
close_socket:
  close(opened);
  return error->status;
}

enum rs_status rs_tcp_dial(const struct rs_tcp_address *from, const struct rs_tcp_address *to,
                           const struct rs_tcp_socket_options *options, int *fd, int *code, struct rs_error *error) {
  int opened;
  if (rs_tcp_socket_open(to, options, &opened, error) < 0)
    return error->status;
  struct rs_tcp_address source = *from;
  rs_tcp_address_set_port(&source, 0);
  set_int(opened, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  if (bind(opened, &source.any, rs_tcp_address_bytes(&source)) != 0) {
    rs_error_set_errno(error, RS_ERROR_IO, errno, "tcp: binding to %s", rs_tcp_address_format(&source).text);
    close(opened);
    return error->status;
  }
  *code = connect(opened, &to->any, rs_tcp_address_bytes(to)) == 0 || errno == EINPROGRESS ? 0 : errno;
  *fd = *code == 0 ? opened : -1;
  if (*code != 0)
    close(opened);
  return RS_OK;
}

enum rs_status rs_tcp_socket_tune(int fd, struct rs_error *error) {
  static const struct {
    int level, name, value;
  } settings[] = {
      {IPPROTO_TCP, TCP_NODELAY, 1},
      {SOL_SOCKET, SO_KEEPALIVE, 1},
      {IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S},
      {IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S},
      {IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES},
      {IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(settings); i++)
    if (!set_int(fd, settings[i].level, settings[i].name, settings[i].value))
      return rs_error_set_errno(error, RS_ERROR_IO, errno, "tcp: socket option %d of level %d", settings[i].name,
                                settings[i].level);
  return RS_OK;
}

void rs_tcp_socket_congestion(int fd, char *name, size_t bytes) {
  socklen_t length = (socklen_t)(bytes - 1);
  memset(name, 0, bytes);
  if (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &length) != 0)
    name[0] = '\0';
}

// ---- listener ---------------------------------------------------------------------------------------------

// True when bound and listening; otherwise errno says why. Two sockets can both be bound with SO_REUSEADDR, and then
// only one can listen, so a port is free only when both calls succeed.
static bool listen_on(int fd, const struct rs_tcp_address *address) {
  return bind(fd, &address->any, rs_tcp_address_bytes(address)) == 0 && listen(fd, SOMAXCONN) == 0;
}

enum rs_status rs_tcp_listen(struct rs_tcp_address *address, const char *interface, const struct rs_uint_range *ports,
                             const struct rs_tcp_socket_options *options, int *fd, struct rs_error *error) {
  if (ports->low > ports->high || ports->high > UINT16_MAX || (ports->low == 0 && ports->high != 0))
    return rs_error_set(error, RS_ERROR_USAGE, "tcp.ports=%llu-%llu: ports are 1-65535, as LOW-HIGH",
                        (unsigned long long)ports->low, (unsigned long long)ports->high);
  struct rs_tcp_address candidate = *address;
  int code = 0;
  for (uint64_t port = ports->low; port <= ports->high; port++) {
    int opened;
    if (rs_tcp_socket_open(address, options, &opened, error) < 0)
      return error->status;
    // Else the range would be used up for a minute by the closed connections of the last launch.
    set_int(opened, SOL_SOCKET, SO_REUSEADDR, 1);
    rs_tcp_address_set_port(&candidate, (uint16_t)port);
    if (listen_on(opened, &candidate)) {
      socklen_t length = sizeof *address;
      getsockname(opened, &address->any, &length);
      *fd = opened;
      return RS_OK;
    }
    code = errno;
    close(opened);
    if (code != EADDRINUSE && code != EACCES)
      return rs_error_set_errno(error, RS_ERROR_IO, code, "tcp: listening on %s (interface %s)",
                                rs_tcp_address_format(&candidate).text, interface);
  }
  return rs_error_set_errno(
      error, RS_ERROR_USAGE, code,
      "tcp.ports=%llu-%llu: no port of this range is free on %s (interface %s); each rank of a host "
      "needs one, so widen the range or end what holds them (ss -ltnp)",
      (unsigned long long)ports->low, (unsigned long long)ports->high, rs_tcp_address_format(address).text, interface);
}
