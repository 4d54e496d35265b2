// srd_wire: one queue pair that reaches every peer, its completions and its receive buffers. Segments go out and come
// in; what they mean is the business of others. Two flavours: EFA's scalable reliable datagrams, and unreliable
// datagrams of any device.
#ifndef RS_TRANSPORT_SRD_WIRE_H
#define RS_TRANSPORT_SRD_WIRE_H

#include "transport/verbs_nic.h"

#define RS_SRD_GRH_BYTES 40u // stands before every received unreliable datagram
#define RS_SRD_BATCH 32u

// A send on its way to the device: a header and, if payload_bytes is not 0, a payload.
struct rs_srd_request {
  struct ibv_ah *address;
  uint32_t number, key; // of the peer's queue pair
  void *header, *payload;
  uint32_t header_bytes, header_lkey, payload_bytes, payload_lkey;
  uint64_t id;
};

struct rs_srd_event {
  uint64_t id;      // of a send
  uint8_t *segment; // received: header and payload; release the buffer when done with it
  size_t bytes;
  uint32_t buffer;
  uint32_t vendor_error;
  enum ibv_wc_status status;
  bool received; // else a send has ended
};

struct rs_srd_wire {
  const struct rs_verbs *verbs;
  const struct rs_verbs_nic *nic;
  bool reliable;                    // flavour efa
  struct ibv_comp_channel *channel; // NULL: the device has none for this queue
  struct ibv_cq *queue;
  struct ibv_qp *pair;
  struct ibv_qp_ex *extended; // efa
  uint32_t key;
  size_t segment_bytes; // header and payload
  unsigned notices;     // of the channel, not acknowledged yet

  uint32_t inline_max, requests_max, requests; // handed to the device and not ended
  struct rs_srd_request staged[RS_SRD_BATCH];
  uint32_t staged_count;
  int refusal; // an errno

  uint8_t *slab; // buffer_count buffers of buffer_bytes; those not posted and not held are in `free`
  struct ibv_mr *memory;
  size_t buffer_bytes;
  uint32_t buffer_count, depth, posted, free_count, *free;
};

// depth: receives posted at once, at most; spare: buffers that the caller may hold beyond them.
enum rs_status rs_srd_wire_open(const struct rs_verbs *verbs, const struct rs_verbs_nic *nic, bool reliable,
                                uint32_t depth, size_t spare, struct rs_srd_wire *wire, struct rs_error *error);
void rs_srd_wire_close(struct rs_srd_wire *wire); // {0} is fine; address handles are destroyed after this

// Stages a send. False: as many are on their way as there may be.
bool rs_srd_wire_send(struct rs_srd_wire *wire, const struct rs_srd_request *request);
// Hands what is staged to the device; what finds no room in its queue stays staged for the next call. If the device
// refuses in any other way, the next poll says so.
void rs_srd_wire_flush(struct rs_srd_wire *wire);
bool rs_srd_wire_full(const struct rs_srd_wire *wire);

// Up to RS_SRD_BATCH events.
enum rs_status rs_srd_wire_poll(struct rs_srd_wire *wire, struct rs_srd_event *events, size_t *count,
                                struct rs_error *error);
enum rs_status rs_srd_wire_release(struct rs_srd_wire *wire, uint32_t buffer, struct rs_error *error);

// From now on a completion makes the channel readable; what has completed before is for one more poll.
enum rs_status rs_srd_wire_arm(struct rs_srd_wire *wire, struct rs_error *error);

// The size of the largest segment that a device sends, header and payload.
size_t rs_srd_wire_segment_bytes(const struct rs_verbs_nic *nic);

#endif
