// A topology file of any format: told apart by content, read, checked, and laid over a placement.
#include "topology/topology_file.h"

#include "topology/host.h"
#include "topology/name_list.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WHAT "topology file"
#define BYTES_MAX ((size_t)16 << 20)
#define HOSTS_MAX 65536

#define FIELD(name)                                                                                                    \
  { #name, offsetof(struct rs_host_facts, name), sizeof(((struct rs_host_facts *)0)->name) }
const struct rs_topology_field rs_topology_fields[] = {
    FIELD(cloud),           FIELD(instance_type), FIELD(region),        FIELD(zone),        FIELD(zone_id),
    FIELD(placement_group), FIELD(network_path),  FIELD(physical_host), FIELD(instance_id),
};
const size_t rs_topology_field_count = RS_ARRAY_LENGTH(rs_topology_fields);

enum rs_status rs_topology_file_place(const struct rs_topology_file *file, struct rs_file_place at,
                                      struct rs_error *error) {
  rs_error_prefix(error, "%s:%zu:%zu", file->path, at.line, at.column);
  return error->status;
}

// ---- what readers add -------------------------------------------------------------------------------------

// Makes room for one item more; NULL with a filled error when there is none.
static void *grow(void *items, size_t count, size_t *room, size_t bytes, struct rs_error *error) {
  if (count < *room)
    return items;
  size_t more = *room * 2 + 16; // the file's size bounds it
  void *grown = reallocarray(items, more, bytes);
  if (grown == NULL)
    rs_error_set_memory(error, more * bytes, "a topology file");
  else
    *room = more;
  return grown;
}

static void copy_name(char field[RS_HOST_NAME_BYTES], const char *name) {
  rs_host_copy_text(field, RS_HOST_NAME_BYTES, name);
}

enum rs_status rs_topology_file_add_facts(struct rs_topology_file *file, struct rs_topology_facts **facts,
                                          struct rs_error *error) {
  void *grown = grow(file->facts, file->fact_count, &file->fact_room, sizeof *file->facts, error);
  if (grown == NULL)
    return error->status;
  file->facts = grown;
  *facts = &file->facts[file->fact_count++];
  **facts = (struct rs_topology_facts){.given = {.partition = -1}};
  return RS_OK;
}

enum rs_status rs_topology_file_add_name(struct rs_topology_file *file, const char *name, struct rs_file_place at,
                                         struct rs_error *error) {
  if (file->name_count == HOSTS_MAX)
    return rs_error_set(error, RS_ERROR_USAGE, "the file names more than %d hosts", HOSTS_MAX);
  void *grown = grow(file->names, file->name_count, &file->name_room, sizeof *file->names, error);
  if (grown == NULL)
    return error->status;
  file->names = grown;
  struct rs_topology_name *added = &file->names[file->name_count++];
  *added = (struct rs_topology_name){.facts = file->fact_count - 1, .at = at};
  copy_name(added->name, name);
  return RS_OK;
}

enum rs_status rs_topology_file_add_switch(struct rs_topology_file *file, const char *name, struct rs_file_place at,
                                           struct rs_error *error) {
  if (file->switch_count == HOSTS_MAX)
    return rs_error_set(error, RS_ERROR_USAGE, "the file names more than %d switches", HOSTS_MAX);
  void *grown = grow(file->switches, file->switch_count, &file->switch_room, sizeof *file->switches, error);
  if (grown == NULL)
    return error->status;
  file->switches = grown;
  struct rs_topology_switch *added = &file->switches[file->switch_count++];
  *added = (struct rs_topology_switch){.at = at, .parent = SIZE_MAX};
  copy_name(added->name, name);
  return RS_OK;
}

enum rs_status rs_topology_file_add_link(struct rs_topology_file *file, const char *child, const char *parent,
                                         struct rs_file_place at, struct rs_error *error) {
  if (file->link_count == HOSTS_MAX)
    return rs_error_set(error, RS_ERROR_USAGE, "the file names more than %d switches", HOSTS_MAX);
  void *grown = grow(file->links, file->link_count, &file->link_room, sizeof *file->links, error);
  if (grown == NULL)
    return error->status;
  file->links = grown;
  struct rs_topology_link *added = &file->links[file->link_count++];
  *added = (struct rs_topology_link){.at = at};
  copy_name(added->child, child);
  copy_name(added->parent, parent);
  return RS_OK;
}

// ---- names ------------------------------------------------------------------------------------------------

// Bytes of a name up to its domain; all of it for an address such as 10.0.0.1.
static size_t short_length(const char *name) {
  size_t length = strcspn(name, ".");
  return strspn(name, "0123456789") == length ? strlen(name) : length;
}

static bool has_domain(const char *name) {
  return name[short_length(name)] != '\0';
}

static int compare_short(const char *a, const char *b) {
  size_t a_length = short_length(a), b_length = short_length(b);
  int order = strncasecmp(a, b, rs_min_size(a_length, b_length));
  return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

static int compare_names(const void *a, const void *b) {
  const struct rs_topology_name *first = a, *second = b;
  int order = compare_short(first->name, second->name);
  if (order == 0)
    order = strcasecmp(first->name, second->name);
  if (order == 0)
    order = (first->at.line > second->at.line) - (first->at.line < second->at.line);
  return order != 0 ? order : (first->at.column > second->at.column) - (first->at.column < second->at.column);
}

static enum rs_status check_names(const struct rs_topology_file *file, struct rs_error *error) {
  for (size_t i = 1; i < file->name_count; i++) {
    const struct rs_topology_name *earlier = &file->names[i - 1], *later = &file->names[i];
    const char *above = file->facts[earlier->facts].leaf, *below = file->facts[later->facts].leaf;
    if (strcasecmp(earlier->name, later->name) != 0)
      continue;
    if (above[0] != '\0' && below[0] != '\0' && strcmp(above, below) != 0)
      return RS_TOPOLOGY_FAIL(file, later->at, error, "host %s is under two switches, %s (line %zu) and %s; keep one",
                              later->name, above, earlier->at.line, below);
    return RS_TOPOLOGY_FAIL(file, later->at, error, "host %s is given twice, first at line %zu; keep one of them",
                            later->name, earlier->at.line);
  }
  return RS_OK;
}

// The first of the names whose short form is that of `name`, or where it would stand.
static size_t first_of_short(const struct rs_topology_file *file, const char *name) {
  size_t low = 0, high = file->name_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (compare_short(file->names[middle].name, name) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

// What the file says of a host; *found is NULL when it says nothing.
static enum rs_status find_host(const struct rs_topology_file *file, const struct rs_host_facts *host,
                                const struct rs_topology_facts **found, struct rs_error *error) {
  const struct rs_topology_name *near = NULL;
  *found = NULL;
  for (size_t i = first_of_short(file, host->hostname);
       i < file->name_count && compare_short(file->names[i].name, host->hostname) == 0; i++) {
    const struct rs_topology_name *name = &file->names[i];
    if (strcasecmp(name->name, host->hostname) == 0) {
      *found = &file->facts[name->facts];
      return RS_OK;
    }
    if (has_domain(name->name) && has_domain(host->hostname))
      continue;
    if (near != NULL)
      return rs_error_set(error, RS_ERROR_USAGE,
                          "%s: host %s of this run could be %s (line %zu) or %s (line %zu); name it in full",
                          file->path, host->hostname, near->name, near->at.line, name->name, name->at.line);
    near = name;
  }
  for (size_t i = first_of_short(file, host->instance_id);
       near == NULL && host->instance_id[0] != '\0' && i < file->name_count &&
       compare_short(file->names[i].name, host->instance_id) == 0;
       i++)
    if (strcasecmp(file->names[i].name, host->instance_id) == 0)
      near = &file->names[i];
  if (near != NULL)
    *found = &file->facts[near->facts];
  return RS_OK;
}

// ---- apply ------------------------------------------------------------------------------------------------

static void lay_over(const struct rs_host_facts *given, struct rs_host_facts *host) {
  for (size_t f = 0; f < rs_topology_field_count; f++) {
    const struct rs_topology_field *field = &rs_topology_fields[f];
    const char *text = (const char *)given + field->offset;
    if (text[0] != '\0')
      rs_host_copy_text((char *)host + field->offset, field->bytes, text);
  }
  if (given->partition >= 0)
    host->partition = given->partition;
}

static enum rs_status judge_missing(const struct rs_topology_file *file, struct rs_name_list *missing,
                                    struct rs_text *warnings, struct rs_error *error) {
  if (missing->count == 0)
    return RS_OK;
  const char *plural = missing->count > 1 ? "s" : "", *are = missing->count > 1 ? "are" : "is";
  const char *names = rs_name_list_end(missing);
  if (!file->partial)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "%s: host%s %s of this run %s not in the file; add %s, or write 'partial: true' in a YAML file",
                        file->path, plural, names, are, missing->count > 1 ? "them" : "it");
  rs_text_append(warnings, "%s: host%s %s of this run %s not in the file; %s facts stay as they were found\n",
                 file->path, plural, names, are, missing->count > 1 ? "their" : "its");
  return RS_OK;
}

enum rs_status rs_topology_file_apply(const struct rs_topology_file *file, struct rs_placement *placement,
                                      struct rs_text *warnings, struct rs_error *error) {
  struct rs_name_list missing = {0};
  const struct rs_topology_facts **found = rs_allocate(placement->host_count, sizeof(const struct rs_topology_facts *),
                                                       "the hosts of a topology file", error);
  if (found == NULL)
    return error->status;
  enum rs_status status = RS_OK;
  for (size_t h = 0; h < placement->host_count && status == RS_OK; h++) {
    status = find_host(file, &placement->hosts[h], &found[h], error);
    if (status == RS_OK && found[h] == NULL)
      rs_name_list_add(&missing, placement->hosts[h].hostname);
  }
  if (status == RS_OK)
    status = judge_missing(file, &missing, warnings, error);
  for (size_t h = 0; h < placement->host_count && status == RS_OK; h++)
    if (found[h] != NULL)
      lay_over(&found[h]->given, &placement->hosts[h]);
  rs_text_fini(&missing.text);
  free(found);
  return status;
}

// ---- read -------------------------------------------------------------------------------------------------

// JSON starts with a bracket, and topology.conf with KEY=; all else is left to YAML, whose refusals know most.
static enum rs_status read_any(struct rs_topology_file *file, const char *text, size_t bytes, struct rs_error *error) {
  const char *at = text;
  for (;;) {
    at += strspn(at, " \t\r\n");
    if (*at != '#')
      break;
    at += strcspn(at, "\n");
  }
  if (*at == '{' || *at == '[')
    return rs_topology_aws_read(file, text, bytes, error);
  size_t key = 0;
  while (isalpha((unsigned char)at[key]))
    key++;
  size_t blanks = strspn(at + key, " \t");
  if (key > 0 && at[key + blanks] == '=')
    return rs_topology_slurm_read(file, text, bytes, error);
  return rs_topology_yaml_read(file, text, bytes, error);
}

static enum rs_status parse(const char *name, const char *text, size_t bytes, struct rs_topology_file **file,
                            struct rs_error *error) {
  static const char byte_order_mark[] = "\xef\xbb\xbf";
  size_t skip = strncmp(text, byte_order_mark, 3) == 0 ? 3 : 0;
  struct rs_topology_file *made = rs_allocate(1, sizeof *made, "a topology file", error);
  if (made == NULL)
    return error->status;
  made->path = strdup(name);
  enum rs_status status = RS_OK;
  if (made->path == NULL)
    status = rs_error_set_memory(error, strlen(name) + 1, "a topology file");
  else if (strlen(text) < bytes)
    status = rs_error_set(error, RS_ERROR_USAGE, "%s: not a text file: there is a NUL byte at offset %zu", name,
                          strlen(text));
  if (status == RS_OK)
    status = read_any(made, text + skip, bytes - skip, error);
  if (status == RS_OK && made->name_count == 0)
    status = rs_error_set(error, RS_ERROR_USAGE,
                          "%s: the file names no hosts; a topology file is YAML with 'hosts:', the JSON of aws ec2 "
                          "describe-instance-topology, or Slurm's topology.conf",
                          name);
  if (status == RS_OK) {
    qsort(made->names, made->name_count, sizeof *made->names, compare_names);
    status = check_names(made, error);
  }
  if (status == RS_OK)
    status = rs_topology_switches_resolve(made, error);
  if (status == RS_OK)
    *file = made;
  else
    rs_topology_file_close(made);
  return status;
}

enum rs_status rs_topology_file_parse(const char *name, const char *text, size_t bytes, struct rs_topology_file **file,
                                      struct rs_error *error) {
  if (bytes > BYTES_MAX)
    return rs_error_set(error, RS_ERROR_USAGE, "%s: the file has %zu bytes; a topology file has at most %zu", name,
                        bytes, BYTES_MAX);
  char *ended = rs_allocate(bytes + 1, 1, "a topology file", error);
  if (ended == NULL)
    return error->status;
  memcpy(ended, text, bytes);
  enum rs_status status = parse(name, ended, bytes, file, error);
  free(ended);
  return status;
}

enum rs_status rs_topology_file_load(const char *path, struct rs_topology_file **file, struct rs_error *error) {
  char *text;
  size_t bytes;
  enum rs_status status = rs_file_read(path, WHAT, BYTES_MAX, &text, &bytes, error);
  if (status != RS_OK)
    return status;
  status = parse(path, text, bytes, file, error);
  free(text);
  return status;
}

void rs_topology_file_close(struct rs_topology_file *file) {
  if (file == NULL)
    return;
  free(file->path);
  free(file->facts);
  free(file->names);
  free(file->switches);
  free(file->links);
  free(file);
}
