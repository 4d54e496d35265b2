// Topology files in YAML, our own format:
//
//   partial: true                          hosts of a run may be missing here (default false)
//   hosts:
//     node[01-16]: {switch: leaf1, zone: z1}
//   switches:
//     leaf1: {parent: spine1}
//     spine1:
#include "topology/topology_file.h"

#include "ringside/options.h"
#include "topology/host.h"

#include <string.h>

struct reader {
  struct rs_topology_file *file;
  struct rs_error *error;
  const struct rs_yaml_node *node; // whose key is being expanded
};

// Fails at a place of the file; the value is the status.
#define FAIL(reader, at, ...) RS_TOPOLOGY_FAIL((reader)->file, at, (reader)->error, __VA_ARGS__)

static const char *kind_name(const struct rs_yaml_node *node) {
  static const char *const names[] = {"nothing", "a single value", "a list", "a mapping"};
  return names[node->kind];
}

// ---- values -----------------------------------------------------------------------------------------------

// The text of a value, which is not empty and has at most bytes - 1 characters; NULL after an error.
static const char *take_text(const struct reader *reader, const struct rs_yaml_node *node, size_t bytes) {
  if (node->kind != RS_YAML_SCALAR || node->text[0] == '\0')
    FAIL(reader, node->at, "%s: a value is expected here, not %s", node->key,
         node->kind == RS_YAML_SCALAR ? "empty text" : kind_name(node));
  else if (strlen(node->text) >= bytes)
    FAIL(reader, node->at, "%s: '%.20s...' is longer than %zu characters", node->key, node->text, bytes - 1);
  else
    return node->text;
  return NULL;
}

static enum rs_status take_partition(const struct reader *reader, const struct rs_yaml_node *node, int32_t *partition) {
  const char *text = take_text(reader, node, 64);
  if (text == NULL)
    return reader->error->status;
  size_t digits = strspn(text, "0123456789");
  if (text[digits] != '\0' || digits > 6)
    return FAIL(reader, node->at, "partition: '%s' is not a number from 0 to 999999", text);
  *partition = 0;
  for (size_t i = 0; i < digits; i++)
    *partition = *partition * 10 + (text[i] - '0');
  return RS_OK;
}

static enum rs_status take_bool(const struct reader *reader, const struct rs_yaml_node *node, bool *value) {
  bool is_true = node->kind == RS_YAML_SCALAR && strcmp(node->text, "true") == 0;
  if (!is_true && (node->kind != RS_YAML_SCALAR || strcmp(node->text, "false") != 0))
    return FAIL(reader, node->at, "%s: write true or false", node->key);
  *value = is_true;
  return RS_OK;
}

// Refuses "a//b" and "/a": each name between slashes stands for a network node.
static enum rs_status check_path(const struct reader *reader, const struct rs_yaml_node *node) {
  size_t length = strlen(node->text);
  if (node->text[0] == '/' || node->text[length - 1] == '/' || strstr(node->text, "//") != NULL)
    return FAIL(reader, node->at, "network_path: '%s' has an empty name; write it like core/spine1/leaf1, top first",
                node->text);
  return RS_OK;
}

// ---- hosts ------------------------------------------------------------------------------------------------

static enum rs_status refuse_fact(const struct reader *reader, const struct rs_yaml_node *node) {
  const char *names[32] = {"switch", "partition"};
  size_t count = 2;
  struct rs_text list = {0};
  for (size_t f = 0; f < rs_topology_field_count; f++)
    names[count++] = rs_topology_fields[f].name;
  for (size_t i = 0; i < count; i++)
    rs_text_append(&list, "%s%s", i > 0 ? ", " : "", names[i]);
  const char *nearest = rs_text_nearest(node->key, names, count);
  if (nearest != NULL)
    FAIL(reader, node->key_at, "unknown fact '%s'; did you mean '%s'?", node->key, nearest);
  else
    FAIL(reader, node->key_at, "unknown fact '%s'; the facts of a host are %s", node->key,
         list.failed ? "in docs/topology.md" : list.data);
  rs_text_fini(&list);
  return reader->error->status;
}

static enum rs_status read_fact(const struct reader *reader, const struct rs_yaml_node *node,
                                struct rs_topology_facts *facts) {
  const char *text;
  if (strcmp(node->key, "partition") == 0)
    return take_partition(reader, node, &facts->given.partition);
  if (strcmp(node->key, "switch") == 0) {
    text = take_text(reader, node, sizeof facts->leaf);
    if (text == NULL)
      return reader->error->status;
    rs_host_copy_text(facts->leaf, sizeof facts->leaf, text);
    facts->leaf_at = node->at;
    return RS_OK;
  }
  for (size_t f = 0; f < rs_topology_field_count; f++) {
    const struct rs_topology_field *field = &rs_topology_fields[f];
    if (strcmp(node->key, field->name) != 0)
      continue;
    text = take_text(reader, node, field->bytes);
    if (text == NULL)
      return reader->error->status;
    rs_host_copy_text((char *)&facts->given + field->offset, field->bytes, text);
    return strcmp(field->name, "network_path") == 0 ? check_path(reader, node) : RS_OK;
  }
  return refuse_fact(reader, node);
}

static enum rs_status visit_host(void *state, const char *name, struct rs_error *error) {
  const struct reader *reader = state;
  return rs_topology_file_add_name(reader->file, name, reader->node->key_at, error);
}

// Calls `visit` with every name that the key of `node` stands for.
static enum rs_status expand_key(struct reader *reader, const struct rs_yaml_node *node, rs_hostlist_visit visit) {
  size_t offset;
  reader->node = node;
  if (rs_hostlist_expand(node->key, visit, reader, &offset, reader->error) == RS_OK)
    return RS_OK;
  rs_error_prefix(reader->error, "'%.60s'", node->key);
  return rs_topology_file_place(reader->file, node->key_at, reader->error);
}

static enum rs_status read_host(struct reader *reader, const struct rs_yaml_node *node) {
  struct rs_topology_facts *facts;
  if (node->kind != RS_YAML_MAPPING && node->kind != RS_YAML_NULL)
    return FAIL(reader, node->at, "host %s takes facts, such as '{zone: z1, switch: s1}', not %s", node->key,
                kind_name(node));
  if (rs_topology_file_add_facts(reader->file, &facts, reader->error) < 0)
    return reader->error->status;
  for (const struct rs_yaml_node *fact = node->first; fact != NULL; fact = fact->next)
    if (read_fact(reader, fact, facts) < 0)
      return reader->error->status;
  if (facts->leaf[0] != '\0' && facts->given.network_path[0] != '\0')
    return FAIL(reader, facts->leaf_at, "host %s has a switch and a network_path; keep one of them", node->key);
  return expand_key(reader, node, visit_host);
}

// ---- switches ---------------------------------------------------------------------------------------------

static enum rs_status visit_switch(void *state, const char *name, struct rs_error *error) {
  const struct reader *reader = state;
  const struct rs_yaml_node *parent = reader->node->first;
  if (rs_topology_file_add_switch(reader->file, name, reader->node->key_at, error) < 0)
    return error->status;
  return parent == NULL ? RS_OK : rs_topology_file_add_link(reader->file, name, parent->text, parent->at, error);
}

static enum rs_status read_switch(struct reader *reader, const struct rs_yaml_node *node) {
  if (node->kind != RS_YAML_MAPPING && node->kind != RS_YAML_NULL)
    return FAIL(reader, node->at, "switch %s takes '{parent: SWITCH}' or nothing, not %s", node->key, kind_name(node));
  for (const struct rs_yaml_node *key = node->first; key != NULL; key = key->next) {
    if (strcmp(key->key, "parent") != 0)
      return FAIL(reader, key->key_at, "unknown key '%s' of a switch; the only one is 'parent'", key->key);
    if (take_text(reader, key, RS_HOST_NAME_BYTES) == NULL)
      return reader->error->status;
  }
  return expand_key(reader, node, visit_switch);
}

// ---- the file ---------------------------------------------------------------------------------------------

static enum rs_status read_section(struct reader *reader, const struct rs_yaml_node *section,
                                   enum rs_status (*read)(struct reader *reader, const struct rs_yaml_node *node)) {
  if (section->kind != RS_YAML_MAPPING)
    return FAIL(reader, section->at, "'%s' is a mapping of names, not %s", section->key, kind_name(section));
  for (const struct rs_yaml_node *node = section->first; node != NULL; node = node->next)
    if (read(reader, node) < 0)
      return reader->error->status;
  return RS_OK;
}

static enum rs_status read_key(struct reader *reader, const struct rs_yaml_node *node) {
  static const char *const keys[] = {"hosts", "switches", "partial"};
  if (strcmp(node->key, "hosts") == 0)
    return read_section(reader, node, read_host);
  if (strcmp(node->key, "switches") == 0)
    return read_section(reader, node, read_switch);
  if (strcmp(node->key, "partial") == 0)
    return take_bool(reader, node, &reader->file->partial);
  const char *nearest = rs_text_nearest(node->key, keys, RS_ARRAY_LENGTH(keys));
  if (nearest != NULL)
    return FAIL(reader, node->key_at, "unknown key '%s'; did you mean '%s'?", node->key, nearest);
  return FAIL(reader, node->key_at, "unknown key '%s'; the keys of a topology file are hosts, switches and partial",
              node->key);
}

enum rs_status rs_topology_yaml_read(struct rs_topology_file *file, const char *text, size_t bytes,
                                     struct rs_error *error) {
  struct rs_yaml_node *root;
  struct reader reader = {.file = file, .error = error};
  enum rs_status status = rs_yaml_tree_parse("topology file", file->path, text, bytes, &root, error);
  if (status != RS_OK)
    return status;
  if (root != NULL && root->kind != RS_YAML_MAPPING)
    status = FAIL(&reader, root->at, "a topology file in YAML has the keys hosts, switches and partial, not %s",
                  kind_name(root));
  for (const struct rs_yaml_node *node = root == NULL ? NULL : root->first; node != NULL && status == RS_OK;
       node = node->next)
    status = read_key(&reader, node);
  rs_yaml_tree_close(root);
  return status;
}
