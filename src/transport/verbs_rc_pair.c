// One reliable queue pair. States: InfiniBand Architecture Specification 1.4, chapter 10.3.
#include "transport/verbs_rc_device.h"

#include <errno.h>
#include <string.h>

// A peer that does not answer is given up after 7 times the acknowledgement timeout; devices may take up to 4 times as
// long, says the specification. 7 retries would be one more, but Soft-RoCE takes that for infinitely many.
#define RETRIES 6
#define SLOWEST INT64_C(4)
// Credits keep receive queues from running dry, so this is for peers that break the protocol; 7 would mean for ever.
#define RNR_RETRIES 6
#define RNR_DELAY 12 // 0.64 ms
#define HOPS 64
#define READS_MAX 16

static struct rs_verbs_rc_device *device_of(const struct rs_verbs_rc_pair *pair) {
  return pair->channel->device;
}

static enum rs_status refused(const struct rs_verbs_rc_pair *pair, int code, const char *doing,
                              struct rs_error *error) {
  return rs_error_set_errno(error, RS_ERROR_IO, code, "verbs_rc: %s, for %s", doing,
                            rs_verbs_rc_peer_format(pair->channel).text);
}

// ---- open -------------------------------------------------------------------------------------------------

static size_t receive_count(const struct rs_verbs_rc_pair *pair) {
  return pair->index == 0 ? RS_VERBS_RC_RECEIVES : RS_VERBS_RC_POSTS_MAX;
}

// Devices differ in what they can take inline, and tell only by refusing.
static enum rs_status create(struct rs_verbs_rc_pair *pair, struct rs_error *error) {
  static const uint32_t inline_bytes[] = {256, 128, 64, 0};
  const struct rs_verbs_rc_device *device = device_of(pair);
  const struct rs_verbs_rc_port *port = &device->ports[pair->nic];
  for (size_t i = 0; i < RS_ARRAY_LENGTH(inline_bytes) && pair->qp == NULL; i++) {
    struct ibv_qp_init_attr wanted = {
        .qp_context = pair,
        .send_cq = port->cq,
        .recv_cq = port->cq,
        .qp_type = IBV_QPT_RC,
        .cap = {.max_send_wr = RS_VERBS_RC_SENDS,
                .max_recv_wr = (uint32_t)receive_count(pair),
                .max_send_sge = 1,
                .max_recv_sge = 1,
                .max_inline_data = inline_bytes[i]},
    };
    pair->qp = device->verbs.create_qp(port->nic.pd, &wanted);
    pair->inline_bytes = inline_bytes[i];
  }
  if (pair->qp == NULL)
    return refused(pair, errno, "making a queue pair (ulimit -l says how much memory may be locked)", error);
  return RS_OK;
}

enum rs_status rs_verbs_rc_pair_open(struct rs_verbs_rc_pair *pair, struct rs_verbs_rc_end *end,
                                     struct rs_error *error) {
  const struct rs_verbs_rc_device *device = device_of(pair);
  const struct rs_verbs_nic *nic = &device->ports[pair->nic].nic;
  if (create(pair, error) < 0)
    return error->status;
  struct ibv_qp_attr init = {
      .qp_state = IBV_QPS_INIT,
      .port_num = nic->port,
      .qp_access_flags = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ,
  };
  int code =
      device->verbs.modify_qp(pair->qp, &init, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS);
  if (code != 0)
    return refused(pair, code, "initialising a queue pair", error);
  for (uint32_t slot = 0; slot < receive_count(pair); slot++)
    if (rs_verbs_rc_pair_receive(pair, slot, error) < 0)
      return error->status;
  // Unlike those of a connection that this one may be taken for.
  if (rs_random_bytes(&pair->psn, sizeof pair->psn, error) < 0)
    return error->status;
  pair->psn &= 0xffffff;
  *end = (struct rs_verbs_rc_end){
      .gid = nic->gid,
      .number = pair->qp->qp_num,
      .psn = pair->psn,
      .lid = nic->attributes.lid,
      .mtu = (uint8_t)nic->attributes.active_mtu,
      .reads = (uint8_t)rs_min_size((size_t)nic->device.max_qp_rd_atom, READS_MAX),
  };
  return RS_OK;
}

// ---- connect ----------------------------------------------------------------------------------------------

// The exponent of 4.096 us x 2^k: the time asked for, but never so long that a dead peer outlives the limit.
static uint8_t ack_timeout(const struct rs_verbs_rc_device *device) {
  int64_t limit_ns = device->timeout_ns / (SLOWEST * (RETRIES + 1));
  int64_t wanted_ns = device->options.ack_timeout_ns < limit_ns ? device->options.ack_timeout_ns : limit_ns;
  uint8_t exponent = 1;
  while (exponent < 31 && INT64_C(4096) << exponent < wanted_ns)
    exponent++;
  return exponent;
}

enum rs_status rs_verbs_rc_pair_connect(struct rs_verbs_rc_pair *pair, const struct rs_verbs_rc_end *peer,
                                        struct rs_error *error) {
  const struct rs_verbs_rc_device *device = device_of(pair);
  const struct rs_verbs_nic *nic = &device->ports[pair->nic].nic;
  size_t mtu = rs_min_size(nic->attributes.active_mtu, peer->mtu);
  struct ibv_qp_attr receive = {
      .qp_state = IBV_QPS_RTR,
      .path_mtu = (enum ibv_mtu)mtu,
      .dest_qp_num = peer->number,
      .rq_psn = peer->psn,
      .max_dest_rd_atomic = (uint8_t)rs_min_size((size_t)nic->device.max_qp_rd_atom, READS_MAX),
      .min_rnr_timer = RNR_DELAY,
      .ah_attr = {.is_global = 1,
                  .dlid = peer->lid,
                  .port_num = nic->port,
                  .grh = {.dgid = peer->gid,
                          .sgid_index = (uint8_t)nic->gid_index,
                          .hop_limit = HOPS,
                          .traffic_class = (uint8_t)device->options.choice.traffic_class}},
  };
  int code = device->verbs.modify_qp(pair->qp, &receive,
                                     IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
                                         IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER);
  if (code != 0)
    return refused(pair, code,
                   "connecting a queue pair: the peer's address cannot be resolved (is there a route, and are both "
                   "GIDs of one kind? verbs_rc.gid_index chooses another)",
                   error);
  struct ibv_qp_attr send = {
      .qp_state = IBV_QPS_RTS,
      .sq_psn = pair->psn,
      .timeout = ack_timeout(device),
      .retry_cnt = RETRIES,
      .rnr_retry = RNR_RETRIES,
      .max_rd_atomic =
          (uint8_t)rs_min_size((size_t)nic->device.max_qp_init_rd_atom, rs_min_size(peer->reads, READS_MAX)),
  };
  code = device->verbs.modify_qp(pair->qp, &send,
                                 IBV_QP_STATE | IBV_QP_SQ_PSN | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
                                     IBV_QP_MAX_QP_RD_ATOMIC);
  if (code != 0)
    return refused(pair, code, "readying a queue pair to send", error);
  return RS_OK;
}

// ---- requests ---------------------------------------------------------------------------------------------

enum rs_status rs_verbs_rc_pair_post(struct rs_verbs_rc_pair *pair, struct ibv_send_wr *request,
                                     struct rs_verbs_rc_post *finishes, struct rs_error *error) {
  uint32_t position = (uint32_t)pair->posted;
  request->wr_id = rs_verbs_rc_id((size_t)(pair - device_of(pair)->pairs), true, position);
  if (finishes != NULL || position % RS_VERBS_RC_SIGNAL_EVERY == RS_VERBS_RC_SIGNAL_EVERY - 1)
    request->send_flags |= IBV_SEND_SIGNALED;
  pair->finishes[position % RS_VERBS_RC_SENDS] = finishes;
  struct ibv_send_wr *bad;
  int code = ibv_post_send(pair->qp, request, &bad);
  if (code != 0)
    return refused(pair, code, "posting a request", error);
  pair->posted++;
  return RS_OK;
}

enum rs_status rs_verbs_rc_pair_receive(struct rs_verbs_rc_pair *pair, uint32_t slot, struct rs_error *error) {
  const struct rs_verbs_rc_device *device = device_of(pair);
  const struct ibv_mr *buffers = device->ports[pair->nic].buffers;
  struct ibv_sge place = {
      .addr = (uintptr_t)pair->channel->receives + slot * device->slot_bytes,
      .length = (uint32_t)device->slot_bytes,
      .lkey = buffers->lkey,
  };
  // Pairs but the first get only writes with immediate, which bring no bytes here.
  struct ibv_recv_wr request = {
      .wr_id = rs_verbs_rc_id((size_t)(pair - device->pairs), false, slot),
      .sg_list = &place,
      .num_sge = pair->index == 0,
  };
  struct ibv_recv_wr *bad;
  int code = ibv_post_recv(pair->qp, &request, &bad);
  return code == 0 ? RS_OK : refused(pair, code, "posting a receive buffer", error);
}
