// Completion queues, sleeping, and asynchronous events of the verbs_rc transport.
#include "transport/verbs_rc_device.h"

#include <errno.h>

#define COMPLETIONS_MAX 32
// Asynchronous events are looked for once in so many calls of progress, since that is a system call.
#define CALLS_PER_LOOK 4096
#define SLEEPS_PER_LOOK 16

// ---- failures ---------------------------------------------------------------------------------------------

// "; 3 sends and 1 receives were outstanding with rank 2 at ...": of the first channel that has any.
static void append_outstanding(const struct rs_verbs_rc_device *device, size_t port, struct rs_text *text) {
  for (size_t c = 0; c < device->channel_count; c++) {
    const struct rs_verbs_rc_channel *channel = &device->channels[c];
    uint64_t sends = channel->send.head - channel->send.tail, receives = channel->recv.head - channel->recv.tail;
    if (channel->pairs->nic != port || sends + receives == 0)
      continue;
    rs_text_append(text, "; %llu sends and %llu receives were outstanding with %s", (unsigned long long)sends,
                   (unsigned long long)receives, rs_verbs_rc_peer_format(channel).text);
    return;
  }
}

static enum rs_status event_failure(const struct rs_verbs_rc_device *device, size_t port,
                                    const struct ibv_async_event *event, struct rs_error *error) {
  const char *name = device->ports[port].nic.facts.interface;
  unsigned number = device->ports[port].nic.port;
  struct rs_text text = {0};
  switch (event->event_type) {
  case IBV_EVENT_PORT_ERR:
    rs_text_append(&text, "port %u of %s went down (see 'rdma link', the cable and the switch)", number, name);
    break;
  case IBV_EVENT_DEVICE_FATAL:
    rs_text_append(&text, "the device %s failed (see dmesg)", name);
    break;
  case IBV_EVENT_CQ_ERR:
    rs_text_append(&text, "a completion queue of %s overran or failed, which is a bug in ringside or its driver", name);
    break;
  default: {
    const struct rs_verbs_rc_pair *pair = event->element.qp->qp_context;
    rs_text_append(&text, "the queue pair with %s failed (asynchronous event %d); see that rank's own message",
                   rs_verbs_rc_peer_format(pair->channel).text, (int)event->event_type);
  }
  }
  append_outstanding(device, port, &text);
  rs_error_set(error, RS_ERROR_PEER, "verbs_rc: %s", text.data ? text.data : "a device failed");
  rs_text_fini(&text);
  return error->status;
}

static bool is_failure(enum ibv_event_type type) {
  switch (type) {
  case IBV_EVENT_PORT_ERR:
  case IBV_EVENT_DEVICE_FATAL:
  case IBV_EVENT_CQ_ERR:
  case IBV_EVENT_QP_FATAL:
  case IBV_EVENT_QP_REQ_ERR:
  case IBV_EVENT_QP_ACCESS_ERR:
    return true;
  default:
    return false;
  }
}

static enum rs_status look_for_events(const struct rs_verbs_rc_device *device, struct rs_error *error) {
  for (size_t p = 0; p < device->port_count; p++) {
    struct ibv_async_event event;
    const struct rs_verbs_nic *nic = &device->ports[p].nic;
    while (device->verbs.get_async_event(nic->context, &event) == 0) {
      bool other = event.event_type == IBV_EVENT_PORT_ERR && event.element.port_num != nic->port;
      if (is_failure(event.event_type) && !other)
        event_failure(device, p, &event, error);
      device->verbs.ack_async_event(&event);
      if (error->status < 0)
        return error->status;
    }
  }
  return RS_OK;
}

// A link that is down makes requests fail in many ways: that is then the cause.
static enum rs_status pair_failure(const struct rs_verbs_rc_pair *pair, const struct ibv_wc *completion,
                                   struct rs_error *error) {
  const struct rs_verbs_rc_channel *channel = pair->channel;
  const struct rs_verbs_rc_device *device = channel->device;
  const struct rs_verbs_nic *nic = &device->ports[pair->nic].nic;
  char words[512];
  rs_verbs_words(completion->status, completion->vendor_err, false, words, sizeof words);
  struct ibv_port_attr attributes;
  if (rs_verbs_query_port(&device->verbs, nic->context, nic->port, &attributes) == 0 &&
      attributes.state != IBV_PORT_ACTIVE)
    snprintf(words, sizeof words, "port %u of %s is down (see 'rdma link', the cable and the switch; status %d)",
             nic->port, nic->facts.interface, (int)completion->status);
  return rs_error_set(error, RS_ERROR_PEER, "verbs_rc: %s %s, with %llu sends and %llu receives outstanding: %s",
                      completion->wr_id >> 31 & 1 ? "sending to" : "receiving from",
                      rs_verbs_rc_peer_format(channel).text,
                      (unsigned long long)(channel->send.head - channel->send.tail),
                      (unsigned long long)(channel->recv.head - channel->recv.tail), words);
}

// ---- completions ------------------------------------------------------------------------------------------

// A completed request completes all before it on its queue pair.
static void sent(struct rs_verbs_rc_pair *pair, uint32_t low) {
  uint64_t through = pair->completed + ((low - (uint32_t)pair->completed) & 0x7fffffff);
  for (; pair->completed <= through; pair->completed++) {
    struct rs_verbs_rc_post *post = pair->finishes[pair->completed % RS_VERBS_RC_SENDS];
    if (post != NULL)
      rs_verbs_rc_piece_done(pair->channel, post);
  }
  rs_verbs_rc_stir(pair->channel);
}

static enum rs_status handle(struct rs_verbs_rc_device *device, const struct ibv_wc *completion,
                             struct rs_error *error) {
  struct rs_verbs_rc_pair *pair = &device->pairs[completion->wr_id >> 32];
  uint32_t low = (uint32_t)completion->wr_id & 0x7fffffff;
  if (completion->status != IBV_WC_SUCCESS)
    return pair_failure(pair, completion, error);
  if (completion->wr_id >> 31 & 1) {
    sent(pair, low);
    return RS_OK;
  }
  if (completion->opcode == IBV_WC_RECV_RDMA_WITH_IMM)
    return rs_verbs_rc_written(pair, low, completion->imm_data, error);
  return rs_verbs_rc_arrive(pair, low, completion->byte_len, error);
}

enum rs_status rs_verbs_rc_poll(struct rs_verbs_rc_device *device, size_t *handled, struct rs_error *error) {
  struct ibv_wc completions[COMPLETIONS_MAX];
  *handled = 0;
  for (size_t p = 0; p < device->port_count; p++) {
    int count = ibv_poll_cq(device->ports[p].cq, COMPLETIONS_MAX, completions);
    if (count < 0)
      return rs_error_set(error, RS_ERROR_IO, "verbs_rc: the completion queue of %s cannot be read (see dmesg)",
                          device->ports[p].nic.facts.interface);
    for (int c = 0; c < count; c++)
      if (handle(device, &completions[c], error) < 0)
        return error->status;
    *handled += (size_t)count;
  }
  return RS_OK;
}

static enum rs_status push_stirred(struct rs_verbs_rc_device *device, struct rs_error *error) {
  while (device->stirred != NULL) {
    struct rs_verbs_rc_channel *channel = device->stirred;
    device->stirred = channel->next_stirred;
    channel->stirred = false;
    if (rs_verbs_rc_push(channel, error) < 0)
      return error->status;
  }
  return RS_OK;
}

static size_t deliver(struct rs_verbs_rc_device *device, struct rs_completion *completions, size_t max) {
  size_t count = 0;
  for (; device->first_done != NULL && count < max; count++) {
    struct rs_verbs_rc_post *post = device->first_done;
    struct rs_verbs_rc_queue *queue = post->queue;
    completions[count].cookie = post->cookie;
    device->first_done = post->next_done;
    post->state = RS_VERBS_RC_FREE;
    while (queue->tail < queue->head && rs_verbs_rc_post_at(queue, queue->tail)->state == RS_VERBS_RC_FREE)
      queue->tail++;
  }
  if (device->first_done == NULL)
    device->last_done = &device->first_done;
  return count;
}

enum rs_status rs_verbs_rc_progress(struct rs_device *base, struct rs_completion *completions, size_t max,
                                    size_t *count, struct rs_error *error) {
  struct rs_verbs_rc_device *device = rs_verbs_rc_device_of(base);
  size_t handled;
  *count = 0;
  if (rs_verbs_rc_poll(device, &handled, error) < 0 || push_stirred(device, error) < 0)
    return error->status;
  if (++device->calls % CALLS_PER_LOOK == 0 && look_for_events(device, error) < 0)
    return error->status;
  *count = deliver(device, completions, max);
  return RS_OK;
}

// ---- sleeping ---------------------------------------------------------------------------------------------

// Sleeps are frequent, and each of these is a system call: there is at most one event for each time that it was asked
// for, and asynchronous ones, which wake too, are looked for now and then.
static enum rs_status ask_for_event(struct rs_verbs_rc_device *device, struct rs_verbs_rc_port *port,
                                    struct rs_error *error) {
  struct ibv_cq *queue;
  void *context;
  if (port->asked && device->verbs.get_cq_event(port->events, &queue, &context) == 0) {
    device->verbs.ack_cq_events(queue, 1);
    port->asked = false;
  }
  int code = port->asked ? 0 : ibv_req_notify_cq(port->cq, 0);
  port->asked = code == 0;
  return code == 0 ? RS_OK
                   : rs_error_set_errno(error, RS_ERROR_IO, code, "verbs_rc: asking %s for an event",
                                        port->nic.facts.interface);
}

// First forgets the news that have been acted on, then asks for the next, then looks whether it came in between.
enum rs_status rs_verbs_rc_arm(struct rs_device *base, struct rs_error *error) {
  struct rs_verbs_rc_device *device = rs_verbs_rc_device_of(base);
  if (++device->sleeps % SLEEPS_PER_LOOK == 0 && look_for_events(device, error) < 0)
    return error->status;
  for (size_t p = 0; p < device->port_count; p++)
    if (ask_for_event(device, &device->ports[p], error) < 0)
      return error->status;
  size_t handled;
  if (rs_verbs_rc_poll(device, &handled, error) < 0)
    return error->status;
  return handled > 0 || device->stirred != NULL || device->first_done != NULL ? RS_BUSY : RS_OK;
}

int rs_verbs_rc_event_fd(const struct rs_device *device) {
  return ((const struct rs_verbs_rc_device *)device)->epoll_fd;
}
