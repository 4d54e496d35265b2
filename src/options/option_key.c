#include "options/option_key.h"

#include "options/utf8.h"

#include <stdlib.h>
#include <string.h>

bool rs_option_key_join(const char *section, const char *name, char key[RS_OPTION_KEY_BYTES]) {
  int length = snprintf(key, RS_OPTION_KEY_BYTES, "%s%s%s", section, *section == '\0' ? "" : ".", name);
  return length >= 0 && length < RS_OPTION_KEY_BYTES;
}

bool rs_option_cursor_next(const struct rs_options *options, struct rs_option_cursor *cursor) {
  for (; cursor->group_index < options->group_count; cursor->group_index++, cursor->row = 0) {
    const struct rs_option_group *group = &options->groups[cursor->group_index];
    if (group->table == NULL || group->table[cursor->row].name == NULL)
      continue;
    cursor->group = group;
    cursor->option = &group->table[cursor->row++];
    rs_option_key_join(group->prefix, cursor->option->name, cursor->key);
    return true;
  }
  return false;
}

bool rs_option_find(const struct rs_options *options, const char *key, struct rs_option_cursor *cursor) {
  *cursor = (struct rs_option_cursor){0};
  while (rs_option_cursor_next(options, cursor))
    if (strcmp(cursor->key, key) == 0)
      return true;
  return false;
}

// What of `key` follows "section."; NULL when the key does not lie in the section. Everything lies in section "".
static const char *key_inside(const char *key, const char *section) {
  size_t length = strlen(section);
  if (length == 0)
    return key;
  return strncmp(key, section, length) == 0 && key[length] == '.' ? key + length + 1 : NULL;
}

bool rs_option_is_section(const struct rs_options *options, const char *path) {
  struct rs_option_cursor cursor = {0};
  while (*path != '\0' && rs_option_cursor_next(options, &cursor))
    if (key_inside(cursor.key, path) != NULL)
      return true;
  return false;
}

// Appends the names that may stand in a section ("" is the top level): "timeout, wait"; sections of it as "run.*".
static void list_section(const struct rs_options *options, const char *section, struct rs_text *text) {
  char last[RS_OPTION_KEY_BYTES] = "";
  for (struct rs_option_cursor cursor = {0}; rs_option_cursor_next(options, &cursor);) {
    const char *inside = key_inside(cursor.key, section);
    if (inside == NULL)
      continue;
    char name[RS_OPTION_KEY_BYTES];
    size_t length = strcspn(inside, ".");
    snprintf(name, sizeof name, "%.*s", (int)length, inside);
    // The keys of one section follow each other, and it is named once.
    if (strcmp(name, last) != 0)
      rs_text_append(text, "%s%s%s", *last == '\0' ? "" : ", ", name, inside[length] == '.' ? ".*" : "");
    memcpy(last, name, sizeof last);
  }
}

// Every key and every section, as candidates for what a person meant.
struct candidates {
  size_t count;
  char (*keys)[RS_OPTION_KEY_BYTES];
  const char **pointers;
};

static enum rs_status candidates_init(const struct rs_options *options, struct candidates *candidates,
                                      struct rs_error *error) {
  size_t most = 0;
  for (struct rs_option_cursor cursor = {0}; rs_option_cursor_next(options, &cursor);)
    for (const char *dot = cursor.key; dot != NULL; dot = strchr(dot + 1, '.'))
      most++;
  *candidates = (struct candidates){0};
  candidates->keys = rs_allocate(most + 1, sizeof(*candidates->keys), "the list of keys", error);
  candidates->pointers = rs_allocate(most + 1, sizeof(*candidates->pointers), "the list of keys", error);
  if (candidates->keys == NULL || candidates->pointers == NULL)
    return RS_ERROR_MEMORY;
  for (struct rs_option_cursor cursor = {0}; rs_option_cursor_next(options, &cursor);) {
    for (char *end = cursor.key; end != NULL;) {
      end = strchr(end + 1, '.');
      int length = end == NULL ? (int)strlen(cursor.key) : (int)(end - cursor.key);
      snprintf(candidates->keys[candidates->count], RS_OPTION_KEY_BYTES, "%.*s", length, cursor.key);
      candidates->pointers[candidates->count] = candidates->keys[candidates->count];
      candidates->count++;
    }
  }
  return RS_OK;
}

static void candidates_fini(struct candidates *candidates) {
  free(candidates->keys);
  free(candidates->pointers);
}

// The part after the last dot.
static const char *key_name(const char *key) {
  const char *dot = strrchr(key, '.');
  return dot == NULL ? key : dot + 1;
}

// The valid key that was probably meant: the nearest by spelling, or else the same name in another section; or NULL.
static const char *find_meant(const struct candidates *candidates, const char *key) {
  const char *nearest = rs_text_nearest(key, candidates->pointers, candidates->count);
  for (size_t i = 0; i < candidates->count && nearest == NULL; i++)
    if (strcmp(key_name(candidates->keys[i]), key_name(key)) == 0)
      nearest = candidates->keys[i];
  return nearest;
}

// "WHAT; the keys of 'run' are timeout, wait".
static enum rs_status refuse_with_keys(const struct rs_options *options, const char *what, const char *section,
                                       struct rs_error *error) {
  struct rs_text names = {0};
  enum rs_status status;
  list_section(options, section, &names);
  if (names.failed)
    status = rs_error_set_memory(error, names.length, "the list of keys");
  else if (*section == '\0')
    status = rs_error_set(error, RS_ERROR_USAGE, "%s; the keys are %s", what, names.data == NULL ? "none" : names.data);
  else
    status = rs_error_set(error, RS_ERROR_USAGE, "%s; the keys of '%s' are %s", what, section, names.data);
  rs_text_fini(&names);
  return status;
}

enum rs_status rs_option_section_refuse(const struct rs_options *options, const char *section, struct rs_error *error) {
  char what[RS_OPTION_KEY_BYTES + 64];
  snprintf(what, sizeof what, "'%s' is a group of keys and takes no value itself", section);
  return refuse_with_keys(options, what, section, error);
}

enum rs_status rs_option_key_refuse(const struct rs_options *options, const char *key, struct rs_error *error) {
  struct candidates candidates;
  char clip[RS_CLIP_BYTES], what[RS_CLIP_BYTES + 16], section[RS_OPTION_KEY_BYTES];
  snprintf(what, sizeof what, "unknown key '%s'", rs_utf8_clip(key, clip));
  enum rs_status status = candidates_init(options, &candidates, error);
  if (status != RS_OK)
    goto free_candidates;
  const char *meant = find_meant(&candidates, key);
  if (meant != NULL) {
    status = rs_error_set(error, RS_ERROR_USAGE, "%s; did you mean '%s'?", what, meant);
    goto free_candidates;
  }

  // The innermost section of the key that exists.
  snprintf(section, sizeof section, "%s", key);
  do {
    char *dot = strrchr(section, '.');
    *(dot == NULL ? section : dot) = '\0';
  } while (*section != '\0' && !rs_option_is_section(options, section));
  status = refuse_with_keys(options, what, section, error);

free_candidates:
  candidates_fini(&candidates);
  return status;
}
