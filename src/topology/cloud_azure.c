// Azure's instance metadata ("Azure Instance Metadata Service for virtual machines"), one JSON document; and the name
// of the physical host, which Hyper-V hands to the guest's key-value daemon, and that writes to a file.
#include "topology/cloud.h"

#include "topology/host.h"
#include "topology/redact.h"
#include "topology/system_file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

// ---- what may be shown ------------------------------------------------------------------------------------

// Given by whoever made the machine, and may hold passwords and keys: never recorded.
static const char *const private_keys[] = {"userData", "customData", "osProfile", "publicKeys", "tags", "tagsList"};
// What stays readable when redacted. All other text becomes a pseudonym, whatever future versions bring.
static const char *const open_keys[] = {"azEnvironment",
                                        "location",
                                        "zone",
                                        "physicalZone",
                                        "vmSize",
                                        "osType",
                                        "platformFaultDomain",
                                        "offer",
                                        "publisher",
                                        "sku",
                                        "version",
                                        "platformUpdateDomain",
                                        "provider",
                                        "priority",
                                        "evictionPolicy",
                                        "prefix",
                                        "isHostCompatibilityLayerVm"};

static bool is_one_of(const char *key, const char *const *keys, size_t count) {
  for (size_t k = 0; k < count; k++)
    if (strcmp(key, keys[k]) == 0)
      return true;
  return false;
}

// A copy that may be shown; `key` is of the nearest object around the value. NULL when out of memory.
static json_t *copy_shown(const json_t *value, const char *key, bool redact) {
  json_t *copy, *element;
  const char *name;
  size_t index;
  if (is_one_of(key, private_keys, RS_ARRAY_LENGTH(private_keys)))
    return json_string("(left out)");
  if (json_is_object(value)) {
    copy = json_object();
    json_object_foreach((json_t *)value, name, element) {
      json_object_set_new(copy, name, copy_shown(element, name, redact));
    }
  } else if (json_is_array(value)) {
    copy = json_array();
    json_array_foreach(value, index, element) {
      json_array_append_new(copy, copy_shown(element, key, redact));
    }
  } else if (json_is_string(value) && redact && !is_one_of(key, open_keys, RS_ARRAY_LENGTH(open_keys))) {
    struct rs_text text = {0};
    rs_redact_whole(&text, json_string_value(value));
    copy = text.failed ? NULL : json_string(text.data ? text.data : "");
    rs_text_fini(&text);
  } else
    copy = json_deep_copy(value);
  return copy;
}

static void record_document(struct rs_cloud_session *session, const json_t *document) {
  json_t *shown = copy_shown(document, "", session->params->redact);
  char *text = shown ? json_dumps(shown, JSON_INDENT(2) | JSON_ENSURE_ASCII) : NULL;
  if (text)
    rs_cloud_record(session, text);
  free(text);
  json_decref(shown); // NULL is fine
}

// ---- facts ------------------------------------------------------------------------------------------------

// The text of a key; "" when there is none. An empty text is how Azure says "none" too.
static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

static void take_compute(struct rs_host_facts *facts, const json_t *compute) {
  rs_cloud_copy_line(facts->instance_type, sizeof(facts->instance_type), text_of(compute, "vmSize"));
  rs_cloud_copy_line(facts->instance_id, sizeof(facts->instance_id), text_of(compute, "vmId"));
  rs_cloud_copy_line(facts->region, sizeof(facts->region), text_of(compute, "location"));
  rs_cloud_copy_line(facts->placement_group, sizeof(facts->placement_group), text_of(compute, "placementGroupId"));
  // Zones are numbers, "1", within a region; Kubernetes calls them "westeurope-1", and so do we.
  char zone[16], full[64] = "";
  rs_cloud_copy_line(zone, sizeof(zone), text_of(compute, "zone"));
  if (zone[0] != '\0')
    snprintf(full, sizeof(full), "%s-%s", facts->region, zone);
  rs_host_copy_text(facts->zone, sizeof(facts->zone), full);
  // A number within the group; without one it says nothing.
  if (facts->placement_group[0] != '\0')
    (void)rs_cloud_number(text_of(compute, "platformFaultDomain"), &facts->partition);
}

// The subnet of the first interface: {"address": "10.0.0.0", "prefix": "24"}.
static void take_network(struct rs_host_facts *facts, const json_t *network) {
  const json_t *interface = json_array_get(json_object_get(network, "interface"), 0);
  const json_t *subnet = json_array_get(json_object_get(json_object_get(interface, "ipv4"), "subnet"), 0);
  char text[64];
  if (text_of(subnet, "address")[0] == '\0')
    return;
  snprintf(text, sizeof(text), "%s/%s", text_of(subnet, "address"), text_of(subnet, "prefix"));
  rs_cloud_copy_line(facts->subnet, sizeof(facts->subnet), text);
}

static void read_document(struct rs_cloud_session *session) {
  struct rs_http_answer *answer = session->answer;
  json_error_t where;
  snprintf(session->header, sizeof(session->header), "Metadata: true");
  if (!rs_cloud_ask(session, "GET", "/metadata/instance?api-version=2021-02-01", true))
    return;
  json_t *document = json_loadb(answer->body, answer->length, 0, &where);
  if (json_is_object(document)) {
    take_compute(session->facts, json_object_get(document, "compute"));
    take_network(session->facts, json_object_get(document, "network"));
    record_document(session, document);
  } else // and it is not recorded, since nobody knows what of it may be shown
    rs_cloud_trouble(session, RS_ERROR_PEER,
                     "the answer to GET /metadata/instance is no JSON object (line %d, column %d); %s", where.line,
                     where.column, session->source->advice);
  json_decref(document); // NULL is fine
}

// ---- the physical host ------------------------------------------------------------------------------------

// Pool 3 holds what the host tells. A file of records of fixed length, ended and filled up by NUL (Linux,
// tools/hv/hv_kvp_daemon.c):
//     | key, 512 bytes | value, 2048 bytes | key ...
enum { KEY_BYTES = 512, VALUE_BYTES = 2048, RECORD_BYTES = KEY_BYTES + VALUE_BYTES, RECORDS_MAX = 64 };
#define POOL_FILE "/var/lib/hyperv/.kvp_pool_3"

static void read_physical_host(struct rs_cloud_session *session) {
  static const char key[] = "PhysicalHostName";
  const char *root = session->params->root ? session->params->root : "";
  struct rs_error error = {0};
  // Zero behind what was read, so that a file cut anywhere ends in empty records.
  char *pool = rs_allocate(RECORDS_MAX * RECORD_BYTES + 1, 1, "Hyper-V's key-value pool", &error);
  if (!pool)
    return;
  (void)rs_system_file_text(root, pool, RECORDS_MAX * RECORD_BYTES + 1, POOL_FILE);
  for (size_t r = 0; r < RECORDS_MAX; r++) {
    const char *record = pool + r * RECORD_BYTES;
    if (strncmp(record, key, sizeof(key)) != 0)
      continue;
    char value[sizeof(session->facts->physical_host)], line[256];
    rs_cloud_copy_line(value, sizeof(value), record + KEY_BYTES);
    rs_host_copy_text(session->facts->physical_host, sizeof(session->facts->physical_host), value);
    snprintf(line, sizeof(line), "%s of " POOL_FILE ": %s", key, value);
    rs_cloud_record(session, line);
  }
  free(pool);
}

static void read_azure(struct rs_cloud_session *session) {
  read_document(session);
  read_physical_host(session);
}

const struct rs_cloud_source rs_cloud_azure = {
    .cloud = RS_CLOUD_AZURE,
    .title = "Azure",
    .endpoint = "http://169.254.169.254",
    .advice = "see that 169.254.169.254 can be reached from the primary interface, which a firewall or a Kubernetes "
              "network policy may prevent",
    .read = read_azure,
};
