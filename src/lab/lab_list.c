// Which labs there are, and what is there of one.
#include "lab/lab_list.h"

#include "lab/lab_state.h"

#include <stdlib.h>
#include <string.h>

static void add_name(struct rs_lab_names *names, const char *name) {
  for (size_t i = 0; i < names->count; i++)
    if (strcmp(names->names[i], name) == 0)
      return;
  if (names->count < RS_LAB_NAMES_MAX && rs_lab_is_name(name))
    strcpy(names->names[names->count++], name);
}

static enum rs_status add_owner(void *context, const char *namespace, struct rs_error *error) {
  (void)error;
  char name[RS_LAB_NAME_BYTES];
  const char *part;
  if (rs_lab_owner(namespace, name, &part))
    add_name(context, name);
  return RS_OK;
}

static enum rs_status add_state(void *context, const char *name, struct rs_error *error) {
  (void)error;
  add_name(context, name);
  return RS_OK;
}

static int compare_names(const void *a, const void *b) {
  return strcmp(a, b);
}

enum rs_status rs_lab_list(struct rs_lab_names *names, struct rs_error *error) {
  *names = (struct rs_lab_names){0};
  if (rs_lab_states(add_state, names, error) < 0 || rs_lab_namespaces(NULL, add_owner, names, error) < 0)
    return error->status;
  qsort(names->names, names->count, sizeof names->names[0], compare_names);
  return RS_OK;
}

static enum rs_status no_such_lab(const char *name, struct rs_error *error) {
  struct rs_lab_names labs;
  struct rs_text words = {0};
  if (rs_lab_list(&labs, error) < 0)
    return error->status;
  for (size_t i = 0; i < labs.count; i++)
    rs_text_append(&words, "%s%s", i > 0 ? ", " : "", labs.names[i]);
  rs_error_set(error, RS_ERROR_USAGE, "there is no lab called %s; there %s: %s", name,
               labs.count == 1 ? "is one" : "are", words.data != NULL ? words.data : "none");
  rs_text_fini(&words);
  return error->status;
}

static enum rs_status count_one(void *context, const char *namespace, struct rs_error *error) {
  (void)namespace;
  (void)error;
  ++*(size_t *)context;
  return RS_OK;
}

enum rs_status rs_lab_count_namespaces(const char *name, size_t *count, struct rs_error *error) {
  *count = 0;
  return rs_lab_namespaces(name, count_one, count, error);
}

enum rs_status rs_lab_find(const char *name, size_t *namespaces, struct rs_error *error) {
  *namespaces = 0;
  if (!rs_lab_is_name(name)) // nor is it the name of a folder to look into
    return no_such_lab(name, error);
  if (rs_lab_count_namespaces(name, namespaces, error) < 0)
    return error->status;
  return *namespaces > 0 || rs_lab_state_exists(name) ? RS_OK : no_such_lab(name, error);
}

static enum rs_status count_processes(void *context, const char *namespace, struct rs_error *error) {
  (void)error;
  struct rs_lab_status *status = context;
  char name[RS_LAB_NAME_BYTES];
  const char *part;
  if (!rs_lab_owner(namespace, name, &part))
    return RS_OK;
  size_t count = rs_lab_processes(namespace, 0), host = part[0] == 'h' ? strtoul(part + 1, NULL, 10) : 0;
  if (host == 0)
    status->switch_processes = count;
  else if (host <= RS_LAB_HOSTS_MAX)
    status->host_processes[host - 1] = count;
  return RS_OK;
}

enum rs_status rs_lab_inspect(const char *name, struct rs_lab_status *status, struct rs_error *error) {
  struct rs_error unread = {0};
  *status = (struct rs_lab_status){0};
  if (rs_lab_find(name, &status->namespaces, error) < 0)
    return error->status;
  if (rs_lab_state_read(name, &status->lab, &unread) < 0)
    status->lab.hosts = 0;
  status->ready = status->lab.hosts > 0 && status->namespaces == status->lab.hosts + 1 && rs_lab_state_is_ready(name);
  return rs_lab_namespaces(name, count_processes, status, error);
}
