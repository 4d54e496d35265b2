// A YAML file as a tree. Duplicate keys are looked for when a mapping has ended, by sorting: a file may name a hundred
// thousand hosts.
#include "ringside/options.h"

#include "options/utf8.h"
#include "options/yaml_events.h"

#include <stdlib.h>
#include <string.h>

struct builder {
  struct rs_yaml_events events;
  struct rs_yaml_node *root;
};

static struct rs_file_place place_of(yaml_mark_t mark) {
  return (struct rs_file_place){mark.line + 1, mark.column + 1};
}

void rs_yaml_tree_close(struct rs_yaml_node *root) {
  while (root != NULL) {
    struct rs_yaml_node *next = root->next;
    rs_yaml_tree_close(root->first); // as deep as RS_YAML_DEPTH_MAX
    free(root->key);
    free(root->text);
    free(root);
    root = next;
  }
}

static enum rs_status copy_text(const char *text, char **copy, struct rs_error *error) {
  *copy = strdup(text);
  return *copy == NULL ? rs_error_set_memory(error, strlen(text) + 1, "a YAML file") : RS_OK;
}

// ---- duplicate keys ---------------------------------------------------------------------------------------

static int compare_keys(const void *a, const void *b) {
  const struct rs_yaml_node *first = *(struct rs_yaml_node *const *)a, *second = *(struct rs_yaml_node *const *)b;
  int order = strcmp(first->key, second->key);
  if (order != 0)
    return order;
  if (first->key_at.line != second->key_at.line)
    return first->key_at.line < second->key_at.line ? -1 : 1;
  return first->key_at.column < second->key_at.column ? -1 : first->key_at.column > second->key_at.column;
}

static enum rs_status check_keys(const struct builder *builder, struct rs_yaml_node *mapping) {
  size_t count = 0;
  for (struct rs_yaml_node *child = mapping->first; child != NULL; child = child->next)
    count++;
  struct rs_yaml_node **sorted = rs_allocate(count, sizeof(struct rs_yaml_node *), "keys", builder->events.error);
  if (sorted == NULL)
    return builder->events.error->status;
  size_t filled = 0;
  for (struct rs_yaml_node *child = mapping->first; child != NULL; child = child->next)
    sorted[filled++] = child;
  qsort(sorted, count, sizeof(struct rs_yaml_node *), compare_keys);
  enum rs_status status = RS_OK;
  for (size_t i = 1; i < count && status == RS_OK; i++) {
    char clip[RS_CLIP_BYTES];
    const struct rs_yaml_node *earlier = sorted[i - 1], *later = sorted[i];
    if (strcmp(earlier->key, later->key) != 0)
      continue;
    yaml_mark_t mark = {.line = later->key_at.line - 1, .column = later->key_at.column - 1};
    status = RS_YAML_FAIL(&builder->events, mark, "'%s' is given twice, first at line %zu; keep one of them",
                          rs_utf8_clip(later->key, clip), earlier->key_at.line);
  }
  free(sorted);
  return status;
}

// ---- nodes ------------------------------------------------------------------------------------------------

static enum rs_status read_node(struct builder *builder, const yaml_event_t *event, size_t depth,
                                struct rs_yaml_node **slot);

// An entry of a list, or a pair of a mapping, whose first event is here.
static enum rs_status read_child(struct builder *builder, const yaml_event_t *event, size_t depth,
                                 enum rs_yaml_kind parent, struct rs_yaml_node **slot) {
  yaml_event_t value;
  if (parent == RS_YAML_SEQUENCE)
    return read_node(builder, event, depth, slot);
  if (event->type != YAML_SCALAR_EVENT)
    return RS_YAML_FAIL(&builder->events, event->start_mark, "a key is a single word, not a list or a mapping");
  enum rs_status status = rs_yaml_events_next(&builder->events, &value);
  if (status != RS_OK)
    return status;
  status = read_node(builder, &value, depth, slot);
  yaml_event_delete(&value);
  if (status != RS_OK)
    return status;
  (*slot)->key_at = place_of(event->start_mark);
  return copy_text(rs_yaml_scalar(event), &(*slot)->key, builder->events.error);
}

// All children, up to the end of the list or mapping.
static enum rs_status read_children(struct builder *builder, size_t depth, struct rs_yaml_node *parent) {
  for (struct rs_yaml_node **slot = &parent->first;; slot = &(*slot)->next) {
    yaml_event_t event;
    enum rs_status status = rs_yaml_events_next(&builder->events, &event);
    if (status != RS_OK)
      return status;
    bool ended = event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
    if (!ended)
      status = read_child(builder, &event, depth + 1, parent->kind, slot);
    yaml_event_delete(&event);
    if (ended || status != RS_OK)
      return status;
  }
}

// Makes the node whose first event is here. On an error the part that was made is in *slot, or NULL.
static enum rs_status read_node(struct builder *builder, const yaml_event_t *event, size_t depth,
                                struct rs_yaml_node **slot) {
  if (depth > RS_YAML_DEPTH_MAX)
    return RS_YAML_FAIL(&builder->events, event->start_mark, "more than %d levels deep; a %s is flat",
                        RS_YAML_DEPTH_MAX, builder->events.what);
  struct rs_yaml_node *node = rs_allocate(1, sizeof *node, "a YAML file", builder->events.error);
  *slot = node;
  if (node == NULL)
    return builder->events.error->status;
  node->at = place_of(event->start_mark);
  if (event->type == YAML_SCALAR_EVENT) {
    node->kind = rs_yaml_is_null(event) ? RS_YAML_NULL : RS_YAML_SCALAR;
    return node->kind == RS_YAML_NULL ? RS_OK : copy_text(rs_yaml_scalar(event), &node->text, builder->events.error);
  }
  node->kind = event->type == YAML_MAPPING_START_EVENT ? RS_YAML_MAPPING : RS_YAML_SEQUENCE;
  enum rs_status status = read_children(builder, depth, node);
  return status == RS_OK && node->kind == RS_YAML_MAPPING ? check_keys(builder, node) : status;
}

static enum rs_status read_root(void *state, const yaml_event_t *event) {
  struct builder *builder = state;
  return read_node(builder, event, 1, &builder->root);
}

enum rs_status rs_yaml_tree_parse(const char *what, const char *name, const char *text, size_t bytes,
                                  struct rs_yaml_node **root, struct rs_error *error) {
  struct builder builder = {.events = {.what = what, .name = name, .text = text, .bytes = bytes, .error = error}};
  enum rs_status status = rs_yaml_events_read(&builder.events, read_root, &builder);
  if (status != RS_OK || (builder.root != NULL && builder.root->kind == RS_YAML_NULL)) {
    rs_yaml_tree_close(builder.root);
    builder.root = NULL;
  }
  if (status == RS_OK)
    *root = builder.root;
  return status;
}
