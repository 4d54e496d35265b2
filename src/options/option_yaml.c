// A run file, read event by event, as only events still know where each thing stands and where an anchor or alias was.
//
//   1. Refuse what no run file is: above 1 MiB, not UTF-8, control characters.
//   2. Walk the mappings. "run: {timeout: 5s}" and "run.timeout: 5s" both come to the key "run.timeout", which may
//      stand once. Each value is decoded into an entry of its own.
//   3. Only when the whole file is read, store all entries: a bad file changes nothing.
#include "ringside/options.h"

#include "options/option_key.h"
#include "options/option_value.h"
#include "options/utf8.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#define FILE_BYTES_MAX ((size_t)1 << 20)

// A key or section that the file has named, and for a key its value.
struct entry {
  char path[RS_OPTION_KEY_BYTES];
  yaml_mark_t mark;
  const struct rs_option *option; // NULL: a section
  void *target;
  union rs_option_value value;
};

struct reader {
  yaml_parser_t parser;
  const struct rs_options *options;
  const char *name; // of the file
  const char *text;
  size_t bytes;
  struct entry *entries;
  size_t entry_count, entry_capacity;
  struct rs_error *error;
};

// ---- errors -----------------------------------------------------------------------------------------------

// Puts "file:line:column: " before the error that is there. libyaml counts from 0, people from 1.
static enum rs_status place(const struct reader *reader, yaml_mark_t mark) {
  rs_error_prefix(reader->error, "%s:%zu:%zu", reader->name, mark.line + 1, mark.column + 1);
  return reader->error->status;
}

// Fails at a place of the file; the value is the status.
#define FAIL(reader, mark, ...) (rs_error_set((reader)->error, RS_ERROR_USAGE, __VA_ARGS__), place(reader, mark))

// The same for the value of a key: "file:line:column: key: ".
static enum rs_status place_value(const struct reader *reader, const char *path, yaml_mark_t mark) {
  rs_error_prefix(reader->error, "%s", path);
  return place(reader, mark);
}

#define FAIL_VALUE(reader, path, mark, ...)                                                                            \
  (rs_error_set((reader)->error, RS_ERROR_USAGE, __VA_ARGS__), place_value(reader, path, mark))

// Whether a tab stands at the mark, by far the most common way to break a YAML file.
static bool is_tab(const struct reader *reader, yaml_mark_t mark) {
  const char *at = reader->text, *end = reader->text + reader->bytes;
  for (size_t line = 0; line < mark.line && at != NULL; line++) {
    at = memchr(at, '\n', (size_t)(end - at));
    at = at == NULL ? NULL : at + 1;
  }
  return at != NULL && mark.column < (size_t)(end - at) && at[mark.column] == '\t';
}

static enum rs_status fail_syntax(const struct reader *reader) {
  const yaml_parser_t *parser = &reader->parser;
  if (parser->error == YAML_MEMORY_ERROR)
    return rs_error_set_memory(reader->error, reader->bytes, "reading a YAML file");
  if (is_tab(reader, parser->problem_mark))
    return FAIL(reader, parser->problem_mark, "a tab where YAML allows only spaces; indent with spaces");
  if (parser->context == NULL)
    return FAIL(reader, parser->problem_mark, "not valid YAML: %s", parser->problem);
  return FAIL(reader, parser->problem_mark, "not valid YAML: %s %s that starts at line %zu", parser->problem,
              parser->context, parser->context_mark.line + 1);
}

// libyaml reports bad characters by byte offset only, so they are found here, where lines are counted.
static enum rs_status check_characters(const struct reader *reader) {
  yaml_mark_t mark = {0};
  for (size_t at = 0; at < reader->bytes;) {
    uint32_t code_point;
    size_t length = rs_utf8_decode(reader->text + at, reader->bytes - at, &code_point);
    if (length == 0)
      return FAIL(reader, mark, "byte 0x%02x is not UTF-8; save the file as UTF-8",
                  (unsigned)(unsigned char)reader->text[at]);
    if (!rs_utf8_is_printable(code_point))
      return FAIL(reader, mark, "the character U+%04X may not stand in a YAML file; remove it", (unsigned)code_point);
    at += length;
    mark.column++;
    if (code_point == '\n') {
      mark.line++;
      mark.column = 0;
    }
  }
  return RS_OK;
}

// ---- events -----------------------------------------------------------------------------------------------

static const char *event_anchor(const yaml_event_t *event) {
  switch (event->type) {
  case YAML_SCALAR_EVENT:
    return (const char *)event->data.scalar.anchor;
  case YAML_SEQUENCE_START_EVENT:
    return (const char *)event->data.sequence_start.anchor;
  case YAML_MAPPING_START_EVENT:
    return (const char *)event->data.mapping_start.anchor;
  default:
    return NULL;
  }
}

static const char *event_tag(const yaml_event_t *event) {
  switch (event->type) {
  case YAML_SCALAR_EVENT:
    return (const char *)event->data.scalar.tag;
  case YAML_SEQUENCE_START_EVENT:
    return (const char *)event->data.sequence_start.tag;
  case YAML_MAPPING_START_EVENT:
    return (const char *)event->data.mapping_start.tag;
  default:
    return NULL;
  }
}

// Fetches the next event, which the caller deletes after RS_OK. What run files do not use is refused here once.
static enum rs_status next_event(struct reader *reader, yaml_event_t *event) {
  char clip[RS_CLIP_BYTES];
  enum rs_status status = RS_OK;
  if (!yaml_parser_parse(&reader->parser, event))
    return fail_syntax(reader);
  yaml_mark_t mark = event->start_mark;
  if (event->type == YAML_ALIAS_EVENT)
    status = FAIL(reader, mark, "the alias '*%s' is not supported; write the value itself",
                  rs_utf8_clip((const char *)event->data.alias.anchor, clip));
  else if (event_anchor(event) != NULL)
    status = FAIL(reader, mark, "the anchor '&%s' is not supported; write each value where it is used",
                  rs_utf8_clip(event_anchor(event), clip));
  else if (event_tag(event) != NULL)
    status = FAIL(reader, mark, "the tag '%s' is not supported; every key knows its type",
                  rs_utf8_clip(event_tag(event), clip));
  else if (event->type == YAML_SCALAR_EVENT &&
           strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
    status = FAIL(reader, mark, "text cannot hold the character \\0; remove it");
  if (status != RS_OK)
    yaml_event_delete(event);
  return status;
}

static const char *scalar_text(const yaml_event_t *event) {
  return (const char *)event->data.scalar.value;
}

// YAML's ways to say "nothing". The word null itself counts as text where text is expected: a transport is called so.
static bool is_null(const yaml_event_t *event, const struct rs_option *option) {
  if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
    return false;
  const char *text = scalar_text(event);
  if (*text == '\0' || strcmp(text, "~") == 0)
    return true;
  bool is_text = option != NULL && (option->type == RS_OPTION_WORDS || option->type == RS_OPTION_STRING);
  return !is_text && (strcmp(text, "null") == 0 || strcmp(text, "Null") == 0 || strcmp(text, "NULL") == 0);
}

// ---- keys and values --------------------------------------------------------------------------------------

// Makes the entry for a key (cursor->option) or a section (cursor NULL), unless the file has named it already.
static enum rs_status add_entry(struct reader *reader, const char *path, yaml_mark_t mark,
                                const struct rs_option_cursor *cursor, struct entry **entry) {
  const struct rs_option *option = cursor == NULL ? NULL : cursor->option;
  for (size_t i = 0; i < reader->entry_count; i++) {
    const struct entry *earlier = &reader->entries[i];
    if (earlier->option == option && strcmp(earlier->path, path) == 0)
      return FAIL(reader, mark, "'%s' is given twice, first at line %zu; keep one of them", path,
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
  enum rs_status status = rs_option_value_decode(entry->option, scalar_text(event), &entry->value, reader->error);
  return status == RS_OK ? status : place_value(reader, entry->path, event->start_mark);
}

// One entry of a list.
static enum rs_status read_element(struct reader *reader, const yaml_event_t *event, struct entry *entry) {
  if (event->type != YAML_SCALAR_EVENT)
    return FAIL_VALUE(reader, entry->path, event->start_mark, "an entry of this list is a single value, not a %s",
                      event->type == YAML_MAPPING_START_EVENT ? "mapping" : "list");
  if (is_null(event, entry->option))
    return FAIL_VALUE(reader, entry->path, event->start_mark, "an entry of the list has no value");
  enum rs_status status = rs_option_value_append(entry->option, scalar_text(event), &entry->value, reader->error);
  return status == RS_OK ? status : place_value(reader, entry->path, event->start_mark);
}

static enum rs_status read_sequence(struct reader *reader, yaml_mark_t start, struct entry *entry) {
  if (!rs_option_type_is_list(entry->option->type))
    return FAIL_VALUE(reader, entry->path, start, "this key takes a single value, not a list");
  for (;;) {
    yaml_event_t event;
    enum rs_status status = next_event(reader, &event);
    if (status != RS_OK)
      return status;
    bool ended = event.type == YAML_SEQUENCE_END_EVENT;
    if (ended && rs_option_value_end(entry->option, &entry->value, reader->error) != RS_OK)
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
    rs_option_section_refuse(reader->options, path, reader->error);
    return place(reader, mark);
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
    return FAIL(reader, key->start_mark, "a key is a single word, not a list or a mapping");
  bool fits = rs_option_key_join(section, scalar_text(key), path);
  if (!fits || (!rs_option_find(reader->options, path, &cursor) && !rs_option_is_section(reader->options, path))) {
    rs_option_key_refuse(reader->options, path, reader->error);
    return place(reader, key->start_mark);
  }
  enum rs_status status = next_event(reader, &event);
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
    enum rs_status status = next_event(reader, &event);
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
static enum rs_status read_root(struct reader *reader, const yaml_event_t *event) {
  if (event->type == YAML_MAPPING_START_EVENT)
    return read_mapping(reader, "");
  if (event->type == YAML_SCALAR_EVENT && is_null(event, NULL))
    return RS_OK;
  return FAIL(reader, event->start_mark, "a run file is a mapping of keys to values, such as 'KEY: VALUE', not a %s",
              event->type == YAML_SCALAR_EVENT ? "single value" : "list");
}

// Events of a file: stream start, then per document its start, root and end, then stream end.
static enum rs_status read_stream(struct reader *reader) {
  bool in_document = false, document_seen = false;
  for (;;) {
    yaml_event_t event;
    enum rs_status status = next_event(reader, &event);
    if (status != RS_OK)
      return status;
    bool ended = event.type == YAML_STREAM_END_EVENT;
    if (in_document) {
      status = read_root(reader, &event);
      in_document = false;
    } else if (event.type == YAML_DOCUMENT_START_EVENT) {
      if (document_seen)
        status = FAIL(reader, event.start_mark, "a second document starts here; a run file has one");
      in_document = document_seen = true;
    }
    yaml_event_delete(&event);
    if (ended || status != RS_OK)
      return status;
  }
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
static enum rs_status read_text(struct reader *reader, const char *text, size_t bytes) {
  static const char byte_order_mark[] = "\xef\xbb\xbf";
  size_t skip = bytes >= 3 && memcmp(text, byte_order_mark, 3) == 0 ? 3 : 0;
  if (bytes > FILE_BYTES_MAX)
    return rs_error_set(reader->error, RS_ERROR_USAGE, "%s: the file has %zu bytes; a run file has at most %zu",
                        reader->name, bytes, FILE_BYTES_MAX);
  if (bytes == skip)
    return RS_OK;
  reader->text = text + skip;
  reader->bytes = bytes - skip;
  enum rs_status status = check_characters(reader);
  if (status != RS_OK)
    return status;
  reader->entry_capacity = count_entries(reader->options);
  reader->entries =
      rs_allocate(reader->entry_capacity, sizeof *reader->entries, "the values of a run file", reader->error);
  if (reader->entries == NULL)
    return reader->error->status;
  if (!yaml_parser_initialize(&reader->parser))
    return rs_error_set_memory(reader->error, sizeof reader->parser, "a YAML parser");
  yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&reader->parser, (const unsigned char *)reader->text, reader->bytes);
  status = read_stream(reader);
  yaml_parser_delete(&reader->parser);
  return status;
}

enum rs_status rs_options_parse_yaml(const struct rs_options *options, const char *name, const char *text, size_t bytes,
                                     struct rs_error *error) {
  struct reader reader = {.options = options, .name = name, .error = error};
  enum rs_status status = read_text(&reader, text, bytes);
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
  struct reader reader = {.options = options, .name = "", .error = &error};
  bool found = false;
  if (read_text(&reader, text, bytes) == RS_OK)
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

enum rs_status rs_options_read_file(const char *path, char **text, size_t *bytes, struct rs_error *error) {
  struct stat about;
  FILE *file = fopen(path, "rb");
  if (file == NULL)
    return rs_error_set_errno(error, RS_ERROR_USAGE, errno, "cannot open the file '%s'", path);
  enum rs_status status = RS_OK;
  if (fstat(fileno(file), &about) == 0 && S_ISDIR(about.st_mode)) {
    status = rs_error_set(error, RS_ERROR_USAGE, "cannot read the file '%s': it is a directory; name a file", path);
    goto close_file;
  }
  // One byte more than allowed tells a file that is too large from one that just fits; a pipe has no size to ask for.
  char *read = rs_allocate(FILE_BYTES_MAX + 1, 1, "a YAML file", error);
  if (read == NULL) {
    status = error->status;
    goto close_file;
  }
  size_t length = fread(read, 1, FILE_BYTES_MAX + 1, file);
  if (ferror(file))
    status = rs_error_set_errno(error, RS_ERROR_IO, errno, "cannot read the file '%s'", path);
  else if (length > FILE_BYTES_MAX)
    status = rs_error_set(error, RS_ERROR_USAGE, "%s: the file is larger than 1 MiB; a run file is not", path);
  if (status == RS_OK) {
    *text = read;
    *bytes = length;
  } else {
    free(read);
  }
close_file:
  fclose(file);
  return status;
}

enum rs_status rs_options_load_yaml(const struct rs_options *options, const char *path, struct rs_error *error) {
  char *text = NULL;
  size_t bytes = 0;
  enum rs_status status = rs_options_read_file(path, &text, &bytes, error);
  if (status == RS_OK)
    status = rs_options_parse_yaml(options, path, text, bytes, error);
  free(text);
  return status;
}
