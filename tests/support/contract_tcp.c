#include "support/contract_tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

void contract_tcp_init(struct contract_tcp *tcp, size_t rank_count) {
  struct rs_error error = {0};
  *tcp = (struct contract_tcp){.rank_count = rank_count};
  if (rs_random_bytes(tcp->token, sizeof tcp->token, &error) < 0)
    abort();
}

enum rs_status contract_tcp_add(struct contract_tcp *tcp, size_t rank, size_t lanes, const void *options,
                                int64_t timeout_ns, struct rs_error *error) {
  struct rs_transport_params params = {
      .rank = rank,
      .rank_count = tcp->rank_count,
      .lanes = lanes,
      .one_host = true,
      .timeout_ns = timeout_ns,
      .options = options,
  };
  memcpy(params.token, tcp->token, sizeof params.token);
  const struct rs_transport *transport = rs_transport_find("tcp");
  enum rs_status status = transport->open(&params, &tcp->devices[rank], error);
  if (status == RS_OK) {
    transport->address(tcp->devices[rank], tcp->addresses + rank * RS_ADDRESS_BYTES_MAX);
    tcp->statuses[rank] = RS_IN_PROGRESS;
  }
  return status;
}

void contract_tcp_play(struct contract_tcp *tcp, size_t rank) {
  memcpy(tcp->addresses + rank * RS_ADDRESS_BYTES_MAX, tcp->addresses, RS_ADDRESS_BYTES_MAX);
}

void contract_tcp_close(struct contract_tcp *tcp, size_t rank) {
  if (tcp->devices[rank])
    tcp->devices[rank]->transport->close(tcp->devices[rank]);
  tcp->devices[rank] = NULL;
}

void contract_tcp_fini(struct contract_tcp *tcp) {
  for (size_t r = 0; r < tcp->rank_count; r++)
    contract_tcp_close(tcp, r);
}

void contract_tcp_connect(struct contract_tcp *tcp, int64_t patience_ns) {
  bool peers[CONTRACT_RANKS_MAX];
  memset(peers, true, sizeof peers);
  int64_t deadline_ns = rs_clock_ns() + patience_ns;
  bool waiting;
  do {
    waiting = false;
    for (size_t r = 0; r < tcp->rank_count; r++) {
      struct rs_device *device = tcp->devices[r];
      if (device == NULL || tcp->statuses[r] != RS_IN_PROGRESS)
        continue;
      tcp->statuses[r] = device->transport->connect(device, tcp->addresses, peers, &tcp->errors[r]);
      waiting |= tcp->statuses[r] == RS_IN_PROGRESS;
    }
    sched_yield();
  } while (waiting && rs_clock_ns() < deadline_ns);
}

int contract_tcp_dial(const struct contract_tcp *tcp, size_t rank) {
  struct rs_device_facts facts;
  tcp->devices[rank]->transport->facts(tcp->devices[rank], &facts);
  char *port = strrchr(facts.address, ':');
  *port++ = '\0';
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  inet_pton(AF_INET, facts.address, &address.sin_addr);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const struct timeval patience = {.tv_sec = 10};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
    return fd;
  int code = errno;
  close(fd);
  errno = code;
  return -1;
}

bool contract_tcp_closed(int fd) {
  char byte;
  ssize_t got;
  do
    got = recv(fd, &byte, 1, 0);
  while (got > 0);
  return got == 0 || errno == ECONNRESET;
}
