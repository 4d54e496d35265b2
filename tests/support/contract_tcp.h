// Tcp devices before they are connected, for tests of the handshake and of its failures: the test drives connect, and
// may itself play a stranger, a listener or a rank.
#ifndef TESTS_SUPPORT_CONTRACT_TCP_H
#define TESTS_SUPPORT_CONTRACT_TCP_H

#include "support/contract.h"

struct contract_tcp {
  size_t rank_count;
  uint8_t token[RS_TOKEN_BYTES];
  uint8_t addresses[CONTRACT_RANKS_MAX * RS_ADDRESS_BYTES_MAX];
  struct rs_device *devices[CONTRACT_RANKS_MAX]; // NULL: the test closed it, or plays this rank
  enum rs_status statuses[CONTRACT_RANKS_MAX];   // of connect
  struct rs_error errors[CONTRACT_RANKS_MAX];
};

// Starts an empty launch with a random token; contract_tcp_add opens its ranks one by one.
void contract_tcp_init(struct contract_tcp *tcp, size_t rank_count);
enum rs_status contract_tcp_add(struct contract_tcp *tcp, size_t rank, size_t lanes, const void *options,
                                int64_t timeout_ns, struct rs_error *error);
// The test plays this rank, after rank 0 was added; ranks below it never use its address, so any will do.
void contract_tcp_play(struct contract_tcp *tcp, size_t rank);
void contract_tcp_close(struct contract_tcp *tcp, size_t rank);
void contract_tcp_fini(struct contract_tcp *tcp);

// Calls connect of every opened rank until each has an outcome in `statuses`, or until patience ends.
void contract_tcp_connect(struct contract_tcp *tcp, int64_t patience_ns);

// A blocking socket connected to a rank's IPv4 listener; its reads give up after 10 s. -1 with errno when refused.
int contract_tcp_dial(const struct contract_tcp *tcp, size_t rank);
// Reads until the other side closes or resets; false when it does neither.
bool contract_tcp_closed(int fd);

#endif
