#include "support/contract.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_NS INT64_C(10000000000)

// ---- group ------------------------------------------------------------------------------------------------

// Variants of the RDMA transports whose name ends with "fake: SETTINGS" run on the fake verbs library.
static void choose_verbs(const struct contract_variant *variant) {
  const char *fake = strstr(variant->name, "fake: ");
  unsetenv("RINGSIDE_VERBS_LIBRARY");
#ifdef RS_FAKE_VERBS
  if (fake != NULL) {
    setenv("RINGSIDE_VERBS_LIBRARY", RS_FAKE_VERBS, 1);
    setenv("RINGSIDE_FAKE_VERBS", fake + strlen("fake: "), 1);
  }
#else
  (void)fake;
#endif
}

static enum rs_status connect_all(struct contract_group *group, const uint8_t *addresses, struct rs_error *error) {
  bool peers[CONTRACT_RANKS_MAX], connected[CONTRACT_RANKS_MAX] = {false};
  memset(peers, true, sizeof peers);
  int64_t deadline_ns = rs_clock_ns() + CONTRACT_PATIENCE_NS;
  for (size_t left = group->rank_count; left > 0;) {
    for (size_t r = 0; r < group->rank_count; r++) {
      if (connected[r])
        continue;
      enum rs_status status = group->variant->transport->connect(group->devices[r], addresses, peers, error);
      if (status < 0)
        return status;
      connected[r] = status == RS_OK;
      left -= connected[r];
    }
    if (rs_clock_ns() > deadline_ns)
      return rs_error_set(error, RS_ERROR_TIMEOUT, "%s: connect does not end", group->variant->name);
    sched_yield();
  }
  return RS_OK;
}

enum rs_status contract_group_open(const struct contract_variant *variant, size_t rank_count, size_t lanes,
                                   struct contract_group *group, struct rs_error *error) {
  *group = (struct contract_group){.variant = variant, .rank_count = rank_count, .lanes = lanes};
  struct rs_transport_params params = {
      .rank_count = rank_count,
      .lanes = lanes,
      .one_host = true,
      .numa_node = -1,
      .timeout_ns = CONNECT_TIMEOUT_NS,
      .options = variant->options,
  };
  choose_verbs(variant);
  uint8_t *addresses = rs_allocate(rank_count, RS_ADDRESS_BYTES_MAX, "addresses", error);
  if (addresses == NULL || rs_loop_hub_open(rank_count, &group->hub, error) < 0 ||
      rs_random_bytes(params.token, sizeof params.token, error) < 0)
    goto close_group;
  params.hub = group->hub;
  for (params.rank = 0; params.rank < rank_count; params.rank++) {
    struct rs_device **device = &group->devices[params.rank];
    params.local_rank = params.rank;
    if (variant->transport->open(&params, device, error) < 0)
      goto close_group;
    variant->transport->address(*device, addresses + params.rank * RS_ADDRESS_BYTES_MAX);
  }
  if (connect_all(group, addresses, error) < 0)
    goto close_group;
  free(addresses);
  return RS_OK;
close_group:
  free(addresses);
  contract_group_close(group);
  return error->status;
}

void contract_group_close(struct contract_group *group) {
  for (size_t r = 0; r < group->rank_count; r++)
    group->variant->transport->close(group->devices[r]);
  rs_loop_hub_close(group->hub);
  *group = (struct contract_group){0};
}

enum rs_status contract_group_drive(struct contract_group *group, size_t *left, int64_t patience_ns,
                                    struct rs_error *error) {
  int64_t deadline_ns = rs_clock_ns() + patience_ns;
  while (*left > 0) {
    for (size_t r = 0; r < group->rank_count; r++) {
      struct rs_completion completions[4];
      size_t count;
      if (group->devices[r] == NULL)
        continue;
      if (group->variant->transport->progress(group->devices[r], completions, 4, &count, error) < 0)
        return error->status;
      if (count > *left)
        return rs_error_set(error, RS_ERROR_MISMATCH, "%s: rank %zu got %zu completions where %zu were to come",
                            group->variant->name, r, count, *left);
      *left -= count;
    }
    if (rs_clock_ns() > deadline_ns)
      return rs_error_set(error, RS_ERROR_TIMEOUT, "%s: %zu completions did not come", group->variant->name, *left);
  }
  return RS_OK;
}

// ---- memory -----------------------------------------------------------------------------------------------

enum rs_status contract_memory_open(struct rs_device *device, size_t bytes, struct contract_memory *memory,
                                    struct rs_error *error) {
  *memory = (struct contract_memory){.device = device};
  // Only shm treats shared memory in a way of its own. Other memory ends where it is asked to, so that sanitizers see
  // it.
  memory->buffer = (struct rs_buffer){.bytes = bytes, .kind = RS_MEMORY_HOST, .device = -1};
  if (strcmp(device->transport->name, "shm") != 0)
    memory->buffer.address = rs_allocate(bytes, 1, "test memory", error);
  else if (rs_buffer_open(RS_MEMORY_HOST_SHARED, bytes, &memory->buffer, error) < 0)
    return error->status;
  if (memory->buffer.address == NULL)
    return error->status;
  if (device->transport->register_memory(device, &memory->buffer, &memory->region, error) < 0) {
    contract_memory_close(memory);
    return error->status;
  }
  return RS_OK;
}

void contract_memory_close(struct contract_memory *memory) {
  if (memory->region)
    memory->device->transport->deregister_memory(memory->device, memory->region);
  if (memory->buffer.kind == RS_MEMORY_HOST_SHARED)
    rs_buffer_close(&memory->buffer);
  free(memory->buffer.address);
  *memory = (struct contract_memory){0};
}

void contract_fill(void *data, size_t bytes, uint64_t seed) {
  uint8_t *out = data;
  for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
    uint64_t word = rs_hash64(seed + i);
    memcpy(out + i, &word, rs_min_size(sizeof word, bytes - i));
  }
}

size_t contract_check(const void *data, size_t bytes, uint64_t seed) {
  const uint8_t *in = data;
  for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
    uint64_t word = rs_hash64(seed + i);
    if (memcmp(in + i, &word, rs_min_size(sizeof word, bytes - i)) == 0)
      continue;
    const uint8_t *expected = (const uint8_t *)&word;
    while (in[i] == *expected)
      i++, expected++;
    return i;
  }
  return bytes;
}
