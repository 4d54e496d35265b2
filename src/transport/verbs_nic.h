// verbs_nic: an RDMA device as the verbs transports use it: chosen, opened, with its port, its address and its facts.
#ifndef RS_TRANSPORT_VERBS_NIC_H
#define RS_TRANSPORT_VERBS_NIC_H

#include "ringside/transport.h"
#include "transport/verbs_library.h"

#define RS_VERBS_NICS_MAX 8
#define RS_VERBS_GID_AUTO 255
#define RS_VERBS_VENDOR_AMAZON 0x1d0f

// Which device, port and address; part of a transport's own options.
struct rs_verbs_choice {
  struct rs_word_list devices; // none: the nearest
  uint64_t port;               // 0: the first that is up
  uint64_t gid_index;          // RS_VERBS_GID_AUTO: chosen
  uint64_t traffic_class;
};
// The rows of a transport's option table for its member `choice`.
#define RS_VERBS_CHOICE_OPTIONS(owner, choice)                                                                         \
  {.name = "device",                                                                                                   \
   .type = RS_OPTION_WORDS,                                                                                            \
   .offset = offsetof(owner, choice.devices),                                                                          \
   .default_text = "",                                                                                                 \
   .help = "RDMA devices, such as mlx5_0,mlx5_1; none: the nearest to the rank that is up"},                           \
      {.name = "port",                                                                                                 \
       .type = RS_OPTION_UINT,                                                                                         \
       .offset = offsetof(owner, choice.port),                                                                         \
       .default_text = "0",                                                                                            \
       .maximum = 255,                                                                                                 \
       .help = "port of the device; 0: the first that is up"},                                                         \
      {.name = "gid_index",                                                                                            \
       .type = RS_OPTION_UINT,                                                                                         \
       .offset = offsetof(owner, choice.gid_index),                                                                    \
       .default_text = "255",                                                                                          \
       .maximum = RS_VERBS_GID_AUTO,                                                                                   \
       .help = "entry of the port's GID table; 255: RoCE v2 with an IPv4 address, or what is nearest to it"},          \
  {                                                                                                                    \
    .name = "traffic_class", .type = RS_OPTION_UINT, .offset = offsetof(owner, choice.traffic_class),                  \
    .default_text = "0", .maximum = 255, .help = "of the packets: a lossless network may treat one specially"          \
  }

struct rs_verbs_nic {
  struct ibv_context *context;
  struct ibv_pd *pd;
  union ibv_gid gid;
  struct ibv_device_attr device;
  struct ibv_port_attr attributes;
  int gid_index;
  uint8_t port;
  bool efa;
  struct rs_device_facts facts;
};

// Opens the devices of `choice`, or the one nearest to a rank on this NUMA node (-1: unknown; equally near devices are
// shared out by local rank), with a protection domain each. At most RS_VERBS_NICS_MAX. UNSUPPORTED when there is no
// RDMA device, USAGE when the one asked for is not there, is down or has no such port or GID; both name what there is.
enum rs_status rs_verbs_nics_open(const struct rs_verbs *verbs, const struct rs_verbs_choice *choice,
                                  const struct rs_transport_params *params, struct rs_verbs_nic *nics, size_t *count,
                                  struct rs_error *error);
void rs_verbs_nic_close(const struct rs_verbs *verbs, struct rs_verbs_nic *nic); // {0} is fine

// What a failed completion means, for a person: the status, the provider's own code where it is EFA's, and the likely
// cause. Returns `text`.
const char *rs_verbs_words(enum ibv_wc_status status, uint32_t vendor_error, bool efa, char *text, size_t bytes);

#endif
