// Sockets of the tcp transport: their addresses, their options, the listener. Nothing here blocks.
#ifndef RINGSIDE_TRANSPORT_TCP_SOCKET_H
#define RINGSIDE_TRANSPORT_TCP_SOCKET_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "ringside/transport.h"

// An IPv4 or IPv6 address with port; family 0: none.
struct rs_tcp_address {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  };
};

socklen_t rs_tcp_address_bytes(const struct rs_tcp_address *address);
uint16_t rs_tcp_address_port(const struct rs_tcp_address *address);
void rs_tcp_address_set_port(struct rs_tcp_address *address, uint16_t port);

// "10.0.0.5:41000", "[fe80::1]:41000"; without the port where it is 0.
struct rs_tcp_address_text {
  char text[64];
};
struct rs_tcp_address_text rs_tcp_address_format(const struct rs_tcp_address *address);

// The form that travels between ranks. The scope of a link-local address means nothing on another host, so it is left
// out, and decode takes that of `local`. False when the blob is no address.
void rs_tcp_address_encode(const struct rs_tcp_address *address, uint8_t blob[RS_ADDRESS_BYTES_MAX]);
bool rs_tcp_address_decode(const uint8_t blob[RS_ADDRESS_BYTES_MAX], const struct rs_tcp_address *local,
                           struct rs_tcp_address *address);

struct rs_tcp_socket_options {
  char congestion[32]; // "": the system's
  int send_buffer_bytes, receive_buffer_bytes;
};

// A non-blocking socket of the address' family with these options, bound to nothing.
enum rs_status rs_tcp_socket_open(const struct rs_tcp_address *address, const struct rs_tcp_socket_options *options,
                                  int *fd, struct rs_error *error);
// Begins to connect such a socket, bound to the address `from` (its port is not looked at), so that the network of that
// address is used whatever the route. *code is 0, or the errno with which connect(2) failed at once; then *fd is -1.
enum rs_status rs_tcp_dial(const struct rs_tcp_address *from, const struct rs_tcp_address *to,
                           const struct rs_tcp_socket_options *options, int *fd, int *code, struct rs_error *error);
// What every data socket gets once it is connected: no Nagle, and limits on how long a dead peer goes unnoticed.
enum rs_status rs_tcp_socket_tune(int fd, struct rs_error *error);
// The congestion control in force.
void rs_tcp_socket_congestion(int fd, char *name, size_t bytes);

// Listens on exactly this address, on any free port or on the first free one of `ports`; writes the port into
// `address`.
enum rs_status rs_tcp_listen(struct rs_tcp_address *address, const char *interface, const struct rs_uint_range *ports,
                             const struct rs_tcp_socket_options *options, int *fd, struct rs_error *error);

#endif
