// What cannot be true of a fabric. One rule after the other; the first that is broken decides.
#include "fabric/fabric_check.h"

#include <math.h>
#include <string.h>

#define NAME_BYTES_MAX 40     // leaves room for "-z1-r2-h3" in a hostname
#define STRATEGY_BYTES_MAX 63 // a placement group

#define FAIL(error, ...) rs_error_set(error, RS_ERROR_USAGE, __VA_ARGS__)

static void blame(char key[RS_FABRIC_KEY_BYTES], const char *group, const char *name) {
  snprintf(key, RS_FABRIC_KEY_BYTES, "%s%s%s", group, *group == '\0' ? "" : ".", name);
}

static enum rs_status check_texts(const struct rs_fabric *fabric, char key[RS_FABRIC_KEY_BYTES],
                                  struct rs_error *error) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  const char *name = fabric->name.text;
  size_t length = strspn(name, allowed);
  blame(key, "", "name");
  if (length == 0 || name[length] != '\0')
    return FAIL(error, "'%s' is not a word of letters, digits, '-', '_' and '.', as hosts are called after it", name);
  if (length > NAME_BYTES_MAX)
    return FAIL(error, "'%s' has %zu characters; at most %d fit into a hostname", name, length, NAME_BYTES_MAX);
  blame(key, "", "strategy");
  if (strlen(fabric->strategy.text) > STRATEGY_BYTES_MAX)
    return FAIL(error, "%zu bytes are too long for a placement group; at most %d fit", strlen(fabric->strategy.text),
                STRATEGY_BYTES_MAX);
  return RS_OK;
}

static enum rs_status check_layer(const struct rs_fabric *fabric, const char *group, double ratio,
                                  char key[RS_FABRIC_KEY_BYTES], struct rs_error *error) {
  blame(key, group, "oversubscription");
  if (ratio == 0)
    return RS_OK;
  if (!(ratio >= 1 && isfinite(ratio)))
    return FAIL(error, "%g is not 1 or more; 4 means that all hosts of a %s can send four times what its uplink takes",
                ratio, group);
  if (fabric->egress_bit_s == 0 || fabric->ingress_bit_s == 0)
    return FAIL(error, "it divides the rate of NICs, which have no limit here; give nic.egress and nic.ingress");
  return RS_OK;
}

static enum rs_status check_link(const struct rs_fabric *fabric, enum rs_distance distance,
                                 char key[RS_FABRIC_KEY_BYTES], struct rs_error *error) {
  const struct rs_fabric_link *link = &fabric->links[distance];
  const char *group = rs_distance_names[distance];
  blame(key, group, link->flow_bit_s > 0 ? "flow" : link->jitter_ns > 0 ? "jitter" : "loss");
  if (link->latency_ns == 0 && (link->flow_bit_s > 0 || link->jitter_ns > 0 || link->loss != 0))
    return FAIL(error, "the link has no latency, and so does not exist; give %s.latency", group);
  blame(key, group, "jitter");
  if (link->jitter_ns > 0 && link->jitter == RS_JITTER_NONE)
    return FAIL(error, "jitter has no shape; give %s.jitter_shape: uniform, exponential or lognormal", group);
  blame(key, group, "jitter_shape");
  if (link->jitter_ns == 0 && link->jitter != RS_JITTER_NONE)
    return FAIL(error, "a shape of no jitter; give %s.jitter, or remove it", group);
  blame(key, group, "loss");
  if (!(link->loss >= 0 && link->loss < 1))
    return FAIL(error, "%g is not a share of packets: 0 or more, and below 1", link->loss);
  if (link->loss > 0 && fabric->retransmit_ns == 0)
    return FAIL(error,
                "a lost packet costs nothing; give retransmit, such as 200ms (the least timeout of Linux's TCP)");
  return RS_OK;
}

enum rs_status rs_fabric_check(const struct rs_fabric *fabric, char key[RS_FABRIC_KEY_BYTES], struct rs_error *error) {
  enum rs_status status = check_texts(fabric, key, error);
  if (status == RS_OK)
    status = check_layer(fabric, "rack", fabric->rack_oversubscription, key, error);
  if (status == RS_OK)
    status = check_layer(fabric, "zone", fabric->zone_oversubscription, key, error);
  size_t links = 0;
  for (size_t d = RS_DISTANCE_NUMA; d < RS_DISTANCE_COUNT && status == RS_OK; d++) {
    links += fabric->links[d].latency_ns > 0;
    status = check_link(fabric, (enum rs_distance)d, key, error);
  }
  if (status == RS_OK && links == 0) {
    blame(key, "leaf", "latency");
    status = FAIL(error, "no link has a latency; give one for each distance, such as leaf.latency: 12us");
  }
  return status;
}
