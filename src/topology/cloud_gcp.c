// Google Compute Engine's metadata server ("About VM metadata"). By its address, not as metadata.google.internal, so
// that no name has to be resolved. The physical place is told for some machine types, and with a compact placement
// policy
// ("View the topology of your instances").
#include "topology/cloud.h"

#include "topology/host.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "/computeMetadata/v1/instance/"

static const struct rs_cloud_field fields[] = {
    {.path = "id", RS_CLOUD_FIELD(instance_id), .needed = true},
    {.path = "machine-type", RS_CLOUD_FIELD(instance_type), .last = true}, // projects/NUMBER/machineTypes/TYPE
    {.path = "zone", RS_CLOUD_FIELD(zone), .last = true},
    {.path = "network-interfaces/0/network", RS_CLOUD_FIELD(network), .last = true, .named = true},
};

// ---- the physical place -----------------------------------------------------------------------------------

// Appends a node to a path; a '/' in its name would be a node of its own.
static void append_node(struct rs_text *path, const char *name) {
  char node[128];
  rs_cloud_copy_line(node, sizeof(node), name);
  for (char *slash = strchr(node, '/'); slash; slash = strchr(slash, '/'))
    *slash = '_';
  if (node[0] != '\0')
    rs_text_append(path, "%s%s", path->length > 0 ? "/" : "", node);
}

// A path that was cut could make two places look like one, so one that does not fit is unknown.
static void set_path(struct rs_cloud_session *session, const char *path) {
  if (strlen(path) < sizeof(session->facts->network_path))
    rs_host_copy_text(session->facts->network_path, sizeof(session->facts->network_path), path);
  else
    rs_cloud_trouble(session, RS_ERROR_PEER,
                     "the network path has %zu characters, more than the %zu that are kept; it is left unknown",
                     strlen(path), sizeof(session->facts->network_path) - 1);
}

// {"cluster": .., "block": .., "subBlock": .., "host": ..}: the first three are the way down to the fourth.
static void take_topology(struct rs_cloud_session *session, const char *body, size_t length) {
  static const char *const nodes[][2] = {{"cluster", NULL}, {"block", NULL}, {"subBlock", "subblock"}};
  json_error_t where;
  json_t *topology = json_loadb(body, length, 0, &where);
  if (!json_is_object(topology)) {
    rs_cloud_trouble(
        session, RS_ERROR_PEER,
        "the answer to attributes/physical_host_topology is no JSON object (line %d, column %d); the network "
        "path is left unknown",
        where.line, where.column);
    json_decref(topology); // NULL is fine
    return;
  }
  struct rs_text path = {0};
  for (size_t n = 0; n < RS_ARRAY_LENGTH(nodes); n++) {
    const char *name = json_string_value(json_object_get(topology, nodes[n][0]));
    if (!name && nodes[n][1])
      name = json_string_value(json_object_get(topology, nodes[n][1]));
    append_node(&path, name ? name : "");
  }
  if (path.data && !path.failed)
    set_path(session, path.data);
  rs_text_fini(&path);
  const char *host = json_string_value(json_object_get(topology, "host"));
  if (host)
    rs_cloud_copy_line(session->facts->physical_host, sizeof(session->facts->physical_host), host);
  json_decref(topology);
}

// "/CLUSTER/RACK/HOST", the older form.
static void take_host(struct rs_cloud_session *session, const char *body) {
  char path[256];
  rs_cloud_copy_line(path, sizeof(path), body);
  char *top = path + strspn(path, "/"), *slash = strrchr(top, '/');
  const char *host = slash ? slash + 1 : top;
  rs_host_copy_text(session->facts->physical_host, sizeof(session->facts->physical_host), host);
  if (!slash)
    return;
  *slash = '\0';
  set_path(session, top);
}

// ---- all of it --------------------------------------------------------------------------------------------

static void read_gcp(struct rs_cloud_session *session) {
  struct rs_host_facts *facts = session->facts;
  const struct rs_http_answer *answer = session->answer;
  snprintf(session->header, sizeof(session->header), "Metadata-Flavor: Google");
  rs_cloud_read_fields(session, PREFIX, fields, RS_ARRAY_LENGTH(fields));
  // "us-central1-a" is a zone of "us-central1".
  const char *dash = strrchr(facts->zone, '-');
  if (dash) {
    char region[sizeof(facts->zone)];
    snprintf(region, sizeof(region), "%.*s", (int)(dash - facts->zone), facts->zone);
    rs_host_copy_text(facts->region, sizeof(facts->region), region);
  }
  if (rs_cloud_fetch(session, PREFIX "attributes/physical_host"))
    take_host(session, answer->body);
  if (rs_cloud_ask(session, "GET", PREFIX "attributes/physical_host_topology", false)) {
    take_topology(session, answer->body, answer->length);
    rs_cloud_record(session, session->answer->body);
  }
}

const struct rs_cloud_source rs_cloud_gcp = {
    .cloud = RS_CLOUD_GCP,
    .title = "GCP",
    .environment = "GCE_METADATA_HOST",
    .endpoint = "http://169.254.169.254",
    .advice = "see that the metadata server can be reached, which a firewall, a Kubernetes network policy or "
              "GCE_METADATA_HOST may prevent",
    .read = read_gcp,
};
