// The addresses of shm devices, and messages with descriptors between them.
#ifndef RINGSIDE_TRANSPORT_SHM_SOCKET_H
#define RINGSIDE_TRANSPORT_SHM_SOCKET_H

#include "ringside/transport.h"

#define RS_SHM_NAME_BYTES 48
#define RS_SHM_FDS_MAX 2

// A rank as others find it; every process of one kernel reads it alike. Also the bytes of the address blob.
struct rs_shm_address {
  char host[64];                // of the running kernel: its boot id
  uint64_t network;             // the network namespace, in which abstract socket names live
  uint32_t process;             // for people
  char name[RS_SHM_NAME_BYTES]; // of the socket where offers arrive
};
enum rs_status rs_shm_address_make(struct rs_shm_address *address, struct rs_error *error);

// A datagram socket under the address's abstract name, which vanishes with its process.
enum rs_status rs_shm_door_open(const struct rs_shm_address *address, int *door, struct rs_error *error);

// Sends one message, to a door (`to`) or over a connected socket (NULL). 0, or an errno: EAGAIN is to be tried again.
int rs_shm_message_send(int fd, const struct rs_shm_address *to, const void *data, size_t bytes, const int *fds,
                        size_t fd_count);
// Receives one message of at most `bytes`; its descriptors are the caller's, -1 where there is none. Returns its
// length, or -1 with errno; EMFILE when descriptors came that this process had no room for.
ssize_t rs_shm_message_receive(int fd, void *data, size_t bytes, int fds[RS_SHM_FDS_MAX]);

#endif
