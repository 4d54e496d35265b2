// Sends without a copy: MSG_ZEROCOPY of Linux (Documentation/networking/msg_zerocopy.rst; de Bruijn and Dumazet,
// netdev 2.1, 2017). The kernel pins the pages and reads them when it transmits, so the buffer stays in use after the
// call; the socket's error queue tells when it is done, as a range of send calls, counted from 0.
#include "transport/tcp_device.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <string.h>

enum rs_status rs_tcp_zerocopy_enable(int fd, struct rs_error *error) {
  const int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) == 0)
    return RS_OK;
  return rs_error_set_errno(error, RS_ERROR_UNSUPPORTED, errno,
                            "tcp.zerocopy: this kernel does not send without a copy; leave the option out");
}

ssize_t rs_tcp_zerocopy_send(struct rs_tcp_stream *stream, const void *data, size_t bytes) {
  ssize_t sent = send(stream->fd, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT | MSG_ZEROCOPY);
  if (sent >= 0)
    stream->unconfirmed->issued++;
  else if (errno == ENOBUFS) // the limits on pinned memory (RLIMIT_MEMLOCK, net.core.optmem_max)
    sent = send(stream->fd, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent;
}

// Ranges come in order but after retransmissions; then nothing counts until all that was sent is confirmed.
static void confirm(struct rs_tcp_unconfirmed *unconfirmed, const struct sock_extended_err *range) {
  uint32_t sends = range->ee_data - range->ee_info + 1;
  unconfirmed->told += sends;
  if (range->ee_code & SO_EE_CODE_ZEROCOPY_COPIED)
    unconfirmed->copied += sends;
  if (range->ee_info == unconfirmed->confirmed)
    unconfirmed->confirmed = range->ee_data + 1;
  if (unconfirmed->told == unconfirmed->issued)
    unconfirmed->confirmed = unconfirmed->issued;
}

void rs_tcp_zerocopy_confirm(struct rs_tcp_stream *stream) {
  union {
    char bytes[256];
    struct cmsghdr alignment;
  } control;
  for (;;) {
    struct msghdr message = {.msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    if (recvmsg(stream->fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
      break;
    for (struct cmsghdr *item = CMSG_FIRSTHDR(&message); item; item = CMSG_NXTHDR(&message, item)) {
      struct sock_extended_err range;
      if (item->cmsg_len < CMSG_LEN(sizeof range))
        continue;
      memcpy(&range, CMSG_DATA(item), sizeof range);
      if (range.ee_origin == SO_EE_ORIGIN_ZEROCOPY && range.ee_errno == 0)
        confirm(stream->unconfirmed, &range);
    }
  }
  stream->unconfirmed->news = false;
}

size_t rs_tcp_counters(const struct rs_device *device, struct rs_device_counter *counters, size_t max) {
  const struct rs_tcp_device *tcp = (const struct rs_tcp_device *)device;
  struct rs_device_counter all[] = {{"zerocopy_sends", 0}, {"zerocopy_copied", 0}};
  if (tcp->unconfirmed == NULL || max < RS_ARRAY_LENGTH(all))
    return 0;
  for (size_t i = 0; i < tcp->stream_count; i++) {
    all[0].value += tcp->unconfirmed[i].issued;
    all[1].value += tcp->unconfirmed[i].copied;
  }
  memcpy(counters, all, sizeof all);
  return RS_ARRAY_LENGTH(all);
}
