// Gloo's allreduce algorithms over its TCP transport, one baseline each. Ranks find each other through the world; then
// every pair has a connection of its own, and a thread of Gloo's serves the sockets. Every baseline that is open has
// its own connections.
//
// An average is a sum that is divided afterwards, inside the timed region. Gloo asks for two ranks: what one rank
// has is the result already.
#include "baseline/gloo.h"

#include "baseline/gloo_shim.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INTERFACE_VARIABLE "GLOO_SOCKET_IFNAME" // PyTorch's
#define NS_PER_MS 1000000
#define PATIENCE_MS 3600000 // where the world has no timeout: Gloo takes 0 for none in some waits alone

struct gloo_state {
  struct rs_baseline_params params;
  size_t count;
  struct gloo_shim *shim; // NULL: one rank, or no elements
};

// ---- what there is in Gloo --------------------------------------------------------------------------------

static const struct {
  bool known;
  enum gloo_datatype datatype;
} datatypes[RS_DATATYPE_COUNT] = {
    [RS_FLOAT32] = {true, GLOO_FLOAT32}, [RS_FLOAT64] = {true, GLOO_FLOAT64}, [RS_FLOAT16] = {true, GLOO_FLOAT16},
    [RS_INT32] = {true, GLOO_INT32},     [RS_INT64] = {true, GLOO_INT64},     [RS_UINT8] = {true, GLOO_UINT8},
};

static const enum gloo_operation operations[RS_OPERATION_COUNT] = {
    [RS_SUM] = GLOO_SUM, [RS_AVG] = GLOO_SUM, [RS_MIN] = GLOO_MIN, [RS_MAX] = GLOO_MAX, [RS_PROD] = GLOO_PRODUCT,
};

static bool gloo_supports(enum rs_collective collective, enum rs_datatype datatype, enum rs_operation operation,
                          bool in_place) {
  (void)operation, (void)in_place;
  return collective == RS_ALLREDUCE && datatypes[datatype].known;
}

static enum rs_status check_params(const struct rs_baseline_params *params, struct rs_error *error) {
  const enum rs_collective collective = params->shape.schedule.collective;
  if (collective != RS_ALLREDUCE)
    return rs_error_set(error, RS_ERROR_UNSUPPORTED, "baseline gloo: does allreduce alone, not %s",
                        rs_collective_names[collective]);
  if (!datatypes[params->datatype].known)
    return rs_error_set(error, RS_ERROR_UNSUPPORTED, "baseline gloo: Gloo has no %s; leave it out for this datatype",
                        rs_datatype_names[params->datatype]);
  if (params->shape.blocks.elements > INT_MAX)
    return rs_error_set(error, RS_ERROR_UNSUPPORTED,
                        "baseline gloo: %llu elements do not fit Gloo's int count; use sizes up to %d elements",
                        (unsigned long long)params->shape.blocks.elements, INT_MAX);
  return RS_OK;
}

// ---- meeting ----------------------------------------------------------------------------------------------

// The network that a rank sees: a kernel and one of its network namespaces.
struct network {
  char boot_id[64];
  uint64_t namespace_inode;
};

static struct network own_network(void) {
  struct network network = {0};
  struct stat inode;
  FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
  if (file) {
    if (fgets(network.boot_id, sizeof network.boot_id, file) == NULL)
      network.boot_id[0] = 0;
    fclose(file);
  }
  if (stat("/proc/self/ns/net", &inode) == 0)
    network.namespace_inode = inode.st_ino;
  return network;
}

// The interface to use: the one named, or loopback where all ranks share a network. It is never guessed: a wrong one is
// silently slow.
static enum rs_status choose_interface(struct rs_world *world, const char **interface, struct rs_error *error) {
  const struct network mine = own_network();
  struct network *all = rs_allocate(world->size, sizeof *all, "networks of all ranks", error);
  bool shared = true;
  if (rs_world_agree(world, error->status, error) == RS_OK &&
      rs_world_allgather(world, &mine, sizeof mine, all, error) == RS_OK)
    for (size_t r = 0; r < world->size; r++)
      shared = shared && memcmp(&all[r], &mine, sizeof mine) == 0;
  free(all);
  const char *named = getenv(INTERFACE_VARIABLE);
  *interface = named ? named : "lo";
  if (error->status == RS_OK && !named && !shared)
    rs_error_set(error, RS_ERROR_USAGE,
                 "baseline gloo: ranks are on several hosts; name their interface in the environment, for "
                 "example " INTERFACE_VARIABLE "=eth0");
  return error->status;
}

static enum rs_status gloo_failed(const char *what, const struct gloo_reason *reason, struct rs_error *error) {
  return rs_error_set(error, RS_ERROR_PEER, "baseline gloo: %s failed: %s", what, reason->text);
}

// Collective; all ranks leave it with the same status.
static enum rs_status meet(struct gloo_state *gloo, struct rs_error *error) {
  struct rs_world *world = gloo->params.world;
  struct gloo_reason reason = {{0}};
  const char *interface;
  void *mine = NULL, *all = NULL;
  size_t row = 0;
  if (choose_interface(world, &interface, error) == RS_OK) {
    const int64_t timeout_ms = world->timeout_ns > 0 ? world->timeout_ns / NS_PER_MS + 1 : PATIENCE_MS;
    gloo->shim = gloo_shim_open((int)world->rank, (int)world->size, interface, timeout_ms, &reason);
    if (gloo->shim == NULL)
      rs_error_set(error, RS_ERROR_IO, "baseline gloo: cannot listen on interface %s: %s", interface, reason.text);
    else if (rs_multiply_size(world->size, gloo_shim_address_bytes(), &row) &&
             (mine = rs_allocate(1, row, "addresses of baseline gloo", error)) != NULL &&
             (all = rs_allocate(world->size, row, "addresses of baseline gloo", error)) != NULL &&
             !gloo_shim_addresses(gloo->shim, mine, &reason))
      gloo_failed("naming its addresses", &reason, error);
  }
  if (rs_world_agree(world, error->status, error) == RS_OK &&
      rs_world_allgather(world, mine, row, all, error) == RS_OK && !gloo_shim_connect(gloo->shim, all, &reason))
    gloo_failed("connecting", &reason, error);
  free(mine);
  free(all);
  return rs_world_agree(world, error->status, error);
}

// ---- baseline ---------------------------------------------------------------------------------------------

static void gloo_close(void *state) {
  struct gloo_state *gloo = state;
  if (gloo == NULL)
    return;
  gloo_shim_close(gloo->shim);
  free(gloo);
}

static enum rs_status gloo_open(const struct rs_baseline_params *params, enum gloo_algorithm algorithm, void **state,
                                struct rs_error *error) {
  if (check_params(params, error) < 0)
    return error->status;
  struct gloo_state *opened = rs_allocate(1, sizeof *opened, "baseline gloo", error);
  if (rs_world_agree(params->world, error->status, error) < 0) {
    free(opened);
    return error->status;
  }
  *opened = (struct gloo_state){.params = *params, .count = (size_t)params->shape.blocks.elements};
  if (params->world->size > 1 && opened->count > 0) {
    struct gloo_reason reason;
    const struct gloo_allreduce allreduce = {.algorithm = algorithm,
                                             .datatype = datatypes[params->datatype].datatype,
                                             .operation = operations[params->operation],
                                             .input = params->input->address,
                                             .output = params->output->address,
                                             .count = (int)opened->count};
    if (meet(opened, error) == RS_OK && !gloo_shim_prepare(opened->shim, &allreduce, &reason))
      gloo_failed("preparing an allreduce", &reason, error);
  }
  if (error->status < 0)
    gloo_close(opened);
  else
    *state = opened;
  return error->status;
}

static enum rs_status gloo_run(void *state, struct rs_error *error) {
  const struct gloo_state *gloo = state;
  const struct rs_baseline_params *params = &gloo->params;
  struct gloo_reason reason;
  if (gloo->shim == NULL && params->input != params->output)
    rs_kernel_copy(params->output->address, params->input->address, gloo->count * rs_datatype_bytes(params->datatype));
  if (gloo->shim != NULL && !gloo_shim_run(gloo->shim, &reason))
    return gloo_failed("an allreduce", &reason, error);
  rs_kernel_finish(params->datatype, params->operation, params->output->address, gloo->count, params->world->size);
  return RS_OK;
}

// `open` gets no word of the row that it stands in, so each has a function of its own.
#define GLOO_BASELINE(object, word, text, value)                                                                       \
  static enum rs_status open_##object(const struct rs_baseline_params *params, void **state, struct rs_error *error) { \
    return gloo_open(params, value, state, error);                                                                     \
  }                                                                                                                    \
  const struct rs_baseline rs_baseline_gloo_##object = {                                                               \
      .name = word,                                                                                                    \
      .summary = text,                                                                                                 \
      .supports = gloo_supports,                                                                                       \
      .open = open_##object,                                                                                           \
      .run = gloo_run,                                                                                                 \
      .close = gloo_close,                                                                                             \
  }

GLOO_BASELINE(ring, "gloo-ring", "Gloo over TCP: gloo::allreduce, the segmented ring that PyTorch calls", GLOO_RING);
GLOO_BASELINE(bcube, "gloo-bcube", "Gloo over TCP: gloo::allreduce, hypercube", GLOO_BCUBE);
GLOO_BASELINE(ring_whole, "gloo-ring-whole", "Gloo over TCP: class AllreduceRing, the vector goes round whole",
              GLOO_RING_WHOLE);
GLOO_BASELINE(ring_chunked, "gloo-ring-chunked", "Gloo over TCP: class AllreduceRingChunked", GLOO_RING_CHUNKED);
GLOO_BASELINE(halving_doubling, "gloo-halving-doubling", "Gloo over TCP: class AllreduceHalvingDoubling",
              GLOO_HALVING_DOUBLING);
