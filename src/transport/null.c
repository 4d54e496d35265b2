// null: every post completes at once and nothing moves. What remains is the cost of the executor and of the reduction.
#include "transport/null.h"

#include <stdlib.h>

static enum rs_status null_open(const struct rs_transport_params *params, struct rs_device **device,
                                struct rs_error *error) {
  (void)params;
  struct rs_device *opened = rs_allocate(1, sizeof *opened, "null device", error);
  if (opened == NULL)
    return error->status;
  opened->transport = &rs_transport_null;
  *device = opened;
  return RS_OK;
}

static void null_close(struct rs_device *device) {
  free(device);
}

static void null_limits(const struct rs_device *device, struct rs_limits *limits) {
  (void)device;
  *limits = (struct rs_limits){.message_bytes_max = SIZE_MAX, .posts_max = SIZE_MAX, .slowdown = 1};
}

static void null_facts(const struct rs_device *device, struct rs_device_facts *facts) {
  (void)device;
  *facts = (struct rs_device_facts){.numa_node = -1};
}

static void null_address(const struct rs_device *device, uint8_t blob[RS_ADDRESS_BYTES_MAX]) {
  (void)device, (void)blob;
}

static enum rs_status null_connect(struct rs_device *device, const uint8_t *addresses, const bool *peers,
                                   struct rs_error *error) {
  (void)device, (void)addresses, (void)peers, (void)error;
  return RS_OK;
}

static enum rs_status null_register(struct rs_device *device, const struct rs_buffer *buffer, struct rs_region **region,
                                    struct rs_error *error) {
  (void)device, (void)buffer, (void)error;
  *region = NULL;
  return RS_OK;
}

static void null_deregister(struct rs_device *device, struct rs_region *region) {
  (void)device, (void)region;
}

static enum rs_status null_post(struct rs_device *device, size_t peer, size_t lane, struct rs_region *region,
                                size_t offset, size_t bytes, uint64_t cookie, struct rs_error *error) {
  (void)device, (void)peer, (void)lane, (void)region, (void)offset, (void)bytes, (void)cookie, (void)error;
  return RS_OK;
}

static enum rs_status null_progress(struct rs_device *device, struct rs_completion *completions, size_t max,
                                    size_t *count, struct rs_error *error) {
  (void)device, (void)completions, (void)max, (void)error;
  *count = 0;
  return RS_OK;
}

const struct rs_transport rs_transport_null = {
    .name = "null",
    .summary = "completes everything at once and moves nothing: the cost of the executor itself",
    .open = null_open,
    .close = null_close,
    .limits = null_limits,
    .facts = null_facts,
    .address = null_address,
    .connect = null_connect,
    .register_memory = null_register,
    .deregister_memory = null_deregister,
    .post_send = null_post,
    .post_recv = null_post,
    .progress = null_progress,
};
