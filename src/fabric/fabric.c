// The description of a network: its keys, read and written.
//
// Keys that describe a link stand in one table, which is bound once for each distance: leaf.latency, spine.latency.
#include "ringside/fabric.h"

#include "fabric/fabric_check.h"

#include <assert.h>
#include <stdlib.h>

const char *const rs_jitter_names[] = {"none", "uniform", "exponential", "lognormal", NULL};

// ---- keys -------------------------------------------------------------------------------------------------

#define FIELD(name) offsetof(struct rs_fabric, name)
#define LINK_FIELD(name) offsetof(struct rs_fabric_link, name)
#define COUNT_MAX 65536

static const struct rs_option fabric_options[] = {
    {.name = "name",
     .type = RS_OPTION_STRING,
     .offset = FIELD(name),
     .default_text = "fabric",
     .help = "a word; emulated hosts are called after it"},
    {.name = "strategy",
     .type = RS_OPTION_STRING,
     .offset = FIELD(strategy),
     .default_text = "",
     .help = "what was asked of the cloud, such as cluster or spread"},
    {.name = "mtu",
     .type = RS_OPTION_SIZE,
     .offset = FIELD(mtu),
     .default_text = "1500",
     .minimum = 576,
     .maximum = 65536,
     .help = "bytes of a packet, for loss"},
    {.name = "retransmit",
     .type = RS_OPTION_DURATION,
     .offset = FIELD(retransmit_ns),
     .default_text = "0",
     .help = "by how much a lost packet delays its flow"},
    {.name = NULL},
};

static const struct rs_option layout_options[] = {
    {.name = "zones",
     .type = RS_OPTION_UINT,
     .offset = FIELD(zones),
     .default_text = "1",
     .minimum = 1,
     .maximum = COUNT_MAX,
     .help = "zones of an emulation"},
    {.name = "racks",
     .type = RS_OPTION_UINT,
     .offset = FIELD(racks),
     .default_text = "1",
     .minimum = 1,
     .maximum = COUNT_MAX,
     .help = "racks of a zone"},
    {.name = "hosts",
     .type = RS_OPTION_UINT,
     .offset = FIELD(hosts),
     .default_text = "1",
     .minimum = 1,
     .maximum = COUNT_MAX,
     .help = "hosts of a rack"},
    {.name = "ranks",
     .type = RS_OPTION_UINT,
     .offset = FIELD(ranks),
     .default_text = "0",
     .maximum = COUNT_MAX,
     .help = "ranks of a host, which are filled one after the other; 0: ranks spread evenly over all hosts"},
    {.name = "shuffle",
     .type = RS_OPTION_UINT,
     .offset = FIELD(shuffle),
     .default_text = "0",
     .help = "seed by which ranks are dealt out to the places; 0: in order"},
    {.name = NULL},
};

static const struct rs_option nic_options[] = {
    {.name = "egress",
     .type = RS_OPTION_RATE,
     .offset = FIELD(egress_bit_s),
     .default_text = "0",
     .help = "what all flows out of a host get together; 0: no limit"},
    {.name = "ingress",
     .type = RS_OPTION_RATE,
     .offset = FIELD(ingress_bit_s),
     .default_text = "0",
     .help = "what all flows into a host get together; 0: no limit"},
    {.name = NULL},
};

static const struct rs_option rack_options[] = {
    {.name = "oversubscription",
     .type = RS_OPTION_DOUBLE,
     .offset = FIELD(rack_oversubscription),
     .default_text = "0",
     .help = "rate of a rack's hosts over that of its uplink: 1 or more; 0: no limit"},
    {.name = NULL},
};

static const struct rs_option zone_options[] = {
    {.name = "oversubscription",
     .type = RS_OPTION_DOUBLE,
     .offset = FIELD(zone_oversubscription),
     .default_text = "0",
     .help = "rate of a zone's hosts over that of its uplink: 1 or more; 0: no limit"},
    {.name = NULL},
};

static const struct rs_option link_options[] = {
    {.name = "latency",
     .type = RS_OPTION_DURATION,
     .offset = LINK_FIELD(latency_ns),
     .default_text = "0",
     .maximum = 3600000000000,
     .help = "one way, of the first byte; 0: no two ranks are so far apart"},
    {.name = "flow",
     .type = RS_OPTION_RATE,
     .offset = LINK_FIELD(flow_bit_s),
     .default_text = "0",
     .help = "the most that one flow gets; 0: what the NICs and layers give"},
    {.name = "jitter",
     .type = RS_OPTION_DURATION,
     .offset = LINK_FIELD(jitter_ns),
     .default_text = "0",
     .maximum = 3600000000000,
     .help = "added to the latency: the most of uniform, the mean of the other shapes"},
    {.name = "jitter_shape",
     .type = RS_OPTION_CHOICE,
     .offset = LINK_FIELD(jitter),
     .default_text = "none",
     .choices = rs_jitter_names,
     .help = "how jitter is distributed"},
    {.name = "loss",
     .type = RS_OPTION_DOUBLE,
     .offset = LINK_FIELD(loss),
     .default_text = "0",
     .help = "share of packets that are lost, each at the cost of retransmit"},
    {.name = NULL},
};

struct rs_options rs_fabric_options(struct rs_fabric *fabric, struct rs_option_group groups[RS_FABRIC_GROUPS]) {
  size_t count = 0;
  groups[count++] = (struct rs_option_group){"", fabric_options, fabric};
  groups[count++] = (struct rs_option_group){"layout", layout_options, fabric};
  groups[count++] = (struct rs_option_group){"nic", nic_options, fabric};
  groups[count++] = (struct rs_option_group){"rack", rack_options, fabric};
  for (size_t d = RS_DISTANCE_NUMA; d < RS_DISTANCE_COUNT; d++) {
    if (d == RS_DISTANCE_ZONE) // keys of one section follow each other
      groups[count++] = (struct rs_option_group){"zone", zone_options, fabric};
    groups[count++] = (struct rs_option_group){rs_distance_names[d], link_options, &fabric->links[d]};
  }
  assert(count <= RS_FABRIC_GROUPS);
  return (struct rs_options){groups, count};
}

// ---- files ------------------------------------------------------------------------------------------------

enum rs_status rs_fabric_parse(const char *name, const char *text, size_t bytes, struct rs_fabric *fabric,
                               struct rs_error *error) {
  struct rs_fabric read = {0};
  struct rs_option_group groups[RS_FABRIC_GROUPS];
  const struct rs_options options = rs_fabric_options(&read, groups);
  enum rs_status status = rs_options_set_defaults(&options, error);
  if (status == RS_OK)
    status = rs_options_parse_yaml(&options, name, text, bytes, error);
  if (status != RS_OK)
    return status;

  char key[RS_FABRIC_KEY_BYTES];
  status = rs_fabric_check(&read, key, error);
  size_t line, column;
  if (status == RS_OK)
    *fabric = read;
  else if (rs_options_locate_yaml(&options, text, bytes, key, &line, &column))
    rs_error_prefix(error, "%s:%zu:%zu: %s", name, line, column, key);
  else // a default that cannot be: "no link at all"
    rs_error_prefix(error, "%s", name);
  return status;
}

enum rs_status rs_fabric_load(const char *path, struct rs_fabric *fabric, struct rs_error *error) {
  char *text = NULL;
  size_t bytes = 0;
  enum rs_status status = rs_file_read(path, "fabric", RS_YAML_BYTES_MAX, &text, &bytes, error);
  if (status == RS_OK)
    status = rs_fabric_parse(path, text, bytes, fabric, error);
  free(text);
  return status;
}

void rs_fabric_format(const struct rs_fabric *fabric, struct rs_text *text) {
  struct rs_fabric copy = *fabric; // option groups point to what can be written
  struct rs_option_group groups[RS_FABRIC_GROUPS];
  const struct rs_options options = rs_fabric_options(&copy, groups);
  rs_options_format(&options, text);
}
