// Topology files that are the output of `aws ec2 describe-instance-topology`:
//
//   {"Instances": [{"InstanceId": "i-01", "InstanceType": "p4d.24xlarge", "GroupName": "cg", "AvailabilityZone":
//     "us-west-2a", "ZoneId": "usw2-az2", "CapacityBlockId": null, "NetworkNodes": ["nn-1", "nn-4", "nn-9"]}]}
//
// NetworkNodes are three names, four on some types, from the top (Amazon EC2 User Guide, "Amazon EC2 topology").
// Members that are not known here are left alone: AWS adds to its answers.
#include "topology/topology_file.h"

#include "topology/host.h"

#include <jansson.h>
#include <stddef.h>
#include <string.h>

static const struct {
  const char *member;
  size_t offset, bytes;
} members[] = {
#define MEMBER(name, field)                                                                                            \
  { name, offsetof(struct rs_host_facts, field), sizeof(((struct rs_host_facts *)0)->field) }
    MEMBER("InstanceId", instance_id),
    MEMBER("InstanceType", instance_type),
    MEMBER("GroupName", placement_group),
    MEMBER("AvailabilityZone", zone),
    MEMBER("ZoneId", zone_id),
#undef MEMBER
};

// Walks over text that is known to be JSON, to tell where each instance starts: jansson does not.
struct cursor {
  const char *at;
  struct rs_file_place place;
  size_t depth;     // of brackets
  bool is_key;      // the last string was the root's key "Instances"
  bool in_list;     // that list has begun
  bool expects_one; // an element comes next
};

struct reader {
  struct rs_topology_file *file;
  struct cursor cursor; // at the instance
  size_t index;         // of it
  struct rs_error *error;
};

// ---- places -----------------------------------------------------------------------------------------------

static void step(struct cursor *cursor) {
  char next = cursor->at[1];
  cursor->place.column += (next & 0xc0) != 0x80; // characters, not bytes
  if (*cursor->at == '\n')
    cursor->place = (struct rs_file_place){cursor->place.line + 1, 1};
  cursor->at++;
}

static void skip_string(struct cursor *cursor) {
  static const char key[] = "\"Instances\"";
  cursor->is_key = cursor->depth == 1 && strncmp(cursor->at, key, strlen(key)) == 0;
  for (step(cursor); *cursor->at != '"'; step(cursor))
    if (*cursor->at == '\\')
      step(cursor);
  step(cursor);
}

// Goes to the start of the next element of "Instances".
static void go_to_instance(struct cursor *cursor) {
  while (*cursor->at != '\0') {
    char c = *cursor->at;
    if (cursor->expects_one && strchr(" \t\r\n", c) == NULL) {
      cursor->expects_one = false;
      return; // and is passed as text when the next one is looked for
    }
    if (c == '"') {
      skip_string(cursor);
      continue;
    }
    bool begins = c == '[' && cursor->depth == 1 && cursor->is_key;
    cursor->in_list |= begins;
    cursor->expects_one = begins || (c == ',' && cursor->in_list && cursor->depth == 2) || cursor->expects_one;
    cursor->depth += c == '[' || c == '{';
    cursor->depth -= c == ']' || c == '}';
    step(cursor);
  }
}

// Fails at the instance; the value is the status.
static enum rs_status fail(const struct reader *reader) {
  rs_error_prefix(reader->error, "Instances[%zu]", reader->index);
  return rs_topology_file_place(reader->file, reader->cursor.place, reader->error);
}
#define FAIL(reader, ...) (rs_error_set((reader)->error, RS_ERROR_USAGE, __VA_ARGS__), fail(reader))

// ---- an instance ------------------------------------------------------------------------------------------

// A member that is missing or null says nothing.
static enum rs_status read_member(const struct reader *reader, const json_t *instance, size_t m, char *field) {
  const json_t *value = json_object_get(instance, members[m].member);
  if (value == NULL || json_is_null(value))
    return RS_OK;
  const char *text = json_string_value(value);
  if (text == NULL)
    return FAIL(reader, "%s is not text", members[m].member);
  if (strlen(text) >= members[m].bytes)
    return FAIL(reader, "%s '%.20s...' is longer than %zu bytes", members[m].member, text, members[m].bytes - 1);
  rs_host_copy_text(field, members[m].bytes, text);
  return RS_OK;
}

static enum rs_status read_path(const struct reader *reader, const json_t *instance, struct rs_host_facts *facts) {
  const json_t *nodes = json_object_get(instance, "NetworkNodes");
  size_t count = json_array_size(nodes), length = 0;
  if (count == 0)
    return FAIL(reader, "NetworkNodes lists no network nodes; ask again while the instance runs");
  for (size_t n = 0; n < count; n++) {
    const char *name = json_string_value(json_array_get(nodes, n));
    if (name == NULL || name[0] == '\0' || strchr(name, '/') != NULL)
      return FAIL(reader, "NetworkNodes[%zu] is not the name of a network node", n);
    size_t room = sizeof facts->network_path - length;
    length += (size_t)snprintf(facts->network_path + length, room, "%s%s", n > 0 ? "/" : "", name);
    if (length >= sizeof facts->network_path)
      return FAIL(reader, "NetworkNodes are longer than %zu bytes together", sizeof facts->network_path - 1);
  }
  return RS_OK;
}

static enum rs_status read_instance(const struct reader *reader, const json_t *instance) {
  struct rs_topology_facts *facts;
  if (!json_is_object(instance))
    return FAIL(reader, "an instance is an object with InstanceId and NetworkNodes");
  if (rs_topology_file_add_facts(reader->file, &facts, reader->error) < 0)
    return reader->error->status;
  for (size_t m = 0; m < RS_ARRAY_LENGTH(members); m++)
    if (read_member(reader, instance, m, (char *)&facts->given + members[m].offset) < 0)
      return reader->error->status;
  if (facts->given.instance_id[0] == '\0')
    return FAIL(reader, "there is no InstanceId");
  rs_host_copy_text(facts->given.cloud, sizeof facts->given.cloud, "aws");
  if (read_path(reader, instance, &facts->given) < 0)
    return reader->error->status;
  return rs_topology_file_add_name(reader->file, facts->given.instance_id, reader->cursor.place, reader->error);
}

enum rs_status rs_topology_aws_read(struct rs_topology_file *file, const char *text, size_t bytes,
                                    struct rs_error *error) {
  json_error_t problem;
  struct reader reader = {.file = file, .cursor = {.at = text, .place = {1, 1}}, .error = error};
  file->partial = true; // it lists instances, of this run or not
  json_t *root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &problem);
  if (root == NULL) {
    struct rs_file_place at = {(size_t)problem.line, problem.column > 0 ? (size_t)problem.column : 1};
    return RS_TOPOLOGY_FAIL(file, at, error, "not valid JSON: %s", problem.text);
  }
  enum rs_status status = RS_OK;
  const json_t *instances = json_object_get(root, "Instances");
  if (!json_is_array(instances))
    status =
        RS_TOPOLOGY_FAIL(file, ((struct rs_file_place){1, 1}), error,
                         "the JSON has no list 'Instances'; save what 'aws ec2 describe-instance-topology' prints");
  for (; status == RS_OK && reader.index < json_array_size(instances); reader.index++) {
    go_to_instance(&reader.cursor);
    status = read_instance(&reader, json_array_get(instances, reader.index));
  }
  json_decref(root);
  return status;
}
