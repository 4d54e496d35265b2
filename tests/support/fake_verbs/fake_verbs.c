// Devices, contexts, memory and address handles of the fake.
#include "support/fake_verbs/fake_verbs.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct ibv_device devices[] = {
    {.node_type = IBV_NODE_UNSPECIFIED, .name = "fake_efa"},
    {.node_type = IBV_NODE_CA, .name = "fake_ud"},
};
#define DEVICE_COUNT (sizeof devices / sizeof devices[0])

// ---- settings ---------------------------------------------------------------------------------------------

void fake_settings_read(struct fake_settings *settings) {
  static const struct {
    const char *name;
    size_t offset;
  } names[] = {
      {"seed=", offsetof(struct fake_settings, seed)},
      {"mtu=", offsetof(struct fake_settings, mtu)},
      {"late=", offsetof(struct fake_settings, late)},
      {"rnr=", offsetof(struct fake_settings, rnr)},
      {"short=", offsetof(struct fake_settings, short_queue)},
      {"status=", offsetof(struct fake_settings, status)},
      {"status_at=", offsetof(struct fake_settings, status_at)},
      {"loss=", offsetof(struct fake_settings, loss)},
      {"duplicate=", offsetof(struct fake_settings, duplicate)},
      {"corrupt=", offsetof(struct fake_settings, corrupt)},
      {"nochannel=", offsetof(struct fake_settings, no_channel)},
  };
  *settings = (struct fake_settings){0};
  const char *text = getenv("RINGSIDE_FAKE_VERBS");
  while (text != NULL && *text != '\0') {
    size_t i = 0;
    while (i < sizeof names / sizeof names[0] && strncmp(text, names[i].name, strlen(names[i].name)) != 0)
      i++;
    if (i == sizeof names / sizeof names[0]) {
      fprintf(stderr, "RINGSIDE_FAKE_VERBS: nothing is called so: %s\n", text);
      abort();
    }
    char *end;
    uint64_t value = strtoull(text + strlen(names[i].name), &end, 10);
    memcpy((char *)settings + names[i].offset, &value, sizeof value);
    text = *end == ',' ? end + 1 : end;
  }
}

uint64_t fake_below(struct fake_context *context, uint64_t bound) {
  uint64_t z = context->dice += UINT64_C(0x9e3779b97f4a7c15); // splitmix64
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return (z ^ z >> 31) % bound;
}

bool fake_chance(struct fake_context *context, uint64_t percent) {
  return percent > 0 && fake_below(context, 100) < percent;
}

// ---- devices ----------------------------------------------------------------------------------------------

struct ibv_device **ibv_get_device_list(int *count) {
  struct ibv_device **list = calloc(DEVICE_COUNT + 1, sizeof(struct ibv_device *));
  for (size_t d = 0; list != NULL && d < DEVICE_COUNT; d++)
    list[d] = &devices[d];
  *count = list != NULL ? (int)DEVICE_COUNT : 0;
  return list;
}

void ibv_free_device_list(struct ibv_device **list) {
  free(list);
}

const char *ibv_get_device_name(struct ibv_device *device) {
  return device->name;
}

struct ibv_context *ibv_open_device(struct ibv_device *device) {
  struct fake_context *context = calloc(1, sizeof *context);
  if (context == NULL)
    return NULL;
  context->base.device = device;
  context->base.ops.poll_cq = fake_poll_cq;
  context->base.ops.req_notify_cq = fake_req_notify_cq;
  context->base.ops.post_send = fake_post_send;
  context->base.ops.post_recv = fake_post_recv;
  context->base.async_fd = context->base.cmd_fd = -1;
  context->efa = device == &devices[0];
  fake_settings_read(&context->settings);
  if (getrandom(context->gid.raw + 8, 8, 0) != 8) {
    free(context);
    return NULL;
  }
  context->gid.raw[0] = 0xfe;
  context->gid.raw[1] = 0x80;
  context->dice = context->settings.seed;
  context->next_key = 1;
  pthread_mutex_init(&context->lock, NULL);
  return &context->base;
}

int ibv_close_device(struct ibv_context *base) {
  struct fake_context *context = fake_context_of(base);
  int leaked = context->memories != NULL;
  pthread_mutex_destroy(&context->lock);
  free(context);
  return leaked ? EBUSY : 0;
}

int ibv_query_device(struct ibv_context *base, struct ibv_device_attr *attributes) {
  *attributes = (struct ibv_device_attr){
      .fw_ver = "fake",
      .vendor_id = fake_context_of(base)->efa ? FAKE_VENDOR_AMAZON : 1,
      .max_qp_wr = (int)FAKE_REQUESTS_MAX,
      .max_sge = 2,
      .phys_port_cnt = 1,
  };
  return 0;
}

int(ibv_query_port)(struct ibv_context *base, uint8_t port, struct _compat_ibv_port_attr *attributes) {
  const struct fake_context *context = fake_context_of(base);
  uint64_t mtu = context->settings.mtu;
  if (port != 1)
    return EINVAL;
  struct ibv_port_attr filled = {
      .state = IBV_PORT_ACTIVE,
      .max_mtu = IBV_MTU_4096,
      .active_mtu = IBV_MTU_4096,
      .gid_tbl_len = 1,
      .max_msg_sz = (uint32_t)(mtu            ? mtu
                               : context->efa ? 8192
                                              : 4096),
      .pkey_tbl_len = 1,
      .link_layer = context->efa ? IBV_LINK_LAYER_UNSPECIFIED : IBV_LINK_LAYER_ETHERNET,
  };
  for (enum ibv_mtu step = IBV_MTU_256; mtu != 0 && step <= IBV_MTU_4096; step++)
    if (UINT64_C(128) << step == mtu)
      filled.active_mtu = step;
  // What older programs pass ends before port_cap_flags2.
  memcpy(attributes, &filled, offsetof(struct ibv_port_attr, port_cap_flags2));
  return 0;
}

int ibv_query_gid(struct ibv_context *base, uint8_t port, int index, union ibv_gid *gid) {
  if (port != 1 || index != 0)
    return -1;
  *gid = fake_context_of(base)->gid;
  return 0;
}

int efadv_query_device(struct ibv_context *base, struct efadv_device_attr *attributes, uint32_t bytes) {
  if (!fake_context_of(base)->efa || bytes < sizeof *attributes)
    return EOPNOTSUPP;
  *attributes = (struct efadv_device_attr){.max_sq_wr = FAKE_REQUESTS_MAX,
                                           .max_rq_wr = FAKE_REQUESTS_MAX,
                                           .max_sq_sge = 2,
                                           .max_rq_sge = 2,
                                           .inline_buf_size = FAKE_INLINE_MAX,
                                           .device_caps = EFADV_DEVICE_ATTR_CAPS_RNR_RETRY};
  return 0;
}

int ibv_get_async_event(struct ibv_context *context, struct ibv_async_event *event) {
  (void)context, (void)event;
  errno = EAGAIN;
  return -1;
}

void ibv_ack_async_event(struct ibv_async_event *event) {
  (void)event;
}

// ---- memory -----------------------------------------------------------------------------------------------

struct ibv_pd *ibv_alloc_pd(struct ibv_context *context) {
  struct ibv_pd *domain = calloc(1, sizeof *domain);
  if (domain != NULL)
    domain->context = context;
  return domain;
}

int ibv_dealloc_pd(struct ibv_pd *domain) {
  free(domain);
  return 0;
}

struct ibv_mr *(ibv_reg_mr)(struct ibv_pd *domain, void *address, size_t bytes, int access) {
  (void)access;
  struct fake_context *context = fake_context_of(domain->context);
  struct fake_memory *memory = calloc(1, sizeof *memory);
  if (memory == NULL || bytes == 0) {
    free(memory);
    errno = EINVAL;
    return NULL;
  }
  pthread_mutex_lock(&context->lock);
  uint32_t key = context->next_key++;
  memory->base = (struct ibv_mr){
      .context = domain->context, .pd = domain, .addr = address, .length = bytes, .lkey = key, .rkey = key};
  memory->next = context->memories;
  context->memories = memory;
  pthread_mutex_unlock(&context->lock);
  return &memory->base;
}

int ibv_dereg_mr(struct ibv_mr *base) {
  struct fake_context *context = fake_context_of(base->context);
  pthread_mutex_lock(&context->lock);
  struct fake_memory **link = &context->memories;
  while (&(*link)->base != base)
    link = &(*link)->next;
  *link = (*link)->next;
  pthread_mutex_unlock(&context->lock);
  free(base);
  return 0;
}

bool fake_memory_holds(const struct fake_context *context, uint32_t key, uint64_t address, uint64_t bytes) {
  for (const struct fake_memory *memory = context->memories; memory != NULL; memory = memory->next) {
    uint64_t begin = (uintptr_t)memory->base.addr;
    if (memory->base.lkey == key)
      return address >= begin && bytes <= memory->base.length && address - begin <= memory->base.length - bytes;
  }
  return false;
}

// ---- address handles --------------------------------------------------------------------------------------

// "from" knows "to", as the name of a socket.
static socklen_t mark_name(const union ibv_gid *from, const union ibv_gid *to, struct sockaddr_un *name) {
  *name = (struct sockaddr_un){.sun_family = AF_UNIX};
  int length = snprintf(name->sun_path + 1, sizeof name->sun_path - 1, "ringside-fake-ah-%016llx-%016llx",
                        (unsigned long long)from->global.interface_id, (unsigned long long)to->global.interface_id);
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

struct ibv_ah *ibv_create_ah(struct ibv_pd *domain, struct ibv_ah_attr *attributes) {
  struct fake_context *context = fake_context_of(domain->context);
  struct fake_handle *handle = calloc(1, sizeof *handle);
  if (handle == NULL || !attributes->is_global || attributes->grh.sgid_index != 0 || attributes->port_num != 1) {
    free(handle);
    errno = EINVAL;
    return NULL;
  }
  handle->base.context = domain->context;
  handle->base.pd = domain;
  handle->gid = attributes->grh.dgid;
  struct sockaddr_un name;
  socklen_t bytes = mark_name(&context->gid, &handle->gid, &name);
  handle->mark = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (handle->mark >= 0 && bind(handle->mark, (const struct sockaddr *)&name, bytes) < 0) {
    close(handle->mark);
    handle->mark = -1;
  }
  return &handle->base;
}

int ibv_destroy_ah(struct ibv_ah *base) {
  struct fake_handle *handle = (struct fake_handle *)base;
  if (handle->mark >= 0)
    close(handle->mark);
  free(handle);
  return 0;
}

bool fake_handle_is_known(struct fake_context *context, struct fake_handle *handle) {
  struct sockaddr_un name;
  socklen_t bytes = mark_name(&handle->gid, &context->gid, &name);
  if (handle->known)
    return true;
  int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  handle->known = probe >= 0 && connect(probe, (const struct sockaddr *)&name, bytes) == 0;
  if (probe >= 0)
    close(probe);
  return handle->known;
}
