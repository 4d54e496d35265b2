#include "transport/srd_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

// EFA refuses longer ones.
#define INLINE_MAX 32u
// EFA resends so often by itself before it says that the receiver is not ready.
#define RNR_RETRIES 3
// Of failed completions only id and status are defined, so the id says which queue they are of.
#define SEND_ID (UINT64_C(1) << 63)

size_t rs_srd_wire_segment_bytes(const struct rs_verbs_nic *nic) {
  // EFA's MTU is a rounded figure; the longest message of a port is what it sends as one.
  return nic->efa ? nic->attributes.max_msg_sz : (size_t)128 << nic->attributes.active_mtu;
}

// ---- open -------------------------------------------------------------------------------------------------

static enum rs_status refused(const struct rs_srd_wire *wire, const char *what, int code, struct rs_error *error) {
  return rs_error_set_errno(error, RS_ERROR_IO, code, "srd: RDMA device %s gives no %s", wire->nic->facts.interface,
                            what);
}

static enum rs_status open_queue(struct rs_srd_wire *wire, struct rs_error *error) {
  const struct rs_verbs *verbs = wire->verbs;
  struct ibv_context *context = wire->nic->context;
  int entries = (int)(wire->requests_max + wire->depth);
  wire->channel = verbs->create_comp_channel(context);
  if (wire->channel != NULL) {
    int flags = fcntl(wire->channel->fd, F_GETFL);
    if (flags >= 0 && fcntl(wire->channel->fd, F_SETFL, flags | O_NONBLOCK) == 0)
      wire->queue = verbs->create_cq(context, entries, NULL, wire->channel, 0);
  }
  if (wire->queue == NULL) { // an EFA of the first generations: its queues can only be polled
    if (wire->channel != NULL)
      verbs->destroy_comp_channel(wire->channel);
    wire->channel = NULL;
    wire->queue = verbs->create_cq(context, entries, NULL, NULL, 0);
  }
  return wire->queue != NULL ? RS_OK : refused(wire, "completion queue", errno, error);
}

static enum rs_status open_pair(struct rs_srd_wire *wire, struct rs_error *error) {
  const struct rs_verbs *verbs = wire->verbs;
  struct ibv_qp_cap capacity = {.max_send_wr = wire->requests_max,
                                .max_recv_wr = wire->depth,
                                .max_send_sge = 2,
                                .max_recv_sge = 1,
                                .max_inline_data = INLINE_MAX};
  if (!wire->reliable) {
    struct ibv_qp_init_attr attributes = {
        .send_cq = wire->queue, .recv_cq = wire->queue, .cap = capacity, .qp_type = IBV_QPT_UD, .sq_sig_all = 1};
    wire->pair = verbs->create_qp(wire->nic->pd, &attributes);
    wire->inline_max = attributes.cap.max_inline_data;
  } else {
#if RS_HAVE_EFADV
    struct ibv_qp_init_attr_ex attributes = {.send_cq = wire->queue,
                                             .recv_cq = wire->queue,
                                             .cap = capacity,
                                             .qp_type = IBV_QPT_DRIVER,
                                             .sq_sig_all = 1,
                                             .comp_mask = IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_SEND_OPS_FLAGS,
                                             .pd = wire->nic->pd,
                                             .send_ops_flags = IBV_QP_EX_WITH_SEND};
    struct efadv_qp_init_attr driver = {.driver_qp_type = EFADV_QP_DRIVER_TYPE_SRD};
    wire->pair = verbs->efadv_create_qp_ex(wire->nic->context, &attributes, &driver, sizeof driver);
    wire->inline_max = attributes.cap.max_inline_data;
    if (wire->pair != NULL)
      wire->extended = verbs->qp_to_qp_ex(wire->pair);
#endif
  }
  return wire->pair != NULL ? RS_OK : refused(wire, wire->reliable ? "SRD queue pair" : "UD queue pair", errno, error);
}

// EFA rejects attributes beyond these.
static enum rs_status ready_pair(struct rs_srd_wire *wire, struct rs_error *error) {
  struct ibv_qp_attr attributes = {
      .qp_state = IBV_QPS_INIT, .port_num = wire->nic->port, .qkey = wire->key, .rnr_retry = RNR_RETRIES};
  int more = 0;
#if RS_HAVE_EFADV
  struct efadv_device_attr driver = {0};
  if (wire->reliable && wire->verbs->efadv_query_device(wire->nic->context, &driver, sizeof driver) == 0 &&
      driver.device_caps & EFADV_DEVICE_ATTR_CAPS_RNR_RETRY)
    more = IBV_QP_RNR_RETRY;
#endif
  int code =
      wire->verbs->modify_qp(wire->pair, &attributes, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_QKEY);
  attributes.qp_state = IBV_QPS_RTR;
  if (code == 0)
    code = wire->verbs->modify_qp(wire->pair, &attributes, IBV_QP_STATE);
  attributes.qp_state = IBV_QPS_RTS;
  if (code == 0)
    code = wire->verbs->modify_qp(wire->pair, &attributes, IBV_QP_STATE | IBV_QP_SQ_PSN | more);
  return code == 0 ? RS_OK : refused(wire, "queue pair that is ready to send", code, error);
}

static enum rs_status refill(struct rs_srd_wire *wire, struct rs_error *error) {
  while (wire->posted < wire->depth && wire->free_count > 0) {
    uint32_t buffer = wire->free[wire->free_count - 1];
    struct ibv_sge piece = {.addr = (uintptr_t)(wire->slab + buffer * wire->buffer_bytes),
                            .length = (uint32_t)wire->buffer_bytes,
                            .lkey = wire->memory->lkey};
    struct ibv_recv_wr request = {.wr_id = buffer, .sg_list = &piece, .num_sge = 1}, *bad;
    int code = ibv_post_recv(wire->pair, &request, &bad);
    if (code == ENOMEM || code == EAGAIN)
      return RS_OK; // a shorter queue than it was asked for
    if (code != 0)
      return refused(wire, "room for a receive", code, error);
    wire->free_count--;
    wire->posted++;
  }
  return RS_OK;
}

static enum rs_status open_buffers(struct rs_srd_wire *wire, struct rs_error *error) {
  wire->buffer_bytes = rs_round_up(wire->segment_bytes + (wire->reliable ? 0 : RS_SRD_GRH_BYTES), 64);
  wire->slab = rs_allocate(wire->buffer_count, wire->buffer_bytes, "srd receive buffers", error);
  wire->free = rs_allocate(wire->buffer_count, sizeof *wire->free, "srd receive buffers", error);
  if (wire->slab == NULL || wire->free == NULL)
    return error->status;
  for (uint32_t buffer = wire->buffer_count; buffer-- > 0;)
    wire->free[wire->free_count++] = buffer;
  size_t bytes = wire->buffer_count * wire->buffer_bytes;
  wire->memory = (wire->verbs->reg_mr)(wire->nic->pd, wire->slab, bytes, IBV_ACCESS_LOCAL_WRITE);
  if (wire->memory == NULL)
    return rs_error_set_errno(error, RS_ERROR_IO, errno,
                              "srd: %zu bytes of receive buffers cannot be registered with %s; see 'ulimit -l'", bytes,
                              wire->nic->facts.interface);
  return refill(wire, error);
}

enum rs_status rs_srd_wire_open(const struct rs_verbs *verbs, const struct rs_verbs_nic *nic, bool reliable,
                                uint32_t depth, size_t spare, struct rs_srd_wire *wire, struct rs_error *error) {
  *wire = (struct rs_srd_wire){
      .verbs = verbs, .nic = nic, .reliable = reliable, .segment_bytes = rs_srd_wire_segment_bytes(nic)};
  uint32_t limit = nic->device.max_qp_wr > 0 ? (uint32_t)nic->device.max_qp_wr : depth;
  wire->depth = depth < limit ? depth : limit;
  wire->requests_max = wire->depth;
  if (wire->depth + spare > UINT32_MAX)
    return rs_error_set(error, RS_ERROR_USAGE, "srd: %zu bounce buffers are too many; use fewer lanes", spare);
  wire->buffer_count = wire->depth + (uint32_t)spare;
  if (rs_random_bytes(&wire->key, sizeof wire->key, error) < 0)
    return error->status;
  wire->key &= 0x7fffffff; // the upper half is for privileged users
  if (open_queue(wire, error) < 0 || open_pair(wire, error) < 0 || ready_pair(wire, error) < 0 ||
      open_buffers(wire, error) < 0) {
    rs_srd_wire_close(wire);
    return error->status;
  }
  return RS_OK;
}

void rs_srd_wire_close(struct rs_srd_wire *wire) {
  if (wire->pair != NULL)
    wire->verbs->destroy_qp(wire->pair);
  if (wire->queue != NULL && wire->notices > 0)
    wire->verbs->ack_cq_events(wire->queue, wire->notices);
  if (wire->queue != NULL)
    wire->verbs->destroy_cq(wire->queue);
  if (wire->channel != NULL)
    wire->verbs->destroy_comp_channel(wire->channel);
  if (wire->memory != NULL)
    wire->verbs->dereg_mr(wire->memory);
  free(wire->slab);
  free(wire->free);
  *wire = (struct rs_srd_wire){0};
}

// ---- sending ----------------------------------------------------------------------------------------------

bool rs_srd_wire_full(const struct rs_srd_wire *wire) {
  return wire->staged_count == RS_SRD_BATCH || wire->requests + wire->staged_count == wire->requests_max;
}

bool rs_srd_wire_send(struct rs_srd_wire *wire, const struct rs_srd_request *request) {
  if (wire->staged_count == RS_SRD_BATCH)
    rs_srd_wire_flush(wire);
  if (rs_srd_wire_full(wire))
    return false;
  wire->staged[wire->staged_count++] = *request;
  return true;
}

static int pieces_of(const struct rs_srd_request *request, struct ibv_sge pieces[2]) {
  pieces[0] = (struct ibv_sge){(uintptr_t)request->header, request->header_bytes, request->header_lkey};
  pieces[1] = (struct ibv_sge){(uintptr_t)request->payload, request->payload_bytes, request->payload_lkey};
  return request->payload_bytes > 0 ? 2 : 1;
}

static bool is_inline(const struct rs_srd_wire *wire, const struct rs_srd_request *request) {
  return request->header_bytes + request->payload_bytes <= wire->inline_max;
}

// Returns an errno; *taken of the staged requests are the device's now.
static int post_datagrams(struct rs_srd_wire *wire, uint32_t *taken) {
  struct ibv_send_wr requests[RS_SRD_BATCH] = {0}, *bad = NULL;
  struct ibv_sge pieces[RS_SRD_BATCH][2];
  for (uint32_t i = 0; i < wire->staged_count; i++) {
    const struct rs_srd_request *staged = &wire->staged[i];
    requests[i].wr_id = staged->id | SEND_ID;
    requests[i].next = i + 1 < wire->staged_count ? &requests[i + 1] : NULL;
    requests[i].sg_list = pieces[i];
    requests[i].num_sge = pieces_of(staged, pieces[i]);
    requests[i].opcode = IBV_WR_SEND;
    requests[i].send_flags = IBV_SEND_SIGNALED | (is_inline(wire, staged) ? IBV_SEND_INLINE : 0);
    requests[i].wr.ud.ah = staged->address;
    requests[i].wr.ud.remote_qpn = staged->number;
    requests[i].wr.ud.remote_qkey = staged->key;
  }
  int code = ibv_post_send(wire->pair, requests, &bad);
  *taken = code == 0 ? wire->staged_count : (uint32_t)(bad != NULL ? bad - requests : 0);
  return code;
}

// A session that fails has posted nothing.
static int post_reliable(struct rs_srd_wire *wire, uint32_t count) {
  ibv_wr_start(wire->extended);
  for (uint32_t i = 0; i < count; i++) {
    const struct rs_srd_request *staged = &wire->staged[i];
    struct ibv_sge pieces[2];
    size_t piece_count = (size_t)pieces_of(staged, pieces);
    struct ibv_data_buf parts[2] = {{staged->header, staged->header_bytes}, {staged->payload, staged->payload_bytes}};
    wire->extended->wr_id = staged->id | SEND_ID;
    wire->extended->wr_flags = IBV_SEND_SIGNALED;
    ibv_wr_send(wire->extended);
    if (is_inline(wire, staged))
      ibv_wr_set_inline_data_list(wire->extended, piece_count, parts);
    else
      ibv_wr_set_sge_list(wire->extended, piece_count, pieces);
    ibv_wr_set_ud_addr(wire->extended, staged->address, staged->number, staged->key);
  }
  return ibv_wr_complete(wire->extended);
}

void rs_srd_wire_flush(struct rs_srd_wire *wire) {
  if (wire->staged_count == 0)
    return;
  uint32_t taken = 0;
  int code;
  if (wire->reliable) {
    // A queue may have room for a few and not for all.
    uint32_t count = wire->staged_count;
    while ((code = post_reliable(wire, count)) == ENOMEM && count > 1)
      count /= 2;
    taken = code == 0 ? count : 0;
  } else {
    code = post_datagrams(wire, &taken);
  }
  wire->requests += taken;
  wire->staged_count -= taken;
  memmove(wire->staged, wire->staged + taken, wire->staged_count * sizeof wire->staged[0]);
  if (code != 0 && code != ENOMEM && code != EAGAIN)
    wire->refusal = code;
}

// ---- completions ------------------------------------------------------------------------------------------

enum rs_status rs_srd_wire_poll(struct rs_srd_wire *wire, struct rs_srd_event *events, size_t *count,
                                struct rs_error *error) {
  struct ibv_wc completions[RS_SRD_BATCH];
  size_t grh = wire->reliable ? 0 : RS_SRD_GRH_BYTES;
  if (wire->refusal != 0)
    return refused(wire, "room for a send", wire->refusal, error);
  int found = ibv_poll_cq(wire->queue, (int)RS_SRD_BATCH, completions);
  if (found < 0)
    return refused(wire, "completions any more", -found, error);
  *count = 0;
  for (int i = 0; i < found; i++) {
    const struct ibv_wc *done = &completions[i];
    struct rs_srd_event *event = &events[(*count)++];
    *event = (struct rs_srd_event){.received = (done->wr_id & SEND_ID) == 0,
                                   .status = done->status,
                                   .vendor_error = done->vendor_err,
                                   .id = done->wr_id & ~SEND_ID};
    if (!event->received) {
      wire->requests--;
      continue;
    }
    wire->posted--;
    event->buffer = (uint32_t)done->wr_id;
    event->segment = wire->slab + event->buffer * wire->buffer_bytes + grh;
    event->bytes = done->status == IBV_WC_SUCCESS && done->byte_len > grh ? done->byte_len - grh : 0;
  }
  return RS_OK;
}

enum rs_status rs_srd_wire_release(struct rs_srd_wire *wire, uint32_t buffer, struct rs_error *error) {
  wire->free[wire->free_count++] = buffer;
  return refill(wire, error);
}

enum rs_status rs_srd_wire_arm(struct rs_srd_wire *wire, struct rs_error *error) {
  struct ibv_cq *queue;
  void *context;
  while (wire->verbs->get_cq_event(wire->channel, &queue, &context) == 0)
    wire->notices++;
  if (wire->notices >= 64) { // acknowledging takes a lock, so not for each
    wire->verbs->ack_cq_events(wire->queue, wire->notices);
    wire->notices = 0;
  }
  int code = ibv_req_notify_cq(wire->queue, 0);
  return code == 0 ? RS_OK : refused(wire, "notice of completions", code, error);
}
