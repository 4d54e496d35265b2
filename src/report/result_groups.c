#include "report/launch_facts.h"
#include "ringside/report.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 256

// What a launch can be grouped by: the nearest name to the one asked for, or its labels and the facts with plain names.
// Options, variables and settings of the system, which have a point in theirs, are too many for a line.
static enum rs_status set_unknown(const struct rs_result *result, const struct rs_launch_facts *facts,
                                  const char *field, struct rs_error *error) {
  const char *names[NAMES_MAX] = {0};
  size_t count = 0;
  for (; count < facts->count && count < NAMES_MAX; count++)
    names[count] = facts->items[count].name;
  const char *nearest = rs_text_nearest(field, names, count);
  struct rs_text text = {0};
  for (size_t n = 0; nearest == NULL && n < count; n++)
    if (strchr(names[n], '.') == NULL || strncmp(names[n], "label.", strlen("label.")) == 0)
      rs_text_append(&text, "%s%s", text.length == 0 ? "it has " : ", ", names[n]);
  if (nearest != NULL)
    rs_text_append(&text, "did you mean '%s'?", nearest);
  rs_error_set(error, RS_ERROR_USAGE, "%s does not say its '%s'; %s", result->path, field,
               text.data != NULL ? text.data : "it says nothing");
  rs_text_fini(&text);
  return error->status;
}

static char *read_value(const struct rs_result *result, const char *field, struct rs_error *error) {
  struct rs_launch_facts facts = {0};
  if (rs_launch_facts_read(result, &facts, error) < 0)
    return NULL;
  const struct rs_launch_fact *fact = rs_launch_facts_find(&facts, field);
  char *value = NULL;
  if (fact == NULL)
    set_unknown(result, &facts, field, error);
  else if ((value = strdup(fact->value)) == NULL)
    rs_error_set_memory(error, strlen(fact->value), "a value");
  rs_launch_facts_fini(&facts);
  return value;
}

// Takes `value` over. `groups` has room for as many groups as there are results, and each for all of them.
static void add(struct rs_result_groups *groups, char *value, const struct rs_result *result, size_t room,
                struct rs_error *error) {
  size_t g = 0;
  while (g < groups->count && strcmp(groups->items[g].value, value) != 0)
    g++;
  struct rs_result_group *group = &groups->items[g];
  if (g < groups->count) {
    free(value);
  } else {
    group->value = value;
    groups->count++;
    group->results = rs_allocate(room, sizeof(const struct rs_result *), "a group of results", error);
  }
  if (group->results != NULL)
    group->results[group->count++] = result;
}

enum rs_status rs_result_groups_make(const struct rs_result *const *results, size_t count, const char *field,
                                     struct rs_result_groups *groups, struct rs_error *error) {
  struct rs_result_groups made = {0};
  made.items = rs_allocate(rs_max_size(count, 1), sizeof *made.items, "groups of results", error);
  for (size_t r = 0; r < count && error->status == RS_OK; r++) {
    char *value = read_value(results[r], field, error);
    if (value != NULL)
      add(&made, value, results[r], count - r, error);
  }
  if (error->status == RS_OK)
    *groups = made;
  else
    rs_result_groups_fini(&made);
  return error->status;
}

void rs_result_groups_fini(struct rs_result_groups *groups) {
  for (size_t g = 0; g < groups->count; g++) {
    free(groups->items[g].value);
    free(groups->items[g].results);
  }
  free(groups->items);
  *groups = (struct rs_result_groups){0};
}
