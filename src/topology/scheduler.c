// What the scheduler tells a process that it started.
//
// Slurm sets variables (man srun, "OUTPUT ENVIRONMENT VARIABLES"). Kubernetes tells a pod about itself through the
// downward API, as variables and files of the manifest's choice; the names here are the usual ones. Labels of the node
// are not among what it can tell, so that something else, such as an init container, writes them into a file.
#include "topology/scheduler.h"

#include "topology/environment.h"
#include "topology/host.h"
#include "topology/system_file.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char label_file[] = "/etc/podinfo/labels";

struct source {
  char *(*get)(const char *name);
  const char *root;
  struct rs_host_facts *facts;
  struct rs_environment *environment;
};

static const char *variable(const struct source *source, const char *name) {
  const char *value = source->get(name);
  return value ? value : "";
}

static void fill(char *field, size_t bytes, const char *text) {
  if (field[0] == '\0')
    rs_host_copy_text(field, bytes, text);
}

static const struct variable_fact {
  const char *key, *name;
} slurm_facts[] =
    {
        {"slurm.job_id", "SLURM_JOB_ID"},
        {"slurm.job_name", "SLURM_JOB_NAME"},
        {"slurm.cluster", "SLURM_CLUSTER_NAME"},
        {"slurm.partition", "SLURM_JOB_PARTITION"},
        {"slurm.nodes", "SLURM_JOB_NUM_NODES"},
        {"slurm.node", "SLURMD_NODENAME"},
        {"slurm.topology_addr", "SLURM_TOPOLOGY_ADDR"},
        {"slurm.topology_addr_pattern", "SLURM_TOPOLOGY_ADDR_PATTERN"},
},
  kubernetes_facts[] = {
      {"kubernetes.node", "NODE_NAME"},
      {"kubernetes.pod", "POD_NAME"},
      {"kubernetes.namespace", "POD_NAMESPACE"},
};

static void add_variables(const struct source *source, const struct variable_fact *facts, size_t count) {
  for (size_t f = 0; f < count; f++)
    rs_environment_add(source->environment, facts[f].key, "%s", variable(source, facts[f].name));
}

// ---- Slurm ------------------------------------------------------------------------------------------------

// The address "core.s1.node07" with the pattern "switch.switch.node" is the path "core/s1". The node's name may have
// dots of its own, so that the pattern says how many names are switches.
static void read_slurm_path(const struct source *source, char *path, size_t path_bytes) {
  const char *at = variable(source, "SLURM_TOPOLOGY_ADDR"), *kind = variable(source, "SLURM_TOPOLOGY_ADDR_PATTERN");
  size_t length = 0;
  path[0] = '\0';
  while (*kind != '\0' && strcmp(kind, "node") != 0) {
    size_t name = strcspn(at, "."), word = strcspn(kind, ".");
    if (name == 0 || at[name] == '\0' || kind[word] == '\0' || length + name + 2 > path_bytes) {
      path[0] = '\0'; // not what Slurm documents: say nothing
      return;
    }
    length += (size_t)snprintf(path + length, path_bytes - length, "%s%.*s", length > 0 ? "/" : "", (int)name, at);
    at += name + 1;
    kind += word + 1;
  }
}

static void read_slurm(const struct source *source) {
  char path[sizeof source->facts->network_path];
  add_variables(source, slurm_facts, RS_ARRAY_LENGTH(slurm_facts));
  read_slurm_path(source, path, sizeof path);
  fill(source->facts->network_path, sizeof source->facts->network_path, path);
}

// ---- Kubernetes -------------------------------------------------------------------------------------------

// Finds KEY="VALUE" on a line of its own, where a backslash in VALUE stands before a quote or a backslash.
static bool find_label(const char *text, const char *key, char *value, size_t value_bytes) {
  size_t key_bytes = strlen(key), length = 0;
  while (text != NULL && (strncmp(text, key, key_bytes) != 0 || text[key_bytes] != '=')) {
    text = strchr(text, '\n');
    text = text ? text + 1 : NULL;
  }
  if (text == NULL)
    return false;
  const char *at = text + key_bytes + 1;
  bool quoted = *at == '"';
  for (at += quoted; *at != '\0' && *at != '\n' && !(quoted && *at == '"') && length + 1 < value_bytes; at++) {
    at += quoted && *at == '\\' && at[1] != '\0';
    value[length++] = *at;
  }
  value[length] = '\0';
  return length > 0;
}

static const struct {
  const char *label;
  size_t offset, bytes;
} label_facts[] = {
#define LABEL(name, field)                                                                                             \
  { name, offsetof(struct rs_host_facts, field), sizeof(((struct rs_host_facts *)0)->field) }
    LABEL("topology.kubernetes.io/region", region),
    LABEL("topology.kubernetes.io/zone", zone),
    LABEL("topology.k8s.aws/zone-id", zone_id),
    LABEL("node.kubernetes.io/instance-type", instance_type),
    LABEL("cloud.google.com/gce-topology-host", physical_host),
#undef LABEL
};

// Clouds' labels of the network nodes above a node, top first.
static const char *const aws_layers[] = {
    "topology.k8s.aws/network-node-layer-1", "topology.k8s.aws/network-node-layer-2",
    "topology.k8s.aws/network-node-layer-3", "topology.k8s.aws/network-node-layer-4", NULL};
static const char *const gcp_layers[] = {"cloud.google.com/gce-topology-block",
                                         "cloud.google.com/gce-topology-subblock", NULL};

static void read_layers(const char *labels, const char *const *layers, char *path, size_t path_bytes) {
  char name[64];
  size_t length = 0;
  path[0] = '\0';
  for (; *layers && find_label(labels, *layers, name, sizeof name) && length + strlen(name) + 2 <= path_bytes; layers++)
    length += (size_t)snprintf(path + length, path_bytes - length, "%s%s", length > 0 ? "/" : "", name);
}

static void read_labels(const struct source *source, const char *labels) {
  struct rs_host_facts *facts = source->facts;
  char text[sizeof facts->network_path];
  for (size_t l = 0; l < RS_ARRAY_LENGTH(label_facts); l++)
    if (find_label(labels, label_facts[l].label, text, sizeof text))
      fill((char *)facts + label_facts[l].offset, label_facts[l].bytes, text);
  read_layers(labels, aws_layers, text, sizeof text);
  fill(facts->network_path, sizeof facts->network_path, text);
  read_layers(labels, gcp_layers, text, sizeof text);
  fill(facts->network_path, sizeof facts->network_path, text);
}

static void read_kubernetes(const struct source *source) {
  char labels[32768];
  const char *named = variable(source, "RINGSIDE_NODE_LABELS");
  const char *path = named[0] != '\0' ? named : label_file;
  bool in_pod = variable(source, "KUBERNETES_SERVICE_HOST")[0] != '\0';
  if (in_pod) // others, such as build servers, set NODE_NAME too
    add_variables(source, kubernetes_facts, RS_ARRAY_LENGTH(kubernetes_facts));
  if (!in_pod && named[0] == '\0')
    return;
  bool found = rs_system_file_text(source->root, labels, sizeof labels, "%s", path);
  if (found || named[0] != '\0')
    rs_environment_add(source->environment, "kubernetes.labels", "%s%s", path, found ? "" : ": cannot be read");
  read_labels(source, labels);
}

// ---- all of it --------------------------------------------------------------------------------------------

void rs_scheduler_read_from(char *(*get)(const char *name), const char *root, struct rs_host_facts *facts,
                            struct rs_environment *environment) {
  const struct source source = {get, root, facts, environment};
  if (variable(&source, "SLURM_JOB_ID")[0] != '\0')
    read_slurm(&source);
  read_kubernetes(&source);
}

void rs_scheduler_read(struct rs_host_facts *facts, struct rs_environment *environment) {
  rs_scheduler_read_from(getenv, "", facts, environment);
}
