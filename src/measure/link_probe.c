// Two ranks at a time exchange short messages that carry their own time of departure. Every rank takes its pairs in the
// order of (lower rank, higher rank), which is the same everywhere, so no circle of ranks can wait for one another.
#include "measure/link_probe.h"

#include "ringside/stats.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define TRIPS 25
#define PROBE_LANE 0

// What travels, at its place in the probe's buffer.
struct probe_buffer {
  int64_t out, in;
};

struct probe {
  const struct link_probe_params *params;
  struct rs_buffer buffer;
  struct rs_region *region;
};

static int64_t common_now(const struct probe *probe) {
  return clock_to_common(probe->params->line, clock_now(probe->params->clock));
}

// Posts and waits for the one completion.
static enum rs_status transfer(const struct probe *probe, size_t peer, bool out, struct rs_error *error) {
  struct rs_device *device = probe->params->device;
  const struct rs_transport *transport = device->transport;
  int64_t since = rs_clock_ns();
  size_t offset = out ? offsetof(struct probe_buffer, out) : offsetof(struct probe_buffer, in);
  enum rs_status status = RS_BUSY;
  for (;;) {
    if (status == RS_BUSY)
      status = (out ? transport->post_send : transport->post_recv)(device, peer, PROBE_LANE, probe->region, offset,
                                                                   sizeof(int64_t), 0, error);
    if (status <= RS_OK)
      return status;
    struct rs_completion completion;
    size_t count;
    enum rs_status progressed = transport->progress(device, &completion, 1, &count, error);
    if (progressed < 0 || (count && status == RS_IN_PROGRESS))
      return progressed;
    if (rs_clock_ns() - since > probe->params->timeout_ns)
      return rs_error_set(error, RS_ERROR_TIMEOUT,
                          "transport %s: rank %zu did not answer a probe of the link for %.3g s", transport->name, peer,
                          (double)probe->params->timeout_ns / 1e9);
    sched_yield();
  }
}

// One way: from this rank, or to it; *delay is set by the receiver.
static enum rs_status trip(const struct probe *probe, size_t peer, bool out, double *delay, struct rs_error *error) {
  struct probe_buffer *buffer = probe->buffer.address;
  if (out)
    buffer->out = common_now(probe);
  enum rs_status status = transfer(probe, peer, out, error);
  if (!out)
    *delay = (double)(common_now(probe) - buffer->in);
  return status;
}

static enum rs_status probe_pair(const struct probe *probe, size_t peer, struct rs_link_row *row,
                                 struct rs_error *error) {
  double delays[TRIPS];
  bool first = probe->params->world->rank < peer;
  for (size_t i = 0; i < TRIPS; i++)
    if (trip(probe, peer, first, &delays[i], error) < 0 || trip(probe, peer, !first, &delays[i], error) < 0)
      return error->status;
  rs_stats_sort(delays, TRIPS);
  *row = (struct rs_link_row){.source = (uint32_t)peer,
                              .target = (uint32_t)probe->params->world->rank,
                              .delay_ns = rs_stats_quantile(delays, TRIPS, 0.5),
                              .min_ns = delays[0]};
  const char *name = probe->params->device->transport->name;
  if (probe->params->rail == 0)
    snprintf(row->transport, sizeof row->transport, "%s", name);
  else
    snprintf(row->transport, sizeof row->transport, "%s.%zu", name, probe->params->rail);
  return RS_OK;
}

enum rs_status link_probe(const struct link_probe_params *params, struct rs_link_row *rows, size_t *count,
                          struct rs_error *error) {
  const struct rs_transport *transport = params->device->transport;
  struct probe probe = {.params = params};
  enum rs_status status = rs_buffer_open(RS_MEMORY_HOST, sizeof(struct probe_buffer), &probe.buffer, error);
  if (status == RS_OK)
    status = transport->register_memory(params->device, &probe.buffer, &probe.region, error);
  size_t made = 0;
  // Lower peers first is the order of pairs: (0, me), (1, me), ..., (me, me + 1), ...
  for (size_t peer = 0; peer < params->world->size && status == RS_OK; peer++)
    if (params->peers[peer] && peer != params->world->rank)
      status = probe_pair(&probe, peer, &rows[made++], error);
  transport->deregister_memory(params->device, probe.region);
  rs_buffer_close(&probe.buffer);
  if (status == RS_OK)
    *count = made;
  return status;
}
