// A settings file, read event by event: only events still know where each thing stands and where an anchor or alias
// was.
//
//   1. yaml_events refuses what no settings file is: above 1 MiB, not UTF-8, anchors, tags, several documents.
//   2. Walk the mappings. "run: {timeout: 5s}" and "run.timeout: 5s" both come to the key "run.timeout", which may
//      stand once. Each value is decoded into an entry of its own.
//   3. Only when the whole file is read, store all entries: a bad file changes nothing.
#include "ringside/options.h"

#include "options/option_key.h"
#include "options/option_value.h"
#include "options/yaml_events.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WHAT "settings file"

// A key or section that the file has named, and for a key its value.
struct entry {
  char path[RS_OPTION_KEY_BYTES];
  yaml_mark_t mark;
  const struct rs_option *option; // NULL: a section
  void *target;
  union rs_option_value value;
};

struct reader {
  struct rs_yaml_events events;
  const struct rs_options *options;
  struct entry *entries;
  size_t entry_count, entry_capacity;
};

// ---- errors -----------------------------------------------------------------------------------------------

// Fails at the value of a key: "file:line:column: key: ".
static enum rs_status place_value(const struct reader *reader, const char *path, yaml_mark_t mark) {
  rs_error_prefix(reader->events.error, "%s", path);
  return rs_yaml_events_place(&reader->events, mark);
}

#define FAIL_VALUE(reader, path, mark, ...)                                                                            \
  (rs_error_set((reader)->events.error, RS_ERROR_USAGE, __VA_ARGS__), place_value(reader, path, mark))

// ---- keys and values --------------------------------------------------------------------------------------

// The word null counts as text where text is expected, as a transport is called so.
static bool is_null(const yaml_event_t *event, const struct rs_option *option) {
  bool is_text = option != NULL && (option->type == RS_OPTION_WORDS || option->type == RS_OPTION_STRING);
  return rs_yaml_is_null(event) && !(is_text && strcasecmp(rs_yaml_scalar(event), "null") == 0);
}

// Makes the entry for a key (cursor->option) or a section (cursor NULL), unless the file has named it already.
static enum rs_status add_entry(struct reader *reader, const char *path, yaml_mark_t mark,
                                const struct rs_option_cursor *cursor, struct entry **entry) {
  const struct rs_option *option = cursor == NULL ? NULL : cursor->option;
  for (size_t i = 0; i < reader->entry_count; i++) {
    const struct entry *earlier = &reader->entries[i];
    if (earlier->option == option && strcmp(earlier->path, path) == 0)
      return RS_YAML_FAIL(&reader->events, mark, "'%s' is given twice, first at line %zu; keep one of them", path,
                          earlier->mark.line + 1);
  }
  assert(reader->entry_count < reader->entry_capacity);
  *entry = &reader->entries[reader->entry_count++];
  (*entry)->mark = mark;
  (*entry)->option = option;
  (*entry)->target = cursor == NULL ? NULL : cursor->group->target;
  memcpy((*entry)->path, path, strlen(path) + 1);
  rs_option_value_begin(&(*entry)->value);
  return RS_OK;
}

static enum rs_status read_scalar(struct reader *reader, const yaml_event_t *event, struct entry *entry) {
  if (is_null(event, entry->option))
    return FAIL_VALUE(reader, entry->path, event->start_mark,
                      "there is no value; write one, or remove the key to keep its default");
  enum rs_status status =
      rs_option_value_decode(entry->option, rs_yaml_scalar(event), &entry->value, reader->events.error);
  return status == RS_OK ? status : place_value(reader, entry->path, event->start_mark);
}

// One entry of a list.
static enum rs_status read_element(struct reader *reader, const yaml_event_t *event, struct entry *entry) {
  if (event->type != YAML_SCALAR_EVENT)
    return FAIL_VALUE(reader, entry->path, event->start_mark, "an entry of this list is a single value, not a %s",
                      event->type == YAML_MAPPING_START_EVENT ? "mapping" : "list");
  if (is_null(event, entry->option))
    return FAIL_VALUE(reader, entry->path, event->start_mark, "an entry of the list has no value");
  enum rs_status status =
      rs_option_value_append(entry->option, rs_yaml_scalar(event), &entry->value, reader->events.error);
  return status == RS_OK ? status : place_value(reader, entry->path, event->start_mark);
}

static enum rs_status read_sequence(struct reader *reader, yaml_mark_t start, struct entry *entry) {
  if (!rs_option_type_is_list(entry->option->type))
    return FAIL_VALUE(reader, entry->path, start, "this key takes a single value, not a list");
  for (;;) {
    yaml_event_t event;
    enum rs_status status = rs_yaml_events_next(&reader->events, &event);
    if (status != RS_OK)
      return status;
    bool ended = event.type == YAML_SEQUENCE_END_EVENT;
    if (ended && rs_option_value_end(entry->option, &entry->value, reader->events.error) != RS_OK)
      status = place_value(reader, entry->path, start);
    else if (!ended)
      status = read_element(reader, &event, entry);
    yaml_event_delete(&event);
    if (ended || status != RS_OK)
      return status;
  }
}

static enum rs_status read_mapping(struct reader *reader, const char *section);

// The value of `path`, of which the first event is here; the key stood at `key_mark`.
static enum rs_status read_value(struct reader *reader, const char *path, yaml_mark_t key_mark,
                                 const yaml_event_t *event) {
  yaml_mark_t mark = event->start_mark;
  struct rs_option_cursor cursor;
  struct entry *entry;
  bool is_option = rs_option_find(reader->options, path, &cursor);
  bool is_section = rs_option_is_section(reader->options, path);
  bool is_mapping = event->type == YAML_MAPPING_START_EVENT;
  if (is_mapping && is_section) {
    enum rs_status status = add_entry(reader, path, key_mark, NULL, &entry);
    return status == RS_OK ? read_mapping(reader, path) : status;
  }
  if (is_mapping)
    return FAIL_VALUE(reader, path, mark, "this key takes a value, not a mapping of further keys");
  if (!is_option) {
    rs_option_section_refuse(reader->options, path, reader->events.error);
    return rs_yaml_events_place(&reader->events, mark);
  }
  enum rs_status status = add_entry(reader, path, key_mark, &cursor, &entry);
  if (status != RS_OK)
    return status;
  return event->type == YAML_SCALAR_EVENT ? read_scalar(reader, event, entry) : read_sequence(reader, mark, entry);
}

// One "key: value" of a section, of which the key is here.
static enum rs_status read_pair(struct reader *reader, const char *section, const yaml_event_t *key) {
  struct rs_option_cursor cursor;
  char path[RS_OPTION_KEY_BYTES];
  yaml_event_t event;
  if (key->type != YAML_SCALAR_EVENT)
    return RS_YAML_FAIL(&reader->events, key->start_mark, "a key is a single word, not a list or a mapping");
  bool fits = rs_option_key_join(section, rs_yaml_scalar(key), path);
  if (!fits || (!rs_option_find(reader->options, path, &cursor) && !rs_option_is_section(reader->options, path))) {
    rs_option_key_refuse(reader->options, path, reader->events.error);
    return rs_yaml_events_place(&reader->events, key->start_mark);
  }
  enum rs_status status = rs_yaml_events_next(&reader->events, &event);
  if (status != RS_OK)
    return status;
  status = read_value(reader, path, key->start_mark, &event);
  yaml_event_delete(&event);
  return status;
}

// The pairs of a mapping up to its end. Recursion is as deep as known sections are.
static enum rs_status read_mapping(struct reader *reader, const char *section) {
  for (;;) {
    yaml_event_t event;
    enum rs_status status = rs_yaml_events_next(&reader->events, &event);
    if (status != RS_OK)
      return status;
    bool ended = event.type == YAML_MAPPING_END_EVENT;
    if (!ended)
      status = read_pair(reader, section, &event);
    yaml_event_delete(&event);
    if (ended || status != RS_OK)
      return status;
  }
}

// ---- the file ---------------------------------------------------------------------------------------------

// The root of a document: a mapping, or nothing.
static enum rs_status read_root(void *state, const yaml_event_t *event) {
  struct reader *reader = state;
  if (event->type == YAML_MAPPING_START_EVENT)
    return read_mapping(reader, "");
  if (event->type == YAML_SCALAR_EVENT && is_null(event, NULL))
    return RS_OK;
  return RS_YAML_FAIL(&reader->events, event->start_mark,
                      "a settings file is a mapping of keys to values, such as 'KEY: VALUE', not a %s",
                      event->type == YAML_SCALAR_EVENT ? "single value" : "list");
}

// The most entries that a file without duplicates can make: each key, and each section on the way to it.
static size_t count_entries(const struct rs_options *options) {
  size_t count = 0;
  for (struct rs_option_cursor cursor = {0}; rs_option_cursor_next(options, &cursor);)
    for (const char *dot = cursor.key; dot != NULL; dot = strchr(dot + 1, '.'))
      count++;
  return count;
}

// Reads a whole file into entries, which the caller frees in any case. Nothing is stored yet.
static enum rs_status read_entries(struct reader *reader, struct rs_error *error) {
  reader->entry_capacity = count_entries(reader->options);
  reader->entries =
      rs_allocate(reader->entry_capacity, sizeof *reader->entries, "the values of a settings file", error);
  return reader->entries ? rs_yaml_events_read(&reader->events, read_root, reader) : error->status;
}

enum rs_status rs_options_parse_yaml(const struct rs_options *options, const char *name, const char *text, size_t bytes,
                                     struct rs_error *error) {
  struct reader reader = {
      .options = options,
      .events = {.name = name, .what = WHAT, .text = text, .bytes = bytes, .error = error},
  };
  enum rs_status status = read_entries(&reader, error);
  for (size_t i = 0; i < reader.entry_count && status == RS_OK; i++) {
    const struct entry *entry = &reader.entries[i];
    if (entry->option != NULL)
      rs_option_value_store(entry->option, &entry->value, entry->target);
  }
  free(reader.entries);
  return status;
}

bool rs_options_locate_yaml(const struct rs_options *options, const char *text, size_t bytes, const char *key,
                            size_t *line, size_t *column) {
  struct rs_error error = {0};
  struct reader reader = {
      .options = options,
      .events = {.name = "", .what = WHAT, .text = text, .bytes = bytes, .error = &error},
  };
  bool found = false;
  if (read_entries(&reader, &error) == RS_OK)
    for (size_t i = 0; i < reader.entry_count && !found; i++) {
      const struct entry *entry = &reader.entries[i];
      found = entry->option != NULL && strcmp(entry->path, key) == 0;
      if (found) {
        *line = entry->mark.line + 1;
        *column = entry->mark.column + 1;
      }
    }
  free(reader.entries);
  return found;
}

enum rs_status rs_options_load_yaml(const struct rs_options *options, const char *path, struct rs_error *error) {
  char *text;
  size_t bytes;
  enum rs_status status = rs_file_read(path, WHAT, RS_YAML_BYTES_MAX, &text, &bytes, error);
  if (status != RS_OK)
    return status;
  status = rs_options_parse_yaml(options, path, text, bytes, error);
  free(text);
  return status;
}
