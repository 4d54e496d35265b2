#include "options/yaml_events.h"

#include "options/utf8.h"

#include <string.h>

// ---- errors -----------------------------------------------------------------------------------------------

// libyaml counts from 0, people from 1.
enum rs_status rs_yaml_events_place(const struct rs_yaml_events *events, yaml_mark_t mark) {
  rs_error_prefix(events->error, "%s:%zu:%zu", events->name, mark.line + 1, mark.column + 1);
  return events->error->status;
}

// Whether a tab stands at the mark, by far the most common way to break a YAML file.
static bool is_tab(const struct rs_yaml_events *events, yaml_mark_t mark) {
  const char *at = events->text, *end = events->text + events->bytes;
  for (size_t line = 0; line < mark.line && at != NULL; line++) {
    at = memchr(at, '\n', (size_t)(end - at));
    at = at == NULL ? NULL : at + 1;
  }
  return at != NULL && mark.column < (size_t)(end - at) && at[mark.column] == '\t';
}

static enum rs_status fail_syntax(const struct rs_yaml_events *events) {
  const yaml_parser_t *parser = &events->parser;
  if (parser->error == YAML_MEMORY_ERROR)
    return rs_error_set_memory(events->error, events->bytes, "reading a YAML file");
  if (is_tab(events, parser->problem_mark))
    return RS_YAML_FAIL(events, parser->problem_mark, "a tab where YAML allows only spaces; indent with spaces");
  if (parser->context == NULL)
    return RS_YAML_FAIL(events, parser->problem_mark, "not valid YAML: %s", parser->problem);
  return RS_YAML_FAIL(events, parser->problem_mark, "not valid YAML: %s %s that starts at line %zu", parser->problem,
                      parser->context, parser->context_mark.line + 1);
}

// libyaml reports bad characters by byte offset only, so they are found here, where lines are counted.
static enum rs_status check_characters(const struct rs_yaml_events *events) {
  yaml_mark_t mark = {0};
  for (size_t at = 0; at < events->bytes;) {
    uint32_t code_point;
    size_t length = rs_utf8_decode(events->text + at, events->bytes - at, &code_point);
    if (length == 0)
      return RS_YAML_FAIL(events, mark, "byte 0x%02x is not UTF-8; save the file as UTF-8",
                          (unsigned)(unsigned char)events->text[at]);
    if (!rs_utf8_is_printable(code_point))
      return RS_YAML_FAIL(events, mark, "the character U+%04X may not stand in a YAML file; remove it",
                          (unsigned)code_point);
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

enum rs_status rs_yaml_events_next(struct rs_yaml_events *events, yaml_event_t *event) {
  char clip[RS_CLIP_BYTES];
  enum rs_status status = RS_OK;
  if (!yaml_parser_parse(&events->parser, event))
    return fail_syntax(events);
  yaml_mark_t mark = event->start_mark;
  if (event->type == YAML_ALIAS_EVENT)
    status = RS_YAML_FAIL(events, mark, "the alias '*%s' is not supported; write the value itself",
                          rs_utf8_clip((const char *)event->data.alias.anchor, clip));
  else if (event_anchor(event) != NULL)
    status = RS_YAML_FAIL(events, mark, "the anchor '&%s' is not supported; write each value where it is used",
                          rs_utf8_clip(event_anchor(event), clip));
  else if (event_tag(event) != NULL)
    status = RS_YAML_FAIL(events, mark, "the tag '%s' is not supported; every key knows its type",
                          rs_utf8_clip(event_tag(event), clip));
  else if (event->type == YAML_SCALAR_EVENT &&
           strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
    status = RS_YAML_FAIL(events, mark, "text cannot hold the character \\0; remove it");
  if (status != RS_OK)
    yaml_event_delete(event);
  return status;
}

bool rs_yaml_is_null(const yaml_event_t *scalar) {
  static const char *const words[] = {"", "~", "null", "Null", "NULL"};
  bool found = false;
  for (size_t i = 0; i < RS_ARRAY_LENGTH(words); i++)
    found |= strcmp(rs_yaml_scalar(scalar), words[i]) == 0;
  return found && scalar->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

// ---- the file ---------------------------------------------------------------------------------------------

// Events of a file: stream start, then per document its start, root and end, then stream end.
static enum rs_status read_stream(struct rs_yaml_events *events,
                                  enum rs_status (*root)(void *state, const yaml_event_t *event), void *state) {
  bool in_document = false, document_seen = false;
  for (;;) {
    yaml_event_t event;
    enum rs_status status = rs_yaml_events_next(events, &event);
    if (status != RS_OK)
      return status;
    bool ended = event.type == YAML_STREAM_END_EVENT;
    if (in_document) {
      status = root(state, &event);
      in_document = false;
    } else if (event.type == YAML_DOCUMENT_START_EVENT) {
      if (document_seen)
        status = RS_YAML_FAIL(events, event.start_mark, "a second document starts here; a %s has one", events->what);
      in_document = document_seen = true;
    }
    yaml_event_delete(&event);
    if (ended || status != RS_OK)
      return status;
  }
}

enum rs_status rs_yaml_events_read(struct rs_yaml_events *events,
                                   enum rs_status (*root)(void *state, const yaml_event_t *event), void *state) {
  static const char byte_order_mark[] = "\xef\xbb\xbf";
  if (events->bytes > RS_YAML_BYTES_MAX)
    return rs_error_set(events->error, RS_ERROR_USAGE, "%s: the file has %zu bytes; a %s has at most %zu", events->name,
                        events->bytes, events->what, RS_YAML_BYTES_MAX);
  size_t skip = events->bytes >= 3 && memcmp(events->text, byte_order_mark, 3) == 0 ? 3 : 0;
  events->text += skip;
  events->bytes -= skip;
  if (events->bytes == 0)
    return RS_OK;
  enum rs_status status = check_characters(events);
  if (status != RS_OK)
    return status;
  if (!yaml_parser_initialize(&events->parser))
    return rs_error_set_memory(events->error, sizeof events->parser, "a YAML parser");
  yaml_parser_set_encoding(&events->parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&events->parser, (const unsigned char *)events->text, events->bytes);
  status = read_stream(events, root, state);
  yaml_parser_delete(&events->parser);
  return status;
}

void rs_options_library(char *text, size_t bytes) {
  snprintf(text, bytes, "libyaml %s", yaml_get_version_string());
}
