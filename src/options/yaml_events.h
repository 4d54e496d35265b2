// Internal to options: a YAML file, event by event, as only events still know where each thing stands and where an
// anchor or alias was. What no file of ours needs is refused here once: more than 1 MiB, text that is not UTF-8 or
// holds control characters, anchors, aliases, tags, a second document.
#ifndef RINGSIDE_OPTIONS_YAML_EVENTS_H
#define RINGSIDE_OPTIONS_YAML_EVENTS_H

#include "ringside/options.h"

#include <yaml.h>

struct rs_yaml_events {
  yaml_parser_t parser;
  const char *name; // of the file
  const char *what; // kind of the file, in errors: "settings file"
  const char *text;
  size_t bytes;
  struct rs_error *error;
};

// Reads the whole file; `root` gets the first event of the document's root and fetches those that belong to it. It is
// not called for an empty file.
enum rs_status rs_yaml_events_read(struct rs_yaml_events *events,
                                   enum rs_status (*root)(void *state, const yaml_event_t *event), void *state);
// Fetches the next event, which the caller deletes after RS_OK.
enum rs_status rs_yaml_events_next(struct rs_yaml_events *events, yaml_event_t *event);

static inline const char *rs_yaml_scalar(const yaml_event_t *event) {
  return (const char *)event->data.scalar.value;
}
// Whether a scalar is one of YAML's ways to say "nothing".
bool rs_yaml_is_null(const yaml_event_t *scalar);

// Puts "file:line:column: " before the error that is there; the value is its status.
enum rs_status rs_yaml_events_place(const struct rs_yaml_events *events, yaml_mark_t mark);
// Fails at a place of the file; the value is the status.
#define RS_YAML_FAIL(events, mark, ...)                                                                                \
  (rs_error_set((events)->error, RS_ERROR_USAGE, __VA_ARGS__), rs_yaml_events_place(events, mark))

#endif
