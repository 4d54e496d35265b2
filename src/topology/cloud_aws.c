// AWS's instance metadata, version 2: a PUT gets a token, and every GET brings it along ("Use the Instance Metadata
// Service", Amazon EC2 User Guide). What an instance does not have answers 404. The switches above an instance are not
// told here; `aws ec2 describe-instance-topology` knows them.
#include "topology/cloud.h"
#include "topology/host.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "/latest/meta-data/"
#define INTERFACES_MAX 64 // of one instance; the largest had 32 when this was written
#define MAC_LENGTH 17

static const struct rs_cloud_field fields[] = {
    {.path = "instance-id", RS_CLOUD_FIELD(instance_id), .needed = true},
    {.path = "instance-type", RS_CLOUD_FIELD(instance_type)},
    {.path = "placement/region", RS_CLOUD_FIELD(region)},
    {.path = "placement/availability-zone", RS_CLOUD_FIELD(zone)},
    {.path = "placement/availability-zone-id", RS_CLOUD_FIELD(zone_id)},
    {.path = "placement/group-name", RS_CLOUD_FIELD(placement_group)},
    {.path = "placement/host-id", RS_CLOUD_FIELD(physical_host)}, // of a dedicated host
};

// The token goes into a header, so nothing but visible characters may be in it. Neither raw nor note ever shows it.
static bool take_token(struct rs_cloud_session *session) {
  snprintf(session->header, sizeof(session->header), "X-aws-ec2-metadata-token-ttl-seconds: 60");
  if (!rs_cloud_ask(session, "PUT", "/latest/api/token", true))
    return false;
  const struct rs_http_answer *answer = session->answer;
  bool good = answer->length > 0 && answer->length <= 512;
  for (size_t i = 0; good && i < answer->length; i++)
    good = isgraph((unsigned char)answer->body[i]);
  if (!good) {
    rs_cloud_trouble(session, RS_ERROR_PEER, "PUT /latest/api/token was not answered with a token; %s",
                     session->source->advice);
    session->stopped = true;
    return false;
  }
  snprintf(session->header, sizeof(session->header), "X-aws-ec2-metadata-token: %.*s", (int)answer->length,
           answer->body);
  return true;
}

// ---- interfaces -------------------------------------------------------------------------------------------

static bool is_mac(const char *text) {
  for (size_t i = 0; i < MAC_LENGTH; i++)
    if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
      return false;
  return true;
}

// The list has a line for each, "02:29:96:8f:6a:2d/". What is no MAC address would not be put into a path.
static size_t take_macs(const char *list, char macs[][MAC_LENGTH + 1]) {
  size_t count = 0;
  for (const char *line = list; *line != '\0' && count < INTERFACES_MAX;) {
    size_t length = strcspn(line, "\n");
    if (length >= MAC_LENGTH && is_mac(line))
      snprintf(macs[count++], MAC_LENGTH + 1, "%.*s", MAC_LENGTH, line);
    line += length + (line[length] == '\n');
  }
  return count;
}

static bool fetch_of(struct rs_cloud_session *session, const char *mac, const char *what) {
  char path[160];
  snprintf(path, sizeof(path), PREFIX "network/interfaces/macs/%.*s/%s", MAC_LENGTH, mac, what);
  return rs_cloud_fetch(session, path);
}

// The primary interface is device 0 of card 0; an instance with one card may not number it.
static void read_interface(struct rs_cloud_session *session, const char *mac) {
  const char *body = session->answer->body;
  int32_t device = -1, card = 0;
  if (fetch_of(session, mac, "device-number"))
    (void)rs_cloud_number(body, &device);
  if (fetch_of(session, mac, "network-card") || fetch_of(session, mac, "network-card-index"))
    (void)rs_cloud_number(body, &card);
  bool primary = device == 0 && card == 0;
  if (fetch_of(session, mac, "vpc-id") && primary)
    rs_cloud_copy_line(session->facts->network, sizeof(session->facts->network), body);
  if (fetch_of(session, mac, "subnet-id") && primary)
    rs_cloud_copy_line(session->facts->subnet, sizeof(session->facts->subnet), body);
  static const char *const rest[] = {"interface-id", "security-group-ids", "subnet-ipv4-cidr-block"};
  for (size_t r = 0; r < RS_ARRAY_LENGTH(rest); r++)
    (void)fetch_of(session, mac, rest[r]);
}

static void read_interfaces(struct rs_cloud_session *session) {
  char macs[INTERFACES_MAX][MAC_LENGTH + 1];
  if (!rs_cloud_fetch(session, PREFIX "network/interfaces/macs/"))
    return;
  size_t count = take_macs(session->answer->body, macs);
  for (size_t m = 0; m < count; m++)
    read_interface(session, macs[m]);
}

// ---- all of it --------------------------------------------------------------------------------------------

static void read_aws(struct rs_cloud_session *session) {
  const char *disabled = getenv("AWS_EC2_METADATA_DISABLED");
  if (disabled && strcasecmp(disabled, "true") == 0) {
    rs_cloud_trouble(session, RS_ERROR_UNSUPPORTED, "not asked, as AWS_EC2_METADATA_DISABLED is true");
    return;
  }
  if (!take_token(session))
    return;
  rs_cloud_read_fields(session, PREFIX, fields, RS_ARRAY_LENGTH(fields));
  if (rs_cloud_fetch(session, PREFIX "placement/partition-number"))
    (void)rs_cloud_number(session->answer->body, &session->facts->partition);
  read_interfaces(session);
}

const struct rs_cloud_source rs_cloud_aws = {
    .cloud = RS_CLOUD_AWS,
    .title = "AWS",
    .environment = "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    .endpoint = "http://169.254.169.254",
    .advice = "see that the instance's metadata service is on (HttpEndpoint), and in a container that "
              "HttpPutResponseHopLimit is 2 or more",
    .read = read_aws,
};
