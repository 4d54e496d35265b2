// The tcp transport: one or several kernel sockets per (peer, lane), driven without ever blocking.
#include "transport/tcp_device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static const struct rs_option tcp_option_table[] = {
    {.name = "interface",
     .type = RS_OPTION_STRING,
     .offset = offsetof(struct rs_tcp_options, interface),
     .default_text = "auto",
     .help =
         "eth0, an address, a network such as 10.0.0.0/16, or auto: loopback on one host, else the default route's; "
         "several, such as eth0,eth1: lanes take turns among them"},
    {.name = "ports",
     .type = RS_OPTION_RANGE,
     .offset = offsetof(struct rs_tcp_options, ports),
     .default_text = "",
     .help = "LOW-HIGH: listen only on these ports (empty: any)"},
    {.name = "streams",
     .type = RS_OPTION_UINT,
     .offset = offsetof(struct rs_tcp_options, streams),
     .default_text = "1",
     .help = "sockets per peer and lane, between which long messages are divided",
     .minimum = 1,
     .maximum = RS_TCP_STREAMS_MAX},
    {.name = "stripe",
     .type = RS_OPTION_SIZE,
     .offset = offsetof(struct rs_tcp_options, stripe_bytes),
     .default_text = "64KiB",
     .help = "the shortest piece of a message that gets a stream of its own",
     .minimum = 64,
     .maximum = UINT64_C(1) << 30},
    {.name = "congestion",
     .type = RS_OPTION_STRING,
     .offset = offsetof(struct rs_tcp_options, congestion),
     .default_text = "",
     .help = "congestion control, such as cubic or bbr (empty: the system's)"},
    {.name = "sndbuf",
     .type = RS_OPTION_SIZE,
     .offset = offsetof(struct rs_tcp_options, send_buffer_bytes),
     .default_text = "0",
     .help = "send buffer per socket (0: the kernel tunes it)",
     .maximum = UINT64_C(1) << 30},
    {.name = "rcvbuf",
     .type = RS_OPTION_SIZE,
     .offset = offsetof(struct rs_tcp_options, receive_buffer_bytes),
     .default_text = "0",
     .help = "receive buffer per socket (0: the kernel tunes it)",
     .maximum = UINT64_C(1) << 30},
    {.name = "zerocopy",
     .type = RS_OPTION_SIZE,
     .offset = offsetof(struct rs_tcp_options, zerocopy_bytes),
     .default_text = "0",
     .help = "send messages from this size on without a copy (MSG_ZEROCOPY), for fast NICs; 0: never"},
    {.name = NULL},
};

static enum rs_status copy_options(const struct rs_tcp_options *options, struct rs_tcp_device *tcp,
                                   struct rs_error *error) {
  if (options->streams < 1 || options->streams > RS_TCP_STREAMS_MAX)
    return rs_error_set(error, RS_ERROR_USAGE, "tcp.streams=%llu: 1 to %d", (unsigned long long)options->streams,
                        RS_TCP_STREAMS_MAX);
  if (strlen(options->congestion.text) >= sizeof tcp->socket_options.congestion)
    return rs_error_set(error, RS_ERROR_USAGE, "tcp.congestion=%s: no congestion control has so long a name",
                        options->congestion.text);
  tcp->ports = options->ports;
  tcp->streams = options->streams;
  // Whole cache lines, so that pieces start on a line when the message does.
  tcp->stripe_bytes = rs_round_up(rs_max_size(options->stripe_bytes, 1), 64);
  tcp->zerocopy_bytes = options->zerocopy_bytes;
  memcpy(tcp->socket_options.congestion, options->congestion.text, strlen(options->congestion.text) + 1);
  tcp->socket_options.send_buffer_bytes = (int)options->send_buffer_bytes;
  tcp->socket_options.receive_buffer_bytes = (int)options->receive_buffer_bytes;
  return RS_OK;
}

static void fill_facts(struct rs_tcp_device *tcp) {
  tcp->facts.numa_node = -1;
  rs_tcp_interface_facts(&tcp->interface, &tcp->facts);
  memcpy(tcp->facts.address, rs_tcp_address_format(&tcp->address).text, sizeof tcp->facts.address);
  rs_tcp_socket_congestion(tcp->listen_fd, tcp->facts.congestion, sizeof tcp->facts.congestion);
}

static size_t tcp_rails(const void *options) {
  return rs_text_items(((const struct rs_tcp_options *)options)->interface.text);
}

// The interface of this rail.
static enum rs_status choose_interface(const struct rs_transport_params *params, struct rs_tcp_device *tcp,
                                       struct rs_error *error) {
  const struct rs_tcp_options *options = params->options;
  struct rs_string wanted;
  rs_text_item(options->interface.text, params->rail, wanted.text, sizeof wanted.text);
  if (tcp_rails(options) > 1 && (wanted.text[0] == '\0' || strcmp(wanted.text, "auto") == 0))
    return rs_error_set(error, RS_ERROR_USAGE, "tcp.interface=%s: name each of several interfaces, as in eth0,eth1",
                        options->interface.text);
  return rs_tcp_interface_choose(wanted.text, params->one_host, &tcp->interface, error);
}

static enum rs_status tcp_open(const struct rs_transport_params *params, struct rs_device **device,
                               struct rs_error *error) {
  struct rs_tcp_device *tcp = rs_allocate(1, sizeof *tcp, "tcp device", error);
  if (tcp == NULL)
    return error->status;
  tcp->base.transport = &rs_transport_tcp;
  tcp->rank = params->rank;
  tcp->rank_count = params->rank_count;
  tcp->lanes = params->lanes;
  tcp->timeout_ns = params->timeout_ns;
  tcp->log = params->log;
  memcpy(tcp->token, params->token, sizeof tcp->token);
  if (copy_options(params->options, tcp, error) < 0 || choose_interface(params, tcp, error) < 0)
    goto free_device;
  tcp->address = tcp->interface.address;
  tcp->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (tcp->epoll_fd < 0) {
    rs_error_set_errno(error, RS_ERROR_IO, errno, "tcp: epoll_create1");
    goto free_device;
  }
  if (rs_tcp_listen(&tcp->address, tcp->interface.name, &tcp->ports, &tcp->socket_options, &tcp->listen_fd, error) < 0)
    goto close_epoll;
  fill_facts(tcp);
  *device = &tcp->base;
  return RS_OK;
close_epoll:
  close(tcp->epoll_fd);
free_device:
  free(tcp);
  return error->status;
}

static void tcp_close(struct rs_device *device) {
  struct rs_tcp_device *tcp = rs_tcp_device_of(device);
  if (tcp == NULL)
    return;
  rs_tcp_joining_close(tcp->joining);
  for (size_t i = 0; i < tcp->stream_count; i++)
    if (tcp->all_streams[i].fd >= 0)
      close(tcp->all_streams[i].fd);
  if (tcp->listen_fd >= 0)
    close(tcp->listen_fd);
  close(tcp->epoll_fd);
  free(tcp->ready);
  free(tcp->awaited);
  free(tcp->unconfirmed);
  free(tcp->all_streams);
  free(tcp->channels);
  free(tcp->peers);
  free(tcp);
}

static void tcp_limits(const struct rs_device *device, struct rs_limits *limits) {
  (void)device;
  *limits = (struct rs_limits){
      .message_bytes_max = PTRDIFF_MAX,
      .posts_max = RS_TCP_POSTS_MAX,
      .moves_data = true,
      .can_sleep = true,
      .slowdown = 1,
  };
}

static void tcp_facts(const struct rs_device *device, struct rs_device_facts *facts) {
  *facts = ((const struct rs_tcp_device *)device)->facts;
}

static void tcp_address(const struct rs_device *device, uint8_t blob[RS_ADDRESS_BYTES_MAX]) {
  rs_tcp_address_encode(&((const struct rs_tcp_device *)device)->address, blob);
}

static enum rs_status tcp_register(struct rs_device *device, const struct rs_buffer *buffer, struct rs_region **region,
                                   struct rs_error *error) {
  (void)device;
  if (!rs_buffer_is_host(buffer))
    return rs_error_set(error, RS_ERROR_UNSUPPORTED, "tcp: the kernel's sockets reach host memory only");
  struct rs_region *opened = rs_allocate(1, sizeof *opened, "tcp region", error);
  if (opened == NULL)
    return error->status;
  *opened = (struct rs_region){buffer->address, buffer->bytes};
  *region = opened;
  return RS_OK;
}

static void tcp_deregister(struct rs_device *device, struct rs_region *region) {
  (void)device;
  free(region);
}

struct rs_tcp_peer_text rs_tcp_peer_format(const struct rs_tcp_device *tcp, size_t peer) {
  struct rs_tcp_peer_text result;
  snprintf(result.text, sizeof result.text, "rank %zu at %s (from rank %zu, interface %s)", peer,
           rs_tcp_address_format(&tcp->peers[peer].address).text, tcp->rank, tcp->interface.name);
  return result;
}

const struct rs_transport rs_transport_tcp = {
    .name = "tcp",
    .summary = "kernel sockets over any network: one or more streams per lane, epoll, every connection proved by token",
    .span = RS_SPAN_NETWORK,
    .options = tcp_option_table,
    .option_bytes = sizeof(struct rs_tcp_options),
    .preference = 1,
    .rails = tcp_rails,
    .open = tcp_open,
    .close = tcp_close,
    .limits = tcp_limits,
    .facts = tcp_facts,
    .counters = rs_tcp_counters,
    .address = tcp_address,
    .connect = rs_tcp_connect,
    .register_memory = tcp_register,
    .deregister_memory = tcp_deregister,
    .post_send = rs_tcp_post_send,
    .post_recv = rs_tcp_post_recv,
    .progress = rs_tcp_progress,
    .arm = rs_tcp_arm,
    .event_fd = rs_tcp_event_fd,
};
