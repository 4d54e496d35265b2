// Queue pairs of the fake. A send waits until the pair is stepped: then it is read from its buffer, as late as a NIC
// may read it.
#include "support/fake_verbs/fake_verbs.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct packet {
  uint32_t key, source;
  uint8_t data[FAKE_PACKET_MAX];
};
#define PACKET_HEADER offsetof(struct packet, data)

static socklen_t pair_name(uint32_t number, struct sockaddr_un *name) {
  *name = (struct sockaddr_un){.sun_family = AF_UNIX};
  int length = snprintf(name->sun_path + 1, sizeof name->sun_path - 1, "ringside-fake-qp-%u", number);
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

// ---- create and destroy -----------------------------------------------------------------------------------

static bool open_socket(struct fake_pair *pair) {
  pair->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  for (int tries = 0; pair->socket >= 0 && tries < 100; tries++) {
    struct sockaddr_un name;
    uint32_t number =
        ((uint32_t)getpid() * 2654435761u + (uint32_t)tries * 40503u + (uint32_t)(uintptr_t)pair / 64) & 0xffffff;
    if (bind(pair->socket, (const struct sockaddr *)&name, pair_name(number, &name)) < 0)
      continue;
    pair->base.qp_base.qp_num = number;
    struct epoll_event none = {.events = EPOLLONESHOT};
    return pair->queue->channel == NULL ||
           epoll_ctl(pair->queue->channel->base.fd, EPOLL_CTL_ADD, pair->socket, &none) == 0;
  }
  return false;
}

static struct ibv_qp *create_pair(struct ibv_context *context, struct ibv_cq *queue, struct ibv_qp_cap *capacity,
                                  bool reliable) {
  struct fake_pair *pair = calloc(1, sizeof *pair);
  if (pair == NULL || capacity->max_send_sge > 2 || capacity->max_recv_sge > 1 ||
      capacity->max_inline_data > FAKE_INLINE_MAX) {
    free(pair);
    errno = EINVAL;
    return NULL;
  }
  pair->context = fake_context_of(context);
  pair->queue = (struct fake_queue *)queue;
  pair->reliable = reliable;
  pair->base.qp_base.context = context;
  uint64_t limit = pair->context->settings.short_queue;
  pair->send_max = limit ? (uint32_t)limit : capacity->max_send_wr;
  pair->receive_max = capacity->max_recv_wr;
  pair->sends = calloc(pair->send_max, sizeof *pair->sends);
  pair->session = calloc(pair->send_max, sizeof *pair->session);
  pair->receives = calloc(pair->receive_max, sizeof *pair->receives);
  pair->receive_pieces = calloc(pair->receive_max, sizeof *pair->receive_pieces);
  capacity->max_inline_data = FAKE_INLINE_MAX;
  if (pair->sends == NULL || pair->session == NULL || pair->receives == NULL || pair->receive_pieces == NULL ||
      !open_socket(pair)) {
    ibv_destroy_qp(&pair->base.qp_base);
    return NULL;
  }
  pair->queue->pair = pair;
  fake_session_install(&pair->base);
  return &pair->base.qp_base;
}

struct ibv_qp *ibv_create_qp(struct ibv_pd *domain, struct ibv_qp_init_attr *attributes) {
  if (attributes->qp_type != IBV_QPT_UD || attributes->send_cq != attributes->recv_cq) {
    errno = EOPNOTSUPP;
    return NULL;
  }
  return create_pair(domain->context, attributes->send_cq, &attributes->cap, false);
}

struct ibv_qp *efadv_create_qp_ex(struct ibv_context *context, struct ibv_qp_init_attr_ex *attributes,
                                  struct efadv_qp_init_attr *driver, uint32_t bytes) {
  if (!fake_context_of(context)->efa || bytes < sizeof *driver || driver->comp_mask != 0 ||
      driver->driver_qp_type != EFADV_QP_DRIVER_TYPE_SRD || attributes->qp_type != IBV_QPT_DRIVER ||
      attributes->comp_mask != (IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_SEND_OPS_FLAGS) || attributes->pd == NULL ||
      attributes->send_cq != attributes->recv_cq) {
    errno = EINVAL;
    return NULL;
  }
  return create_pair(context, attributes->send_cq, &attributes->cap, true);
}

struct ibv_qp_ex *ibv_qp_to_qp_ex(struct ibv_qp *pair) {
  return (struct ibv_qp_ex *)pair;
}

int ibv_destroy_qp(struct ibv_qp *base) {
  struct fake_pair *pair = (struct fake_pair *)base;
  if (pair->queue->pair == pair)
    pair->queue->pair = NULL;
  if (pair->socket >= 0)
    close(pair->socket);
  free(pair->sends);
  free(pair->session);
  free(pair->receives);
  free(pair->receive_pieces);
  free(pair);
  return 0;
}

// Takes the steps of a datagram pair in their order, and no attribute beyond those that EFA takes.
int ibv_modify_qp(struct ibv_qp *base, struct ibv_qp_attr *attributes, int mask) {
  static const struct {
    enum ibv_qp_state from, to;
    int needed, allowed;
  } steps[] = {
      {IBV_QPS_RESET, IBV_QPS_INIT, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_QKEY, 0},
      {IBV_QPS_INIT, IBV_QPS_RTR, IBV_QP_STATE, 0},
      {IBV_QPS_RTR, IBV_QPS_RTS, IBV_QP_STATE | IBV_QP_SQ_PSN, IBV_QP_RNR_RETRY},
  };
  struct fake_pair *pair = (struct fake_pair *)base;
  for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
    int extra = pair->reliable ? steps[s].allowed : 0;
    if (steps[s].from != base->state || steps[s].to != attributes->qp_state)
      continue;
    if ((mask & steps[s].needed) != steps[s].needed || (mask & ~(steps[s].needed | extra)) != 0)
      return EINVAL;
    if (mask & IBV_QP_QKEY && (attributes->qkey > INT32_MAX || attributes->port_num != 1))
      return EINVAL;
    if (mask & IBV_QP_QKEY)
      pair->key = attributes->qkey;
    base->state = attributes->qp_state;
    return 0;
  }
  return EINVAL;
}

// ---- packets ----------------------------------------------------------------------------------------------

static void end_send(struct fake_pair *pair, const struct fake_send *send, enum ibv_wc_status status,
                     uint32_t vendor_error) {
  const struct ibv_wc completion = {.wr_id = send->id,
                                    .status = status,
                                    .vendor_err = vendor_error,
                                    .opcode = IBV_WC_SEND,
                                    .qp_num = pair->base.qp_base.qp_num};
  fake_queue_add(pair->queue, &completion);
}

// Gathers the bytes of a send. SIZE_MAX: some are not registered.
static size_t gather(const struct fake_pair *pair, const struct fake_send *send, uint8_t *data) {
  size_t bytes = send->inline_bytes;
  memcpy(data, send->inline_data, bytes);
  for (uint32_t p = 0; p < send->piece_count; p++) {
    const struct ibv_sge *piece = &send->pieces[p];
    if (!fake_memory_holds(pair->context, piece->lkey, piece->addr, piece->length))
      return SIZE_MAX;
    memcpy(data + bytes, (const void *)(uintptr_t)piece->addr, piece->length);
    bytes += piece->length;
  }
  return bytes;
}

// The ways in which an SRD send ends badly. True: it has ended.
static bool refuse(struct fake_pair *pair, const struct fake_send *send) {
  struct fake_context *context = pair->context;
  const struct fake_settings *settings = &context->settings;
  pair->sent++;
  if (settings->status != 0 && pair->sent >= settings->status_at)
    end_send(pair, send, IBV_WC_RESP_TIMEOUT_ERR, (uint32_t)settings->status);
  else if (!fake_handle_is_known(context, send->handle))
    end_send(pair, send, IBV_WC_REM_OP_ERR, 14);
  else if (fake_chance(context, settings->rnr))
    end_send(pair, send, IBV_WC_RNR_RETRY_EXC_ERR, 10);
  else
    return false;
  return true;
}

// False: the receiver's socket is full, the send has to wait.
static bool transmit(struct fake_pair *pair, const struct fake_send *send) {
  struct fake_context *context = pair->context;
  struct packet packet = {.key = send->key, .source = pair->base.qp_base.qp_num};
  struct sockaddr_un name;
  socklen_t name_bytes = pair_name(send->number, &name);
  size_t bytes = gather(pair, send, packet.data);
  if (bytes == SIZE_MAX) {
    end_send(pair, send, IBV_WC_LOC_PROT_ERR, 5);
    return true;
  }
  if (pair->reliable && refuse(pair, send))
    return true;
  if (!pair->reliable && fake_chance(context, context->settings.loss)) {
    end_send(pair, send, IBV_WC_SUCCESS, 0);
    return true;
  }
  if (!pair->reliable && fake_chance(context, context->settings.corrupt))
    packet.data[fake_below(context, bytes)] ^= (uint8_t)(1u << fake_below(context, 8));
  int copies = !pair->reliable && fake_chance(context, context->settings.duplicate) ? 2 : 1;
  ssize_t result = 0;
  for (int c = 0; c < copies && result >= 0; c++)
    result =
        sendto(pair->socket, &packet, PACKET_HEADER + bytes, MSG_DONTWAIT, (const struct sockaddr *)&name, name_bytes);
  if (result < 0 && (errno == EAGAIN || errno == ENOBUFS) && copies == 1)
    return false;
  if (result < 0 && pair->reliable)
    end_send(pair, send, IBV_WC_REM_INV_RD_REQ_ERR, 9);
  else
    end_send(pair, send, IBV_WC_SUCCESS, 0);
  return true;
}

static void step_sends(struct fake_pair *pair) {
  uint32_t kept = 0, full = UINT32_MAX;
  for (uint32_t i = 0; i < pair->send_count; i++) {
    struct fake_send *send = &pair->sends[i];
    if (send->number != full && transmit(pair, send))
      continue;
    full = send->number;
    pair->sends[kept++] = *send;
  }
  pair->send_count = kept;
}

static void land(struct fake_pair *pair, const struct packet *packet, size_t bytes) {
  size_t at = pair->receive_first++ % pair->receive_max;
  size_t before = pair->reliable ? 0 : FAKE_GRH_BYTES;
  const struct ibv_sge *piece = &pair->receive_pieces[at];
  struct ibv_wc completion = {.wr_id = pair->receives[at].wr_id,
                              .opcode = IBV_WC_RECV,
                              .byte_len = (uint32_t)(before + bytes),
                              .qp_num = pair->base.qp_base.qp_num,
                              .src_qp = packet->source,
                              .wc_flags = pair->reliable ? 0 : IBV_WC_GRH};
  pair->receive_count--;
  if (before + bytes > piece->length)
    completion.status = IBV_WC_LOC_LEN_ERR;
  else if (!fake_memory_holds(pair->context, piece->lkey, piece->addr, piece->length))
    completion.status = IBV_WC_LOC_PROT_ERR;
  else
    memcpy((uint8_t *)(uintptr_t)piece->addr + before, packet->data, bytes);
  fake_queue_add(pair->queue, &completion);
}

// What finds no posted receive is lost over UD, and stays outside over SRD, where its sender would try again.
static void step_receives(struct fake_pair *pair) {
  struct packet packet;
  while (pair->receive_count > 0 || !pair->reliable) {
    ssize_t bytes = recv(pair->socket, &packet, sizeof packet, MSG_DONTWAIT);
    if (bytes < (ssize_t)PACKET_HEADER)
      return;
    if (packet.key == pair->key && pair->receive_count > 0)
      land(pair, &packet, (size_t)bytes - PACKET_HEADER);
  }
}

void fake_pair_step(struct fake_pair *pair) {
  step_sends(pair);
  step_receives(pair);
}

// ---- posting ----------------------------------------------------------------------------------------------

int fake_post_recv(struct ibv_qp *base, struct ibv_recv_wr *request, struct ibv_recv_wr **bad) {
  struct fake_pair *pair = (struct fake_pair *)base;
  int code = 0;
  pthread_mutex_lock(&pair->context->lock);
  for (; request != NULL && code == 0; request = request->next) {
    *bad = request;
    if (pair->receive_count == pair->receive_max) {
      code = ENOMEM;
      break;
    }
    size_t at = (pair->receive_first + pair->receive_count++) % pair->receive_max;
    pair->receives[at] = *request;
    pair->receive_pieces[at] = request->sg_list[0];
  }
  pthread_mutex_unlock(&pair->context->lock);
  return code;
}

static int check_send(const struct fake_pair *pair, const struct fake_send *send) {
  size_t bytes = send->inline_bytes;
  for (uint32_t p = 0; p < send->piece_count; p++)
    bytes += send->pieces[p].length;
  uint64_t mtu = pair->context->settings.mtu;
  uint64_t longest = mtu ? mtu : pair->context->efa ? 8192 : 4096;
  bool bad = pair->base.qp_base.state != IBV_QPS_RTS || bytes > longest || send->handle == NULL ||
             send->key > INT32_MAX || send->inline_bytes > FAKE_INLINE_MAX;
  return bad ? EINVAL : 0;
}

// The lock is held.
static int add_sends(struct fake_pair *pair, const struct fake_send *sends, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    if (check_send(pair, &sends[i]) != 0)
      return EINVAL;
  if (pair->sends_open + count > pair->send_max)
    return ENOMEM;
  memcpy(pair->sends + pair->send_count, sends, count * sizeof *sends);
  pair->send_count += count;
  pair->sends_open += count;
  // Some NICs are quick.
  if (pair->context->settings.late == 0 || fake_chance(pair->context, 50))
    step_sends(pair);
  return 0;
}

int fake_post_send(struct ibv_qp *base, struct ibv_send_wr *request, struct ibv_send_wr **bad) {
  struct fake_pair *pair = (struct fake_pair *)base;
  int code = pair->reliable ? EOPNOTSUPP : 0; // here SRD goes by the wr_ calls alone
  *bad = request;
  pthread_mutex_lock(&pair->context->lock);
  for (; request != NULL && code == 0; request = request->next) {
    struct fake_send send = {.id = request->wr_id,
                             .handle = (struct fake_handle *)request->wr.ud.ah,
                             .number = request->wr.ud.remote_qpn,
                             .key = request->wr.ud.remote_qkey};
    *bad = request;
    bool within = request->send_flags & IBV_SEND_INLINE;
    if (request->num_sge > 2 || request->opcode != IBV_WR_SEND ||
        (request->send_flags & ~(unsigned)IBV_SEND_INLINE) != IBV_SEND_SIGNALED) {
      code = EINVAL;
      break;
    }
    for (int p = 0; p < request->num_sge; p++) {
      const struct ibv_sge *piece = &request->sg_list[p];
      if (!within) {
        send.pieces[send.piece_count++] = *piece;
      } else if (send.inline_bytes + piece->length > FAKE_INLINE_MAX) {
        code = EINVAL;
      } else {
        memcpy(send.inline_data + send.inline_bytes, (const void *)(uintptr_t)piece->addr, piece->length);
        send.inline_bytes += piece->length;
      }
    }
    if (code == 0)
      code = add_sends(pair, &send, 1);
    if (code != 0)
      break;
  }
  pthread_mutex_unlock(&pair->context->lock);
  return code;
}

int fake_session_end(struct ibv_qp_ex *base) {
  struct fake_pair *pair = (struct fake_pair *)base;
  int code = pair->session_error;
  if (code == 0) {
    pthread_mutex_lock(&pair->context->lock);
    code = add_sends(pair, pair->session, pair->session_count);
    pthread_mutex_unlock(&pair->context->lock);
  }
  pair->session_count = 0;
  return code;
}
